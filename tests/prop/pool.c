/* One clock for several servers: the stretch against a schedule worked through at that stretch, the replay against a
 * slow time-stepped cluster written independently, and what a chosen rule promises on its record. */
#include "num/rng.h"
#include "power/pool_core.h"
#include "power/pool_internal.h"
#include "test.h"
#include <math.h>
#include <string.h>

enum { N = 80, MOST = 6 };

static ctw_power__plan plan = {.n = 4,
                               .top = 3,
                               .mhz = {800, 1200, 1600, 2000},
                               .slow = {2.5, 1.7, 1.25, 1.0},
                               .watts = {90, 130, 190, 280},
                               .idle = {60, 62, 65, 70}};

/* When each request is done if all work takes `slow` times as long: in service first, then the waiting in order, each
 * on the server that is free first. Written with a plain search. */
static void schedule(const double *left, size_t running, const double *work, size_t waiting, size_t servers,
                     double slow, double *done)
{
    double free_at[MOST] = {0};
    for (size_t i = 0; i < running; i++) done[i] = free_at[i] = slow * left[i];
    for (size_t i = 0; i < waiting; i++) {
        size_t best = 0;
        for (size_t k = 1; k < servers; k++)
            if (free_at[k] < free_at[best]) best = k;
        done[running + i] = free_at[best] += slow * work[i];
    }
}

START_TEST(stretch_is_the_schedules)
{
    ctw_num__rng g;
    ctw_num__rng_init(&g, 11, 7, 0);
    int bound = 0;
    for (int round = 0; round < 3000; round++) {
        double left[MOST], due[MOST], work[12], deadline[12], ends[MOST], at_top[18], at[18], over[18];
        size_t servers = 1 + (size_t)ctw_num__rng_below(&g, MOST), waiting = (size_t)ctw_num__rng_below(&g, 12);
        size_t running = waiting ? servers : 1 + (size_t)ctw_num__rng_below(&g, servers);
        for (size_t i = 0; i < running; i++) left[i] = 0.05 + ctw_num__rng_uniform(&g);
        for (size_t i = 0; i < waiting; i++) work[i] = 0.05 + ctw_num__rng_uniform(&g);
        schedule(left, running, work, waiting, servers, 1.0, at_top);
        for (size_t i = 0; i < running + waiting; i++) {
            double d = 5.0 + at_top[i] * (0.6 + 3 * ctw_num__rng_uniform(&g)); /* some are lost already */
            if (i < running)
                due[i] = d;
            else
                deadline[i - running] = d;
        }
        ctw_pool__view v = {left, due, running, work, deadline, waiting, servers, ends};
        double s = ctw_pool__stretch(&v, 5.0, 1.0);
        if (isinf(s)) continue;
        schedule(left, running, work, waiting, servers, s, at);
        schedule(left, running, work, waiting, servers, s * 1.001, over);
        int late_over = 0;
        for (size_t i = 0; i < running + waiting; i++) {
            double d = i < running ? due[i] : deadline[i - running];
            if (5.0 + at_top[i] > d) continue;
            ck_assert(5.0 + at[i] <= d + 1e-9);
            late_over += 5.0 + over[i] > d;
        }
        ck_assert(late_over > 0); /* and no larger one would do */
        bound++;
    }
    ck_assert(bound > 2000);
}
END_TEST

/* One server: the stretch is the governor's. */
START_TEST(one_server_is_the_governor)
{
    ctw_num__rng g;
    ctw_num__rng_init(&g, 12, 7, 0);
    for (int round = 0; round < 1000; round++) {
        double work[8], deadline[8], ends[1], sum = 0;
        size_t n = 1 + (size_t)ctw_num__rng_below(&g, 8);
        for (size_t i = 0; i < n; i++) {
            work[i] = 0.1 + ctw_num__rng_uniform(&g);
            sum += work[i];
            deadline[i] = sum * (0.5 + 2 * ctw_num__rng_uniform(&g));
        }
        double price = 0.5 * ctw_num__rng_uniform(&g), guard = ctw_num__rng_uniform(&g);
        ctw_power__rule rule = {.fixed = -1, .guard = guard, .price = price, .queue_price = 0.3};
        ctw_pool__rule ours = {.fixed = -1, .guard = guard, .price = price, .queue_price = 0.3};
        ctw_power__waiting q = {work, deadline, n, work[0], 0.5};
        ctw_pool__view v = {work, deadline, 1, work + 1, deadline + 1, n - 1, 1, ends};
        ck_assert_uint_eq(ctw_pool__decide(&plan, &ours, &v, 0.0, 3), ctw_power__rule_decide(&plan, &rule, &q, 0.0, 3));
    }
}
END_TEST

typedef struct trace {
    double arrival[N], work[N], guess[N], deadline[N];
} trace;

static ctw_power__record random_trace(ctw_num__rng *g, trace *t, double gap)
{
    double now = 0;
    for (int i = 0; i < N; i++) {
        now += floor(64 * ctw_num__rng_exponential(g) * gap) / 64;
        t->arrival[i] = now;
        t->work[i] = t->guess[i] = (1 + (double)ctw_num__rng_below(g, 128)) / 64;
        t->deadline[i] = now + (1 + 4 * ctw_num__rng_uniform(g)) * t->work[i];
    }
    return (ctw_power__record){t->arrival, t->work, t->guess, t->deadline, N};
}

/* A fixed point with all awake, by steps. */
static ctw_power__outcome stepped(const ctw_power__record *r, size_t servers, size_t j)
{
    ctw_power__outcome o = {0, 0, 0};
    double dt = 1.0 / 4096, now = r->arrival[0], left[MOST] = {0}, due[MOST];
    size_t next = 0, done = 0;
    while (done < r->n) {
        size_t busy = 0;
        for (size_t k = 0; k < servers; k++)
            if (left[k] <= 0 && next < r->n && r->arrival[next] <= now + 1e-9) {
                left[k] = r->work[next] * plan.slow[j];
                due[k] = r->deadline[next++];
            }
        for (size_t k = 0; k < servers; k++) busy += left[k] > 0;
        o.joule += dt * ((double)busy * plan.watts[j] + (double)(servers - busy) * plan.idle[j]);
        now += dt;
        for (size_t k = 0; k < servers; k++) {
            if (left[k] <= 0) continue;
            left[k] -= dt;
            if (left[k] > 1e-9) continue;
            left[k] = 0;
            done++;
            o.late += now > due[k] + dt;
        }
    }
    o.seconds = now - r->arrival[0];
    return o;
}

typedef struct stage {
    ctw_cluster__server at[MOST], sleepers[MOST];
    ctw_cluster__state cluster;
    double scratch[6 * MOST];
    ctw_pool__stage g;
} stage;

static void set_stage(stage *s, const ctw_power__record *r, size_t servers)
{
    *s = (stage){.cluster = {.max_load = 0.7, .window = 20, .sds = 2, .patience = 1, .n = servers}};
    s->cluster.at = s->at;
    for (size_t i = 0; i < servers; i++) s->at[i] = ctw_cluster__server_of(i, 1.0, 60, 5, 2.0, 100);
    s->g = (ctw_pool__stage){&plan, *r, servers, 0.0, 1.0, &s->cluster, s->sleepers, s->scratch};
}

START_TEST(replay_is_right)
{
    ctw_num__rng g;
    ctw_num__rng_init(&g, 13, 7, 0);
    for (int round = 0; round < 6; round++) {
        trace t;
        stage s;
        size_t servers = 1 + (size_t)round;
        ctw_power__record r = random_trace(&g, &t, 1.5 / (double)servers);
        set_stage(&s, &r, servers);
        for (size_t j = 0; j < 4; j++) {
            ctw_pool__rule rule = {.fixed = (int)j};
            ctw_power__outcome o, want = stepped(&r, servers, j);
            ctw_pool__replay(&s.g, &rule, &o);
            ck_assert_double_eq_tol(o.seconds, want.seconds, 0.1);
            ck_assert_double_eq_tol(o.joule, want.joule, 0.01 * want.joule);
            ck_assert(o.late >= want.late && o.late <= want.late + 2);
        }
    }
}
END_TEST

/* Sleeping costs no work: everything is done, and what is used lies between all asleep but the busy and all awake; lag
 * and dear changes only add. */
START_TEST(sleep_and_lag)
{
    ctw_num__rng g;
    ctw_num__rng_init(&g, 14, 7, 0);
    for (int round = 0; round < 20; round++) {
        trace t;
        stage s;
        ctw_power__record r = random_trace(&g, &t, 2.0);
        ctw_power__outcome all, some, dear;
        ctw_pool__rule rule = {.fixed = 3};
        double work = 0;
        for (int i = 0; i < N; i++) work += t.work[i];
        set_stage(&s, &r, MOST);
        ctw_pool__replay(&s.g, &rule, &all);
        rule.max_load = 0.5;
        ctw_pool__replay(&s.g, &rule, &some);
        ck_assert(some.seconds >= all.seconds - 1e-9 && some.late >= all.late);
        ck_assert(some.joule < all.joule);
        ck_assert(some.joule >= work * 280 + (MOST * some.seconds - work) * 5 - 1e-6);
        ctw_pool__rule stretch = {.max_load = 0.5, .fixed = -1, .guard = 0.8, .price = 0.2, .queue_price = 0.6};
        ctw_power__plan costly = plan;
        ctw_pool__replay(&s.g, &stretch, &some);
        costly.switch_joule = 1e6; /* never pays: no change but where a deadline needs it */
        s.g.plan = &costly;
        s.g.lag = 0.05;
        ctw_pool__replay(&s.g, &stretch, &dear);
        ck_assert(dear.joule >= some.joule);
    }
}
END_TEST

START_TEST(choice_keeps_its_promise)
{
    ctw_ctx *ctx;
    ctw_num__rng rng;
    ctw_num__rng_init(&rng, 15, 7, 0);
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    int slept = 0;
    for (int round = 0; round < 10; round++) {
        ctw_pool *p;
        trace t;
        CTW_OKAY(ctw_pool_new(ctx, NULL, &p));
        CTW_OKAY(ctw_pool_set_servers(p, MOST, 5, 2, 100, plan.mhz, plan.slow, plan.watts, plan.idle, 4));
        ctw_power__record r = random_trace(&rng, &t, round % 2 ? 0.4 : 2.0);
        for (int i = N; i-- > 0;) /* in any order of completion */
            ctw_governor__history_add(&p->past, t.arrival[i], t.work[i], t.guess[i], t.deadline[i]);
        CTW_OKAY(ctw_pool_tune(p, NULL));
        ctw_pool__stage s = {&p->plan, r, MOST, 0.0, p->every, &p->cluster, p->sleepers, p->scratch};
        ctw_power__outcome chosen, top, o;
        ctw_pool__rule rule = ctw_pool__safe(p);
        ctw_pool__replay(&s, &rule, &top);
        ctw_pool__replay(&s, &p->rule, &chosen);
        ck_assert(chosen.late <= top.late); /* the budget over 80 requests is less than one */
        slept += p->rule.max_load > 0;
        for (int j = 0; j < 4; j++) {
            rule.fixed = j;
            ctw_pool__replay(&s, &rule, &o);
            if (o.late <= top.late) ck_assert(chosen.joule / chosen.seconds <= o.joule / o.seconds + 1e-9);
        }
        ctw_pool_unref(p);
    }
    ck_assert(slept > 0);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"stretch_is_the_schedules", stretch_is_the_schedules},
        {"one_server_is_the_governor", one_server_is_the_governor},
        {"replay_is_right", replay_is_right},
        {"sleep_and_lag", sleep_and_lag},
        {"choice_keeps_its_promise", choice_keeps_its_promise},
    };
    return ctw_test_main("prop-pool", cases, sizeof cases / sizeof *cases, 30);
}
