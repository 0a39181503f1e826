/* forecast.c: ctw-bench forecast: the accuracy protocols of carbon-intensity forecasting, on the formats of the
 * data folder. carboncast: the last 181 daily origins that have all their outcomes, refitted at the start of each
 * calendar month, nothing after the origin is seen; the half-year before runs the same way, unscored, so that
 * weights and intervals have a record. ensembleci: the last 178, every 24th row, weather of the day ahead.
 * --causality perturbs everything after an origin and counts forecasts that change.
 * --skip N ends the protocol N days earlier (184: the half-year January to June 2021 of the data folder).
 * --fleet N times N models of the region: refitted, then forecast, on one thread. */
#include "commands.h"
#include "forecast_checks.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S 86400

typedef struct setup {
    const char *region, *protocol, *column, *data;
    int64_t horizon, warm, origins, skip;
    double weather_lag_h;
    ctw_params *params;
} setup;

typedef struct scores {
    double ape[8], ape_n[8];
    double abs, sq, inside, width, pinball, n;
    double energy, energy_independent, spearman;
    double *fit_s, *predict_us, *update_us;
    size_t fits, origins;
    double cpu_s; /* updates, refits and forecasts of the scored origins */
} scores;

static ctw_feed *load(bench *b, void *how)
{
    const setup *s = how;
    ctw_feed *feed = NULL;
    bench_ok(ctw_feed_load(b->ctx, s->data, CTW_FEED_HOURLY_CSV, s->column, CTW_FACTORS_LIFECYCLE, &feed), s->data);
    for (size_t i = 0; bench_nth(b, "--exog", i); i++) {
        const char *path = bench_nth(b, "--exog", i);
        if (forecast_is_dayahead(b, path))
            forecast_load_dayahead(b, feed, path);
        else
            bench_ok(ctw_feed_load_weather(feed, path), path);
    }
    return feed;
}

/* Region from "dir/CISO_hourly.csv". */
static char *region_of(const char *path)
{
    const char *name = strrchr(path, '/');
    name = name ? name + 1 : path;
    const char *end = strstr(name, "_hourly");
    size_t n = end ? (size_t)(end - name) : strlen(name);
    char *out = bench_alloc(n + 1, 1);
    memcpy(out, name, n);
    return out;
}

static int64_t month_of(int64_t t)
{
    /* Civil month number from days since 1970 (Hinnant). */
    int64_t z = t / DAY_S + 719468, era = z / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    return (yoe + era * 400) * 12 + mp;
}

static double pinball(double y, double q, double level)
{
    return y >= q ? level * (y - q) : (1 - level) * (q - y);
}

static void score(scores *k, const ctw_feed *feed, int64_t at, int64_t horizon, const double *m, const double *lo,
                  const double *hi)
{
    for (int64_t l = 0; l < horizon; l++) {
        double y;
        int64_t day = l / 24 < 7 ? l / 24 : 7;
        bench_ok(ctw_feed_row(feed, (uint64_t)(at + l), &y, NULL), "row");
        if (isnan(y) || y == 0) continue;
        double e = fabs(y - m[l]);
        k->ape[day] += 100 * e / fabs(y);
        k->ape_n[day]++;
        k->abs += e;
        k->sq += e * e;
        k->inside += y >= lo[l] && y <= hi[l];
        k->width += 100 * (hi[l] - lo[l]) / m[l];
        k->pinball += (pinball(y, lo[l], 0.05) + pinball(y, m[l], 0.5) + pinball(y, hi[l], 0.95)) / 3;
        k->n++;
    }
}

static ctw_forecast *begin(bench *b, const setup *s, const ctw_feed *feed, int64_t until)
{
    ctw_forecast *f = NULL;
    bench_ok(ctw_forecast_new(b->ctx, s->params, &f), "options");
    bench_ok(ctw_forecast_fit_feed(f, feed, until, NULL), "fit");
    return f;
}

/* Row of the first scored origin. */
static int64_t first_origin(const setup *s, const ctw_feed *feed)
{
    int64_t rows = (int64_t)ctw_feed_rows(feed), last = (rows - s->horizon) / 24 * 24;
    if (!strcmp(s->protocol, "ensembleci")) last = rows - 24 * 4 - (rows - 4344) % 24;
    return last - 24 * (s->origins - 1 + s->skip);
}

/* Scenarios and ranks against what happened; origins with a missing outcome are left out. */
static void score_joint(scores *k, ctw_forecast *f, const ctw_feed *feed, int64_t at, int64_t horizon, const double *m)
{
    double *y = bench_alloc((size_t)horizon, sizeof *y);
    int whole = 1;
    for (int64_t l = 0; l < horizon; l++) {
        bench_ok(ctw_feed_row(feed, (uint64_t)(at + l), y + l, NULL), "row");
        if (isnan(y[l])) whole = 0;
    }
    if (whole) {
        forecast_energy(f, y, (size_t)horizon, (uint64_t)at, &k->energy, &k->energy_independent);
        k->spearman += forecast_spearman(m, y, horizon < 24 ? (size_t)horizon : 24);
    }
    free(y);
}

static void run(bench *b, const setup *s, const ctw_feed *feed, scores *k, ctw_forecast **out)
{
    int64_t start = ctw_feed_start(feed), first = first_origin(s, feed), from = first - 24 * s->warm;
    size_t h = (size_t)s->horizon;
    double *m = bench_alloc(3 * h, sizeof *m);
    if (from < 24 * 150) from = first;
    if (from < 24 * 100) bench_die(2, "%s: too short for the protocol", s->data);
    ctw_forecast *f = begin(b, s, feed, start + from * 3600);
    int64_t month = month_of(start + from * 3600);
    k->fit_s = bench_alloc((size_t)(s->warm + s->origins), sizeof *k->fit_s);
    k->update_us = bench_alloc((size_t)(s->warm + s->origins), sizeof *k->update_us);
    k->predict_us = bench_alloc((size_t)s->origins, sizeof *k->predict_us);
    for (int64_t at = from; at < first + 24 * s->origins; at += 24) {
        int64_t now = start + at * 3600;
        double begin = bench_cpu_s(), t0 = begin;
        bench_ok(ctw_forecast_update_feed(f, feed, now), "update");
        if (at >= first) k->update_us[k->origins] = 1e6 * (bench_cpu_s() - t0);
        if (month_of(now) != month) {
            month = month_of(now);
            t0 = bench_cpu_s();
            bench_ok(ctw_forecast_refit(f, NULL), "refit");
            k->fit_s[k->fits++] = bench_cpu_s() - t0;
        }
        if (at < first) continue;
        t0 = bench_cpu_s();
        bench_ok(ctw_forecast_predict(f, h, 0.9, NULL, 0, m, m + h, m + 2 * h), "predict");
        k->predict_us[k->origins++] = 1e6 * (bench_cpu_s() - t0);
        k->cpu_s += bench_cpu_s() - begin;
        score(k, feed, at, s->horizon, m, m + h, m + 2 * h);
        score_joint(k, f, feed, at, s->horizon, m);
    }
    free(m);
    *out = f;
}

static void print(bench *b, const setup *s, scores *k, ctw_forecast *f)
{
    uint64_t need = 0;
    double sum = 0, n = 0;
    bench_ok(ctw_forecast_save_mem(f, NULL, 0, &need), "save");
    bench_begin(b);
    bench_out_str("region", s->region);
    bench_out_str("protocol", s->protocol);
    bench_out_str("column", s->column);
    bench_out_i64("horizon_h", s->horizon);
    for (int d = 0; d < 4; d++) {
        char key[16];
        snprintf(key, sizeof key, "mape_day%d", d + 1);
        bench_out_f64(key, k->ape_n[d] > 0 ? k->ape[d] / k->ape_n[d] : NAN);
    }
    for (int d = 0; d < 8; d++) {
        sum += k->ape[d];
        n += k->ape_n[d];
    }
    bench_out_f64("mape_mean", sum / n);
    bench_out_f64("mae", k->abs / k->n);
    bench_out_f64("rmse", sqrt(k->sq / k->n));
    bench_out_f64("coverage90", 100 * k->inside / k->n);
    bench_out_f64("width90", k->width / k->n);
    bench_out_f64("pinball", k->pinball / k->n);
    bench_out_f64("energy", k->energy / (double)k->origins);
    bench_out_f64("energy_independent", k->energy_independent / (double)k->origins);
    bench_out_f64("spearman24", k->spearman / (double)k->origins);
    bench_out_i64("save_load_equal", forecast_reload_equal(b, f, (size_t)s->horizon));
    bench_out_i64("n_origins", (int64_t)k->origins);
    bench_out_f64("scored_cpu_s", k->cpu_s);
    bench_out_f64("fit_s", bench_median(k->fit_s, k->fits));
    bench_out_f64("predict_us", bench_median(k->predict_us, k->origins));
    bench_out_f64("update_us", bench_median(k->update_us, k->origins));
    bench_out_i64("model_bytes", (int64_t)need);
    bench_end();
}

static void causality(bench *b, setup *s, const ctw_feed *feed)
{
    int64_t first = first_origin(s, feed), start = ctw_feed_start(feed), origin[4];
    size_t h = (size_t)s->horizon;
    for (int64_t i = 0; i < 4; i++) origin[i] = start + (first + 24 * (i * (s->origins - 1) / 3)) * 3600;
    size_t changed = forecast_causality(b, s->params, load, s, origin, 4, h);
    bench_begin(b);
    bench_out_str("region", s->region);
    bench_out_str("protocol", s->protocol);
    bench_out_i64("causality_origins", 4);
    bench_out_i64("values_compared", (int64_t)(4 * 3 * h));
    bench_out_i64("values_changed", (int64_t)changed);
    bench_end();
}

int bench_forecast(bench *b)
{
    setup s = {.data = bench_need(b, "--data"), .protocol = bench_str(b, "--protocol", "carboncast")};
    scores k;
    memset(&k, 0, sizeof k);
    s.region = region_of(s.data);
    s.horizon = bench_i64(b, "--horizon", 96);
    s.column = bench_str(b, "--column", "ci_lifecycle_gco2_kwh");
    s.warm = bench_i64(b, "--warm", 181);
    s.skip = bench_i64(b, "--skip", 0);
    s.weather_lag_h = bench_f64(b, "--weather-lag", 0);
    if (strcmp(s.protocol, "carboncast") && strcmp(s.protocol, "ensembleci"))
        bench_die(2, "--protocol %s: carboncast or ensembleci", s.protocol);
    s.origins = !strcmp(s.protocol, "carboncast") ? 181 : 178;
    if (s.horizon < 1 || s.horizon > 192) bench_die(2, "--horizon %lld: 1 to 192", (long long)s.horizon);
    bench_ok(ctw_params_new(b->ctx, "forecast", &s.params), "options");
    bench_ok(ctw_params_set_i64(s.params, "horizon", s.horizon), "horizon");
    bench_ok(ctw_params_set_f64(s.params, "weather_delay_s", 3600 * s.weather_lag_h), "weather lag");
    bench_params(b, s.params);
    ctw_feed *feed = load(b, &s);
    int only_causality = bench_flag(b, "--causality");
    int64_t fleet = bench_i64(b, "--fleet", 0);
    bench_no_more(b);
    if (fleet < 0 || fleet > 10000) bench_die(2, "--fleet %lld: 0 to 10000 models", (long long)fleet);
    if (fleet) {
        forecast_fleet(b, s.params, feed, (size_t)fleet, (size_t)s.horizon);
    } else if (only_causality) {
        causality(b, &s, feed);
    } else {
        ctw_forecast *f = NULL;
        run(b, &s, feed, &k, &f);
        print(b, &s, &k, f);
        ctw_forecast_unref(f);
    }
    ctw_feed_unref(feed);
    ctw_params_unref(s.params);
    return 0;
}
