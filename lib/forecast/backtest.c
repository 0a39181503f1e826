/* backtest.c: how good the forecasts would have been: one origin a season over the second half of a
 * series, each seen by a model that knew only the past. */
#include "forecast/forecast_internal.h"

#include "base/cancel.h"
#include "base/report.h"
#include <math.h>

typedef struct tally {
    double abs, sq, ape, width, outcome, pinball, naive;
    size_t n, n_ape, inside, origins;
    double *lead; /* sum of absolute errors per lead */
    size_t *lead_n;
} tally;

static double pinball(double y, double q, double level)
{
    return y >= q ? level * (y - q) : (1 - level) * (q - y);
}

static void score(tally *t, const double *y, int64_t stride, uint64_t at, uint64_t season, uint64_t horizon,
                  const double *mean, const double *lo, const double *hi)
{
    for (uint64_t l = 0; l < horizon; l++) {
        double v = y[(int64_t)(at + l) * stride];
        if (isnan(v)) continue;
        double e = fabs(v - mean[l]), before = y[(int64_t)(at - season + l % season) * stride];
        t->abs += e;
        t->sq += e * e;
        if (v != 0) {
            t->ape += e / fabs(v);
            t->n_ape++;
        }
        t->naive += fabs(v - (isnan(before) ? mean[l] : before));
        t->inside += v >= lo[l] && v <= hi[l];
        t->width += hi[l] - lo[l];
        t->outcome += fabs(v);
        t->pinball += (pinball(v, lo[l], 0.05) + pinball(v, mean[l], 0.5) + pinball(v, hi[l], 0.95)) / 3;
        t->lead[l] += e;
        t->lead_n[l]++;
        t->n++;
    }
    t->origins++;
}

static ctw_status write_report(ctw_ctx *ctx, tally *t, uint64_t horizon, ctw_report **out)
{
    ctw_report *r = NULL;
    ctw_status s = ctw_base__report_new(ctx, &r);
    double n = t->n ? (double)t->n : 1.0;
    for (uint64_t l = 0; l < horizon; l++) t->lead[l] /= t->lead_n[l] ? (double)t->lead_n[l] : 1.0;
    const struct {
        const char *key;
        double v;
    } row[] = {
        {"mae", t->abs / n},
        {"rmse", sqrt(t->sq / n)},
        {"mape", t->n_ape ? 100 * t->ape / (double)t->n_ape : 0.0},
        {"coverage", (double)t->inside / n},
        {"width", t->outcome > 0 ? t->width / t->outcome : 0.0},
        {"pinball", t->pinball / n},
        {"naive_mae", t->naive / n},
    };
    for (size_t i = 0; s == CTW_OK && i < sizeof row / sizeof *row; i++)
        s = ctw_base__report_f64(r, row[i].key, row[i].v);
    if (s == CTW_OK) s = ctw_base__report_i64(r, "origins", (int64_t)t->origins);
    if (s == CTW_OK) s = ctw_base__report_series(r, "error", t->lead, horizon);
    if (s != CTW_OK) {
        ctw_report_unref(r);
        return s;
    }
    *out = r;
    return CTW_OK;
}

static ctw_status run(const ctw_forecast *f, ctw_forecast *w, const double *y, uint64_t n, int64_t stride,
                      uint64_t horizon, ctw_cancel *cancel, tally *t, double *buf)
{
    uint64_t season = f->season, first = n / 2 / season * season, at = first;
    int64_t every = ctw_base__opt_i64(f->params, &ctw_forecast__kind, "refit_every");
    if (first < season) first = at = season;
    for (; at + horizon <= n; at += season) {
        CTW_TRY(ctw_base__stopped(cancel, "ctw_forecast_backtest"));
        int64_t turn = (int64_t)((at - first) / season);
        if (turn % every == 0)
            CTW_TRY(ctw_forecast_fit(w, y, at, stride, NULL, 0, 0, cancel));
        else
            CTW_TRY(ctw_forecast_update(w, y + (int64_t)(at - season) * stride, season, stride, NULL, 0));
        CTW_TRY(ctw_forecast_predict(w, horizon, 0.9, NULL, 0, buf, buf + horizon, buf + 2 * horizon));
        score(t, y, stride, at, season, horizon, buf, buf + horizon, buf + 2 * horizon);
    }
    return CTW_OK;
}

ctw_status ctw_forecast_backtest(const ctw_forecast *f, const double *series, uint64_t n, int64_t stride,
                                 uint64_t horizon, ctw_cancel *cancel, ctw_report **out)
{
    const char *fn = "ctw_forecast_backtest";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__handle_check((const ctw_base__handle *)f, CTW_FORECAST__MAGIC, fn, "f"));
    CTW_TRY(ctw_base__need(series, fn, "series"));
    CTW_TRY(ctw_base__in_u64(horizon, 1, 100000, fn, "horizon"));
    if (n < horizon || n - horizon < f->season || n - horizon < n / 2 / f->season * f->season)
        return ctw_base__fail(CTW_E_SHAPE, "%s: %llu steps hold no origin with %llu outcomes after it", fn,
                              (unsigned long long)n, (unsigned long long)horizon);
    ctw_ctx *ctx = f->h.ctx;
    ctw_forecast *w = NULL;
    tally t = {0};
    double *buf = CTW_NEW(ctx, 4 * horizon, double);
    t.lead_n = CTW_NEW(ctx, horizon, size_t);
    ctw_status s = buf && t.lead_n ? ctw_forecast__like(f, &w) : CTW_E_NOMEM;
    if (s == CTW_OK) {
        t.lead = buf + 3 * horizon;
        s = run(f, w, series, n, stride, horizon, cancel, &t, buf);
    }
    if (s == CTW_OK) s = write_report(ctx, &t, horizon, out);
    ctw_forecast_unref(w);
    ctw_base__free(ctx, buf);
    ctw_base__free(ctx, t.lead_n);
    return s;
}
