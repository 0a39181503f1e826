/* way_io.h: the sections of a saved forecaster that hold its calendar and the state of what forecasts step by step. */
#ifndef CTW_FORECAST_WAY_IO_H
#define CTW_FORECAST_WAY_IO_H

#include "forecast/forecast_internal.h"
#include "io/container.h"

#define CTW_FORECAST__CALENDAR CTW_FOUR('C', 'A', 'L', 'N')
#define CTW_FORECAST__WAY      CTW_FOUR('W', 'A', 'Y', 'S')

/* Written only where there is something to say, so files of models without stay as they were. */
void ctw_forecast__way_write(const ctw_forecast *f, ctw_io__out *o);
/* The calendar, before anything that counts features. */
ctw_status ctw_forecast__calendar_read(ctw_forecast *f, const ctw_io__in *in, const char *fn);
/* The rest, after the regression. */
ctw_status ctw_forecast__way_read(ctw_forecast *f, const ctw_io__in *in, const char *fn);

#endif
