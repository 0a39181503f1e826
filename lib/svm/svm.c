/* svm.c: life, settings, fit and inspection of a classifier. */
#include "base/cancel.h"
#include "base/ctx.h"
#include "base/report.h"
#include "svm/svm_internal.h"
#include "svm/svmset.h"
#include <math.h>
#include <string.h>

static void destroy(ctw_svm *m)
{
    ctw_svm__model_free(m->h.ctx, m->model);
    ctw_base__free(m->h.ctx, m->cw);
    ctw_params_unref(m->params);
}

CTW_DEFINE_REFS(ctw_svm, destroy)

ctw_status ctw_svm_new(ctw_ctx *ctx, const ctw_params *params, ctw_svm **out)
{
    CTW_TRY(ctw_base__need(out, __func__, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, __func__));
    CTW_TRY(ctw_base__params_check(params, &ctw_svm__kind, __func__));
    ctw_svm__opts o;
    CTW_TRY(ctw_svm__opts_read(params, &o, __func__));
    ctw_svm *m = ctw_base__handle_new(ctx, sizeof *m, CTW_SVM_MAGIC);
    if (!m) return CTW_E_NOMEM;
    m->opts = o;
    ctw_status st = ctw_base__params_copy(ctx, params, &ctw_svm__kind, &m->params);
    if (st == CTW_OK)
        *out = m;
    else
        ctw_svm_unref(m);
    return st;
}

static ctw_status enter(ctw_svm *m, const char *fn)
{
    return ctw_base__handle_enter(m ? &m->h : NULL, CTW_SVM_MAGIC, fn, "m");
}

ctw_status ctw_svm__fitted(const ctw_svm *m, const char *fn)
{
    CTW_TRY(ctw_base__handle_check(m ? &m->h : NULL, CTW_SVM_MAGIC, fn, "m"));
    return m->model ? CTW_OK : ctw_base__fail(CTW_E_STATE, "%s: the model has not been fitted", fn);
}

ctw_status ctw_svm_set_progress(ctw_svm *m, ctw_progress_fn fn, void *user)
{
    CTW_TRY(enter(m, __func__));
    m->progress = fn;
    m->user = user;
    ctw_base__handle_leave(&m->h);
    return CTW_OK;
}

ctw_status ctw_svm__tick(const ctw_svm__run *run, uint64_t step, double bound)
{
    CTW_TRY(ctw_base__stopped(run->cancel, run->fn));
    if (run->progress && run->progress(run->user, step, bound, NAN))
        return ctw_base__fail(CTW_E_CANCELLED, "%s: stopped by the progress callback at step %llu", run->fn,
                              (unsigned long long)step);
    return CTW_OK;
}

static ctw_status put_class_weight(ctw_svm *m, int64_t label, double weight)
{
    for (size_t i = 0; i < m->n_cw; i++)
        if (m->cw[i].label == label) {
            m->cw[i].weight = weight;
            return CTW_OK;
        }
    CTW_TRY(ctw_base__grow(m->h.ctx, (void **)&m->cw, &m->cap_cw, m->n_cw + 1, sizeof *m->cw));
    m->cw[m->n_cw++] = (ctw_svm__class_weight){label, weight};
    return CTW_OK;
}

ctw_status ctw_svm_set_class_weight(ctw_svm *m, int64_t label, double weight)
{
    CTW_TRY(enter(m, __func__));
    ctw_status st = ctw_base__in(weight, 1e-12, 1e12, __func__, "weight");
    if (st == CTW_OK) st = put_class_weight(m, label, weight);
    ctw_base__handle_leave(&m->h);
    return st;
}

/* Replaces the model by one learned from t; on failure the handle is unfitted. */
static ctw_status fit(ctw_svm *m, const ctw_svm__training *t, ctw_cancel *cancel, const char *fn)
{
    ctw_svm__model_free(m->h.ctx, m->model);
    m->model = NULL;
    if (t->weight) CTW_TRY(ctw_base__all_in(t->weight, t->x->n, 1, 1e-12, 1e12, fn, "weight"));
    return ctw_svm__learn(m, t, cancel, fn, &m->model);
}

static ctw_status fit_dense(ctw_svm *m, const double *x, uint64_t n, uint64_t d, uint64_t stride, const int64_t *label,
                            const double *weight, ctw_cancel *cancel, const char *fn)
{
    CTW_TRY(ctw_base__in_u64(d, 1, INT32_MAX - 1, fn, "d"));
    CTW_TRY(ctw_base__matrix(x, n, d, stride, fn, "x"));
    CTW_TRY(ctw_base__need_n(label, n, fn, "label"));
    ctw_svm__rows r = {0};
    ctw_svm__training t = {.x = &r, .label = label, .weight = weight};
    ctw_status st = ctw_svm__rows_add_dense(m->h.ctx, &r, x, (size_t)n, (size_t)d, (size_t)stride);
    if (st == CTW_OK) st = fit(m, &t, cancel, fn);
    ctw_svm__rows_free(m->h.ctx, &r);
    return st;
}

ctw_status ctw_svm_fit(ctw_svm *m, const double *x, uint64_t n, uint64_t d, uint64_t stride, const int64_t *label,
                       const double *weight, ctw_cancel *cancel)
{
    CTW_TRY(enter(m, __func__));
    ctw_status st = fit_dense(m, x, n, d, stride, label, weight, cancel, __func__);
    if (st != CTW_OK) {
        ctw_svm__model_free(m->h.ctx, m->model);
        m->model = NULL;
    }
    ctw_base__handle_leave(&m->h);
    return st;
}

ctw_status ctw_svm_fit_set(ctw_svm *m, const ctw_svmset *s, const double *weight, ctw_cancel *cancel)
{
    CTW_TRY(enter(m, __func__));
    ctw_status st = ctw_svm__set_check(s, __func__);
    if (st == CTW_OK) {
        ctw_svm__training t = {.x = &s->rows, .label = s->label, .weight = weight};
        st = fit(m, &t, cancel, __func__);
    }
    ctw_base__handle_leave(&m->h);
    return st;
}

static const ctw_svm__model *peek(const ctw_svm *m)
{
    return m ? m->model : NULL;
}

uint64_t ctw_svm_classes(const ctw_svm *m)
{
    return peek(m) ? m->model->classes : 0;
}

uint64_t ctw_svm_features(const ctw_svm *m)
{
    return peek(m) ? m->model->d : 0;
}

uint64_t ctw_svm_decisions(const ctw_svm *m)
{
    return peek(m) ? m->model->machines : 0;
}

uint64_t ctw_svm_vectors(const ctw_svm *m)
{
    return peek(m) ? m->model->vectors : 0;
}

ctw_status ctw_svm_class_at(const ctw_svm *m, uint64_t i, int64_t *label)
{
    CTW_TRY(ctw_svm__fitted(m, __func__));
    CTW_TRY(ctw_base__need(label, __func__, "label"));
    if (i >= m->model->classes)
        return ctw_base__fail(CTW_E_RANGE, "%s: class %llu, there are %llu", __func__, (unsigned long long)i,
                              (unsigned long long)m->model->classes);
    *label = m->model->label[i];
    return CTW_OK;
}

ctw_status ctw_svm_coefficients(const ctw_svm *m, uint64_t i, double *weight, double *bias)
{
    CTW_TRY(ctw_svm__fitted(m, __func__));
    CTW_TRY(ctw_base__need_n(weight, m->model->d, __func__, "weight"));
    CTW_TRY(ctw_base__need(bias, __func__, "bias"));
    if (i >= m->model->machines)
        return ctw_base__fail(CTW_E_RANGE, "%s: decision column %llu, there are %llu", __func__, (unsigned long long)i,
                              (unsigned long long)m->model->machines);
    const ctw_svm__machine *c = &m->model->machine[i];
    if (!c->w && m->opts.kernel != CTW_SVM_LINEAR)
        return ctw_base__fail(CTW_E_UNSUPPORTED, "%s: the model's kernel is not linear", __func__);
    if (m->model->d) memset(weight, 0, m->model->d * sizeof *weight);
    if (c->w && m->model->d) memcpy(weight, c->w, m->model->d * sizeof *weight);
    const ctw_svm__rows *sv = &m->model->sv; /* a linear model of LIBSVM's keeps its vectors */
    for (size_t k = 0; k < c->nsv; k++)
        for (size_t p = sv->start[c->sv[k]]; p < sv->start[c->sv[k] + 1]; p++)
            weight[sv->col[p]] += c->coef[k] * sv->val[p];
    *bias = c->bias;
    return CTW_OK;
}

static ctw_status fill_report(const ctw_svm__model *m, double *each, ctw_report *r)
{
    double objective = 0;
    int64_t bounded = 0, iterations = 0, converged = 1;
    for (size_t k = 0; k < m->machines; k++) {
        each[k] = m->machine[k].objective;
        objective += each[k];
        bounded += (int64_t)m->machine[k].bounded;
        iterations += (int64_t)m->machine[k].iterations;
        converged &= m->machine[k].converged;
    }
    CTW_TRY(ctw_base__report_f64(r, "objective", objective));
    CTW_TRY(ctw_base__report_i64(r, "n_sv", (int64_t)m->vectors));
    CTW_TRY(ctw_base__report_i64(r, "n_bounded", bounded));
    CTW_TRY(ctw_base__report_i64(r, "iterations", iterations));
    CTW_TRY(ctw_base__report_i64(r, "converged", converged));
    CTW_TRY(ctw_base__report_i64(r, "machines", (int64_t)m->machines));
    CTW_TRY(ctw_base__report_i64(r, "classes", (int64_t)m->classes));
    CTW_TRY(ctw_base__report_i64(r, "features", (int64_t)m->d));
    return ctw_base__report_series(r, "objective_each", each, m->machines);
}

ctw_status ctw_svm_report(const ctw_svm *m, ctw_report **out)
{
    CTW_TRY(ctw_base__need(out, __func__, "out"));
    *out = NULL;
    CTW_TRY(ctw_svm__fitted(m, __func__));
    ctw_report *r = NULL;
    double *each = CTW_NEW(m->h.ctx, m->model->machines, double);
    ctw_status st = each ? ctw_base__report_new(m->h.ctx, &r) : CTW_E_NOMEM;
    if (st == CTW_OK) st = fill_report(m->model, each, r);
    ctw_base__free(m->h.ctx, each);
    if (st == CTW_OK)
        *out = r;
    else
        ctw_report_unref(r);
    return st;
}
