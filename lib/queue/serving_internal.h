/* serving_internal.h: the simulated service, shared by its engines. */
#ifndef CTW_QUEUE_SERVING_INTERNAL_H
#define CTW_QUEUE_SERVING_INTERNAL_H

#include "base/handle.h"
#include <cybertwin/serving.h>

#define CTW_SERVING_MAGIC CTW_FOUR('S', 'E', 'R', 'V')

enum { CTW_SERVE_NONE, CTW_SERVE_DYNAMIC, CTW_SERVE_CONTINUOUS };
enum {
    CTW_SERVE_FCFS,
    CTW_SERVE_SJF,
    CTW_SERVE_SSJF,
    CTW_SERVE_GUARDED,
    CTW_SERVE_STRICT,
    CTW_SERVE_AUTO,
    CTW_SERVE_SRPT,
    CTW_SERVE_HRRN,
    CTW_SERVE_MLFQ,
    CTW_SERVE_RANDOM,
    CTW_SERVE_PSRPT
};

struct ctw_serving {
    ctw_base__handle h;
    int batching, policy;
    size_t batch, instances, warmup;
    double ageing, tail, worst, constant, prefill, token, quantum;
    double crowd; /* seconds an output token takes longer for each other request that runs */
    double kv;    /* tokens that fit an instance's memory, 0: any number */
    uint64_t stream;
};

/* One run: columns in seconds of work, answers in `end`. */
typedef struct ctw_serving__run {
    const ctw_serving *s;
    ctw_ctx *ctx;
    size_t n;
    const double *arrival, *input, *output; /* input may be NULL */
    double *work;                           /* true seconds */
    double *predicted;                      /* seconds by which the policy orders */
    double *end;                            /* NaN: left out */
    double preemptions, ageing, kv_peak;
    const ctw_cancel *cancel;
    const char *fn;
} ctw_serving__run;

/* Requests in service of one instance: a binary heap by end. */
typedef struct ctw_serving__busy {
    double *end;
    uint32_t *job;
    size_t n;
} ctw_serving__busy;

void ctw_serving__busy_push(ctw_serving__busy *b, double end, uint32_t job);
uint32_t ctw_serving__busy_pop(ctw_serving__busy *b, double *end);

/* A line of waiting requests of one instance under the run's policy. */
typedef struct ctw_serving__line ctw_serving__line;
ctw_status ctw_serving__line_new(const ctw_serving__run *r, size_t instance, ctw_serving__line **out);
void ctw_serving__line_free(ctw_serving__line *l);
ctw_status ctw_serving__line_push(ctw_serving__line *l, uint32_t job, double now);
/* A job that ran comes back to the place it had. */
ctw_status ctw_serving__line_return(ctw_serving__line *l, uint32_t job, double now);
/* Next job; UINT32_MAX when none waits, or its input needs more tokens of memory than `room`. */
ctw_status ctw_serving__line_pop(ctw_serving__line *l, double now, double room, uint32_t *job);
size_t ctw_serving__line_size(const ctw_serving__line *l);
/* A job of this line ended. */
ctw_status ctw_serving__line_ended(ctw_serving__line *l, uint32_t job, double now);
double ctw_serving__line_ageing(const ctw_serving__line *l);

ctw_status ctw_serving__run_events(ctw_serving__run *r);  /* without preemption */
ctw_status ctw_serving__run_shared(ctw_serving__run *r);  /* where running requests slow each other or share memory */
ctw_status ctw_serving__run_preempt(ctw_serving__run *r); /* srpt, psrpt and mlfq */
ctw_status ctw_serving__run_rounds(ctw_serving__run *r);  /* the published code's loop */
ctw_status ctw_serving__report(const ctw_serving__run *r, ctw_report **out);

#endif
