/* kernel.c: kernel values of left rows against rows turned round into columns. Dot products are summed in double
 * precision; the transcendental part is vectorised (simd.h). */
#include "svm/kernel.h"
#include "base/alloc.h"
#include "base/error.h"
#include "num/blas.h"
#include <math.h>
#include <string.h>

static double power(double b, int e)
{
    double r = 1;
    for (; e; e >>= 1, b *= b)
        if (e & 1) r *= b;
    return r;
}

static double from_dot(const ctw_svm__kernel *k, double dot)
{
    switch (k->kind) {
    case CTW_SVM_POLY: return power(k->gamma * dot + k->coef0, k->degree);
    case CTW_SVM_SIGMOID: return tanh(k->gamma * dot + k->coef0);
    default: return dot;
    }
}

double ctw_svm__kernel_self(const ctw_svm__kernel *k, double norm)
{
    return k->kind == CTW_SVM_RBF ? 1.0 : from_dot(k, norm);
}

ctw_status ctw_svm__work_new(ctw_ctx *ctx, const ctw_svm__columns *c, size_t rows, ctw_svm__work *w)
{
    if (rows > SIZE_MAX / (c->cap_m + c->d + 1)) return ctw_base__nomem();
    w->rows = rows;
    w->dot = ctw_base__alloc(ctx, rows * c->cap_m, sizeof *w->dot);
    w->left = ctw_base__alloc(ctx, rows * c->d, sizeof *w->left);
    if (w->dot && w->left) return CTW_OK;
    ctw_svm__work_free(ctx, w);
    return CTW_E_NOMEM;
}

void ctw_svm__work_free(ctw_ctx *ctx, ctw_svm__work *w)
{
    ctw_base__free(ctx, w->dot);
    ctw_base__free(ctx, w->left);
    w->dot = w->left = NULL;
}

static void scatter_common(double *dot, const uint32_t *place, size_t n, double v)
{
    for (size_t p = 0; p < n; p++) dot[place[p]] += v;
}

static void scatter(double *dot, const uint32_t *place, const double *value, size_t n, double v)
{
    for (size_t p = 0; p < n; p++) dot[place[p]] += v * value[p];
}

/* What features present (nearly) everywhere add to every dot product of row i. */
static double offset(const ctw_svm__columns *c, const ctw_svm__rows *x, size_t i)
{
    double all = 0;
    for (size_t p = x->start[i]; p < x->start[i + 1]; p++) {
        const ctw_svm__column *f = ctw_svm__columns_find(c, x->col[p]);
        if (f && f->absent) all += x->val[p] * f->common;
    }
    return all;
}

/* The sparse columns' part of row i's dot products. */
static void add_sparse(const ctw_svm__columns *c, const ctw_svm__rows *x, size_t i, double *dot)
{
    for (size_t p = x->start[i]; p < x->start[i + 1]; p++) {
        const ctw_svm__column *f = ctw_svm__columns_find(c, x->col[p]);
        if (!f || f->dense >= 0) continue;
        double v = x->val[p];
        if (f->absent)
            scatter_common(dot, c->place + f->at, f->count, -v * f->common);
        else if (f->common != 0)
            scatter_common(dot, c->place + f->at, f->count, v * f->common);
        else
            scatter(dot, c->place + f->at, c->value + f->at, f->count, v);
    }
}

/* The dense columns' values of row i. */
static void spread(const ctw_svm__columns *c, const ctw_svm__rows *x, size_t i, double *left)
{
    memset(left, 0, c->block.cols * sizeof *left);
    for (size_t p = x->start[i]; p < x->start[i + 1]; p++) {
        const ctw_svm__column *f = ctw_svm__columns_find(c, x->col[p]);
        if (f && f->dense >= 0) left[f->dense] = x->val[p];
    }
}

/* The dense columns' part, four at a time; one row is too little work for BLAS, and its threads. */
static void add_dense(const ctw_svm__columns *c, const ctw_svm__rows *x, size_t i, double *dot)
{
    const double *col[4] = {dot, dot, dot, dot};
    double v[4] = {0};
    int n = 0;
    for (size_t p = x->start[i]; p < x->start[i + 1]; p++) {
        const ctw_svm__column *f = ctw_svm__columns_find(c, x->col[p]);
        if (!f || f->dense < 0) continue;
        col[n] = c->block.a + (size_t)f->dense * c->block.ld;
        v[n++] = x->val[p];
        if (n < 4) continue;
        c->loops.four(dot, col, v, c->m);
        n = 0;
    }
    if (n == 0) return;
    for (int k = n; k < 4; k++) {
        col[k] = col[0];
        v[k] = 0;
    }
    c->loops.four(dot, col, v, c->m);
}

static void dots(const ctw_svm__columns *c, ctw_svm__work *w, const ctw_svm__rows *x, size_t i)
{
    double all = offset(c, x, i);
    for (size_t k = 0; k < c->m; k++) w->dot[k] = all;
    if (c->block.cols) add_dense(c, x, i, w->dot);
    add_sparse(c, x, i, w->dot);
}

void ctw_svm__kernel_row(const ctw_svm__columns *c, ctw_svm__work *w, const ctw_svm__rows *x, size_t i, double norm,
                         int wide, void *out)
{
    if (c->m == 0) return;
    dots(c, w, x, i);
    if (c->kernel.kind == CTW_SVM_RBF && wide)
        c->loops.rbf_f64(out, w->dot, c->norm, norm, c->kernel.gamma, c->m);
    else if (c->kernel.kind == CTW_SVM_RBF)
        c->loops.rbf_f32(out, w->dot, c->norm, norm, c->kernel.gamma, c->m);
    else if (wide)
        for (size_t k = 0; k < c->m; k++) ((double *)out)[k] = from_dot(&c->kernel, w->dot[k]);
    else
        for (size_t k = 0; k < c->m; k++) ((float *)out)[k] = (float)from_dot(&c->kernel, w->dot[k]);
}

/* Dot products of n left rows, one BLAS call for the dense columns of all of them. */
static void dots_block(const ctw_svm__columns *c, ctw_svm__work *w, const ctw_svm__rows *x, const size_t *idx, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        double all = offset(c, x, idx[k]);
        for (size_t j = 0; j < c->m; j++) w->dot[k * c->m + j] = all;
        spread(c, x, idx[k], w->left + k * c->block.cols);
    }
    if (c->block.cols) {
        ctw_num__mat left = {w->left, c->block.cols, n, c->block.cols}, dot = {w->dot, c->m, n, c->m};
        ctw_num__gemm(0, 0, 1, &c->block, &left, 1, &dot);
    }
    for (size_t k = 0; k < n; k++) add_sparse(c, x, idx[k], w->dot + k * c->m);
}

void ctw_svm__kernel_block(const ctw_svm__columns *c, ctw_svm__work *w, const ctw_svm__rows *x, const size_t *idx,
                           size_t n)
{
    if (c->m == 0 || n == 0) return;
    dots_block(c, w, x, idx, n);
    for (size_t k = 0; k < n; k++) {
        double *dot = w->dot + k * c->m;
        if (c->kernel.kind == CTW_SVM_RBF)
            c->loops.rbf_f64(dot, dot, c->norm, ctw_svm__rows_norm2(x, idx[k]), c->kernel.gamma, c->m);
        else
            for (size_t j = 0; j < c->m; j++) dot[j] = from_dot(&c->kernel, dot[j]);
    }
}
