/* verify.h: the judge of every plan. */
#ifndef CTW_PLACE_VERIFY_H
#define CTW_PLACE_VERIFY_H

#include "place/solution.h"

/* CTW_OK; CTW_E_INTERNAL naming the broken rule; CTW_E_SHAPE for a plan of another problem; CTW_E_NOMEM. */
ctw_status ctw_place__verify(const ctw_place *p, const ctw_solution *s, const char *fn);

#endif
