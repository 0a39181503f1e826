/* forecast_futures.c: quantiles, scenarios, ranks and the report, with and without day models, on made-up and real
 * data. */
#include "region.h"
#include "test.h"
#include <cybertwin/cybertwin.h>
#include <stdlib.h>
#include <string.h>

#define H 48

static ctw_ctx *ctx;
static ctw_test_region region;

static ctw_forecast *make(size_t days)
{
    ctw_params *p = NULL;
    ctw_forecast *f = NULL;
    ctw_feed *feed = NULL;
    CTW_OKAY(ctw_params_new(ctx, "forecast", &p));
    CTW_OKAY(ctw_params_set_i64(p, "horizon", H));
    CTW_OKAY(ctw_forecast_new(ctx, p, &f));
    CTW_OKAY(ctw_test_region_feed(ctx, &region, SIZE_MAX, &feed));
    CTW_OKAY(ctw_forecast_fit_feed(f, feed, REGION_START + (int64_t)days * 86400, NULL));
    ctw_feed_unref(feed);
    ctw_params_unref(p);
    return f;
}

static void check_quantiles(const ctw_forecast *f)
{
    const double level[5] = {0.05, 0.25, 0.5, 0.75, 0.95}, wrong[2] = {0.5, 0.4};
    double q[H * 6], m[H], lo[H], hi[H];
    CTW_OKAY(ctw_forecast_quantiles(f, H, level, 5, q, 6));
    CTW_OKAY(ctw_forecast_predict(f, H, 0.9, NULL, 0, m, lo, hi));
    for (size_t l = 0; l < H; l++) {
        for (size_t i = 1; i < 5; i++) ck_assert(q[l * 6 + i - 1] <= q[l * 6 + i]);
        ck_assert_double_eq_tol(q[l * 6 + 2], m[l], 1e-9 * m[l]);
        ck_assert_double_eq_tol(q[l * 6], lo[l], 1e-9 * m[l]);
        ck_assert_double_eq_tol(q[l * 6 + 4], hi[l], 1e-9 * m[l]);
    }
    CTW_FAILS(ctw_forecast_quantiles(f, H, wrong, 2, q, 2), CTW_E_RANGE, "levels[1]");
    CTW_FAILS(ctw_forecast_quantiles(f, H, level, 5, q, 4), CTW_E_SHAPE, "out_stride");
    CTW_FAILS(ctw_forecast_quantiles(f, H, NULL, 5, q, 5), CTW_E_ARG, "levels");
    CTW_FAILS(ctw_forecast_quantiles(f, 0, level, 5, q, 5), CTW_E_RANGE, "horizon");
}

static void check_scenarios(const ctw_forecast *f)
{
    static double a[100 * H], b[100 * H];
    double m[H], lo[H], hi[H], inside = 0, step = 0, apart = 0;
    CTW_OKAY(ctw_forecast_scenarios(f, H, 100, 3, a, H));
    CTW_OKAY(ctw_forecast_scenarios(f, H, 100, 3, b, H));
    ck_assert_mem_eq(a, b, sizeof a);
    CTW_OKAY(ctw_forecast_scenarios(f, H, 100, 4, b, H));
    ck_assert(memcmp(a, b, sizeof a) != 0);
    CTW_OKAY(ctw_forecast_predict(f, H, 0.9, NULL, 0, m, lo, hi));
    for (size_t i = 0; i < 100; i++)
        for (size_t l = 0; l < H; l++) {
            double x = a[i * H + l];
            ck_assert(isfinite(x) && x > 0);
            inside += x >= lo[l] && x <= hi[l];
            if (!l) continue;
            step += fabs(log(x / m[l]) - log(a[i * H + l - 1] / m[l - 1]));
            apart += fabs(log(x / m[l]) - log(a[(i + 1) % 100 * H + l - 1] / m[l - 1]));
        }
    /* About nine in ten values lie inside, and neighbours in time are closer than strangers. */
    ck_assert_msg(inside > 0.7 * 100 * H, "%g of %d inside", inside, 100 * H);
    ck_assert_msg(step < 0.8 * apart, "steps %g, strangers %g", step, apart);
    CTW_FAILS(ctw_forecast_scenarios(f, H, 0, 0, a, H), CTW_E_RANGE, "n ");
    CTW_FAILS(ctw_forecast_scenarios(f, H, 1, 0, a, H - 1), CTW_E_SHAPE, "out_stride");
    CTW_FAILS(ctw_forecast_scenarios(f, H, 1, 0, NULL, H), CTW_E_ARG, "out");
}

static void check_ranks(const ctw_forecast *f)
{
    int64_t rank[H];
    double share[H], m[H], sum = 0;
    int seen[H] = {0};
    CTW_OKAY(ctw_forecast_ranks(f, H, 6, rank, share));
    CTW_OKAY(ctw_forecast_predict(f, H, 0.9, NULL, 0, m, NULL, NULL));
    for (size_t l = 0; l < H; l++) {
        ck_assert(rank[l] >= 0 && rank[l] < H && !seen[rank[l]]++);
        sum += share[l];
        for (size_t k = 0; k < H; k++) ck_assert(rank[k] < rank[l] ? m[k] <= m[l] : 1);
    }
    ck_assert_double_eq_tol(sum, 6, 1e-9);
    CTW_FAILS(ctw_forecast_ranks(f, H, H + 1, rank, NULL), CTW_E_RANGE, "k ");
    CTW_FAILS(ctw_forecast_ranks(f, 1, 1, rank, NULL), CTW_E_RANGE, "horizon");
    CTW_FAILS(ctw_forecast_ranks(f, H, 1, NULL, NULL), CTW_E_ARG, "out_rank");
}

START_TEST(test_futures)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_test_region_make(&region, 150, 5);
    for (size_t days = 40; days <= 150; days += 110) {
        ctw_forecast *f = make(days);
        ctw_report *r = NULL;
        const char *model;
        check_quantiles(f);
        check_scenarios(f);
        check_ranks(f);
        CTW_OKAY(ctw_forecast_report(f, &r));
        CTW_OKAY(ctw_report_get_str(r, "model", &model));
        ck_assert_str_eq(model, days > 100 ? "day" : "blend");
        if (days > 100) {
            const double *v;
            uint64_t n;
            double sum = 0;
            CTW_OKAY(ctw_report_series(r, "weights", &v, &n));
            ck_assert_uint_eq(n, 8);
            for (size_t i = 0; i < 4; i++) sum += v[i];
            ck_assert_double_eq_tol(sum, 1, 1e-12);
            CTW_OKAY(ctw_report_series(r, "factors", &v, &n));
            /* One factor was given, the others are recovered from the series. */
            const double truth[4] = {490, 820, 11, 45};
            for (size_t i = 0; i < 4; i++) ck_assert_double_eq_tol(v[i], truth[i], 2);
        }
        ctw_report_unref(r);
        ctw_forecast_unref(f);
    }
    ctw_test_region_free(&region);
    ctw_ctx_unref(ctx);
}
END_TEST

/* Mean error of the library and of yesterday's values over the second half of a column. */
static void against_naive(const char *name, const char *column, double step_s, int64_t max_rows, double ratio)
{
    const char *path = ctw_test_data(name);
    if (!path) return;
    ctw_csv *csv = NULL;
    ctw_params *p = NULL;
    ctw_forecast *f = NULL;
    ctw_report *r = NULL;
    uint64_t col, n = 0, h = (uint64_t)(86400 / step_s / 4);
    int32_t more;
    double *y = malloc((size_t)max_rows * sizeof *y), mae, naive;
    CTW_OKAY(ctw_csv_open(ctx, path, &csv));
    CTW_OKAY(ctw_csv_column(csv, column, &col));
    while (n < (uint64_t)max_rows) {
        CTW_OKAY(ctw_csv_next(csv, &more));
        if (!more) break;
        CTW_OKAY(ctw_csv_f64(csv, col, &y[n++]));
    }
    CTW_OKAY(ctw_params_new(ctx, "forecast", &p));
    CTW_OKAY(ctw_params_set_f64(p, "step_s", step_s));
    CTW_OKAY(ctw_params_set_i64(p, "horizon", (int64_t)h));
    CTW_OKAY(ctw_params_set_i64(p, "refit_every", 5));
    CTW_OKAY(ctw_forecast_new(ctx, p, &f));
    CTW_OKAY(ctw_forecast_backtest(f, y, n, 1, h, NULL, &r));
    CTW_OKAY(ctw_report_get_f64(r, "mae", &mae));
    CTW_OKAY(ctw_report_get_f64(r, "naive_mae", &naive));
    ck_assert_msg(mae < ratio * naive, "%s: mae %g, yesterday %g", name, mae, naive);
    ctw_report_unref(r);
    ctw_forecast_unref(f);
    ctw_params_unref(p);
    ctw_csv_unref(csv);
    free(y);
}

START_TEST(test_request_load)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    against_naive("load/nab_nyc_taxi.csv", "value", 1800, 4000, 0.75);
    against_naive("load/nab_elb_request_count_8c0756.csv", "value", 300, 4032, 1.0);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(test_real_region)
{
    const char *path = ctw_test_data("carbon/FPL_hourly.csv");
    if (!path) return;
    ctw_feed *feed = NULL;
    ctw_forecast *f = NULL;
    double m[96], lo[96], hi[96], y, err = 0;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    CTW_OKAY(ctw_feed_load(ctx, path, CTW_FEED_HOURLY_CSV, NULL, CTW_FACTORS_LIFECYCLE, &feed));
    CTW_OKAY(ctw_forecast_new(ctx, NULL, &f));
    CTW_OKAY(ctw_forecast_fit_feed(f, feed, ctw_feed_start(feed) + 160 * 86400, NULL));
    for (uint64_t d = 160; d < 180; d++) {
        CTW_OKAY(ctw_forecast_update_feed(f, feed, ctw_feed_start(feed) + (int64_t)d * 86400));
        CTW_OKAY(ctw_forecast_predict(f, 96, 0.9, NULL, 0, m, lo, hi));
        for (uint64_t l = 0; l < 96; l++) {
            CTW_OKAY(ctw_feed_row(feed, d * 24 + l, &y, NULL));
            err += fabs(y - m[l]) / y / (96 * 20);
        }
    }
    ck_assert_msg(err < 0.06, "mean error %g", err);
    ctw_forecast_unref(f);
    ctw_feed_unref(feed);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"futures", test_futures}, {"long_request_load", test_request_load}, {"real_region", test_real_region}};
    return ctw_test_main("api-forecast-futures", cases, sizeof cases / sizeof *cases, 60);
}
