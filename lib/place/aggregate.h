/* aggregate.h: tier 2's bound. */
#ifndef CTW_PLACE_AGGREGATE_H
#define CTW_PLACE_AGGREGATE_H

#include "place/limits.h"
#include "place/tiers.h"

/* Branch and bound on the class-aggregated model until `until`; *bound is raised when it proves more. With `whole`,
 * which is worth its time for problems of a few dozen units, units run as whole units and not as quantities. CTW_OK
 * also when nothing was proved. */
ctw_status ctw_place__aggregate(const ctw_place__inst *in, const ctw_place__limits *lim, ctw_place__clock *clock,
                                double until, int whole, double *bound, int64_t *nodes);

#endif
