/* aggregate.c: the model in which servers of a class are counted instead of told apart: integers on_kt, loads
 * y_kjt, and units of identical job rows as quantities. It relaxes only the packing inside servers (and that a unit
 * stays in one region), so its bound holds for every plan; it has classes x slots integers, where the per-server
 * model has units x servers x slots. */
#include "place/aggregate.h"
#include "base/cancel.h"
#include "milp/milp.h"
#include "num/sort.h"
#include <math.h>
#include <string.h>

#define NONE ((size_t)-1)

typedef struct group {
    const ctw_place__batch *b; /* one of its rows */
    double units;
} group;

typedef struct model {
    const ctw_place__inst *in;
    double until; /* when the bound must be there */
    int whole;    /* quantities are integers */
    const ctw_place__limits *lim;
    size_t r;                   /* limits */
    const double *demand, *cap; /* flavours x r, classes x r */
    ctw_milp__model m;
    group *group;
    size_t groups;
    size_t *row;                            /* (pool x slots + slot) x r: demand is met */
    size_t *load_row, *start_row, *cap_row; /* (class x slots) x r; class x slots; region x slots */
    double *fixed;                          /* (pool x slots + slot) x r: services */
    size_t throughput_row;
    size_t *rows;
    double *values;
} model;

static int cmp_i64(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

static int cmp_batch(const void *pa, const void *pb, void *user)
{
    const ctw_place__batch *base = user, *a = base + *(const size_t *)pa, *b = base + *(const size_t *)pb;
    const int64_t x[] = {a->flavour, a->release, a->end, a->duration, a->preemptible};
    const int64_t y[] = {b->flavour, b->release, b->end, b->duration, b->preemptible};
    for (size_t i = 0; i < 5; i++) {
        int c = cmp_i64(x[i], y[i]);
        if (c) return c;
    }
    if (a->pools != b->pools) return a->pools < b->pools ? -1 : 1;
    return a->penalty < b->penalty ? -1 : a->penalty > b->penalty;
}

static ctw_status form_groups(model *b)
{
    const ctw_place__inst *in = b->in;
    size_t *order = CTW_NEW(in->ctx, in->batches, size_t);
    b->group = CTW_NEW(in->ctx, in->batches, group);
    if (!order || !b->group) {
        ctw_base__free(in->ctx, order);
        return CTW_E_NOMEM;
    }
    for (size_t i = 0; i < in->batches; i++) order[i] = i;
    ctw_num__sort_by(order, in->batches, sizeof *order, cmp_batch, in->batch);
    for (size_t i = 0; i < in->batches; i++) {
        const ctw_place__batch *q = in->batch + order[i];
        if (!q->fits) continue;
        group *last = b->groups ? b->group + b->groups - 1 : NULL;
        size_t at = (size_t)(q - in->batch), other = last ? (size_t)(last->b - in->batch) : 0;
        if (!last || cmp_batch(&other, &at, in->batch) != 0) b->group[b->groups++] = (group){q, 0};
        b->group[b->groups - 1].units += q->count;
    }
    ctw_base__free(in->ctx, order);
    return CTW_OK;
}

static ctw_status add_rows(model *b)
{
    const ctw_place__inst *in = b->in;
    for (size_t i = 0; i < in->pools * in->slots * b->r; i++)
        CTW_TRY(ctw_milp__add_row(&b->m, 0, INFINITY, b->row + i));
    for (size_t k = 0; k < in->classes; k++) {
        for (size_t t = 0; t < in->slots; t++) {
            size_t at = k * in->slots + t;
            for (size_t j = 0; j < in->r; j++) {
                b->load_row[at * in->r + j] = NONE;
                if (in->watt[k * in->r + j] > 0)
                    CTW_TRY(ctw_milp__add_row(&b->m, 0, INFINITY, b->load_row + at * in->r + j));
            }
            b->start_row[at] = NONE;
            if (t > 0 && in->class[k].startup > 0) CTW_TRY(ctw_milp__add_row(&b->m, -INFINITY, 0, b->start_row + at));
        }
    }
    for (size_t i = 0; i < in->regions * in->slots; i++) {
        double cap = in->feed_cap[i / in->slots];
        b->cap_row[i] = NONE;
        if (isfinite(cap)) CTW_TRY(ctw_milp__add_row(&b->m, -INFINITY, cap, b->cap_row + i));
    }
    b->throughput_row = NONE;
    if (in->opt->throughput_min <= 0) return CTW_OK;
    return ctw_milp__add_row(&b->m, in->opt->throughput_min * (double)in->batch_slots, INFINITY, &b->throughput_row);
}

static void entry(model *b, size_t *n, size_t row, double value)
{
    if (row == NONE || value == 0) return;
    b->rows[*n] = row;
    b->values[(*n)++] = value;
}

/* on_kt; a resource that draws power passes through y_kjt <= cap_kj on_kt, the others are supplied by on directly. */
static ctw_status add_class(model *b, size_t k)
{
    const ctw_place__inst *in = b->in;
    const ctw_place__class *c = in->class + k;
    for (size_t t = 0; t < in->slots; t++) {
        size_t at = k * in->slots + t, cell = (c->pool * in->slots + t) * b->r, n = 0;
        size_t cap = b->cap_row[c->region * in->slots + t];
        double gram = ctw_place__gram(in, k, t);
        for (size_t j = 0; j < b->r; j++) {
            size_t load = j < in->r ? b->load_row[at * in->r + j] : NONE;
            entry(b, &n, load == NONE ? b->row[cell + j] : load, b->cap[k * b->r + j]);
        }
        entry(b, &n, cap, c->idle);
        entry(b, &n, b->start_row[at], 1);
        if (t + 1 < in->slots) entry(b, &n, b->start_row[at + 1], -1);
        CTW_TRY(ctw_milp__add_col(&b->m, gram * c->idle + c->embodied, 0, c->n, 1, b->rows, b->values, n, NULL));
        for (size_t j = 0; j < in->r; j++) {
            double w = in->watt[k * in->r + j];
            if (w <= 0) continue;
            n = 0;
            entry(b, &n, b->row[cell + j], 1);
            entry(b, &n, b->load_row[at * in->r + j], -1);
            entry(b, &n, cap, w);
            CTW_TRY(ctw_milp__add_col(&b->m, gram * w, 0, INFINITY, 0, b->rows, b->values, n, NULL));
        }
        if (b->start_row[at] == NONE) continue;
        n = 0;
        entry(b, &n, b->start_row[at], -1);
        CTW_TRY(ctw_milp__add_col(&b->m, ctw_place__startup_gram(in, k, t), 0, c->n, 0, b->rows, b->values, n, NULL));
    }
    return CTW_OK;
}

/* Rows in which a quantity counts: unit-slots that run, how many run at once, the throughput; NONE where it does not.
 */
typedef struct target {
    size_t amount, once, throughput;
} target;

/* `units` of the flavour in the pool in slots [from, from + n). */
static ctw_status add_quantity(model *b, const ctw_place__batch *q, size_t pool, int32_t from, int32_t n, double units,
                               target to)
{
    const ctw_place__inst *in = b->in;
    const double *d = b->demand + (size_t)q->flavour * b->r;
    size_t e = 0;
    for (int32_t t = from; t < from + n; t++) {
        for (size_t j = 0; j < b->r; j++) entry(b, &e, b->row[(pool * in->slots + (size_t)t) * b->r + j], -d[j]);
    }
    entry(b, &e, to.amount, n);
    entry(b, &e, to.once, 1);
    entry(b, &e, to.throughput, n);
    return ctw_milp__add_col(&b->m, 0, 0, units, b->whole, b->rows, b->values, e, NULL);
}

/* Contiguous units in a region of several pools, between which they may move from slot to slot: starts, and where they
 * run. */
static ctw_status add_roaming(model *b, const group *g, uint64_t pools, size_t amount)
{
    const ctw_place__batch *q = g->b;
    size_t runs = 0, row;
    for (int32_t t = q->release; t < q->end; t++) {
        CTW_TRY(ctw_milp__add_row(&b->m, 0, 0, &row));
        if (t == q->release) runs = row;
        for (size_t p = 0; p < b->in->pools; p++) {
            if (pools >> p & 1) CTW_TRY(add_quantity(b, q, p, t, 1, g->units, (target){NONE, row, NONE}));
        }
    }
    for (int32_t t = q->release; t <= q->end - q->duration; t++) {
        size_t n = 0;
        for (int32_t i = t; i < t + q->duration; i++) entry(b, &n, runs + (size_t)(i - q->release), -1);
        entry(b, &n, amount, q->duration);
        entry(b, &n, b->throughput_row, q->duration);
        CTW_TRY(ctw_milp__add_col(&b->m, 0, 0, g->units, 0, b->rows, b->values, n, NULL));
    }
    return CTW_OK;
}

static ctw_status add_group(model *b, const group *g)
{
    const ctw_place__batch *q = g->b;
    size_t amount, once = NONE, n = 0;
    double all = g->units * q->duration;
    uint64_t fixed = 0;
    CTW_TRY(ctw_milp__add_row(&b->m, all, all, &amount));
    for (uint64_t left = q->pools, here; left && !q->preemptible; left &= ~here) {
        here = left & b->in->pool_region[__builtin_ctzll(left)];
        if (here & (here - 1)) {
            CTW_TRY(add_roaming(b, g, here, amount));
        } else {
            fixed |= here;
        }
    }
    if (q->preemptible) fixed = q->pools;
    int32_t last = q->preemptible ? q->end - 1 : q->end - q->duration;
    for (int32_t t = q->release; t <= last && fixed; t++) {
        if (q->preemptible && (fixed & (fixed - 1))) CTW_TRY(ctw_milp__add_row(&b->m, -INFINITY, g->units, &once));
        for (size_t p = 0; p < b->in->pools; p++) {
            if (!(fixed >> p & 1)) continue;
            const target to = {amount, once, b->throughput_row};
            CTW_TRY(add_quantity(b, q, p, t, q->preemptible ? 1 : q->duration, g->units, to));
        }
    }
    entry(b, &n, amount, 1);
    return ctw_milp__add_col(&b->m, q->penalty, 0, all, 0, b->rows, b->values, n, NULL);
}

/* Services: fixed demand where they have one pool; in several, and for what is missing, quantities. */
static ctw_status add_service(model *b, const ctw_place__service *l)
{
    const ctw_place__inst *in = b->in;
    const double *d = b->demand + (size_t)l->flavour * b->r;
    for (size_t t = 0; t < in->slots; t++) {
        size_t need, n = 0;
        if (l->load[t] == 0) continue;
        if (!l->fits) {
            b->m.offset += l->penalty * l->load[t];
            continue;
        }
        CTW_TRY(ctw_milp__add_row(&b->m, l->load[t], INFINITY, &need));
        for (size_t p = 0; p < in->pools; p++) {
            if (!(l->pools >> p & 1)) continue;
            n = 0;
            for (size_t j = 0; j < b->r; j++) entry(b, &n, b->row[(p * in->slots + t) * b->r + j], -d[j]);
            entry(b, &n, need, 1);
            CTW_TRY(ctw_milp__add_col(&b->m, 0, 0, l->load[t], 0, b->rows, b->values, n, NULL));
        }
        n = 0;
        entry(b, &n, need, 1);
        CTW_TRY(ctw_milp__add_col(&b->m, l->penalty, 0, l->load[t], 0, b->rows, b->values, n, NULL));
    }
    return CTW_OK;
}

/* Services in one pool are summed into the rows' right-hand sides instead. */
static ctw_status add_services(model *b)
{
    const ctw_place__inst *in = b->in;
    for (size_t i = 0; i < in->services; i++) {
        const ctw_place__service *l = in->service + i;
        if (!l->fits || (l->pools & (l->pools - 1))) {
            CTW_TRY(add_service(b, l));
            continue;
        }
        size_t p = (size_t)__builtin_ctzll(l->pools);
        const double *d = b->demand + (size_t)l->flavour * b->r;
        for (size_t t = 0; t < in->slots; t++) {
            for (size_t j = 0; j < b->r; j++) b->fixed[(p * in->slots + t) * b->r + j] += l->load[t] * d[j];
        }
    }
    /* Missing replicas: capacity at the price of the cheapest penalty per unit of each resource, so that the model
     * is never infeasible and never above the truth. */
    for (size_t i = 0; i < in->pools * in->slots * b->r; i++) {
        double price = INFINITY, one = 1;
        b->m.row_lo[b->row[i]] = b->fixed[i];
        for (size_t s = 0; s < in->services; s++) {
            const ctw_place__service *l = in->service + s;
            const double *d = b->demand + (size_t)l->flavour * b->r;
            double sum = 0;
            for (size_t j = 0; j < b->r; j++) sum += d[j] > 0;
            if (d[i % b->r] > 0) price = fmin(price, l->penalty / d[i % b->r] / sum);
        }
        if (b->fixed[i] > 0 && isfinite(price)) {
            CTW_TRY(ctw_milp__add_col(&b->m, price, 0, b->fixed[i], 0, b->row + i, &one, 1, NULL));
        }
    }
    return CTW_OK;
}

/* Seconds for every entry that stating the model and handing it to GLPK take, which nothing can stop. */
#define ENTRY_S 1e-6

static int too_late(const model *b)
{
    return ENTRY_S * (double)b->m.nnz >= b->until - ctw_base__now();
}

static ctw_status build(model *b, const ctw_place__inst *in, const ctw_place__limits *lim, double until, int whole)
{
    memset(b, 0, sizeof *b);
    b->in = in;
    b->until = until;
    b->whole = whole;
    ctw_milp__model_init(&b->m, in->ctx);
    b->lim = lim;
    b->r = lim->n;
    b->demand = lim->demand;
    b->cap = lim->cap;
    size_t cells = in->pools * in->slots * b->r, kt = in->classes * in->slots;
    b->row = CTW_NEW(in->ctx, cells, size_t);
    b->fixed = CTW_NEW(in->ctx, cells, double);
    b->load_row = CTW_NEW(in->ctx, kt * in->r, size_t);
    b->start_row = CTW_NEW(in->ctx, kt, size_t);
    b->cap_row = CTW_NEW(in->ctx, in->regions * in->slots, size_t);
    b->rows = CTW_NEW(in->ctx, in->slots * b->r + b->r + 8, size_t);
    b->values = CTW_NEW(in->ctx, in->slots * b->r + b->r + 8, double);
    if (!b->row || !b->fixed || !b->load_row || !b->start_row || !b->cap_row || !b->rows || !b->values)
        return CTW_E_NOMEM;
    CTW_TRY(form_groups(b));
    CTW_TRY(add_rows(b));
    for (size_t k = 0; k < in->classes; k++) CTW_TRY(add_class(b, k));
    for (size_t g = 0; g < b->groups && !too_late(b); g++) CTW_TRY(add_group(b, b->group + g));
    if (too_late(b)) return CTW_OK; /* and the caller sees that it is */
    for (size_t i = 0; i < in->batches; i++) {
        const ctw_place__batch *q = in->batch + i;
        if (!q->fits) b->m.offset += q->penalty * q->duration * q->count;
    }
    return add_services(b);
}

/* Entries up to which GLPK's presolver, which cannot be stopped either, is quick. */
enum { PRESOLVED = 100000 };

static ctw_status search(model *b, ctw_place__clock *clock, double *bound, int64_t *nodes)
{
    const ctw_place__inst *in = b->in;
    ctw_milp__options opt;
    ctw_milp__result r;
    memset(&opt, 0, sizeof opt);
    opt.time_limit_s = fmax(1e-3, b->until - ctw_base__now());
    opt.mip_gap = in->opt->mip_gap / 2;
    opt.max_nodes = in->opt->max_nodes;
    opt.max_vars = in->opt->max_vars;
    opt.cuts = 1;
    opt.presolve = b->m.nnz <= PRESOLVED;
    opt.cancel = clock->cancel;
    ctw_status s = ctw_milp__solve(&b->m, &opt, &r);
    if (r.bound > *bound) *bound = r.bound;
    *nodes += (int64_t)r.nodes;
    ctw_milp__result_free(in->ctx, &r);
    return s == CTW_E_NOMEM ? s : CTW_OK;
}

ctw_status ctw_place__aggregate(const ctw_place__inst *in, const ctw_place__limits *lim, ctw_place__clock *clock,
                                double until, int whole, double *bound, int64_t *nodes)
{
    model b;
    ctw_status s = build(&b, in, lim, fmin(until, clock->deadline), whole);
    if (s == CTW_OK && b.m.cols > 0 && !too_late(&b)) s = search(&b, clock, bound, nodes);
    void *all[] = {b.group, b.row, b.fixed, b.load_row, b.start_row, b.cap_row, b.rows, b.values};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(in->ctx, all[i]);
    ctw_milp__model_free(&b.m);
    return s;
}
