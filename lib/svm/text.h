/* text.h: what the text formats of LIBSVM and LIBLINEAR share: a cursor over lines and words with the place for
 * messages, and handing a written text to the caller. */
#ifndef CTW_SVM_TEXT_H
#define CTW_SVM_TEXT_H

#include "io/bytes.h"
#include <cybertwin/base.h>
#include <stddef.h>

typedef struct ctw_svm__text {
    const char *begin, *at, *end; /* the whole text, the next character */
    const char *line_end;         /* of the current line, its comment cut off */
    size_t line;                  /* from 1 */
    const char *line_begin;
    const char *fn; /* public function, for messages */
} ctw_svm__text;

void ctw_svm__text_open(ctw_svm__text *t, const char *text, size_t len, const char *fn);
/* Moves to the next line; 0 at the end. hash: '#' starts a comment. */
int ctw_svm__text_line(ctw_svm__text *t, int hash);
/* Next blank-separated word of the line; 0 when there is none left. */
int ctw_svm__text_word(ctw_svm__text *t, const char **word, size_t *len);
/* CTW_E_FORMAT with the line and the column of `where`. */
ctw_status ctw_svm__text_bad(const ctw_svm__text *t, const char *where, const char *what);
/* The word as a finite real, as an integer, as a whole number written any way ("+1", "1.0"). */
ctw_status ctw_svm__text_f64(const ctw_svm__text *t, const char *word, size_t len, double *out);
ctw_status ctw_svm__text_i64(const ctw_svm__text *t, const char *word, size_t len, int64_t *out);
ctw_status ctw_svm__text_label(const ctw_svm__text *t, const char *word, size_t len, int64_t *out);

/* One row's entries `index:value` to the line's end, indices from `first` and ascending, into growing arrays. */
typedef struct ctw_svm__entries {
    int32_t *col;
    double *val;
    size_t n, col_cap, val_cap;
    size_t width; /* highest index so far, of zeros too */
} ctw_svm__entries;
ctw_status ctw_svm__text_entries(ctw_svm__text *t, ctw_ctx *ctx, ctw_svm__entries *e);
void ctw_svm__entries_free(ctw_ctx *ctx, ctw_svm__entries *e);

/* Writing: text without its NUL, numbers that read back equal. */
void ctw_svm__put_text(ctw_io__writer *w, const char *text);
void ctw_svm__put_f64(ctw_io__writer *w, double v);
void ctw_svm__put_i64(ctw_io__writer *w, int64_t v);
void ctw_svm__put_entries(ctw_io__writer *w, const int32_t *col, const double *val, size_t n);

/* The contracts of save_mem and save_file; both free w. */
ctw_status ctw_svm__writer_to_mem(ctw_io__writer *w, void *buf, uint64_t cap, uint64_t *need, const char *fn);
ctw_status ctw_svm__writer_to_file(ctw_io__writer *w, const char *path, const char *fn);

#endif
