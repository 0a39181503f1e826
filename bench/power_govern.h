/* power_govern.h: one server that works a recorded trace in order, at a fixed point or as a governor says. */
#ifndef CTW_BENCH_POWER_GOVERN_H
#define CTW_BENCH_POWER_GOVERN_H

#include "power_data.h"

typedef struct load {
    size_t n, half;
    double *arrival, *work, *guess, *deadline;
} load;

/* What the points really do, by memory clock, then ascending core clock. */
typedef struct truth {
    size_t n;
    double mem[SWEEP_MAX]; /* memory clocks; 0: there is but one */
    double mhz[SWEEP_MAX], slow[SWEEP_MAX], watts[SWEEP_MAX], idle[SWEEP_MAX];
} truth;

/* Mean power and attainment over the second half. */
typedef struct score {
    double joule, seconds, met;
} score;

typedef struct setting {
    const char *work, *sizes;
    double slo, rho, lag, change;
} setting;

/* Requests from the columns arrival_s, context_tokens, generated_tokens. */
load *govern_load(const bench_table *t, const setting *c);
void govern_load_free(load *l);
/* Everything at point j; scores requests first..last. */
score govern_fixed(const truth *d, const load *l, size_t j, size_t first, size_t last);
/* Least power over requests first..last among the points that keep the top (last) point's attainment less `budget`. */
size_t govern_best_fixed(const truth *d, const load *l, double budget, size_t first, size_t last);
/* What the governor cost: a decision alone, and the whole run (choices of the rule and the simulated server included)
 * for each decision. */
typedef struct effort {
    double decide_ns, all_ns;
} effort;

/* Scores the second half. */
score govern_run(const truth *d, const load *l, ctw_governor *g, const setting *c, effort *cost);

#endif
