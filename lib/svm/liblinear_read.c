/* liblinear_read.c: LIBLINEAR's model format. A header of `keyword value ...` lines, then after the line "w" one line
 * a feature (and one for the bias where it is not negative) with a weight for each class, or one for both of two. */
#include "svm/foreign.h"
#include <string.h>

typedef struct header {
    int64_t features;
    double bias;
    int logistic, crammer; /* crammer: one column a class even for two */
    int labels;
} header;

/* Solver types with decision functions for classes; logistic ones give probabilities. */
static ctw_status solver_type(ctw_svm__import *g, header *h)
{
    static const struct {
        const char *name;
        int logistic, crammer;
    } types[] = {
        {"L2R_LR", 1, 0},   {"L2R_L2LOSS_SVC_DUAL", 0, 0}, {"L2R_L2LOSS_SVC", 0, 0}, {"L2R_L1LOSS_SVC_DUAL", 0, 0},
        {"MCSVM_CS", 0, 1}, {"L1R_L2LOSS_SVC", 0, 0},      {"L1R_LR", 1, 0},         {"L2R_LR_DUAL", 1, 0}};
    const char *word;
    size_t len;
    if (!ctw_svm__text_word(&g->t, &word, &len)) return ctw_svm__text_bad(&g->t, g->t.at, "a value is missing");
    for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
        if (!ctw_svm__import_is(word, len, types[k].name)) continue;
        h->logistic = types[k].logistic;
        h->crammer = types[k].crammer;
        return CTW_OK;
    }
    return ctw_base__fail(CTW_E_UNSUPPORTED, "%s: solver_type is not one for classification", g->fn);
}

static ctw_status header_line(ctw_svm__import *g, header *h, const char *key, size_t len)
{
    int64_t k;
    if (ctw_svm__import_is(key, len, "nr_feature")) return ctw_svm__import_i64(g, 0, INT32_MAX - 2, &h->features);
    if (ctw_svm__import_is(key, len, "bias")) return ctw_svm__import_f64(g, &h->bias);
    if (ctw_svm__import_is(key, len, "nr_class")) {
        if (g->model) return ctw_svm__text_bad(&g->t, key, "the line is there twice");
        CTW_TRY(ctw_svm__import_i64(g, 2, 10000, &k));
        return ctw_svm__model_new(g->ctx, (size_t)k, 1, &g->model);
    }
    if (!ctw_svm__import_is(key, len, "label")) return ctw_svm__text_bad(&g->t, key, "unknown keyword");
    if (!g->model) return ctw_svm__text_bad(&g->t, key, "nr_class must come first");
    h->labels = 1;
    return ctw_svm__import_labels(g);
}

static ctw_status read_header(ctw_svm__import *g, header *h)
{
    const char *key;
    size_t len;
    h->features = -1;
    CTW_TRY(solver_type(g, h));
    while (ctw_svm__text_line(&g->t, 0)) {
        if (!ctw_svm__text_word(&g->t, &key, &len)) continue;
        if (ctw_svm__import_is(key, len, "w")) {
            if (!g->model || !h->labels || h->features < 0) break;
            return CTW_OK;
        }
        CTW_TRY(header_line(g, h, key, len));
    }
    return ctw_base__fail(CTW_E_FORMAT, "%s: nr_class, label or nr_feature is missing before w", g->fn);
}

static ctw_status make_machines(ctw_svm__import *g, const header *h)
{
    ctw_svm__model *m = g->model;
    if ((uint64_t)h->features > (uint64_t)(g->t.end - g->t.at) / m->machines)
        return ctw_base__fail(CTW_E_FORMAT, "%s: the file is too short for %lld features", g->fn,
                              (long long)h->features);
    m->d = (size_t)h->features;
    for (size_t k = 0; k < m->machines; k++) {
        ctw_svm__machine *c = &m->machine[k];
        c->w = CTW_NEW(g->ctx, m->d, double);
        if (!c->w) return CTW_E_NOMEM;
        c->converged = 1;
        c->calibrated = h->logistic;
        c->pa = h->logistic ? -1 : 0;
    }
    return CTW_OK;
}

/* One line of weights; feature m->d is the bias. */
static ctw_status weights_line(ctw_svm__import *g, const header *h, size_t feature)
{
    ctw_svm__model *m = g->model;
    size_t columns = m->classes == 2 && !h->crammer ? 1 : m->classes;
    if (!ctw_svm__text_line(&g->t, 0)) return ctw_base__fail(CTW_E_FORMAT, "%s: a line of weights is missing", g->fn);
    for (size_t k = 0; k < columns; k++) {
        double v;
        CTW_TRY(ctw_svm__import_f64(g, &v));
        ctw_svm__machine *c = &m->machine[m->classes == 2 ? 0 : k];
        if (m->classes == 2 && k == 0) v = -v; /* theirs speaks for the first of two, and so for less of the second */
        if (feature < m->d)
            c->w[feature] += v;
        else
            c->bias += v * h->bias;
    }
    return ctw_svm__import_end(g);
}

ctw_status ctw_svm__import_liblinear(ctw_svm__import *g)
{
    header h = {.bias = -1};
    CTW_TRY(read_header(g, &h));
    CTW_TRY(make_machines(g, &h));
    for (size_t f = 0; f < g->model->d + (h.bias >= 0); f++) CTW_TRY(weights_line(g, &h, f));
    CTW_TRY(ctw_params_set_str(g->params, "solver", "cd"));
    return ctw_params_set_str(g->params, "kernel", "linear");
}
