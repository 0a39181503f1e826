/* Contract of guard.h: order of calls, bad input, verdicts, save and load, the watch's path through its states. */
#include "test.h"
#include <cybertwin/guard.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static ctw_ctx *ctx;

/* A cloud of n rows of 3 correlated features from a small generator of its own. */
static void cloud(double *x, size_t n)
{
    uint32_t s = 12345;
    for (size_t i = 0; i < n; i++) {
        double u[3];
        for (size_t j = 0; j < 3; j++) {
            u[j] = 0.0;
            for (int k = 0; k < 12; k++) {
                s = s * 1664525u + 1013904223u;
                u[j] += (double)s / 4294967296.0;
            }
            u[j] -= 6.0;
        }
        x[3 * i] = 10.0 + u[0];
        x[3 * i + 1] = -5.0 + 2.0 * (0.9 * u[0] + 0.4 * u[1]);
        x[3 * i + 2] = 1e6 + 1e4 * u[2];
    }
}

static ctw_guard *fitted(double alpha)
{
    static double x[3 * 900];
    ctw_params *p;
    ctw_guard *g;
    cloud(x, 900);
    CTW_OKAY(ctw_params_new(ctx, "guard", &p));
    CTW_OKAY(ctw_params_set_f64(p, "alpha", alpha));
    CTW_OKAY(ctw_guard_new(ctx, p, &g));
    CTW_OKAY(ctw_guard_fit(g, x, 900, 3, 3));
    ctw_params_unref(p);
    return g;
}

START_TEST(verdicts)
{
    ctw_guard *g = fitted(0.02);
    /* the mean; a row far out; a row whose features are each ordinary but not together; a broken sensor */
    const double rows[] = {10, -5, 1e6, 30, -5, 1e6, 12, -9, 1e6, NAN, -5, 1e6, 10, -5, INFINITY};
    double score[5], p[5], share[3];
    int32_t verdict[5];
    ck_assert_uint_eq(ctw_guard_features(g), 3);
    ck_assert(ctw_guard_limit(g) > 1.0);
    CTW_OKAY(ctw_guard_check(g, rows, 5, 3, 3, score, verdict));
    CTW_OKAY(ctw_guard_pvalue(g, rows, 5, 3, 3, p));
    ck_assert_int_eq(verdict[0], CTW_GUARD_PASS);
    for (int i = 1; i < 5; i++) {
        ck_assert_int_eq(verdict[i], CTW_GUARD_ABSTAIN);
        ck_assert(score[i] > 1.0 && p[i] < 0.02);
    }
    ck_assert(score[0] < 0.2 && p[0] > 0.9);
    ck_assert(isinf(score[3]) && isinf(score[4]) && p[3] <= 0.0);
    CTW_OKAY(ctw_guard_explain(g, rows + 3, 3, share));
    ck_assert(share[0] > 0.5);
    ck_assert(fabs(share[0] + share[1] + share[2] - 1.0) < 1e-12);
    CTW_OKAY(ctw_guard_check(g, rows, 5, 3, 3, NULL, NULL));
    CTW_OKAY(ctw_guard_check(g, NULL, 0, 3, 3, NULL, NULL));
    ctw_guard_unref(g);
}
END_TEST

/* Files of format 1.0 stay readable and mean what they meant. */
START_TEST(golden_files)
{
    ctw_guard *g;
    const double row[] = {1.3, 2.0};
    double score;
    CTW_OKAY(ctw_guard_load_file(ctx, ctw_test_golden("guard/guard-1.ctw"), &g));
    ck_assert_uint_eq(ctw_guard_features(g), 2);
    ck_assert(fabs(ctw_guard_limit(g) - 2.0841602525329295) < 1e-12);
    CTW_OKAY(ctw_guard_check(g, row, 1, 2, 2, &score, NULL));
    ck_assert(score > 0.0);
    ctw_guard_unref(g);
}
END_TEST

START_TEST(guard_errors)
{
    double x[3 * 100], out[3];
    ctw_guard *g = NULL;
    ctw_params *p;
    cloud(x, 100);
    CTW_FAILS(ctw_guard_new(NULL, NULL, &g), CTW_E_ARG, "ctx");
    CTW_FAILS(ctw_guard_new(ctx, NULL, NULL), CTW_E_ARG, "out");
    CTW_OKAY(ctw_params_new(ctx, "watch", &p));
    ck_assert(ctw_guard_new(ctx, p, &g) < 0);
    ck_assert_ptr_null(g);
    ctw_params_unref(p);
    CTW_OKAY(ctw_params_new(ctx, "guard", &p));
    CTW_FAILS(ctw_params_set_f64(p, "alpha", 0.9), CTW_E_RANGE, "alpha");
    CTW_FAILS(ctw_params_set_f64(p, "alpah", 0.1), CTW_E_KEY, "alpha");
    CTW_OKAY(ctw_params_set_f64(p, "floor", 0.0));
    CTW_OKAY(ctw_params_set_f64(p, "alpha", 0.1));
    CTW_OKAY(ctw_guard_new(ctx, p, &g));
    ctw_params_unref(p);
    CTW_FAILS(ctw_guard_check(g, x, 1, 3, 3, out, NULL), CTW_E_STATE, "not fitted");
    ck_assert(isnan(ctw_guard_limit(g)));
    ck_assert_uint_eq(ctw_guard_features(NULL), 0);
    CTW_FAILS(ctw_guard_fit(g, NULL, 10, 3, 3), CTW_E_ARG, "x");
    CTW_FAILS(ctw_guard_fit(g, x, 10, 0, 3), CTW_E_RANGE, "d");
    CTW_FAILS(ctw_guard_fit(g, x, 10, 3, 2), CTW_E_SHAPE, "apart");
    CTW_FAILS(ctw_guard_fit(g, x, 2, 3, 3), CTW_E_SHAPE, "rows");
    CTW_FAILS(ctw_guard_fit(g, x, 20, 3, 3), CTW_E_SHAPE, "alpha");
    CTW_FAILS(ctw_guard_fit(NULL, x, 10, 3, 3), CTW_E_ARG, "g");
    CTW_OKAY(ctw_guard_fit(g, x, 100, 3, 3));
    CTW_FAILS(ctw_guard_check(g, x, 1, 2, 3, out, NULL), CTW_E_SHAPE, "features");
    CTW_FAILS(ctw_guard_check(g, x, 1, 3, 2, out, NULL), CTW_E_SHAPE, "stride");
    CTW_FAILS(ctw_guard_pvalue(g, x, 1, 3, 3, NULL), CTW_E_ARG, "out_p");
    double bad = x[4];
    x[4] = NAN;
    CTW_FAILS(ctw_guard_explain(g, x + 3, 3, out), CTW_E_NONFINITE, NULL);
    /* an input that never could be fitted leaves the old fit; a fit that fails takes it away */
    CTW_FAILS(ctw_guard_fit(g, x, 100, 3, 3), CTW_E_NONFINITE, "x");
    ck_assert_uint_eq(ctw_guard_features(g), 3);
    x[4] = bad;
    for (size_t i = 0; i < 100; i++) x[3 * i + 1] = 7.0;
    CTW_FAILS(ctw_guard_fit(g, x, 100, 3, 3), CTW_E_SINGULAR, "feature 1");
    ck_assert_uint_eq(ctw_guard_features(g), 0);
    ctw_guard_unref(g);
    ctw_guard_unref(NULL);
    ck_assert_ptr_null(ctw_guard_ref(NULL));
}
END_TEST

START_TEST(guard_constant_feature)
{
    double x[3 * 400], probe[3] = {10, 7, 1e6}, off[3] = {10, 7.01, 1e6};
    int32_t v[2];
    ctw_guard *g;
    cloud(x, 400);
    for (size_t i = 0; i < 400; i++) x[3 * i + 1] = 7.0;
    CTW_OKAY(ctw_guard_new(ctx, NULL, &g));
    CTW_OKAY(ctw_guard_fit(g, x, 400, 3, 3));
    CTW_OKAY(ctw_guard_check(g, probe, 1, 3, 3, NULL, v));
    CTW_OKAY(ctw_guard_check(g, off, 1, 3, 3, NULL, v + 1));
    ck_assert_int_eq(v[0], CTW_GUARD_PASS);
    ck_assert_int_eq(v[1], CTW_GUARD_ABSTAIN);
    ctw_guard_unref(g);
}
END_TEST

START_TEST(guard_save_load)
{
    ctw_guard *g = fitted(0.05), *l = NULL;
    uint64_t need = 0, again = 0;
    const double probe[] = {11, -4, 1.01e6};
    double a, b;
    CTW_OKAY(ctw_guard_save_mem(g, NULL, 0, &need));
    unsigned char *buf = malloc(need), *two = malloc(need);
    CTW_FAILS(ctw_guard_save_mem(g, buf, need - 1, &again), CTW_E_BUFFER, NULL);
    CTW_OKAY(ctw_guard_save_mem(g, buf, need, &again));
    CTW_OKAY(ctw_guard_load_mem(ctx, buf, need, &l));
    CTW_OKAY(ctw_guard_save_mem(l, two, need, &again));
    ck_assert_uint_eq(need, again);
    ck_assert(memcmp(buf, two, need) == 0);
    CTW_OKAY(ctw_guard_check(g, probe, 1, 3, 3, &a, NULL));
    CTW_OKAY(ctw_guard_check(l, probe, 1, 3, 3, &b, NULL));
    ck_assert(memcmp(&a, &b, sizeof a) == 0);
    ctw_guard_unref(l);
    const char *path = ctw_test_tmp("guard.ctw");
    CTW_OKAY(ctw_guard_save_file(g, path));
    CTW_OKAY(ctw_guard_load_file(ctx, path, &l));
    ctw_guard_unref(l);
    CTW_FAILS(ctw_guard_load_file(ctx, "/nonexistent/guard.ctw", &l), CTW_E_IO, "nonexistent");
    ck_assert_ptr_null(l);
    for (uint64_t i = 0; i < need; i += 7) { /* every truncation and a flip in every part is refused */
        ck_assert(ctw_guard_load_mem(ctx, buf, i, &l) < 0);
        buf[i] ^= 0x10;
        ck_assert(ctw_guard_load_mem(ctx, buf, need, &l) < 0);
        ck_assert_ptr_null(l);
        buf[i] ^= 0x10;
    }
    ctw_watch *w;
    CTW_FAILS(ctw_watch_load_mem(ctx, buf, need, &w), CTW_E_KIND, NULL);
    ctw_guard_unref(g);
    CTW_OKAY(ctw_guard_new(ctx, NULL, &g));
    CTW_FAILS(ctw_guard_save_mem(g, NULL, 0, &need), CTW_E_STATE, NULL);
    ctw_guard_unref(g);
    free(buf);
    free(two);
}
END_TEST

static ctw_detector *detector(const char *method, const char *side, int64_t learn)
{
    ctw_params *p;
    ctw_detector *d;
    CTW_OKAY(ctw_params_new(ctx, "detector", &p));
    CTW_OKAY(ctw_params_set_str(p, "method", method));
    CTW_OKAY(ctw_params_set_str(p, "side", side));
    CTW_OKAY(ctw_params_set_i64(p, "learn", learn));
    CTW_OKAY(ctw_detector_new(ctx, p, &d));
    ctw_params_unref(p);
    return d;
}

START_TEST(detectors)
{
    static const char *method[] = {"cusum", "page-hinkley", "ewma"};
    double x[300];
    for (size_t m = 0; m < 3; m++) {
        ctw_detector *d = detector(method[m], "both", 100);
        uint64_t used = 0;
        int32_t alarm = 9;
        double level = -1;
        for (size_t i = 0; i < 300; i++) x[i] = 50.0 + (i % 2 ? 1.0 : -1.0) - (i >= 200 ? 6.0 : 0.0);
        CTW_OKAY(ctw_detector_push(d, x, 300, &used, &alarm));
        ck_assert_int_eq(alarm, -1);
        ck_assert(used > 200 && used < 212);
        CTW_OKAY(ctw_detector_level(d, &level));
        ck_assert(level >= 0.0 && level < 1e-9);
        CTW_OKAY(ctw_detector_reset(d));
        CTW_OKAY(ctw_detector_push(d, x, 200, &used, &alarm));
        ck_assert_int_eq(alarm, 0);
        ck_assert_uint_eq(used, 200);
        x[1] = NAN;
        CTW_FAILS(ctw_detector_push(d, x, 2, &used, &alarm), CTW_E_NONFINITE, NULL);
        CTW_OKAY(ctw_detector_push(d, NULL, 0, NULL, NULL));
        ctw_detector_unref(ctw_detector_ref(d));
        ctw_detector_unref(d);
    }
    ctw_detector *d = detector("cusum", "lower", 0);
    uint64_t used;
    int32_t alarm;
    const double up[] = {9, 9, 9}, huge[] = {-1.7e308, -1.7e308};
    CTW_OKAY(ctw_detector_push(d, up, 3, &used, &alarm));
    ck_assert_int_eq(alarm, 0);
    CTW_OKAY(ctw_detector_push(d, huge, 2, &used, &alarm));
    ck_assert_int_eq(alarm, -1);
    CTW_FAILS(ctw_detector_level(d, NULL), CTW_E_ARG, "out");
    CTW_FAILS(ctw_detector_push(NULL, up, 3, &used, &alarm), CTW_E_ARG, "d");
    ctw_detector_unref(d);
}
END_TEST

static int32_t steps(ctw_watch *w, double p, int32_t good, int n)
{
    int32_t s = -1;
    while (n-- > 0) CTW_OKAY(ctw_watch_step(w, p, good, &s));
    return s;
}

START_TEST(watch_path)
{
    ctw_watch *w;
    ctw_report *r;
    int64_t n;
    CTW_OKAY(ctw_watch_new(ctx, NULL, &w));
    ck_assert_int_eq(steps(w, 0.5, 1, 100), CTW_WATCH_NORMAL);
    ck_assert_int_eq(steps(w, 0.0, 1, 2), CTW_WATCH_SUSPECT);
    ck_assert_int_eq(ctw_watch_obey(w), 1);
    ck_assert_int_eq(steps(w, 0.5, 1, 8), CTW_WATCH_NORMAL);
    ck_assert_int_eq(steps(w, 0.0, 1, 4), CTW_WATCH_FALLBACK);
    ck_assert_int_eq(ctw_watch_obey(w), 0);
    ck_assert_int_eq(steps(w, 0.0, 1, 100), CTW_WATCH_FALLBACK);
    /* the sum is capped at 6: 19 calm steps bring it below suspect, 12 calm ones must follow */
    ck_assert_int_eq(steps(w, 0.5, 1, 29), CTW_WATCH_FALLBACK);
    ck_assert_int_eq(steps(w, 0.5, 1, 1), CTW_WATCH_SHADOW);
    /* worse than the fallback beside it: back, and twice as long */
    ck_assert_int_eq(steps(w, 0.5, 0, 12), CTW_WATCH_FALLBACK);
    ck_assert_int_eq(steps(w, 0.5, 1, 23), CTW_WATCH_FALLBACK);
    ck_assert_int_eq(steps(w, 0.5, 1, 1), CTW_WATCH_SHADOW);
    ck_assert_int_eq(steps(w, 0.5, 1, 12), CTW_WATCH_NORMAL);
    CTW_OKAY(ctw_watch_report(w, &r));
    CTW_OKAY(ctw_report_get_i64(r, "fallbacks", &n));
    ck_assert_int_eq(n, 2);
    CTW_OKAY(ctw_report_get_i64(r, "returns", &n));
    ck_assert_int_eq(n, 1);
    ctw_report_unref(r);
    /* strange again in shadow */
    steps(w, 0.0, 1, 4);
    ck_assert_int_eq(steps(w, 0.5, 1, 18), CTW_WATCH_SHADOW);
    ck_assert_int_eq(steps(w, 0.0, 1, 2), CTW_WATCH_FALLBACK);
    CTW_OKAY(ctw_watch_reset(w));
    ck_assert_int_eq(ctw_watch_state(w), CTW_WATCH_NORMAL);
    CTW_FAILS(ctw_watch_step(w, NAN, 1, NULL), CTW_E_RANGE, "p");
    CTW_FAILS(ctw_watch_step(w, -0.1, 1, NULL), CTW_E_RANGE, "p");
    CTW_FAILS(ctw_watch_step(NULL, 0.1, 1, NULL), CTW_E_ARG, "w");
    CTW_FAILS(ctw_watch_report(w, NULL), CTW_E_ARG, "out");
    ctw_watch_unref(w);
    ctw_params *p;
    CTW_OKAY(ctw_params_new(ctx, "watch", &p));
    CTW_OKAY(ctw_params_set_f64(p, "suspect", 3.0));
    CTW_FAILS(ctw_watch_new(ctx, p, &w), CTW_E_ARG, "suspect");
    ctw_params_unref(p);
}
END_TEST

START_TEST(watch_save_load)
{
    ctw_watch *w, *l;
    unsigned char buf[4096], two[4096];
    uint64_t need, again;
    CTW_OKAY(ctw_watch_new(ctx, NULL, &w));
    steps(w, 0.0, 1, 9);
    steps(w, 0.5, 1, 10);
    CTW_OKAY(ctw_watch_save_mem(w, buf, sizeof buf, &need));
    CTW_OKAY(ctw_watch_load_mem(ctx, buf, need, &l));
    for (int i = 0; i < 60; i++) {
        int32_t a, b;
        CTW_OKAY(ctw_watch_step(w, i % 20 ? 0.5 : 0.0, i % 3, &a));
        CTW_OKAY(ctw_watch_step(l, i % 20 ? 0.5 : 0.0, i % 3, &b));
        ck_assert_int_eq(a, b);
    }
    CTW_OKAY(ctw_watch_save_mem(w, buf, sizeof buf, &need));
    CTW_OKAY(ctw_watch_save_mem(l, two, sizeof two, &again));
    ck_assert(need == again && memcmp(buf, two, need) == 0);
    ctw_watch_unref(l);
    for (uint64_t i = 0; i < need; i++) {
        buf[i] ^= 4;
        ck_assert(ctw_watch_load_mem(ctx, buf, need, &l) < 0);
        buf[i] ^= 4;
        ck_assert(ctw_watch_load_mem(ctx, buf, i, &l) < 0);
    }
    CTW_FAILS(ctw_watch_save_mem(w, NULL, 0, NULL), CTW_E_ARG, NULL);
    ctw_watch_unref(w);
}
END_TEST

int main(void)
{
    static ctw_test_case cases[9];
    size_t n = 0;
    cases[n++] = (ctw_test_case){"verdicts", verdicts};
    cases[n++] = (ctw_test_case){"golden_files", golden_files};
    cases[n++] = (ctw_test_case){"guard_errors", guard_errors};
    cases[n++] = (ctw_test_case){"guard_constant_feature", guard_constant_feature};
    cases[n++] = (ctw_test_case){"guard_save_load", guard_save_load};
    cases[n++] = (ctw_test_case){"detectors", detectors};
    cases[n++] = (ctw_test_case){"watch_path", watch_path};
    cases[n++] = (ctw_test_case){"watch_save_load", watch_save_load};
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 1;
    int rc = ctw_test_main("api-guard", cases, n, 20);
    ctw_ctx_unref(ctx);
    return rc;
}
