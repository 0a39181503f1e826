/* moves.c: see moves.h. A step's cost is read off the state before a put and after a take, so that idle power,
 * embodied carbon and start-ups count exactly when a server goes on or off. */
#include "place/moves.h"
#include <string.h>

int32_t ctw_place__find_entry(const ctw_place__inst *in, const ctw_place__plan *plan, size_t unit, int32_t slot)
{
    size_t e = ctw_place__entry(in, unit);
    for (int32_t q = 0; q < plan->run[unit]; q++) {
        if (plan->slot[e + (size_t)q] == slot) return q;
    }
    return -1;
}

uint64_t ctw_place__own_pools(const ctw_place__inst *in, const ctw_place__plan *plan, size_t unit)
{
    const ctw_place__batch *b = in->batch + in->unit_batch[unit];
    if (plan->run[unit] == 0) return b->pools;
    int32_t server = plan->server[ctw_place__entry(in, unit)];
    return b->pools & in->pool_region[in->class[in->class_of[server]].pool];
}

void ctw_place__moves_begin(ctw_place__moves *m, const ctw_place__inst *in, ctw_place__state *st, ctw_place__plan *plan)
{
    memset(m, 0, sizeof *m);
    m->in = in;
    m->st = st;
    m->plan = plan;
}

void ctw_place__moves_free(ctw_place__moves *m)
{
    if (m->in) ctw_base__free(m->in->ctx, m->log);
    memset(m, 0, sizeof *m);
}

void ctw_place__moves_commit(ctw_place__moves *m)
{
    m->logged = 0;
    m->delta = 0;
}

static void arrive(ctw_place__moves *m, int32_t slot, int32_t server, int32_t flavour)
{
    m->delta += ctw_place__state_added(m->st, (size_t)slot, server, (size_t)flavour);
    ctw_place__state_put(m->st, (size_t)slot, server, (size_t)flavour);
}

static void leave(ctw_place__moves *m, int32_t slot, int32_t server, int32_t flavour)
{
    ctw_place__state_take(m->st, (size_t)slot, server, (size_t)flavour);
    m->delta -= ctw_place__state_added(m->st, (size_t)slot, server, (size_t)flavour);
}

/* Entries of a unit stay in order of slot. */
static void insert_entry(ctw_place__moves *m, size_t unit, int32_t slot, int32_t server)
{
    ctw_place__plan *plan = m->plan;
    size_t e = ctw_place__entry(m->in, unit);
    int32_t q = plan->run[unit]++;
    for (; q > 0 && plan->slot[e + (size_t)q - 1] > slot; q--) {
        plan->slot[e + (size_t)q] = plan->slot[e + (size_t)q - 1];
        plan->server[e + (size_t)q] = plan->server[e + (size_t)q - 1];
    }
    plan->slot[e + (size_t)q] = slot;
    plan->server[e + (size_t)q] = server;
}

static void remove_entry(ctw_place__moves *m, size_t unit, int32_t slot)
{
    ctw_place__plan *plan = m->plan;
    size_t e = ctw_place__entry(m->in, unit);
    int32_t q = ctw_place__find_entry(m->in, plan, unit, slot);
    for (plan->run[unit]--; q < plan->run[unit]; q++) {
        plan->slot[e + (size_t)q] = plan->slot[e + (size_t)q + 1];
        plan->server[e + (size_t)q] = plan->server[e + (size_t)q + 1];
    }
}

static void apply(ctw_place__moves *m, const ctw_place__move *x, int back)
{
    int32_t out_slot = back ? x->to_slot : x->from_slot, out = back ? x->to_server : x->from_server;
    int32_t in_slot = back ? x->from_slot : x->to_slot, in = back ? x->from_server : x->to_server;
    if (out >= 0) {
        if (!x->kind) remove_entry(m, x->index, out_slot);
        leave(m, out_slot, out, x->flavour);
    }
    if (in >= 0) {
        if (!x->kind) insert_entry(m, x->index, in_slot, in);
        arrive(m, in_slot, in, x->flavour);
    }
    if (x->kind) m->plan->service_server[x->index] = in;
}

static ctw_status step(ctw_place__moves *m, ctw_place__move x)
{
    CTW_TRY(ctw_base__grow(m->in->ctx, (void **)&m->log, &m->cap, m->logged + 1, sizeof *m->log));
    m->log[m->logged++] = x;
    apply(m, &x, 0);
    return CTW_OK;
}

void ctw_place__moves_undo(ctw_place__moves *m, size_t mark)
{
    while (m->logged > mark) apply(m, m->log + --m->logged, 1);
}

ctw_status ctw_place__moves_put(ctw_place__moves *m, size_t unit, int32_t slot, int32_t server)
{
    return step(m, (ctw_place__move){.kind = 0,
                                     .from_slot = -1,
                                     .from_server = -1,
                                     .to_slot = slot,
                                     .to_server = server,
                                     .index = unit,
                                     .flavour = m->in->batch[m->in->unit_batch[unit]].flavour});
}

ctw_status ctw_place__moves_take(ctw_place__moves *m, size_t unit, int32_t slot)
{
    int32_t q = ctw_place__find_entry(m->in, m->plan, unit, slot);
    if (q < 0) return ctw_base__fail(CTW_E_INTERNAL, "place: unit %zu does not run in slot %d", unit, (int)slot);
    return step(m, (ctw_place__move){.kind = 0,
                                     .from_slot = slot,
                                     .to_slot = -1,
                                     .to_server = -1,
                                     .index = unit,
                                     .from_server = m->plan->server[ctw_place__entry(m->in, unit) + (size_t)q],
                                     .flavour = m->in->batch[m->in->unit_batch[unit]].flavour});
}

ctw_status ctw_place__moves_clear(ctw_place__moves *m, size_t unit)
{
    size_t e = ctw_place__entry(m->in, unit);
    while (m->plan->run[unit] > 0)
        CTW_TRY(ctw_place__moves_take(m, unit, m->plan->slot[e + (size_t)m->plan->run[unit] - 1]));
    return CTW_OK;
}

ctw_status ctw_place__moves_service(ctw_place__moves *m, size_t entry, int32_t slot, int32_t flavour, int32_t server)
{
    return step(m, (ctw_place__move){.kind = 1,
                                     .from_slot = slot,
                                     .to_slot = slot,
                                     .index = entry,
                                     .to_server = server,
                                     .from_server = m->plan->service_server[entry],
                                     .flavour = flavour});
}
