/* repair.h: room for what found none, by moving others. */
#ifndef CTW_PLACE_REPAIR_H
#define CTW_PLACE_REPAIR_H

#include "place/plan.h"
#include "place/state.h"
#include "place/tiers.h"

/* Places missed batch units and unplaced replicas by ejection chains of length one; `st` holds the plan's loads
 * and follows. Replicas may push batch work out of the plan when nothing else helps. */
ctw_status ctw_place__repair(const ctw_place__inst *in, ctw_place__state *st, ctw_place__plan *plan,
                             ctw_place__clock *clock);

#endif
