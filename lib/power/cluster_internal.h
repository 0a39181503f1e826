/* cluster_internal.h: the handle of a cluster: its options and the state that steps in time. */
#ifndef CTW_POWER_CLUSTER_INTERNAL_H
#define CTW_POWER_CLUSTER_INTERNAL_H

#include "base/handle.h"
#include "power/cluster_core.h"

#define CTW_CLUSTER_MAGIC CTW_FOUR('C', 'L', 'U', 'S')

struct ctw_cluster {
    ctw_base__handle h;
    ctw_params *params;
    ctw_cluster__state s;
    int32_t resumed; /* loaded, and not updated since: the next update sets the clock */
};

#endif
