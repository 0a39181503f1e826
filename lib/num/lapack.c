/* lapack.c: the only file that names LAPACKE, always its `_work` entry points with our own workspace. Bad
 * sizes cannot reach it (ctw_num__mat_new), so a negative info would be a bug of ours. */
#include "num/lapack.h"
#include "base/alloc.h"
#include "base/cancel.h"
#include "base/error.h"
#include "num/blas.h"
#include <lapacke.h>

static ctw_status broken(const char *routine, lapack_int info)
{
    return ctw_base__fail(CTW_E_INTERNAL, "LAPACK's %s refused its argument %d", routine, -(int)info);
}

ctw_status ctw_num__chol(ctw_num__mat *a)
{
    lapack_int info = LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', (lapack_int)a->cols, a->a, (lapack_int)a->ld);
    if (info < 0) return broken("dpotrf", info);
    if (info > 0)
        return ctw_base__fail(CTW_E_SINGULAR, "the matrix is not positive definite: pivot %d of %zu", (int)info,
                              a->cols);
    return CTW_OK;
}

ctw_status ctw_num__chol_solve(const ctw_num__mat *l, ctw_num__mat *b)
{
    lapack_int info = LAPACKE_dpotrs_work(LAPACK_COL_MAJOR, 'L', (lapack_int)l->cols, (lapack_int)b->cols, l->a,
                                          (lapack_int)l->ld, b->a, (lapack_int)b->ld);
    return info ? broken("dpotrs", info) : CTW_OK;
}

ctw_status ctw_num__chol_inverse(ctw_num__mat *l)
{
    lapack_int info = LAPACKE_dpotri_work(LAPACK_COL_MAJOR, 'L', (lapack_int)l->cols, l->a, (lapack_int)l->ld);
    if (info < 0) return broken("dpotri", info);
    return info ? ctw_base__fail(CTW_E_SINGULAR, "the factor has a zero pivot %d", (int)info) : CTW_OK;
}

ctw_status ctw_num__tri_solve(const ctw_num__mat *l, int trans, ctw_num__mat *b)
{
    lapack_int info = LAPACKE_dtrtrs_work(LAPACK_COL_MAJOR, 'L', trans ? 'T' : 'N', 'N', (lapack_int)l->cols,
                                          (lapack_int)b->cols, l->a, (lapack_int)l->ld, b->a, (lapack_int)b->ld);
    if (info < 0) return broken("dtrtrs", info);
    return info ? ctw_base__fail(CTW_E_SINGULAR, "the triangle has a zero on its diagonal: row %d", (int)info) : CTW_OK;
}

ctw_status ctw_num__lu_solve(ctw_ctx *ctx, ctw_num__mat *a, ctw_num__mat *b)
{
    lapack_int *pivot = CTW_NEW(ctx, a->cols, lapack_int);
    if (!pivot) return CTW_E_NOMEM;
    lapack_int info = LAPACKE_dgesv_work(LAPACK_COL_MAJOR, (lapack_int)a->cols, (lapack_int)b->cols, a->a,
                                         (lapack_int)a->ld, pivot, b->a, (lapack_int)b->ld);
    ctw_base__free(ctx, pivot);
    if (info < 0) return broken("dgesv", info);
    return info ? ctw_base__fail(CTW_E_SINGULAR, "the matrix is singular: pivot %d of %zu is zero", (int)info, a->cols)
                : CTW_OK;
}

#define LU_WHOLE 512 /* sides up to this are solved in one go, within some milliseconds */
#define LU_BLOCK 64

static ctw_status singular(size_t pivot, size_t n)
{
    return ctw_base__fail(CTW_E_SINGULAR, "the matrix is singular: pivot %zu of %zu is zero", pivot, n);
}

static ctw_num__mat part(const ctw_num__mat *a, size_t row, size_t rows, size_t col, size_t cols)
{
    return (ctw_num__mat){a->a + row + col * a->ld, rows, cols, a->ld};
}

/* A right-looking step: columns k .. k + w - 1 are factorised, what stands right of them brought up to date in strips.
 */
static ctw_status lu_block(ctw_num__mat *a, size_t k, size_t w, lapack_int *pivot, const ctw_cancel *cancel,
                           const char *fn)
{
    size_t n = a->cols, end = k + w;
    lapack_int ld = (lapack_int)a->ld, first = (lapack_int)k + 1, last = (lapack_int)end;
    lapack_int info =
        LAPACKE_dgetrf_work(LAPACK_COL_MAJOR, (lapack_int)(n - k), (lapack_int)w, &CTW_AT(a, k, k), ld, pivot + k);
    if (info < 0) return broken("dgetrf", info);
    if (info > 0) return singular(k + (size_t)info, n);
    for (size_t i = k; i < end; i++) pivot[i] += (lapack_int)k;
    LAPACKE_dlaswp_work(LAPACK_COL_MAJOR, (lapack_int)k, a->a, ld, first, last, pivot, 1);
    ctw_num__mat below = part(a, end, n - end, k, w);
    for (size_t at = end; at < n; at += 8 * (size_t)LU_BLOCK) {
        size_t cols = n - at < 8 * (size_t)LU_BLOCK ? n - at : 8 * (size_t)LU_BLOCK;
        ctw_num__mat top = part(a, k, w, at, cols), rest = part(a, end, n - end, at, cols);
        CTW_TRY(ctw_base__stopped(cancel, fn));
        LAPACKE_dlaswp_work(LAPACK_COL_MAJOR, (lapack_int)cols, &CTW_AT(a, 0, at), ld, first, last, pivot, 1);
        info = LAPACKE_dtrtrs_work(LAPACK_COL_MAJOR, 'L', 'N', 'U', (lapack_int)w, (lapack_int)cols, &CTW_AT(a, k, k),
                                   ld, top.a, ld);
        if (info) return broken("dtrtrs", info);
        ctw_num__gemm(0, 0, -1.0, &below, &top, 1.0, &rest);
    }
    return CTW_OK;
}

static ctw_status lu_blocks(ctw_num__mat *a, ctw_num__mat *b, lapack_int *pivot, const ctw_cancel *cancel,
                            const char *fn)
{
    size_t n = a->cols;
    for (size_t k = 0; k < n; k += LU_BLOCK) {
        CTW_TRY(ctw_base__stopped(cancel, fn));
        CTW_TRY(lu_block(a, k, n - k < LU_BLOCK ? n - k : LU_BLOCK, pivot, cancel, fn));
    }
    lapack_int info = LAPACKE_dgetrs_work(LAPACK_COL_MAJOR, 'N', (lapack_int)n, (lapack_int)b->cols, a->a,
                                          (lapack_int)a->ld, pivot, b->a, (lapack_int)b->ld);
    return info ? broken("dgetrs", info) : CTW_OK;
}

ctw_status ctw_num__lu_solve_until(ctw_ctx *ctx, ctw_num__mat *a, ctw_num__mat *b, const ctw_cancel *cancel,
                                   const char *fn)
{
    if (a->cols <= LU_WHOLE) {
        CTW_TRY(ctw_base__stopped(cancel, fn));
        return ctw_num__lu_solve(ctx, a, b);
    }
    lapack_int *pivot = CTW_NEW(ctx, a->cols, lapack_int);
    if (!pivot) return CTW_E_NOMEM;
    ctw_status s = lu_blocks(a, b, pivot, cancel, fn);
    ctw_base__free(ctx, pivot);
    return s;
}

ctw_status ctw_num__lstsq(ctw_ctx *ctx, ctw_num__mat *a, ctw_num__mat *b)
{
    lapack_int m = (lapack_int)a->rows, n = (lapack_int)a->cols, k = (lapack_int)b->cols;
    lapack_int lda = (lapack_int)a->ld, ldb = (lapack_int)b->ld;
    double want;
    lapack_int info = LAPACKE_dgels_work(LAPACK_COL_MAJOR, 'N', m, n, k, a->a, lda, b->a, ldb, &want, -1);
    if (info) return broken("dgels", info);
    lapack_int size = (lapack_int)want;
    double *work = CTW_NEW(ctx, (size_t)size, double);
    if (!work) return CTW_E_NOMEM;
    info = LAPACKE_dgels_work(LAPACK_COL_MAJOR, 'N', m, n, k, a->a, lda, b->a, ldb, work, size);
    ctw_base__free(ctx, work);
    if (info < 0) return broken("dgels", info);
    return info ? ctw_base__fail(CTW_E_SINGULAR, "the columns are linearly dependent at column %d", (int)info) : CTW_OK;
}

ctw_status ctw_num__eigh(ctw_ctx *ctx, ctw_num__mat *a, double *w)
{
    lapack_int n = (lapack_int)a->cols, lda = (lapack_int)a->ld;
    double want;
    lapack_int info = LAPACKE_dsyev_work(LAPACK_COL_MAJOR, 'V', 'L', n, a->a, lda, w, &want, -1);
    if (info) return broken("dsyev", info);
    lapack_int size = (lapack_int)want;
    double *work = CTW_NEW(ctx, (size_t)size, double);
    if (!work) return CTW_E_NOMEM;
    info = LAPACKE_dsyev_work(LAPACK_COL_MAJOR, 'V', 'L', n, a->a, lda, w, work, size);
    ctw_base__free(ctx, work);
    if (info < 0) return broken("dsyev", info);
    return info ? ctw_base__fail(CTW_E_NOCONV, "the eigenvalues of a %zu x %zu matrix did not converge", a->cols,
                                 a->cols)
                : CTW_OK;
}

static ctw_status gesvd(ctw_ctx *ctx, ctw_num__mat *a, ctw_num__mat *u, double *s, ctw_num__mat *vt)
{
    lapack_int m = (lapack_int)a->rows, n = (lapack_int)a->cols, lda = (lapack_int)a->ld;
    lapack_int ldu = (lapack_int)u->ld, ldvt = (lapack_int)vt->ld;
    double want;
    lapack_int info =
        LAPACKE_dgesvd_work(LAPACK_COL_MAJOR, 'S', 'S', m, n, a->a, lda, s, u->a, ldu, vt->a, ldvt, &want, -1);
    if (info) return broken("dgesvd", info);
    lapack_int size = (lapack_int)want;
    double *work = CTW_NEW(ctx, (size_t)size, double);
    if (!work) return CTW_E_NOMEM;
    info = LAPACKE_dgesvd_work(LAPACK_COL_MAJOR, 'S', 'S', m, n, a->a, lda, s, u->a, ldu, vt->a, ldvt, work, size);
    ctw_base__free(ctx, work);
    if (info < 0) return broken("dgesvd", info);
    return info ? ctw_base__fail(CTW_E_NOCONV, "the singular values did not converge") : CTW_OK;
}

ctw_status ctw_num__svd(ctw_ctx *ctx, ctw_num__mat *a, ctw_num__mat *u, double *s, ctw_num__mat *vt)
{
    size_t r = a->rows < a->cols ? a->rows : a->cols;
    *vt = (ctw_num__mat){0};
    CTW_TRY(ctw_num__mat_new(ctx, a->rows, r, u));
    ctw_status st = ctw_num__mat_new(ctx, r, a->cols, vt);
    if (st == CTW_OK) st = gesvd(ctx, a, u, s, vt);
    if (st != CTW_OK) {
        ctw_num__mat_free(ctx, u);
        ctw_num__mat_free(ctx, vt);
    }
    return st;
}

ctw_status ctw_num__ridge(ctw_ctx *ctx, const ctw_num__mat *x, const ctw_num__mat *y, double lambda, ctw_num__mat *w)
{
    ctw_num__mat gram;
    *w = (ctw_num__mat){0};
    CTW_TRY(ctw_num__mat_new(ctx, x->cols, x->cols, &gram));
    ctw_status s = ctw_num__mat_new(ctx, x->cols, y->cols, w);
    if (s == CTW_OK) {
        ctw_num__syrk(1, 1.0, x, 0.0, &gram);
        for (size_t j = 0; j < x->cols; j++) CTW_AT(&gram, j, j) += lambda;
        ctw_num__gemm(1, 0, 1.0, x, y, 0.0, w);
        s = ctw_num__chol(&gram);
    }
    if (s == CTW_OK) s = ctw_num__chol_solve(&gram, w);
    ctw_num__mat_free(ctx, &gram);
    if (s != CTW_OK) ctw_num__mat_free(ctx, w);
    return s;
}
