/* state.c: see state.h. Sums of demands are compared with capacities under a tolerance of 1e-9 of the
 * capacity, the verifier's own. */
#include "place/state.h"
#include <math.h>
#include <string.h>

ctw_status ctw_place__state_new(const ctw_place__inst *in, ctw_place__state *st)
{
    memset(st, 0, sizeof *st);
    st->in = in;
    size_t n = in->servers * in->slots;
    st->use = CTW_NEW(in->ctx, n * in->r, double);
    st->load = CTW_NEW(in->ctx, n, int32_t);
    st->order = CTW_NEW(in->ctx, n, int32_t);
    st->pos = CTW_NEW(in->ctx, n, int32_t);
    st->room = CTW_NEW(in->ctx, in->slots * in->classes, int32_t);
    st->on = CTW_NEW(in->ctx, in->slots * in->classes, int32_t);
    st->feed_watts = CTW_NEW(in->ctx, in->slots * in->feeds, double);
    if (!st->use || !st->load || !st->order || !st->pos || !st->room || !st->on || !st->feed_watts) {
        ctw_place__state_free(st);
        return CTW_E_NOMEM;
    }
    for (size_t t = 0; t < in->slots; t++) {
        for (size_t i = 0; i < in->servers; i++) {
            st->order[t * in->servers + i] = in->members[i];
            st->pos[t * in->servers + (size_t)in->members[i]] = (int32_t)i;
        }
    }
    return CTW_OK;
}

void ctw_place__state_free(ctw_place__state *st)
{
    if (!st->in) return;
    void *all[] = {st->use, st->load, st->order, st->pos, st->room, st->on, st->feed_watts};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(st->in->ctx, all[i]);
    memset(st, 0, sizeof *st);
}

static void swap_to(ctw_place__state *st, size_t slot, int32_t server, int32_t target)
{
    int32_t *order = st->order + slot * st->in->servers, *pos = st->pos + slot * st->in->servers;
    int32_t other = order[target], from = pos[server];
    order[target] = server;
    order[from] = other;
    pos[server] = target;
    pos[other] = from;
}

/* 0 on with room, 1 on and full, 2 off, as the loads say. */
static int group_now(const ctw_place__state *st, size_t slot, int32_t server)
{
    const ctw_place__inst *in = st->in;
    size_t at = slot * in->servers + (size_t)server, k = (size_t)in->class_of[server];
    if (st->load[at] == 0) return 2;
    for (size_t j = 0; j < in->r; j++) {
        double cap = in->cap[k * in->r + j];
        if (cap > 0 && cap - st->use[at * in->r + j] < in->least[j] - 1e-9 * cap) return 1;
    }
    return 0;
}

/* Moves the server within its class's stretch of the order to the group its load says. */
static void regroup(ctw_place__state *st, size_t slot, int32_t server)
{
    const ctw_place__inst *in = st->in;
    size_t k = (size_t)in->class_of[server], kt = slot * in->classes + k;
    int32_t first = (int32_t)in->class[k].first;
    int32_t i = st->pos[slot * in->servers + (size_t)server] - first;
    int was = i < st->room[kt] ? 0 : i < st->on[kt] ? 1 : 2, now = group_now(st, slot, server);
    for (; was < now; was++) {
        int32_t *edge = was == 0 ? st->room + kt : st->on + kt;
        swap_to(st, slot, server, first + --*edge);
    }
    for (; was > now; was--) {
        int32_t *edge = was == 1 ? st->room + kt : st->on + kt;
        swap_to(st, slot, server, first + (*edge)++);
    }
}

static void shift(ctw_place__state *st, size_t slot, int32_t server, size_t flavour, int sign)
{
    const ctw_place__inst *in = st->in;
    size_t at = slot * in->servers + (size_t)server, k = (size_t)in->class_of[server];
    const double *d = ctw_place__demand(in, flavour);
    int32_t before = st->load[at];
    st->load[at] += sign;
    for (size_t j = 0; j < in->r; j++)
        st->use[at * in->r + j] = st->load[at] ? st->use[at * in->r + j] + sign * d[j] : 0;
    if (in->capped) {
        double watts = ctw_place__unit_watts(in, k, flavour);
        if (before == 0 || st->load[at] == 0) watts += in->class[k].idle;
        double *feed = st->feed_watts + slot * in->feeds;
        feed[in->class[k].region] += sign * watts;
        if (in->class[k].feed != in->class[k].region) feed[in->class[k].feed] += sign * watts;
    }
    regroup(st, slot, server);
}

void ctw_place__state_put(ctw_place__state *st, size_t slot, int32_t server, size_t flavour)
{
    shift(st, slot, server, flavour, 1);
}

void ctw_place__state_take(ctw_place__state *st, size_t slot, int32_t server, size_t flavour)
{
    shift(st, slot, server, flavour, -1);
}

void ctw_place__state_load(ctw_place__state *st, const ctw_place__plan *plan)
{
    const ctw_place__inst *in = st->in;
    for (size_t u = 0; u < in->units; u++) {
        size_t e = ctw_place__entry(in, u), f = (size_t)in->batch[in->unit_batch[u]].flavour;
        for (size_t q = 0; q < (size_t)plan->run[u]; q++) {
            ctw_place__state_put(st, (size_t)plan->slot[e + q], plan->server[e + q], f);
        }
    }
    for (size_t i = 0; i < in->services; i++) {
        const ctw_place__service *l = in->service + i;
        for (size_t t = 0; t < in->slots; t++) {
            for (int32_t q = 0; q < l->load[t]; q++) {
                int32_t server = plan->service_server[l->entry[t] + (size_t)q];
                if (server >= 0) ctw_place__state_put(st, t, server, (size_t)l->flavour);
            }
        }
    }
}

int ctw_place__state_fits(const ctw_place__state *st, size_t slot, int32_t server, size_t flavour)
{
    const ctw_place__inst *in = st->in;
    size_t at = slot * in->servers + (size_t)server, k = (size_t)in->class_of[server];
    const double *d = ctw_place__demand(in, flavour), *use = st->use + at * in->r, *cap = in->cap + k * in->r;
    for (size_t j = 0; j < in->r; j++) {
        if (use[j] + d[j] > cap[j] * (1 + 1e-9)) return 0;
    }
    const ctw_place__class *c = in->class + k;
    if (isfinite(c->cap_w)) {
        double watts = c->idle + ctw_place__unit_watts(in, k, flavour);
        for (size_t j = 0; j < in->r; j++) watts += use[j] * in->watt[k * in->r + j];
        if (watts > c->cap_w * (1 + 1e-9)) return 0;
    }
    if (!in->capped) return 1;
    double more = ctw_place__unit_watts(in, k, flavour) + (st->load[at] ? 0 : c->idle);
    const double *feed = st->feed_watts + slot * in->feeds;
    return feed[c->region] + more <= in->feed_cap[c->region] * (1 + 1e-9) &&
           feed[c->feed] + more <= in->feed_cap[c->feed] * (1 + 1e-9);
}

double ctw_place__state_added(const ctw_place__state *st, size_t slot, int32_t server, size_t flavour)
{
    const ctw_place__inst *in = st->in;
    size_t n = in->servers, at = slot * n + (size_t)server, k = (size_t)in->class_of[server];
    double gram = ctw_place__gram(in, k, slot), g = gram * ctw_place__unit_watts(in, k, flavour);
    if (st->load[at]) return g;
    double fixed = gram * in->class[k].idle + in->class[k].embodied;
    if (st->amortise) return g + fixed * ctw_place__share(in, k, flavour);
    g += fixed;
    if (in->class[k].startup > 0) {
        if (slot > 0 && !st->load[at - n]) g += ctw_place__startup_gram(in, k, slot);
        if (slot + 1 < in->slots && st->load[at + n]) g -= ctw_place__startup_gram(in, k, slot + 1);
    }
    return g;
}

/* Room that would be left over, in shares of the capacity: small is tight. */
static double slack(const ctw_place__state *st, size_t slot, int32_t server, size_t flavour)
{
    const ctw_place__inst *in = st->in;
    size_t at = slot * in->servers + (size_t)server, k = (size_t)in->class_of[server];
    const double *d = ctw_place__demand(in, flavour);
    double sum = 0;
    for (size_t j = 0; j < in->r; j++) {
        double cap = in->cap[k * in->r + j];
        if (cap > 0) sum += (cap - st->use[at * in->r + j] - d[j]) / cap;
    }
    return sum;
}

typedef struct choice {
    int32_t server;
    double added, slack;
} choice;

static void consider(const ctw_place__state *st, size_t slot, int32_t server, size_t flavour, choice *best)
{
    if (!ctw_place__state_fits(st, slot, server, flavour)) return;
    double added = ctw_place__state_added(st, slot, server, flavour);
    double eps = 1e-12 * fabs(added);
    if (best->server >= 0 && added > best->added + eps) return;
    double tight = slack(st, slot, server, flavour);
    if (best->server >= 0 && added >= best->added - eps && tight >= best->slack) return;
    best->server = server;
    best->added = added;
    best->slack = tight;
}

int32_t ctw_place__state_best(const ctw_place__state *st, size_t slot, size_t flavour, uint64_t pools,
                              ctw_place__veto_fn veto, const void *user, double *added)
{
    const ctw_place__inst *in = st->in;
    choice best = {-1, INFINITY, INFINITY};
    for (size_t k = 0; k < in->classes; k++) {
        const ctw_place__class *c = in->class + k;
        if (!(pools >> c->pool & 1) || c->n == 0) continue;
        const int32_t *order = st->order + slot * in->servers + c->first;
        size_t kt = slot * in->classes + k;
        for (int32_t i = 0; i < st->room[kt]; i++) {
            if (veto && veto(user, slot, order[i])) continue;
            consider(st, slot, order[i], flavour, &best);
        }
        /* Servers that are off are alike, unless their neighbours in time differ. */
        int32_t tries = c->startup > 0 ? 8 : 1;
        for (int32_t i = st->on[kt]; i < c->n && tries > 0; i++, tries--) {
            if (veto && veto(user, slot, order[i])) continue;
            consider(st, slot, order[i], flavour, &best);
        }
    }
    *added = best.added;
    return best.server;
}
