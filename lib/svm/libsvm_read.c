/* libsvm_read.c: LIBSVM's model format. A header of `keyword value ...` lines, then after the line "SV" one support
 * vector a line: k - 1 coefficients, one for each pair its class is in, and its entries; vectors are grouped by
 * class. */
#include "svm/foreign.h"
#include <math.h>
#include <string.h>

typedef struct header {
    double *rho, *prob_a, *prob_b, *nsv; /* pairs, pairs, pairs, classes */
    int64_t total;
    int labels;
} header;

/* The vectors as read: coefficients row by row. */
typedef struct vectors {
    double *coef;
    size_t cap;
    ctw_svm__entries e;
} vectors;

static ctw_status set_param(ctw_svm__import *g, const char *key, const char *word, size_t len)
{
    char text[40] = "";
    if (len >= sizeof text) return ctw_svm__text_bad(&g->t, word, "not a number");
    memcpy(text, word, len);
    return ctw_params_set_text(g->params, key, text);
}

static ctw_status svm_type(ctw_svm__import *g)
{
    const char *word;
    size_t len;
    if (!ctw_svm__text_word(&g->t, &word, &len)) return ctw_svm__text_bad(&g->t, g->t.at, "a value is missing");
    if (ctw_svm__import_is(word, len, "c_svc") || ctw_svm__import_is(word, len, "nu_svc")) return CTW_OK;
    return ctw_base__fail(CTW_E_UNSUPPORTED, "%s: svm_type is not c_svc or nu_svc", g->fn);
}

static ctw_status kernel_type(ctw_svm__import *g, const char *word, size_t len)
{
    static const char *const names[][2] = {
        {"linear", "linear"}, {"rbf", "rbf"}, {"polynomial", "poly"}, {"sigmoid", "sigmoid"}};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        if (ctw_svm__import_is(word, len, names[k][0])) {
            CTW_TRY(ctw_params_set_str(g->params, "solver", "smo"));
            return ctw_params_set_str(g->params, "kernel", names[k][1]);
        }
    return ctw_base__fail(CTW_E_UNSUPPORTED, "%s: kernel_type is not linear, polynomial, rbf or sigmoid", g->fn);
}

static ctw_status gamma_line(ctw_svm__import *g, double *gamma)
{
    CTW_TRY(ctw_svm__import_f64(g, gamma));
    if (*gamma < 0 || *gamma > 1e12) return ctw_svm__text_bad(&g->t, g->t.line_begin, "gamma is out of range");
    return ctw_params_set_f64(g->params, "gamma", *gamma);
}

static ctw_status classes_line(ctw_svm__import *g)
{
    int64_t k;
    if (g->model) return ctw_svm__text_bad(&g->t, g->t.line_begin, "the line is there twice");
    CTW_TRY(ctw_svm__import_i64(g, 2, 10000, &k));
    if ((uint64_t)k * (uint64_t)(k - 1) / 2 > (uint64_t)(g->t.end - g->t.at)) /* as many rho must follow */
        return ctw_svm__text_bad(&g->t, g->t.line_begin, "the file is too short for that many classes");
    return ctw_svm__model_new(g->ctx, (size_t)k, 0, &g->model);
}

/* Lines whose length depends on the number of classes. */
static ctw_status class_vectors(ctw_svm__import *g, header *h, const char *key, size_t len)
{
    if (!g->model) return ctw_svm__text_bad(&g->t, key, "nr_class must come first");
    size_t k = g->model->classes, pairs = g->model->machines;
    if (ctw_svm__import_is(key, len, "rho")) return ctw_svm__import_vec(g, pairs, &h->rho);
    if (ctw_svm__import_is(key, len, "probA")) return ctw_svm__import_vec(g, pairs, &h->prob_a);
    if (ctw_svm__import_is(key, len, "probB")) return ctw_svm__import_vec(g, pairs, &h->prob_b);
    if (ctw_svm__import_is(key, len, "nr_sv")) return ctw_svm__import_vec(g, k, &h->nsv);
    if (!ctw_svm__import_is(key, len, "label")) return ctw_svm__text_bad(&g->t, key, "unknown keyword");
    h->labels = 1;
    return ctw_svm__import_labels(g);
}

static ctw_status header_line(ctw_svm__import *g, header *h, const char *key, size_t len, double *gamma)
{
    const char *word;
    size_t n;
    if (ctw_svm__import_is(key, len, "nr_class")) return classes_line(g);
    if (ctw_svm__import_is(key, len, "total_sv")) return ctw_svm__import_i64(g, 0, INT32_MAX - 2, &h->total);
    if (ctw_svm__import_is(key, len, "gamma")) return gamma_line(g, gamma);
    int kernel = ctw_svm__import_is(key, len, "kernel_type"), degree = ctw_svm__import_is(key, len, "degree");
    if (!kernel && !degree && !ctw_svm__import_is(key, len, "coef0")) return class_vectors(g, h, key, len);
    if (!ctw_svm__text_word(&g->t, &word, &n)) return ctw_svm__text_bad(&g->t, key, "a value is missing");
    return kernel ? kernel_type(g, word, n) : set_param(g, degree ? "degree" : "coef0", word, n);
}

static ctw_status read_header(ctw_svm__import *g, header *h)
{
    const char *key;
    size_t len;
    double gamma = 0;
    CTW_TRY(svm_type(g));
    while (ctw_svm__text_line(&g->t, 0)) {
        if (!ctw_svm__text_word(&g->t, &key, &len)) continue;
        if (ctw_svm__import_is(key, len, "SV")) {
            if (!g->model || !h->rho || !h->nsv || !h->labels) break;
            g->model->gamma = gamma;
            return CTW_OK;
        }
        CTW_TRY(header_line(g, h, key, len, &gamma));
    }
    return ctw_base__fail(CTW_E_FORMAT, "%s: nr_class, rho, label or nr_sv is missing before SV", g->fn);
}

static ctw_status read_vector(ctw_svm__import *g, vectors *v)
{
    ctw_svm__model *m = g->model;
    size_t each = m->classes - 1, at = m->sv.n * each;
    CTW_TRY(ctw_base__grow(g->ctx, (void **)&v->coef, &v->cap, at + each, sizeof *v->coef));
    for (size_t j = 0; j < each; j++) CTW_TRY(ctw_svm__import_f64(g, &v->coef[at + j]));
    CTW_TRY(ctw_svm__text_entries(&g->t, g->ctx, &v->e));
    CTW_TRY(ctw_svm__rows_reserve(g->ctx, &m->sv, 1, v->e.n));
    ctw_svm__rows_push(&m->sv, v->e.col, v->e.val, v->e.n);
    return CTW_OK;
}

/* The vectors' classes follow from nr_sv: first[k] is the first vector of class k. */
static ctw_status read_vectors(ctw_svm__import *g, const header *h, vectors *v, size_t *first)
{
    ctw_svm__model *m = g->model;
    double sum = 0;
    for (size_t k = 0; k < m->classes; k++) {
        if (!(h->nsv[k] >= 0 && h->nsv[k] <= (double)h->total) || h->nsv[k] != floor(h->nsv[k]))
            return ctw_base__fail(CTW_E_FORMAT, "%s: nr_sv holds a bad count", g->fn);
        first[k] = (size_t)sum; /* at most 10000 counts below 2^31 */
        sum += h->nsv[k];
    }
    first[m->classes] = (size_t)sum;
    if (sum != (double)h->total) return ctw_base__fail(CTW_E_FORMAT, "%s: nr_sv does not add up to total_sv", g->fn);
    while (m->sv.n < (size_t)h->total) {
        if (!ctw_svm__text_line(&g->t, 0))
            return ctw_base__fail(CTW_E_FORMAT, "%s: %llu support vectors, total_sv is %lld", g->fn,
                                  (unsigned long long)m->sv.n, (long long)h->total);
        CTW_TRY(read_vector(g, v));
    }
    m->d = m->sv.d = m->sv.d > v->e.width ? m->sv.d : v->e.width;
    m->vectors = m->sv.n;
    return CTW_OK;
}

static void add_class(ctw_svm__machine *c, const double *coef, size_t each, size_t column, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        double v = -coef[i * each + column];
        if (v == 0) continue;
        c->sv[c->nsv] = i;
        c->coef[c->nsv++] = v;
    }
}

static ctw_status make_machines(ctw_svm__import *g, const header *h, const vectors *v, const size_t *first)
{
    ctw_svm__model *m = g->model;
    for (size_t k = 0; k < m->machines; k++) {
        ctw_svm__machine *c = &m->machine[k];
        size_t a = (size_t)c->neg, b = (size_t)c->pos;
        size_t n = first[a + 1] - first[a] + first[b + 1] - first[b];
        c->sv = CTW_NEW(g->ctx, n, size_t);
        c->coef = CTW_NEW(g->ctx, n, double);
        if (!c->sv || !c->coef) return CTW_E_NOMEM;
        add_class(c, v->coef, m->classes - 1, b - 1, first[a], first[a + 1]);
        add_class(c, v->coef, m->classes - 1, a, first[b], first[b + 1]);
        c->support = c->nsv;
        c->bias = h->rho[k];
        c->converged = 1;
        c->calibrated = h->prob_a && h->prob_b;
        if (c->calibrated) {
            c->pa = h->prob_a[k];
            c->pb = -h->prob_b[k];
        }
    }
    return CTW_OK;
}

ctw_status ctw_svm__import_libsvm(ctw_svm__import *g)
{
    header h = {0};
    vectors v = {0};
    size_t *first = NULL;
    ctw_status st = read_header(g, &h);
    if (st == CTW_OK) {
        first = CTW_NEW(g->ctx, g->model->classes + 1, size_t);
        st = first ? read_vectors(g, &h, &v, first) : CTW_E_NOMEM;
    }
    if (st == CTW_OK) st = make_machines(g, &h, &v, first);
    ctw_base__free(g->ctx, h.rho);
    ctw_base__free(g->ctx, h.prob_a);
    ctw_base__free(g->ctx, h.prob_b);
    ctw_base__free(g->ctx, h.nsv);
    ctw_base__free(g->ctx, v.coef);
    ctw_svm__entries_free(g->ctx, &v.e);
    ctw_base__free(g->ctx, first);
    return st;
}
