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

/* One pair of clocks; `idle` 0 when not known. */
typedef struct ctw_power__pair {
    double mhz, mem, slow, watts, idle;
} ctw_power__pair;

/* Adds a pair to a plan that began with n 0: in order from slow to fast, without any that another one beats; of more
 * than CTW_GOVERNOR_POINTS the closest neighbours are thinned. */
void ctw_power__plan_add(ctw_power__plan *plan, const ctw_power__pair *pair);

#endif
