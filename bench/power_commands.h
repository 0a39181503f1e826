/* power_commands.h: the tasks of "ctw-bench power", one a file. */
#ifndef CTW_BENCH_POWER_COMMANDS_H
#define CTW_BENCH_POWER_COMMANDS_H

#include "bench.h"

int power_govern(bench *b);

#endif
