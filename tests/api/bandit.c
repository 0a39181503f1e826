/* Contract of bandit.h and ope.h through the shared library. */
#include "test.h"
#include <cybertwin/bandit.h>
#include <cybertwin/ope.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static ctw_ctx *ctx;

static ctw_bandit *make(const char *policy, const char *key, const char *value)
{
    ctw_params *p;
    ctw_bandit *b;
    CTW_OKAY(ctw_params_new(ctx, "bandit", &p));
    CTW_OKAY(ctw_params_set_str(p, "policy", policy));
    CTW_OKAY(ctw_params_set_i64(p, "arms", 3));
    CTW_OKAY(ctw_params_set_i64(p, "dims", 2));
    if (key) CTW_OKAY(ctw_params_set_text(p, key, value));
    CTW_OKAY(ctw_bandit_new(ctx, p, &b));
    ctw_params_unref(p);
    return b;
}

/* Arm k pays 1 when the context's second value is nearest to k / 2. */
static double pay(double c, int64_t arm)
{
    return 1 - fabs(c - (double)arm / 2);
}

static double play(ctw_bandit *b, int rounds, double flip)
{
    double got = 0;
    for (int i = 0; i < rounds; i++) {
        double x[2] = {1, (double)(i * 7 % 11) / 10};
        int64_t arm;
        CTW_OKAY(ctw_bandit_choose(b, x, 2, NULL, &arm));
        double r = pay(flip > 0 ? 1 - x[1] : x[1], arm);
        CTW_OKAY(ctw_bandit_update(b, arm, x, 2, r));
        got += r / rounds;
    }
    return got;
}

START_TEST(policies_learn)
{
    static const char *const policies[] = {"linucb", "thompson", "epsilon-greedy", "ucb1"};
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    for (int k = 0; k < 4; k++) {
        ctw_bandit *b = make(policies[k], NULL, NULL);
        play(b, 2000, 0);
        double r = play(b, 1000, 0);
        ck_assert_msg(r > (k == 3 ? 0.6 : 0.7), "%s %g", policies[k], r);
        ctw_bandit_unref(b);
    }
    ctw_ctx_unref(ctx);
}
END_TEST

/* theta and width against the ridge regression's closed form on one arm. */
START_TEST(is_ridge_regression)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_bandit *b = make("linucb", NULL, NULL);
    double a[2][2] = {{1, 0}, {0, 1}}, v[2] = {0, 0}, x[2], mean[3], width[3], theta[6];
    uint64_t need;
    for (int i = 0; i < 3000; i++) {
        x[0] = 1;
        x[1] = sin(i);
        double r = 0.3 + 0.5 * x[1];
        for (int p = 0; p < 2; p++) {
            for (int q = 0; q < 2; q++) a[p][q] += x[p] * x[q];
            v[p] += x[p] * r;
        }
        CTW_OKAY(ctw_bandit_update(b, 1, x, 2, r));
    }
    double det = a[0][0] * a[1][1] - a[0][1] * a[1][0];
    CTW_OKAY(ctw_bandit_get_weights(b, theta, 6, &need));
    ck_assert_double_eq_tol(theta[2], (a[1][1] * v[0] - a[0][1] * v[1]) / det, 1e-10);
    ck_assert_double_eq_tol(theta[3], (a[0][0] * v[1] - a[1][0] * v[0]) / det, 1e-10);
    CTW_OKAY(ctw_bandit_values(b, x, 2, mean, width, 3));
    ck_assert_double_eq_tol(width[0], sqrt(1 + x[1] * x[1]), 1e-12);
    ck_assert_double_eq_tol(width[1], sqrt((a[1][1] - 2 * a[0][1] * x[1] + a[0][0] * x[1] * x[1]) / det), 1e-9);
    ctw_bandit_unref(b);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(forgetting_and_files)
{
    static const char *const how[][2] = {{"discount", "0.98"}, {"forget_at", "15"}};
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    for (int k = 0; k < 2; k++) {
        ctw_bandit *b = make(k ? "linucb" : "thompson", how[k][0], how[k][1]), *c;
        play(b, 1500, 0);
        const char *path = ctw_test_tmp("bandit.ctw");
        CTW_OKAY(ctw_bandit_save_file(b, path));
        CTW_OKAY(ctw_bandit_load_file(ctx, path, &c));
        ck_assert(play(b, 1500, 1) == play(c, 1500, 1));
        ck_assert(play(b, 500, 1) > 0.65);
        uint64_t n, m;
        CTW_OKAY(ctw_bandit_save_mem(b, NULL, 0, &n));
        unsigned char *x = malloc(n);
        CTW_OKAY(ctw_bandit_save_mem(b, x, n, &m));
        ctw_bandit *d;
        for (uint64_t i = 0; i < n; i += 13) {
            x[i] ^= 4;
            ck_assert(ctw_bandit_load_mem(ctx, x, n, &d) != CTW_OK);
            ck_assert_ptr_null(d);
            x[i] ^= 4;
            ck_assert(ctw_bandit_load_mem(ctx, x, i, &d) != CTW_OK);
        }
        CTW_OKAY(ctw_bandit_load_mem(ctx, x, n, &d));
        ctw_bandit_unref(d);
        free(x);
        ctw_report *r;
        int64_t alarms;
        CTW_OKAY(ctw_bandit_get_report(b, &r));
        CTW_OKAY(ctw_report_get_i64(r, "alarms", &alarms));
        ck_assert(k == 0 || alarms > 0);
        ctw_report_unref(r);
        ctw_bandit_unref(b);
        ctw_bandit_unref(c);
    }
    ctw_ctx_unref(ctx);
}
END_TEST

/* Arms described by numbers share one model: it is the ridge regression on products, from whichever arm was tried. */
START_TEST(described_arms)
{
    const double trait[6] = {1, 0, 1, .5, 1, 1};
    double x[2], mean[3], width[3], theta[4], v[3];
    uint64_t need, n;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_bandit *b = make("linucb", NULL, NULL), *c, *d;
    CTW_FAILS(ctw_bandit_set_arms(b, trait, 2, 2), CTW_E_SHAPE, "arms is 2");
    CTW_FAILS(ctw_bandit_set_arms(b, trait, 3, 0), CTW_E_RANGE, "traits");
    CTW_FAILS(ctw_bandit_set_arms(b, trait, 3, 33), CTW_E_RANGE, "traits");
    CTW_FAILS(ctw_bandit_set_arms(b, NULL, 3, 2), CTW_E_ARG, "trait");
    CTW_FAILS(ctw_bandit_set_arms(NULL, trait, 3, 2), CTW_E_ARG, "b");
    CTW_OKAY(ctw_bandit_set_arms(b, trait, 3, 2));
    CTW_FAILS(ctw_bandit_set_arms(b, trait, 3, 2), CTW_E_STATE, "once");
    for (int i = 0; i < 4000; i++) { /* arm 1 is never tried */
        int64_t arm = i % 2 ? 0 : 2;
        x[0] = 1;
        x[1] = sin(i);
        CTW_OKAY(ctw_bandit_update(b, arm, x, 2, 0.2 - 0.4 * x[1] + trait[2 * arm + 1] * (0.3 + 0.8 * x[1])));
    }
    CTW_OKAY(ctw_bandit_get_weights(b, theta, 4, &need));
    ck_assert(need == 4);
    ck_assert_double_eq_tol(theta[0], 0.2, 1e-3);
    ck_assert_double_eq_tol(theta[3], 0.8, 1e-2);
    x[1] = 0.7;
    CTW_OKAY(ctw_bandit_values(b, x, 2, mean, width, 3));
    ck_assert_double_eq_tol(mean[1], 0.2 - 0.28 + 0.5 * (0.3 + 0.56), 1e-2);
    ck_assert(width[1] < 0.1);
    for (int k = 0; k < 20; k++) { /* what choose ranks by is mean + 0.3 width */
        int64_t arm, best = 0;
        x[1] = -1 + 0.1 * k;
        CTW_OKAY(ctw_bandit_values(b, x, 2, mean, width, 3));
        for (int a = 0; a < 3; a++) v[a] = mean[a] + 0.3 * width[a];
        for (int a = 1; a < 3; a++) best = v[a] > v[best] ? a : best;
        CTW_OKAY(ctw_bandit_choose(b, x, 2, NULL, &arm));
        ck_assert(arm == best || fabs(v[arm] - v[best]) < 1e-9);
    }
    CTW_OKAY(ctw_bandit_save_mem(b, NULL, 0, &n));
    unsigned char *buf = malloc(n);
    CTW_OKAY(ctw_bandit_save_mem(b, buf, n, &need));
    CTW_OKAY(ctw_bandit_load_mem(ctx, buf, n, &c));
    ck_assert(play(b, 300, 1) == play(c, 300, 1));
    for (uint64_t i = 0; i < n; i += 11) {
        buf[i] ^= 16;
        ck_assert(ctw_bandit_load_mem(ctx, buf, n, &d) != CTW_OK);
        buf[i] ^= 16;
    }
    free(buf);
    d = make("ucb1", NULL, NULL);
    CTW_FAILS(ctw_bandit_set_arms(d, trait, 3, 2), CTW_E_ARG, "ucb1");
    ctw_bandit_unref(d);
    ctw_bandit_unref(b);
    ctw_bandit_unref(c);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(bad_calls)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_bandit *b = make("epsilon-greedy", "epsilon", "1");
    double x[2] = {1, 0}, nan[2] = {NAN, 0}, far[2] = {2e6, 0}, v[6];
    uint8_t none[3] = {0, 0, 0}, last[3] = {0, 0, 1};
    int64_t arm;
    uint64_t need;
    CTW_FAILS(ctw_bandit_choose(b, x, 3, NULL, &arm), CTW_E_SHAPE, "n is 3");
    CTW_FAILS(ctw_bandit_choose(b, nan, 2, NULL, &arm), CTW_E_NONFINITE, "x");
    CTW_FAILS(ctw_bandit_choose(b, far, 2, NULL, &arm), CTW_E_RANGE, "x");
    CTW_FAILS(ctw_bandit_choose(b, x, 2, none, &arm), CTW_E_INFEASIBLE, "masked");
    CTW_FAILS(ctw_bandit_choose(b, x, 2, NULL, NULL), CTW_E_ARG, "out_arm");
    CTW_FAILS(ctw_bandit_choose(NULL, x, 2, NULL, &arm), CTW_E_ARG, "b");
    for (int i = 0; i < 20; i++) {
        CTW_OKAY(ctw_bandit_choose(b, x, 2, last, &arm));
        ck_assert(arm == 2);
    }
    CTW_FAILS(ctw_bandit_update(b, 3, x, 2, 0), CTW_E_RANGE, "arm");
    CTW_FAILS(ctw_bandit_update(b, 0, x, 2, INFINITY), CTW_E_NONFINITE, "reward");
    CTW_FAILS(ctw_bandit_update(b, 0, x, 2, 1e7), CTW_E_RANGE, "reward");
    CTW_FAILS(ctw_bandit_values(b, x, 2, v, NULL, 2), CTW_E_SHAPE, "arms");
    CTW_FAILS(ctw_bandit_get_weights(b, v, 5, &need), CTW_E_BUFFER, "at least 6");
    CTW_OKAY(ctw_bandit_get_weights(b, NULL, 0, &need));
    CTW_FAILS(ctw_bandit_new(ctx, NULL, NULL), CTW_E_ARG, "out");
    ctw_bandit_unref(ctw_bandit_ref(b));
    ctw_bandit_unref(b);
    ctw_bandit_unref(NULL);
    ck_assert_ptr_null(ctw_bandit_ref(NULL));
    ctw_ctx_unref(ctx);
}
END_TEST

static ctw_ope *new_ope(const char *estimator)
{
    ctw_params *p;
    ctw_ope *o;
    CTW_OKAY(ctw_params_new(ctx, "ope", &p));
    CTW_OKAY(ctw_params_set_str(p, "estimator", estimator));
    CTW_OKAY(ctw_params_set_i64(p, "horizon", 2));
    CTW_OKAY(ctw_params_set_f64(p, "gamma", 0.5));
    CTW_OKAY(ctw_params_set_f64(p, "reward_lo", -1));
    CTW_OKAY(ctw_params_set_f64(p, "clip", 1000));
    CTW_OKAY(ctw_ope_new(ctx, p, &o));
    ctw_params_unref(p);
    return o;
}

START_TEST(off_policy)
{
    static const char *const names[] = {"is", "pdis", "wis", "dr"};
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    for (int k = 0; k < 4; k++) { /* all histories of two fair coins, so that every estimator's mean is exact */
        ctw_ope *o = new_ope(names[k]);
        double half[2] = {0.5, 0.5}, mean, lower;
        CTW_FAILS(ctw_ope_bound(o, 0.05, &mean, &lower), CTW_E_STATE, "at least 2");
        for (int i = 0; i < 400; i++) {
            int a = i & 1, b = i >> 1 & 1;
            double r[2] = {a, b}, t[2] = {a ? 0.8 : 0.2, b ? 0.8 : 0.2}, q[2] = {a + 0.4, b}, v[2] = {1.2, 0.8};
            CTW_OKAY(ctw_ope_add(o, r, t, half, k == 3 ? q : NULL, k == 3 ? v : NULL, 2));
        }
        CTW_OKAY(ctw_ope_bound(o, 0.05, &mean, &lower));
        ck_assert_msg(fabs(mean - 1.2) < 1e-12, "%s %g", names[k], mean);
        ck_assert(k == 3 ? lower <= mean : lower < mean);
        ck_assert(ctw_ope_count(o) == 400);
        ctw_ope_unref(ctw_ope_ref(o));
        ctw_ope_unref(o);
    }
    ctw_ope *o = new_ope("pdis");
    double r[3] = {0, 0, 0}, p[3] = {1, 1, 1}, bad[3] = {2, 0, 0}, zero[3] = {0, 1, 1};
    CTW_FAILS(ctw_ope_add(o, r, p, p, NULL, NULL, 3), CTW_E_SHAPE, "horizon");
    CTW_FAILS(ctw_ope_add(o, bad, p, p, NULL, NULL, 2), CTW_E_RANGE, "reward");
    CTW_FAILS(ctw_ope_add(o, r, bad, p, NULL, NULL, 2), CTW_E_RANGE, "target");
    CTW_FAILS(ctw_ope_add(o, r, p, zero, NULL, NULL, 2), CTW_E_RANGE, "behaviour");
    CTW_FAILS(ctw_ope_add(o, r, p, p, r, r, 2), CTW_E_ARG, "dr");
    CTW_FAILS(ctw_ope_add(o, NULL, p, p, NULL, NULL, 2), CTW_E_ARG, "reward");
    CTW_OKAY(ctw_ope_add(o, NULL, NULL, NULL, NULL, NULL, 0));
    CTW_FAILS(ctw_ope_bound(o, 0, NULL, NULL), CTW_E_RANGE, "delta");
    ctw_ope_unref(o);
    ck_assert(ctw_ope_count(NULL) == 0);
    ctw_ope_unref(NULL);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"policies_learn", policies_learn},
                                   {"is_ridge_regression", is_ridge_regression},
                                   {"forgetting_and_files", forgetting_and_files},
                                   {"described_arms", described_arms},
                                   {"bad_calls", bad_calls},
                                   {"off_policy", off_policy}};
    return ctw_test_main("api-bandit", cases, sizeof cases / sizeof *cases, 60);
}
