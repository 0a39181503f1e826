/* milp.h: a small mixed-integer model type and its solution by GLPK. GLPK aborts on errors, prints, and
 * ties its memory to a thread; so each solve runs on a private short-lived thread (pump.c) and only this
 * layer's glpk.c knows GLPK. The caller's thread waits, runs the callbacks and keeps the deadline. */
#ifndef CTW_MILP_MILP_H
#define CTW_MILP_MILP_H

#include <cybertwin/base.h>
#include <stddef.h>

/* Minimise c'x + c0 subject to row_lo <= A x <= row_hi, lo <= x <= hi, x[j] integer where integer[j].
 * A in compressed columns. Infinite bounds are +-INFINITY. Names are for messages and export; may be NULL. */
typedef struct ctw_milp__model {
    ctw_ctx *ctx;
    size_t rows, cols, nnz;
    size_t row_cap, col_cap, nnz_cap;
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

typedef struct ctw_milp__options {
    double time_limit_s; /* > 0 */
    double mip_gap;      /* relative */
    int64_t max_vars;    /* CTW_E_RANGE beyond; GLPK's memory grows with columns */
    int relax;           /* 1: LP relaxation only */
    int presolve;
    const double *start; /* a feasible point (cols values) or NULL */
    ctw_cancel *cancel;
    ctw_progress_fn progress;
    void *user;
} ctw_milp__options;

typedef struct ctw_milp__result {
    int has_solution;
    int32_t stop;                 /* CTW_STOP_* of place.h's meaning: 1 proved 2 gap 3 time 4 nodes 5 cancel */
    double objective, bound, gap; /* gap = (objective-bound)/max(|objective|,1e-10) */
    uint64_t nodes;
    double *x;    /* cols */
    double *dual; /* rows, only for relax */
} ctw_milp__result;

/* CTW_OK when a solution exists; CTW_E_INFEASIBLE, CTW_E_DEADLINE, CTW_E_CANCELLED, CTW_E_BACKEND, CTW_E_NOMEM. */
ctw_status ctw_milp__solve(const ctw_milp__model *m, const ctw_milp__options *opt, ctw_milp__result *out);
void ctw_milp__result_free(ctw_ctx *ctx, ctw_milp__result *r);
/* Free-format MPS text of the model, for peers. */
ctw_status ctw_milp__write_mps(const ctw_milp__model *m, const char *path, const char *fn);

#endif
