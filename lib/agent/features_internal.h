/* features_internal.h: a compiled feature map. The grid forms turn an observation into cell numbers by table: for each
 * dimension and each of its bins * tilings fine positions the row of `tilings` partial cell numbers, so that encoding
 * is one table row a dimension, added up. */
#ifndef CTW_FEATURES_INTERNAL_H
#define CTW_FEATURES_INTERNAL_H

#include "base/handle.h"
#include "io/container.h"
#include <cybertwin/features.h>

#define CTW_FEATURES_MAGIC CTW_FOUR('F', 'E', 'A', 'T')
#define CTW_FEATURES_MAX   ((size_t)1 << 26)

enum {
    CTW_FEATURES_TILES = 0,
    CTW_FEATURES_HASHED,
    CTW_FEATURES_CROSS,
    CTW_FEATURES_FOURIER,
    CTW_FEATURES_RBF,
    CTW_FEATURES_POLY,
    CTW_FEATURES_RAW
};

struct ctw_features {
    ctw_base__handle h;
    ctw_params *params;
    int form, ready;
    size_t dims, tilings, size, ranked, rank_blocks;
    int64_t order, bins_default;
    double width;
    double *lo, *hi, *to_fine; /* to_fine: fine positions (or 1) per unit */
    int64_t *bins;
    uint32_t **table; /* per dimension: fine position -> tilings partial numbers */
    uint32_t *fine;   /* fine positions of a dimension */
    double *coef;     /* fourier, poly: exponents; rbf: centres; rows of dims */
    size_t terms;
    size_t count, active;
    int unit; /* every value is 1 */
};

/* Loops over tilings or features, 8 of them mostly, are unrolled: at -O2 gcc keeps the counter. */
#ifdef __clang__
#define CTW_UNROLL _Pragma("clang loop unroll_count(8)")
#else
#define CTW_UNROLL _Pragma("GCC unroll 8")
#endif

/* Clamped as a real first: an observation far outside would not fit an integer. */
static inline __attribute__((always_inline)) size_t ctw_features__fine(const ctw_features *f, const double *x, size_t d)
{
    double u = (x[d] - f->lo[d]) * f->to_fine[d], top = (double)(int32_t)(f->fine[d] - 1);
    u = u > 0.0 ? u : 0.0;
    u = u < top ? u : top;
    return (size_t)(uint32_t)(int32_t)u;
}

/* idx[t] = sum over dimensions of the table's partial numbers. A constant `tilings` lets the compiler unroll. */
static inline __attribute__((always_inline)) void ctw_features__grid(const ctw_features *f, const double *x,
                                                                     uint32_t *restrict idx, size_t tilings)
{
    const uint32_t *row = f->table[0] + ctw_features__fine(f, x, 0) * tilings;
    CTW_UNROLL
    for (size_t t = 0; t < tilings; t++) idx[t] = row[t];
    for (size_t d = 1; d < f->dims; d++) {
        row = f->table[d] + ctw_features__fine(f, x, d) * tilings;
        CTW_UNROLL
        for (size_t t = 0; t < tilings; t++) idx[t] += row[t];
    }
}

/* order[k]: which of the first `ranked` values has rank k (decreasing; the first of equals first). */
void ctw_features__order(const ctw_features *f, const double *x, uint32_t *order);

/* One observation that was checked to be finite; idx, val hold f->active. val is left alone for unit maps. Returns
 * the number of active features. */
size_t ctw_features__encode(const ctw_features *f, const double *x, uint32_t *idx, double *val);

/* The map inside another handle's file: a section of its own, absent (f NULL) or there; *count: its features, or 0. */
#define CTW_FEATURES_TAG CTW_FOUR('F', 'E', 'A', 'T')
void ctw_features__save(const ctw_features *f, ctw_io__out *o);
ctw_status ctw_features__load(ctw_ctx *ctx, const ctw_io__in *in, const char *fn, ctw_features **out, uint64_t *count);

#endif
