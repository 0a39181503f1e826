/* limit_internal.h: state of a search for a power limit. */
#ifndef CTW_POWER_LIMIT_INTERNAL_H
#define CTW_POWER_LIMIT_INTERNAL_H

#include "base/handle.h"
#include <cybertwin/limit.h>

#define CTW_LIMIT_MAGIC CTW_FOUR('L', 'I', 'M', 'T')
#define CTW_LIMIT_MOST  256

struct ctw_limit {
    ctw_base__handle h;
    ctw_params *params;
    size_t n, trials;
    double max_slowdown;
    double watts[CTW_LIMIT_MOST], seconds[CTW_LIMIT_MOST], drawn[CTW_LIMIT_MOST]; /* seconds 0: not tried */
};

#endif
