/* feed_csv.c: the loaders' table, the entry ctw_feed_load, and the two CSV layouts of this project: rows by the
 * hour with generation, and weather forecasts by issue. */
#include "forecast/feed_load.h"

#include "base/alloc.h"
#include "base/ctx.h"
#include "base/textnum.h"
#include "num/sort.h"
#include <math.h>
#include <string.h>

#define MAX_TABLE 5000000u

void ctw_feed__table_free(ctw_feed__table *tab)
{
    for (size_t i = 0; i < tab->ns; i++) ctw_base__free(tab->ctx, tab->name[i]);
    ctw_base__free(tab->ctx, tab->t);
    ctw_base__free(tab->ctx, tab->v);
}

ctw_status ctw_feed__table_source(ctw_feed__table *tab, const char *name, double factor)
{
    if (tab->ns == CTW_FEED__SOURCES)
        return ctw_base__fail(CTW_E_FORMAT, "ctw_feed_load: more than %d generation sources", CTW_FEED__SOURCES);
    char *copy = ctw_base__strdup(tab->ctx, name);
    if (!copy) return CTW_E_NOMEM;
    tab->name[tab->ns] = copy;
    tab->factor[tab->ns++] = factor;
    return CTW_OK;
}

ctw_status ctw_feed__table_add(ctw_feed__table *tab, int64_t t, const double *row)
{
    size_t w = tab->ns + 1;
    if (tab->n >= MAX_TABLE) return ctw_base__fail(CTW_E_FORMAT, "ctw_feed_load: more than %u rows", MAX_TABLE);
    CTW_TRY(ctw_base__grow(tab->ctx, (void **)&tab->t, &tab->t_cap, tab->n + 1, sizeof *tab->t));
    CTW_TRY(ctw_base__grow(tab->ctx, (void **)&tab->v, &tab->v_cap, (tab->n + 1) * w, sizeof *tab->v));
    tab->t[tab->n] = t;
    memcpy(tab->v + tab->n * w, row, w * sizeof *row);
    tab->n++;
    return CTW_OK;
}

/* Most frequent distance between sorted times (Boyer and Moore's majority vote needs no memory and a regular
 * file has a majority). */
static int64_t usual_step(const ctw_feed__table *tab, const size_t *order)
{
    int64_t step = 0;
    size_t votes = 0;
    for (size_t i = 1; i < tab->n; i++) {
        int64_t gap = tab->t[order[i]] - tab->t[order[i - 1]];
        if (gap <= 0) continue;
        if (!votes) step = gap;
        if (gap == step)
            votes++;
        else
            votes--;
    }
    return step;
}

ctw_status ctw_feed__table_finish(ctw_feed__table *tab, const char *path, ctw_feed **out)
{
    if (!tab->n) return ctw_base__fail(CTW_E_FORMAT, "ctw_feed_load: %s: no rows", path);
    size_t *order = CTW_NEW(tab->ctx, tab->n, size_t);
    if (!order) return CTW_E_NOMEM;
    ctw_num__argsort_i64(tab->t, order, tab->n);
    int64_t step = usual_step(tab, order);
    ctw_feed *f = NULL;
    ctw_status s = step < 1 || step > 86400
                       ? ctw_base__fail(CTW_E_FORMAT, "ctw_feed_load: %s: rows are %lld s apart", path, (long long)step)
                       : ctw_feed_new(tab->ctx, (double)step, &f);
    for (size_t i = 0; s == CTW_OK && i < tab->ns; i++) s = ctw_feed_add_source(f, tab->name[i], tab->factor[i]);
    for (size_t i = 0; s == CTW_OK && i < tab->n; i++) {
        const double *row = tab->v + order[i] * (tab->ns + 1);
        s = ctw_feed_put(f, tab->t[order[i]], row[0], row + 1);
        if (s == CTW_E_SHAPE || s == CTW_E_RANGE)
            s = ctw_base__fail(CTW_E_FORMAT,
                               "ctw_feed_load: %s: row %zu is not on the grid of %lld s or too far from it", path,
                               order[i] + 1, (long long)step);
    }
    ctw_base__free(tab->ctx, order);
    if (s != CTW_OK) {
        ctw_feed_unref(f);
        return s;
    }
    *out = f;
    return CTW_OK;
}

ctw_status ctw_feed__csv_time(ctw_csv *csv, uint64_t column, const char *path, int64_t *out)
{
    const char *text;
    CTW_TRY(ctw_csv_text(csv, column, &text, NULL));
    if (ctw_feed__parse_time(text, out))
        return ctw_base__fail(CTW_E_FORMAT, "ctw_feed_load: %s:%llu: \"%.40s\" is no time", path,
                              (unsigned long long)ctw_csv_line(csv), text);
    return CTW_OK;
}

ctw_status ctw_feed__csv_number(ctw_csv *csv, uint64_t column, const char *path, double *out)
{
    const char *text;
    char buf[64];
    uint64_t len;
    size_t n = 0;
    CTW_TRY(ctw_csv_text(csv, column, &text, &len));
    *out = NAN;
    if (!len || !strcmp(text, "-") || !strcmp(text, "n/e") || !strcmp(text, "N/A") || !strcmp(text, "NA"))
        return CTW_OK;
    for (uint64_t i = 0; i < len && n + 1 < sizeof buf; i++)
        if (text[i] != ',') buf[n++] = text[i];
    if (len >= sizeof buf || ctw_base__parse_f64(buf, n, out))
        return ctw_base__fail(CTW_E_FORMAT, "ctw_feed_load: %s:%llu: \"%.40s\" is no number", path,
                              (unsigned long long)ctw_csv_line(csv), text);
    return CTW_OK;
}

static int ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n > m && !strcmp(text + n - m, end);
}

static ctw_status read_hourly(ctw_feed__table *tab, ctw_csv *csv, const char *path, const char *column)
{
    uint64_t col[CTW_FEED__SOURCES], time_col, value_col;
    double row[CTW_FEED__SOURCES + 1];
    int32_t more;
    int64_t t;
    CTW_TRY(ctw_csv_column(csv, "time_utc", &time_col));
    CTW_TRY(ctw_csv_column(csv, column ? column : "ci_lifecycle_gco2_kwh", &value_col));
    for (uint64_t c = 0; c < ctw_csv_columns(csv); c++) {
        if (!ends_with(ctw_csv_column_name(csv, c), "_mwh")) continue;
        CTW_TRY(ctw_feed__table_source(tab, ctw_csv_column_name(csv, c), NAN));
        col[tab->ns - 1] = c;
    }
    for (;;) {
        CTW_TRY(ctw_csv_next(csv, &more));
        if (!more) return CTW_OK;
        CTW_TRY(ctw_feed__csv_time(csv, time_col, path, &t));
        CTW_TRY(ctw_feed__csv_number(csv, value_col, path, &row[0]));
        for (size_t i = 0; i < tab->ns; i++) CTW_TRY(ctw_feed__csv_number(csv, col[i], path, &row[1 + i]));
        CTW_TRY(ctw_feed__table_add(tab, t, row));
    }
}

ctw_status ctw_feed__load_hourly(ctw_feed__table *tab, const char *path, const char *column)
{
    ctw_csv *csv = NULL;
    CTW_TRY(ctw_csv_open(tab->ctx, path, &csv));
    ctw_status s = read_hourly(tab, csv, path, column);
    ctw_csv_unref(csv);
    return s;
}

ctw_status ctw_feed_load(ctw_ctx *ctx, const char *path, int32_t format, const char *column, int32_t factors,
                         ctw_feed **out)
{
    const char *fn = "ctw_feed_load";
    ctw_feed__table tab = {.ctx = ctx};
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    CTW_TRY(ctw_base__need(path, fn, "path"));
    CTW_TRY(ctw_base__in_i64(format, CTW_FEED_HOURLY_CSV, CTW_FEED_WATTTIME_JSON, fn, "format"));
    CTW_TRY(ctw_base__in_i64(factors, CTW_FACTORS_LIFECYCLE, CTW_FACTORS_DIRECT, fn, "factors"));
    ctw_status s = CTW_OK;
    switch (format) {
    case CTW_FEED_HOURLY_CSV: s = ctw_feed__load_hourly(&tab, path, column); break;
    case CTW_FEED_ELECTRICITYMAPS: s = ctw_feed__load_electricitymaps(&tab, path, column, factors); break;
    case CTW_FEED_EIA930: s = ctw_feed__load_eia930(&tab, path, column, factors); break;
    case CTW_FEED_ENTSOE: s = ctw_feed__load_entsoe(&tab, path, column, factors); break;
    case CTW_FEED_NESO_JSON: s = ctw_feed__load_neso(&tab, path); break;
    default: s = ctw_feed__load_watttime(&tab, path); break;
    }
    if (s == CTW_OK) s = ctw_feed__table_finish(&tab, path, out);
    ctw_feed__table_free(&tab);
    return s;
}
