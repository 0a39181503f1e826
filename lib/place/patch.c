/* patch.c: tier 0. Every guest of the slot keeps its server if that still stands and has the room; so nothing moves
 * that need not. The others are placed, services first and large before small: on a server that is on, where the unit
 * draws least among the tightest few; else a preemptible unit with time to spare waits; else a server is switched on;
 * else a service takes the place of preemptible units, then of others. What finds nothing is listed. No price is looked
 * at: the slot is made right at once, and the horizon is optimised by the next solve. */
#include "place/patch.h"
#include "base/cancel.h"
#include "num/sort.h"
#include <math.h>
#include <string.h>

/* Servers with room among which one is chosen, those with least room first; and servers looked at for that. */
enum { CANDIDATES = 12, LOOKS = 256 };

static const double *cap_of(const ctw_place__patch *x, int32_t row)
{
    return x->p->nodes.cap + (size_t)row * x->p->nodes.r;
}

static int may_use(const ctw_place__patch *x, int32_t job, const ctw_place__patch_group *g)
{
    const ctw_place__jobs *j = &x->p->jobs;
    size_t i = (size_t)job;
    int64_t home = ctw_place__i64(j->region, i, -1), type = ctw_place__i64(j->type, i, -1);
    return (home < 0 || ctw_place__flag(j->movable, i) || home == g->region) && (type < 0 || type == g->type);
}

static double idle_of(const ctw_place__patch *x, int32_t row)
{
    return ctw_place__f64(x->p->nodes.idle, (size_t)row, 0);
}

/* Watts that one unit of the job adds on the server. */
static double added(const ctw_place__patch *x, int32_t server, int32_t job)
{
    int32_t row = x->row_of[server];
    return ctw_place__patch_unit_watts(x, (size_t)row, job) + (x->load[server] ? 0 : idle_of(x, row));
}

static int spread_allows(const ctw_place__patch *x, int32_t server, int32_t job)
{
    int64_t most = ctw_place__i64(x->p->jobs.spread, (size_t)job, 0), there = 0;
    if (most == 0) return 1;
    for (int32_t g = x->guests_of[server]; g >= 0; g = x->guest[g].next) there += x->guest[g].row == job;
    return there < most;
}

static int fits(const ctw_place__patch *x, int32_t server, int32_t job)
{
    const ctw_place__nodes *n = &x->p->nodes;
    int32_t row = x->row_of[server];
    const double *d = ctw_place__patch_demand(x, job), *cap = cap_of(x, row), *use = x->use + (size_t)server * x->r;
    for (size_t j = 0; j < x->r; j++) {
        if (use[j] + d[x->res[j]] > cap[x->res[j]] * (1 + 1e-9)) return 0;
    }
    if (n->cap_w) {
        double watts = idle_of(x, row) + ctw_place__patch_unit_watts(x, (size_t)row, job);
        for (size_t j = 0; j < x->r && n->watt; j++) watts += use[j] * n->watt[(size_t)row * n->r + x->res[j]];
        if (watts > n->cap_w[row] * (1 + 1e-9)) return 0;
    }
    size_t region = (size_t)x->group[x->group_of[row]].region;
    if (x->p->region_cap && x->watts[region] + added(x, server, job) > x->p->region_cap[region] * (1 + 1e-9)) return 0;
    int32_t rack = x->rack_of ? x->rack_of[row] : -1;
    if (rack >= 0 && x->rack_watts[rack] + added(x, server, job) > x->p->rack_cap[rack] * (1 + 1e-9)) return 0;
    return spread_allows(x, server, job);
}

/* The bucket of a server with that much of resource 0 free. */
static int32_t bucket_of(const ctw_place__patch *x, double room)
{
    if (x->r == 0 || x->most <= 0) return 0;
    double b = room / x->most * (CTW_PLACE_PATCH_BUCKETS - 1);
    return b <= 0 ? 0 : b >= CTW_PLACE_PATCH_BUCKETS - 1 ? CTW_PLACE_PATCH_BUCKETS - 1 : (int32_t)b;
}

static void unlist(ctw_place__patch *x, int32_t v)
{
    if (x->bucket[v] < 0) return;
    int32_t *head = x->group[x->group_of[x->row_of[v]]].head + x->bucket[v];
    if (x->prev[v] >= 0) {
        x->next[x->prev[v]] = x->next[v];
    } else {
        *head = x->next[v];
    }
    if (x->next[v] >= 0) x->prev[x->next[v]] = x->prev[v];
    x->bucket[v] = -1;
}

/* Puts the server where its room says; servers that are off are in no bucket. */
static void list(ctw_place__patch *x, int32_t v)
{
    int32_t row = x->row_of[v], b = 0;
    if (x->r) b = bucket_of(x, cap_of(x, row)[x->res[0]] - x->use[(size_t)v * x->r]);
    if (x->load[v] && b == x->bucket[v]) return;
    unlist(x, v);
    if (!x->load[v]) return;
    int32_t *head = x->group[x->group_of[row]].head + b;
    x->bucket[v] = b;
    x->prev[v] = -1;
    x->next[v] = *head;
    if (*head >= 0) x->prev[*head] = v;
    *head = v;
}

static void shift(ctw_place__patch *x, int32_t guest, int32_t server, int by)
{
    const ctw_place__patch_guest *g = x->guest + guest;
    const double *d = ctw_place__patch_demand(x, g->row);
    double *use = x->use + (size_t)server * x->r;
    if (by < 0) x->load[server]--;
    int32_t row = x->row_of[server], rack = x->rack_of ? x->rack_of[row] : -1;
    double watts = by * added(x, server, g->row);
    x->watts[x->group[x->group_of[row]].region] += watts;
    if (rack >= 0) x->rack_watts[rack] += watts;
    if (by > 0) x->load[server]++;
    for (size_t j = 0; j < x->r; j++) use[j] = x->load[server] ? use[j] + by * d[x->res[j]] : 0;
}

static void put(ctw_place__patch *x, int32_t guest, int32_t server)
{
    shift(x, guest, server, 1);
    x->guest[guest].server = server;
    x->guest[guest].next = x->guests_of[server];
    x->guests_of[server] = guest;
}

static void take(ctw_place__patch *x, int32_t guest)
{
    int32_t server = x->guest[guest].server, *at = x->guests_of + server;
    while (*at != guest) at = &x->guest[*at].next;
    *at = x->guest[guest].next;
    shift(x, guest, server, -1);
    x->guest[guest].server = -1;
}

/* Those who can stay, stay: services first, so that under a smaller cap the others go. */
static void keep(ctw_place__patch *x)
{
    for (int32_t kind = CTW_PLACE_PATCH_SERVICE; kind <= CTW_PLACE_PATCH_PREEMPTIBLE; kind++) {
        for (size_t g = 0; g < x->guests; g++) {
            ctw_place__patch_guest *q = x->guest + g;
            if (q->kind != kind) continue;
            if (q->was >= 0 && may_use(x, q->row, x->group + x->group_of[x->row_of[q->was]]) &&
                fits(x, q->was, q->row)) {
                put(x, (int32_t)g, q->was);
            } else {
                x->queue[x->queued++] = (int32_t)g;
            }
        }
    }
    for (size_t v = 0; v < x->servers; v++) list(x, (int32_t)v);
}

/* Services, then units that must not pause, then the others; in each the large before the small. */
static ctw_status order_queue(ctw_place__patch *x)
{
    ctw_ctx *ctx = ctw_place__patch_ctx(x);
    double *key = CTW_NEW(ctx, x->queued, double);
    size_t *order = CTW_NEW(ctx, x->queued, size_t);
    int32_t *sorted = CTW_NEW(ctx, x->guests, int32_t);
    ctw_status s = key && order && sorted ? CTW_OK : CTW_E_NOMEM;
    for (size_t i = 0; i < x->queued && s == CTW_OK; i++) {
        const ctw_place__patch_guest *g = x->guest + x->queue[i];
        double size = x->r && x->most > 0 ? ctw_place__patch_demand(x, g->row)[x->res[0]] / x->most : 0;
        key[i] = g->kind - fmin(size, 1) / 2;
    }
    if (s == CTW_OK) {
        ctw_num__argsort(key, order, x->queued);
        for (size_t i = 0; i < x->queued; i++) sorted[i] = x->queue[order[i]];
        ctw_base__free(ctx, x->queue);
        x->queue = sorted;
        sorted = NULL;
    }
    ctw_base__free(ctx, key);
    ctw_base__free(ctx, order);
    ctw_base__free(ctx, sorted);
    return s;
}

/* A server that is on, among the tightest CANDIDATES that have the room the one on which the unit draws least; -1. */
static int32_t find_open(const ctw_place__patch *x, int32_t job, int64_t looks)
{
    double most = INFINITY;
    int32_t best = -1, seen = 0;
    int32_t from = x->r ? bucket_of(x, ctw_place__patch_demand(x, job)[x->res[0]] * (1 - 1e-9)) : 0;
    for (size_t g = 0; g < x->groups; g++, seen = 0) {
        if (!may_use(x, job, x->group + g)) continue;
        for (int32_t b = from; b < CTW_PLACE_PATCH_BUCKETS && seen < CANDIDATES; b++) {
            for (int32_t v = x->group[g].head[b]; v >= 0 && seen < CANDIDATES && looks-- > 0; v = x->next[v]) {
                if (!fits(x, v, job)) continue;
                seen++;
                double w = added(x, v, job);
                if (w >= most) continue;
                most = w;
                best = v;
            }
        }
    }
    return best;
}

/* The next server of the row that is off, -1 when all are on. */
static int32_t next_off(ctw_place__patch *x, size_t row)
{
    size_t n = x->first[row + 1] - x->first[row];
    while ((size_t)x->off[row] < n && x->load[x->first[row] + (size_t)x->off[row]]) x->off[row]++;
    return (size_t)x->off[row] < n ? (int32_t)x->first[row] + x->off[row] : -1;
}

/* The server to switch on: least idle power for the share of it that the unit fills, load included. */
static int32_t find_off(ctw_place__patch *x, int32_t job)
{
    const double *d = ctw_place__patch_demand(x, job);
    double least = INFINITY;
    int32_t best = -1;
    for (size_t i = 0; i < x->p->nodes.n; i++) {
        int32_t v = next_off(x, i);
        if (v < 0 || !may_use(x, job, x->group + x->group_of[i])) continue;
        double share = 0;
        for (size_t j = 0; j < x->r; j++) {
            double cap = cap_of(x, (int32_t)i)[x->res[j]];
            if (d[x->res[j]] > 0) share = fmax(share, cap > 0 ? d[x->res[j]] / cap : 1);
        }
        double cost = idle_of(x, (int32_t)i) * share + ctw_place__patch_unit_watts(x, i, job);
        if (cost >= least || !fits(x, v, job)) continue;
        least = cost;
        best = v;
    }
    return best;
}

/* Slots of its window after this one suffice for what the unit has still to run. */
static int can_wait(const ctw_place__patch *x, const ctw_place__patch_guest *g)
{
    int64_t end = ctw_place__i64(x->p->jobs.deadline, (size_t)g->row, (int64_t)x->p->slots);
    if (end > (int64_t)x->p->slots) end = (int64_t)x->p->slots;
    return g->kind == CTW_PLACE_PATCH_PREEMPTIBLE && end - (int64_t)x->slot - 1 >= g->rest;
}

/* Frees room on the server for the job by taking out guests of the kind or later ones; 0 (nothing taken) when that does
 * not suffice. Who was taken joins the queue. */
static int clear(ctw_place__patch *x, int32_t server, int32_t job, int32_t kind)
{
    size_t mark = x->queued;
    for (int32_t k = CTW_PLACE_PATCH_PREEMPTIBLE; k >= kind && !fits(x, server, job); k--) {
        for (int32_t g = x->guests_of[server], after; g >= 0 && !fits(x, server, job); g = after) {
            after = x->guest[g].next;
            if (x->guest[g].kind != k) continue;
            take(x, g);
            x->queue[x->queued++] = g;
        }
    }
    if (fits(x, server, job)) return 1;
    while (x->queued > mark) put(x, x->queue[--x->queued], server);
    return 0;
}

/* A server on which a service can take the place of batch units: preemptible ones if possible. */
static int32_t find_by_force(ctw_place__patch *x, int32_t job, size_t *turn)
{
    for (int32_t kind = CTW_PLACE_PATCH_PREEMPTIBLE; kind >= CTW_PLACE_PATCH_WHOLE; kind--) {
        for (size_t i = 0; i < x->servers; i++) {
            size_t v = (*turn + i) % x->servers;
            if (!x->load[v] || !may_use(x, job, x->group + x->group_of[x->row_of[v]])) continue;
            if (!clear(x, (int32_t)v, job, kind)) continue;
            *turn = v;
            return (int32_t)v;
        }
    }
    return -1;
}

static void count_lost(ctw_place__patch *x, const ctw_place__patch_guest *g)
{
    if (g->kind == CTW_PLACE_PATCH_SERVICE) {
        x->unplaced++;
    } else if (can_wait(x, g)) {
        x->paused++;
    } else {
        x->broken++;
    }
}

static int same_demand(const ctw_place__patch *x, int32_t a, int32_t b)
{
    const ctw_place__jobs *j = &x->p->jobs;
    size_t p = (size_t)a, q = (size_t)b;
    return a == b ||
           (memcmp(ctw_place__patch_demand(x, a), ctw_place__patch_demand(x, b), j->r * sizeof(double)) == 0 &&
            ctw_place__i64(j->region, p, -1) == ctw_place__i64(j->region, q, -1) &&
            ctw_place__i64(j->type, p, -1) == ctw_place__i64(j->type, q, -1) &&
            ctw_place__flag(j->movable, p) == ctw_place__flag(j->movable, q) && ctw_place__i64(j->spread, p, 0) == 0 &&
            ctw_place__i64(j->spread, q, 0) == 0);
}

/* Guests that were taken out by force stand behind the others in the queue: they come last. */
static ctw_status settle(ctw_place__patch *x)
{
    size_t turn = 0;
    int32_t hopeless = -1; /* the last job row for which even force found no room */
    for (size_t i = 0; i < x->queued; i++) {
        ctw_place__patch_guest *g = x->guest + x->queue[i];
        if (i % 64 == 0) CTW_TRY(ctw_base__stopped(x->cancel, x->fn));
        int late = ctw_base__now() > x->deadline, service = g->kind == CTW_PLACE_PATCH_SERVICE;
        int32_t v = find_open(x, g->row, LOOKS);
        if (v < 0 && !can_wait(x, g)) {
            v = find_off(x, g->row);
            x->woken += v >= 0;
            if (v < 0) v = find_open(x, g->row, INT64_MAX);
        }
        if (v < 0 && service && !late && (hopeless < 0 || !same_demand(x, hopeless, g->row))) {
            v = find_by_force(x, g->row, &turn);
            if (v < 0) hopeless = g->row;
        }
        if (v < 0) {
            count_lost(x, g);
            continue;
        }
        put(x, x->queue[i], v);
        list(x, v);
        x->moved++;
    }
    return CTW_OK;
}

ctw_status ctw_place__patch_place(ctw_place__patch *x)
{
    keep(x);
    CTW_TRY(order_queue(x));
    return settle(x);
}
