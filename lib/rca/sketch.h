/* sketch.h: how values are spread, in bounded memory: a histogram with bins of constant ratio (Masson, Rim & Lee,
 * "DDSketch", PVLDB 12, 2019). A quantile is within `error` of the true one, relative to it; two sketches of one error
 * merge by adding counts, so the order of values and of merges leaves no trace. */
#ifndef CTW_RCA_SKETCH_H
#define CTW_RCA_SKETCH_H

#include <cybertwin/base.h>
#include <stddef.h>

/* What all sketches of one window share. */
typedef struct ctw_rca__scale {
    double error;     /* relative, of a quantile */
    double log_gamma; /* log of the bins' ratio (1 + error) / (1 - error) */
    size_t max_bins;  /* of one sketch; beyond that the lowest ones are thrown together */
} ctw_rca__scale;

typedef struct ctw_rca__sketch {
    uint32_t *bin; /* counts of bins lo .. lo + bins - 1 */
    int32_t lo;
    uint32_t bins, cap;
} ctw_rca__sketch;

ctw_rca__scale ctw_rca__scale_of(double error, size_t max_bins);
/* Bin of a value: 0 below 1 (which then counts as 0), else 1 + floor(log v / log gamma). */
int32_t ctw_rca__bin_of(const ctw_rca__scale *s, double v);
/* The value that stands for a bin. */
double ctw_rca__bin_value(const ctw_rca__scale *s, int32_t bin);
/* Room for values in bins lo .. hi, so that adding them cannot fail. CTW_E_NOMEM changes nothing. */
ctw_status ctw_rca__sketch_room(ctw_ctx *ctx, const ctw_rca__scale *s, ctw_rca__sketch *k, int32_t lo, int32_t hi);
/* One more value in a bin there is room for (the lowest one takes what lies below). */
void ctw_rca__sketch_add(ctw_rca__sketch *k, int32_t bin, uint32_t count);
/* Adds another sketch's counts; takes its own room. CTW_E_NOMEM changes nothing. */
ctw_status ctw_rca__sketch_merge(ctw_ctx *ctx, const ctw_rca__scale *s, ctw_rca__sketch *k,
                                 const ctw_rca__sketch *other);
uint64_t ctw_rca__sketch_count(const ctw_rca__sketch *k);
/* Quantile with linear interpolation between neighbours; 0 when empty. */
double ctw_rca__sketch_quantile(const ctw_rca__scale *s, const ctw_rca__sketch *k, double q);
/* Forgets the values, keeps the memory. */
void ctw_rca__sketch_clear(ctw_rca__sketch *k);
void ctw_rca__sketch_free(ctw_ctx *ctx, ctw_rca__sketch *k);

#endif
