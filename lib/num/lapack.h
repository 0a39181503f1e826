/* lapack.h: the only door to LAPACK(E). `_work` calls with workspace from the context: LAPACKE's own
 * drivers malloc behind our back, scan for NaN and print when out of memory. */
#ifndef CTW_NUM_LAPACK_H
#define CTW_NUM_LAPACK_H

#include "num/mat.h"

/* In-place Cholesky A = LL' of the lower triangle. CTW_E_SINGULAR names the failing pivot. */
ctw_status ctw_num__chol(ctw_num__mat *a);
/* Solves LL'X = B in place, L from ctw_num__chol. */
ctw_status ctw_num__chol_solve(const ctw_num__mat *l, ctw_num__mat *b);
/* Lower triangle of inv(A) from L, in place. */
ctw_status ctw_num__chol_inverse(ctw_num__mat *l);
/* op(L) X = B in place, L lower triangular; trans 1 for L'. */
ctw_status ctw_num__tri_solve(const ctw_num__mat *l, int trans, ctw_num__mat *b);
/* General square A X = B by LU; A destroyed, B overwritten. CTW_E_SINGULAR. */
ctw_status ctw_num__lu_solve(ctw_ctx *ctx, ctw_num__mat *a, ctw_num__mat *b);
/* The same in blocks of columns between which it asks whether to stop; small systems are one block and give the same
 * bits as the call above. CTW_E_CANCELLED, CTW_E_DEADLINE (A and B are destroyed). */
ctw_status ctw_num__lu_solve_until(ctw_ctx *ctx, ctw_num__mat *a, ctw_num__mat *b, const ctw_cancel *cancel,
                                   const char *fn);
/* Least squares min |A X - B| by QR, rows >= cols, full rank (CTW_E_SINGULAR); A destroyed, X in B's top rows. */
ctw_status ctw_num__lstsq(ctw_ctx *ctx, ctw_num__mat *a, ctw_num__mat *b);
/* Eigenvalues ascending in w[n], eigenvectors in A's columns; reads the lower triangle. CTW_E_NOCONV. */
ctw_status ctw_num__eigh(ctw_ctx *ctx, ctw_num__mat *a, double *w);
/* Thin SVD A = U diag(s) V'; u, vt sized by the call (freed by the caller), s[min(rows,cols)]; A destroyed. */
ctw_status ctw_num__svd(ctw_ctx *ctx, ctw_num__mat *a, ctw_num__mat *u, double *s, ctw_num__mat *vt);

/* Ridge: coefficients W (d x k) of min |X W - Y|^2 + lambda |W|^2, one factorisation for all k right-hand
 * sides. X n x d, Y n x k, W sized by the call. lambda 0 with dependent columns is CTW_E_SINGULAR. */
ctw_status ctw_num__ridge(ctw_ctx *ctx, const ctw_num__mat *x, const ctw_num__mat *y, double lambda, ctw_num__mat *w);

#endif
