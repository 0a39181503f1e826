/* place_roll.c: Planning again in the middle of a horizon, what a new plan changes, and the reserve. */
#include "test.h"
#include <cybertwin/place.h>
#include <math.h>
#include <string.h>

static ctw_ctx *ctx;

static ctw_place *make(const char *reserve)
{
    ctw_params *opt;
    ctw_place *p;
    CTW_OKAY(ctw_params_new(ctx, "place", &opt));
    CTW_OKAY(ctw_params_set_str(opt, "reserve", reserve));
    CTW_OKAY(ctw_place_new(ctx, opt, &p));
    ctw_params_unref(opt);
    return p;
}

static double metric(const ctw_solution *s, const char *key)
{
    ctw_report *r;
    double v;
    CTW_OKAY(ctw_solution_report(s, &r));
    CTW_OKAY(ctw_report_get_f64(r, key, &v));
    ctw_report_unref(r);
    return v;
}

/* Three servers; a service of one replica; a contiguous job of 3 slots; a preemptible one of 2; six slots. */
static ctw_place *day(const double *ci, const int64_t *servers, uint64_t jobs)
{
    static const double cap[] = {4, 4, 4}, idle[] = {60, 60, 60}, watt[] = {10, 10, 10}, demand[] = {1, 2, 1, 3};
    static const int64_t id[] = {10, 11, 12, 13}, node[] = {1, 2, 3}, dur[] = {1, 3, 2, 2}, release[] = {0, 0, 0, 2};
    static const int32_t kind[] = {CTW_JOB_SERVICE, 0, 0, 0}, pre[] = {0, 0, 1, 0};
    static const int64_t end[] = {6, 6, 6, 6};
    ctw_place *p = make("none");
    CTW_OKAY(ctw_place_set_nodes(p, node, 3, cap, 1, 1));
    CTW_OKAY(ctw_place_set_node_counts(p, servers, 3));
    CTW_OKAY(ctw_place_set_node_power(p, idle, watt, 3, 1));
    CTW_OKAY(ctw_place_set_jobs(p, id, jobs, demand, 1, 1, release, end, dur));
    CTW_OKAY(ctw_place_set_job_kinds(p, kind, jobs));
    CTW_OKAY(ctw_place_set_job_preemptible(p, pre, jobs));
    CTW_OKAY(ctw_place_set_carbon(p, ci, 1, 6, 6));
    return p;
}

/* Slots in which a row runs, as bits. */
static unsigned slots_of(const ctw_solution *s, int64_t row)
{
    int64_t job[64], slot[64];
    uint64_t n = ctw_solution_placement_count(s);
    unsigned bits = 0;
    ck_assert_uint_le(n, 64);
    CTW_OKAY(ctw_solution_placements(s, job, NULL, slot, NULL, NULL, n));
    for (uint64_t i = 0; i < n; i++) bits |= job[i] == row ? 1u << slot[i] : 0;
    return bits;
}

START_TEST(roll)
{
    static const double first[] = {500, 100, 100, 100, 500, 500}, moved[] = {500, 100, 500, 500, 100, 100};
    static const int64_t all[] = {1, 1, 1}, fewer[] = {1, 0, 1};
    int32_t change[4];
    int64_t later[4], shifted[4], missed[4];
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_place *p = day(first, all, 3), *q = day(moved, fewer, 4);
    ctw_solution *a, *b, *c;
    CTW_OKAY(ctw_place_solve(p, 0, NULL, &a));
    ck_assert_uint_eq(slots_of(a, 1), 0xe); /* the three clean slots */
    /* In slot 2 the forecast has moved, a server is gone and a job has come. */
    CTW_OKAY(ctw_place_replan(q, a, 2, 0, NULL, &b));
    CTW_OKAY(ctw_place_verify(q, b));
    ck_assert_uint_eq(slots_of(b, 0), 0x3c); /* the service, from now on */
    ck_assert_uint_eq(slots_of(b, 1), 0xc);  /* contiguous: goes on in 2 and 3 */
    unsigned two = slots_of(a, 2), rest = slots_of(b, 2);
    ck_assert_int_eq(__builtin_popcount(two & 3u) + __builtin_popcount(rest), 2);
    ck_assert_uint_eq(rest & 3u, 0);
    ck_assert_uint_eq(slots_of(b, 3), 0x30); /* the new one in the clean slots */
    CTW_OKAY(ctw_solution_reasons(b, NULL, NULL, missed, 4));
    for (int i = 0; i < 4; i++) ck_assert_int_eq(missed[i], 0);
    CTW_OKAY(ctw_solution_changes(a, b, 2, change, later, shifted, 4));
    ck_assert_int_eq(change[3], CTW_CHANGE_NEW);
    ck_assert_int_eq(change[1] & (CTW_CHANGE_LATER | CTW_CHANGE_EARLIER | CTW_CHANGE_DROPPED), 0);
    /* And again: what ran before the first replanning is not forgotten. */
    CTW_OKAY(ctw_place_replan(q, b, 3, 0, NULL, &c));
    ck_assert_uint_eq(slots_of(c, 1), 0x8);
    CTW_OKAY(ctw_solution_reasons(c, NULL, NULL, missed, 4));
    for (int i = 0; i < 4; i++) ck_assert_int_eq(missed[i], 0);
    CTW_OKAY(ctw_solution_changes(b, c, 3, change, NULL, NULL, 4));
    ck_assert_int_eq(change[3] & CTW_CHANGE_NEW, 0);
    ctw_solution_unref(b);
    CTW_FAILS(ctw_place_replan(q, c, 2, 0, NULL, &b), CTW_E_RANGE, "begins at 3");
    CTW_FAILS(ctw_place_replan(q, a, 6, 0, NULL, &b), CTW_E_RANGE, "6 slots");
    CTW_FAILS(ctw_place_replan(q, NULL, 0, 0, NULL, &b), CTW_E_ARG, NULL);
    CTW_FAILS(ctw_place_replan(NULL, a, 0, 0, NULL, &b), CTW_E_ARG, NULL);
    CTW_FAILS(ctw_solution_changes(a, c, 0, change, NULL, NULL, 3), CTW_E_SHAPE, "4 job rows");
    CTW_FAILS(ctw_solution_changes(a, c, -1, change, NULL, NULL, 4), CTW_E_RANGE, "from");
    CTW_FAILS(ctw_solution_changes(NULL, c, 0, change, NULL, NULL, 4), CTW_E_ARG, NULL);
    ctw_solution_unref(a);
    ctw_solution_unref(c);
    ctw_place_unref(p);
    ctw_place_unref(q);
    ctw_ctx_unref(ctx);
}
END_TEST

/* A contiguous job loses its only server: it is missed from now on, and said so. */
START_TEST(cut)
{
    static const double ci[] = {100, 100, 100, 100, 100, 100};
    static const int64_t one[] = {1, 0, 0}, none[] = {0, 0, 0};
    int64_t missed[2];
    int32_t why[2];
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_place *p = day(ci, one, 2);
    ctw_solution *a, *b;
    CTW_OKAY(ctw_place_solve(p, 0, NULL, &a));
    int64_t start;
    int64_t slot[2];
    CTW_OKAY(ctw_solution_assignment(a, NULL, slot, 2));
    start = slot[1];
    CTW_OKAY(ctw_place_set_node_counts(p, none, 3));
    CTW_OKAY(ctw_place_replan(p, a, start + 1, 0, NULL, &b));
    CTW_OKAY(ctw_place_verify(p, b));
    ck_assert_uint_eq(ctw_solution_placement_count(b), 0);
    CTW_OKAY(ctw_solution_reasons(b, why, NULL, missed, 2));
    ck_assert_int_eq(missed[1], 2);
    ck_assert_int_ge(why[1], CTW_WHY_MISSED_CAPACITY);
    ctw_solution_unref(a);
    ctw_solution_unref(b);
    ctw_place_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

/* Two replicas fill a server; three servers in two racks. */
static ctw_place *guarded(const char *reserve, const int64_t *rack)
{
    static const double cap[] = {4, 4, 4}, idle[] = {60, 70, 80}, demand[] = {2}, ci[] = {100, 100};
    static const int64_t count[] = {2};
    static const int32_t kind[] = {CTW_JOB_SERVICE};
    ctw_place *p = make(reserve);
    CTW_OKAY(ctw_place_set_nodes(p, NULL, 3, cap, 1, 1));
    CTW_OKAY(ctw_place_set_node_power(p, idle, NULL, 3, 1));
    CTW_OKAY(ctw_place_set_node_racks(p, rack, 3));
    CTW_OKAY(ctw_place_set_jobs(p, NULL, 1, demand, 1, 1, NULL, NULL, NULL));
    CTW_OKAY(ctw_place_set_job_kinds(p, kind, 1));
    CTW_OKAY(ctw_place_set_job_counts(p, count, 1));
    CTW_OKAY(ctw_place_set_carbon(p, ci, 1, 2, 2));
    return p;
}

START_TEST(reserve)
{
    static const int64_t apart[] = {0, 0, 1}, same[] = {5, 5, 5}, counts[] = {1, 0, 0};
    static const char *const kinds[] = {"server", "rack"};
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    for (int i = 0; i < 2; i++) {
        ctw_place *p = guarded(kinds[i], apart);
        ctw_solution *s;
        int64_t slot[2], row[2], server[2];
        CTW_OKAY(ctw_place_solve(p, 0, NULL, &s));
        CTW_OKAY(ctw_place_verify(p, s));
        ck_assert_double_le(metric(s, "reserve_short"), 0);
        ck_assert_uint_eq(ctw_solution_spare_count(s), 2); /* one in each slot */
        CTW_OKAY(ctw_solution_spares(s, slot, row, server, 2));
        for (int t = 0; t < 2; t++) {
            ck_assert_int_eq(slot[t], t);
            ck_assert_int_eq(row[t], i ? 2 : 1); /* the cheapest that is not lost with the first */
            ck_assert_int_eq(server[t], 0);
        }
        ck_assert_double_eq_tol(metric(s, "objective"), 2 * 0.1 * (60 + (i ? 80 : 70)), 1e-9);
        CTW_FAILS(ctw_solution_spares(s, slot, row, server, 1), CTW_E_SHAPE, "spare servers");
        CTW_FAILS(ctw_place_write_mps(p, "reserve.mps"), CTW_E_UNSUPPORTED, "reserve");
        ctw_solution_unref(s);
        CTW_OKAY(ctw_place_set_node_counts(p, counts, 3)); /* nothing to fall back on: a plan, and its shortage */
        CTW_OKAY(ctw_place_solve(p, 0, NULL, &s));
        CTW_OKAY(ctw_place_verify(p, s));
        ck_assert_double_eq_tol(metric(s, "reserve_short"), 2, 1e-9);
        ctw_solution_unref(s);
        CTW_OKAY(ctw_place_set_node_counts(p, NULL, 3));
        CTW_OKAY(ctw_place_set_node_racks(p, same, 3));
        CTW_OKAY(ctw_place_solve(p, 0, NULL, &s));
        ck_assert_double_eq_tol(metric(s, "reserve_short"), i ? 2 : 0, 1e-9);
        ctw_solution_unref(s);
        ctw_place_unref(p);
    }
    ck_assert_uint_eq(ctw_solution_spare_count(NULL), 0);
    ctw_ctx_unref(ctx);
}
END_TEST

/* A plan made without the reserve does not pass as one with it. */
START_TEST(reserve_is_verified)
{
    static const int64_t apart[] = {0, 0, 1};
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_place *p = guarded("none", apart), *q = guarded("server", apart);
    ctw_solution *s;
    CTW_OKAY(ctw_place_solve(p, 0, NULL, &s));
    CTW_FAILS(ctw_place_verify(q, s), CTW_E_INTERNAL, "do not survive 2 losses");
    ctw_solution_unref(s);
    ctw_place_unref(p);
    ctw_place_unref(q);
    ctw_ctx_unref(ctx);
}
END_TEST

/* Bad input that the issue names, each a status or a plan with its shortage. */
START_TEST(bad_input)
{
    static const double cap[] = {4}, idle[] = {60}, watt[] = {10}, demand[] = {8, 1}, ci[] = {100, 100},
                        nan1[] = {NAN, 1}, low[] = {50};
    static const int64_t dur[] = {1, 1}, long_dur[] = {3, 1}, zero[] = {0}, end[] = {2, 2};
    int32_t why[2];
    int64_t missed[2];
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_place *p = make("none");
    ctw_solution *s;
    CTW_OKAY(ctw_place_set_nodes(p, NULL, 1, cap, 1, 1));
    CTW_OKAY(ctw_place_set_node_power(p, idle, watt, 1, 1));
    CTW_FAILS(ctw_place_set_carbon(p, nan1, 1, 2, 2), CTW_E_NONFINITE, "g_per_kwh");
    CTW_OKAY(ctw_place_set_carbon(p, ci, 1, 2, 2));
    CTW_FAILS(ctw_place_set_jobs(p, NULL, 2, demand, 1, 1, NULL, end, long_dur), CTW_E_RANGE, "row 0");
    CTW_OKAY(ctw_place_set_jobs(p, NULL, 2, demand, 1, 1, NULL, end, dur));
    CTW_OKAY(ctw_place_solve(p, 0, NULL, &s)); /* one is larger than any server */
    CTW_OKAY(ctw_solution_reasons(s, why, NULL, missed, 2));
    ck_assert_int_eq(why[0], CTW_WHY_TOO_LARGE);
    ck_assert_int_eq(missed[0], 1);
    ck_assert_int_eq(missed[1], 0);
    ctw_solution_unref(s);
    CTW_OKAY(ctw_place_set_node_caps(p, low, 1)); /* below idle power: the server cannot run */
    CTW_OKAY(ctw_place_solve(p, 0, NULL, &s));
    CTW_OKAY(ctw_solution_reasons(s, why, NULL, missed, 2));
    ck_assert_int_eq(missed[0] + missed[1], 2);
    ctw_solution_unref(s);
    CTW_OKAY(ctw_place_set_node_caps(p, NULL, 1));
    CTW_OKAY(ctw_place_set_region_caps(p, low, 1)); /* the same for the region */
    CTW_OKAY(ctw_place_solve(p, 0, NULL, &s));
    CTW_OKAY(ctw_solution_reasons(s, why, NULL, missed, 2));
    ck_assert_int_eq(why[1], CTW_WHY_MISSED_CAPACITY);
    ctw_solution_unref(s);
    CTW_OKAY(ctw_place_set_region_caps(p, NULL, 0));
    CTW_OKAY(ctw_place_set_node_counts(p, zero, 1)); /* no servers at all */
    CTW_OKAY(ctw_place_solve(p, 0, NULL, &s));
    CTW_OKAY(ctw_solution_reasons(s, why, NULL, missed, 2));
    ck_assert_int_eq(missed[0] + missed[1], 2);
    ctw_solution_unref(s);
    ctw_place_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

/* Without a forecast nobody waits; a job that finds no room at once runs in the next slot that has some. */
START_TEST(fail_open)
{
    static const double ci[] = {500, 400, 100, 100}, cap[] = {4}, idle[] = {10}, watt[] = {10}, demand[] = {4, 4};
    static const int64_t end[] = {4, 4}, dur[] = {1, 1};
    int64_t slot[2];
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_place *p = make("none");
    ctw_solution *s;
    CTW_OKAY(ctw_place_set_nodes(p, NULL, 1, cap, 1, 1));
    CTW_OKAY(ctw_place_set_node_power(p, idle, watt, 1, 1));
    CTW_OKAY(ctw_place_set_jobs(p, NULL, 2, demand, 1, 1, NULL, end, dur));
    CTW_OKAY(ctw_place_set_carbon(p, ci, 1, 4, 4));
    CTW_OKAY(ctw_place_set_forecast_age(p, 3600)); /* old, but max_age_s says nothing */
    CTW_OKAY(ctw_place_solve(p, 0, NULL, &s));
    CTW_OKAY(ctw_solution_assignment(s, NULL, slot, 2));
    ck_assert_int_eq(slot[0] + slot[1], 5); /* the clean slots 2 and 3 */
    ck_assert_double_le(metric(s, "fail_open"), 0);
    ctw_solution_unref(s);
    CTW_OKAY(ctw_place_set_forecast_age(p, INFINITY));
    CTW_OKAY(ctw_place_solve(p, 0, NULL, &s));
    CTW_OKAY(ctw_place_verify(p, s));
    CTW_OKAY(ctw_solution_assignment(s, NULL, slot, 2));
    ck_assert_int_eq(slot[0] + slot[1], 1);
    ck_assert_double_eq_tol(metric(s, "fail_open"), 1, 1e-9);
    ck_assert_double_eq_tol(metric(s, "objective"), 0.9 * 50, 1e-9); /* charged at the values given */
    ck_assert_int_eq(ctw_solution_outcome(s), CTW_PLACE_HEURISTIC);
    ctw_solution_unref(s);
    CTW_OKAY(ctw_place_set_carbon(p, ci, 1, 4, 4)); /* a fresh one */
    CTW_OKAY(ctw_place_solve(p, 0, NULL, &s));
    ck_assert_double_le(metric(s, "fail_open"), 0);
    ctw_solution_unref(s);
    CTW_FAILS(ctw_place_set_forecast_age(p, NAN), CTW_E_NONFINITE, "age_s");
    CTW_FAILS(ctw_place_set_forecast_age(p, -1), CTW_E_RANGE, "age_s");
    CTW_FAILS(ctw_place_set_forecast_age(NULL, 0), CTW_E_ARG, NULL);
    ctw_place_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"roll", roll},           {"cut", cut},
                                   {"reserve", reserve},     {"reserve_is_verified", reserve_is_verified},
                                   {"bad_input", bad_input}, {"fail_open", fail_open}};
    return ctw_test_main("api-place-roll", cases, sizeof cases / sizeof *cases, 60);
}
