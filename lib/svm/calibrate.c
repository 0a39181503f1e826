/* calibrate.c: the cross-validation behind the probabilities: the sigmoid must not be fitted on the decision values
 * of the rows that were learned from. Folds are dealt class by class after a shuffle, so each holds both classes
 * whenever there are enough rows. */
#include "base/ctx.h"
#include "num/blas.h"
#include "num/rng.h"
#include "svm/learn.h"
#include <string.h>

#define FOLD_MODULE 0x5356464fu

typedef struct folds {
    size_t *order; /* rows of the problem, shuffled within each class */
    size_t *row;   /* one fold's training problem */
    double *y, *c, *alpha;
    double *dec, *scratch;
    uint8_t *fold;
} folds;

static void folds_free(ctw_ctx *ctx, folds *f)
{
    ctw_base__free(ctx, f->order);
    ctw_base__free(ctx, f->row);
    ctw_base__free(ctx, f->y);
    ctw_base__free(ctx, f->c);
    ctw_base__free(ctx, f->alpha);
    ctw_base__free(ctx, f->dec);
    ctw_base__free(ctx, f->scratch);
    ctw_base__free(ctx, f->fold);
}

static ctw_status folds_new(ctw_ctx *ctx, size_t n, folds *f)
{
    f->order = CTW_NEW(ctx, n, size_t);
    f->row = CTW_NEW(ctx, n, size_t);
    f->y = CTW_NEW(ctx, n, double);
    f->c = CTW_NEW(ctx, n, double);
    f->alpha = CTW_NEW(ctx, n, double);
    f->dec = CTW_NEW(ctx, n, double);
    f->scratch = CTW_NEW(ctx, n, double);
    f->fold = CTW_NEW(ctx, n, uint8_t);
    int ok = f->order && f->row && f->y && f->c && f->alpha && f->dec && f->scratch && f->fold;
    return ok ? CTW_OK : CTW_E_NOMEM;
}

/* The positive rows come first in a problem. */
static void deal(const ctw_svm__run *run, const ctw_svm__problem *p, folds *f)
{
    size_t pos = 0;
    ctw_num__rng g;
    while (pos < p->n && p->y[pos] > 0) pos++;
    ctw_num__rng_init(&g, ctw_base__seed(run->ctx), FOLD_MODULE, run->opts->stream);
    for (size_t i = 0; i < p->n; i++) f->order[i] = i;
    ctw_num__rng_shuffle(&g, f->order, pos);
    ctw_num__rng_shuffle(&g, f->order + pos, p->n - pos);
    for (size_t k = 0; k < p->n; k++) f->fold[f->order[k]] = (uint8_t)(k % (size_t)run->opts->folds);
}

/* The problem without fold k; sides: bit 0 positive, bit 1 negative rows in it. */
static size_t without(const ctw_svm__problem *p, const folds *f, size_t k, int *sides)
{
    size_t n = 0;
    *sides = 0;
    for (size_t i = 0; i < p->n; i++) {
        if (f->fold[i] == k) continue;
        f->row[n] = p->row[i];
        f->y[n] = p->y[i];
        f->c[n] = p->c[i];
        f->alpha[n++] = 0;
        *sides |= p->y[i] > 0 ? 1 : 2;
    }
    return n;
}

/* Decision values of fold k by a kernel machine, whose support vectors are rows of p->x. */
static ctw_status decide_kernel(const ctw_svm__run *run, const ctw_svm__problem *p, folds *f, size_t k,
                                const ctw_svm__machine *c)
{
    ctw_svm__columns cols;
    ctw_svm__work w;
    ctw_svm__kernel kernel = {run->opts->kernel, run->opts->degree, run->gamma, run->opts->coef0};
    size_t entries = 0;
    for (size_t i = 0; i < c->nsv; i++) entries += p->x->start[c->sv[i] + 1] - p->x->start[c->sv[i]];
    CTW_TRY(ctw_svm__columns_new(run->ctx, p->x, c->nsv, entries, &kernel, &cols));
    ctw_status st = ctw_svm__columns_fill(run->ctx, &cols, p->x, p->norm, c->sv, c->nsv);
    if (st == CTW_OK) st = ctw_svm__work_new(run->ctx, &cols, 1, &w);
    for (size_t i = 0; st == CTW_OK && i < p->n; i++) {
        if (f->fold[i] != k) continue;
        ctw_svm__kernel_block(&cols, &w, p->x, &p->row[i], 1);
        f->dec[i] = c->bias + (c->nsv ? ctw_num__dot(c->nsv, w.dot, c->coef) : 0);
    }
    if (st == CTW_OK) ctw_svm__work_free(run->ctx, &w);
    ctw_svm__columns_free(run->ctx, &cols);
    return st;
}

static ctw_status decide_fold(const ctw_svm__run *run, const ctw_svm__problem *p, folds *f, size_t k,
                              const ctw_svm__machine *c)
{
    if (!c->w) return decide_kernel(run, p, f, k, c);
    for (size_t i = 0; i < p->n; i++)
        if (f->fold[i] == k) f->dec[i] = c->bias + ctw_svm__rows_dot(p->x, p->row[i], c->w, p->x->d);
    return CTW_OK;
}

static ctw_status one_fold(const ctw_svm__run *run, const ctw_svm__problem *p, folds *f, size_t k)
{
    int sides;
    size_t n = without(p, f, k, &sides);
    ctw_svm__problem q = {.x = p->x, .n = n, .row = f->row, .norm = p->norm, .y = f->y, .c = f->c, .alpha = f->alpha};
    ctw_svm__machine c = {0};
    if (sides != 3) { /* nothing to learn from: the only class's side, or undecided */
        for (size_t i = 0; i < p->n; i++)
            if (f->fold[i] == k) f->dec[i] = sides == 1 ? 1 : sides == 2 ? -1 : 0;
        return CTW_OK;
    }
    ctw_status st = ctw_svm__solve_machine(run, &q, &c);
    if (st == CTW_OK) st = decide_fold(run, p, f, k, &c);
    ctw_base__free(run->ctx, c.w);
    ctw_base__free(run->ctx, c.sv);
    ctw_base__free(run->ctx, c.coef);
    return st;
}

ctw_status ctw_svm__calibrate(const ctw_svm__run *run, const ctw_svm__problem *p, ctw_svm__machine *c)
{
    folds f = {0};
    ctw_status st = folds_new(run->ctx, p->n, &f);
    if (st == CTW_OK) deal(run, p, &f);
    for (size_t k = 0; st == CTW_OK && k < (size_t)run->opts->folds; k++) st = one_fold(run, p, &f, k);
    if (st == CTW_OK) {
        ctw_svm__platt(f.dec, p->y, p->n, f.scratch, &c->pa, &c->pb);
        c->calibrated = 1;
    }
    folds_free(run->ctx, &f);
    return st;
}
