/* respond.c: units answer prices one after the other. A unit's answer is exact: the cheapest slots of its window
 * (preemptible), or the cheapest start (prefix sums), in the cheapest region; half its own effect on the price is
 * added where it would come and taken off where it is, so that a move pays even after the price has followed. */
#include "place/respond.h"
#include "base/cancel.h"
#include "place/feed.h"
#include <math.h>
#include <string.h>

/* Units between two adjustments of the demand of those who have not answered yet. */
enum { FIRST_CHUNKS = 40 };

/* Neighbouring units are answered together, for the cache's sake; blocks of them are visited far apart. */
enum { BLOCK = 32 };

ctw_status ctw_place__crowd_new(ctw_place__market *m, ctw_place__plan *plan, ctw_place__crowd *c)
{
    const ctw_place__inst *in = m->in;
    memset(c, 0, sizeof *c);
    c->m = m;
    c->plan = plan;
    c->spread = CTW_NEW(in->ctx, m->cells * m->r, double);
    c->avg = CTW_NEW(in->ctx, m->cells * m->r, double);
    c->value = CTW_NEW(in->ctx, in->slots, double);
    c->copy = CTW_NEW(in->ctx, in->slots + 1, double);
    c->pool = CTW_NEW(in->ctx, in->slots, int32_t);
    c->used = CTW_NEW(in->ctx, in->slots, int32_t);
    c->slot = CTW_NEW(in->ctx, in->slots, int32_t);
    c->best_slot = CTW_NEW(in->ctx, in->slots, int32_t);
    c->best_pool = CTW_NEW(in->ctx, in->slots, int32_t);
    if (c->spread && c->avg && c->value && c->copy && c->pool && c->used && c->slot && c->best_slot && c->best_pool)
        return CTW_OK;
    ctw_place__crowd_free(c);
    return CTW_E_NOMEM;
}

void ctw_place__crowd_free(ctw_place__crowd *c)
{
    if (!c->m) return;
    void *all[] = {c->spread, c->avg, c->value, c->copy, c->pool, c->used, c->slot, c->best_slot, c->best_pool};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(c->m->in->ctx, all[i]);
    memset(c, 0, sizeof *c);
}

static int single_pool(uint64_t pools)
{
    return (pools & (pools - 1)) == 0;
}

static size_t lowest_pool(uint64_t pools)
{
    return (size_t)__builtin_ctzll(pools);
}

static void add_demand(ctw_place__market *m, double *to, size_t pool, size_t slot, size_t flavour, double units)
{
    const double *d = m->rate + flavour * m->r;
    double *at = to + (pool * m->in->slots + slot) * m->r;
    for (size_t j = 0; j < m->r; j++) at[j] += units * d[j];
}

/* Services in a single pool have no choice: their demand is fixed. The others answer like batch units. */
static void add_services(ctw_place__crowd *c)
{
    const ctw_place__inst *in = c->m->in;
    for (size_t i = 0; i < in->services; i++) {
        const ctw_place__service *l = in->service + i;
        for (size_t t = 0; t < in->slots && l->fits; t++) {
            for (int32_t q = 0; q < l->load[t]; q++) {
                int32_t *at = c->plan->service_server + l->entry[t] + q;
                if (*at < 0) *at = (int32_t)lowest_pool(l->pools);
                add_demand(c->m, c->m->demand, (size_t)*at, t, (size_t)l->flavour, 1);
            }
        }
    }
}

void ctw_place__crowd_spread(ctw_place__crowd *c)
{
    const ctw_place__inst *in = c->m->in;
    memset(c->m->demand, 0, c->m->cells * c->m->r * sizeof(double));
    memset(c->spread, 0, c->m->cells * c->m->r * sizeof(double));
    for (size_t i = 0; i < in->batches; i++) {
        const ctw_place__batch *b = in->batch + i;
        double share = (double)b->count * b->duration / (b->end - b->release);
        share /= __builtin_popcountll(b->pools | !b->fits);
        for (size_t p = 0; p < in->pools && b->fits; p++) {
            if (!(b->pools >> p & 1)) continue;
            for (int32_t t = b->release; t < b->end; t++)
                add_demand(c->m, c->spread, p, (size_t)t, (size_t)b->flavour, share);
        }
    }
    add_services(c);
    for (size_t i = 0; i < c->m->cells * c->m->r; i++) c->m->demand[i] += c->spread[i] + c->m->padding[i];
}

void ctw_place__crowd_recount(ctw_place__crowd *c)
{
    const ctw_place__inst *in = c->m->in;
    memcpy(c->m->demand, c->m->padding, c->m->cells * c->m->r * sizeof(double));
    for (size_t u = 0; u < in->units; u++) {
        size_t e = ctw_place__entry(in, u), f = (size_t)in->batch[in->unit_batch[u]].flavour;
        for (size_t q = 0; q < (size_t)c->plan->run[u]; q++) {
            add_demand(c->m, c->m->demand, (size_t)c->plan->server[e + q], (size_t)c->plan->slot[e + q], f, 1);
        }
    }
    add_services(c);
}

/* What one unit of the flavour would pay in a slot of the pool, and half its own effect on that price. The case of
 * two resources, most problems', is written out. */
static inline double pays(const ctw_place__market *m, size_t cell, size_t flavour, double *own)
{
    if (m->r != 2) {
        if (own) *own = ctw_place__market_self(m, cell, flavour);
        return ctw_place__market_value(m, cell, flavour);
    }
    const double *p = m->price + 2 * cell, *d = m->rate + 2 * flavour, *g = m->slope + 4 * cell;
    if (own) *own = (d[0] * (g[0] * d[0] + g[1] * d[1]) + d[1] * (g[2] * d[0] + g[3] * d[1])) / 2;
    return p[0] * d[0] + p[1] * d[1];
}

/* Fills value[] and pool[] over the window for the pools of the mask, which lie in one region. With `self` the
 * unit's own effect on prices counts. */
static void look(ctw_place__crowd *c, uint64_t pools, size_t flavour, int32_t from, int32_t to, int self)
{
    size_t slots = c->m->in->slots;
    int first = 1;
    for (; pools; pools &= pools - 1, first = 0) {
        size_t p = lowest_pool(pools);
        for (int32_t t = from; t < to; t++) {
            double own = 0, v = pays(c->m, p * slots + (size_t)t, flavour, self ? &own : NULL);
            v += c->used[t] == (int32_t)p + 1 ? -own : own;
            if (!first && v >= c->value[t]) continue;
            c->value[t] = v;
            c->pool[t] = (int32_t)p;
        }
    }
}

/* The n-th smallest (from 1) of a[0..len), by Hoare's selection; reorders a. */
static double nth(double *a, int32_t len, int32_t n)
{
    int32_t lo = 0, hi = len - 1, k = n - 1;
    while (lo < hi) {
        double pivot = a[lo + (hi - lo) / 2];
        int32_t i = lo, j = hi;
        while (i <= j) {
            while (a[i] < pivot) i++;
            while (a[j] > pivot) j--;
            if (i > j) break;
            double x = a[i];
            a[i++] = a[j];
            a[j--] = x;
        }
        if (k <= j) {
            hi = j;
        } else if (k >= i) {
            lo = i;
        } else {
            break;
        }
    }
    return a[k];
}

/* The cheapest `duration` slots below the penalty, ascending; returns their cost with penalties for the rest. */
static double choose_any(ctw_place__crowd *c, const ctw_place__batch *b, double penalty, int32_t *slot, int32_t *n)
{
    int32_t window = b->end - b->release, tied = 0;
    double limit = INFINITY, cost = 0;
    *n = 0;
    if (window > b->duration) {
        memcpy(c->copy, c->value + b->release, (size_t)window * sizeof(double));
        limit = nth(c->copy, window, b->duration);
        int32_t below = 0;
        for (int32_t t = b->release; t < b->end; t++) below += c->value[t] < limit;
        tied = b->duration - below;
    }
    for (int32_t t = b->release; t < b->end; t++) {
        double v = c->value[t];
        if (v > limit || v >= penalty || (v == limit && tied-- <= 0)) continue;
        slot[(*n)++] = t;
        cost += v;
    }
    return cost + (b->duration - *n) * penalty;
}

static double choose_start(ctw_place__crowd *c, const ctw_place__batch *b, double penalty, int32_t *slot, int32_t *n)
{
    double best = penalty * b->duration, sum = 0;
    int32_t start = -1;
    for (int32_t t = b->release; t < b->end; t++) {
        sum += c->value[t];
        if (t - b->duration >= b->release) sum -= c->value[t - b->duration];
        if (t - b->release + 1 >= b->duration && sum < best) {
            best = sum;
            start = t - b->duration + 1;
        }
    }
    *n = start < 0 ? 0 : b->duration;
    for (int32_t q = 0; q < *n; q++) slot[q] = start + q;
    return best;
}

/* The best answer over the regions the row may use; slots and pools in best_slot, best_pool. */
static double answer(ctw_place__crowd *c, const ctw_place__batch *b, int self, int32_t *run)
{
    const ctw_place__inst *in = c->m->in;
    double penalty = b->penalty + c->miss_extra, best = INFINITY;
    uint64_t left = b->pools;
    *run = 0;
    while (left) {
        uint64_t here = left & in->pool_region[lowest_pool(left)];
        int32_t n;
        left &= ~here;
        look(c, here, (size_t)b->flavour, b->release, b->end, self);
        double cost =
            b->preemptible ? choose_any(c, b, penalty, c->slot, &n) : choose_start(c, b, penalty, c->slot, &n);
        if (cost >= best) continue;
        best = cost;
        *run = n;
        for (int32_t q = 0; q < n; q++) {
            c->best_slot[q] = c->slot[q];
            c->best_pool[q] = c->pool[c->slot[q]];
        }
    }
    return best;
}

static void respond(ctw_place__crowd *c, size_t u)
{
    const ctw_place__inst *in = c->m->in;
    const ctw_place__batch *b = in->batch + in->unit_batch[u];
    size_t e = ctw_place__entry(in, u), f = (size_t)b->flavour;
    int32_t *slot = c->plan->slot + e, *pool = c->plan->server + e, n, old = c->plan->run[u], changed = 0;
    if (!b->fits) return;
    for (int32_t q = 0; q < old; q++) c->used[slot[q]] = pool[q] + 1;
    answer(c, b, 1, &n);
    for (int32_t q = 0; q < n; q++) {
        int32_t t = c->best_slot[q];
        if (c->used[t] == c->best_pool[q] + 1) {
            c->used[t] = 0; /* stays */
            continue;
        }
        changed = 1;
        ctw_place__market_move(c->m, (size_t)c->best_pool[q] * in->slots + (size_t)t, f, 1);
    }
    for (int32_t q = 0; q < old; q++) {
        if (!c->used[slot[q]]) continue;
        c->used[slot[q]] = 0;
        changed = 1;
        ctw_place__market_move(c->m, (size_t)pool[q] * in->slots + (size_t)slot[q], f, -1);
    }
    if (!changed) return;
    memcpy(slot, c->best_slot, (size_t)n * sizeof(int32_t));
    memcpy(pool, c->best_pool, (size_t)n * sizeof(int32_t));
    c->plan->run[u] = n;
    c->moves++;
}

static void respond_service(ctw_place__crowd *c, const ctw_place__service *l)
{
    const ctw_place__inst *in = c->m->in;
    if (single_pool(l->pools)) return;
    for (size_t t = 0; t < in->slots; t++) {
        for (int32_t q = 0; q < l->load[t]; q++) {
            int32_t *at = c->plan->service_server + l->entry[t] + q;
            c->used[t] = *at + 1;
            look(c, l->pools, (size_t)l->flavour, (int32_t)t, (int32_t)t + 1, 1);
            c->used[t] = 0;
            if (c->pool[t] == *at) continue;
            ctw_place__market_move(c->m, (size_t)c->pool[t] * in->slots + t, (size_t)l->flavour, 1);
            ctw_place__market_move(c->m, (size_t)*at * in->slots + t, (size_t)l->flavour, -1);
            *at = c->pool[t];
            c->moves++;
        }
    }
}

/* A stride coprime to n near the golden section of it: visits all units, neighbours far apart. */
static size_t stride_for(size_t n)
{
    size_t s = (size_t)((double)n * 0.6180339887498949) | 1;
    for (;; s += 2) {
        size_t a = n, b = s % n;
        if (n <= 2) return 1;
        while (b) {
            size_t r = a % b;
            a = b;
            b = r;
        }
        if (a == 1) return s % n;
    }
}

static void fade(ctw_place__crowd *c, double by)
{
    for (size_t i = 0; i < c->m->cells * c->m->r; i++) c->m->demand[i] = fmax(0, c->m->demand[i] - by * c->spread[i]);
    ctw_place__market_solve_all(c->m);
}

static void look_at_prices(ctw_place__crowd *c)
{
    for (size_t q = 0; q < c->m->cells * c->m->r; q++) c->avg[q] += c->m->price[q];
    ctw_place__feed_look(c->m);
    c->avg_n++;
}

void ctw_place__crowd_sweep(ctw_place__crowd *c, int first, ctw_place__clock *clock)
{
    const ctw_place__inst *in = c->m->in;
    size_t n = in->units, blocks = (n + BLOCK - 1) / BLOCK, stride = blocks ? stride_for(blocks) : 1;
    size_t done = 0, faded = 0, looks = n / 32 + 1;
    c->moves = 0;
    for (size_t i = 0; i < in->services; i++) {
        if (in->service[i].fits) respond_service(c, in->service + i);
    }
    for (size_t i = 0, k = 0; i < blocks; i++, k = (k + stride) % blocks) {
        /* Without its first answers there is no plan at all: only a cancel ends that sweep. */
        if (ctw_place__rung(clock) && (!first || clock->stop == CTW_STOP_CANCEL || ctw_base__now() > clock->last))
            return;
        for (size_t u = k * BLOCK; u < n && u < (k + 1) * BLOCK; u++, done++) {
            if (done % looks == 0) look_at_prices(c);
            respond(c, u);
        }
        if (first && done >= faded + n / FIRST_CHUNKS + 1) {
            fade(c, (double)(done - faded) / (double)n);
            faded = done;
        }
    }
    c->whole = 1;
    if (first) {
        ctw_place__crowd_recount(c);
        ctw_place__market_solve_all(c->m);
    }
}

/* Grams that a server earns in the slot besides what it costs to be on; `extra` is a rack's multiplier. */
static double earns(const ctw_place__market *m, size_t k, size_t t, double extra)
{
    const ctw_place__inst *in = m->in;
    const double *mu = m->price + (in->class[k].pool * in->slots + t) * m->r;
    double gram = m->gram[k * in->slots + t] + extra, sum = 0;
    for (size_t j = 0; j < m->r; j++)
        sum += in->cap[k * in->r + m->res[j]] * fmax(0, mu[j] - gram * in->watt[k * in->r + m->res[j]]);
    return sum;
}

/* Least over on/off sequences of a server's cost at the prices, start-ups included. The market's fixed cost may contain
 * multipliers of start-ups; the bound is formed without them. */
static double server_value(const ctw_place__market *m, size_t k, const double *extra)
{
    const ctw_place__inst *in = m->in;
    const ctw_place__class *c = in->class + k;
    double off = 0, on = 0;
    for (size_t t = 0; t < in->slots; t++) {
        double more = extra ? extra[t] : 0;
        double z = (m->gram[k * in->slots + t] + more) * c->idle + c->embodied - earns(m, k, t, more);
        double start = t > 0 ? ctw_place__startup_gram(in, k, t) * ctw_place__feed_share(m, c->region, t) : 0;
        double next_on = fmin(on, off + start) + z;
        off = fmin(off, on);
        on = next_on;
    }
    return fmin(on, off);
}

/* All servers, rack by rack where racks have caps. */
static double servers_value(ctw_place__market *m)
{
    const ctw_place__inst *in = m->in;
    double sum = 0;
    for (size_t k = 0; k < in->classes; k++) {
        if (in->class[k].feed < in->regions) sum += in->class[k].n * server_value(m, k, NULL);
    }
    for (size_t f = in->regions; f < in->feeds; f++) {
        sum -= ctw_place__feed_rack(m, f);
        for (size_t k = 0; k < in->classes; k++) {
            if (in->class[k].feed == f) sum += in->class[k].n * server_value(m, k, m->feeds->extra);
        }
    }
    return sum;
}

static double service_value(ctw_place__crowd *c, const ctw_place__service *l)
{
    double sum = 0;
    if (l->fits) look(c, l->pools, (size_t)l->flavour, 0, (int32_t)c->m->in->slots, 0);
    for (size_t t = 0; t < c->m->in->slots; t++)
        sum += l->load[t] * (l->fits ? fmin(c->value[t], l->penalty) : l->penalty);
    return sum;
}

double ctw_place__crowd_bound(ctw_place__crowd *c)
{
    const ctw_place__inst *in = c->m->in;
    double sum = 0, slack = (1 - in->opt->throughput_min) * (double)in->batch_slots;
    for (size_t i = 0; i < in->batches; i++) {
        const ctw_place__batch *b = in->batch + i;
        int32_t n;
        sum += b->count * (b->fits ? answer(c, b, 0, &n) : (b->penalty + c->miss_extra) * b->duration);
    }
    for (size_t i = 0; i < in->services; i++) sum += service_value(c, in->service + i);
    sum += servers_value(c->m) + ctw_place__feed_value(c->m);
    return sum - c->miss_extra * slack;
}
