/* repair.c: ejection chains. A unit that fits nowhere gets its place on a server whose preemptible guests can go
 * to other slots of their own windows. Every move is logged, and undone when the unit cannot be placed whole. */
#include "place/repair.h"
#include "num/sort.h"
#include "place/moves.h"
#include <math.h>
#include <string.h>

enum { MOST_STARTS = 24, MOST_SERVERS = 400 };

typedef struct guest {
    int32_t server, unit;
} guest;

typedef struct fixer {
    const ctw_place__inst *in;
    ctw_place__state *st;
    ctw_place__plan *plan;
    ctw_place__clock *clock;
    guest *guest;    /* preemptible guests by slot, then server; may be stale */
    size_t *slot_at; /* slots + 2 */
    uint8_t *sorted; /* slots */
    ctw_place__moves m;
    double *cost; /* slots: scratch */
    size_t *order;
} fixer;

static int cmp_guest(const void *pa, const void *pb, void *user)
{
    const guest *a = pa, *b = pb;
    (void)user;
    if (a->server != b->server) return a->server < b->server ? -1 : 1;
    return a->unit < b->unit ? -1 : a->unit > b->unit;
}

static ctw_status list_guests(fixer *f)
{
    const ctw_place__inst *in = f->in;
    size_t n = 0;
    f->slot_at = CTW_NEW(in->ctx, in->slots + 2, size_t);
    f->sorted = CTW_NEW(in->ctx, in->slots, uint8_t);
    f->cost = CTW_NEW(in->ctx, in->slots, double);
    f->order = CTW_NEW(in->ctx, in->slots, size_t);
    if (!f->slot_at || !f->sorted || !f->cost || !f->order) return CTW_E_NOMEM;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t u = 0; u < in->units; u++) {
            if (!in->batch[in->unit_batch[u]].preemptible) continue;
            size_t e = ctw_place__entry(in, u);
            for (size_t q = e; q < e + (size_t)f->plan->run[u]; q++) {
                size_t t = (size_t)f->plan->slot[q];
                if (pass == 0) {
                    f->slot_at[t + 2]++;
                    n++;
                } else {
                    f->guest[f->slot_at[t + 1]++] = (guest){f->plan->server[q], (int32_t)u};
                }
            }
        }
        if (pass) break;
        for (size_t t = 0; t < in->slots; t++) f->slot_at[t + 2] += f->slot_at[t + 1];
        f->guest = CTW_NEW(in->ctx, n, guest);
        if (!f->guest) return CTW_E_NOMEM;
    }
    return CTW_OK;
}

/* Moves a guest away from (slot, server) to the cheapest other slot of its window; 0 when there is none. */
static ctw_status send_away(fixer *f, guest g, int32_t slot, int *gone)
{
    const ctw_place__batch *b = f->in->batch + f->in->unit_batch[g.unit];
    size_t u = (size_t)g.unit;
    uint64_t pools = ctw_place__own_pools(f->in, f->plan, u);
    int32_t to_slot = -1, to_server = -1;
    double least = INFINITY;
    *gone = 0;
    for (int32_t t = b->release; t < b->end && b->spread == 0; t++) {
        double added;
        if (t == slot || ctw_place__find_entry(f->in, f->plan, u, t) >= 0) continue;
        int32_t server = ctw_place__state_best(f->st, (size_t)t, (size_t)b->flavour, pools, NULL, NULL, &added);
        if (server < 0 || added >= least) continue;
        least = added;
        to_slot = t;
        to_server = server;
    }
    if (to_slot < 0) return CTW_OK;
    *gone = 1;
    CTW_TRY(ctw_place__moves_take(&f->m, u, slot));
    return ctw_place__moves_put(&f->m, u, to_slot, to_server);
}

/* Makes room for one unit of the flavour on some server of the pools in the slot; *server -1 when it fails. */
static ctw_status make_room(fixer *f, int32_t slot, size_t flavour, uint64_t pools, int force, int32_t *server)
{
    const ctw_place__inst *in = f->in;
    size_t from = f->slot_at[slot], to = f->slot_at[slot + 1], tried = 0;
    *server = -1;
    if (!f->sorted[slot]) ctw_num__sort_by(f->guest + from, to - from, sizeof(guest), cmp_guest, NULL);
    f->sorted[slot] = 1;
    for (size_t a = from, b; a < to && tried < MOST_SERVERS; a = b) {
        int32_t s = f->guest[a].server;
        size_t mark = f->m.logged, k = (size_t)in->class_of[s];
        for (b = a + 1; b < to && f->guest[b].server == s; b++) {
        }
        if (!(pools >> in->class[k].pool & 1) || !ctw_place__fits_empty(in, k, flavour)) continue;
        tried++;
        for (size_t i = a; i < b && !ctw_place__state_fits(f->st, (size_t)slot, s, flavour); i++) {
            guest g = f->guest[i];
            int32_t q = ctw_place__find_entry(in, f->plan, (size_t)g.unit, slot);
            int gone;
            if (q < 0 || f->plan->server[ctw_place__entry(in, (size_t)g.unit) + (size_t)q] != s) continue;
            CTW_TRY(send_away(f, g, slot, &gone));
            if (!gone && force) CTW_TRY(ctw_place__moves_take(&f->m, (size_t)g.unit, slot));
        }
        if (ctw_place__state_fits(f->st, (size_t)slot, s, flavour)) {
            *server = s;
            return CTW_OK;
        }
        ctw_place__moves_undo(&f->m, mark);
    }
    return CTW_OK;
}

/* Places the unit in `slots` given (ascending); undone unless all succeed. */
static ctw_status place_at(fixer *f, size_t u, int32_t start, int32_t n, uint64_t pools, int *done)
{
    const ctw_place__batch *b = f->in->batch + f->in->unit_batch[u];
    size_t mark = f->m.logged;
    *done = 0;
    for (int32_t t = start; t < start + n; t++) {
        double added;
        int32_t s = ctw_place__state_best(f->st, (size_t)t, (size_t)b->flavour, pools, NULL, NULL, &added);
        if (s < 0) CTW_TRY(make_room(f, t, (size_t)b->flavour, pools, 0, &s));
        if (s < 0) {
            ctw_place__moves_undo(&f->m, mark);
            return CTW_OK;
        }
        CTW_TRY(ctw_place__moves_put(&f->m, u, t, s));
    }
    *done = 1;
    return CTW_OK;
}

/* Starts of a contiguous unit in order of the slots in which it finds no room. */
static size_t order_starts(fixer *f, const ctw_place__batch *b, uint64_t pools)
{
    size_t n = (size_t)(b->end - b->release - b->duration + 1);
    for (int32_t t = b->release; t < b->end; t++) {
        double added;
        f->cost[t] = ctw_place__state_best(f->st, (size_t)t, (size_t)b->flavour, pools, NULL, NULL, &added) < 0;
    }
    double sum = 0;
    for (int32_t q = 0; q < b->duration - 1; q++) sum += f->cost[b->release + q];
    for (size_t i = 0; i < n; i++) {
        sum += f->cost[(size_t)b->release + i + (size_t)b->duration - 1];
        double first = f->cost[(size_t)b->release + i];
        f->cost[(size_t)b->release + i] = sum;
        sum -= first;
    }
    ctw_num__argsort(f->cost + b->release, f->order, n);
    return n;
}

static ctw_status fix_whole(fixer *f, size_t u, uint64_t pools, int *done)
{
    const ctw_place__batch *b = f->in->batch + f->in->unit_batch[u];
    size_t n = order_starts(f, b, pools);
    *done = 0;
    for (size_t i = 0; i < n && i < MOST_STARTS && !*done && !ctw_place__rung(f->clock); i++) {
        CTW_TRY(place_at(f, u, b->release + (int32_t)f->order[i], b->duration, pools, done));
    }
    return CTW_OK;
}

/* A preemptible unit takes what it can get, slot by slot. */
static ctw_status fix_parts(fixer *f, size_t u, uint64_t pools)
{
    const ctw_place__batch *b = f->in->batch + f->in->unit_batch[u];
    for (int32_t t = b->release; t < b->end && f->plan->run[u] < b->duration; t++) {
        int done;
        if (ctw_place__find_entry(f->in, f->plan, u, t) < 0)
            CTW_TRY(place_at(f, u, t, 1, ctw_place__own_pools(f->in, f->plan, u) & pools, &done));
    }
    return CTW_OK;
}

static ctw_status fix_unit(fixer *f, size_t u)
{
    const ctw_place__batch *b = f->in->batch + f->in->unit_batch[u];
    uint64_t left = ctw_place__own_pools(f->in, f->plan, u);
    int done = 0;
    if (b->spread > 0) return CTW_OK;
    while (left && !done) {
        uint64_t here = left & f->in->pool_region[__builtin_ctzll(left)];
        left &= ~here;
        ctw_place__moves_commit(&f->m);
        if (b->preemptible) {
            CTW_TRY(fix_parts(f, u, here));
            done = f->plan->run[u] > 0;
        } else {
            CTW_TRY(fix_whole(f, u, here, &done));
        }
    }
    return CTW_OK;
}

static ctw_status fix_services(fixer *f)
{
    const ctw_place__inst *in = f->in;
    for (size_t i = 0; i < in->services; i++) {
        const ctw_place__service *l = in->service + i;
        for (size_t t = 0; t < in->slots && l->fits && l->spread == 0; t++) {
            for (int32_t q = 0; q < l->load[t]; q++) {
                int32_t *at = f->plan->service_server + l->entry[t] + q;
                if (*at >= 0) continue;
                ctw_place__moves_commit(&f->m);
                CTW_TRY(make_room(f, (int32_t)t, (size_t)l->flavour, l->pools, 1, at));
                if (*at < 0) break;
                ctw_place__state_put(f->st, t, *at, (size_t)l->flavour);
            }
        }
    }
    return CTW_OK;
}

ctw_status ctw_place__repair(const ctw_place__inst *in, ctw_place__state *st, ctw_place__plan *plan,
                             ctw_place__clock *clock)
{
    fixer f;
    memset(&f, 0, sizeof f);
    f.in = in;
    f.st = st;
    f.plan = plan;
    f.clock = clock;
    ctw_place__moves_begin(&f.m, in, st, plan);
    ctw_status s = list_guests(&f);
    if (s == CTW_OK) s = fix_services(&f);
    for (size_t u = 0; u < in->units && s == CTW_OK; u++) {
        const ctw_place__batch *b = in->batch + in->unit_batch[u];
        if (!b->fits || plan->run[u] == b->duration) continue;
        if (ctw_place__rung(clock)) break;
        s = fix_unit(&f, u);
    }
    ctw_place__moves_free(&f.m);
    void *all[] = {f.guest, f.slot_at, f.sorted, f.cost, f.order};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(in->ctx, all[i]);
    return s;
}
