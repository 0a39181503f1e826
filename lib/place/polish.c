/* polish.c: ruin and recreate. A round takes out the batch units of one or two servers in a slot, of one slot's
 * emptiest servers, or a few at random, and the service replicas that stood there; puts everything back, in an order
 * that random noise varies, where it adds least; and keeps the result if it is no worse. Servers empty out and stay
 * off, and slots that were filled badly are filled anew. After Shaw (1998) and Schrimpf et al. (2000). */
#include "place/polish.h"
#include "base/cancel.h"
#include "base/ctx.h"
#include "num/rng.h"
#include "num/sort.h"
#include "place/moves.h"
#include <math.h>
#include <string.h>

typedef struct item {
    int32_t kind, slot, flavour; /* 0: a whole unit, 1: a replica, 2: a unit's entry in the slot, which stays there */
    size_t index;                /* unit, or service entry */
    size_t service;
    uint64_t pools;
    double key;
} item;

typedef struct polisher {
    const ctw_place__inst *in;
    ctw_place__state st;
    ctw_place__moves m;
    ctw_place__plan *plan;
    ctw_num__rng rng;
    item *out; /* what the round took out */
    size_t outs, out_cap;
    double *added; /* slots */
    int32_t *server;
    size_t *order;
    double *size;        /* flavours: largest share of a server */
    int hopeful;         /* this round counts on others to share a server that goes on */
    double temperature;  /* g; a worse result passes with probability exp(-loss / temperature) */
    double before;       /* penalties of what the round took out */
    int32_t banned_slot; /* in this slot the round wants the servers marked to stay empty */
    uint8_t *banned;     /* servers */
    int32_t ban[8];      /* those marked */
    int bans;
} polisher;

static int is_banned(const void *user, size_t slot, int32_t server)
{
    const polisher *p = user;
    return (int32_t)slot == p->banned_slot && p->banned[server];
}

static void ban(polisher *p, int32_t server)
{
    if (p->bans == (int)(sizeof p->ban / sizeof *p->ban) || p->banned[server]) return;
    p->banned[server] = 1;
    p->ban[p->bans++] = server;
}

static void lift_bans(polisher *p)
{
    while (p->bans > 0) p->banned[p->ban[--p->bans]] = 0;
}

static ctw_status remember(polisher *p, item x)
{
    CTW_TRY(ctw_base__grow(p->in->ctx, (void **)&p->out, &p->out_cap, p->outs + 1, sizeof *p->out));
    x.key = -p->size[x.flavour] * (0.6 + 0.8 * ctw_num__rng_uniform(&p->rng));
    p->out[p->outs++] = x;
    return CTW_OK;
}

static ctw_status take_unit(polisher *p, size_t u)
{
    if (p->plan->run[u] == 0 || p->in->batch[p->in->unit_batch[u]].spread > 0) return CTW_OK;
    const ctw_place__batch *b = p->in->batch + p->in->unit_batch[u];
    p->before += (b->duration - p->plan->run[u]) * b->penalty;
    CTW_TRY(ctw_place__moves_clear(&p->m, u));
    return remember(p, (item){.kind = 0, .flavour = p->in->batch[p->in->unit_batch[u]].flavour, .index = u});
}

/* A unit's entry in one slot, to go back into that slot. */
static ctw_status take_entry(polisher *p, size_t u, int32_t slot)
{
    const ctw_place__batch *b = p->in->batch + p->in->unit_batch[u];
    if (b->spread > 0) return CTW_OK;
    uint64_t pools = ctw_place__own_pools(p->in, p->plan, u);
    CTW_TRY(ctw_place__moves_take(&p->m, u, slot));
    return remember(p, (item){.kind = 2, .slot = slot, .flavour = b->flavour, .index = u, .pools = pools});
}

/* Everything on one server in one slot: whole units, or only their entries there. */
static ctw_status take_server(polisher *p, int32_t slot, int32_t server, int whole)
{
    const ctw_place__inst *in = p->in;
    for (size_t u = 0; u < in->units; u++) {
        int32_t q = ctw_place__find_entry(in, p->plan, u, slot);
        if (q >= 0 && p->plan->server[ctw_place__entry(in, u) + (size_t)q] == server) {
            CTW_TRY(whole ? take_unit(p, u) : take_entry(p, u, slot));
        }
    }
    for (size_t i = 0; i < in->services; i++) {
        const ctw_place__service *l = in->service + i;
        for (int32_t q = 0; q < l->load[slot] && l->spread == 0; q++) {
            size_t e = l->entry[slot] + (size_t)q;
            if (p->plan->service_server[e] != server) continue;
            CTW_TRY(ctw_place__moves_service(&p->m, e, slot, l->flavour, -1));
            CTW_TRY(remember(p, (item){.kind = 1, .slot = slot, .flavour = l->flavour, .index = e, .service = i}));
        }
    }
    return CTW_OK;
}

/* A server that is on in the slot; of a few tried, the one with least load when `empty` is asked for. */
static int32_t some_server(polisher *p, int32_t slot, int empty)
{
    const ctw_place__inst *in = p->in;
    int32_t best = -1;
    double least = INFINITY;
    for (int tries = 0; tries < (empty ? 6 : 1); tries++) {
        int64_t on = 0;
        for (size_t k = 0; k < in->classes; k++) on += p->st.on[(size_t)slot * in->classes + k];
        if (on == 0) return -1;
        int64_t pick = (int64_t)ctw_num__rng_below(&p->rng, (uint64_t)on);
        for (size_t k = 0; k < in->classes; k++) {
            int32_t here = p->st.on[(size_t)slot * in->classes + k];
            if (pick >= here) {
                pick -= here;
                continue;
            }
            int32_t s = p->st.order[(size_t)slot * in->servers + in->class[k].first + (size_t)pick];
            double load = 0;
            for (size_t j = 0; j < in->r; j++) {
                double cap = in->cap[k * in->r + j];
                if (cap > 0) load = fmax(load, p->st.use[((size_t)slot * in->servers + (size_t)s) * in->r + j] / cap);
            }
            if (load < least) {
                least = load;
                best = s;
            }
            break;
        }
    }
    return best;
}

/* All batch units that run in the slot, or a share of them when they are many. */
static ctw_status take_slot(polisher *p, int32_t slot)
{
    double share = fmin(1, 30.0 / (1.0 + (double)p->in->units / 4));
    for (size_t u = 0; u < p->in->units; u++) {
        if (ctw_place__find_entry(p->in, p->plan, u, slot) < 0 || ctw_num__rng_uniform(&p->rng) > share) continue;
        CTW_TRY(take_unit(p, u));
    }
    return CTW_OK;
}

/* A few servers of the slot are emptied and some of them kept empty; what they held stays in the slot. */
static ctw_status repack(polisher *p, int32_t slot)
{
    uint64_t n = 1 + ctw_num__rng_below(&p->rng, 4);
    for (uint64_t i = 0; i < n; i++) {
        int32_t s = some_server(p, slot, i == 0);
        if (s < 0) return CTW_OK;
        CTW_TRY(take_server(p, slot, s, 0));
        if (i == 0 || ctw_num__rng_below(&p->rng, 2)) ban(p, s);
    }
    return CTW_OK;
}

static ctw_status ruin(polisher *p)
{
    const ctw_place__inst *in = p->in;
    uint64_t how = ctw_num__rng_below(&p->rng, 10);
    int32_t slot = (int32_t)ctw_num__rng_below(&p->rng, in->slots);
    p->outs = 0;
    lift_bans(p);
    p->banned_slot = slot;
    p->hopeful = ctw_num__rng_below(&p->rng, 2) == 0;
    if (how >= 5) return repack(p, slot);
    if (how < 3) {
        int32_t s = some_server(p, slot, how == 0);
        if (s < 0) return CTW_OK;
        CTW_TRY(take_server(p, slot, s, 1));
        if (how < 2) ban(p, s);
        s = how == 0 ? -1 : some_server(p, slot, 0);
        return s < 0 ? CTW_OK : take_server(p, slot, s, 1);
    }
    if (how == 3) return take_slot(p, slot);
    uint64_t n = 2 + ctw_num__rng_below(&p->rng, 4 + (in->units < 400 ? in->units / 6 : 12));
    for (uint64_t i = 0; i < n && in->units > 0; i++)
        CTW_TRY(take_unit(p, (size_t)ctw_num__rng_below(&p->rng, in->units)));
    return CTW_OK;
}

static void look(polisher *p, const ctw_place__batch *b, uint64_t pools)
{
    p->st.amortise = p->hopeful;
    for (int32_t t = b->release; t < b->end; t++) {
        p->server[t] = ctw_place__state_best(&p->st, (size_t)t, (size_t)b->flavour, pools, p->bans ? is_banned : NULL,
                                             p, p->added + t);
        if (p->server[t] < 0) p->added[t] = INFINITY;
    }
    p->st.amortise = 0;
}

/* The cheapest slots in the looked-at pools go to order[]; cost with penalties for what does not run. */
static double choose(polisher *p, const ctw_place__batch *b, int32_t *n)
{
    double best = b->penalty * b->duration, sum = 0;
    *n = 0;
    if (b->preemptible) {
        ctw_num__argsort(p->added + b->release, p->order, (size_t)(b->end - b->release));
        for (int32_t i = 0; i < b->duration; i++) {
            double g = p->added[(size_t)b->release + p->order[i]];
            if (g > b->penalty) break;
            sum += g;
            ++*n;
        }
        return sum + (b->duration - *n) * b->penalty;
    }
    for (int32_t a = b->release; a + b->duration <= b->end; a++) {
        sum = 0;
        for (int32_t t = a; t < a + b->duration; t++) sum += p->added[t];
        if (!(sum < best)) continue;
        best = sum;
        *n = b->duration;
        for (int32_t q = 0; q < b->duration; q++) p->order[q] = (size_t)(a - b->release + q);
    }
    return best;
}

static ctw_status put_unit(polisher *p, size_t u, double *penalty)
{
    const ctw_place__inst *in = p->in;
    const ctw_place__batch *b = in->batch + in->unit_batch[u];
    uint64_t left = b->pools, best = 0, last = 0;
    double least = INFINITY;
    int32_t n = 0;
    while (left) {
        last = left & in->pool_region[__builtin_ctzll(left)];
        left &= ~last;
        look(p, b, last);
        double cost = choose(p, b, &n);
        if (cost >= least) continue;
        least = cost;
        best = last;
    }
    if (best != last) look(p, b, best);
    choose(p, b, &n);
    for (int32_t i = 0; i < n; i++) {
        int32_t t = b->release + (int32_t)p->order[i];
        CTW_TRY(ctw_place__moves_put(&p->m, u, t, p->server[t]));
    }
    *penalty += (b->duration - n) * b->penalty;
    return CTW_OK;
}

/* A replica, or a unit's entry, back into its slot. */
static ctw_status put_back(polisher *p, const item *x, double *penalty)
{
    uint64_t pools = x->kind == 1 ? p->in->service[x->service].pools : x->pools;
    double added;
    p->st.amortise = p->hopeful;
    int32_t s = ctw_place__state_best(&p->st, (size_t)x->slot, (size_t)x->flavour, pools, p->bans ? is_banned : NULL, p,
                                      &added);
    p->st.amortise = 0;
    if (x->kind == 1) {
        if (s < 0) *penalty += p->in->service[x->service].penalty;
        return s < 0 ? CTW_OK : ctw_place__moves_service(&p->m, x->index, x->slot, x->flavour, s);
    }
    if (s < 0) *penalty = INFINITY;
    return s < 0 ? CTW_OK : ctw_place__moves_put(&p->m, x->index, x->slot, s);
}

static int cmp_item(const void *pa, const void *pb, void *user)
{
    const item *a = pa, *b = pb;
    (void)user;
    if (a->key != b->key) return a->key < b->key ? -1 : 1;
    if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

/* One round; *gain is what the objective lost. */
static ctw_status round_once(polisher *p, double *gain)
{
    double after = 0;
    *gain = 0;
    p->before = 0;
    ctw_place__moves_commit(&p->m);
    CTW_TRY(ruin(p));
    if (p->outs == 0) return CTW_OK;
    ctw_num__sort_by(p->out, p->outs, sizeof *p->out, cmp_item, NULL);
    for (size_t i = 0; i < p->outs; i++) {
        const item *x = p->out + i;
        CTW_TRY(x->kind ? put_back(p, x, &after) : put_unit(p, x->index, &after));
    }
    double loss = p->m.delta + after - p->before;
    if (loss > 1e-12 && loss >= -p->temperature * log(1 - ctw_num__rng_uniform(&p->rng))) {
        ctw_place__moves_undo(&p->m, 0);
    } else {
        *gain = -loss;
    }
    return CTW_OK;
}

static void copy_plan(const ctw_place__inst *in, ctw_place__plan *to, const ctw_place__plan *from)
{
    memcpy(to->slot, from->slot, in->entries * sizeof(int32_t));
    memcpy(to->server, from->server, in->entries * sizeof(int32_t));
    memcpy(to->run, from->run, in->units * sizeof(int32_t));
    memcpy(to->service_server, from->service_server, in->service_entries * sizeof(int32_t));
}

/* The temperature falls from HOT to COLD (shares of the objective) over the time or the rounds there are. */
#define HOT  2e-4
#define COLD 1e-6
#define CALM 1.5 /* with more servers a round decides less of the whole: HOT is at most CALM / servers */

static ctw_status rounds(polisher *p, ctw_place__clock *clock, double until, double bound, int64_t patience,
                         ctw_place__plan *best)
{
    ctw_place__cost cost;
    memset(&cost, 0, sizeof cost);
    CTW_TRY(ctw_place__plan_cost(p->in, p->plan, &cost));
    double now = cost.objective, least = now, began = ctw_base__now(), end = fmin(until, clock->deadline);
    double hot = fmin(HOT, CALM / (double)p->in->servers);
    double unit = cost.carbon_g / ((double)p->in->servers * (double)p->in->slots);
    copy_plan(p->in, best, p->plan);
    int64_t i = 0;
    for (; i < patience; i++) {
        double gain, at = ctw_base__now(), done = (double)i / (double)patience;
        /* Without a deadline of the caller's the clock decides nothing: the same problem gives the same plan. */
        if (clock->patient && !p->in->opt->max_rounds) done = fmax(done, (at - began) / fmax(end - began, 1e-9));
        if (ctw_place__rung(clock) || at > end || least - bound <= p->in->opt->mip_gap * fabs(least)) break;
        p->temperature = unit * hot * pow(COLD / HOT, done);
        CTW_TRY(round_once(p, &gain));
        now -= gain;
        if (now >= least - 1e-9 * fabs(least)) continue;
        least = now;
        copy_plan(p->in, best, p->plan);
    }
    ctw_base__log(p->in->ctx, CTW_LOG_DEBUG, "place", "search: %.8g to %.8g, bound %.8g, %lld rounds, %.3g s",
                  cost.objective, least, bound, (long long)i, ctw_base__now() - began);
    return CTW_OK;
}

ctw_status ctw_place__polish(const ctw_place__inst *in, ctw_place__plan *plan, ctw_place__clock *clock, double until,
                             double bound, int64_t patience)
{
    polisher p;
    memset(&p, 0, sizeof p);
    p.in = in;
    p.plan = plan;
    CTW_TRY(ctw_place__state_new(in, &p.st));
    ctw_place__state_load(&p.st, plan);
    ctw_place__moves_begin(&p.m, in, &p.st, plan);
    ctw_num__rng_init(&p.rng, 1, 0x504C4143u, 0);
    p.added = CTW_NEW(in->ctx, in->slots, double);
    p.server = CTW_NEW(in->ctx, in->slots, int32_t);
    p.order = CTW_NEW(in->ctx, in->slots, size_t);
    p.banned = CTW_NEW(in->ctx, in->servers, uint8_t);
    p.size = CTW_NEW(in->ctx, in->flavours, double);
    ctw_status s = p.added && p.server && p.order && p.size && p.banned ? CTW_OK : CTW_E_NOMEM;
    for (size_t f = 0; f < in->flavours && s == CTW_OK; f++) {
        p.size[f] = 1;
        for (size_t k = 0; k < in->classes; k++) {
            if (ctw_place__fits_empty(in, k, f)) p.size[f] = fmin(p.size[f], ctw_place__share(in, k, f));
        }
    }
    ctw_place__plan best;
    memset(&best, 0, sizeof best);
    if (s == CTW_OK) s = ctw_place__plan_new(in, &best);
    if (s == CTW_OK) s = rounds(&p, clock, until, bound, patience, &best);
    if (s == CTW_OK) copy_plan(in, plan, &best);
    ctw_place__plan_free(in->ctx, &best);
    ctw_place__moves_free(&p.m);
    void *all[] = {p.out, p.added, p.server, p.order, p.size, p.banned};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(in->ctx, all[i]);
    ctw_place__state_free(&p.st);
    return s;
}
