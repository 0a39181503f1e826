/* forecast_params.h: the option table of kind "forecast". */
#ifndef CTW_FORECAST_PARAMS_H
#define CTW_FORECAST_PARAMS_H

#include "base/params.h"

extern const ctw_base__kind ctw_forecast__kind;

/* Order of the choices of "model" and "transform" in the table. */
enum {
    CTW_FORECAST__AUTO,
    CTW_FORECAST__NAIVE,
    CTW_FORECAST__PROFILE,
    CTW_FORECAST__RIDGE,
    CTW_FORECAST__SMOOTHING,
    CTW_FORECAST__RLS,
    CTW_FORECAST__CLIMATE,
    CTW_FORECAST__DAY
};
enum { CTW_FORECAST__T_AUTO, CTW_FORECAST__T_LOG, CTW_FORECAST__T_NONE };

#endif
