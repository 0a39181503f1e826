/* changes.c: what a new plan does otherwise than the one before, row by row. Rows are matched by the host's ids. */
#include "num/sort.h"
#include "place/solution.h"
#include <string.h>

typedef struct differ {
    const ctw_solution *a, *b;
    int64_t from;
    int32_t *change;
    int64_t *later, *moved;
} differ;

static int64_t node_of(const ctw_solution *s, int32_t server)
{
    return s->node_id[s->server_row[server]];
}

/* The same host's server? Rows by id. */
static int same_server(const differ *d, int32_t x, int32_t y)
{
    return node_of(d->a, x) == node_of(d->b, y) && d->a->server_index[x] == d->b->server_index[y];
}

/* A unit's places from the slot on: first entry and how many. */
static int32_t tail(const ctw_solution *s, size_t row, int32_t unit, int64_t from, size_t *e)
{
    int32_t n = s->run[s->unit0[row] + (size_t)unit], skip = 0;
    *e = s->entry0[row] + (size_t)unit * (size_t)s->duration[row];
    while (skip < n && s->slot[*e + (size_t)skip] < from) skip++;
    *e += (size_t)skip;
    return n - skip;
}

static void compare_unit(differ *d, size_t i, size_t j, int32_t unit)
{
    size_t e, f;
    int32_t n = tail(d->a, i, unit, d->from, &e), m = tail(d->b, j, unit, d->from, &f), *out = d->change + j;
    if (n == 0 && m > 0) *out |= CTW_CHANGE_STARTED;
    if (n > 0 && m == 0) *out |= CTW_CHANGE_DROPPED;
    if (n == 0 || m == 0) return;
    int64_t later = d->b->slot[f + (size_t)m - 1] - d->a->slot[e + (size_t)n - 1];
    if (later > 0) *out |= CTW_CHANGE_LATER;
    if (later < 0) *out |= CTW_CHANGE_EARLIER;
    if (d->later && later > d->later[j]) d->later[j] = later;
    for (int32_t q = 0, r = 0; q < n && r < m;) {
        int32_t s = d->a->slot[e + (size_t)q], t = d->b->slot[f + (size_t)r];
        if (s == t && !same_server(d, d->a->server[e + (size_t)q], d->b->server[f + (size_t)r])) {
            *out |= CTW_CHANGE_MOVED;
            if (d->moved) d->moved[j]++;
        }
        q += s <= t;
        r += t <= s;
    }
}

typedef struct seat {
    int64_t node, index;
} seat;

static int cmp_seat(const void *pa, const void *pb, void *user)
{
    const seat *a = pa, *b = pb;
    (void)user;
    if (a->node != b->node) return a->node < b->node ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static size_t seats_of(const ctw_solution *s, size_t service, size_t t, seat *out)
{
    size_t cell = service * s->slots + t, n = 0;
    for (int32_t q = 0; q < s->load[cell]; q++) {
        int32_t at = s->service_server[s->service_entry[cell] + (size_t)q];
        if (at >= 0) out[n++] = (seat){node_of(s, at), s->server_index[at]};
    }
    ctw_num__sort_by(out, n, sizeof *out, cmp_seat, NULL);
    return n;
}

/* Replicas on servers that had none to spare in the old plan of the slot, up to the number that both run. */
static void compare_service(differ *d, size_t i, size_t j, seat *x, seat *y)
{
    size_t l = (size_t)d->a->service[i], m = (size_t)d->b->service[j];
    for (size_t t = (size_t)d->from; t < d->a->slots && t < d->b->slots; t++) {
        size_t n = seats_of(d->a, l, t, x), o = seats_of(d->b, m, t, y), same = 0;
        for (size_t p = 0, q = 0; p < n && q < o;) {
            int c = cmp_seat(x + p, y + q, NULL);
            same += c == 0;
            p += c <= 0;
            q += c >= 0;
        }
        size_t both = n < o ? n : o;
        if (both == same) continue;
        d->change[j] |= CTW_CHANGE_MOVED;
        if (d->moved) d->moved[j] += (int64_t)(both - same);
    }
}

static void compare_rows(differ *d, size_t i, size_t j, seat *x, seat *y)
{
    if ((d->a->service[i] >= 0) != (d->b->service[j] >= 0)) {
        d->change[j] |= CTW_CHANGE_NEW;
    } else if (d->a->service[i] >= 0) {
        compare_service(d, i, j, x, y);
    } else {
        for (int32_t u = 0; u < d->a->count[i] && u < d->b->count[j]; u++) compare_unit(d, i, j, u);
    }
}

static size_t most_replicas(const ctw_solution *s)
{
    int32_t most = 0;
    for (size_t i = 0; i < s->services * s->slots; i++) most = s->load[i] > most ? s->load[i] : most;
    return (size_t)most;
}

static ctw_status compare_all(differ *d)
{
    ctw_ctx *ctx = d->b->h.ctx;
    const ctw_solution *a = d->a, *b = d->b;
    size_t *p = CTW_NEW(ctx, a->jobs, size_t), *q = CTW_NEW(ctx, b->jobs, size_t);
    seat *x = CTW_NEW(ctx, most_replicas(a), seat), *y = CTW_NEW(ctx, most_replicas(b), seat);
    ctw_status s = p && q && x && y ? CTW_OK : CTW_E_NOMEM;
    if (s == CTW_OK) {
        ctw_num__argsort_i64(a->job_id, p, a->jobs);
        ctw_num__argsort_i64(b->job_id, q, b->jobs);
        for (size_t i = 0, j = 0; j < b->jobs; j++) {
            size_t row = q[j];
            while (i < a->jobs && a->job_id[p[i]] < b->job_id[row]) i++;
            d->change[row] = 0;
            if (d->later) d->later[row] = 0;
            if (d->moved) d->moved[row] = 0;
            if (i < a->jobs && a->job_id[p[i]] == b->job_id[row]) {
                compare_rows(d, p[i], row, x, y);
            } else {
                d->change[row] = CTW_CHANGE_NEW;
            }
        }
    }
    void *all[] = {p, q, x, y};
    for (size_t i = 0; i < 4; i++) ctw_base__free(ctx, all[i]);
    return s;
}

ctw_status ctw_solution_changes(const ctw_solution *before, const ctw_solution *after, int64_t from, int32_t *change,
                                int64_t *later, int64_t *moved, uint64_t n)
{
    CTW_TRY(ctw_base__handle_check(before ? &before->h : NULL, CTW_SOLUTION_MAGIC, __func__, "before"));
    CTW_TRY(ctw_base__handle_check(after ? &after->h : NULL, CTW_SOLUTION_MAGIC, __func__, "after"));
    CTW_TRY(ctw_base__need_n(change, n, __func__, "change"));
    if (n != after->jobs) {
        return ctw_base__fail(CTW_E_SHAPE, "%s: n is %llu, the new plan has %zu job rows", __func__,
                              (unsigned long long)n, after->jobs);
    }
    if (from < 0) return ctw_base__fail(CTW_E_RANGE, "%s: from is %lld, must be >= 0", __func__, (long long)from);
    differ d = {before, after, from, change, later, moved};
    return compare_all(&d);
}
