/* twin_params.h: option table of the twin. */
#ifndef CTW_TWIN_PARAMS_H
#define CTW_TWIN_PARAMS_H

#include "base/params.h"

extern const ctw_base__kind ctw_twin__kind;
extern const ctw_base__kind ctw_campaign__kind;

#endif
