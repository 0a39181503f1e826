/* stay.h: the plan with the fewest grams whose moves stay within the bound. */
#ifndef CTW_PLACE_STAY_H
#define CTW_PLACE_STAY_H

#include "place/tiers.h"

/* Does nothing unless moves are bounded or cost energy. CTW_E_NOMEM. */
ctw_status ctw_place__stay(const ctw_place__inst *in, ctw_place__clock *clock, ctw_place__plan *plan);

#endif
