/* internal.h: what the two halves of a solve share: the waiting caller (pump.c) and the private thread that
 * runs GLPK (glpk.c). Everything the thread writes has been allocated before it starts, so that a jump out of
 * GLPK leaks nothing. */
#ifndef CTW_MILP_INTERNAL_H
#define CTW_MILP_INTERNAL_H

#include "milp/milp.h"
#include <pthread.h>
#include <stdatomic.h>

/* Outcome of the thread, translated into a status by the caller (the error text is per thread). */
typedef enum ctw_milp__end {
    CTW_MILP_END_SOLVED,     /* proved, within the gap, or stopped: see has_x and stop */
    CTW_MILP_END_INFEASIBLE, /* no point satisfies the rows */
    CTW_MILP_END_UNBOUNDED,
    CTW_MILP_END_NOMEM,
    CTW_MILP_END_BACKEND /* GLPK gave up; text holds its last words */
} ctw_milp__end;

typedef struct ctw_milp__job {
    const ctw_milp__model *model;
    const ctw_milp__options *opt;
    double deadline; /* on ctw_base__now's clock */
    int *ia, *ja;    /* nnz + 1, GLPK's 1-based triplets */
    double *ar;
    double *start1; /* cols + 1, 1-based start point, or NULL */

    atomic_int stop; /* raised by the caller: CTW_MILP_TIME or CTW_MILP_CANCEL */

    /* guarded by lock until done */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int done, news;
    uint64_t step;
    double news_bound, news_best;

    /* written by the thread, read by the caller after done */
    ctw_milp__end end;
    int has_x, x_proved;
    int32_t why;
    double objective, bound;
    uint64_t nodes;
    double *x, *dual;
    char text[160];
} ctw_milp__job;

/* The thread's whole life; never returns early, never prints, frees GLPK's environment. */
void ctw_milp__glpk_run(ctw_milp__job *job);
/* Called by the thread: leaves the newest figures for the caller's callback without waiting for it. */
void ctw_milp__pump_news(ctw_milp__job *job, uint64_t step, double bound, double best);

#endif
