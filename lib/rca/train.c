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
    if (st == CTW_OK) st = ctw_params_set_bool(p, "incremental", 1);
    if (st == CTW_OK) st = ctw_params_set_f64(p, "tol", 1e-3);
    if (st == CTW_OK) st = ctw_svm_new(m->h.ctx, p, out);
    ctw_params_unref(p);
    return st;
}

typedef struct job {
    size_t first, n; /* labelled rows */
    double *x;       /* their selected columns, standardised */
    int64_t *label;
    double *weight; /* of rows */
    double *coef;   /* of columns */
} job;

static void fill(const ctw_rca *m, job *j)
{
    const ctw_rca__labelled *d = &m->data;
    size_t k = m->selected_count;
    for (size_t i = 0; i < j->n; i++) {
        const double *row = d->x + (j->first + i) * CTW_RCA_COLUMNS;
        for (size_t s = 0; s < k; s++) {
            int c = m->selected[s];
            j->x[i * k + s] = (row[c] - m->svm.mean[c]) * m->svm.scale[c];
        }
        j->label[i] = d->guilty[j->first + i];
        j->weight[i] = 1;
    }
}

/* Takes the machine's answer over. */
static ctw_status read_machine(ctw_rca *m, const ctw_svm *svm, const job *j)
{
    CTW_TRY(ctw_svm_coefficients(svm, 0, j->coef, &m->svm.bias));
    memset(m->svm.weight, 0, sizeof m->svm.weight);
    for (size_t s = 0; s < m->selected_count; s++) m->svm.weight[m->selected[s]] = j->coef[s];
    return CTW_OK;
}

/* The machine is kept as m->live. */
static ctw_status fit_once(ctw_rca *m, const job *j, ctw_cancel *cancel)
{
    ctw_svm *svm = NULL;
    size_t k = m->selected_count;
    CTW_TRY(machine(m, &svm));
    ctw_status st = ctw_svm_fit(svm, j->x, j->n, k, k, j->label, j->weight, cancel);
    if (st == CTW_OK) st = read_machine(m, svm, j);
    ctw_svm_unref(m->live);
    m->live = svm;
    return st;
}

/* Faults that no trace shows are labelled guilty like all others, and would drag the boundary into the innocent.
 * Guilty rows beyond the margin on the wrong side hardly count next time (as the ramp loss does: Collobert et al.,
 * "Trading convexity for scalability", ICML 2006). Returns how many those are. */
static size_t forgive(const ctw_rca *m, job *j)
{
    size_t n = 0, k = m->selected_count;
    for (size_t i = 0; i < j->n; i++) {
        double score = m->svm.bias;
        for (size_t s = 0; s < k; s++) score += m->svm.weight[m->selected[s]] * j->x[i * k + s];
        int hopeless = j->label[i] && score < -1;
        j->weight[i] = hopeless ? 1e-3 : 1;
        n += (size_t)hopeless;
    }
    return n;
}

static ctw_status fit(ctw_rca *m, job *j, ctw_cancel *cancel)
{
    for (size_t s = 0; s < m->selected_count; s++) {
        int c = m->selected[s];
        standardise(&m->data, c, &m->svm.mean[c], &m->svm.scale[c]);
    }
    fill(m, j);
    CTW_TRY(fit_once(m, j, cancel));
    for (int round = 0; m->forgive && round < 3 && forgive(m, j); round++) CTW_TRY(fit_once(m, j, cancel));
    m->svm.fitted = 1;
    return CTW_OK;
}

/* New rows in first, then those that are gone out, so that both classes stay there in between. */
static ctw_status add_and_forget(ctw_rca *m, job *j, uint64_t gone, ctw_cancel *cancel)
{
    size_t k = m->selected_count;
    fill(m, j);
    if (m->forgive) (void)forgive(m, j);
    CTW_TRY(ctw_svm_update(m->live, j->x, j->n, k, k, j->label, j->weight, cancel));
    if (gone) CTW_TRY(ctw_svm_forget(m->live, gone, cancel));
    return read_machine(m, m->live, j);
}

static ctw_status job_new(ctw_ctx *ctx, job *j, size_t first, size_t n, size_t columns)
{
    *j = (job){.first = first,
               .n = n,
               .x = ctw_base__alloc(ctx, n * columns, sizeof *j->x),
               .label = ctw_base__alloc(ctx, n, sizeof *j->label),
               .weight = ctw_base__alloc(ctx, n, sizeof *j->weight),
               .coef = ctw_base__alloc(ctx, columns, sizeof *j->coef)};
    return j->x && j->label && j->weight && j->coef ? CTW_OK : CTW_E_NOMEM;
}

static void job_free(ctw_ctx *ctx, job *j)
{
    ctw_base__free(ctx, j->x);
    ctw_base__free(ctx, j->label);
    ctw_base__free(ctx, j->weight);
    ctw_base__free(ctx, j->coef);
}

ctw_status ctw_rca__train(ctw_rca *m, ctw_cancel *cancel, const char *fn)
{
    job j;
    CTW_TRY(check_classes(&m->data, fn));
    ctw_status st = job_new(m->h.ctx, &j, 0, m->data.count, m->selected_count);
    if (st == CTW_OK) st = fit(m, &j, cancel);
    job_free(m->h.ctx, &j);
    m->learned = m->data.left + m->data.count;
    return st;
}

ctw_status ctw_rca__go_on(ctw_rca *m, ctw_cancel *cancel, const char *fn)
{
    const ctw_rca__labelled *d = &m->data;
    uint64_t kept = ctw_svm_kept(m->live), from = m->learned - kept; /* numbers of the rows the machine holds */
    job j;
    if (d->left >= m->learned) return ctw_rca__train(m, cancel, fn); /* none of them is left */
    CTW_TRY(check_classes(d, fn));
    size_t first = (size_t)(m->learned - d->left);
    ctw_status st = job_new(m->h.ctx, &j, first, d->count - first, m->selected_count);
    if (st == CTW_OK) st = add_and_forget(m, &j, d->left - from, cancel);
    job_free(m->h.ctx, &j);
    m->learned = d->left + d->count;
    return st;
}
