/* kernel.h: rows of the kernel matrix. A set of rows (the right side) is turned round into columns, one a feature,
 * in whichever form multiplies fastest: entries with values; only places where all values of a feature are equal
 * (one-hot data), or the places where it is absent when those are fewer; a dense block for BLAS where most values
 * are present. One row of the left side then touches only its own features' columns. */
#ifndef CTW_SVM_KERNEL_H
#define CTW_SVM_KERNEL_H

#include "num/mat.h"
#include "svm/rows.h"
#include "svm/simd.h"
#include "svm/svm_params.h"

typedef struct ctw_svm__kernel {
    int kind, degree;
    double gamma, coef0;
} ctw_svm__kernel;

typedef struct ctw_svm__column {
    size_t at;      /* first entry in place/value */
    uint32_t count; /* entries */
    int32_t dense;  /* column of the dense block, or -1 */
    double common;  /* the one value of all entries, 0 when they differ */
    int absent;     /* the entries are the rows that do not have it */
} ctw_svm__column;

typedef struct ctw_svm__columns {
    ctw_svm__kernel kernel;
    ctw_svm__loops loops;
    size_t m, cap_m;         /* rows on the right */
    size_t d;                /* columns below */
    int32_t *feature;        /* d: which feature each is, ascending; NULL: column k is feature k */
    double *norm;            /* m squared lengths */
    ctw_svm__column *column; /* d */
    uint32_t *place;
    double *value;
    ctw_num__mat block; /* m x (number of dense columns) */
    size_t cap_block;   /* doubles in it */
} ctw_svm__columns;

/* Room for turning round up to m rows of x, any of them. */
ctw_status ctw_svm__columns_new(ctw_ctx *ctx, const ctw_svm__rows *x, size_t m, size_t entries,
                                const ctw_svm__kernel *k, ctw_svm__columns *out);
void ctw_svm__columns_free(ctw_ctx *ctx, ctw_svm__columns *c);
/* Turns round the rows idx[0..m) of x (NULL: the first m); norm has the squared lengths of all rows of x. */
ctw_status ctw_svm__columns_fill(ctw_ctx *ctx, ctw_svm__columns *c, const ctw_svm__rows *x, const double *norm,
                                 const size_t *idx, size_t m);

/* Column of a listed feature, NULL when no row on the right has it. */
ctw_svm__column *ctw_svm__columns_search(const ctw_svm__columns *c, int32_t feature);

static inline ctw_svm__column *ctw_svm__columns_find(const ctw_svm__columns *c, int32_t feature)
{
    if (c->feature) return ctw_svm__columns_search(c, feature);
    return (size_t)feature < c->d ? &c->column[feature] : NULL;
}

/* Scratch space for up to `rows` left rows against c, which may have up to m rows on the right. */
typedef struct ctw_svm__work {
    double *dot;  /* rows x m */
    double *left; /* rows x dense columns */
    size_t rows;
} ctw_svm__work;
ctw_status ctw_svm__work_new(ctw_ctx *ctx, const ctw_svm__columns *c, size_t rows, ctw_svm__work *w);
void ctw_svm__work_free(ctw_ctx *ctx, ctw_svm__work *w);

/* K(x_i, .) for one left row, m values: floats, or doubles when `wide`. */
void ctw_svm__kernel_row(const ctw_svm__columns *c, ctw_svm__work *w, const ctw_svm__rows *x, size_t i, double norm,
                         int wide, void *out);
/* K for w->rows or fewer left rows at once, in place: row k's values are then at w->dot + k * m. */
void ctw_svm__kernel_block(const ctw_svm__columns *c, ctw_svm__work *w, const ctw_svm__rows *x, const size_t *idx,
                           size_t n);
/* K(x_i, x_i). */
double ctw_svm__kernel_self(const ctw_svm__kernel *k, double norm);

#endif
