/* feed_weather.c: weather forecasts by issue from a CSV whose columns are VARIABLE_hNN. */
#include "forecast/feed_load.h"

#include "base/alloc.h"
#include "base/textnum.h"
#include <math.h>
#include <string.h>

#define MAX_LEADS 512

typedef struct layout {
    size_t nv, leads;
    int64_t step_h;
    char name[CTW_FEED__WEATHER][64];
    int32_t kind[CTW_FEED__WEATHER];
    uint64_t col[CTW_FEED__WEATHER][MAX_LEADS]; /* column + 1, 0 none */
} layout;

static int32_t kind_of(const char *name)
{
    static const struct {
        const char *begin;
        int32_t kind;
    } known[] = {{"wind", CTW_WEATHER_WIND},
                 {"temp", CTW_WEATHER_TEMPERATURE},
                 {"dew", CTW_WEATHER_DEWPOINT},
                 {"dswrf", CTW_WEATHER_SOLAR},
                 {"precip", CTW_WEATHER_RAIN}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strncmp(name, known[i].begin, strlen(known[i].begin))) return known[i].kind;
    return CTW_WEATHER_OTHER;
}

/* Splits VARIABLE_hNN; 0 when the column is not of that form. */
static int split(const char *column, char *name, size_t cap, int64_t *hours)
{
    const char *mark = NULL;
    for (const char *p = column; (p = strstr(p, "_h")); p++) mark = p;
    if (!mark || mark == column || (size_t)(mark - column) >= cap) return 0;
    if (ctw_base__parse_i64(mark + 2, strlen(mark + 2), hours) || *hours < 1 || *hours > 1000) return 0;
    memcpy(name, column, (size_t)(mark - column));
    name[mark - column] = '\0';
    return 1;
}

static ctw_status read_layout(ctw_csv *csv, const char *path, layout *y)
{
    char name[64];
    int64_t h;
    y->step_h = 0;
    for (uint64_t c = 0; c < ctw_csv_columns(csv); c++)
        if (split(ctw_csv_column_name(csv, c), name, sizeof name, &h) && (!y->step_h || h < y->step_h)) y->step_h = h;
    if (!y->step_h) return ctw_base__fail(CTW_E_FORMAT, "ctw_feed_load_weather: %s: no column VARIABLE_hNN", path);
    for (uint64_t c = 0; c < ctw_csv_columns(csv); c++) {
        size_t v = 0;
        if (!split(ctw_csv_column_name(csv, c), name, sizeof name, &h)) continue;
        if (h % y->step_h || h / y->step_h > MAX_LEADS)
            return ctw_base__fail(CTW_E_FORMAT, "ctw_feed_load_weather: %s: lead %lld h is no multiple of %lld h", path,
                                  (long long)h, (long long)y->step_h);
        while (v < y->nv && strcmp(y->name[v], name)) v++;
        if (v == CTW_FEED__WEATHER)
            return ctw_base__fail(CTW_E_FORMAT, "ctw_feed_load_weather: %s: more than %d variables", path,
                                  CTW_FEED__WEATHER);
        if (v == y->nv) {
            strcpy(y->name[v], name);
            y->kind[v] = kind_of(name);
            y->nv++;
        }
        size_t l = (size_t)(h / y->step_h);
        y->col[v][l - 1] = c + 1;
        if (l > y->leads) y->leads = l;
    }
    return CTW_OK;
}

/* GFS gives irradiance and rain for leads of 3, 9, ... h over the last 3 h and of 6, 12, ... h over the last 6 h:
 * a mean of irradiance, a sum of rain. The second half of each 6 h bucket follows by difference. */
static void unpack(int32_t kind, int64_t step_h, double *w, size_t n)
{
    if (step_h != 3 || (kind != CTW_WEATHER_SOLAR && kind != CTW_WEATHER_RAIN)) return;
    double times = kind == CTW_WEATHER_SOLAR ? 2.0 : 1.0;
    for (size_t l = 1; l < n; l += 2) {
        double v = times * w[l] - w[l - 1];
        w[l] = v > 0 || isnan(v) ? v : 0.0;
    }
}

static ctw_status read_issues(ctw_feed *feed, ctw_csv *csv, const char *path, const layout *y, const uint64_t *var)
{
    double w[MAX_LEADS];
    uint64_t time_col;
    int32_t more;
    int64_t t;
    CTW_TRY(ctw_csv_column(csv, "issue_time_utc", &time_col));
    for (;;) {
        CTW_TRY(ctw_csv_next(csv, &more));
        if (!more) return CTW_OK;
        CTW_TRY(ctw_feed__csv_time(csv, time_col, path, &t));
        for (size_t v = 0; v < y->nv; v++) {
            for (size_t l = 0; l < y->leads; l++) {
                w[l] = NAN;
                if (y->col[v][l]) CTW_TRY(ctw_feed__csv_number(csv, y->col[v][l] - 1, path, &w[l]));
            }
            unpack(y->kind[v], y->step_h, w, y->leads);
            CTW_TRY(ctw_feed_put_weather(feed, t, var[v], (double)y->step_h * 3600.0, w, y->leads));
        }
    }
}

ctw_status ctw_feed_load_weather(ctw_feed *feed, const char *path)
{
    const char *fn = "ctw_feed_load_weather";
    uint64_t var[CTW_FEED__WEATHER], nv;
    CTW_TRY(ctw_base__handle_check((const ctw_base__handle *)feed, CTW_FEED__MAGIC, fn, "feed"));
    CTW_TRY(ctw_base__need(path, fn, "path"));
    ctw_csv *csv = NULL;
    layout *y = CTW_NEW(feed->h.ctx, 1, layout);
    if (!y) return CTW_E_NOMEM;
    ctw_status s = ctw_csv_open(feed->h.ctx, path, &csv);
    if (s == CTW_OK) s = read_layout(csv, path, y);
    for (size_t v = 0; s == CTW_OK && v < y->nv; v++) {
        s = ctw_feed_counts(feed, NULL, &nv, NULL, NULL);
        if (s == CTW_OK) s = ctw_feed_add_weather(feed, y->name[v], y->kind[v]);
        var[v] = nv;
    }
    if (s == CTW_OK) s = read_issues(feed, csv, path, y, var);
    ctw_csv_unref(csv);
    ctw_base__free(feed->h.ctx, y);
    return s;
}
