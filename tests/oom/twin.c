/* A whole twin run with every part, its save, load and report, under allocation failure. */
#include "small_day.h"
#include "test.h"
#include <cybertwin/campaign.h>
#include <stdlib.h>

static ctw_status life(ctw_ctx *ctx, void *user)
{
    ctw_twin *t = NULL, *clone = NULL;
    ctw_report *r = NULL;
    ctw_status s = small_day(ctx, *(const int *)user, &t);
    if (s == CTW_OK) s = ctw_twin_run(t, 7500.0, NULL);
    if (s == CTW_OK) s = ctw_twin_clone(t, &clone);
    if (s == CTW_OK) s = ctw_twin_run(clone, 20000.0, NULL);
    if (s == CTW_OK) s = ctw_twin_report(clone, &r);
    ctw_report_unref(r);
    ctw_twin_unref(t);
    ctw_twin_unref(clone);
    return s;
}

START_TEST(plain)
{
    int what = DAY_FAULTS;
    ck_assert(ctw_oom_sweep(life, &what, 3) > 100);
}
END_TEST

START_TEST(with_parts)
{
    int what = DAY_ALL;
    ck_assert(ctw_oom_sweep(life, &what, 401) > 1000);
}
END_TEST

static ctw_status campaign(ctw_ctx *ctx, void *user)
{
    ctw_twin *t = NULL;
    ctw_campaign *c = NULL;
    ctw_rca *m = NULL;
    (void)user;
    ctw_status s = small_day(ctx, 0, &t);
    if (s == CTW_OK) s = ctw_campaign_new(ctx, NULL, t, &c);
    if (s == CTW_OK) s = ctw_rca_new(ctx, NULL, &m);
    if (s == CTW_OK) s = ctw_campaign_train(c, m, 1, 4, NULL);
    ctw_rca_unref(m);
    ctw_campaign_unref(c);
    ctw_twin_unref(t);
    return s;
}

START_TEST(a_campaign)
{
    ck_assert(ctw_oom_sweep(campaign, NULL, 101) > 100);
}
END_TEST

int main(void)
{
    static ctw_test_case cases[3];
    cases[0] = (ctw_test_case){"plain", plain};
    cases[1] = (ctw_test_case){"with_parts", with_parts};
    cases[2] = (ctw_test_case){"a_campaign", a_campaign};
    return ctw_test_main("oom-twin", cases, 3, 120);
}
