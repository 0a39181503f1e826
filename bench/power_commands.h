/* power_commands.h: the tasks of "ctw-bench power", one a file. */
#ifndef CTW_BENCH_POWER_COMMANDS_H
#define CTW_BENCH_POWER_COMMANDS_H

#include "bench.h"

int power_cap(bench *b);
int power_codesign(bench *b);
int power_govern(bench *b);
int power_fit_load(bench *b);
int power_memory(bench *b);
int power_pool(bench *b);
int power_sleep(bench *b);
int power_fit_kernels(bench *b);
int power_fit_node(bench *b);
int power_fit_log(bench *b);
int power_fit_limits(bench *b);

/* q-quantile of n values; sorts them. */
double power_quantile(double *v, size_t n, double q);

#endif
