/* forecast_weather.c: the ensembleci protocol's weather: one series of day-ahead forecasts by target time. Taken as
 * "issues" at every midnight it shows days 2 to 4 forecasts that were issued later; that look-ahead is the
 * protocol's own, so it is kept, and said here. */
#include "forecast_checks.h"
#include <stdio.h>
#include <string.h>

#define LEADS 32

int forecast_is_dayahead(bench *b, const char *path)
{
    ctw_csv *csv = NULL;
    bench_ok(ctw_csv_open(b->ctx, path, &csv), path);
    int by_issue = 0;
    for (uint64_t c = 0; c < ctw_csv_columns(csv); c++)
        by_issue |= !strcmp(ctw_csv_column_name(csv, c), "issue_time_utc");
    ctw_csv_unref(csv);
    return !by_issue;
}

/* Seconds since 1970 of "2019-01-01T00:00Z". */
static int64_t seconds(const char *text, const char *path)
{
    int y, m, d, h;
    if (sscanf(text, "%d-%d-%dT%d", &y, &m, &d, &h) != 4) bench_die(2, "%s: \"%s\" is no time", path, text);
    y -= m <= 2;
    int64_t era = y / 400, yoe = y - era * 400, doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return (era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468) * 86400 + h * 3600;
}

void forecast_load_dayahead(bench *b, ctw_feed *feed, const char *path)
{
    static const char *const wanted[] = {"$time_utc", "wind10m_ms", "temp2m_k", "dew2m_k",
                                         "dswrf_wm2", "precip_mm",  NULL};
    static const int32_t kind[] = {CTW_WEATHER_WIND, CTW_WEATHER_TEMPERATURE, CTW_WEATHER_DEWPOINT, CTW_WEATHER_SOLAR,
                                   CTW_WEATHER_RAIN};
    bench_table *t = bench_load(b, path, wanted);
    for (int v = 0; v < 5; v++) bench_ok(ctw_feed_add_weather(feed, wanted[v + 1], kind[v]), path);
    for (size_t i = 0; i + LEADS < t->rows; i++) {
        int64_t at = seconds(t->text[0][i], path);
        if (at % 86400) continue;
        for (int v = 0; v < 5; v++)
            bench_ok(ctw_feed_put_weather(feed, at, (uint64_t)v, 10800, t->value[v + 1] + i + 1, LEADS), path);
    }
    bench_free(t);
}
