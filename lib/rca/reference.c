/* reference.c: learning a window. All memory is taken first, so that a failure changes nothing. */
#include "rca/reference.h"
#include "base/alloc.h"
#include "num/sort.h"
#include "num/stats.h"
#include "rca/relate.h"
#include <math.h>
#include <string.h>

static ctw_rca__id op_key(uint32_t component, uint32_t op, uint32_t caller)
{
    return (ctw_rca__id){(uint64_t)caller << 32 | component, op};
}

const ctw_rca__past_op *ctw_rca__reference_op(const ctw_rca__reference *ref, uint32_t component, uint32_t op,
                                              uint32_t caller)
{
    int64_t i = ctw_rca__idmap_get(&ref->op_index, op_key(component, op, caller));
    return i < 0 ? NULL : &ref->op[i];
}

const ctw_rca__past_component *ctw_rca__reference_component(const ctw_rca__reference *ref, uint32_t name)
{
    int64_t i = ctw_rca__idmap_get(&ref->component_index, op_key(name, 0, 0));
    return i < 0 ? NULL : &ref->component[i];
}

static size_t room(size_t count, size_t more, size_t limit)
{
    return more > limit - count ? limit : count + more;
}

ctw_status ctw_rca__reference_op_room(ctw_ctx *ctx, ctw_rca__reference *ref, uint32_t component, uint32_t op,
                                      uint32_t caller, size_t more, ctw_rca__past_op **out)
{
    int added;
    CTW_TRY(ctw_rca__idmap_reserve(ctx, &ref->op_index, 1));
    CTW_TRY(ctw_base__grow(ctx, (void **)&ref->op, &ref->op_cap, ref->ops + 1, sizeof *ref->op));
    uint32_t i = ctw_rca__idmap_put(&ref->op_index, op_key(component, op, caller), (uint32_t)ref->ops, &added);
    if (added) {
        memset(&ref->op[i], 0, sizeof ref->op[i]);
        ref->op[i].component = component;
        ref->op[i].op = op;
        ref->op[i].caller = caller;
        ref->ops++;
    }
    ctw_rca__past_op *o = *out = &ref->op[i];
    size_t need = room(o->count, more, ref->limit);
    CTW_TRY(ctw_base__grow(ctx, (void **)&o->ring, &o->cap, need, sizeof *o->ring));
    return ctw_base__grow(ctx, (void **)&o->sorted, &o->sorted_cap, need, sizeof *o->sorted);
}

ctw_status ctw_rca__reference_component_room(ctw_ctx *ctx, ctw_rca__reference *ref, uint32_t name, size_t more,
                                             ctw_rca__past_component **out)
{
    int added;
    CTW_TRY(ctw_rca__idmap_reserve(ctx, &ref->component_index, 1));
    CTW_TRY(ctw_base__grow(ctx, (void **)&ref->component, &ref->component_cap, ref->components + 1,
                           sizeof *ref->component));
    uint32_t i = ctw_rca__idmap_put(&ref->component_index, op_key(name, 0, 0), (uint32_t)ref->components, &added);
    if (added) {
        memset(&ref->component[i], 0, sizeof ref->component[i]);
        ref->component[i].name = name;
        ref->components++;
    }
    ctw_rca__past_component *c = *out = &ref->component[i];
    return ctw_base__grow(ctx, (void **)&c->ring, &c->cap, room(c->count, more, ref->limit), sizeof *c->ring);
}

static uint32_t mapped(const uint32_t *map, uint32_t caller)
{
    return caller == CTW_RCA_NONE ? caller : map[caller];
}

static ctw_status reserve(ctw_ctx *ctx, ctw_rca__reference *ref, const ctw_rca__window *w, const uint32_t *map)
{
    ctw_rca__past_op *op;
    ctw_rca__past_component *component;
    for (size_t m = 0; m < w->members; m++) {
        uint32_t name = map[w->member[m].name];
        size_t calls = 0;
        for (size_t g = w->member[m].first_group; g < w->member[m].last_group; g++) {
            const ctw_rca__group *group = &w->group[g];
            size_t k = group->end - group->begin;
            calls += k;
            CTW_TRY(ctw_rca__reference_op_room(ctx, ref, name, map[group->op], CTW_RCA_ANYBODY, k, &op));
            for (size_t e = group->first_edge; e < group->last_edge; e++)
                CTW_TRY(ctw_rca__reference_op_room(ctx, ref, name, map[group->op], mapped(map, w->edge[e].caller),
                                                   w->edge[e].end - w->edge[e].begin, &op));
        }
        CTW_TRY(ctw_rca__reference_component_room(ctx, ref, name, calls, &component));
    }
    return CTW_OK;
}

/* Slot for one more element of a ring of at most `limit`: the end while it grows, else the oldest's place. */
static size_t ring_slot(size_t *count, size_t *head, size_t limit)
{
    if (*count < limit) return (*count)++;
    size_t at = *head;
    *head = (at + 1) % limit;
    return at;
}

static double log_offset(double us)
{
    return log(us + CTW_RCA_OFFSET_US);
}

/* v: the column's values; sorted on return. */
static void refresh_time(ctw_rca__past_op *op, int col, double *v)
{
    size_t n = op->count;
    ctw_num__sort(v, n);
    op->median[col] = ctw_num__quantile_sorted(v, n, 0.5);
    double low = ctw_num__quantile_sorted(v, n, 0.25), high = ctw_num__quantile_sorted(v, n, 0.75);
    op->spread[col] = fmax((log_offset(high) - log_offset(low)) / 1.35, 0.05);
    op->p90[col] = ctw_num__quantile_sorted(v, n, 0.9);
    op->tail[col] = fmax((log_offset(op->p90[col]) - log_offset(op->median[col])) / 1.28, op->spread[col]);
    if (col != PAST_EXCL) return;
    for (size_t i = 0; i < n; i++) op->sorted[i] = (float)v[i];
}

void ctw_rca__reference_refresh_op(ctw_rca__past_op *op, double *scratch)
{
    if (!op->count) return;
    op->shape = (ctw_rca__shapes){0};
    for (size_t i = 0; i < op->count; i++) {
        const float *v = op->ring[i].v;
        uint32_t key = ctw_rca__shape((double)v[PAST_SPANS], (double)v[PAST_OUT], (double)v[PAST_ERROR]);
        ctw_rca__shapes_add(&op->shape, key, 1);
    }
    for (int col = 0; col < PAST_COLUMNS; col++) {
        double sum = 0, var = 0, n = (double)op->count;
        for (size_t i = 0; i < op->count; i++) sum += scratch[i] = op->ring[i].v[col];
        op->mean[col] = sum / n;
        for (size_t i = 0; i < op->count; i++) var += (scratch[i] - op->mean[col]) * (scratch[i] - op->mean[col]);
        op->var[col] = var / n;
        if (col < PAST_TIMES) refresh_time(op, col, scratch);
    }
}

void ctw_rca__reference_refresh_component(ctw_rca__past_component *c, double *scratch)
{
    double *root = scratch + c->count;
    for (size_t i = 0; i < c->count; i++) {
        scratch[i] = c->ring[i].own;
        root[i] = c->ring[i].root;
    }
    c->importance = ctw_rca__importance(scratch, root, c->count);
    c->congestion = c->count ? ctw_rca__congestion(scratch, c->count, 0) : 0;
}

static void learn_calls(ctw_rca__reference *ref, ctw_rca__past_op *o, const ctw_rca__window *w, size_t begin,
                        size_t end, double *scratch)
{
    for (size_t i = begin; i < end; i++) {
        const double *v = w->calls->row[w->order[i]].v;
        ctw_rca__past *p = &o->ring[ring_slot(&o->count, &o->head, ref->limit)];
        for (int col = 0; col < PAST_COLUMNS; col++) p->v[col] = (float)v[ctw_rca__past_column[col]];
    }
    ctw_rca__reference_refresh_op(o, scratch);
}

/* Sums the member's response time in each trace (own[], zero on entry and on return) and keeps the pairs. */
static void learn_member(ctw_rca__reference *ref, ctw_rca__past_component *c, const ctw_rca__window *w,
                         const ctw_rca__member *m, double *own, double *scratch)
{
    size_t begin = w->group[m->first_group].begin, end = w->group[m->last_group - 1].end;
    for (size_t i = begin; i < end; i++) {
        const ctw_rca__call *r = &w->calls->row[w->order[i]];
        own[r->trace] += r->v[CTW_CALL_INCL] + 1e-300; /* never exactly 0: marks the trace as seen */
    }
    for (size_t i = begin; i < end; i++) {
        uint32_t t = w->calls->row[w->order[i]].trace;
        if (own[t] == 0) continue;
        c->ring[ring_slot(&c->count, &c->head, ref->limit)] =
            (ctw_rca__past_trace){(float)own[t], (float)w->calls->root_us[t]};
        own[t] = 0;
    }
    c->calls += (double)(end - begin);
    ctw_rca__reference_refresh_component(c, scratch);
}

static ctw_rca__past_op *op_at(ctw_rca__reference *ref, uint32_t component, uint32_t op, uint32_t caller)
{
    return &ref->op[ctw_rca__idmap_get(&ref->op_index, op_key(component, op, caller))];
}

static void learn_window(ctw_rca__reference *ref, const ctw_rca__window *w, const uint32_t *map, double *own,
                         double *scratch)
{
    for (size_t i = 0; i < ref->components; i++) ref->component[i].calls *= ref->keep;
    for (size_t m = 0; m < w->members; m++) {
        const ctw_rca__member *mem = &w->member[m];
        uint32_t name = map[mem->name];
        for (size_t g = mem->first_group; g < mem->last_group; g++) {
            const ctw_rca__group *group = &w->group[g];
            uint32_t op = map[group->op];
            learn_calls(ref, op_at(ref, name, op, CTW_RCA_ANYBODY), w, group->begin, group->end, scratch);
            for (size_t e = group->first_edge; e < group->last_edge; e++)
                learn_calls(ref, op_at(ref, name, op, mapped(map, w->edge[e].caller)), w, w->edge[e].begin,
                            w->edge[e].end, scratch);
        }
        int64_t at = ctw_rca__idmap_get(&ref->component_index, op_key(name, 0, 0));
        learn_member(ref, &ref->component[at], w, mem, own, scratch);
    }
    ref->traces = ref->traces * ref->keep + (double)w->calls->trace_count;
    ref->windows++;
}

ctw_status ctw_rca__reference_learn(ctw_ctx *ctx, ctw_rca__reference *ref, const ctw_rca__window *w,
                                    const uint32_t *map)
{
    CTW_TRY(reserve(ctx, ref, w, map));
    double *scratch = ctw_base__alloc(ctx, 2 * ref->limit, sizeof *scratch);
    double *own = CTW_NEW(ctx, w->calls->trace_count, double);
    ctw_status st = scratch && own ? CTW_OK : CTW_E_NOMEM;
    if (st == CTW_OK) learn_window(ref, w, map, own, scratch);
    ctw_base__free(ctx, scratch);
    ctw_base__free(ctx, own);
    return st;
}

void ctw_rca__reference_clear(ctw_ctx *ctx, ctw_rca__reference *ref)
{
    for (size_t i = 0; i < ref->ops; i++) {
        ctw_base__free(ctx, ref->op[i].ring);
        ctw_base__free(ctx, ref->op[i].sorted);
    }
    for (size_t i = 0; i < ref->components; i++) ctw_base__free(ctx, ref->component[i].ring);
    ctw_rca__idmap_free(ctx, &ref->op_index);
    ctw_rca__idmap_free(ctx, &ref->component_index);
    ctw_base__free(ctx, ref->op);
    ctw_base__free(ctx, ref->component);
    *ref = (ctw_rca__reference){.limit = ref->limit, .keep = ref->keep};
}
