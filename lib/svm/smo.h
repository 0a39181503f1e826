/* smo.h: the state of sequential minimal optimisation on one problem. Variables are kept in an order of positions in
 * which the active ones come first. With b_i = y_i a_i and f_i = y_i - sum_j b_j K_ij, a variable may rise (UP) while
 * b_i < hi_i and fall (LOW) while b_i > lo_i, where [lo, hi] is [0, C_i] or [-C_i, 0]; the point is optimal when
 * max f over UP <= min f over LOW (Keerthi et al. 2001). */
#ifndef CTW_SVM_SMO_H
#define CTW_SVM_SMO_H

#include "svm/kernel.h"
#include "svm/rowcache.h"
#include "svm/svm_internal.h"

typedef struct ctw_svm__smo {
    const ctw_svm__run *run;
    const ctw_svm__rows *x;
    const double *norm; /* of all rows of x */
    size_t n, active;
    /* by position */
    size_t *row; /* of x */
    size_t *var; /* place in the problem */
    double *b, *lo, *hi, *f, *q;
    uint8_t *flags;
    /* by place in the problem: b and f at the last moment when every f was exact */
    double *b_exact, *f_exact;
    size_t *keep;  /* n: scratch */
    double *spare; /* n: scratch */

    ctw_svm__columns active_cols; /* right side: the active variables */
    ctw_svm__work work;
    ctw_svm__rowcache cache;
    ctw_svm__extremes e;
    int unshrunk;
    uint64_t iterations;
} ctw_svm__smo;

/* f of every variable made exact and all of them active again. */
ctw_status ctw_svm__smo_unshrink(ctw_svm__smo *s);
/* Sets settled variables aside; at a small gap first brings all back, once. */
ctw_status ctw_svm__smo_shrink(ctw_svm__smo *s);
/* f[k] -= sum over j of b_j K(x_j, x_k): rows from[0..m) with weights, columns c. */
ctw_status ctw_svm__smo_apply(const ctw_svm__smo *s, const ctw_svm__columns *c, const size_t *from,
                              const double *weight, size_t m, double *f);
/* Extremes over the active variables. */
void ctw_svm__smo_look(ctw_svm__smo *s);

#endif
