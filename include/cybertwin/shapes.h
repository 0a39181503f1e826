/**
 * @file shapes.h
 * A memory of measured load curves, from which the curve of a new machine is
 * completed when only idle and full load, or a few levels more, were measured.
 *
 * Each curve is stored as g(u) = (P(u) - idle)/(peak - idle) on a fixed grid with
 * a few features of its machine. A query averages the nearest curves, nearness
 * being standardised distance in features, in the ratio idle/peak, and in g where
 * the new machine was measured; the average is then bent through those
 * measurements. The library ships no curves: the host adds its own or published ones.
 */
#ifndef CYBERTWIN_SHAPES_H
#define CYBERTWIN_SHAPES_H

#include <cybertwin/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The memory. Options: kind "shapes". Threads: add is exclusive; everything that
 * reads it (fits of models that use it) may run in parallel.
 */
typedef struct ctw_shapes ctw_shapes;

/** Empty memory. CTW_E_ARG, CTW_E_NOMEM. */
CTW_API ctw_status ctw_shapes_new(ctw_ctx *ctx, const ctw_params *params, ctw_shapes **out);
/** One more owner; returns s. */
CTW_API ctw_shapes *ctw_shapes_ref(ctw_shapes *s);
/** One owner less; the last one frees it. */
CTW_API void ctw_shapes_unref(ctw_shapes *s);

/**
 * Adds one machine: n >= 2 levels with `util` strictly ascending from 0 to at
 * least 0.98 (the last is taken as full load) and `watts` > 0, full above idle;
 * and d features (at most 32), any numbers that similar machines share, best
 * logarithms of sizes; the first call fixes d, and 0 is legal. A curve that falls
 * is made flat. CTW_E_SHAPE when d differs, CTW_E_RANGE for bad levels; on failure
 * nothing is added.
 */
CTW_API ctw_status ctw_shapes_add(ctw_shapes *s, const double *features, uint64_t d, const double *util,
                                  const double *watts, uint64_t n);
/** Number of machines; 0 for NULL. */
CTW_API uint64_t ctw_shapes_count(const ctw_shapes *s);

/** Saves into memory; `*need` is always set; buf NULL with cap 0 only asks for the size; CTW_E_BUFFER when short. */
CTW_API ctw_status ctw_shapes_save_mem(const ctw_shapes *s, void *buf, uint64_t cap, uint64_t *need);
/** Loads what save_mem wrote: curves are completed with the same bits. CTW_E_FORMAT, CTW_E_KIND, CTW_E_VERSION for
 * anything else. */
CTW_API ctw_status ctw_shapes_load_mem(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_shapes **out);
/** Saves into a file: written beside it, flushed, renamed. CTW_E_IO. */
CTW_API ctw_status ctw_shapes_save_file(const ctw_shapes *s, const char *path);
/** Loads from a file. */
CTW_API ctw_status ctw_shapes_load_file(ctw_ctx *ctx, const char *path, ctw_shapes **out);

#ifdef __cplusplus
}
#endif
#endif
