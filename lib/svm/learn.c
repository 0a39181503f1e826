/* learn.c: from labelled rows to a model: the classes, the bounds C_i of every row, one binary problem per
 * machine. In each problem the positive rows come first, then the negative, both in their given order. */
#include "svm/learn.h"
#include "base/ctx.h"
#include "num/sort.h"
#include <math.h>
#include <string.h>

/* Distinct labels, ascending, into *out; count into *k. */
static ctw_status distinct(ctw_ctx *ctx, const int64_t *label, size_t n, int64_t **out, size_t *k)
{
    size_t *idx = CTW_NEW(ctx, n, size_t);
    int64_t *v = CTW_NEW(ctx, n, int64_t);
    if (idx && v) {
        ctw_num__argsort_i64(label, idx, n);
        *k = 0;
        for (size_t i = 0; i < n; i++)
            if (*k == 0 || v[*k - 1] != label[idx[i]]) v[(*k)++] = label[idx[i]];
    }
    ctw_base__free(ctx, idx);
    if (!v || !idx) {
        ctw_base__free(ctx, v);
        return CTW_E_NOMEM;
    }
    *out = v;
    return CTW_OK;
}

size_t ctw_svm__class_of(const int64_t *label, size_t k, int64_t v)
{
    size_t lo = 0, hi = k;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (label[mid] < v)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

double ctw_svm__class_factor(const ctw_svm *m, int64_t label)
{
    for (size_t i = 0; i < m->n_cw; i++)
        if (m->cw[i].label == label) return m->cw[i].weight;
    return 1;
}

/* Upper bound of every row's multiplier. */
static ctw_status bounds(const ctw_svm *m, const ctw_svm__training *t, ctw_svm__task *task)
{
    size_t k = task->model->classes, n = t->x->n;
    size_t *count = CTW_NEW(m->h.ctx, k, size_t);
    task->cls = CTW_NEW(m->h.ctx, n, uint32_t);
    task->bound = CTW_NEW(m->h.ctx, n, double);
    if (!count || !task->cls || !task->bound) {
        ctw_base__free(m->h.ctx, count);
        return CTW_E_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        task->cls[i] = (uint32_t)ctw_svm__class_of(task->model->label, k, t->label[i]);
        count[task->cls[i]]++;
    }
    for (size_t i = 0; i < n; i++) {
        double c = m->opts.c * ctw_svm__class_factor(m, t->label[i]) * (t->weight ? t->weight[i] : 1);
        if (m->opts.balanced) c *= (double)n / ((double)k * (double)count[task->cls[i]]);
        task->bound[i] = c;
    }
    ctw_base__free(m->h.ctx, count);
    return CTW_OK;
}

/* Rows of one machine's problem into row/y/c, positive first; returns their number. */
static size_t gather(const ctw_svm__task *task, const ctw_svm__machine *c, size_t *row, double *y, double *bound)
{
    size_t n = 0;
    for (int side = 1; side >= -1; side -= 2)
        for (size_t i = 0; i < task->x->n; i++) {
            int32_t k = (int32_t)task->cls[i];
            int is = k == c->pos ? 1 : (c->neg < 0 || k == c->neg) ? -1 : 0;
            if (is != side) continue;
            row[n] = i;
            y[n] = side;
            bound[n++] = task->bound[i];
        }
    return n;
}

static ctw_status solve(const ctw_svm__run *run, ctw_svm__problem *p, ctw_svm__solution *out)
{
    switch (run->opts->solver) {
    case CTW_SVM_CD: return ctw_svm__cd(run, p, out);
    case CTW_SVM_SGD: return ctw_svm__sgd(run, p, out);
    default: return ctw_svm__smo_solve(run, p, out);
    }
}

/* What a solution leaves in its machine. */
static void keep_figures(const ctw_svm__problem *p, const ctw_svm__solution *s, ctw_svm__machine *c)
{
    c->bias = s->bias;
    c->w = s->w;
    c->objective = s->objective;
    c->iterations = s->iterations;
    c->converged = s->converged;
    c->steps = s->steps;
    c->seen = s->seen;
    c->support = c->bounded = 0;
    for (size_t i = 0; i < p->n; i++) {
        c->support += p->alpha[i] > 0;
        c->bounded += p->alpha[i] >= p->c[i];
    }
}

ctw_status ctw_svm__solve_machine(const ctw_svm__run *run, ctw_svm__problem *p, ctw_svm__machine *c)
{
    ctw_svm__solution s;
    CTW_TRY(solve(run, p, &s));
    keep_figures(p, &s, c);
    return c->w ? CTW_OK : ctw_svm__collect(run, p, c);
}

static void forget_f(ctw_svm__task *task, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        task->f0[i] = NAN;
        task->b0[i] = 0;
    }
}

/* The machine's multipliers and f by training row. */
static ctw_status keep_machine(const ctw_svm__run *run, const ctw_svm__task *task, ctw_svm__machine *c, size_t n)
{
    c->beta = CTW_NEW(run->ctx, task->x->n, double);
    if (task->f0) c->f = CTW_NEW(run->ctx, task->x->n, double);
    if (!c->beta || (task->f0 && !c->f)) return CTW_E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        c->beta[task->row[i]] = task->y[i] * task->alpha[i];
        if (c->f) c->f[task->row[i]] = task->f0[i];
    }
    return CTW_OK;
}

static ctw_status learn_machine(const ctw_svm__run *run, ctw_svm__task *task, size_t k)
{
    ctw_svm__machine *c = &task->model->machine[k];
    size_t n = gather(task, c, task->row, task->y, task->c);
    memset(task->alpha, 0, n * sizeof *task->alpha);
    ctw_svm__problem p = {
        .x = task->x, .n = n, .row = task->row, .norm = task->norm, .y = task->y, .c = task->c, .alpha = task->alpha};
    if (task->f0) forget_f(task, n);
    if (task->training->from) p.warm = ctw_svm__warm(run, task, k, n);
    p.f0 = task->f0;
    p.b0 = task->b0;
    CTW_TRY(ctw_svm__solve_machine(run, &p, c));
    for (size_t i = 0; i < n; i++)
        if (task->alpha[i] > 0) task->used[task->row[i]] = 1;
    if (run->opts->incremental) CTW_TRY(keep_machine(run, task, c, n));
    return run->opts->probability ? ctw_svm__calibrate(run, &p, c) : CTW_OK;
}

static ctw_status learn_all(const ctw_svm__run *run, ctw_svm__task *task)
{
    size_t n = task->x->n;
    task->row = CTW_NEW(run->ctx, n, size_t);
    task->y = CTW_NEW(run->ctx, n, double);
    task->c = CTW_NEW(run->ctx, n, double);
    task->alpha = CTW_NEW(run->ctx, n, double);
    task->used = CTW_NEW(run->ctx, n, uint8_t);
    if (!task->row || !task->y || !task->c || !task->alpha || !task->used) return CTW_E_NOMEM;
    if (run->opts->incremental && run->opts->solver == CTW_SVM_SMO) {
        task->f0 = CTW_NEW(run->ctx, n, double);
        task->b0 = CTW_NEW(run->ctx, n, double);
        if (!task->f0 || !task->b0) return CTW_E_NOMEM;
    }
    if (run->opts->solver == CTW_SVM_SMO) CTW_TRY(ctw_svm__norms(run->ctx, task->x, &task->norm));
    for (size_t k = 0; k < task->model->machines; k++) CTW_TRY(learn_machine(run, task, k));
    for (size_t i = 0; i < n; i++) task->model->vectors += task->used[i];
    if (run->opts->incremental) CTW_TRY(ctw_svm__keep(run, task));
    if (run->opts->kernel == CTW_SVM_LINEAR) return CTW_OK;
    return ctw_svm__own_vectors(run, task->model, task->x, task->used);
}

static void task_free(ctw_ctx *ctx, ctw_svm__task *t)
{
    ctw_base__free(ctx, t->cls);
    ctw_base__free(ctx, t->bound);
    ctw_base__free(ctx, t->row);
    ctw_base__free(ctx, t->y);
    ctw_base__free(ctx, t->c);
    ctw_base__free(ctx, t->alpha);
    ctw_base__free(ctx, t->used);
    ctw_base__free(ctx, t->norm);
    ctw_base__free(ctx, t->f0);
    ctw_base__free(ctx, t->b0);
}

/* The empty model with its classes. */
static ctw_status begin(const ctw_svm *m, const ctw_svm__training *t, const char *fn, ctw_svm__model **out)
{
    int64_t *label = NULL;
    size_t k = 0;
    CTW_TRY(ctw_base__in_u64(t->x->n, 2, UINT32_MAX - 1, fn, "n"));
    CTW_TRY(distinct(m->h.ctx, t->label, t->x->n, &label, &k));
    ctw_status st = CTW_OK;
    if (k < 2)
        st = ctw_base__fail(CTW_E_ARG, "%s: every label is %lld, at least two classes are needed", fn,
                            (long long)t->label[0]);
    else if (k > 10000)
        st = ctw_base__fail(CTW_E_RANGE, "%s: %llu classes, at most 10000", fn, (unsigned long long)k);
    if (st == CTW_OK) st = ctw_svm__model_new(m->h.ctx, k, m->opts.multi == CTW_SVM_OVR, out);
    if (st == CTW_OK) memcpy((*out)->label, label, k * sizeof *label);
    ctw_base__free(m->h.ctx, label);
    return st;
}

ctw_status ctw_svm__learn(const ctw_svm *m, const ctw_svm__training *t, ctw_cancel *cancel, const char *fn,
                          ctw_svm__model **out)
{
    ctw_svm__task task = {.x = t->x, .training = t};
    CTW_TRY(begin(m, t, fn, &task.model));
    task.model->d = t->x->d;
    task.model->gamma = m->opts.gamma > 0 ? m->opts.gamma
                        : t->from         ? t->from->gamma
                                          : 1.0 / (double)(t->x->d ? t->x->d : 1);
    ctw_svm__run run = {.ctx = m->h.ctx,
                        .opts = &m->opts,
                        .gamma = task.model->gamma,
                        .cancel = cancel,
                        .progress = m->progress,
                        .user = m->user,
                        .fn = fn};
    ctw_status st = bounds(m, t, &task);
    if (st == CTW_OK) st = learn_all(&run, &task);
    task_free(m->h.ctx, &task);
    if (st == CTW_OK)
        *out = task.model;
    else
        ctw_svm__model_free(m->h.ctx, task.model);
    return st;
}
