/* commands.h: the entry point of each command, one a file. */
#ifndef CTW_BENCH_COMMANDS_H
#define CTW_BENCH_COMMANDS_H

#include "bench.h"

int bench_svm(bench *b);
int bench_predict(bench *b);
int bench_rca(bench *b);
int bench_rca_campaign(bench *b);
int bench_rca_online(bench *b);
int bench_place(bench *b);
int bench_place_days(bench *b);
int bench_place_deadlines(bench *b);
int bench_guard(bench *b);
int bench_twin(bench *b);
int bench_power(bench *b);
int bench_agent(bench *b);
int bench_forecast(bench *b);
int bench_queue(bench *b);
int bench_queue_ops(bench *b);

#endif
