/* check.h: argument checks with uniform sentences. Each returns CTW_OK or sets the error text
 * and returns the status; `fn` is the public function's name, `arg` the argument's. */
#ifndef CTW_BASE_CHECK_H
#define CTW_BASE_CHECK_H

#include "base/error.h"
#include <cybertwin/base.h>
#include <stddef.h>

/* CTW_E_ARG unless ptr is set. */
ctw_status ctw_base__need(const void *ptr, const char *fn, const char *arg);
/* Pointer needed only when n > 0. */
ctw_status ctw_base__need_n(const void *ptr, uint64_t n, const char *fn, const char *arg);
/* CTW_E_NONFINITE for NaN and infinity. */
ctw_status ctw_base__finite(double v, const char *fn, const char *arg);
/* CTW_E_NONFINITE / CTW_E_RANGE unless lo <= v <= hi. */
ctw_status ctw_base__in(double v, double lo, double hi, const char *fn, const char *arg);
/* CTW_E_RANGE unless lo <= v <= hi. */
ctw_status ctw_base__in_i64(int64_t v, int64_t lo, int64_t hi, const char *fn, const char *arg);
/* Counts: CTW_E_RANGE unless lo <= v <= hi. */
ctw_status ctw_base__in_u64(uint64_t v, uint64_t lo, uint64_t hi, const char *fn, const char *arg);
/* All of n values `stride` apart finite; the message names the index. */
ctw_status ctw_base__all_finite(const double *v, uint64_t n, int64_t stride, const char *fn, const char *arg);
/* All of n values finite and in [lo, hi]. */
ctw_status ctw_base__all_in(const double *v, uint64_t n, int64_t stride, double lo, double hi, const char *fn,
                            const char *arg);
/* Row-major matrix: n rows of d, stride >= d (CTW_E_SHAPE), pointer set, every cell finite. */
ctw_status ctw_base__matrix(const double *x, uint64_t n, uint64_t d, uint64_t stride, const char *fn, const char *arg);
/* a*b into *out; CTW_E_RANGE on overflow. */
ctw_status ctw_base__mul(size_t a, size_t b, size_t *out, const char *fn, const char *arg);

#endif
