/* blas.c: the only file that names CBLAS. */
#include "num/blas.h"
#include "base/error.h"
#include <cblas.h>

double ctw_num__dot(size_t n, const double *x, const double *y)
{
    return cblas_ddot((int)n, x, 1, y, 1);
}

double ctw_num__nrm2(size_t n, const double *x)
{
    return cblas_dnrm2((int)n, x, 1);
}

void ctw_num__axpy(size_t n, double alpha, const double *x, double *y)
{
    cblas_daxpy((int)n, alpha, x, 1, y, 1);
}

void ctw_num__scal(size_t n, double alpha, double *x)
{
    cblas_dscal((int)n, alpha, x, 1);
}

static CBLAS_TRANSPOSE op(int trans)
{
    return trans ? CblasTrans : CblasNoTrans;
}

void ctw_num__gemv(int trans, double alpha, const ctw_num__mat *a, const double *x, double beta, double *y)
{
    cblas_dgemv(CblasColMajor, op(trans), (int)a->rows, (int)a->cols, alpha, a->a, (int)a->ld, x, 1, beta, y, 1);
}

void ctw_num__gemm(int ta, int tb, double alpha, const ctw_num__mat *a, const ctw_num__mat *b, double beta,
                   ctw_num__mat *c)
{
    size_t k = ta ? a->rows : a->cols;
    cblas_dgemm(CblasColMajor, op(ta), op(tb), (int)c->rows, (int)c->cols, (int)k, alpha, a->a, (int)a->ld, b->a,
                (int)b->ld, beta, c->a, (int)c->ld);
}

void ctw_num__syrk(int trans, double alpha, const ctw_num__mat *a, double beta, ctw_num__mat *c)
{
    size_t k = trans ? a->rows : a->cols;
    cblas_dsyrk(CblasColMajor, CblasLower, op(trans), (int)c->rows, (int)k, alpha, a->a, (int)a->ld, beta, c->a,
                (int)c->ld);
}

void ctw_num__syr(double alpha, const double *x, ctw_num__mat *a)
{
    cblas_dsyr(CblasColMajor, CblasLower, (int)a->rows, alpha, x, 1, a->a, (int)a->ld);
}

void ctw_num__sgemm(int ta, int tb, size_t m, size_t n, size_t k, float alpha, const float *a, size_t lda,
                    const float *b, size_t ldb, float beta, float *c, size_t ldc)
{
    cblas_sgemm(CblasColMajor, op(ta), op(tb), (int)m, (int)n, (int)k, alpha, a, (int)lda, b, (int)ldb, beta, c,
                (int)ldc);
}

/* OpenBLAS's own calls, looked up weakly so that any other BLAS links and runs as well. */
extern void openblas_set_num_threads(int n) __attribute__((weak));
extern char *openblas_get_config(void) __attribute__((weak));

ctw_status ctw_num__blas_threads(int n)
{
    if (!openblas_set_num_threads)
        return ctw_base__fail(CTW_E_UNSUPPORTED, "the BLAS in this process has no call to set its thread count");
    openblas_set_num_threads(n);
    return CTW_OK;
}

const char *ctw_num__blas_config(void)
{
    const char *text = openblas_get_config ? openblas_get_config() : NULL;
    return text ? text : "";
}
