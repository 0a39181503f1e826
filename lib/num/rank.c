/* rank.c: rank correlations in O(n log n): Kendall's tau-b by Knight's merge counting (JASA 1966), Spearman's
 * rho as Pearson's of average ranks. */
#include "base/alloc.h"
#include "base/error.h"
#include "num/sort.h"
#include "num/stats.h"
#include <math.h>

typedef struct xy {
    const double *x, *y;
} xy;

static int by_x_then_y(const void *a, const void *b, void *user)
{
    const xy *d = user;
    size_t i = *(const size_t *)a, j = *(const size_t *)b;
    if (d->x[i] != d->x[j]) return d->x[i] < d->x[j] ? -1 : 1;
    if (d->y[i] != d->y[j]) return d->y[i] < d->y[j] ? -1 : 1;
    return (i > j) - (i < j);
}

/* Sorts v by merging and counts the exchanges that a bubble sort would need. */
static double count_swaps(double *v, double *tmp, size_t n)
{
    double swaps = 0;
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t lo = 0; lo < n; lo += 2 * width) {
            size_t mid = lo + width < n ? lo + width : n, hi = mid + width < n ? mid + width : n;
            size_t i = lo, j = mid, k = lo;
            while (i < mid || j < hi) {
                if (j >= hi || (i < mid && v[i] <= v[j])) {
                    tmp[k++] = v[i++];
                } else {
                    swaps += (double)(mid - i);
                    tmp[k++] = v[j++];
                }
            }
        }
        for (size_t i = 0; i < n; i++) v[i] = tmp[i];
    }
    return swaps;
}

/* Pairs within runs of equal values of a sorted array. */
static double tied_pairs(const double *v, size_t n)
{
    double pairs = 0;
    for (size_t i = 0, j; i < n; i = j) {
        for (j = i + 1; j < n && v[j] == v[i]; j++) {
        }
        pairs += 0.5 * (double)(j - i) * (double)(j - i - 1);
    }
    return pairs;
}

ctw_status ctw_num__kendall(ctw_ctx *ctx, const double *x, const double *y, size_t n, double *tau)
{
    *tau = 0;
    if (n < 2) return CTW_OK;
    size_t *idx = CTW_NEW(ctx, n, size_t);
    double *a = CTW_NEW(ctx, n, double), *b = CTW_NEW(ctx, n, double);
    if (idx && a && b) {
        xy d = {x, y};
        for (size_t i = 0; i < n; i++) idx[i] = i;
        ctw_num__sort_by(idx, n, sizeof *idx, by_x_then_y, &d);
        double both = 0;
        for (size_t i = 0; i < n; i++) a[i] = x[idx[i]], b[i] = y[idx[i]];
        for (size_t i = 0, j; i < n; i = j) {
            for (j = i + 1; j < n && a[j] == a[i] && b[j] == b[i]; j++) {
            }
            both += 0.5 * (double)(j - i) * (double)(j - i - 1);
        }
        double all = 0.5 * (double)n * (double)(n - 1), tx = tied_pairs(a, n);
        double swaps = count_swaps(b, a, n), ty = tied_pairs(b, n);
        double scale = sqrt(all - tx) * sqrt(all - ty);
        if (scale > 0) *tau = (all - tx - ty + both - 2 * swaps) / scale;
    }
    ctw_status s = idx && a && b ? CTW_OK : CTW_E_NOMEM;
    ctw_base__free(ctx, idx);
    ctw_base__free(ctx, a);
    ctw_base__free(ctx, b);
    return s;
}

static void average_ranks(const double *v, size_t *idx, double *rank, size_t n)
{
    ctw_num__argsort(v, idx, n);
    for (size_t i = 0, j; i < n; i = j) {
        for (j = i + 1; j < n && v[idx[j]] == v[idx[i]]; j++) {
        }
        for (size_t k = i; k < j; k++) rank[idx[k]] = 0.5 * (double)(i + j - 1);
    }
}

ctw_status ctw_num__spearman(ctw_ctx *ctx, const double *x, const double *y, size_t n, double *rho)
{
    *rho = 0;
    size_t *idx = CTW_NEW(ctx, n, size_t);
    double *a = CTW_NEW(ctx, n, double), *b = CTW_NEW(ctx, n, double);
    ctw_status s = idx && a && b ? CTW_OK : CTW_E_NOMEM;
    if (s == CTW_OK) {
        average_ranks(x, idx, a, n);
        average_ranks(y, idx, b, n);
        *rho = ctw_num__pearson(a, b, n);
    }
    ctw_base__free(ctx, idx);
    ctw_base__free(ctx, a);
    ctw_base__free(ctx, b);
    return s;
}
