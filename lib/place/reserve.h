/* reserve.h: servers kept on so that the loss of any one server or rack leaves every service a place. */
#ifndef CTW_PLACE_RESERVE_H
#define CTW_PLACE_RESERVE_H

#include "place/plan.h"

/* Adds spares to the plan (replacing earlier ones) until every loss that the option reserve names is survived, as
 * ctw_place_solve's manual defines it; *missing counts the losses (of all slots) for which no server was left to switch
 * on. Nothing to do without a reserve. CTW_E_NOMEM. */
ctw_status ctw_place__add_reserve(const ctw_place__inst *in, ctw_place__plan *plan, int64_t *missing);

#endif
