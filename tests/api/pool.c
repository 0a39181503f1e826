/* Contract of pool.h: servers, events, one clock, who sleeps, tuning, cap, errors. */
#include "test.h"
#include <cybertwin/pool.h>
#include <math.h>

enum { N = 4 };

static ctw_ctx *ctx;
static const double mhz[] = {800, 1200, 1600, 2000}, slow[] = {2.5, 5.0 / 3.0, 1.25, 1.0};
static const double watts[] = {90, 130, 190, 280}, idle[] = {60, 62, 65, 70};

static ctw_pool *make(const char *const *kv)
{
    ctw_params *opt;
    ctw_pool *p;
    CTW_OKAY(ctw_params_new(ctx, "pool", &opt));
    for (; kv && *kv; kv += 2) CTW_OKAY(ctw_params_set_text(opt, kv[0], kv[1]));
    CTW_OKAY(ctw_pool_new(ctx, opt, &p));
    ctw_params_unref(opt);
    CTW_OKAY(ctw_pool_set_servers(p, N, 5, 10, 1000, mhz, slow, watts, idle, 4));
    return p;
}

static double decide(ctw_pool *p, double now)
{
    double f;
    CTW_OKAY(ctw_pool_decide(p, now, &f, NULL, NULL));
    return f;
}

static int64_t metric(const ctw_pool *p, const char *key)
{
    ctw_report *r;
    int64_t v;
    CTW_OKAY(ctw_pool_report(p, &r));
    CTW_OKAY(ctw_report_get_i64(r, key, &v));
    ctw_report_unref(r);
    return v;
}

static double real(const ctw_pool *p, const char *key)
{
    ctw_report *r;
    double v;
    CTW_OKAY(ctw_pool_report(p, &r));
    CTW_OKAY(ctw_report_get_f64(r, key, &v));
    ctw_report_unref(r);
    return v;
}

/* Pairs of requests at once, ten seconds apart, each served as the pool says. */
static int serve(ctw_pool *p, int from, int n, double slack)
{
    int late = 0;
    for (int i = from; i < from + n; i++) {
        double t = 10.0 * i, s = 1.0;
        CTW_OKAY(ctw_pool_arrive(p, 2 * i, t, 1.0, t + slack));
        CTW_OKAY(ctw_pool_arrive(p, 2 * i + 1, t, 1.0, t + slack));
        double f = decide(p, t);
        for (int k = 0; k < 4; k++)
            if (mhz[k] == f) s = slow[k];
        CTW_OKAY(ctw_pool_complete(p, 2 * i + 1, t + s, NAN)); /* in either order */
        CTW_OKAY(ctw_pool_complete(p, 2 * i, t + s, 1.0));
        late += 2 * (s > slack);
        decide(p, t + s);
    }
    return late;
}

START_TEST(one_clock_and_sleep)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static const char *const often[] = {"tune_every", "64", NULL};
    ctw_pool *p = make(often);
    int32_t state[N];
    uint64_t awake;
    double f;
    ck_assert(decide(p, 0) == 2000); /* before anything is known */
    ck_assert(serve(p, 0, 300, 3.0) == 0);
    ck_assert(metric(p, "completed") == 600 && metric(p, "late") == 0 && metric(p, "tunings") == 9);
    ck_assert(real(p, "replay_saving") > 1.5 && real(p, "rule_max_load") > 0);
    CTW_OKAY(ctw_pool_decide(p, 3000, &f, state, &awake));
    ck_assert(awake >= 1 && awake < N && state[0] == CTW_CLUSTER_AWAKE && state[N - 1] == CTW_CLUSTER_ASLEEP);
    /* Loose: slow. Then much more than the awake ones can do slowly by their deadlines: the top. */
    CTW_OKAY(ctw_pool_arrive(p, 1, 3000, 1.0, 3003));
    ck_assert(decide(p, 3000) < 2000);
    for (int i = 0; i < (int)awake * 3; i++) CTW_OKAY(ctw_pool_arrive(p, 100 + i, 3000, 1.0, 3004.1));
    ck_assert(decide(p, 3000) == 2000);
    ck_assert(metric(p, "here") == 1 + 3 * (int64_t)awake);
    CTW_OKAY(ctw_pool_drop(p, 1, 3000.5)); /* the one in service: the next starts */
    CTW_OKAY(ctw_pool_drop(p, 100 + (int)awake * 3 - 1, 3000.5));
    CTW_FAILS(ctw_pool_drop(p, 1, 3000.5), CTW_E_KEY, "1");
    CTW_FAILS(ctw_pool_set_servers(p, N, 5, 10, 1000, mhz, slow, watts, idle, 4), CTW_E_STATE, "requests");
    ctw_pool_unref(ctw_pool_ref(p));
    ctw_pool_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

/* Deadlines that only the top point meets with a server for each: nothing may be late. */
START_TEST(keeps_deadlines)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static const char *const often[] = {"tune_every", "64", NULL};
    ctw_pool *p = make(often);
    ck_assert(serve(p, 0, 300, 1.1) == 0 && metric(p, "late_at_top") == 0);
    ctw_pool_unref(p);
    /* Servers that cannot sleep stay awake. */
    p = make(often);
    uint64_t awake;
    CTW_OKAY(ctw_pool_set_servers(p, N, INFINITY, 10, 1000, mhz, slow, watts, idle, 4));
    ck_assert(serve(p, 0, 200, 3.0) == 0);
    CTW_OKAY(ctw_pool_decide(p, 2000, NULL, NULL, &awake));
    ck_assert(awake == N && metric(p, "wakes") == 0 && real(p, "replay_saving") > 1);
    ctw_pool_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

/* Told sizes were right and deadlines generous; then everything comes at once and late: after a few the rule is
 * dropped and all are woken. */
START_TEST(falls_back)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static const char *const often[] = {"tune_every", "64", NULL};
    ctw_pool *p = make(often);
    serve(p, 0, 200, 3.0);
    ck_assert(real(p, "rule_max_load") > 0);
    double t = 2000;
    for (int i = 0; i < 60; i++) { /* the host is slow: deadlines that the top clock with all awake would have met */
        CTW_OKAY(ctw_pool_arrive(p, 9000 + i, t, 1.0, t + 3));
        CTW_OKAY(ctw_pool_complete(p, 9000 + i, t + 4, 1.0));
        t += 10;
    }
    ck_assert(metric(p, "late") >= 5 && metric(p, "late_at_top") == 0);
    ck_assert(real(p, "rule_max_load") == 0 && real(p, "rule_mhz") == 2000);
    uint64_t awake;
    decide(p, t);
    CTW_OKAY(ctw_pool_decide(p, t + 20, NULL, NULL, &awake));
    ck_assert(awake == N);
    ctw_pool_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(cap_wins)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_pool *p = make(NULL);
    CTW_OKAY(ctw_pool_set_cap(p, 4 * 200));
    CTW_OKAY(ctw_pool_arrive(p, 1, 0, 1, 0.5));
    ck_assert(decide(p, 0) == 1600);
    CTW_FAILS(ctw_pool_set_cap(p, 4 * 50), CTW_E_INFEASIBLE, "lowest point");
    ck_assert(decide(p, 0.1) == 800);
    CTW_OKAY(ctw_pool_set_cap(p, INFINITY));
    ck_assert(decide(p, 0.2) == 2000);
    CTW_FAILS(ctw_pool_set_cap(p, NAN), CTW_E_NONFINITE, "watts");
    CTW_FAILS(ctw_pool_set_cap(p, 0), CTW_E_RANGE, "watts");
    ctw_pool_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(from_device)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_pool *p;
    ctw_power *d;
    ctw_params *opt;
    CTW_OKAY(ctw_pool_new(ctx, NULL, &p));
    CTW_FAILS(ctw_pool_decide(p, 0, NULL, NULL, NULL), CTW_E_STATE, "servers");
    CTW_FAILS(ctw_pool_tune(p, NULL), CTW_E_STATE, "servers");
    CTW_FAILS(ctw_pool_set_cap(p, 10), CTW_E_STATE, "servers");
    CTW_FAILS(ctw_pool_arrive(p, 1, 0, 1, 1), CTW_E_STATE, "servers");
    CTW_OKAY(ctw_params_new(ctx, "power", &opt));
    CTW_OKAY(ctw_params_set_f64(opt, "idle_watts", 60));
    CTW_OKAY(ctw_params_set_f64(opt, "tdp_watts", 300));
    CTW_OKAY(ctw_power_new(ctx, opt, &d));
    CTW_OKAY(ctw_power_set_points(d, mhz, NULL, 4));
    CTW_FAILS(ctw_pool_set_device(p, 2, 5, 10, 100, d, -1), CTW_E_STATE, "membound");
    CTW_OKAY(ctw_pool_set_device(p, 2, 5, 10, 100, d, 0.3));
    ck_assert(decide(p, 0) == 2000);
    ctw_params_unref(opt);
    ctw_power_unref(d);
    ctw_pool_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(errors)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static const char *const two[] = {"capacity", "2", NULL};
    double back[] = {2000, 1000}, asc[] = {1, 2};
    ctw_pool *p = NULL;
    ctw_report *r;
    ctw_cancel *stop;
    CTW_FAILS(ctw_pool_new(ctx, NULL, NULL), CTW_E_ARG, "out");
    CTW_FAILS(ctw_pool_new(NULL, NULL, &p), CTW_E_ARG, "ctx");
    p = make(two);
    CTW_FAILS(ctw_pool_set_servers(p, 0, 5, 10, 1000, mhz, slow, watts, idle, 4), CTW_E_RANGE, "n");
    CTW_FAILS(ctw_pool_set_servers(p, 1025, 5, 10, 1000, mhz, slow, watts, idle, 4), CTW_E_RANGE, "n");
    CTW_FAILS(ctw_pool_set_servers(p, N, -1, 10, 1000, mhz, slow, watts, idle, 4), CTW_E_RANGE, "sleep_watts");
    CTW_FAILS(ctw_pool_set_servers(p, N, NAN, 10, 1000, mhz, slow, watts, idle, 4), CTW_E_NONFINITE, "sleep_watts");
    CTW_FAILS(ctw_pool_set_servers(p, N, 5, -1, 1000, mhz, slow, watts, idle, 4), CTW_E_RANGE, "wake_s");
    CTW_FAILS(ctw_pool_set_servers(p, N, 5, 10, -1, mhz, slow, watts, idle, 4), CTW_E_RANGE, "wake_joule");
    CTW_FAILS(ctw_pool_set_servers(p, N, 5, 10, 1000, back, slow, watts, idle, 2), CTW_E_RANGE, "mhz[1]");
    CTW_FAILS(ctw_pool_set_servers(p, N, 5, 10, 1000, asc, NULL, watts, idle, 2), CTW_E_ARG, "slowdown");
    CTW_FAILS(ctw_pool_set_servers(NULL, N, 5, 10, 1000, mhz, slow, watts, idle, 4), CTW_E_ARG, "p");
    CTW_FAILS(ctw_pool_set_device(p, N, 5, 10, 1000, NULL, 0), CTW_E_ARG, "device");
    CTW_OKAY(ctw_pool_arrive(p, 1, 10, 1, 12));
    CTW_FAILS(ctw_pool_arrive(p, 2, 9, 1, 12), CTW_E_RANGE, "now_s");
    CTW_FAILS(ctw_pool_arrive(p, 2, 11, 0, 12), CTW_E_RANGE, "work_s");
    CTW_FAILS(ctw_pool_arrive(p, 2, 11, 1, NAN), CTW_E_NONFINITE, "deadline_s");
    CTW_OKAY(ctw_pool_arrive(p, 2, 11, 1, 12));
    CTW_FAILS(ctw_pool_arrive(p, 3, 11, 1, 12), CTW_E_RANGE, "capacity");
    CTW_FAILS(ctw_pool_complete(p, 7, 11, 1), CTW_E_KEY, "7");
    CTW_FAILS(ctw_pool_complete(p, 1, 11, -1), CTW_E_RANGE, "work_s");
    CTW_FAILS(ctw_pool_complete(p, 1, 10, 1), CTW_E_RANGE, "now_s");
    CTW_FAILS(ctw_pool_decide(NULL, 11, NULL, NULL, NULL), CTW_E_ARG, "p");
    CTW_FAILS(ctw_pool_report(p, NULL), CTW_E_ARG, "out");
    CTW_FAILS(ctw_pool_report(NULL, &r), CTW_E_ARG, "p");
    CTW_OKAY(ctw_pool_complete(p, 1, 12, NAN));
    CTW_OKAY(ctw_pool_complete(p, 2, 12, NAN));
    CTW_OKAY(ctw_cancel_new(ctx, &stop));
    ctw_cancel_request(stop);
    CTW_FAILS(ctw_pool_tune(p, stop), CTW_E_CANCELLED, NULL);
    ctw_cancel_unref(stop);
    ck_assert(metric(p, "tunings") == 0);
    ctw_pool_unref(p);
    ctw_pool_unref(NULL);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"one_clock_and_sleep", one_clock_and_sleep},
        {"keeps_deadlines", keeps_deadlines},
        {"falls_back", falls_back},
        {"cap_wins", cap_wins},
        {"from_device", from_device},
        {"errors", errors},
    };
    return ctw_test_main("api-pool", cases, sizeof cases / sizeof *cases, 20);
}
