/* place.c: Every allocation of building, solving, reading and verifying may fail. */
#include "place_cases.h"
#include "test.h"
#include <string.h>

static ctw_status life(ctw_ctx *ctx, void *user)
{
    place_case c = {.seed = 5,
                    .nodes = 2,
                    .jobs = 4,
                    .slots = 4,
                    .regions = 1,
                    .services = 1,
                    .caps = 1,
                    .spread = 1,
                    .startup = 1,
                    .types = 1,
                    .sticky = 1,
                    .reserve = 1,
                    .racks = 1,
                    .on_site = 2,
                    .scenarios = 2};
    ctw_status s;
    ctw_solution *plan = NULL;
    c.mode = user;
    c.rounds = 2;
    c.nodes_most = 2;
    ctw_place *p = place_case_build(ctx, &c, &s);
    if (!p) return s;
    s = ctw_place_solve(p, 0, NULL, &plan);
    if (s == CTW_OK) s = ctw_place_verify(p, plan);
    if (s == CTW_OK && strcmp(user, "greedy") == 0) {
        s = ctw_place_set_warm_start(p, plan);
        ctw_solution_unref(plan);
        plan = NULL;
        if (s == CTW_OK) s = ctw_place_repair(p, 0, 0, NULL, &plan);
    }
    ctw_solution_unref(plan);
    ctw_place_unref(p);
    return s;
}

/* Planning again in slot 1, and what has changed. */
static ctw_status later_life(ctw_ctx *ctx, void *user)
{
    (void)user;
    place_case c = {.seed = 6, .nodes = 2, .jobs = 4, .slots = 4, .regions = 1, .services = 1, .mode = "decompose"};
    ctw_status s;
    ctw_solution *plan = NULL, *next = NULL;
    int32_t change[4];
    ctw_place *p = place_case_build(ctx, &c, &s);
    if (!p) return s;
    s = ctw_place_set_forecast_age(p, 1e12); /* plans by run_now.c */
    if (s == CTW_OK) s = ctw_place_solve(p, 0, NULL, &plan);
    if (s == CTW_OK) s = ctw_place_replan(p, plan, 1, 0, NULL, &next);
    if (s == CTW_OK) s = ctw_solution_changes(plan, next, 1, change, NULL, NULL, 4);
    ctw_solution_unref(plan);
    ctw_solution_unref(next);
    ctw_place_unref(p);
    return s;
}

/* Annealing of the schedule, which problems with every attribute do not see. */
static ctw_status plain_life(ctw_ctx *ctx, void *user)
{
    (void)user;
    place_case c = {.seed = 2001, .nodes = 3, .jobs = 10, .slots = 8, .regions = 1, .services = 1, .mode = "exact"};
    ctw_status s;
    ctw_solution *plan = NULL;
    c.rounds = 2;
    c.nodes_most = 2;
    ctw_place *p = place_case_build(ctx, &c, &s);
    if (!p) return s;
    s = ctw_place_solve(p, 0, NULL, &plan);
    ctw_solution_unref(plan);
    ctw_place_unref(p);
    return s;
}

START_TEST(plain)
{
    ck_assert(ctw_oom_sweep(plain_life, NULL, 1) > 60);
}
END_TEST

START_TEST(later)
{
    ck_assert(ctw_oom_sweep(later_life, NULL, 1) > 40);
}
END_TEST

START_TEST(sweep)
{
    char modes[][12] = {"greedy", "exact", "decompose"};
    for (size_t i = 0; i < 3; i++) ck_assert(ctw_oom_sweep(life, modes[i], 1) > 20);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"sweep", sweep}, {"plain", plain}, {"later", later}};
    return ctw_test_main("oom-place", cases, 3, 120);
}
