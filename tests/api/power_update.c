/* A fitted device model that follows its machine: the two factors are found from single readings, kept within bounds,
 * the expected error follows, drift is told, and broken sensors are refused. Oracle: a machine with known factors. */
#include "test.h"
#include <cybertwin/power.h>
#include <math.h>
#include <string.h>

static ctw_ctx *ctx;
static const double mhz[] = {800, 1200, 1600, 2000};

/* The machine: idle 60, dynamic power 40 x + 180 x^3 times g = u. */
static double truth(double f, double u, double idle, double dynamic)
{
    double x = f / 2000;
    return idle * 60 + dynamic * (40 * x + 180 * x * x * x) * u;
}

static ctw_power *fitted(const char *key, const char *value)
{
    double m[12], u[12], w[12];
    ctw_params *opt;
    ctw_power *p;
    int n = 0;
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 3; k++, n++) {
            m[n] = mhz[i];
            u[n] = 0.5 * k;
            w[n] = truth(mhz[i], u[n], 1, 1);
        }
    CTW_OKAY(ctw_params_new(ctx, "power", &opt));
    if (key) CTW_OKAY(ctw_params_set_text(opt, key, value));
    CTW_OKAY(ctw_power_new(ctx, opt, &p));
    ctw_params_unref(opt);
    CTW_OKAY(ctw_power_fit(p, m, u, w, NULL, 12, NULL));
    return p;
}

static double watts(const ctw_power *p, double f, double u)
{
    double w;
    CTW_OKAY(ctw_power_watts(p, &f, &u, 1, &w));
    return w;
}

static uint32_t state;
static double noise(void) /* uniform in -1..1 */
{
    state = state * 1664525u + 1013904223u;
    return (double)(state >> 8) / 8388608.0 - 1.0;
}

static void tell(ctw_power *p, int n, double idle, double dynamic, double level)
{
    for (int i = 0; i < n; i++) {
        double f = mhz[i % 4], u = (i % 7) / 6.0;
        CTW_OKAY(ctw_power_update(p, f, u, truth(f, u, idle, dynamic) * (1 + level * noise())));
    }
}

START_TEST(follows)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    double a, b, e, e0, f = 2000, u = 0.7;
    int32_t drifting;
    ctw_power *p = fitted(NULL, NULL);
    CTW_OKAY(ctw_power_drift(p, &a, &b, &e0, &drifting));
    ck_assert(a == 1 && b == 1 && !drifting);
    state = 1;
    tell(p, 400, 1.15, 0.9, 0.01);
    CTW_OKAY(ctw_power_drift(p, &a, &b, &e, &drifting));
    ck_assert_double_eq_tol(a, 1.15, 0.02);
    ck_assert_double_eq_tol(b, 0.90, 0.02);
    ck_assert(drifting == 1); /* 15 % off what was fitted */
    ck_assert(e < 0.02);
    ck_assert_double_eq_tol(watts(p, 1400, 0.7) / truth(1400, 0.7, 1.15, 0.9), 1, 0.01);
    CTW_OKAY(ctw_power_error(p, &f, &u, 1, &e));
    ck_assert(e > 0.003 && e < 0.03);
    /* A new fit starts anew. */
    double w[] = {truth(2000, 1, 1, 1), 60}, m[] = {2000, 2000}, us[] = {1, 0};
    CTW_OKAY(ctw_power_fit(p, m, us, w, NULL, 2, NULL));
    CTW_OKAY(ctw_power_drift(p, &a, &b, NULL, &drifting));
    ck_assert(a == 1 && b == 1 && !drifting);
    ctw_power_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

/* Readings as good as the fit: no drift, factors stay near 1, the error becomes theirs. */
START_TEST(calm)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    double a, b, e;
    int32_t drifting;
    ctw_power *p = fitted(NULL, NULL);
    state = 2;
    tell(p, 5000, 1, 1, 0.03);
    CTW_OKAY(ctw_power_drift(p, &a, &b, &e, &drifting));
    ck_assert(!drifting && fabs(a - 1) < 0.02 && fabs(b - 1) < 0.02);
    ck_assert_double_eq_tol(e, 0.03 / sqrt(3), 0.005);
    ctw_power_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

/* A machine that only idles teaches its idle power alone, for ever: nothing grows or moves the rest. */
START_TEST(idle_only)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    double a, b, e, f = 2000, u = 1;
    ctw_power *p = fitted("recal_memory", "20");
    for (int i = 0; i < 20000; i++) CTW_OKAY(ctw_power_update(p, 2000, 0, 66));
    CTW_OKAY(ctw_power_drift(p, &a, &b, NULL, NULL));
    ck_assert_double_eq_tol(a, 1.1, 1e-3);
    ck_assert(b == 1);
    CTW_OKAY(ctw_power_error(p, &f, &u, 1, &e));
    ck_assert(e > 0.05 && e < 0.11); /* full load is as uncertain as before any reading */
    u = 0;
    CTW_OKAY(ctw_power_error(p, &f, &u, 1, &e));
    ck_assert(e < 0.03);
    ctw_power_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(bounds_and_errors)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    double a, b;
    ctw_power *p = fitted(NULL, NULL), *none;
    for (int k = 0; k < 60; k++) /* ever higher: bounded by twice */
        for (int i = 0; i < 4; i++) CTW_OKAY(ctw_power_update(p, 0, 1, fmin(3.9 * 280, 2.0 * watts(p, 2000, 1))));
    CTW_OKAY(ctw_power_drift(p, &a, &b, NULL, NULL));
    ck_assert(a <= 2 && b <= 2 && b > 1.5);
    CTW_FAILS(ctw_power_update(p, 2000, 1, 40), CTW_E_RANGE, "not believed");
    CTW_FAILS(ctw_power_update(p, 2000, 1, 1e5), CTW_E_RANGE, "not believed");
    CTW_FAILS(ctw_power_update(p, 2000, 1, 0), CTW_E_RANGE, "watts");
    CTW_FAILS(ctw_power_update(p, 2000, 1.1, 100), CTW_E_RANGE, "util");
    CTW_FAILS(ctw_power_update(p, 2000, 1, NAN), CTW_E_NONFINITE, "watts");
    CTW_FAILS(ctw_power_update(p, 90000, 1, 100), CTW_E_RANGE, "mhz");
    CTW_FAILS(ctw_power_update(NULL, 2000, 1, 100), CTW_E_ARG, "p");
    CTW_FAILS(ctw_power_drift(NULL, &a, &b, NULL, NULL), CTW_E_ARG, "p");
    CTW_OKAY(ctw_power_new(ctx, NULL, &none));
    CTW_FAILS(ctw_power_update(none, 0, 1, 100), CTW_E_STATE, "fitted");
    CTW_FAILS(ctw_power_drift(none, &a, NULL, NULL, NULL), CTW_E_STATE, "fitted");
    ctw_power_unref(none);
    ctw_power_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

/* Saved with its corrections; a damaged number is refused. */
START_TEST(files)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static unsigned char buf[16384];
    uint64_t need;
    ctw_power *p = fitted(NULL, NULL), *q;
    state = 3;
    tell(p, 50, 1.2, 0.8, 0.01);
    CTW_OKAY(ctw_power_save_mem(p, buf, sizeof buf, &need));
    CTW_OKAY(ctw_power_load_mem(ctx, buf, need, &q));
    for (int i = 0; i < 30; i++) {
        double f = mhz[i % 4], u = (i % 6) / 5.0, e, d;
        ck_assert(watts(p, f, u) == watts(q, f, u));
        CTW_OKAY(ctw_power_error(p, &f, &u, 1, &e));
        CTW_OKAY(ctw_power_error(q, &f, &u, 1, &d));
        ck_assert(e == d);
        CTW_OKAY(ctw_power_update(p, f, u, 1.02 * truth(f, u, 1.2, 0.8)));
        CTW_OKAY(ctw_power_update(q, f, u, 1.02 * truth(f, u, 1.2, 0.8)));
    }
    for (uint64_t i = 0; i < need; i += 5) {
        ctw_power *bad;
        buf[i] ^= 0x41;
        ck_assert(ctw_power_load_mem(ctx, buf, need, &bad) != CTW_OK && bad == NULL);
        buf[i] ^= 0x41;
    }
    ctw_power_unref(p);
    ctw_power_unref(q);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"follows", follows}, {"calm", calm}, {"idle_only", idle_only}, {"bounds_and_errors", bounds_and_errors},
        {"files", files},
    };
    return ctw_test_main("api-power-update", cases, sizeof cases / sizeof *cases, 20);
}
