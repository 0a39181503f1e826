/* robust.h: Huber's pseudo-values: observations whose residual is far out are drawn to the edge of the bulk.
 * Refitting on them solves the Huber regression while the factorisation stays (Huber 1981, section 7.8). */
#ifndef CTW_FORECAST_ROBUST_H
#define CTW_FORECAST_ROBUST_H

#include <stddef.h>

/* y[n] holds fitted values and becomes them plus the residuals of `seen`, cut at `wide` robust deviations.
 * seen has `stride` doubles between values. scratch[n]. */
void ctw_forecast__huber(double *y, const double *seen, size_t stride, size_t n, double wide, double *scratch);

#endif
