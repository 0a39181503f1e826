/* Bad input of the power module, one test for each kind of it: what is said, and the safe action: the top frequency
 * where time is at stake, the lowest where the cap is, and the cap wins. Sensors that vanish or count backwards are in
 * backend.c and sysfs.c. */
#include "test.h"
#include <cybertwin/governor.h>
#include <cybertwin/limit.h>
#include <cybertwin/power.h>
#include <cybertwin/rack.h>
#include <math.h>

static ctw_ctx *ctx;
static const double mhz[] = {800, 1200, 1600, 2000}, watts[] = {90, 130, 190, 280};
static const double seconds[] = {2.2, 1.55, 1.2, 1.0}, slow[] = {2.2, 1.55, 1.2, 1.0}, idle[] = {60, 62, 65, 70};

static ctw_power *model(const char *const *kv)
{
    ctw_params *opt;
    ctw_power *p;
    CTW_OKAY(ctw_params_new(ctx, "power", &opt));
    for (; kv && *kv; kv += 2) CTW_OKAY(ctw_params_set_text(opt, kv[0], kv[1]));
    CTW_OKAY(ctw_power_new(ctx, opt, &p));
    ctw_params_unref(opt);
    return p;
}

static double at(const ctw_power *p, double f, double u)
{
    double w;
    CTW_OKAY(ctw_power_watts(p, f > 0 ? &f : NULL, &u, 1, &w));
    return w;
}

START_TEST(one_measurement)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static const char *const both[] = {"idle_watts", "70", "tdp_watts", "300", NULL};
    static const double f[] = {1600}, half[] = {0.5}, w[] = {190};
    double out, u = 0.5;
    ctw_power *p = model(NULL);
    /* Part load alone tells neither idle nor busy. */
    CTW_FAILS(ctw_power_fit(p, f, half, w, NULL, 1, NULL), CTW_E_SINGULAR, "idle_watts");
    CTW_FAILS(ctw_power_watts(p, f, NULL, 1, &out), CTW_E_STATE, NULL);
    /* Full load at one point: known there, not at part load. */
    CTW_OKAY(ctw_power_fit(p, f, NULL, w, NULL, 1, NULL));
    ck_assert_double_eq_tol(at(p, 1600, 1), 190, 1e-9);
    CTW_FAILS(ctw_power_watts(p, f, &u, 1, &out), CTW_E_STATE, "idle_watts");
    ctw_power_unref(p);
    /* With idle and peak set, one measurement calibrates; it is met exactly and all else is between. */
    p = model(both);
    CTW_OKAY(ctw_power_set_points(p, mhz, NULL, 4));
    CTW_OKAY(ctw_power_fit(p, f, NULL, w, NULL, 1, NULL));
    ck_assert_double_eq_tol(at(p, 1600, 1), 190, 1e-9);
    ck_assert(at(p, 800, 1) < 190 && at(p, 2000, 1) > 190 && at(p, 2000, 0) == 70);
    ctw_power_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(unsorted_and_contradicting)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static const double f[] = {1600, 800, 2000, 1200}, w[] = {190, 90, 280, 130}, t[] = {1.2, 2.2, 1.0, 1.55};
    ctw_power *a = model(NULL), *b = model(NULL);
    CTW_OKAY(ctw_power_fit(a, mhz, NULL, watts, seconds, 4, NULL));
    CTW_OKAY(ctw_power_fit(b, f, NULL, w, t, 4, NULL));
    for (double q = 800; q <= 2000; q += 100) ck_assert_double_eq_tol(at(a, q, 1), at(b, q, 1), 1e-9);
    ctw_power_unref(b);
    /* Twice the same point, differently: between the two. Less power at more load: never falling. */
    static const double same[] = {2000, 2000, 2000, 2000, 2000}, u[] = {1, 1, 0.3, 0.6, 0},
                        v[] = {270, 290, 200, 150, 70};
    CTW_OKAY(ctw_power_fit(a, same, u, v, NULL, 5, NULL));
    ck_assert_double_eq_tol(at(a, 2000, 1), 280, 1e-9);
    for (int q = 0; q < 20; q++) ck_assert(at(a, 2000, q / 20.0) <= at(a, 2000, (q + 1) / 20.0) + 1e-9);
    /* Slower at a higher clock: the slowdown never rises with the clock. */
    static const double odd[] = {2.2, 1.1, 1.4, 1.0};
    CTW_OKAY(ctw_power_fit(a, mhz, NULL, watts, odd, 4, NULL));
    double last = INFINITY, s;
    for (double q = 800; q <= 2000; q += 50) {
        CTW_OKAY(ctw_power_slowdown(a, &q, NULL, 1, &s));
        ck_assert(s <= last + 1e-9 && s >= 1 - 1e-9);
        last = s;
    }
    /* Contradicting times: less trust between the clocks where they bend than at them, and least beyond. */
    double ask[] = {1600, 1800, 2400}, e[3];
    CTW_OKAY(ctw_power_slowdown_error(a, ask, 3, e));
    ck_assert(e[0] >= 0.005 - 1e-12 && e[1] > e[0] && e[2] > 0.01);
    CTW_FAILS(ctw_power_slowdown_error(a, ask, 3, NULL), CTW_E_ARG, "out");
    CTW_OKAY(ctw_power_fit(a, mhz, NULL, watts, NULL, 4, NULL));
    CTW_FAILS(ctw_power_slowdown_error(a, ask, 1, e), CTW_E_STATE, "seconds");
    ctw_power_unref(a);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(negative)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static const double neg[] = {-1, 130, 190, 280}, zero[] = {0, 1, 1, 1}, over[] = {1, 1, 1, 1.01};
    double out;
    ctw_power *p = model(NULL);
    CTW_FAILS(ctw_power_fit(p, mhz, NULL, neg, NULL, 4, NULL), CTW_E_RANGE, "watts[0]");
    CTW_FAILS(ctw_power_fit(p, neg, NULL, watts, NULL, 4, NULL), CTW_E_RANGE, "mhz");
    CTW_FAILS(ctw_power_fit(p, mhz, NULL, watts, neg, 4, NULL), CTW_E_RANGE, "seconds[0]");
    CTW_FAILS(ctw_power_fit(p, mhz, neg, watts, NULL, 4, NULL), CTW_E_RANGE, "util");
    CTW_FAILS(ctw_power_fit(p, mhz, over, watts, NULL, 4, NULL), CTW_E_RANGE, "util");
    CTW_FAILS(ctw_power_fit(p, mhz, NULL, zero, NULL, 4, NULL), CTW_E_RANGE, "watts[0]"); /* 0 W is "don't know" */
    CTW_FAILS(ctw_power_fit(p, mhz, NULL, watts, NULL, 0, NULL), CTW_E_RANGE, "n");
    CTW_FAILS(ctw_power_watts(p, mhz, NULL, 1, &out), CTW_E_STATE, NULL);
    ctw_power_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(zero_utilisation)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static const double none[] = {0, 0, 0, 0};
    double out, f;
    ctw_power *p = model(NULL);
    CTW_OKAY(ctw_power_fit(p, mhz, none, idle, NULL, 4, NULL)); /* idle power by frequency, and nothing else */
    CTW_FAILS(ctw_power_watts(p, mhz, NULL, 1, &out), CTW_E_STATE, "tdp_watts");
    CTW_FAILS(ctw_power_choose(p, 1, 0.5, 2, INFINITY, &f, NULL, NULL), CTW_E_STATE, "not known");
    ctw_power_unref(p);
    static const char *const peak[] = {"tdp_watts", "280", NULL};
    p = model(peak);
    CTW_OKAY(ctw_power_fit(p, mhz, none, idle, NULL, 4, NULL));
    ck_assert_double_eq_tol(at(p, 2000, 0), 70, 1.5);
    ck_assert_double_eq_tol(at(p, 800, 0), 60, 1.5);
    ck_assert_double_eq_tol(at(p, 2000, 1), 280, 1e-9);
    /* A clock may be chosen for a device that does nothing: the lowest power there is. */
    CTW_OKAY(ctw_power_choose(p, 0, 1.0, 2, INFINITY, &f, NULL, NULL));
    ck_assert(f == 800);
    ctw_power_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

static ctw_governor *governor(void)
{
    ctw_governor *g;
    CTW_OKAY(ctw_governor_new(ctx, NULL, &g));
    CTW_OKAY(ctw_governor_set_table(g, mhz, slow, watts, idle, 4));
    return g;
}

/* A bound that even the top point breaks: as fast as it goes, and it is said. */
START_TEST(slo_too_short)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    double f;
    ctw_power *p = model(NULL);
    CTW_OKAY(ctw_power_fit(p, mhz, NULL, watts, seconds, 4, NULL));
    CTW_FAILS(ctw_power_choose(p, 1, -1, 0.5, INFINITY, &f, NULL, NULL), CTW_E_INFEASIBLE, "max_slowdown");
    ck_assert(f == 2000);
    ctw_governor *g = governor();
    for (int i = 0; i < 600; i++) { /* learns that most requests have time ... */
        CTW_OKAY(ctw_governor_arrive(g, i, 10.0 * i, 1.0, 10.0 * i + 4));
        CTW_OKAY(ctw_governor_decide(g, 10.0 * i, &f, NULL));
        CTW_OKAY(ctw_governor_complete(g, i, 10.0 * i + 2.2, NAN));
    }
    CTW_OKAY(ctw_governor_arrive(g, 1000, 7000, 1.0, 7000.2)); /* ... but this one has not, whatever is done */
    CTW_OKAY(ctw_governor_arrive(g, 1001, 7000, 1.0, 7002.001));
    CTW_OKAY(ctw_governor_decide(g, 7000, &f, NULL));
    ck_assert(f == 2000);
    ctw_governor_unref(g);
    ctw_power_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

/* A cap that no point keeps: the lowest, even where a deadline is lost by it. */
START_TEST(cap_below_idle)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static const uint64_t first[] = {0, 4, 8};
    static const double w[] = {90, 130, 190, 280, 90, 130, 190, 280}, s[] = {2.2, 1.55, 1.2, 1, 2.2, 1.55, 1.2, 1};
    double f, draw, total;
    int64_t point[2];
    ctw_power *p = model(NULL);
    CTW_OKAY(ctw_power_fit(p, mhz, NULL, watts, seconds, 4, NULL));
    CTW_FAILS(ctw_power_choose(p, 1, -1, 1.0, 30, &f, &draw, NULL), CTW_E_INFEASIBLE, "cap_watts");
    ck_assert(f == 800 && draw < 100); /* both limits are broken: the cap wins and is named */
    ctw_governor *g = governor();
    CTW_FAILS(ctw_governor_set_cap(g, 30), CTW_E_INFEASIBLE, "30 W");
    CTW_OKAY(ctw_governor_arrive(g, 1, 0, 1, 0.5));
    CTW_OKAY(ctw_governor_decide(g, 0, &f, NULL));
    ck_assert(f == 800);
    ctw_rack *r;
    CTW_OKAY(ctw_rack_new(ctx, NULL, &r));
    CTW_OKAY(ctw_rack_set_machines(r, 2, first, w, s, NULL, NULL));
    CTW_FAILS(ctw_rack_split(r, 100, point, NULL, &total), CTW_E_INFEASIBLE, "180");
    ck_assert(point[0] == 0 && point[1] == 0 && total == 180);
    ctw_rack_unref(r);
    ctw_governor_unref(g);
    ctw_power_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

/* Readings that vanish or are broken while a budget is held: refused one by one, the others still count. */
START_TEST(vanished_readings)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static const uint64_t first[] = {0, 2, 4};
    static const double w[] = {90, 200, 90, 200}, s[] = {2, 1, 2, 1}, gone[] = {NAN, NAN}, one[] = {NAN, 210},
                        bad[] = {-5, 200}, stuck[] = {0, 0};
    double e;
    ctw_rack *r;
    CTW_OKAY(ctw_rack_new(ctx, NULL, &r));
    CTW_OKAY(ctw_rack_set_machines(r, 2, first, w, s, NULL, NULL));
    CTW_OKAY(ctw_rack_split(r, 500, NULL, NULL, NULL));
    CTW_FAILS(ctw_rack_observe(r, gone, &e), CTW_E_RANGE, "believed");
    CTW_FAILS(ctw_rack_observe(r, stuck, &e), CTW_E_RANGE, "believed"); /* 0 W is not believed */
    CTW_FAILS(ctw_rack_observe(r, bad, &e), CTW_E_RANGE, "watts[0]");
    CTW_OKAY(ctw_rack_observe(r, one, &e));
    ck_assert_double_eq_tol(e, 0.05, 1e-9);
    ctw_rack_unref(r);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"one_measurement", one_measurement},
        {"unsorted_and_contradicting", unsorted_and_contradicting},
        {"negative", negative},
        {"zero_utilisation", zero_utilisation},
        {"slo_too_short", slo_too_short},
        {"cap_below_idle", cap_below_idle},
        {"vanished_readings", vanished_readings},
    };
    return ctw_test_main("api-power-bad", cases, sizeof cases / sizeof *cases, 20);
}
