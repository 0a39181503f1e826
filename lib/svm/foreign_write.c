/* foreign_write.c: models as LIBSVM and LIBLINEAR write them. A linear machine of weights becomes, for LIBSVM, a
 * single support vector: the weights themselves, with coefficient 1. */
#include "svm/foreign.h"
#include <string.h>

static void put_pair(ctw_io__writer *w, const char *key, const char *value)
{
    ctw_svm__put_text(w, key);
    ctw_svm__put_text(w, " ");
    ctw_svm__put_text(w, value);
    ctw_svm__put_text(w, "\n");
}

static void put_number(ctw_io__writer *w, double v)
{
    ctw_svm__put_text(w, " ");
    ctw_svm__put_f64(w, v);
}

static void put_number_line(ctw_io__writer *w, const char *key, double v)
{
    ctw_svm__put_text(w, key);
    put_number(w, v);
    ctw_svm__put_text(w, "\n");
}

static void put_labels(ctw_io__writer *w, const ctw_svm__model *m)
{
    ctw_svm__put_text(w, "label");
    for (size_t k = 0; k < m->classes; k++) {
        ctw_svm__put_text(w, " ");
        ctw_svm__put_i64(w, m->label[k]);
    }
    ctw_svm__put_text(w, "\n");
}

/* ---- LIBSVM ---- */

/* The support vectors to write: class and k - 1 coefficients of each. Weights of a linear machine count as a vector
 * of its first class. */
typedef struct table {
    size_t n, each;
    size_t *cls;
    double *coef;
} table;

static ctw_status table_new(ctw_ctx *ctx, const ctw_svm__model *m, table *t)
{
    t->n = m->sv.n ? m->sv.n : m->machines;
    t->each = m->classes - 1;
    t->cls = CTW_NEW(ctx, t->n, size_t);
    if (t->each > SIZE_MAX / t->n) return ctw_base__nomem();
    t->coef = CTW_NEW(ctx, t->n * t->each, double);
    return t->cls && t->coef ? CTW_OK : CTW_E_NOMEM;
}

static void fill(const ctw_svm__model *m, table *t)
{
    for (size_t k = 0; k < m->machines; k++) {
        const ctw_svm__machine *c = &m->machine[k];
        size_t a = (size_t)c->neg, b = (size_t)c->pos;
        if (m->sv.n == 0) {
            t->cls[k] = a;
            t->coef[k * t->each + b - 1] = -1;
        }
        for (size_t i = 0; i < c->nsv; i++) {
            t->cls[c->sv[i]] = c->coef[i] > 0 ? b : a;
            t->coef[c->sv[i] * t->each + (c->coef[i] > 0 ? a : b - 1)] = -c->coef[i];
        }
    }
}

static void put_weights(ctw_io__writer *w, const double *v, size_t d)
{
    for (size_t k = 0; k < d; k++) {
        int32_t col = (int32_t)k;
        if (v[k] != 0) ctw_svm__put_entries(w, &col, &v[k], 1);
    }
}

static void put_vectors(ctw_io__writer *w, const ctw_svm__model *m, const table *t)
{
    const ctw_svm__rows *r = &m->sv;
    ctw_svm__put_text(w, "nr_sv");
    for (size_t k = 0; k < m->classes; k++) {
        int64_t n = 0;
        for (size_t i = 0; i < t->n; i++) n += t->cls[i] == k;
        ctw_svm__put_text(w, " ");
        ctw_svm__put_i64(w, n);
    }
    ctw_svm__put_text(w, "\nSV\n");
    for (size_t k = 0; k < m->classes; k++)
        for (size_t i = 0; i < t->n; i++) {
            if (t->cls[i] != k) continue;
            for (size_t j = 0; j < t->each; j++) {
                if (j) ctw_svm__put_text(w, " ");
                ctw_svm__put_f64(w, t->coef[i * t->each + j]);
            }
            if (r->n)
                ctw_svm__put_entries(w, r->col + r->start[i], r->val + r->start[i], r->start[i + 1] - r->start[i]);
            else
                put_weights(w, m->machine[i].w, m->d);
            ctw_svm__put_text(w, "\n");
        }
}

static void put_machines(ctw_io__writer *w, const ctw_svm__model *m)
{
    ctw_svm__put_text(w, "rho");
    for (size_t k = 0; k < m->machines; k++) put_number(w, m->machine[k].bias);
    ctw_svm__put_text(w, "\n");
    put_labels(w, m);
    if (!m->machine[0].calibrated) return;
    ctw_svm__put_text(w, "probA");
    for (size_t k = 0; k < m->machines; k++) put_number(w, m->machine[k].pa);
    ctw_svm__put_text(w, "\nprobB");
    for (size_t k = 0; k < m->machines; k++) put_number(w, -m->machine[k].pb);
    ctw_svm__put_text(w, "\n");
}

ctw_status ctw_svm__export_libsvm(const ctw_svm *s, ctw_io__writer *w, const char *fn)
{
    static const char *const kernels[] = {"linear", "rbf", "polynomial", "sigmoid"};
    const ctw_svm__model *m = s->model;
    table t = {0};
    if (m->ovr) return ctw_base__fail(CTW_E_UNSUPPORTED, "%s: LIBSVM's format has no one against the rest", fn);
    ctw_status st = table_new(s->h.ctx, m, &t);
    if (st == CTW_OK) {
        fill(m, &t);
        put_pair(w, "svm_type", "c_svc");
        put_pair(w, "kernel_type", kernels[s->opts.kernel]);
        if (s->opts.kernel == CTW_SVM_POLY) put_number_line(w, "degree", s->opts.degree);
        if (s->opts.kernel != CTW_SVM_LINEAR) put_number_line(w, "gamma", m->gamma);
        if (s->opts.kernel == CTW_SVM_POLY || s->opts.kernel == CTW_SVM_SIGMOID)
            put_number_line(w, "coef0", s->opts.coef0);
        put_number_line(w, "nr_class", (double)m->classes);
        put_number_line(w, "total_sv", (double)t.n);
        put_machines(w, m);
        put_vectors(w, m, &t);
    }
    ctw_base__free(s->h.ctx, t.cls);
    ctw_base__free(s->h.ctx, t.coef);
    return st;
}

/* ---- LIBLINEAR ---- */

static ctw_status linear(const ctw_svm__model *m, const char *fn)
{
    for (size_t k = 0; k < m->machines; k++)
        if (!m->machine[k].w) return ctw_base__fail(CTW_E_UNSUPPORTED, "%s: the model has no weights", fn);
    if (m->classes > 2 && !m->ovr)
        return ctw_base__fail(CTW_E_UNSUPPORTED, "%s: LIBLINEAR's format has no one against one", fn);
    return CTW_OK;
}

ctw_status ctw_svm__export_liblinear(const ctw_svm *s, ctw_io__writer *w, const char *fn)
{
    const ctw_svm__model *m = s->model;
    CTW_TRY(linear(m, fn));
    double sign = m->classes == 2 ? -1 : 1;
    put_pair(w, "solver_type", s->opts.loss == CTW_SVM_SQUARED ? "L2R_L2LOSS_SVC_DUAL" : "L2R_L1LOSS_SVC_DUAL");
    put_number_line(w, "nr_class", (double)m->classes);
    put_labels(w, m);
    put_number_line(w, "nr_feature", (double)m->d);
    put_number_line(w, "bias", 1);
    ctw_svm__put_text(w, "w\n");
    for (size_t f = 0; f <= m->d; f++) {
        for (size_t k = 0; k < m->machines; k++) {
            ctw_svm__put_f64(w, sign * (f < m->d ? m->machine[k].w[f] : m->machine[k].bias));
            ctw_svm__put_text(w, " ");
        }
        ctw_svm__put_text(w, "\n");
    }
    return CTW_OK;
}
