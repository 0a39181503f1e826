/* svm_internal.h: the model, one binary problem, and who solves it. */
#ifndef CTW_SVM_INTERNAL_H
#define CTW_SVM_INTERNAL_H

#include "base/handle.h"
#include "svm/kernel.h"
#include "svm/rows.h"
#include "svm/svm_params.h"
#include <cybertwin/svm.h>

#define CTW_SVM_MAGIC CTW_FOUR('S', 'V', 'M', 'C')

/* One decision function: positive values speak for class `pos` against class `neg` (-1: all others). Linear
 * machines hold w; kernel machines hold coefficients on rows of the model's `sv`. */
typedef struct ctw_svm__machine {
    int32_t pos, neg;
    double bias;
    double *w; /* d values, or NULL */
    size_t nsv;
    size_t *sv; /* ascending rows of model->sv */
    double *coef;
    int calibrated;
    double pa, pb; /* P(pos | f) = 1 / (1 + exp(pa f + pb)) */
    double objective;
    uint64_t iterations, support, bounded;
    int converged;
    uint64_t steps; /* sgd only: steps taken and weight of the rows seen */
    double seen;
    double *beta; /* incremental only: y_i a_i of every kept row (0 outside the pair) */
    double *f;    /* incremental smo only: y_i - sum of beta_j K_ij of every kept row; NULL after loading */
} ctw_svm__machine;

/* What a fit learned; replaced as a whole, so that a failed call leaves the old one. */
typedef struct ctw_svm__model {
    size_t d;
    size_t classes, machines;
    int64_t *label; /* classes */
    ctw_svm__machine *machine;
    int ovr; /* one against the rest (only with three and more classes) */
    double gamma;
    ctw_svm__rows sv;      /* kernel models: the union of the machines' support vectors */
    ctw_svm__columns cols; /* sv, turned round */
    double *sv_norm;       /* squared lengths, sv.n */
    uint64_t vectors;
    /* incremental only */
    ctw_svm__rows kept;
    int64_t *kept_label;
    double *kept_weight;
    double *kept_bound; /* C_i of the last fit */
} ctw_svm__model;

typedef struct ctw_svm__class_weight {
    int64_t label;
    double weight;
} ctw_svm__class_weight;

struct ctw_svm {
    ctw_base__handle h;
    ctw_params *params;
    ctw_svm__opts opts;
    ctw_svm__class_weight *cw;
    size_t n_cw, cap_cw;
    ctw_progress_fn progress;
    void *user;
    ctw_svm__model *model; /* NULL: unfitted */
};

/* What solving may need besides the problem. */
typedef struct ctw_svm__run {
    ctw_ctx *ctx;
    const ctw_svm__opts *opts;
    double gamma;
    ctw_cancel *cancel;
    ctw_progress_fn progress;
    void *user;
    const char *fn;
} ctw_svm__run;

/* One binary problem: n rows of x, y = +1 / -1, bounds c, and a feasible start alpha (zeros when cold). */
typedef struct ctw_svm__problem {
    const ctw_svm__rows *x;
    size_t n;
    const size_t *row;
    const double *norm; /* squared lengths of all rows of x (smo) */
    const double *y, *c;
    double *alpha;    /* in: start; out: solution */
    double *f0, *b0;  /* smo, or NULL: in: f for multipliers b0 (NaN: unknown); out: at the solution */
    const double *w0; /* sgd: weights to go on from, d + 1 with the bias's, or NULL */
    uint64_t steps0;
    double seen0;
    int warm; /* alpha is not all zero */
} ctw_svm__problem;

typedef struct ctw_svm__solution {
    double bias, objective;
    double *w; /* d values from the context for linear solvers, else NULL */
    uint64_t iterations;
    int converged;
    uint64_t steps;
    double seen;
} ctw_svm__solution;

/* The solvers. CTW_E_CANCELLED, CTW_E_DEADLINE, CTW_E_NOMEM. */
ctw_status ctw_svm__cd(const ctw_svm__run *run, ctw_svm__problem *p, ctw_svm__solution *out);
/* smo leaves out->w NULL. */
ctw_status ctw_svm__smo_solve(const ctw_svm__run *run, ctw_svm__problem *p, ctw_svm__solution *out);
ctw_status ctw_svm__sgd(const ctw_svm__run *run, ctw_svm__problem *p, ctw_svm__solution *out);
/* Reports progress; a non-zero answer and a raised flag both end the run. */
ctw_status ctw_svm__tick(const ctw_svm__run *run, uint64_t step, double bound);

/* ---- model ---- */
ctw_status ctw_svm__model_new(ctw_ctx *ctx, size_t classes, int ovr, ctw_svm__model **out);
void ctw_svm__model_free(ctw_ctx *ctx, ctw_svm__model *m);
size_t ctw_svm__machines_of(size_t classes, int ovr);
/* CTW_E_STATE for an unfitted handle. */
ctw_status ctw_svm__fitted(const ctw_svm *m, const char *fn);

/* Learns a model from rows; start: the model to continue from, or NULL. */
typedef struct ctw_svm__training {
    const ctw_svm__rows *x;
    const int64_t *label;
    const double *weight;       /* or NULL */
    const ctw_svm__model *from; /* continue from it, or NULL: its kept rows from `dropped` on are the first rows of x */
    size_t dropped;
} ctw_svm__training;
ctw_status ctw_svm__learn(const ctw_svm *m, const ctw_svm__training *t, ctw_cancel *cancel, const char *fn,
                          ctw_svm__model **out);

/* Decision values of rows [from, from + n) of x into out, `stride` apart. */
ctw_status ctw_svm__decide(ctw_ctx *ctx, const ctw_svm__model *m, const ctw_svm__rows *x, size_t from, size_t n,
                           double *out, size_t stride);
/* Class index of one row's decision values. votes: scratch of m->classes. */
size_t ctw_svm__vote(const ctw_svm__model *m, const double *dec, uint32_t *votes);

/* Turns model->sv round so that it can predict. */
ctw_status ctw_svm__model_columns(ctw_ctx *ctx, ctw_svm__model *m, const ctw_svm__opts *o);

/* ---- probabilities ---- */
/* Platt's sigmoid by Lin, Lin & Weng (2007): n decision values, y = +1 / -1. scratch: n. */
void ctw_svm__platt(const double *dec, const double *y, size_t n, double *scratch, double *pa, double *pb);
double ctw_svm__sigmoid(double f, double pa, double pb);
/* Class probabilities from one row's decision values; scratch: ctw_svm__prob_scratch doubles. */
size_t ctw_svm__prob_scratch(size_t classes);
void ctw_svm__prob(const ctw_svm__model *m, const double *dec, double *scratch, double *out);

#endif
