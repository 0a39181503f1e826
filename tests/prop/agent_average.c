/* Learners whose right answer is known by hand: average reward on a ring where the myopic choice is to stay, and a
 * constraint that only a mixture of two actions can meet. */
#include "test.h"
#include <cybertwin/agent.h>
#include <cybertwin/dual.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static ctw_ctx *ctx;

static ctw_agent *make(const char *const *kv)
{
    ctw_params *p;
    ctw_agent *a;
    CTW_OKAY(ctw_params_new(ctx, "agent", &p));
    for (; *kv; kv += 2) CTW_OKAY(ctw_params_set_text(p, kv[0], kv[1]));
    CTW_OKAY(ctw_agent_new(ctx, p, &a));
    ctw_params_unref(p);
    return a;
}

/* Five cells in a ring: staying pays 1, the way round pays 10 once: 2 a step, the optimum. */
static void ring(ctw_agent *a, int *s, int steps)
{
    for (int i = 0; i < steps; i++) {
        double x = *s;
        int64_t act;
        CTW_OKAY(ctw_agent_act(a, &x, 1, NULL, &act));
        double r = act == 0 ? 1 : *s == 4 ? 10 : 0;
        if (act == 1) *s = (*s + 1) % 5;
        x = *s;
        CTW_OKAY(ctw_agent_learn(a, r, &x, 1, NULL, 0));
    }
}

static double gain(const ctw_agent *a)
{
    ctw_report *r;
    double v;
    CTW_OKAY(ctw_agent_get_report(a, &r));
    CTW_OKAY(ctw_report_get_f64(r, "mean_reward", &v));
    ctw_report_unref(r);
    return v;
}

START_TEST(average)
{
    static const char *const kv[] = {"states",  "5",    "actions", "2",   "algo",    "q",   "gamma", "1",
                                     "average", "0.01", "alpha",   "0.1", "epsilon", "0.2", NULL};
    ctw_agent *a = make(kv), *b;
    unsigned char buf[4096], got[2][4096];
    uint64_t n, m;
    int s = 0, t;
    ring(a, &s, 200000);
    ck_assert_msg(fabs(gain(a) - 2) < 1e-3, "mean reward %g, must be 2", gain(a));
    for (int i = 0; i < 5; i++) {
        double x = i, q[2], before[2], y = (i + 4) % 5;
        CTW_OKAY(ctw_agent_value(a, &x, 1, q, 2));
        CTW_OKAY(ctw_agent_value(a, &y, 1, before, 2));
        ck_assert(q[1] > q[0]);
        ck_assert_msg(fabs(q[0] - q[1] + 1) < 1e-2, "staying once loses 1, here %g", q[1] - q[0]);
        ck_assert_msg(fabs(q[1] - before[1] - (i ? 2 : -8)) < 2e-2, "relative value of %d", i);
    }
    CTW_OKAY(ctw_agent_save_mem(a, buf, sizeof buf, &n)); /* the mean is saved too */
    CTW_OKAY(ctw_agent_load_mem(ctx, buf, n, &b));
    t = s;
    ring(a, &s, 500);
    ring(b, &t, 500);
    CTW_OKAY(ctw_agent_save_mem(a, got[0], sizeof got[0], &n));
    CTW_OKAY(ctw_agent_save_mem(b, got[1], sizeof got[1], &m));
    ck_assert(n == m && memcmp(got[0], got[1], n) == 0);
    ctw_agent_unref(a);
    ctw_agent_unref(b);
}
END_TEST

START_TEST(average_refused)
{
    static const char *const bad[2][5] = {{"average", "0.1", "gamma", "0.9", NULL},
                                          {"average", "0.1", "algo", "double-q", NULL}};
    for (int k = 0; k < 2; k++) {
        ctw_params *p;
        ctw_agent *a;
        CTW_OKAY(ctw_params_new(ctx, "agent", &p));
        if (k) CTW_OKAY(ctw_params_set_text(p, "gamma", "1"));
        for (int i = 0; i < 4; i += 2) CTW_OKAY(ctw_params_set_text(p, bad[k][i], bad[k][i + 1]));
        CTW_FAILS(ctw_agent_new(ctx, p, &a), CTW_E_ARG, "average");
        ctw_params_unref(p);
    }
}
END_TEST

/* Action 1 earns 1 and costs 1, action 0 nothing: under a mean cost of .3 the multiplier must go to 1, where both are
 * worth the same, and the mean cost to .3. */
START_TEST(dual)
{
    static const char *const kv[] = {"states",  "1",           "actions", "2",     "gamma", "0", "policy",
                                     "softmax", "temperature", "0.1",     "alpha", "0.05",  NULL};
    ctw_params *p;
    ctw_dual *d;
    ctw_agent *a = make(kv);
    double x = 0, shaped, multiplier, cost = 0, mean;
    int64_t act;
    CTW_OKAY(ctw_params_new(ctx, "dual", &p));
    CTW_OKAY(ctw_params_set_f64(p, "limit", 0.3));
    CTW_OKAY(ctw_params_set_f64(p, "step", 0.05));
    CTW_OKAY(ctw_params_set_i64(p, "window", 20));
    CTW_OKAY(ctw_dual_new(ctx, p, &d));
    for (int i = 0; i < 60000; i++) {
        CTW_OKAY(ctw_agent_act(a, &x, 1, NULL, &act));
        CTW_OKAY(ctw_dual_shape(d, (double)act, (double)act, &shaped));
        CTW_OKAY(ctw_agent_learn(a, shaped, &x, 1, NULL, 0));
        if (i >= 20000) cost += (double)act / 40000;
    }
    CTW_OKAY(ctw_dual_get(d, &multiplier, &mean));
    ck_assert_msg(fabs(cost - 0.3) < 0.01, "mean cost %g", cost);
    ck_assert_msg(fabs(multiplier - 1) < 0.3, "multiplier %g", multiplier);
    ck_assert(mean >= 0 && mean <= 1);
    CTW_FAILS(ctw_dual_shape(d, NAN, 0, &shaped), CTW_E_NONFINITE, "reward");
    CTW_FAILS(ctw_dual_shape(d, 0, 1e10, &shaped), CTW_E_RANGE, "cost");
    CTW_FAILS(ctw_dual_shape(d, 0, 0, NULL), CTW_E_ARG, "out_shaped");
    CTW_FAILS(ctw_dual_set(d, -1), CTW_E_RANGE, "multiplier");
    CTW_OKAY(ctw_dual_set(d, 2));
    CTW_OKAY(ctw_dual_shape(d, 1, 0.8, &shaped));
    ck_assert(fabs(shaped - (1 - 2 * 0.5)) < 1e-12);
    CTW_OKAY(ctw_params_set_f64(p, "initial", 2e3));
    CTW_OKAY(ctw_params_set_f64(p, "max", 1e3));
    ctw_dual *none;
    CTW_FAILS(ctw_dual_new(ctx, p, &none), CTW_E_RANGE, "initial");
    ck_assert(ctw_dual_ref(d) == d);
    ctw_dual_unref(d);
    ctw_dual_unref(d);
    ctw_params_unref(p);
    ctw_agent_unref(a);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"average", average}, {"average_refused", average_refused}, {"dual", dual}};
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 1;
    int code = ctw_test_main("prop-agent-average", cases, sizeof cases / sizeof *cases, 60);
    ctw_ctx_unref(ctx);
    return code;
}
