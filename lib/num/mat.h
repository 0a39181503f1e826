/* mat.h: a column-major matrix of doubles, the form BLAS and LAPACK want; the one copy from the
 * caller's row order happens here, once, at fit. */
#ifndef CTW_NUM_MAT_H
#define CTW_NUM_MAT_H

#include <cybertwin/base.h>
#include <stddef.h>

typedef struct ctw_num__mat {
    double *a; /* a[r + c*ld] */
    size_t rows, cols, ld;
} ctw_num__mat;

#define CTW_AT(m, r, c) ((m)->a[(size_t)(r) + (size_t)(c) * (m)->ld])

/* Zeroed; CTW_E_NOMEM, or CTW_E_RANGE when a side exceeds LAPACK's int. */
ctw_status ctw_num__mat_new(ctw_ctx *ctx, size_t rows, size_t cols, ctw_num__mat *out);
/* Frees the data and zeroes the struct; fine on a zeroed one. */
void ctw_num__mat_free(ctw_ctx *ctx, ctw_num__mat *m);
/* From n rows of d, `stride` apart. */
ctw_status ctw_num__mat_from_rows(ctw_ctx *ctx, const double *x, size_t n, size_t d, size_t stride, ctw_num__mat *out);

#endif
