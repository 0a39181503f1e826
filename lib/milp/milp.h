/* milp.h: a small mixed-integer model type and its solution by GLPK. GLPK aborts on errors, prints, and
 * ties its memory to a thread; so each solve runs on a private short-lived thread (pump.c) and only this
 * layer's glpk.c knows GLPK. The caller's thread waits, runs the callbacks and keeps the deadline. */
#ifndef CTW_MILP_MILP_H
#define CTW_MILP_MILP_H

#include <cybertwin/base.h>
#include <stddef.h>

/* Minimise c'x + c0 subject to row_lo <= A x <= row_hi, lo <= x <= hi, x[j] integer where integer[j].
 * A in compressed columns. Infinite bounds are +-INFINITY. */
typedef struct ctw_milp__model {
    ctw_ctx *ctx;
    size_t rows, cols, nnz;
    size_t row_cap, col_cap, nnz_cap; /* of row_lo..; of cost..; of row_index and value */
    double *row_lo, *row_hi;
    double *cost, *lo, *hi;
    uint8_t *integer;
    size_t *col_start; /* cols + 1 */
    size_t *row_index; /* nnz */
    double *value;
    double offset;
} ctw_milp__model;

void ctw_milp__model_init(ctw_milp__model *m, ctw_ctx *ctx);
void ctw_milp__model_free(ctw_milp__model *m);
/* Rows first, then columns with their entries. Each CTW_E_NOMEM; *index may be NULL. */
ctw_status ctw_milp__add_row(ctw_milp__model *m, double lo, double hi, size_t *index);
ctw_status ctw_milp__add_col(ctw_milp__model *m, double cost, double lo, double hi, int integer, const size_t *rows,
                             const double *values, size_t n, size_t *index);
/* Largest violation of a row, bound or integrality at x, and the objective there. */
double ctw_milp__violation(const ctw_milp__model *m, const double *x);
double ctw_milp__objective(const ctw_milp__model *m, const double *x);

typedef struct ctw_milp__options {
    double time_limit_s; /* > 0 */
    double mip_gap;      /* relative */
    int64_t max_nodes;   /* 0: no limit */
    int64_t max_vars;    /* CTW_E_RANGE beyond; GLPK's memory grows with columns */
    int relax;           /* 1: LP relaxation only */
    int cuts;            /* 1: Gomory and mixed-integer rounding cuts */
    int presolve;        /* 1: GLPK's presolver; the start is not used, and x is there only when GLPK came to an end */
    const double *start; /* a feasible point (cols values) or NULL */
    ctw_cancel *cancel;
    ctw_progress_fn progress;
    void *user;
} ctw_milp__options;

/* Why the search ended; the numbers are those of place.h's CTW_STOP_*. */
enum { CTW_MILP_PROVED = 1, CTW_MILP_GAP = 2, CTW_MILP_TIME = 3, CTW_MILP_NODES = 4, CTW_MILP_CANCEL = 5 };

typedef struct ctw_milp__result {
    int has_solution;
    int32_t stop;
    double objective, bound, gap; /* gap = (objective-bound)/max(|objective|,1e-10); bound may be -INFINITY */
    uint64_t nodes;
    double *x;    /* cols */
    double *dual; /* rows, meaningful after relax only */
} ctw_milp__result;

/* CTW_OK when a solution exists; CTW_E_INFEASIBLE, CTW_E_DEADLINE, CTW_E_CANCELLED, CTW_E_BACKEND, CTW_E_NOMEM;
 * out->bound is set even then, if the search got that far. Free the result in every case. */
ctw_status ctw_milp__solve(const ctw_milp__model *m, const ctw_milp__options *opt, ctw_milp__result *out);
void ctw_milp__result_free(ctw_ctx *ctx, ctw_milp__result *r);
/* Free-format MPS text of the model, for peers. */
ctw_status ctw_milp__write_mps(const ctw_milp__model *m, const char *path, const char *fn);

#endif
