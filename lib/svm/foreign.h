/* foreign.h: model files of LIBSVM and LIBLINEAR. Their decision for the first of two classes is positive, ours for
 * the second: decisions are negated on the way in and out. */
#ifndef CTW_SVM_FOREIGN_H
#define CTW_SVM_FOREIGN_H

#include "svm/svm_internal.h"
#include "svm/text.h"

/* A model being read. */
typedef struct ctw_svm__import {
    ctw_ctx *ctx;
    ctw_svm__text t;
    ctw_params *params;
    ctw_svm__model *model;
    const char *fn;
} ctw_svm__import;

/* Value of the current line's next word; missing is CTW_E_FORMAT. */
ctw_status ctw_svm__import_f64(ctw_svm__import *g, double *out);
ctw_status ctw_svm__import_i64(ctw_svm__import *g, int64_t lo, int64_t hi, int64_t *out);
/* n values of the current line into a new array. */
ctw_status ctw_svm__import_vec(ctw_svm__import *g, size_t n, double **out);
/* The line's next word equals text. */
int ctw_svm__import_is(const char *word, size_t len, const char *text);
/* CTW_E_FORMAT when the line has more words. */
ctw_status ctw_svm__import_end(ctw_svm__import *g);
/* Class labels of the current line. */
ctw_status ctw_svm__import_labels(ctw_svm__import *g);

/* From the second line on; fill g->model and g->params. */
ctw_status ctw_svm__import_libsvm(ctw_svm__import *g);
ctw_status ctw_svm__import_liblinear(ctw_svm__import *g);

/* Appends the model's text. */
ctw_status ctw_svm__export_libsvm(const ctw_svm *m, ctw_io__writer *w, const char *fn);
ctw_status ctw_svm__export_liblinear(const ctw_svm *m, ctw_io__writer *w, const char *fn);

#endif
