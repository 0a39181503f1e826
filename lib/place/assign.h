/* assign.h: from pools to servers. */
#ifndef CTW_PLACE_ASSIGN_H
#define CTW_PLACE_ASSIGN_H

#include "place/market.h"
#include "place/plan.h"

/* The plan's entries hold pools; packs every slot and writes servers instead. What found no room gets server -1
 * (`lost` counts it): batch units that lost an entry are taken out of the plan altogether, for others to place. */
ctw_status ctw_place__assign(const ctw_place__market *m, ctw_place__plan *plan, int64_t *lost);

#endif
