/* Properties of whole days: energy adds up, nothing is lost, more faults never help, the same seed gives the same day,
 * units of carbon scale the carbon and nothing else. */
#include "small_day.h"
#include "test.h"
#include <math.h>

#define END_S (30 * 3600.0)

static ctw_ctx *ctx;

static double figure(const ctw_twin *t, const char *key)
{
    ctw_report *r;
    double v = NAN;
    CTW_OKAY(ctw_twin_report(t, &r));
    CTW_OKAY(ctw_report_get_f64(r, key, &v));
    ctw_report_unref(r);
    return v;
}

START_TEST(everything_ends)
{
    for (int what = 0; what <= DAY_ALL; what++) {
        ctw_twin *t;
        CTW_OKAY(small_day(ctx, what, &t));
        CTW_OKAY(ctw_twin_run(t, END_S, NULL));
        ck_assert_int_eq((int)figure(t, "jobs_done"), 40);
        ck_assert_int_eq((int)figure(t, "llm_done"), 300);
        ck_assert(figure(t, "jobs_waiting") + figure(t, "llm_waiting") < 0.5);
        double wh = 0.0, total = 1000.0 * figure(t, "energy_kwh");
        ctw_report *r;
        CTW_OKAY(ctw_twin_report(t, &r));
        static const char *const key[] = {"power_idle_w", "power_services_w", "power_jobs_w", "power_llm_w"};
        for (size_t k = 0; k < 4; k++) {
            const double *v;
            uint64_t n;
            CTW_OKAY(ctw_report_series(r, key[k], &v, &n));
            for (uint64_t i = 0; i < n; i++) wh += v[i] * 300.0 / 3600.0;
        }
        ctw_report_unref(r);
        ck_assert_msg(fabs(wh - total) < 1e-6 * total, "series sum to %g Wh, the account says %g", wh, total);
        ctw_twin_unref(t);
    }
}
END_TEST

START_TEST(faults_do_not_help)
{
    for (int what = 0; what < 2; what++) {
        ctw_twin *calm, *rough;
        CTW_OKAY(small_day(ctx, what, &calm));
        CTW_OKAY(small_day(ctx, what | DAY_FAULTS, &rough));
        CTW_OKAY(ctw_twin_run(calm, END_S, NULL));
        CTW_OKAY(ctw_twin_run(rough, END_S, NULL));
        ck_assert(figure(rough, "slo_services") <= figure(calm, "slo_services"));
        ck_assert(figure(rough, "llm_mean_s") >= figure(calm, "llm_mean_s") - 1e-9);
        ctw_twin_unref(calm);
        ctw_twin_unref(rough);
    }
}
END_TEST

/* The shield at work: agents that choose at random all day break no more promises than the rule without them. */
START_TEST(random_agents_are_safe)
{
    ctw_twin *rule, *random;
    ctw_agent *a;
    CTW_OKAY(small_day(ctx, DAY_PARTS, &rule));
    CTW_OKAY(small_day_agent(ctx, 1.0, &a));
    CTW_OKAY(ctw_twin_set_agent(rule, 0, NULL));
    CTW_OKAY(ctw_twin_clone(rule, &random));
    CTW_OKAY(ctw_twin_set_agent(random, 0, a));
    CTW_OKAY(ctw_twin_set_agent(random, 1, a));
    CTW_OKAY(ctw_twin_run(rule, END_S, NULL));
    CTW_OKAY(ctw_twin_run(random, END_S, NULL));
    ck_assert(figure(random, "slo_services") >= figure(rule, "slo_services") - 1e-12);
    ck_assert(figure(random, "agent_shielded") > 0.0);
    ck_assert(figure(random, "agent_shielded") < figure(random, "agent_steps"));
    ctw_agent_unref(a);
    ctw_twin_unref(rule);
    ctw_twin_unref(random);
}
END_TEST

int main(void)
{
    static ctw_test_case cases[3];
    cases[0] = (ctw_test_case){"everything_ends", everything_ends};
    cases[1] = (ctw_test_case){"faults_do_not_help", faults_do_not_help};
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 1;
    cases[2] = (ctw_test_case){"random_agents_are_safe", random_agents_are_safe};
    int rc = ctw_test_main("prop-twin", cases, 3, 60);
    ctw_ctx_unref(ctx);
    return rc;
}
