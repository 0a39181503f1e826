/* foreign.c: the public verbs for other programs' model files, and what reading both has in common. */
#include "svm/foreign.h"
#include "base/ctx.h"
#include "io/file.h"
#include <string.h>

#define FILE_LIMIT ((size_t)4 << 30)

static ctw_status missing(ctw_svm__import *g)
{
    return ctw_svm__text_bad(&g->t, g->t.at, "a value is missing");
}

ctw_status ctw_svm__import_f64(ctw_svm__import *g, double *out)
{
    const char *word;
    size_t len;
    if (!ctw_svm__text_word(&g->t, &word, &len)) return missing(g);
    return ctw_svm__text_f64(&g->t, word, len, out);
}

ctw_status ctw_svm__import_i64(ctw_svm__import *g, int64_t lo, int64_t hi, int64_t *out)
{
    const char *word;
    size_t len;
    if (!ctw_svm__text_word(&g->t, &word, &len)) return missing(g);
    CTW_TRY(ctw_svm__text_i64(&g->t, word, len, out));
    return *out < lo || *out > hi ? ctw_svm__text_bad(&g->t, word, "the number is out of range") : CTW_OK;
}

ctw_status ctw_svm__import_vec(ctw_svm__import *g, size_t n, double **out)
{
    if (*out) return ctw_svm__text_bad(&g->t, g->t.line_begin, "the line is there twice");
    if (n > (size_t)(g->t.line_end - g->t.at)) return missing(g); /* a value takes two characters */
    *out = CTW_NEW(g->ctx, n, double);
    if (!*out) return CTW_E_NOMEM;
    for (size_t i = 0; i < n; i++) CTW_TRY(ctw_svm__import_f64(g, &(*out)[i]));
    return ctw_svm__import_end(g);
}

int ctw_svm__import_is(const char *word, size_t len, const char *text)
{
    return len == strlen(text) && memcmp(word, text, len) == 0;
}

ctw_status ctw_svm__import_end(ctw_svm__import *g)
{
    const char *word;
    size_t len;
    return ctw_svm__text_word(&g->t, &word, &len) ? ctw_svm__text_bad(&g->t, word, "more than expected") : CTW_OK;
}

ctw_status ctw_svm__import_labels(ctw_svm__import *g)
{
    for (size_t i = 0; i < g->model->classes; i++)
        CTW_TRY(ctw_svm__import_i64(g, INT64_MIN, INT64_MAX, &g->model->label[i]));
    return ctw_svm__import_end(g);
}

static ctw_status parse(ctw_svm__import *g)
{
    const char *word;
    size_t len;
    if (ctw_svm__text_line(&g->t, 0) && ctw_svm__text_word(&g->t, &word, &len)) {
        if (ctw_svm__import_is(word, len, "svm_type")) return ctw_svm__import_libsvm(g);
        if (ctw_svm__import_is(word, len, "solver_type")) return ctw_svm__import_liblinear(g);
    }
    return ctw_base__fail(CTW_E_FORMAT,
                          "%s: neither a LIBSVM model (svm_type ...) nor a LIBLINEAR one (solver_type ...)", g->fn);
}

static ctw_status import(ctw_ctx *ctx, const void *text, size_t len, const char *fn, ctw_svm **out)
{
    ctw_svm__import g = {.ctx = ctx, .fn = fn};
    ctw_svm *m = NULL;
    ctw_svm__text_open(&g.t, text, len, fn);
    ctw_status st = ctw_params_new(ctx, "svm", &g.params);
    if (st == CTW_OK) st = parse(&g);
    if (st == CTW_OK) st = ctw_svm_new(ctx, g.params, &m);
    if (st == CTW_OK) st = ctw_svm__model_columns(ctx, g.model, &m->opts);
    ctw_params_unref(g.params);
    if (st != CTW_OK) {
        ctw_svm__model_free(ctx, g.model);
        ctw_svm_unref(m);
        return st;
    }
    m->model = g.model;
    *out = m;
    return CTW_OK;
}

ctw_status ctw_svm_import_mem(ctw_ctx *ctx, const void *text, uint64_t len, ctw_svm **out)
{
    CTW_TRY(ctw_base__need(out, __func__, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, __func__));
    CTW_TRY(ctw_base__need_n(text, len, __func__, "text"));
    return import(ctx, text, (size_t)len, __func__, out);
}

ctw_status ctw_svm_import_file(ctw_ctx *ctx, const char *path, ctw_svm **out)
{
    CTW_TRY(ctw_base__need(out, __func__, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, __func__));
    CTW_TRY(ctw_base__need(path, __func__, "path"));
    unsigned char *data;
    size_t size;
    CTW_TRY(ctw_io__file_read(ctx, path, FILE_LIMIT, &data, &size, __func__));
    ctw_status st = import(ctx, data, size, __func__, out);
    ctw_base__free(ctx, data);
    return st == CTW_OK ? st : ctw_base__fail_in(st, "%s", path);
}

static ctw_status export(const ctw_svm *m, int32_t format, ctw_io__writer *w, const char *fn)
{
    CTW_TRY(ctw_svm__fitted(m, fn));
    CTW_TRY(ctw_base__in_i64(format, CTW_SVM_LIBSVM, CTW_SVM_LIBLINEAR, fn, "format"));
    w->ctx = m->h.ctx;
    ctw_status st = format == CTW_SVM_LIBSVM ? ctw_svm__export_libsvm(m, w, fn) : ctw_svm__export_liblinear(m, w, fn);
    if (st != CTW_OK) ctw_io__writer_free(w);
    return st;
}

ctw_status ctw_svm_export_mem(const ctw_svm *m, int32_t format, void *buf, uint64_t cap, uint64_t *need)
{
    ctw_io__writer w = {0};
    CTW_TRY(export(m, format, &w, __func__));
    return ctw_svm__writer_to_mem(&w, buf, cap, need, __func__);
}

ctw_status ctw_svm_export_file(const ctw_svm *m, int32_t format, const char *path)
{
    ctw_io__writer w = {0};
    CTW_TRY(export(m, format, &w, __func__));
    return ctw_svm__writer_to_file(&w, path, __func__);
}
