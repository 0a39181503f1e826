/* pack.c: pattern packing. Servers are opened in the order in which the market keeps them on, as many of each
 * class as it does. A pattern is filled greedily, large units first, but steered so that every resource fills
 * at the rate at which demand uses up what is still planned: a memory-heavy server then takes memory-heavy units
 * and no class is left with a mix it cannot hold. A few steering weights are tried and the pattern with the most
 * valuable content (at the prices) is used for about half the units it could take; then the mix is looked at anew. */
#include "place/pack.h"
#include "num/sort.h"
#include <math.h>
#include <string.h>

ctw_status ctw_place__packer_new(const ctw_place__market *m, ctw_place__packer *p)
{
    const ctw_place__inst *in = m->in;
    memset(p, 0, sizeof *p);
    p->m = m;
    p->flavour = CTW_NEW(in->ctx, in->flavours, int32_t);
    p->left = CTW_NEW(in->ctx, in->flavours, int32_t);
    p->demand = CTW_NEW(in->ctx, in->flavours * m->r, double);
    p->total = CTW_NEW(in->ctx, m->r, double);
    p->plan = CTW_NEW(in->ctx, m->r, double);
    p->use = CTW_NEW(in->ctx, m->r, double);
    p->room = CTW_NEW(in->ctx, m->r, double);
    p->quota = CTW_NEW(in->ctx, in->classes, int32_t);
    p->open = CTW_NEW(in->ctx, in->classes, int32_t);
    p->merit = CTW_NEW(in->ctx, in->classes, double);
    p->order = CTW_NEW(in->ctx, in->classes, size_t);
    p->take = CTW_NEW(in->ctx, in->flavours, int32_t);
    p->best = CTW_NEW(in->ctx, in->flavours, int32_t);
    if (p->flavour && p->left && p->demand && p->total && p->plan && p->use && p->room && p->quota && p->open &&
        p->merit && p->order && p->take && p->best) {
        return CTW_OK;
    }
    ctw_place__packer_free(p);
    return CTW_E_NOMEM;
}

void ctw_place__packer_free(ctw_place__packer *p)
{
    if (!p->m) return;
    void *all[] = {p->flavour, p->left,  p->demand, p->total, p->plan, p->use,     p->room, p->quota,
                   p->open,    p->merit, p->order,  p->take,  p->best, p->pattern, p->part};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(p->m->in->ctx, all[i]);
    memset(p, 0, sizeof *p);
}

static double cap_of(const ctw_place__packer *p, size_t k, size_t j)
{
    return p->m->in->cap[k * p->m->in->r + p->m->res[j]];
}

/* Watts that the class's region and rack may still draw. */
static double budget_of(const ctw_place__packer *p, size_t k)
{
    const ctw_place__class *c = p->m->in->class + k;
    return fmin(p->budget[c->region], p->budget[c->feed]);
}

static void spend(ctw_place__packer *p, size_t k, double watts)
{
    const ctw_place__class *c = p->m->in->class + k;
    p->budget[c->region] -= watts;
    if (c->feed != c->region) p->budget[c->feed] -= watts;
}

/* Flavours with units to pack. */
static void begin(ctw_place__packer *p, const int32_t *counts)
{
    const ctw_place__market *m = p->m;
    p->kinds = 0;
    memset(p->total, 0, m->r * sizeof(double));
    for (size_t f = 0; f < m->in->flavours; f++) {
        if (counts[f] <= 0) continue;
        size_t at = p->kinds++;
        p->flavour[at] = (int32_t)f;
        p->left[at] = counts[f];
        memcpy(p->demand + at * m->r, m->rate + f * m->r, m->r * sizeof(double));
        for (size_t j = 0; j < m->r; j++) p->total[j] += counts[f] * m->rate[f * m->r + j];
    }
}

/* How many servers of each class the market keeps on, and the order in which to fill them. */
static void plan_classes(ctw_place__packer *p)
{
    const ctw_place__inst *in = p->m->in;
    memset(p->plan, 0, p->m->r * sizeof(double));
    for (size_t k = 0; k < in->classes; k++) {
        const ctw_place__class *c = in->class + k;
        p->open[k] = p->quota[k] = 0;
        p->merit[k] = INFINITY;
        if (c->pool != p->pool || c->n == 0) continue;
        double on = ctw_place__market_on(p->m, k, p->slot), full = p->m->fixed[k * in->slots + p->slot];
        p->quota[k] = (int32_t)(on + 0.3);
        for (size_t j = 0; j < p->m->r; j++) {
            p->plan[j] += p->quota[k] * cap_of(p, k, j);
            full += cap_of(p, k, j) * p->m->gram[k * in->slots + p->slot] * in->watt[k * in->r + p->m->res[j]];
        }
        p->merit[k] = -ctw_place__market_profit(p->m, k, p->slot) / fmax(full, 1e-12);
    }
    ctw_num__argsort(p->merit, p->order, in->classes);
}

/* What one more unit of a kind would mean for the fill: -INFINITY when it does not fit. `gain` holds for each resource
 * by how much a unit of demand raises the fill relative to the target, and `share` the share of the capacity. */
static inline double score_of(const double *d, const double *room, const double *filled, const double *gain,
                              const double *share, size_t r, double steer)
{
    double size = 0, lo = INFINITY, hi = -INFINITY;
    for (size_t j = 0; j < r; j++) {
        if (d[j] > room[j]) return -INFINITY;
        if (gain[j] <= 0) continue;
        double at = filled[j] + d[j] * gain[j], s = d[j] * share[j];
        lo = at < lo ? at : lo;
        hi = at > hi ? at : hi;
        size = s > size ? s : size;
    }
    return size - steer * (hi - lo);
}

/* Fills take[] for one server of class k. The imbalance of the fill, relative to the target, costs `steer` times
 * its size. Returns the value of the content. */
static double fill(ctw_place__packer *p, size_t k, double steer)
{
    size_t r = p->m->r;
    const double *price = p->m->price + (p->pool * p->m->in->slots + p->slot) * r;
    double value = 0, watts = p->m->in->class[k].cap_w - p->m->in->class[k].idle;
    double filled[CTW_PLACE_MAX_RESOURCES], gain[CTW_PLACE_MAX_RESOURCES], share[CTW_PLACE_MAX_RESOURCES];
    int capped = isfinite(watts);
    memset(p->take, 0, p->kinds * sizeof(int32_t));
    for (size_t j = 0; j < r; j++) {
        double cap = cap_of(p, k, j);
        p->room[j] = cap * (1 + 1e-12);
        filled[j] = 0;
        share[j] = cap > 0 ? 1 / cap : 0;
        gain[j] = cap > 0 && p->use[j] > 0 ? share[j] / p->use[j] : 0;
    }
    for (;;) {
        size_t pick = p->kinds;
        double best = -INFINITY;
        for (size_t i = 0; i < p->kinds; i++) {
            if (p->left[i] <= p->take[i]) continue;
            double score = score_of(p->demand + i * r, p->room, filled, gain, share, r, steer);
            if (score <= best) continue;
            if (capped && ctw_place__unit_watts(p->m->in, k, (size_t)p->flavour[i]) > watts) continue;
            best = score;
            pick = i;
        }
        if (pick == p->kinds) return value;
        p->take[pick]++;
        if (capped) watts -= ctw_place__unit_watts(p->m->in, k, (size_t)p->flavour[pick]);
        for (size_t j = 0; j < r; j++) {
            double d = p->demand[pick * r + j];
            p->room[j] -= d;
            filled[j] += d * gain[j];
            value += (price[j] + 1e-9 * p->m->high[(p->pool * p->m->in->slots + p->slot) * r + j]) * d;
        }
    }
}

/* The best of several fills goes to best[]; 0 when nothing fits. */
static int find_pattern(ctw_place__packer *p, size_t k)
{
    static const double steer[] = {1, 0.3, 3, 0};
    size_t tries = p->kinds > 64 ? 1 : 4;
    double most = 0;
    for (size_t j = 0; j < p->m->r; j++)
        p->use[j] = p->plan[j] > 0 ? fmin(fmax(p->total[j] / p->plan[j], 0.02), 1.5) : 1;
    for (size_t i = 0; i < tries; i++) {
        double value = fill(p, k, steer[i]);
        if (value <= most * (1 + 1e-9)) continue;
        most = value;
        memcpy(p->best, p->take, p->kinds * sizeof(int32_t));
    }
    p->best_watts = p->m->in->class[k].idle;
    for (size_t i = 0; i < p->kinds && most > 0; i++) {
        p->best_watts += p->best[i] * ctw_place__unit_watts(p->m->in, k, (size_t)p->flavour[i]);
    }
    return most > 0 && (!p->budget || p->best_watts <= budget_of(p, k));
}

static ctw_status emit(ctw_place__packer *p, size_t k, int32_t times)
{
    ctw_ctx *ctx = p->m->in->ctx;
    CTW_TRY(ctw_base__grow(ctx, (void **)&p->pattern, &p->pattern_cap, p->patterns + 1, sizeof *p->pattern));
    CTW_TRY(ctw_base__grow(ctx, (void **)&p->part, &p->part_cap, p->parts + p->kinds, sizeof *p->part));
    ctw_place__pattern *x = p->pattern + p->patterns++;
    x->class = k;
    x->times = times;
    x->first = p->parts;
    for (size_t i = 0; i < p->kinds; i++) {
        if (p->best[i] == 0) continue;
        p->part[p->parts].flavour = p->flavour[i];
        p->part[p->parts++].count = p->best[i];
        p->left[i] -= times * p->best[i];
        for (size_t j = 0; j < p->m->r; j++) p->total[j] -= times * p->best[i] * p->demand[i * p->m->r + j];
    }
    x->kinds = p->parts - x->first;
    p->open[k] += times;
    if (p->budget) spend(p, k, times * p->best_watts);
    if (p->open[k] > p->quota[k]) return CTW_OK;
    for (size_t j = 0; j < p->m->r; j++) p->plan[j] -= times * cap_of(p, k, j);
    return CTW_OK;
}

static int anything_left(const ctw_place__packer *p)
{
    for (size_t i = 0; i < p->kinds; i++) {
        if (p->left[i] > 0) return 1;
    }
    return 0;
}

/* How often the pattern in best[] may be used: half of what the counts allow, at least once. */
static int32_t repeat(const ctw_place__packer *p, size_t k, int32_t most)
{
    int32_t times = most;
    if (p->budget && p->best_watts > 0) times = (int32_t)fmin(times, budget_of(p, k) / p->best_watts);
    for (size_t i = 0; i < p->kinds; i++) {
        if (p->best[i] > 0) times = times < p->left[i] / p->best[i] / 2 ? times : p->left[i] / p->best[i] / 2;
    }
    return times < 1 ? 1 : times;
}

/* After the plan is used up: the class whose next server costs least for what it takes. */
static size_t cheapest_class(ctw_place__packer *p)
{
    const ctw_place__inst *in = p->m->in;
    size_t choice = in->classes;
    double least = INFINITY;
    for (size_t j = 0; j < p->m->r; j++) p->plan[j] = 0;
    for (size_t k = 0; k < in->classes; k++) {
        if (in->class[k].pool != p->pool || p->open[k] >= in->class[k].n || !find_pattern(p, k)) continue;
        double cost = p->m->fixed[k * in->slots + p->slot], taken = 0, gram = p->m->gram[k * in->slots + p->slot];
        for (size_t i = 0; i < p->kinds; i++) {
            double share = 0;
            for (size_t j = 0; j < p->m->r; j++) {
                double d = p->demand[i * p->m->r + j];
                cost += p->best[i] * d * gram * in->watt[k * in->r + p->m->res[j]];
                if (p->total[j] > 0) share = fmax(share, d / p->total[j]);
            }
            taken += p->best[i] * share;
        }
        if (cost / taken >= least) continue;
        least = cost / taken;
        choice = k;
    }
    if (choice < in->classes) find_pattern(p, choice);
    return choice;
}

ctw_status ctw_place__pack(ctw_place__packer *p, size_t pool, size_t slot, int32_t *counts)
{
    const ctw_place__inst *in = p->m->in;
    p->pool = pool;
    p->slot = slot;
    p->patterns = p->parts = 0;
    begin(p, counts);
    plan_classes(p);
    for (size_t i = 0; i < in->classes; i++) {
        size_t k = p->order[i];
        while (p->open[k] < p->quota[k] && anything_left(p)) {
            if (!find_pattern(p, k)) break;
            CTW_TRY(emit(p, k, repeat(p, k, p->quota[k] - p->open[k])));
        }
    }
    while (anything_left(p)) {
        size_t k = cheapest_class(p);
        if (k == in->classes) break;
        CTW_TRY(emit(p, k, repeat(p, k, in->class[k].n - p->open[k])));
    }
    for (size_t f = 0; f < in->flavours; f++) counts[f] = 0;
    for (size_t i = 0; i < p->kinds; i++) counts[p->flavour[i]] = p->left[i];
    return CTW_OK;
}
