/* Contract of power.h through the shared library: fallback, fit, choice, limits, errors, files. */
#include "test.h"
#include <cybertwin/power.h>
#include <math.h>
#include <string.h>

static ctw_ctx *ctx;

static ctw_power *with_options(const char *const *kv)
{
    ctw_params *opt;
    ctw_power *p;
    CTW_OKAY(ctw_params_new(ctx, "power", &opt));
    for (; kv && *kv; kv += 2) CTW_OKAY(ctw_params_set_text(opt, kv[0], kv[1]));
    CTW_OKAY(ctw_power_new(ctx, opt, &p));
    ctw_params_unref(opt);
    return p;
}

static const char *const two_numbers[] = {"idle_watts", "100", "tdp_watts", "300", NULL};
static const double clock[] = {800, 1000, 1200, 1600, 2000};

static double watts(const ctw_power *p, double mhz, double util)
{
    double w;
    CTW_OKAY(ctw_power_watts(p, &mhz, &util, 1, &w));
    return w;
}

START_TEST(fallback)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_power *p = with_options(two_numbers);
    double u[] = {0, 0.5, 1}, w[3], s;
    CTW_OKAY(ctw_power_watts(p, NULL, u, 3, w));
    ck_assert(w[0] == 100 && w[1] == 200 && w[2] == 300);
    CTW_FAILS(ctw_power_watts(p, clock, NULL, 1, w), CTW_E_STATE, "no frequency");
    CTW_OKAY(ctw_power_set_points(p, clock, NULL, 5));
    ck_assert(watts(p, 2000, 1) == 300);
    ck_assert_double_eq_tol(watts(p, 1000, 1), 100 + 200 * pow(0.5, 2.4), 1e-9);
    double m[] = {0, 0.5, 1}, f[] = {1000, 1000, 1000}, out[3];
    CTW_OKAY(ctw_power_slowdown(p, f, m, 3, out));
    ck_assert(out[0] == 2 && out[1] == 1.5 && out[2] == 1);
    CTW_FAILS(ctw_power_slowdown(p, f, NULL, 1, &s), CTW_E_STATE, "seconds");
    CTW_FAILS(ctw_power_membound(p, &s, NULL), CTW_E_STATE, "seconds");
    ck_assert(ctw_power_point_count(p) == 5);
    CTW_OKAY(ctw_power_point_at(p, 4, &s));
    ck_assert(s == 2000);
    CTW_FAILS(ctw_power_point_at(p, 5, &s), CTW_E_RANGE, "i is 5");
    ctw_power_unref(p);
    p = with_options(NULL);
    CTW_FAILS(ctw_power_watts(p, NULL, NULL, 1, w), CTW_E_STATE, "tdp_watts");
    CTW_OKAY(ctw_power_watts(p, NULL, NULL, 0, NULL));
    ck_assert(ctw_power_point_count(p) == 1 && ctw_power_point_count(NULL) == 0);
    CTW_FAILS(ctw_power_point_at(p, 0, &s), CTW_E_STATE, "frequency");
    ctw_power_unref(ctw_power_ref(p));
    ctw_power_unref(p);
    ctw_power_unref(NULL);
    ck_assert_ptr_null(ctw_power_ref(NULL));
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(voltages)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_power *p = with_options(two_numbers);
    double volt[] = {0.8, 0.8, 0.85, 0.95, 1.1};
    CTW_OKAY(ctw_power_set_points(p, clock, volt, 5));
    ck_assert_double_eq_tol(watts(p, 1000, 1), 100 + 200 * 0.5 * (0.8 / 1.1) * (0.8 / 1.1), 1e-9);
    ck_assert_double_eq_tol(watts(p, 1800, 1), 100 + 200 * 0.9 * (1.025 / 1.1) * (1.025 / 1.1), 1e-9);
    ck_assert_double_eq_tol(watts(p, 600, 1), 100 + 200 * 0.3 * (0.8 / 1.1) * (0.8 / 1.1), 1e-9);
    ctw_power_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

/* An operating-point table as device trees have it: P = c f V^2 at every point from the top one alone; c = 436. */
START_TEST(point_table)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static const char *const top[] = {"tdp_watts", "1.130112", NULL};
    static const double f[] = {400, 600, 800, 1000, 1200, 1400, 1600, 1800};
    static const double v[] = {0.8, 0.8, 0.825, 0.875, 0.95, 1.025, 1.1, 1.2};
    ctw_power *p = with_options(top);
    CTW_OKAY(ctw_power_set_points(p, f, v, 8));
    for (int i = 0; i < 8; i++) ck_assert_double_eq_tol(watts(p, f[i], 1), 436e-6 * f[i] * v[i] * v[i], 1e-9);
    ctw_power_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(fitted)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_power *p = with_options(NULL);
    double mhz[] = {2000, 1000, 1500, 2000, 2000, 1000}, util[] = {1, 1, 1, 0, 0.5, 0};
    double w[] = {300, 140, 208.75, 100, 230, 80}, t[] = {1.0, 1.5, 7.0 / 6.0, NAN, NAN, NAN}, out[6], m;
    CTW_OKAY(ctw_power_fit(p, mhz, util, w, t, 6, NULL));
    CTW_OKAY(ctw_power_watts(p, mhz, util, 6, out));
    for (int i = 0; i < 6; i++) ck_assert_double_eq_tol(out[i], w[i], 0.01 * w[i]);
    CTW_OKAY(ctw_power_slowdown(p, mhz, NULL, 3, out));
    for (int i = 0; i < 3; i++) ck_assert_double_eq_tol(out[i], t[i], 1e-9);
    CTW_OKAY(ctw_power_membound(p, &m, NULL));
    ck_assert_double_eq_tol(m, 0.5, 1e-9);
    ck_assert(ctw_power_point_count(p) == 3);
    double a, b, c;
    CTW_OKAY(ctw_power_choose(p, 1, -1, 1.2, INFINITY, &a, &b, &c));
    ck_assert(a == 1500 && fabs(c - 7.0 / 6.0) < 1e-9);
    CTW_OKAY(ctw_power_choose(p, 1, 1, INFINITY, INFINITY, &a, &b, &c));
    ck_assert(a == 1000 && c == 1);
    CTW_OKAY(ctw_power_choose(p, 1, 0, 2.1, 250, &a, NULL, NULL));
    CTW_FAILS(ctw_power_choose(p, 1, 0, 1.01, 250, &a, &b, &c), CTW_E_INFEASIBLE, "max_slowdown");
    ck_assert(a == 1500);
    CTW_FAILS(ctw_power_choose(p, 1, 0, 1.5, 50, &a, &b, &c), CTW_E_INFEASIBLE, "cap_watts");
    ck_assert(a == 1000);
    ctw_power_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(sparse_rows)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    double out, u = 0.5, w50 = 210, w100 = 310, t = 3;
    ctw_power *p = with_options(two_numbers);
    /* One row at full load replaces the nameplate; idle stays. */
    CTW_OKAY(ctw_power_fit(p, NULL, NULL, &w100, NULL, 1, NULL));
    CTW_OKAY(ctw_power_watts(p, NULL, &u, 1, &out));
    ck_assert(out == 205);
    /* Part load only: the idle power of the options makes it enough. */
    CTW_OKAY(ctw_power_fit(p, NULL, &u, &w50, NULL, 1, NULL));
    CTW_OKAY(ctw_power_watts(p, NULL, NULL, 1, &out));
    ck_assert_double_eq_tol(out, 320, 1e-9);
    ctw_power_unref(p);
    p = with_options(NULL);
    CTW_FAILS(ctw_power_fit(p, NULL, &u, &w50, NULL, 1, NULL), CTW_E_SINGULAR, "part load");
    CTW_OKAY(ctw_power_fit(p, clock, NULL, NULL, &t, 1, NULL));
    CTW_OKAY(ctw_power_slowdown(p, clock, NULL, 1, &out));
    ck_assert(out == 1);
    CTW_FAILS(ctw_power_watts(p, clock, NULL, 1, &out), CTW_E_STATE, "tdp_watts");
    ctw_power_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

/* One frequency with a table of points: the rest of the curve goes through the measured point. */
START_TEST(one_frequency)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_power *p = with_options(two_numbers);
    CTW_OKAY(ctw_power_set_points(p, clock, NULL, 5));
    double f = 1600, w = 250;
    CTW_OKAY(ctw_power_fit(p, &f, NULL, &w, NULL, 1, NULL));
    ck_assert_double_eq_tol(watts(p, 1600, 1), 250, 1e-9);
    ck_assert_double_eq_tol(watts(p, 2000, 1), 100 + 150 / pow(0.8, 2.4), 1e-9);
    ctw_power_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

static void bad_arguments(ctw_power *p)
{
    double nan1 = NAN, inf1 = INFINITY, neg = -1, one = 1, two[] = {2, 1}, out[2], vfall[] = {1.0, 0.9};
    double mhz = 1000, asc[] = {1, 2};
    CTW_FAILS(ctw_power_set_points(p, NULL, NULL, 1), CTW_E_ARG, "mhz");
    CTW_FAILS(ctw_power_set_points(p, clock, NULL, 0), CTW_E_RANGE, "n is 0");
    CTW_FAILS(ctw_power_set_points(p, two, NULL, 2), CTW_E_RANGE, "mhz[1]");
    CTW_FAILS(ctw_power_set_points(p, asc, vfall, 2), CTW_E_RANGE, "volt[1]");
    CTW_FAILS(ctw_power_set_points(p, &nan1, NULL, 1), CTW_E_NONFINITE, "mhz");
    CTW_FAILS(ctw_power_fit(p, &neg, NULL, &one, NULL, 1, NULL), CTW_E_RANGE, "mhz");
    CTW_FAILS(ctw_power_fit(p, NULL, two, &one, NULL, 1, NULL), CTW_E_RANGE, "util");
    CTW_FAILS(ctw_power_fit(p, NULL, NULL, &neg, NULL, 1, NULL), CTW_E_RANGE, "watts[0]");
    CTW_FAILS(ctw_power_fit(p, NULL, NULL, &inf1, NULL, 1, NULL), CTW_E_NONFINITE, "watts[0]");
    CTW_FAILS(ctw_power_fit(p, NULL, NULL, &nan1, NULL, 1, NULL), CTW_E_SINGULAR, "no row");
    CTW_FAILS(ctw_power_fit(p, NULL, NULL, NULL, NULL, 0, NULL), CTW_E_RANGE, "n is 0");
    mhz = 3000;
    CTW_FAILS(ctw_power_fit(p, &mhz, NULL, &one, NULL, 1, NULL), CTW_E_RANGE, "top point");
    CTW_FAILS(ctw_power_watts(p, &mhz, NULL, 1, out), CTW_E_RANGE, "mhz[0]");
    CTW_FAILS(ctw_power_watts(p, &nan1, NULL, 1, out), CTW_E_NONFINITE, "mhz[0]");
    CTW_FAILS(ctw_power_watts(p, clock, two, 1, out), CTW_E_RANGE, "util");
    CTW_FAILS(ctw_power_watts(p, clock, NULL, 1, NULL), CTW_E_ARG, "out");
    CTW_FAILS(ctw_power_slowdown(p, clock, two, 1, out), CTW_E_RANGE, "membound");
    CTW_FAILS(ctw_power_choose(p, 2, 0, 1, 1, out, out, out), CTW_E_RANGE, "util");
    CTW_FAILS(ctw_power_choose(p, 1, NAN, 1, 1, out, out, out), CTW_E_NONFINITE, "membound");
    CTW_FAILS(ctw_power_choose(p, 1, 0, NAN, 1, out, out, out), CTW_E_NONFINITE, "max_slowdown");
    CTW_FAILS(ctw_power_choose(p, 1, 0, 1, 0, out, out, out), CTW_E_RANGE, "cap_watts");
}

START_TEST(errors)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_params *opt;
    ctw_power *p = NULL;
    CTW_OKAY(ctw_params_new(ctx, "power", &opt));
    CTW_OKAY(ctw_params_set_f64(opt, "idle_watts", 10));
    CTW_OKAY(ctw_params_set_f64(opt, "tdp_watts", 5));
    CTW_FAILS(ctw_power_new(ctx, opt, &p), CTW_E_RANGE, "idle_watts is 10");
    ck_assert_ptr_null(p);
    CTW_FAILS(ctw_power_new(NULL, opt, &p), CTW_E_ARG, "ctx");
    CTW_FAILS(ctw_power_new(ctx, opt, NULL), CTW_E_ARG, "out");
    ctw_params_unref(opt);
    p = with_options(two_numbers);
    CTW_OKAY(ctw_power_set_points(p, clock, NULL, 5));
    bad_arguments(p);
    /* The failed calls above changed nothing but the fit. */
    ck_assert(watts(p, 2000, 1) == 300);
    CTW_FAILS(ctw_power_fit(NULL, NULL, NULL, NULL, NULL, 0, NULL), CTW_E_ARG, "p");
    CTW_FAILS(ctw_power_watts(NULL, NULL, NULL, 0, NULL), CTW_E_ARG, "p");
    ctw_cancel *stop;
    double w = 250;
    CTW_OKAY(ctw_cancel_new(ctx, &stop));
    ctw_cancel_request(stop);
    CTW_FAILS(ctw_power_fit(p, clock, NULL, &w, NULL, 1, stop), CTW_E_CANCELLED, NULL);
    ctw_cancel_unref(stop);
    ctw_power_unref(p);
    p = with_options((const char *const[]){"tdp_watts", "300", NULL});
    CTW_OKAY(ctw_power_set_points(p, clock, NULL, 5));
    CTW_FAILS(ctw_power_choose(p, 0.5, 0, 1, 400, NULL, NULL, NULL), CTW_E_STATE, "idle_watts");
    ctw_power_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(net_objective)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_power *busy = with_options(two_numbers),
              *net = with_options(
                  (const char *const[]){"idle_watts", "100", "tdp_watts", "300", "objective", "net", NULL});
    double a, b;
    CTW_OKAY(ctw_power_set_points(busy, clock, NULL, 5));
    CTW_OKAY(ctw_power_set_points(net, clock, NULL, 5));
    CTW_OKAY(ctw_power_choose(busy, 1, 0, INFINITY, INFINITY, &a, NULL, NULL));
    CTW_OKAY(ctw_power_choose(net, 1, 0, INFINITY, INFINITY, &b, NULL, NULL));
    /* Waiting costs nothing beyond idle in the net account, so it goes lower. */
    ck_assert(b == 800 && a > b);
    ctw_power_unref(busy);
    ctw_power_unref(net);
    ctw_ctx_unref(ctx);
}
END_TEST

static ctw_power *sample(void)
{
    ctw_power *p = with_options(two_numbers);
    double volt[] = {0.8, 0.8, 0.85, 0.95, 1.1};
    double mhz[] = {2000, 1000, 1600, 2000, 2000, 1000}, util[] = {1, 1, 1, 0, 0.3, 0};
    double w[] = {300, 141, 211, 90, 171, 80}, t[] = {1.0, 1.5, 1.1, NAN, NAN, NAN};
    CTW_OKAY(ctw_power_set_points(p, clock, volt, 5));
    CTW_OKAY(ctw_power_fit(p, mhz, util, w, t, 6, NULL));
    return p;
}

typedef struct doze {
    double watts, wake_joule, wake_s;
} doze;

/* Energy of a period written out anew, from the public predictions only. */
static double period_joule(ctw_power *p, double f, double m, double busy_s, double period_s, const doze *z)
{
    double slow, low;
    CTW_OKAY(ctw_power_slowdown(p, &f, &m, 1, &slow));
    CTW_OKAY(ctw_power_point_at(p, 0, &low));
    double rest = period_s - busy_s * slow, wait = rest * watts(p, low, 0);
    if (rest < 0) return INFINITY;
    if (isfinite(z->watts) && rest >= z->wake_s) wait = fmin(wait, (rest - z->wake_s) * z->watts + z->wake_joule);
    return busy_s * slow * watts(p, f, 1) + wait;
}

/* A bound a hair below a point's slowdown: met within the tolerance, not without. */
START_TEST(tolerance)
{
    static const char *const strict[] = {"time_tolerance", "0", NULL};
    const double mhz[] = {1000, 2000}, w[] = {100, 300}, t[] = {1.5, 1.0};
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    for (int k = 0; k < 2; k++) {
        ctw_power *p = with_options(k ? strict : NULL);
        double at, slow;
        CTW_OKAY(ctw_power_fit(p, mhz, NULL, w, t, 2, NULL));
        CTW_OKAY(ctw_power_choose(p, 1, -1, 1.499, INFINITY, &at, NULL, &slow));
        ck_assert(at == (k ? 2000 : 1000));
        CTW_OKAY(ctw_power_choose(p, 1, -1, 1.49, INFINITY, &at, NULL, &slow));
        ck_assert(at == 2000 && slow == 1);
        ctw_power_unref(p);
    }
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(race_or_pace)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_power *p = sample();
    const doze deep = {5, 40, 0.2}, none = {INFINITY, 0, 0};
    double mhz, joule, low = 0;
    int32_t sleeps, slept = 0, raced = 0, paced = 0;
    for (int i = 0; i < 600; i++) {
        double m = (i % 7) / 7.0, busy = 0.1 + 0.05 * (i % 11), period = busy * (1 + 0.3 * (i % 13));
        const doze *z = i % 2 ? &deep : &none;
        CTW_OKAY(ctw_power_pace(p, m, busy, period, z->watts, z->wake_joule, z->wake_s, &mhz, &sleeps, &joule));
        double least = INFINITY;
        for (uint64_t j = 0; j < ctw_power_point_count(p); j++) {
            CTW_OKAY(ctw_power_point_at(p, j, &low));
            least = fmin(least, period_joule(p, low, m, busy, period, z));
        }
        ck_assert_double_eq_tol(joule, least, 1e-9 * least);
        ck_assert_double_eq_tol(period_joule(p, mhz, m, busy, period, z), joule, 1e-9 * joule);
        ck_assert(z == &deep || !sleeps);
        slept += sleeps;
        raced += sleeps && mhz > 1000;
        paced += mhz < 2000;
    }
    ck_assert(slept > 0 && raced > 0 && paced > 0);
    CTW_FAILS(ctw_power_pace(p, 0.5, 2, 1, INFINITY, 0, 0, &mhz, NULL, NULL), CTW_E_INFEASIBLE, "safe point");
    ck_assert(mhz == 2000);
    CTW_FAILS(ctw_power_pace(p, 0.5, 1, 2, -1, 0, 0, NULL, NULL, NULL), CTW_E_RANGE, "sleep_watts");
    CTW_FAILS(ctw_power_pace(p, 0.5, 0, 2, 0, 0, 0, NULL, NULL, NULL), CTW_E_RANGE, "busy_s");
    ctw_power_unref(p);
    CTW_OKAY(ctw_power_new(ctx, NULL, &p));
    CTW_FAILS(ctw_power_pace(p, 0.5, 1, 2, 0, 0, 0, NULL, NULL, NULL), CTW_E_STATE, "idle");
    ctw_power_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(files)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static unsigned char buf[65536], again[65536];
    uint64_t need, second;
    ctw_power *p = sample(), *q;
    CTW_OKAY(ctw_power_save_mem(p, NULL, 0, &need));
    CTW_FAILS(ctw_power_save_mem(p, buf, need - 1, &second), CTW_E_BUFFER, NULL);
    CTW_OKAY(ctw_power_save_mem(p, buf, sizeof buf, &need));
    CTW_OKAY(ctw_power_load_mem(ctx, buf, need, &q));
    CTW_OKAY(ctw_power_save_mem(q, again, sizeof again, &second));
    ck_assert(need == second && memcmp(buf, again, need) == 0);
    for (int i = 0; i < 40; i++) {
        double f = 800 + 30.0 * i, u = i / 39.0, a, b;
        ck_assert(watts(p, f, u) == watts(q, f, u));
        CTW_OKAY(ctw_power_slowdown(p, &f, NULL, 1, &a));
        CTW_OKAY(ctw_power_slowdown(q, &f, NULL, 1, &b));
        ck_assert(a == b);
    }
    ctw_power_unref(q);
    const char *path = ctw_test_tmp("power.ctw");
    CTW_OKAY(ctw_power_save_file(p, path));
    CTW_OKAY(ctw_power_load_file(ctx, path, &q));
    ck_assert(watts(p, 1234, 0.7) == watts(q, 1234, 0.7));
    ctw_power_unref(q);
    CTW_FAILS(ctw_power_load_file(ctx, "no/such/file", &q), CTW_E_IO, "no/such/file");
    ck_assert_ptr_null(q);
    CTW_FAILS(ctw_power_save_file(p, "no/such/dir/file"), CTW_E_IO, NULL);
    for (uint64_t i = 0; i < need; i += 7) {
        buf[i] ^= 0x41;
        ck_assert(ctw_power_load_mem(ctx, buf, need, &q) != CTW_OK && q == NULL);
        buf[i] ^= 0x41;
        ck_assert(ctw_power_load_mem(ctx, buf, i, &q) != CTW_OK && q == NULL);
    }
    CTW_FAILS(ctw_power_load_mem(ctx, NULL, 5, &q), CTW_E_ARG, "buf");
    ctw_power_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

/* The first released format, and what its writer predicted. */
START_TEST(golden)
{
    static const double said[][4] = {{900, 0, 79.612857142857152, 1.6365960793600909},
                                     {1200, 0.29999999999999999, 111.36843070811631, 1.321448148270397},
                                     {1500, 0.59999999999999998, 160.73907916159621, 1.1441540781862116},
                                     {1800, 0.89999999999999991, 238.52121732185921, 1.0443370325359114}};
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_power *p;
    CTW_OKAY(ctw_power_load_file(ctx, ctw_test_golden("power/power-1.ctw"), &p));
    for (int i = 0; i < 4; i++) {
        double slow;
        ck_assert_double_eq_tol(watts(p, said[i][0], said[i][1]), said[i][2], 1e-9);
        CTW_OKAY(ctw_power_slowdown(p, &said[i][0], NULL, 1, &slow));
        ck_assert_double_eq_tol(slow, said[i][3], 1e-12);
    }
    ctw_power_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"fallback", fallback},
        {"voltages", voltages},
        {"point_table", point_table},
        {"fitted", fitted},
        {"sparse_rows", sparse_rows},
        {"one_frequency", one_frequency},
        {"errors", errors},
        {"net_objective", net_objective},
        {"tolerance", tolerance},
        {"race_or_pace", race_or_pace},
        {"files", files},
        {"golden", golden},
    };
    return ctw_test_main("api-power", cases, sizeof cases / sizeof *cases, 20);
}
