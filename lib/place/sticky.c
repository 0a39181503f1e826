/* sticky.c: The packer fills each slot afresh, which moves nearly everything from slot to slot. Here the servers are
 * chosen again in order of time: who ran in the slot before stays; of a shrinking service the replicas on the emptiest
 * servers stop; newcomers go where they fit tightest, large ones first; a class is opened as far as the packer had it
 * open. Then servers beyond the packer's number are drained, the ones with fewest units first, while the moves allowed
 * so far last. */
#include "place/sticky.h"
#include "num/sort.h"
#include "place/keeper.h"
#include <math.h>
#include <string.h>

enum { DRAIN_TRIES = 40, DRAIN_SWAPS = 8 }; /* servers tried per server too many; units exchanged for one */

static ctw_status new_keeper(ctw_place__keeper *k)
{
    const ctw_place__inst *in = k->in;
    k->by_slot = CTW_NEW(in->ctx, in->entries, int32_t);
    k->unit_of = CTW_NEW(in->ctx, in->entries, int32_t);
    k->slot_at = CTW_NEW(in->ctx, in->slots + 2, size_t);
    k->quota = CTW_NEW(in->ctx, in->slots * in->classes, int32_t);
    k->size = CTW_NEW(in->ctx, in->flavours, double);
    k->idle = CTW_NEW(in->ctx, in->r, uint8_t);
    k->head = CTW_NEW(in->ctx, in->servers, int32_t);
    k->mark = CTW_NEW(in->ctx, in->servers, int32_t);
    k->closed = CTW_NEW(in->ctx, in->servers, uint8_t);
    k->dest = CTW_NEW(in->ctx, in->flavours, int32_t);
    k->here = CTW_NEW(in->ctx, in->regions, int32_t);
    if (!k->by_slot || !k->unit_of || !k->slot_at || !k->quota || !k->size || !k->idle || !k->head || !k->mark ||
        !k->closed || !k->dest || !k->here)
        return CTW_E_NOMEM;
    return ctw_place__state_new(in, &k->st);
}

static void free_keeper(ctw_place__keeper *k)
{
    void *all[] = {k->by_slot, k->unit_of, k->slot_at, k->quota, k->size, k->idle, k->head, k->mark,
                   k->closed,  k->dest,    k->here,    k->guest, k->list, k->key,  k->order};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(k->in->ctx, all[i]);
    ctw_place__state_free(&k->st);
}

static void list_entries(ctw_place__keeper *k)
{
    const ctw_place__inst *in = k->in;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t u = 0; u < in->units; u++) {
            size_t e = ctw_place__entry(in, u);
            for (size_t q = e; q < e + (size_t)k->plan->run[u]; q++) {
                size_t t = (size_t)k->plan->slot[q];
                if (pass == 0) {
                    k->slot_at[t + 2]++;
                } else {
                    k->unit_of[k->slot_at[t + 1]] = (int32_t)u;
                    k->by_slot[k->slot_at[t + 1]++] = (int32_t)q;
                }
            }
        }
        for (size_t t = 0; t < in->slots && pass == 0; t++) k->slot_at[t + 2] += k->slot_at[t + 1];
    }
}

static void count_on(ctw_place__keeper *k, size_t t, int32_t server)
{
    if (server < 0 || k->mark[server] == (int32_t)t + 1) return;
    k->mark[server] = (int32_t)t + 1;
    k->quota[t * k->in->classes + (size_t)k->in->class_of[server]]++;
}

static void count_quotas(ctw_place__keeper *k)
{
    const ctw_place__inst *in = k->in;
    for (size_t t = 0; t < in->slots; t++) {
        for (size_t i = k->slot_at[t]; i < k->slot_at[t + 1]; i++) count_on(k, t, k->plan->server[k->by_slot[i]]);
        for (size_t i = 0; i < in->services; i++) {
            const ctw_place__service *l = in->service + i;
            for (int32_t q = 0; q < l->load[t]; q++) count_on(k, t, k->plan->service_server[l->entry[t] + (size_t)q]);
        }
    }
}

static double share_of(const ctw_place__inst *in, size_t flavour)
{
    double least = 1;
    for (size_t k = 0; k < in->classes; k++) {
        if (ctw_place__fits_empty(in, k, flavour)) least = fmin(least, ctw_place__share(in, k, flavour));
    }
    return least;
}

static double fill_of(const ctw_place__keeper *k, size_t t, int32_t server)
{
    const ctw_place__inst *in = k->in;
    const double *use = k->st.use + (t * in->servers + (size_t)server) * in->r;
    const double *cap = in->cap + (size_t)in->class_of[server] * in->r;
    double most = 0;
    for (size_t j = 0; j < in->r; j++) most = fmax(most, cap[j] > 0 ? use[j] / cap[j] : 0);
    return most;
}

static ctw_status add_guest(ctw_place__keeper *k, ctw_place__guest g)
{
    g.next = -1;
    CTW_TRY(ctw_base__grow(k->in->ctx, (void **)&k->guest, &k->guest_cap, k->guests + 1, sizeof *k->guest));
    k->guest[k->guests++] = g;
    return CTW_OK;
}

/* Batch units: those that ran stay, the others wait for a seat. */
static ctw_status list_batch(ctw_place__keeper *k, size_t t)
{
    const ctw_place__inst *in = k->in;
    for (size_t i = k->slot_at[t]; i < k->slot_at[t + 1]; i++) {
        size_t q = (size_t)k->by_slot[i], u = (size_t)k->unit_of[i], e = ctw_place__entry(in, u);
        const ctw_place__batch *b = in->batch + in->unit_batch[u];
        int32_t *at = k->plan->server + q, old = -1;
        if (q > e && k->plan->slot[q - 1] + 1 == (int32_t)t) old = k->plan->server[q - 1];
        if (q == e && t == 0 && in->running) old = in->running[u];
        uint64_t pools = b->pools & in->pool_region[in->class[in->class_of[*at]].pool];
        ctw_place__guest g = {at, in->unit_batch[u], b->flavour, b->spread, 0, old >= 0, -1, pools};
        g.kept = old >= 0 && ctw_place__takes(k, &g, t, old);
        *at = -1;
        CTW_TRY(add_guest(k, g));
        if (g.kept) ctw_place__seat(k, k->guests - 1, t, old, 0);
    }
    return CTW_OK;
}

/* The replicas of the slot before: [n] servers. */
static const int32_t *before(const ctw_place__keeper *k, size_t service, size_t t, size_t *n)
{
    const ctw_place__inst *in = k->in;
    const ctw_place__service *l = in->service + service;
    *n = 0;
    if (t > 0) {
        *n = (size_t)l->load[t - 1];
        return k->plan->service_server + l->entry[t - 1];
    }
    if (!in->running) return NULL;
    *n = in->service_running_at[service + 1] - in->service_running_at[service];
    return in->service_running + in->service_running_at[service];
}

/* Which of the n replicas stay: list[] by fullness of their servers, at most here[] in each region. Those that stay
 * are written to *at on and keep their demand; the others give it back. Returns how many stay. */
static ctw_status keep_replicas(ctw_place__keeper *k, size_t service, size_t t, const int32_t *old, size_t n,
                                int32_t *to, int32_t *stay)
{
    const ctw_place__inst *in = k->in;
    const ctw_place__service *l = in->service + service;
    size_t m = 0;
    *stay = 0;
    CTW_TRY(ctw_base__grow(in->ctx, (void **)&k->list, &k->list_cap, n + 1, sizeof *k->list));
    CTW_TRY(ctw_base__grow(in->ctx, (void **)&k->key, &k->key_cap, n + 1, sizeof *k->key));
    CTW_TRY(ctw_base__grow(in->ctx, (void **)&k->order, &k->order_cap, n + 1, sizeof *k->order));
    for (size_t i = 0; i < n; i++) {
        const ctw_place__guest g = {NULL, -1 - (int32_t)service, l->flavour, 0, 0, 0, -1, l->pools};
        if (old[i] < 0 || !ctw_place__takes(k, &g, t, old[i])) continue;
        ctw_place__state_put(&k->st, t, old[i], (size_t)l->flavour);
        k->list[m++] = (size_t)old[i];
    }
    for (size_t i = 0; i < m; i++) k->key[i] = -fill_of(k, t, (int32_t)k->list[i]);
    ctw_num__argsort(k->key, k->order, m);
    for (size_t i = 0; i < m; i++) {
        int32_t s = (int32_t)k->list[k->order[i]], *here = k->here + in->class[in->class_of[s]].region;
        if (*here > 0) {
            --*here;
            to[(*stay)++] = s;
        } else {
            ctw_place__state_take(&k->st, t, s, (size_t)l->flavour);
        }
    }
    return CTW_OK;
}

static ctw_status list_service(ctw_place__keeper *k, size_t service, size_t t)
{
    const ctw_place__inst *in = k->in;
    const ctw_place__service *l = in->service + service;
    int32_t *now = k->plan->service_server + l->entry[t], stay, open = 0;
    size_t n;
    const int32_t *old = before(k, service, t, &n);
    memset(k->here, 0, in->regions * sizeof(int32_t));
    for (int32_t q = 0; q < l->load[t]; q++) {
        if (now[q] >= 0) k->here[in->class[in->class_of[now[q]]].region]++;
    }
    CTW_TRY(keep_replicas(k, service, t, old, n, now, &stay));
    int32_t at = stay;
    for (size_t p = 0; p < in->regions; p++) open += k->here[p];
    int32_t growth = stay + open - (int32_t)n; /* newcomers that are no migration */
    for (int32_t q = 0; q < stay; q++) {
        CTW_TRY(add_guest(
            k, (ctw_place__guest){now + q, -1 - (int32_t)service, l->flavour, l->spread, 1, 1, -1, l->pools}));
        ctw_place__seat(k, k->guests - 1, t, now[q], 1);
    }
    for (size_t r = 0; r < in->regions; r++) {
        uint64_t pools = 0;
        for (size_t p = 0; p < in->classes; p++) {
            if (in->class[p].region == r) pools |= (uint64_t)1 << in->class[p].pool;
        }
        for (; k->here[r] > 0; k->here[r]--, at++) {
            now[at] = -1;
            CTW_TRY(add_guest(k, (ctw_place__guest){now + at, -1 - (int32_t)service, l->flavour, l->spread, 0,
                                                    growth-- <= 0, -1, l->pools & pools}));
        }
    }
    for (; at < l->load[t]; at++) now[at] = -1;
    return CTW_OK;
}

/* A server of the class that is off, one that ran in the slot before if there is any. */
static int32_t reopen(const ctw_place__keeper *k, size_t t, size_t c)
{
    const ctw_place__inst *in = k->in;
    const int32_t *order = k->st.order + t * in->servers + in->class[c].first;
    int32_t from = k->st.on[t * in->classes + c], n = in->class[c].n;
    for (int32_t i = from; i < n && t > 0; i++) {
        if (k->st.load[(t - 1) * in->servers + (size_t)order[i]] > 0) return order[i];
    }
    return order[from];
}

/* A server that is off, of the class whose number falls farthest short of the packer's; one that ran before if any. */
static int32_t open_one(ctw_place__keeper *k, const ctw_place__guest *x, size_t t)
{
    const ctw_place__inst *in = k->in;
    size_t choice = in->classes;
    double farthest = 0;
    for (size_t c = 0; c < in->classes; c++) {
        int32_t on = k->st.on[t * in->classes + c], quota = k->quota[t * in->classes + c];
        if (!(x->pools >> in->class[c].pool & 1) || on >= quota || on >= in->class[c].n) continue;
        if (!ctw_place__fits_empty(in, c, (size_t)x->flavour)) continue;
        if ((double)(quota - on) / quota <= farthest) continue;
        farthest = (double)(quota - on) / quota;
        choice = c;
    }
    if (choice == in->classes) return -1;
    int32_t s = reopen(k, t, choice);
    return ctw_place__takes(k, x, t, s) ? s : -1;
}

typedef struct limiter {
    const ctw_place__keeper *k;
    const ctw_place__guest *x;
} limiter;

static int refuses(const void *user, size_t t, int32_t server)
{
    const limiter *l = user;
    return !ctw_place__takes(l->k, l->x, t, server);
}

/* The newcomer that fills the server best: large, and such that the resources fill at the rates wanted. -1: none. */
static int32_t best_filler(const ctw_place__keeper *k, size_t t, int32_t server, const double *rate)
{
    const ctw_place__inst *in = k->in;
    size_t c = (size_t)in->class_of[server];
    const double *use = k->st.use + (t * in->servers + (size_t)server) * in->r, *cap = in->cap + c * in->r;
    int32_t best = -1;
    double most = -INFINITY;
    for (size_t f = 0; f < in->flavours; f++) {
        int32_t g = k->dest[f];
        const double *d = ctw_place__demand(in, f);
        double lo = INFINITY, hi = -INFINITY, size = 0;
        if (g < 0) continue;
        for (size_t j = 0; j < in->r; j++) {
            if (cap[j] <= 0 || rate[j] <= 0) continue;
            double filled = (use[j] + d[j]) / cap[j] / rate[j];
            lo = fmin(lo, filled);
            hi = fmax(hi, filled);
            size = fmax(size, d[j] / cap[j]);
        }
        if (size - (hi - lo) <= most || !ctw_place__takes(k, k->guest + g, t, server)) continue;
        most = size - (hi - lo);
        best = g;
    }
    return best;
}

/* How fast each resource should fill on the servers still to be opened: what newcomers want over what there will be. */
static void fill_rates(const ctw_place__keeper *k, size_t t, const double *wanted, double *rate)
{
    const ctw_place__inst *in = k->in;
    for (size_t j = 0; j < in->r; j++) {
        double cap = 0;
        for (size_t c = 0; c < in->classes; c++) {
            size_t at = t * in->classes + c;
            if (k->quota[at] > k->st.on[at]) cap += (k->quota[at] - k->st.on[at]) * in->cap[c * in->r + j];
        }
        rate[j] = wanted[j] <= 0 ? 0 : cap > 0 ? fmin(fmax(wanted[j] / cap, 0.02), 1.5) : 1;
    }
}

/* Servers that the packer had on and that are not yet: each is opened and filled before the next. Newcomers are chained
 * by flavour from dest[] on. */
static void open_planned(ctw_place__keeper *k, size_t t)
{
    const ctw_place__inst *in = k->in;
    double wanted[CTW_PLACE_MAX_RESOURCES] = {0}, rate[CTW_PLACE_MAX_RESOURCES];
    for (size_t f = 0; f < in->flavours; f++) k->dest[f] = -1;
    for (size_t g = k->guests; g-- > 0;) {
        ctw_place__guest *x = k->guest + g;
        if (*x->at >= 0) continue;
        x->next = k->dest[x->flavour];
        k->dest[x->flavour] = (int32_t)g;
        for (size_t j = 0; j < in->r; j++) wanted[j] += ctw_place__demand(in, (size_t)x->flavour)[j];
    }
    for (size_t c = in->classes; c-- > 0;) {
        size_t at = t * in->classes + c;
        for (int32_t tries = k->quota[at] - k->st.on[at]; tries > 0; tries--) {
            int32_t s = reopen(k, t, c), g;
            fill_rates(k, t, wanted, rate);
            while ((g = best_filler(k, t, s, rate)) >= 0) {
                ctw_place__guest *x = k->guest + g;
                k->dest[x->flavour] = x->next;
                for (size_t j = 0; j < in->r; j++) wanted[j] -= ctw_place__demand(in, (size_t)x->flavour)[j];
                ctw_place__seat(k, (size_t)g, t, s, 0);
                k->moves += x->ran;
            }
        }
    }
}

/* Those without a seat, large ones first. */
static ctw_status seat_rest(ctw_place__keeper *k, size_t t)
{
    size_t n = 0;
    CTW_TRY(ctw_base__grow(k->in->ctx, (void **)&k->list, &k->list_cap, k->guests + 1, sizeof *k->list));
    CTW_TRY(ctw_base__grow(k->in->ctx, (void **)&k->key, &k->key_cap, k->guests + 1, sizeof *k->key));
    CTW_TRY(ctw_base__grow(k->in->ctx, (void **)&k->order, &k->order_cap, k->guests + 1, sizeof *k->order));
    for (size_t g = 0; g < k->guests; g++) {
        if (*k->guest[g].at >= 0) continue;
        k->list[n] = g;
        k->key[n++] = -k->size[k->guest[g].flavour];
    }
    ctw_num__argsort(k->key, k->order, n);
    for (size_t i = 0; i < n; i++) {
        size_t g = k->list[k->order[i]];
        const ctw_place__guest *x = k->guest + g;
        const limiter veto = {k, x};
        double added;
        k->turn++;
        int32_t s = ctw_place__tightest(k, x, t, -1, 0);
        if (s < 0) s = open_one(k, x, t);
        if (s < 0) s = ctw_place__exchange(k, x, t);
        if (s < 0) s = ctw_place__tightest(k, x, t, -1, 1);
        if (s < 0) s = ctw_place__state_best(&k->st, t, (size_t)x->flavour, x->pools, refuses, &veto, &added);
        if (s < 0) continue;
        ctw_place__seat(k, g, t, s, 0);
        k->moves += x->ran;
    }
    return CTW_OK;
}

/* Moves everybody off the server, or nobody; *cost is the migrations it takes. */
static ctw_status drain(ctw_place__keeper *k, size_t t, int32_t server, int64_t allowed, int *done)
{
    size_t n = 0, moved = 0, left = 0;
    int64_t cost = 0;
    *done = 0;
    for (int32_t g = k->head[server]; g >= 0; g = k->guest[g].next) {
        CTW_TRY(ctw_base__grow(k->in->ctx, (void **)&k->order, &k->order_cap, 2 * n + 2, sizeof *k->order));
        k->order[n++] = (size_t)g;
        cost += k->guest[g].kept;
    }
    if (cost > allowed) return CTW_OK;
    k->closed[server] = 1;
    for (size_t i = 0; i < n; i++) {
        size_t g = k->order[i];
        int32_t s = ctw_place__tightest(k, k->guest + g, t, server, 0);
        if (s < 0) {
            k->order[left++] = g;
            continue;
        }
        ctw_place__unseat(k, g, t);
        ctw_place__seat(k, g, t, s, 0);
        k->order[n + moved++] = g;
    }
    if (left > DRAIN_SWAPS) {
        while (moved-- > 0) {
            ctw_place__unseat(k, k->order[n + moved], t);
            ctw_place__seat(k, k->order[n + moved], t, server, 0);
        }
        k->closed[server] = 0;
        return CTW_OK;
    }
    for (size_t i = 0; i < moved; i++) {
        k->moves += k->guest[k->order[n + i]].kept;
        k->guest[k->order[n + i]].kept = 0;
    }
    for (size_t i = 0; i < left; i++) {
        size_t g = k->order[i];
        int32_t s = ctw_place__exchange(k, k->guest + g, t);
        if (s < 0) return CTW_OK;
        ctw_place__unseat(k, g, t);
        ctw_place__seat(k, g, t, s, 0);
        k->moves += k->guest[g].kept;
        k->guest[g].kept = 0;
    }
    *done = 1;
    return CTW_OK;
}

/* Units on the server that would migrate if it were emptied, and how many there are. */
static double burden(const ctw_place__keeper *k, int32_t server)
{
    double n = 0;
    for (int32_t g = k->head[server]; g >= 0; g = k->guest[g].next) n += k->guest[g].kept + 1e-3;
    return n;
}

/* The running servers of a class in list[], the cheapest to empty first; room for as many in key and order. */
static ctw_status by_burden(ctw_place__keeper *k, size_t t, size_t c, size_t n)
{
    const ctw_place__inst *in = k->in;
    CTW_TRY(ctw_base__grow(in->ctx, (void **)&k->list, &k->list_cap, n, sizeof *k->list));
    CTW_TRY(ctw_base__grow(in->ctx, (void **)&k->key, &k->key_cap, n, sizeof *k->key));
    CTW_TRY(ctw_base__grow(in->ctx, (void **)&k->order, &k->order_cap, n, sizeof *k->order));
    const int32_t *order = k->st.order + t * in->servers + in->class[c].first;
    for (size_t i = 0; i < n; i++) k->key[i] = burden(k, order[i]);
    ctw_num__argsort(k->key, k->order, n);
    for (size_t i = 0; i < n; i++) k->list[i] = (size_t)order[k->order[i]];
    return CTW_OK;
}

/* Servers of the class beyond the packer's number. */
static int32_t excess_of(const ctw_place__keeper *k, size_t t, size_t c)
{
    return k->st.on[t * k->in->classes + c] - k->quota[t * k->in->classes + c];
}

static ctw_status close_class(ctw_place__keeper *k, size_t t, size_t c)
{
    int32_t excess = excess_of(k, t, c);
    if (excess <= 0) return CTW_OK;
    CTW_TRY(by_burden(k, t, c, (size_t)k->st.on[t * k->in->classes + c]));
    for (int32_t i = 0; i < excess; i++) k->closed[k->list[i]] = 1;
    return CTW_OK;
}

static ctw_status drain_class(ctw_place__keeper *k, size_t t, size_t c)
{
    int32_t excess = excess_of(k, t, c);
    if (excess <= 0) return CTW_OK;
    size_t n = (size_t)k->st.on[t * k->in->classes + c];
    CTW_TRY(by_burden(k, t, c, n));
    for (size_t i = 0; i < n && i < (size_t)excess * DRAIN_TRIES && excess > 0; i++) {
        int64_t allowed = (int64_t)(k->most * (double)k->placements) - k->moves;
        int done;
        CTW_TRY(drain(k, t, (int32_t)k->list[i], allowed, &done));
        excess -= done;
    }
    return CTW_OK;
}

static ctw_status one_slot(ctw_place__keeper *k, size_t t)
{
    const ctw_place__inst *in = k->in;
    k->guests = 0;
    for (size_t s = 0; s < in->servers; s++) k->head[s] = -1;
    for (size_t i = 0; i < in->services; i++) {
        if (in->service[i].load[t] > 0) CTW_TRY(list_service(k, i, t));
    }
    CTW_TRY(list_batch(k, t));
    k->placements += (int64_t)k->guests;
    memset(k->closed, 0, in->servers);
    for (size_t c = 0; c < in->classes; c++) CTW_TRY(close_class(k, t, c));
    open_planned(k, t);
    CTW_TRY(seat_rest(k, t));
    for (size_t c = 0; c < in->classes; c++) CTW_TRY(drain_class(k, t, c));
    return CTW_OK;
}

/* Units that lost a place leave the plan, preemptible ones only that slot. */
static void sweep_out(const ctw_place__inst *in, ctw_place__plan *plan)
{
    for (size_t u = 0; u < in->units; u++) {
        const ctw_place__batch *b = in->batch + in->unit_batch[u];
        size_t e = ctw_place__entry(in, u);
        int32_t n = 0;
        for (size_t q = e; q < e + (size_t)plan->run[u]; q++) {
            if (plan->server[q] < 0) continue;
            plan->slot[e + (size_t)n] = plan->slot[q];
            plan->server[e + (size_t)n++] = plan->server[q];
        }
        plan->run[u] = n < plan->run[u] && !b->preemptible ? 0 : n;
    }
}

ctw_status ctw_place__sticky(const ctw_place__inst *in, ctw_place__plan *plan, double most, double lopsided)
{
    ctw_place__keeper k;
    memset(&k, 0, sizeof k);
    k.in = in;
    k.plan = plan;
    k.most = most;
    k.lopsided = lopsided;
    ctw_status s = new_keeper(&k);
    if (s == CTW_OK) {
        list_entries(&k);
        count_quotas(&k);
        for (size_t f = 0; f < in->flavours; f++) k.size[f] = share_of(in, f);
        for (size_t j = 0; j < in->r; j++) {
            k.idle[j] = 1;
            for (size_t f = 0; f < in->flavours && k.idle[j]; f++) k.idle[j] = !(ctw_place__demand(in, f)[j] > 0);
        }
        for (size_t t = 0; t < in->slots && s == CTW_OK; t++) s = one_slot(&k, t);
        if (s == CTW_OK) sweep_out(in, plan);
    }
    free_keeper(&k);
    return s;
}
