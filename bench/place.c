/* place.c: ctw-bench place: solves an instance folder, optionally again after a random loss of servers, or
 * generates one. Every plan has passed the library's verifier; "violations" is what it says. */
#include "commands.h"
#include "place_data.h"
#include "place_policies.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct result {
    double objective, bound, gap, carbon, energy, wall, cpu;
    int64_t delayed, missed, missed_slots, unplaced, migrations, proved, violations, stop;
    char tier[32];
} result;

static double metric(ctw_report *r, const char *key)
{
    double v;
    bench_ok(ctw_report_get_f64(r, key, &v), key);
    return v;
}

static void read_result(ctw_place *p, ctw_solution *s, result *x)
{
    ctw_report *r;
    const char *tier;
    bench_ok(ctw_solution_report(s, &r), "report");
    x->objective = metric(r, "objective");
    x->bound = metric(r, "bound");
    x->gap = metric(r, "gap");
    x->carbon = metric(r, "carbon_g");
    x->energy = metric(r, "energy_kwh");
    x->delayed = (int64_t)metric(r, "delayed");
    x->missed = (int64_t)metric(r, "missed_units");
    x->missed_slots = (int64_t)metric(r, "missed_slots");
    x->unplaced = (int64_t)metric(r, "unplaced_services");
    x->migrations = (int64_t)metric(r, "migrations");
    bench_ok(ctw_report_get_str(r, "tier", &tier), "tier");
    strncpy(x->tier, tier, sizeof x->tier - 1);
    x->proved = ctw_solution_outcome(s) == CTW_PLACE_OPTIMAL;
    x->stop = ctw_solution_stop(s);
    x->violations = ctw_place_verify(p, s) != CTW_OK;
    ctw_report_unref(r);
}

static ctw_solution *solve(ctw_place *p, double deadline, result *x)
{
    ctw_solution *s;
    double w = bench_wall_s(), c = bench_process_cpu_s();
    bench_ok(ctw_place_solve(p, deadline, NULL, &s), "solve");
    x->wall = bench_wall_s() - w;
    x->cpu = bench_process_cpu_s() - c;
    read_result(p, s, x);
    return s;
}

/* Takes round(fraction * count) servers from every class. */
static int64_t lose(const place_data *d, double fraction, int64_t *left)
{
    int64_t lost = 0;
    for (size_t i = 0; i < d->classes; i++) {
        int64_t n = (int64_t)floor((double)d->count[i] * fraction + .5);
        left[i] = d->count[i] - n;
        lost += n;
    }
    return lost;
}

static void print(const place_data *d, const result *x)
{
    int64_t servers = 0, jobs;
    for (size_t i = 0; i < d->classes; i++) servers += d->count[i];
    jobs = d->total_units;
    bench_out_i64("servers", servers);
    bench_out_i64("jobs", jobs);
    bench_out_i64("slots", (int64_t)d->slots);
    bench_out_f64("objective", x->objective);
    bench_out_f64("bound", x->bound);
    bench_out_f64("gap", isfinite(x->bound) ? x->gap : NAN);
    bench_out_i64("proved", x->proved);
    bench_out_f64("carbon_g", x->carbon);
    bench_out_f64("energy_kwh", x->energy);
    bench_out_i64("delayed", x->delayed);
    bench_out_i64("violations", x->violations);
    bench_out_str("tier", x->tier);
    bench_out_i64("stop", x->stop);
    bench_out_i64("missed_units", x->missed);
    bench_out_i64("missed_slots", x->missed_slots);
    bench_out_i64("unplaced_services", x->unplaced);
    bench_out_i64("migrations", x->migrations);
    bench_out_f64("wall_s", x->wall);
    bench_out_f64("cpu_s", x->cpu);
    bench_out_f64("peak_rss_mb", bench_peak_rss_mb());
}

/* Where there is supply, storage or more than one scenario. */
static void print_energy(const place_data *d, ctw_solution *s)
{
    static const char *const site[] = {"wear_g", "grid_kwh", "supply_kwh", "curtailed_kwh"};
    ctw_report *r;
    bench_ok(ctw_solution_report(s, &r), "report");
    for (int i = 0; i < 4 && (d->supply || d->storage); i++) bench_out_f64(site[i], metric(r, site[i]));
    if (d->scenarios) bench_out_f64("expected_g", metric(r, "expected_g"));
    if (d->scenarios) bench_out_f64("tail", d->tail);
    ctw_report_unref(r);
}

/* A series of the plan's report as text, for charts. */
static void print_series(ctw_solution *s, const char *series, const char *key)
{
    ctw_report *r;
    const double *v;
    uint64_t n;
    bench_ok(ctw_solution_report(s, &r), "report");
    bench_ok(ctw_report_series(r, series, &v, &n), series);
    char *text = bench_alloc(n * 24 + 1, 1), *at = text;
    for (uint64_t i = 0; i < n; i++) at += snprintf(at, 24, "%s%.6g", i ? " " : "", v[i]);
    bench_out_str(key, text);
    free(text);
    ctw_report_unref(r);
}

/* The objective when a policy of place_policies.h has chosen the slots. */
static double policy(bench *b, const place_data *chosen, const char *mode, double deadline, int series)
{
    result x = {0};
    ctw_place *p = place_data_problem(b, chosen, mode, -1);
    ctw_solution *s = solve(p, deadline, &x);
    if (series) print_series(s, "series_power_w", "asap_power_w");
    ctw_solution_unref(s);
    ctw_place_unref(p);
    return x.objective;
}

/* Tier 0 on one slot. */
static void slot_repair(ctw_place *p, int64_t slot)
{
    result x = {0};
    ctw_solution *s;
    double w = bench_wall_s(), c = bench_process_cpu_s();
    bench_ok(ctw_place_repair(p, slot, 0, NULL, &s), "repair");
    x.wall = bench_wall_s() - w;
    x.cpu = bench_process_cpu_s() - c;
    read_result(p, s, &x);
    bench_out_f64("repair_ms", x.cpu * 1000);
    bench_out_f64("repair_wall_ms", x.wall * 1000);
    bench_out_i64("repair_moved", x.migrations);
    bench_out_i64("repair_waits", x.delayed);
    bench_out_i64("repair_missed_units", x.missed);
    bench_out_i64("repair_unplaced", x.unplaced);
    bench_out_i64("repair_violations", x.violations);
    ctw_solution_unref(s);
}

static void after_failure(const place_data *d, ctw_place *p, ctw_solution *s, double fraction, double deadline)
{
    int64_t *left = bench_alloc(d->classes + 1, sizeof *left);
    result x = {0};
    int64_t lost = lose(d, fraction, left);
    bench_ok(ctw_place_set_warm_start(p, s), "warm start");
    bench_ok(ctw_place_set_node_counts(p, left, d->classes), "failure");
    slot_repair(p, (int64_t)d->slots / 2);
    ctw_solution_unref(solve(p, deadline, &x));
    bench_out_i64("lost_servers", lost);
    bench_out_f64("reopt_ms", x.cpu * 1000);
    bench_out_f64("reopt_wall_ms", x.wall * 1000);
    bench_out_f64("reopt_gap", x.gap);
    bench_out_i64("reopt_missed_units", x.missed);
    bench_out_i64("reopt_unplaced", x.unplaced);
    bench_out_i64("reopt_violations", x.violations);
    free(left);
}

static void say(void *user, int32_t level, const char *origin, const char *message)
{
    (void)user;
    fprintf(stderr, "%s %d: %s\n", origin, (int)level, message);
}

int bench_place(bench *b)
{
    const char *spec = bench_str(b, "--generate", NULL), *dir = bench_need(b, "--dir"),
               *mode = bench_str(b, "--mode", "auto");
    const char *mps = bench_str(b, "--write-mps", NULL);
    double startup = bench_f64(b, "--startup", 0), gap = bench_f64(b, "--gap", -1),
           deadline = bench_f64(b, "--deadline", 10);
    double fraction = bench_f64(b, "--after-failure", -1);
    int classes = (int)bench_i64(b, "--classes", 3);
    int with_asap = bench_flag(b, "--asap"), series = bench_flag(b, "--series");
    const place_extras extras = {
        bench_f64(b, "--cap", 0),     bench_f64(b, "--rack-cap", 0),       bench_f64(b, "--supply", 0),
        bench_f64(b, "--storage", 0), (int)bench_i64(b, "--scenarios", 0), bench_f64(b, "--tail", 0)};
    if (bench_flag(b, "--verbose")) bench_ok(ctw_ctx_set_log(b->ctx, say, NULL, CTW_LOG_DEBUG), "log");
    if (spec) {
        bench_no_more(b);
        place_generate(spec, dir, startup, classes, &extras);
        return 0;
    }
    place_data *d = place_data_load(b, dir);
    ctw_place *p = place_data_problem(b, d, mode, gap);
    bench_no_more(b);
    if (mps) bench_ok(ctw_place_write_mps(p, mps), mps);
    result x = {0};
    ctw_solution *s = solve(p, deadline, &x);
    bench_begin(b);
    print(d, &x);
    print_energy(d, s);
    if (series) print_series(s, "series_power_w", "series_power_w");
    if (fraction >= 0) after_failure(d, p, s, fraction, deadline);
    if (with_asap) {
        place_data early, cheap;
        place_policy_asap(d, &early);
        double a = policy(b, &early, mode, deadline, series);
        bench_out_f64("asap_g", a);
        if (d->total_units <= 10000) {
            place_policy_lowest(d, &cheap);
            bench_out_f64("lowest_slot_g", policy(b, &cheap, mode, deadline, 0));
        }
        bench_out_f64("saving", (a - x.objective) / a);
        bench_out_f64("saving_possible", (a - x.bound) / a);
        bench_out_f64("saving_share", (a - x.objective) / (a - x.bound));
    }
    bench_end();
    ctw_solution_unref(s);
    ctw_place_unref(p);
    place_data_free(d);
    return 0;
}
