/* online_add.c: folding a batch of calls into the newest pane. First everything is named, binned and given room, which
 * may fail; then counts are added, which cannot. */
#include "base/cancel.h"
#include "num/sort.h"
#include "num/stats.h"
#include "rca/online_internal.h"
#include <string.h>

/* What one component did in one trace. */
typedef struct own {
    uint32_t trace;
    int32_t incl_bin, excl_bin;
    double incl, excl, path;
} own;

typedef struct fold {
    ctw_online *o;
    ctw_rca__window w;
    const char *fn;
    uint32_t *bond; /* of the window's edges */
    int32_t *bin;   /* PAST_TIMES for each slot */
    own *own;       /* member by member */
    size_t *first;  /* member -> its first own; members + 1 */
    uint32_t *part; /* of members */
    uint32_t *at;   /* trace -> own of the member at hand, NONE */
    uint64_t dropped;
    ctw_rca__kept *kept; /* traces that will be kept */
    size_t n_kept;
} fold;

static ctw_rca__cell *cell_at(const fold *f, size_t e)
{
    return &f->o->t.cell[f->bond[e] * f->o->panes + f->o->newest];
}

static ctw_rca__share *share_at(const fold *f, size_t m)
{
    return &f->o->t.share[f->part[m] * f->o->panes + f->o->newest];
}

/* Numbers of the window's edges and members. */
static ctw_status name_all(fold *f)
{
    char *const *text = f->w.names->text;
    for (size_t m = 0; m < f->w.members; m++) {
        const ctw_rca__member *mem = &f->w.member[m];
        for (size_t g = mem->first_group; g < mem->last_group; g++)
            for (size_t e = f->w.group[g].first_edge; e < f->w.group[g].last_edge; e++) {
                uint32_t caller = f->w.edge[e].caller;
                CTW_TRY(ctw_rca__online_bond(f->o, text[mem->name], text[f->w.group[g].op],
                                             caller == CTW_RCA_NONE ? NULL : text[caller], &f->bond[e], f->fn));
                if (f->bond[e] == CTW_RCA_NONE) f->dropped += f->w.edge[e].end - f->w.edge[e].begin;
            }
        f->part[m] = ctw_rca__online_part(f->o, text[mem->name]);
    }
    return CTW_OK;
}

static void widen(int32_t bin, int32_t *lo, int32_t *hi)
{
    if (bin < *lo) *lo = bin;
    if (bin > *hi) *hi = bin;
}

/* Bins of an edge's times, and room for them. */
static ctw_status bin_edge(fold *f, size_t e)
{
    const ctw_rca__edge *edge = &f->w.edge[e];
    ctw_online *o = f->o;
    for (int col = 0; col < PAST_TIMES; col++) {
        int32_t lo = INT32_MAX, hi = INT32_MIN;
        for (size_t i = edge->begin; i < edge->end; i++) {
            double v = f->w.calls->row[f->w.order[i]].v[ctw_rca__past_column[col]];
            widen(f->bin[i * PAST_TIMES + (size_t)col] = ctw_rca__bin_of(&o->scale, v), &lo, &hi);
        }
        CTW_TRY(ctw_rca__sketch_room(o->h.ctx, &o->scale, &cell_at(f, e)->time[col], lo, hi));
    }
    return CTW_OK;
}

/* Sums of a member by trace, their bins, and room for them. `at` is NONE everywhere on entry and on return. */
static ctw_status sum_member(fold *f, size_t m)
{
    const ctw_rca__member *mem = &f->w.member[m];
    size_t begin = f->w.group[mem->first_group].begin, end = f->w.group[mem->last_group - 1].end;
    size_t n = f->first[m];
    for (size_t i = begin; i < end; i++) {
        const ctw_rca__call *r = &f->w.calls->row[f->w.order[i]];
        if (f->at[r->trace] == CTW_RCA_NONE) {
            f->at[r->trace] = (uint32_t)n;
            f->own[n++] = (own){.trace = r->trace};
        }
        own *w = &f->own[f->at[r->trace]];
        w->incl += r->v[CTW_CALL_INCL];
        w->excl += r->v[CTW_CALL_EXCL];
        w->path += r->v[CTW_CALL_PATH];
    }
    int32_t lo[2] = {INT32_MAX, INT32_MAX}, hi[2] = {INT32_MIN, INT32_MIN};
    for (size_t i = f->first[m]; i < n; i++) {
        widen(f->own[i].incl_bin = ctw_rca__bin_of(&f->o->scale, f->own[i].incl), &lo[0], &hi[0]);
        widen(f->own[i].excl_bin = ctw_rca__bin_of(&f->o->scale, f->own[i].excl), &lo[1], &hi[1]);
        f->at[f->own[i].trace] = CTW_RCA_NONE;
    }
    f->first[m + 1] = n;
    if (f->part[m] == CTW_RCA_NONE) return CTW_OK;
    ctw_rca__share *s = share_at(f, m);
    CTW_TRY(ctw_rca__sketch_room(f->o->h.ctx, &f->o->scale, &s->incl_time, lo[0], hi[0]));
    return ctw_rca__sketch_room(f->o->h.ctx, &f->o->scale, &s->excl_time, lo[1], hi[1]);
}

/* Lot that a trace of this batch must stay below, or equal, to be among the pane's sample. */
static ctw_status threshold(const fold *f, double *limit)
{
    const ctw_rca__pane *p = &f->o->pane[f->o->newest];
    size_t n = f->w.traces + p->n_kept;
    *limit = f->o->max_kept ? 2e19 : -1;
    if (n <= f->o->max_kept || !f->o->max_kept) return CTW_OK;
    double *v = ctw_base__alloc(f->o->h.ctx, n, sizeof *v);
    if (!v) return CTW_E_NOMEM;
    for (size_t t = 0; t < f->w.traces; t++) v[t] = (double)ctw_rca__lot(f->o, f->o->seen + t);
    for (size_t i = 0; i < p->n_kept; i++) v[f->w.traces + i] = (double)p->kept[i].lot;
    *limit = ctw_num__select(v, n, f->o->max_kept - 1);
    ctw_base__free(f->o->h.ctx, v);
    return CTW_OK;
}

/* Copies the calls of the traces that were drawn; `at` says which these are. */
static ctw_status copy_kept(fold *f)
{
    const ctw_calls *c = f->w.calls;
    for (size_t i = 0; i < c->count; i++)
        if (f->at[c->row[i].trace] != CTW_RCA_NONE) f->kept[f->at[c->row[i].trace]].calls++;
    for (size_t k = 0; k < f->n_kept; k++) {
        f->kept[k].call = ctw_base__alloc(f->o->h.ctx, f->kept[k].calls, sizeof *f->kept[k].call);
        if (!f->kept[k].call) return CTW_E_NOMEM;
        f->kept[k].calls = 0;
    }
    for (size_t e = 0; e < f->w.edges; e++)
        for (size_t i = f->w.edge[e].begin; i < f->w.edge[e].end; i++) {
            const ctw_rca__call *r = &c->row[f->w.order[i]];
            if (f->at[r->trace] == CTW_RCA_NONE) continue;
            ctw_rca__kept *k = &f->kept[f->at[r->trace]];
            k->call[k->calls].bond = f->bond[e];
            memcpy(k->call[k->calls++].v, r->v, sizeof r->v);
        }
    return CTW_OK;
}

/* Traces with a call that was dropped are not kept: a sample must hold whole ones. */
static void exclude_dropped(fold *f, uint8_t *out)
{
    for (size_t e = 0; e < f->w.edges; e++)
        for (size_t i = f->w.edge[e].begin; f->bond[e] == CTW_RCA_NONE && i < f->w.edge[e].end; i++)
            out[f->w.calls->row[f->w.order[i]].trace] = 1;
}

static ctw_status draw(fold *f)
{
    ctw_ctx *ctx = f->o->h.ctx;
    double limit;
    size_t n = 0;
    CTW_TRY(threshold(f, &limit));
    uint8_t *out = CTW_NEW(ctx, f->w.traces, uint8_t);
    if (!out) return CTW_E_NOMEM;
    exclude_dropped(f, out);
    for (size_t t = 0; t < f->w.traces; t++)
        if (!out[t] && (double)ctw_rca__lot(f->o, f->o->seen + t) <= limit) f->at[t] = (uint32_t)n++;
    ctw_base__free(ctx, out);
    f->kept = CTW_NEW(ctx, n, ctw_rca__kept);
    if (!f->kept) return CTW_E_NOMEM;
    f->n_kept = n;
    for (size_t t = 0; t < f->w.traces; t++)
        if (f->at[t] != CTW_RCA_NONE) {
            f->kept[f->at[t]].lot = ctw_rca__lot(f->o, f->o->seen + t);
            f->kept[f->at[t]].root_us = f->w.calls->root_us[t];
        }
    CTW_TRY(ctw_rca__kept_room(f->o, &f->o->pane[f->o->newest], n));
    return copy_kept(f);
}

static ctw_status prepare(fold *f, ctw_cancel *cancel)
{
    CTW_TRY(name_all(f));
    for (size_t e = 0; e < f->w.edges; e++) {
        if ((e & 255) == 0) CTW_TRY(ctw_base__stopped(cancel, f->fn));
        if (f->bond[e] != CTW_RCA_NONE) CTW_TRY(bin_edge(f, e));
    }
    for (size_t t = 0; t < f->w.traces; t++) f->at[t] = CTW_RCA_NONE;
    f->first[0] = 0;
    for (size_t m = 0; m < f->w.members; m++) CTW_TRY(sum_member(f, m));
    return draw(f);
}

static void commit_edge(fold *f, size_t e)
{
    ctw_rca__cell *c = cell_at(f, e);
    for (size_t i = f->w.edge[e].begin; i < f->w.edge[e].end; i++) {
        const double *v = f->w.calls->row[f->w.order[i]].v;
        for (int col = 0; col < PAST_COLUMNS; col++) c->sum[col] += v[ctw_rca__past_column[col]];
        for (int col = 0; col < PAST_TIMES; col++)
            ctw_rca__sketch_add(&c->time[col], f->bin[i * PAST_TIMES + (size_t)col], 1);
        uint32_t key = ctw_rca__shape(v[CTW_CALL_SPANS], v[CTW_CALL_OUT], v[CTW_CALL_ERROR]);
        ctw_rca__shapes_add(&c->shape, key, 1);
    }
    c->calls += f->w.edge[e].end - f->w.edge[e].begin;
}

static void commit_member(fold *f, size_t m)
{
    ctw_rca__share *s = share_at(f, m);
    const ctw_rca__member *mem = &f->w.member[m];
    for (size_t i = f->first[m]; i < f->first[m + 1]; i++) {
        const own *w = &f->own[i];
        double root = f->w.calls->root_us[w->trace];
        ctw_rca__moments_add(&s->incl, w->incl, root);
        ctw_rca__moments_add(&s->excl, w->excl, root);
        ctw_rca__moments_add(&s->path, w->path, root);
        ctw_rca__sketch_add(&s->incl_time, w->incl_bin, 1);
        ctw_rca__sketch_add(&s->excl_time, w->excl_bin, 1);
    }
    s->calls += f->w.group[mem->last_group - 1].end - f->w.group[mem->first_group].begin;
}

static void commit(fold *f)
{
    ctw_rca__pane *p = &f->o->pane[f->o->newest];
    for (size_t e = 0; e < f->w.edges; e++)
        if (f->bond[e] != CTW_RCA_NONE) commit_edge(f, e);
    for (size_t m = 0; m < f->w.members; m++)
        if (f->part[m] != CTW_RCA_NONE) commit_member(f, m);
    for (size_t t = 0; t < f->w.traces; t++)
        ctw_rca__moments_add(&p->root, f->w.calls->root_us[t], f->w.calls->root_us[t]);
    for (size_t k = 0; k < f->n_kept; k++) {
        ctw_rca__keep(f->o, p, f->kept[k]);
        f->kept[k].call = NULL;
    }
    p->calls += f->w.count;
    f->o->dropped += f->dropped;
    f->o->seen += f->w.traces;
}

static ctw_status fold_in(fold *f, ctw_cancel *cancel)
{
    ctw_ctx *ctx = f->o->h.ctx;
    const ctw_rca__window *w = &f->w;
    f->bond = ctw_base__alloc(ctx, w->edges, sizeof *f->bond);
    f->bin = ctw_base__alloc(ctx, w->count, PAST_TIMES * sizeof *f->bin);
    f->own = ctw_base__alloc(ctx, w->count, sizeof *f->own);
    f->first = ctw_base__alloc(ctx, w->members + 1, sizeof *f->first);
    f->part = ctw_base__alloc(ctx, w->members, sizeof *f->part);
    f->at = ctw_base__alloc(ctx, w->traces, sizeof *f->at);
    int good = f->bond && f->bin && f->own && f->first && f->part && f->at;
    ctw_status st = good ? prepare(f, cancel) : CTW_E_NOMEM;
    if (st == CTW_OK) commit(f);
    for (size_t k = 0; k < f->n_kept; k++) ctw_base__free(ctx, f->kept[k].call);
    ctw_base__free(ctx, f->kept);
    ctw_base__free(ctx, f->bond);
    ctw_base__free(ctx, f->bin);
    ctw_base__free(ctx, f->own);
    ctw_base__free(ctx, f->first);
    ctw_base__free(ctx, f->part);
    ctw_base__free(ctx, f->at);
    return st;
}

static ctw_status add(ctw_online *o, const ctw_calls *calls, ctw_cancel *cancel, const char *fn)
{
    fold f = {.o = o, .fn = fn};
    CTW_TRY(ctw_base__stopped(cancel, fn));
    if (calls->count > UINT32_MAX - o->pane[o->newest].calls)
        return ctw_base__fail(CTW_E_RANGE, "%s: a pane of %llu calls and %zu more, a pane holds 2^32 - 1", fn,
                              (unsigned long long)o->pane[o->newest].calls, calls->count);
    if (!calls->count) return CTW_OK;
    CTW_TRY(ctw_rca__window_build(o->h.ctx, &f.w, calls));
    ctw_status st = fold_in(&f, cancel);
    ctw_rca__window_free(o->h.ctx, &f.w);
    return st;
}

ctw_status ctw_online_add(ctw_online *o, const ctw_calls *calls, ctw_cancel *cancel)
{
    static const char fn[] = "ctw_online_add";
    CTW_TRY(ctw_base__handle_check(calls ? &calls->h : NULL, CTW_CALLS_MAGIC, fn, "calls"));
    CTW_TRY(ctw_base__handle_enter(o ? &o->h : NULL, CTW_ONLINE_MAGIC, fn, "o"));
    ctw_status st = add(o, calls, cancel, fn);
    ctw_base__handle_leave(&o->h);
    return st;
}
