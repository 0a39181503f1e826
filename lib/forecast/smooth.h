/* smooth.h: exponential smoothing with a level, a damped trend, a daily and a weekly season, restarted from the
 * newest weeks at every call: the classic for series that drift. */
#ifndef CTW_FORECAST_SMOOTH_H
#define CTW_FORECAST_SMOOTH_H

#include "forecast/hist.h"

/* Transformed forecasts of steps o .. o + n, alpha the weight of a new value in the level. Uses steps before o.
 * scratch: season doubles. */
void ctw_forecast__smooth(const ctw_forecast__hist *h, size_t o, size_t n, double alpha, double *scratch, double *out);

#endif
