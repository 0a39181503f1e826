/* blend.h: how far each way of forecasting is believed at each lead: stacked regression (Breiman 1996) of the held-out
 * outcomes on what each way said, weights not negative, everything as a deviation from the profile. */
#ifndef CTW_FORECAST_BLEND_H
#define CTW_FORECAST_BLEND_H

#include <cybertwin/base.h>
#include <stddef.h>

#define CTW_FORECAST__PARTS_MIXED 4 /* recursion, smoothing, climatology, the season before */

typedef struct ctw_forecast__blend {
    size_t group, groups; /* leads of a group, one set of weights each */
    double *w;            /* groups x PARTS_MIXED */
} ctw_forecast__blend;

void ctw_forecast__blend_free(ctw_ctx *ctx, ctw_forecast__blend *b);
/* Zero weights for `leads` leads in four groups a season. */
ctw_status ctw_forecast__blend_alloc(ctw_ctx *ctx, ctw_forecast__blend *b, size_t leads, size_t season);
/* Learns from n origins: dev[(i * PARTS_MIXED + k) * leads + l] is the deviation way k expected, seen[i * leads + l]
 * the one that came, NaN unknown. */
void ctw_forecast__blend_fit(ctw_forecast__blend *b, const double *dev, const double *seen, size_t n, size_t leads);
/* Weights at a lead, PARTS_MIXED of them. */
const double *ctw_forecast__blend_at(const ctw_forecast__blend *b, size_t lead);

#endif
