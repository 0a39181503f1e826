/* A whole twin run with every part, its save, load and report, under allocation failure. */
#include "small_day.h"
#include "test.h"
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

int main(void)
{
    static ctw_test_case cases[2];
    cases[0] = (ctw_test_case){"plain", plain};
    cases[1] = (ctw_test_case){"with_parts", with_parts};
    return ctw_test_main("oom-twin", cases, 2, 120);
}
