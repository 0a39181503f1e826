/* plan.h: the operating points that a governor or a pool chooses among, from a table or from a device model. */
#ifndef CTW_POWER_PLAN_H
#define CTW_POWER_PLAN_H

#include "power/governor_core.h"
#include <cybertwin/power.h>

/* n points as ctw_governor_set_table describes them; the top one is the last, changes cost nothing. */
ctw_status ctw_power__plan_set(ctw_power__plan *plan, const double *mhz, const double *slowdown, const double *watts,
                               const double *idle_watts, uint64_t n, const char *fn);
/* The candidate points of a device model for work of this memory-boundness. */
ctw_status ctw_power__plan_of(ctw_power__plan *plan, const ctw_power *device, double membound, const char *fn);

#endif
