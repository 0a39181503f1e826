/* bottomup_power.h: the rows and columns of supply, storage and scenarios in the per-server model. */
#ifndef CTW_PLACE_BOTTOMUP_POWER_H
#define CTW_PLACE_BOTTOMUP_POWER_H

#include "milp/milp.h"
#include "place/inst.h"

/* Whether watts are paid for at the grid and not where they are drawn. */
static inline int ctw_place__metered(const ctw_place__inst *in)
{
    return in->on_site || in->tail > 0;
}
/* Adds a row for every region and slot (row[] gets their indices) in which the watts drawn count: draw + charge -
 * discharge <= supply + grid; and the columns of what is on its other side. */
ctw_status ctw_place__metered_rows(const ctw_place__inst *in, ctw_milp__model *m, size_t *row);
ctw_status ctw_place__metered_cols(const ctw_place__inst *in, ctw_milp__model *m, const size_t *row);

#endif
