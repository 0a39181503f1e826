/* rca_score.h: how good rankings were, over the cases of one application. */
#ifndef CTW_BENCH_RCA_SCORE_H
#define CTW_BENCH_RCA_SCORE_H

#include "rca_data.h"

typedef struct rca_fault {
    const char *name;
    double cases, ac1, ac3;
} rca_fault;

typedef struct rca_score {
    size_t cases, latency_cases, free_windows, free_rows, free_flagged;
    double ac[6], latency_ac[6];   /* hits at 1..5 */
    size_t hit, flagged, culprits; /* instances of faulty windows */
    size_t latency_hit, latency_flagged;
    double *score;         /* of every instance of faulty windows */
    int *guilty, *latency; /* is it, and was the case's fault one of latency */
    size_t n, cap;
    double *seconds;
    size_t times, times_cap;
    rca_fault fault[16]; /* by type of fault */
    size_t faults;
} rca_score;

/* A window of the case: one with its fault, or a fault-free one. */
void rca_score_add(rca_score *s, const ctw_ranking *r, const rca_case *c, int faulty);
void rca_score_time(rca_score *s, double seconds);
void rca_score_print(const rca_score *s);
void rca_score_free(rca_score *s);
/* Spans a second from span columns to entry calls, for each application of `like` (NAN without span files); also
 * prints one line an application with the whole decision's times. */
void rca_ingest(bench *b, const char *dir, const rca_set *like, double rate[8]);

#endif
