/* forest.c: links spans to their parents. Nothing here can fail for what the spans say, and nothing recurses:
 * a chain of a million spans is as good a trace as any. */
#include "rca/forest.h"
#include "base/alloc.h"
#include "num/sort.h"
#include <string.h>

/* Marks the second span of a shared id in the map of (trace, span id). */
#define SECOND ((uint64_t)1 << 63)

static int earlier(const void *a, const void *b, void *user)
{
    const ctw_rca__span *row = user;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    if (row[x].start != row[y].start) return row[x].start < row[y].start ? -1 : 1;
    /* A span that starts with its parent comes after it. */
    if (row[x].dur != row[y].dur) return row[x].dur > row[y].dur ? -1 : 1;
    return x < y ? -1 : x > y;
}

static void sort_rows(uint32_t *v, size_t n, const ctw_rca__span *row)
{
    if (n > 48) {
        ctw_num__sort_by(v, n, sizeof *v, earlier, (void *)(uintptr_t)row);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        uint32_t x = v[i];
        size_t j = i;
        for (; j && earlier(&v[j - 1], &x, (void *)(uintptr_t)row) > 0; j--) v[j] = v[j - 1];
        v[j] = x;
    }
}

/* Counting sort by trace, then by time within each. begin has room for traces + 2 counts. */
static void order_rows(ctw_rca__forest *f, const ctw_spans *s, uint32_t only)
{
    for (size_t i = 0; i < s->count; i++)
        if (only == CTW_RCA_NONE || s->row[i].trace == only) f->begin[s->row[i].trace + 2]++;
    for (size_t t = 2; t < f->traces + 2; t++) f->begin[t] += f->begin[t - 1];
    for (size_t i = 0; i < s->count; i++)
        if (only == CTW_RCA_NONE || s->row[i].trace == only) f->order[f->begin[s->row[i].trace + 1]++] = (uint32_t)i;
    for (size_t t = 0; t < f->traces; t++) sort_rows(f->order + f->begin[t], f->begin[t + 1] - f->begin[t], f->row);
}

static int is_pair(const ctw_rca__span *a, const ctw_rca__span *b, int by_instance)
{
    int kinds = (a->kind == CTW_SPAN_CLIENT && b->kind == CTW_SPAN_SERVER) ||
                (a->kind == CTW_SPAN_SERVER && b->kind == CTW_SPAN_CLIENT);
    return kinds && ctw_rca__component(a, by_instance) != ctw_rca__component(b, by_instance);
}

/* Enters every span under its id; repeats are dropped unless they are the two halves of one remote call. */
static ctw_status enter_ids(ctw_ctx *ctx, ctw_rca__forest *f, ctw_rca__idmap *map, int by_instance)
{
    CTW_TRY(ctw_rca__idmap_reserve(ctx, map, f->n));
    for (uint32_t p = 0; p < f->n; p++) {
        const ctw_rca__span *s = ctw_rca__at(f, p);
        ctw_rca__id key = {s->trace, s->id};
        int added;
        uint32_t seen = ctw_rca__idmap_put(map, key, p, &added);
        if (added) continue;
        key.hi |= SECOND;
        if (is_pair(s, ctw_rca__at(f, seen), by_instance)) ctw_rca__idmap_put(map, key, p, &added);
        if (added) {
            f->odd.shared++;
        } else {
            f->parent[p] = CTW_RCA_DROPPED;
            f->odd.duplicates++;
        }
    }
    return CTW_OK;
}

static uint32_t find_parent(const ctw_rca__forest *f, const ctw_rca__idmap *map, uint32_t p, int by_instance)
{
    const ctw_rca__span *s = ctw_rca__at(f, p);
    int64_t a = ctw_rca__idmap_get(map, (ctw_rca__id){s->trace, s->id});
    int64_t b = ctw_rca__idmap_get(map, (ctw_rca__id){s->trace | SECOND, s->id});
    if (b >= 0 && s->kind == CTW_SPAN_SERVER) return (uint32_t)((uint32_t)a == p ? b : a); /* its client half */
    if (!s->parent) return CTW_RCA_NONE;
    a = ctw_rca__idmap_get(map, (ctw_rca__id){s->trace, s->parent});
    b = ctw_rca__idmap_get(map, (ctw_rca__id){s->trace | SECOND, s->parent});
    if (b >= 0) { /* the caller's own spans hang under the client half, all others under the server half */
        uint32_t server = ctw_rca__at(f, (uint32_t)a)->kind == CTW_SPAN_SERVER ? (uint32_t)a : (uint32_t)b;
        uint32_t client = server == (uint32_t)a ? (uint32_t)b : (uint32_t)a;
        uint32_t mine = ctw_rca__component(s, by_instance);
        return mine == ctw_rca__component(ctw_rca__at(f, client), by_instance) ? client : server;
    }
    return a < 0 ? CTW_RCA_NONE : (uint32_t)a;
}

/* Cuts each cycle at its earliest span: walk up from every span, marking this walk's path. */
static void cut_cycles(ctw_rca__forest *f, uint32_t *mark)
{
    for (uint32_t p = 0; p < f->n; p++) {
        uint32_t q = p;
        while (q < CTW_RCA_DROPPED && !mark[q]) {
            mark[q] = p + 1;
            q = f->parent[q];
        }
        if (q >= CTW_RCA_DROPPED || mark[q] != p + 1) continue;
        uint32_t first = q;
        for (uint32_t r = f->parent[q]; r != q; r = f->parent[r])
            if (r < first) first = r;
        f->parent[first] = CTW_RCA_NONE;
        f->odd.cycles++;
    }
}

static ctw_status link_parents(ctw_ctx *ctx, ctw_rca__forest *f, ctw_rca__idmap *map, int by_instance)
{
    CTW_TRY(enter_ids(ctx, f, map, by_instance));
    for (uint32_t p = 0; p < f->n; p++) {
        if (f->parent[p] == CTW_RCA_DROPPED) continue;
        f->parent[p] = find_parent(f, map, p, by_instance);
        if (f->parent[p] == CTW_RCA_NONE && ctw_rca__at(f, p)->parent) f->odd.orphans++;
    }
    cut_cycles(f, f->down);
    return CTW_OK;
}

static int64_t end_of(const ctw_rca__forest *f, uint32_t p)
{
    return ctw_rca__at(f, p)->start + ctw_rca__at(f, p)->dur;
}

static int ended_later(const void *a, const void *b, void *user)
{
    const ctw_rca__forest *f = user;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    int64_t ex = end_of(f, x), ey = end_of(f, y);
    if (ex != ey) return ex > ey ? -1 : 1;
    return x > y ? -1 : x < y;
}

static void sort_ends(ctw_rca__forest *f, uint32_t *v, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) { /* nearly right already: the last to start tends to end last */
        uint32_t x = v[i];
        v[i] = v[n - 1 - i];
        v[n - 1 - i] = x;
    }
    if (n > 48) {
        ctw_num__sort_by(v, n, sizeof *v, ended_later, f);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        uint32_t x = v[i];
        size_t j = i;
        for (; j && ended_later(&v[j - 1], &x, f) > 0; j--) v[j] = v[j - 1];
        v[j] = x;
    }
}

/* child_begin has room for n + 2 counts. */
static void list_children(ctw_rca__forest *f)
{
    for (uint32_t p = 0; p < f->n; p++) {
        uint32_t q = f->parent[p];
        if (q >= CTW_RCA_DROPPED) continue;
        f->child_begin[q + 2]++;
        if (end_of(f, p) > end_of(f, q)) f->odd.late++;
        if (ctw_rca__at(f, p)->start < ctw_rca__at(f, q)->start) f->odd.early++;
    }
    for (size_t p = 2; p < f->n + 2; p++) f->child_begin[p] += f->child_begin[p - 1];
    for (uint32_t p = 0; p < f->n; p++)
        if (f->parent[p] < CTW_RCA_DROPPED) f->by_start[f->child_begin[f->parent[p] + 1]++] = p;
    memcpy(f->by_end, f->by_start, f->child_begin[f->n] * sizeof *f->by_end);
    for (size_t p = 0; p < f->n; p++)
        sort_ends(f, f->by_end + f->child_begin[p], f->child_begin[p + 1] - f->child_begin[p]);
}

/* Breadth first from the roots, so that one pass down (or up) sees parents before (or after) children. */
static void order_down(ctw_rca__forest *f)
{
    for (uint32_t p = 0; p < f->n; p++) {
        if (f->parent[p] != CTW_RCA_NONE) continue;
        f->down[f->kept++] = p;
        uint32_t *root = &f->root[ctw_rca__at(f, p)->trace];
        if (*root != CTW_RCA_NONE) f->odd.extra_roots++;
        if (*root == CTW_RCA_NONE || ctw_rca__at(f, p)->dur > ctw_rca__at(f, *root)->dur) *root = p;
    }
    for (size_t i = 0; i < f->kept; i++)
        for (uint32_t c = f->child_begin[f->down[i]]; c < f->child_begin[f->down[i] + 1]; c++)
            f->down[f->kept++] = f->by_start[c];
}

static ctw_status allocate(ctw_ctx *ctx, ctw_rca__forest *f)
{
    f->order = ctw_base__alloc(ctx, f->n, sizeof *f->order);
    f->begin = CTW_NEW(ctx, f->traces + 2, size_t);
    f->parent = CTW_NEW(ctx, f->n, uint32_t);
    f->child_begin = CTW_NEW(ctx, f->n + 2, uint32_t);
    f->by_start = ctw_base__alloc(ctx, f->n, sizeof *f->by_start);
    f->by_end = ctw_base__alloc(ctx, f->n, sizeof *f->by_end);
    f->down = CTW_NEW(ctx, f->n, uint32_t); /* zeroed: the marks of cut_cycles first */
    f->root = ctw_base__alloc(ctx, f->traces, sizeof *f->root);
    if (!f->order || !f->begin || !f->parent || !f->child_begin || !f->by_start || !f->by_end || !f->down || !f->root)
        return CTW_E_NOMEM;
    memset(f->root, 0xff, f->traces * sizeof *f->root);
    return CTW_OK;
}

ctw_status ctw_rca__forest_build(ctw_ctx *ctx, ctw_rca__forest *f, const ctw_spans *s, int by_instance, uint32_t only)
{
    memset(f, 0, sizeof *f);
    f->row = s->row;
    f->traces = s->trace_count;
    f->n = only == CTW_RCA_NONE ? s->count : s->per_trace[only];
    ctw_rca__idmap map = {.salt = s->traces.salt};
    ctw_status st = allocate(ctx, f);
    if (st == CTW_OK) {
        order_rows(f, s, only);
        st = link_parents(ctx, f, &map, by_instance);
    }
    ctw_rca__idmap_free(ctx, &map);
    if (st != CTW_OK) {
        ctw_rca__forest_free(ctx, f);
        return st;
    }
    list_children(f);
    order_down(f);
    return CTW_OK;
}

void ctw_rca__forest_free(ctw_ctx *ctx, ctw_rca__forest *f)
{
    ctw_base__free(ctx, f->order);
    ctw_base__free(ctx, f->begin);
    ctw_base__free(ctx, f->parent);
    ctw_base__free(ctx, f->child_begin);
    ctw_base__free(ctx, f->by_start);
    ctw_base__free(ctx, f->by_end);
    ctw_base__free(ctx, f->down);
    ctw_base__free(ctx, f->root);
    memset(f, 0, sizeof *f);
}
