/* calendar.h: what is known of any step without data: holidays the host named and, where the place was given, the
 * sun. As covariates built in, behind those of the host. */
#ifndef CTW_FORECAST_CALENDAR_H
#define CTW_FORECAST_CALENDAR_H

#include <cybertwin/base.h>
#include <stddef.h>

typedef struct ctw_forecast__calendar {
    int sun; /* latitude and longitude were given */
    double latitude, longitude;
    size_t n;
    int64_t *day; /* n holidays: local dates in days since 1970-01-01, ascending */
} ctw_forecast__calendar;

/* Copies, sorts, drops doubles; on failure the old list stays. */
ctw_status ctw_forecast__calendar_set(ctw_ctx *ctx, ctw_forecast__calendar *c, const int64_t *day, size_t n);
/* Whether the local time, in seconds since 1970, lies on a holiday. */
int ctw_forecast__calendar_holiday(const ctw_forecast__calendar *c, int64_t local);
/* Number of built-in covariates: one for the sun, one for holidays. */
size_t ctw_forecast__calendar_width(const ctw_forecast__calendar *c);
/* Those of the step that begins at `utc`, where local time is `shift` seconds ahead. */
void ctw_forecast__calendar_row(const ctw_forecast__calendar *c, int64_t utc, int64_t shift, int64_t step, double *out);
/* Clear-sky irradiance in kW/m2 in the middle of a step. */
double ctw_forecast__calendar_clear(const ctw_forecast__calendar *c, int64_t utc, int64_t step);

#endif
