/* place_energy.c: Power from outside: caps of regions and racks, supply, storage and scenarios, with answers known by
 * hand. */
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

/* `servers` servers of 10 cores (100 W idle, 10 W a core), in racks 0 and 1 by turns, 4 slots of which the second is
 * clean, and `jobs` preemptible jobs of one slot and 10 cores. */
static ctw_place *make(int64_t servers, int64_t jobs, const char *mode)
{
    ctw_params *opt;
    ctw_place *p;
    double cap[8], idle[8], watt[8], demand = 10;
    int64_t rack[8];
    int32_t pre = 1;
    static const double ci[] = {400, 100, 300, 200};
    for (int64_t i = 0; i < servers; i++) {
        cap[i] = 10;
        idle[i] = 100;
        watt[i] = 10;
        rack[i] = i % 2;
    }
    CTW_OKAY(ctw_params_new(ctx, "place", &opt));
    CTW_OKAY(ctw_params_set_str(opt, "mode", mode));
    CTW_OKAY(ctw_place_new(ctx, opt, &p));
    ctw_params_unref(opt);
    CTW_OKAY(ctw_place_set_nodes(p, NULL, (uint64_t)servers, cap, 1, 1));
    CTW_OKAY(ctw_place_set_node_power(p, idle, watt, (uint64_t)servers, 1));
    CTW_OKAY(ctw_place_set_node_racks(p, rack, (uint64_t)servers));
    CTW_OKAY(ctw_place_set_jobs(p, NULL, 1, &demand, 1, 1, NULL, NULL, NULL));
    CTW_OKAY(ctw_place_set_job_counts(p, &jobs, 1));
    CTW_OKAY(ctw_place_set_job_preemptible(p, &pre, 1));
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

static void expect(ctw_place *p, double objective)
{
    ctw_solution *s;
    CTW_OKAY(ctw_place_solve(p, 0, NULL, &s));
    ck_assert_double_eq_tol(metric(s, "objective"), objective, 1e-6);
    ck_assert(metric(s, "bound") <= objective * (1 + 1e-9));
    CTW_OKAY(ctw_place_verify(p, s));
    ctw_solution_unref(s);
}

/* Four jobs of 200 W each: all in the clean slot, two of them there under a cap of 400 W, one a rack under 200 W. */
START_TEST(caps)
{
    static const char *const modes[] = {"bottomup", "decompose", "exact", "auto"};
    static const double region = 400, rack_cap[] = {200, 200};
    static const int64_t rack[] = {1, 0};
    setup();
    for (size_t i = 0; i < 4; i++) {
        ctw_place *p = make(4, 4, modes[i]);
        expect(p, 4 * 200 * 100 / 1000.);
        CTW_OKAY(ctw_place_set_region_caps(p, &region, 1));
        expect(p, (2 * 200 * 100 + 2 * 200 * 200) / 1000.);
        CTW_OKAY(ctw_place_set_region_caps(p, NULL, 0));
        CTW_OKAY(ctw_place_set_rack_caps(p, rack, rack_cap, 1)); /* rack 1 only */
        expect(p, (3 * 200 * 100 + 200 * 200) / 1000.);
        CTW_OKAY(ctw_place_set_rack_caps(p, rack, rack_cap, 2));
        expect(p, (2 * 200 * 100 + 2 * 200 * 200) / 1000.);
        CTW_OKAY(ctw_place_set_rack_caps(p, NULL, NULL, 0));
        expect(p, 4 * 200 * 100 / 1000.);
        ctw_place_unref(p);
    }
    teardown();
}
END_TEST

/* A cap that falls: the plan at hand is refused by the verifier, and repaired by moving or pausing. */
START_TEST(fallen_cap)
{
    static const int64_t rack[] = {0, 1};
    static const double cap[] = {200, INFINITY};
    ctw_solution *s, *one;
    setup();
    ctw_place *p = make(4, 4, "decompose");
    CTW_OKAY(ctw_place_solve(p, 0, NULL, &s));
    CTW_OKAY(ctw_place_set_rack_caps(p, rack, cap, 2));
    ck_assert_int_eq(ctw_place_verify(p, s), CTW_E_INTERNAL);
    ck_assert_msg(strstr(ctw_error_message(), "rack 0") != NULL, "%s", ctw_error_message());
    CTW_OKAY(ctw_place_set_warm_start(p, s));
    CTW_OKAY(ctw_place_repair(p, 1, 0, NULL, &one));
    ck_assert_uint_eq(ctw_solution_placement_count(one), 3);
    ctw_solution_unref(one);
    ctw_solution_unref(s);
    ctw_place_unref(p);
    teardown();
}
END_TEST

START_TEST(cap_refusals)
{
    int64_t rack[] = {3, 3};
    double cap[] = {100, NAN};
    setup();
    ctw_place *p = make(2, 1, "auto");
    CTW_FAILS(ctw_place_set_rack_caps(p, rack, cap, 2), CTW_E_NONFINITE, NULL);
    cap[1] = 100;
    CTW_FAILS(ctw_place_set_rack_caps(p, rack, cap, 2), CTW_E_RANGE, NULL);
    rack[1] = -1;
    CTW_FAILS(ctw_place_set_rack_caps(p, rack, cap, 2), CTW_E_RANGE, NULL);
    CTW_FAILS(ctw_place_set_rack_caps(p, NULL, cap, 2), CTW_E_ARG, NULL);
    CTW_FAILS(ctw_place_set_rack_caps(p, rack, NULL, 2), CTW_E_ARG, NULL);
    CTW_FAILS(ctw_place_set_rack_caps(NULL, rack, cap, 1), CTW_E_ARG, NULL);
    ctw_place_unref(p);
    teardown();
}
END_TEST

/* One job of 200 W: with enough supply in the dirtiest slot what the grid gives there emits less than the clean slot.
 */
START_TEST(supply)
{
    static const char *const modes[] = {"bottomup", "decompose", "exact"};
    static const double less[] = {140, 0, 0, 0}, enough[] = {160, 0, 0, 0};
    setup();
    for (size_t i = 0; i < 3; i++) {
        double draw[4], grid[4];
        ctw_solution *s;
        ctw_place *p = make(1, 1, modes[i]);
        CTW_OKAY(ctw_place_set_supply(p, less, 1, 4, 4)); /* 60 W at 400 g are more than 200 W at 100 g */
        expect(p, 200 * 100 / 1000.);
        CTW_OKAY(ctw_place_set_supply(p, enough, 1, 4, 4));
        expect(p, 40 * 400 / 1000.);
        CTW_OKAY(ctw_place_solve(p, 0, NULL, &s));
        CTW_OKAY(ctw_solution_power(s, 0, draw, grid, NULL, NULL, NULL, 4));
        ck_assert_double_eq_tol(draw[0], 200, 1e-9);
        ck_assert_double_eq_tol(grid[0], 40, 1e-9);
        ck_assert_double_eq_tol(metric(s, "supply_kwh"), 0.16, 1e-9);
        ck_assert_double_eq_tol(metric(s, "curtailed_kwh"), 0, 1e-9);
        CTW_FAILS(ctw_solution_power(s, 1, draw, NULL, NULL, NULL, NULL, 4), CTW_E_RANGE, NULL);
        CTW_FAILS(ctw_solution_power(s, 0, draw, NULL, NULL, NULL, NULL, 3), CTW_E_SHAPE, NULL);
        ctw_solution_unref(s);
        CTW_OKAY(ctw_place_set_supply(p, less, 1, 3, 3));
        CTW_FAILS(ctw_place_solve(p, 0, NULL, &s), CTW_E_SHAPE, NULL);
        ctw_place_unref(p);
    }
    teardown();
}
END_TEST

/* A service of 200 W in all slots and a store of 100 Wh, 60 W, of which 80 % come out, at 10 g a kWh: 60 W are charged
 * in the clean slot (48 Wh kept), and given in the dirtiest slot after it. */
START_TEST(storage)
{
    static const double capacity = 100, power = 60, efficiency = 0.8, wear = 10, start = 0;
    const int32_t service = CTW_JOB_SERVICE;
    double charge[4], discharge[4], level[4];
    ctw_solution *s, *later;
    setup();
    ctw_place *p = make(1, 1, "decompose");
    CTW_OKAY(ctw_place_set_job_kinds(p, &service, 1));
    expect(p, 200 * 1000 / 1000.);
    CTW_OKAY(ctw_place_set_storage(p, &capacity, &power, &efficiency, &wear, &start, NULL, 1));
    expect(p, 200 + 60 * 0.1 - 48 * 0.3 + 48 * 0.01);
    CTW_OKAY(ctw_place_solve(p, 0, NULL, &s));
    CTW_OKAY(ctw_solution_power(s, 0, NULL, NULL, charge, discharge, level, 4));
    ck_assert_double_eq_tol(charge[1], 60, 1e-9);
    ck_assert_double_eq_tol(discharge[2], 48, 1e-9);
    ck_assert_double_eq_tol(level[1], 48, 1e-9);
    ck_assert_double_eq_tol(metric(s, "wear_g"), 0.48, 1e-9);
    CTW_OKAY(ctw_place_replan(p, s, 2, 0, NULL, &later)); /* what is in the store now is given at once */
    CTW_OKAY(ctw_solution_power(later, 0, NULL, NULL, charge, discharge, level, 4));
    ck_assert_double_eq_tol(discharge[2], 48, 1e-9);
    ck_assert_double_eq_tol(level[1], 0, 1e-9);
    ctw_solution_unref(later);
    ctw_solution_unref(s);
    ctw_place_unref(p);
    teardown();
}
END_TEST

/* Slot 1 is clean in most scenarios and filthy in one, slot 3 always fair: expectation takes the one, CVaR the other.
 */
START_TEST(scenarios)
{
    static const char *const modes[] = {"bottomup", "exact"};
    static const double all[] = {400, 100, 300, 200, 400, 900, 300, 200}, probability[] = {0.9, 0.1};
    setup();
    for (size_t i = 0; i < 2; i++) {
        uint64_t n;
        const double *v;
        ctw_report *r;
        ctw_solution *s;
        ctw_place *p = make(1, 1, modes[i]);
        CTW_OKAY(ctw_place_set_carbon_scenarios(p, all, 2, 1, 4, probability, 0));
        expect(p, 200 * (0.9 * 100 + 0.1 * 900) / 1000);
        CTW_OKAY(ctw_place_set_carbon_scenarios(p, all, 2, 1, 4, probability, 0.8));
        expect(p, 200 * 200 / 1000.);
        CTW_OKAY(ctw_place_solve(p, 0, NULL, &s));
        CTW_OKAY(ctw_solution_report(s, &r));
        CTW_OKAY(ctw_report_series(r, "series_scenario_g", &v, &n));
        ck_assert_uint_eq(n, 2);
        ck_assert_double_eq_tol(v[1], 40, 1e-9);
        ctw_report_unref(r);
        ctw_solution_unref(s);
        ctw_place_unref(p);
    }
    teardown();
}
END_TEST

/* Prices by themselves must lean towards the worst scenario: at the mean, slot 1 is the better second choice, and the
 * bound of the mean, 872, is far below. */
START_TEST(hedged)
{
    static const double all[] = {400, 20, 300, 200, 800, 960, 700, 400};
    setup();
    ctw_solution *s;
    ctw_place *p = make(8, 12, "decompose");
    CTW_OKAY(ctw_place_set_carbon_scenarios(p, all, 2, 1, 4, NULL, 0.5));
    expect(p, 8 * 200 * 0.4 + 4 * 200 * 0.7);
    CTW_OKAY(ctw_place_solve(p, 0, NULL, &s));
    ck_assert_double_ge(metric(s, "bound"), 0.85 * metric(s, "objective"));
    ctw_solution_unref(s);
    ctw_place_unref(p);
    teardown();
}
END_TEST

START_TEST(energy_refusals)
{
    double v[4] = {1, 2, 3, 4}, bad = NAN, minus = -1, one = 1, two = 2, p3[2] = {0.5, 0.4};
    ctw_solution *s;
    setup();
    ctw_place *p = make(1, 1, "auto");
    CTW_FAILS(ctw_place_set_supply(NULL, v, 1, 4, 4), CTW_E_ARG, NULL);
    CTW_FAILS(ctw_place_set_supply(p, v, 0, 4, 4), CTW_E_RANGE, NULL);
    CTW_FAILS(ctw_place_set_supply(p, &bad, 1, 1, 1), CTW_E_NONFINITE, NULL);
    CTW_FAILS(ctw_place_set_supply(p, &minus, 1, 1, 1), CTW_E_RANGE, NULL);
    CTW_OKAY(ctw_place_set_supply(p, NULL, 0, 0, 0));
    CTW_FAILS(ctw_place_set_storage(p, v, NULL, NULL, NULL, NULL, NULL, 1), CTW_E_ARG, NULL);
    CTW_FAILS(ctw_place_set_storage(p, v, &bad, NULL, NULL, NULL, NULL, 1), CTW_E_NONFINITE, NULL);
    CTW_FAILS(ctw_place_set_storage(p, v, v, &minus, NULL, NULL, NULL, 1), CTW_E_RANGE, NULL);
    CTW_FAILS(ctw_place_set_storage(p, v, v, &two, NULL, NULL, NULL, 1), CTW_E_RANGE, NULL);
    CTW_FAILS(ctw_place_set_storage(p, v, v, NULL, NULL, &two, NULL, 1), CTW_E_RANGE, NULL);
    CTW_FAILS(ctw_place_set_storage(p, &two, &one, NULL, NULL, NULL, NULL, 5000), CTW_E_RANGE, NULL);
    double capacity[] = {1000}, little[] = {10}, full[] = {1000};
    CTW_OKAY(ctw_place_set_storage(p, capacity, little, NULL, NULL, NULL, full, 1));
    CTW_FAILS(ctw_place_solve(p, 0, NULL, &s), CTW_E_RANGE, "40");
    CTW_OKAY(ctw_place_set_storage(p, NULL, NULL, NULL, NULL, NULL, NULL, 0));
    CTW_FAILS(ctw_place_set_carbon_scenarios(p, NULL, 1, 1, 4, NULL, 0), CTW_E_ARG, NULL);
    CTW_FAILS(ctw_place_set_carbon_scenarios(p, v, 0, 1, 4, NULL, 0), CTW_E_RANGE, NULL);
    CTW_FAILS(ctw_place_set_carbon_scenarios(p, v, 1, 1, 4, NULL, 1), CTW_E_RANGE, NULL);
    CTW_FAILS(ctw_place_set_carbon_scenarios(p, v, 1, 1, 4, NULL, NAN), CTW_E_NONFINITE, NULL);
    CTW_FAILS(ctw_place_set_carbon_scenarios(p, v, 2, 1, 2, p3, 0), CTW_E_RANGE, "0.9");
    CTW_FAILS(ctw_place_set_carbon_scenarios(p, v, 1, 1, 4, &bad, 0), CTW_E_NONFINITE, NULL);
    CTW_FAILS(ctw_solution_power(NULL, 0, v, NULL, NULL, NULL, NULL, 4), CTW_E_ARG, NULL);
    ctw_place_unref(p);
    teardown();
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"caps", caps},
                                   {"fallen_cap", fallen_cap},
                                   {"cap_refusals", cap_refusals},
                                   {"supply", supply},
                                   {"storage", storage},
                                   {"scenarios", scenarios},
                                   {"hedged", hedged},
                                   {"energy_refusals", energy_refusals}};
    return ctw_test_main("api-place-energy", cases, sizeof cases / sizeof *cases, 60);
}
