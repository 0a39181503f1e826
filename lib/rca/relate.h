/* relate.h: FIRM's two numbers (Qiu et al., OSDI'20, section 3.2), for a window and for its reference alike. */
#ifndef CTW_RCA_RELATE_H
#define CTW_RCA_RELATE_H

#include <stddef.h>

/* Relative importance: correlation of a component's time with the trace's; 0 for fewer than 3 traces or a
 * constant side. */
double ctw_rca__importance(const double *own, const double *root, size_t n);
/* Congestion intensity as a logarithm: log((p99 + offset) / max(p50 + offset, 1e-3)). Reorders v; n >= 1. */
double ctw_rca__congestion(double *v, size_t n, double offset);
/* The same from the two quantiles. */
double ctw_rca__congestion_of(double p99, double p50, double offset);

#endif
