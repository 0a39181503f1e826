/* blas.h: the only door to BLAS. Column-major; sizes are checked by ctw_num__mat_new to fit BLAS's int. */
#ifndef CTW_NUM_BLAS_H
#define CTW_NUM_BLAS_H

#include "num/mat.h"

double ctw_num__dot(size_t n, const double *x, const double *y);
double ctw_num__nrm2(size_t n, const double *x);
void ctw_num__axpy(size_t n, double alpha, const double *x, double *y);
void ctw_num__scal(size_t n, double alpha, double *x);
/* y = alpha*op(A)*x + beta*y; trans 0 or 1. */
void ctw_num__gemv(int trans, double alpha, const ctw_num__mat *a, const double *x, double beta, double *y);
/* C = alpha*op(A)*op(B) + beta*C. */
void ctw_num__gemm(int ta, int tb, double alpha, const ctw_num__mat *a, const ctw_num__mat *b, double beta,
                   ctw_num__mat *c);
/* Lower triangle of C = alpha*A'*A + beta*C (trans 1) or alpha*A*A' + beta*C (trans 0). */
void ctw_num__syrk(int trans, double alpha, const ctw_num__mat *a, double beta, ctw_num__mat *c);
/* Lower triangle of A += alpha*x*x'. */
void ctw_num__syr(double alpha, const double *x, ctw_num__mat *a);
/* Single precision C = alpha*op(A)*op(B) + beta*C with raw leading dimensions, for kernel rows. */
void ctw_num__sgemm(int ta, int tb, size_t m, size_t n, size_t k, float alpha, const float *a, size_t lda,
                    const float *b, size_t ldb, float beta, float *c, size_t ldc);

/* Process-wide thread count through the BLAS in the process; CTW_E_UNSUPPORTED without such a call. */
ctw_status ctw_num__blas_threads(int n);
/* Its configuration text, "" if unknown. Static storage. */
const char *ctw_num__blas_config(void);

#endif
