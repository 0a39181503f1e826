/* online_view.c: all panes of an online window together, in the shape that features are taken of. */
#include "base/alloc.h"
#include "num/sort.h"
#include "rca/online_internal.h"
#include <string.h>

typedef struct place {
    ctw_rca__bond bond;
    uint32_t at;
} place;

static int by_ids(const void *a, const void *b, void *user)
{
    const ctw_rca__bond *x = &((const place *)a)->bond, *y = &((const place *)b)->bond;
    (void)user;
    if (x->component != y->component) return x->component < y->component ? -1 : 1;
    if (x->op != y->op) return x->op < y->op ? -1 : 1;
    return x->caller < y->caller ? -1 : x->caller > y->caller;
}

static ctw_status merge_cells(const ctw_online *o, size_t bond, ctw_rca__cell *to)
{
    for (size_t p = 0; p < o->panes; p++)
        CTW_TRY(ctw_rca__cell_merge(o->h.ctx, &o->scale, to, &o->t.cell[bond * o->panes + p]));
    return CTW_OK;
}

static ctw_status merge_shares(const ctw_online *o, size_t part, ctw_rca__share *to)
{
    for (size_t p = 0; p < o->panes; p++)
        CTW_TRY(ctw_rca__share_merge(o->h.ctx, &o->scale, to, &o->t.share[part * o->panes + p]));
    return CTW_OK;
}

static uint64_t calls_of(const ctw_online *o, size_t bond)
{
    uint64_t n = 0;
    for (size_t p = 0; p < o->panes; p++) n += o->t.cell[bond * o->panes + p].calls;
    return n;
}

/* One more edge, with what opens before it. */
static ctw_status put_edge(const ctw_online *o, ctw_rca__window *w, ctw_rca__digests *d, const place *p,
                           const ctw_rca__bond *before, size_t *slot)
{
    int new_member = !before || before->component != p->bond.component;
    if (new_member) {
        uint32_t part = ctw_rca__online_part(o, o->t.names.text[p->bond.component]);
        w->member[w->members++] = (ctw_rca__member){p->bond.component, w->groups, w->groups};
        CTW_TRY(merge_shares(o, part, &d->member[w->members - 1]));
    }
    if (new_member || before->op != p->bond.op)
        w->group[w->groups++] = (ctw_rca__group){p->bond.op, *slot, *slot, w->edges, w->edges};
    w->edge[w->edges++] = (ctw_rca__edge){p->bond.caller, *slot, *slot + calls_of(o, p->at)};
    CTW_TRY(merge_cells(o, p->at, &d->edge[w->edges - 1]));
    *slot = w->edge[w->edges - 1].end;
    w->group[w->groups - 1].end = *slot;
    w->group[w->groups - 1].last_edge = w->edges;
    w->member[w->members - 1].last_group = w->groups;
    return CTW_OK;
}

static int one_edge(const ctw_rca__group *g)
{
    return g->last_edge - g->first_edge == 1;
}

static ctw_status put_groups(const ctw_online *o, const ctw_rca__window *w, ctw_rca__digests *d)
{
    for (size_t g = 0; g < w->groups; g++) {
        if (one_edge(&w->group[g])) {
            d->group[g] = d->edge[w->group[g].first_edge];
            continue;
        }
        for (size_t e = w->group[g].first_edge; e < w->group[g].last_edge; e++)
            CTW_TRY(ctw_rca__cell_merge(o->h.ctx, &o->scale, &d->group[g], &d->edge[e]));
    }
    return CTW_OK;
}

static ctw_status put_edges(const ctw_online *o, ctw_rca__window *w, ctw_rca__digests *d, place *order)
{
    size_t n = 0, slot = 0;
    for (size_t i = 0; i < o->t.bonds; i++)
        if (calls_of(o, i)) order[n++] = (place){o->t.bond[i], (uint32_t)i};
    ctw_num__sort_by(order, n, sizeof *order, by_ids, NULL);
    for (size_t i = 0; i < n; i++) CTW_TRY(put_edge(o, w, d, &order[i], i ? &order[i - 1].bond : NULL, &slot));
    CTW_TRY(put_groups(o, w, d));
    for (size_t p = 0; p < o->panes; p++) ctw_rca__moments_merge(&d->root, &o->pane[p].root);
    w->traces = (size_t)d->root.n;
    return CTW_OK;
}

ctw_status ctw_rca__online_view(const ctw_online *o, ctw_rca__window *w, ctw_rca__digests *d)
{
    ctw_ctx *ctx = o->h.ctx;
    size_t n = o->t.bonds;
    *w = (ctw_rca__window){.names = &o->t.names, .digest = d};
    *d = (ctw_rca__digests){.scale = o->scale};
    w->edge = CTW_NEW(ctx, n, ctw_rca__edge);
    w->group = CTW_NEW(ctx, n, ctw_rca__group);
    w->member = CTW_NEW(ctx, o->t.parts, ctw_rca__member);
    d->edge = CTW_NEW(ctx, n, ctw_rca__cell);
    d->group = CTW_NEW(ctx, n, ctw_rca__cell);
    d->member = CTW_NEW(ctx, o->t.parts, ctw_rca__share);
    place *order = ctw_base__alloc(ctx, n, sizeof *order);
    int good = w->edge && w->group && w->member && d->edge && d->group && d->member && order;
    ctw_status st = good ? put_edges(o, w, d, order) : CTW_E_NOMEM;
    ctw_base__free(ctx, order);
    if (st != CTW_OK) {
        ctw_rca__digests_free(ctx, w, d);
        ctw_rca__window_free(ctx, w);
    }
    return st;
}

void ctw_rca__digests_free(ctw_ctx *ctx, const ctw_rca__window *w, ctw_rca__digests *d)
{
    for (size_t i = 0; d->edge && i < w->edges; i++) ctw_rca__cell_free(ctx, &d->edge[i]);
    for (size_t i = 0; d->group && i < w->groups; i++)
        if (!one_edge(&w->group[i])) ctw_rca__cell_free(ctx, &d->group[i]);
    for (size_t i = 0; d->member && i < w->members; i++) ctw_rca__share_free(ctx, &d->member[i]);
    ctw_base__free(ctx, d->edge);
    ctw_base__free(ctx, d->group);
    ctw_base__free(ctx, d->member);
    memset(d, 0, sizeof *d);
}
