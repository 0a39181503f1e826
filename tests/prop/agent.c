/* Lazy traces against their plain definition: for every kind of trace, algorithm and feature, weights after thousands
 * of steps agree with those of a learner that decays and credits every trace in every step. */
#include "test.h"
#include <cybertwin/agent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { F = 12, A = 3 };

typedef struct plain {
    double w[A][F], e[A][F], q_old;
} plain;

static double value(const plain *p, const double *x, int a)
{
    double s = 0;
    for (int i = 0; i < F; i++) s += p->w[a][i] * x[i];
    return s;
}

/* kind 0 replacing, 1 accumulating, 2 dutch (true online). */
static void plain_step(plain *p, int kind, const double *x, int a, double reward, double next, double gl, double gamma,
                       double alpha)
{
    double n2 = 0, q = value(p, x, a), dot = 0;
    for (int i = 0; i < F; i++) n2 += x[i] * x[i];
    alpha /= n2;
    for (int i = 0; i < F; i++) dot += p->e[a][i] * x[i];
    for (int k = 0; k < A; k++)
        for (int i = 0; i < F; i++)
            if (k == a && x[i] != 0) {
                if (kind == 0)
                    p->e[k][i] = alpha * x[i];
                else if (kind == 1)
                    p->e[k][i] += alpha * x[i];
                else
                    p->e[k][i] += alpha * (1 - dot) * x[i];
            }
    double delta = reward + gamma * next - q, extra = kind == 2 ? q - p->q_old : 0;
    for (int k = 0; k < A; k++)
        for (int i = 0; i < F; i++) {
            p->w[k][i] += (delta + extra) * p->e[k][i];
            if (k == a) p->w[k][i] -= alpha * extra * x[i];
            p->e[k][i] *= gl;
        }
    p->q_old = next;
}

static uint64_t state = 1;

static double draw(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 40) / 16777216.0;
}

static void features(double *x, int dense)
{
    memset(x, 0, F * sizeof *x);
    for (int k = 0; k < 3; k++) x[4 * k + (int)(4 * draw())] = dense ? 0.5 + draw() : 1;
}

static void compare(ctw_ctx *ctx, int kind, const char *lambda, const char *gamma, int dense)
{
    ctw_params *p;
    ctw_agent *a;
    plain o;
    double x[F], y[F], w[A * F];
    int64_t act;
    uint64_t need;
    memset(&o, 0, sizeof o);
    CTW_OKAY(ctw_params_new(ctx, "agent", &p));
    CTW_OKAY(ctw_params_set_text(p, "form", "linear"));
    CTW_OKAY(ctw_params_set_i64(p, "features", F));
    CTW_OKAY(ctw_params_set_i64(p, "actions", A));
    CTW_OKAY(ctw_params_set_text(p, "algo", kind == 2 ? "true-online" : "sarsa"));
    CTW_OKAY(ctw_params_set_text(p, "traces", kind == 1 ? "accumulating" : "replacing"));
    CTW_OKAY(ctw_params_set_text(p, "lambda", lambda));
    CTW_OKAY(ctw_params_set_text(p, "gamma", gamma));
    CTW_OKAY(ctw_params_set_f64(p, "epsilon", 0.3));
    CTW_OKAY(ctw_agent_new(ctx, p, &a));
    features(x, dense);
    CTW_OKAY(ctw_agent_act(a, x, F, NULL, &act));
    for (int t = 0; t < 3000; t++) {
        int end = draw() < 0.01;
        double r = draw() - 0.5, next = 0;
        features(y, dense);
        CTW_OKAY(ctw_agent_learn(a, r, y, F, NULL, end));
        int64_t then = 0;
        if (!end) { /* what it means to do next */
            CTW_OKAY(ctw_agent_act(a, y, F, NULL, &then));
            next = value(&o, y, (int)then);
        }
        plain_step(&o, kind, x, (int)act, r, next, atof(gamma) * atof(lambda), atof(gamma), 0.1);
        if (end) {
            memset(o.e, 0, sizeof o.e);
            features(y, dense);
            CTW_OKAY(ctw_agent_act(a, y, F, NULL, &then));
            o.q_old = value(&o, y, (int)then);
        }
        act = then;
        memcpy(x, y, sizeof x);
    }
    CTW_OKAY(ctw_agent_get_weights(a, w, A * F, &need));
    for (int k = 0; k < A; k++)
        for (int i = 0; i < F; i++)
            ck_assert_msg(fabs(w[k * F + i] - o.w[k][i]) < 1e-9, "kind %d lambda %s gamma %s dense %d: %g %g", kind,
                          lambda, gamma, dense, w[k * F + i], o.w[k][i]);
    ctw_agent_unref(a);
    ctw_params_unref(p);
}

START_TEST(lazy_is_plain)
{
    static const char *const lambdas[] = {"0.1", "0.9", "1"}, *const gammas[] = {"0.9", "1"};
    ctw_ctx *ctx;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    for (int kind = 0; kind < 3; kind++)
        for (int l = 0; l < 3; l++)
            for (int g = 0; g < 2; g++)
                if (!(kind == 1 && l == 2)) /* accumulating with lambda 1 diverges, as it must */
                    for (int dense = 0; dense < 2; dense++) compare(ctx, kind, lambdas[l], gammas[g], dense);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"lazy_is_plain", lazy_is_plain}};
    return ctw_test_main("prop-agent", cases, 1, 60);
}
