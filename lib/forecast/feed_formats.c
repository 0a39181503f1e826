/* feed_formats.c: CSV layouts of Electricity Maps, EIA-930 and ENTSO-E. Columns are found by what they are called,
 * not by where they stand, because the exports have changed both over the years. */
#include "forecast/feed_load.h"

#include "base/error.h"
#include <ctype.h>
#include <math.h>
#include <string.h>

/* text contains part, whatever the case. */
static int has(const char *text, const char *part)
{
    size_t n = strlen(part);
    for (; *text; text++) {
        size_t k = 0;
        while (k < n && text[k] && tolower((unsigned char)text[k]) == part[k]) k++;
        if (k == n) return 1;
    }
    return 0;
}

static ctw_status find(ctw_csv *csv, const char *path, const char *part, const char *other, uint64_t *out)
{
    for (uint64_t c = 0; c < ctw_csv_columns(csv); c++) {
        const char *name = ctw_csv_column_name(csv, c);
        if (!has(name, part) || (other && !has(name, other))) continue;
        *out = c;
        return CTW_OK;
    }
    return ctw_base__fail(CTW_E_KEY, "ctw_feed_load: %s: no column with \"%s\"%s%s in its name", path, part,
                          other ? " and " : "", other ? other : "");
}

typedef struct reading {
    uint64_t time, zone, value;
    int has_zone, has_value;
    uint64_t source[CTW_FEED__SOURCES];
    int64_t shift; /* seconds to the start of the step */
} reading;

/* The series from generation and factors; NaN when nothing was generated or measured. */
static double intensity(const ctw_feed__table *tab, const double *e)
{
    double total = 0, sum = 0;
    for (size_t i = 0; i < tab->ns; i++) {
        if (isnan(e[i]) || e[i] <= 0) continue;
        total += e[i];
        sum += e[i] * tab->factor[i];
    }
    return total > 0 ? sum / total : NAN;
}

static ctw_status same_zone(ctw_csv *csv, const reading *r, const char *path, const char *wanted, char *zone, int *take)
{
    const char *text;
    *take = 1;
    if (!r->has_zone) return CTW_OK;
    CTW_TRY(ctw_csv_text(csv, r->zone, &text, NULL));
    if (wanted) {
        *take = !strcmp(text, wanted);
        return CTW_OK;
    }
    if (!*zone) {
        strncpy(zone, text, 63);
        return CTW_OK;
    }
    if (strncmp(zone, text, 63))
        return ctw_base__fail(CTW_E_FORMAT,
                              "ctw_feed_load: %s:%llu: rows of \"%s\" and \"%.40s\": choose one by column", path,
                              (unsigned long long)ctw_csv_line(csv), zone, text);
    return CTW_OK;
}

/* MTU fields hold "start - end (UTC)": the start is what counts, local time is refused. */
static ctw_status mtu_time(ctw_csv *csv, const reading *r, const char *path, int64_t *t)
{
    const char *text;
    char buf[40];
    CTW_TRY(ctw_csv_text(csv, r->time, &text, NULL));
    const char *dash = strstr(text, " - ");
    size_t n = dash ? (size_t)(dash - text) : strlen(text);
    if (strstr(text, "(CE")) n = sizeof buf;
    if (n < sizeof buf) {
        memcpy(buf, text, n);
        buf[n] = '\0';
        if (!ctw_feed__parse_time(buf, t)) return CTW_OK;
    }
    return ctw_base__fail(CTW_E_FORMAT, "ctw_feed_load: %s:%llu: \"%.60s\" is no time in UTC", path,
                          (unsigned long long)ctw_csv_line(csv), text);
}

static ctw_status read_rows(ctw_feed__table *tab, ctw_csv *csv, const reading *r, const char *path, const char *wanted,
                            int mtu)
{
    double row[CTW_FEED__SOURCES + 1];
    char zone[64] = "";
    int32_t more;
    int64_t t;
    int take;
    for (;;) {
        CTW_TRY(ctw_csv_next(csv, &more));
        if (!more) return CTW_OK;
        CTW_TRY(same_zone(csv, r, path, wanted, zone, &take));
        if (!take) continue;
        CTW_TRY(mtu ? mtu_time(csv, r, path, &t) : ctw_feed__csv_time(csv, r->time, path, &t));
        for (size_t i = 0; i < tab->ns; i++) CTW_TRY(ctw_feed__csv_number(csv, r->source[i], path, &row[1 + i]));
        if (r->has_value)
            CTW_TRY(ctw_feed__csv_number(csv, r->value, path, &row[0]));
        else
            row[0] = intensity(tab, row + 1);
        CTW_TRY(ctw_feed__table_add(tab, t + r->shift, row));
    }
}

static ctw_status electricitymaps(ctw_feed__table *tab, ctw_csv *csv, const char *path, const char *column,
                                  int32_t factors)
{
    reading r = {.has_value = 1};
    CTW_TRY(find(csv, path, "datetime", NULL, &r.time));
    if (column) {
        CTW_TRY(ctw_csv_column(csv, column, &r.value));
    } else if (factors == CTW_FACTORS_DIRECT) {
        CTW_TRY(find(csv, path, "carbon intensity", "direct", &r.value));
    } else if (find(csv, path, "carbon intensity", "lca", &r.value) != CTW_OK) {
        CTW_TRY(find(csv, path, "carbon intensity", "life cycle", &r.value));
    }
    r.has_zone = find(csv, path, "zone id", NULL, &r.zone) == CTW_OK;
    return read_rows(tab, csv, &r, path, NULL, 0);
}

ctw_status ctw_feed__load_electricitymaps(ctw_feed__table *tab, const char *path, const char *column, int32_t factors)
{
    ctw_csv *csv = NULL;
    CTW_TRY(ctw_csv_open(tab->ctx, path, &csv));
    ctw_status s = electricitymaps(tab, csv, path, column, factors);
    ctw_csv_unref(csv);
    return s;
}

/* Every column that begins with `begin` and lies before `end` names a source. */
static ctw_status sources(ctw_feed__table *tab, ctw_csv *csv, const char *path, const char *begin, const char *end,
                          int32_t factors, reading *r)
{
    for (uint64_t c = 0; c < ctw_csv_columns(csv); c++) {
        const char *name = ctw_csv_column_name(csv, c), *stop = end ? strstr(name, end) : name + strlen(name);
        size_t skip = strlen(begin), n;
        char buf[64];
        double factor;
        if (strncmp(name, begin, skip) || !stop || (!end && strchr(name + skip, '('))) continue;
        n = (size_t)(stop - name) - skip;
        while (n && name[skip + n - 1] == ' ') n--;
        if (!n || n >= sizeof buf) continue;
        memcpy(buf, name + skip, n);
        buf[n] = '\0';
        CTW_TRY(ctw_feed_factor(buf, factors, &factor));
        CTW_TRY(ctw_feed__table_source(tab, buf, factor));
        r->source[tab->ns - 1] = c;
    }
    if (!tab->ns) return ctw_base__fail(CTW_E_FORMAT, "ctw_feed_load: %s: no generation columns", path);
    return CTW_OK;
}

ctw_status ctw_feed__load_eia930(ctw_feed__table *tab, const char *path, const char *column, int32_t factors)
{
    reading r = {.shift = -3600};
    ctw_csv *csv = NULL;
    CTW_TRY(ctw_csv_open(tab->ctx, path, &csv));
    ctw_status s = find(csv, path, "utc time at end of hour", NULL, &r.time);
    if (s == CTW_OK) s = sources(tab, csv, path, "Net Generation (MW) from ", NULL, factors, &r);
    if (s == CTW_OK) r.has_zone = find(csv, path, "balancing authority", NULL, &r.zone) == CTW_OK;
    if (s == CTW_OK) s = read_rows(tab, csv, &r, path, column, 0);
    ctw_csv_unref(csv);
    return s;
}

ctw_status ctw_feed__load_entsoe(ctw_feed__table *tab, const char *path, const char *column, int32_t factors)
{
    reading r = {0};
    ctw_csv *csv = NULL;
    CTW_TRY(ctw_csv_open(tab->ctx, path, &csv));
    ctw_status s = find(csv, path, "mtu", NULL, &r.time);
    if (s == CTW_OK) s = sources(tab, csv, path, "", " - Actual Aggregated", factors, &r);
    if (s == CTW_OK) r.has_zone = find(csv, path, "area", NULL, &r.zone) == CTW_OK;
    if (s == CTW_OK) s = read_rows(tab, csv, &r, path, column, 1);
    ctw_csv_unref(csv);
    return s;
}
