/* Every allocation of a guard's and a watch's life fails once and from then on. */
#include "test.h"
#include <cybertwin/guard.h>
#include <stdlib.h>

static ctw_status guard_life(ctw_ctx *ctx, void *user)
{
    static double x[2 * 200];
    static char buf[16384];
    ctw_guard *g = NULL, *l = NULL;
    double share[2];
    uint64_t need;
    (void)user;
    for (size_t i = 0; i < 400; i++) x[i] = (double)((i * 7919) % 401);
    ctw_status s = ctw_guard_new(ctx, NULL, &g);
    if (s == CTW_OK) s = ctw_guard_fit(g, x, 200, 2, 2) == CTW_E_NOMEM ? CTW_E_NOMEM : CTW_OK;
    ctw_params *p = NULL;
    if (s == CTW_OK) s = ctw_params_new(ctx, "guard", &p);
    if (s == CTW_OK) s = ctw_params_set_f64(p, "alpha", 0.1);
    ctw_guard_unref(g);
    g = NULL;
    if (s == CTW_OK) s = ctw_guard_new(ctx, p, &g);
    if (s == CTW_OK) s = ctw_guard_fit(g, x, 200, 2, 2);
    if (s == CTW_OK) s = ctw_guard_check(g, x, 200, 2, 2, NULL, NULL);
    if (s == CTW_OK) s = ctw_guard_pvalue(g, x, 1, 2, 2, share);
    if (s == CTW_OK) s = ctw_guard_explain(g, x, 2, share);
    if (s == CTW_OK) s = ctw_guard_save_mem(g, buf, sizeof buf, &need);
    if (s == CTW_OK) s = ctw_guard_load_mem(ctx, buf, need, &l);
    ctw_params_unref(p);
    ctw_guard_unref(g);
    ctw_guard_unref(l);
    return s;
}

static ctw_status watch_life(ctw_ctx *ctx, void *user)
{
    static char buf[4096];
    ctw_watch *w = NULL, *l = NULL;
    ctw_detector *d = NULL;
    ctw_report *r = NULL;
    uint64_t need;
    (void)user;
    ctw_status s = ctw_watch_new(ctx, NULL, &w);
    if (s == CTW_OK) s = ctw_watch_step(w, 0.01, 1, NULL);
    if (s == CTW_OK) s = ctw_watch_report(w, &r);
    if (s == CTW_OK) s = ctw_watch_save_mem(w, buf, sizeof buf, &need);
    if (s == CTW_OK) s = ctw_watch_load_mem(ctx, buf, need, &l);
    if (s == CTW_OK) s = ctw_detector_new(ctx, NULL, &d);
    ctw_report_unref(r);
    ctw_watch_unref(w);
    ctw_watch_unref(l);
    ctw_detector_unref(d);
    return s;
}

START_TEST(sweep)
{
    ck_assert(ctw_oom_sweep(guard_life, NULL, 1) > 5);
    ck_assert(ctw_oom_sweep(watch_life, NULL, 1) > 5);
}
END_TEST

int main(void)
{
    static ctw_test_case cases[1];
    cases[0] = (ctw_test_case){"sweep", sweep};
    return ctw_test_main("oom-guard", cases, 1, 60);
}
