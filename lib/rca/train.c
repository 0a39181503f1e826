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
    if (st == CTW_OK) st = ctw_params_set_str(p, "class_weight", "balanced");
    if (st == CTW_OK) st = ctw_params_set_f64(p, "tol", 1e-3);
    if (st == CTW_OK) st = ctw_svm_new(m->h.ctx, p, out);
    ctw_params_unref(p);
    return st;
}

static ctw_status fit(ctw_rca *m, double *x, int64_t *label, double *weight, ctw_cancel *cancel)
{
    ctw_rca__labelled *d = &m->data;
    ctw_rca__linear *l = &m->svm;
    ctw_svm *svm = NULL;
    size_t k = m->selected_count;
    for (size_t j = 0; j < k; j++) {
        int c = m->selected[j];
        standardise(d, c, &l->mean[c], &l->scale[c]);
        for (size_t i = 0; i < d->count; i++)
            x[i * k + j] = (d->x[i * CTW_RCA_COLUMNS + (size_t)c] - l->mean[c]) * l->scale[c];
    }
    for (size_t i = 0; i < d->count; i++) label[i] = d->guilty[i];
    CTW_TRY(machine(m, &svm));
    ctw_status st = ctw_svm_fit(svm, x, d->count, k, k, label, NULL, cancel);
    if (st == CTW_OK) st = ctw_svm_coefficients(svm, 0, weight, &l->bias);
    ctw_svm_unref(svm);
    if (st != CTW_OK) return st;
    memset(l->weight, 0, sizeof l->weight);
    for (size_t j = 0; j < k; j++) l->weight[m->selected[j]] = weight[j];
    l->fitted = 1;
    return CTW_OK;
}

ctw_status ctw_rca__train(ctw_rca *m, ctw_cancel *cancel, const char *fn)
{
    ctw_ctx *ctx = m->h.ctx;
    size_t n = m->data.count, k = m->selected_count;
    CTW_TRY(check_classes(&m->data, fn));
    double *x = ctw_base__alloc(ctx, n * k, sizeof *x);
    int64_t *label = ctw_base__alloc(ctx, n, sizeof *label);
    double *weight = ctw_base__alloc(ctx, k, sizeof *weight);
    ctw_status st = x && label && weight ? fit(m, x, label, weight, cancel) : CTW_E_NOMEM;
    ctw_base__free(ctx, x);
    ctw_base__free(ctx, label);
    ctw_base__free(ctx, weight);
    return st;
}
