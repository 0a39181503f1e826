/* sketch.c: see sketch.h. */
#include "rca/sketch.h"
#include "base/alloc.h"
#include "base/error.h"
#include <math.h>
#include <string.h>

ctw_rca__scale ctw_rca__scale_of(double error, size_t max_bins)
{
    return (ctw_rca__scale){error, log((1 + error) / (1 - error)), max_bins};
}

int32_t ctw_rca__bin_of(const ctw_rca__scale *s, double v)
{
    return v < 1 ? 0 : 1 + (int32_t)(log(v) / s->log_gamma);
}

/* 2 gamma^k / (1 + gamma): at most `error` from both ends of [gamma^(k-1), gamma^k]. */
double ctw_rca__bin_value(const ctw_rca__scale *s, int32_t bin)
{
    return bin <= 0 ? 0 : exp(bin * s->log_gamma) * (1 - s->error);
}

/* The bins that hold lo .. hi as well: at most max_bins, the highest ones. */
static void range(const ctw_rca__scale *s, const ctw_rca__sketch *k, int32_t *lo, int32_t *hi)
{
    if (k->bins) {
        if (k->lo < *lo) *lo = k->lo;
        if (k->lo + (int32_t)k->bins - 1 > *hi) *hi = k->lo + (int32_t)k->bins - 1;
    }
    if (*hi - *lo >= (int32_t)s->max_bins) *lo = *hi - (int32_t)s->max_bins + 1;
}

ctw_status ctw_rca__sketch_room(ctw_ctx *ctx, const ctw_rca__scale *s, ctw_rca__sketch *k, int32_t lo, int32_t hi)
{
    range(s, k, &lo, &hi);
    uint32_t bins = (uint32_t)(hi - lo) + 1;
    if (k->bins && lo == k->lo && bins == k->bins) return CTW_OK;
    uint32_t cap = k->cap;
    uint32_t *to = k->bin;
    if (bins > cap) {
        cap = bins + bins / 4 + 8;
        if (cap > s->max_bins) cap = (uint32_t)s->max_bins;
        to = ctw_base__realloc(ctx, k->bin, cap, sizeof *to);
        if (!to) return CTW_E_NOMEM;
    }
    uint32_t below = 0;
    int32_t shift = k->bins ? k->lo - lo : 0; /* how far the old counts move up */
    uint32_t cut = shift < 0 ? (uint32_t)-shift : 0;
    for (uint32_t i = 0; i < cut && i < k->bins; i++) below += to[i];
    uint32_t kept = cut < k->bins ? k->bins - cut : 0, at = shift > 0 ? (uint32_t)shift : 0;
    memmove(to + at, to + cut, kept * sizeof *to);
    memset(to, 0, at * sizeof *to);
    memset(to + at + kept, 0, (bins - at - kept) * sizeof *to);
    to[0] += below;
    *k = (ctw_rca__sketch){to, lo, bins, cap};
    return CTW_OK;
}

void ctw_rca__sketch_add(ctw_rca__sketch *k, int32_t bin, uint32_t count)
{
    k->bin[bin > k->lo ? bin - k->lo : 0] += count;
}

ctw_status ctw_rca__sketch_merge(ctw_ctx *ctx, const ctw_rca__scale *s, ctw_rca__sketch *k,
                                 const ctw_rca__sketch *other)
{
    if (!other->bins) return CTW_OK;
    CTW_TRY(ctw_rca__sketch_room(ctx, s, k, other->lo, other->lo + (int32_t)other->bins - 1));
    uint32_t low = other->lo < k->lo ? (uint32_t)(k->lo - other->lo) : 0; /* these are thrown together */
    for (uint32_t i = 0; i < low && i < other->bins; i++) k->bin[0] += other->bin[i];
    uint32_t *to = k->bin + (low ? 0 : other->lo - k->lo);
    for (uint32_t i = low; i < other->bins; i++) to[i - low] += other->bin[i];
    return CTW_OK;
}

uint64_t ctw_rca__sketch_count(const ctw_rca__sketch *k)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < k->bins; i++) n += k->bin[i];
    return n;
}

/* Bin of the value of this rank, from 0. */
static int32_t bin_at(const ctw_rca__sketch *k, uint64_t rank)
{
    uint64_t seen = 0;
    uint32_t i = 0;
    while (i + 1 < k->bins && (seen += k->bin[i]) <= rank) i++;
    return k->lo + (int32_t)i;
}

double ctw_rca__sketch_quantile(const ctw_rca__scale *s, const ctw_rca__sketch *k, double q)
{
    uint64_t n = ctw_rca__sketch_count(k);
    if (!n) return 0;
    double at = q * (double)(n - 1), low_at = floor(at);
    uint64_t i = (uint64_t)low_at;
    double low = ctw_rca__bin_value(s, bin_at(k, i));
    if (i + 1 >= n || at == low_at) return low;
    double high = ctw_rca__bin_value(s, bin_at(k, i + 1));
    return low + (at - low_at) * (high - low);
}

void ctw_rca__sketch_clear(ctw_rca__sketch *k)
{
    k->bins = 0;
    k->lo = 0;
}

void ctw_rca__sketch_free(ctw_ctx *ctx, ctw_rca__sketch *k)
{
    ctw_base__free(ctx, k->bin);
    memset(k, 0, sizeof *k);
}
