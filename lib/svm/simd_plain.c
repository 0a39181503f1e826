/* simd_plain.c: the loops of simd.h in plain C, and the choice between them and the vector versions. */
#include "svm/simd_avx2.h"
#include <math.h>

#define TAU 1e-12 /* curvature where the kernel is not positive definite */

static void rbf_f32(float *out, const double *dot, const double *norm, double ni, double gamma, size_t n)
{
    for (size_t k = 0; k < n; k++) out[k] = (float)exp(-gamma * fmax(0.0, ni + norm[k] - 2 * dot[k]));
}

static void rbf_f64(double *out, const double *dot, const double *norm, double ni, double gamma, size_t n)
{
    for (size_t k = 0; k < n; k++) out[k] = exp(-gamma * fmax(0.0, ni + norm[k] - 2 * dot[k]));
}

static inline ctw_svm__extremes update(double *f, const void *ki, const void *kj, double di, double dj,
                                       const uint8_t *flags, size_t n, int wide)
{
    ctw_svm__extremes e = {-INFINITY, INFINITY, n};
    for (size_t k = 0; k < n; k++) {
        f[k] -= di * ctw_svm__row_at(ki, k, wide) + dj * ctw_svm__row_at(kj, k, wide);
        if ((flags[k] & CTW_SVM_UP) && f[k] >= e.max_up) {
            e.max_up = f[k];
            e.at = k;
        }
        if ((flags[k] & CTW_SVM_LOW) && f[k] < e.min_low) e.min_low = f[k];
    }
    return e;
}

static ctw_svm__extremes update_f32(double *f, const void *ki, const void *kj, double di, double dj,
                                    const uint8_t *flags, size_t n)
{
    return update(f, ki, kj, di, dj, flags, n, 0);
}

static ctw_svm__extremes update_f64(double *f, const void *ki, const void *kj, double di, double dj,
                                    const uint8_t *flags, size_t n)
{
    return update(f, ki, kj, di, dj, flags, n, 1);
}

static inline size_t second(const double *f, const void *ki, const double *q, double fi, double qi,
                            const uint8_t *flags, size_t n, int wide)
{
    size_t at = n;
    double best = 0;
    for (size_t k = 0; k < n; k++) {
        double d = fi - f[k], a = qi + q[k] - 2 * ctw_svm__row_at(ki, k, wide);
        if (!(flags[k] & CTW_SVM_LOW) || d <= 0) continue;
        double gain = d * d / (a > 0 ? a : TAU);
        if (gain >= best) {
            best = gain;
            at = k;
        }
    }
    return at;
}

static size_t second_f32(const double *f, const void *ki, const double *q, double fi, double qi, const uint8_t *flags,
                         size_t n)
{
    return second(f, ki, q, fi, qi, flags, n, 0);
}

static size_t second_f64(const double *f, const void *ki, const double *q, double fi, double qi, const uint8_t *flags,
                         size_t n)
{
    return second(f, ki, q, fi, qi, flags, n, 1);
}

static void subtract(double *acc, const double *row, double c, size_t n)
{
    for (size_t k = 0; k < n; k++) acc[k] -= c * row[k];
}

static void four(double *acc, const double *const *c, const double *v, size_t n)
{
    for (size_t k = 0; k < n; k++) acc[k] += v[0] * c[0][k] + v[1] * c[1][k] + v[2] * c[2][k] + v[3] * c[3][k];
}

ctw_svm__loops ctw_svm__loops_plain(void)
{
    return (ctw_svm__loops){rbf_f32, rbf_f64, {update_f32, update_f64}, {second_f32, second_f64}, subtract, four};
}

ctw_svm__loops ctw_svm__loops_pick(void)
{
    ctw_svm__loops l;
    return ctw_svm__loops_avx2(&l) ? l : ctw_svm__loops_plain();
}
