/* metrics.h: rank statistics of the predict command. */
#ifndef CTW_BENCH_METRICS_H
#define CTW_BENCH_METRICS_H

#include <stddef.h>

/* Kendall's tau-b and Spearman's rho with ties, O(n log n) and O(n log n). */
double bench_kendall(const double *x, const double *y, size_t n);
double bench_spearman(const double *x, const double *y, size_t n);
/* Concentration coefficient of y ordered by x over its Gini coefficient: the share of a perfect order's gain that the
 * order by x captures when all jobs wait at once. Ties in x share their average rank. */
double bench_share(const double *x, const double *y, size_t n);
/* Sorted copy's quantile, linear interpolation. */
double bench_quantile(const double *v, size_t n, double q);

#endif
