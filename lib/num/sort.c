/* sort.c: introsort on doubles and indices, heapsort by comparator, quickselect; nothing allocates. */
#include "num/sort.h"
#include <string.h>

/* ---- generic heapsort, and the base case of the others ---- */

static void swap_bytes(unsigned char *a, unsigned char *b, size_t size)
{
    unsigned char t[64];
    for (size_t at = 0, part; at < size; at += part) {
        part = size - at < sizeof t ? size - at : sizeof t;
        memcpy(t, a + at, part);
        memcpy(a + at, b + at, part);
        memcpy(b + at, t, part);
    }
}

void ctw_num__sort_by(void *base, size_t n, size_t size, int (*cmp)(const void *, const void *, void *), void *user)
{
    unsigned char *v = base;
    for (size_t start = n / 2, end = n; end > 1;) {
        if (start > 0) {
            start--;
        } else {
            end--;
            swap_bytes(v, v + end * size, size);
        }
        for (size_t root = start, child; (child = 2 * root + 1) < end; root = child) {
            if (child + 1 < end && cmp(v + child * size, v + (child + 1) * size, user) < 0) child++;
            if (cmp(v + root * size, v + child * size, user) >= 0) break;
            swap_bytes(v + root * size, v + child * size, size);
        }
    }
}

static int compare_doubles(const void *a, const void *b, void *user)
{
    double x = *(const double *)a, y = *(const double *)b;
    (void)user;
    return (x > y) - (x < y);
}

/* ---- doubles ---- */

static void insertion(double *v, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        double x = v[i];
        size_t j = i;
        for (; j > 0 && v[j - 1] > x; j--) v[j] = v[j - 1];
        v[j] = x;
    }
}

/* Hoare partition around the median of three: v[0..j] <= v[j+1..n-1], both sides non-empty (n >= 3). */
static size_t partition(double *v, size_t n)
{
    double a = v[0], b = v[n / 2], c = v[n - 1];
    double pivot = a < b ? (b < c ? b : (a < c ? c : a)) : (a < c ? a : (b < c ? c : b));
    size_t i = 0, j = n - 1;
    for (;;) {
        while (v[i] < pivot) i++;
        while (v[j] > pivot) j--;
        if (i >= j) return j < n - 1 ? j : n - 2;
        double t = v[i];
        v[i++] = v[j];
        v[j--] = t;
    }
}

static void introsort(double *v, size_t n, int depth)
{
    while (n > 24) {
        if (depth-- == 0) {
            ctw_num__sort_by(v, n, sizeof *v, compare_doubles, NULL);
            return;
        }
        size_t left = partition(v, n) + 1;
        introsort(v, left, depth);
        v += left;
        n -= left;
    }
    insertion(v, n);
}

void ctw_num__sort(double *v, size_t n)
{
    int depth = 2;
    for (size_t m = n; m > 1; m /= 2) depth += 2;
    introsort(v, n, depth);
}

double ctw_num__select(double *v, size_t n, size_t k)
{
    for (int tries = 0; n > 24; tries++) {
        if (tries > 128) { /* an adversarial order: sort what is left instead */
            ctw_num__sort(v, n);
            return v[k];
        }
        size_t left = partition(v, n) + 1;
        if (k < left) {
            n = left;
        } else {
            v += left;
            n -= left;
            k -= left;
        }
    }
    insertion(v, n);
    return v[k];
}

/* ---- indices: ties by index make the order total, so an unstable sort is stable in effect ---- */

typedef int (*before_fn)(const void *key, size_t a, size_t b);

static int before_f64(const void *key, size_t a, size_t b)
{
    const double *k = key;
    return k[a] < k[b] || (k[a] == k[b] && a < b);
}

static int before_i64(const void *key, size_t a, size_t b)
{
    const int64_t *k = key;
    return k[a] < k[b] || (k[a] == k[b] && a < b);
}

static void sift(size_t *idx, size_t root, size_t end, const void *key, before_fn before)
{
    size_t moved = idx[root], child;
    for (; (child = 2 * root + 1) < end; root = child) {
        if (child + 1 < end && before(key, idx[child], idx[child + 1])) child++;
        if (!before(key, moved, idx[child])) break;
        idx[root] = idx[child];
    }
    idx[root] = moved;
}

static void heap_indices(size_t *idx, size_t n, const void *key, before_fn before)
{
    for (size_t i = n / 2; i-- > 0;) sift(idx, i, n, key, before);
    for (size_t end = n; end-- > 1;) {
        size_t t = idx[0];
        idx[0] = idx[end];
        idx[end] = t;
        sift(idx, 0, end, key, before);
    }
}

static void sort_indices(size_t *idx, size_t n, const void *key, before_fn before, int depth)
{
    while (n > 16) {
        if (depth-- == 0) {
            heap_indices(idx, n, key, before);
            return;
        }
        size_t pivot = idx[n / 2], i = 0, j = n - 1;
        if (before(key, pivot, idx[0]) ^ before(key, pivot, idx[n - 1])) {
            /* the middle lies between the ends: already the median of three */
        } else {
            pivot = before(key, idx[0], idx[n - 1]) == before(key, pivot, idx[0]) ? idx[0] : idx[n - 1];
        }
        for (;;) {
            while (before(key, idx[i], pivot)) i++;
            while (before(key, pivot, idx[j])) j--;
            if (i >= j) break;
            size_t t = idx[i];
            idx[i++] = idx[j];
            idx[j--] = t;
        }
        size_t left = j < n - 1 ? j + 1 : n - 1;
        sort_indices(idx, left, key, before, depth);
        idx += left;
        n -= left;
    }
    for (size_t i = 1; i < n; i++) {
        size_t x = idx[i], j = i;
        for (; j > 0 && before(key, x, idx[j - 1]); j--) idx[j] = idx[j - 1];
        idx[j] = x;
    }
}

static void argsort(const void *key, size_t *idx, size_t n, before_fn before)
{
    int depth = 2;
    for (size_t m = n; m > 1; m /= 2) depth += 2;
    for (size_t i = 0; i < n; i++) idx[i] = i;
    sort_indices(idx, n, key, before, depth);
}

void ctw_num__argsort(const double *key, size_t *idx, size_t n)
{
    argsort(key, idx, n, before_f64);
}

void ctw_num__argsort_i64(const int64_t *key, size_t *idx, size_t n)
{
    argsort(key, idx, n, before_i64);
}
