/* climate.h: climatology: what is usual at this step of the day, time of the year and day of the week, whatever
 * happened lately. The last resort for leads beyond all memory, and a candidate like any other. */
#ifndef CTW_FORECAST_CLIMATE_H
#define CTW_FORECAST_CLIMATE_H

#include "forecast/hist.h"

#define CTW_FORECAST__SHAPE 5 /* level and two waves of the year, for each step of the season */

typedef struct ctw_forecast__climate {
    size_t season; /* 0: not fitted */
    double *c;     /* season x SHAPE, then 7 effects of the weekday */
} ctw_forecast__climate;

void ctw_forecast__climate_free(ctw_ctx *ctx, ctw_forecast__climate *m);
/* Arrays for a season, zeroed. */
ctw_status ctw_forecast__climate_alloc(ctw_ctx *ctx, ctw_forecast__climate *m, size_t season);
/* Fits on steps [0, end) of which step t began at start + t * step seconds. */
ctw_status ctw_forecast__climate_fit(ctw_ctx *ctx, ctw_forecast__climate *m, const ctw_forecast__hist *h, size_t end,
                                     double start, double step);
/* Transformed value usual at step t. */
double ctw_forecast__climate_at(const ctw_forecast__climate *m, const ctw_forecast__hist *h, size_t t, double start,
                                double step);

#endif
