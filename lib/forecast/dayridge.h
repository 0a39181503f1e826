/* dayridge.h: one ridge per lead for all targets (the series and every generation source) at once: one
 * factorisation a lead, one right-hand side a target. */
#ifndef CTW_FORECAST_DAYRIDGE_H
#define CTW_FORECAST_DAYRIDGE_H

#include <cybertwin/base.h>
#include <stddef.h>

typedef struct ctw_forecast__dayridge {
    size_t p, leads, q;
    double *w; /* leads x q x p, on raw features */
    double *c; /* leads x q */
} ctw_forecast__dayridge;

void ctw_forecast__dayridge_free(ctw_ctx *ctx, ctw_forecast__dayridge *m);
ctw_status ctw_forecast__dayridge_alloc(ctw_ctx *ctx, ctw_forecast__dayridge *m, size_t p, size_t leads, size_t q);
/* Writes the features of training row i at a lead: p doubles. */
typedef void (*ctw_forecast__dayridge_row)(const void *user, size_t i, size_t lead, double *out);
/* y: n rows of leads x q; weight[n] > 0 sums to 1. lambda on standardised features. */
ctw_status ctw_forecast__dayridge_fit(ctw_ctx *ctx, ctw_forecast__dayridge *m, ctw_forecast__dayridge_row row,
                                      const void *user, const double *y, const double *weight, size_t n, double lambda,
                                      ctw_cancel *cancel);
/* x: leads x p; out: leads x q. */
void ctw_forecast__dayridge_predict(const ctw_forecast__dayridge *m, const double *x, double *out);

#endif
