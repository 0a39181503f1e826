/* power_params.h: the option tables of this module's handles. */
#ifndef CTW_POWER_PARAMS_H
#define CTW_POWER_PARAMS_H

#include "base/params.h"

extern const ctw_base__kind ctw_power__kind;
extern const ctw_base__kind ctw_governor__kind;
extern const ctw_base__kind ctw_shapes__kind;
extern const ctw_base__kind ctw_backend__kind;
extern const ctw_base__kind ctw_rack__kind;
extern const ctw_base__kind ctw_meter__kind;
extern const ctw_base__kind ctw_limit__kind;
extern const ctw_base__kind ctw_pool__kind;
extern const ctw_base__kind ctw_cluster__kind;
extern const ctw_base__kind ctw_pool__kind;

#endif
