/* shift.h: how the calls of a component's operations differ from the reference's, operation by operation, so
 * that a changed mix of operations does not look like a change of their speed. */
#ifndef CTW_RCA_SHIFT_H
#define CTW_RCA_SHIFT_H

#include "rca/reference.h"

/* A sum over calls and the variance of its error. */
typedef struct ctw_rca__mean {
    double sum, var;
} ctw_rca__mean;

typedef struct ctw_rca__shift {
    double calls; /* compared */
    double log_median[PAST_TIMES], excess[PAST_TIMES];
    double log_p90, log_max, above, rank, form;
    ctw_rca__mean spans, out, error, caller_error;
} ctw_rca__shift;

/* Adds one operation if both sides have enough calls (5 in the reference, 3 now). scratch: a double a call. */
void ctw_rca__shift_add(ctw_rca__shift *s, const ctw_rca__window *w, const ctw_rca__group *g,
                        const ctw_rca__past_op *past, double *scratch);
/* Writes the features; the excess ones as plain ms a trace. */
void ctw_rca__shift_finish(const ctw_rca__shift *s, double traces, double past_calls, double *z);

#endif
