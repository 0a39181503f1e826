/* dispatch.c: see dispatch.h. With u the Wh taken out of the store (negative: put in) and y the level afterwards, the
 * level before is y + u, so V_t(e) = min over y + u = e of V_t+1(y) + g_t(u). g_t has at most four pieces: charging
 * from the grid, charging from surplus, discharging into the draw, discharging into nothing. */
#include "place/dispatch.h"
#include <math.h>
#include <string.h>

enum { MOST = 4 };

/* One slot's own cost: pieces from `low` on, `value` there. */
typedef struct slot_cost {
    ctw_place__piece piece[MOST];
    size_t n;
    double low, value;
} slot_cost;

ctw_status ctw_place__dispatcher_new(ctw_ctx *ctx, size_t slots, double hours, ctw_place__dispatcher *d)
{
    memset(d, 0, sizeof *d);
    d->ctx = ctx;
    d->slots = slots;
    d->hours = hours;
    d->curve = CTW_NEW(ctx, slots + 1, ctw_place__curve);
    d->change = CTW_NEW(ctx, slots, double);
    d->worth = CTW_NEW(ctx, slots, double);
    return d->curve && d->change && d->worth ? CTW_OK : CTW_E_NOMEM;
}

void ctw_place__dispatcher_free(ctw_place__dispatcher *d)
{
    if (!d->ctx) return;
    void *all[] = {d->curve, d->piece, d->change, d->worth};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(d->ctx, all[i]);
    memset(d, 0, sizeof *d);
}

static void add_piece(slot_cost *g, double slope, double length)
{
    if (length > 0) g->piece[g->n++] = (ctw_place__piece){slope, length};
}

/* g_t: net is draw less supply, +INFINITY when the store sells at the price whatever it has. */
static slot_cost cost_of(const ctw_place__store *s, double hours, double net, double price)
{
    slot_cost g = {.n = 0};
    double charge = s->power * s->efficiency * hours, discharge = s->power * hours;
    double free_wh = fmin(charge, fmax(0, -net) * s->efficiency * hours),
           wanted = fmin(discharge, fmax(0, net) * hours);
    double buy = price / (s->efficiency * hours);
    g.low = -charge;
    g.value = (charge - free_wh) * buy;
    add_piece(&g, -buy, charge - free_wh);
    add_piece(&g, 0, free_wh);
    add_piece(&g, s->wear - price / hours, wanted);
    add_piece(&g, s->wear, discharge - wanted);
    return g;
}

/* The next piece of two ascending lists; *first says whether it came from the first. Both have one left. */
static ctw_place__piece next_piece(const ctw_place__piece *a, size_t na, size_t *i, const slot_cost *g, size_t *j,
                                   int *first)
{
    *first = *i < na && (*j == g->n || a[*i].slope <= g->piece[*j].slope);
    return *first ? a[(*i)++] : g->piece[(*j)++];
}

/* V_t from V_t+1 and g_t, cut to [0, capacity]. */
static ctw_status step_back(ctw_place__dispatcher *d, size_t t, const slot_cost *g, double capacity)
{
    const ctw_place__curve next = d->curve[t + 1];
    ctw_place__curve *v = d->curve + t;
    CTW_TRY(ctw_base__grow(d->ctx, (void **)&d->piece, &d->piece_cap, d->pieces + next.n + g->n, sizeof *d->piece));
    const ctw_place__piece *a = d->piece + next.at;
    size_t i = 0, j = 0;
    *v = (ctw_place__curve){d->pieces, 0, next.low + g->low, next.value + g->value};
    double at = v->low;
    while (i < next.n || j < g->n) {
        int first;
        ctw_place__piece x = next_piece(a, next.n, &i, g, &j, &first);
        if (at < 0) { /* below an empty store */
            double skip = fmin(x.length, -at);
            v->value += skip * x.slope;
            x.length -= skip;
            v->low = at += skip;
            if (at < 0) continue;
        }
        x.length = fmin(x.length, capacity - at);
        if (x.length <= 0) continue;
        at += x.length;
        d->piece[d->pieces++] = x;
        v->n++;
    }
    return CTW_OK;
}

/* The best level after slot t from level e before it, and what a little more of it would save (between its one-sided
 * values, when they differ). */
static double step_on(ctw_place__dispatcher *d, size_t t, const slot_cost *g, double e)
{
    const ctw_place__curve *next = d->curve + t + 1;
    const ctw_place__piece *a = d->piece + next->at;
    double at = next->low + g->low, y = next->low;
    size_t i = 0, j = 0;
    while ((i < next->n || j < g->n) && at < e) {
        int first;
        ctw_place__piece x = next_piece(a, next->n, &i, g, &j, &first);
        double take = fmin(x.length, e - at);
        at += take;
        if (first) y += take;
    }
    double level = next->low, below = 0, above = 0;
    for (size_t q = 0; q < next->n; q++) {
        if (level < y - 1e-9 * (1 + y)) below = a[q].slope;
        above = a[q].slope;
        if ((level += a[q].length) > y + 1e-9 * (1 + y)) break;
    }
    if (level <= y + 1e-9 * (1 + y)) above = 0; /* full: more would be lost */
    if (y <= next->low + 1e-9 * (1 + y)) below = above;
    d->worth[t] = fmax(0, -(below + above) / 2);
    return y;
}

ctw_status ctw_place__dispatch(ctw_place__dispatcher *d, const ctw_place__store *store, const double *draw,
                               const double *supply, const double *price, double *value)
{
    size_t T = d->slots;
    double base = 0, level = store->start;
    d->pieces = 0;
    CTW_TRY(ctw_base__grow(d->ctx, (void **)&d->piece, &d->piece_cap, 1, sizeof *d->piece));
    d->curve[T] = (ctw_place__curve){0, 0, store->end, 0};
    if (store->capacity > store->end) {
        d->piece[d->pieces++] = (ctw_place__piece){0, store->capacity - store->end};
        d->curve[T].n = 1;
    }
    for (size_t pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < T; i++) {
            size_t t = pass ? i : T - 1 - i;
            double net = draw ? draw[t] - (supply ? supply[t] : 0) : INFINITY;
            slot_cost g = cost_of(store, d->hours, net, price[t]);
            if (!pass) {
                base += draw ? price[t] * fmax(0, net) : 0;
                CTW_TRY(step_back(d, t, &g, store->capacity));
                continue;
            }
            double next = step_on(d, t, &g, level);
            d->change[t] = next - level;
            level = next;
        }
    }
    const ctw_place__curve *v = d->curve;
    double at = v->low;
    *value = base + v->value;
    for (size_t q = 0; q < v->n && at < store->start; q++) {
        double take = fmin(d->piece[v->at + q].length, store->start - at);
        at += take;
        *value += take * d->piece[v->at + q].slope;
    }
    return CTW_OK;
}
