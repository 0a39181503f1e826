/* stats.h: the statistics more than one module needs. Functions that need scratch space take it. */
#ifndef CTW_NUM_STATS_H
#define CTW_NUM_STATS_H

#include <cybertwin/base.h>
#include <stddef.h>

/* Compensated (Neumaier) sum; mean of n >= 1; sample variance (n-1), 0 for n < 2. */
double ctw_num__sum(const double *v, size_t n);
double ctw_num__mean(const double *v, size_t n);
double ctw_num__variance(const double *v, size_t n);
/* Quantile q in [0,1] with linear interpolation (type 7) of n >= 1 SORTED values. */
double ctw_num__quantile_sorted(const double *v, size_t n, double q);
/* The same of unsorted values; reorders v. */
double ctw_num__quantile(double *v, size_t n, double q);
/* Split-conformal quantile: the ceil((n+1)q)-th smallest of n SORTED scores, INFINITY when n is too small. */
double ctw_num__conformal_sorted(const double *v, size_t n, double q);
/* Pearson correlation; 0 when a side is constant. */
double ctw_num__pearson(const double *x, const double *y, size_t n);
/* Rank correlations, ties handled (tau-b, average ranks); O(n log n). CTW_E_NOMEM. */
ctw_status ctw_num__kendall(ctw_ctx *ctx, const double *x, const double *y, size_t n, double *tau);
ctw_status ctw_num__spearman(ctw_ctx *ctx, const double *x, const double *y, size_t n, double *rho);
/* Standard normal distribution function and its inverse (Wichura AS241; |error| < 1e-15). */
double ctw_num__normal_cdf(double z);
double ctw_num__normal_quantile(double p);

#endif
