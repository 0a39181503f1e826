/* findings.c: Problems on which a plan or a bound was once wrong, one test each; the inputs are those the fuzzer found
 * (tests/fuzz/corpus/place_verify). A solve verifies its plan and refuses a bound above its cost, so that coming back
 * with a plan is most of the test; the bound must also lie below what every other tier found. */
#include "place_cases.h"
#include "test.h"
#include <math.h>

static double solve(ctw_ctx *ctx, place_case c, const char *mode, const char *want, double *bound)
{
    ctw_status e;
    ctw_solution *s;
    ctw_report *r;
    const char *tier;
    double objective;
    c.mode = mode;
    ctw_place *p = place_case_build(ctx, &c, &e);
    CTW_OKAY(e);
    CTW_OKAY(ctw_place_solve(p, 0, NULL, &s));
    CTW_OKAY(ctw_solution_report(s, &r));
    CTW_OKAY(ctw_report_get_f64(r, "objective", &objective));
    CTW_OKAY(ctw_report_get_f64(r, "bound", bound));
    CTW_OKAY(ctw_report_get_str(r, "tier", &tier));
    ck_assert_str_eq(tier, want);
    ctw_report_unref(r);
    ctw_solution_unref(s);
    ctw_place_unref(p);
    return objective;
}

static void each_tier(const uint8_t *bytes, const char *const *modes, size_t n)
{
    ctw_ctx *ctx;
    double least = INFINITY, highest = -INFINITY, bound;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    for (size_t i = 0; i < n; i++) {
        least = fmin(least, solve(ctx, place_case_from_bytes(bytes), modes[i], modes[i], &bound));
        highest = fmax(highest, bound);
        ck_assert_double_le(highest, least * (1 + 1e-9));
    }
    ctw_ctx_unref(ctx);
}

/* The per-server model let two units of a batch row share a server against their limit. */
START_TEST(spread_in_the_per_server_model)
{
    static const uint8_t bytes[] = {0x3f, 0x01, 0x34, 0x04, 0x01, 0x34, 0x04, 0x00};
    static const char *const modes[] = {"bottomup", "greedy"};
    each_tier(bytes, modes, 2);
}
END_TEST

/* A plan that falls short of the throughput cost less than the bound for those that reach it. */
START_TEST(short_of_the_throughput)
{
    static const uint8_t bytes[] = {0x09, 0x04, 0x02, 0x04, 0x00, 0x91, 0xbd, 0x02};
    static const char *const modes[] = {"bottomup", "greedy"};
    ctw_ctx *ctx;
    double bound;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    for (size_t i = 0; i < 2; i++) solve(ctx, place_case_from_bytes(bytes), modes[i], modes[i], &bound);
    ctw_ctx_unref(ctx);
}
END_TEST

/* The aggregated model kept a contiguous unit in one pool of its region for its whole life. */
START_TEST(contiguous_between_types)
{
    static const uint8_t bytes[] = {0x3f, 0x04, 0x32, 0x04, 0x04, 0x34, 0x32, 0x08};
    static const char *const modes[] = {"exact", "decompose", "greedy"};
    each_tier(bytes, modes, 3);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"spread_in_the_per_server_model", spread_in_the_per_server_model},
                                   {"short_of_the_throughput", short_of_the_throughput},
                                   {"contiguous_between_types", contiguous_between_types}};
    return ctw_test_main("unit-place-findings", cases, sizeof cases / sizeof *cases, 60);
}
