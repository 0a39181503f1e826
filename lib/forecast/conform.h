/* conform.h: split-conformal intervals: absolute errors of calibration forecasts, lead by lead. */
#ifndef CTW_FORECAST_CONFORM_H
#define CTW_FORECAST_CONFORM_H

#include <cybertwin/base.h>
#include <stddef.h>

typedef struct ctw_forecast__conform {
    size_t leads, n; /* n scores of each lead */
    double *score;   /* lead after lead, each ascending */
} ctw_forecast__conform;

ctw_status ctw_forecast__conform_new(ctw_ctx *ctx, size_t leads, size_t n, ctw_forecast__conform *out);
void ctw_forecast__conform_free(ctw_ctx *ctx, ctw_forecast__conform *c);
/* After score[lead * n + i] was filled in any order. */
void ctw_forecast__conform_sort(ctw_forecast__conform *c);
/* Half width that holds `coverage` at a lead (beyond the last: the last one's, widened by sqrt of the ratio). With too
 * few scores for that level, the largest, widened by the factor a Gaussian tail would need. */
double ctw_forecast__conform_half(const ctw_forecast__conform *c, size_t lead, double coverage);

#endif
