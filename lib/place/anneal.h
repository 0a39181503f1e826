/* anneal.h: a better schedule: which unit runs when. */
#ifndef CTW_PLACE_ANNEAL_H
#define CTW_PLACE_ANNEAL_H

#include "place/limits.h"
#include "place/tiers.h"

/* Simulated annealing over the units' slots, each slot judged by packing it (cell.h), until `until` or `patience`
 * proposals; the plan is replaced when the result is cheaper. Nothing happens to problems that ctw_place__cells_apply
 * refuses. Each `round` draws other numbers. */
ctw_status ctw_place__anneal(const ctw_place__inst *in, const ctw_place__limits *lim, ctw_place__plan *plan,
                             ctw_place__clock *clock, double until, double bound, int64_t patience, uint64_t round);

#endif
