/* calls_build.c: from trees of spans to entry calls. One pass down names each span's entry call, one pass over
 * all spans adds its self time and outgoing spans up there, one walk a trace adds the critical path. */
#include "base/cancel.h"
#include "rca/calls_internal.h"
#include "rca/path.h"
#include <math.h>
#include <string.h>

typedef struct build {
    ctw_calls *c;
    const ctw_rca__forest *f;
    const uint32_t *map;
    uint32_t *entry; /* position -> row of its entry call */
    size_t first_row, first_trace;
    ctw_rca__walk walk;
    double path_error_us;
} build;

static uint32_t component_at(const build *b, uint32_t p)
{
    return ctw_rca__component(ctw_rca__at(b->f, p), b->c->by_instance);
}

static double us(int64_t ns)
{
    return (double)ns / 1000.0;
}

static int crosses(const build *b, uint32_t p)
{
    return b->f->parent[p] != CTW_RCA_NONE && component_at(b, p) != component_at(b, b->f->parent[p]);
}

/* Numbers the entry calls in order of (trace, start) and gives every span its own. */
static size_t number_entries(build *b)
{
    const ctw_rca__forest *f = b->f;
    size_t n = 0;
    for (uint32_t p = 0; p < f->n; p++)
        if (f->parent[p] != CTW_RCA_DROPPED && (f->parent[p] == CTW_RCA_NONE || crosses(b, p)))
            b->entry[p] = (uint32_t)n++;
    for (size_t i = 0; i < f->kept; i++) {
        uint32_t p = f->down[i];
        if (f->parent[p] != CTW_RCA_NONE && !crosses(b, p)) b->entry[p] = b->entry[f->parent[p]];
    }
    return n;
}

/* Part of span p that its children (sorted by start) do not cover, in ns; children are clipped to it. */
static int64_t uncovered(const ctw_rca__forest *f, uint32_t p)
{
    const ctw_rca__span *s = ctw_rca__at(f, p);
    int64_t end = s->start + s->dur, reach = s->start, covered = 0;
    for (uint32_t i = f->child_begin[p]; i < f->child_begin[p + 1]; i++) {
        const ctw_rca__span *c = ctw_rca__at(f, f->by_start[i]);
        int64_t from = c->start > reach ? c->start : reach;
        int64_t to = c->start + c->dur < end ? c->start + c->dur : end;
        if (to > from) {
            covered += to - from;
            reach = to;
        }
    }
    return s->dur - covered;
}

static int is_outgoing(const build *b, uint32_t p)
{
    for (uint32_t i = b->f->child_begin[p]; i < b->f->child_begin[p + 1]; i++)
        if (crosses(b, b->f->by_start[i])) return 1;
    return 0;
}

static void begin_row(build *b, uint32_t p)
{
    const ctw_rca__forest *f = b->f;
    const ctw_rca__span *s = ctw_rca__at(f, p);
    ctw_rca__call *r = &b->c->row[b->first_row + b->entry[p]];
    uint32_t up = f->parent[p];
    memset(r, 0, sizeof *r);
    r->component = b->map[component_at(b, p)];
    r->op = b->map[s->op];
    r->caller = up == CTW_RCA_NONE ? CTW_RCA_NONE : b->map[component_at(b, up)];
    r->v[CTW_CALL_INCL] = us(s->dur);
    r->v[CTW_CALL_CLIENT] = up == CTW_RCA_NONE ? us(s->dur) : us(ctw_rca__at(f, up)->dur);
    r->v[CTW_CALL_NET] = fmax(0, r->v[CTW_CALL_CLIENT] - r->v[CTW_CALL_INCL]);
    r->v[CTW_CALL_EXCL] = r->v[CTW_CALL_CLIENT];
}

static void add_span(build *b, uint32_t p)
{
    ctw_rca__call *r = &b->c->row[b->first_row + b->entry[p]];
    if (is_outgoing(b, p)) {
        r->v[CTW_CALL_EXCL] -= us(ctw_rca__at(b->f, p)->dur);
        r->v[CTW_CALL_OUT] += 1;
    } else {
        r->v[CTW_CALL_SELF] += us(uncovered(b->f, p));
    }
    r->v[CTW_CALL_SPANS] += 1;
    if (ctw_rca__at(b->f, p)->error) r->v[CTW_CALL_ERROR] = 1;
}

static void fill_rows(build *b)
{
    const ctw_rca__forest *f = b->f;
    for (size_t i = 0; i < f->kept; i++) {
        uint32_t p = f->down[i];
        if (f->parent[p] == CTW_RCA_NONE || crosses(b, p)) begin_row(b, p);
        add_span(b, p);
    }
    for (size_t i = 0; i < f->kept; i++) {
        uint32_t p = f->down[i], up = f->parent[p];
        ctw_rca__call *r = &b->c->row[b->first_row + b->entry[p]];
        if (up != CTW_RCA_NONE && !crosses(b, p)) continue;
        r->v[CTW_CALL_EXCL] = fmax(0, r->v[CTW_CALL_EXCL]);
        if (up != CTW_RCA_NONE) r->v[CTW_CALL_CALLER_ERROR] = b->c->row[b->first_row + b->entry[up]].v[CTW_CALL_ERROR];
    }
}

/* Numbers the traces that have spans, stores their response times and walks their critical paths. */
static ctw_status walk_traces(build *b, ctw_cancel *cancel, const char *fn)
{
    const ctw_rca__forest *f = b->f;
    size_t next = b->first_trace;
    for (size_t t = 0; t < f->traces; t++) {
        if (f->root[t] == CTW_RCA_NONE) continue;
        if ((t & 255) == 0) CTW_TRY(ctw_base__stopped(cancel, fn));
        CTW_TRY(ctw_rca__path(b->c->h.ctx, &b->walk, f, f->root[t]));
        double sum = 0, root = us(ctw_rca__at(f, f->root[t])->dur);
        for (size_t i = 0; i < b->walk.count; i++) {
            double v = us(b->walk.segment[i].end - b->walk.segment[i].start);
            b->c->row[b->first_row + b->entry[b->walk.segment[i].p]].v[CTW_CALL_PATH] += v;
            sum += v;
        }
        b->path_error_us = fmax(b->path_error_us, fabs(sum - root));
        for (size_t p = f->begin[t]; p < f->begin[t + 1]; p++)
            if (f->parent[p] != CTW_RCA_DROPPED) b->c->row[b->first_row + b->entry[p]].trace = (uint32_t)next;
        b->c->root_us[next++] = root;
    }
    b->c->trace_count = next;
    return CTW_OK;
}

static ctw_status run(build *b, ctw_cancel *cancel, const char *fn)
{
    ctw_calls *c = b->c;
    size_t n = number_entries(b), traces = 0;
    for (size_t t = 0; t < b->f->traces; t++) traces += b->f->root[t] != CTW_RCA_NONE;
    if (n > UINT32_MAX - 2 - c->count) return ctw_base__fail(CTW_E_RANGE, "%s: more than 2^32 calls", fn);
    CTW_TRY(ctw_base__grow(c->h.ctx, (void **)&c->row, &c->cap, c->count + n, sizeof *c->row));
    CTW_TRY(ctw_base__grow(c->h.ctx, (void **)&c->root_us, &c->trace_cap, c->trace_count + traces, sizeof *c->root_us));
    fill_rows(b);
    CTW_TRY(walk_traces(b, cancel, fn));
    c->count += n;
    return CTW_OK;
}

ctw_status ctw_rca__calls_build(ctw_calls *c, const ctw_rca__forest *f, const uint32_t *map, ctw_cancel *cancel,
                                const char *fn)
{
    build b = {.c = c, .f = f, .map = map, .first_row = c->count, .first_trace = c->trace_count};
    b.entry = ctw_base__alloc(c->h.ctx, f->n, sizeof *b.entry);
    ctw_status st = b.entry ? run(&b, cancel, fn) : CTW_E_NOMEM;
    ctw_base__free(c->h.ctx, b.entry);
    ctw_rca__walk_free(c->h.ctx, &b.walk);
    if (st == CTW_OK) c->path_error_us = fmax(c->path_error_us, b.path_error_us);
    return st;
}
