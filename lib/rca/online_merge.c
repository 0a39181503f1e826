/* online_merge.c: another collector's window into this one. As in online_add.c, names and room come first. */
#include "base/alloc.h"
#include "rca/online_internal.h"
#include <string.h>

typedef struct merge {
    ctw_online *o;
    const ctw_online *from;
    uint32_t *bond, *part; /* numbers in o of from's, NONE */
    ctw_rca__kept **copy;  /* by pane of from: its sample with calls of our own */
} merge;

/* o's pane of the same age as pane p of from. */
static size_t same_age(const ctw_online *o, const ctw_online *from, size_t p)
{
    size_t n = o->panes, age = (from->newest + n - p) % n;
    return (o->newest + n - age) % n;
}

static size_t pane_of(const merge *m, size_t p)
{
    return same_age(m->o, m->from, p);
}

static ctw_status name_all(merge *m, const char *fn)
{
    const ctw_rca__tables *t = &m->from->t;
    for (size_t i = 0; i < t->bonds; i++) {
        const ctw_rca__bond *b = &t->bond[i];
        const char *caller = b->caller == CTW_RCA_NONE ? NULL : t->names.text[b->caller];
        CTW_TRY(ctw_rca__online_bond(m->o, t->names.text[b->component], t->names.text[b->op], caller, &m->bond[i], fn));
    }
    for (size_t i = 0; i < t->parts; i++) m->part[i] = ctw_rca__online_part(m->o, t->names.text[t->part[i]]);
    return CTW_OK;
}

static ctw_status sketch_room(const merge *m, ctw_rca__sketch *to, const ctw_rca__sketch *k)
{
    if (!k->bins) return CTW_OK;
    return ctw_rca__sketch_room(m->o->h.ctx, &m->o->scale, to, k->lo, k->lo + (int32_t)k->bins - 1);
}

static ctw_rca__cell *cell_of(const merge *m, size_t bond, size_t p)
{
    return &m->o->t.cell[m->bond[bond] * m->o->panes + pane_of(m, p)];
}

static ctw_rca__share *share_of(const merge *m, size_t part, size_t p)
{
    return &m->o->t.share[m->part[part] * m->o->panes + pane_of(m, p)];
}

static ctw_status room_all(const merge *m)
{
    const ctw_rca__tables *t = &m->from->t;
    size_t n = m->o->panes;
    for (size_t i = 0; i < t->bonds * n; i++)
        for (int c = 0; c < PAST_TIMES && m->bond[i / n] != CTW_RCA_NONE; c++)
            CTW_TRY(sketch_room(m, &cell_of(m, i / n, i % n)->time[c], &t->cell[i].time[c]));
    for (size_t i = 0; i < t->parts * n; i++) {
        if (m->part[i / n] == CTW_RCA_NONE) continue;
        CTW_TRY(sketch_room(m, &share_of(m, i / n, i % n)->incl_time, &t->share[i].incl_time));
        CTW_TRY(sketch_room(m, &share_of(m, i / n, i % n)->excl_time, &t->share[i].excl_time));
    }
    return CTW_OK;
}

/* A sampled trace with its calls renumbered; without calls when one of them has no number here. */
static ctw_status copy_trace(const merge *m, const ctw_rca__kept *from, ctw_rca__kept *to)
{
    *to = *from;
    to->call = NULL;
    for (size_t i = 0; i < from->calls; i++)
        if (m->bond[from->call[i].bond] == CTW_RCA_NONE) return CTW_OK;
    to->call = ctw_base__dup(m->o->h.ctx, from->call, from->calls, sizeof *from->call);
    if (!to->call) return CTW_E_NOMEM;
    for (size_t i = 0; i < from->calls; i++) to->call[i].bond = m->bond[from->call[i].bond];
    return CTW_OK;
}

static ctw_status copy_samples(merge *m)
{
    for (size_t p = 0; p < m->o->panes; p++) {
        const ctw_rca__pane *pane = &m->from->pane[p];
        m->copy[p] = CTW_NEW(m->o->h.ctx, pane->n_kept, ctw_rca__kept);
        if (!m->copy[p]) return CTW_E_NOMEM;
        CTW_TRY(ctw_rca__kept_room(m->o, &m->o->pane[pane_of(m, p)], pane->n_kept));
        for (size_t i = 0; i < pane->n_kept; i++) CTW_TRY(copy_trace(m, &pane->kept[i], &m->copy[p][i]));
    }
    return CTW_OK;
}

/* Cannot fail: there is room for everything. */
static ctw_status commit(merge *m)
{
    const ctw_rca__tables *t = &m->from->t;
    ctw_ctx *ctx = m->o->h.ctx;
    size_t n = m->o->panes;
    for (size_t i = 0; i < t->bonds * n; i++) {
        if (m->bond[i / n] == CTW_RCA_NONE)
            m->o->dropped += t->cell[i].calls;
        else
            CTW_TRY(ctw_rca__cell_merge(ctx, &m->o->scale, cell_of(m, i / n, i % n), &t->cell[i]));
    }
    for (size_t i = 0; i < t->parts * n; i++)
        if (m->part[i / n] != CTW_RCA_NONE)
            CTW_TRY(ctw_rca__share_merge(ctx, &m->o->scale, share_of(m, i / n, i % n), &t->share[i]));
    for (size_t p = 0; p < n; p++) {
        ctw_rca__pane *to = &m->o->pane[pane_of(m, p)];
        to->calls += m->from->pane[p].calls;
        ctw_rca__moments_merge(&to->root, &m->from->pane[p].root);
        for (size_t i = 0; i < m->from->pane[p].n_kept; i++) {
            if (m->copy[p][i].call) ctw_rca__keep(m->o, to, m->copy[p][i]);
            m->copy[p][i].call = NULL;
        }
    }
    m->o->dropped += m->from->dropped;
    return CTW_OK;
}

static void release(merge *m)
{
    ctw_ctx *ctx = m->o->h.ctx;
    for (size_t p = 0; m->copy && p < m->o->panes; p++) {
        for (size_t i = 0; m->copy[p] && i < m->from->pane[p].n_kept; i++) ctw_base__free(ctx, m->copy[p][i].call);
        ctw_base__free(ctx, m->copy[p]);
    }
    ctw_base__free(ctx, m->copy);
    ctw_base__free(ctx, m->bond);
    ctw_base__free(ctx, m->part);
}

static ctw_status fits(const ctw_online *o, const ctw_online *from, const char *fn)
{
    if (o->panes != from->panes || o->scale.error < from->scale.error || o->scale.error > from->scale.error ||
        o->scale.max_bins != from->scale.max_bins)
        return ctw_base__fail(CTW_E_SHAPE, "%s: %zu panes, error %g, %zu bins and %zu panes, error %g, %zu bins", fn,
                              o->panes, o->scale.error, o->scale.max_bins, from->panes, from->scale.error,
                              from->scale.max_bins);
    for (size_t p = 0; p < o->panes; p++) {
        uint64_t calls = from->pane[p].calls + o->pane[same_age(o, from, p)].calls;
        if (calls > UINT32_MAX)
            return ctw_base__fail(CTW_E_RANGE, "%s: a pane would hold %llu calls, it holds 2^32 - 1", fn,
                                  (unsigned long long)calls);
    }
    return CTW_OK;
}

static ctw_status run(ctw_online *o, const ctw_online *from, const char *fn)
{
    merge m = {.o = o, .from = from};
    CTW_TRY(fits(o, from, fn));
    m.bond = ctw_base__alloc(o->h.ctx, from->t.bonds, sizeof *m.bond);
    m.part = ctw_base__alloc(o->h.ctx, from->t.parts, sizeof *m.part);
    m.copy = CTW_NEW(o->h.ctx, o->panes, ctw_rca__kept *);
    ctw_status st = m.bond && m.part && m.copy ? name_all(&m, fn) : CTW_E_NOMEM;
    if (st == CTW_OK) st = room_all(&m);
    if (st == CTW_OK) st = copy_samples(&m);
    if (st == CTW_OK) st = commit(&m);
    release(&m);
    return st;
}

ctw_status ctw_online_merge(ctw_online *o, const ctw_online *other)
{
    static const char fn[] = "ctw_online_merge";
    CTW_TRY(ctw_base__handle_check(other ? &other->h : NULL, CTW_ONLINE_MAGIC, fn, "other"));
    if (o == other) return ctw_base__fail(CTW_E_ARG, "%s: o and other are one window", fn);
    CTW_TRY(ctw_base__handle_enter(o ? &o->h : NULL, CTW_ONLINE_MAGIC, fn, "o"));
    ctw_status st = run(o, other, fn);
    ctw_base__handle_leave(&o->h);
    return st;
}
