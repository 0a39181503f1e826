/* svm_io.c: a classifier as a file of kind SVMC: options, classes, machines, support vectors and, for models that
 * can be continued, the rows they were learned from. The format is described in doc/format.md and doc/svm.md. */
#include "io/saving.h"
#include "svm/svm_internal.h"
#include <string.h>

#define KIND         CTW_FOUR('S', 'V', 'M', 'C')
#define MAJOR        1
#define TAG_MODEL    CTW_FOUR('M', 'O', 'D', 'L')
#define TAG_MACHINES CTW_FOUR('M', 'A', 'C', 'H')
#define TAG_VECTORS  CTW_FOUR('S', 'V', 'E', 'C')
#define TAG_KEPT     CTW_FOUR('K', 'E', 'P', 'T')
#define TAG_PARAMS   CTW_FOUR('P', 'R', 'M', 'S')

/* ---- writing ---- */

static void put_rows(ctw_io__writer *w, const ctw_svm__rows *r)
{
    ctw_io__put_u64(w, r->d);
    ctw_io__put_u64(w, r->n);
    for (size_t i = 0; i < r->n; i++) {
        ctw_io__put_u64(w, r->start[i + 1] - r->start[i]);
        for (size_t p = r->start[i]; p < r->start[i + 1]; p++) {
            ctw_io__put_u32(w, (uint32_t)r->col[p]);
            ctw_io__put_f64(w, r->val[p]);
        }
    }
}

static void put_machine(ctw_io__writer *w, const ctw_svm__machine *c, size_t d)
{
    ctw_io__put_f64(w, c->bias);
    ctw_io__put_u8(w, (uint8_t)c->calibrated);
    ctw_io__put_f64(w, c->pa);
    ctw_io__put_f64(w, c->pb);
    ctw_io__put_f64(w, c->objective);
    ctw_io__put_u64(w, c->iterations);
    ctw_io__put_u64(w, c->support);
    ctw_io__put_u64(w, c->bounded);
    ctw_io__put_u8(w, (uint8_t)c->converged);
    ctw_io__put_u64(w, c->steps);
    ctw_io__put_f64(w, c->seen);
    ctw_io__put_u8(w, c->w != NULL);
    if (c->w) ctw_io__put_vec(w, c->w, d);
    ctw_io__put_u64(w, c->nsv);
    for (size_t i = 0; i < c->nsv; i++) ctw_io__put_u64(w, c->sv[i]);
    if (c->nsv) ctw_io__put_f64s(w, c->coef, c->nsv);
}

static void put_model(ctw_io__out *o, const ctw_svm *m)
{
    const ctw_svm__model *md = m->model;
    ctw_io__out_open(o, TAG_MODEL, 1, 0);
    ctw_io__put_u64(&o->w, md->d);
    ctw_io__put_u8(&o->w, (uint8_t)md->ovr);
    ctw_io__put_f64(&o->w, md->gamma);
    ctw_io__put_u64(&o->w, md->vectors);
    ctw_io__put_u64(&o->w, md->classes);
    for (size_t i = 0; i < md->classes; i++) ctw_io__put_i64(&o->w, md->label[i]);
    ctw_io__put_u64(&o->w, m->n_cw);
    for (size_t i = 0; i < m->n_cw; i++) {
        ctw_io__put_i64(&o->w, m->cw[i].label);
        ctw_io__put_f64(&o->w, m->cw[i].weight);
    }
    ctw_io__out_close(o);
    ctw_io__out_open(o, TAG_MACHINES, 1, 0);
    for (size_t k = 0; k < md->machines; k++) put_machine(&o->w, &md->machine[k], md->d);
    ctw_io__out_close(o);
    if (md->sv.n == 0) return;
    ctw_io__out_open(o, TAG_VECTORS, 1, 0);
    put_rows(&o->w, &md->sv);
    ctw_io__out_close(o);
}

static void put_kept(ctw_io__out *o, const ctw_svm__model *md)
{
    if (!md->kept_label) return;
    ctw_io__out_open(o, TAG_KEPT, 1, 0);
    put_rows(&o->w, &md->kept);
    for (size_t i = 0; i < md->kept.n; i++) ctw_io__put_i64(&o->w, md->kept_label[i]);
    ctw_io__put_f64s(&o->w, md->kept_weight, md->kept.n);
    ctw_io__put_f64s(&o->w, md->kept_bound, md->kept.n);
    for (size_t k = 0; k < md->machines; k++) ctw_io__put_f64s(&o->w, md->machine[k].beta, md->kept.n);
    ctw_io__out_close(o);
}

static ctw_status write_all(const ctw_svm *m, ctw_io__out *o)
{
    ctw_io__out_begin(o, m->h.ctx, KIND, MAJOR, 0);
    ctw_io__out_params(o, m->params);
    put_model(o, m);
    put_kept(o, m->model);
    return CTW_OK;
}

/* ---- reading ---- */

typedef struct reading {
    ctw_ctx *ctx;
    ctw_io__in in;
    ctw_io__reader r;
    ctw_svm *m;
    ctw_svm__model *model;
    const char *fn;
} reading;

static ctw_status damaged(const reading *g, const char *what)
{
    return ctw_base__fail(CTW_E_FORMAT, "%s: damaged model: %s", g->fn, what);
}

static ctw_status get_row(reading *g, ctw_svm__rows *rows, size_t d)
{
    size_t nz = ctw_io__get_count(&g->r, 12);
    if (g->r.failed) return damaged(g, "a row is cut off");
    CTW_TRY(ctw_svm__rows_reserve(g->ctx, rows, 1, nz));
    size_t at = rows->start[rows->n];
    for (size_t p = 0; p < nz; p++) {
        uint32_t col = ctw_io__get_u32(&g->r);
        ctw_io__get_f64s(&g->r, &rows->val[at + p], 1);
        if (g->r.failed || col >= d || (p && (int32_t)col <= rows->col[at + p - 1]))
            return damaged(g, "a row's entries");
        rows->col[at + p] = (int32_t)col;
    }
    rows->start[++rows->n] = at + nz;
    return CTW_OK;
}

static ctw_status get_rows(reading *g, ctw_svm__rows *rows)
{
    uint64_t d = ctw_io__get_u64(&g->r);
    size_t n = ctw_io__get_count(&g->r, 8);
    if (g->r.failed || d >= INT32_MAX || d != g->model->d) return damaged(g, "the shape of its rows");
    for (size_t i = 0; i < n; i++) CTW_TRY(get_row(g, rows, (size_t)d));
    rows->d = (size_t)d;
    return CTW_OK;
}

static ctw_status get_class_weights(reading *g)
{
    size_t n = ctw_io__get_count(&g->r, 16);
    CTW_TRY(ctw_base__grow(g->ctx, (void **)&g->m->cw, &g->m->cap_cw, n ? n : 1, sizeof *g->m->cw));
    for (size_t i = 0; i < n; i++) {
        g->m->cw[i].label = ctw_io__get_i64(&g->r);
        ctw_io__get_f64s(&g->r, &g->m->cw[i].weight, 1);
        if (g->r.failed || !(g->m->cw[i].weight > 0)) return damaged(g, "a class weight");
    }
    g->m->n_cw = n;
    return CTW_OK;
}

static ctw_status get_model(reading *g)
{
    CTW_TRY(ctw_io__in_section(&g->in, TAG_MODEL, &g->r, g->fn));
    uint64_t d = ctw_io__get_u64(&g->r);
    uint8_t ovr = ctw_io__get_u8(&g->r);
    double gamma = 0;
    ctw_io__get_f64s(&g->r, &gamma, 1);
    uint64_t vectors = ctw_io__get_u64(&g->r);
    size_t classes = ctw_io__get_count(&g->r, 8);
    if (g->r.failed || d >= INT32_MAX || ovr > 1 || gamma < 0 || classes < 2 || classes > 10000)
        return damaged(g, "its shape");
    ctw_io__reader mach; /* each machine takes at least 74 bytes, which bounds what is allocated for them */
    CTW_TRY(ctw_io__in_section(&g->in, TAG_MACHINES, &mach, g->fn));
    if (ctw_svm__machines_of(classes, ovr) > mach.left / 74) return damaged(g, "machines are missing");
    CTW_TRY(ctw_svm__model_new(g->ctx, classes, ovr, &g->model));
    g->model->d = (size_t)d;
    g->model->gamma = gamma;
    g->model->vectors = vectors;
    for (size_t i = 0; i < classes; i++) g->model->label[i] = ctw_io__get_i64(&g->r);
    CTW_TRY(get_class_weights(g));
    return ctw_io__in_end(&g->r, g->fn, "classes");
}

static ctw_status get_coefficients(reading *g, ctw_svm__machine *c)
{
    size_t n = ctw_io__get_count(&g->r, 16);
    if (g->r.failed) return damaged(g, "support vectors are missing");
    c->sv = CTW_NEW(g->ctx, n, size_t);
    c->coef = CTW_NEW(g->ctx, n, double);
    if (!c->sv || !c->coef) return CTW_E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        uint64_t v = ctw_io__get_u64(&g->r);
        if (v >= g->model->sv.n || (i && v <= c->sv[i - 1])) return damaged(g, "a support vector's number");
        c->sv[i] = (size_t)v;
    }
    ctw_io__get_f64s(&g->r, c->coef, n);
    c->nsv = n;
    return CTW_OK;
}

static ctw_status get_machine(reading *g, ctw_svm__machine *c)
{
    ctw_io__get_f64s(&g->r, &c->bias, 1);
    c->calibrated = ctw_io__get_u8(&g->r);
    ctw_io__get_f64s(&g->r, &c->pa, 1);
    ctw_io__get_f64s(&g->r, &c->pb, 1);
    ctw_io__get_f64s(&g->r, &c->objective, 1);
    c->iterations = ctw_io__get_u64(&g->r);
    c->support = ctw_io__get_u64(&g->r);
    c->bounded = ctw_io__get_u64(&g->r);
    c->converged = ctw_io__get_u8(&g->r);
    c->steps = ctw_io__get_u64(&g->r);
    ctw_io__get_f64s(&g->r, &c->seen, 1);
    int linear = ctw_io__get_u8(&g->r);
    if (g->r.failed || c->calibrated > 1 || c->converged > 1 || linear > 1) return damaged(g, "a machine");
    if (linear) {
        size_t d = ctw_io__get_count(&g->r, 8);
        if (g->r.failed || d != g->model->d) return damaged(g, "a weight vector");
        c->w = CTW_NEW(g->ctx, d, double);
        if (!c->w) return CTW_E_NOMEM;
        ctw_io__get_f64s(&g->r, c->w, d);
    }
    return get_coefficients(g, c);
}

static ctw_status get_vectors(reading *g)
{
    if (!ctw_io__in_has(&g->in, TAG_VECTORS)) return CTW_OK;
    CTW_TRY(ctw_io__in_section(&g->in, TAG_VECTORS, &g->r, g->fn));
    CTW_TRY(get_rows(g, &g->model->sv));
    CTW_TRY(ctw_io__in_end(&g->r, g->fn, "support vectors"));
    return ctw_svm__model_columns(g->ctx, g->model, &g->m->opts);
}

static ctw_status get_machines(reading *g)
{
    CTW_TRY(ctw_io__in_section(&g->in, TAG_MACHINES, &g->r, g->fn));
    for (size_t k = 0; k < g->model->machines; k++) CTW_TRY(get_machine(g, &g->model->machine[k]));
    return ctw_io__in_end(&g->r, g->fn, "machines");
}

static ctw_status get_kept(reading *g)
{
    if (!ctw_io__in_has(&g->in, TAG_KEPT)) return CTW_OK;
    ctw_svm__model *md = g->model;
    CTW_TRY(ctw_io__in_section(&g->in, TAG_KEPT, &g->r, g->fn));
    CTW_TRY(get_rows(g, &md->kept));
    size_t n = md->kept.n;
    if (g->r.left / 8 / (3 + md->machines) < n) return damaged(g, "kept rows are missing");
    md->kept_label = CTW_NEW(g->ctx, n, int64_t);
    md->kept_weight = CTW_NEW(g->ctx, n, double);
    md->kept_bound = CTW_NEW(g->ctx, n, double);
    if (!md->kept_label || !md->kept_weight || !md->kept_bound) return CTW_E_NOMEM;
    for (size_t i = 0; i < n; i++) md->kept_label[i] = ctw_io__get_i64(&g->r);
    ctw_io__get_f64s(&g->r, md->kept_weight, n);
    ctw_io__get_f64s(&g->r, md->kept_bound, n);
    for (size_t k = 0; k < md->machines; k++) {
        md->machine[k].beta = CTW_NEW(g->ctx, n, double);
        if (!md->machine[k].beta) return CTW_E_NOMEM;
        ctw_io__get_f64s(&g->r, md->machine[k].beta, n);
    }
    for (size_t i = 0; i < n; i++)
        if (!(md->kept_weight[i] > 0 && md->kept_bound[i] > 0)) return damaged(g, "a kept weight");
    return ctw_io__in_end(&g->r, g->fn, "kept rows");
}

static ctw_status read_sections(reading *g, const void *buf, uint64_t len)
{
    static const uint32_t known[] = {TAG_PARAMS, TAG_MODEL, TAG_MACHINES, TAG_VECTORS, TAG_KEPT};
    CTW_TRY(ctw_io__in_begin(&g->in, buf, len, KIND, MAJOR, g->fn));
    CTW_TRY(ctw_io__in_known(&g->in, known, sizeof known / sizeof *known, g->fn));
    ctw_params *p = NULL;
    CTW_TRY(ctw_io__in_params(&g->in, g->ctx, "svm", &p, g->fn));
    ctw_status st = ctw_svm_new(g->ctx, p, &g->m);
    ctw_params_unref(p);
    CTW_TRY(st);
    CTW_TRY(get_model(g));
    CTW_TRY(get_vectors(g));
    CTW_TRY(get_machines(g));
    return get_kept(g);
}

static ctw_status read_all(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_svm **out, const char *fn)
{
    reading g = {.ctx = ctx, .fn = fn};
    ctw_status st = read_sections(&g, buf, len);
    *out = g.m;
    if (st == CTW_OK)
        g.m->model = g.model;
    else
        ctw_svm__model_free(ctx, g.model);
    return st;
}

CTW_DEFINE_SAVING(ctw_svm, KIND, ctw_svm__fitted, write_all, read_all);
