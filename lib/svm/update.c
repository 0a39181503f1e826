/* update.c: adding rows to a fitted classifier and forgetting its oldest. smo and cd keep their training rows and go
 * on from their solution to the optimum of the new problem; sgd takes one more pass over the new rows alone. */
#include "base/ctx.h"
#include "svm/learn.h"
#include "svm/svmset.h"
#include <string.h>

/* The joined training problem of an update. */
typedef struct joined {
    ctw_svm__rows x;
    int64_t *label;
    double *weight;
} joined;

static void joined_free(ctw_ctx *ctx, joined *j)
{
    ctw_svm__rows_free(ctx, &j->x);
    ctw_base__free(ctx, j->label);
    ctw_base__free(ctx, j->weight);
}

/* Kept rows from `drop` on, then the new ones. */
static ctw_status join(ctw_ctx *ctx, const ctw_svm__model *m, size_t drop, const ctw_svm__training *more, joined *j)
{
    size_t old = m->kept.n - drop, n = old + more->x->n;
    size_t *idx = CTW_NEW(ctx, old, size_t);
    if (!idx) return CTW_E_NOMEM;
    for (size_t i = 0; i < old; i++) idx[i] = drop + i;
    ctw_status st = ctw_svm__rows_add(ctx, &j->x, &m->kept, idx, old);
    if (st == CTW_OK) st = ctw_svm__rows_add(ctx, &j->x, more->x, NULL, more->x->n);
    ctw_base__free(ctx, idx);
    CTW_TRY(st);
    j->label = CTW_NEW(ctx, n, int64_t);
    j->weight = CTW_NEW(ctx, n, double);
    if (!j->label || !j->weight) return CTW_E_NOMEM;
    memcpy(j->label, m->kept_label + drop, old * sizeof *j->label);
    memcpy(j->weight, m->kept_weight + drop, old * sizeof *j->weight);
    for (size_t i = 0; i < more->x->n; i++) {
        j->label[old + i] = more->label[i];
        j->weight[old + i] = more->weight ? more->weight[i] : 1;
    }
    return CTW_OK;
}

static ctw_status relearn(ctw_svm *m, const ctw_svm__training *more, size_t drop, ctw_cancel *cancel, const char *fn)
{
    joined j = {0};
    ctw_svm__model *next = NULL;
    ctw_status st = join(m->h.ctx, m->model, drop, more, &j);
    ctw_svm__training t = {.x = &j.x, .label = j.label, .weight = j.weight, .from = m->model, .dropped = drop};
    if (st == CTW_OK) st = ctw_svm__learn(m, &t, cancel, fn, &next);
    joined_free(m->h.ctx, &j);
    CTW_TRY(st);
    ctw_svm__model_free(m->h.ctx, m->model);
    m->model = next;
    return CTW_OK;
}

/* ---- sgd ---- */

/* The new rows of one machine: class of each row in cls, bounds in bound. */
typedef struct batch {
    const ctw_svm__rows *x;
    uint32_t *cls;
    double *bound;
    size_t *row;
    double *y, *c, *alpha, *w0;
} batch;

static void batch_free(ctw_ctx *ctx, batch *b)
{
    ctw_base__free(ctx, b->cls);
    ctw_base__free(ctx, b->bound);
    ctw_base__free(ctx, b->row);
    ctw_base__free(ctx, b->y);
    ctw_base__free(ctx, b->c);
    ctw_base__free(ctx, b->alpha);
    ctw_base__free(ctx, b->w0);
}

static ctw_status batch_new(ctw_ctx *ctx, const ctw_svm__model *m, const ctw_svm__training *t, batch *b)
{
    size_t n = t->x->n;
    b->x = t->x;
    b->cls = CTW_NEW(ctx, n, uint32_t);
    b->bound = CTW_NEW(ctx, n, double);
    b->row = CTW_NEW(ctx, n, size_t);
    b->y = CTW_NEW(ctx, n, double);
    b->c = CTW_NEW(ctx, n, double);
    b->alpha = CTW_NEW(ctx, n, double);
    b->w0 = CTW_NEW(ctx, m->d + 1, double);
    return b->cls && b->bound && b->row && b->y && b->c && b->alpha && b->w0 ? CTW_OK : CTW_E_NOMEM;
}

static ctw_status classify_batch(const ctw_svm *m, const ctw_svm__training *t, batch *b, const char *fn)
{
    const ctw_svm__model *md = m->model;
    for (size_t i = 0; i < t->x->n; i++) {
        size_t k = ctw_svm__class_of(md->label, md->classes, t->label[i]);
        if (k == md->classes || md->label[k] != t->label[i])
            return ctw_base__fail(CTW_E_ARG, "%s: label %lld is none of the model's classes", fn,
                                  (long long)t->label[i]);
        b->cls[i] = (uint32_t)k;
        b->bound[i] = m->opts.c * ctw_svm__class_factor(m, t->label[i]) * (t->weight ? t->weight[i] : 1);
    }
    return CTW_OK;
}

static size_t batch_rows(const batch *b, const ctw_svm__machine *c)
{
    size_t n = 0;
    for (size_t i = 0; i < b->x->n; i++) {
        int32_t k = (int32_t)b->cls[i];
        if (k != c->pos && c->neg >= 0 && k != c->neg) continue;
        b->row[n] = i;
        b->y[n] = k == c->pos ? 1 : -1;
        b->c[n++] = b->bound[i];
    }
    return n;
}

/* One pass of machine c over its part of the batch; the answer into s. */
static ctw_status pass(const ctw_svm__run *run, const ctw_svm__machine *c, size_t d, batch *b, ctw_svm__solution *s)
{
    size_t n = batch_rows(b, c);
    memcpy(b->w0, c->w, d * sizeof *b->w0);
    b->w0[d] = run->opts->bias > 0 ? c->bias / run->opts->bias : 0;
    ctw_svm__problem p = {.x = b->x,
                          .n = n,
                          .row = b->row,
                          .y = b->y,
                          .c = b->c,
                          .alpha = b->alpha,
                          .w0 = b->w0,
                          .steps0 = c->steps,
                          .seen0 = c->seen};
    return n ? ctw_svm__sgd(run, &p, s) : CTW_OK;
}

/* All machines first, then all answers are taken over: a failure changes nothing. */
static ctw_status stream(const ctw_svm__run *run, ctw_svm__model *m, batch *b)
{
    ctw_svm__solution *s = CTW_NEW(run->ctx, m->machines, ctw_svm__solution);
    ctw_status st = s ? CTW_OK : CTW_E_NOMEM;
    for (size_t k = 0; st == CTW_OK && k < m->machines; k++) st = pass(run, &m->machine[k], m->d, b, &s[k]);
    for (size_t k = 0; st == CTW_OK && k < m->machines; k++) {
        if (!s[k].w) continue;
        ctw_svm__machine *c = &m->machine[k];
        double *old = c->w;
        c->w = s[k].w;
        s[k].w = old; /* freed below */
        c->bias = s[k].bias;
        c->objective = s[k].objective;
        c->iterations += s[k].iterations;
        c->steps = s[k].steps;
        c->seen = s[k].seen;
    }
    for (size_t k = 0; s && k < m->machines; k++) ctw_base__free(run->ctx, s[k].w);
    ctw_base__free(run->ctx, s);
    return st;
}

static ctw_status update_sgd(ctw_svm *m, const ctw_svm__training *t, ctw_cancel *cancel, const char *fn)
{
    batch b = {0};
    ctw_svm__run run = {.ctx = m->h.ctx,
                        .opts = &m->opts,
                        .gamma = m->model->gamma,
                        .cancel = cancel,
                        .progress = m->progress,
                        .user = m->user,
                        .fn = fn};
    if (t->x->d > m->model->d)
        return ctw_base__fail(CTW_E_SHAPE, "%s: the rows have %llu features, the model has %llu", fn,
                              (unsigned long long)t->x->d, (unsigned long long)m->model->d);
    ctw_status st = batch_new(m->h.ctx, m->model, t, &b);
    if (st == CTW_OK) st = classify_batch(m, t, &b, fn);
    ctw_svm__rows wide = *t->x; /* the batch seen with the model's width */
    wide.d = m->model->d;
    b.x = &wide;
    if (st == CTW_OK) st = stream(&run, m->model, &b);
    batch_free(m->h.ctx, &b);
    return st;
}

/* ---- public ---- */

static ctw_status can_continue(const ctw_svm *m, const char *fn)
{
    if (m->model->kept_label) return CTW_OK;
    return ctw_base__fail(CTW_E_STATE, "%s: the model was fitted without option incremental", fn);
}

static ctw_status update(ctw_svm *m, const ctw_svm__training *t, ctw_cancel *cancel, const char *fn)
{
    if (t->weight) CTW_TRY(ctw_base__all_in(t->weight, t->x->n, 1, 1e-12, 1e12, fn, "weight"));
    if (t->x->n == 0) return CTW_OK;
    if (m->opts.solver == CTW_SVM_SGD) return update_sgd(m, t, cancel, fn);
    CTW_TRY(can_continue(m, fn));
    return relearn(m, t, 0, cancel, fn);
}

static ctw_status update_dense(ctw_svm *m, const double *x, uint64_t n, uint64_t d, uint64_t stride,
                               const int64_t *label, const double *weight, ctw_cancel *cancel, const char *fn)
{
    CTW_TRY(ctw_svm__fitted(m, fn));
    CTW_TRY(ctw_base__matrix(x, n, d, stride, fn, "x"));
    CTW_TRY(ctw_base__need_n(label, n, fn, "label"));
    if (n && d != m->model->d)
        return ctw_base__fail(CTW_E_SHAPE, "%s: d is %llu, the model has %llu features", fn, (unsigned long long)d,
                              (unsigned long long)m->model->d);
    ctw_svm__rows r = {0};
    ctw_svm__training t = {.x = &r, .label = label, .weight = weight};
    ctw_status st = ctw_svm__rows_add_dense(m->h.ctx, &r, x, (size_t)n, (size_t)d, (size_t)stride);
    if (st == CTW_OK) st = update(m, &t, cancel, fn);
    ctw_svm__rows_free(m->h.ctx, &r);
    return st;
}

static ctw_status enter(ctw_svm *m, const char *fn)
{
    return ctw_base__handle_enter(m ? &m->h : NULL, CTW_SVM_MAGIC, fn, "m");
}

ctw_status ctw_svm_update(ctw_svm *m, const double *x, uint64_t n, uint64_t d, uint64_t stride, const int64_t *label,
                          const double *weight, ctw_cancel *cancel)
{
    CTW_TRY(enter(m, __func__));
    ctw_status st = update_dense(m, x, n, d, stride, label, weight, cancel, __func__);
    ctw_base__handle_leave(&m->h);
    return st;
}

ctw_status ctw_svm_update_set(ctw_svm *m, const ctw_svmset *s, const double *weight, ctw_cancel *cancel)
{
    CTW_TRY(enter(m, __func__));
    ctw_status st = ctw_svm__fitted(m, __func__);
    if (st == CTW_OK) st = ctw_svm__set_check(s, __func__);
    if (st == CTW_OK) {
        ctw_svm__training t = {.x = &s->rows, .label = s->label, .weight = weight};
        st = update(m, &t, cancel, __func__);
    }
    ctw_base__handle_leave(&m->h);
    return st;
}

uint64_t ctw_svm_kept(const ctw_svm *m)
{
    return m && m->model ? m->model->kept.n : 0;
}

static ctw_status forget(ctw_svm *m, uint64_t count, ctw_cancel *cancel, const char *fn)
{
    static const ctw_svm__rows none = {0};
    static const ctw_svm__training nothing = {.x = &none};
    CTW_TRY(ctw_svm__fitted(m, fn));
    CTW_TRY(can_continue(m, fn));
    CTW_TRY(ctw_base__in_u64(count, 0, m->model->kept.n, fn, "count"));
    return count ? relearn(m, &nothing, (size_t)count, cancel, fn) : CTW_OK;
}

ctw_status ctw_svm_forget(ctw_svm *m, uint64_t count, ctw_cancel *cancel)
{
    CTW_TRY(enter(m, __func__));
    ctw_status st = forget(m, count, cancel, __func__);
    ctw_base__handle_leave(&m->h);
    return st;
}
