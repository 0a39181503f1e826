/* curve.h: a monotone piecewise-cubic curve through a few knots, held by value so that models need no
 * memory of their own; and the reduction of many scattered measurements to such knots. */
#ifndef CTW_POWER_CURVE_H
#define CTW_POWER_CURVE_H

#include <cybertwin/base.h>
#include <stddef.h>

#define CTW_POWER_KNOTS 64

typedef struct ctw_power__curve {
    size_t n; /* 0: no curve */
    double x[CTW_POWER_KNOTS], y[CTW_POWER_KNOTS], d[CTW_POWER_KNOTS];
} ctw_power__curve;

/* Slopes of c->x, c->y (ascending x) by Fritsch and Butland's weighted harmonic mean, one-sided at the ends. */
void ctw_power__curve_slopes(ctw_power__curve *c);
/* Value at q; straight on with the end's secant outside. n >= 1. */
double ctw_power__curve_at(const ctw_power__curve *c, double q);
/* Piecewise-linear value at q, straight on outside. */
double ctw_power__curve_linear(const ctw_power__curve *c, double q);
/* Knots from n scattered pairs: equal x averaged; more than `most` distinct x joined into bins of equal count;
 * weight (may be NULL) >= 0 of each pair. cw receives the knots' total weights (may be NULL). */
ctw_status ctw_power__curve_gather(ctw_ctx *ctx, const double *x, const double *y, const double *weight, size_t n,
                                   size_t most, ctw_power__curve *c, double *cw);
/* Pool adjacent violators: the nearest non-decreasing y in weighted least squares. */
void ctw_power__isotonic(double *y, const double *w, size_t n);

#endif
