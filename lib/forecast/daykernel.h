/* daykernel.h: kernel (Gaussian process) regression of whole days: one kernel matrix a lead day, one
 * factorisation for all its steps and all targets. It catches what a linear model cannot: the power curve of
 * wind, saturation, the joint effect of weather and demand. */
#ifndef CTW_FORECAST_DAYKERNEL_H
#define CTW_FORECAST_DAYKERNEL_H

#include <cybertwin/base.h>
#include <stddef.h>

typedef struct ctw_forecast__daykernel {
    size_t days;        /* lead days */
    size_t n, p, cols;  /* training origins, features, steps of a day x targets */
    double *mu, *scale; /* days x p */
    float *f;           /* days x n x p, scaled */
    float *norm;        /* days x n: squared length of f's rows */
    float *a;           /* days x cols x n */
    double *c;          /* days x cols */
} ctw_forecast__daykernel;

void ctw_forecast__daykernel_free(ctw_ctx *ctx, ctw_forecast__daykernel *m);
ctw_status ctw_forecast__daykernel_alloc(ctw_ctx *ctx, ctw_forecast__daykernel *m, size_t days, size_t n, size_t p,
                                         size_t cols);
/* Fits lead day j. x: n rows of p raw features (destroyed); group, weight: see dayx.h; y: n rows of cols,
 * of which every q-th belongs to the series itself;
 * noise[n] on the diagonal. */
ctw_status ctw_forecast__daykernel_fit(ctw_ctx *ctx, ctw_forecast__daykernel *m, size_t j, double *x,
                                       const size_t *group, const double *weight, size_t groups, const double *y,
                                       size_t q, const double *noise, ctw_cancel *cancel);
/* x: p raw features of lead day j; out: cols. scratch: p + 2 n + cols floats. */
void ctw_forecast__daykernel_predict(const ctw_forecast__daykernel *m, size_t j, const double *x, float *scratch,
                                     double *out);

#endif
