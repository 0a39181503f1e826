/* simd_avx2.h: the vector versions of the loops. */
#ifndef CTW_SVM_SIMD_AVX2_H
#define CTW_SVM_SIMD_AVX2_H

#include "svm/simd.h"

/* NULL where the processor or the compiler has no AVX2 and FMA. */
const ctw_svm__loops *ctw_svm__loops_avx2(void);

#endif
