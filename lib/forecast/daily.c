/* daily.c: runs the day models inside a forecaster: lays history out in days that end at the origin, validates
 * on the newest part by forecasting it day by day, and keeps experts, weights and intervals up to date. */
#include "forecast/forecast_internal.h"

#include "base/cancel.h"
#include <math.h>
#include <string.h>

#define MIN_SEASON 4
#define MAX_SEASON 96
#define LAMBDA     0.1
#define MIN_DAYS   90
#define FADE       6.0 /* steps over which the newest error is believed to last, as a share of a day: s / FADE */

int ctw_forecast__daily_fits(const ctw_forecast *f, uint64_t rows)
{
    int64_t days = ctw_base__opt_i64(f->params, &ctw_forecast__kind, "min_days");
    int able = f->model == CTW_FORECAST__AUTO || f->model >= CTW_FORECAST__DAY;
    return able && !f->user_k && f->season >= MIN_SEASON && f->season <= MAX_SEASON && f->horizon <= 14 * f->season &&
           rows >= (uint64_t)days * f->season;
}

static double lambda_of(const ctw_forecast *f)
{
    return f->lambda > 0 ? f->lambda : LAMBDA;
}

void ctw_forecast__daily_shape(ctw_forecast *f)
{
    ctw_forecast__days *d = &f->days;
    int64_t shift = d->shift; /* a loaded model knows it already */
    memset(d, 0, sizeof *d);
    d->shift = shift;
    d->s = f->season;
    d->step = f->step;
    d->cal = &f->cal;
    d->leads = (f->horizon + f->season - 1) / f->season * f->season;
    d->max = f->hist.max / f->season > 150 ? f->hist.max / f->season : 150;
}

static ctw_status set_up(ctw_forecast *f, const ctw_feed *feed)
{
    ctw_forecast__days *d = &f->days;
    ctw_forecast__daily_shape(f);
    d->ns = feed ? feed->ns : 0;
    d->nv = feed && feed->ni ? feed->nv : 0;
    for (size_t i = 0; i < d->ns; i++) d->factor[i] = feed->factor[i];
    for (size_t v = 0; v < d->nv; v++) d->kind[v] = feed->kind[v];
    f->pending = CTW_NEW(f->h.ctx, d->s * d->ns, double);
    return f->pending ? CTW_OK : CTW_E_NOMEM;
}

/* Hours east of Greenwich at which the forecast irradiance peaks at noon. */
static double sun_offset(const ctw_forecast__days *d)
{
    double up = 0, side = 0;
    for (size_t v = 0; v < d->nv; v++) {
        if (d->kind[v] != CTW_WEATHER_SOLAR) continue;
        for (size_t r = 0; r <= d->n; r++)
            for (size_t hh = 0; hh < d->s; hh++) {
                int64_t at = d->t0 + (int64_t)(r * d->s + hh) * d->step + d->step / 2;
                double angle = 2 * M_PI * (double)(at % 86400) / 86400.0, w = (double)ctw_forecast__day_w(d, r, v)[hh];
                up += w * cos(angle);
                side += w * sin(angle);
            }
    }
    if (up == 0 && side == 0) return 0;
    double noon = atan2(side, up) * 12 / M_PI, h = 12 - noon;
    if (h > 12) h -= 24;
    return round(h);
}

static ctw_status fill_days(ctw_forecast *f, const ctw_feed *feed, size_t first_row)
{
    ctw_forecast__days *d = &f->days;
    size_t s = d->s, skip = f->hist.n % s, days = f->hist.n / s, gone = 0;
    if (days > d->max) {
        skip += (days - d->max) * s;
        days = d->max;
    }
    int64_t origin = f->next_s - (int64_t)(days * s) * f->step;
    while (d->nv && days > MIN_DAYS && ctw_feed__issue_before(feed, origin - (int64_t)f->delay) == SIZE_MAX) {
        origin += (int64_t)s * f->step; /* days before the first weather issue would teach that weather is nothing */
        skip += s;
        days--;
    }
    d->t0 = origin;
    CTW_TRY(ctw_forecast__days_reserve(f->h.ctx, d, &gone));
    ctw_forecast__days_weather(d, 0, feed, origin, f->delay);
    for (size_t r = 0; r < days; r++) {
        size_t at = skip + r * s;
        CTW_TRY(ctw_forecast__days_reserve(f->h.ctx, d, &gone));
        ctw_forecast__days_push(d, f->hist.z + at, f->hist.hole + at,
                                d->ns ? feed->src + (first_row + at) * d->ns : NULL);
        origin += (int64_t)s * f->step;
        ctw_forecast__days_weather(d, d->n, feed, origin, f->delay);
    }
    d->shift = f->offset_h > 90 && !f->cal.sun ? (int64_t)(sun_offset(d) * 3600) : ctw_forecast__shift(f);
    d->t0 += d->shift;
    return CTW_OK;
}

/* Forecasts from the start of day r and files it. */
static ctw_status issue(ctw_forecast *f, size_t r)
{
    double *z = ctw_base__alloc(f->h.ctx, f->ledger.experts * f->days.leads, sizeof *z);
    if (!z) return CTW_E_NOMEM;
    ctw_status s = ctw_forecast__daymodel_predict(f->h.ctx, &f->day, &f->days, r, z);
    if (s == CTW_OK) ctw_forecast__ledger_push(&f->ledger, f->day0 + r, z);
    ctw_base__free(f->h.ctx, z);
    return s;
}

ctw_status ctw_forecast__daily_refit(ctw_forecast *f, ctw_cancel *cancel)
{
    ctw_forecast__daymodel m = {0};
    ctw_status s =
        ctw_forecast__daymodel_fit(f->h.ctx, &m, &f->days, f->days.n, f->hist.log, lambda_of(f), f->half_life, cancel);
    if (s != CTW_OK) {
        ctw_forecast__daymodel_free(f->h.ctx, &m);
        return s;
    }
    ctw_forecast__daymodel_free(f->h.ctx, &f->day);
    f->day = m;
    return CTW_OK;
}

ctw_status ctw_forecast__daily_train(ctw_forecast *f, const ctw_feed *feed, ctw_cancel *cancel)
{
    CTW_TRY(set_up(f, feed));
    CTW_TRY(fill_days(f, feed, feed ? (size_t)(f->hist.dropped) : 0));
    ctw_forecast__days *d = &f->days;
    size_t n = d->n, hold = n / 3 < CTW_FORECAST__KEEP ? n / 3 : CTW_FORECAST__KEEP;
    CTW_TRY(
        ctw_forecast__daymodel_fit(f->h.ctx, &f->day, d, n - hold, f->hist.log, lambda_of(f), f->half_life, cancel));
    CTW_TRY(ctw_forecast__ledger_new(f->h.ctx, &f->ledger, d->s, d->leads, ctw_forecast__daymodel_experts(&f->day)));
    if (f->model >= CTW_FORECAST__DAY) {
        f->ledger.only = f->model - CTW_FORECAST__DAY;
        if ((size_t)f->ledger.only >= f->ledger.experts)
            return ctw_base__fail(CTW_E_ARG,
                                  "ctw_forecast_fit: option model asks for a mix of sources, the feed has none");
    }
    uint8_t whole[MAX_SEASON] = {0};
    for (size_t r = n - hold; r < n; r++) {
        CTW_TRY(ctw_base__stopped(cancel, "ctw_forecast_fit"));
        CTW_TRY(issue(f, r));
        memset(whole, d->holes[r] ? 1 : 0, sizeof whole);
        ctw_forecast__ledger_judge(&f->ledger, r, ctw_forecast__day_z(d, r), whole);
    }
    CTW_TRY(ctw_forecast__daily_refit(f, cancel));
    f->daily = 1;
    return issue(f, n);
}

ctw_status ctw_forecast__daily_step(ctw_forecast *f, const double *src, const ctw_feed *feed)
{
    ctw_forecast__days *d = &f->days;
    size_t s = d->s, gone = 0;
    for (size_t i = 0; i < d->ns; i++) f->pending[f->tail * d->ns + i] = src ? src[i] : NAN;
    if (++f->tail < s) return CTW_OK;
    CTW_TRY(ctw_forecast__days_reserve(f->h.ctx, d, &gone));
    f->day0 += gone;
    size_t at = f->hist.n - s;
    ctw_forecast__days_push(d, f->hist.z + at, f->hist.hole + at, f->pending);
    f->tail = 0;
    ctw_forecast__days_weather(d, d->n, feed, f->next_s, f->delay);
    ctw_forecast__ledger_judge(&f->ledger, f->day0 + d->n - 1, f->hist.z + at, f->hist.hole + at);
    return issue(f, d->n);
}

void ctw_forecast__daily_at(const ctw_forecast *f, size_t lead, double coverage, double *z, double *half)
{
    const double *blend = ctw_forecast__ledger_blend(&f->ledger);
    size_t leads = f->days.leads, s = f->season, at = lead + f->tail;
    double grow = 1.0;
    if (at >= leads) { /* past the last lead: the last day again, less and less sure */
        grow = sqrt((double)(at + 1) / (double)leads);
        at = leads - s + (at - leads) % s;
    }
    *z = blend[at];
    if (f->tail && !f->hist.hole[f->hist.n - 1])
        *z += (f->hist.z[f->hist.n - 1] - blend[f->tail - 1]) * exp(-(double)(lead + 1) * FADE / (double)s);
    *half = grow * ctw_forecast__ledger_half(&f->ledger, at, coverage);
}
