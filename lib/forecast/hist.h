/* hist.h: the history a forecaster keeps: values as given, their transform with holes filled, the base
 * (mean of the same step in up to seven earlier seasons) and the deviation from it, which models learn. */
#ifndef CTW_FORECAST_HIST_H
#define CTW_FORECAST_HIST_H

#include <cybertwin/base.h>
#include <stddef.h>

#define CTW_FORECAST__BASE_SEASONS 7

typedef struct ctw_forecast__hist {
    size_t season;    /* steps, >= 1 */
    int log;          /* z = log y */
    size_t n, cap;    /* steps held */
    uint64_t dropped; /* steps forgotten at the front, a multiple of 7 seasons */
    size_t max;       /* steps kept */
    size_t k;         /* covariates */
    double *y;        /* as given, NaN missing */
    double *z;        /* transformed, filled */
    double *d;        /* z minus its base; 0 in the first season */
    uint8_t *hole;    /* 1 where z was filled */
    double *x;        /* n x k covariates */
    uint64_t bad;     /* values a logarithm could not take */
} ctw_forecast__hist;

void ctw_forecast__hist_free(ctw_ctx *ctx, ctw_forecast__hist *h);
/* Room for `more` further steps, dropping old ones first; CTW_E_NOMEM leaves the history as it was. */
ctw_status ctw_forecast__hist_reserve(ctw_ctx *ctx, ctw_forecast__hist *h, size_t more);
/* Appends one step (reserved before); x has k values. */
void ctw_forecast__hist_push(ctw_forecast__hist *h, double y, const double *x);
/* Base of step t >= 0, t up to any step after the last one: later seasons repeat the first future one. With
 * nothing a season ago it is the last filled value, 0 for an empty history. `end`: only steps before it count. */
double ctw_forecast__hist_base(const ctw_forecast__hist *h, size_t end, size_t t);
/* Steps since the last value that was not missing. */
size_t ctw_forecast__hist_age(const ctw_forecast__hist *h);
/* Length of the run of equal values at the end. */
size_t ctw_forecast__hist_flat(const ctw_forecast__hist *h);
/* Transforms, NaN where the value cannot be taken. */
double ctw_forecast__to_z(int log, double y);
double ctw_forecast__to_y(int log, double z);

#endif
