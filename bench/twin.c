/* twin.c: ctw-bench twin: speed and size of the event engine.
 *   --servers N --jobs M --hours H [--requests R] [--faults K] [--plain]
 * A generated installation: one region with a daily wave, servers of 32 cores, a service for every 20 of them, M jobs
 * and R LLM requests (default 10 M) spread over the hours, K servers lost and K slowed for an hour each. --plain leaves
 * all parts out. Options of the twin by --set key=value. */
#include "commands.h"
#include <math.h>
#include <stdlib.h>

typedef struct plan {
    int64_t servers, jobs, requests, faults;
    double hours;
    int plain;
} plan;

static double uniform(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static double wave(double hour)
{
    return 300.0 * (1.0 + 0.35 * cos(2.0 * 3.141592653589793 * (hour - 3.0) / 24.0));
}

static void add_servers(ctw_twin *t, const plan *p)
{
    static const double level[] = {0.5, 0.6, 0.7, 0.8, 0.9, 1.0};
    size_t n = (size_t)p->servers, gpus = n / 10 + 1, hours = (size_t)ceil(p->hours) + 48;
    int64_t *id = bench_alloc(n, sizeof *id), *zero = bench_alloc(n, sizeof *zero),
            *klass = bench_alloc(n, sizeof *klass);
    double *ci = bench_alloc(hours, sizeof *ci), *rate = bench_alloc(hours, sizeof *rate);
    for (size_t i = 0; i < n; i++) {
        id[i] = (int64_t)i;
        klass[i] = i >= n - gpus;
    }
    for (size_t i = 0; i < hours; i++) {
        ci[i] = wave((double)i);
        rate[i] = 600.0 + 300.0 * sin((double)i / 4.0);
    }
    bench_ok(ctw_twin_add_region(t, 0, ci, hours, 3600.0), "region");
    bench_ok(ctw_twin_add_class(t, 0, 32.0, 90.0, 350.0, 2.2, level, 6), "class");
    bench_ok(ctw_twin_add_class(t, 1, 1.0, 60.0, 400.0, 2.0, level, 6), "class");
    bench_ok(ctw_twin_add_servers(t, id, zero, klass, n), "servers");
    bench_ok(ctw_twin_set_llm(t, id + (n - gpus), gpus, 0.8, 0.03, 0.6, 20.0, 4.0), "LLM");
    for (int64_t s = 0; s < p->servers / 20; s++)
        bench_ok(ctw_twin_add_service(t, s, 0, 3, 5, 8.0, 0.02, 0.3, 0.1, rate, hours, 3600.0), "service");
    free(id);
    free(zero);
    free(klass);
    free(ci);
    free(rate);
}

static void add_jobs(ctw_twin *t, const plan *p, uint64_t *dice)
{
    size_t n = (size_t)p->jobs;
    double *v = bench_alloc(6 * n, sizeof *v);
    int64_t *id = bench_alloc(2 * n, sizeof *id);
    /* the jobs together ask for a fifth of the cores */
    double cores = 0.2 * (double)p->servers * 32.0 * p->hours / fmax(1.0, (double)n * 1.0);
    for (size_t i = 0; i < n; i++) {
        id[i] = (int64_t)i;
        v[i] = 3600.0 * p->hours * uniform(dice);
        v[n + i] = fmin(fmax(1.0, floor(cores * (0.5 + uniform(dice)))), 16.0);
        v[2 * n + i] = 3600.0 * (0.25 + 1.5 * uniform(dice));
        v[3 * n + i] = v[2 * n + i] * (0.85 + 0.3 * uniform(dice));
        v[4 * n + i] = v[i] + 2.0 * v[2 * n + i] + 3600.0 * (2.0 + 10.0 * uniform(dice));
        v[5 * n + i] = 0.5 * uniform(dice);
    }
    bench_ok(ctw_twin_add_jobs(t, id, id + n, v, v + n, v + 2 * n, v + 3 * n, v + 4 * n, v + 5 * n, n), "jobs");
    free(v);
    free(id);
}

static void add_requests(ctw_twin *t, const plan *p, uint64_t *dice)
{
    size_t n = (size_t)p->requests;
    double *v = bench_alloc(3 * n + 1, sizeof *v);
    for (size_t i = 0; i < n; i++) {
        v[i] = 3600.0 * p->hours * uniform(dice);
        v[n + i] = floor(10.0 + 300.0 * uniform(dice));
        v[2 * n + i] = v[n + i] * (0.7 + 0.6 * uniform(dice));
    }
    bench_ok(ctw_twin_add_requests(t, v, v + n, v + 2 * n, n), "requests");
    free(v);
}

static void add_faults(ctw_twin *t, const plan *p, uint64_t *dice)
{
    int64_t cpus = p->servers - p->servers / 10 - 1;
    for (int64_t i = 0; i < 2 * p->faults; i++) {
        double at = 3600.0 * p->hours * uniform(dice);
        int64_t target = (int64_t)(uniform(dice) * (double)cpus);
        bench_ok(
            ctw_twin_add_fault(t, i % 2 ? CTW_FAULT_SLOWDOWN : CTW_FAULT_SERVER_LOSS, target, at, at + 3600.0, 0.5),
            "fault");
    }
}

static void add_parts(bench *b, ctw_twin *t)
{
    static const double mhz[] = {1300, 1560, 1820, 2080, 2340, 2600};
    double history[24 * 60];
    ctw_params *fp = NULL, *pp = NULL, *lp = NULL, *qp = NULL;
    ctw_forecast *f = NULL;
    ctw_power *power = NULL;
    for (int i = 0; i < 24 * 60; i++) history[i] = wave((double)i) * (1.0 + 0.03 * sin(i * 1.7));
    bench_ok(ctw_params_new(b->ctx, "forecast", &fp), "options");
    bench_ok(ctw_params_set_str(fp, "model", "profile"), "options");
    bench_ok(ctw_forecast_new(b->ctx, fp, &f), "forecast");
    bench_ok(ctw_forecast_fit(f, history, 24 * 60, 1, NULL, 0, 0, NULL), "forecast");
    bench_ok(ctw_twin_set_forecast(t, 0, f), "forecast");
    bench_ok(ctw_params_new(b->ctx, "power", &pp), "options");
    bench_ok(ctw_params_set_f64(pp, "idle_watts", 90.0), "options");
    bench_ok(ctw_params_set_f64(pp, "tdp_watts", 350.0), "options");
    bench_ok(ctw_params_set_str(pp, "objective", "net"), "options");
    bench_ok(ctw_power_new(b->ctx, pp, &power), "power");
    bench_ok(ctw_power_set_points(power, mhz, NULL, 6), "power");
    bench_ok(ctw_twin_set_power(t, 0, power), "power");
    bench_ok(ctw_twin_set_power(t, 1, power), "power");
    bench_ok(ctw_params_new(b->ctx, "place", &lp), "options");
    bench_ok(ctw_params_set_f64(lp, "time_limit_s", 0.3), "options");
    bench_ok(ctw_twin_set_place(t, lp), "place");
    bench_ok(ctw_params_new(b->ctx, "queue", &qp), "options");
    bench_ok(ctw_twin_set_queue(t, qp), "queue");
    ctw_forecast_unref(f);
    ctw_power_unref(power);
    ctw_params_unref(fp);
    ctw_params_unref(pp);
    ctw_params_unref(lp);
    ctw_params_unref(qp);
}

static double figure(const ctw_report *r, const char *key)
{
    double v = NAN;
    bench_ok(ctw_report_get_f64(r, key, &v), key);
    return v;
}

static void one(bench *b, const plan *p, const ctw_params *options, int64_t seed)
{
    ctw_twin *t = NULL;
    ctw_report *r = NULL;
    uint64_t dice = (uint64_t)seed * 7919 + 1;
    bench_ok(ctw_twin_new(b->ctx, options, &t), "twin");
    add_servers(t, p);
    if (!p->plain) add_parts(b, t);
    add_jobs(t, p, &dice);
    add_requests(t, p, &dice);
    add_faults(t, p, &dice);
    double cpu = bench_cpu_s(), wall = bench_wall_s();
    bench_ok(ctw_twin_run(t, 3600.0 * (p->hours + 24.0), NULL), "run");
    cpu = bench_cpu_s() - cpu;
    wall = bench_wall_s() - wall;
    bench_ok(ctw_twin_report(t, &r), "report");
    bench_begin(b);
    bench_out_i64("seed", seed);
    bench_out_i64("servers", p->servers);
    bench_out_i64("jobs", p->jobs);
    bench_out_f64("events", figure(r, "events"));
    bench_out_f64("events_per_s", figure(r, "events") / cpu);
    bench_out_f64("cpu_s", cpu);
    bench_out_f64("wall_s", wall);
    bench_out_f64("solver_s", figure(r, "solver_s"));
    bench_out_f64("sim_over_real", 3600.0 * (p->hours + 24.0) / wall);
    bench_out_f64("carbon_g", figure(r, "carbon_g"));
    bench_out_f64("slo_attainment", figure(r, "slo_attainment"));
    bench_out_f64("gap_mean", figure(r, "gap_mean"));
    bench_out_f64("peak_rss_mb", bench_peak_rss_mb());
    bench_end();
    ctw_report_unref(r);
    ctw_twin_unref(t);
}

int bench_twin(bench *b)
{
    int64_t first, last;
    ctw_params *options = NULL;
    plan p = {.servers = bench_i64(b, "--servers", 100),
              .jobs = bench_i64(b, "--jobs", 1000),
              .faults = bench_i64(b, "--faults", 1),
              .hours = bench_f64(b, "--hours", 24.0),
              .plain = bench_flag(b, "--plain")};
    p.requests = bench_i64(b, "--requests", 10 * p.jobs);
    bench_seeds(b, &first, &last);
    bench_ok(ctw_params_new(b->ctx, "twin", &options), "options");
    bench_params(b, options);
    bench_no_more(b);
    if (p.servers < 20 || p.jobs < 1 || p.requests < 0 || p.faults < 0 || !(p.hours > 0.0 && p.hours <= 8760.0))
        bench_die(2, "at least 20 servers and 1 job, and hours in (0, 8760], are needed");
    bench_ok(ctw_params_set_f64(options, "day_s", 3600.0 * p.hours), "options");
    for (int64_t seed = first; seed <= last; seed++) one(b, &p, options, seed);
    ctw_params_unref(options);
    return 0;
}
