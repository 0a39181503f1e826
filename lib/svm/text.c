/* text.c: words and numbers of the LIBSVM family of text formats. */
#include "svm/text.h"
#include "base/alloc.h"
#include "base/check.h"
#include "base/error.h"
#include "base/textnum.h"
#include "io/file.h"
#include <string.h>

void ctw_svm__text_open(ctw_svm__text *t, const char *text, size_t len, const char *fn)
{
    *t = (ctw_svm__text){.begin = text, .at = text, .end = text + len, .fn = fn};
}

int ctw_svm__text_line(ctw_svm__text *t, int hash)
{
    if (t->line) t->at = t->line_end;
    if (t->line) {
        const char *nl = t->at < t->end ? memchr(t->at, '\n', (size_t)(t->end - t->at)) : NULL;
        if (!nl) return 0;
        t->at = nl + 1;
    }
    if (t->at >= t->end) return 0;
    const char *nl = memchr(t->at, '\n', (size_t)(t->end - t->at));
    t->line_begin = t->at;
    t->line_end = nl ? nl : t->end;
    t->line++;
    const char *cut = hash ? memchr(t->at, '#', (size_t)(t->line_end - t->at)) : NULL;
    if (cut) t->line_end = cut;
    return 1;
}

static int blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

int ctw_svm__text_word(ctw_svm__text *t, const char **word, size_t *len)
{
    while (t->at < t->line_end && blank(*t->at)) t->at++;
    *word = t->at;
    while (t->at < t->line_end && !blank(*t->at)) t->at++;
    *len = (size_t)(t->at - *word);
    return *len > 0;
}

ctw_status ctw_svm__text_bad(const ctw_svm__text *t, const char *where, const char *what)
{
    size_t column = where >= t->line_begin ? (size_t)(where - t->line_begin) + 1 : 1;
    return ctw_base__fail(CTW_E_FORMAT, "%s: line %llu column %llu: %s", t->fn, (unsigned long long)t->line,
                          (unsigned long long)column, what);
}

ctw_status ctw_svm__text_f64(const ctw_svm__text *t, const char *word, size_t len, double *out)
{
    if (ctw_base__parse_f64(word, len, out) == 0) return CTW_OK;
    return ctw_svm__text_bad(t, word, "not a finite number");
}

ctw_status ctw_svm__text_i64(const ctw_svm__text *t, const char *word, size_t len, int64_t *out)
{
    if (ctw_base__parse_i64(word, len, out) == 0) return CTW_OK;
    return ctw_svm__text_bad(t, word, "not a whole number");
}

ctw_status ctw_svm__text_label(const ctw_svm__text *t, const char *word, size_t len, int64_t *out)
{
    if (ctw_base__parse_i64(word, len, out) == 0) return CTW_OK;
    double v;
    CTW_TRY(ctw_svm__text_f64(t, word, len, &v));
    if (v < -9007199254740992.0 || v > 9007199254740992.0 || v != (double)(int64_t)v)
        return ctw_svm__text_bad(t, word, "the label is not a whole number");
    *out = (int64_t)v;
    return CTW_OK;
}

static ctw_status entry(ctw_svm__text *t, ctw_svm__entries *e, const char *word, size_t len, int64_t *last)
{
    const char *colon = memchr(word, ':', len);
    if (!colon) return ctw_svm__text_bad(t, word, "expected index:value");
    int64_t index;
    double value;
    CTW_TRY(ctw_svm__text_i64(t, word, (size_t)(colon - word), &index));
    if (index < 1 || index >= INT32_MAX) return ctw_svm__text_bad(t, word, "index outside 1..2147483646");
    if (index <= *last) return ctw_svm__text_bad(t, word, "indices must ascend");
    CTW_TRY(ctw_svm__text_f64(t, colon + 1, len - (size_t)(colon + 1 - word), &value));
    *last = index;
    if ((size_t)index > e->width) e->width = (size_t)index;
    if (value == 0) return CTW_OK;
    e->col[e->n] = (int32_t)(index - 1);
    e->val[e->n++] = value;
    return CTW_OK;
}

ctw_status ctw_svm__text_entries(ctw_svm__text *t, ctw_ctx *ctx, ctw_svm__entries *e)
{
    const char *word;
    size_t len;
    int64_t last = 0;
    e->n = 0;
    while (ctw_svm__text_word(t, &word, &len)) {
        CTW_TRY(ctw_base__grow(ctx, (void **)&e->col, &e->col_cap, e->n + 1, sizeof *e->col));
        CTW_TRY(ctw_base__grow(ctx, (void **)&e->val, &e->val_cap, e->n + 1, sizeof *e->val));
        CTW_TRY(entry(t, e, word, len, &last));
    }
    return CTW_OK;
}

void ctw_svm__entries_free(ctw_ctx *ctx, ctw_svm__entries *e)
{
    ctw_base__free(ctx, e->col);
    ctw_base__free(ctx, e->val);
}

void ctw_svm__put_text(ctw_io__writer *w, const char *text)
{
    ctw_io__put_raw(w, text, strlen(text));
}

void ctw_svm__put_f64(ctw_io__writer *w, double v)
{
    char buf[40];
    ctw_io__put_raw(w, buf, ctw_base__print_f64(buf, sizeof buf, v));
}

void ctw_svm__put_i64(ctw_io__writer *w, int64_t v)
{
    char buf[32];
    ctw_base__format(buf, sizeof buf, "%lld", (long long)v);
    ctw_svm__put_text(w, buf);
}

void ctw_svm__put_entries(ctw_io__writer *w, const int32_t *col, const double *val, size_t n)
{
    for (size_t p = 0; p < n; p++) {
        ctw_svm__put_text(w, " ");
        ctw_svm__put_i64(w, (int64_t)col[p] + 1);
        ctw_svm__put_text(w, ":");
        ctw_svm__put_f64(w, val[p]);
    }
}

static ctw_status to_mem(const ctw_io__writer *w, void *buf, uint64_t cap, uint64_t *need, const char *fn)
{
    CTW_TRY(ctw_base__need(need, fn, "need"));
    if (w->failed) return CTW_E_NOMEM;
    *need = w->size;
    if (!buf && cap == 0) return CTW_OK;
    CTW_TRY(ctw_base__need(buf, fn, "buf"));
    if (cap < w->size)
        return ctw_base__fail(CTW_E_BUFFER, "%s: the buffer holds %llu bytes, %llu are needed", fn,
                              (unsigned long long)cap, (unsigned long long)w->size);
    if (w->size) memcpy(buf, w->data, w->size);
    return CTW_OK;
}

ctw_status ctw_svm__writer_to_mem(ctw_io__writer *w, void *buf, uint64_t cap, uint64_t *need, const char *fn)
{
    ctw_status st = to_mem(w, buf, cap, need, fn);
    ctw_io__writer_free(w);
    return st;
}

ctw_status ctw_svm__writer_to_file(ctw_io__writer *w, const char *path, const char *fn)
{
    ctw_status st = ctw_base__need(path, fn, "path");
    if (st == CTW_OK && w->failed) st = CTW_E_NOMEM;
    if (st == CTW_OK) st = ctw_io__file_write(w->ctx, path, w->data, w->size, fn);
    ctw_io__writer_free(w);
    return st;
}
