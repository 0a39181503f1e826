/* forecast.c: the public contract of ctw_forecast: results, errors, lifetimes, files. */
#include "series.h"
#include "test.h"
#include <cybertwin/cybertwin.h>
#include <stdlib.h>
#include <string.h>

#define DAYS 40
#define N    (DAYS * 24)
#define H    48

static ctw_ctx *ctx;

static void set_up(void)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
}

static ctw_forecast *fresh(const char *key, const char *value)
{
    ctw_params *p = NULL;
    ctw_forecast *f = NULL;
    CTW_OKAY(ctw_params_new(ctx, "forecast", &p));
    if (key) CTW_OKAY(ctw_params_set_text(p, key, value));
    CTW_OKAY(ctw_forecast_new(ctx, p, &f));
    ctw_params_unref(p);
    return f;
}

static ctw_forecast *fitted(const double *y, size_t n, const char *key, const char *value)
{
    ctw_forecast *f = fresh(key, value);
    CTW_OKAY(ctw_forecast_fit(f, y, n, 1, NULL, 0, 0, NULL));
    return f;
}

START_TEST(test_forecast_of_a_wave)
{
    static double y[N + H];
    double m[H], lo[H], hi[H];
    const char *model[] = {"auto", "naive", "profile", "ridge", "smoothing", "rls", "climatology"};
    set_up();
    ctw_test_carbon(y, N + H, 300, 0.02, 7);
    for (size_t k = 0; k < 7; k++) {
        ctw_forecast *f = fitted(y, N, "model", model[k]);
        size_t inside = 0;
        double err = 0;
        CTW_OKAY(ctw_forecast_predict(f, H, 0.9, NULL, 0, m, lo, hi));
        for (size_t t = 0; t < H; t++) {
            ck_assert(lo[t] <= m[t] && m[t] <= hi[t]);
            err += fabs(m[t] - y[N + t]) / y[N + t] / H;
            inside += y[N + t] >= lo[t] && y[N + t] <= hi[t];
        }
        ck_assert_msg(err < (k == 0 || k == 3 ? 0.05 : 0.12), "%s: %g", model[k], err);
        if (k == 0 || k == 3) ck_assert_uint_ge(inside, H / 2);
        ctw_forecast_unref(f);
    }
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(test_any_length)
{
    static double y[N];
    double m[300], lo[300], hi[300];
    set_up();
    ctw_test_carbon(y, N, 300, 0.05, 3);
    for (size_t n = 1; n < N; n += n < 30 ? 1 : 37) {
        ctw_forecast *f = fitted(y, n, NULL, NULL);
        int64_t flags;
        uint64_t seen;
        CTW_OKAY(ctw_forecast_predict(f, 300, 0.9, NULL, 0, m, lo, hi));
        CTW_OKAY(ctw_forecast_flags(f, &flags));
        CTW_OKAY(ctw_forecast_seen(f, &seen));
        ck_assert_uint_eq(seen, n);
        if (n < 72) ck_assert(flags & CTW_FORECAST_SHORT);
        for (size_t t = 0; t < 300; t++) ck_assert(isfinite(m[t]) && lo[t] <= m[t] && hi[t] >= m[t]);
        ctw_forecast_unref(f);
    }
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(test_holes_and_flags)
{
    static double y[N];
    double m[24];
    int64_t flags;
    set_up();
    ctw_test_carbon(y, N, 300, 0.05, 3);
    for (size_t t = 0; t < 10; t++) y[t] = NAN;
    for (size_t t = 200; t < 230; t++) y[t] = NAN;
    y[500] = 0;
    ctw_forecast *f = fitted(y, N, NULL, NULL);
    CTW_OKAY(ctw_forecast_flags(f, &flags));
    ck_assert_int_eq(flags, CTW_FORECAST_BAD_VALUES);
    double gap[24];
    for (size_t t = 0; t < 24; t++) gap[t] = NAN;
    CTW_OKAY(ctw_forecast_update(f, gap, 24, 1, NULL, 0));
    CTW_OKAY(ctw_forecast_flags(f, &flags));
    ck_assert_int_eq(flags, CTW_FORECAST_BAD_VALUES | CTW_FORECAST_GAPS | CTW_FORECAST_STALE);
    CTW_OKAY(ctw_forecast_predict(f, 24, 0.9, NULL, 0, m, NULL, NULL));
    for (size_t t = 0; t < 24; t++) ck_assert(m[t] > 100 && m[t] < 600);
    for (size_t t = 0; t < 24; t++) gap[t] = 250;
    CTW_OKAY(ctw_forecast_update(f, gap, 24, 1, NULL, 0));
    CTW_OKAY(ctw_forecast_flags(f, &flags));
    ck_assert(flags & CTW_FORECAST_FLAT);
    ctw_forecast_unref(f);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(test_covariates_help)
{
    static double y[N + H], x[2 * (N + H)];
    double with[H], without[H], a = 0, b = 0;
    uint64_t seed = 5;
    set_up();
    ctw_test_carbon(y, N + H, 300, 0.01, 9);
    for (size_t t = 0; t < N + H; t++) {
        x[2 * t] = t % 31 < 9 ? ctw_test_noise(&seed) : 0;
        x[2 * t + 1] = 1;
        y[t] *= exp(-0.5 * x[2 * t]);
    }
    ctw_forecast *f = fresh("model", "ridge");
    CTW_OKAY(ctw_forecast_fit(f, y, N, 1, x, 2, 2, NULL));
    CTW_OKAY(ctw_forecast_predict(f, H, 0.9, x + 2 * N, 2, with, NULL, NULL));
    CTW_OKAY(ctw_forecast_predict(f, H, 0.9, NULL, 0, without, NULL, NULL));
    for (size_t t = 0; t < H; t++) {
        a += fabs(with[t] - y[N + t]);
        b += fabs(without[t] - y[N + t]);
    }
    ck_assert_msg(a < 0.6 * b, "with %g, without %g", a, b);
    CTW_OKAY(ctw_forecast_update(f, y + N, H, 1, x + 2 * N, 2));
    CTW_FAILS(ctw_forecast_update(f, y + N, H, 1, NULL, 0), CTW_E_ARG, "exog");
    ctw_forecast_unref(f);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(test_shapes_of_the_series)
{
    static double y[N], wide[2 * N];
    double m[H], r[H];
    set_up();
    ctw_test_carbon(y, N, 100, 0.05, 3);
    ctw_forecast *f = fitted(y, N, NULL, NULL);
    CTW_OKAY(ctw_forecast_predict(f, H, 0.5, NULL, 0, m, NULL, NULL));
    /* A stride, forwards and backwards, is the same series. */
    for (size_t t = 0; t < N; t++) {
        wide[2 * t] = y[t];
        wide[2 * t + 1] = 1e9;
    }
    CTW_OKAY(ctw_forecast_fit(f, wide, N, 2, NULL, 0, 0, NULL));
    CTW_OKAY(ctw_forecast_predict(f, H, 0.5, NULL, 0, r, NULL, NULL));
    ck_assert_mem_eq(m, r, sizeof m);
    /* A factor on the history is a factor on the forecast. */
    for (size_t t = 0; t < N; t++) wide[t] = 3 * y[t];
    CTW_OKAY(ctw_forecast_fit(f, wide, N, 1, NULL, 0, 0, NULL));
    CTW_OKAY(ctw_forecast_predict(f, H, 0.5, NULL, 0, r, NULL, NULL));
    for (size_t t = 0; t < H; t++) ck_assert_double_eq_tol(r[t], 3 * m[t], 1e-6 * m[t]);
    /* A constant stays one. */
    for (size_t t = 0; t < N; t++) wide[t] = 42;
    CTW_OKAY(ctw_forecast_fit(f, wide, N, 1, NULL, 0, 0, NULL));
    CTW_OKAY(ctw_forecast_predict(f, H, 0.5, NULL, 0, r, NULL, NULL));
    for (size_t t = 0; t < H; t++) ck_assert_double_eq_tol(r[t], 42, 1e-9);
    ctw_forecast_unref(f);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(test_bad_arguments)
{
    static double y[N];
    double m[H], inf[2] = {1, INFINITY}, nans[2] = {NAN, NAN};
    set_up();
    ctw_test_carbon(y, N, 100, 0.05, 3);
    ctw_forecast *f = fresh(NULL, NULL), *none = f;
    ctw_report *rep;
    uint64_t need;
    CTW_FAILS(ctw_forecast_new(ctx, NULL, NULL), CTW_E_ARG, "out");
    CTW_FAILS(ctw_forecast_new(NULL, NULL, &none), CTW_E_ARG, "ctx");
    ck_assert_ptr_null(none);
    CTW_FAILS(ctw_forecast_predict(f, H, 0.9, NULL, 0, m, NULL, NULL), CTW_E_STATE, "not fitted");
    CTW_FAILS(ctw_forecast_update(f, y, 1, 1, NULL, 0), CTW_E_STATE, "not fitted");
    CTW_FAILS(ctw_forecast_save_mem(f, NULL, 0, &need), CTW_E_STATE, "not fitted");
    CTW_FAILS(ctw_forecast_fit(f, NULL, 3, 1, NULL, 0, 0, NULL), CTW_E_ARG, "series");
    CTW_FAILS(ctw_forecast_fit(f, NULL, 0, 1, NULL, 0, 0, NULL), CTW_E_ARG, "no value");
    CTW_FAILS(ctw_forecast_fit(f, nans, 2, 1, NULL, 0, 0, NULL), CTW_E_ARG, "no value");
    CTW_FAILS(ctw_forecast_fit(f, inf, 2, 1, NULL, 0, 0, NULL), CTW_E_NONFINITE, "series[1]");
    CTW_FAILS(ctw_forecast_fit(f, y, N, 0, NULL, 0, 0, NULL), CTW_E_SHAPE, "stride");
    CTW_FAILS(ctw_forecast_fit(f, y, N, 1, NULL, 2, 2, NULL), CTW_E_ARG, "exog");
    CTW_FAILS(ctw_forecast_fit(f, y, N, 1, y, 2000, 2000, NULL), CTW_E_RANGE, "k is");
    CTW_FAILS(ctw_forecast_backtest(f, y, 20, 1, H, NULL, &rep), CTW_E_SHAPE, "origin");
    CTW_OKAY(ctw_forecast_fit(f, y, N, 1, NULL, 0, 0, NULL));
    CTW_FAILS(ctw_forecast_predict(f, 0, 0.9, NULL, 0, m, NULL, NULL), CTW_E_RANGE, "horizon");
    CTW_FAILS(ctw_forecast_predict(f, H, 1.0, NULL, 0, m, NULL, NULL), CTW_E_RANGE, "coverage");
    CTW_FAILS(ctw_forecast_predict(f, H, NAN, NULL, 0, m, NULL, NULL), CTW_E_NONFINITE, "coverage");
    CTW_FAILS(ctw_forecast_predict(f, H, 0.9, NULL, 0, NULL, NULL, NULL), CTW_E_ARG, "out_mean");
    CTW_FAILS(ctw_forecast_predict(f, H, 0.9, y, 1, m, NULL, NULL), CTW_E_ARG, "without covariates");
    CTW_FAILS(ctw_forecast_update(f, inf, 2, 1, NULL, 0), CTW_E_NONFINITE, "series[1]");
    const ctw_forecast *two[2] = {f, NULL};
    double big[2 * H];
    CTW_FAILS(ctw_forecast_predict_batch(two, 2, H, 0.9, big, NULL, NULL, H), CTW_E_ARG, "model 1");
    CTW_FAILS(ctw_forecast_predict_batch(two, 1, H, 0.9, big, NULL, NULL, H - 1), CTW_E_SHAPE, "out_stride");
    CTW_OKAY(ctw_forecast_predict_batch(NULL, 0, H, 0.9, NULL, NULL, NULL, 0));
    /* A failed fit leaves it unfitted. */
    CTW_FAILS(ctw_forecast_fit(f, nans, 2, 1, NULL, 0, 0, NULL), CTW_E_ARG, "no value");
    CTW_FAILS(ctw_forecast_predict(f, H, 0.9, NULL, 0, m, NULL, NULL), CTW_E_STATE, "not fitted");
    ctw_forecast_unref(f);
    ctw_forecast_unref(NULL);
    ck_assert_ptr_null(ctw_forecast_ref(NULL));
    ctw_ctx_unref(ctx);
}
END_TEST

static void save_load_bits(const char *model)
{
    static double y[N];
    double a[3][H], b[3][H];
    set_up();
    ctw_test_carbon(y, N, 100, 0.05, 3);
    y[77] = NAN;
    ctw_forecast *f = fitted(y, N, "model", model), *g = NULL;
    uint64_t need, need2;
    CTW_OKAY(ctw_forecast_save_mem(f, NULL, 0, &need));
    unsigned char *buf = malloc(need), *again = malloc(need);
    CTW_FAILS(ctw_forecast_save_mem(f, buf, need - 1, &need2), CTW_E_BUFFER, NULL);
    CTW_OKAY(ctw_forecast_save_mem(f, buf, need, &need));
    CTW_OKAY(ctw_forecast_load_mem(ctx, buf, need, &g));
    CTW_OKAY(ctw_forecast_save_mem(g, again, need, &need2));
    ck_assert_uint_eq(need, need2);
    ck_assert_mem_eq(buf, again, need);
    double next[30];
    ctw_test_carbon(next, 30, 90, 0.1, 4);
    CTW_OKAY(ctw_forecast_update(f, next, 30, 1, NULL, 0));
    CTW_OKAY(ctw_forecast_update(g, next, 30, 1, NULL, 0));
    CTW_OKAY(ctw_forecast_predict(f, H, 0.9, NULL, 0, a[0], a[1], a[2]));
    CTW_OKAY(ctw_forecast_predict(g, H, 0.9, NULL, 0, b[0], b[1], b[2]));
    ck_assert_mem_eq(a, b, sizeof a);
    ctw_forecast_unref(g);
    const char *path = ctw_test_tmp("model.ctw");
    CTW_OKAY(ctw_forecast_save_file(f, path));
    CTW_OKAY(ctw_forecast_load_file(ctx, path, &g));
    CTW_OKAY(ctw_forecast_predict(g, H, 0.9, NULL, 0, b[0], b[1], b[2]));
    ck_assert_mem_eq(a, b, sizeof a);
    ctw_forecast_unref(g);
    CTW_FAILS(ctw_forecast_load_file(ctx, ctw_test_tmp("none"), &g), CTW_E_IO, NULL);
    buf[need / 2] ^= 1;
    CTW_FAILS(ctw_forecast_load_mem(ctx, buf, need, &g), CTW_E_FORMAT, NULL);
    CTW_FAILS(ctw_forecast_load_mem(ctx, buf, 10, &g), CTW_E_FORMAT, NULL);
    ck_assert_ptr_null(g);
    free(buf);
    free(again);
    ctw_forecast_unref(f);
    ctw_ctx_unref(ctx);
}

START_TEST(test_save_load_bits)
{
    const char *model[] = {"auto", "rls", "climatology", "smoothing", "ridge", "profile"};
    for (size_t k = 0; k < sizeof model / sizeof *model; k++) save_load_bits(model[k]);
}
END_TEST

/* Files of the first format, one with the lead regression and one with day models: they must go on forecasting what
 * they did when they were written. */
START_TEST(test_golden_files)
{
    const struct {
        const char *name;
        double mean[4], hi[4];
    } rows[] = {{"forecast/forecast-1.ctw",
                 {117.523455913598, 117.956628025386, 116.277328840052, 113.747922014229},
                 {125.589843907621, 130.987621159216, 133.652089164948, 134.275101165619}},
                {"forecast/day-1.ctw",
                 {101.156601013724, 102.556367734614, 105.305932555468, 107.150171095753},
                 {112.592843068983, 117.128972055206, 126.655018034037, 132.32650224699}}};
    double m[4], lo[4], hi[4];
    set_up();
    for (size_t i = 0; i < 2; i++) {
        ctw_forecast *f = NULL;
        CTW_OKAY(ctw_forecast_load_file(ctx, ctw_test_golden(rows[i].name), &f));
        CTW_OKAY(ctw_forecast_predict(f, 4, 0.9, NULL, 0, m, lo, hi));
        for (size_t l = 0; l < 4; l++) {
            ck_assert_double_eq_tol(m[l], rows[i].mean[l], 1e-9 * m[l]);
            ck_assert_double_eq_tol(hi[l], rows[i].hi[l], 1e-9 * m[l]);
        }
        ctw_forecast_unref(f);
    }
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(test_backtest)
{
    static double y[N];
    double mae, naive, cov;
    int64_t origins;
    const double *e;
    uint64_t ne;
    ctw_report *r = NULL;
    set_up();
    ctw_test_carbon(y, N, 100, 0.05, 3);
    ctw_forecast *f = fresh(NULL, NULL);
    CTW_OKAY(ctw_forecast_backtest(f, y, N, 1, 24, NULL, &r));
    CTW_OKAY(ctw_report_get_f64(r, "mae", &mae));
    CTW_OKAY(ctw_report_get_f64(r, "naive_mae", &naive));
    CTW_OKAY(ctw_report_get_f64(r, "coverage", &cov));
    CTW_OKAY(ctw_report_get_i64(r, "origins", &origins));
    CTW_OKAY(ctw_report_series(r, "error", &e, &ne));
    ck_assert_msg(mae < naive, "mae %g, naive %g", mae, naive);
    ck_assert(cov > 0.7 && cov <= 1);
    ck_assert_int_eq(origins, 20);
    ck_assert_uint_eq(ne, 24);
    ck_assert_msg(e[0] < mae, "first %g, mean %g", e[0], mae);
    ctw_report_unref(r);
    ctw_cancel *c;
    CTW_OKAY(ctw_cancel_new(ctx, &c));
    ctw_cancel_request(c);
    CTW_FAILS(ctw_forecast_backtest(f, y, N, 1, 24, c, &r), CTW_E_CANCELLED, NULL);
    CTW_FAILS(ctw_forecast_fit(f, y, N, 1, NULL, 0, 0, c), CTW_E_CANCELLED, NULL);
    ctw_cancel_unref(c);
    ctw_forecast_unref(f);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"forecast_of_a_wave", test_forecast_of_a_wave},
        {"long_any_length", test_any_length},
        {"holes_and_flags", test_holes_and_flags},
        {"covariates_help", test_covariates_help},
        {"shapes_of_the_series", test_shapes_of_the_series},
        {"bad_arguments", test_bad_arguments},
        {"save_load_bits", test_save_load_bits},
        {"golden_files", test_golden_files},
        {"backtest", test_backtest},
    };
    return ctw_test_main("api-forecast", cases, sizeof cases / sizeof *cases, 60);
}
