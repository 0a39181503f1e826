/* energy.h: where a plan's watts come from, and what they cost: supply, storage, the grid, and scenarios of its
 * intensity. */
#ifndef CTW_PLACE_ENERGY_H
#define CTW_PLACE_ENERGY_H

#include "place/inst.h"

/* By region and slot; the caller's. */
typedef struct ctw_place__flow {
    double *grid, *charge, *discharge; /* W */
    double *level;                     /* Wh after the slot */
} ctw_place__flow;

typedef struct ctw_place__bill {
    double carbon_g; /* the objective's: in the worst share of scenarios, else expected */
    double expected_g, wear_g, grid_kwh, supply_kwh, curtailed_kwh;
} ctw_place__bill;

/* The cheapest storage schedules for a profile of draws (regions x slots, W), and what they cost; `flow` may be NULL,
 * `by_scenario` (scenarios)
 * and `by_slot` (slots: expected grams) too. CTW_E_NOMEM. */
ctw_status ctw_place__energy(const ctw_place__inst *in, const double *profile, const ctw_place__flow *flow,
                             ctw_place__bill *bill, double *by_scenario, double *by_slot);

/* The mean of the worst share 1 - tail of the costs, and the weights that make it so (may be NULL). CTW_E_NOMEM. */
ctw_status ctw_place__tail_mean(ctw_ctx *ctx, const double *cost, const double *probability, size_t n, double tail,
                                double *weight, double *mean);

#endif
