/**
 * @file limit.h
 * Finding the power limit of least energy for a running job with few trials:
 * run a while at the limit that next names, tell what it gave, and so on. Only a
 * limit that was tried and kept the time bound is ever recommended, so the bound
 * holds by construction.
 */
#ifndef CYBERTWIN_LIMIT_H
#define CYBERTWIN_LIMIT_H

#include <cybertwin/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One search. Options: kind "limit". Threads: one at a time. */
typedef struct ctw_limit ctw_limit;

/**
 * Over n (1..256) limits in watts, strictly ascending; time may grow to
 * max_slowdown (>= 1) times that at the highest. CTW_E_RANGE, CTW_E_ARG, CTW_E_NOMEM.
 */
CTW_API ctw_status ctw_limit_new(ctw_ctx *ctx, const ctw_params *params, const double *watts, uint64_t n,
                                 double max_slowdown, ctw_limit **out);
/** One more owner; returns l. */
CTW_API ctw_limit *ctw_limit_ref(ctw_limit *l);
/** One owner less; the last one frees it. */
CTW_API void ctw_limit_unref(ctw_limit *l);

/** Limit to try next, the highest first; `*done` is 1 and `*watts` the recommendation when enough was tried. */
CTW_API ctw_status ctw_limit_next(const ctw_limit *l, double *watts, int32_t *done);
/**
 * At limit `watts` (one of the list) a fixed piece of work took `seconds` and drew
 * `mean_watts`. Telling a limit again replaces what was told. CTW_E_KEY for a limit not in
 * the list, CTW_E_RANGE for figures <= 0.
 */
CTW_API ctw_status ctw_limit_tell(ctw_limit *l, double watts, double seconds, double mean_watts);
/** The tried limit of least energy within the time bound; CTW_E_STATE before the highest was tried. */
CTW_API ctw_status ctw_limit_best(const ctw_limit *l, double *watts, double *slowdown, double *energy_ratio);

/** Saves into memory; `*need` is always set; buf NULL with cap 0 only asks for the size; CTW_E_BUFFER when short. */
CTW_API ctw_status ctw_limit_save_mem(const ctw_limit *l, void *buf, uint64_t cap, uint64_t *need);
/** Loads what save_mem wrote: the search goes on where it was. CTW_E_FORMAT, CTW_E_KIND, CTW_E_VERSION for anything
 * else. */
CTW_API ctw_status ctw_limit_load_mem(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_limit **out);
/** Saves into a file: written beside it, flushed, renamed. CTW_E_IO. */
CTW_API ctw_status ctw_limit_save_file(const ctw_limit *l, const char *path);
/** Loads from a file. */
CTW_API ctw_status ctw_limit_load_file(ctw_ctx *ctx, const char *path, ctw_limit **out);

#ifdef __cplusplus
}
#endif
#endif
