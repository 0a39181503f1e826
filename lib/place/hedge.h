/* hedge.h: plans against the worst share of the carbon scenarios (CVaR). */
#ifndef CTW_PLACE_HEDGE_H
#define CTW_PLACE_HEDGE_H

#include "place/tiers.h"

/* Prices, in rounds, at intensities that lean towards the scenarios which the plans so far stand worst; the cheapest
 * plan of all rounds and the best of their bounds. Changes what the instance plans with (in->gram). Errors as
 * ctw_place__decompose. */
ctw_status ctw_place__hedge(const ctw_place__inst *in, ctw_place__clock *clock, ctw_place__answer *a);

#endif
