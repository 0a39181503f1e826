/* ramp.h: multipliers of switching servers on, in the market's fixed costs. */
#ifndef CTW_PLACE_RAMP_H
#define CTW_PLACE_RAMP_H

#include "place/market.h"

/* Moves the multipliers along the change of the number of servers that are on from slot to slot, between 0 and what
 * switching one on costs (its start-up, and where moves are bounded the work of emptying it, as idle slots). Returns
 * at once where neither counts. The bound stays valid: it is formed without them. */
void ctw_place__ramp_follow(ctw_place__market *m, int round);

/* Room kept free in nearly full cells where moves are bounded. */
void ctw_place__ramp_pad(ctw_place__market *m);
/* Sweeps that the multipliers are worth; 0 where neither counts. */
int ctw_place__ramp_sweeps(const ctw_place__inst *in);

#endif
