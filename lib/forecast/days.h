/* days.h: the history cut into seasons ("days") that end at the forecast's origin, with the generation by
 * source and the weather forecast that was known at the start of each day. The accurate models work on it:
 * one training row is one past origin at the same time of day. */
#ifndef CTW_FORECAST_DAYS_H
#define CTW_FORECAST_DAYS_H

#include "forecast/calendar.h"
#include "forecast/feed.h"
#include <cybertwin/base.h>
#include <stddef.h>

#define CTW_FORECAST__WEEK 7

typedef struct ctw_forecast__days {
    size_t s;      /* steps a day */
    size_t leads;  /* steps forecast from the start of a day; a multiple of s */
    size_t ns, nv; /* sources, weather variables */
    int32_t kind[CTW_FEED__WEATHER];
    double factor[CTW_FEED__SOURCES]; /* NaN unknown */
    size_t n, cap, max;               /* complete days */
    double *z;                        /* n x s, transformed and filled */
    uint8_t *holes;                   /* n: filled values that day, 255 at most */
    double *src;                      /* n x s x ns, filled */
    float *w;                         /* (n + 1) x nv x leads: what was foreseen at the start of the day */
    uint8_t *seen; /* n + 1: 1 weather of that day, 2 some of it from older issues, 0 none or all carried over */
    int64_t t0;    /* local time of the start of day 0, seconds since 1970 */
    int64_t step;  /* seconds */
    int64_t shift; /* seconds local time is ahead of UTC */
    const ctw_forecast__calendar *cal; /* the forecaster's, may be NULL */
} ctw_forecast__days;

void ctw_forecast__days_free(ctw_ctx *ctx, ctw_forecast__days *d);
/* Room for one more day and its weather, the oldest day dropped when full (*dropped counts it). */
ctw_status ctw_forecast__days_reserve(ctw_ctx *ctx, ctw_forecast__days *d, size_t *dropped);
/* Room for `need` days. */
ctw_status ctw_forecast__days_room(ctw_ctx *ctx, ctw_forecast__days *d, size_t need);
/* Completes a day: s values with their hole marks, and s x ns generation values (NaN missing). Reserved before. */
void ctw_forecast__days_push(ctw_forecast__days *d, const double *z, const uint8_t *hole, const double *src);
/* Sets the weather at the start of day r (r <= n) from the issues usable at UTC time `origin`; feed NULL: none. */
void ctw_forecast__days_weather(ctw_forecast__days *d, size_t r, const ctw_feed *feed, int64_t origin, double delay);

/* 1 when a source that ran in nearly every step of the two weeks before reads zero for all of the last day. */
int ctw_forecast__days_lost(const ctw_forecast__days *d);

static inline const double *ctw_forecast__day_z(const ctw_forecast__days *d, size_t day)
{
    return d->z + day * d->s;
}
static inline const double *ctw_forecast__day_src(const ctw_forecast__days *d, size_t day, size_t step)
{
    return d->src + (day * d->s + step) * d->ns;
}
static inline const float *ctw_forecast__day_w(const ctw_forecast__days *d, size_t day, size_t var)
{
    return d->w + (day * d->nv + var) * d->leads;
}

#endif
