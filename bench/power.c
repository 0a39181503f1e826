/* power.c: "ctw-bench power": picks the task by its option, and for --fit by the file's header. */
#include "commands.h"
#include "power_commands.h"
#include <stdlib.h>

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double power_quantile(double *v, size_t n, double q)
{
    qsort(v, n, sizeof *v, ascending);
    double at = q * (double)(n - 1);
    size_t i = (size_t)at;
    return i + 1 < n ? v[i] + (v[i + 1] - v[i]) * (at - (double)i) : v[n - 1];
}

static int power_fit(bench *b)
{
    static const struct {
        const char *column;
        int (*run)(bench *b);
    } layouts[] = {{"active_idle_power_W", power_fit_load},
                   {"bpf_cpu_time_us", power_fit_node},
                   {"gpu_util_pct", power_fit_log},
                   {"power_limit_W", power_fit_limits},
                   {"core_MHz", power_fit_kernels}};
    const char *path = bench_need(b, "--fit");
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        ctw_csv *csv;
        uint64_t at;
        bench_ok(ctw_csv_open(b->ctx, path, &csv), "data");
        ctw_status s = ctw_csv_column(csv, layouts[i].column, &at);
        ctw_csv_unref(csv);
        if (s == CTW_OK) return layouts[i].run(b);
    }
    bench_die(2, "%s: the header is of no known layout of power data", path);
}

int bench_power(bench *b)
{
    if (bench_str(b, "--govern", NULL)) return power_govern(b);
    if (bench_str(b, "--cap", NULL)) return power_cap(b);
    if (bench_str(b, "--codesign", NULL)) return power_codesign(b);
    if (bench_str(b, "--fit", NULL)) return power_fit(b);
    if (bench_str(b, "--memory", NULL)) return power_memory(b);
    if (bench_str(b, "--pool", NULL)) return power_pool(b);
    if (bench_str(b, "--sleep", NULL)) return power_sleep(b);
    bench_die(2, "power: one of --fit, --govern, --cap, --codesign, --memory, --pool, --sleep is needed");
}
