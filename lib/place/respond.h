/* respond.h: how jobs answer prices. */
#ifndef CTW_PLACE_RESPOND_H
#define CTW_PLACE_RESPOND_H

#include "place/market.h"
#include "place/plan.h"
#include "place/tiers.h"

/* While prices are sought, `server` of the plan's entries holds a pool, not a server. */
typedef struct ctw_place__crowd {
    ctw_place__market *m;
    ctw_place__plan *plan;
    double *spread;                        /* cells x r: demand of units that have not answered yet */
    double *value;                         /* slots: what the unit would pay in each slot of the region looked at */
    double *copy;                          /* slots */
    int32_t *pool;                         /* slots: the cheapest pool there */
    int32_t *used;                         /* slots: pool + 1 where the unit runs now */
    int32_t *slot, *best_slot, *best_pool; /* slots: choices in the region looked at, and the best so far */
    double *avg;                           /* cells x r: sum of prices looked at during a sweep */
    size_t avg_n;
    double miss_extra; /* multiplier of the throughput row, g per missed slot */
    size_t moves;      /* units that changed in the last sweep */
    int whole;         /* every unit has answered once */
} ctw_place__crowd;

ctw_status ctw_place__crowd_new(ctw_place__market *m, ctw_place__plan *plan, ctw_place__crowd *c);
void ctw_place__crowd_free(ctw_place__crowd *c);

/* Demand of the services and of batch work spread evenly over its windows, as a start without a plan. */
void ctw_place__crowd_spread(ctw_place__crowd *c);
/* Demand exactly as the plan's entries say (pools). */
void ctw_place__crowd_recount(ctw_place__crowd *c);
/* Every unit in turn moves to its cheapest slots and region at the prices, which follow. With `first` nobody has
 * chosen yet, and the spread demand fades as they do; it goes on to the clock's `last`. Otherwise it stops when the
 * clock rings. */
void ctw_place__crowd_sweep(ctw_place__crowd *c, int first, ctw_place__clock *clock);
/* The Lagrangian value at the market's prices: a lower bound on every plan's objective. */
double ctw_place__crowd_bound(ctw_place__crowd *c);

#endif
