/**
 * @file partition.h
 * Which model, or which part of one, goes on which accelerator, when all that
 * share an accelerator share its clock.
 *
 * Parts that react alike to the clock belong together: the clock of a group can
 * then be low without one part suffering for all, and a governor's table for the
 * group is true for each member. Also how many accelerators the load needs at
 * all: the others may sleep.
 */
#ifndef CYBERTWIN_PARTITION_H
#define CYBERTWIN_PARTITION_H

#include <cybertwin/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How parts are put together. */
enum {
    CTW_PARTITION_BALANCED =
        0, /**< largest load first onto the least loaded accelerator, whatever the reaction to the clock */
    CTW_PARTITION_ALIKE = 1 /**< in order of memory-boundness, groups of about equal load */
};

/**
 * Assigns n parts (1..100000) to `devices` accelerators of `device_gb` memory:
 * `load` is accelerator-seconds per second at the top clock (>= 0), `gigabyte`
 * the memory each needs (>= 0), `membound` in 0..1 (may be NULL when balanced).
 * `device` receives 0..devices-1. CTW_E_INFEASIBLE names the part that found no
 * room; `device` is then unspecified. O(n (log n + devices)).
 */
CTW_API ctw_status ctw_partition_place(ctw_ctx *ctx, const double *load, const double *gigabyte, const double *membound,
                                       uint64_t n, double device_gb, uint64_t devices, int32_t how, int64_t *device);
/**
 * Fewest accelerators (1..most) on which the parts fit and none is loaded above
 * `max_load` (0 < max_load <= 1); the rest may sleep. CTW_E_INFEASIBLE when `most`
 * are not enough. Same arguments as place, whose assignment for that number is in
 * `device`.
 */
CTW_API ctw_status ctw_partition_consolidate(ctw_ctx *ctx, const double *load, const double *gigabyte,
                                             const double *membound, uint64_t n, double device_gb, uint64_t most,
                                             double max_load, int32_t how, uint64_t *devices, int64_t *device);

#ifdef __cplusplus
}
#endif
#endif
