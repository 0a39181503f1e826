/* Policies against independent oracles: the gradient of a tiny world's return by enumeration, the clipped objective and
 * the Gaussian's by finite differences, the natural gradient by a dense solve, and the forms that learn each step by
 * their plain definitions. */
#include "test.h"
#include <cybertwin/policy.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static ctw_ctx *ctx;
static uint64_t state = 7;

static double draw(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 40) / 16777216.0;
}

static ctw_policy *make(const char *const *kv)
{
    ctw_params *params;
    ctw_policy *p;
    CTW_OKAY(ctw_params_new(ctx, "policy", &params));
    for (; *kv; kv += 2) CTW_OKAY(ctw_params_set_text(params, kv[0], kv[1]));
    CTW_OKAY(ctw_policy_new(ctx, params, &p));
    ctw_params_unref(params);
    return p;
}

/* One plain gradient step of size 1 on the whole batch. */
#define PLAIN                                                                                                     \
    "optimiser", "sgd", "normalise", "0", "epochs", "1", "minibatch", "100000", "standardise", "0", "alpha", "1", \
        "kl", "0"

/* ---- a world of two states, where an action of 1 changes the state, lived for three steps ---- */
static const double pay[2][2] = {{1, -2}, {0.5, 3}};

static double earns(const double *theta, int s, int left) /* theta[a * 2 + s] */
{
    double e0 = exp(theta[s]), e1 = exp(theta[2 + s]), p1 = e1 / (e0 + e1);
    if (left == 0) return 0;
    return (1 - p1) * (pay[s][0] + earns(theta, s, left - 1)) + p1 * (pay[s][1] + earns(theta, 1 - s, left - 1));
}

START_TEST(gradient_is_enumerated)
{
    static const char *const kv[] = {"states", "2", "algo",         "ppo", "gamma", "1",
                                     "lambda", "1", "alpha_critic", "0",   PLAIN,   NULL};
    double theta[4] = {0, 0, log(2), log(2)}, w[6] = {0, 0, log(2), log(2), 0, 0}, got[6];
    double phi[81], next[81], reward[81];
    int64_t action[81];
    uint8_t end[81];
    uint64_t rows = 0, need;
    ctw_policy *p = make(kv);
    CTW_OKAY(ctw_policy_set_weights(p, w, 6));
    for (int path = 0; path < 8; path++) /* each path as often as it is likely, in 27 lives */
        for (int copy = 0; copy < 1 << ((path & 1) + (path >> 1 & 1) + (path >> 2)); copy++)
            for (int t = 0, s = 0; t < 3; t++, rows++) {
                int a = path >> t & 1;
                phi[rows] = s;
                action[rows] = a;
                reward[rows] = pay[s][a];
                s = a ? 1 - s : s;
                next[rows] = s;
                end[rows] = t == 2;
            }
    ck_assert_int_eq((int)rows, 81);
    CTW_OKAY(ctw_policy_fit(p, phi, action, NULL, NULL, reward, next, end, rows, 1, 1, NULL));
    CTW_OKAY(ctw_policy_get_weights(p, got, 6, &need));
    for (int i = 0; i < 4; i++) {
        double up[4], down[4], h = 1e-5;
        memcpy(up, theta, sizeof up);
        memcpy(down, theta, sizeof down);
        up[i] += h;
        down[i] -= h;
        double g = (earns(up, 0, 3) - earns(down, 0, 3)) / (2 * h);
        ck_assert_msg(fabs(3 * (got[i] - theta[i]) - g) < 1e-8, "%d: %g, enumerated %g", i, 3 * (got[i] - theta[i]), g);
    }
    ctw_policy_unref(p);
}
END_TEST

/* ---- a random batch: 5 features, 3 outputs ---- */
enum { N = 40, F = 5, K = 3 };

typedef struct batch {
    double phi[N * F], logp[N], reward[N], u[N * K];
    int64_t action[N];
    uint8_t allowed[N * K], end[N];
} batch;

/* Head 0: log probability of row i under theta (by output, then feature), with its mask; head 1: normals. */
static double row_logp(const batch *b, int i, int gaussian, const double *w, double *entropy)
{
    double z[K], sum = 0, h = 0, lp = 0;
    for (int k = 0; k < K; k++) {
        z[k] = 0;
        for (int f = 0; f < F; f++) z[k] += w[k * F + f] * b->phi[i * F + f];
    }
    if (gaussian) {
        for (int k = 0; k < K; k++) {
            double s = w[K * F + k], t = (b->u[i * K + k] - z[k]) * exp(-s);
            lp -= 0.5 * t * t + s + 0.5 * log(2 * acos(-1));
            h += s;
        }
        *entropy = h + 0.5 * K * log(2 * acos(-1) * exp(1));
        return lp;
    }
    for (int k = 0; k < K; k++) sum += b->allowed[i * K + k] ? exp(z[k]) : 0;
    for (int k = 0; k < K; k++)
        if (b->allowed[i * K + k]) h -= exp(z[k]) / sum * (z[k] - log(sum));
    *entropy = h;
    return z[b->action[i]] - log(sum);
}

static void fill(batch *b, int gaussian, const double *w)
{
    double h;
    for (int i = 0; i < N * F; i++) b->phi[i] = draw() - 0.4;
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < K; k++) {
            b->allowed[i * K + k] = draw() < 0.8;
            b->u[i * K + k] = 2 * draw() - 1;
        }
        b->action[i] = (int64_t)(K * draw());
        b->allowed[i * K + b->action[i]] = 1;
        b->reward[i] = 2 * draw() - 1;
        b->end[i] = 1;
        b->logp[i] = row_logp(b, i, gaussian, w, &h) + (draw() - 0.5);
    }
}

static double objective(const batch *b, int gaussian, const double *w, const double *critic, double clip, double tau)
{
    double sum = 0;
    for (int i = 0; i < N; i++) {
        double h, v = 0, ratio = exp(row_logp(b, i, gaussian, w, &h) - b->logp[i]);
        for (int f = 0; f < F; f++) v += critic[f] * b->phi[i * F + f];
        double adv = b->reward[i] - v, cut = fmin(fmax(ratio, 1 - clip), 1 + clip);
        sum += fmin(ratio * adv, cut * adv) + tau * h;
    }
    return sum / N;
}

static void fit(ctw_policy *p, const batch *b, int gaussian, int with_logp)
{
    const double *logp = with_logp ? b->logp : NULL;
    if (gaussian)
        CTW_OKAY(ctw_policy_fit_real(p, b->phi, b->u, logp, b->reward, b->phi, b->end, N, F, F, NULL));
    else
        CTW_OKAY(ctw_policy_fit(p, b->phi, b->action, logp, b->allowed, b->reward, b->phi, b->end, N, F, F, NULL));
}

static size_t random_weights(double *w, int gaussian)
{
    size_t actor = K * F + (gaussian ? K : 0);
    for (size_t i = 0; i < actor + F; i++) w[i] = draw() - 0.5;
    return actor;
}

START_TEST(clipped_objective)
{
    for (int gaussian = 0; gaussian < 2; gaussian++) {
        const char *const kv[] = {
            "form",  "linear", "features",     "5",   "actions", "3",   "real_dims", "3",
            "algo",  "ppo",    "clip",         "0.2", "entropy", "0.1", "policy",    gaussian ? "gaussian" : "softmax",
            "gamma", "0",      "alpha_critic", "0.5", PLAIN,     NULL};
        ctw_policy *p = make(kv);
        double w[K * F + K + F], got[K * F + K + F];
        batch b;
        uint64_t need;
        int beyond = 0;
        size_t actor = random_weights(w, gaussian);
        fill(&b, gaussian, w);
        CTW_OKAY(ctw_policy_set_weights(p, w, actor + F));
        fit(p, &b, gaussian, 1);
        CTW_OKAY(ctw_policy_get_weights(p, got, K * F + K + F, &need));
        for (size_t i = 0; i < actor; i++) {
            double h = 1e-5, up[K * F + K + F], down[K * F + K + F];
            memcpy(up, w, sizeof up);
            memcpy(down, w, sizeof down);
            up[i] += h;
            down[i] -= h;
            double g = (objective(&b, gaussian, up, w + actor, 0.2, 0.1) -
                        objective(&b, gaussian, down, w + actor, 0.2, 0.1)) /
                       (2 * h);
            ck_assert_msg(fabs(got[i] - w[i] - g) < 1e-7, "gaussian %d weight %zu: %g, differences %g", gaussian, i,
                          got[i] - w[i], g);
        }
        for (int f = 0; f < F; f++) {
            double g = 0;
            for (int i = 0; i < N; i++) {
                double v = 0;
                for (int j = 0; j < F; j++) v += w[actor + (size_t)j] * b.phi[i * F + j];
                g += 0.5 * (b.reward[i] - v) * b.phi[i * F + f] / N;
            }
            ck_assert(fabs(got[actor + (size_t)f] - w[actor + (size_t)f] - g) < 1e-12);
        }
        for (int i = 0; i < N; i++) {
            double h;
            beyond += fabs(exp(row_logp(&b, i, gaussian, w, &h) - b.logp[i]) - 1) > 0.2;
        }
        ck_assert(beyond > 5); /* the clip was at work */
        ctw_policy_unref(p);
    }
}
END_TEST

/* Gaussian elimination with pivoting, in place. */
static void dense_solve(double *a, double *b, int n)
{
    for (int c = 0; c < n; c++) {
        int top = c;
        for (int r = c; r < n; r++)
            if (fabs(a[r * n + c]) > fabs(a[top * n + c])) top = r;
        for (int k = 0; k < n; k++) {
            double t = a[c * n + k];
            a[c * n + k] = a[top * n + k];
            a[top * n + k] = t;
        }
        double t = b[c];
        b[c] = b[top];
        b[top] = t;
        for (int r = 0; r < n; r++) {
            double m = a[r * n + c] / a[c * n + c];
            if (r == c) continue;
            for (int k = c; k < n; k++) a[r * n + k] -= m * a[c * n + k];
            b[r] -= m * b[c];
        }
    }
    for (int c = 0; c < n; c++) b[c] /= a[c * n + c];
}

/* F = mean over rows of the sum over actions of pi psi psi', by differences of log pi; a Gaussian's is known. */
static void dense_fisher(const batch *b, int gaussian, const double *w, int n, double *fisher, double *g,
                         const double *critic)
{
    double h = 1e-5, e;
    memset(fisher, 0, sizeof *fisher * (size_t)(n * n));
    memset(g, 0, sizeof *g * (size_t)n);
    for (int i = 0; i < N; i++) {
        double psi[K * F + K], v = 0;
        batch one = *b;
        for (int f = 0; f < F; f++) v += critic[f] * b->phi[i * F + f];
        for (int a = gaussian ? (int)b->action[i] : 0; a < (gaussian ? (int)b->action[i] + 1 : K); a++) {
            one.action[i] = a;
            if (!gaussian && !b->allowed[i * K + a]) continue;
            for (int j = 0; j < n; j++) {
                double up[K * F + K], down[K * F + K];
                memcpy(up, w, sizeof *up * (size_t)n);
                memcpy(down, w, sizeof *down * (size_t)n);
                up[j] += h;
                down[j] -= h;
                psi[j] = (row_logp(&one, i, gaussian, up, &e) - row_logp(&one, i, gaussian, down, &e)) / (2 * h);
            }
            double pi = gaussian ? 0 : exp(row_logp(&one, i, 0, w, &e));
            for (int j = 0; j < n; j++) {
                if (a == b->action[i]) g[j] += psi[j] * (b->reward[i] - v) / N;
                for (int k = 0; k < n; k++) fisher[j * n + k] += pi * psi[j] * psi[k] / N;
            }
        }
        if (!gaussian) continue;
        for (int k = 0; k < K; k++) {
            double s2 = exp(2 * w[K * F + k]);
            fisher[(K * F + k) * n + K * F + k] += 2.0 / N;
            for (int f = 0; f < F; f++)
                for (int f2 = 0; f2 < F; f2++)
                    fisher[(k * F + f) * n + k * F + f2] += b->phi[i * F + f] * b->phi[i * F + f2] / s2 / N;
        }
    }
}

START_TEST(natural_gradient)
{
    for (int gaussian = 0; gaussian < 2; gaussian++)
        for (int bounded = 0; bounded < 2; bounded++) {
            const char *const kv[] = {"form",
                                      "linear",
                                      "features",
                                      "5",
                                      "actions",
                                      "3",
                                      "policy",
                                      gaussian ? "gaussian" : "softmax",
                                      "real_dims",
                                      "3",
                                      "gamma",
                                      "0",
                                      "algo",
                                      "natural-batch",
                                      "alpha_critic",
                                      "0",
                                      PLAIN,
                                      "ridge",
                                      "0.01",
                                      "solve_rounds",
                                      "1000",
                                      "kl",
                                      bounded ? "0.001" : "0",
                                      NULL};
            ctw_policy *p = make(kv);
            enum { MAX = K * F + K };
            double w[MAX + F], got[MAX + F], fisher[MAX * MAX], solve[MAX * MAX], x[MAX], curve = 0, length = 1;
            batch b;
            uint64_t need;
            size_t actor = random_weights(w, gaussian);
            int n = (int)actor;
            fill(&b, gaussian, w);
            CTW_OKAY(ctw_policy_set_weights(p, w, actor + F));
            fit(p, &b, gaussian, 0);
            CTW_OKAY(ctw_policy_get_weights(p, got, MAX + F, &need));
            dense_fisher(&b, gaussian, w, n, fisher, x, w + actor);
            memcpy(solve, fisher, sizeof solve);
            for (int j = 0; j < n; j++) solve[j * n + j] += 0.01;
            dense_solve(solve, x, n);
            for (int j = 0; j < n; j++)
                for (int k = 0; k < n; k++) curve += x[j] * x[k] * fisher[j * n + k];
            if (bounded) length = sqrt(2 * 0.001 / curve);
            ck_assert(length <= 1);
            for (int j = 0; j < n; j++)
                ck_assert_msg(fabs(got[j] - w[j] - length * x[j]) < 1e-6,
                              "gaussian %d bounded %d weight %d: %g, dense %g", gaussian, bounded, j, got[j] - w[j],
                              length * x[j]);
            ctw_policy_unref(p);
        }
}
END_TEST

/* ---- the forms that learn each step, against their definitions over dense vectors ---- */
typedef struct plain {
    double w[K * F + K + F], z[K * F + K + F], x[K * F + K], mean;
    int n_actor, gaussian;
} plain;

/* Row 0 of b is the state and action; psi by its definition. */
static void plain_step(plain *o, const batch *b, double reward, const double *next, double gamma, double keep,
                       double tau, double average, int natural)
{
    double psi[K * F + K] = {0}, g[K * F + K] = {0}, n2 = 0, v = 0, v2 = 0, h, size = 0, dot = 0, pi[K];
    const double *phi = b->phi;
    int actor = o->n_actor;
    double sum = 0;
    for (int f = 0; f < F; f++) {
        n2 += phi[f] * phi[f];
        v += o->w[actor + f] * phi[f];
        v2 += next ? o->w[actor + f] * next[f] : 0;
    }
    row_logp(b, 0, o->gaussian, o->w, &h);
    for (int k = 0; k < K; k++) {
        double z = 0;
        for (int f = 0; f < F; f++) z += o->w[k * F + f] * phi[f];
        pi[k] = o->gaussian ? z : exp(z);
        sum += pi[k];
    }
    for (int k = 0; k < K; k++) {
        double p = pi[k] / sum, sd = exp(o->w[K * F + (o->gaussian ? k : 0)]), t = (b->u[k] - pi[k]) / sd;
        for (int f = 0; f < F; f++) {
            psi[k * F + f] = (o->gaussian ? t / sd : (k == b->action[0]) - p) * phi[f];
            g[k * F + f] = o->gaussian ? 0 : -p * (log(p) + h) * phi[f];
        }
        if (!o->gaussian) continue;
        psi[K * F + k] = t * t - 1;
        g[K * F + k] = 1;
    }
    double delta = reward - o->mean + gamma * v2 - v, alpha = 0.05, beta = 0.1;
    o->mean += average * delta;
    for (int j = 0; j < actor; j++) {
        size += psi[j] * psi[j];
        dot += psi[j] * o->x[j];
    }
    if (natural) {
        for (int j = 0; j < actor; j++) {
            o->x[j] += beta * (delta - dot) / fmax(1, size) * psi[j];
            o->w[j] += alpha * o->x[j] + (o->gaussian ? (j >= K * F ? alpha * tau / 2 : 0) : -alpha * tau * o->w[j]);
        }
        for (int f = 0; f < F; f++) o->w[actor + f] += beta / n2 * delta * phi[f];
        return;
    }
    for (int j = 0; j < actor + F; j++) {
        o->z[j] = keep * o->z[j] + (j < actor ? alpha / n2 * psi[j] : beta / n2 * phi[j - actor]);
        o->w[j] += delta * o->z[j];
        if (j < actor) o->w[j] += alpha / n2 * tau * g[j];
    }
    if (!next) memset(o->z, 0, sizeof o->z);
}

static void each_step(int gaussian, int natural, const char *lambda, const char *average)
{
    const char *const kv[] = {"form",      "linear",
                              "features",  "5",
                              "actions",   "3",
                              "policy",    gaussian ? "gaussian" : "softmax",
                              "real_dims", "3",
                              "gamma",     atof(average) > 0 ? "1" : "0.9",
                              "algo",      natural ? "natural" : "actor-critic",
                              "lambda",    lambda,
                              "entropy",   "0.02",
                              "average",   average,
                              NULL};
    double gamma = atof(average) > 0 ? 1 : 0.9, phi[F], next[F], got[K * F + K + F];
    ctw_policy *p = make(kv);
    plain o;
    batch b;
    uint64_t need;
    memset(&o, 0, sizeof o);
    memset(&b, 0, sizeof b);
    memset(b.allowed, 1, sizeof b.allowed);
    o.gaussian = gaussian;
    o.n_actor = K * F + (gaussian ? K : 0);
    for (int f = 0; f < F; f++) phi[f] = draw();
    for (int t = 0; t < 2000; t++) {
        int end = draw() < 0.03;
        double r = draw() - 0.5;
        memcpy(b.phi, phi, sizeof phi);
        for (int f = 0; f < F; f++) next[f] = draw() < 0.3 ? 0 : draw();
        next[0] = 1;
        if (gaussian)
            CTW_OKAY(ctw_policy_act_real(p, phi, F, b.u, K, NULL));
        else
            CTW_OKAY(ctw_policy_act(p, phi, F, NULL, &b.action[0], NULL));
        CTW_OKAY(ctw_policy_learn(p, r, next, F, end));
        plain_step(&o, &b, r, end ? NULL : next, gamma, gamma * atof(lambda), 0.02, atof(average), natural);
        memcpy(phi, next, sizeof phi);
    }
    CTW_OKAY(ctw_policy_get_weights(p, got, K * F + K + F, &need));
    ck_assert_int_eq((int)need, o.n_actor + F);
    for (int j = 0; j < o.n_actor + F; j++)
        ck_assert_msg(fabs(got[j] - o.w[j]) < 1e-8 * fmax(1, fabs(o.w[j])),
                      "gaussian %d natural %d lambda %s average %s weight %d: %.12g, plain %.12g", gaussian, natural,
                      lambda, average, j, got[j], o.w[j]);
    ctw_policy_unref(p);
}

START_TEST(each_step_is_plain)
{
    for (int gaussian = 0; gaussian < 2; gaussian++) {
        each_step(gaussian, 0, "0", "0");
        each_step(gaussian, 0, "0.8", "0");
        each_step(gaussian, 0, "0.8", "0.01");
        each_step(gaussian, 1, "0", "0");
        each_step(gaussian, 1, "0", "0.01");
    }
}
END_TEST

/* The compatible advantage of a table is the advantage itself: with the policy all but held (alpha 1e-9), a step moves
 * theta by alpha x, and x(s, a) less its mean under pi is A(s, a). */
START_TEST(compatible_is_advantage)
{
    static const char *const kv[] = {"states", "2",    "actions",      "2",     "algo", "natural", "gamma", "0",
                                     "alpha",  "1e-9", "alpha_critic", "0.005", NULL};
    double w[6] = {0, 0, log(2), log(2), 0, 0}, was[6], now[6];
    int64_t a;
    uint64_t need;
    ctw_policy *q = make(kv);
    CTW_OKAY(ctw_policy_set_weights(q, w, 6));
    for (int t = 0; t < 40000; t++) {
        double s = t % 2;
        if (t == 39999) CTW_OKAY(ctw_policy_get_weights(q, was, 6, &need));
        CTW_OKAY(ctw_policy_act(q, &s, 1, NULL, &a, NULL));
        CTW_OKAY(ctw_policy_learn(q, pay[t % 2][a], NULL, 0, 1));
    }
    CTW_OKAY(ctw_policy_get_weights(q, now, 6, &need));
    for (int s = 0; s < 2; s++) {
        double x0 = (now[s] - was[s]) / 1e-9, x1 = (now[2 + s] - was[2 + s]) / 1e-9, mean = (x0 + 2 * x1) / 3;
        double v = (pay[s][0] + 2 * pay[s][1]) / 3;
        ck_assert_msg(fabs(now[4 + s] - v) < 0.2, "state %d: value %g, is %g", s, now[4 + s], v);
        ck_assert_msg(fabs(x0 - mean - (pay[s][0] - v)) < 0.2 && fabs(x1 - mean - (pay[s][1] - v)) < 0.2,
                      "state %d: advantages %g %g, are %g %g", s, x0 - mean, x1 - mean, pay[s][0] - v, pay[s][1] - v);
    }
    ctw_policy_unref(q);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"gradient_is_enumerated", gradient_is_enumerated},
                                   {"clipped_objective", clipped_objective},
                                   {"natural_gradient", natural_gradient},
                                   {"each_step_is_plain", each_step_is_plain},
                                   {"compatible_is_advantage", compatible_is_advantage}};
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 1;
    int code = ctw_test_main("prop-policy", cases, sizeof cases / sizeof *cases, 60);
    ctw_ctx_unref(ctx);
    return code;
}
