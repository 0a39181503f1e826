/* warm.c: continuing an earlier solution: its multipliers carried over to the rows that are still there, moved along
 * with bounds that changed, and repaired so that the equality constraint holds again. The repair touches as few
 * multipliers as it can, free ones first: everything it moves the solver has to move back. */
#include "svm/learn.h"
#include <math.h>
#include <string.h>

/* The machine of the earlier model for the same classes as machine k, or NULL. */
static const ctw_svm__machine *same_machine(const ctw_svm__task *task, size_t k)
{
    const ctw_svm__model *old = task->training->from, *m = task->model;
    const ctw_svm__machine *c = &m->machine[k];
    size_t pos = ctw_svm__class_of(old->label, old->classes, m->label[c->pos]);
    if (pos == old->classes || old->label[pos] != m->label[c->pos]) return NULL;
    if (c->neg < 0) return old->ovr ? &old->machine[pos] : NULL;
    if (old->ovr) return NULL;
    size_t neg = ctw_svm__class_of(old->label, old->classes, m->label[c->neg]);
    if (neg == old->classes || old->label[neg] != m->label[c->neg]) return NULL;
    return &old->machine[neg * (2 * old->classes - neg - 1) / 2 + (pos - neg - 1)];
}

/* Takes `excess` from the multipliers of one side, free ones before bounded ones. */
static void take(double *alpha, const double *y, const double *c, size_t n, double side, double excess)
{
    for (int bounded = 0; bounded < 2; bounded++)
        for (size_t i = 0; i < n && excess > 0; i++) {
            if (y[i] != side || alpha[i] == 0 || (alpha[i] >= c[i]) != bounded) continue;
            double t = alpha[i] < excess ? alpha[i] : excess;
            alpha[i] -= t;
            excess -= t;
        }
}

static void repair(double *alpha, const double *y, const double *c, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += y[i] * alpha[i];
    take(alpha, y, c, n, sum > 0 ? 1 : -1, fabs(sum));
}

int ctw_svm__warm(const ctw_svm__run *run, ctw_svm__task *task, size_t k, size_t n)
{
    const ctw_svm__training *t = task->training;
    const ctw_svm__machine *old = same_machine(task, k);
    size_t had = t->from->kept.n;
    int any = 0, boxed = run->opts->solver == CTW_SVM_SMO || run->opts->loss == CTW_SVM_HINGE;
    if (!old || !old->beta) return 0;
    /* f of the remaining rows holds the dropped rows' part: it is of use only where that is zero */
    int f_known = task->f0 && old->f;
    for (size_t r = 0; r < t->dropped; r++) f_known &= old->beta[r] == 0;
    for (size_t i = 0; i < n; i++) {
        size_t r = task->row[i] + t->dropped;
        if (r >= had) continue;
        double a = fabs(old->beta[r]);
        if (boxed && a > 0 && (a >= t->from->kept_bound[r] || a > task->c[i])) a = task->c[i];
        task->alpha[i] = a;
        any |= a > 0;
        if (!f_known) continue;
        task->f0[i] = old->f[r];
        task->b0[i] = old->beta[r];
    }
    if (run->opts->solver == CTW_SVM_SMO) repair(task->alpha, task->y, task->c, n);
    return any;
}

ctw_status ctw_svm__keep(const ctw_svm__run *run, ctw_svm__task *task)
{
    ctw_svm__model *m = task->model;
    size_t n = task->x->n;
    CTW_TRY(ctw_svm__rows_add(run->ctx, &m->kept, task->x, NULL, n));
    m->kept_label = ctw_base__dup(run->ctx, task->training->label, n, sizeof *m->kept_label);
    m->kept_weight = CTW_NEW(run->ctx, n, double);
    m->kept_bound = ctw_base__dup(run->ctx, task->bound, n, sizeof *m->kept_bound);
    if (!m->kept_label || !m->kept_weight || !m->kept_bound) return CTW_E_NOMEM;
    for (size_t i = 0; i < n; i++) m->kept_weight[i] = task->training->weight ? task->training->weight[i] : 1;
    return CTW_OK;
}
