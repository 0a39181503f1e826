/* reserve.c: N+1. A loss is survived when first fit, large replicas first, finds the lost ones places on the other
 * servers that are on, beside the services there (batch work gives way). Where it does not, the cheapest server that
 * is off and holds the replica is kept on without load. One spare usually serves every loss of its slot, so the
 * heaviest losses come first, and spares that turn out superfluous are taken back. */
#include "place/reserve.h"
#include "num/sort.h"
#include <math.h>
#include <string.h>

enum { MOST_PRUNED = 8 }; /* spares of a slot that are tried without */

typedef struct replica {
    int32_t service, server, group;
} replica;

typedef struct loss {
    size_t from, to; /* replicas in list[] */
    int32_t group;
    double weight;
} loss;

typedef struct guard {
    const ctw_place__inst *in;
    ctw_place__plan *plan;
    size_t t;
    uint8_t *on, *before; /* servers: in this slot and in the one before */
    double *use;          /* servers x r: of services alone */
    double *watts;        /* feeds */
    int32_t *group;       /* servers: what is lost together */
    replica *list;
    size_t n, list_cap;
    loss *loss;
    size_t losses, loss_cap;
    replica *moved; /* of the trial */
    size_t moves, moved_cap;
    size_t first_spare; /* of the slot, in plan->spare */
} guard;

static void add_use(guard *g, int32_t service, int32_t server, int sign)
{
    const double *d = ctw_place__demand(g->in, (size_t)g->in->service[service].flavour);
    for (size_t j = 0; j < g->in->r; j++) g->use[(size_t)server * g->in->r + j] += sign * d[j];
}

/* Large demands first; resource by resource, then the host's order. */
static int cmp_replica(const void *pa, const void *pb, void *user)
{
    const ctw_place__inst *in = user;
    const replica *a = pa, *b = pb;
    if (a->group != b->group) return a->group < b->group ? -1 : 1;
    const ctw_place__service *l = in->service + a->service, *m = in->service + b->service;
    const double *d = ctw_place__demand(in, (size_t)l->flavour), *e = ctw_place__demand(in, (size_t)m->flavour);
    for (size_t j = 0; j < in->r; j++) {
        if (d[j] != e[j]) return d[j] > e[j] ? -1 : 1;
    }
    return a->service != b->service ? (a->service < b->service ? -1 : 1)
           : a->server < b->server  ? -1
                                    : a->server > b->server;
}

static int cmp_loss(const void *pa, const void *pb, void *user)
{
    const loss *a = pa, *b = pb;
    (void)user;
    if (a->weight != b->weight) return a->weight > b->weight ? -1 : 1;
    return a->group < b->group ? -1 : a->group > b->group;
}

static ctw_status list_slot(guard *g)
{
    const ctw_place__inst *in = g->in;
    g->n = g->losses = 0;
    for (size_t i = 0; i < in->services; i++) {
        const ctw_place__service *l = in->service + i;
        CTW_TRY(ctw_base__grow(in->ctx, (void **)&g->list, &g->list_cap, g->n + (size_t)l->load[g->t] + 1,
                               sizeof *g->list));
        for (int32_t q = 0; q < l->load[g->t]; q++) {
            int32_t s = g->plan->service_server[l->entry[g->t] + (size_t)q];
            if (s < 0) continue;
            g->list[g->n++] = (replica){(int32_t)i, s, g->group[s]};
            add_use(g, (int32_t)i, s, 1);
        }
    }
    ctw_num__sort_by(g->list, g->n, sizeof *g->list, cmp_replica, (void *)(uintptr_t)in);
    for (size_t a = 0, b; a < g->n; a = b) {
        loss x = {a, a, g->list[a].group, 0};
        for (b = a; b < g->n && g->list[b].group == x.group; b++)
            for (size_t j = 0; j < in->r; j++)
                x.weight += ctw_place__demand(in, (size_t)in->service[g->list[b].service].flavour)[j];
        x.to = b;
        CTW_TRY(ctw_base__grow(in->ctx, (void **)&g->loss, &g->loss_cap, g->losses + 1, sizeof *g->loss));
        g->loss[g->losses++] = x;
    }
    ctw_num__sort_by(g->loss, g->losses, sizeof *g->loss, cmp_loss, NULL);
    return CTW_OK;
}

static int under_limit(const guard *g, const replica *x, int32_t server)
{
    const ctw_place__service *l = g->in->service + x->service;
    int32_t there = 0;
    if (l->spread <= 0) return 1;
    for (int32_t q = 0; q < l->load[g->t]; q++) there += g->plan->service_server[l->entry[g->t] + (size_t)q] == server;
    for (size_t i = 0; i < g->moves; i++) there += g->moved[i].server == server && g->moved[i].service == x->service;
    return there < l->spread;
}

static int holds(const guard *g, const replica *x, int32_t server)
{
    const ctw_place__inst *in = g->in;
    size_t k = (size_t)in->class_of[server];
    const ctw_place__class *c = in->class + k;
    const ctw_place__service *l = in->service + x->service;
    const double *d = ctw_place__demand(in, (size_t)l->flavour), *use = g->use + (size_t)server * in->r;
    double watts = c->idle;
    if (!(l->pools >> c->pool & 1) || g->group[server] == x->group) return 0;
    for (size_t j = 0; j < in->r; j++) {
        if (use[j] + d[j] > in->cap[k * in->r + j] * (1 + 1e-9)) return 0;
        watts += (use[j] + d[j]) * in->watt[k * in->r + j];
    }
    return watts <= c->cap_w * (1 + 1e-9) && under_limit(g, x, server);
}

/* First fit of a loss; -1 when all find places, else the index of the first replica that does not. */
static ctw_status try_loss(guard *g, const loss *x, int64_t *stuck)
{
    g->moves = 0;
    *stuck = -1;
    for (size_t i = x->from; i < x->to && *stuck < 0; i++) {
        int32_t s = 0, servers = (int32_t)g->in->servers;
        while (s < servers && (!g->on[s] || !holds(g, g->list + i, s))) s++;
        if (s == servers) {
            *stuck = (int64_t)i;
            break;
        }
        CTW_TRY(ctw_base__grow(g->in->ctx, (void **)&g->moved, &g->moved_cap, g->moves + 1, sizeof *g->moved));
        g->moved[g->moves++] = (replica){g->list[i].service, s, x->group};
        add_use(g, g->list[i].service, s, 1);
    }
    for (size_t i = 0; i < g->moves; i++) add_use(g, g->moved[i].service, g->moved[i].server, -1);
    return CTW_OK;
}

/* The cheapest server that is off and would hold the replica; -1: none. */
static int32_t find_spare(const guard *g, const replica *x)
{
    const ctw_place__inst *in = g->in;
    int32_t best = -1;
    double least = INFINITY;
    for (size_t s = 0; s < in->servers; s++) {
        size_t k = (size_t)in->class_of[s];
        const ctw_place__class *c = in->class + k;
        if (g->on[s] || !holds(g, x, (int32_t)s)) continue;
        if (g->watts[c->region] + c->idle > in->feed_cap[c->region]) continue;
        if (g->watts[c->feed] + c->idle > in->feed_cap[c->feed]) continue;
        double cost = ctw_place__gram(in, k, g->t) * c->idle + c->embodied;
        if (g->t > 0 && !g->before[s]) cost += ctw_place__startup_gram(in, k, g->t) + 1e-6 * cost;
        if (cost >= least) continue;
        least = cost;
        best = (int32_t)s;
    }
    return best;
}

static void add_watts(guard *g, const ctw_place__class *c, double watts)
{
    g->watts[c->region] += watts;
    if (c->feed != c->region) g->watts[c->feed] += watts;
}

static void switch_spare(guard *g, int32_t server, int on)
{
    const ctw_place__class *c = g->in->class + g->in->class_of[server];
    g->on[server] = (uint8_t)on;
    add_watts(g, c, on ? c->idle : -c->idle);
}

static ctw_status add_spare(guard *g, int32_t server)
{
    ctw_place__plan *p = g->plan;
    CTW_TRY(ctw_base__grow(g->in->ctx, (void **)&p->spare, &p->spare_cap, p->spares + 1, sizeof *p->spare));
    p->spare[p->spares++] = (ctw_place__spare){(int32_t)g->t, server};
    switch_spare(g, server, 1);
    return CTW_OK;
}

/* Is every loss survived that is without the spare? */
static ctw_status superfluous(guard *g, int32_t server, int *yes)
{
    switch_spare(g, server, 0);
    *yes = 1;
    for (size_t i = 0; i < g->losses && *yes; i++) {
        int64_t stuck;
        CTW_TRY(try_loss(g, g->loss + i, &stuck));
        *yes = stuck < 0;
    }
    if (!*yes) switch_spare(g, server, 1);
    return CTW_OK;
}

static ctw_status prune(guard *g)
{
    ctw_place__plan *p = g->plan;
    for (size_t i = p->spares; i-- > g->first_spare && p->spares - g->first_spare <= MOST_PRUNED;) {
        int yes;
        CTW_TRY(superfluous(g, p->spare[i].server, &yes));
        if (yes) p->spare[i] = p->spare[--p->spares];
    }
    return CTW_OK;
}

static ctw_status guard_slot(guard *g, int64_t *missing)
{
    int64_t before = *missing;
    CTW_TRY(list_slot(g));
    g->first_spare = g->plan->spares;
    for (size_t i = 0; i < g->losses; i++) {
        for (int64_t stuck = 0;;) {
            CTW_TRY(try_loss(g, g->loss + i, &stuck));
            if (stuck < 0) break;
            int32_t s = find_spare(g, g->list + stuck);
            if (s < 0) {
                ++*missing;
                break;
            }
            CTW_TRY(add_spare(g, s));
        }
    }
    return *missing == before ? prune(g) : CTW_OK;
}

static void put_on(guard *g, int32_t server, size_t flavour)
{
    size_t k = (size_t)g->in->class_of[server];
    const ctw_place__class *c = g->in->class + k;
    add_watts(g, c, ctw_place__unit_watts(g->in, k, flavour) + (g->on[server] ? 0 : c->idle));
    g->on[server] = 1;
}

static ctw_status guard_all(guard *g, const int32_t *by_slot, const size_t *slot_at, int64_t *missing)
{
    const ctw_place__inst *in = g->in;
    for (g->t = 0; g->t < in->slots; g->t++) {
        memcpy(g->before, g->on, in->servers);
        memset(g->on, 0, in->servers);
        memset(g->use, 0, in->servers * in->r * sizeof(double));
        memset(g->watts, 0, in->feeds * sizeof(double));
        for (size_t i = 0; i < in->services; i++) {
            const ctw_place__service *l = in->service + i;
            for (int32_t q = 0; q < l->load[g->t]; q++) {
                int32_t s = g->plan->service_server[l->entry[g->t] + (size_t)q];
                if (s >= 0) put_on(g, s, (size_t)l->flavour);
            }
        }
        for (size_t i = slot_at[g->t]; i < slot_at[g->t + 1]; i++) {
            size_t e = (size_t)by_slot[2 * i], b = (size_t)by_slot[2 * i + 1];
            put_on(g, g->plan->server[e], (size_t)in->batch[b].flavour);
        }
        CTW_TRY(guard_slot(g, missing));
    }
    return CTW_OK;
}

/* Batch entries in order of slot: pairs of entry and batch row. slot_at: slots + 2. */
static void list_entries(const guard *g, int32_t *by_slot, size_t *slot_at)
{
    const ctw_place__inst *in = g->in;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t u = 0; u < in->units; u++) {
            size_t e = ctw_place__entry(in, u);
            for (size_t q = e; q < e + (size_t)g->plan->run[u]; q++) {
                size_t t = (size_t)g->plan->slot[q];
                if (pass == 0) {
                    slot_at[t + 2]++;
                    continue;
                }
                by_slot[2 * slot_at[t + 1]] = (int32_t)q;
                by_slot[2 * slot_at[t + 1]++ + 1] = in->unit_batch[u];
            }
        }
        for (size_t t = 0; t < in->slots && pass == 0; t++) slot_at[t + 2] += slot_at[t + 1];
    }
}

/* What is lost together: a server, or all servers of its rack: the number of the first of them. */
static void form_groups(guard *g)
{
    const ctw_place__inst *in = g->in;
    for (size_t s = 0; s < in->servers; s++) g->group[s] = (int32_t)s;
    if (in->opt->reserve != CTW_PLACE_RESERVE_RACK) return;
    for (size_t k = 0; k < in->classes; k++) {
        const ctw_place__class *c = in->class + k;
        size_t other = 0;
        if (c->rack < 0 || c->n == 0) continue;
        while (in->class[other].rack != c->rack || in->class[other].n == 0) other++;
        for (int32_t i = 0; i < c->n; i++)
            g->group[in->members[c->first + (size_t)i]] = in->members[in->class[other].first];
    }
}

ctw_status ctw_place__add_reserve(const ctw_place__inst *in, ctw_place__plan *plan, int64_t *missing)
{
    guard g;
    *missing = 0;
    plan->spares = 0;
    if (in->opt->reserve == CTW_PLACE_RESERVE_NONE) return CTW_OK;
    memset(&g, 0, sizeof g);
    g.in = in;
    g.plan = plan;
    g.on = CTW_NEW(in->ctx, in->servers, uint8_t);
    g.before = CTW_NEW(in->ctx, in->servers, uint8_t);
    g.use = CTW_NEW(in->ctx, in->servers * in->r, double);
    g.watts = CTW_NEW(in->ctx, in->feeds, double);
    g.group = CTW_NEW(in->ctx, in->servers, int32_t);
    int32_t *by_slot = CTW_NEW(in->ctx, 2 * in->entries, int32_t);
    size_t *slot_at = CTW_NEW(in->ctx, in->slots + 2, size_t);
    ctw_status s = CTW_E_NOMEM;
    if (g.on && g.before && g.use && g.watts && g.group && by_slot && slot_at) {
        form_groups(&g);
        list_entries(&g, by_slot, slot_at);
        s = guard_all(&g, by_slot, slot_at, missing);
    }
    void *all[] = {g.on, g.before, g.use, g.watts, g.group, g.list, g.loss, g.moved, by_slot, slot_at};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(in->ctx, all[i]);
    return s;
}
