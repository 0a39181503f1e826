/* spans.c: the public table of spans: names, columns in, counts. Analysis is in trace.c and path.c. */
#include "base/ctx.h"
#include "rca/rca_params.h"
#include "rca/spans_internal.h"
#include <string.h>

static void destroy(ctw_spans *s)
{
    ctw_rca__names_free(s->h.ctx, &s->names);
    ctw_rca__idmap_free(s->h.ctx, &s->traces);
    ctw_base__free(s->h.ctx, s->row);
    ctw_base__free(s->h.ctx, s->per_trace);
}

CTW_DEFINE_REFS(ctw_spans, destroy)

ctw_status ctw_spans_new(ctw_ctx *ctx, const ctw_params *params, ctw_spans **out)
{
    static const char fn[] = "ctw_spans_new";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    CTW_TRY(ctw_base__params_check(params, &ctw_spans__kind, fn));
    ctw_spans *s = ctw_base__handle_new(ctx, sizeof *s, CTW_SPANS_MAGIC);
    if (!s) return CTW_E_NOMEM;
    s->max_spans = (uint64_t)ctw_base__opt_i64(params, &ctw_spans__kind, "max_spans");
    s->traces.salt = ctw_base__seed(ctx);
    *out = s;
    return CTW_OK;
}

ctw_status ctw_spans_name(ctw_spans *s, const char *text, int64_t *id)
{
    static const char fn[] = "ctw_spans_name";
    CTW_TRY(ctw_base__handle_enter(s ? &s->h : NULL, CTW_SPANS_MAGIC, fn, "s"));
    ctw_status st = ctw_rca__names_public(s->h.ctx, &s->names, text, id, fn);
    ctw_base__handle_leave(&s->h);
    return st;
}

const char *ctw_spans_name_at(const ctw_spans *s, int64_t id)
{
    return s && id >= 0 && (uint64_t)id < s->names.count ? s->names.text[id] : NULL;
}

ctw_status ctw_rca__spans_reserve(ctw_spans *s, uint64_t n, const char *fn)
{
    if (n > s->max_spans - s->count)
        return ctw_base__fail(CTW_E_RANGE, "%s: %llu spans more than the table's %zu exceed max_spans %llu", fn,
                              (unsigned long long)n, s->count, (unsigned long long)s->max_spans);
    return ctw_base__grow(s->h.ctx, (void **)&s->row, &s->cap, s->count + (size_t)n, sizeof *s->row);
}

ctw_status ctw_rca__spans_push(ctw_spans *s, ctw_rca__id trace, const ctw_rca__span *row)
{
    int added;
    CTW_TRY(ctw_base__grow(s->h.ctx, (void **)&s->per_trace, &s->trace_cap, s->trace_count + 1, sizeof *s->per_trace));
    CTW_TRY(ctw_rca__idmap_reserve(s->h.ctx, &s->traces, 1));
    uint32_t t = ctw_rca__idmap_put(&s->traces, trace, (uint32_t)s->trace_count, &added);
    if (added) s->per_trace[s->trace_count++] = 0;
    if (s->per_trace[t]++ == 0) s->live_traces++;
    s->row[s->count] = *row;
    s->row[s->count++].trace = t;
    return CTW_OK;
}

void ctw_rca__spans_truncate(ctw_spans *s, size_t count)
{
    while (s->count > count)
        if (--s->per_trace[s->row[--s->count].trace] == 0) s->live_traces--;
}

typedef struct columns {
    const int64_t *span, *parent, *service, *instance, *operation, *start, *dur;
    const int32_t *kind, *status;
} columns;

static ctw_status bad_name(const char *fn, const char *column, uint64_t i, int64_t id)
{
    return ctw_base__fail(CTW_E_KEY, "%s: %s[%llu] is %lld, no id of ctw_spans_name", fn, column, (unsigned long long)i,
                          (long long)id);
}

static ctw_status bad_range(const char *fn, const char *column, uint64_t i, int64_t v, const char *must)
{
    return ctw_base__fail(CTW_E_RANGE, "%s: %s[%llu] is %lld, must be %s", fn, column, (unsigned long long)i,
                          (long long)v, must);
}

static ctw_status check_row(const ctw_spans *s, const columns *c, uint64_t i, const char *fn)
{
    int64_t n = (int64_t)s->names.count;
    if (c->span[i] == 0) return ctw_base__fail(CTW_E_ARG, "%s: span[%llu] is 0", fn, (unsigned long long)i);
    if (c->service[i] < 0 || c->service[i] >= n) return bad_name(fn, "service", i, c->service[i]);
    if (c->operation[i] < 0 || c->operation[i] >= n) return bad_name(fn, "operation", i, c->operation[i]);
    if (c->instance && (c->instance[i] < -1 || c->instance[i] >= n)) return bad_name(fn, "instance", i, c->instance[i]);
    if (c->start[i] > CTW_RCA_TIME_MAX || c->start[i] < -CTW_RCA_TIME_MAX)
        return bad_range(fn, "start_ns", i, c->start[i], "within +-2^61");
    if (c->dur[i] < 0 || c->dur[i] > CTW_RCA_TIME_MAX)
        return bad_range(fn, "duration_ns", i, c->dur[i], "within 0..2^61");
    if (c->kind && (c->kind[i] < 0 || c->kind[i] > CTW_SPAN_CONSUMER))
        return bad_range(fn, "kind", i, c->kind[i], "within 0..5");
    if (c->status && (c->status[i] < 0 || c->status[i] > CTW_SPAN_ERROR))
        return bad_range(fn, "status", i, c->status[i], "within 0..2");
    return CTW_OK;
}

static ctw_status add_rows(ctw_spans *s, uint64_t n, const int64_t *trace, const columns *c, const char *fn)
{
    for (uint64_t i = 0; i < n; i++) CTW_TRY(check_row(s, c, i, fn));
    CTW_TRY(ctw_rca__spans_reserve(s, n, fn));
    size_t before = s->count;
    for (uint64_t i = 0; i < n; i++) {
        ctw_rca__span r = {
            .id = (uint64_t)c->span[i],
            .parent = (uint64_t)c->parent[i],
            .service = (uint32_t)c->service[i],
            .instance = c->instance && c->instance[i] >= 0 ? (uint32_t)c->instance[i] : CTW_RCA_NONE,
            .op = (uint32_t)c->operation[i],
            .start = c->start[i],
            .dur = c->dur[i],
            .kind = c->kind ? (uint8_t)c->kind[i] : 0,
            .error = c->status && c->status[i] == CTW_SPAN_ERROR,
        };
        ctw_status st = ctw_rca__spans_push(s, (ctw_rca__id){0, (uint64_t)trace[i]}, &r);
        if (st != CTW_OK) {
            ctw_rca__spans_truncate(s, before);
            return st;
        }
    }
    return CTW_OK;
}

ctw_status ctw_spans_add(ctw_spans *s, uint64_t n, const int64_t *trace, const int64_t *span, const int64_t *parent,
                         const int64_t *service, const int64_t *instance, const int64_t *operation,
                         const int64_t *start_ns, const int64_t *duration_ns, const int32_t *kind,
                         const int32_t *status)
{
    static const char fn[] = "ctw_spans_add";
    CTW_TRY(ctw_base__handle_check(s ? &s->h : NULL, CTW_SPANS_MAGIC, fn, "s"));
    CTW_TRY(ctw_base__need_n(trace, n, fn, "trace"));
    CTW_TRY(ctw_base__need_n(span, n, fn, "span"));
    CTW_TRY(ctw_base__need_n(parent, n, fn, "parent"));
    CTW_TRY(ctw_base__need_n(service, n, fn, "service"));
    CTW_TRY(ctw_base__need_n(operation, n, fn, "operation"));
    CTW_TRY(ctw_base__need_n(start_ns, n, fn, "start_ns"));
    CTW_TRY(ctw_base__need_n(duration_ns, n, fn, "duration_ns"));
    CTW_TRY(ctw_base__handle_enter(&s->h, CTW_SPANS_MAGIC, fn, "s"));
    columns c = {span, parent, service, instance, operation, start_ns, duration_ns, kind, status};
    ctw_status st = add_rows(s, n, trace, &c, fn);
    ctw_base__handle_leave(&s->h);
    return st;
}

uint64_t ctw_spans_count(const ctw_spans *s)
{
    return s ? s->count : 0;
}

uint64_t ctw_spans_traces(const ctw_spans *s)
{
    return s ? s->live_traces : 0;
}

ctw_status ctw_spans_clear(ctw_spans *s)
{
    CTW_TRY(ctw_base__handle_enter(s ? &s->h : NULL, CTW_SPANS_MAGIC, "ctw_spans_clear", "s"));
    ctw_rca__idmap_clear(&s->traces);
    s->count = s->trace_count = s->live_traces = 0;
    ctw_base__handle_leave(&s->h);
    return CTW_OK;
}
