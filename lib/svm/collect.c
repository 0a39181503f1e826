/* collect.c: from the multipliers of a kernel problem to what prediction needs: support vectors with coefficients,
 * or, where the kernel is linear, the weights they add up to. */
#include "svm/learn.h"
#include <string.h>

static ctw_status weights(const ctw_svm__run *run, const ctw_svm__problem *p, ctw_svm__machine *c)
{
    c->w = CTW_NEW(run->ctx, p->x->d, double);
    if (!c->w) return CTW_E_NOMEM;
    for (size_t i = 0; i < p->n; i++) {
        double b = p->y[i] * p->alpha[i];
        if (b == 0) continue;
        for (size_t e = p->x->start[p->row[i]]; e < p->x->start[p->row[i] + 1]; e++)
            c->w[p->x->col[e]] += b * p->x->val[e];
    }
    return CTW_OK;
}

/* The positive rows come first in a problem, each side in ascending order: a merge gives ascending rows. */
static void merge(const ctw_svm__problem *p, ctw_svm__machine *c)
{
    size_t pos = 0, neg = 0;
    while (neg < p->n && p->y[neg] > 0) neg++;
    size_t end = neg;
    while (pos < end || neg < p->n) {
        size_t i = pos < end && (neg == p->n || p->row[pos] < p->row[neg]) ? pos++ : neg++;
        if (p->alpha[i] == 0) continue;
        c->sv[c->nsv] = p->row[i];
        c->coef[c->nsv++] = p->y[i] * p->alpha[i];
    }
}

ctw_status ctw_svm__collect(const ctw_svm__run *run, const ctw_svm__problem *p, ctw_svm__machine *c)
{
    if (run->opts->kernel == CTW_SVM_LINEAR) return weights(run, p, c);
    c->nsv = 0;
    c->sv = CTW_NEW(run->ctx, (size_t)c->support, size_t);
    c->coef = CTW_NEW(run->ctx, (size_t)c->support, double);
    if (!c->sv || !c->coef) return CTW_E_NOMEM;
    merge(p, c);
    return CTW_OK;
}

ctw_status ctw_svm__own_vectors(const ctw_svm__run *run, ctw_svm__model *m, const ctw_svm__rows *x, const uint8_t *used)
{
    size_t *idx = CTW_NEW(run->ctx, x->n, size_t), *to = CTW_NEW(run->ctx, x->n, size_t), n = 0;
    ctw_status st = idx && to ? CTW_OK : CTW_E_NOMEM;
    for (size_t i = 0; st == CTW_OK && i < x->n; i++) {
        if (!used[i]) continue;
        to[i] = n;
        idx[n++] = i;
    }
    if (st == CTW_OK) st = ctw_svm__rows_add(run->ctx, &m->sv, x, idx, n);
    for (size_t k = 0; st == CTW_OK && k < m->machines; k++)
        for (size_t i = 0; i < m->machine[k].nsv; i++) m->machine[k].sv[i] = to[m->machine[k].sv[i]];
    if (st == CTW_OK) st = ctw_svm__model_columns(run->ctx, m, run->opts);
    ctw_base__free(run->ctx, idx);
    ctw_base__free(run->ctx, to);
    return st;
}
