/* power.c: "ctw-bench power": picks the task by its option. */
#include "commands.h"
#include "power_commands.h"

int bench_power(bench *b)
{
    if (bench_str(b, "--govern", NULL)) return power_govern(b);
    bench_die(2, "power: one of --fit, --govern is needed");
}
