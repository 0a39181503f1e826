/* features_encode.c: one observation into its active features: the code every decision runs. */
#include "agent/features_internal.h"
#include <math.h>

/* Scaled to [0, 1], the border beyond. */
static double scaled(const ctw_features *f, const double *x, size_t d)
{
    double u = (x[d] - f->lo[d]) * f->to_fine[d];
    return u < 0.0 ? 0.0 : u > 1.0 ? 1.0 : u;
}

static void tiles(const ctw_features *f, const double *x, uint32_t *idx)
{
    if (f->tilings == 8)
        ctw_features__grid(f, x, idx, 8);
    else if (f->tilings == 16)
        ctw_features__grid(f, x, idx, 16);
    else
        ctw_features__grid(f, x, idx, f->tilings);
}

/* The sums of the cells' random numbers, mixed once more and scaled into the table. */
static void hashed(const ctw_features *f, const double *x, uint32_t *idx)
{
    tiles(f, x, idx);
    for (size_t t = 0; t < f->tilings; t++) {
        uint32_t h = idx[t];
        h = (h ^ (h >> 16)) * 0x7feb352du;
        h = (h ^ (h >> 15)) * 0x846ca68bu;
        h ^= h >> 16;
        idx[t] = (uint32_t)(((uint64_t)h * f->size) >> 32);
    }
}

static void cross(const ctw_features *f, const double *x, uint32_t *idx)
{
    size_t at = f->count;
    for (size_t d = f->dims; d-- > 0;) {
        at -= (size_t)f->bins[d];
        idx[1 + d] = (uint32_t)(at + ctw_features__fine(f, x, d));
    }
    ctw_features__grid(f, x, idx, 1);
}

static double power(double u, double e)
{
    double p = 1.0;
    for (; e > 0.5; e -= 1.0) p *= u;
    return p;
}

/* One term of the dense forms. */
static double term(const ctw_features *f, const double *x, const double *u, size_t k)
{
    const double *c = f->coef + k * f->dims;
    double s = 0.0, p = 1.0;
    if (f->form == CTW_FEATURES_FOURIER) {
        for (size_t d = 0; d < f->dims; d++) s += c[d] * u[d];
        return cos(3.14159265358979323846 * s);
    }
    if (f->form == CTW_FEATURES_POLY) {
        for (size_t d = 0; d < f->dims; d++) p *= power(u[d], c[d]);
        return p;
    }
    for (size_t d = 0; d < f->dims; d++) {
        double z = (x[d] - c[d]) * f->to_fine[d];
        s += z * z;
    }
    return exp(-0.5 * s);
}

static size_t dense(const ctw_features *f, const double *x, uint32_t *idx, double *val)
{
    double u[64];
    size_t n = 0;
    for (size_t d = 0; d < f->dims; d++) u[d] = scaled(f, x, d);
    if (f->form == CTW_FEATURES_RAW || f->form == CTW_FEATURES_RBF) {
        idx[n] = 0;
        val[n++] = 1.0;
    }
    if (f->form == CTW_FEATURES_RAW)
        for (size_t d = 0; d < f->dims; d++) {
            idx[n] = (uint32_t)n;
            val[n++] = (x[d] - f->lo[d]) * f->to_fine[d];
        }
    for (size_t k = 0; k < f->terms; k++) {
        idx[n] = (uint32_t)n;
        val[n++] = term(f, x, u, k);
    }
    return n;
}

void ctw_features__order(const ctw_features *f, const double *x, uint32_t *order)
{
    for (size_t k = 0; k < f->ranked; k++) {
        size_t at = k;
        for (; at > 0 && x[order[at - 1]] < x[k]; at--) order[at] = order[at - 1];
        order[at] = (uint32_t)k;
    }
}

/* The observation by ranks instead of names. */
static void rank(const ctw_features *f, const double *x, double *y)
{
    uint32_t order[64];
    ctw_features__order(f, x, order);
    for (size_t b = 0; b < f->rank_blocks; b++)
        for (size_t k = 0; k < f->ranked; k++) y[b * f->ranked + k] = x[b * f->ranked + order[k]];
    for (size_t d = f->rank_blocks * f->ranked; d < f->dims; d++) y[d] = x[d];
}

size_t ctw_features__encode(const ctw_features *f, const double *x, uint32_t *idx, double *val)
{
    double y[64];
    if (f->ranked > 0) {
        rank(f, x, y);
        x = y;
    }
    switch (f->form) {
    case CTW_FEATURES_TILES: tiles(f, x, idx); return f->tilings;
    case CTW_FEATURES_HASHED: hashed(f, x, idx); return f->tilings;
    case CTW_FEATURES_CROSS: cross(f, x, idx); return f->active;
    default: return dense(f, x, idx, val);
    }
}
