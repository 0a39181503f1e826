/* rows.h: sparse rows (compressed row storage), the one form in which the solvers and the predictor see data.
 * Dense callers are converted once; zeros are dropped. */
#ifndef CTW_SVM_ROWS_H
#define CTW_SVM_ROWS_H

#include <cybertwin/base.h>
#include <stddef.h>

typedef struct ctw_svm__rows {
    size_t n, d;   /* rows; features (highest column + 1, or more) */
    size_t *start; /* n + 1, NULL while n == 0 */
    int32_t *col;  /* from 0, ascending within a row */
    double *val;
    size_t start_cap, col_cap, val_cap;
} ctw_svm__rows;

void ctw_svm__rows_free(ctw_ctx *ctx, ctw_svm__rows *r);
/* Entries in all rows. */
size_t ctw_svm__rows_entries(const ctw_svm__rows *r);
/* Makes room for n more rows with nz more entries. CTW_E_NOMEM leaves the rows as they were. */
ctw_status ctw_svm__rows_reserve(ctw_ctx *ctx, ctw_svm__rows *r, size_t n, size_t nz);
/* Appends one row; room must have been reserved and the columns checked. */
void ctw_svm__rows_push(ctw_svm__rows *r, const int32_t *col, const double *val, size_t nz);
/* Appends n dense rows; the values must be finite and d fit an int32. */
ctw_status ctw_svm__rows_add_dense(ctw_ctx *ctx, ctw_svm__rows *r, const double *x, size_t n, size_t d, size_t stride);
/* Appends the rows idx[0..n) of src; idx NULL means the first n. */
ctw_status ctw_svm__rows_add(ctw_ctx *ctx, ctw_svm__rows *r, const ctw_svm__rows *src, const size_t *idx, size_t n);
/* Dot product of row i with a dense vector of `width` elements; columns beyond it count as zero. */
double ctw_svm__rows_dot(const ctw_svm__rows *r, size_t i, const double *w, size_t width);
/* Squared length of row i. */
double ctw_svm__rows_norm2(const ctw_svm__rows *r, size_t i);

/* Squared lengths of all rows, a new array. */
ctw_status ctw_svm__norms(ctw_ctx *ctx, const ctw_svm__rows *r, double **out);

#endif
