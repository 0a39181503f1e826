/**
 * @file sensitivity.h
 * How a kernel's time will react to the clock, from counters at one clock only,
 * without trying other clocks.
 *
 * The starting point is a rule: where memory and core time join as
 * T^p = Tm^p + Tc^p, memory-boundness is (a/s)^p with a the share of the time that
 * memory is active (counter column 0) and s that of a memory which can do no more.
 * What known kernels of the same device deviated from it is averaged over kernels
 * with similar counters. p, s, the width of "similar", and whether to deviate from
 * p = s = 1 at all are chosen by leaving groups of kernels out.
 */
#ifndef CYBERTWIN_SENSITIVITY_H
#define CYBERTWIN_SENSITIVITY_H

#include <cybertwin/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What is known of one device's kernels. Threads: fit is exclusive, predict runs in parallel. */
typedef struct ctw_sensitivity ctw_sensitivity;

/** Nothing learned yet: predict then gives the plain rule with overlap 1. CTW_E_ARG, CTW_E_NOMEM. */
CTW_API ctw_status ctw_sensitivity_new(ctw_ctx *ctx, ctw_sensitivity **out);
/** One more owner; returns s. */
CTW_API ctw_sensitivity *ctw_sensitivity_ref(ctw_sensitivity *s);
/** One owner less; the last one frees it. */
CTW_API void ctw_sensitivity_unref(ctw_sensitivity *s);

/**
 * Learns from n kernels: `counters` n rows of d (1..16) fractions in 0..1 at the
 * top clock, column 0 the memory-active share; `clock` k clocks over the top one
 * (0..1], `slowdown` n rows of k, NaN where not measured; `group` tells kernels
 * that belong together (one application), NULL: each its own; `weight` > 0, NULL: 1:
 * give synthetic kernels together about the weight of the real ones together.
 * Rows adjacent. At most 4096 kernels. O(n^2). On failure nothing is learned.
 */
CTW_API ctw_status ctw_sensitivity_fit(ctw_sensitivity *s, const double *counters, uint64_t n, uint64_t d,
                                       const double *clock, const double *slowdown, uint64_t k, const int64_t *group,
                                       const double *weight, ctw_cancel *cancel);
/**
 * Memory-boundness of n kernels from their counters (n rows of d), and the overlap
 * exponent of the device (may be NULL): slowdown(x) = (m + (1-m) x^-p)^(1/p).
 */
CTW_API ctw_status ctw_sensitivity_predict(const ctw_sensitivity *s, const double *counters, uint64_t n, uint64_t d,
                                           double *membound, double *overlap);

#ifdef __cplusplus
}
#endif
#endif
