/* place_deadlines.c: does a solve keep its deadline? Random instances of 1 to 1,000 servers, with batch jobs from none
 * to more than fit, each solved once under a random deadline of 30 ms to 2 s. A deadline is kept when the answer is
 * there within 1.1 times of it. Wall time is what the host sees; on a machine with other work it also counts time
 * that others had the core, so CPU time is counted as well. */
#include "commands.h"
#include "place_data.h"
#include <math.h>
#include <stdio.h>

typedef struct count {
    int64_t n, late_wall, late_cpu, no_plan, violations;
    double worst_wall, worst_cpu;
    char worst[96];
} count;

static double uniform(uint64_t *s)
{
    uint64_t z = (*s += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

static void judge(count *c, double deadline, double wall, double cpu, const char *spec)
{
    c->late_wall += wall > 1.1 * deadline;
    c->late_cpu += cpu > 1.1 * deadline;
    if (cpu > 1.1 * deadline) fprintf(stderr, "%s took %.3g s of %.3g s\n", spec, cpu, deadline);
    c->worst_wall = fmax(c->worst_wall, wall / deadline);
    if (cpu / deadline <= c->worst_cpu) return;
    c->worst_cpu = cpu / deadline;
    snprintf(c->worst, sizeof c->worst, "%s in %.3g s", spec, deadline);
}

static void one(bench *b, count *c, const char *dir, uint64_t seed)
{
    uint64_t s = seed;
    char spec[64];
    int servers = (int)exp(uniform(&s) * log(1000)), services = (int)(uniform(&s) * 5 * servers);
    int batch = (int)(uniform(&s) * 30 * servers), slots = 4 + (int)(uniform(&s) * 92);
    int regions = 1 + (int)(uniform(&s) * 3);
    double deadline = 0.03 * exp(uniform(&s) * log(2 / 0.03)), startup = uniform(&s) < .3 ? 50 : 0;
    if (regions > servers) regions = servers;
    snprintf(spec, sizeof spec, "%d,%d,%d,%d,%d,%d", servers, services, batch, slots, regions, (int)(seed % 100000));
    static const place_extras none;
    place_generate(spec, dir, startup, 3, &none);
    place_data *d = place_data_load(b, dir);
    ctw_place *p = place_data_problem(b, d, "auto", -1);
    ctw_solution *plan = NULL;
    double wall = bench_wall_s(), cpu = bench_process_cpu_s();
    ctw_status e = ctw_place_solve(p, deadline, NULL, &plan);
    wall = bench_wall_s() - wall;
    cpu = bench_process_cpu_s() - cpu;
    judge(c, deadline, wall, cpu, spec);
    c->n++;
    c->no_plan += e == CTW_E_DEADLINE;
    c->violations += e != CTW_OK && e != CTW_E_DEADLINE;
    if (e != CTW_OK) fprintf(stderr, "%s in %.3g s: %s\n", spec, deadline, ctw_error_message());
    ctw_solution_unref(plan);
    ctw_place_unref(p);
    place_data_free(d);
}

int bench_place_deadlines(bench *b)
{
    const char *dir = bench_need(b, "--dir");
    int64_t n = bench_i64(b, "--n", 1000), seed = bench_i64(b, "--first", 1);
    count c = {0};
    bench_no_more(b);
    for (int64_t i = 0; i < n; i++) one(b, &c, dir, (uint64_t)(seed + i));
    bench_begin(b);
    bench_out_i64("instances", c.n);
    bench_out_i64("late_wall", c.late_wall);
    bench_out_i64("late_cpu", c.late_cpu);
    bench_out_f64("worst_wall_ratio", c.worst_wall);
    bench_out_f64("worst_cpu_ratio", c.worst_cpu);
    bench_out_str("worst", c.worst);
    bench_out_i64("no_plan", c.no_plan);
    bench_out_i64("violations", c.violations);
    bench_end();
    return 0;
}
