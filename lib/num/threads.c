/* threads.c: the one public call that changes BLAS's process-wide thread count, and only when asked to. */
#include "base/ctx.h"
#include "base/error.h"
#include "num/blas.h"

ctw_status ctw_ctx_set_blas_threads(ctw_ctx *ctx, int32_t n)
{
    CTW_TRY(ctw_base__ctx_check(ctx, "ctw_ctx_set_blas_threads"));
    if (n < 1 || n > 1024)
        return ctw_base__fail(CTW_E_RANGE, "ctw_ctx_set_blas_threads: n is %d, must be within [1, 1024]", (int)n);
    return ctw_num__blas_threads(n);
}
