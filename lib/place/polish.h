/* polish.h: making a plan better by taking part of it apart. */
#ifndef CTW_PLACE_POLISH_H
#define CTW_PLACE_POLISH_H

#include "place/plan.h"
#include "place/state.h"
#include "place/tiers.h"

/* Large-neighbourhood search until the clock rings, `until` (clock time) passes, the objective is within the
 * option mip_gap of `bound`, or `patience` rounds in a row brought nothing. */
ctw_status ctw_place__polish(const ctw_place__inst *in, ctw_place__plan *plan, ctw_place__clock *clock, double until,
                             double bound, int64_t patience);

#endif
