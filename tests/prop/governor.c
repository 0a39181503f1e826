/* The replay against a slow time-stepped server written independently, and what a chosen rule promises: on the
 * record it was chosen from, late requests within the budget and no fixed point that qualifies uses less. */
#include "num/rng.h"
#include "power/governor_core.h"
#include "power/governor_internal.h"
#include "test.h"
#include <math.h>

enum { N = 60 };

static ctw_power__plan plan = {.n = 4,
                               .top = 3,
                               .mhz = {800, 1200, 1600, 2000},
                               .slow = {2.5, 1.7, 1.25, 1.0},
                               .watts = {90, 130, 190, 280},
                               .idle = {60, 62, 65, 70}};

typedef struct trace {
    double arrival[N], work[N], guess[N], deadline[N];
} trace;

/* Times on a grid of 1/64 s, so that the stepped server meets every event exactly. */
static ctw_power__record random_trace(ctw_num__rng *g, trace *t)
{
    double now = 0;
    for (int i = 0; i < N; i++) {
        now += floor(64 * ctw_num__rng_exponential(g) * 1.5) / 64;
        t->arrival[i] = now;
        t->work[i] = (1 + (double)ctw_num__rng_below(g, 128)) / 64;
        t->guess[i] = t->work[i];
        t->deadline[i] = now + (1 + 4 * ctw_num__rng_uniform(g)) * t->work[i];
    }
    return (ctw_power__record){t->arrival, t->work, t->guess, t->deadline, N};
}

/* A fixed point, by steps of 1/4096 s. */
static ctw_power__outcome stepped(const ctw_power__record *r, size_t j)
{
    ctw_power__outcome o = {0, 0, 0};
    double dt = 1.0 / 4096, now = r->arrival[0], left = 0;
    size_t i = 0;
    left = r->work[0] * plan.slow[j];
    while (i < r->n) {
        int busy = r->arrival[i] <= now + 1e-9;
        o.joule += dt * (busy ? plan.watts[j] : plan.idle[j]);
        now += dt;
        if (!busy) continue;
        left -= dt;
        if (left > 1e-9) continue;
        o.late += now > r->deadline[i] + dt;
        if (++i < r->n) left += r->work[i] * plan.slow[j];
    }
    o.seconds = now - r->arrival[0];
    return o;
}

START_TEST(replay_is_right)
{
    ctw_num__rng g;
    ctw_num__rng_init(&g, 5, 7, 0);
    for (int round = 0; round < 10; round++) {
        trace t;
        ctw_power__record r = random_trace(&g, &t);
        for (size_t j = 0; j < 4; j++) {
            ctw_power__rule rule = {.fixed = (int)j};
            ctw_power__outcome o, want = stepped(&r, j);
            ctw_power__rule_replay(&plan, &rule, &r, 0.0, &o);
            ck_assert_double_eq_tol(o.seconds, want.seconds, 0.1);
            ck_assert_double_eq_tol(o.joule, want.joule, 0.01 * want.joule);
            ck_assert(o.late >= want.late && o.late <= want.late + 2);
        }
    }
}
END_TEST

START_TEST(stretch_never_breaks_known_deadlines)
{
    ctw_num__rng g;
    ctw_num__rng_init(&g, 6, 7, 0);
    for (int round = 0; round < 2000; round++) {
        double work[8], deadline[8], sum = 0;
        size_t n = 1 + (size_t)ctw_num__rng_below(&g, 8);
        for (size_t i = 0; i < n; i++) {
            work[i] = 0.1 + ctw_num__rng_uniform(&g);
            sum += work[i];
            deadline[i] = sum * (0.5 + 2 * ctw_num__rng_uniform(&g));
        }
        ctw_power__rule rule = {.fixed = -1, .guard = 1.0};
        ctw_power__waiting q = {work, deadline, n, work[0], 0.5};
        double slow = plan.slow[ctw_power__rule_decide(&plan, &rule, &q, 0.0, 0)];
        sum = 0;
        for (size_t i = 0; i < n; i++) {
            sum += work[i];
            if (deadline[i] >= sum) ck_assert(sum * slow <= deadline[i] + 1e-9);
        }
    }
}
END_TEST

START_TEST(load_hurries)
{
    ctw_power__pace pace = {.n = 0};
    double now = 0;
    for (int i = 0; i < 40; i++) {
        double sum = 0, span = 0;
        if (i < CTW_GOVERNOR_PACE) ck_assert_double_eq(ctw_power__pace_load(&pace, now), 0.5);
        ctw_power__pace_add(&pace, now, 0.1 * (i % 3 + 1));
        for (int k = i - CTW_GOVERNOR_PACE + 2; k <= i; k++) sum += 0.1 * (k % 3 + 1);
        for (int k = i - CTW_GOVERNOR_PACE + 2; k <= i; k++) span += 0.25 + 0.01 * (k - 1);
        if (i >= CTW_GOVERNOR_PACE - 1) ck_assert(fabs(ctw_power__pace_load(&pace, now) - sum / span) < 1e-9);
        now += 0.25 + 0.01 * i;
    }
    double work = 0.2, deadline = 10, last = INFINITY;
    ctw_power__rule rule = {.fixed = -1, .guard = 1.0, .load_price = 1.0};
    for (double load = 0; load <= 4; load += 0.1) {
        ctw_power__waiting q = {&work, &deadline, 1, work, load};
        double slow = plan.slow[ctw_power__rule_decide(&plan, &rule, &q, 0.0, 0)];
        ck_assert(slow <= last);
        last = slow;
    }
    ck_assert_double_eq(last, 1.0);
}
END_TEST

START_TEST(lag_costs)
{
    ctw_num__rng g;
    ctw_num__rng_init(&g, 7, 7, 0);
    trace t;
    ctw_power__record r = random_trace(&g, &t);
    ctw_power__rule rule = {.fixed = 3, .park = 1};
    ctw_power__outcome fast, slow;
    ctw_power__rule_replay(&plan, &rule, &r, 0.0, &fast);
    ctw_power__rule_replay(&plan, &rule, &r, 0.2, &slow);
    ck_assert(slow.late >= fast.late && slow.seconds >= fast.seconds);
    /* Without lag, parking only saves idle power. */
    ctw_power__rule stay = {.fixed = 3};
    ctw_power__outcome plain;
    ctw_power__rule_replay(&plan, &stay, &r, 0.0, &plain);
    ck_assert(plain.late == fast.late && plain.joule > fast.joule);
}
END_TEST

/* Changes cost: the replay charges each, a change is made only where it pays within the request, and a rule chosen
 * with dear changes makes few. */
START_TEST(changes_cost)
{
    ctw_num__rng g;
    ctw_num__rng_init(&g, 9, 7, 0);
    trace t;
    ctw_power__record r = random_trace(&g, &t);
    ctw_power__plan dear = plan;
    ctw_power__rule park = {.fixed = 3, .park = 1};
    ctw_power__outcome free_of, paid;
    size_t periods = 1;
    double done = r.arrival[0];
    for (size_t i = 0; i < r.n; i++) { /* busy periods at the top point: up and down once each, the last not down */
        if (i && r.arrival[i] > done) periods++;
        done = fmax(done, r.arrival[i]) + r.work[i];
    }
    dear.switch_joule = 10;
    ctw_power__rule_replay(&plan, &park, &r, 0.0, &free_of);
    ctw_power__rule_replay(&dear, &park, &r, 0.0, &paid);
    ck_assert_double_eq_tol(paid.joule - free_of.joule, 10.0 * (double)(2 * periods - 1), 1e-6);
    ck_assert(paid.late == free_of.late && paid.seconds == free_of.seconds);
    double work = 0.5, deadline = 10;
    ctw_power__rule rule = {.fixed = -1, .guard = 1.0};
    ctw_power__waiting q = {&work, &deadline, 1, work, 0.5};
    size_t best = ctw_power__rule_decide(&plan, &rule, &q, 0.0, 3);
    ck_assert(best < 3 && ctw_power__rule_decide(&dear, &rule, &q, 0.0, 3) == best);
    dear.switch_joule = 1000;
    for (size_t at = 0; at < 4; at++) ck_assert(ctw_power__rule_decide(&dear, &rule, &q, 0.0, at) == at);
    deadline = 0.6; /* a deadline is kept whatever the change costs */
    ck_assert(plan.slow[ctw_power__rule_decide(&dear, &rule, &q, 0.0, 0)] <= 1.2);
}
END_TEST

/* Experts that follow the record piece by piece, its beginning forgotten meanwhile, have served what one replay of all
 * of it serves. */
START_TEST(experts_go_on)
{
    ctw_ctx *ctx;
    ctw_num__rng rng;
    ctw_num__rng_init(&rng, 11, 7, 0);
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    for (int round = 0; round < 20; round++) {
        trace t;
        ctw_governor__experts e = {0};
        ctw_power__record all = random_trace(&rng, &t), part = all;
        CTW_OKAY(ctw_governor__experts_new(ctx, &e));
        ctw_governor__experts_begin(&e, &plan);
        double lag = round % 2 ? 0.1 : 0.0;
        size_t dropped = 0;
        for (size_t n = 2; n < N; n += 1 + (size_t)ctw_num__rng_below(&rng, 6)) {
            part.n = n - dropped;
            e.fresh++;
            CTW_OKAY(ctw_governor__experts_follow(&e, &plan, &part, lag, 1e300, NULL, "test"));
            size_t most = SIZE_MAX; /* only what every expert has served */
            for (size_t i = 0; i < e.n; i++) {
                size_t old = e.at[i].server.served < 20 ? 0 : e.at[i].server.served - 20;
                if (old < most) most = old;
            }
            ctw_governor__experts_drop(&e, &part, most);
            dropped += most;
            part = (ctw_power__record){t.arrival + dropped, t.work + dropped, t.guess + dropped, t.deadline + dropped,
                                       n - dropped};
        }
        part.n = N - dropped;
        CTW_OKAY(ctw_governor__experts_follow(&e, &plan, &part, lag, 1e300, NULL, "test"));
        for (size_t i = 0; i < e.n; i++) {
            ctw_power__outcome o;
            ctw_power__rule_replay(&plan, &e.at[i].rule, &all, lag, &o);
            ctw_governor__tally got = ctw_governor__experts_outcome(&e, i, &plan, &part, lag);
            ck_assert_double_eq_tol(got.joule, o.joule, 1e-9 * o.joule);
            ck_assert_double_eq_tol(got.seconds, o.seconds, 1e-9 * o.seconds);
            ck_assert_double_eq(got.late, (double)o.late);
        }
        ctw_governor__experts_free(ctx, &e);
    }
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(choice_keeps_its_promise)
{
    ctw_ctx *ctx;
    ctw_num__rng rng;
    ctw_num__rng_init(&rng, 8, 7, 0);
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    for (int round = 0; round < 8; round++) {
        ctw_governor *g;
        trace t;
        CTW_OKAY(ctw_governor_new(ctx, NULL, &g));
        CTW_OKAY(ctw_governor_set_table(g, plan.mhz, plan.slow, plan.watts, plan.idle, 4));
        ctw_power__record r = random_trace(&rng, &t);
        for (int i = 0; i < N; i++)
            ctw_governor__history_add(&g->past, t.arrival[i], t.work[i], t.guess[i], t.deadline[i]);
        CTW_OKAY(ctw_governor_tune(g, NULL));
        ctw_power__outcome chosen, top;
        ctw_power__rule fixed = {.fixed = 3};
        ctw_power__rule_replay(&plan, &fixed, &r, 0.0, &top);
        ctw_power__rule_replay(&plan, &g->rule, &r, 0.0, &chosen);
        ck_assert(chosen.late <= top.late); /* the budget over 60 requests is less than one */
        for (int j = 0; j < 4; j++) {
            ctw_power__outcome o;
            fixed.fixed = j;
            ctw_power__rule_replay(&plan, &fixed, &r, 0.0, &o);
            if (o.late <= top.late) ck_assert(chosen.joule / chosen.seconds <= o.joule / o.seconds + 1e-9);
        }
        ctw_governor_unref(g);
    }
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"replay_is_right", replay_is_right},
        {"stretch_never_breaks_known_deadlines", stretch_never_breaks_known_deadlines},
        {"load_hurries", load_hurries},
        {"lag_costs", lag_costs},
        {"changes_cost", changes_cost},
        {"experts_go_on", experts_go_on},
        {"choice_keeps_its_promise", choice_keeps_its_promise},
    };
    return ctw_test_main("prop-governor", cases, sizeof cases / sizeof *cases, 30);
}
