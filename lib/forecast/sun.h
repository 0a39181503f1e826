/* sun.h: where the sun stands and what a clear sky would let through: a covariate that needs no data. */
#ifndef CTW_FORECAST_SUN_H
#define CTW_FORECAST_SUN_H

#include <stdint.h>

/* Declination in radians at a UTC time in seconds since 1970. */
double ctw_forecast__sun_declination(double utc_s);
/* Sine of the sun's elevation at latitude and longitude in degrees (north and east positive). */
double ctw_forecast__sun_elevation(double latitude, double longitude, double utc_s);
/* Global irradiance on level ground under a clear sky, W/m2; 0 at night. */
double ctw_forecast__sun_clear(double latitude, double longitude, double utc_s);

#endif
