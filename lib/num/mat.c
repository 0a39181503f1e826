/* mat.c: column-major matrices in the context's memory. */
#include "num/mat.h"
#include "base/alloc.h"
#include "base/error.h"
#include <limits.h>
#include <string.h>

ctw_status ctw_num__mat_new(ctw_ctx *ctx, size_t rows, size_t cols, ctw_num__mat *out)
{
    *out = (ctw_num__mat){0};
    if (rows > INT_MAX || cols > INT_MAX)
        return ctw_base__fail(CTW_E_RANGE, "a matrix of %zu x %zu exceeds LAPACK's 32-bit sizes", rows, cols);
    size_t ld = rows ? rows : 1; /* BLAS wants ld >= 1 even when empty */
    if (cols > SIZE_MAX / ld) return ctw_base__nomem();
    double *a = CTW_NEW(ctx, ld * cols, double);
    if (!a) return CTW_E_NOMEM;
    *out = (ctw_num__mat){a, rows, cols, ld};
    return CTW_OK;
}

void ctw_num__mat_free(ctw_ctx *ctx, ctw_num__mat *m)
{
    ctw_base__free(ctx, m->a);
    *m = (ctw_num__mat){0};
}

ctw_status ctw_num__mat_from_rows(ctw_ctx *ctx, const double *x, size_t n, size_t d, size_t stride, ctw_num__mat *out)
{
    CTW_TRY(ctw_num__mat_new(ctx, n, d, out));
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < d; j++) CTW_AT(out, i, j) = x[i * stride + j];
    return CTW_OK;
}
