/* Contract of queue.h through the shared library: order, errors, limits, budget, report. */
#include "test.h"
#include <cybertwin/queue.h>
#include <math.h>
#include <pthread.h>

static ctw_ctx *ctx;

static ctw_queue *queue(const char *const *kv)
{
    ctw_params *p;
    ctw_queue *q;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    CTW_OKAY(ctw_params_new(ctx, "queue", &p));
    for (; kv && *kv; kv += 2) CTW_OKAY(ctw_params_set_text(p, kv[0], kv[1]));
    CTW_OKAY(ctw_queue_new(ctx, p, &q));
    ctw_params_unref(p);
    ctw_ctx_unref(ctx); /* the queue keeps it alive */
    return q;
}

static int64_t next(ctw_queue *q, double now)
{
    int64_t job;
    CTW_OKAY(ctw_queue_pop(q, now, &job));
    return job;
}

START_TEST(order)
{
    ctw_queue *q = queue((const char *[]){"ageing", "10", NULL});
    CTW_OKAY(ctw_queue_push(q, 1, 5, 1, 0));  /* key 50 */
    CTW_OKAY(ctw_queue_push(q, 2, 1, 1, 20)); /* key 30 */
    CTW_OKAY(ctw_queue_push(q, 3, 1, 1, 20)); /* key 30, later */
    CTW_OKAY(ctw_queue_push(q, 4, 6, 2, 20)); /* key 50, later */
    CTW_OKAY(ctw_queue_push(q, 5, 1, 1, 45)); /* key 55 */
    ck_assert_uint_eq(ctw_queue_size(q), 5);
    for (int64_t want = 2; want <= 3; want++) ck_assert_int_eq(next(q, 50), want);
    ck_assert_int_eq(next(q, 50), 1);
    ck_assert_int_eq(next(q, 50), 4);
    ck_assert_int_eq(next(q, 50), 5);
    ck_assert_int_eq(next(q, 50), -1);
    ctw_queue_unref(ctw_queue_ref(q));
    ctw_queue_unref(q);
    ctw_queue_unref(NULL);
    ck_assert_ptr_null(ctw_queue_ref(NULL));
    ck_assert_uint_eq(ctw_queue_size(NULL), 0);
}
END_TEST

START_TEST(bad_input)
{
    ctw_queue *q = queue((const char *[]){"capacity", "3", NULL}), *none;
    int64_t job;
    uint64_t n;
    CTW_FAILS(ctw_queue_new(NULL, NULL, &none), CTW_E_ARG, "ctx");
    CTW_FAILS(ctw_queue_push(NULL, 1, 1, 1, 0), CTW_E_ARG, "q");
    CTW_FAILS(ctw_queue_push(q, 1, NAN, 1, 0), CTW_E_NONFINITE, "predicted_s");
    CTW_FAILS(ctw_queue_push(q, 1, INFINITY, 1, 0), CTW_E_NONFINITE, "predicted_s");
    CTW_FAILS(ctw_queue_push(q, 1, -1, 1, 0), CTW_E_RANGE, "predicted_s");
    CTW_FAILS(ctw_queue_push(q, -1, 1, 1, 0), CTW_E_RANGE, "job is -1");
    CTW_FAILS(ctw_queue_push(q, 1, 1, 0, 0), CTW_E_RANGE, "weight");
    CTW_FAILS(ctw_queue_push(q, 1, 1, 1, NAN), CTW_E_NONFINITE, "now_s");
    CTW_OKAY(ctw_queue_push(q, 1, 1, 1, 5));
    CTW_FAILS(ctw_queue_push(q, 2, 1, 1, 4), CTW_E_RANGE, "before an earlier call's 5");
    CTW_FAILS(ctw_queue_push(q, 1, 1, 1, 6), CTW_E_KEY, "waits already");
    CTW_FAILS(ctw_queue_pop(q, 4, &job), CTW_E_RANGE, "now_s");
    CTW_FAILS(ctw_queue_pop(q, 5, NULL), CTW_E_ARG, "job");
    CTW_FAILS(ctw_queue_peek(q, 4, &job), CTW_E_RANGE, "now_s");
    CTW_FAILS(ctw_queue_repredict(q, 9, 1, 5), CTW_E_KEY, "does not wait");
    CTW_FAILS(ctw_queue_set_deadline(q, 1, NAN), CTW_E_NONFINITE, "deadline_s");
    CTW_FAILS(ctw_queue_set_weight(q, 1, -1), CTW_E_RANGE, "weight");
    CTW_FAILS(ctw_queue_requeue(q, 2, 1, 1, 9, 8), CTW_E_RANGE, "arrival_s");
    CTW_FAILS(ctw_queue_find(q, 3, NULL, NULL), CTW_E_KEY, "does not wait");
    CTW_FAILS(ctw_queue_observe(q, 0, 1), CTW_E_RANGE, "predicted_s");
    CTW_FAILS(ctw_queue_set_ageing(q, -1), CTW_E_RANGE, "ageing");
    CTW_FAILS(ctw_queue_pop_batch(q, 5, NULL, 2, &n), CTW_E_ARG, "job");
    const int64_t twice[] = {7, 7}, many[] = {7, 8, 9};
    const double work[] = {1, 1, 1}, bad[] = {1, NAN};
    CTW_FAILS(ctw_queue_push_batch(q, twice, work, NULL, 2, 5), CTW_E_KEY, "element 1");
    CTW_FAILS(ctw_queue_push_batch(q, many, work, NULL, 3, 5), CTW_E_RANGE, "limit of 3");
    CTW_FAILS(ctw_queue_push_batch(q, many, bad, NULL, 2, 5), CTW_E_NONFINITE, NULL);
    CTW_OKAY(ctw_queue_push_batch(q, NULL, NULL, NULL, 0, 5));
    ck_assert_uint_eq(ctw_queue_size(q), 1);
    CTW_OKAY(ctw_queue_push_batch(q, many, work, work, 2, 5));
    CTW_OKAY(ctw_queue_pop_batch(q, 5, NULL, 0, &n));
    ck_assert_uint_eq(n, 0);
    int64_t out[5];
    CTW_OKAY(ctw_queue_pop_batch(q, 5, out, 5, &n));
    ck_assert(n == 3 && out[0] == 1 && out[1] == 7 && out[2] == 8);
    ctw_queue_unref(q);
    q = queue((const char *[]){"policy", "sjf", NULL});
    CTW_FAILS(ctw_queue_set_ageing(q, 1), CTW_E_STATE, "guarded");
    ctw_queue_unref(q);
}
END_TEST

/* Under "auto" a budget that everything fits into gives the order of plain pops, the guard's choices included. */
START_TEST(budget_keeps_the_guard)
{
    ctw_queue *plain = queue((const char *[]){"policy", "auto", NULL});
    ctw_queue *budgeted = queue((const char *[]){"policy", "auto", NULL});
    double now = 0, free_at = 0;
    int64_t next = 0, guarded = 0;
    for (uint64_t n, used; next < 3000 || free_at > now;) {
        int64_t a, b, top;
        if (next < 3000) {
            double work = next % 7 == 0 ? 9.0 + (double)(next % 5) : 0.5 + 0.1 * (double)(next % 3);
            now += 1.6;
            CTW_OKAY(ctw_queue_push(plain, next, work, 1, now));
            CTW_OKAY(ctw_queue_push(budgeted, next++, work, 1, now));
        } else {
            now = free_at;
        }
        while (free_at <= now) {
            CTW_OKAY(ctw_queue_peek(plain, now, &top));
            CTW_OKAY(ctw_queue_pop(plain, now, &a));
            CTW_OKAY(ctw_queue_pop_budget(budgeted, now, 1000, &b, 1, &n, &used));
            ck_assert_int_eq(n ? b : -1, a);
            if (a < 0) break;
            guarded += a != top;
            free_at = now + (a % 7 == 0 ? 11.0 : 0.6);
        }
    }
    ck_assert(guarded > 0);
    ctw_queue_unref(plain);
    ctw_queue_unref(budgeted);
}
END_TEST

START_TEST(budget)
{
    ctw_queue *q = queue((const char *[]){"lookahead", "1", NULL});
    int64_t out[8];
    uint64_t n, used;
    for (int64_t i = 0; i < 5; i++) {
        CTW_OKAY(ctw_queue_push(q, i, (double)i, 1, 0));
        CTW_OKAY(ctw_queue_set_tokens(q, i, i == 1 ? 900 : 100));
    }
    CTW_OKAY(ctw_queue_pop_budget(q, 1, 250, out, 8, &n, &used));
    ck_assert(n == 2 && out[0] == 0 && out[1] == 2 && used == 200);
    CTW_OKAY(ctw_queue_pop_budget(q, 1, 1000, out, 8, &n, NULL));
    ck_assert(n == 2 && out[0] == 1 && out[1] == 3);
    CTW_OKAY(ctw_queue_pop_budget(q, 1, 10, out, 8, &n, &used));
    ck_assert(n == 0 && used == 0);
    CTW_OKAY(ctw_queue_pop_budget(q, 1, 100, out, 8, &n, &used));
    ck_assert(n == 1 && out[0] == 4);
    ctw_queue_unref(q);
}
END_TEST

START_TEST(attributes)
{
    ctw_queue *q = queue((const char *[]){"ageing", "10", NULL});
    double arrival, predicted, left;
    CTW_OKAY(ctw_queue_push(q, 1, 5, 1, 0));
    CTW_OKAY(ctw_queue_push(q, 2, 1, 1, 0));
    CTW_OKAY(ctw_queue_push(q, 3, 8, 1, 0));
    CTW_OKAY(ctw_queue_set_deadline(q, 3, 10)); /* must start at 2 */
    CTW_OKAY(ctw_queue_set_head_start(q, 1, 49));
    CTW_OKAY(ctw_queue_requeue(q, 4, 0.5, 1, -5, 1)); /* key 0 */
    CTW_OKAY(ctw_queue_find(q, 4, &arrival, &predicted));
    ck_assert(arrival == -5 && predicted == 0.5);
    CTW_OKAY(ctw_queue_find(q, 4, NULL, NULL));
    ck_assert_int_eq(next(q, 1), 4);
    ck_assert_int_eq(next(q, 1), 1);
    ck_assert_int_eq(next(q, 1), 3);
    CTW_OKAY(ctw_queue_push(q, 5, 0.5, 1, 1));
    CTW_OKAY(ctw_queue_set_ageing(q, 0));
    ck_assert_int_eq(next(q, 1), 2);
    ck_assert_int_eq(next(q, 1), 5);
    CTW_OKAY(ctw_queue_remaining(10, 4, &left));
    ck_assert(left == 6);
    CTW_OKAY(ctw_queue_remaining(10, 14, &left));
    ck_assert(left == 4);
    CTW_OKAY(ctw_queue_remaining(10, 10, &left));
    ck_assert(left == 1);
    CTW_FAILS(ctw_queue_remaining(-1, 10, &left), CTW_E_RANGE, "predicted_s");
    ctw_queue_unref(q);
    int32_t yes;
    q = queue((const char *[]){"policy", "sjf", NULL});
    CTW_OKAY(ctw_queue_displaces(q, 9, 1, 0, 0, &yes));
    ck_assert_int_eq(yes, 0);
    CTW_OKAY(ctw_queue_push(q, 1, 3, 1, 5));
    CTW_OKAY(ctw_queue_displaces(q, 3, 1, 0, 5, &yes));
    ck_assert_int_eq(yes, 0);
    CTW_OKAY(ctw_queue_displaces(q, 3.5, 1, 0, 5, &yes));
    ck_assert_int_eq(yes, 1);
    CTW_OKAY(ctw_queue_displaces(q, 3.5, 2, 0, 5, &yes));
    ck_assert_int_eq(yes, 0);
    CTW_FAILS(ctw_queue_displaces(q, NAN, 1, 0, 5, &yes), CTW_E_NONFINITE, "predicted_s");
    CTW_FAILS(ctw_queue_displaces(q, 1, 1, 0, 4, &yes), CTW_E_RANGE, "now_s");
    CTW_FAILS(ctw_queue_displaces(q, 1, 1, 0, 5, NULL), CTW_E_ARG, "yes");
    ctw_queue_unref(q);
}
END_TEST

START_TEST(bias_and_report)
{
    ctw_queue *q = queue(NULL);
    ctw_report *r;
    double v;
    int64_t n;
    for (int i = 0; i < 5000; i++) CTW_OKAY(ctw_queue_observe(q, 2, 6));
    CTW_OKAY(ctw_queue_push(q, 1, 2, 1, 0));
    CTW_OKAY(ctw_queue_find(q, 1, NULL, &v));
    ck_assert(v == 6);
    CTW_OKAY(ctw_queue_push(q, 2, 1, 1, 4));
    ck_assert_int_eq(next(q, 10), 2);
    ck_assert_int_eq(next(q, 10), 1);
    CTW_OKAY(ctw_queue_push(q, 3, 1, 1, 12));
    CTW_OKAY(ctw_queue_remove(q, 3));
    CTW_OKAY(ctw_queue_push(q, 4, 1, 1, 12));
    CTW_OKAY(ctw_queue_repredict(q, 4, 2, 15));
    CTW_OKAY(ctw_queue_report(q, &r));
    CTW_OKAY(ctw_report_get_i64(r, "waiting", &n));
    ck_assert_int_eq(n, 1);
    CTW_OKAY(ctw_report_get_i64(r, "overtaken", &n));
    ck_assert_int_eq(n, 1);
    CTW_OKAY(ctw_report_get_f64(r, "oldest_s", &v));
    ck_assert(v == 3);
    CTW_OKAY(ctw_report_get_f64(r, "wait_mean_s", &v));
    ck_assert(v == 8);
    CTW_OKAY(ctw_report_get_f64(r, "bias", &v));
    ck_assert(v == 3);
    ctw_report_unref(r);
    CTW_FAILS(ctw_queue_report(q, NULL), CTW_E_ARG, "out");
    ctw_queue_unref(q);
}
END_TEST

static void *pusher(void *arg)
{
    ctw_queue *q = ((void **)arg)[0];
    int64_t from = *(int64_t *)((void **)arg)[1];
    for (int64_t i = 0; i < 500; i++)
        if (ctw_queue_push(q, from + i, 1, 1, 0)) return q;
    return NULL;
}

static double ageing_of(const ctw_queue *q)
{
    ctw_report *r;
    double a;
    CTW_OKAY(ctw_queue_report(q, &r));
    CTW_OKAY(ctw_report_get_f64(r, "ageing", &a));
    ctw_report_unref(r);
    return a;
}

/* A line of constant length that is emptied by bursts: the speed of service is what it is between bursts, and the guard
 * chosen from it stays where it is. */
START_TEST(bursts_leave_the_guard_alone)
{
    enum { LINE = 4000, BURST = 1000, ROUNDS = 24 };
    ctw_queue *q = queue(NULL);
    double least = INFINITY, most = 0, now = 0;
    int64_t id = 0;
    for (; id < LINE; id++) CTW_OKAY(ctw_queue_push(q, id, 1 + (double)(id % 7), 1, now += 0.01));
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < BURST; i++, id++) CTW_OKAY(ctw_queue_push(q, id, 1 + (double)(id % 7), 1, now += 0.01));
        for (int i = 0; i < BURST; i++) {
            ck_assert_int_ge(next(q, now), 0);
            if (round < 12 || i % 100) continue;
            least = fmin(least, ageing_of(q));
            most = fmax(most, ageing_of(q));
        }
    }
    ck_assert_msg(most <= 1.4 * least, "ageing from %g to %g", least, most);
    ctw_queue_unref(q);
}
END_TEST

START_TEST(locked_queue_takes_threads)
{
    ctw_queue *q = queue((const char *[]){"locked", "1", NULL});
    pthread_t t[4];
    int64_t from[4] = {0, 1000, 2000, 3000};
    void *arg[4][2], *failed;
    for (int i = 0; i < 4; i++) {
        arg[i][0] = q;
        arg[i][1] = &from[i];
        ck_assert_int_eq(pthread_create(&t[i], NULL, pusher, arg[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(t[i], &failed);
        ck_assert_ptr_null(failed);
    }
    ck_assert_uint_eq(ctw_queue_size(q), 2000);
    ctw_queue_unref(q);
}
END_TEST

START_TEST(intake)
{
    ctw_queue *q = queue((const char *[]){"intake", "4", "capacity", "5", NULL}), *none = queue(NULL);
    uint64_t taken;
    int64_t refused;
    double arrival;
    CTW_FAILS(ctw_queue_offer(none, 1, 1, 1, 0), CTW_E_STATE, "no intake");
    CTW_OKAY(ctw_queue_drain(none, 0, &taken, &refused));
    ck_assert(taken == 0 && refused == -1);
    CTW_FAILS(ctw_queue_offer(NULL, 1, 1, 1, 0), CTW_E_ARG, "q");
    CTW_FAILS(ctw_queue_offer(q, -1, 1, 1, 0), CTW_E_RANGE, "job");
    CTW_FAILS(ctw_queue_offer(q, 1, NAN, 1, 0), CTW_E_NONFINITE, "predicted_s");
    CTW_FAILS(ctw_queue_offer(q, 1, 1, 1, INFINITY), CTW_E_NONFINITE, "arrival_s");
    CTW_OKAY(ctw_queue_push(q, 7, 1, 1, 2));
    CTW_OKAY(ctw_queue_offer(q, 8, 1, 1, 1)); /* stamped before 7 came: goes first */
    CTW_OKAY(ctw_queue_offer(q, 7, 1, 1, 3));
    CTW_OKAY(ctw_queue_offer(q, 9, 1, 1, 99)); /* a clock ahead of the owner's */
    CTW_OKAY(ctw_queue_offer(q, 10, 1, 1, 3));
    CTW_FAILS(ctw_queue_offer(q, 11, 1, 1, 3), CTW_E_RANGE, "all 4 places");
    ck_assert_uint_eq(ctw_queue_size(q), 1);
    CTW_FAILS(ctw_queue_drain(q, 1, &taken, &refused), CTW_E_RANGE, "before an earlier");
    ck_assert(taken == 0 && refused == -1);
    CTW_FAILS(ctw_queue_drain(q, 4, &taken, &refused), CTW_E_KEY, "job 7 waits already");
    ck_assert(taken == 1 && refused == 7);
    CTW_OKAY(ctw_queue_drain(q, 4, &taken, &refused));
    ck_assert(taken == 2 && refused == -1);
    CTW_OKAY(ctw_queue_find(q, 9, &arrival, NULL));
    ck_assert(arrival == 4);
    for (int64_t i = 20; i < 23; i++) CTW_OKAY(ctw_queue_offer(q, i, 1, 1, 5));
    CTW_FAILS(ctw_queue_drain(q, 5, &taken, &refused), CTW_E_RANGE, "limit of 5");
    ck_assert(taken == 1 && refused == -1);
    const int64_t want[] = {8, 7, 10, 9, 20};
    for (int i = 0; i < 5; i++) ck_assert_int_eq(next(q, 6), want[i]);
    CTW_OKAY(ctw_queue_drain(q, 6, NULL, NULL));
    ck_assert_uint_eq(ctw_queue_size(q), 2);
    ctw_queue_unref(q);
    ctw_queue_unref(none);
}
END_TEST

enum { GIVERS = 4, GIFTS = 3000 };

static void *giver(void *arg)
{
    ctw_queue *q = ((void **)arg)[0];
    int64_t from = *(int64_t *)((void **)arg)[1];
    for (int64_t i = 0; i < GIFTS;) {
        ctw_status s = ctw_queue_offer(q, from + i, 1, 1, 0);
        if (s == CTW_OK)
            i++;
        else if (s != CTW_E_RANGE)
            return q;
    }
    return NULL;
}

/* Threads offer into a small intake while the owner drains and pops: nothing is lost or doubled, and each thread's jobs
 * keep their order. */
START_TEST(intake_takes_threads)
{
    ctw_queue *q = queue((const char *[]){"intake", "64", "policy", "fcfs", NULL});
    pthread_t t[GIVERS];
    int64_t from[GIVERS], seen[GIVERS] = {0}, job;
    void *arg[GIVERS][2], *failed;
    for (int i = 0; i < GIVERS; i++) {
        from[i] = (int64_t)i * GIFTS;
        arg[i][0] = q;
        arg[i][1] = &from[i];
        ck_assert_int_eq(pthread_create(&t[i], NULL, giver, arg[i]), 0);
    }
    for (int64_t got = 0; got < (int64_t)GIVERS * GIFTS;) {
        CTW_OKAY(ctw_queue_drain(q, 0, NULL, NULL));
        for (int k = 0; k < 16; k++) {
            CTW_OKAY(ctw_queue_pop(q, 0, &job));
            if (job < 0) break;
            if (job % GIFTS != seen[job / GIFTS]) ck_abort_msg("job %lld", (long long)job);
            seen[job / GIFTS]++;
            got++;
        }
    }
    for (int i = 0; i < GIVERS; i++) {
        pthread_join(t[i], &failed);
        ck_assert_ptr_null(failed);
    }
    CTW_OKAY(ctw_queue_drain(q, 0, NULL, NULL));
    ck_assert_uint_eq(ctw_queue_size(q), 0);
    ctw_queue_unref(q);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"order", order},
                                   {"bad_input", bad_input},
                                   {"budget", budget},
                                   {"budget_keeps_the_guard", budget_keeps_the_guard},
                                   {"attributes", attributes},
                                   {"bias_and_report", bias_and_report},
                                   {"bursts_leave_the_guard_alone", bursts_leave_the_guard_alone},
                                   {"locked_queue_takes_threads", locked_queue_takes_threads},
                                   {"intake", intake},
                                   {"intake_takes_threads", intake_takes_threads}};
    return ctw_test_main("api-queue", cases, sizeof cases / sizeof *cases, 60);
}
