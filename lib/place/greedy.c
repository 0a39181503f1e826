/* greedy.c: a plan without search. Services first, large ones before small ones, each replica on the server it
 * had a slot earlier if that still has room; then batch units in order of size, each into the slots where it
 * adds least. The same step completes plans of other tiers that left something out. */
#include "num/sort.h"
#include "place/tiers.h"
#include <math.h>
#include <string.h>

typedef struct filler {
    const ctw_place__inst *in;
    ctw_place__state *st;
    ctw_place__plan *plan;
    /* scratch for one batch unit: by slot */
    double *added;
    int32_t *server;
    size_t *order;
    uint8_t *chosen;
    /* the job whose spreading is checked */
    int32_t spread;
    const ctw_place__service *service;
    const ctw_place__batch *batch;
} filler;

static int too_many(const void *user, size_t slot, int32_t server)
{
    const filler *f = user;
    int32_t there = 0;
    if (f->service) {
        const int32_t *at = f->plan->service_server + f->service->entry[slot];
        for (int32_t q = 0; q < f->service->load[slot]; q++) there += at[q] == server;
        return there >= f->spread;
    }
    for (int32_t q = 0; q < f->batch->count; q++) {
        size_t u = f->batch->unit0 + (size_t)q, e = ctw_place__entry(f->in, u);
        for (int32_t i = 0; i < f->plan->run[u]; i++) {
            there += f->plan->slot[e + (size_t)i] == (int32_t)slot && f->plan->server[e + (size_t)i] == server;
        }
    }
    return there >= f->spread;
}

static int32_t best_server(filler *f, size_t slot, size_t flavour, uint64_t pools, int32_t prefer, double *added)
{
    ctw_place__veto_fn veto = f->spread > 0 ? too_many : NULL;
    int32_t best = ctw_place__state_best(f->st, slot, flavour, pools, veto, f, added);
    if (prefer < 0 || best < 0 || prefer == best || !ctw_place__state_fits(f->st, slot, prefer, flavour)) return best;
    if (veto && veto(f, slot, prefer)) return best;
    double g = ctw_place__state_added(f->st, slot, prefer, flavour);
    if (g > *added + 1e-9 * fabs(*added) && f->in->opt->max_migrations >= 1) return best;
    *added = g;
    return prefer;
}

static void fill_service(filler *f, const ctw_place__service *l)
{
    f->service = l;
    f->batch = NULL;
    f->spread = l->spread;
    for (size_t t = 0; t < f->in->slots; t++) {
        for (int32_t q = 0; q < l->load[t]; q++) {
            int32_t *at = f->plan->service_server + l->entry[t] + q, prefer = -1;
            if (*at >= 0) continue;
            if (t > 0 && q < l->load[t - 1]) prefer = f->plan->service_server[l->entry[t - 1] + (size_t)q];
            double added;
            int32_t server = best_server(f, t, (size_t)l->flavour, l->pools, prefer, &added);
            if (server < 0) break;
            *at = server;
            ctw_place__state_put(f->st, t, server, (size_t)l->flavour);
        }
    }
}

/* Marks the slots in which a unit should run; returns how many. */
static int32_t choose_slots(filler *f, const ctw_place__batch *b)
{
    size_t n = 0;
    int32_t taken = 0;
    memset(f->chosen, 0, f->in->slots);
    if (b->preemptible) {
        size_t window = (size_t)(b->end - b->release);
        ctw_num__argsort(f->added + b->release, f->order, window);
        for (size_t i = 0; i < window && taken < b->duration; i++) {
            size_t t = (size_t)b->release + f->order[i];
            if (f->server[t] < 0 || f->added[t] > b->penalty) break;
            f->chosen[t] = 1;
            taken++;
        }
        return taken;
    }
    double best = b->penalty * b->duration * (1 + 1e-12), sum = 0;
    int found = 0;
    for (int32_t t = b->release, run = 0; t < b->end; t++) {
        run = f->server[t] < 0 ? 0 : run + 1;
        if (run == 0) continue;
        sum = 0;
        if (run >= b->duration) {
            for (int32_t q = t - b->duration + 1; q <= t; q++) sum += f->added[q];
            if (sum < best) {
                best = sum;
                n = (size_t)(t - b->duration + 1);
                found = 1;
            }
        }
    }
    if (!found) return 0;
    memset(f->chosen + n, 1, (size_t)b->duration);
    return b->duration;
}

/* What one unit would add in each slot of its window in the pools given. */
static void look(filler *f, const ctw_place__batch *b, uint64_t pools)
{
    for (int32_t t = b->release; t < b->end; t++) {
        f->server[t] = best_server(f, (size_t)t, (size_t)b->flavour, pools, -1, f->added + t);
        if (f->server[t] < 0) f->added[t] = INFINITY;
    }
}

/* The pools of the region in which the unit costs least, added[] looked up there; 0 when it should not run. */
static uint64_t best_region(filler *f, const ctw_place__batch *b)
{
    uint64_t left = b->pools, best = 0, last = 0;
    double least = INFINITY;
    while (left) {
        uint64_t here = left & f->in->pool_region[__builtin_ctzll(left)];
        left &= ~here;
        last = here;
        look(f, b, here);
        int32_t n = choose_slots(f, b);
        double cost = (b->duration - n) * b->penalty;
        for (int32_t t = b->release; t < b->end; t++) cost += f->chosen[t] ? f->added[t] : 0;
        if (n == 0 || cost >= least) continue;
        least = cost;
        best = here;
    }
    if (best && best != last) look(f, b, best);
    return best;
}

static void fill_unit(filler *f, size_t u)
{
    const ctw_place__batch *b = f->in->batch + f->in->unit_batch[u];
    size_t e = ctw_place__entry(f->in, u), flavour = (size_t)b->flavour;
    f->service = NULL;
    f->batch = b;
    f->spread = b->spread;
    uint64_t pools = best_region(f, b);
    if (pools == 0) return;
    choose_slots(f, b);
    int32_t n = 0, before = -1;
    for (int32_t t = b->release; t < b->end; t++) {
        if (!f->chosen[t]) continue;
        double added;
        int32_t server = best_server(f, (size_t)t, flavour, pools, before, &added);
        f->plan->slot[e + (size_t)n] = t;
        f->plan->server[e + (size_t)n] = server;
        f->plan->run[u] = ++n;
        before = server;
        ctw_place__state_put(f->st, (size_t)t, server, flavour);
    }
}

/* Gives a unit's places back. */
static void clear_unit(filler *f, size_t u)
{
    size_t e = ctw_place__entry(f->in, u), flavour = (size_t)f->in->batch[f->in->unit_batch[u]].flavour;
    for (int32_t i = 0; i < f->plan->run[u]; i++) {
        ctw_place__state_take(f->st, (size_t)f->plan->slot[e + (size_t)i], f->plan->server[e + (size_t)i], flavour);
    }
    f->plan->run[u] = 0;
}

/* Mean share of a server, for the order of filling. */
static double size_of(const ctw_place__inst *in, size_t flavour)
{
    double least = INFINITY;
    for (size_t k = 0; k < in->classes; k++) {
        if (ctw_place__fits_empty(in, k, flavour)) least = fmin(least, ctw_place__share(in, k, flavour));
    }
    return isfinite(least) ? least : 1;
}

static ctw_status fill_all(filler *f, const double *size, double *key, size_t *order)
{
    const ctw_place__inst *in = f->in;
    for (size_t i = 0; i < in->services; i++) key[i] = -size[in->service[i].flavour];
    ctw_num__argsort(key, order, in->services);
    for (size_t i = 0; i < in->services; i++) {
        if (in->service[order[i]].fits) fill_service(f, in->service + order[i]);
    }
    for (size_t i = 0; i < in->batches; i++) key[i] = -size[in->batch[i].flavour] * in->batch[i].duration;
    ctw_num__argsort(key, order, in->batches);
    for (size_t i = 0; i < in->batches; i++) {
        const ctw_place__batch *b = in->batch + order[i];
        for (int32_t q = 0; q < b->count && b->fits; q++) {
            size_t u = b->unit0 + (size_t)q;
            if (f->plan->run[u] >= b->duration) continue;
            clear_unit(f, u);
            fill_unit(f, u);
        }
    }
    return CTW_OK;
}

static ctw_status complete(const ctw_place__inst *in, ctw_place__state *st, ctw_place__plan *plan)
{
    ctw_ctx *ctx = in->ctx;
    size_t rows = in->batches > in->services ? in->batches : in->services;
    filler f = {.in = in, .st = st, .plan = plan};
    f.added = CTW_NEW(ctx, in->slots, double);
    f.server = CTW_NEW(ctx, in->slots, int32_t);
    f.order = CTW_NEW(ctx, in->slots, size_t);
    f.chosen = CTW_NEW(ctx, in->slots, uint8_t);
    double *size = CTW_NEW(ctx, in->flavours, double), *key = CTW_NEW(ctx, rows, double);
    size_t *order = CTW_NEW(ctx, rows, size_t);
    ctw_status s = CTW_E_NOMEM;
    if (f.added && f.server && f.order && f.chosen && size && key && order) {
        for (size_t i = 0; i < in->flavours; i++) size[i] = size_of(in, i);
        s = fill_all(&f, size, key, order);
    }
    void *all[] = {f.added, f.server, f.order, f.chosen, size, key, order};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(ctx, all[i]);
    return s;
}

ctw_status ctw_place__complete(const ctw_place__inst *in, ctw_place__state *st, ctw_place__plan *plan)
{
    return complete(in, st, plan);
}

ctw_status ctw_place__greedy(const ctw_place__inst *in, ctw_place__plan *plan)
{
    ctw_place__state st;
    CTW_TRY(ctw_place__state_new(in, &st));
    st.amortise = 1;
    ctw_status s = complete(in, &st, plan);
    ctw_place__state_free(&st);
    return s;
}
