/* n-step Sarsa, expected Sarsa and tree backup against the book's definition (Sutton and Barto 2018, chapter 7),
 * carried out by an independent learner over whole recorded episodes, with masks, overrides and episodes cut off. */
#include "test.h"
#include <cybertwin/agent.h>
#include <math.h>
#include <string.h>

enum { S = 7, A = 3, LONGEST = 60 };

static ctw_ctx *ctx;
static uint64_t state = 1;

static double draw(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 40) / 16777216.0;
}

enum { SARSA = 0, EXPECTED, TREE };
static const char *const names[] = {"sarsa", "expected-sarsa", "tree-backup"};

typedef struct plain {
    int algo, n;
    double q[S][A], gamma, alpha, eps, mean, average;
    int s[LONGEST + 1], a[LONGEST + 1], t;
    unsigned char allowed[LONGEST + 1][A];
    double r[LONGEST + 1];
    double last; /* what the state after the last step is worth, once an episode is cut */
    int cut;
} plain;

/* pi(a | s) of the epsilon-greedy policy, first of ties. */
static double pi(const plain *o, int t, int a)
{
    int best = -1, m = 0;
    for (int k = 0; k < A; k++)
        if (o->allowed[t][k]) {
            m++;
            if (best < 0 || o->q[o->s[t]][k] > o->q[o->s[t]][best]) best = k;
        }
    return o->allowed[t][a] ? o->eps / m + (a == best ? 1 - o->eps : 0) : 0;
}

static double expect(const plain *o, int t)
{
    double v = 0;
    for (int k = 0; k < A; k++) v += pi(o, t, k) * o->q[o->s[t]][k];
    return v;
}

/* G from step tau on; the experience ends at step `to` (state s[to]), terminal or not. r[t] follows step t. */
static double ret(const plain *o, int tau, int to, int terminal)
{
    if (tau == to) return terminal ? 0 : o->cut ? o->last : o->algo == SARSA ? o->q[o->s[to]][o->a[to]] : expect(o, to);
    double g;
    if (o->algo == TREE && tau + 1 < to) {
        g = pi(o, tau + 1, o->a[tau + 1]) * ret(o, tau + 1, to, terminal);
        for (int k = 0; k < A; k++)
            if (k != o->a[tau + 1]) g += pi(o, tau + 1, k) * o->q[o->s[tau + 1]][k];
    } else
        g = ret(o, tau + 1, to, terminal);
    return o->r[tau] - o->mean + o->gamma * g;
}

static void update(plain *o, int tau, int to, int terminal)
{
    double delta = ret(o, tau, to, terminal) - o->q[o->s[tau]][o->a[tau]];
    o->q[o->s[tau]][o->a[tau]] += o->alpha * delta;
    o->mean += o->average * delta;
}

static void some_mask(unsigned char *m, int masked)
{
    for (int k = 0; k < A; k++) m[k] = !masked || draw() < 0.7;
    m[(int)(A * draw())] = 1;
}

static void compare(int algo, int n, int masked, int overridden, double average)
{
    ctw_params *p;
    ctw_agent *a;
    plain o = {.algo = algo, .n = n, .gamma = average > 0 ? 1 : 0.9, .alpha = 0.1, .eps = 0.3, .average = average};
    CTW_OKAY(ctw_params_new(ctx, "agent", &p));
    CTW_OKAY(ctw_params_set_text(p, "algo", names[algo]));
    CTW_OKAY(ctw_params_set_i64(p, "states", S));
    CTW_OKAY(ctw_params_set_i64(p, "actions", A));
    CTW_OKAY(ctw_params_set_i64(p, "steps", n));
    CTW_OKAY(ctw_params_set_f64(p, "epsilon", 0.3));
    CTW_OKAY(ctw_params_set_f64(p, "gamma", o.gamma));
    CTW_OKAY(ctw_params_set_f64(p, "average", average));
    CTW_OKAY(ctw_agent_new(ctx, p, &a));
    for (int e = 0; e < 200; e++) {
        int end = 0, cut = 0;
        o.cut = 0;
        double s = o.s[0] = (int)(S * draw()), w[S * A];
        uint64_t need;
        int64_t act;
        some_mask(o.allowed[0], masked);
        CTW_OKAY(ctw_agent_act(a, &s, 1, o.allowed[0], &act));
        for (o.t = 0; !end && !cut; o.t++) {
            if (overridden && draw() < 0.3) {
                act = (int64_t)(A * draw());
                CTW_OKAY(ctw_agent_set_action(a, act));
            }
            o.a[o.t] = (int)act;
            o.r[o.t] = draw() - 0.5;
            s = o.s[o.t + 1] = (o.s[o.t] * 2 + (int)act + (int)(2 * draw())) % S;
            end = draw() < 0.1;
            cut = !end && o.t == LONGEST - 1;
            some_mask(o.allowed[o.t + 1], masked);
            CTW_OKAY(ctw_agent_learn(a, o.r[o.t], &s, 1, o.allowed[o.t + 1], end));
            if (!end) { /* the plan made before this step's update */
                CTW_OKAY(ctw_agent_act(a, &s, 1, o.allowed[o.t + 1], &act));
                o.a[o.t + 1] = (int)act;
            }
            if (o.t + 1 - n >= 0 && !end) update(&o, o.t + 1 - n, o.t + 1, 0);
        }
        o.last = cut ? ret(&o, o.t, o.t, 0) : 0;
        o.cut = cut;
        for (int tau = o.t - n + (end ? 0 : 1) > 0 ? o.t - n + (end ? 0 : 1) : 0; tau < o.t; tau++)
            update(&o, tau, o.t, end);
        if (cut) CTW_OKAY(ctw_agent_end_episode(a));
        CTW_OKAY(ctw_agent_get_weights(a, w, S * A, &need));
        for (int k = 0; k < S; k++)
            for (int j = 0; j < A; j++)
                ck_assert_msg(fabs(w[j * S + k] - o.q[k][j]) < 1e-10,
                              "%s n %d masked %d overridden %d episode %d: %g %g", names[algo], n, masked, overridden,
                              e, w[j * S + k], o.q[k][j]);
    }
    ctw_agent_unref(a);
    ctw_params_unref(p);
}

START_TEST(by_the_book)
{
    static const int n[] = {1, 2, 4, 9};
    for (int algo = 0; algo < 3; algo++)
        for (int i = 0; i < 4; i++)
            for (int masked = 0; masked < 2; masked++)
                for (int overridden = 0; overridden < 2; overridden++) {
                    compare(algo, n[i], masked, overridden, 0);
                    compare(algo, n[i], masked, overridden, 0.02);
                }
}
END_TEST

/* One step of the tree is expected Sarsa, to the bit. */
START_TEST(one_step)
{
    double w[2][S * A];
    for (int k = 0; k < 2; k++) {
        ctw_params *p;
        ctw_agent *a;
        int64_t act;
        double s = 0;
        uint64_t need;
        CTW_OKAY(ctw_params_new(ctx, "agent", &p));
        CTW_OKAY(ctw_params_set_text(p, "algo", k ? "tree-backup" : "expected-sarsa"));
        CTW_OKAY(ctw_params_set_i64(p, "states", S));
        CTW_OKAY(ctw_params_set_i64(p, "actions", A));
        CTW_OKAY(ctw_agent_new(ctx, p, &a));
        for (int t = 0; t < 500; t++) {
            CTW_OKAY(ctw_agent_act(a, &s, 1, NULL, &act));
            s = (double)(((int)s * 3 + (int)act + 1) % S);
            CTW_OKAY(ctw_agent_learn(a, s - 3, &s, 1, NULL, t % 17 == 16));
        }
        CTW_OKAY(ctw_agent_get_weights(a, w[k], S * A, &need));
        ctw_agent_unref(a);
        ctw_params_unref(p);
    }
    ck_assert(memcmp(w[0], w[1], sizeof w[0]) == 0);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"by_the_book", by_the_book}, {"one_step", one_step}};
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 1;
    int code = ctw_test_main("prop-agent-nstep", cases, 2, 60);
    ctw_ctx_unref(ctx);
    return code;
}
