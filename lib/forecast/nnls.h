/* nnls.h: non-negative least squares on normal equations, for emission factors that nobody published. */
#ifndef CTW_FORECAST_NNLS_H
#define CTW_FORECAST_NNLS_H

#include <stddef.h>

/* Minimises w'Gw/2 - b'w over w >= 0 by cyclic coordinate descent; G n x n symmetric, row after row. */
void ctw_forecast__nnls(const double *g, const double *b, size_t n, double *w);

#endif
