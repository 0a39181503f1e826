/* window.c: three stable counting passes over name ids, then the boundaries. */
#include "rca/window.h"
#include "base/alloc.h"
#include <string.h>

enum { BY_CALLER, BY_OP, BY_COMPONENT };

/* Rows without a caller come last. */
static size_t key_of(const ctw_calls *c, uint32_t row, int by)
{
    const ctw_rca__call *r = &c->row[row];
    if (by == BY_COMPONENT) return r->component;
    if (by == BY_OP) return r->op;
    return r->caller == CTW_RCA_NONE ? c->names.count : r->caller;
}

static void pass(const ctw_calls *c, const uint32_t *from, uint32_t *to, size_t *at, int by)
{
    memset(at, 0, (c->names.count + 2) * sizeof *at);
    for (size_t i = 0; i < c->count; i++) at[key_of(c, (uint32_t)i, by) + 1]++;
    for (size_t k = 0; k <= c->names.count; k++) at[k + 1] += at[k];
    for (size_t i = 0; i < c->count; i++) {
        uint32_t row = from ? from[i] : (uint32_t)i;
        to[at[key_of(c, row, by)]++] = row;
    }
}

static ctw_status sort_rows(ctw_ctx *ctx, ctw_rca__window *w)
{
    const ctw_calls *c = w->calls;
    uint32_t *other = ctw_base__alloc(ctx, c->count, sizeof *other);
    size_t *at = ctw_base__alloc(ctx, c->names.count + 2, sizeof *at);
    w->order = ctw_base__alloc(ctx, c->count, sizeof *w->order);
    int good = other && at && w->order;
    if (good) {
        pass(c, NULL, w->order, at, BY_CALLER);
        pass(c, w->order, other, at, BY_OP);
        pass(c, other, w->order, at, BY_COMPONENT);
    }
    ctw_base__free(ctx, other);
    ctw_base__free(ctx, at);
    return good ? CTW_OK : CTW_E_NOMEM;
}

typedef struct caps {
    size_t edge, group, member;
} caps;

/* Opens what begins at slot i; `level` says how much changed: 3 the component, 2 the operation, 1 the caller. */
static ctw_status open_at(ctw_ctx *ctx, ctw_rca__window *w, caps *cap, size_t i, int level)
{
    const ctw_rca__call *r = &w->calls->row[w->order[i]];
    CTW_TRY(ctw_base__grow(ctx, (void **)&w->edge, &cap->edge, w->edges + 1, sizeof *w->edge));
    CTW_TRY(ctw_base__grow(ctx, (void **)&w->group, &cap->group, w->groups + 1, sizeof *w->group));
    CTW_TRY(ctw_base__grow(ctx, (void **)&w->member, &cap->member, w->members + 1, sizeof *w->member));
    if (level >= 3) w->member[w->members++] = (ctw_rca__member){r->component, w->groups, w->groups};
    if (level >= 2) w->group[w->groups++] = (ctw_rca__group){r->op, i, i, w->edges, w->edges};
    w->edge[w->edges++] = (ctw_rca__edge){r->caller, i, i};
    return CTW_OK;
}

static ctw_status mark_groups(ctw_ctx *ctx, ctw_rca__window *w)
{
    caps cap = {0};
    for (size_t i = 0; i < w->calls->count; i++) {
        const ctw_rca__call *r = &w->calls->row[w->order[i]], *prev = i ? &w->calls->row[w->order[i - 1]] : NULL;
        int level = 0;
        if (!prev || prev->component != r->component)
            level = 3;
        else if (prev->op != r->op)
            level = 2;
        else if (prev->caller != r->caller)
            level = 1;
        if (level) CTW_TRY(open_at(ctx, w, &cap, i, level));
        w->edge[w->edges - 1].end = i + 1;
        w->group[w->groups - 1].end = i + 1;
        w->group[w->groups - 1].last_edge = w->edges;
        w->member[w->members - 1].last_group = w->groups;
    }
    return CTW_OK;
}

ctw_status ctw_rca__window_build(ctw_ctx *ctx, ctw_rca__window *w, const ctw_calls *c)
{
    memset(w, 0, sizeof *w);
    w->calls = c;
    w->names = &c->names;
    w->traces = c->trace_count;
    w->count = c->count;
    ctw_status st = sort_rows(ctx, w);
    if (st == CTW_OK) st = mark_groups(ctx, w);
    if (st != CTW_OK) ctw_rca__window_free(ctx, w);
    return st;
}

void ctw_rca__window_free(ctw_ctx *ctx, ctw_rca__window *w)
{
    ctw_base__free(ctx, w->order);
    ctw_base__free(ctx, w->edge);
    ctw_base__free(ctx, w->group);
    ctw_base__free(ctx, w->member);
    memset(w, 0, sizeof *w);
}
