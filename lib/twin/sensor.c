/* sensor.c: what decisions know about carbon. The sensor shows each step of the signal when it has ended; the
 * forecaster learns it and forecasts again; guard and watch decide whether it may be obeyed. Strange values reach
 * the forecaster as missing steps, so that a stuck sensor does not teach it a flat world. */
#include "twin/twin_internal.h"
#include <math.h>
#include <string.h>

int ctw_twin__trusted(const ctw_twin__region *r)
{
    return r->forecast && r->mean && (!r->watch || ctw_watch_obey(r->watch));
}

/* `newest` points at the newest of at least CTW_TWIN__RECENT values. The last feature is what gives a stuck
 * sensor away: ordinary signals never stand quite still. */
void ctw_twin__guard_row(const double *newest, double out[CTW_TWIN__GUARD_FEATURES])
{
    double step = newest[0] - newest[-1];
    out[0] = newest[0];
    out[1] = step;
    out[2] = newest[0] - newest[1 - CTW_TWIN__RECENT];
    out[3] = log(1e-4 * (fabs(newest[0]) + 1.0) + fabs(step));
}

double ctw_twin__expected_ci(const ctw_twin *t, const ctw_twin__region *r, double from, double to)
{
    if (!ctw_twin__trusted(r)) return NAN;
    double sum = 0.0, at = from;
    (void)t;
    while (at < to) {
        double i = floor((at - r->issued_s) / r->step_s + 1e-9);
        size_t k = i < 0.0 ? 0 : (size_t)i;
        double end = fmin(to, r->issued_s + (i + 1.0) * r->step_s);
        if (k >= r->horizon) {
            sum += r->mean[r->horizon - 1] * (to - at);
            break;
        }
        sum += r->mean[k] * (end - at);
        at = end;
    }
    return to > from ? sum / (to - from) : r->mean[0];
}

/* Half-widths of its interval by which an outcome may miss the forecast before the model counts as broken. Bands are
 * only as good as the model, so merely being outside of one is no evidence against it. */
#define BROKEN_AT 4.0

/* 0 when an outcome lies far outside of what was forecast for its step, else 1. */
static double outcome_p(const ctw_twin__region *r, double v, int *inside)
{
    double half = v >= r->mean[0] ? r->hi[0] - r->mean[0] : r->mean[0] - r->lo[0];
    *inside = v >= r->lo[0] && v <= r->hi[0];
    return fabs(v - r->mean[0]) > BROKEN_AT * fmax(half, 0.01 * fabs(r->mean[0])) ? 0.0 : 1.0;
}

/* p-value of the newest sensor value by every witness there is. */
static ctw_status judge(const ctw_twin__region *r, double *p, int *inside)
{
    int64_t flags = 0;
    double witness = 1.0;
    *p = 1.0;
    *inside = 1;
    if (r->mean) *p = outcome_p(r, r->recent[CTW_TWIN__RECENT - 1], inside);
    if (r->guard && r->n_recent == CTW_TWIN__RECENT) {
        double row[CTW_TWIN__GUARD_FEATURES];
        ctw_twin__guard_row(&r->recent[CTW_TWIN__RECENT - 1], row);
        CTW_TRY(ctw_guard_pvalue(r->guard, row, 1, CTW_TWIN__GUARD_FEATURES, CTW_TWIN__GUARD_FEATURES, &witness));
        *p = fmin(*p, witness);
    }
    if (r->forecast && ctw_forecast_flags(r->forecast, &flags) == CTW_OK && (flags & CTW_FORECAST_FLAT)) *p = 0.0;
    return CTW_OK;
}

ctw_status ctw_twin__forecast(ctw_twin *t, ctw_twin__region *r)
{
    size_t h = (size_t)ceil(t->horizon_s / r->step_s);
    if (!r->mean) {
        double *all = CTW_NEW(t->h.ctx, 3 * h, double);
        if (!all) return CTW_E_NOMEM;
        r->mean = all;
        r->lo = all + h;
        r->hi = all + 2 * h;
        r->horizon = h;
    }
    ctw_status s = ctw_forecast_predict(r->forecast, h, t->coverage, NULL, 0, r->mean, r->lo, r->hi);
    r->issued_s = t->now;
    if (s == CTW_OK) return CTW_OK;
    ctw_base__free(t->h.ctx, r->mean);
    r->mean = r->lo = r->hi = NULL;
    return s;
}

/* Keeps the very first forecast, of which the report tells the accuracy. */
static ctw_status keep_day(ctw_twin *t, ctw_twin__region *r)
{
    size_t n = (size_t)fmin(ceil(t->day_s / r->step_s), (double)r->horizon);
    double *all = CTW_NEW(t->h.ctx, 3 * n, double);
    if (!all) return CTW_E_NOMEM;
    r->day_mean = all;
    r->day_lo = all + n;
    r->day_hi = all + 2 * n;
    r->n_day = n;
    memcpy(r->day_mean, r->mean, n * sizeof *all);
    memcpy(r->day_lo, r->lo, n * sizeof *all);
    memcpy(r->day_hi, r->hi, n * sizeof *all);
    return CTW_OK;
}

static ctw_status learn(ctw_twin *t, ctw_twin__region *r, double v)
{
    double p = 1.0;
    int inside = 1;
    memmove(r->recent, r->recent + 1, (CTW_TWIN__RECENT - 1) * sizeof *r->recent);
    r->recent[CTW_TWIN__RECENT - 1] = v;
    if (r->n_recent < CTW_TWIN__RECENT) r->n_recent++;
    CTW_TRY(judge(r, &p, &inside));
    if (r->watch) {
        int32_t state;
        CTW_TRY(ctw_watch_step(r->watch, p, inside, &state));
        t->count.watched_steps++;
        t->count.abstained_steps += !ctw_watch_obey(r->watch);
        if (state != CTW_WATCH_NORMAL && p < 0.05) v = NAN;
    }
    return ctw_forecast_update(r->forecast, &v, 1, 1, NULL, 0);
}

ctw_status ctw_twin__observe(ctw_twin *t, size_t region)
{
    ctw_twin__region *r = &t->region[region];
    if (!r->forecast) return CTW_OK;
    if (t->now > 0.0) {
        double truth = ctw_twin__true_ci(r, t->now - r->step_s);
        if (!r->stuck) r->stuck_value = truth;
        ctw_status s = learn(t, r, r->stuck ? r->stuck_value : truth);
        if (s != CTW_OK) CTW_TRY(ctw_twin__part_failed(t, s, "forecast"));
    }
    ctw_status s = ctw_twin__forecast(t, r);
    if (s != CTW_OK) CTW_TRY(ctw_twin__part_failed(t, s, "forecast"));
    if (s == CTW_OK && !r->day_mean) CTW_TRY(keep_day(t, r));
    CTW_TRY(ctw_twin__post(t, t->now + r->step_s, CTW_EV_OBSERVE, region, 0));
    return ctw_twin__replan_soon(t);
}
