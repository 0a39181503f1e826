/* run_now.h: the plan when there is no forecast to plan by. */
#ifndef CTW_PLACE_RUN_NOW_H
#define CTW_PLACE_RUN_NOW_H

#include "place/tiers.h"

/* Every batch unit as early as there is room for it; no bound. The instance's intensities and windows are changed for
 * the while and restored. CTW_E_NOMEM. */
ctw_status ctw_place__run_now(ctw_place__inst *in, ctw_place__clock *clock, ctw_place__answer *a);

#endif
