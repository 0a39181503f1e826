/* sort.h: sorting without libc's qsort (which allocates behind our back): in place, O(n log n) worst case,
 * deterministic. NaN must have been rejected before. */
#ifndef CTW_NUM_SORT_H
#define CTW_NUM_SORT_H

#include <stddef.h>
#include <stdint.h>

void ctw_num__sort(double *v, size_t n);
/* idx[0..n) becomes the permutation that sorts key ascending; ties by index (stable). */
void ctw_num__argsort(const double *key, size_t *idx, size_t n);
/* The same over integers. */
void ctw_num__argsort_i64(const int64_t *key, size_t *idx, size_t n);
/* Any elements of `size` bytes by a comparator with a context; heapsort: not stable, so break ties. */
void ctw_num__sort_by(void *base, size_t n, size_t size, int (*cmp)(const void *a, const void *b, void *user),
                      void *user);
/* k-th smallest (from 0) in O(n) on average; reorders v. */
double ctw_num__select(double *v, size_t n, size_t k);

#endif
