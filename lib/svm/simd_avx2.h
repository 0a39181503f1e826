/* simd_avx2.h: the vector versions of the loops. */
#ifndef CTW_SVM_SIMD_AVX2_H
#define CTW_SVM_SIMD_AVX2_H

#include "svm/simd.h"

/* Coefficients of exp's Taylor polynomial, highest power first. */
#define CTW_SVM_EXP_TERMS 13
extern const double ctw_svm__exp_taylor[CTW_SVM_EXP_TERMS];

/* Fills the table; 0 where the processor or the compiler has no AVX2 and FMA. */
int ctw_svm__loops_avx2(ctw_svm__loops *out);
/* Replaces the kernel loops where the processor has AVX-512. */
void ctw_svm__loops_avx512(ctw_svm__loops *out);

#endif
