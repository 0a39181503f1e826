/* queue_params.h: the option tables of the queue module's handles, registered in lib/kinds.c. */
#ifndef CTW_QUEUE_PARAMS_H
#define CTW_QUEUE_PARAMS_H

#include "base/params.h"

extern const ctw_base__kind ctw_queue__kind;
extern const ctw_base__kind ctw_exec__kind;
extern const ctw_base__kind ctw_lengths__kind;
extern const ctw_base__kind ctw_serving__kind;

#endif
