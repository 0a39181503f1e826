/* check.c: argument checks with uniform sentences. */
#include "base/check.h"
#include <inttypes.h>
#include <math.h>

ctw_status ctw_base__need(const void *ptr, const char *fn, const char *arg)
{
    return ptr ? CTW_OK : ctw_base__fail(CTW_E_ARG, "%s: %s is NULL", fn, arg);
}

ctw_status ctw_base__need_n(const void *ptr, uint64_t n, const char *fn, const char *arg)
{
    if (ptr || n == 0) return CTW_OK;
    return ctw_base__fail(CTW_E_ARG, "%s: %s is NULL, but %" PRIu64 " values are announced", fn, arg, n);
}

ctw_status ctw_base__finite(double v, const char *fn, const char *arg)
{
    return isfinite(v) ? CTW_OK : ctw_base__fail(CTW_E_NONFINITE, "%s: %s is %g, must be finite", fn, arg, v);
}

ctw_status ctw_base__in(double v, double lo, double hi, const char *fn, const char *arg)
{
    CTW_TRY(ctw_base__finite(v, fn, arg));
    if (v >= lo && v <= hi) return CTW_OK;
    return ctw_base__fail(CTW_E_RANGE, "%s: %s is %.10g, must be within [%g, %g]", fn, arg, v, lo, hi);
}

ctw_status ctw_base__in_i64(int64_t v, int64_t lo, int64_t hi, const char *fn, const char *arg)
{
    if (v >= lo && v <= hi) return CTW_OK;
    return ctw_base__fail(CTW_E_RANGE, "%s: %s is %" PRId64 ", must be within [%" PRId64 ", %" PRId64 "]", fn, arg, v,
                          lo, hi);
}

ctw_status ctw_base__in_u64(uint64_t v, uint64_t lo, uint64_t hi, const char *fn, const char *arg)
{
    if (v >= lo && v <= hi) return CTW_OK;
    return ctw_base__fail(CTW_E_RANGE, "%s: %s is %" PRIu64 ", must be within [%" PRIu64 ", %" PRIu64 "]", fn, arg, v,
                          lo, hi);
}

ctw_status ctw_base__all_in(const double *v, uint64_t n, int64_t stride, double lo, double hi, const char *fn,
                            const char *arg)
{
    CTW_TRY(ctw_base__need_n(v, n, fn, arg));
    for (uint64_t i = 0; i < n; i++) {
        double x = v[(int64_t)i * stride];
        if (!isfinite(x))
            return ctw_base__fail(CTW_E_NONFINITE, "%s: %s[%" PRIu64 "] is %g, must be finite", fn, arg, i, x);
        if (x < lo || x > hi)
            return ctw_base__fail(CTW_E_RANGE, "%s: %s[%" PRIu64 "] is %.10g, must be within [%g, %g]", fn, arg, i, x,
                                  lo, hi);
    }
    return CTW_OK;
}

ctw_status ctw_base__all_finite(const double *v, uint64_t n, int64_t stride, const char *fn, const char *arg)
{
    return ctw_base__all_in(v, n, stride, -INFINITY, INFINITY, fn, arg);
}

ctw_status ctw_base__matrix(const double *x, uint64_t n, uint64_t d, uint64_t stride, const char *fn, const char *arg)
{
    CTW_TRY(ctw_base__need_n(x, n && d, fn, arg));
    if (stride < d)
        return ctw_base__fail(CTW_E_SHAPE, "%s: rows of %s are %" PRIu64 " apart but %" PRIu64 " wide", fn, arg, stride,
                              d);
    if (n && stride && n > (uint64_t)INT64_MAX / 8 / stride)
        return ctw_base__fail(CTW_E_RANGE, "%s: %s has %" PRIu64 " rows of %" PRIu64 ", more than memory can hold", fn,
                              arg, n, stride);
    for (uint64_t i = 0; i < n; i++)
        for (uint64_t j = 0; j < d; j++)
            if (!isfinite(x[i * stride + j]))
                return ctw_base__fail(CTW_E_NONFINITE,
                                      "%s: %s, row %" PRIu64 ", column %" PRIu64 " is %g, must be finite", fn, arg, i,
                                      j, x[i * stride + j]);
    return CTW_OK;
}

ctw_status ctw_base__mul(size_t a, size_t b, size_t *out, const char *fn, const char *arg)
{
    if (b && a > SIZE_MAX / b) return ctw_base__fail(CTW_E_RANGE, "%s: %s: %zu times %zu overflows", fn, arg, a, b);
    *out = a * b;
    return CTW_OK;
}
