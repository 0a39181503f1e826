/* daily_io.h: the sections of a saved forecaster that hold the day models. */
#ifndef CTW_FORECAST_DAILY_IO_H
#define CTW_FORECAST_DAILY_IO_H

#include "forecast/forecast_internal.h"
#include "io/container.h"

#define CTW_FORECAST__DAYS   CTW_FOUR('D', 'A', 'Y', 'S')
#define CTW_FORECAST__DAYM   CTW_FOUR('D', 'A', 'Y', 'M')
#define CTW_FORECAST__LEDGER CTW_FOUR('L', 'E', 'D', 'G')

void ctw_forecast__daily_write(const ctw_forecast *f, ctw_io__out *o);
/* Into a handle whose options and history have been read. */
ctw_status ctw_forecast__daily_read(ctw_forecast *f, const ctw_io__in *in, const char *fn);

#endif
