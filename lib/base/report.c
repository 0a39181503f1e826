/* report.c: named results. A report is built by one call and immutable once the host has it. */
#include "base/report.h"
#include "base/handle.h"
#include "base/params.h"
#include <inttypes.h>
#include <string.h>

#define REPORT_MAGIC CTW_FOUR('R', 'P', 'R', 'T')

typedef struct entry {
    char *key;
    int32_t type;
    int64_t i;
    double f;
    char *s;
    double *series;
    uint64_t n;
} entry;

struct ctw_report {
    ctw_base__handle h;
    entry *entries;
    size_t count, cap;
};

static void drop_value(ctw_report *r, entry *e)
{
    ctw_base__free(r->h.ctx, e->s);
    ctw_base__free(r->h.ctx, e->series);
    e->s = NULL;
    e->series = NULL;
}

static void destroy(ctw_report *r)
{
    for (size_t i = 0; i < r->count; i++) {
        drop_value(r, &r->entries[i]);
        ctw_base__free(r->h.ctx, r->entries[i].key);
    }
    ctw_base__free(r->h.ctx, r->entries);
}
CTW_DEFINE_REFS(ctw_report, destroy)

ctw_status ctw_base__report_new(ctw_ctx *ctx, ctw_report **out)
{
    *out = ctw_base__handle_new(ctx, sizeof **out, REPORT_MAGIC);
    return *out ? CTW_OK : CTW_E_NOMEM;
}

static entry *lookup(const ctw_report *r, const char *key)
{
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->entries[i].key, key) == 0) return &r->entries[i];
    return NULL;
}

/* The entry of that key, new or emptied. NULL when out of memory. */
static entry *slot(ctw_report *r, const char *key, int32_t type)
{
    entry *e = lookup(r, key);
    if (e) {
        drop_value(r, e);
    } else {
        void *grown = r->entries;
        if (ctw_base__grow(r->h.ctx, &grown, &r->cap, r->count + 1, sizeof *e)) return NULL;
        r->entries = grown;
        char *copy = ctw_base__strdup(r->h.ctx, key);
        if (!copy) return NULL;
        e = &r->entries[r->count++];
        *e = (entry){.key = copy};
    }
    e->type = type;
    return e;
}

ctw_status ctw_base__report_f64(ctw_report *r, const char *key, double v)
{
    entry *e = slot(r, key, CTW_T_F64);
    if (!e) return CTW_E_NOMEM;
    e->f = v;
    return CTW_OK;
}

ctw_status ctw_base__report_i64(ctw_report *r, const char *key, int64_t v)
{
    entry *e = slot(r, key, CTW_T_I64);
    if (!e) return CTW_E_NOMEM;
    e->i = v;
    return CTW_OK;
}

ctw_status ctw_base__report_str(ctw_report *r, const char *key, const char *v)
{
    char *copy = ctw_base__strdup(r->h.ctx, v);
    if (!copy) return CTW_E_NOMEM;
    entry *e = slot(r, key, CTW_T_STR);
    if (!e) {
        ctw_base__free(r->h.ctx, copy);
        return CTW_E_NOMEM;
    }
    e->s = copy;
    return CTW_OK;
}

ctw_status ctw_base__report_series(ctw_report *r, const char *key, const double *data, uint64_t n)
{
    double *copy = ctw_base__dup(r->h.ctx, data, (size_t)n, sizeof *data);
    if (!copy) return CTW_E_NOMEM;
    entry *e = slot(r, key, CTW_T_SERIES);
    if (!e) {
        ctw_base__free(r->h.ctx, copy);
        return CTW_E_NOMEM;
    }
    e->series = copy;
    e->n = n;
    return CTW_OK;
}

uint64_t ctw_report_count(const ctw_report *r)
{
    return r ? r->count : 0;
}

ctw_status ctw_report_at(const ctw_report *r, uint64_t i, const char **key, int32_t *type)
{
    CTW_TRY(ctw_base__handle_check(r ? &r->h : NULL, REPORT_MAGIC, "ctw_report_at", "r"));
    if (i >= r->count)
        return ctw_base__fail(CTW_E_RANGE, "ctw_report_at: i is %" PRIu64 ", but there are %zu entries", i, r->count);
    if (key) *key = r->entries[i].key;
    if (type) *type = r->entries[i].type;
    return CTW_OK;
}

static const char *entry_key(const void *list, size_t i)
{
    return ((const ctw_report *)list)->entries[i].key;
}

static ctw_status find(const ctw_report *r, const char *key, const void *out, const char *fn, const entry **e)
{
    CTW_TRY(ctw_base__handle_check(r ? &r->h : NULL, REPORT_MAGIC, fn, "r"));
    CTW_TRY(ctw_base__need(key, fn, "key"));
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *e = lookup(r, key);
    if (*e) return CTW_OK;
    const char *near = ctw_base__nearest(key, entry_key, r, r->count);
    return ctw_base__fail(CTW_E_KEY, "%s: the report has no \"%.60s\"%s%s%s", fn, key, near ? "; did you mean \"" : "",
                          near ? near : "", near ? "\"?" : "");
}

static ctw_status wrong_type(const char *fn, const char *key, const char *want)
{
    return ctw_base__fail(CTW_E_TYPE, "%s: \"%s\" is not %s", fn, key, want);
}

ctw_status ctw_report_get_f64(const ctw_report *r, const char *key, double *out)
{
    const entry *e;
    CTW_TRY(find(r, key, out, "ctw_report_get_f64", &e));
    if (e->type != CTW_T_F64 && e->type != CTW_T_I64) return wrong_type("ctw_report_get_f64", key, "a number");
    *out = e->type == CTW_T_F64 ? e->f : (double)e->i;
    return CTW_OK;
}

ctw_status ctw_report_get_i64(const ctw_report *r, const char *key, int64_t *out)
{
    const entry *e;
    CTW_TRY(find(r, key, out, "ctw_report_get_i64", &e));
    if (e->type != CTW_T_I64) return wrong_type("ctw_report_get_i64", key, "an integer");
    *out = e->i;
    return CTW_OK;
}

ctw_status ctw_report_get_str(const ctw_report *r, const char *key, const char **out)
{
    const entry *e;
    CTW_TRY(find(r, key, out, "ctw_report_get_str", &e));
    if (e->type != CTW_T_STR) return wrong_type("ctw_report_get_str", key, "a text");
    *out = e->s;
    return CTW_OK;
}

ctw_status ctw_report_series(const ctw_report *r, const char *key, const double **data, uint64_t *n)
{
    const entry *e;
    CTW_TRY(find(r, key, data, "ctw_report_series", &e));
    CTW_TRY(ctw_base__need(n, "ctw_report_series", "n"));
    if (e->type != CTW_T_SERIES) return wrong_type("ctw_report_series", key, "a series");
    *data = e->series;
    *n = e->n;
    return CTW_OK;
}
