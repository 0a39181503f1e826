/* agent_scaler.h: one service behind a load trace, scaled by a rule that an agent may supervise: the world of the tasks
 * aware, flash and parm. Steps of 15 s; new replicas start two steps later. Response times are those of an M/M/c queue
 * (Erlang C) with a fluid backlog; contention slows the service now and then. */
#ifndef CTW_BENCH_AGENT_SCALER_H
#define CTW_BENCH_AGENT_SCALER_H

#include "agent.h"

enum { SCALER_MAX = 150, SCALER_LOADS = 9, SCALER_WANTS = 20 };

/* The application and its surroundings. */
typedef struct scaler_app {
    double service_s, slo_s;           /* mean service time; a request slower than slo_s violates */
    double gap_s, length_s, worst;     /* contention: mean gap, mean length, largest slowdown share */
    double noise, load, price, weight; /* noise of the measured service time; factor on the trace; reward: weight of
                                          violations against the cost of replicas */
    double power;                      /* share of full power the cap leaves; 1: no cap */
} scaler_app;

typedef struct scaler {
    scaler_app app;
    const double *trace; /* requests per second of each step */
    int64_t from, steps; /* the part in use */
    bench_rng rng;
    int64_t start, t, ready, coming[2], contended;
    double backlog, speed; /* speed: what contention leaves, 1 without */
    double lambda, util, service_seen, wait, violation, loads[SCALER_LOADS];
    int64_t wants[SCALER_WANTS], n_wants; /* the rule's last recommendations */
    int64_t overrides;
} scaler;

/* 20 ms a request against 200 ms, contended for two minutes every ten. */
extern const scaler_app scaler_usual;

/* Sums over steps. */
typedef struct scaler_tally {
    double reward, violated, requests, replicas, steps;
} scaler_tally;

void scaler_start(scaler *w, int64_t at);
/* Moves to `want` replicas and lives through one step. */
void scaler_step(scaler *w, int64_t want);
int64_t scaler_replicas(const scaler *w);
/* Replicas after a move by a share of them: fewer (0, 1), none (2), more. */
enum { SCALER_MOVES = 7 };
int64_t scaler_moved(const scaler *w, int64_t move);
double scaler_reward(const scaler *w);
/* Kubernetes' HPA: ceil(replicas * util / target), 10 % tolerance, at most doubling or +4, and scaling down only to the
 * largest recommendation of the last `memory` steps (20 = the default 300 s). */
int64_t scaler_hpa(scaler *w, double target, int64_t memory);
/* Least replicas that earn most at the largest of the next three loads and the present speed, plus draining. */
int64_t scaler_oracle(const scaler *w);
void scaler_count(scaler_tally *t, const scaler *w);
double scaler_violation_pct(const scaler_tally *t);

/* Column --column (requests) of the CSV --trace, the mean of every --every (15) rows. */
double *scaler_trace(bench *b, int64_t *n);

#endif
