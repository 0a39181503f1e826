/* agent_firm.h: the contended service instance of the task firm, for the tasks firm and firmnet. */
#ifndef CTW_BENCH_AGENT_FIRM_H
#define CTW_BENCH_AGENT_FIRM_H

#include "agent.h"

enum { RES = 5, ACTIONS = 8, DIMS = 5, CORES = 4 };

typedef struct firm {
    bench_rng rng;
    double dt, beta, base, burst, lambda, backlog, gap_s; /* gap_s: mean pause of the injector */
    int64_t limit[RES], replicas, hit, left;              /* left: steps the injection still lasts */
    double taken[RES];                                    /* share the injector holds */
    double use[RES], pressure[RES];                       /* what the instance's counters show */
    double p99, cpu_util;
    int violates;
    int64_t t;
} firm;

void firm_start(firm *f);
/* Load and injector move on by a step; then what the instance shows at its limits; one of the 8 actions on them. */
void firm_advance(firm *f);
void firm_observe(firm *f);
void firm_apply(firm *f, int64_t action);
void firm_encode(const firm *f, double *obs); /* DIMS values */
double firm_total(const firm *f);             /* tenths of all limits */
double firm_reward(const firm *f);
/* One response time drawn from what the instance shows now. */
double firm_sample(const firm *f, bench_rng *g);
ctw_agent *firm_train(agent_job *j, int64_t seed, double dt, double beta, int64_t episodes);

#endif
