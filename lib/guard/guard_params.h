/* guard_params.h: option tables of the guard, the detector and the watch. */
#ifndef CTW_GUARD_PARAMS_H
#define CTW_GUARD_PARAMS_H

#include "base/params.h"

extern const ctw_base__kind ctw_guard__kind;
extern const ctw_base__kind ctw_detector__kind;
extern const ctw_base__kind ctw_watch__kind;

#endif
