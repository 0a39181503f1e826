/* feed_load.h: what the loaders of all layouts share: times in their many spellings, and a table of rows that
 * becomes a feed once its step is known. */
#ifndef CTW_FORECAST_FEED_LOAD_H
#define CTW_FORECAST_FEED_LOAD_H

#include "forecast/feed.h"
#include <cybertwin/csv.h>
#include <stddef.h>

/* Seconds since 1970 UTC. Accepts 2021-07-01T00:00[:00[.0]][Z|+01:00] (a blank for T), 01.07.2021 00:00 and
 * 7/1/2021 1:00[:00] [AM|PM] (month first). Without a zone it is UTC. 0, or -1 when it is none of these. */
int ctw_feed__parse_time(const char *text, int64_t *out);

typedef struct ctw_feed__table {
    ctw_ctx *ctx;
    size_t ns;
    char *name[CTW_FEED__SOURCES];
    double factor[CTW_FEED__SOURCES];
    size_t n, t_cap, v_cap;
    int64_t *t;
    double *v; /* n x (1 + ns): value, sources */
} ctw_feed__table;

void ctw_feed__table_free(ctw_feed__table *tab);
ctw_status ctw_feed__table_source(ctw_feed__table *tab, const char *name, double factor);
/* row: 1 + ns values. */
ctw_status ctw_feed__table_add(ctw_feed__table *tab, int64_t t, const double *row);
/* Makes the feed with the most frequent distance between times as step; a time off that grid is CTW_E_FORMAT. */
ctw_status ctw_feed__table_finish(ctw_feed__table *tab, const char *path, ctw_feed **out);

ctw_status ctw_feed__load_hourly(ctw_feed__table *tab, const char *path, const char *column);
ctw_status ctw_feed__load_electricitymaps(ctw_feed__table *tab, const char *path, const char *column, int32_t factors);
ctw_status ctw_feed__load_eia930(ctw_feed__table *tab, const char *path, const char *column, int32_t factors);
ctw_status ctw_feed__load_entsoe(ctw_feed__table *tab, const char *path, const char *column, int32_t factors);
ctw_status ctw_feed__load_neso(ctw_feed__table *tab, const char *path);
ctw_status ctw_feed__load_watttime(ctw_feed__table *tab, const char *path);

/* The time in field `column` of the current record; CTW_E_FORMAT names file and line. */
ctw_status ctw_feed__csv_time(ctw_csv *csv, uint64_t column, const char *path, int64_t *out);
/* A number that may be blank, "-", "n/e" or "N/A" (all NaN); thousands commas are dropped. */
ctw_status ctw_feed__csv_number(ctw_csv *csv, uint64_t column, const char *path, double *out);

#endif
