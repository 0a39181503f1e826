/* Contract of governor.h: table, events, decisions, tuning, cap, errors. */
#include "test.h"
#include <cybertwin/governor.h>
#include <math.h>

static ctw_ctx *ctx;
static const double mhz[] = {800, 1200, 1600, 2000}, slow[] = {2.5, 5.0 / 3.0, 1.25, 1.0};
static const double watts[] = {90, 130, 190, 280}, idle[] = {60, 62, 65, 70};

static ctw_governor *make(const char *key, const char *value)
{
    ctw_params *opt;
    ctw_governor *g;
    CTW_OKAY(ctw_params_new(ctx, "governor", &opt));
    if (key) CTW_OKAY(ctw_params_set_text(opt, key, value));
    CTW_OKAY(ctw_governor_new(ctx, opt, &g));
    ctw_params_unref(opt);
    CTW_OKAY(ctw_governor_set_table(g, mhz, slow, watts, idle, 4));
    return g;
}

static double decide(ctw_governor *g, double now)
{
    double f;
    CTW_OKAY(ctw_governor_decide(g, now, &f, NULL));
    return f;
}

static int64_t metric(const ctw_governor *g, const char *key)
{
    ctw_report *r;
    int64_t v;
    CTW_OKAY(ctw_governor_report(g, &r));
    CTW_OKAY(ctw_report_get_i64(r, key, &v));
    ctw_report_unref(r);
    return v;
}

/* One request at a time, every fifth with the tight deadline, each served as the governor says; returns the late. */
static int serve(ctw_governor *g, int from, int n, double tight, double loose)
{
    int late = 0;
    for (int i = from; i < from + n; i++) {
        double t = 10.0 * i, f, s = 1.0, slack = i % 5 ? loose : tight;
        CTW_OKAY(ctw_governor_arrive(g, i, t, 1.0, t + slack));
        f = decide(g, t);
        for (int k = 0; k < 4; k++)
            if (mhz[k] == f) s = slow[k];
        CTW_OKAY(ctw_governor_complete(g, i, t + s, NAN));
        late += s > slack;
        decide(g, t + s);
    }
    return late;
}

START_TEST(learns_to_stretch)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_governor *g = make("tune_every", "64");
    ck_assert(decide(g, 0) == 2000); /* before anything is known */
    ck_assert(serve(g, 0, 200, 1.1, 3.0) == 0);
    ck_assert(metric(g, "completed") == 200 && metric(g, "late") == 0 && metric(g, "tunings") == 3);
    CTW_OKAY(ctw_governor_arrive(g, 7, 5000, 1.0, 5003));
    double f, w;
    CTW_OKAY(ctw_governor_decide(g, 5000, &f, &w));
    ck_assert(f < 2000 && w < 280);
    /* A burst hurries what had begun slowly. */
    for (int i = 0; i < 6; i++) CTW_OKAY(ctw_governor_arrive(g, 100 + i, 5000.1, 1.0, 5007.5));
    ck_assert(decide(g, 5000.1) == 2000);
    ck_assert(metric(g, "waiting") == 7);
    CTW_OKAY(ctw_governor_drop(g, 103, 5000.2));
    CTW_FAILS(ctw_governor_drop(g, 103, 5000.2), CTW_E_KEY, "103");
    ck_assert(metric(g, "waiting") == 6);
    ctw_governor_unref(ctw_governor_ref(g));
    ctw_governor_unref(g);
    ctw_ctx_unref(ctx);
}
END_TEST

/* Deadlines that only the top point meets: never late, so nothing may be gained. */
START_TEST(keeps_deadlines)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_governor *g = make("tune_every", "64");
    ck_assert(serve(g, 0, 400, 1.1, 1.1) == 0);
    ck_assert(metric(g, "late_at_top") == 0);
    ctw_governor_unref(g);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(cap_wins)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_governor *g = make(NULL, NULL);
    CTW_OKAY(ctw_governor_set_cap(g, 200));
    CTW_OKAY(ctw_governor_arrive(g, 1, 0, 1, 0.5));
    ck_assert(decide(g, 0) == 1600);
    CTW_FAILS(ctw_governor_set_cap(g, 50), CTW_E_INFEASIBLE, "lowest point");
    ck_assert(decide(g, 0.1) == 800);
    CTW_OKAY(ctw_governor_set_cap(g, INFINITY));
    ck_assert(decide(g, 0.2) == 2000);
    CTW_FAILS(ctw_governor_set_cap(g, NAN), CTW_E_NONFINITE, "watts");
    CTW_FAILS(ctw_governor_set_cap(g, 0), CTW_E_RANGE, "watts");
    ctw_governor_unref(g);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(from_device)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_governor *g;
    ctw_power *p;
    ctw_params *opt;
    double f;
    CTW_OKAY(ctw_governor_new(ctx, NULL, &g));
    CTW_FAILS(ctw_governor_decide(g, 0, &f, NULL), CTW_E_STATE, "table");
    CTW_FAILS(ctw_governor_tune(g, NULL), CTW_E_STATE, "table");
    CTW_FAILS(ctw_governor_set_cap(g, 10), CTW_E_STATE, "table");
    CTW_OKAY(ctw_params_new(ctx, "power", &opt));
    CTW_OKAY(ctw_params_set_f64(opt, "idle_watts", 60));
    CTW_OKAY(ctw_params_set_f64(opt, "tdp_watts", 300));
    CTW_OKAY(ctw_power_new(ctx, opt, &p));
    CTW_OKAY(ctw_power_set_points(p, mhz, NULL, 4));
    CTW_FAILS(ctw_governor_set_device(g, p, -1), CTW_E_STATE, "membound");
    CTW_OKAY(ctw_governor_set_device(g, p, 0.3));
    ck_assert(decide(g, 0) == 2000);
    ctw_params_unref(opt);
    ctw_power_unref(p);
    ctw_governor_unref(g);
    ctw_ctx_unref(ctx);
}
END_TEST

static void bad_tables(ctw_governor *g)
{
    double back[] = {2000, 1000}, rise[] = {1.0, 2.0}, high[] = {2.0, 1.5}, asc[] = {1, 2}, w[] = {1, 2},
           neg[] = {-1, 1};
    CTW_FAILS(ctw_governor_set_table(g, back, slow, watts, idle, 2), CTW_E_RANGE, "mhz[1]");
    CTW_FAILS(ctw_governor_set_table(g, asc, rise, watts, idle, 2), CTW_E_RANGE, "slowdown[1]");
    CTW_FAILS(ctw_governor_set_table(g, asc, high, watts, idle, 2), CTW_E_RANGE, "top point");
    CTW_FAILS(ctw_governor_set_table(g, asc, slow, neg, idle, 2), CTW_E_RANGE, "watts");
    CTW_FAILS(ctw_governor_set_table(g, asc, slow, w, neg, 2), CTW_E_RANGE, "idle_watts");
    CTW_FAILS(ctw_governor_set_table(g, asc, slow, w, NULL, 0), CTW_E_RANGE, "n");
    CTW_FAILS(ctw_governor_set_table(g, asc, NULL, w, NULL, 2), CTW_E_ARG, "slowdown");
    CTW_FAILS(ctw_governor_set_table(NULL, asc, slow, w, NULL, 2), CTW_E_ARG, "g");
    CTW_FAILS(ctw_governor_set_device(g, NULL, 0), CTW_E_ARG, "device");
}

START_TEST(errors)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_governor *g = NULL;
    ctw_report *r;
    CTW_FAILS(ctw_governor_new(ctx, NULL, NULL), CTW_E_ARG, "out");
    CTW_FAILS(ctw_governor_new(NULL, NULL, &g), CTW_E_ARG, "ctx");
    ck_assert_ptr_null(g);
    g = make("capacity", "2");
    bad_tables(g);
    CTW_OKAY(ctw_governor_arrive(g, 1, 10, 1, 12));
    CTW_FAILS(ctw_governor_arrive(g, 2, 9, 1, 12), CTW_E_RANGE, "now_s");
    CTW_FAILS(ctw_governor_arrive(g, 2, 11, 0, 12), CTW_E_RANGE, "work_s");
    CTW_FAILS(ctw_governor_arrive(g, 2, 11, 1, NAN), CTW_E_NONFINITE, "deadline_s");
    CTW_OKAY(ctw_governor_arrive(g, 2, 11, 1, 12));
    CTW_FAILS(ctw_governor_arrive(g, 3, 11, 1, 12), CTW_E_RANGE, "capacity");
    CTW_FAILS(ctw_governor_complete(g, 9, 11, NAN), CTW_E_KEY, "9");
    CTW_FAILS(ctw_governor_complete(g, 1, 10.5, NAN), CTW_E_RANGE, "now_s");
    CTW_FAILS(ctw_governor_complete(g, 1, 12, -1), CTW_E_RANGE, "work_s");
    CTW_OKAY(ctw_governor_complete(g, 2, 12, 1.5));
    CTW_OKAY(ctw_governor_complete(g, 1, 13, 1));
    ck_assert(metric(g, "late") == 1 && metric(g, "completed") == 2);
    CTW_FAILS(ctw_governor_report(NULL, &r), CTW_E_ARG, "g");
    CTW_FAILS(ctw_governor_report(g, NULL), CTW_E_ARG, "out");
    ctw_governor_unref(g);
    ctw_governor_unref(NULL);
    ck_assert_ptr_null(ctw_governor_ref(NULL));
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(stopped)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_governor *g = make("tune_every", "0");
    ctw_cancel *stop;
    serve(g, 0, 100, 1.1, 3.0);
    ck_assert(metric(g, "tunings") == 0);
    CTW_OKAY(ctw_cancel_new(ctx, &stop));
    ctw_cancel_request(stop);
    CTW_FAILS(ctw_governor_tune(g, stop), CTW_E_CANCELLED, NULL);
    ck_assert(metric(g, "tunings") == 0);
    CTW_OKAY(ctw_governor_tune(g, NULL));
    ck_assert(metric(g, "tunings") == 1);
    ctw_cancel_unref(stop);
    ctw_governor_unref(g);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"learns_to_stretch", learns_to_stretch},
        {"keeps_deadlines", keeps_deadlines},
        {"cap_wins", cap_wins},
        {"from_device", from_device},
        {"errors", errors},
        {"stopped", stopped},
    };
    return ctw_test_main("api-governor", cases, sizeof cases / sizeof *cases, 20);
}
