/* digest.h: calls remembered as counts, sums and sketches instead of rows, and the moments of pairs of values. What an
 * online window keeps, and what features read when there are no rows. */
#ifndef CTW_RCA_DIGEST_H
#define CTW_RCA_DIGEST_H

#include "rca/calls_internal.h"
#include "rca/shapes.h"
#include "rca/sketch.h"

/* Columns that are remembered of a call. */
enum { PAST_CLIENT, PAST_SELF, PAST_NET, PAST_EXCL, PAST_SPANS, PAST_OUT, PAST_ERROR, PAST_CALLER_ERROR, PAST_COLUMNS };
enum { PAST_TIMES = 4 };                                 /* the first four are times, whose medians matter */
extern const int32_t ctw_rca__past_column[PAST_COLUMNS]; /* CTW_CALL_* of each */

/* Means and summed products of deviations of n pairs; merged as Chan, Golub & LeVeque (1979) do. */
typedef struct ctw_rca__moments {
    double n, mean_x, mean_y, xx, yy, xy;
} ctw_rca__moments;

/* Calls of one operation by one caller (or by all). */
typedef struct ctw_rca__cell {
    uint64_t calls;
    double sum[PAST_COLUMNS];
    ctw_rca__sketch time[PAST_TIMES];
    ctw_rca__shapes shape;
} ctw_rca__cell;

/* What a component did in each trace that it was in. */
typedef struct ctw_rca__share {
    uint64_t calls;
    ctw_rca__moments incl, excl, path; /* x: the component's sum in a trace, y: the trace's response time */
    ctw_rca__sketch incl_time, excl_time;
} ctw_rca__share;

/* The digests behind a window that has no rows. */
typedef struct ctw_rca__digests {
    ctw_rca__scale scale;
    ctw_rca__cell *edge, *group; /* of the window's edges and groups; a group of one edge shares its sketches */
    ctw_rca__share *member;
    ctw_rca__moments root; /* of all traces: x and y are both the response time */
} ctw_rca__digests;

void ctw_rca__moments_add(ctw_rca__moments *m, double x, double y);
void ctw_rca__moments_merge(ctw_rca__moments *m, const ctw_rca__moments *other);
/* Correlation; 0 for fewer than 3 pairs or a constant side. */
double ctw_rca__moments_correlation(const ctw_rca__moments *m);

/* CTW_E_NOMEM leaves the sum as it is, but for room. */
ctw_status ctw_rca__cell_merge(ctw_ctx *ctx, const ctw_rca__scale *s, ctw_rca__cell *to, const ctw_rca__cell *from);
ctw_status ctw_rca__share_merge(ctw_ctx *ctx, const ctw_rca__scale *s, ctw_rca__share *to, const ctw_rca__share *from);
/* Forget the values, keep the memory. */
void ctw_rca__cell_clear(ctw_rca__cell *c);
void ctw_rca__share_clear(ctw_rca__share *c);
void ctw_rca__cell_free(ctw_ctx *ctx, ctw_rca__cell *c);
void ctw_rca__share_free(ctw_ctx *ctx, ctw_rca__share *c);

#endif
