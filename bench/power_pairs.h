/* power_pairs.h: a kernel measured at pairs of a core and a memory clock, and a governor that chooses among them. */
#ifndef CTW_BENCH_POWER_PAIRS_H
#define CTW_BENCH_POWER_PAIRS_H

#include "power_commands.h"

#define PAIRS_MOST 256

/* By memory clock, then core clock. */
typedef struct pairs {
    size_t n;
    double mhz[PAIRS_MOST], mem[PAIRS_MOST], seconds[PAIRS_MOST], watts[PAIRS_MOST];
} pairs;

/* Five measured pairs: the ends at the lowest memory clock; lowest, middle and highest at the highest. 0: too few. */
int pairs_five(const pairs *k, size_t pick[5]);
/* A model of the picked pairs; both 0: not told of the memory clock. */
ctw_power *pairs_fit(bench *b, const pairs *k, const size_t *pick, size_t n, int both);

typedef struct pairs_sweep pairs_sweep;
pairs_sweep *pairs_begin(bench *b);
void pairs_govern(bench *b, pairs_sweep *s, const pairs *k);
void pairs_end(bench *b, pairs_sweep *s, const char *gpu);

#endif
