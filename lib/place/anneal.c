/* anneal.c: simulated annealing over the schedule. The servers are not part of the state: a proposal gives one or a few
 * units other slots, and the slots whose mix changes are packed anew by cell.c, which remembers what it was asked. So a
 * step that only pays once a whole server can be switched off is seen as soon as the counts allow it, which a search
 * that moves units between servers finds by luck. */
#include "place/anneal.h"
#include "base/cancel.h"
#include "base/ctx.h"
#include "num/rng.h"
#include "num/sort.h"
#include "place/cell.h"
#include <math.h>
#include <string.h>

enum { TOGETHER = 6 };

/* What a proposal does to one unit. */
typedef struct change {
    size_t unit, region;
    int32_t run;
    int32_t *slot; /* slots */
} change;

typedef struct annealer {
    const ctw_place__inst *in;
    ctw_place__cells cells;
    ctw_place__plan *plan; /* slots of units, not in order; its servers are not read */
    ctw_num__rng rng;
    size_t *region;  /* units */
    size_t *movable; /* units that fit somewhere */
    size_t movables;
    uint8_t *runs;   /* units x slots */
    int32_t *counts; /* (region x slots + slot) x flavours */
    uint64_t *hash;  /* region x slots */
    double *grams;   /* region x slots */
    double *added;   /* slots */
    size_t *order;   /* slots */
    change change[TOGETHER];
    size_t changes;
    size_t *touched; /* cells the proposal changes, their grams before */
    double *before;
    uint32_t *stamp, now; /* cells: the last proposal that touched them */
    size_t touches;
} annealer;

static const ctw_place__batch *batch_of(const annealer *a, size_t u)
{
    return a->in->batch + a->in->unit_batch[u];
}

static size_t below(annealer *a, size_t n)
{
    return (size_t)ctw_num__rng_below(&a->rng, n);
}

static double cell_grams(annealer *a, size_t cell)
{
    return ctw_place__cell_grams(&a->cells, cell / a->in->slots, cell % a->in->slots,
                                 a->counts + cell * a->in->flavours, a->hash[cell]);
}

static double cell_least(annealer *a, size_t cell)
{
    return ctw_place__cell_least(&a->cells, cell / a->in->slots, cell % a->in->slots,
                                 a->counts + cell * a->in->flavours, a->hash[cell]);
}

static void bump(annealer *a, size_t cell, size_t f, int sign)
{
    if (a->stamp[cell] != a->now) {
        a->stamp[cell] = a->now;
        a->before[a->touches] = a->grams[cell];
        a->touched[a->touches++] = cell;
    }
    a->counts[cell * a->in->flavours + f] += sign;
    a->hash[cell] += sign > 0 ? a->cells.mark[f] : -a->cells.mark[f];
}

/* Takes the unit out of its cells (its slots in the plan), or puts it where the change says. */
static void lift(annealer *a, size_t u)
{
    const ctw_place__batch *b = batch_of(a, u);
    const int32_t *slot = a->plan->slot + ctw_place__entry(a->in, u);
    for (int32_t i = 0; i < a->plan->run[u]; i++)
        bump(a, a->region[u] * a->in->slots + (size_t)slot[i], (size_t)b->flavour, -1);
}

static void drop(annealer *a, const change *x)
{
    const ctw_place__batch *b = batch_of(a, x->unit);
    for (int32_t i = 0; i < x->run; i++) bump(a, x->region * a->in->slots + (size_t)x->slot[i], (size_t)b->flavour, 1);
}

static void undo(annealer *a)
{
    for (size_t i = 0; i < a->changes; i++) {
        const change *x = a->change + i;
        const ctw_place__batch *b = batch_of(a, x->unit);
        for (int32_t q = 0; q < x->run; q++)
            bump(a, x->region * a->in->slots + (size_t)x->slot[q], (size_t)b->flavour, -1);
        const int32_t *slot = a->plan->slot + ctw_place__entry(a->in, x->unit);
        for (int32_t q = 0; q < a->plan->run[x->unit]; q++)
            bump(a, a->region[x->unit] * a->in->slots + (size_t)slot[q], (size_t)b->flavour, 1);
    }
    for (size_t i = 0; i < a->touches; i++) a->grams[a->touched[i]] = a->before[i];
}

static void keep(annealer *a)
{
    for (size_t i = 0; i < a->changes; i++) {
        const change *x = a->change + i;
        int32_t *slot = a->plan->slot + ctw_place__entry(a->in, x->unit);
        uint8_t *runs = a->runs + x->unit * a->in->slots;
        for (int32_t q = 0; q < a->plan->run[x->unit]; q++) runs[slot[q]] = 0;
        for (int32_t q = 0; q < x->run; q++) runs[x->slot[q]] = 1;
        memcpy(slot, x->slot, (size_t)x->run * sizeof *slot);
        a->plan->run[x->unit] = x->run;
        a->region[x->unit] = x->region;
    }
}

static size_t some_region(annealer *a, size_t u)
{
    uint64_t pools = batch_of(a, u)->pools;
    size_t n = (size_t)__builtin_popcountll(pools);
    if (n < 2 || below(a, 4)) {
        size_t pool = (size_t)__builtin_ctzll(pools);
        if (a->plan->run[u] > 0) return a->region[u];
        for (size_t k = 0; k < a->in->classes; k++) {
            if (a->in->class[k].pool == pool) return a->in->class[k].region;
        }
    }
    for (size_t pick = below(a, n); pick > 0; pick--) pools &= pools - 1;
    size_t pool = (size_t)__builtin_ctzll(pools), k = 0;
    while (a->in->class[k].pool != pool) k++;
    return a->in->class[k].region;
}

/* A change of the unit that starts as it stands. */
static change *begin_change(annealer *a, size_t u)
{
    change *x = a->change + a->changes++;
    x->unit = u;
    x->region = some_region(a, u);
    x->run = a->plan->run[u];
    memcpy(x->slot, a->plan->slot + ctw_place__entry(a->in, u), (size_t)x->run * sizeof(int32_t));
    return x;
}

static int taken(const annealer *a, size_t u)
{
    for (size_t i = 0; i < a->changes; i++) {
        if (a->change[i].unit == u) return 1;
    }
    return 0;
}

/* Another start. */
static void shift_start(annealer *a, change *x, const ctw_place__batch *b)
{
    int32_t starts = b->end - b->duration - b->release + 1, at = b->release + (int32_t)below(a, (size_t)starts);
    if (x->run > 0 && below(a, 2)) {
        int32_t by = 1 + (int32_t)below(a, 2), from = x->slot[0];
        for (int32_t i = 1; i < x->run; i++) from = x->slot[i] < from ? x->slot[i] : from;
        at = below(a, 2) ? from - by : from + by;
        if (at < b->release || at > b->end - b->duration) at = from;
    }
    x->run = b->duration;
    for (int32_t i = 0; i < b->duration; i++) x->slot[i] = at + i;
}

/* One of the slots for another, or one more when some are missing. */
static void swap_slot(annealer *a, change *x, const ctw_place__batch *b, int32_t wish)
{
    int32_t to = wish >= 0 ? wish : b->release + (int32_t)below(a, (size_t)(b->end - b->release));
    if (to < b->release || to >= b->end || a->runs[x->unit * a->in->slots + (size_t)to]) return;
    if (x->run < b->duration) {
        x->slot[x->run++] = to;
    } else {
        x->slot[below(a, (size_t)x->run)] = to;
    }
}

static void propose_one(annealer *a, int32_t wish)
{
    size_t u = a->movable[below(a, a->movables)];
    if (taken(a, u)) return;
    const ctw_place__batch *b = batch_of(a, u);
    change *x = begin_change(a, u);
    if (!b->preemptible) {
        shift_start(a, x, b);
    } else {
        swap_slot(a, x, b, wish);
    }
}

/* Two preemptible units trade slots, so that the number that runs stays. */
static void propose_trade(annealer *a)
{
    size_t u = a->movable[below(a, a->movables)], v = a->movable[below(a, a->movables)];
    const ctw_place__batch *b = batch_of(a, u), *c = batch_of(a, v);
    if (u == v || !b->preemptible || !c->preemptible || b->flavour == c->flavour || !a->plan->run[u] ||
        !a->plan->run[v])
        return;
    change *x = begin_change(a, u), *y = begin_change(a, v);
    size_t i = below(a, (size_t)x->run), j = below(a, (size_t)y->run);
    int32_t s = x->slot[i], t = y->slot[j];
    if (s == t || s < c->release || s >= c->end || t < b->release || t >= b->end ||
        a->runs[u * a->in->slots + (size_t)t] || a->runs[v * a->in->slots + (size_t)s])
        return;
    x->slot[i] = t;
    y->slot[j] = s;
}

/* The cheapest slots for a unit that has been taken out. */
static void cheapest(annealer *a, change *x)
{
    const ctw_place__batch *b = batch_of(a, x->unit);
    const ctw_place__inst *in = a->in;
    for (int32_t t = b->release; t < b->end; t++) {
        size_t cell = x->region * in->slots + (size_t)t;
        double now = cell_least(a, cell);
        a->counts[cell * in->flavours + (size_t)b->flavour]++;
        a->hash[cell] += a->cells.mark[b->flavour];
        a->added[t] = cell_least(a, cell) - now + 1e-9 * ctw_num__rng_uniform(&a->rng);
        a->counts[cell * in->flavours + (size_t)b->flavour]--;
        a->hash[cell] -= a->cells.mark[b->flavour];
    }
    x->run = b->duration;
    if (b->preemptible) {
        ctw_num__argsort(a->added + b->release, a->order, (size_t)(b->end - b->release));
        for (int32_t i = 0; i < b->duration; i++) x->slot[i] = b->release + (int32_t)a->order[i];
        return;
    }
    int32_t best = b->release;
    double least = INFINITY;
    for (int32_t s = b->release; s + b->duration <= b->end; s++) {
        double sum = 0;
        for (int32_t t = s; t < s + b->duration; t++) sum += a->added[t];
        if (sum >= least) continue;
        least = sum;
        best = s;
    }
    for (int32_t i = 0; i < b->duration; i++) x->slot[i] = best + i;
}

/* A few units are taken out and put back one by one where each adds least. */
static void rebuild(annealer *a)
{
    size_t n = 1 + below(a, TOGETHER), slot = below(a, a->in->slots);
    for (size_t tries = 0; tries < 8 * n && a->changes < n; tries++) {
        size_t u = a->movable[below(a, a->movables)];
        if (taken(a, u) || (tries < 6 * n && !a->runs[u * a->in->slots + slot])) continue;
        begin_change(a, u);
        lift(a, u);
    }
    for (size_t i = 0; i < a->changes; i++) {
        cheapest(a, a->change + i);
        drop(a, a->change + i);
    }
}

static void propose(annealer *a)
{
    size_t how = below(a, 20);
    a->changes = a->touches = 0;
    a->now++;
    if (how == 0) {
        rebuild(a);
        return;
    }
    if (how < 12) {
        propose_one(a, -1);
        if (how < 3) propose_one(a, (int32_t)below(a, a->in->slots));
    } else {
        propose_trade(a);
    }
    for (size_t i = 0; i < a->changes; i++) {
        lift(a, a->change[i].unit);
        drop(a, a->change + i);
    }
}

/* What the proposal adds, penalties included; INFINITY once it is known to be more than `limit`. */
static double judge(annealer *a, double limit)
{
    double fixed = 0, sum = 0;
    for (size_t i = 0; i < a->changes; i++) {
        const ctw_place__batch *b = batch_of(a, a->change[i].unit);
        fixed -= (a->change[i].run - a->plan->run[a->change[i].unit]) * b->penalty;
    }
    for (size_t i = 0; i < a->touches; i++) sum += cell_least(a, a->touched[i]) - a->before[i];
    if (!(sum + fixed <= limit)) return INFINITY;
    sum = 0;
    for (size_t i = 0; i < a->touches; i++) {
        size_t cell = a->touched[i];
        a->grams[cell] = cell_grams(a, cell);
        sum += a->grams[cell] - a->before[i];
    }
    return sum + fixed <= limit ? sum + fixed : INFINITY;
}

static ctw_status load(annealer *a)
{
    const ctw_place__inst *in = a->in;
    for (size_t u = 0; u < in->units; u++) {
        const ctw_place__batch *b = batch_of(a, u);
        size_t e = ctw_place__entry(in, u);
        if (b->fits) a->movable[a->movables++] = u;
        for (int32_t i = 0; i < a->plan->run[u]; i++) {
            size_t t = (size_t)a->plan->slot[e + (size_t)i];
            a->region[u] = in->class[in->class_of[a->plan->server[e + (size_t)i]]].region;
            a->runs[u * in->slots + t] = 1;
            bump(a, a->region[u] * in->slots + t, (size_t)b->flavour, 1);
        }
    }
    for (size_t i = 0; i < in->services; i++) {
        const ctw_place__service *l = in->service + i;
        if (!l->fits) continue;
        size_t pool = (size_t)__builtin_ctzll(l->pools), k = 0;
        while (in->class[k].pool != pool) k++;
        for (size_t t = 0; t < in->slots; t++) {
            size_t cell = in->class[k].region * in->slots + t;
            a->counts[cell * in->flavours + (size_t)l->flavour] += l->load[t];
            a->hash[cell] += (uint64_t)l->load[t] * a->cells.mark[l->flavour];
        }
    }
    for (size_t cell = 0; cell < in->regions * in->slots; cell++) a->grams[cell] = cell_grams(a, cell);
    return CTW_OK;
}

static double total(const annealer *a)
{
    double sum = 0;
    for (size_t cell = 0; cell < a->in->regions * a->in->slots; cell++) sum += a->grams[cell];
    for (size_t u = 0; u < a->in->units; u++)
        sum += (batch_of(a, u)->duration - a->plan->run[u]) * batch_of(a, u)->penalty;
    return sum;
}

/* Hands a cell's servers to its units. */
static int assign_cell(annealer *a, size_t cell)
{
    const ctw_place__inst *in = a->in;
    size_t g = cell / in->slots, t = cell % in->slots;
    if (isinf(ctw_place__cell_pack(&a->cells, g, t, a->counts + cell * in->flavours))) return 0;
    size_t used = 0, last = in->classes;
    for (size_t b = 0; b < a->cells.boxes; b++) {
        size_t k = a->cells.box_class[b];
        used = k == last ? used + 1 : 0;
        last = k;
        int32_t id = in->members[in->class[k].first + used];
        int32_t *content = a->cells.content + b * in->flavours;
        for (size_t i = 0; i < in->services; i++) {
            const ctw_place__service *l = in->service + i;
            if (!l->fits || !(l->pools >> in->class[k].pool & 1)) continue;
            for (int32_t q = 0; q < l->load[t] && content[l->flavour] > 0; q++) {
                size_t e = l->entry[t] + (size_t)q;
                if (a->plan->service_server[e] >= 0) continue;
                a->plan->service_server[e] = id;
                content[l->flavour]--;
            }
        }
        for (size_t u = 0; u < in->units; u++) {
            size_t f = (size_t)batch_of(a, u)->flavour;
            if (content[f] <= 0 || !a->runs[u * in->slots + t] || a->region[u] != g) continue;
            size_t e = ctw_place__entry(in, u);
            int32_t q = 0;
            while (a->plan->slot[e + (size_t)q] != (int32_t)t) q++;
            if (a->plan->server[e + (size_t)q] >= 0) continue;
            a->plan->server[e + (size_t)q] = id;
            content[f]--;
        }
    }
    return 1;
}

/* Servers for the schedule; 0 when some cell could not be packed. */
static int assign(annealer *a)
{
    const ctw_place__inst *in = a->in;
    for (size_t i = 0; i < in->service_entries; i++) a->plan->service_server[i] = -1;
    for (size_t u = 0; u < in->units; u++) {
        int32_t *slot = a->plan->slot + ctw_place__entry(in, u), q = 0;
        for (int32_t t = 0; t < (int32_t)in->slots; t++) {
            if (a->runs[u * in->slots + (size_t)t]) slot[q++] = t;
        }
        for (int32_t i = 0; i < q; i++) a->plan->server[ctw_place__entry(in, u) + (size_t)i] = -1;
    }
    for (size_t cell = 0; cell < in->regions * in->slots; cell++) {
        if (!assign_cell(a, cell)) return 0;
    }
    return 1;
}

/* Where the search is at its best: slots and regions of the units. */
typedef struct best {
    int32_t *slot, *run;
    size_t *region;
    double grams;
} best;

static void save(const annealer *a, best *b)
{
    memcpy(b->slot, a->plan->slot, a->in->entries * sizeof(int32_t));
    memcpy(b->run, a->plan->run, a->in->units * sizeof(int32_t));
    memcpy(b->region, a->region, a->in->units * sizeof(size_t));
}

static void restore(annealer *a, const best *b)
{
    const ctw_place__inst *in = a->in;
    a->now++;
    a->touches = 0;
    for (size_t u = 0; u < in->units; u++) lift(a, u);
    memcpy(a->plan->slot, b->slot, in->entries * sizeof(int32_t));
    memcpy(a->plan->run, b->run, in->units * sizeof(int32_t));
    memcpy(a->region, b->region, in->units * sizeof(size_t));
    memset(a->runs, 0, in->units * in->slots);
    for (size_t u = 0; u < in->units; u++) {
        const int32_t *slot = a->plan->slot + ctw_place__entry(in, u);
        for (int32_t i = 0; i < a->plan->run[u]; i++) {
            a->runs[u * in->slots + (size_t)slot[i]] = 1;
            bump(a, a->region[u] * in->slots + (size_t)slot[i], (size_t)batch_of(a, u)->flavour, 1);
        }
    }
}

/* The temperature at the start and at the end, in grams of the mean idle server in the mean slot; chosen on seeds 2 and
 * 3 of 10, 20 and 50 servers. */
#define HOT  0.03
#define COLD 0.001

/* A second round starts from a plan that is good already. */
#define WARM 0.03

static void search(annealer *a, ctw_place__clock *clock, double until, double bound, int64_t patience, double hot,
                   best *b)
{
    const ctw_place__inst *in = a->in;
    double idle = 0, gram = 0, began = ctw_base__now(), end = fmin(until, clock->deadline), now = total(a), first = now;
    for (size_t k = 0; k < in->classes; k++) idle += in->class[k].n * in->class[k].idle / (double)in->servers;
    for (size_t i = 0; i < in->regions * in->slots; i++) gram += in->gram[i] / (double)(in->regions * in->slots);
    double unit = fmax(idle * gram, 1e-6 * now), heat = hot;
    int64_t i = 0;
    b->grams = now;
    save(a, b);
    for (; i < patience; i++) {
        if (i % 16 == 0) {
            double at = ctw_base__now(), done = (double)i / (double)patience;
            if (clock->patient && !in->opt->max_rounds) done = fmax(done, (at - began) / fmax(end - began, 1e-9));
            if (ctw_place__rung(clock) || at > end || b->grams - bound <= in->opt->mip_gap * fabs(b->grams)) break;
            heat = hot * pow(COLD / hot, done);
        }
        propose(a);
        if (a->changes == 0) continue;
        double limit = -unit * heat * log(1 - ctw_num__rng_uniform(&a->rng)), loss = judge(a, limit);
        if (!(loss <= limit)) {
            undo(a);
            continue;
        }
        keep(a);
        now += loss;
        if (now >= b->grams - 1e-9 * fabs(b->grams)) continue;
        b->grams = now;
        save(a, b);
    }
    ctw_base__log(in->ctx, CTW_LOG_DEBUG, "place",
                  "schedule: %.8g to %.8g, bound %.8g, %lld proposals, %lld of %lld packings failed, %.3g s", first,
                  b->grams, bound, (long long)i, (long long)a->cells.failures, (long long)a->cells.packings,
                  ctw_base__now() - began);
}

static ctw_status alloc(annealer *a, best *b)
{
    const ctw_place__inst *in = a->in;
    ctw_ctx *ctx = in->ctx;
    size_t cells = in->regions * in->slots;
    a->region = CTW_NEW(ctx, in->units, size_t);
    a->movable = CTW_NEW(ctx, in->units, size_t);
    a->runs = CTW_NEW(ctx, in->units * in->slots, uint8_t);
    a->counts = CTW_NEW(ctx, cells * in->flavours, int32_t);
    a->hash = CTW_NEW(ctx, cells, uint64_t);
    a->grams = CTW_NEW(ctx, cells, double);
    a->added = CTW_NEW(ctx, in->slots, double);
    a->order = CTW_NEW(ctx, in->slots, size_t);
    a->touched = CTW_NEW(ctx, cells, size_t);
    a->before = CTW_NEW(ctx, cells, double);
    a->stamp = CTW_NEW(ctx, cells, uint32_t);
    b->slot = CTW_NEW(ctx, in->entries, int32_t);
    b->run = CTW_NEW(ctx, in->units, int32_t);
    b->region = CTW_NEW(ctx, in->units, size_t);
    int ok = a->region && a->movable && a->runs && a->counts && a->hash && a->grams && a->added && a->order &&
             a->touched && a->before && a->stamp && b->slot && b->run && b->region;
    for (size_t i = 0; i < TOGETHER; i++) {
        a->change[i].slot = CTW_NEW(ctx, in->slots, int32_t);
        ok = ok && a->change[i].slot;
    }
    return ok ? CTW_OK : CTW_E_NOMEM;
}

static void release(annealer *a, best *b)
{
    void *all[] = {a->region, a->movable, a->runs,   a->counts, a->hash, a->grams, a->added,
                   a->order,  a->touched, a->before, a->stamp,  b->slot, b->run,   b->region};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(a->in->ctx, all[i]);
    for (size_t i = 0; i < TOGETHER; i++) ctw_base__free(a->in->ctx, a->change[i].slot);
    ctw_place__cells_free(&a->cells);
}

static ctw_status run(annealer *a, ctw_place__plan *plan, ctw_place__clock *clock, double until, double bound,
                      int64_t patience, double hot, best *b)
{
    const ctw_place__inst *in = a->in;
    ctw_place__cost mine, theirs;
    memset(&mine, 0, sizeof mine);
    memset(&theirs, 0, sizeof theirs);
    memcpy(a->plan->slot, plan->slot, in->entries * sizeof(int32_t));
    memcpy(a->plan->server, plan->server, in->entries * sizeof(int32_t));
    memcpy(a->plan->run, plan->run, in->units * sizeof(int32_t));
    CTW_TRY(load(a));
    if (a->movables == 0 || !isfinite(total(a))) return CTW_OK;
    search(a, clock, until, bound, patience, hot, b);
    restore(a, b);
    if (!assign(a)) return CTW_OK;
    CTW_TRY(ctw_place__plan_cost(in, plan, &theirs));
    CTW_TRY(ctw_place__plan_cost(in, a->plan, &mine));
    if (mine.objective >= theirs.objective) return CTW_OK;
    ctw_place__plan old = *plan;
    *plan = *a->plan;
    *a->plan = old;
    return CTW_OK;
}

ctw_status ctw_place__anneal(const ctw_place__inst *in, const ctw_place__limits *lim, ctw_place__plan *plan,
                             ctw_place__clock *clock, double until, double bound, int64_t patience, uint64_t round)
{
    annealer a;
    best b;
    ctw_place__plan mine;
    if (!ctw_place__cells_apply(in)) return CTW_OK;
    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    memset(&mine, 0, sizeof mine);
    a.in = in;
    a.plan = &mine;
    ctw_num__rng_init(&a.rng, 1, 0x504C4143u, round);
    ctw_status s = ctw_place__plan_new(in, &mine);
    if (s == CTW_OK) s = ctw_place__cells_new(in, lim, &a.cells);
    if (s == CTW_OK) s = alloc(&a, &b);
    if (s == CTW_OK) s = run(&a, plan, clock, until, bound, patience, round > 1 ? WARM : HOT, &b);
    release(&a, &b);
    ctw_place__plan_free(in->ctx, &mine);
    return s;
}
