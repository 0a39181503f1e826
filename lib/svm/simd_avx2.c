/* simd_avx2.c: the loops of simd.h four doubles at a time. Remainders of n mod 4 go to the plain versions'
 * arithmetic through a padded block, so that every element is computed the same way. */
#include "svm/simd_avx2.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#define V4  __attribute__((target("avx2,fma")))
#define TAU 1e-12

const double ctw_svm__exp_taylor[CTW_SVM_EXP_TERMS] = {
    1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720,
    1.0 / 120,       1.0 / 24,       1.0 / 6,       1.0 / 2,      1.0,         1.0};

/* exp(x) for x <= 0: x = k ln 2 + r, |r| <= ln(2)/2, Taylor to r^12 (relative error < 3e-16), then 2^k through the
 * exponent bits. Below -708 the result is 0. */
V4 static inline __m256d exp4(__m256d x)
{
    const __m256d lowest = _mm256_set1_pd(-708.0);
    __m256d live = _mm256_cmp_pd(x, lowest, _CMP_GE_OQ);
    x = _mm256_max_pd(x, lowest);
    __m256d k = _mm256_round_pd(_mm256_mul_pd(x, _mm256_set1_pd(1.4426950408889634074)),
                                _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m256d r = _mm256_fnmadd_pd(k, _mm256_set1_pd(6.93147180369123816490e-01), x);
    r = _mm256_fnmadd_pd(k, _mm256_set1_pd(1.90821492927058770002e-10), r);
    __m256d p = _mm256_set1_pd(ctw_svm__exp_taylor[0]);
    for (int i = 1; i < CTW_SVM_EXP_TERMS; i++) p = _mm256_fmadd_pd(p, r, _mm256_set1_pd(ctw_svm__exp_taylor[i]));
    /* k + 2^52 * 1.5 leaves k in the low bits of the mantissa */
    __m256i bits = _mm256_castpd_si256(_mm256_add_pd(k, _mm256_set1_pd(6755399441055744.0)));
    p = _mm256_castsi256_pd(_mm256_add_epi64(_mm256_castpd_si256(p), _mm256_slli_epi64(bits, 52)));
    return _mm256_and_pd(p, live);
}

V4 static inline __m256d rbf4(const double *dot, const double *norm, __m256d ni, __m256d minus_gamma)
{
    __m256d d2 = _mm256_fnmadd_pd(_mm256_set1_pd(2.0), _mm256_loadu_pd(dot), _mm256_add_pd(ni, _mm256_loadu_pd(norm)));
    return exp4(_mm256_mul_pd(minus_gamma, _mm256_max_pd(d2, _mm256_setzero_pd())));
}

V4 static inline __m256d rbf_tail(const double *dot, const double *norm, __m256d ni, __m256d mg, size_t left)
{
    double a[4] = {0}, b[4] = {0};
    memcpy(a, dot, left * sizeof *a);
    memcpy(b, norm, left * sizeof *b);
    return rbf4(a, b, ni, mg);
}

V4 static void rbf_f32(float *out, const double *dot, const double *norm, double ni, double gamma, size_t n)
{
    __m256d vi = _mm256_set1_pd(ni), mg = _mm256_set1_pd(-gamma);
    size_t k = 0;
    for (; k + 4 <= n; k += 4) _mm_storeu_ps(out + k, _mm256_cvtpd_ps(rbf4(dot + k, norm + k, vi, mg)));
    if (k == n) return;
    float t[4];
    _mm_storeu_ps(t, _mm256_cvtpd_ps(rbf_tail(dot + k, norm + k, vi, mg, n - k)));
    memcpy(out + k, t, (n - k) * sizeof *t);
}

V4 static void rbf_f64(double *out, const double *dot, const double *norm, double ni, double gamma, size_t n)
{
    __m256d vi = _mm256_set1_pd(ni), mg = _mm256_set1_pd(-gamma);
    size_t k = 0;
    for (; k + 4 <= n; k += 4) _mm256_storeu_pd(out + k, rbf4(dot + k, norm + k, vi, mg));
    if (k == n) return;
    double t[4];
    _mm256_storeu_pd(t, rbf_tail(dot + k, norm + k, vi, mg, n - k));
    memcpy(out + k, t, (n - k) * sizeof *t);
}

/* Four flag bytes as the sign bits of four lanes: UP by a shift of 63, LOW by one of 62. */
V4 static inline __m256i flags4(const uint8_t *flags)
{
    int32_t four;
    memcpy(&four, flags, sizeof four);
    return _mm256_cvtepu8_epi64(_mm_cvtsi32_si128(four));
}

V4 static inline __m256d is_up(__m256i w)
{
    return _mm256_castsi256_pd(_mm256_slli_epi64(w, 63));
}

V4 static inline __m256d is_low(__m256i w)
{
    return _mm256_castsi256_pd(_mm256_slli_epi64(w, 62));
}

/* The best of four lanes, the latest place among equals. */
static void best_lane(const double *v, const int64_t *at, double *best, int64_t *where)
{
    for (int i = 0; i < 4; i++)
        if (at[i] >= 0 && (v[i] > *best || (v[i] == *best && at[i] > *where))) {
            *best = v[i];
            *where = at[i];
        }
}

/* Four values of a kernel row from k on. `wide` is a constant wherever this is expanded. */
V4 static inline __m256d row4(const void *row, size_t k, int wide)
{
    return wide ? _mm256_loadu_pd((const double *)row + k) : _mm256_cvtps_pd(_mm_loadu_ps((const float *)row + k));
}

V4 static inline ctw_svm__extremes update(double *f, const void *ki, const void *kj, double di, double dj,
                                          const uint8_t *flags, size_t n, int wide)
{
    const __m256d minus = _mm256_set1_pd(-INFINITY), plus = _mm256_set1_pd(INFINITY);
    __m256d vi = _mm256_set1_pd(di), vj = _mm256_set1_pd(dj), top = minus, low = plus;
    __m256i at = _mm256_set1_epi64x(-1), here = _mm256_set_epi64x(3, 2, 1, 0);
    size_t k = 0;
    for (; k + 4 <= n; k += 4) {
        __m256d v = _mm256_loadu_pd(f + k);
        v = _mm256_fnmadd_pd(vi, row4(ki, k, wide), v);
        v = _mm256_fnmadd_pd(vj, row4(kj, k, wide), v);
        _mm256_storeu_pd(f + k, v);
        __m256i w = flags4(flags + k);
        __m256d up = _mm256_blendv_pd(minus, v, is_up(w));
        __m256d ge = _mm256_and_pd(_mm256_cmp_pd(up, top, _CMP_GE_OQ), _mm256_cmp_pd(up, minus, _CMP_GT_OQ));
        top = _mm256_max_pd(top, up);
        at = _mm256_blendv_epi8(at, here, _mm256_castpd_si256(ge));
        here = _mm256_add_epi64(here, _mm256_set1_epi64x(4));
        low = _mm256_min_pd(low, _mm256_blendv_pd(plus, v, is_low(w)));
    }
    double t[4], l[4], best = -INFINITY, least = INFINITY;
    int64_t a[4], where = -1;
    _mm256_storeu_pd(t, top);
    _mm256_storeu_pd(l, low);
    _mm256_storeu_si256((__m256i *)(void *)a, at);
    best_lane(t, a, &best, &where);
    for (int i = 0; i < 4; i++) least = l[i] < least ? l[i] : least;
    for (; k < n; k++) {
        f[k] = fma(-dj, ctw_svm__row_at(kj, k, wide), fma(-di, ctw_svm__row_at(ki, k, wide), f[k]));
        if ((flags[k] & CTW_SVM_UP) && f[k] >= best) {
            best = f[k];
            where = (int64_t)k;
        }
        if ((flags[k] & CTW_SVM_LOW) && f[k] < least) least = f[k];
    }
    return (ctw_svm__extremes){best, least, where < 0 ? n : (size_t)where};
}

V4 static ctw_svm__extremes update_f32(double *f, const void *ki, const void *kj, double di, double dj,
                                       const uint8_t *flags, size_t n)
{
    return update(f, ki, kj, di, dj, flags, n, 0);
}

V4 static ctw_svm__extremes update_f64(double *f, const void *ki, const void *kj, double di, double dj,
                                       const uint8_t *flags, size_t n)
{
    return update(f, ki, kj, di, dj, flags, n, 1);
}

V4 static inline size_t second(const double *f, const void *ki, const double *q, double fi, double qi,
                               const uint8_t *flags, size_t n, int wide)
{
    const __m256d plus = _mm256_set1_pd(INFINITY), zero = _mm256_setzero_pd(), tau = _mm256_set1_pd(TAU);
    __m256d vf = _mm256_set1_pd(fi), vq = _mm256_set1_pd(qi), top = zero, two = _mm256_set1_pd(2.0);
    __m256i at = _mm256_set1_epi64x(-1), here = _mm256_set_epi64x(3, 2, 1, 0);
    size_t k = 0;
    for (; k + 4 <= n; k += 4) {
        __m256d v = _mm256_blendv_pd(plus, _mm256_loadu_pd(f + k), is_low(flags4(flags + k)));
        __m256d d = _mm256_sub_pd(vf, v);
        __m256d a = _mm256_fnmadd_pd(two, row4(ki, k, wide), _mm256_add_pd(vq, _mm256_loadu_pd(q + k)));
        a = _mm256_blendv_pd(tau, a, _mm256_cmp_pd(a, zero, _CMP_GT_OQ));
        __m256d ok = _mm256_cmp_pd(d, zero, _CMP_GT_OQ);
        __m256d gain = _mm256_div_pd(_mm256_mul_pd(d, d), a);
        __m256d ge = _mm256_and_pd(ok, _mm256_cmp_pd(gain, top, _CMP_GE_OQ));
        top = _mm256_blendv_pd(top, gain, ge);
        at = _mm256_blendv_epi8(at, here, _mm256_castpd_si256(ge));
        here = _mm256_add_epi64(here, _mm256_set1_epi64x(4));
    }
    double t[4], best = 0;
    int64_t a4[4], where = -1;
    _mm256_storeu_pd(t, top);
    _mm256_storeu_si256((__m256i *)(void *)a4, at);
    best_lane(t, a4, &best, &where);
    for (; k < n; k++) {
        double d = fi - f[k], a = fma(-2.0, ctw_svm__row_at(ki, k, wide), qi + q[k]);
        if (!(flags[k] & CTW_SVM_LOW) || d <= 0) continue;
        double gain = d * d / (a > 0 ? a : TAU);
        if (gain < best) continue;
        best = gain;
        where = (int64_t)k;
    }
    return where < 0 ? n : (size_t)where;
}

V4 static size_t second_f32(const double *f, const void *ki, const double *q, double fi, double qi,
                            const uint8_t *flags, size_t n)
{
    return second(f, ki, q, fi, qi, flags, n, 0);
}

V4 static size_t second_f64(const double *f, const void *ki, const double *q, double fi, double qi,
                            const uint8_t *flags, size_t n)
{
    return second(f, ki, q, fi, qi, flags, n, 1);
}

V4 static void subtract(double *acc, const double *row, double c, size_t n)
{
    __m256d v = _mm256_set1_pd(c);
    size_t k = 0;
    for (; k + 4 <= n; k += 4)
        _mm256_storeu_pd(acc + k, _mm256_fnmadd_pd(v, _mm256_loadu_pd(row + k), _mm256_loadu_pd(acc + k)));
    for (; k < n; k++) acc[k] = fma(-c, row[k], acc[k]);
}

/* acc[k] += sum over four columns; the accumulator is loaded once for the four. */
V4 static void four(double *acc, const double *const *c, const double *v, size_t n)
{
    __m256d a = _mm256_set1_pd(v[0]), b = _mm256_set1_pd(v[1]), d = _mm256_set1_pd(v[2]), e = _mm256_set1_pd(v[3]);
    size_t k = 0;
    for (; k + 4 <= n; k += 4) {
        __m256d s = _mm256_loadu_pd(acc + k);
        s = _mm256_fmadd_pd(a, _mm256_loadu_pd(c[0] + k), s);
        s = _mm256_fmadd_pd(b, _mm256_loadu_pd(c[1] + k), s);
        s = _mm256_fmadd_pd(d, _mm256_loadu_pd(c[2] + k), s);
        s = _mm256_fmadd_pd(e, _mm256_loadu_pd(c[3] + k), s);
        _mm256_storeu_pd(acc + k, s);
    }
    for (; k < n; k++) acc[k] = fma(v[3], c[3][k], fma(v[2], c[2][k], fma(v[1], c[1][k], fma(v[0], c[0][k], acc[k]))));
}

static const ctw_svm__loops avx2 = {rbf_f32,  rbf_f64, {update_f32, update_f64}, {second_f32, second_f64},
                                    subtract, four};

int ctw_svm__loops_avx2(ctw_svm__loops *out)
{
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return 0;
    *out = avx2;
    ctw_svm__loops_avx512(out);
    return 1;
}

#else

int ctw_svm__loops_avx2(ctw_svm__loops *out)
{
    (void)out;
    return 0;
}

#endif
