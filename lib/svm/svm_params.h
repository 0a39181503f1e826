/* svm_params.h: the option table of kind "svm" and the options in the form the code uses. */
#ifndef CTW_SVM_PARAMS_H
#define CTW_SVM_PARAMS_H

#include "base/params.h"

extern const ctw_base__kind ctw_svm__kind;

/* The order is that of the choices in the table. */
enum { CTW_SVM_LINEAR, CTW_SVM_RBF, CTW_SVM_POLY, CTW_SVM_SIGMOID };
enum { CTW_SVM_AUTO, CTW_SVM_SMO, CTW_SVM_CD, CTW_SVM_SGD };
enum { CTW_SVM_HINGE, CTW_SVM_SQUARED };
enum { CTW_SVM_MULTI_AUTO, CTW_SVM_OVO, CTW_SVM_OVR };

typedef struct ctw_svm__opts {
    int kernel, solver, loss, multi, balanced, probability, shrinking, incremental;
    double c, gamma, coef0, bias, tol;
    int degree, folds;
    size_t cache_bytes;
    int wide_rows; /* kernel rows are cached as doubles */
    uint64_t max_iter, epochs, stream;
} ctw_svm__opts;

/* Reads a checked bag. auto choices are resolved, gamma 0 is left to the fit. CTW_E_ARG when options contradict. */
ctw_status ctw_svm__opts_read(const ctw_params *p, ctw_svm__opts *o, const char *fn);

#endif
