/* feed_json.c: the JSON of the UK carbon intensity API and of WattTime: an object whose "data" is an array of
 * points; whatever else stands there is passed over. */
#include "forecast/feed_load.h"

#include "base/error.h"
#include "io/json.h"
#include <math.h>
#include <string.h>

#define LB_PER_MWH 0.45359237 /* g/kWh in one lb/MWh */

typedef struct point {
    const char *time_key, *value_key, *inside; /* inside: the object that holds the value, NULL: the point itself */
    int64_t t;
    double value;
    int has_time;
} point;

static ctw_status malformed(const ctw_io__json *j, const char *what)
{
    char place[256];
    ctw_io__json_place(j, place, sizeof place);
    return ctw_base__fail(CTW_E_FORMAT, "ctw_feed_load: %s: %s", place, what);
}

/* The object that has just begun; `level` is the name it stood under, NULL for the point. */
static ctw_status read_point(ctw_io__json *j, point *p, const char *level)
{
    ctw_io__json_event ev;
    char key[32];
    for (;;) {
        CTW_TRY(ctw_io__json_next(j, &ev));
        if (ev == CTW_JSON_OBJECT_END) return CTW_OK;
        if (ev != CTW_JSON_KEY) return malformed(j, "a key was expected");
        strncpy(key, ctw_io__json_text(j, NULL), sizeof key - 1);
        key[sizeof key - 1] = '\0';
        CTW_TRY(ctw_io__json_next(j, &ev));
        if (!level && p->inside && ev == CTW_JSON_OBJECT && !strcmp(key, p->inside)) {
            CTW_TRY(read_point(j, p, p->inside));
        } else if (!level && ev == CTW_JSON_STRING && !strcmp(key, p->time_key)) {
            if (ctw_feed__parse_time(ctw_io__json_text(j, NULL), &p->t)) return malformed(j, "no time");
            p->has_time = 1;
        } else if (!strcmp(key, p->value_key) && (level || !p->inside) && ev == CTW_JSON_NUMBER) {
            CTW_TRY(ctw_io__json_f64(j, &p->value));
        } else {
            CTW_TRY(ctw_io__json_skip(j, ev));
        }
    }
}

static ctw_status read_data(ctw_feed__table *tab, ctw_io__json *j, const point *form)
{
    ctw_io__json_event ev;
    for (;;) {
        CTW_TRY(ctw_io__json_next(j, &ev));
        if (ev == CTW_JSON_ARRAY_END) return CTW_OK;
        if (ev != CTW_JSON_OBJECT) return malformed(j, "\"data\" holds something that is no object");
        point p = *form;
        p.value = NAN;
        CTW_TRY(read_point(j, &p, NULL));
        if (!p.has_time) return malformed(j, "a point without a time");
        CTW_TRY(ctw_feed__table_add(tab, p.t, &p.value));
    }
}

/* The metadata object: whether the values are in pounds per MWh. */
static ctw_status read_meta(ctw_io__json *j, int *pounds)
{
    ctw_io__json_event ev;
    for (;;) {
        CTW_TRY(ctw_io__json_next(j, &ev));
        if (ev == CTW_JSON_OBJECT_END) return CTW_OK;
        if (ev != CTW_JSON_KEY) return malformed(j, "a key was expected");
        int units = !strcmp(ctw_io__json_text(j, NULL), "units");
        CTW_TRY(ctw_io__json_next(j, &ev));
        if (units && ev == CTW_JSON_STRING)
            *pounds = !strncmp(ctw_io__json_text(j, NULL), "lbs", 3);
        else
            CTW_TRY(ctw_io__json_skip(j, ev));
    }
}

static ctw_status read_document(ctw_feed__table *tab, ctw_io__json *j, const point *form, int *pounds)
{
    ctw_io__json_event ev;
    CTW_TRY(ctw_io__json_next(j, &ev));
    if (ev != CTW_JSON_OBJECT) return malformed(j, "an object was expected");
    for (;;) {
        CTW_TRY(ctw_io__json_next(j, &ev));
        if (ev == CTW_JSON_OBJECT_END) return CTW_OK;
        if (ev != CTW_JSON_KEY) return malformed(j, "a key was expected");
        int data = !strcmp(ctw_io__json_text(j, NULL), "data"), meta = !strcmp(ctw_io__json_text(j, NULL), "meta");
        CTW_TRY(ctw_io__json_next(j, &ev));
        if (data && ev == CTW_JSON_ARRAY)
            CTW_TRY(read_data(tab, j, form));
        else if (meta && ev == CTW_JSON_OBJECT)
            CTW_TRY(read_meta(j, pounds));
        else
            CTW_TRY(ctw_io__json_skip(j, ev));
    }
}

static ctw_status load(ctw_feed__table *tab, const char *path, const point *form)
{
    ctw_io__json *j = NULL;
    int pounds = 0;
    CTW_TRY(ctw_io__json_open(tab->ctx, path, &j, "ctw_feed_load"));
    ctw_status s = read_document(tab, j, form, &pounds);
    ctw_io__json_close(j);
    for (size_t i = 0; pounds && i < tab->n; i++) tab->v[i] *= LB_PER_MWH;
    return s;
}

ctw_status ctw_feed__load_neso(ctw_feed__table *tab, const char *path)
{
    const point form = {.time_key = "from", .value_key = "actual", .inside = "intensity"};
    return load(tab, path, &form);
}

ctw_status ctw_feed__load_watttime(ctw_feed__table *tab, const char *path)
{
    const point form = {.time_key = "point_time", .value_key = "value"};
    return load(tab, path, &form);
}
