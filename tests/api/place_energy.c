/* place_energy.c: Power from outside: caps of regions and racks, with answers known by hand. */
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

int main(void)
{
    const ctw_test_case cases[] = {{"caps", caps}, {"fallen_cap", fallen_cap}, {"cap_refusals", cap_refusals}};
    return ctw_test_main("api-place-energy", cases, sizeof cases / sizeof *cases, 60);
}
