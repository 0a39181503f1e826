/* verify_moves.h: the verifier's own count of moves. */
#ifndef CTW_PLACE_VERIFY_MOVES_H
#define CTW_PLACE_VERIFY_MOVES_H

#include "place/solution.h"

/* Moves of running units and the grams of their energy, from the problem and the plan alone. CTW_E_NOMEM. */
ctw_status ctw_place__verify_moves(const ctw_place *p, const ctw_solution *s, int64_t *moves, double *draw,
                                   double *grams);

#endif
