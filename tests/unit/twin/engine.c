/* White-box tests of the twin: event order against a sorted list, the gamma tail against closed forms, power and work
 * accounts by hand, the response-time model against a simulation. */
#include "num/rng.h"
#include "num/sort.h"
#include "small_day.h"
#include "test.h"
#include "twin/gammaq.h"
#include "twin/twin_internal.h"
#include <math.h>
#include <stdlib.h>

static ctw_ctx *ctx;

START_TEST(event_order)
{
    enum { N = 5000 };
    ctw_twin__heap h = {0};
    ctw_num__rng g;
    ctw_num__rng_init(&g, 5, 1, 1);
    double last = -1.0;
    uint64_t last_seq = 0;
    size_t live = 0, popped = 0;
    for (size_t i = 0; i < 3 * N; i++) {
        if (live < N && (i % 3 || live == 0)) {
            /* coarse times, so that many are equal; never before what has been popped */
            double at = fmax(last, 0.0) + (double)ctw_num__rng_below(&g, 20);
            ck_assert_int_eq(ctw_twin__heap_push(ctx, &h, at, CTW_EV_JOB, i, i), CTW_OK);
            live++;
        } else {
            ctw_twin__event e = ctw_twin__heap_pop(&h);
            ck_assert(e.time > last || (e.time >= last && (popped == 0 || e.seq > last_seq || e.time > last)));
            ck_assert_uint_eq(e.idx, e.version);
            last = e.time;
            last_seq = e.seq;
            live--;
            popped++;
        }
    }
    ck_assert_uint_eq(h.n, live);
    /* any order becomes a heap again */
    for (size_t i = 0; i < h.n / 2; i++) {
        ctw_twin__event t = h.at[i];
        h.at[i] = h.at[h.n - 1 - i];
        h.at[h.n - 1 - i] = t;
    }
    ctw_twin__heap_build(&h);
    for (double at = -1.0; h.n > 0;) {
        ctw_twin__event e = ctw_twin__heap_pop(&h);
        ck_assert(e.time >= at);
        at = e.time;
    }
    ctw_base__free(ctx, h.at);
}
END_TEST

START_TEST(gamma_tail)
{
    for (double x = 0.01; x < 60.0; x *= 1.3) {
        /* integer shapes: a Poisson sum; shape 1/2: the error function */
        double term = exp(-x), sum = term;
        for (int k = 1; k < 5; k++) {
            ck_assert(fabs(ctw_twin__gammaq(k, x) - sum) < 1e-11);
            term *= x / k;
            sum += term;
        }
        ck_assert(fabs(ctw_twin__gammaq(0.5, x) - erfc(sqrt(x))) < 1e-11);
    }
    ck_assert(ctw_twin__gammaq(3.0, 0.0) >= 1.0);
    ck_assert(ctw_twin__gammaq(3.0, 1e4) <= 1e-300);
}
END_TEST

/* One server, one class, constant intensity: every account can be written down. */
static ctw_twin *lonely(double ci, int slow)
{
    static const double level[] = {0.5, 1.0};
    const int64_t zero = 0;
    ctw_twin *t = NULL;
    CTW_OKAY(ctw_twin_new(ctx, NULL, &t));
    CTW_OKAY(ctw_twin_add_region(t, 0, &ci, 1, 3600.0));
    CTW_OKAY(ctw_twin_add_class(t, 0, 10.0, 100.0, 300.0, 2.0, level, 2));
    CTW_OKAY(ctw_twin_add_servers(t, &zero, &zero, &zero, 1));
    const double at = 100.0, cores = 4.0, work = 1000.0, deadline = INFINITY, membound = 0.0;
    CTW_OKAY(ctw_twin_add_jobs(t, &zero, &zero, &at, &cores, &work, &work, &deadline, &membound, 1));
    if (slow) CTW_OKAY(ctw_twin_add_fault(t, CTW_FAULT_SLOWDOWN, 0, 600.0, 1e6, 0.5));
    return t;
}

static double figure(const ctw_twin *t, const char *key)
{
    ctw_report *r;
    double v = NAN;
    CTW_OKAY(ctw_twin_report(t, &r));
    CTW_OKAY(ctw_report_get_f64(r, key, &v));
    ctw_report_unref(r);
    return v;
}

START_TEST(accounts)
{
    ctw_twin *t = lonely(250.0, 0);
    CTW_OKAY(ctw_twin_run(t, 90000.0, NULL)); /* idle power ends with the day at 86400 s */
    double idle = 100.0 * 86400.0 / 3600.0 / 1000.0, job = 200.0 * 0.4 * 1000.0 / 3600.0 / 1000.0;
    ck_assert(fabs(figure(t, "energy_idle_kwh") - idle) < 1e-9);
    ck_assert(fabs(figure(t, "energy_jobs_kwh") - job) < 1e-9);
    ck_assert(fabs(figure(t, "carbon_g") - 250.0 * (idle + job)) < 1e-6);
    ck_assert(fabs(t->job[0].finish_s - 1100.0) < 1e-9);
    ctw_twin_unref(t);
    t = lonely(250.0, 1); /* half the work is left when the server slows down to half its speed */
    CTW_OKAY(ctw_twin_run(t, 5000.0, NULL));
    ck_assert(fabs(t->job[0].finish_s - 1600.0) < 1e-9);
    ctw_twin_unref(t);
}
END_TEST

START_TEST(lost_work)
{
    ctw_twin *t = lonely(250.0, 0);
    CTW_OKAY(ctw_twin_add_fault(t, CTW_FAULT_SERVER_LOSS, 0, 850.0, 2000.0, 0.0));
    CTW_OKAY(ctw_twin_run(t, 10000.0, NULL));
    /* 750 s done, 600 of them behind a checkpoint; noticed at once or not, nothing runs before the server is back */
    ck_assert(fabs(t->job[0].finish_s - 2400.0) < 1e-9);
    ck_assert(fabs(figure(t, "worst_delay_s")) < 1e-9);
    ctw_twin_unref(t);
}
END_TEST

/* M/M/1 with processor sharing in tandem: the twin's tail against drawn sums of exponentials. */
START_TEST(tails)
{
    static const double level[] = {1.0};
    const int64_t id[] = {0, 1, 2}, zero[] = {0, 0, 0};
    const double ci = 100.0, rate = 300.0;
    ctw_twin *t = NULL;
    CTW_OKAY(ctw_twin_new(ctx, NULL, &t));
    CTW_OKAY(ctw_twin_add_region(t, 0, &ci, 1, 3600.0));
    CTW_OKAY(ctw_twin_add_class(t, 0, 8.0, 100.0, 300.0, 2.0, level, 1));
    CTW_OKAY(ctw_twin_add_servers(t, id, zero, zero, 3));
    CTW_OKAY(ctw_twin_add_service(t, 0, 0, 3, 1, 8.0, 0.02, 0.0, 0.04, &rate, 1, 60.0));
    CTW_OKAY(ctw_twin_run(t, 60.0, NULL));
    ctw_num__rng g;
    ctw_num__rng_init(&g, 6, 1, 1);
    int late = 0, n = 200000;
    for (int i = 0; i < n; i++) {
        double sum = 0.0;
        for (int c = 0; c < 3; c++) sum += ctw_num__rng_exponential(&g) / (8.0 / 0.02 - rate);
        late += sum > 0.04;
    }
    ck_assert_msg(fabs(t->service[0].tail - (double)late / n) < 0.005, "tail %g, drawn %g", t->service[0].tail,
                  (double)late / n);
    ctw_twin_unref(t);
}
END_TEST

/* A state with any one field out of its bounds is refused. */
START_TEST(validation)
{
    ctw_twin *t = NULL;
    CTW_OKAY(small_day(ctx, DAY_PARTS | DAY_FAULTS, &t));
    CTW_OKAY(ctw_twin_run(t, 9010.0, NULL));
    CTW_OKAY(ctw_twin__validate(t, "test"));
    struct {
        void *at;
        double bad;
        int size;
    } fields[] = {{&t->region[0].step_s, 7.0, 8},     {&t->region[1].stuck_value, NAN, 8},
                  {&t->klass[0].cores, -1.0, 8},      {&t->klass[1].level[1], 0.2, 8},
                  {&t->server[3].region, 9, 4},       {&t->server[3].level, 99, 4},
                  {&t->server[2].speed, 2.0, 8},      {&t->server[8].request, 40000, 4},
                  {&t->service[0].components, 77, 4}, {&t->service[1].work_s, 0.0, 8},
                  {&t->replica[2].server, 99, 4},     {&t->replica[2].component, 5, 4},
                  {&t->job[39].state, 1, 4},          {&t->job[1].left_s, 1e9, 8},
                  {&t->job[39].deadline_s, NAN, 8},   {&t->request[0].state, 2, 4},
                  {&t->request[299].tokens, -5.0, 8}, {&t->fault[0].target, 99, 4},
                  {&t->fault[2].magnitude, 0.0, 8},   {&t->heap.at[0].kind, 99, 4},
                  {&t->heap.at[1].time, 5.0, 8},      {&t->now, -1.0, 8},
                  {&t->waiting[0], 1000, 4},          {&t->llm.at[0], 1, 4},
                  {&t->llm.membound, 2.0, 8}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (fields[i].size == 8) {
            double keep = *(double *)fields[i].at;
            *(double *)fields[i].at = fields[i].bad;
            ck_assert_msg(ctw_twin__validate(t, "test") == CTW_E_FORMAT, "field %zu passed", i);
            *(double *)fields[i].at = keep;
        } else {
            uint32_t keep = *(uint32_t *)fields[i].at;
            *(uint32_t *)fields[i].at = (uint32_t)fields[i].bad;
            ck_assert_msg(ctw_twin__validate(t, "test") == CTW_E_FORMAT, "field %zu passed", i);
            *(uint32_t *)fields[i].at = keep;
        }
    }
    CTW_OKAY(ctw_twin__validate(t, "test"));
    /* an event of a version its target has not reached would end something else later */
    size_t later = 0;
    for (size_t i = 0; i < t->heap.n; i++) {
        ctw_twin__event *e = &t->heap.at[i];
        if (e->kind != CTW_EV_JOB_DONE && e->kind != CTW_EV_ANSWER && e->kind != CTW_EV_REPLICA_UP) continue;
        uint64_t keep = e->version;
        e->version += 1000;
        ck_assert_int_eq(ctw_twin__validate(t, "test"), CTW_E_FORMAT);
        e->version = keep;
        later++;
    }
    ck_assert(later > 0);
    CTW_OKAY(ctw_twin__validate(t, "test"));
    ctw_twin_unref(t);
}
END_TEST

int main(void)
{
    static ctw_test_case cases[6];
    size_t n = 0;
    cases[n++] = (ctw_test_case){"event_order", event_order};
    cases[n++] = (ctw_test_case){"gamma_tail", gamma_tail};
    cases[n++] = (ctw_test_case){"accounts", accounts};
    cases[n++] = (ctw_test_case){"lost_work", lost_work};
    cases[n++] = (ctw_test_case){"tails", tails};
    cases[n++] = (ctw_test_case){"validation", validation};
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 1;
    int rc = ctw_test_main("unit-twin", cases, n, 30);
    ctw_ctx_unref(ctx);
    return rc;
}
