/* simd.h: the loops in which kernel machines spend their time, as one table of functions: written for AVX2 where
 * the processor has it, in plain C elsewhere. The choice depends on the processor alone. */
#ifndef CTW_SVM_SIMD_H
#define CTW_SVM_SIMD_H

#include <stddef.h>
#include <stdint.h>

/* Value k of a kernel row; `wide` is 1 for double precision. */
static inline double ctw_svm__row_at(const void *row, size_t k, int wide)
{
    return wide ? ((const double *)row)[k] : (double)((const float *)row)[k];
}

/* Flags of a variable in the working-set selection. */
enum { CTW_SVM_UP = 1, CTW_SVM_LOW = 2 };

/* What an update pass saw: the largest f among UP (the last such place, n when none) and the smallest among LOW. */
typedef struct ctw_svm__extremes {
    double max_up, min_low;
    size_t at;
} ctw_svm__extremes;

typedef struct ctw_svm__loops {
    /* out[k] = exp(-gamma * max(0, ni + norm[k] - 2 dot[k])), to single or double precision. */
    void (*rbf_f32)(float *out, const double *dot, const double *norm, double ni, double gamma, size_t n);
    void (*rbf_f64)(double *out, const double *dot, const double *norm, double ni, double gamma, size_t n);
    /* Two of each below: for kernel rows in single precision, and (1) in double. */
    /* f[k] -= di ki[k] + dj kj[k], and the extremes of the new f. */
    ctw_svm__extremes (*update[2])(double *f, const void *ki, const void *kj, double di, double dj,
                                   const uint8_t *flags, size_t n);
    /* Second-order choice of j (Fan, Chen & Lin 2005): the last k in LOW with f[k] < fi that maximises
     * (fi - f[k])^2 / (qi + q[k] - 2 ki[k]); n when there is none. */
    size_t (*second[2])(const double *f, const void *ki, const double *q, double fi, double qi, const uint8_t *flags,
                        size_t n);
    /* acc[k] -= c row[k]. */
    void (*subtract)(double *acc, const double *row, double c, size_t n);
    /* acc[k] += v[0] c[0][k] + ... + v[3] c[3][k]. */
    void (*four)(double *acc, const double *const *c, const double *v, size_t n);
} ctw_svm__loops;

ctw_svm__loops ctw_svm__loops_pick(void);
/* The plain ones, for comparison in tests. */
ctw_svm__loops ctw_svm__loops_plain(void);

#endif
