/**
 * @file features.h
 * From an observation (a few reals) to the features a linear agent learns on.
 */
#ifndef CYBERTWIN_FEATURES_H
#define CYBERTWIN_FEATURES_H

#include <cybertwin/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A map from `dims` reals to a sparse vector of features. Options (kind "features"): "form" chooses the map,
 * "dims" the length of an observation, and each form its size:
 * - "tiles": "tilings" overlapping grids, each shifted by the odd vector (1, 3, 5, ...) (Sutton and Barto 2018,
 *   section 9.5.4); exactly one feature of value 1 in each; every cell has a weight of its own;
 * - "hashed": the same grids, cells shared by a hash into "size" weights, for many dimensions;
 * - "cross": a one-hot cell over the whole grid (one tiling), after a one-hot of each dimension alone;
 * - "fourier": cos(pi c.u) for all integer c with entries 0.."order" (Konidaris et al. 2011), u scaled to [0, 1];
 * - "rbf": a 1 and Gaussians on a grid of "bins" centres a dimension; their width is the grid's step times "width";
 * - "poly": all monomials of u up to total degree "order";
 * - "raw": a 1 and the scaled values themselves.
 *
 * "ranked" r > 0: the first r values (say the pressure on each of r resources) are put in decreasing order first, and
 * the next rank_blocks - 1 blocks of r values (their limits, ...) in the same order: what is learnt for the resource
 * under most pressure then holds whichever that is. ctw_features_order tells which resource has which rank.
 *
 * Threads: set_ranges needs the handle alone; everything else is const and may run in parallel.
 */
typedef struct ctw_features ctw_features;

/** New map without ranges. CTW_E_RANGE when the options ask for more than 2^26 features. */
CTW_API ctw_status ctw_features_new(ctw_ctx *ctx, const ctw_params *params, ctw_features **out);
/** One more owner; returns f. */
CTW_API ctw_features *ctw_features_ref(ctw_features *f);
/** One owner less; the last one frees it. */
CTW_API void ctw_features_unref(ctw_features *f);

/**
 * The interval of each dimension and, for the forms on a grid, its number of cells (NULL: option "bins").
 * Values outside are taken at the border. lo, hi, bins: `dims` values each, lo < hi, 1 <= bins <= 4096.
 * May be called once. CTW_E_ARG, CTW_E_SHAPE (dims differs from the option), CTW_E_RANGE, CTW_E_NONFINITE,
 * CTW_E_STATE (ranges are set already), CTW_E_NOMEM.
 */
CTW_API ctw_status ctw_features_set_ranges(ctw_features *f, const double *lo, const double *hi, const int64_t *bins,
                                           uint64_t dims);
/** Length of the whole feature vector, and the largest number of features that are not zero at once. CTW_E_STATE
 * before set_ranges. Either out pointer may be NULL. */
CTW_API ctw_status ctw_features_count(const ctw_features *f, uint64_t *out_features, uint64_t *out_active);
/**
 * The features of one observation as (index, value) pairs; *out_n is their number. CTW_E_BUFFER (with *out_n set)
 * when cap is less than what ctw_features_count calls active. O(active * dims).
 */
CTW_API ctw_status ctw_features_encode(const ctw_features *f, const double *x, uint64_t dims, int64_t *out_index,
                                       double *out_value, uint64_t cap, uint64_t *out_n);
/**
 * Which resource has which rank: out_order[k] is the place, among the first `ranked` values of x, of the one of rank k
 * (0: the largest; the first of equals first). An agent's "raise rank 0" becomes an act on a resource by it.
 * CTW_E_BUFFER (cap below option ranked), CTW_E_SHAPE, CTW_E_RANGE, CTW_E_NONFINITE, CTW_E_STATE. O(ranked^2).
 */
CTW_API ctw_status ctw_features_order(const ctw_features *f, const double *x, uint64_t dims, int64_t *out_order,
                                      uint64_t cap);

#ifdef __cplusplus
}
#endif
#endif
