/* nnls.h: non-negative least squares from the normal equations. */
#ifndef CTW_POWER_NNLS_H
#define CTW_POWER_NNLS_H

#include <stddef.h>

/* Minimises c'Gc/2 - r'c over c >= 0 by cyclic coordinate descent from c = 0. G is k x k, row by row, symmetric,
 * positive semidefinite; a column with G[j][j] <= 0 stays 0. Deterministic; stops when nothing moves by more than
 * 1e-10 of the largest, or after 5000 sweeps (the last iterate is still feasible and no worse than any before). */
void ctw_power__nnls(const double *g, const double *r, size_t k, double *c);

#endif
