/* simd_avx512.c: the kernel loops of simd.h eight doubles at a time: the same steps in the same order as
 * simd_avx2.c, so the same bits; the other loops are limited by memory and stay with AVX2. */
#include "svm/simd_avx2.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

#define V8 __attribute__((target("avx512f,avx512vl,avx512dq,avx2,fma")))

V8 static inline __m512d exp8(__m512d x)
{
    const __m512d lowest = _mm512_set1_pd(-708.0);
    __mmask8 live = _mm512_cmp_pd_mask(x, lowest, _CMP_GE_OQ);
    x = _mm512_max_pd(x, lowest);
    __m512d k = _mm512_roundscale_pd(_mm512_mul_pd(x, _mm512_set1_pd(1.4426950408889634074)),
                                     _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m512d r = _mm512_fnmadd_pd(k, _mm512_set1_pd(6.93147180369123816490e-01), x);
    r = _mm512_fnmadd_pd(k, _mm512_set1_pd(1.90821492927058770002e-10), r);
    __m512d p = _mm512_set1_pd(ctw_svm__exp_taylor[0]);
    for (int i = 1; i < CTW_SVM_EXP_TERMS; i++) p = _mm512_fmadd_pd(p, r, _mm512_set1_pd(ctw_svm__exp_taylor[i]));
    return _mm512_maskz_scalef_pd(live, p, k);
}

V8 static inline __m512d rbf8(__m512d dot, __m512d norm, __m512d ni, __m512d minus_gamma)
{
    __m512d d2 = _mm512_fnmadd_pd(_mm512_set1_pd(2.0), dot, _mm512_add_pd(ni, norm));
    return exp8(_mm512_mul_pd(minus_gamma, _mm512_max_pd(d2, _mm512_setzero_pd())));
}

/* Lanes of the last, partial block. */
static inline __mmask8 last(size_t left)
{
    return (__mmask8)((1u << left) - 1u);
}

V8 static void rbf_f32(float *out, const double *dot, const double *norm, double ni, double gamma, size_t n)
{
    __m512d vi = _mm512_set1_pd(ni), mg = _mm512_set1_pd(-gamma);
    size_t k = 0;
    for (; k + 8 <= n; k += 8)
        _mm256_storeu_ps(out + k, _mm512_cvtpd_ps(rbf8(_mm512_loadu_pd(dot + k), _mm512_loadu_pd(norm + k), vi, mg)));
    if (k == n) return;
    __mmask8 m = last(n - k);
    __m512d v = rbf8(_mm512_maskz_loadu_pd(m, dot + k), _mm512_maskz_loadu_pd(m, norm + k), vi, mg);
    _mm256_mask_storeu_ps(out + k, m, _mm512_cvtpd_ps(v));
}

V8 static void rbf_f64(double *out, const double *dot, const double *norm, double ni, double gamma, size_t n)
{
    __m512d vi = _mm512_set1_pd(ni), mg = _mm512_set1_pd(-gamma);
    size_t k = 0;
    for (; k + 8 <= n; k += 8)
        _mm512_storeu_pd(out + k, rbf8(_mm512_loadu_pd(dot + k), _mm512_loadu_pd(norm + k), vi, mg));
    if (k == n) return;
    __mmask8 m = last(n - k);
    __m512d v = rbf8(_mm512_maskz_loadu_pd(m, dot + k), _mm512_maskz_loadu_pd(m, norm + k), vi, mg);
    _mm512_mask_storeu_pd(out + k, m, v);
}

void ctw_svm__loops_avx512(ctw_svm__loops *out)
{
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512dq") ||
        !__builtin_cpu_supports("avx512vl"))
        return;
    out->rbf_f32 = rbf_f32;
    out->rbf_f64 = rbf_f64;
}

#endif
