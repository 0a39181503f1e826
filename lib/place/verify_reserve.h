/* verify_reserve.h: the verifier's own test of the reserve. */
#ifndef CTW_PLACE_VERIFY_RESERVE_H
#define CTW_PLACE_VERIFY_RESERVE_H

#include "place/solution.h"

/* Counts the losses (of a server or rack, in a slot) that the services do not survive; `on` (slots x servers, flat
 * numbers) says which servers are on. From the problem and the plan alone. CTW_E_NOMEM. */
ctw_status ctw_place__verify_reserve(const ctw_place *p, const ctw_solution *s, const uint8_t *on, int64_t *missing);

#endif
