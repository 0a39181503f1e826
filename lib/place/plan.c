/* plan.c: storage of a plan and its cost under the compiled problem. The verifier does not use this file. */
#include "place/plan.h"
#include <math.h>
#include <string.h>

ctw_status ctw_place__plan_new(const ctw_place__inst *in, ctw_place__plan *plan)
{
    memset(plan, 0, sizeof *plan);
    plan->slot = CTW_NEW(in->ctx, in->entries, int32_t);
    plan->server = CTW_NEW(in->ctx, in->entries, int32_t);
    plan->run = CTW_NEW(in->ctx, in->units, int32_t);
    plan->service_server = CTW_NEW(in->ctx, in->service_entries, int32_t);
    if (!plan->slot || !plan->server || !plan->run || !plan->service_server) {
        ctw_place__plan_free(in->ctx, plan);
        return CTW_E_NOMEM;
    }
    for (size_t i = 0; i < in->service_entries; i++) plan->service_server[i] = -1;
    return CTW_OK;
}

ctw_status ctw_place__plan_copy(const ctw_place__inst *in, const ctw_place__plan *from, ctw_place__plan *to)
{
    CTW_TRY(ctw_place__plan_new(in, to));
    memcpy(to->slot, from->slot, in->entries * sizeof(int32_t));
    memcpy(to->server, from->server, in->entries * sizeof(int32_t));
    memcpy(to->run, from->run, in->units * sizeof(int32_t));
    memcpy(to->service_server, from->service_server, in->service_entries * sizeof(int32_t));
    return CTW_OK;
}

void ctw_place__plan_free(ctw_ctx *ctx, ctw_place__plan *plan)
{
    ctw_base__free(ctx, plan->slot);
    ctw_base__free(ctx, plan->server);
    ctw_base__free(ctx, plan->run);
    ctw_base__free(ctx, plan->service_server);
    ctw_base__free(ctx, plan->spare);
    memset(plan, 0, sizeof *plan);
}

typedef struct tally {
    const ctw_place__inst *in;
    ctw_place__cost *cost;
    uint8_t *on; /* servers x slots, slot by slot */
} tally;

static void add_watts(tally *t, size_t class, size_t slot, double watts)
{
    double gram = ctw_place__gram(t->in, class, slot);
    t->cost->carbon_g += watts * gram;
    t->cost->energy_kwh += watts * t->in->hours / 1000;
    if (t->cost->slot_watts) t->cost->slot_watts[slot] += watts;
    if (t->cost->slot_gram) t->cost->slot_gram[slot] += watts * gram;
    if (t->cost->profile) t->cost->profile[t->in->class[class].region * t->in->slots + slot] += watts;
}

static void add_unit(tally *t, size_t slot, int32_t server, size_t flavour)
{
    size_t k = (size_t)t->in->class_of[server];
    t->on[slot * t->in->servers + (size_t)server] = 1;
    t->cost->placements++;
    add_watts(t, k, slot, ctw_place__unit_watts(t->in, k, flavour));
}

static void add_batches(tally *t, const ctw_place__plan *plan)
{
    const ctw_place__inst *in = t->in;
    for (size_t u = 0; u < in->units; u++) {
        const ctw_place__batch *b = in->batch + in->unit_batch[u];
        size_t e = ctw_place__entry(in, u);
        int32_t missed = b->duration - plan->run[u];
        for (int32_t q = 0; q < plan->run[u]; q++) {
            add_unit(t, (size_t)plan->slot[e + (size_t)q], plan->server[e + (size_t)q], (size_t)b->flavour);
        }
        t->cost->penalty_g += missed * b->penalty;
        t->cost->missed_slots += missed;
        t->cost->missed_units += missed > 0;
    }
}

static void add_services(tally *t, const ctw_place__plan *plan)
{
    const ctw_place__inst *in = t->in;
    for (size_t i = 0; i < in->services; i++) {
        const ctw_place__service *l = in->service + i;
        for (size_t s = 0; s < in->slots; s++) {
            for (int32_t q = 0; q < l->load[s]; q++) {
                int32_t server = plan->service_server[l->entry[s] + (size_t)q];
                if (server >= 0) {
                    add_unit(t, s, server, (size_t)l->flavour);
                } else {
                    t->cost->unplaced++;
                    t->cost->penalty_g += l->penalty;
                }
            }
        }
    }
}

static void add_servers(tally *t)
{
    const ctw_place__inst *in = t->in;
    for (size_t s = 0; s < in->slots; s++) {
        const uint8_t *on = t->on + s * in->servers, *before = s ? on - in->servers : NULL;
        int64_t running = 0;
        for (size_t v = 0; v < in->servers; v++) {
            if (!on[v]) continue;
            size_t k = (size_t)in->class_of[v];
            const ctw_place__class *c = in->class + k;
            running++;
            add_watts(t, k, s, c->idle);
            t->cost->embodied_g += c->embodied;
            if (before && !before[v]) {
                double g = ctw_place__startup_gram(in, k, s);
                t->cost->startups++;
                t->cost->carbon_g += g;
                t->cost->energy_kwh += c->startup / 1000;
                if (t->cost->slot_gram) t->cost->slot_gram[s] += g;
                if (t->cost->profile) t->cost->profile[c->region * in->slots + s] += c->startup / in->hours;
            }
        }
        if (running > t->cost->servers_on) t->cost->servers_on = running;
    }
}

/* Energy of moves, charged where they arrive. */
static ctw_status add_migrations(tally *t, const ctw_place__plan *plan)
{
    const ctw_place__inst *in = t->in;
    double *wh = CTW_NEW(in->ctx, in->regions * in->slots, double);
    ctw_status s = wh ? ctw_place__migrations(in, plan, wh, &t->cost->migrations) : CTW_E_NOMEM;
    for (size_t i = 0; i < in->regions * in->slots && s == CTW_OK; i++) {
        t->cost->carbon_g += wh[i] * in->gram_wh[i];
        t->cost->energy_kwh += wh[i] / 1000;
        if (t->cost->slot_gram) t->cost->slot_gram[i % in->slots] += wh[i] * in->gram_wh[i];
        if (t->cost->profile) t->cost->profile[i] += wh[i] / in->hours;
    }
    ctw_base__free(in->ctx, wh);
    return s;
}

ctw_status ctw_place__plan_cost(const ctw_place__inst *in, const ctw_place__plan *plan, ctw_place__cost *cost)
{
    ctw_place__cost fresh = {0};
    fresh.slot_watts = cost->slot_watts;
    fresh.slot_gram = cost->slot_gram;
    fresh.profile = cost->profile;
    fresh.flow = cost->flow;
    fresh.by_scenario = cost->by_scenario;
    double *own = NULL;
    if ((in->on_site || in->scenarios) && !cost->profile) {
        fresh.profile = own = CTW_NEW(in->ctx, in->regions * in->slots, double);
        if (!own) return CTW_E_NOMEM;
    }
    for (size_t i = 0; i < in->regions * in->slots && fresh.profile; i++) fresh.profile[i] = 0;
    for (size_t s = 0; s < in->slots; s++) {
        if (fresh.slot_watts) fresh.slot_watts[s] = 0;
        if (fresh.slot_gram) fresh.slot_gram[s] = 0;
    }
    tally t = {in, cost, CTW_NEW(in->ctx, in->servers * in->slots, uint8_t)};
    if (!t.on) {
        ctw_base__free(in->ctx, own);
        return CTW_E_NOMEM;
    }
    *cost = fresh;
    add_batches(&t, plan);
    add_services(&t, plan);
    for (size_t i = 0; i < plan->spares; i++)
        t.on[(size_t)plan->spare[i].slot * in->servers + (size_t)plan->spare[i].server] = 1;
    add_servers(&t);
    ctw_status s = in->migrates ? add_migrations(&t, plan) : CTW_OK;
    if (s == CTW_OK && (in->on_site || in->scenarios)) {
        s = ctw_place__energy(in, cost->profile, cost->flow, &cost->bill, cost->by_scenario, cost->slot_gram);
        cost->carbon_g = cost->bill.carbon_g;
    }
    cost->objective = cost->carbon_g + cost->bill.wear_g + cost->penalty_g + cost->embodied_g;
    if (own) cost->profile = NULL;
    ctw_base__free(in->ctx, own);
    ctw_base__free(in->ctx, t.on);
    return s;
}
