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

/**
 * Standard error to expect of each predicted memory-boundness: how far known
 * kernels with similar counters were off, shrunk towards how far all were from the
 * rule. INFINITY while nothing was learned. Arguments and errors as there. O(n kernels).
 */
CTW_API ctw_status ctw_sensitivity_error(const ctw_sensitivity *s, const double *counters, uint64_t n, uint64_t d,
                                         double *error);
/** Saves into memory; `*need` is always set; buf NULL with cap 0 only asks for the size; CTW_E_BUFFER when short. */
CTW_API ctw_status ctw_sensitivity_save_mem(const ctw_sensitivity *s, void *buf, uint64_t cap, uint64_t *need);
/** Loads what save_mem wrote: predictions are bit-equal. CTW_E_FORMAT, CTW_E_KIND, CTW_E_VERSION for anything else. */
CTW_API ctw_status ctw_sensitivity_load_mem(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_sensitivity **out);
/** Saves into a file: written beside it, flushed, renamed. CTW_E_IO. */
CTW_API ctw_status ctw_sensitivity_save_file(const ctw_sensitivity *s, const char *path);
/** Loads from a file. */
CTW_API ctw_status ctw_sensitivity_load_file(ctw_ctx *ctx, const char *path, ctw_sensitivity **out);

#ifdef __cplusplus
}
#endif
#endif
