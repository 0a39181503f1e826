/**
 * @file feed.h
 * What a host knows of a region: the measured series, the generation by source
 * behind it and the weather forecasts, each with its time. A feed takes rows in any
 * order, revised rows and files of the usual providers, and gives the forecaster
 * exactly what was known at an issue time, nothing later.
 */
#ifndef CYBERTWIN_FEED_H
#define CYBERTWIN_FEED_H

#include <cybertwin/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Times are seconds since 1970-01-01T00:00Z. Threads: one writer at a time; reading a feed nobody writes is free. */
typedef struct ctw_feed ctw_feed;

/** What a weather variable is: decides interpolation and which transforms the models try. */
enum {
    CTW_WEATHER_OTHER = 0,       /**< value at the lead time, used as it is */
    CTW_WEATHER_WIND = 1,        /**< wind speed in m/s at the lead time; square and root are offered too */
    CTW_WEATHER_TEMPERATURE = 2, /**< air temperature in K at the lead time; heating and cooling hinges */
    CTW_WEATHER_DEWPOINT = 3,    /**< dew point in K at the lead time */
    CTW_WEATHER_SOLAR = 4,       /**< irradiance in W/m2, mean of the lead step that ends at the lead time */
    CTW_WEATHER_RAIN = 5         /**< precipitation, mean of the lead step that ends at the lead time */
};

/** File layouts ctw_feed_load knows. */
enum {
    CTW_FEED_HOURLY_CSV = 0,      /**< time_utc, ci_lifecycle_gco2_kwh, ci_direct_gco2_kwh, SOURCE_mwh... */
    CTW_FEED_ELECTRICITYMAPS = 1, /**< Electricity Maps history CSV ("Datetime (UTC)", "Carbon intensity ...") */
    CTW_FEED_EIA930 = 2, /**< EIA-930 balance CSV ("UTC Time at End of Hour", "Net Generation (MW) from ...") */
    CTW_FEED_ENTSOE = 3, /**< ENTSO-E actual generation per type CSV ("MTU", "Wind Onshore - Actual Aggregated [MW]") */
    CTW_FEED_NESO_JSON = 4,    /**< UK carbon intensity API JSON ({"data":[{"from":..,"intensity":{..}}]}) */
    CTW_FEED_WATTTIME_JSON = 5 /**< WattTime v3 historical JSON ({"data":[{"point_time":..,"value":..}]}) */
};

/** Emission factors for feeds that bring generation but no intensity. */
enum {
    CTW_FACTORS_LIFECYCLE = 0, /**< g CO2eq/kWh over the life of the plant, IPCC AR5 WG3 annex III medians */
    CTW_FACTORS_DIRECT = 1     /**< g CO2/kWh at the stack */
};

/** An empty feed with `step_s` seconds between rows, a whole number from 1 to 86,400. CTW_E_RANGE, CTW_E_NOMEM. */
CTW_API ctw_status ctw_feed_new(ctw_ctx *ctx, double step_s, ctw_feed **out);
/** One more owner; returns feed. */
CTW_API ctw_feed *ctw_feed_ref(ctw_feed *feed);
/** One owner less; the last one frees it. */
CTW_API void ctw_feed_unref(ctw_feed *feed);

/**
 * Declares a generation source before the first row. `factor` is its emission factor
 * in the unit of the series per unit of generation, NaN if unknown (then recovered
 * from the data by non-negative least squares). CTW_E_STATE once there are rows.
 */
CTW_API ctw_status ctw_feed_add_source(ctw_feed *feed, const char *name, double factor);
/**
 * One row: the value (NaN: missing) and, with sources declared, their generation
 * (NaN: missing; NULL: all missing). Rows may come in any order; a time seen before is
 * replaced and counted as a revision. CTW_E_SHAPE for a time that is off the grid of
 * the first row, CTW_E_NONFINITE for an infinite value, CTW_E_RANGE past 20 million rows.
 */
CTW_API ctw_status ctw_feed_put(ctw_feed *feed, int64_t time_s, double value, const double *sources);
/** Declares a weather variable (CTW_WEATHER_*), before the first issue of any. */
CTW_API ctw_status ctw_feed_add_weather(ctw_feed *feed, const char *name, int32_t kind);
/**
 * One variable of a weather forecast issued at `issue_s`: n values at leads of 1, 2, ...
 * times `lead_step_s`; NaN marks a blank. The first call fixes n and lead_step_s for the
 * feed (CTW_E_SHAPE otherwise). A repeated issue replaces.
 */
CTW_API ctw_status ctw_feed_put_weather(ctw_feed *feed, int64_t issue_s, uint64_t variable, double lead_step_s,
                                        const double *leads, uint64_t n);

/**
 * Reads a file of the layout `format` (CTW_FEED_*) into a new feed. `column` names the
 * column to take as series where the layout leaves a choice (NULL: its usual one, for
 * CTW_FEED_HOURLY_CSV ci_lifecycle_gco2_kwh); for EIA-930 and ENTSO-E it names the
 * balancing authority or area whose rows are meant (NULL: the file holds one). Layouts with generation but no intensity
 * compute it from `factors` (CTW_FACTORS_*). The step is the most frequent one of the
 * file. CTW_E_IO, CTW_E_FORMAT and CTW_E_KEY name file and line.
 */
CTW_API ctw_status ctw_feed_load(ctw_ctx *ctx, const char *path, int32_t format, const char *column, int32_t factors,
                                 ctw_feed **out);
/**
 * Adds the weather of a CSV with a column issue_time_utc and columns VARIABLE_hNN, NN the
 * lead in hours; the kind follows from the name's beginning (wind, temp, dew, dswrf,
 * precip). Irradiance and rain in GFS's alternating 3 and 6 hour buckets are unpacked.
 */
CTW_API ctw_status ctw_feed_load_weather(ctw_feed *feed, const char *path);

/** Number of rows from the first to the last time, holes included; 0 when empty. */
CTW_API uint64_t ctw_feed_rows(const ctw_feed *feed);
/** Time of the first row; 0 when empty. */
CTW_API int64_t ctw_feed_start(const ctw_feed *feed);
/** Seconds between rows. */
CTW_API double ctw_feed_step(const ctw_feed *feed);
/** Value of row i and its sources (each may be NULL); NaN where missing. CTW_E_RANGE past the end. */
CTW_API ctw_status ctw_feed_row(const ctw_feed *feed, uint64_t i, double *value, double *sources);
/** Number of sources; of weather variables; of weather issues; of rows that were revised. Any pointer may be NULL. */
CTW_API ctw_status ctw_feed_counts(const ctw_feed *feed, uint64_t *sources, uint64_t *variables, uint64_t *issues,
                                   uint64_t *revisions);
/** Name and factor (NaN unknown) of source i; borrowed until the feed dies. Any out pointer may be NULL. */
CTW_API ctw_status ctw_feed_source(const ctw_feed *feed, uint64_t i, const char **name, double *factor);
/** The emission factor of a source by its usual name ("coal", "nat_gas", "Wind Onshore", ...). CTW_E_KEY. */
CTW_API ctw_status ctw_feed_factor(const char *source, int32_t factors, double *out);

#ifdef __cplusplus
}
#endif
#endif
