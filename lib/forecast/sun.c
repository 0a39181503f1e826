/* sun.c: Spencer's series (1971) for declination and the equation of time, Haurwitz's clear sky (1945):
 * G = 1098 cos(z) exp(-0.059 / cos(z)). Errors are far below those of any weather forecast: 0.04 degrees of
 * declination, half a minute of time, about 10 % of irradiance. */
#include "forecast/sun.h"

#include <math.h>

#define DEGREE (M_PI / 180.0)
#define YEAR_S (365.2425 * 86400.0)

/* Angle of the year; 1970 began with day 0. */
static double angle(double utc_s)
{
    double years = utc_s / YEAR_S;
    return 2 * M_PI * (years - floor(years));
}

double ctw_forecast__sun_declination(double utc_s)
{
    double g = angle(utc_s);
    return 0.006918 - 0.399912 * cos(g) + 0.070257 * sin(g) - 0.006758 * cos(2 * g) + 0.000907 * sin(2 * g) -
           0.002697 * cos(3 * g) + 0.00148 * sin(3 * g);
}

double ctw_forecast__sun_elevation(double latitude, double longitude, double utc_s)
{
    double g = angle(utc_s), declination = ctw_forecast__sun_declination(utc_s);
    double minutes =
        229.18 * (0.000075 + 0.001868 * cos(g) - 0.032077 * sin(g) - 0.014615 * cos(2 * g) - 0.040849 * sin(2 * g));
    double day = utc_s / 86400.0, hour = 24 * (day - floor(day)) + longitude / 15 + minutes / 60;
    return sin(latitude * DEGREE) * sin(declination) +
           cos(latitude * DEGREE) * cos(declination) * cos((hour - 12) * 15 * DEGREE);
}

double ctw_forecast__sun_clear(double latitude, double longitude, double utc_s)
{
    double c = ctw_forecast__sun_elevation(latitude, longitude, utc_s);
    return c > 1e-3 ? 1098 * c * exp(-0.059 / c) : 0.0;
}
