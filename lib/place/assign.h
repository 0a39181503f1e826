/* assign.h: from pools to servers. */
#ifndef CTW_PLACE_ASSIGN_H
#define CTW_PLACE_ASSIGN_H

#include "place/market.h"
#include "place/tiers.h"

/* The plan's entries hold pools; packs every slot and writes servers instead. What found no room gets server -1
 * (`lost` counts it) and its demand joins the market's padding, so that prices may be sought again with that much
 * room kept free; batch units that lost an entry are taken out of the plan altogether. */
ctw_status ctw_place__assign(ctw_place__market *m, ctw_place__plan *plan, ctw_place__clock *clock, int64_t *lost);
/* The way back: servers become pools, unplaced replicas their lowest pool. */
void ctw_place__unassign(const ctw_place__inst *in, ctw_place__plan *plan);

#endif
