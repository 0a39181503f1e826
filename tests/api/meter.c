/* Contracts of meter.h, sensitivity.h, limit.h and shapes.h. */
#include "test.h"
#include <cybertwin/limit.h>
#include <cybertwin/meter.h>
#include <cybertwin/power.h>
#include <cybertwin/sensitivity.h>
#include <cybertwin/shapes.h>
#include <math.h>

static ctw_ctx *ctx;

START_TEST(meter_learns)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_meter *m;
    double x[200][2], w[200], out[2], bias, error;
    int32_t beyond[2], drifting;
    for (int i = 0; i < 200; i++) {
        x[i][0] = i;
        x[i][1] = (i * 37) % 100;
        w[i] = 50 + 0.4 * x[i][0] + 0.1 * x[i][1];
    }
    CTW_OKAY(ctw_meter_new(ctx, NULL, &m));
    CTW_FAILS(ctw_meter_predict(m, x[0], 1, 2, 2, out, NULL), CTW_E_STATE, "calibrated");
    CTW_FAILS(ctw_meter_drift(m, NULL, NULL, NULL), CTW_E_STATE, "calibrated");
    CTW_OKAY(ctw_meter_fit(m, x[0], 200, 2, 2, w, NULL));
    double ask[2][2] = {{100, 50}, {100000, 50}};
    CTW_OKAY(ctw_meter_predict(m, ask[0], 2, 2, 2, out, beyond));
    ck_assert_double_eq_tol(out[0], 95, 2);
    /* Beyond the trained range: as at its edge, and flagged. */
    ck_assert(beyond[0] == 0 && beyond[1] == 1 && out[1] < 140);
    CTW_OKAY(ctw_meter_drift(m, &bias, &error, &drifting));
    ck_assert(bias == 1 && error < 0.02 && !drifting);
    /* The machine now draws a fifth more: the correction follows and drift is seen. */
    for (int i = 0; i < 200; i++) CTW_OKAY(ctw_meter_update(m, x[i], 2, 1.2 * w[i]));
    CTW_OKAY(ctw_meter_drift(m, &bias, NULL, &drifting));
    ck_assert_double_eq_tol(bias, 1.2, 0.03);
    ck_assert(drifting);
    CTW_FAILS(ctw_meter_update(m, x[0], 2, 5000), CTW_E_RANGE, "not believed");
    CTW_FAILS(ctw_meter_update(m, x[0], 2, 0), CTW_E_RANGE, "watts");
    CTW_FAILS(ctw_meter_predict(m, x[0], 1, 1, 2, out, NULL), CTW_E_SHAPE, "d is 1");
    double bad[2] = {-1, 1};
    CTW_FAILS(ctw_meter_predict(m, bad, 1, 2, 2, out, NULL), CTW_E_RANGE, "counter 0");
    CTW_FAILS(ctw_meter_fit(m, x[0], 1, 2, 2, w, NULL), CTW_E_RANGE, "n is 1");
    CTW_FAILS(ctw_meter_predict(m, x[0], 1, 2, 2, out, NULL), CTW_E_STATE, "calibrated");
    CTW_FAILS(ctw_meter_fit(m, x[0], 5, 2, 1, w, NULL), CTW_E_SHAPE, NULL);
    CTW_FAILS(ctw_meter_fit(m, NULL, 5, 2, 2, w, NULL), CTW_E_ARG, "x");
    ctw_meter_unref(ctw_meter_ref(m));
    ctw_meter_unref(m);
    ctw_meter_unref(NULL);
    ctw_ctx_unref(ctx);
}
END_TEST

/* Three counters, calibrated, then a machine that draws a tenth more. */
static ctw_meter *followed(const char *form)
{
    ctw_meter *m;
    ctw_params *opt;
    double x[90][3], w[90];
    for (int i = 0; i < 90; i++) {
        x[i][0] = i;
        x[i][1] = (i * 37) % 50;
        x[i][2] = 0;
        w[i] = 80 + 0.5 * x[i][0] + 0.01 * x[i][1] * x[i][1];
    }
    CTW_OKAY(ctw_params_new(ctx, "meter", &opt));
    CTW_OKAY(ctw_params_set_str(opt, "form", form));
    CTW_OKAY(ctw_meter_new(ctx, opt, &m));
    CTW_OKAY(ctw_meter_fit(m, x[0], 90, 3, 3, w, NULL));
    for (int i = 0; i < 30; i++) CTW_OKAY(ctw_meter_update(m, x[i], 3, 1.1 * w[i]));
    ctw_params_unref(opt);
    return m;
}

static void same_meter(const ctw_meter *a, const ctw_meter *b)
{
    double bias[2], error[2], w[2], x[3] = {33, 12, 0};
    int32_t drifting[2];
    CTW_OKAY(ctw_meter_drift(a, &bias[0], &error[0], &drifting[0]));
    CTW_OKAY(ctw_meter_drift(b, &bias[1], &error[1], &drifting[1]));
    ck_assert(bias[0] == bias[1] && error[0] == error[1] && drifting[0] == drifting[1]);
    for (x[0] = 0; x[0] < 120; x[0] += 7) {
        CTW_OKAY(ctw_meter_predict(a, x, 1, 3, 3, &w[0], NULL));
        CTW_OKAY(ctw_meter_predict(b, x, 1, 3, 3, &w[1], NULL));
        ck_assert(w[0] == w[1]);
    }
}

START_TEST(meter_files)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static unsigned char buf[16384];
    static const char *const forms[] = {"powers", "linear"};
    const char *path = ctw_test_tmp("meter.ctw");
    uint64_t need, n;
    ctw_meter *m, *q;
    for (int k = 0; k < 2; k++) {
        m = followed(forms[k]);
        CTW_OKAY(ctw_meter_save_mem(m, NULL, 0, &need));
        CTW_FAILS(ctw_meter_save_mem(m, buf, need - 1, &n), CTW_E_BUFFER, NULL);
        CTW_OKAY(ctw_meter_save_mem(m, buf, sizeof buf, &need));
        CTW_OKAY(ctw_meter_load_mem(ctx, buf, need, &q));
        same_meter(m, q);
        ctw_meter_unref(q);
        CTW_OKAY(ctw_meter_save_file(m, path));
        CTW_OKAY(ctw_meter_load_file(ctx, path, &q));
        same_meter(m, q);
        ctw_meter_unref(q);
        ctw_meter_unref(m);
    }
    for (uint64_t i = 0; i < need; i += 3) {
        buf[i] ^= 0x41;
        ck_assert(ctw_meter_load_mem(ctx, buf, need, &q) != CTW_OK && q == NULL);
        buf[i] ^= 0x41;
        ck_assert(ctw_meter_load_mem(ctx, buf, i, &q) != CTW_OK && q == NULL);
    }
    CTW_FAILS(ctw_meter_load_mem(ctx, NULL, 5, &q), CTW_E_ARG, "buf");
    CTW_FAILS(ctw_meter_load_file(ctx, "no/such/file", &q), CTW_E_IO, "no/such/file");
    CTW_OKAY(ctw_meter_new(ctx, NULL, &m)); /* one that knows nothing stays so */
    CTW_FAILS(ctw_meter_save_file(m, "no/such/dir/file"), CTW_E_IO, NULL);
    CTW_OKAY(ctw_meter_save_mem(m, buf, sizeof buf, &need));
    CTW_OKAY(ctw_meter_load_mem(ctx, buf, need, &q));
    CTW_FAILS(ctw_meter_drift(q, NULL, NULL, NULL), CTW_E_STATE, "calibrated");
    ctw_meter_unref(q);
    ctw_meter_unref(m);
    ctw_ctx_unref(ctx);
}
END_TEST

/* The first released format: what was in it goes on being said. */
START_TEST(meter_golden)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    double w, bias, x[3] = {40, 20, 0};
    ctw_meter *m;
    CTW_OKAY(ctw_meter_load_file(ctx, ctw_test_golden("power/meter-1.ctw"), &m));
    CTW_OKAY(ctw_meter_predict(m, x, 1, 3, 3, &w, NULL));
    CTW_OKAY(ctw_meter_drift(m, &bias, NULL, NULL));
    ck_assert_double_eq_tol(w, 112.08361970810414, 1e-9);
    ck_assert_double_eq_tol(bias, 1.0777255811198772, 1e-12);
    ctw_meter_unref(m);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(meter_is_monotone)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_meter *m;
    ctw_params *opt;
    double x[100], w[100], last = 0, out;
    for (int i = 0; i < 100; i++) {
        x[i] = i;
        w[i] = 100 + 60 * sqrt(i) + 20 * sin(i);
    }
    CTW_OKAY(ctw_params_new(ctx, "meter", &opt));
    CTW_OKAY(ctw_params_set_str(opt, "form", "linear"));
    for (int k = 0; k < 2; k++) {
        CTW_OKAY(ctw_meter_new(ctx, k ? opt : NULL, &m));
        CTW_OKAY(ctw_meter_fit(m, x, 100, 1, 1, w, NULL));
        last = 0;
        for (double v = 0; v < 150; v += 0.5) {
            CTW_OKAY(ctw_meter_predict(m, &v, 1, 1, 1, &out, NULL));
            ck_assert(out >= last - 1e-9);
            last = out;
        }
        ctw_meter_unref(m);
    }
    ctw_params_unref(opt);
    ctw_ctx_unref(ctx);
}
END_TEST

/* Kernels made by the rule itself, with a memory that saturates at 0.85: both numbers are found again. */
START_TEST(sensitivity_finds_overlap_and_saturation)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    enum { N = 20, K = 4 };
    const double clock[K] = {0.4, 0.6, 0.8, 1.0};
    double counters[N], slow[N][K], m, overlap;
    ctw_sensitivity *s;
    for (int i = 0; i < N; i++) {
        double busy = (double)i / (N - 1), membound = pow(busy, 3);
        counters[i] = 0.85 * busy;
        for (int k = 0; k < K; k++) slow[i][k] = pow(membound + (1 - membound) * pow(clock[k], -3), 1.0 / 3);
    }
    CTW_OKAY(ctw_sensitivity_new(ctx, &s));
    CTW_OKAY(ctw_sensitivity_fit(s, counters, N, 1, clock, slow[0], K, NULL, NULL, NULL));
    for (double busy = 0; busy <= 1; busy += 0.125) {
        double a = 0.85 * busy;
        CTW_OKAY(ctw_sensitivity_predict(s, &a, 1, 1, &m, &overlap));
        ck_assert_double_eq(overlap, 3);
        ck_assert_double_eq_tol(m, pow(busy, 3), 1e-9);
    }
    ctw_sensitivity_unref(s);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(sensitivity_rule_and_learning)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_sensitivity *s;
    double counters[40][2], slow[40][3], clock[3] = {0.5, 0.75, 1.0}, m, p, ask[2] = {0.4, 0.9};
    CTW_OKAY(ctw_sensitivity_new(ctx, &s));
    CTW_OKAY(ctw_sensitivity_predict(s, ask, 1, 2, &m, &p));
    ck_assert(m == 0.4 && p == 1);
    /* Truth: memory-boundness is half of what the memory counter says when the second counter is high. */
    for (int i = 0; i < 40; i++) {
        counters[i][0] = i / 39.0;
        counters[i][1] = i % 2 ? 0.9 : 0.1;
        double truth = counters[i][0] * (i % 2 ? 0.5 : 1.0);
        for (int j = 0; j < 3; j++) slow[i][j] = truth + (1 - truth) / clock[j];
    }
    CTW_OKAY(ctw_sensitivity_fit(s, counters[0], 40, 2, clock, slow[0], 3, NULL, NULL, NULL));
    CTW_OKAY(ctw_sensitivity_predict(s, ask, 1, 2, &m, &p));
    ck_assert_double_eq_tol(m, 0.2, 0.1);
    slow[3][1] = 0;
    CTW_FAILS(ctw_sensitivity_fit(s, counters[0], 40, 2, clock, slow[0], 3, NULL, NULL, NULL), CTW_E_RANGE, "slowdown");
    CTW_OKAY(ctw_sensitivity_predict(s, ask, 1, 2, &m, NULL));
    ck_assert(m == 0.4);
    counters[0][0] = 2;
    CTW_FAILS(ctw_sensitivity_fit(s, counters[0], 40, 2, clock, slow[0], 3, NULL, NULL, NULL), CTW_E_RANGE, "counters");
    CTW_FAILS(ctw_sensitivity_fit(s, counters[0], 0, 2, clock, slow[0], 3, NULL, NULL, NULL), CTW_E_RANGE, "n");
    CTW_FAILS(ctw_sensitivity_predict(s, NULL, 1, 2, &m, NULL), CTW_E_ARG, "counters");
    ctw_sensitivity_unref(ctw_sensitivity_ref(s));
    ctw_sensitivity_unref(s);
    ctw_ctx_unref(ctx);
}
END_TEST

/* A job that draws 240 W and slows down as its limit cuts in. */
static double job_seconds(double limit)
{
    return limit >= 240 ? 10 : 10 * (1 + 1.2 * pow(1 - limit / 240, 1.5));
}

START_TEST(limit_search)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    double limits[] = {100, 125, 150, 175, 200, 225, 250, 275, 300}, next, slow, ratio;
    ctw_limit *l;
    int32_t done = 0;
    int trials = 0;
    CTW_OKAY(ctw_limit_new(ctx, NULL, limits, 9, 1.05, &l));
    CTW_FAILS(ctw_limit_best(l, &next, NULL, NULL), CTW_E_STATE, "highest");
    for (;; trials++) {
        CTW_OKAY(ctw_limit_next(l, &next, &done));
        if (done) break;
        ck_assert(trials || next == 300);
        CTW_OKAY(ctw_limit_tell(l, next, job_seconds(next), fmin(240, next)));
    }
    ck_assert(trials <= 3);
    CTW_OKAY(ctw_limit_best(l, &next, &slow, &ratio));
    ck_assert(slow <= 1.05 && ratio < 1.0 && next < 300);
    CTW_FAILS(ctw_limit_tell(l, 111, 1, 1), CTW_E_KEY, "111");
    CTW_FAILS(ctw_limit_tell(l, 100, 0, 1), CTW_E_RANGE, "seconds");
    ctw_limit_unref(l);
    limits[1] = 100;
    CTW_FAILS(ctw_limit_new(ctx, NULL, limits, 9, 1.05, &l), CTW_E_RANGE, "watts[1]");
    CTW_FAILS(ctw_limit_new(ctx, NULL, limits + 1, 2, 0.5, &l), CTW_E_RANGE, "max_slowdown");
    CTW_FAILS(ctw_limit_new(ctx, NULL, NULL, 2, 1.5, &l), CTW_E_ARG, "watts");
    /* One limit: nothing to choose. */
    CTW_OKAY(ctw_limit_new(ctx, NULL, limits + 8, 1, 1.05, &l));
    CTW_OKAY(ctw_limit_tell(l, 300, 1, 1));
    CTW_OKAY(ctw_limit_next(l, &next, &done));
    ck_assert(done && next == 300);
    ctw_limit_unref(ctw_limit_ref(l));
    ctw_limit_unref(l);
    ctw_ctx_unref(ctx);
}
END_TEST

static double family(double u, double power)
{
    return 100 + 200 * pow(u, power);
}

START_TEST(shapes_complete)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_shapes *s;
    ctw_power *p;
    double u[11], w[11], f, out, err, ends_u[] = {0, 1}, ends_w[] = {100, 300}, half = 0.5;
    CTW_OKAY(ctw_shapes_new(ctx, NULL, &s));
    CTW_OKAY(ctw_power_new(ctx, NULL, &p));
    CTW_FAILS(ctw_power_set_shapes(p, s, &f, 1), CTW_E_STATE, "empty");
    for (int i = 0; i < 20; i++) {
        f = i % 2;
        for (int k = 0; k < 11; k++) {
            u[k] = k / 10.0;
            w[k] = family(u[k], f > 0 ? 2.0 : 0.6) * (1 + 0.01 * (i / 2));
        }
        CTW_OKAY(ctw_shapes_add(s, &f, 1, u, w, 11));
    }
    ck_assert(ctw_shapes_count(s) == 20 && ctw_shapes_count(NULL) == 0);
    f = 1;
    CTW_OKAY(ctw_power_set_shapes(p, s, &f, 1));
    CTW_OKAY(ctw_power_fit(p, NULL, ends_u, ends_w, NULL, 2, NULL));
    CTW_OKAY(ctw_power_watts(p, NULL, &half, 1, &out));
    ck_assert_double_eq_tol(out, 150, 5);
    /* A measured level wins over the memory and pulls its surroundings along. */
    double mid_u[] = {0, 0.5, 1}, mid_w[] = {100, 220, 300}, near = 0.45;
    CTW_OKAY(ctw_power_fit(p, NULL, mid_u, mid_w, NULL, 3, NULL));
    CTW_OKAY(ctw_power_watts(p, NULL, &half, 1, &out));
    ck_assert_double_eq_tol(out, 220, 1e-9);
    CTW_OKAY(ctw_power_watts(p, NULL, &near, 1, &out));
    ck_assert(out < 220 && out > 195);
    CTW_OKAY(ctw_power_error(p, NULL, &near, 1, &err));
    ck_assert(err >= 0 && err < 0.5);
    CTW_FAILS(ctw_power_set_shapes(p, s, &f, 0), CTW_E_SHAPE, "features");
    CTW_OKAY(ctw_power_set_shapes(p, NULL, NULL, 0));
    CTW_FAILS(ctw_shapes_add(s, &f, 0, u, w, 11), CTW_E_SHAPE, "d is 0");
    CTW_FAILS(ctw_shapes_add(s, &f, 1, u + 1, w + 1, 10), CTW_E_RANGE, "util");
    CTW_FAILS(ctw_shapes_add(s, &f, 1, u, w, 1), CTW_E_RANGE, "n is 1");
    w[10] = w[0];
    CTW_FAILS(ctw_shapes_add(s, &f, 1, u, w, 11), CTW_E_RANGE, "full load");
    u[3] = u[2];
    CTW_FAILS(ctw_shapes_add(s, &f, 1, u, w, 11), CTW_E_RANGE, "util[3]");
    ck_assert(ctw_shapes_count(s) == 20);
    ctw_shapes_unref(s);
    ctw_power_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"meter_learns", meter_learns},
        {"meter_files", meter_files},
        {"meter_golden", meter_golden},
        {"meter_is_monotone", meter_is_monotone},
        {"sensitivity_finds_overlap_and_saturation", sensitivity_finds_overlap_and_saturation},
        {"sensitivity_rule_and_learning", sensitivity_rule_and_learning},
        {"limit_search", limit_search},
        {"shapes_complete", shapes_complete},
    };
    return ctw_test_main("api-meter", cases, sizeof cases / sizeof *cases, 20);
}
