/* verify_energy.h: the verifier's own account of where a plan's watts come from. */
#ifndef CTW_PLACE_VERIFY_ENERGY_H
#define CTW_PLACE_VERIFY_ENERGY_H

#include "place/solution.h"

/* Checks balance, limits, levels and efficiency of supply, storage and grid against the draw (regions x slots, W: what
 * the servers, start-ups and moves of the plan take), and adds what the grid and the wear of storage emit to *grams.
 * From the problem and the plan alone. CTW_E_INTERNAL, CTW_E_NOMEM. */
ctw_status ctw_place__verify_energy(const ctw_place *p, const ctw_solution *s, const double *draw, double *grams,
                                    const char *fn);

#endif
