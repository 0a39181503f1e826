/* rls.h: recursive least squares: a regression of many leads that goes on learning with every step at O(p^2), with
 * no refit. The covariance of the coefficients, shared by all leads, stays positive semidefinite by construction. */
#ifndef CTW_FORECAST_RLS_H
#define CTW_FORECAST_RLS_H

#include <cybertwin/base.h>
#include <stddef.h>

typedef struct ctw_forecast__rls {
    size_t p, leads; /* coefficients of each lead; leads, each an output of its own */
    double forget;   /* weight an observation keeps when the next one comes, in (0, 1] */
    double start;    /* mean diagonal of the covariance at the beginning: forgetting pauses at 1000 times that */
    double *s;       /* p x p, column after column: the covariance is S S' */
    double *w;       /* leads x p */
    double *x, *k;   /* rings of `leads` origins x p: features and gains */
    double *v;       /* p: scratch, and p more for the caller */
    uint64_t origin; /* rows seen */
    uint64_t restarts;
} ctw_forecast__rls;

ctw_status ctw_forecast__rls_new(ctw_ctx *ctx, ctw_forecast__rls *m, size_t p, size_t leads, double forget);
void ctw_forecast__rls_free(ctw_ctx *ctx, ctw_forecast__rls *m);
/* The covariance becomes (L L')^-1 for the lower triangle of L (d x d, d <= p) and diag[i - d] beyond. */
ctw_status ctw_forecast__rls_prior(ctw_ctx *ctx, ctw_forecast__rls *m, const double *l, size_t d, const double *diag);
/* A new origin with features x[p]: covariance and gain move; its outcomes come later. O(p^2). */
void ctw_forecast__rls_row(ctw_forecast__rls *m, const double *x);
/* The outcome at `lead` of the origin `back` rows before the newest (0 the newest, back < leads). O(p). */
void ctw_forecast__rls_learn(ctw_forecast__rls *m, size_t back, size_t lead, double y);
/* Expected outcome of features x[p]. */
double ctw_forecast__rls_at(const ctw_forecast__rls *m, const double *x, size_t lead);

#endif
