/* verify_moves.c: migrations counted anew, by the rule of ctw_place_set_job_migration, without the solvers' code: each
 * row's placements are listed and put in order of slot, and neighbours compared. */
#include "place/verify_moves.h"
#include "num/sort.h"
#include <string.h>

typedef struct watcher {
    const ctw_place *p;
    ctw_place__spot *list; /* one row's placements; slot -1: where it ran before */
    size_t n, cap;
    int64_t *there; /* servers: replicas of the slot before */
    size_t *first;  /* nodes + 1: flat number of a row's first server */
    int64_t moves;
    double grams;
    double *draw; /* regions x slots, or NULL: mean W of moves are added */
} watcher;

static size_t flat(const watcher *w, const ctw_place__spot *x)
{
    return w->first[x->node_row] + (size_t)x->server;
}

static void moved(watcher *w, const ctw_place__spot *x)
{
    const ctw_place *p = w->p;
    size_t region = (size_t)ctw_place__i64(p->nodes.region, (size_t)x->node_row, 0);
    w->moves++;
    size_t at = region * p->slots + (size_t)x->slot;
    double wh = ctw_place__f64(p->jobs.migration, (size_t)x->job_row, 0);
    w->grams += wh * p->carbon[at] / 1000;
    if (w->draw) w->draw[at] += wh / (p->opt.slot_s / 3600);
}

static int cmp_unit(const void *pa, const void *pb, void *user)
{
    const ctw_place__spot *a = pa, *b = pb;
    (void)user;
    if (a->unit != b->unit) return a->unit < b->unit ? -1 : 1;
    return a->slot < b->slot ? -1 : a->slot > b->slot;
}

static int cmp_slot(const void *pa, const void *pb, void *user)
{
    const ctw_place__spot *a = pa, *b = pb;
    (void)user;
    if (a->slot != b->slot) return a->slot < b->slot ? -1 : 1;
    return a->unit < b->unit ? -1 : a->unit > b->unit;
}

static void watch_batch(watcher *w)
{
    ctw_num__sort_by(w->list, w->n, sizeof *w->list, cmp_unit, NULL);
    for (size_t i = 1; i < w->n; i++) {
        const ctw_place__spot *a = w->list + i - 1, *b = w->list + i;
        if (a->unit == b->unit && a->slot + 1 == b->slot && flat(w, a) != flat(w, b)) moved(w, b);
    }
}

/* Two slots in a row: what servers gained, less the growth. */
static void compare(watcher *w, const ctw_place__spot *a, size_t n, const ctw_place__spot *b, size_t m)
{
    size_t growth = m > n ? m - n : 0;
    for (size_t i = 0; i < n; i++) w->there[flat(w, a + i)]++;
    for (size_t i = 0; i < m; i++) {
        if (w->there[flat(w, b + i)]-- > 0) continue;
        if (growth > 0) {
            growth--;
        } else {
            moved(w, b + i);
        }
    }
    for (size_t i = 0; i < n; i++) w->there[flat(w, a + i)] = 0;
    for (size_t i = 0; i < m; i++) w->there[flat(w, b + i)] = 0;
}

static void watch_service(watcher *w)
{
    ctw_num__sort_by(w->list, w->n, sizeof *w->list, cmp_slot, NULL);
    size_t a = 0, b = 0, end;
    for (; b < w->n; a = b, b = end) {
        for (end = b; end < w->n && w->list[end].slot == w->list[b].slot; end++) {
        }
        if (b > a && w->list[a].slot + 1 == w->list[b].slot) compare(w, w->list + a, b - a, w->list + b, end - b);
    }
}

/* Entries of ctw_place_set_running for the row, as slot -1; entries in order of job row are in [from, ...). */
static ctw_status add_running(watcher *w, const size_t *order, size_t *from, int32_t row)
{
    const ctw_place__jobs *j = &w->p->jobs;
    while (*from < j->runs && j->run_job[order[*from]] < row) ++*from;
    for (; *from < j->runs && j->run_job[order[*from]] == row; ++*from) {
        size_t e = order[*from], node = (size_t)j->run_node[e];
        if (j->run_server[e] >= ctw_place__i64(w->p->nodes.count, node, 1)) continue;
        CTW_TRY(ctw_base__grow(w->p->h.ctx, (void **)&w->list, &w->cap, w->n + 1, sizeof *w->list));
        w->list[w->n++] = (ctw_place__spot){row, (int32_t)j->run_unit[e], -1, (int32_t)node, (int32_t)j->run_server[e]};
    }
    return CTW_OK;
}

static ctw_status walk_rows(watcher *w, const ctw_solution *s, const size_t *order)
{
    ctw_place__walk at = {.s = s};
    ctw_place__spot x = {.job_row = -1};
    size_t from = 0;
    for (int more = ctw_place__next(&at, &x); more;) {
        int32_t row = x.job_row;
        w->n = 0;
        CTW_TRY(add_running(w, order, &from, row));
        for (; more && x.job_row == row; more = ctw_place__next(&at, &x)) {
            CTW_TRY(ctw_base__grow(w->p->h.ctx, (void **)&w->list, &w->cap, w->n + 1, sizeof *w->list));
            w->list[w->n++] = x;
        }
        if (w->p->jobs.kind && w->p->jobs.kind[row] == CTW_JOB_SERVICE) {
            watch_service(w);
        } else {
            watch_batch(w);
        }
    }
    return CTW_OK;
}

ctw_status ctw_place__verify_moves(const ctw_place *p, const ctw_solution *s, int64_t *moves, double *draw,
                                   double *grams)
{
    ctw_ctx *ctx = p->h.ctx;
    watcher w;
    memset(&w, 0, sizeof w);
    w.p = p;
    w.draw = draw;
    w.first = CTW_NEW(ctx, p->nodes.n + 1, size_t);
    size_t *order = CTW_NEW(ctx, p->jobs.runs, size_t);
    ctw_status e = w.first && order ? CTW_OK : CTW_E_NOMEM;
    for (size_t i = 0; i < p->nodes.n && e == CTW_OK; i++)
        w.first[i + 1] = w.first[i] + (size_t)ctw_place__i64(p->nodes.count, i, 1);
    if (e == CTW_OK) {
        w.there = CTW_NEW(ctx, w.first[p->nodes.n], int64_t);
        e = w.there ? CTW_OK : CTW_E_NOMEM;
    }
    if (e == CTW_OK && p->jobs.runs) ctw_num__argsort_i64(p->jobs.run_job, order, p->jobs.runs);
    if (e == CTW_OK) e = walk_rows(&w, s, order);
    *moves = w.moves;
    *grams = w.grams;
    void *all[] = {w.first, order, w.there, w.list};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(ctx, all[i]);
    return e;
}
