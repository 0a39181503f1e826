/* forecast.c: every allocation of a forecaster's life fails once and for good. */
#include "region.h"
#include "test.h"
#include <cybertwin/cybertwin.h>
#include <stdlib.h>

#define N 200

static ctw_status save_and_load(ctw_ctx *ctx, const ctw_forecast *f, ctw_forecast **out)
{
    uint64_t need = 0;
    ctw_status s = ctw_forecast_save_mem(f, NULL, 0, &need);
    if (s != CTW_OK) return s;
    void *buf = malloc(need);
    s = ctw_forecast_save_mem(f, buf, need, &need);
    if (s == CTW_OK) s = ctw_forecast_load_mem(ctx, buf, need, out);
    free(buf);
    return s;
}

static ctw_status life(ctw_ctx *ctx, void *user)
{
    const double *y = user;
    double m[24], lo[24], hi[24], p_value;
    ctw_params *p = NULL;
    ctw_forecast *f = NULL, *g = NULL;
    ctw_status s = ctw_params_new(ctx, "forecast", &p);
    if (s == CTW_OK) s = ctw_params_set_i64(p, "horizon", 24);
    if (s == CTW_OK) s = ctw_params_set_f64(p, "latitude", 50);
    if (s == CTW_OK) s = ctw_forecast_new(ctx, p, &f);
    if (s == CTW_OK) s = ctw_forecast_set_holidays(f, (const int64_t[]){3, 2}, 2);
    if (s == CTW_OK) s = ctw_forecast_fit(f, y, N, 1, y, 1, 1, NULL);
    if (s == CTW_OK) s = ctw_forecast_update(f, y, 100, 1, y, 1);
    if (s == CTW_OK) s = ctw_forecast_predict(f, 24, 0.9, y, 1, m, lo, hi);
    if (s == CTW_OK) s = ctw_forecast_surprise(f, &p_value);
    if (s == CTW_OK) s = save_and_load(ctx, f, &g);
    ctw_forecast_unref(g);
    ctw_forecast_unref(f);
    ctw_params_unref(p);
    return s;
}

START_TEST(test_every_allocation)
{
    double y[N];
    ctw_test_carbon(y, N, 100, 0.1, 1);
    ck_assert_uint_gt(ctw_oom_sweep(life, y, 1), 20);
}
END_TEST

static ctw_status daily_life(ctw_ctx *ctx, void *user)
{
    double m[8], q[16];
    int64_t rank[8];
    ctw_params *p = NULL;
    ctw_forecast *f = NULL, *g = NULL;
    ctw_feed *feed = NULL;
    ctw_report *r = NULL;
    const double level[2] = {0.1, 0.9};
    int64_t now = REGION_START + 92 * 86400;
    ctw_status s = ctw_params_new(ctx, "forecast", &p);
    if (s == CTW_OK) s = ctw_params_set_i64(p, "horizon", 8);
    if (s == CTW_OK) s = ctw_params_set_i64(p, "min_days", 90);
    if (s == CTW_OK) s = ctw_forecast_new(ctx, p, &f);
    if (s == CTW_OK) s = ctw_test_region_feed(ctx, user, SIZE_MAX, &feed);
    if (s == CTW_OK) s = ctw_forecast_fit_feed(f, feed, now, NULL);
    if (s == CTW_OK) s = ctw_forecast_update_feed(f, feed, now + 86400);
    if (s == CTW_OK) s = ctw_forecast_refit_batch(&f, 1, 0, 1, NULL);
    if (s == CTW_OK) s = ctw_forecast_predict(f, 8, 0.9, NULL, 0, m, NULL, NULL);
    if (s == CTW_OK) s = ctw_forecast_quantiles(f, 8, level, 2, q, 2);
    if (s == CTW_OK) s = ctw_forecast_ranks(f, 8, 2, rank, m);
    if (s == CTW_OK) s = ctw_forecast_report(f, &r);
    if (s == CTW_OK) s = save_and_load(ctx, f, &g);
    ctw_report_unref(r);
    ctw_forecast_unref(g);
    ctw_forecast_unref(f);
    ctw_feed_unref(feed);
    ctw_params_unref(p);
    return s;
}

START_TEST(test_day_models)
{
    ctw_test_region r;
    ctw_test_region_make(&r, 94, 2);
    ck_assert_uint_gt(ctw_oom_sweep(daily_life, &r, 7), 100);
    ctw_test_region_free(&r);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"every_allocation", test_every_allocation}, {"day_models", test_day_models}};
    return ctw_test_main("oom-forecast", cases, sizeof cases / sizeof *cases, 120);
}
