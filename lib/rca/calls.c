/* calls.c: the public window of entry calls: from spans, from columns, and out again as columns. */
#include "base/cancel.h"
#include "base/ctx.h"
#include "base/report.h"
#include "rca/calls_internal.h"
#include "rca/rca_params.h"
#include <string.h>

static void destroy(ctw_calls *c)
{
    ctw_rca__names_free(c->h.ctx, &c->names);
    ctw_rca__idmap_free(c->h.ctx, &c->traces);
    ctw_base__free(c->h.ctx, c->row);
    ctw_base__free(c->h.ctx, c->root_us);
}

CTW_DEFINE_REFS(ctw_calls, destroy)

ctw_status ctw_calls_new(ctw_ctx *ctx, const ctw_params *params, ctw_calls **out)
{
    static const char fn[] = "ctw_calls_new";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    CTW_TRY(ctw_base__params_check(params, &ctw_calls__kind, fn));
    ctw_calls *c = ctw_base__handle_new(ctx, sizeof *c, CTW_CALLS_MAGIC);
    if (!c) return CTW_E_NOMEM;
    c->by_instance = ctw_base__opt_choice(params, &ctw_calls__kind, "component") == 1;
    c->traces.salt = ctw_base__seed(ctx);
    *out = c;
    return CTW_OK;
}

ctw_status ctw_calls_name(ctw_calls *c, const char *text, int64_t *id)
{
    static const char fn[] = "ctw_calls_name";
    CTW_TRY(ctw_base__handle_enter(c ? &c->h : NULL, CTW_CALLS_MAGIC, fn, "c"));
    ctw_status st = ctw_rca__names_public(c->h.ctx, &c->names, text, id, fn);
    ctw_base__handle_leave(&c->h);
    return st;
}

const char *ctw_calls_name_at(const ctw_calls *c, int64_t id)
{
    return c && id >= 0 && (uint64_t)id < c->names.count ? c->names.text[id] : NULL;
}

/* Ids of the span table's names among ours. */
static ctw_status map_names(ctw_calls *c, const ctw_spans *s, uint32_t *map, const char *fn)
{
    for (size_t i = 0; i < s->names.count; i++)
        CTW_TRY(ctw_rca__names_add(c->h.ctx, &c->names, s->names.text[i], strlen(s->names.text[i]), &map[i], fn));
    return CTW_OK;
}

static void count_oddities(ctw_rca__oddities *sum, const ctw_rca__oddities *o)
{
    sum->orphans += o->orphans;
    sum->duplicates += o->duplicates;
    sum->shared += o->shared;
    sum->cycles += o->cycles;
    sum->late += o->late;
    sum->early += o->early;
    sum->extra_roots += o->extra_roots;
}

static ctw_status add_spans(ctw_calls *c, const ctw_spans *s, ctw_cancel *cancel, const char *fn)
{
    ctw_rca__forest f;
    CTW_TRY(ctw_base__stopped(cancel, fn));
    CTW_TRY(ctw_rca__forest_build(c->h.ctx, &f, s, c->by_instance, CTW_RCA_NONE));
    uint32_t *map = ctw_base__alloc(c->h.ctx, s->names.count, sizeof *map);
    ctw_status st = map ? map_names(c, s, map, fn) : CTW_E_NOMEM;
    if (st == CTW_OK) st = ctw_rca__calls_build(c, &f, map, cancel, fn);
    if (st == CTW_OK) {
        count_oddities(&c->odd, &f.odd);
        c->spans += s->count;
    }
    ctw_base__free(c->h.ctx, map);
    ctw_rca__forest_free(c->h.ctx, &f);
    return st;
}

ctw_status ctw_calls_add_spans(ctw_calls *c, const ctw_spans *spans, ctw_cancel *cancel)
{
    static const char fn[] = "ctw_calls_add_spans";
    CTW_TRY(ctw_base__handle_check(spans ? &spans->h : NULL, CTW_SPANS_MAGIC, fn, "spans"));
    CTW_TRY(ctw_base__handle_enter(c ? &c->h : NULL, CTW_CALLS_MAGIC, fn, "c"));
    ctw_status st = add_spans(c, spans, cancel, fn);
    ctw_base__handle_leave(&c->h);
    return st;
}

typedef struct columns {
    const int64_t *trace, *component, *operation, *caller;
    const double *root_us, *measure;
    uint64_t stride;
} columns;

static ctw_status check_row(const ctw_calls *c, const columns *in, uint64_t i, const char *fn)
{
    int64_t n = (int64_t)c->names.count;
    const char *what[] = {"component", "operation", "caller"};
    const int64_t *id[] = {in->component, in->operation, in->caller};
    for (int k = 0; k < 3; k++)
        if (id[k][i] >= n || id[k][i] < (k == 2 ? -1 : 0))
            return ctw_base__fail(CTW_E_KEY, "%s: %s[%llu] is %lld, no id of ctw_calls_name", fn, what[k],
                                  (unsigned long long)i, (long long)id[k][i]);
    CTW_TRY(ctw_base__in(in->root_us[i], 0, 1e18, fn, "root_us"));
    return ctw_base__all_in(in->measure + i * in->stride, CTW_CALL_COLUMNS, 1, 0, 1e18, fn, "measure");
}

/* Room first, so that the rows can then all be entered without failing. */
static ctw_status reserve(ctw_calls *c, uint64_t n, const char *fn)
{
    if (n > UINT32_MAX - 2 - c->count) return ctw_base__fail(CTW_E_RANGE, "%s: more than 2^32 calls", fn);
    CTW_TRY(ctw_base__grow(c->h.ctx, (void **)&c->row, &c->cap, c->count + (size_t)n, sizeof *c->row));
    CTW_TRY(
        ctw_base__grow(c->h.ctx, (void **)&c->root_us, &c->trace_cap, c->trace_count + (size_t)n, sizeof *c->root_us));
    return ctw_rca__idmap_reserve(c->h.ctx, &c->traces, (size_t)n);
}

static ctw_status add_rows(ctw_calls *c, uint64_t n, const columns *in, const char *fn)
{
    for (uint64_t i = 0; i < n; i++) CTW_TRY(check_row(c, in, i, fn));
    CTW_TRY(reserve(c, n, fn));
    for (uint64_t i = 0; i < n; i++) {
        ctw_rca__call *r = &c->row[c->count++];
        ctw_rca__id id = {0, (uint64_t)in->trace[i]};
        int added;
        r->trace = ctw_rca__idmap_put(&c->traces, id, (uint32_t)c->trace_count, &added);
        if (added) c->root_us[c->trace_count++] = in->root_us[i];
        r->component = (uint32_t)in->component[i];
        r->op = (uint32_t)in->operation[i];
        r->caller = in->caller[i] < 0 ? CTW_RCA_NONE : (uint32_t)in->caller[i];
        memcpy(r->v, in->measure + i * in->stride, sizeof r->v);
    }
    return CTW_OK;
}

ctw_status ctw_calls_add(ctw_calls *c, uint64_t n, const int64_t *trace, const double *root_us,
                         const int64_t *component, const int64_t *operation, const int64_t *caller,
                         const double *measure, uint64_t stride)
{
    static const char fn[] = "ctw_calls_add";
    CTW_TRY(ctw_base__need_n(trace, n, fn, "trace"));
    CTW_TRY(ctw_base__need_n(root_us, n, fn, "root_us"));
    CTW_TRY(ctw_base__need_n(component, n, fn, "component"));
    CTW_TRY(ctw_base__need_n(operation, n, fn, "operation"));
    CTW_TRY(ctw_base__need_n(caller, n, fn, "caller"));
    CTW_TRY(ctw_base__need_n(measure, n, fn, "measure"));
    if (n > 1 && stride < CTW_CALL_COLUMNS)
        return ctw_base__fail(CTW_E_SHAPE, "%s: stride is %llu, rows have %d values", fn, (unsigned long long)stride,
                              CTW_CALL_COLUMNS);
    CTW_TRY(ctw_base__handle_enter(c ? &c->h : NULL, CTW_CALLS_MAGIC, fn, "c"));
    columns in = {trace, component, operation, caller, root_us, measure, stride};
    ctw_status st = add_rows(c, n, &in, fn);
    ctw_base__handle_leave(&c->h);
    return st;
}

uint64_t ctw_calls_count(const ctw_calls *c)
{
    return c ? c->count : 0;
}

uint64_t ctw_calls_traces(const ctw_calls *c)
{
    return c ? c->trace_count : 0;
}

ctw_status ctw_calls_clear(ctw_calls *c)
{
    CTW_TRY(ctw_base__handle_enter(c ? &c->h : NULL, CTW_CALLS_MAGIC, "ctw_calls_clear", "c"));
    ctw_rca__idmap_clear(&c->traces);
    c->count = c->trace_count = 0;
    c->spans = 0;
    c->path_error_us = 0;
    memset(&c->odd, 0, sizeof c->odd);
    ctw_base__handle_leave(&c->h);
    return CTW_OK;
}

static ctw_status check_slice(const ctw_calls *c, uint64_t first, uint64_t n, uint64_t have, const char *fn)
{
    CTW_TRY(ctw_base__handle_check(c ? &c->h : NULL, CTW_CALLS_MAGIC, fn, "c"));
    if (first > have || n > have - first)
        return ctw_base__fail(CTW_E_RANGE, "%s: rows %llu and %llu more, there are %llu", fn, (unsigned long long)first,
                              (unsigned long long)n, (unsigned long long)have);
    return CTW_OK;
}

ctw_status ctw_calls_keys(const ctw_calls *c, uint64_t first, uint64_t n, int64_t *trace, int64_t *component,
                          int64_t *operation, int64_t *caller)
{
    CTW_TRY(check_slice(c, first, n, ctw_calls_count(c), "ctw_calls_keys"));
    for (uint64_t i = 0; i < n; i++) {
        const ctw_rca__call *r = &c->row[first + i];
        if (trace) trace[i] = r->trace;
        if (component) component[i] = r->component;
        if (operation) operation[i] = r->op;
        if (caller) caller[i] = r->caller == CTW_RCA_NONE ? -1 : (int64_t)r->caller;
    }
    return CTW_OK;
}

ctw_status ctw_calls_column(const ctw_calls *c, uint64_t first, uint64_t n, int32_t column, double *out)
{
    static const char fn[] = "ctw_calls_column";
    CTW_TRY(check_slice(c, first, n, ctw_calls_count(c), fn));
    CTW_TRY(ctw_base__in_i64(column, 0, CTW_CALL_COLUMNS - 1, fn, "column"));
    CTW_TRY(ctw_base__need_n(out, n, fn, "out"));
    for (uint64_t i = 0; i < n; i++) out[i] = c->row[first + i].v[column];
    return CTW_OK;
}

ctw_status ctw_calls_roots(const ctw_calls *c, uint64_t first, uint64_t n, double *out)
{
    static const char fn[] = "ctw_calls_roots";
    CTW_TRY(check_slice(c, first, n, ctw_calls_traces(c), fn));
    CTW_TRY(ctw_base__need_n(out, n, fn, "out"));
    for (uint64_t i = 0; i < n; i++) out[i] = c->root_us[first + i];
    return CTW_OK;
}

static ctw_status fill_report(const ctw_calls *c, ctw_report *r)
{
    const struct {
        const char *key;
        uint64_t value;
    } counts[] = {
        {"calls", c->count},
        {"traces", c->trace_count},
        {"spans", c->spans},
        {"orphans", c->odd.orphans},
        {"duplicates", c->odd.duplicates},
        {"shared", c->odd.shared},
        {"cycles", c->odd.cycles},
        {"late_children", c->odd.late},
        {"early_children", c->odd.early},
        {"extra_roots", c->odd.extra_roots},
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        CTW_TRY(ctw_base__report_i64(r, counts[i].key, (int64_t)counts[i].value));
    return ctw_base__report_f64(r, "path_error_us", c->path_error_us);
}

ctw_status ctw_calls_report(const ctw_calls *c, ctw_report **out)
{
    static const char fn[] = "ctw_calls_report";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__handle_check(c ? &c->h : NULL, CTW_CALLS_MAGIC, fn, "c"));
    ctw_report *r;
    CTW_TRY(ctw_base__report_new(c->h.ctx, &r));
    ctw_status st = fill_report(c, r);
    if (st != CTW_OK) {
        ctw_report_unref(r);
        return st;
    }
    *out = r;
    return CTW_OK;
}
