/* sticky.h: packing a plan anew so that running units stay where they are. */
#ifndef CTW_PLACE_STICKY_H
#define CTW_PLACE_STICKY_H

#include "place/tiers.h"

/* Keeps the plan's slots and regions and chooses its servers again, slot after slot; at most the fraction `most` of the
 * placements moves, except where there is no room otherwise. `lopsided` is what an
 * uneven fill costs against a full one. What finds no room leaves the plan. CTW_E_NOMEM. */
ctw_status ctw_place__sticky(const ctw_place__inst *in, ctw_place__plan *plan, double most, double lopsided);

#endif
