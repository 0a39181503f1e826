/* ledger.h: what first come first served would have done. Any order that never idles does the same work at the same
 * speed, so it would have begun a job when as much work had been popped as had been pushed before that job. The
 * ledger keeps those waits as a histogram; memory is bounded whatever waits. */
#ifndef CTW_QUEUE_LEDGER_H
#define CTW_QUEUE_LEDGER_H

#include <stdint.h>

#define CTW_LEDGER_MARKS 32u
#define CTW_LEDGER_BINS  256u

/* A histogram over positive values, 8 bins an octave. Old values fade, so that a service is followed from one week to
 * the next. */
typedef struct ctw_queue__bins {
    float bin[CTW_LEDGER_BINS];
    double all;
} ctw_queue__bins;

typedef struct ctw_queue__ledger {
    double in, out; /* seconds of predicted work pushed and popped */
    double pushed;
    struct {
        double arrival, in;
    } mark[CTW_LEDGER_MARKS];
    float weight[CTW_LEDGER_MARKS]; /* jobs that a mark stands for */
    uint32_t marks, passed;
    uint64_t stride, skipped;
    ctw_queue__bins waits;
    double worst; /* 99th percentile of the waits, 0 before there are any */
    uint32_t stale;
    /* speed of service, seconds of predicted work a second while somebody waits */
    double done, during, last;
    double burst, burst_done, burst_during; /* pops at the last instant: how many, their work, the time before them */
} ctw_queue__ledger;

void ctw_queue__ledger_init(ctw_queue__ledger *l);
void ctw_queue__ledger_push(ctw_queue__ledger *l, double work, double now);
/* `more`: somebody still waits; `served`: not cancelled. */
void ctw_queue__ledger_pop(ctw_queue__ledger *l, double work, double now, int more, int served);
/* Seconds of predicted work served a second while somebody waits; 1 until it is known. */
double ctw_queue__ledger_rate(const ctw_queue__ledger *l);
/* Wait of first come first served for a job that comes now. */
double ctw_queue__ledger_backlog(const ctw_queue__ledger *l, double now);

void ctw_queue__bins_add(ctw_queue__bins *h, double value, double weight);
double ctw_queue__bins_quantile(const ctw_queue__bins *h, double q);

#endif
