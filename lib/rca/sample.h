/* sample.h: one column of a set of calls, as features look at it: its sum, quantiles and ranks. Exact where the window
 * has rows, from a sketch where it has digests. */
#ifndef CTW_RCA_SAMPLE_H
#define CTW_RCA_SAMPLE_H

#include "rca/reference.h"

typedef struct ctw_rca__sample {
    size_t n;
    double sum;
    double *v;                     /* n values, reordered by quantiles; NULL with a sketch */
    const ctw_rca__sketch *sketch; /* NULL with values, and of columns that have none */
    const ctw_rca__scale *scale;
} ctw_rca__sample;

/* Column PAST_* of a group's or an edge's calls. scratch: a double a call of windows with rows. */
ctw_rca__sample ctw_rca__sample_group(const ctw_rca__window *w, const ctw_rca__group *g, int col, double *scratch);
ctw_rca__sample ctw_rca__sample_edge(const ctw_rca__window *w, const ctw_rca__edge *e, int col, double *scratch);
/* What a group's calls did. */
ctw_rca__shapes ctw_rca__sample_shapes(const ctw_rca__window *w, const ctw_rca__group *g);
double ctw_rca__sample_quantile(const ctw_rca__sample *s, double q);
/* How many of an exclusive time's calls lie above the reference's 90th percentile, and the sum of their ranks among the
 * reference's calls, as shares of these (ties count half). Before any quantile is taken. */
void ctw_rca__sample_against(const ctw_rca__sample *s, const ctw_rca__past_op *past, double *above, double *ranks);

#endif
