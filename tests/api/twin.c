/* Contract of twin.h: a day with and without parts, faults and recovery, bad input and order, clones, save and load. */
#include "small_day.h"
#include "test.h"
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define END_S (20 * 3600.0)

static ctw_ctx *ctx;

static ctw_twin *day(int what)
{
    ctw_twin *t = NULL;
    CTW_OKAY(small_day(ctx, what, &t));
    return t;
}

static double value(const ctw_twin *t, const char *key)
{
    ctw_report *r;
    double v = NAN;
    CTW_OKAY(ctw_twin_report(t, &r));
    CTW_OKAY(ctw_report_get_f64(r, key, &v));
    ctw_report_unref(r);
    return v;
}

static double nth(const ctw_twin *t, const char *key, uint64_t i)
{
    ctw_report *r;
    const double *v;
    uint64_t n;
    CTW_OKAY(ctw_twin_report(t, &r));
    CTW_OKAY(ctw_report_series(r, key, &v, &n));
    ck_assert(i < n);
    double x = v[i];
    ctw_report_unref(r);
    return x;
}

static unsigned char *saved(const ctw_twin *t, uint64_t *n)
{
    CTW_OKAY(ctw_twin_save_mem(t, NULL, 0, n));
    unsigned char *buf = malloc(*n);
    CTW_OKAY(ctw_twin_save_mem(t, buf, *n, n));
    return buf;
}

/* Solver times are measured, everything else must repeat to the bit. */
static void assert_same(const ctw_twin *a, const ctw_twin *b)
{
    ctw_report *ra, *rb;
    CTW_OKAY(ctw_twin_report(a, &ra));
    CTW_OKAY(ctw_twin_report(b, &rb));
    ck_assert_uint_eq(ctw_report_count(ra), ctw_report_count(rb));
    for (uint64_t i = 0; i < ctw_report_count(ra); i++) {
        const char *key;
        int32_t type;
        CTW_OKAY(ctw_report_at(ra, i, &key, &type));
        if (strcmp(key, "solver_s") == 0) continue;
        if (type == CTW_T_SERIES) {
            const double *va, *vb;
            uint64_t na, nb;
            CTW_OKAY(ctw_report_series(ra, key, &va, &na));
            CTW_OKAY(ctw_report_series(rb, key, &vb, &nb));
            ck_assert_msg(na == nb && (na == 0 || memcmp(va, vb, na * sizeof *va) == 0), "series %s differs", key);
        } else {
            double va, vb;
            CTW_OKAY(ctw_report_get_f64(ra, key, &va));
            CTW_OKAY(ctw_report_get_f64(rb, key, &vb));
            ck_assert_msg(memcmp(&va, &vb, sizeof va) == 0, "%s: %.17g and %.17g", key, va, vb);
        }
    }
    ctw_report_unref(ra);
    ctw_report_unref(rb);
}

START_TEST(whole_day)
{
    ctw_twin *base = day(DAY_FAULTS), *twin = day(DAY_ALL);
    CTW_OKAY(ctw_twin_run(base, END_S, NULL));
    CTW_OKAY(ctw_twin_run(twin, END_S, NULL));
    ck_assert(ctw_twin_now(twin) >= END_S && ctw_twin_now(NULL) <= 0.0);
    for (int i = 0; i < 2; i++) {
        const ctw_twin *t = i ? twin : base;
        ck_assert_int_eq((int)value(t, "jobs_done"), 40);
        ck_assert_int_eq((int)value(t, "llm_done"), 300);
        ck_assert(value(t, "slo_attainment") > 0.5 && value(t, "slo_attainment") <= 1.0);
        double sum = value(t, "carbon_idle_g") + value(t, "carbon_services_g") + value(t, "carbon_jobs_g") +
                     value(t, "carbon_llm_g");
        ck_assert(fabs(sum - value(t, "carbon_g")) < 1e-6 * sum);
        ck_assert_int_eq((int)value(t, "part_failures"), 0);
    }
    ck_assert(value(twin, "carbon_g") < 0.97 * value(base, "carbon_g"));
    ck_assert(value(twin, "slo_attainment") >= value(base, "slo_attainment"));
    ck_assert(value(twin, "plans") > 5);
    ck_assert(value(twin, "agent_steps") > 100 && value(twin, "agent_headroom") >= 1.0);
    ck_assert(fabs(value(base, "agent_headroom") - 1.25) < 1e-12 && value(base, "agent_steps") <= 0.0);
    /* the slow server: never found without a localiser, found and left with one */
    ck_assert_int_eq((int)nth(base, "fault_found", 2), -1);
    ck_assert_int_eq((int)nth(twin, "fault_found", 2), 2);
    ck_assert(nth(twin, "fault_recover_s", 2) < nth(base, "fault_recover_s", 2));
    /* the stuck sensor: the watch steps back within a few of its steps */
    ck_assert(value(twin, "abstained") > 0);
    ck_assert(nth(twin, "fault_recover_s", 3) <= 4 * 3600.0);
    /* the lost server: its replicas are back after heartbeat and restart */
    ck_assert(nth(base, "fault_recover_s", 0) >= 60.0 && nth(base, "fault_recover_s", 0) <= 600.0);
    ctw_twin_unref(base);
    ctw_twin_unref(twin);
}
END_TEST

START_TEST(in_steps_and_clones)
{
    ctw_twin *once = day(DAY_ALL), *steps = day(DAY_ALL), *clone = NULL, *loaded = NULL;
    CTW_OKAY(ctw_twin_run(once, END_S, NULL));
    for (double at = 1000.0; at < END_S; at += 3333.0) CTW_OKAY(ctw_twin_run(steps, at, NULL));
    CTW_OKAY(ctw_twin_run(steps, END_S, NULL));
    ck_assert(fabs(value(once, "carbon_g") - value(steps, "carbon_g")) < 1e-9 * value(once, "carbon_g"));
    ctw_twin_unref(once);
    ctw_twin_unref(steps);
    /* in the middle of everything: a clone, and a saved and loaded twin, go the same way */
    ctw_twin *t = day(DAY_PARTS | DAY_FAULTS);
    CTW_OKAY(ctw_twin_run(t, 9010.0, NULL));
    CTW_OKAY(ctw_twin_clone(t, &clone));
    uint64_t n, m;
    unsigned char *a = saved(t, &n), *b;
    CTW_OKAY(ctw_twin_load_mem(ctx, a, n, &loaded));
    b = saved(loaded, &m);
    ck_assert(n == m && memcmp(a, b, n) == 0);
    free(b);
    CTW_OKAY(ctw_twin_run(t, END_S, NULL));
    CTW_OKAY(ctw_twin_run(clone, END_S, NULL));
    CTW_OKAY(ctw_twin_run(loaded, END_S, NULL));
    assert_same(t, clone);
    assert_same(t, loaded);
    free(a);
    ctw_twin_unref(t);
    ctw_twin_unref(clone);
    ctw_twin_unref(loaded);
}
END_TEST

static void *run_clone(void *twin)
{
    static const char *const failed = "failed";
    return ctw_twin_run(twin, END_S, NULL) == CTW_OK ? NULL : (void *)(uintptr_t)failed;
}

START_TEST(parallel_clones)
{
    ctw_twin *t = day(DAY_ALL), *clone[3];
    pthread_t thread[3];
    CTW_OKAY(ctw_twin_run(t, 3600.0, NULL));
    for (int i = 0; i < 3; i++) CTW_OKAY(ctw_twin_clone(t, &clone[i]));
    for (int i = 0; i < 3; i++) ck_assert_int_eq(pthread_create(&thread[i], NULL, run_clone, clone[i]), 0);
    CTW_OKAY(ctw_twin_run(t, END_S, NULL));
    for (int i = 0; i < 3; i++) {
        void *bad = NULL;
        pthread_join(thread[i], &bad);
        ck_assert_ptr_null(bad);
        assert_same(t, clone[i]);
        ctw_twin_unref(clone[i]);
    }
    ctw_twin_unref(t);
}
END_TEST

START_TEST(files)
{
    ctw_twin *t = day(DAY_PARTS), *l = NULL;
    const char *path = ctw_test_tmp("twin.ctw");
    CTW_OKAY(ctw_twin_run(t, 5000.0, NULL));
    CTW_OKAY(ctw_twin_save_file(t, path));
    CTW_OKAY(ctw_twin_load_file(ctx, path, &l));
    ctw_twin_unref(l);
    CTW_FAILS(ctw_twin_load_file(ctx, "/nonexistent/twin", &l), CTW_E_IO, NULL);
    CTW_FAILS(ctw_twin_save_file(t, "/nonexistent/twin"), CTW_E_IO, NULL);
    uint64_t n, need;
    unsigned char *buf = saved(t, &n);
    CTW_FAILS(ctw_twin_save_mem(t, buf, 10, &need), CTW_E_BUFFER, NULL);
    ck_assert_uint_eq(need, n);
    for (uint64_t i = 0; i < n; i += n / 150) {
        buf[i] ^= 0x20;
        ck_assert(ctw_twin_load_mem(ctx, buf, n, &l) < 0);
        ck_assert_ptr_null(l);
        buf[i] ^= 0x20;
        ck_assert(ctw_twin_load_mem(ctx, buf, i, &l) < 0);
    }
    ctw_guard *g;
    CTW_FAILS(ctw_guard_load_mem(ctx, buf, n, &g), CTW_E_KIND, NULL);
    free(buf);
    ctw_twin_unref(t);
}
END_TEST

/* Files of the first version and of those with agents stay readable and mean what they meant. */
START_TEST(golden_files)
{
    static const struct {
        const char *name;
        double carbon_g, steps, headroom;
    } rows[] = {{"twin/twin-1.ctw", 131.92847222222173, 0.0, 1.25},
                {"twin/twin-2.ctw", 131.92847222222173, 145.0, 1.1935344827586207}};
    for (size_t i = 0; i < 2; i++) {
        ctw_twin *t = NULL;
        CTW_OKAY(ctw_twin_load_file(ctx, ctw_test_golden(rows[i].name), &t));
        CTW_OKAY(ctw_twin_run(t, 9000.0, NULL));
        ck_assert(fabs(value(t, "carbon_g") - rows[i].carbon_g) < 1e-6);
        ck_assert(fabs(value(t, "agent_steps") - rows[i].steps) < 0.5);
        ck_assert(fabs(value(t, "agent_headroom") - rows[i].headroom) < 1e-9);
        ctw_twin_unref(t);
    }
}
END_TEST

START_TEST(installation_errors)
{
    const double ci[] = {100, 200}, falling[] = {1.0, 0.5}, low[] = {0.5, 0.9}, nan_ci[] = {100, NAN}, one[] = {1.0};
    const int64_t id[] = {1, 2}, twice[] = {3, 3}, zero[] = {0, 0}, nine[] = {9, 9};
    ctw_twin *t = NULL;
    CTW_FAILS(ctw_twin_new(ctx, NULL, NULL), CTW_E_ARG, "out");
    CTW_FAILS(ctw_twin_new(NULL, NULL, &t), CTW_E_ARG, NULL);
    CTW_OKAY(ctw_twin_new(ctx, NULL, &t));
    CTW_FAILS(ctw_twin_run(t, 10.0, NULL), CTW_E_STATE, "servers");
    CTW_FAILS(ctw_twin_add_region(t, 0, nan_ci, 2, 3600), CTW_E_NONFINITE, "g_per_kwh");
    CTW_FAILS(ctw_twin_add_region(t, 0, ci, 0, 3600), CTW_E_RANGE, "n");
    CTW_FAILS(ctw_twin_add_region(t, 0, NULL, 2, 3600), CTW_E_ARG, "g_per_kwh");
    CTW_FAILS(ctw_twin_add_region(t, 0, ci, 2, 90), CTW_E_RANGE, "slot_s");
    CTW_OKAY(ctw_twin_add_region(t, 0, ci, 2, 3600));
    CTW_FAILS(ctw_twin_add_region(t, 0, ci, 2, 3600), CTW_E_KEY, "already");
    CTW_FAILS(ctw_twin_add_class(t, 0, 8, 100, 50, 2, one, 1), CTW_E_RANGE, "peak_w");
    CTW_FAILS(ctw_twin_add_class(t, 0, -8, 100, 150, 2, one, 1), CTW_E_RANGE, "cores");
    CTW_FAILS(ctw_twin_add_class(t, 0, 8, 100, 150, 2, falling, 2), CTW_E_RANGE, "level");
    CTW_FAILS(ctw_twin_add_class(t, 0, 8, 100, 150, 2, low, 2), CTW_E_RANGE, "must be 1");
    CTW_OKAY(ctw_twin_add_class(t, 0, 8, 100, 150, 2, one, 1));
    CTW_FAILS(ctw_twin_add_class(t, 0, 8, 100, 150, 2, one, 1), CTW_E_KEY, "already");
    CTW_FAILS(ctw_twin_add_servers(t, id, nine, zero, 2), CTW_E_KEY, "region 9");
    CTW_FAILS(ctw_twin_add_servers(t, id, zero, nine, 2), CTW_E_KEY, "class 9");
    CTW_FAILS(ctw_twin_add_servers(t, twice, zero, zero, 2), CTW_E_KEY, "server 3");
    CTW_OKAY(ctw_twin_add_servers(t, id, zero, zero, 2));
    CTW_FAILS(ctw_twin_add_servers(t, id, zero, zero, 1), CTW_E_KEY, "server 1");
    CTW_FAILS(ctw_twin_add_service(t, 0, 0, 1, 3, 6, 0.01, 0, 0.1, one, 1, 60), CTW_E_INFEASIBLE, "cores left");
    CTW_FAILS(ctw_twin_add_service(t, 0, 0, 1, 3, 6, 0, 0, 0.1, one, 1, 60), CTW_E_RANGE, "work_s");
    CTW_FAILS(ctw_twin_add_service(t, 0, 9, 1, 1, 6, 0.01, 0, 0.1, one, 1, 60), CTW_E_KEY, "region 9");
    CTW_OKAY(ctw_twin_add_service(t, 0, 0, 1, 1, 6, 0.01, 0, 0.1, one, 1, 60));
    CTW_FAILS(ctw_twin_add_service(t, 0, 0, 1, 1, 6, 0.01, 0, 0.1, one, 1, 60), CTW_E_KEY, "already");
    CTW_FAILS(ctw_twin_add_requests(t, one, one, one, 1), CTW_E_STATE, "set_llm");
    CTW_FAILS(ctw_twin_set_llm(t, nine, 1, 1, 0.1, 0.5, 10, 2), CTW_E_KEY, "server 9");
    CTW_FAILS(ctw_twin_set_llm(t, id, 2, 1, 0.1, 0.5, 10, 2), CTW_E_STATE, "hosts");
    CTW_FAILS(ctw_twin_set_llm(t, id + 1, 1, 1, 0, 0.5, 10, 2), CTW_E_RANGE, "per_token_s");
    CTW_OKAY(ctw_twin_set_llm(t, id + 1, 1, 1, 0.1, 0.5, 10, 2));
    CTW_FAILS(ctw_twin_set_llm(t, id + 1, 1, 1, 0.1, 0.5, 10, 2), CTW_E_STATE, "already");
    ctw_twin_unref(t);
}
END_TEST

START_TEST(work_errors)
{
    ctw_twin *t = day(0);
    const int64_t id = 7, zero = 0, nine = 9;
    double at = 10, cores = 2, work = 100, late = 5, deadline = 500, mb = 0.5, big = 99, never = INFINITY;
    CTW_FAILS(ctw_twin_add_jobs(t, &id, &zero, &at, &big, &work, &work, &deadline, &mb, 1), CTW_E_INFEASIBLE, "job 7");
    CTW_FAILS(ctw_twin_add_jobs(t, &id, &zero, &at, &cores, &work, &work, &late, &mb, 1), CTW_E_RANGE, "deadline");
    CTW_FAILS(ctw_twin_add_jobs(t, &id, &nine, &at, &cores, &work, &work, &deadline, &mb, 1), CTW_E_KEY, "region 9");
    CTW_FAILS(ctw_twin_add_jobs(t, &id, &zero, &at, &cores, &work, NULL, &deadline, &mb, 1), CTW_E_ARG, "predicted_s");
    CTW_OKAY(ctw_twin_add_jobs(t, &id, &zero, &at, &cores, &work, &work, &never, &mb, 1));
    CTW_OKAY(ctw_twin_add_jobs(t, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0));
    CTW_FAILS(ctw_twin_add_fault(t, 9, 0, 1, 2, 0.5), CTW_E_RANGE, "kind");
    CTW_FAILS(ctw_twin_add_fault(t, CTW_FAULT_SLOWDOWN, 0, 1, 2, 0), CTW_E_RANGE, "magnitude");
    CTW_FAILS(ctw_twin_add_fault(t, CTW_FAULT_SERVER_LOSS, 77, 1, 2, 0), CTW_E_KEY, "server 77");
    CTW_FAILS(ctw_twin_add_fault(t, CTW_FAULT_SENSOR_STUCK, 77, 1, 2, 0), CTW_E_KEY, "region 77");
    CTW_FAILS(ctw_twin_add_fault(t, CTW_FAULT_SERVER_LOSS, 0, 3, 2, 0), CTW_E_RANGE, "end_s");
    CTW_OKAY(ctw_twin_run(t, 100.0, NULL));
    CTW_FAILS(ctw_twin_run(t, 50.0, NULL), CTW_E_RANGE, "until_s");
    CTW_FAILS(ctw_twin_run(t, NAN, NULL), CTW_E_NONFINITE, "until_s");
    CTW_FAILS(ctw_twin_add_jobs(t, &id, &zero, &at, &cores, &work, &work, &deadline, &mb, 1), CTW_E_RANGE, "already");
    CTW_FAILS(ctw_twin_add_region(t, 5, &work, 1, 3600), CTW_E_STATE, "fixed");
    at = 200; /* the future is open */
    CTW_OKAY(ctw_twin_add_jobs(t, &id, &zero, &at, &cores, &work, &work, &deadline, &mb, 1));
    CTW_OKAY(ctw_twin_add_requests(t, &at, &work, &work, 1));
    CTW_OKAY(ctw_twin_run(t, END_S, NULL));
    ck_assert_int_eq((int)value(t, "jobs_done"), 42);
    ctw_twin_unref(t);
}
END_TEST

static int32_t stop_at_three(void *user, uint64_t step, double share, double best)
{
    int *calls = user;
    (void)step;
    ck_assert(share >= 0.0 && share <= 1.0 && best >= 0.0);
    return ++*calls == 3;
}

START_TEST(stopping)
{
    ctw_twin *t = day(DAY_PARTS), *other = day(DAY_PARTS);
    ctw_cancel *c;
    int calls = 0;
    CTW_OKAY(ctw_cancel_new(ctx, &c));
    ctw_cancel_request(c);
    CTW_FAILS(ctw_twin_run(t, END_S, c), CTW_E_CANCELLED, NULL);
    ctw_cancel_reset(c);
    CTW_OKAY(ctw_cancel_set_deadline(c, 0.0));
    CTW_FAILS(ctw_twin_run(t, END_S, c), CTW_E_DEADLINE, NULL);
    ctw_cancel_unref(c);
    CTW_OKAY(ctw_twin_set_progress(t, stop_at_three, &calls));
    CTW_FAILS(ctw_twin_run(t, END_S, NULL), CTW_E_CANCELLED, "progress");
    CTW_OKAY(ctw_twin_set_progress(t, NULL, NULL));
    CTW_OKAY(ctw_twin_run(t, END_S, NULL)); /* continued, it ends where one run ends */
    CTW_OKAY(ctw_twin_run(other, END_S, NULL));
    ck_assert(fabs(value(t, "carbon_g") - value(other, "carbon_g")) < 1e-9 * value(other, "carbon_g"));
    ctw_twin_unref(t);
    ctw_twin_unref(other);
    ctw_params *p;
    CTW_OKAY(ctw_params_new(ctx, "twin", &p));
    CTW_OKAY(ctw_params_set_i64(p, "max_events", 50));
    CTW_OKAY(ctw_twin_new(ctx, p, &t));
    const double ci = 100, level = 1;
    const int64_t zero = 0;
    CTW_OKAY(ctw_twin_add_region(t, 0, &ci, 1, 3600));
    CTW_OKAY(ctw_twin_add_class(t, 0, 8, 100, 150, 2, &level, 1));
    CTW_OKAY(ctw_twin_add_servers(t, &zero, &zero, &zero, 1));
    CTW_FAILS(ctw_twin_run(t, END_S, NULL), CTW_E_RANGE, "max_events");
    CTW_FAILS(ctw_twin_run(t, END_S, NULL), CTW_E_STATE, "earlier run");
    ctw_twin_unref(t);
    ctw_params_unref(p);
}
END_TEST

START_TEST(parts_in_and_out)
{
    ctw_twin *t = day(DAY_ALL);
    ctw_params *q;
    CTW_OKAY(ctw_twin_run(t, 3 * 3600.0, NULL));
    CTW_OKAY(ctw_twin_set_forecast(t, 0, NULL));
    CTW_OKAY(ctw_twin_set_guard(t, 0, NULL, NULL, NULL, 0));
    CTW_OKAY(ctw_twin_set_power(t, 0, NULL));
    CTW_OKAY(ctw_twin_set_place(t, NULL));
    CTW_OKAY(ctw_twin_set_queue(t, NULL));
    CTW_OKAY(ctw_twin_set_rca(t, NULL));
    CTW_OKAY(ctw_twin_run(t, 6 * 3600.0, NULL));
    CTW_OKAY(ctw_params_new(ctx, "queue", &q));
    CTW_OKAY(ctw_twin_set_queue(t, q));
    CTW_FAILS(ctw_twin_set_place(t, q), CTW_E_KIND, "queue");
    ctw_params_unref(q);
    CTW_OKAY(ctw_params_new(ctx, "place", &q));
    CTW_OKAY(ctw_twin_set_place(t, q));
    ctw_params_unref(q);
    ctw_forecast *f;
    double h[400];
    small_day_signal(h, 400, 300.0);
    CTW_OKAY(ctw_forecast_new(ctx, NULL, &f));
    CTW_FAILS(ctw_twin_set_forecast(t, 0, f), CTW_E_STATE, NULL);
    CTW_OKAY(ctw_forecast_fit(f, h, 400, 1, NULL, 0, 0, NULL));
    CTW_OKAY(ctw_twin_set_forecast(t, 0, f));
    CTW_FAILS(ctw_twin_set_forecast(t, 55, f), CTW_E_KEY, "region 55");
    CTW_FAILS(ctw_twin_set_guard(t, 0, NULL, NULL, h, 3), CTW_E_RANGE, "n");
    CTW_FAILS(ctw_twin_set_power(t, 55, NULL), CTW_E_KEY, "class 55");
    ctw_forecast_unref(f);
    CTW_OKAY(ctw_twin_run(t, END_S, NULL));
    ck_assert_int_eq((int)value(t, "jobs_done"), 40);
    ck_assert_int_eq((int)value(t, "llm_done"), 300);
    ctw_twin_unref(t);
}
END_TEST

START_TEST(agent_seat)
{
    ctw_twin *t = day(DAY_PARTS);
    ctw_agent *a = NULL, *learnt = NULL;
    ctw_params *p;
    CTW_OKAY(small_day_agent(ctx, 0.0, &a));
    CTW_FAILS(ctw_twin_set_agent(t, 77, a), CTW_E_KEY, "service 77");
    CTW_FAILS(ctw_twin_get_agent(t, 77, &learnt), CTW_E_KEY, "service 77");
    CTW_FAILS(ctw_twin_get_agent(t, 1, &learnt), CTW_E_STATE, "service 1");
    CTW_FAILS(ctw_twin_get_agent(t, 0, NULL), CTW_E_ARG, "out");
    CTW_FAILS(ctw_twin_set_agent(NULL, 0, a), CTW_E_ARG, "t");
    CTW_OKAY(ctw_twin_set_agent(t, 0, a));
    CTW_OKAY(ctw_twin_run(t, 7200.0, NULL));
    /* the twin's copy has learnt, the host's own has not */
    double w[6250], own[6250];
    uint64_t n;
    CTW_OKAY(ctw_twin_get_agent(t, 0, &learnt));
    CTW_OKAY(ctw_agent_get_weights(learnt, w, 6250, &n));
    CTW_OKAY(ctw_agent_get_weights(a, own, 6250, &n));
    ck_assert(memcmp(w, own, n * sizeof *w) != 0);
    ctw_agent_unref(a);
    CTW_OKAY(ctw_twin_set_agent(t, 1, learnt));
    ctw_agent_unref(learnt);
    CTW_OKAY(ctw_twin_set_agent(t, 0, NULL));
    CTW_OKAY(ctw_twin_run(t, 9000.0, NULL));
    /* other shapes are refused at once, and what was there stays */
    CTW_OKAY(ctw_params_new(ctx, "agent", &p));
    CTW_OKAY(ctw_params_set_i64(p, "states", 3));
    CTW_OKAY(ctw_agent_new(ctx, p, &a));
    CTW_FAILS(ctw_twin_set_agent(t, 1, a), CTW_E_SHAPE, NULL);
    CTW_OKAY(ctw_twin_get_agent(t, 1, &learnt));
    ctw_agent_unref(learnt);
    ctw_agent_unref(a);
    ctw_params_unref(p);
    ctw_twin_unref(t);
}
END_TEST

START_TEST(advice)
{
    ctw_twin *t = day(DAY_PARTS | DAY_FAULTS);
    int64_t server;
    double start, level;
    int32_t verdict;
    CTW_OKAY(ctw_twin_run(t, 3 * 3600.0, NULL)); /* the dirtiest hours of the wave: waiting pays */
    CTW_OKAY(ctw_twin_decide(t, 0, 2, 1800, 20 * 3600.0, 0.3, &server, &start, &level, &verdict));
    ck_assert(start > 3 * 3600.0 && server == -1 && verdict == CTW_GUARD_PASS);
    CTW_OKAY(ctw_twin_decide(t, 0, 2, 1800, 3 * 3600.0 + 1900, 0.3, &server, &start, &level, &verdict));
    ck_assert(start <= 3 * 3600.0 && server >= 0 && server < 8 && level >= 1.0);
    CTW_OKAY(ctw_twin_decide(t, 0, 2, 1800, INFINITY, 0.3, NULL, NULL, NULL, NULL));
    CTW_FAILS(ctw_twin_decide(t, 7, 2, 1800, INFINITY, 0.3, NULL, NULL, NULL, NULL), CTW_E_KEY, "region 7");
    CTW_FAILS(ctw_twin_decide(t, 0, 2, NAN, INFINITY, 0.3, NULL, NULL, NULL, NULL), CTW_E_NONFINITE, "predicted_s");
    CTW_FAILS(ctw_twin_decide(t, 0, 2, 10, NAN, 0.3, NULL, NULL, NULL, NULL), CTW_E_NONFINITE, "deadline_s");
    ctw_twin_unref(t);
    t = day(0); /* without a forecaster: now, and abstaining */
    CTW_OKAY(ctw_twin_decide(t, 0, 2, 1800, INFINITY, 0.3, &server, &start, &level, &verdict));
    ck_assert(start <= 0.0 && server >= 0 && level >= 1.0 && verdict == CTW_GUARD_ABSTAIN);
    ctw_calls *calls;
    CTW_OKAY(ctw_calls_new(ctx, NULL, &calls));
    CTW_FAILS(ctw_twin_sample_calls(t, calls), CTW_E_STATE, "not run");
    CTW_OKAY(ctw_twin_run(t, 60.0, NULL));
    CTW_OKAY(ctw_twin_sample_calls(t, calls));
    ck_assert_uint_eq(ctw_calls_traces(calls), 80);
    CTW_FAILS(ctw_twin_sample_calls(t, NULL), CTW_E_ARG, "calls");
    ctw_calls_unref(calls);
    ctw_twin_unref(t);
}
END_TEST

int main(void)
{
    static ctw_test_case cases[12];
    size_t n = 0;
    cases[n++] = (ctw_test_case){"whole_day", whole_day};
    cases[n++] = (ctw_test_case){"in_steps_and_clones", in_steps_and_clones};
    cases[n++] = (ctw_test_case){"parallel_clones", parallel_clones};
    cases[n++] = (ctw_test_case){"files", files};
    cases[n++] = (ctw_test_case){"golden_files", golden_files};
    cases[n++] = (ctw_test_case){"installation_errors", installation_errors};
    cases[n++] = (ctw_test_case){"work_errors", work_errors};
    cases[n++] = (ctw_test_case){"stopping", stopping};
    cases[n++] = (ctw_test_case){"parts_in_and_out", parts_in_and_out};
    cases[n++] = (ctw_test_case){"agent_seat", agent_seat};
    cases[n++] = (ctw_test_case){"advice", advice};
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 1;
    int rc = ctw_test_main("api-twin", cases, n, 60);
    ctw_ctx_unref(ctx);
    return rc;
}
