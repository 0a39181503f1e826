/* place.c: The placement contract from outside: known small plans, every refusal, lifetimes, and what a plan tells. */
#include "test.h"
#include <cybertwin/place.h>
#include <math.h>
#include <string.h>

static ctw_ctx *ctx;

static void setup(void)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
}

static void teardown(void)
{
    ctw_ctx_unref(ctx);
}

static ctw_place *make(const char *mode)
{
    ctw_params *opt;
    ctw_place *p;
    CTW_OKAY(ctw_params_new(ctx, "place", &opt));
    CTW_OKAY(ctw_params_set_str(opt, "mode", mode));
    CTW_OKAY(ctw_place_new(ctx, opt, &p));
    ctw_params_unref(opt);
    return p;
}

/* Two servers, one service of two replicas, three batch jobs, four slots of which the third is clean. */
static ctw_place *small(const char *mode)
{
    static const double cap[] = {8, 16, 16, 32}, idle[] = {50, 90}, watt[] = {4, 0, 3, 0}, ci[] = {400, 300, 100, 500};
    static const double demand[] = {2, 4, 4, 8, 4, 4, 8, 8};
    static const int64_t id[] = {7, 8, 9, 10}, release[] = {0, 0, 0, 1}, deadline[] = {4, 4, 4, 3},
                         dur[] = {1, 1, 2, 2};
    static const int64_t count[] = {2, 1, 1, 1}, node_id[] = {100, 200};
    static const int32_t kind[] = {CTW_JOB_SERVICE, 0, 0, 0}, pre[] = {0, 0, 1, 0};
    ctw_place *p = make(mode);
    CTW_OKAY(ctw_place_set_nodes(p, node_id, 2, cap, 2, 2));
    CTW_OKAY(ctw_place_set_node_power(p, idle, watt, 2, 2));
    CTW_OKAY(ctw_place_set_jobs(p, id, 4, demand, 2, 2, release, deadline, dur));
    CTW_OKAY(ctw_place_set_job_kinds(p, kind, 4));
    CTW_OKAY(ctw_place_set_job_counts(p, count, 4));
    CTW_OKAY(ctw_place_set_job_preemptible(p, pre, 4));
    CTW_OKAY(ctw_place_set_carbon(p, ci, 1, 4, 4));
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

START_TEST(plan)
{
    setup();
    static const char *modes[] = {"auto", "greedy", "bottomup", "exact", "decompose"};
    double best = INFINITY;
    for (size_t i = 0; i < 5; i++) {
        ctw_place *p = small(modes[i]);
        ctw_solution *s;
        CTW_OKAY(ctw_place_solve(p, 5, NULL, &s));
        CTW_OKAY(ctw_place_verify(p, s));
        int64_t node[4], slot[4], delay[4], missed[4];
        int32_t why[4];
        CTW_OKAY(ctw_solution_assignment(s, node, slot, 4));
        CTW_OKAY(ctw_solution_reasons(s, why, delay, missed, 4));
        for (int j = 0; j < 4; j++) ck_assert(node[j] == 100 || node[j] == 200);
        ck_assert_int_eq(slot[1], 2); /* the one-slot job waits for the clean slot */
        ck_assert_int_eq(why[1], CTW_WHY_CLEANER);
        ck_assert_int_eq(delay[1], 2);
        ck_assert_int_eq(slot[3], 1); /* no choice: two slots in [1, 3) */
        ck_assert_int_eq(why[3], CTW_WHY_ON_TIME);
        ck_assert_int_eq(missed[0] + missed[1] + missed[2] + missed[3], 0);
        ck_assert_uint_eq(ctw_solution_placement_count(s), 8 + 1 + 2 + 2);
        ck_assert_double_eq_tol(metric(s, "objective"), metric(s, "carbon_g"), 1e-9);
        if (i == 0) {
            ck_assert_int_eq(ctw_solution_outcome(s), CTW_PLACE_OPTIMAL);
            best = metric(s, "objective");
        }
        if (i == 1) ck_assert_int_eq(ctw_solution_outcome(s), CTW_PLACE_HEURISTIC);
        ck_assert(ctw_solution_stop(s) >= CTW_STOP_PROVED);
        ck_assert_double_ge(metric(s, "objective"), best * (1 - 1e-9));
        ck_assert_double_le(metric(s, "bound"), metric(s, "objective") * (1 + 1e-9));
        ctw_solution_unref(s);
        ctw_place_unref(p);
    }
    teardown();
}
END_TEST

START_TEST(placements)
{
    setup();
    ctw_place *p = small("auto");
    ctw_solution *s, *g;
    CTW_OKAY(ctw_place_solve(p, 0, NULL, &s));
    CTW_OKAY(ctw_place_greedy(p, &g));
    int64_t row[13], unit[13], slot[13], node[13], server[13];
    uint64_t n = ctw_solution_placement_count(s);
    ck_assert_uint_eq(n, 13);
    CTW_OKAY(ctw_solution_placements(s, row, unit, slot, node, server, n));
    for (uint64_t i = 1; i < n; i++) {
        ck_assert(row[i] > row[i - 1] || unit[i] > unit[i - 1] || slot[i] > slot[i - 1]);
    }
    for (uint64_t i = 0; i < n; i++) ck_assert(node[i] >= 0 && node[i] < 2 && server[i] == 0);
    CTW_FAILS(ctw_solution_placements(s, row, unit, slot, node, server, n - 1), CTW_E_SHAPE, "placements");
    CTW_FAILS(ctw_solution_assignment(s, row, NULL, 3), CTW_E_SHAPE, "job rows");
    CTW_FAILS(ctw_solution_reasons(NULL, NULL, NULL, NULL, 0), CTW_E_ARG, NULL);
    CTW_OKAY(ctw_place_set_warm_start(p, s));
    ctw_place_unref(p); /* any order */
    ctw_solution *again = ctw_solution_ref(s);
    ctw_solution_unref(s);
    ck_assert_int_eq(ctw_solution_outcome(again), CTW_PLACE_OPTIMAL);
    ctw_solution_unref(again);
    ctw_solution_unref(g);
    ck_assert_int_eq(ctw_solution_outcome(NULL), 0);
    ck_assert_int_eq(ctw_solution_stop(NULL), 0);
    ck_assert_uint_eq(ctw_solution_placement_count(NULL), 0);
    ck_assert(!ctw_solution_ref(NULL) && !ctw_place_ref(NULL));
    teardown();
}
END_TEST

START_TEST(too_early)
{
    setup();
    ctw_place *p = make("auto");
    ctw_solution *s;
    double cap[] = {4}, demand[] = {1, 2}, ci[] = {100};
    CTW_FAILS(ctw_place_solve(p, 1, NULL, &s), CTW_E_STATE, "set_nodes");
    ck_assert(!s);
    CTW_OKAY(ctw_place_set_nodes(p, NULL, 1, cap, 1, 1));
    CTW_FAILS(ctw_place_solve(p, 1, NULL, &s), CTW_E_STATE, "set_jobs");
    CTW_OKAY(ctw_place_set_jobs(p, NULL, 1, demand, 2, 2, NULL, NULL, NULL));
    CTW_FAILS(ctw_place_greedy(p, &s), CTW_E_STATE, "set_carbon");
    CTW_OKAY(ctw_place_set_carbon(p, ci, 1, 1, 1));
    CTW_FAILS(ctw_place_solve(p, 1, NULL, &s), CTW_E_SHAPE, "resources");
    CTW_FAILS(ctw_place_solve(p, NAN, NULL, &s), CTW_E_NONFINITE, "deadline_s");
    CTW_FAILS(ctw_place_solve(p, 1, NULL, NULL), CTW_E_ARG, "out");
    CTW_FAILS(ctw_place_solve(NULL, 1, NULL, &s), CTW_E_ARG, NULL);
    ctw_cancel *c;
    CTW_OKAY(ctw_cancel_new(ctx, &c));
    ctw_cancel_request(c);
    CTW_FAILS(ctw_place_solve(p, 1, c, &s), CTW_E_CANCELLED, NULL);
    CTW_OKAY(ctw_cancel_set_deadline(c, -1));
    ctw_cancel_reset(c);
    CTW_OKAY(ctw_cancel_set_deadline(c, 0));
    CTW_FAILS(ctw_place_solve(p, 1, c, &s), CTW_E_DEADLINE, NULL);
    ctw_cancel_unref(c);
    ctw_place_unref(p);
    teardown();
}
END_TEST

START_TEST(refusals)
{
    setup();
    ctw_place *p = small("auto");
    const double nan1[] = {NAN, 1}, minus[] = {-1, 1}, good[] = {1, 1}, inf1[] = {INFINITY, 1};
    const int64_t far[] = {5, 0}, neg[] = {-1, 0}, twice[] = {3, 3}, four[] = {0, 0, 0, 9};
    const int64_t rel[] = {0}, dl[] = {2}, du[] = {3}, zero[] = {0};
    const int32_t two[] = {2, 0, 0, 0};
    ctw_solution *s;
    CTW_FAILS(ctw_place_set_nodes(p, NULL, 1, nan1, 1, 1), CTW_E_NONFINITE, "capacity");
    CTW_FAILS(ctw_place_set_nodes(p, NULL, 1, minus, 1, 1), CTW_E_RANGE, "capacity");
    CTW_FAILS(ctw_place_set_nodes(p, NULL, 1, good, 2, 1), CTW_E_SHAPE, "stride");
    CTW_FAILS(ctw_place_set_nodes(p, NULL, 1, good, 17, 17), CTW_E_RANGE, "r is 17");
    CTW_FAILS(ctw_place_set_nodes(p, twice, 2, good, 1, 1), CTW_E_ARG, "id 3");
    CTW_FAILS(ctw_place_set_nodes(p, NULL, 1, NULL, 1, 1), CTW_E_ARG, "capacity");
    CTW_FAILS(ctw_place_set_node_counts(p, neg, 2), CTW_E_RANGE, "count[0]");
    CTW_FAILS(ctw_place_set_node_counts(p, neg, 1), CTW_E_SHAPE, "rows of servers");
    CTW_FAILS(ctw_place_set_node_power(p, inf1, NULL, 2, 0), CTW_E_NONFINITE, "idle_w");
    CTW_FAILS(ctw_place_set_node_power(p, good, nan1, 2, 1), CTW_E_SHAPE, "stride");
    CTW_FAILS(ctw_place_set_node_caps(p, minus, 2), CTW_E_RANGE, "cap_w");
    CTW_OKAY(ctw_place_set_node_caps(p, inf1, 2));
    CTW_FAILS(ctw_place_set_job_kinds(p, two, 4), CTW_E_RANGE, "kind[0]");
    CTW_FAILS(ctw_place_set_job_kinds(p, two, 3), CTW_E_SHAPE, "rows of jobs");
    CTW_FAILS(ctw_place_set_jobs(p, NULL, 1, good, 1, 1, rel, dl, du), CTW_E_RANGE, "window");
    CTW_FAILS(ctw_place_set_jobs(p, NULL, 1, good, 1, 1, neg, NULL, NULL), CTW_E_RANGE, "release[0]");
    CTW_FAILS(ctw_place_set_jobs(p, NULL, 1, good, 1, 1, NULL, NULL, zero), CTW_E_RANGE, "duration[0]");
    CTW_FAILS(ctw_place_set_job_penalties(p, nan1, 4), CTW_E_NONFINITE, "penalty_g");
    CTW_FAILS(ctw_place_set_carbon(p, minus, 1, 1, 1), CTW_E_RANGE, "g_per_kwh");
    CTW_FAILS(ctw_place_set_carbon(p, good, 0, 1, 1), CTW_E_RANGE, "regions");
    CTW_FAILS(ctw_place_set_loads(p, four + 3, zero, zero, 1), CTW_E_RANGE, "job_row");
    CTW_OKAY(ctw_place_solve(p, 1, NULL, &s)); /* nothing of the above has changed it */
    ctw_solution_unref(s);
    CTW_OKAY(ctw_place_set_node_regions(p, far, 2));
    CTW_FAILS(ctw_place_solve(p, 1, NULL, &s), CTW_E_RANGE, "region 5");
    CTW_OKAY(ctw_place_set_node_regions(p, NULL, 2));
    CTW_OKAY(ctw_place_set_region_caps(p, good, 2));
    CTW_FAILS(ctw_place_solve(p, 1, NULL, &s), CTW_E_SHAPE, "caps for 2 regions");
    CTW_OKAY(ctw_place_set_region_caps(p, NULL, 0));
    const int64_t batch_row[] = {1}, much[] = {9}, service_row[] = {0}, beyond[] = {99};
    CTW_OKAY(ctw_place_set_loads(p, batch_row, zero, zero, 1));
    CTW_FAILS(ctw_place_solve(p, 1, NULL, &s), CTW_E_RANGE, "no service");
    CTW_OKAY(ctw_place_set_loads(p, service_row, zero, much, 1));
    CTW_FAILS(ctw_place_solve(p, 1, NULL, &s), CTW_E_RANGE, "9 replicas");
    CTW_OKAY(ctw_place_set_loads(p, service_row, beyond, zero, 1));
    CTW_FAILS(ctw_place_solve(p, 1, NULL, &s), CTW_E_RANGE, "slot 99");
    CTW_OKAY(ctw_place_set_loads(p, NULL, NULL, NULL, 0));
    double one_slot[] = {100};
    CTW_OKAY(ctw_place_set_carbon(p, one_slot, 1, 1, 1));
    CTW_FAILS(ctw_place_solve(p, 1, NULL, &s), CTW_E_RANGE, "horizon ends at 1");
    ctw_place_unref(p);
    teardown();
}
END_TEST

START_TEST(shortage)
{
    setup();
    ctw_place *p = make("auto");
    double cap[] = {4}, demand[] = {4, 4, 8, 1}, ci[] = {100, 200}, penalty[] = {INFINITY, INFINITY, INFINITY, 0};
    double idle[] = {50};
    int64_t dur[] = {2, 2, 1, 1}, missed[4], node[4], slot[4];
    int32_t why[4], kind[] = {CTW_JOB_SERVICE, 0, 0, 0};
    ctw_solution *s;
    CTW_OKAY(ctw_place_set_nodes(p, NULL, 1, cap, 1, 1));
    CTW_OKAY(ctw_place_set_node_power(p, idle, NULL, 1, 1));
    CTW_OKAY(ctw_place_set_jobs(p, NULL, 4, demand, 1, 1, NULL, NULL, dur));
    CTW_OKAY(ctw_place_set_job_kinds(p, kind, 4));
    CTW_OKAY(ctw_place_set_job_penalties(p, penalty, 4));
    CTW_OKAY(ctw_place_set_carbon(p, ci, 1, 2, 2));
    CTW_OKAY(ctw_place_solve(p, 1, NULL, &s));
    CTW_OKAY(ctw_solution_reasons(s, why, NULL, missed, 4));
    CTW_OKAY(ctw_solution_assignment(s, node, slot, 4));
    ck_assert_int_eq(missed[0], 0);
    ck_assert_int_eq(missed[1], 2);
    ck_assert_int_eq(why[1], CTW_WHY_MISSED_CAPACITY);
    ck_assert_int_eq(why[2], CTW_WHY_TOO_LARGE);
    ck_assert_int_eq(missed[3], 1);
    ck_assert_int_eq(node[1], -1);
    ck_assert_int_eq(slot[1], -1);
    ck_assert_double_gt(metric(s, "penalty_g"), 0);
    ctw_solution_unref(s);
    int64_t none[] = {0};
    CTW_OKAY(ctw_place_set_node_counts(p, none, 1)); /* every server lost */
    CTW_OKAY(ctw_place_solve(p, 1, NULL, &s));
    ck_assert_double_eq(metric(s, "unplaced_services"), 2);
    ck_assert_uint_eq(ctw_solution_placement_count(s), 0);
    ctw_place *other = small("greedy");
    CTW_FAILS(ctw_place_verify(other, s), CTW_E_SHAPE, "the plan is for");
    ctw_place_unref(other);
    ctw_solution_unref(s);
    ctw_place_unref(p);
    teardown();
}
END_TEST

START_TEST(verifier_objects)
{
    setup();
    ctw_place *p = small("greedy");
    ctw_solution *s;
    CTW_OKAY(ctw_place_solve(p, 1, NULL, &s));
    double dirty[] = {900, 900, 900, 900}, tight[] = {8, 4, 16, 4}, limit[] = {51, 91}, region[] = {60};
    int64_t release[] = {0, 3, 0, 1}, one[] = {1, 1, 1, 1};
    double demand[] = {2, 4, 4, 8, 4, 4, 8, 8}, idle[] = {50, 90}, watt[] = {4, 0, 3, 0};
    CTW_OKAY(ctw_place_set_carbon(p, dirty, 1, 4, 4));
    CTW_FAILS(ctw_place_verify(p, s), CTW_E_INTERNAL, "costs");
    CTW_OKAY(ctw_place_set_node_caps(p, limit, 2));
    CTW_FAILS(ctw_place_verify(p, s), CTW_E_INTERNAL, "draws");
    CTW_OKAY(ctw_place_set_node_caps(p, NULL, 2));
    CTW_OKAY(ctw_place_set_region_caps(p, region, 1));
    CTW_FAILS(ctw_place_verify(p, s), CTW_E_INTERNAL, "region 0 draws");
    CTW_OKAY(ctw_place_set_region_caps(p, NULL, 0));
    CTW_OKAY(ctw_place_set_job_spread(p, one, 4));
    CTW_FAILS(ctw_place_verify(p, s), CTW_E_INTERNAL, "one server");
    CTW_OKAY(ctw_place_set_nodes(p, NULL, 2, tight, 2, 2));
    CTW_OKAY(ctw_place_set_node_power(p, idle, watt, 2, 2));
    CTW_FAILS(ctw_place_verify(p, s), CTW_E_INTERNAL, "of resource 1");
    CTW_OKAY(ctw_place_set_jobs(p, NULL, 4, demand, 2, 2, release, NULL, NULL));
    CTW_FAILS(ctw_place_verify(p, s), CTW_E_INTERNAL, NULL);
    ctw_solution_unref(s);
    ctw_place_unref(p);
    teardown();
}
END_TEST

START_TEST(export_model)
{
    setup();
    ctw_place *p = small("auto");
    CTW_OKAY(ctw_place_write_mps(p, ctw_test_tmp("place.mps")));
    CTW_FAILS(ctw_place_write_mps(p, NULL), CTW_E_ARG, "path");
    ctw_place_unref(p);
    ctw_params *opt;
    CTW_OKAY(ctw_params_new(ctx, "place", &opt));
    CTW_OKAY(ctw_params_set_i64(opt, "max_vars", 3));
    CTW_OKAY(ctw_place_new(ctx, opt, &p));
    double cap[] = {4}, ci[] = {1, 2, 3, 4};
    int64_t dl[] = {4};
    CTW_OKAY(ctw_place_set_nodes(p, NULL, 1, cap, 1, 1));
    CTW_OKAY(ctw_place_set_jobs(p, NULL, 1, cap, 1, 1, NULL, dl, NULL));
    CTW_OKAY(ctw_place_set_carbon(p, ci, 1, 4, 4));
    CTW_FAILS(ctw_place_write_mps(p, ctw_test_tmp("x.mps")), CTW_E_RANGE, "max_vars");
    ctw_place_unref(p);
    ctw_params_unref(opt);
    teardown();
}
END_TEST

static int32_t halt(void *user, uint64_t step, double bound, double best)
{
    (void)step;
    ck_assert(!(bound > best * (1 + 1e-9)) || best <= 0);
    ++*(int *)user;
    return 1;
}

START_TEST(attributes)
{
    setup();
    ctw_place *p = small("decompose");
    ctw_solution *s;
    const double per_hour[] = {30, 60}, minus[] = {-1, 0}, nan1[] = {NAN, 0};
    const int64_t rack[] = {3, -1}, below[] = {-2, 0};
    int calls = 0;
    CTW_OKAY(ctw_place_solve(p, 1, NULL, &s));
    double before = metric(s, "objective");
    ctw_solution_unref(s);
    CTW_OKAY(ctw_place_set_node_embodied(p, per_hour, 2));
    CTW_OKAY(ctw_place_solve(p, 1, NULL, &s));
    ck_assert_double_gt(metric(s, "embodied_g"), 30);
    ck_assert_double_eq_tol(metric(s, "objective"), metric(s, "carbon_g") + metric(s, "embodied_g"), 1e-9);
    ck_assert_double_ge(metric(s, "objective"), before);
    ctw_solution_unref(s);
    CTW_FAILS(ctw_place_set_node_embodied(p, minus, 2), CTW_E_RANGE, "g_per_hour");
    CTW_FAILS(ctw_place_set_node_embodied(p, nan1, 2), CTW_E_NONFINITE, "g_per_hour");
    CTW_FAILS(ctw_place_set_node_embodied(p, per_hour, 1), CTW_E_SHAPE, "rows of servers");
    CTW_OKAY(ctw_place_set_node_embodied(p, NULL, 2));
    CTW_OKAY(ctw_place_set_node_racks(p, rack, 2));
    CTW_FAILS(ctw_place_set_node_racks(p, below, 2), CTW_E_RANGE, "rack");
    CTW_FAILS(ctw_place_set_node_racks(p, rack, 3), CTW_E_SHAPE, "rows of servers");
    CTW_OKAY(ctw_place_set_progress(p, halt, &calls));
    CTW_OKAY(ctw_place_solve(p, 1, NULL, &s)); /* a plan, although the host stopped at the first report */
    ck_assert_int_eq(calls, 1);
    ck_assert_int_eq(ctw_solution_stop(s), CTW_STOP_CANCEL);
    ctw_solution_unref(s);
    CTW_OKAY(ctw_place_set_progress(p, NULL, NULL));
    CTW_OKAY(ctw_place_solve(p, 1, NULL, &s));
    ck_assert_int_eq(calls, 1);
    ck_assert_double_eq_tol(metric(s, "objective"), before, 1e-6);
    ctw_solution_unref(s);
    ctw_place_unref(p);
    CTW_FAILS(ctw_place_set_progress(NULL, NULL, NULL), CTW_E_ARG, NULL);
    teardown();
}
END_TEST

/* One job that runs on server 0 already; server 1 draws half as much. Moving there costs energy, or is forbidden. */
START_TEST(moves)
{
    setup();
    static const double cap[] = {4, 4}, idle[] = {100, 50}, ci[] = {200, 200}, demand[] = {2, 2};
    static const int64_t dur[] = {2, 2}, count[] = {1, 2}, zero[] = {0}, two[] = {2}, one[] = {1};
    static const int32_t kind[] = {0, CTW_JOB_SERVICE};
    const double dear[] = {1000, 0}, cheap[] = {1, 0}, minus[] = {-1, 0};
    ctw_place *p = make("decompose");
    ctw_solution *s;
    int64_t node[2];
    CTW_OKAY(ctw_place_set_nodes(p, NULL, 2, cap, 1, 1));
    CTW_OKAY(ctw_place_set_node_power(p, idle, NULL, 2, 1));
    CTW_OKAY(ctw_place_set_jobs(p, NULL, 2, demand, 1, 1, NULL, NULL, dur));
    CTW_OKAY(ctw_place_set_job_kinds(p, kind, 2));
    CTW_OKAY(ctw_place_set_job_counts(p, count, 2));
    CTW_OKAY(ctw_place_set_carbon(p, ci, 1, 2, 2));
    CTW_FAILS(ctw_place_set_running(p, two, zero, zero, zero, 1), CTW_E_RANGE, "job_row");
    CTW_FAILS(ctw_place_set_running(p, zero, zero, two, zero, 1), CTW_E_RANGE, "node_row");
    CTW_FAILS(ctw_place_set_running(p, zero, NULL, zero, zero, 1), CTW_E_ARG, "unit");
    CTW_FAILS(ctw_place_set_running(NULL, zero, zero, zero, zero, 1), CTW_E_ARG, NULL);
    CTW_FAILS(ctw_place_set_job_migration(p, minus, 2), CTW_E_RANGE, "wh");
    CTW_FAILS(ctw_place_set_job_migration(p, cheap, 1), CTW_E_SHAPE, "rows of jobs");
    CTW_OKAY(ctw_place_set_running(p, zero, two, zero, zero, 1));
    CTW_FAILS(ctw_place_solve(p, 1, NULL, &s), CTW_E_RANGE, "unit 2 of job row 0");
    CTW_OKAY(ctw_place_set_running(p, zero, zero, zero, one, 1)); /* a server that is gone */
    CTW_OKAY(ctw_place_set_job_migration(p, dear, 2));
    CTW_OKAY(ctw_place_solve(p, 1, NULL, &s));
    ck_assert_double_le(metric(s, "migrations"), 0);
    ctw_solution_unref(s);
    CTW_OKAY(ctw_place_set_running(p, zero, zero, zero, zero, 1));
    CTW_OKAY(ctw_place_solve(p, 1, NULL, &s));
    CTW_OKAY(ctw_solution_assignment(s, node, NULL, 2));
    ck_assert_int_eq(node[0], 0); /* stays */
    ck_assert_double_le(metric(s, "migrations"), 0);
    ctw_solution_unref(s);
    CTW_FAILS(ctw_place_write_mps(p, "moves.mps"), CTW_E_UNSUPPORTED, "migrations");
    CTW_OKAY(ctw_place_set_running(p, NULL, NULL, NULL, NULL, 0));
    CTW_OKAY(ctw_place_set_job_migration(p, NULL, 2));
    CTW_OKAY(ctw_place_solve(p, 1, NULL, &s));
    ck_assert_double_le(metric(s, "migrations_over"), 0);
    ctw_solution_unref(s);
    ctw_place_unref(p);
    teardown();
}
END_TEST

/* Losing the second server in slot 2, where everything runs: the service moves, what can wait waits. */
START_TEST(repair)
{
    setup();
    ctw_place *p = small("greedy");
    ctw_solution *s, *one;
    int64_t slot[64], missed[4], row[64], left[] = {1, 0}, none[] = {0, 0};
    CTW_FAILS(ctw_place_repair(p, 0, 0, NULL, &one), CTW_E_STATE, "set_warm_start");
    CTW_OKAY(ctw_place_solve(p, 1, NULL, &s));
    CTW_OKAY(ctw_place_set_warm_start(p, s));
    CTW_FAILS(ctw_place_repair(p, 4, 0, NULL, &one), CTW_E_RANGE, "slot 4");
    CTW_FAILS(ctw_place_repair(p, -1, 0, NULL, &one), CTW_E_RANGE, "slot -1");
    CTW_FAILS(ctw_place_repair(p, 0, NAN, NULL, &one), CTW_E_NONFINITE, "deadline_s");
    CTW_FAILS(ctw_place_repair(p, 0, 0, NULL, NULL), CTW_E_ARG, "out");
    CTW_FAILS(ctw_place_repair(NULL, 0, 0, NULL, &one), CTW_E_ARG, NULL);
    for (int64_t t = 0; t < 4; t++) { /* nothing was lost: nothing moves */
        CTW_OKAY(ctw_place_repair(p, t, 0, NULL, &one));
        ck_assert_double_eq(metric(one, "migrations"), 0);
        ck_assert_double_eq(metric(one, "delayed"), 0);
        ck_assert_double_eq(metric(one, "missed_units"), 0);
        uint64_t n = ctw_solution_placement_count(one);
        ck_assert(n >= 2 && n < 64);
        CTW_OKAY(ctw_solution_placements(one, NULL, NULL, slot, NULL, NULL, n));
        for (uint64_t i = 0; i < n; i++) ck_assert_int_eq(slot[i], t);
        CTW_OKAY(ctw_place_verify(p, one));
        ctw_solution_unref(one);
    }
    CTW_OKAY(ctw_place_set_node_counts(p, left, 2));
    for (int64_t t = 0; t < 4; t++) {
        CTW_OKAY(ctw_place_repair(p, t, 1, NULL, &one));
        ck_assert_int_eq(ctw_solution_outcome(one), CTW_PLACE_HEURISTIC);
        ck_assert_double_eq(metric(one, "unplaced_services"), 0); /* 8 cores suffice for two replicas of 2 */
        CTW_OKAY(ctw_solution_placements(one, row, NULL, NULL, NULL, NULL, ctw_solution_placement_count(one)));
        ck_assert(row[0] == 0 && row[1] == 0);
        CTW_FAILS(ctw_place_set_warm_start(p, one), CTW_E_ARG, "one slot");
        ctw_solution_unref(one);
    }
    CTW_OKAY(ctw_place_set_node_counts(p, none, 2));
    CTW_OKAY(ctw_place_repair(p, 2, 0, NULL, &one));
    CTW_OKAY(ctw_solution_reasons(one, NULL, NULL, missed, 4));
    ck_assert_int_eq(missed[0], 2);
    ck_assert_double_eq(metric(one, "unplaced_services"), 2);
    ck_assert_uint_eq(ctw_solution_placement_count(one), 0);
    ctw_solution_unref(one);
    ctw_solution_unref(s);
    ctw_place_unref(p);
    teardown();
}
END_TEST

/* A small problem gets a plain plan even when its deadline has no time for any other. */
START_TEST(no_time)
{
    setup();
    static const char *modes[] = {"auto", "decompose", "exact", "greedy", "bottomup"};
    for (size_t i = 0; i < 5; i++) {
        ctw_place *p = small(modes[i]);
        ctw_solution *s;
        CTW_OKAY(ctw_place_solve(p, 1e-9, NULL, &s));
        CTW_OKAY(ctw_place_verify(p, s));
        ck_assert_double_eq(metric(s, "missed_units") + metric(s, "unplaced_services"), 0);
        if (i == 1) ck_assert_int_eq(ctw_solution_stop(s), CTW_STOP_TIME);
        ctw_solution_unref(s);
        ctw_place_unref(p);
    }
    teardown();
}
END_TEST

/* One call, three tiers: with 160,000 placements to start from, 10 ms are enough for a repair only. */
START_TEST(tiers)
{
    setup();
    double cap[] = {64}, idle[] = {100}, watt[] = {3}, demand[] = {4}, ci[] = {100, 200, 300, 100};
    int64_t servers[] = {3000}, replicas[] = {40000}, left[] = {2900};
    int32_t kind[] = {CTW_JOB_SERVICE};
    ctw_solution *s, *one;
    ctw_report *r;
    const char *tier;
    ctw_place *p = make("auto");
    CTW_OKAY(ctw_place_set_nodes(p, NULL, 1, cap, 1, 1));
    CTW_OKAY(ctw_place_set_node_counts(p, servers, 1));
    CTW_OKAY(ctw_place_set_node_power(p, idle, watt, 1, 1));
    CTW_OKAY(ctw_place_set_jobs(p, NULL, 1, demand, 1, 1, NULL, NULL, NULL));
    CTW_OKAY(ctw_place_set_job_kinds(p, kind, 1));
    CTW_OKAY(ctw_place_set_job_counts(p, replicas, 1));
    CTW_OKAY(ctw_place_set_carbon(p, ci, 1, 4, 4));
    CTW_OKAY(ctw_place_solve(p, 0, NULL, &s));
    CTW_OKAY(ctw_place_set_warm_start(p, s));
    CTW_OKAY(ctw_place_set_node_counts(p, left, 1));
    CTW_OKAY(ctw_place_solve(p, 0.01, NULL, &one));
    CTW_OKAY(ctw_solution_report(one, &r));
    CTW_OKAY(ctw_report_get_str(r, "tier", &tier));
    ck_assert_str_eq(tier, "repair");
    ck_assert_uint_eq(ctw_solution_placement_count(one), 40000);
    ctw_report_unref(r);
    ctw_solution_unref(one);
    CTW_OKAY(ctw_place_solve(p, 60, NULL, &one));
    CTW_OKAY(ctw_solution_report(one, &r));
    CTW_OKAY(ctw_report_get_str(r, "tier", &tier));
    ck_assert_str_eq(tier, "decompose");
    ctw_report_unref(r);
    ctw_solution_unref(one);
    ctw_solution_unref(s);
    ctw_place_unref(p);
    teardown();
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"moves", moves},           {"plan", plan},
                                   {"placements", placements}, {"too_early", too_early},
                                   {"refusals", refusals},     {"shortage", shortage},
                                   {"attributes", attributes}, {"verifier_objects", verifier_objects},
                                   {"repair", repair},         {"no_time", no_time},
                                   {"tiers", tiers},           {"export_model", export_model}};
    return ctw_test_main("api-place", cases, sizeof cases / sizeof *cases, 60);
}
