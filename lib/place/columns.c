/* columns.c: checked copies of the host's columns; every attribute setter of the module comes down to one of
 * these. A failed check leaves the old column. */
#include "num/sort.h"
#include "place/place_internal.h"
#include <math.h>

ctw_status ctw_place__set_i64(ctw_ctx *ctx, int64_t **column, const int64_t *v, size_t n, int64_t lo, int64_t hi,
                              const char *fn, const char *arg)
{
    int64_t *copy = NULL;
    if (v) {
        for (size_t i = 0; i < n; i++) {
            if (v[i] < lo || v[i] > hi) {
                return ctw_base__fail(CTW_E_RANGE, "%s: %s[%zu] is %lld, must be in [%lld, %lld]", fn, arg, i,
                                      (long long)v[i], (long long)lo, (long long)hi);
            }
        }
        copy = ctw_base__dup(ctx, v, n, sizeof *v);
        if (!copy) return CTW_E_NOMEM;
    }
    ctw_base__free(ctx, *column);
    *column = copy;
    return CTW_OK;
}

ctw_status ctw_place__set_i32(ctw_ctx *ctx, int32_t **column, const int32_t *v, size_t n, int32_t lo, int32_t hi,
                              const char *fn, const char *arg)
{
    int32_t *copy = NULL;
    if (v) {
        for (size_t i = 0; i < n; i++) {
            if (v[i] < lo || v[i] > hi) {
                return ctw_base__fail(CTW_E_RANGE, "%s: %s[%zu] is %d, must be in [%d, %d]", fn, arg, i, (int)v[i],
                                      (int)lo, (int)hi);
            }
        }
        copy = ctw_base__dup(ctx, v, n, sizeof *v);
        if (!copy) return CTW_E_NOMEM;
    }
    ctw_base__free(ctx, *column);
    *column = copy;
    return CTW_OK;
}

static ctw_status check_f64(const double *v, size_t n, int infinite, const char *fn, const char *arg)
{
    for (size_t i = 0; i < n; i++) {
        if (isnan(v[i]) || (isinf(v[i]) && (!infinite || v[i] < 0))) {
            return ctw_base__fail(CTW_E_NONFINITE, "%s: %s[%zu] is %g", fn, arg, i, v[i]);
        }
        if (v[i] < 0) return ctw_base__fail(CTW_E_RANGE, "%s: %s[%zu] is %g, must be >= 0", fn, arg, i, v[i]);
        if (isfinite(v[i]) && v[i] > 1e15) {
            return ctw_base__fail(CTW_E_RANGE, "%s: %s[%zu] is %g, must be <= 1e15", fn, arg, i, v[i]);
        }
    }
    return CTW_OK;
}

ctw_status ctw_place__set_f64(ctw_ctx *ctx, double **column, const double *v, size_t n, int infinite, const char *fn,
                              const char *arg)
{
    double *copy = NULL;
    if (v) {
        CTW_TRY(check_f64(v, n, infinite, fn, arg));
        copy = ctw_base__dup(ctx, v, n, sizeof *v);
        if (!copy) return CTW_E_NOMEM;
    }
    ctw_base__free(ctx, *column);
    *column = copy;
    return CTW_OK;
}

ctw_status ctw_place__copy_matrix(ctw_ctx *ctx, const double *x, uint64_t n, uint64_t r, uint64_t stride, double **out,
                                  const char *fn, const char *arg)
{
    *out = NULL;
    CTW_TRY(ctw_base__need_n(x, n, fn, arg));
    if (stride < r) {
        return ctw_base__fail(CTW_E_SHAPE, "%s: the stride of %s is %llu, less than its %llu columns", fn, arg,
                              (unsigned long long)stride, (unsigned long long)r);
    }
    for (uint64_t i = 0; i < n; i++) CTW_TRY(check_f64(x + i * stride, (size_t)r, 0, fn, arg));
    double *copy = CTW_NEW(ctx, (size_t)(n * r), double);
    if (!copy) return CTW_E_NOMEM;
    for (uint64_t i = 0; i < n; i++) {
        for (uint64_t j = 0; j < r; j++) copy[i * r + j] = x[i * stride + j];
    }
    *out = copy;
    return CTW_OK;
}

static ctw_status check_distinct(ctw_ctx *ctx, const int64_t *id, size_t n, const char *fn)
{
    size_t *order = CTW_NEW(ctx, n, size_t);
    if (!order) return CTW_E_NOMEM;
    ctw_num__argsort_i64(id, order, n);
    ctw_status s = CTW_OK;
    for (size_t i = 1; i < n && s == CTW_OK; i++) {
        if (id[order[i]] == id[order[i - 1]]) {
            s = ctw_base__fail(CTW_E_ARG, "%s: id %lld stands in rows %zu and %zu", fn, (long long)id[order[i]],
                               order[i - 1], order[i]);
        }
    }
    ctw_base__free(ctx, order);
    return s;
}

ctw_status ctw_place__copy_ids(ctw_ctx *ctx, const int64_t *id, size_t n, int64_t **out, const char *fn)
{
    *out = NULL;
    if (id) CTW_TRY(check_distinct(ctx, id, n, fn));
    int64_t *copy = CTW_NEW(ctx, n, int64_t);
    if (!copy) return CTW_E_NOMEM;
    for (size_t i = 0; i < n; i++) copy[i] = id ? id[i] : (int64_t)i;
    *out = copy;
    return CTW_OK;
}
