/* cut.c: Solves that are cut short. A first fit, which is what is left when the deadline is too short for prices, makes
 * plans that the verifier passes on random problems with every attribute. A solve cancelled at any instant returns a
 * plan (verified inside) or CTW_E_CANCELLED, and leaves the handle as it was: the next solve gives the plan of a fresh
 * one. */
#include "place/finish.h"
#include "place/verify.h"
#include "place_cases.h"
#include "test.h"
#include <math.h>
#include <string.h>

static place_case case_of(uint64_t seed)
{
    place_case c = {.seed = seed,
                    .nodes = (int64_t)(seed % 16),
                    .jobs = (int64_t)(seed % 64),
                    .slots = 1 + (int64_t)(seed % 47),
                    .regions = 1 + (int64_t)(seed % 4)};
    c.services = seed % 2 == 0;
    c.caps = seed % 3 == 0;
    c.spread = seed % 4 == 0;
    c.startup = seed % 5 == 0;
    c.types = seed % 7 == 0;
    c.mode = "auto";
    return c;
}

static void verified(ctw_place *p, ctw_place__inst *in, ctw_place__plan *plan, uint64_t seed)
{
    ctw_solution *s;
    ctw_place__answer a;
    memset(&a, 0, sizeof a);
    a.plan = *plan;
    a.bound = -INFINITY;
    a.tier = "first_fit";
    memset(plan, 0, sizeof *plan); /* the solution's from here on */
    CTW_OKAY(ctw_place__finish(p, in, &a, 0, &s));
    ctw_status e = ctw_place__verify(p, s, "cut");
    ck_assert_msg(e == CTW_OK, "seed %d: %s", (int)seed, ctw_error_message());
    ctw_solution_unref(s);
}

START_TEST(first_fit)
{
    ctw_ctx *ctx;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    int64_t ran = 0;
    for (uint64_t seed = 4000; seed < 4300; seed++) {
        place_case c = case_of(seed);
        ctw_status e;
        ctw_place *p = place_case_build(ctx, &c, &e);
        CTW_OKAY(e);
        ctw_place__inst in;
        ctw_place__plan plan;
        ctw_place__clock clock = {.deadline = INFINITY, .last = INFINITY, .end = INFINITY};
        CTW_OKAY(ctw_place__inst_new(p, &in, "cut"));
        CTW_OKAY(ctw_place__plan_new(&in, &plan));
        CTW_OKAY(ctw_place__first_fit(&in, &clock, &plan));
        for (size_t u = 0; u < in.units; u++) {
            const ctw_place__batch *b = in.batch + in.unit_batch[u];
            ck_assert_int_le(plan.run[u], b->duration);
            ck_assert(plan.run[u] == 0 || plan.run[u] == b->duration || b->preemptible);
            ran += plan.run[u];
        }
        verified(p, &in, &plan, seed);
        ctw_place__inst_free(&in);
        ctw_place_unref(p);
    }
    ck_assert_int_gt(ran, 10000);
    ctw_ctx_unref(ctx);
}
END_TEST

/* Too late before it began: no plan. Where there is room for all, nothing is left out, and a second pass changes
 * nothing. */
START_TEST(first_fit_fills_and_ends)
{
    double cap[] = {8, 16}, idle[] = {90, 140}, watt[] = {5, 3}, demand[] = {3, 1}, carbon[] = {100, 50, 10, 200};
    int64_t servers[] = {4, 2}, release[] = {0, 0}, deadline[] = {4, 4}, slots[] = {2, 1}, count[] = {10, 20};
    ctw_ctx *ctx;
    ctw_place *p;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    CTW_OKAY(ctw_place_new(ctx, NULL, &p));
    CTW_OKAY(ctw_place_set_nodes(p, NULL, 2, cap, 1, 1));
    CTW_OKAY(ctw_place_set_node_counts(p, servers, 2));
    CTW_OKAY(ctw_place_set_node_power(p, idle, watt, 2, 1));
    CTW_OKAY(ctw_place_set_jobs(p, NULL, 2, demand, 1, 1, release, deadline, slots));
    CTW_OKAY(ctw_place_set_job_counts(p, count, 2));
    CTW_OKAY(ctw_place_set_carbon(p, carbon, 1, 4, 4));
    ctw_place__inst in;
    ctw_place__plan plan, twice;
    ctw_place__clock clock = {.deadline = INFINITY, .last = INFINITY, .end = INFINITY},
                     late = {.deadline = -1, .end = -1};
    CTW_OKAY(ctw_place__inst_new(p, &in, "cut"));
    CTW_OKAY(ctw_place__plan_new(&in, &plan));
    CTW_OKAY(ctw_place__plan_new(&in, &twice));
    ck_assert_int_eq(ctw_place__first_fit(&in, &late, &twice), CTW_E_DEADLINE);
    ctw_place__plan_free(ctx, &twice);
    CTW_OKAY(ctw_place__first_fit(&in, &clock, &plan));
    for (size_t u = 0; u < in.units; u++) {
        ck_assert_int_eq(plan.run[u], in.batch[in.unit_batch[u]].duration);
        ck_assert_int_eq(plan.slot[ctw_place__entry(&in, u) + (size_t)plan.run[u] - 1], 2); /* the cleanest slot */
    }
    CTW_OKAY(ctw_place__plan_new(&in, &twice));
    memcpy(twice.run, plan.run, in.units * sizeof(int32_t));
    memcpy(twice.slot, plan.slot, in.entries * sizeof(int32_t));
    memcpy(twice.server, plan.server, in.entries * sizeof(int32_t));
    CTW_OKAY(ctw_place__first_fit(&in, &clock, &twice));
    ck_assert_mem_eq(twice.server, plan.server, in.entries * sizeof(int32_t));
    ctw_place__plan_free(ctx, &twice);
    verified(p, &in, &plan, 0);
    ctw_place__inst_free(&in);
    ctw_place_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

static ctw_status fit_once(ctw_ctx *ctx, void *user)
{
    place_case c = case_of(4020);
    ctw_status s;
    ctw_place__inst in;
    ctw_place__plan plan;
    ctw_place__clock clock = {.deadline = INFINITY, .last = INFINITY, .end = INFINITY};
    (void)user;
    ctw_place *p = place_case_build(ctx, &c, &s);
    if (!p) return s;
    s = ctw_place__inst_new(p, &in, "cut");
    if (s == CTW_OK) s = ctw_place__plan_new(&in, &plan);
    if (s == CTW_OK) {
        s = ctw_place__first_fit(&in, &clock, &plan);
        ctw_place__plan_free(ctx, &plan);
    }
    ctw_place__inst_free(&in);
    ctw_place_unref(p);
    return s;
}

START_TEST(first_fit_without_memory)
{
    ck_assert(ctw_oom_sweep(fit_once, NULL, 1) > 20);
}
END_TEST

typedef struct cutter {
    int calls, at;
} cutter;

static int32_t cut(void *user, uint64_t step, double bound, double best)
{
    cutter *c = user;
    (void)step;
    (void)bound;
    (void)best;
    return ++c->calls == c->at;
}

static double objective_of(ctw_solution *s)
{
    ctw_report *r;
    double v;
    CTW_OKAY(ctw_solution_report(s, &r));
    CTW_OKAY(ctw_report_get_f64(r, "objective", &v));
    ctw_report_unref(r);
    return v;
}

START_TEST(cancelled_anywhere)
{
    ctw_ctx *ctx;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    for (uint64_t seed = 5000; seed < 5012; seed++) {
        place_case c = case_of(seed);
        ctw_status e;
        c.rounds = 40;
        ctw_place *p = place_case_build(ctx, &c, &e);
        ctw_solution *s;
        CTW_OKAY(e);
        CTW_OKAY(ctw_place_solve(p, 0, NULL, &s));
        double whole = objective_of(s);
        ctw_solution_unref(s);
        for (int k = 1, more = 1; more && k < 40; k++) {
            cutter x = {0, k};
            CTW_OKAY(ctw_place_set_progress(p, cut, &x));
            e = ctw_place_solve(p, 0, NULL, &s);
            more = x.calls >= k;
            ck_assert_msg(e == CTW_OK || e == CTW_E_CANCELLED, "seed %d call %d: %s", (int)seed, k,
                          ctw_error_message());
            ck_assert_msg((e == CTW_OK) == (s != NULL), "seed %d call %d: status and plan differ", (int)seed, k);
            if (s && more) ck_assert_int_ne(ctw_solution_stop(s), 0);
            ctw_solution_unref(s);
        }
        CTW_OKAY(ctw_place_set_progress(p, NULL, NULL));
        CTW_OKAY(ctw_place_solve(p, 0, NULL, &s));
        ck_assert_msg(fabs(objective_of(s) - whole) <= 1e-9 * whole + 1e-12, "seed %d: cancelled solves left traces",
                      (int)seed);
        ctw_solution_unref(s);
        ctw_place_unref(p);
    }
    ctw_ctx_unref(ctx);
}
END_TEST

/* Deadlines from nothing to enough: a plan, or a status that says so. */
START_TEST(any_deadline)
{
    ctw_ctx *ctx;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    for (uint64_t seed = 6000; seed < 6020; seed++) {
        place_case c = case_of(seed);
        ctw_status e;
        ctw_place *p = place_case_build(ctx, &c, &e);
        CTW_OKAY(e);
        for (double deadline = 1e-6; deadline < 0.02; deadline *= 3) {
            ctw_solution *s;
            e = ctw_place_solve(p, deadline, NULL, &s);
            ck_assert_msg(e == CTW_OK || e == CTW_E_DEADLINE, "seed %d in %g s: %s", (int)seed, deadline,
                          ctw_error_message());
            ctw_solution_unref(s);
        }
        ctw_place_unref(p);
    }
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"first_fit", first_fit},
                                   {"first_fit_fills_and_ends", first_fit_fills_and_ends},
                                   {"first_fit_without_memory", first_fit_without_memory},
                                   {"cancelled_anywhere", cancelled_anywhere},
                                   {"any_deadline", any_deadline}};
    return ctw_test_main("unit-place-cut", cases, sizeof cases / sizeof *cases, 60);
}
