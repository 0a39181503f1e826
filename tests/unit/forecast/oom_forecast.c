/* oom_forecast.c: every allocation of a forecaster's life fails once and for good. */
#include "series.h"
#include "test.h"
#include <cybertwin/cybertwin.h>
#include <stdlib.h>

#define N 200

static ctw_status life(ctw_ctx *ctx, void *user)
{
    const double *y = user;
    double m[24], lo[24], hi[24];
    uint64_t need = 0;
    ctw_params *p = NULL;
    ctw_forecast *f = NULL, *g = NULL;
    void *buf = NULL;
    ctw_status s = ctw_params_new(ctx, "forecast", &p);
    if (s == CTW_OK) s = ctw_params_set_i64(p, "horizon", 24);
    if (s == CTW_OK) s = ctw_forecast_new(ctx, p, &f);
    if (s == CTW_OK) s = ctw_forecast_fit(f, y, N, 1, y, 1, 1, NULL);
    if (s == CTW_OK) s = ctw_forecast_update(f, y, 100, 1, y, 1);
    if (s == CTW_OK) s = ctw_forecast_predict(f, 24, 0.9, y, 1, m, lo, hi);
    if (s == CTW_OK) s = ctw_forecast_save_mem(f, NULL, 0, &need);
    if (s == CTW_OK) {
        buf = malloc(need);
        s = ctw_forecast_save_mem(f, buf, need, &need);
    }
    if (s == CTW_OK) s = ctw_forecast_load_mem(ctx, buf, need, &g);
    free(buf);
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

int main(void)
{
    const ctw_test_case cases[] = {{"every_allocation", test_every_allocation}};
    return ctw_test_main("oom-forecast", cases, sizeof cases / sizeof *cases, 120);
}
