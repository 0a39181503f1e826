/* finish.h: from a tier's answer to the host's solution. */
#ifndef CTW_PLACE_FINISH_H
#define CTW_PLACE_FINISH_H

#include "place/solution.h"
#include "place/tiers.h"

/* An empty one, NULL when there is no memory. */
ctw_solution *ctw_place__solution_new(ctw_ctx *ctx);
/* Builds the solution (reasons, report) and moves the answer's plan into it; it has not been verified yet. */
ctw_status ctw_place__finish(const ctw_place *p, const ctw_place__inst *in, ctw_place__answer *a, double solve_s,
                             ctw_solution **out);

#endif
