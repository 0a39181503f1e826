/* forecast_params.c: what a host may set on a forecaster, with bounds and defaults; the manual prints this. */
#include "forecast/forecast_params.h"

static const ctw_base__option options[] = {
    CTW_OPT_STR(
        "model", "auto", "auto|naive|profile|ridge|smoothing|rls|climatology|day-ridge|day-kernel|mix-ridge|mix-kernel",
        "what forecasts: auto blends or picks by record; naive is the same step a season ago; profile the mean of "
        "the last seven seasons; ridge a direct multi-lead regression; smoothing Holt-Winters with a damped trend; "
        "rls the ridge that goes on learning with every step; climatology what is usual at that hour and time of the "
        "year; the day and mix models need min_days of history, mix also sources"),
    CTW_OPT_I64("horizon", 96, 1, 2000, "leads fitted directly, in steps; later ones repeat the last season"),
    CTW_OPT_F64("step_s", 3600, 1, 86400, "seconds between two values"),
    CTW_OPT_I64("season", 0, 0, 8784, "steps of the main season; 0: a day, 86400 / step_s"),
    CTW_OPT_I64("lags", 24, 1, 512, "newest deviations used as features"),
    CTW_OPT_F64("ridge", 0, 0, 1e9, "ridge penalty on standardised features; 0: chosen by validation"),
    CTW_OPT_STR(
        "transform", "auto", "auto|log|none",
        "log models ratios; auto takes it when 99 % of the values are positive, the others then count as missing"),
    CTW_OPT_I64("max_rows", 4000, 64, 1000000, "most training rows of the ridge, the newest ones"),
    CTW_OPT_I64("max_history", 35064, 64, 10000000, "steps of history kept; older ones are dropped"),
    CTW_OPT_F64("half_life", 300, 1, 100000, "days after which a training day counts half"),
    CTW_OPT_F64(
        "start_s", 0, -1e11, 1e11,
        "seconds since 1970 UTC of the first value given to fit, for weekends and seasons; a feed knows its own"),
    CTW_OPT_F64("utc_offset_h", 99, -14, 99,
                "hours local time is ahead of UTC; 99: from the sun in the weather forecasts, 0 without"),
    CTW_OPT_F64("latitude", 99, -90, 99,
                "degrees north; with it the sun's clear-sky irradiance is a covariate; 99: none"),
    CTW_OPT_F64("longitude", 0, -180, 180, "degrees east, used with latitude; also gives local time"),
    CTW_OPT_F64("weather_delay_s", 0, 0, 864000, "seconds until an issued weather forecast can be used"),
    CTW_OPT_I64("min_days", 120, 90, 100000, "seasons of history from which the day models are used"),
    CTW_OPT_I64("refit_every", 30, 1, 100000, "seasons between two refits of a backtest"),
};

const ctw_base__kind ctw_forecast__kind = {"forecast", options, sizeof options / sizeof *options};
