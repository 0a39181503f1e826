/* place_params.h: the option table of kind "place". */
#ifndef CTW_PLACE_PARAMS_H
#define CTW_PLACE_PARAMS_H

#include "base/params.h"
#include "place/place_internal.h"

extern const ctw_base__kind ctw_place__kind;

void ctw_place__read_options(const ctw_params *params, ctw_place__opts *opt);

#endif
