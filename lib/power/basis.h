/* basis.h: busy and idle power over frequency as a sum of powers of x with coefficients >= 0. */
#ifndef CTW_POWER_BASIS_H
#define CTW_POWER_BASIS_H

#include <stddef.h>

#define CTW_POWER_BASIS 5

/* Coefficients of 1, x, x^2, x^3, x^5 that minimise the relative squared error over n pairs (x, y > 0,
 * weights w, NULL: 1), all >= 0. Exact: every support is tried. n >= 1. Returns the residual. */
double ctw_power__basis_fit(const double *x, const double *y, const double *w, size_t n, double c[CTW_POWER_BASIS]);
double ctw_power__basis_at(const double c[CTW_POWER_BASIS], double x);

#endif
