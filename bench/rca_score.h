/* rca_score.h: how good rankings were, over the cases of one application. */
#ifndef CTW_BENCH_RCA_SCORE_H
#define CTW_BENCH_RCA_SCORE_H

#include "rca_data.h"

typedef struct rca_score {
    size_t cases, latency_cases, free_windows, free_rows, free_flagged;
    double ac[6], latency_ac[6];   /* hits at 1..5 */
    size_t hit, flagged, culprits; /* instances of faulty windows */
    double *score;                 /* of every instance of faulty windows */
    int *guilty;
    size_t n, cap;
    double *seconds;
    size_t times, times_cap;
} rca_score;

/* culprit NULL: a fault-free window. */
void rca_score_add(rca_score *s, const ctw_ranking *r, const char *culprit, int latency);
void rca_score_time(rca_score *s, double seconds);
void rca_score_print(const rca_score *s);
void rca_score_free(rca_score *s);
/* Spans a second from span columns to entry calls, for each application of `like` (NAN without span files); also
 * prints one line an application with the whole decision's times. */
void rca_ingest(bench *b, const char *dir, const rca_set *like, double rate[8]);

#endif
