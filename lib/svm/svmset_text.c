/* svmset_text.c: LIBSVM's data format, `label index:value ...`, one row a line. */
#include "svm/svmset.h"
#include "svm/text.h"

static ctw_status parse_row(ctw_svmset *s, ctw_svm__text *t, ctw_svm__entries *e)
{
    const char *word;
    size_t len;
    int64_t label;
    if (!ctw_svm__text_word(t, &word, &len)) return CTW_OK; /* a blank line */
    CTW_TRY(ctw_svm__text_label(t, word, len, &label));
    CTW_TRY(ctw_svm__text_entries(t, s->h.ctx, e));
    return ctw_svm__set_push(s, e->col, e->val, e->n, label);
}

ctw_status ctw_svm__text_parse(ctw_svmset *s, const char *text, size_t len, const char *fn)
{
    ctw_svm__text t;
    ctw_svm__entries e = {0};
    ctw_status st = CTW_OK;
    ctw_svm__text_open(&t, text, len, fn);
    while (st == CTW_OK && ctw_svm__text_line(&t, 1)) st = parse_row(s, &t, &e);
    if (e.width > s->rows.d) s->rows.d = e.width;
    ctw_svm__entries_free(s->h.ctx, &e);
    return st;
}

void ctw_svm__text_write(const ctw_svmset *s, ctw_io__writer *w)
{
    const ctw_svm__rows *r = &s->rows;
    for (size_t i = 0; i < r->n; i++) {
        ctw_svm__put_i64(w, s->label[i]);
        size_t n = r->start[i + 1] - r->start[i];
        if (n) ctw_svm__put_entries(w, r->col + r->start[i], r->val + r->start[i], n);
        ctw_svm__put_text(w, "\n");
    }
}
