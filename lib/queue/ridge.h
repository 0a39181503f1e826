/* ridge.h: ridge regression on sparse rows of hashed features plus a few dense columns, by conjugate
 * gradients: no factorisation of a 65,536-column matrix, and a few milliseconds an iteration. */
#ifndef CTW_QUEUE_RIDGE_H
#define CTW_QUEUE_RIDGE_H

#include <cybertwin/base.h>
#include <stddef.h>

#define CTW_RIDGE_DENSE 12u /* most dense columns, the constant included */

/* Rows as compressed sparse: entry = kind << 24 | column; its value is scale[kind]. */
typedef struct ctw_queue__design {
    size_t n, columns;   /* rows; hashed columns */
    const size_t *start; /* n + 1 */
    const uint32_t *entry;
    const float *scale; /* by kind */
    size_t dense;       /* columns of x */
    const double *x;    /* n x dense, row-major */
} ctw_queue__design;

/* Minimises sum over rows in `use` of (row.w - t)^2 + lambda |w|^2; w[columns + dense] holds the start on entry and the
 * answer on return. `use` lists n_use rows. scratch: 4 * (columns + dense) doubles. */
ctw_status ctw_queue__ridge(const ctw_queue__design *d, const uint32_t *use, size_t n_use, const double *t,
                            double lambda, double *w, double *scratch, const ctw_cancel *cancel, const char *fn);
double ctw_queue__row_dot(const ctw_queue__design *d, size_t row, const double *w);

#endif
