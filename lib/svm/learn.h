/* learn.h: what the parts of a fit share. */
#ifndef CTW_SVM_LEARN_H
#define CTW_SVM_LEARN_H

#include "svm/svm_internal.h"

/* A fit under way. */
typedef struct ctw_svm__task {
    const ctw_svm__rows *x;
    ctw_svm__model *model;
    uint32_t *cls; /* class index of every row */
    double *bound; /* C_i of every row */
    size_t *row;   /* the current machine's problem: rows, labels, bounds, multipliers */
    double *y, *c, *alpha;
    uint8_t *used;   /* row is a support vector of some machine */
    double *norm;    /* squared lengths of the rows (smo) */
    double *f0, *b0; /* incremental smo: the current machine's f and the multipliers it belongs to */
    const ctw_svm__training *training;
} ctw_svm__task;

/* Index of v in the ascending labels (which hold it). */
size_t ctw_svm__class_of(const int64_t *label, size_t k, int64_t v);
/* The factor set for a class, 1 when none is. */
double ctw_svm__class_factor(const ctw_svm *m, int64_t label);
/* Solves p and puts the answer into c. */
ctw_status ctw_svm__solve_machine(const ctw_svm__run *run, ctw_svm__problem *p, ctw_svm__machine *c);
/* Fits the sigmoid of c on decision values from cross-validation of p. */
ctw_status ctw_svm__calibrate(const ctw_svm__run *run, const ctw_svm__problem *p, ctw_svm__machine *c);

/* Starting point of machine k's problem (n rows gathered) from an earlier model: 1 when some multiplier is not 0. */
int ctw_svm__warm(const ctw_svm__run *run, ctw_svm__task *task, size_t k, size_t n);
/* Keeps the training rows in the model, for later updates. */
ctw_status ctw_svm__keep(const ctw_svm__run *run, ctw_svm__task *task);
/* Support vectors of the solution p into c: coefficients on rows of p->x, or weights for the linear kernel. */
ctw_status ctw_svm__collect(const ctw_svm__run *run, const ctw_svm__problem *p, ctw_svm__machine *c);
/* The model's own support vectors: the rows of x marked in used; the machines' are renumbered. */
ctw_status ctw_svm__own_vectors(const ctw_svm__run *run, ctw_svm__model *m, const ctw_svm__rows *x,
                                const uint8_t *used);

#endif
