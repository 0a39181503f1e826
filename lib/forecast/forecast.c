/* forecast.c: the public verbs of a forecaster, apart from files and backtests. */
#include "forecast/forecast_internal.h"

#include "base/ctx.h"
#include <math.h>
#include <string.h>

#define MAX_HORIZON 100000
#define DRIFT       2.5 /* times the errors of the record that call for a refit */
#define FLAT_RUN    12  /* equal values in a row that smell of a dead feed */

void ctw_forecast__clear(ctw_forecast *f)
{
    ctw_ctx *ctx = f->h.ctx;
    ctw_forecast__hist_free(ctx, &f->hist);
    ctw_forecast__lagridge_free(ctx, &f->ridge);
    ctw_forecast__conform_free(ctx, &f->conform);
    ctw_forecast__rls_free(ctx, &f->rls);
    ctw_forecast__climate_free(ctx, &f->climate);
    ctw_forecast__blend_free(ctx, &f->blend);
    ctw_base__free(ctx, f->row);
    f->row = NULL;
    ctw_forecast__days_free(ctx, &f->days);
    ctw_forecast__daymodel_free(ctx, &f->day);
    ctw_forecast__ledger_free(ctx, &f->ledger);
    ctw_base__free(ctx, f->pending);
    f->pending = NULL;
    f->daily = 0;
    f->tail = 0;
    f->day0 = 0;
    f->fitted = 0;
}

static void destroy(ctw_forecast *f)
{
    ctw_forecast__clear(f);
    ctw_base__free(f->h.ctx, f->cal.day);
    ctw_params_unref(f->params);
}

CTW_DEFINE_REFS(ctw_forecast, destroy)

ctw_status ctw_forecast_new(ctw_ctx *ctx, const ctw_params *params, ctw_forecast **out)
{
    const char *fn = "ctw_forecast_new";
    const ctw_base__kind *k = &ctw_forecast__kind;
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    CTW_TRY(ctw_base__params_check(params, k, fn));
    size_t season = (size_t)ctw_base__opt_i64(params, k, "season");
    double step = ctw_base__opt_f64(params, k, "step_s");
    if (!season) {
        double s = round(86400.0 / step);
        if (s > 8784)
            return ctw_base__fail(CTW_E_RANGE, "%s: step_s %g makes a day of %.0f steps, more than 8784: set season",
                                  fn, step, s);
        season = s < 1 ? 1 : (size_t)s;
    }
    ctw_forecast *f = ctw_base__handle_new(ctx, sizeof *f, CTW_FORECAST__MAGIC);
    if (!f) return CTW_E_NOMEM;
    ctw_status s = ctw_base__params_copy(ctx, params, k, &f->params);
    if (s != CTW_OK) {
        ctw_forecast_unref(f);
        return s;
    }
    f->season = season;
    f->model = ctw_base__opt_choice(params, k, "model");
    f->horizon = (size_t)ctw_base__opt_i64(params, k, "horizon");
    f->lags = (size_t)ctw_base__opt_i64(params, k, "lags");
    f->lambda = ctw_base__opt_f64(params, k, "ridge");
    f->transform = ctw_base__opt_choice(params, k, "transform");
    f->half_life = ctw_base__opt_f64(params, k, "half_life");
    f->delay = ctw_base__opt_f64(params, k, "weather_delay_s");
    f->offset_h = ctw_base__opt_f64(params, k, "utc_offset_h");
    f->step = (int64_t)step;
    f->cal.latitude = ctw_base__opt_f64(params, k, "latitude");
    f->cal.longitude = ctw_base__opt_f64(params, k, "longitude");
    f->cal.sun = f->cal.latitude <= 90;
    f->max_rows = (size_t)ctw_base__opt_i64(params, k, "max_rows");
    *out = f;
    return CTW_OK;
}

ctw_status ctw_forecast__like(const ctw_forecast *f, ctw_forecast **out)
{
    CTW_TRY(ctw_forecast_new(f->h.ctx, f->params, out));
    ctw_status s = ctw_forecast__calendar_set(f->h.ctx, &(*out)->cal, f->cal.day, f->cal.n);
    if (s == CTW_OK) return CTW_OK;
    ctw_forecast_unref(*out);
    *out = NULL;
    return s;
}

static ctw_status check_series(const char *fn, const double *v, uint64_t n, int64_t stride, uint64_t *finite)
{
    *finite = 0;
    CTW_TRY(ctw_base__need_n(v, n, fn, "series"));
    if (n > 1 && !stride) return ctw_base__fail(CTW_E_SHAPE, "%s: stride is 0", fn);
    for (uint64_t i = 0; i < n; i++) {
        double x = v[(int64_t)i * stride];
        if (isinf(x))
            return ctw_base__fail(CTW_E_NONFINITE, "%s: series[%llu] is infinite; NaN marks a missing step", fn,
                                  (unsigned long long)i);
        *finite += isnan(x) ? 0u : 1u;
    }
    return CTW_OK;
}

static ctw_status check_exog(const char *fn, const double *x, uint64_t n, uint64_t k, uint64_t stride)
{
    if (!k || !n) return CTW_OK;
    return ctw_base__matrix(x, n, k, stride, fn, "exog");
}

/* Whether the logarithm is taken, and the first step it can start from. */
static void choose_log(ctw_forecast *f, const double *v, uint64_t n, int64_t stride, uint64_t finite)
{
    uint64_t positive = 0;
    for (uint64_t i = 0; i < n; i++) positive += v[(int64_t)i * stride] > 0 ? 1u : 0u;
    f->hist.log = f->transform == CTW_FORECAST__T_LOG ||
                  (f->transform == CTW_FORECAST__T_AUTO && positive > 0 && (double)positive >= 0.99 * (double)finite);
}

int64_t ctw_forecast__shift(const ctw_forecast *f)
{
    if (f->offset_h <= 90) return (int64_t)(f->offset_h * 3600);
    return f->cal.sun ? (int64_t)(round(f->cal.longitude / 15) * 3600) : 0;
}

void ctw_forecast__covariates(const ctw_forecast *f, int64_t utc, const double *own, double *row)
{
    for (size_t j = 0; j < f->user_k; j++) row[j] = own ? own[j] : f->ridge.leads ? f->ridge.xmean[j] : 0.0;
    ctw_forecast__calendar_row(&f->cal, utc, ctw_forecast__shift(f), f->step, row + f->user_k);
}

/* The step that follows the history, its covariates filled up; x has the host's. Memory was reserved. */
static void push(ctw_forecast *f, double y, const double *x)
{
    if (f->hist.k) ctw_forecast__covariates(f, f->next_s, x, f->row);
    ctw_forecast__hist_push(&f->hist, y, f->row);
    f->next_s += f->step;
}

static ctw_status fill(ctw_forecast *f, const double *v, uint64_t n, int64_t stride, const double *exog,
                       uint64_t exog_stride)
{
    ctw_forecast__hist *h = &f->hist;
    uint64_t from = 0;
    while (from < n && isnan(ctw_forecast__to_z(h->log, v[(int64_t)from * stride]))) from++;
    if (from == n) return ctw_base__fail(CTW_E_ARG, "ctw_forecast_fit: series has no value that can be used");
    if (n - from > h->max) from = n - h->max;
    h->dropped = from;
    CTW_TRY(ctw_forecast__hist_reserve(f->h.ctx, h, (size_t)(n - from)));
    f->row = CTW_NEW(f->h.ctx, h->k + 1, double);
    if (!f->row) return CTW_E_NOMEM;
    f->next_s += (int64_t)from * f->step;
    for (uint64_t i = from; i < n; i++) push(f, v[(int64_t)i * stride], f->user_k ? exog + i * exog_stride : NULL);
    return CTW_OK;
}

/* Fills the emptied history from checked values and trains on it. */
static ctw_status learn(ctw_forecast *f, const double *series, uint64_t n, int64_t stride, const double *exog,
                        uint64_t k, uint64_t exog_stride, int64_t start_s, const ctw_feed *feed, ctw_cancel *cancel)
{
    uint64_t finite;
    CTW_TRY(check_series("ctw_forecast_fit", series, n, stride, &finite));
    if (!finite)
        return ctw_base__fail(CTW_E_ARG, "ctw_forecast_fit: series of %llu steps has no value", (unsigned long long)n);
    f->hist.season = f->season;
    f->user_k = (size_t)k;
    f->hist.k = f->user_k + ctw_forecast__calendar_width(&f->cal);
    f->next_s = start_s;
    f->hist.max = (size_t)ctw_base__opt_i64(f->params, &ctw_forecast__kind, "max_history");
    choose_log(f, series, n, stride, finite);
    CTW_TRY(fill(f, series, n, stride, exog, exog_stride));
    if (ctw_forecast__daily_fits(f, f->hist.n))
        CTW_TRY(ctw_forecast__daily_train(f, feed, cancel));
    else
        CTW_TRY(ctw_forecast__train(f, cancel));
    f->fitted = 1;
    return CTW_OK;
}

static ctw_status fit(ctw_forecast *f, const double *series, uint64_t n, int64_t stride, const double *exog, uint64_t k,
                      uint64_t exog_stride, ctw_cancel *cancel)
{
    const char *fn = "ctw_forecast_fit";
    ctw_forecast__clear(f);
    if (k > 1000) return ctw_base__fail(CTW_E_RANGE, "%s: k is %llu, must be <= 1000", fn, (unsigned long long)k);
    if (n > SIZE_MAX / 64) return ctw_base__fail(CTW_E_RANGE, "%s: n is too large", fn);
    CTW_TRY(ctw_base__need_n(series, n, fn, "series"));
    CTW_TRY(check_exog(fn, exog, n, k, exog_stride));
    int64_t start = (int64_t)ctw_base__opt_f64(f->params, &ctw_forecast__kind, "start_s");
    return learn(f, series, n, stride, exog, k, exog_stride, start, NULL, cancel);
}

ctw_status ctw_forecast_fit(ctw_forecast *f, const double *series, uint64_t n, int64_t stride, const double *exog,
                            uint64_t k, uint64_t exog_stride, ctw_cancel *cancel)
{
    CTW_TRY(ctw_base__handle_enter((ctw_base__handle *)f, CTW_FORECAST__MAGIC, "ctw_forecast_fit", "f"));
    ctw_status s = fit(f, series, n, stride, exog, k, exog_stride, cancel);
    if (s != CTW_OK) ctw_forecast__clear(f);
    ctw_base__handle_leave(&f->h);
    return s;
}

static ctw_status set_holidays(ctw_forecast *f, const int64_t *days, uint64_t n)
{
    const char *fn = "ctw_forecast_set_holidays";
    CTW_TRY(ctw_base__in_u64(n, 0, 100000, fn, "n"));
    CTW_TRY(ctw_base__need_n(days, n, fn, "days"));
    for (uint64_t i = 0; i < n; i++) CTW_TRY(ctw_base__in_i64(days[i], -1000000, 1000000, fn, "days"));
    if (f->fitted && (!f->cal.n || !n))
        return ctw_base__fail(CTW_E_STATE, "%s: the handle was fitted %s holidays and cannot change that before a fit",
                              fn, f->cal.n ? "with" : "without");
    return ctw_forecast__calendar_set(f->h.ctx, &f->cal, days, (size_t)n);
}

ctw_status ctw_forecast_set_holidays(ctw_forecast *f, const int64_t *days, uint64_t n)
{
    CTW_TRY(ctw_base__handle_enter((ctw_base__handle *)f, CTW_FORECAST__MAGIC, "ctw_forecast_set_holidays", "f"));
    ctw_status s = set_holidays(f, days, n);
    ctw_base__handle_leave(&f->h);
    return s;
}

ctw_status ctw_forecast__need_fitted(const ctw_forecast *f, const char *fn)
{
    CTW_TRY(ctw_base__handle_check((const ctw_base__handle *)f, CTW_FORECAST__MAGIC, fn, "f"));
    if (!f->fitted) return ctw_base__fail(CTW_E_STATE, "%s: the forecaster is not fitted", fn);
    return CTW_OK;
}

/* One more step into history and, where they are in use, the day models. Memory for the history was reserved. */
static ctw_status step(ctw_forecast *f, double y, const double *x, const double *src, const ctw_feed *feed)
{
    push(f, y, x);
    if (f->daily) return ctw_forecast__daily_step(f, src, feed);
    if (f->rls.p) {
        double *scratch = f->rls.v + f->rls.p;
        ctw_forecast__online_learn(&f->rls, &f->ridge, &f->hist, f->hist.n - 1);
        ctw_forecast__online_origin(&f->rls, &f->ridge, &f->hist, f->hist.n, scratch);
    }
    return CTW_OK;
}

static ctw_status update(ctw_forecast *f, const double *series, uint64_t n, int64_t stride, const double *exog,
                         uint64_t exog_stride)
{
    const char *fn = "ctw_forecast_update";
    uint64_t finite;
    CTW_TRY(ctw_forecast__need_fitted(f, fn));
    CTW_TRY(check_series(fn, series, n, stride, &finite));
    CTW_TRY(check_exog(fn, exog, n, f->user_k, exog_stride));
    if (n > SIZE_MAX / 64) return ctw_base__fail(CTW_E_RANGE, "%s: n is too large", fn);
    CTW_TRY(ctw_forecast__hist_reserve(f->h.ctx, &f->hist, (size_t)n));
    for (uint64_t i = 0; i < n; i++)
        CTW_TRY(step(f, series[(int64_t)i * stride], f->user_k ? exog + i * exog_stride : NULL, NULL, NULL));
    return CTW_OK;
}

ctw_status ctw_forecast_update(ctw_forecast *f, const double *series, uint64_t n, int64_t stride, const double *exog,
                               uint64_t exog_stride)
{
    CTW_TRY(ctw_base__handle_enter((ctw_base__handle *)f, CTW_FORECAST__MAGIC, "ctw_forecast_update", "f"));
    ctw_status s = update(f, series, n, stride, exog, exog_stride);
    ctw_base__handle_leave(&f->h);
    return s;
}

static ctw_status check_feed(const ctw_forecast *f, const ctw_feed *feed, const char *fn)
{
    CTW_TRY(ctw_base__handle_check((const ctw_base__handle *)feed, CTW_FEED__MAGIC, fn, "feed"));
    if (feed->step != f->step)
        return ctw_base__fail(CTW_E_SHAPE, "%s: the feed has a step of %lld s, option step_s is %lld", fn,
                              (long long)feed->step, (long long)f->step);
    return CTW_OK;
}

/* Rows of the feed before `until`. */
static size_t rows_before(const ctw_feed *feed, int64_t until)
{
    if (!feed->n || until <= feed->start) return 0;
    int64_t n = (until - feed->start + feed->step - 1) / feed->step;
    return n > (int64_t)feed->n ? feed->n : (size_t)n;
}

static ctw_status fit_feed(ctw_forecast *f, const ctw_feed *feed, int64_t until, ctw_cancel *cancel)
{
    ctw_forecast__clear(f);
    CTW_TRY(check_feed(f, feed, "ctw_forecast_fit_feed"));
    return learn(f, feed->y, rows_before(feed, until), 1, NULL, 0, 0, feed->start, feed, cancel);
}

ctw_status ctw_forecast_fit_feed(ctw_forecast *f, const ctw_feed *feed, int64_t until_s, ctw_cancel *cancel)
{
    CTW_TRY(ctw_base__handle_enter((ctw_base__handle *)f, CTW_FORECAST__MAGIC, "ctw_forecast_fit_feed", "f"));
    ctw_status s = fit_feed(f, feed, until_s, cancel);
    if (s != CTW_OK) ctw_forecast__clear(f);
    ctw_base__handle_leave(&f->h);
    return s;
}

/* Takes over what the provider has changed in the last three seasons. */
static void revise(ctw_forecast *f, const ctw_feed *feed)
{
    ctw_forecast__hist *h = &f->hist;
    ctw_forecast__days *d = &f->days;
    for (size_t back = 1; back <= 3 * h->season && back <= h->n; back++) {
        int64_t at = (f->next_s - feed->start) / feed->step - (int64_t)back;
        size_t t = h->n - back;
        if (at < 0 || at >= (int64_t)feed->n) continue;
        double y = feed->y[at], z = ctw_forecast__to_z(h->log, y);
        if (isnan(z)) continue;
        if (y != h->y[t] || h->hole[t]) {
            h->y[t] = y;
            h->z[t] = z;
            h->hole[t] = 0;
            h->d[t] = t >= h->season ? z - ctw_forecast__hist_base(h, t, t) : 0.0;
        }
        if (!f->daily || back <= f->tail || back - f->tail > d->n * d->s) continue;
        size_t of = d->n * d->s - (back - f->tail);
        d->z[of] = z;
        for (size_t i = 0; i < d->ns; i++) {
            double e = feed->src[(size_t)at * d->ns + i];
            if (!isnan(e)) d->src[of * d->ns + i] = e;
        }
    }
}

static ctw_status update_feed(ctw_forecast *f, const ctw_feed *feed, int64_t until)
{
    const char *fn = "ctw_forecast_update_feed";
    CTW_TRY(ctw_forecast__need_fitted(f, fn));
    CTW_TRY(check_feed(f, feed, fn));
    if (f->user_k) return ctw_base__fail(CTW_E_ARG, "%s: the model was fitted with covariates by the step", fn);
    size_t ns = f->daily ? f->days.ns : 0;
    if (f->daily && (feed->ns != ns || (f->days.nv && feed->nv != f->days.nv)))
        return ctw_base__fail(CTW_E_SHAPE,
                              "%s: the feed has %zu sources and %zu weather variables, the model %zu and %zu", fn,
                              feed->ns, feed->nv, ns, f->days.nv);
    if (f->next_s < feed->start || (f->next_s - feed->start) % feed->step)
        return ctw_base__fail(CTW_E_SHAPE, "%s: the next step, %lld, is not on the feed's grid", fn,
                              (long long)f->next_s);
    size_t from = (size_t)((f->next_s - feed->start) / feed->step), to = rows_before(feed, until);
    revise(f, feed);
    if (to <= from) return CTW_OK;
    CTW_TRY(ctw_forecast__hist_reserve(f->h.ctx, &f->hist, to - from));
    for (size_t i = from; i < to; i++) CTW_TRY(step(f, feed->y[i], NULL, ns ? feed->src + i * ns : NULL, feed));
    return CTW_OK;
}

ctw_status ctw_forecast_update_feed(ctw_forecast *f, const ctw_feed *feed, int64_t until_s)
{
    CTW_TRY(ctw_base__handle_enter((ctw_base__handle *)f, CTW_FORECAST__MAGIC, "ctw_forecast_update_feed", "f"));
    ctw_status s = update_feed(f, feed, until_s);
    ctw_base__handle_leave(&f->h);
    return s;
}

ctw_status ctw_forecast_refit(ctw_forecast *f, ctw_cancel *cancel)
{
    const char *fn = "ctw_forecast_refit";
    CTW_TRY(ctw_base__handle_enter((ctw_base__handle *)f, CTW_FORECAST__MAGIC, fn, "f"));
    ctw_status s = ctw_forecast__need_fitted(f, fn);
    if (s == CTW_OK) s = f->daily ? ctw_forecast__daily_refit(f, cancel) : ctw_forecast__retrain(f, cancel);
    ctw_base__handle_leave(&f->h);
    return s;
}

int64_t ctw_forecast__flags_of(const ctw_forecast *f)
{
    const ctw_forecast__hist *h = &f->hist;
    int64_t b = 0;
    size_t age = ctw_forecast__hist_age(h), holes = 0;
    for (size_t t = h->n > h->season ? h->n - h->season : 0; t < h->n; t++) holes += h->hole[t];
    if (!f->daily && !f->ridge.leads && h->n < 3 * h->season) b |= CTW_FORECAST_SHORT;
    if (holes) b |= CTW_FORECAST_GAPS;
    if (age >= h->season) b |= CTW_FORECAST_STALE;
    if (h->season > FLAT_RUN && ctw_forecast__hist_flat(h) >= FLAT_RUN) b |= CTW_FORECAST_FLAT;
    if (h->bad) b |= CTW_FORECAST_BAD_VALUES;
    if (f->daily && f->days.nv && !f->days.seen[f->days.n]) b |= CTW_FORECAST_NO_COVARIATES;
    if (f->daily && f->days.nv && f->days.seen[f->days.n] == 2) b |= CTW_FORECAST_OLD_COVARIATES;
    if (f->daily && (f->ledger.recent > 0.3 || ctw_forecast__ledger_drift(&f->ledger) > DRIFT)) b |= CTW_FORECAST_DRIFT;
    if (f->daily && ctw_forecast__days_lost(&f->days)) b |= CTW_FORECAST_SOURCE_LOST;
    return b;
}

ctw_status ctw_forecast_flags(const ctw_forecast *f, int64_t *flags)
{
    CTW_TRY(ctw_forecast__need_fitted(f, "ctw_forecast_flags"));
    CTW_TRY(ctw_base__need(flags, "ctw_forecast_flags", "flags"));
    *flags = ctw_forecast__flags_of(f);
    return CTW_OK;
}

ctw_status ctw_forecast_seen(const ctw_forecast *f, uint64_t *n)
{
    CTW_TRY(ctw_base__handle_check((const ctw_base__handle *)f, CTW_FORECAST__MAGIC, "ctw_forecast_seen", "f"));
    CTW_TRY(ctw_base__need(n, "ctw_forecast_seen", "n"));
    *n = f->hist.dropped + f->hist.n;
    return CTW_OK;
}

/* A stopped feed widens the band by the square root of the age in seasons. */
static double widening(const ctw_forecast *f)
{
    double age = (double)ctw_forecast__hist_age(&f->hist) / (double)f->season;
    return age > 1 ? sqrt(age) : 1.0;
}

ctw_status ctw_forecast__expect(const ctw_forecast *f, uint64_t horizon, double coverage, const double *exog,
                                uint64_t exog_stride, double *z, double *half)
{
    double wide = widening(f), q;
    if (f->daily) {
        for (uint64_t l = 0; l < horizon; l++) {
            ctw_forecast__daily_at(f, (size_t)l, coverage, z + l, &q);
            if (half) half[l] = wide * q;
        }
        return CTW_OK;
    }
    size_t room = ctw_forecast__room(f, f->ridge.p), k = f->hist.k;
    double *scratch = ctw_base__alloc(f->h.ctx, room + horizon * (k + 1), sizeof *scratch);
    if (!scratch) return CTW_E_NOMEM;
    double *rows = scratch + room + horizon;
    ctw_forecast__way w = ctw_forecast__chosen(f);
    for (uint64_t l = 0; k && l < horizon; l++)
        ctw_forecast__covariates(f, f->next_s + (int64_t)l * f->step, exog ? exog + l * exog_stride : NULL,
                                 rows + l * k);
    ctw_forecast__point(f, &w, f->hist.n, (size_t)horizon, k ? rows : NULL, scratch, z);
    for (uint64_t l = 0; half && l < horizon; l++)
        half[l] = wide * ctw_forecast__conform_half(&f->conform, (size_t)l, coverage);
    ctw_base__free(f->h.ctx, scratch);
    return CTW_OK;
}

static ctw_status check_predict(const char *fn, uint64_t horizon, double coverage, const double *out_mean)
{
    CTW_TRY(ctw_base__in_u64(horizon, 1, MAX_HORIZON, fn, "horizon"));
    CTW_TRY(ctw_base__in(coverage, 1e-6, 1.0 - 1e-6, fn, "coverage"));
    return ctw_base__need(out_mean, fn, "out_mean");
}

ctw_status ctw_forecast_predict(const ctw_forecast *f, uint64_t horizon, double coverage, const double *exog_future,
                                uint64_t exog_stride, double *out_mean, double *out_lo, double *out_hi)
{
    const char *fn = "ctw_forecast_predict";
    CTW_TRY(ctw_forecast__need_fitted(f, fn));
    CTW_TRY(check_predict(fn, horizon, coverage, out_mean));
    if (exog_future && !f->user_k)
        return ctw_base__fail(CTW_E_ARG, "%s: exog_future given, but the model was fitted without covariates", fn);
    if (exog_future) CTW_TRY(check_exog(fn, exog_future, horizon, f->user_k, exog_stride));
    double *half = out_lo ? out_lo : out_hi;
    CTW_TRY(ctw_forecast__expect(f, horizon, coverage, exog_future, exog_stride, out_mean, half));
    for (uint64_t l = 0; l < horizon; l++) {
        double z = out_mean[l], q = half ? half[l] : 0.0;
        out_mean[l] = ctw_forecast__to_y(f->hist.log, z);
        if (out_lo) out_lo[l] = ctw_forecast__to_y(f->hist.log, z - q);
        if (out_hi) out_hi[l] = ctw_forecast__to_y(f->hist.log, z + q);
    }
    return CTW_OK;
}

ctw_status ctw_forecast_predict_batch(const ctw_forecast *const *models, uint64_t n_models, uint64_t horizon,
                                      double coverage, double *out_mean, double *out_lo, double *out_hi,
                                      uint64_t out_stride)
{
    const char *fn = "ctw_forecast_predict_batch";
    CTW_TRY(ctw_base__need_n(models, n_models, fn, "models"));
    if (!n_models) return CTW_OK;
    CTW_TRY(check_predict(fn, horizon, coverage, out_mean));
    if (out_stride < horizon)
        return ctw_base__fail(CTW_E_SHAPE, "%s: out_stride is %llu, must be >= horizon %llu", fn,
                              (unsigned long long)out_stride, (unsigned long long)horizon);
    for (uint64_t r = 0; r < n_models; r++) {
        ctw_status s =
            ctw_forecast_predict(models[r], horizon, coverage, NULL, 0, out_mean + r * out_stride,
                                 out_lo ? out_lo + r * out_stride : NULL, out_hi ? out_hi + r * out_stride : NULL);
        if (s != CTW_OK) return ctw_base__fail_in(s, "model %llu", (unsigned long long)r);
    }
    return CTW_OK;
}
