/* A fitted time model that follows its workload: scale and reaction to the clock are found from single durations and
 * move predictions and choices; calm ones change nothing; drift is told; what is not this work is refused. Oracle: work
 * with known shares. */
#include "test.h"
#include <cybertwin/governor.h>
#include <cybertwin/power.h>
#include <math.h>

static ctw_ctx *ctx;
static const double mhz[] = {800, 1200, 1600, 2000};

/* Seconds of work whose part m does not react to the clock. */
static double truth(double f, double m, double scale)
{
    return scale * 0.4 * (m + (1 - m) * 2000 / f);
}

static ctw_power *fitted(double m)
{
    double w[4], t[4];
    ctw_power *p;
    for (int i = 0; i < 4; i++) {
        w[i] = 60 + 40 * mhz[i] / 2000 + 180 * pow(mhz[i] / 2000, 3);
        t[i] = truth(mhz[i], m, 1);
    }
    CTW_OKAY(ctw_power_new(ctx, NULL, &p));
    CTW_OKAY(ctw_power_fit(p, mhz, NULL, w, t, 4, NULL));
    return p;
}

static double slowdown(const ctw_power *p, double f)
{
    double s;
    CTW_OKAY(ctw_power_slowdown(p, &f, NULL, 1, &s));
    return s;
}

static uint32_t state;
static double noise(void) /* uniform in -1..1 */
{
    state = state * 1664525u + 1013904223u;
    return (double)(state >> 8) / 8388608.0 - 1.0;
}

/* n durations at all clocks of work of all sizes. */
static void tell(ctw_power *p, int n, double m, double scale, double level)
{
    for (int i = 0; i < n; i++) {
        double f = mhz[i % 4], work = 0.5 + i % 7;
        CTW_OKAY(ctw_power_update_time(p, f, work, work * truth(f, m, scale) * (1 + level * noise())));
    }
}

/* Fitted half bound to memory; now less so, and longer. */
START_TEST(follows)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    double scale, k, e, before, after, f, s;
    int32_t drifting;
    ctw_power *p = fitted(0.5);
    CTW_OKAY(ctw_power_time_drift(p, &scale, &k, &e, &drifting));
    ck_assert(scale == 1 && k == 1 && e < 0.02 && !drifting);
    CTW_OKAY(ctw_power_choose(p, 1, -1, 1.15, INFINITY, &before, NULL, NULL));
    state = 1;
    tell(p, 600, 0.2, 1.2, 0.02);
    CTW_OKAY(ctw_power_time_drift(p, &scale, &k, &e, &drifting));
    ck_assert_double_eq_tol(scale, 1.2, 0.02);
    ck_assert_double_eq_tol(k, 0.8 / 0.5, 0.05);
    ck_assert(drifting == 1 && e < 0.02);
    for (int i = 0; i < 4; i++)
        ck_assert_double_eq_tol(slowdown(p, mhz[i]), truth(mhz[i], 0.2, 1) / truth(2000, 0.2, 1), 0.03);
    /* What was slow enough is now too slow. */
    CTW_OKAY(ctw_power_choose(p, 1, -1, 1.15, INFINITY, &after, NULL, &s));
    ck_assert(before == 1600 && after == 2000 && s == 1);
    ctw_governor *g;
    CTW_OKAY(ctw_governor_new(ctx, NULL, &g));
    CTW_OKAY(ctw_governor_set_device(g, p, -1)); /* and a governor's table is of the corrected model */
    CTW_OKAY(ctw_governor_decide(g, 0, &f, NULL));
    ck_assert(f == 2000);
    ctw_governor_unref(g);
    /* Explicit memory-boundness is nobody's measured workload: not touched. */
    double m = 0.5, at = 1000, plain;
    ctw_power *fresh = fitted(0.5);
    CTW_OKAY(ctw_power_slowdown(p, &at, &m, 1, &s));
    CTW_OKAY(ctw_power_slowdown(fresh, &at, &m, 1, &plain));
    ck_assert(s == plain);
    ctw_power_unref(fresh);
    ctw_power_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(calm_and_error)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    double scale, k, e, e1, low = 800;
    int32_t drifting;
    ctw_power *p = fitted(0.5);
    state = 2;
    tell(p, 5000, 0.5, 1, 0.03);
    CTW_OKAY(ctw_power_time_drift(p, &scale, &k, &e, &drifting));
    ck_assert(!drifting && fabs(scale - 1) < 0.02 && fabs(k - 1) < 0.05);
    ck_assert_double_eq_tol(e, 0.03 / sqrt(3), 0.005);
    CTW_OKAY(ctw_power_slowdown_error(p, &low, 1, &e));
    ck_assert(e < 0.03);
    ctw_power_unref(p);
    /* Told at the top clock alone: nothing is known of the lower ones, and that is said. */
    p = fitted(0.5);
    for (int i = 0; i < 3000; i++) CTW_OKAY(ctw_power_update_time(p, 0, 1, truth(2000, 0.5, 1.1)));
    CTW_OKAY(ctw_power_time_drift(p, &scale, &k, NULL, &drifting));
    ck_assert_double_eq_tol(scale, 1.1, 0.01);
    CTW_OKAY(ctw_power_slowdown_error(p, &low, 1, &e1));
    ck_assert(e1 > 0.03 && e1 < 0.12);
    /* A new fit starts anew. */
    double w[] = {100, 200}, t[] = {2, 1}, f[] = {1000, 2000};
    CTW_OKAY(ctw_power_fit(p, f, NULL, w, t, 2, NULL));
    CTW_OKAY(ctw_power_time_drift(p, &scale, &k, NULL, &drifting));
    ck_assert(scale == 1 && k == 1 && !drifting);
    ctw_power_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(bounds_files_errors)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static unsigned char buf[16384];
    uint64_t need;
    double scale, k, w[] = {100, 200};
    ctw_power *p = fitted(0.5), *q, *bad;
    for (int i = 0; i < 400; i++) /* ever longer: bounded */
        (void)ctw_power_update_time(p, mhz[i % 4], 1, 3 * truth(mhz[i % 4], 0.5, 1));
    CTW_OKAY(ctw_power_time_drift(p, &scale, &k, NULL, NULL));
    ck_assert(scale <= 2 && k > 0);
    for (int i = 0; i < 3; i++) ck_assert(slowdown(p, mhz[i]) >= slowdown(p, mhz[i + 1]) && slowdown(p, mhz[i]) >= 1);
    CTW_OKAY(ctw_power_save_mem(p, buf, sizeof buf, &need));
    CTW_OKAY(ctw_power_load_mem(ctx, buf, need, &q));
    CTW_OKAY(ctw_power_update_time(p, 1200, 2, 3));
    CTW_OKAY(ctw_power_update_time(q, 1200, 2, 3));
    for (int i = 0; i < 4; i++) ck_assert(slowdown(p, mhz[i]) == slowdown(q, mhz[i]));
    for (uint64_t i = 0; i < need; i += 5) {
        buf[i] ^= 0x41;
        ck_assert(ctw_power_load_mem(ctx, buf, need, &bad) != CTW_OK && bad == NULL);
        buf[i] ^= 0x41;
    }
    CTW_FAILS(ctw_power_update_time(p, 2000, 1, 100), CTW_E_RANGE, "not this work");
    CTW_FAILS(ctw_power_update_time(p, 2000, 1, 1e-3), CTW_E_RANGE, "not this work");
    CTW_FAILS(ctw_power_update_time(p, 2000, 0, 1), CTW_E_RANGE, "work");
    CTW_FAILS(ctw_power_update_time(p, 2000, 1, -1), CTW_E_RANGE, "seconds");
    CTW_FAILS(ctw_power_update_time(p, 2000, NAN, 1), CTW_E_NONFINITE, "work");
    CTW_FAILS(ctw_power_update_time(p, 9e5, 1, 1), CTW_E_RANGE, "mhz");
    CTW_FAILS(ctw_power_update_time(NULL, 2000, 1, 1), CTW_E_ARG, "p");
    CTW_FAILS(ctw_power_time_drift(NULL, &scale, NULL, NULL, NULL), CTW_E_ARG, "p");
    CTW_OKAY(ctw_power_fit(q, mhz, NULL, w, NULL, 2, NULL)); /* power alone */
    CTW_FAILS(ctw_power_update_time(q, 2000, 1, 1), CTW_E_STATE, "seconds");
    CTW_FAILS(ctw_power_time_drift(q, &scale, NULL, NULL, NULL), CTW_E_STATE, "seconds");
    ctw_power_unref(p);
    ctw_power_unref(q);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"follows", follows}, {"calm_and_error", calm_and_error}, {"bounds_files_errors", bounds_files_errors}};
    return ctw_test_main("api-power-update-time", cases, sizeof cases / sizeof *cases, 20);
}
