/* power_data.h: the measured kernels of gpu_dvfs_kernels.csv as one sweep over core clocks each. */
#ifndef CTW_BENCH_POWER_DATA_H
#define CTW_BENCH_POWER_DATA_H

#include "bench.h"

#define SWEEP_MAX 64

typedef struct sweep {
    const char *gpu, *benchmark, *arg; /* borrowed from the table */
    int micro;
    size_t n;
    double mhz[SWEEP_MAX], ms[SWEEP_MAX], watts[SWEEP_MAX]; /* ascending mhz */
} sweep;

typedef struct sweeps {
    bench_table *table;
    size_t n;
    sweep *at;
} sweeps;

/* The sweeps of one gpu (NULL: all) at its highest memory clock, from min_mhz up; micro: also micro-kernels. */
sweeps *sweeps_load(bench *b, const char *path, const char *gpu, double min_mhz, int micro);
void sweeps_free(sweeps *s);
/* A device model from the points of the sweep whose index is in pick[0..m). idle NULL: no idle rows. */
ctw_power *sweep_fit(bench *b, const sweep *s, const size_t *pick, size_t m, const double *idle);
/* First, middle and last index. */
size_t sweep_three(const sweep *s, size_t pick[3]);

#endif
