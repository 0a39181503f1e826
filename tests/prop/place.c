/* place.c: Random small problems through every tier: each plan passes the verifier (inside the solve), no bound lies
 * above any plan, and nothing beats the per-server model where that is solved to the end. */
#include "place_cases.h"
#include "test.h"
#include <math.h>
#include <string.h>

static void metrics(const ctw_solution *s, double *objective, double *bound)
{
    ctw_report *r;
    CTW_OKAY(ctw_solution_report(s, &r));
    CTW_OKAY(ctw_report_get_f64(r, "objective", objective));
    CTW_OKAY(ctw_report_get_f64(r, "bound", bound));
    ctw_report_unref(r);
}

static void one_case(ctw_ctx *ctx, place_case *c, const char *const *modes, size_t n)
{
    double least = INFINITY, highest = -INFINITY;
    c->rounds = 50;
    c->nodes_most = 20;
    for (size_t i = 0; i < n; i++) {
        ctw_status e;
        ctw_solution *s;
        double objective, bound;
        c->mode = modes[i];
        ctw_place *p = place_case_build(ctx, c, &e);
        CTW_OKAY(e);
        e = ctw_place_solve(p, 0, NULL, &s);
        ck_assert_msg(e == CTW_OK, "seed %d mode %s: %s", (int)c->seed, modes[i], ctw_error_message());
        metrics(s, &objective, &bound);
        least = fmin(least, objective);
        highest = fmax(highest, bound);
        ck_assert_msg(highest <= least * (1 + 1e-7) + 1e-6, "seed %d mode %s: bound %.9g above plan %.9g", (int)c->seed,
                      modes[i], highest, least);
        if (c->slots > 2 && !c->spread) { /* the rest of it planned again, verified inside */
            ctw_solution *r;
            e = ctw_place_replan(p, s, c->slots / 2, 0, NULL, &r);
            ck_assert_msg(e == CTW_OK, "seed %d mode %s again: %s", (int)c->seed, modes[i], ctw_error_message());
            ctw_solution_unref(r);
        }
        ctw_solution_unref(s);
        ctw_place_unref(p);
    }
}

START_TEST(tiny)
{
    ctw_ctx *ctx;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static const char *const modes[] = {"bottomup", "greedy", "exact", "decompose", "auto"};
    for (uint64_t seed = 0; seed < 40; seed++) {
        place_case c = {.seed = seed,
                        .nodes = 1 + (int64_t)(seed % 2),
                        .jobs = 1 + (int64_t)(seed % 4),
                        .slots = 4,
                        .regions = 1 + (int64_t)(seed % 2)};
        c.services = seed % 2 != 0;
        c.caps = seed % 3 == 0;
        c.startup = seed % 4 == 0;
        c.types = seed % 5 == 0;
        c.throughput = 0;
        c.sticky = seed >= 30;
        c.reserve = seed >= 20 && seed < 35;
        c.racks = seed % 3 == 1;
        c.on_site = seed % 4 == 3 ? 1 + (int32_t)(seed % 2) : seed % 8 == 2 ? 2 : 0;
        c.scenarios = seed % 5 == 1 ? 4 : seed % 10 == 3 ? 3 : 0;
        one_case(ctx, &c, modes, 5);
    }
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(medium)
{
    ctw_ctx *ctx;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static const char *const modes[] = {"greedy", "decompose", "auto"};
    for (uint64_t seed = 0; seed < 60; seed++) {
        place_case c = {.seed = 1000 + seed,
                        .nodes = (int64_t)(seed % 16),
                        .jobs = (int64_t)(seed % 64),
                        .slots = 1 + (int64_t)(seed % 47),
                        .regions = 1 + (int64_t)(seed % 4)};
        c.services = seed % 2 == 0;
        c.caps = seed % 3 == 0;
        c.spread = seed % 4 == 0;
        c.startup = seed % 5 == 0;
        c.types = seed % 7 == 0;
        c.throughput = seed % 6 == 0;
        c.sticky = seed % 8 < 3;
        c.reserve = seed % 3 == 1;
        c.racks = seed % 5 < 2;
        c.on_site = (int32_t)(seed % 3);
        c.scenarios = seed % 4 == 1 ? 8 : seed % 8 == 2 ? 5 : 0;
        one_case(ctx, &c, modes, 3);
    }
    ctw_ctx_unref(ctx);
}
END_TEST

/* One solve's objective; *proved when it is the least there is, *searched when the schedule was (tier "exact"). */
static double objective_of(ctw_place *p, int *proved, int *searched)
{
    ctw_solution *s;
    ctw_report *r;
    const char *tier;
    double objective, bound;
    CTW_OKAY(ctw_place_solve(p, 0, NULL, &s));
    metrics(s, &objective, &bound);
    *proved = ctw_solution_outcome(s) == CTW_PLACE_OPTIMAL;
    CTW_OKAY(ctw_solution_report(s, &r));
    CTW_OKAY(ctw_report_get_str(r, "tier", &tier));
    *searched = strcmp(tier, "exact") == 0;
    ctw_report_unref(r);
    ctw_solution_unref(s);
    return objective;
}

/* Small problems: the searched schedule against the per-server model solved to the end. The search may miss the optimum
 * of a few (units that would better be missed are never taken out), by little. */
START_TEST(optimum)
{
    ctw_ctx *ctx;
    int compared = 0, equal = 0;
    double intensity[200]; /* far more slots than jobs may use: the per-server model is not chosen by itself */
    for (int t = 0; t < 200; t++) intensity[t] = 100 + (t * 7919) % 331;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    for (uint64_t seed = 0; seed < 30; seed++) {
        place_case c = {.seed = 2000 + seed, .nodes = 2, .jobs = 4, .slots = 3, .regions = 1 + (int64_t)(seed % 2)};
        double found[2];
        int proved[2], searched[2];
        c.services = seed % 3 == 0;
        c.rounds = 50;
        c.nodes_most = 2000;
        for (int i = 0; i < 2; i++) {
            ctw_status e;
            c.mode = i ? "exact" : "bottomup";
            ctw_place *p = place_case_build(ctx, &c, &e);
            CTW_OKAY(e);
            CTW_OKAY(ctw_place_set_carbon(p, intensity, (uint64_t)c.regions, 100, 100));
            found[i] = objective_of(p, proved + i, searched + i);
            ctw_place_unref(p);
        }
        if (!proved[0] || !searched[1]) continue;
        compared++;
        equal += found[1] <= found[0] * (1 + 1e-4) + 1e-9;
        ck_assert_msg(found[1] <= found[0] * 1.03 + 1e-9, "seed %d: %.9g, the optimum is %.9g", (int)seed, found[1],
                      found[0]);
    }
    ck_assert_msg(compared >= 15 && equal >= compared * 9 / 10, "%d of %d at the optimum", equal, compared);
    ctw_ctx_unref(ctx);
}
END_TEST

/* Units of 7, 5, 4 and 4 are 20, which is what two servers of 10 hold, but not in these pieces: the clean slot can take
 * only three of them, and the plan must be the best of those that pack. */
START_TEST(packing_decides)
{
    ctw_ctx *ctx;
    ctw_params *opt;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    const double cap[] = {10}, watt[] = {1}, idle[] = {50}, demand[] = {7, 5, 4, 4};
    const int64_t servers[] = {2}, release[4] = {0}, deadline[] = {2, 2, 2, 2}, slots[] = {1, 1, 1, 1};
    double intensity[60]; /* so many slots that the per-server model is not chosen by itself */
    const char *const modes[] = {"bottomup", "exact"};
    for (int t = 0; t < 60; t++) intensity[t] = t ? 300 : 100;
    for (int i = 0; i < 2; i++) {
        ctw_place *p;
        int proved, searched;
        CTW_OKAY(ctw_params_new(ctx, "place", &opt));
        CTW_OKAY(ctw_params_set_text(opt, "mode", modes[i]));
        CTW_OKAY(ctw_params_set_text(opt, "max_rounds", "100"));
        CTW_OKAY(ctw_place_new(ctx, opt, &p));
        CTW_OKAY(ctw_place_set_nodes(p, NULL, 1, cap, 1, 1));
        CTW_OKAY(ctw_place_set_node_counts(p, servers, 1));
        CTW_OKAY(ctw_place_set_node_power(p, idle, watt, 1, 1));
        CTW_OKAY(ctw_place_set_jobs(p, NULL, 4, demand, 1, 1, release, deadline, slots));
        CTW_OKAY(ctw_place_set_carbon(p, intensity, 1, 60, 60));
        /* 7 | 5 + 4 in the clean slot, a 4 in the other: (2 x 50 + 16) x .1 + (50 + 4) x .3 */
        ck_assert_double_eq_tol(objective_of(p, &proved, &searched), 27.8, 1e-9);
        ck_assert_int_eq(searched, i);
        ctw_place_unref(p);
        ctw_params_unref(opt);
    }
    ctw_ctx_unref(ctx);
}
END_TEST

/* Slots repaired after a random loss of servers: the repair's own verification passes, what stands on servers that
 * are left stays. */
static void repair_case(ctw_ctx *ctx, place_case *c)
{
    ctw_status e;
    ctw_solution *s, *one;
    int64_t count[16];
    c->mode = "greedy";
    ctw_place *p = place_case_build(ctx, c, &e);
    CTW_OKAY(e);
    CTW_OKAY(ctw_place_solve(p, 0, NULL, &s));
    CTW_OKAY(ctw_place_set_warm_start(p, s));
    for (int64_t i = 0; i < c->nodes; i++) count[i] = (int64_t)((c->seed >> (i % 8)) & 1);
    for (int pass = 0; pass < 2; pass++) {
        if (pass && c->nodes > 0) CTW_OKAY(ctw_place_set_node_counts(p, count, (uint64_t)c->nodes));
        for (int64_t t = 0; t < c->slots; t++) {
            ctw_report *r;
            int64_t moved, waits, broken;
            e = ctw_place_repair(p, t, 0, NULL, &one);
            ck_assert_msg(e == CTW_OK, "seed %d slot %d: %s", (int)c->seed, (int)t, ctw_error_message());
            CTW_OKAY(ctw_solution_report(one, &r));
            CTW_OKAY(ctw_report_get_i64(r, "migrations", &moved));
            CTW_OKAY(ctw_report_get_i64(r, "delayed", &waits));
            CTW_OKAY(ctw_report_get_i64(r, "missed_units", &broken));
            if (!pass)
                ck_assert_msg(moved + waits + broken == 0, "seed %d slot %d: moves without need", (int)c->seed, (int)t);
            ctw_report_unref(r);
            ctw_solution_unref(one);
        }
    }
    ctw_solution_unref(s);
    ctw_place_unref(p);
}

START_TEST(repairs)
{
    ctw_ctx *ctx;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    for (uint64_t seed = 0; seed < 120; seed++) {
        place_case c = {.seed = 3000 + seed,
                        .nodes = (int64_t)(seed % 16),
                        .jobs = (int64_t)(seed % 64),
                        .slots = 1 + (int64_t)(seed % 24),
                        .regions = 1 + (int64_t)(seed % 4)};
        c.services = seed % 2 == 0;
        c.caps = seed % 3 == 0;
        c.spread = seed % 4 == 0;
        c.startup = seed % 5 == 0;
        c.types = seed % 7 == 0;
        repair_case(ctx, &c);
    }
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"tiny", tiny},
                                   {"medium", medium},
                                   {"repairs", repairs},
                                   {"optimum", optimum},
                                   {"packing decides", packing_decides}};
    return ctw_test_main("prop-place", cases, sizeof cases / sizeof *cases, 120);
}
