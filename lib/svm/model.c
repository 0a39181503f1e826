/* model.c: life of what a fit learned. */
#include "svm/svm_internal.h"

size_t ctw_svm__machines_of(size_t classes, int ovr)
{
    if (classes < 2) return 0;
    if (classes == 2) return 1;
    return ovr ? classes : classes * (classes - 1) / 2;
}

ctw_status ctw_svm__model_new(ctw_ctx *ctx, size_t classes, int ovr, ctw_svm__model **out)
{
    ctw_svm__model *m = CTW_NEW(ctx, 1, ctw_svm__model);
    if (!m) return CTW_E_NOMEM;
    size_t machines = ctw_svm__machines_of(classes, ovr);
    m->ovr = ovr && classes > 2;
    m->label = CTW_NEW(ctx, classes, int64_t);
    m->machine = CTW_NEW(ctx, machines, ctw_svm__machine);
    if (!m->label || !m->machine) {
        ctw_svm__model_free(ctx, m);
        return CTW_E_NOMEM;
    }
    m->classes = classes;
    m->machines = machines;
    size_t k = 0;
    for (size_t a = 0; m->ovr && a < classes; a++, k++) {
        m->machine[k].pos = (int32_t)a;
        m->machine[k].neg = -1;
    }
    for (size_t a = 0; !m->ovr && a < classes; a++)
        for (size_t b = a + 1; b < classes; b++, k++) {
            m->machine[k].pos = (int32_t)b;
            m->machine[k].neg = (int32_t)a;
        }
    *out = m;
    return CTW_OK;
}

void ctw_svm__model_free(ctw_ctx *ctx, ctw_svm__model *m)
{
    if (!m) return;
    for (size_t k = 0; k < m->machines; k++) {
        ctw_base__free(ctx, m->machine[k].w);
        ctw_base__free(ctx, m->machine[k].sv);
        ctw_base__free(ctx, m->machine[k].coef);
        ctw_base__free(ctx, m->machine[k].beta);
        ctw_base__free(ctx, m->machine[k].f);
    }
    ctw_base__free(ctx, m->machine);
    ctw_base__free(ctx, m->label);
    ctw_svm__rows_free(ctx, &m->sv);
    ctw_base__free(ctx, m->sv_norm);
    ctw_svm__columns_free(ctx, &m->cols);
    ctw_svm__rows_free(ctx, &m->kept);
    ctw_base__free(ctx, m->kept_label);
    ctw_base__free(ctx, m->kept_weight);
    ctw_base__free(ctx, m->kept_bound);
    ctw_base__free(ctx, m);
}

ctw_status ctw_svm__model_columns(ctw_ctx *ctx, ctw_svm__model *m, const ctw_svm__opts *o)
{
    if (m->sv.n == 0) return CTW_OK;
    ctw_svm__kernel k = {o->kernel, o->degree, m->gamma, o->coef0};
    CTW_TRY(ctw_svm__norms(ctx, &m->sv, &m->sv_norm));
    CTW_TRY(ctw_svm__columns_new(ctx, &m->sv, m->sv.n, ctw_svm__rows_entries(&m->sv), &k, &m->cols));
    return ctw_svm__columns_fill(ctx, &m->cols, &m->sv, m->sv_norm, NULL, m->sv.n);
}
