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
        one_case(ctx, &c, modes, 3);
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
    const ctw_test_case cases[] = {{"tiny", tiny}, {"medium", medium}, {"repairs", repairs}};
    return ctw_test_main("prop-place", cases, sizeof cases / sizeof *cases, 120);
}
