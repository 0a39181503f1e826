/* train.c: from labelled rows to a linear score: standardise, balance the classes, fit a linear support vector
 * machine. Linear, because with some dozens of guilty rows curved machines fit the training services by heart. */
#include "base/alloc.h"
#include "rca/rca_internal.h"
#include <cybertwin/svm.h>
#include <math.h>
#include <string.h>

static ctw_status check_classes(const ctw_rca__labelled *d, const char *fn)
{
    size_t guilty = 0;
    for (size_t i = 0; i < d->count; i++) guilty += d->guilty[i] != 0;
    if (!guilty || guilty == d->count)
        return ctw_base__fail(CTW_E_STATE, "%s: %zu labelled rows, %zu of them guilty: both kinds are needed", fn,
                              d->count, guilty);
    return CTW_OK;
}

static void standardise(const ctw_rca__labelled *d, int column, double *mean, double *scale)
{
    double m = 0, var = 0;
    for (size_t i = 0; i < d->count; i++) m += d->x[i * CTW_RCA_COLUMNS + (size_t)column];
    m /= (double)d->count;
    for (size_t i = 0; i < d->count; i++) {
        double v = d->x[i * CTW_RCA_COLUMNS + (size_t)column] - m;
        var += v * v;
    }
    var /= (double)d->count;
    *mean = m;
    *scale = var > 1e-18 ? 1 / sqrt(var) : 0;
}

static ctw_status machine(const ctw_rca *m, ctw_svm **out)
{
    ctw_params *p;
    CTW_TRY(ctw_params_new(m->h.ctx, "svm", &p));
    ctw_status st = ctw_params_set_f64(p, "c", m->c);
    if (st == CTW_OK) st = ctw_params_set_str(p, "kernel", "linear");
    if (st == CTW_OK) st = ctw_params_set_str(p, "solver", "cd");
    if (st == CTW_OK) st = ctw_params_set_str(p, "class_weight", "balanced");
    if (st == CTW_OK) st = ctw_params_set_f64(p, "tol", 1e-3);
    if (st == CTW_OK) st = ctw_svm_new(m->h.ctx, p, out);
    ctw_params_unref(p);
    return st;
}

typedef struct job {
    double *x; /* rows of the selected columns, standardised */
    int64_t *label;
    double *weight; /* of rows */
    double *coef;   /* of columns */
} job;

static void fill(ctw_rca *m, job *j)
{
    const ctw_rca__labelled *d = &m->data;
    size_t k = m->selected_count;
    for (size_t s = 0; s < k; s++) {
        int c = m->selected[s];
        double mean, scale;
        standardise(d, c, &mean, &scale);
        m->svm.mean[c] = mean;
        m->svm.scale[c] = scale;
        for (size_t i = 0; i < d->count; i++) j->x[i * k + s] = (d->x[i * CTW_RCA_COLUMNS + (size_t)c] - mean) * scale;
    }
    for (size_t i = 0; i < d->count; i++) {
        j->label[i] = d->guilty[i];
        j->weight[i] = 1;
    }
}

static ctw_status fit_once(ctw_rca *m, const job *j, ctw_cancel *cancel)
{
    ctw_svm *svm = NULL;
    size_t k = m->selected_count;
    CTW_TRY(machine(m, &svm));
    ctw_status st = ctw_svm_fit(svm, j->x, m->data.count, k, k, j->label, j->weight, cancel);
    if (st == CTW_OK) st = ctw_svm_coefficients(svm, 0, j->coef, &m->svm.bias);
    ctw_svm_unref(svm);
    if (st != CTW_OK) return st;
    memset(m->svm.weight, 0, sizeof m->svm.weight);
    for (size_t s = 0; s < k; s++) m->svm.weight[m->selected[s]] = j->coef[s];
    return CTW_OK;
}

/* Faults that no trace shows are labelled guilty like all others, and would drag the boundary into the innocent.
 * Guilty rows beyond the margin on the wrong side hardly count next time (as the ramp loss does: Collobert et al.,
 * "Trading convexity for scalability", ICML 2006). Returns how many those are. */
static size_t forgive(const ctw_rca *m, job *j)
{
    size_t n = 0;
    for (size_t i = 0; i < m->data.count; i++) {
        double score = m->svm.bias;
        for (size_t s = 0; s < m->selected_count; s++) score += j->coef[s] * j->x[i * m->selected_count + s];
        int hopeless = j->label[i] && score < -1;
        j->weight[i] = hopeless ? 1e-3 : 1;
        n += (size_t)hopeless;
    }
    return n;
}

static ctw_status fit(ctw_rca *m, job *j, ctw_cancel *cancel)
{
    fill(m, j);
    CTW_TRY(fit_once(m, j, cancel));
    for (int round = 0; m->forgive && round < 3 && forgive(m, j); round++) CTW_TRY(fit_once(m, j, cancel));
    m->svm.fitted = 1;
    return CTW_OK;
}

ctw_status ctw_rca__train(ctw_rca *m, ctw_cancel *cancel, const char *fn)
{
    ctw_ctx *ctx = m->h.ctx;
    size_t n = m->data.count, k = m->selected_count;
    CTW_TRY(check_classes(&m->data, fn));
    job j = {.x = ctw_base__alloc(ctx, n * k, sizeof *j.x),
             .label = ctw_base__alloc(ctx, n, sizeof *j.label),
             .weight = ctw_base__alloc(ctx, n, sizeof *j.weight),
             .coef = ctw_base__alloc(ctx, k, sizeof *j.coef)};
    ctw_status st = j.x && j.label && j.weight && j.coef ? fit(m, &j, cancel) : CTW_E_NOMEM;
    ctw_base__free(ctx, j.x);
    ctw_base__free(ctx, j.label);
    ctw_base__free(ctx, j.weight);
    ctw_base__free(ctx, j.coef);
    return st;
}
