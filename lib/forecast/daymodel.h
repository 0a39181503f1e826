/* daymodel.h: the experts on whole days behind one face: ridge and kernel regression of the series itself, and
 * of every generation source, whose forecasts an emission-factor formula turns into the series. */
#ifndef CTW_FORECAST_DAYMODEL_H
#define CTW_FORECAST_DAYMODEL_H

#include "forecast/daykernel.h"
#include "forecast/dayridge.h"
#include "forecast/days.h"
#include "forecast/dayx.h"

/* Experts in the order of their forecasts; the last two need sources. */
enum { CTW_FORECAST__E_RIDGE, CTW_FORECAST__E_KERNEL, CTW_FORECAST__E_MIX, CTW_FORECAST__E_MIXKERNEL };
#define CTW_FORECAST__EXPERTS 4

typedef struct ctw_forecast__daymodel {
    ctw_forecast__dayx x;
    ctw_forecast__dayridge ridge;
    ctw_forecast__daykernel kernel;
    int log;
    double factor[CTW_FEED__SOURCES]; /* given, or recovered */
} ctw_forecast__daymodel;

void ctw_forecast__daymodel_free(ctw_ctx *ctx, ctw_forecast__daymodel *m);
/* Number of training origins among days [0, to): 0 when there are too few to fit anything. */
size_t ctw_forecast__daymodel_rows(const ctw_forecast__days *d, size_t to);
/* Fits on outcomes of days before `to` only. */
ctw_status ctw_forecast__daymodel_fit(ctw_ctx *ctx, ctw_forecast__daymodel *m, const ctw_forecast__days *d, size_t to,
                                      int log, double lambda, double half_life, ctw_cancel *cancel);
/* Experts this model has: 2 without sources, 4 with. */
size_t ctw_forecast__daymodel_experts(const ctw_forecast__daymodel *m);
/* Transformed forecasts of every expert from the start of day r: experts x leads. Scratch in the context's memory. */
ctw_status ctw_forecast__daymodel_predict(ctw_ctx *ctx, const ctw_forecast__daymodel *m, const ctw_forecast__days *d,
                                          size_t r, double *out);

#endif
