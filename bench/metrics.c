/* metrics.c: rank statistics, written independently of the library's own so that the bench does not check the
 * library with itself. */
#include "metrics.h"
#include "bench.h"
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct pair {
    double x, y;
    size_t at;
} pair;

static int by_x_then_y(const void *a, const void *b)
{
    const pair *p = a, *q = b;
    if (p->x != q->x) return p->x < q->x ? -1 : 1;
    return p->y < q->y ? -1 : p->y > q->y;
}

static pair *sorted_pairs(const double *x, const double *y, size_t n)
{
    pair *p = bench_alloc(n, sizeof *p);
    for (size_t i = 0; i < n; i++) p[i] = (pair){x[i], y[i], i};
    qsort(p, n, sizeof *p, by_x_then_y);
    return p;
}

/* Sorts v[0..n) by merging and returns the number of exchanges a bubble sort would have needed. */
static uint64_t exchanges(double *v, double *tmp, size_t n)
{
    if (n < 2) return 0;
    size_t half = n / 2, i = 0, j = half, k = 0;
    uint64_t count = exchanges(v, tmp, half) + exchanges(v + half, tmp, n - half);
    while (i < half && j < n) {
        if (v[j] < v[i]) {
            count += half - i;
            tmp[k++] = v[j++];
        } else {
            tmp[k++] = v[i++];
        }
    }
    while (i < half) tmp[k++] = v[i++];
    while (j < n) tmp[k++] = v[j++];
    memcpy(v, tmp, n * sizeof *v);
    return count;
}

static double pairs_of(double run)
{
    return run * (run - 1) / 2;
}

double bench_kendall(const double *x, const double *y, size_t n)
{
    pair *p = sorted_pairs(x, y, n);
    double *v = bench_alloc(n, sizeof *v), *tmp = bench_alloc(n, sizeof *tmp);
    double tied_x = 0, tied_y = 0, tied_both = 0, run = 1, both = 1;
    for (size_t i = 0; i < n; i++) v[i] = p[i].y;
    for (size_t i = 1; i <= n; i++) {
        int same_x = i < n && p[i].x == p[i - 1].x, same = same_x && p[i].y == p[i - 1].y;
        if (same) {
            both++;
        } else {
            tied_both += pairs_of(both);
            both = 1;
        }
        if (same_x) {
            run++;
        } else {
            tied_x += pairs_of(run);
            run = 1;
        }
    }
    double swaps = (double)exchanges(v, tmp, n);
    run = 1;
    for (size_t i = 1; i <= n; i++) {
        if (i < n && v[i] == v[i - 1]) {
            run++;
        } else {
            tied_y += pairs_of(run);
            run = 1;
        }
    }
    free(p);
    free(v);
    free(tmp);
    double all = pairs_of((double)n), agree = all - tied_x - tied_y + tied_both - 2 * swaps;
    double norm = sqrt((all - tied_x) * (all - tied_y));
    return norm > 0 ? agree / norm : 0;
}

/* Average ranks from 1. */
static double *ranks(const double *x, size_t n)
{
    double *r = bench_alloc(n, sizeof *r);
    pair *p = sorted_pairs(x, x, n);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && p[end].x == p[i].x; end++) {
        }
        for (size_t k = i; k < end; k++) r[p[k].at] = (double)(i + end + 1) / 2;
    }
    free(p);
    return r;
}

static double covariance(const double *a, const double *b, size_t n)
{
    double ma = 0, mb = 0, sum = 0;
    for (size_t i = 0; i < n; i++) {
        ma += a[i] / (double)n;
        mb += b[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) sum += (a[i] - ma) * (b[i] - mb);
    return sum;
}

double bench_spearman(const double *x, const double *y, size_t n)
{
    double *a = ranks(x, n), *b = ranks(y, n);
    double norm = sqrt(covariance(a, a, n) * covariance(b, b, n)), rho = norm > 0 ? covariance(a, b, n) / norm : 0;
    free(a);
    free(b);
    return rho;
}

double bench_share(const double *x, const double *y, size_t n)
{
    double *a = ranks(x, n), *b = ranks(y, n);
    double full = covariance(y, b, n), got = covariance(y, a, n);
    free(a);
    free(b);
    return full > 0 ? got / full : 0;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

double bench_quantile(const double *v, size_t n, double q)
{
    double *s = bench_alloc(n, sizeof *s);
    memcpy(s, v, n * sizeof *s);
    qsort(s, n, sizeof *s, by_value);
    double at = q * (double)(n - 1);
    size_t i = (size_t)at;
    double r = i + 1 < n ? s[i] + (at - (double)i) * (s[i + 1] - s[i]) : s[n - 1];
    free(s);
    return r;
}
