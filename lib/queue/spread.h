/* spread.h: the distribution of log(1 + tokens) given a score, from held-out pairs: quantile curves on a grid of
 * scores. It turns one linear score into medians, quantiles and class probabilities, and being fitted on
 * errors the model really made, a 90 % quantile holds 90 %. */
#ifndef CTW_QUEUE_SPREAD_H
#define CTW_QUEUE_SPREAD_H

#include <cybertwin/base.h>
#include <stddef.h>

#define CTW_SPREAD_KNOTS  24u
#define CTW_SPREAD_LEVELS 25u

typedef struct ctw_queue__spread {
    double knot[CTW_SPREAD_KNOTS]; /* ascending scores */
    double at[CTW_SPREAD_KNOTS][CTW_SPREAD_LEVELS];
} ctw_queue__spread;

/* From n >= 2 held-out (score, value) pairs. CTW_E_NOMEM. */
ctw_status ctw_queue__spread_fit(ctw_queue__spread *s, ctw_ctx *ctx, const double *score, const double *value,
                                 size_t n);
/* Value that is not exceeded with probability p in [0.01, 0.99]; strictly increasing in the score. */
double ctw_queue__spread_quantile(const ctw_queue__spread *s, double score, double p);
/* Probability that the value is below v. */
double ctw_queue__spread_below(const ctw_queue__spread *s, double score, double v);
/* 1 when loaded numbers can be a spread. */
int ctw_queue__spread_valid(const ctw_queue__spread *s);

#endif
