/* forecast_internal.h: what a forecaster consists of. */
#ifndef CTW_FORECAST_INTERNAL_H
#define CTW_FORECAST_INTERNAL_H

#include "base/handle.h"
#include "forecast/conform.h"
#include "forecast/forecast_params.h"
#include "forecast/hist.h"
#include "forecast/lagridge.h"
#include <cybertwin/forecast.h>

#define CTW_FORECAST__MAGIC CTW_FOUR('F', 'C', 'S', 'T')

struct ctw_forecast {
    ctw_base__handle h;
    ctw_params *params;
    int model;  /* asked for */
    int chosen; /* by validation, or the same */
    size_t horizon, lags, season, max_rows;
    int transform;
    double lambda; /* 0: by validation */
    int fitted;
    ctw_forecast__hist hist;
    ctw_forecast__lagridge ridge;
    ctw_forecast__conform conform;
};

/* Fits chosen model and calibration on the history that stands in f->hist. */
ctw_status ctw_forecast__train(ctw_forecast *f, ctw_cancel *cancel);
/* Transformed point forecast of `n` steps from origin o <= hist.n by one kind of model (CTW_FORECAST__*);
 * exog: n rows of covariates, or NULL for their mean. scratch: ridge.p doubles. */
void ctw_forecast__point(const ctw_forecast *f, const ctw_forecast__lagridge *m, int kind, size_t o, size_t n,
                         const double *exog, size_t exog_stride, double *scratch, double *out);
/* Empties the handle of all that fit made. */
void ctw_forecast__clear(ctw_forecast *f);
/* A fresh handle with the options of another. */
ctw_status ctw_forecast__like(const ctw_forecast *f, ctw_forecast **out);

#endif
