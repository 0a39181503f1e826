/* plan.h: a plan in the compiled problem's numbers, and what it costs. */
#ifndef CTW_PLACE_PLAN_H
#define CTW_PLACE_PLAN_H

#include "place/energy.h"

typedef struct ctw_place__spare {
    int32_t slot, server;
} ctw_place__spare;

/* Unit u of batch row b has `duration` places from b.entry0 + (u - b.unit0) * duration on, of which the first
 * run[u] are in use, slots ascending. A service has load[t] places from entry[t] on, server -1 when unplaced. */
typedef struct ctw_place__plan {
    int32_t *slot, *server;  /* entries */
    int32_t *run;            /* units */
    int32_t *service_server; /* service_entries */
    ctw_place__spare *spare; /* kept on without load, in order of slot; may be NULL */
    size_t spares, spare_cap;
} ctw_place__plan;

ctw_status ctw_place__plan_new(const ctw_place__inst *in, ctw_place__plan *plan); /* nothing runs, nothing placed */
ctw_status ctw_place__plan_copy(const ctw_place__inst *in, const ctw_place__plan *from, ctw_place__plan *to);
void ctw_place__plan_free(ctw_ctx *ctx, ctw_place__plan *plan);

static inline size_t ctw_place__entry(const ctw_place__inst *in, size_t unit)
{
    const ctw_place__batch *b = in->batch + in->unit_batch[unit];
    return b->entry0 + (unit - b->unit0) * (size_t)b->duration;
}

typedef struct ctw_place__cost {
    double objective, carbon_g, penalty_g, embodied_g, energy_kwh; /* objective = carbon + wear + penalty + embodied */
    ctw_place__bill bill;                                          /* with supply, storage or scenarios */
    int64_t startups, missed_slots, missed_units, unplaced, placements;
    int64_t servers_on;             /* most in one slot */
    int64_t migrations;             /* counted only when some move costs energy */
    double *slot_watts, *slot_gram; /* by slot, or NULL */
    double *profile;                /* regions x slots: mean watts, start-ups and moves included; or NULL */
    const ctw_place__flow *flow;    /* to be filled with supply, storage or scenarios; or NULL */
    double *by_scenario;            /* scenarios, or NULL */
} ctw_place__cost;

/* `cost` may come with slot arrays, which are then filled. CTW_E_NOMEM. */
ctw_status ctw_place__plan_cost(const ctw_place__inst *in, const ctw_place__plan *plan, ctw_place__cost *cost);
/* Batch slots by which a plan of that cost falls short of the throughput threshold; defined in finish.c. */
double ctw_place__short_by(const ctw_place__inst *in, const ctw_place__cost *c);
/* migrate.c: moves of running units, as ctw_place_set_job_migration defines them; the Wh they take are added to
 * wh[region x slot] unless that is NULL. CTW_E_NOMEM. */
ctw_status ctw_place__migrations(const ctw_place__inst *in, const ctw_place__plan *plan, double *wh, int64_t *count);

#endif
