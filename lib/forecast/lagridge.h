/* lagridge.h: direct multi-lead regression on what is known at the origin. All leads share one design
 * matrix, so one factorisation serves them all and the model works from any step of the day, on short
 * histories and on any step length. Covariates of the target step enter by a regression of their own. */
#ifndef CTW_FORECAST_LAGRIDGE_H
#define CTW_FORECAST_LAGRIDGE_H

#include "forecast/hist.h"

#define CTW_FORECAST__PARTS 24

typedef struct ctw_forecast__lagridge {
    size_t lags, blocks, p; /* features */
    size_t leads;
    double *mu, *sd; /* p: standardisation */
    double *w;       /* p x leads, lead after lead */
    double *c;       /* leads: intercepts */
    size_t k;
    double *beta, *xmean; /* k: effect of covariates on the deviation */
    double *trust;        /* leads: share of the predicted deviation that held-out data support, 0 to 1 */
    double *week;         /* 7 x CTW_FORECAST__PARTS: mean deviation by day of the week and part of the season */
    double *root;         /* p x p: Cholesky factor of the normal equations, in memory only */
    double lambda;
} ctw_forecast__lagridge;

void ctw_forecast__lagridge_free(ctw_ctx *ctx, ctw_forecast__lagridge *m);
/* Sizes the model for a history; leads becomes what its length can support, 0 when it cannot be fitted. */
void ctw_forecast__lagridge_shape(ctw_forecast__lagridge *m, const ctw_forecast__hist *h, size_t lags, size_t leads,
                                  size_t min_rows);
/* Arrays for the p, k and leads of the struct, zeroed. */
ctw_status ctw_forecast__lagridge_alloc(ctw_ctx *ctx, ctw_forecast__lagridge *m);
/* First origin that can be a training row. */
size_t ctw_forecast__lagridge_first(const ctw_forecast__lagridge *m, const ctw_forecast__hist *h);
/* Fits on the origins of rows[0..n). lambda > 0. */
ctw_status ctw_forecast__lagridge_fit(ctw_ctx *ctx, ctw_forecast__lagridge *m, const ctw_forecast__hist *h,
                                      const size_t *rows, size_t n, const double *lambdas, size_t n_lambda,
                                      ctw_cancel *cancel, ctw_forecast__lagridge *out);
/* Standardised features of origin o: p doubles. */
void ctw_forecast__lagridge_features(const ctw_forecast__lagridge *m, const ctw_forecast__hist *h, size_t o, double *f);
/* Deviations from the base expected at leads 0..n of origin o, without covariates of the future; n <= leads.
 * scratch: p doubles. */
void ctw_forecast__lagridge_predict(const ctw_forecast__lagridge *m, const ctw_forecast__hist *h, size_t o, size_t n,
                                    double *scratch, double *out);
/* What is known of step t without its past: the part of the week, and its covariates (NULL: their mean). */
double ctw_forecast__lagridge_effect(const ctw_forecast__lagridge *m, const ctw_forecast__hist *h, size_t t,
                                     const double *x);

#endif
