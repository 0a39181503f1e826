/* rca_params.h: the option tables of spans, calls, rca and online. */
#ifndef CTW_RCA_PARAMS_H
#define CTW_RCA_PARAMS_H

#include "base/params.h"

extern const ctw_base__kind ctw_spans__kind;
extern const ctw_base__kind ctw_calls__kind;
extern const ctw_base__kind ctw_rca__kind;
extern const ctw_base__kind ctw_online__kind;

#endif
