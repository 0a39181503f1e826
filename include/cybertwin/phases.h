/**
 * @file phases.h
 * Clocks for work that has phases: a language model reads its prompt (prefill,
 * bound by the core clock) and then writes its answer (decode, bound by memory);
 * a model cut into parts runs them one after the other. Each phase reacts to the
 * clock in its own way, so each gets its own point, and the bound on time is on
 * the whole.
 */
#ifndef CYBERTWIN_PHASES_H
#define CYBERTWIN_PHASES_H

#include <cybertwin/power.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Points of least energy for n (1..16) phases that follow one another: phase i is
 * work_s[i] seconds at the top point (> 0) on device[i], a model fitted to that
 * phase (or one model for all, with each phase's `membound`; NULL, or -1 in a row:
 * the measured workload). Together they may take max_slowdown times the time at
 * the top points; every point must draw at most cap_watts (INFINITY: no limit).
 * `mhz` (n entries), `joule` and `slowdown` of the whole may be NULL. Least energy
 * but for one step of one phase. CTW_E_INFEASIBLE with the fastest points within
 * the cap, or the lowest of a phase that is above the cap even there. CTW_E_STATE
 * for a device without clocks or busy power, CTW_E_NOMEM. Thread-safe for models
 * that nobody changes. O(points).
 */
CTW_API ctw_status ctw_phases_choose(ctw_ctx *ctx, const ctw_power *const *device, const double *membound,
                                     const double *work_s, uint64_t n, double max_slowdown, double cap_watts,
                                     double *mhz, double *joule, double *slowdown);

#ifdef __cplusplus
}
#endif
#endif
