/* Which servers sleep: as few awake as the load needs, woken in time, and at most twice the idle energy of hindsight.
 */
#include "test.h"
#include <cybertwin/cluster.h>
#include <math.h>

static ctw_ctx *ctx;
enum { N = 8 };
static const double idle[N] = {100, 90, 110, 100, 95, 105, 100, 120}, asleep[N] = {5, 5, 5, 5, 5, 5, 5, 5};
static const double wake_s[N] = {30, 30, 30, 30, 30, 30, 30, 30};
static const double wake_joule[N] = {6000, 6000, 6000, 6000, 6000, 6000, 6000, 6000};

static ctw_cluster *cluster(const char *const *kv)
{
    ctw_params *opt;
    ctw_cluster *c;
    CTW_OKAY(ctw_params_new(ctx, "cluster", &opt));
    for (; kv && *kv; kv += 2) CTW_OKAY(ctw_params_set_text(opt, kv[0], kv[1]));
    CTW_OKAY(ctw_cluster_new(ctx, opt, &c));
    ctw_params_unref(opt);
    CTW_OKAY(ctw_cluster_set_servers(c, N, NULL, idle, asleep, wake_s, wake_joule));
    return c;
}

static double number(const ctw_cluster *c, const char *key)
{
    ctw_report *r;
    double v;
    int64_t i;
    CTW_OKAY(ctw_cluster_report(c, &r));
    if (ctw_report_get_f64(r, key, &v) != CTW_OK) {
        CTW_OKAY(ctw_report_get_i64(r, key, &i));
        v = (double)i;
    }
    ctw_report_unref(r);
    return v;
}

START_TEST(sleeps_and_wakes)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_cluster *c = cluster(NULL);
    int32_t s[N];
    uint64_t awake;
    double t = 0;
    CTW_OKAY(ctw_cluster_update(c, t, 1.0, s, &awake));
    ck_assert(awake == N);
    for (; t < 60; t += 10) CTW_OKAY(ctw_cluster_update(c, t, 1.0, s, &awake));
    ck_assert(awake == N); /* 6000 J at 95 W saved are not yet idled away */
    for (; t < 300; t += 10) CTW_OKAY(ctw_cluster_update(c, t, 1.0, s, &awake));
    ck_assert(awake == 2);                                             /* 1.0 / 0.7 rounded up */
    ck_assert(s[1] == CTW_CLUSTER_AWAKE && s[4] == CTW_CLUSTER_AWAKE); /* the two of least idle power */
    /* More load: the others are ordered at once and take work 30 s later. */
    for (; t < 400; t += 10) (void)ctw_cluster_update(c, t, 4.0, s, &awake);
    ck_assert(awake >= 6);
    ck_assert(number(c, "wakes") >= 4 && number(c, "short_sleeps") <= number(c, "wakes"));
    ck_assert(number(c, "idle_joule") < number(c, "idle_joule_all_awake"));
    /* More than all can carry: everybody is awake, and it is said. */
    ctw_status st = CTW_OK;
    for (; t < 900; t += 10) st = ctw_cluster_update(c, t, 20.0, s, &awake);
    ck_assert(st == CTW_E_INFEASIBLE && awake == N);
    /* Nothing to do: one stays. */
    for (; t < 9000; t += 10) (void)ctw_cluster_update(c, t, 0.0, s, &awake);
    ck_assert(awake == 1);
    ctw_cluster_unref(ctw_cluster_ref(c));
    ctw_cluster_unref(c);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(waking_takes_time)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static const char *const quick[] = {"window_s", "1", "deviations", "0", NULL};
    ctw_cluster *c = cluster(quick);
    int32_t s[N];
    double t = 0;
    for (; t < 400; t += 5) CTW_OKAY(ctw_cluster_update(c, t, 0.5, s, NULL));
    ck_assert(s[3] == CTW_CLUSTER_ASLEEP);
    CTW_OKAY(ctw_cluster_update(c, t, 5.0, s, NULL));
    ck_assert(s[3] == CTW_CLUSTER_WAKING);
    CTW_OKAY(ctw_cluster_update(c, t + 29, 5.0, s, NULL));
    ck_assert(s[3] == CTW_CLUSTER_WAKING);
    CTW_OKAY(ctw_cluster_update(c, t + 31, 5.0, s, NULL));
    ck_assert(s[3] == CTW_CLUSTER_AWAKE);
    ctw_cluster_unref(c);
    ctw_ctx_unref(ctx);
}
END_TEST

/* One spare server beside one that is always needed; random spells of need. Hindsight sleeps through a spell exactly
 * when that pays. Idle energy of the spare one while not needed, and its wakes, are at most twice hindsight's. */
START_TEST(twice_hindsight)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static const double two_idle[] = {100, 101}, two_asleep[] = {0, 1}, no_time[] = {0, 0}, joule[] = {0, 5000};
    uint32_t rng = 7;
    for (int round = 0; round < 40; round++) {
        ctw_params *opt;
        ctw_cluster *c;
        CTW_OKAY(ctw_params_new(ctx, "cluster", &opt));
        CTW_OKAY(ctw_params_set_text(opt, "window_s", "0.001")); /* the load as it is */
        CTW_OKAY(ctw_params_set_text(opt, "deviations", "0"));
        CTW_OKAY(ctw_cluster_new(ctx, opt, &c));
        ctw_params_unref(opt);
        CTW_OKAY(ctw_cluster_set_servers(c, 2, NULL, two_idle, two_asleep, no_time, joule));
        double t = 0, hindsight = 0, needed_s = 0, longest = 20.0 + 20.0 * round;
        CTW_OKAY(ctw_cluster_update(c, t, 1.0, NULL, NULL));
        for (int spell = 0; spell < 200; spell++) {
            rng = rng * 1664525u + 1013904223u;
            int spare = spell % 2;
            double length = 1.0 + floor((rng >> 8) / 16777216.0 * longest);
            for (double end = t + length; t < end;)
                CTW_OKAY(ctw_cluster_update(c, t += 1, spare ? 0.1 : 1.0, NULL, NULL));
            if (spare) hindsight += fmin(101 * length, 1 * length + 5000);
            if (!spare) needed_s += length;
        }
        /* Each update says the load of the second before it, so the spare one may stay awake a second longer or less.
         */
        double spent = number(c, "idle_joule") - 100 * t - 101 * needed_s;
        ck_assert(spent <= 2.0 * hindsight + 200 * 101 + 10000);
        ctw_cluster_unref(c);
    }
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(never_pays)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static const double low[] = {50, 50}, high[] = {50, 60}, zero[] = {0, 0};
    ctw_cluster *c;
    uint64_t awake;
    CTW_OKAY(ctw_cluster_new(ctx, NULL, &c));
    CTW_OKAY(ctw_cluster_set_servers(c, 2, NULL, low, high, zero, zero));
    for (double t = 0; t < 1e5; t += 100) CTW_OKAY(ctw_cluster_update(c, t, 0, NULL, &awake));
    ck_assert(awake == 2);
    ctw_cluster_unref(c);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(errors)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static const double neg[N] = {1, -1, 1, 1, 1, 1, 1, 1};
    ctw_cluster *c = NULL;
    ctw_report *r;
    CTW_FAILS(ctw_cluster_new(ctx, NULL, NULL), CTW_E_ARG, "out");
    CTW_FAILS(ctw_cluster_new(NULL, NULL, &c), CTW_E_ARG, "ctx");
    CTW_OKAY(ctw_cluster_new(ctx, NULL, &c));
    CTW_FAILS(ctw_cluster_update(c, 0, 1, NULL, NULL), CTW_E_STATE, "servers");
    CTW_FAILS(ctw_cluster_set_servers(c, 0, NULL, idle, asleep, wake_s, wake_joule), CTW_E_RANGE, "n");
    CTW_FAILS(ctw_cluster_set_servers(c, N, neg, idle, asleep, wake_s, wake_joule), CTW_E_RANGE, "capacity");
    CTW_FAILS(ctw_cluster_set_servers(c, N, NULL, neg, asleep, wake_s, wake_joule), CTW_E_RANGE, "idle_watts");
    CTW_FAILS(ctw_cluster_set_servers(c, N, NULL, idle, neg, wake_s, wake_joule), CTW_E_RANGE, "sleep_watts");
    CTW_FAILS(ctw_cluster_set_servers(c, N, NULL, idle, asleep, neg, wake_joule), CTW_E_RANGE, "wake_s");
    CTW_FAILS(ctw_cluster_set_servers(c, N, NULL, idle, asleep, wake_s, NULL), CTW_E_ARG, "wake_joule");
    CTW_OKAY(ctw_cluster_set_servers(c, N, NULL, idle, asleep, wake_s, wake_joule));
    CTW_OKAY(ctw_cluster_update(c, 5, 1, NULL, NULL));
    CTW_FAILS(ctw_cluster_update(c, 4, 1, NULL, NULL), CTW_E_RANGE, "now_s");
    CTW_FAILS(ctw_cluster_update(c, 6, -1, NULL, NULL), CTW_E_RANGE, "load");
    CTW_FAILS(ctw_cluster_update(c, NAN, 1, NULL, NULL), CTW_E_NONFINITE, "now_s");
    CTW_FAILS(ctw_cluster_update(NULL, 6, 1, NULL, NULL), CTW_E_ARG, "c");
    CTW_FAILS(ctw_cluster_report(c, NULL), CTW_E_ARG, "out");
    CTW_FAILS(ctw_cluster_report(NULL, &r), CTW_E_ARG, "c");
    ctw_cluster_unref(c);
    ctw_cluster_unref(NULL);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"sleeps_and_wakes", sleeps_and_wakes},
        {"waking_takes_time", waking_takes_time},
        {"twice_hindsight", twice_hindsight},
        {"never_pays", never_pays},
        {"errors", errors},
    };
    return ctw_test_main("api-cluster", cases, sizeof cases / sizeof *cases, 20);
}
