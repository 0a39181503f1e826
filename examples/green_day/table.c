/* table.c: the one table a person reads, and the CSV a machine reads. */
#include "green_day.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct pair {
    double base, twin;
} pair;

static pair both(const outcome *base, const outcome *twin, const char *key)
{
    return (pair){report_f64(base->report, key), report_f64(twin->report, key)};
}

static void line(const char *what, pair p, double scale, const char *unit, const char *note)
{
    double b = p.base * scale, t = p.twin * scale;
    printf("  %-26s %12.2f %12.2f %-4s", what, b, t, unit);
    if (note)
        printf("  %s", note);
    else if (fabs(b) > 1e-12)
        printf("  %+6.1f %%", 100.0 * (t - b) / b);
    putchar('\n');
}

static void promise(const char *what, pair p)
{
    printf("  %-26s %11.3f %% %11.3f %%      %+6.3f pp\n", what, 100.0 * p.base, 100.0 * p.twin,
           100.0 * (p.twin - p.base));
}

static void duration(char *to, size_t cap, double s)
{
    if (s < 0.0)
        snprintf(to, cap, "not in the run");
    else if (s < 0.5)
        snprintf(to, cap, "no outage");
    else if (s < 120.0)
        snprintf(to, cap, "%.0f s", s);
    else if (s < 7200.0)
        snprintf(to, cap, "%.0f min", s / 60.0);
    else
        snprintf(to, cap, "%.1f h", s / 3600.0);
}

static const double *series(const ctw_report *r, const char *key, uint64_t *n)
{
    const double *v = NULL;
    *n = 0;
    if (ctw_report_series(r, key, &v, n) != CTW_OK) *n = 0;
    return v;
}

static void print_faults(const outcome *base, const outcome *twin)
{
    static const char *const kind[] = {"?", "server lost", "server slow", "carbon sensor stuck"};
    uint64_t n, unused;
    const double *k = series(twin->report, "fault_kind", &n), *at = series(twin->report, "fault_target", &unused);
    const double *start = series(twin->report, "fault_start_s", &unused);
    const double *tr = series(twin->report, "fault_recover_s", &unused);
    const double *br = series(base->report, "fault_recover_s", &unused);
    const double *found = series(twin->report, "fault_found", &unused);
    for (uint64_t i = 0; i < n; i++) {
        char b[32], t[32], what[64], note[48] = "";
        int which = (int)k[i];
        duration(b, sizeof b, br[i]);
        duration(t, sizeof t, tr[i]);
        snprintf(what, sizeof what, which == CTW_FAULT_SENSOR_STUCK ? "%s %04.1f h" : "%s %04.1f h (#%.0f)",
                 kind[which > 0 && which < 4 ? which : 0], start[i] / 3600.0, at[i]);
        if (which == CTW_FAULT_SLOWDOWN && found[i] >= 0.0)
            snprintf(note, sizeof note, "found: #%.0f", found[i]);
        else if (which == CTW_FAULT_SLOWDOWN && tr[i] > 0.5)
            snprintf(note, sizeof note, "not found");
        if (which == CTW_FAULT_SENSOR_STUCK) snprintf(b, sizeof b, "-");
        printf("  %-26s %12s %12s       %s\n", what, b, t, note);
    }
}

void print_table(const options *o, const inputs *in, const outcome *base, const outcome *twin, double total_cpu_s)
{
    printf("\n%s on %s, %lld servers, %lld jobs, seed %lld\n%s\n\n", o->region, o->date, (long long)o->servers,
           (long long)o->jobs, (long long)o->seed, in->source);
    printf("  %-26s %12s %12s\n", "", "baseline", "cybertwin");
    line("carbon", both(base, twin, "carbon_g"), 1e-3, "kg", NULL);
    line("  services", both(base, twin, "carbon_services_g"), 1e-3, "kg", NULL);
    line("  best-effort jobs", both(base, twin, "carbon_jobs_g"), 1e-3, "kg", NULL);
    line("  LLM", both(base, twin, "carbon_llm_g"), 1e-3, "kg", NULL);
    line("  idle power", both(base, twin, "carbon_idle_g"), 1e-3, "kg", NULL);
    line("energy", both(base, twin, "energy_kwh"), 1.0, "kWh", NULL);
    promise("promises kept (mean)", both(base, twin, "slo_attainment"));
    promise("  services: p99 in time", both(base, twin, "slo_services"));
    promise("  jobs by their deadline", both(base, twin, "slo_jobs"));
    promise("  LLM answers in time", both(base, twin, "slo_llm"));
    line("delayed jobs", both(base, twin, "jobs_delayed"), 1.0, "", "of all jobs, start later than arrival");
    line("worst delay", both(base, twin, "worst_delay_s"), 1.0 / 3600.0, "h", "");
    line("LLM completion, mean", both(base, twin, "llm_mean_s"), 1.0, "s", NULL);
    line("LLM completion, P99", both(base, twin, "llm_p99_s"), 1.0, "s", NULL);
    printf("  %-26s %12s %12.2f %%     of the day-ahead intensity\n", "forecast error (MAPE)", "-",
           report_f64(twin->report, "mape"));
    printf("  %-26s %12s %12.1f %%     of hours in the 90 %% band\n", "interval coverage", "-",
           100.0 * report_f64(twin->report, "coverage"));
    printf("  %-26s %12s %12.3f %%     mean of %.0f plans, worst %.3f %%\n", "optimality gap", "-",
           100.0 * report_f64(twin->report, "gap_mean"), report_f64(twin->report, "plans"),
           100.0 * report_f64(twin->report, "gap_max"));
    printf("  %-26s %12s %9.0f / %.0f\n", "root causes found / true", "-", report_f64(twin->report, "rca_found"),
           report_f64(twin->report, "rca_true"));
    printf("  %-26s %12.3f %12.3f       over the present load; the agents' mean\n", "headroom of services",
           report_f64(base->report, "agent_headroom"), report_f64(twin->report, "agent_headroom"));
    printf("  time to recover\n");
    print_faults(base, twin);
    printf("  %-26s %12s %12.2f s     all of it %.1f s CPU\n\n", "solver", "-", report_f64(twin->report, "solver_s"),
           total_cpu_s);
}

static void csv_report(FILE *f, const char *run, const ctw_report *r)
{
    for (uint64_t i = 0; i < ctw_report_count(r); i++) {
        const char *key;
        int32_t type;
        need(ctw_report_at(r, i, &key, &type), "report");
        if (type == CTW_T_SERIES) {
            uint64_t n;
            const double *v = series(r, key, &n);
            for (uint64_t k = 0; k < n; k++) fprintf(f, "%s,%s,%llu,%.10g\n", run, key, (unsigned long long)k, v[k]);
        } else if (type != CTW_T_STR) {
            fprintf(f, "%s,%s,,%.10g\n", run, key, report_f64(r, key));
        }
    }
}

void write_csv(const char *path, const outcome *base, const outcome *twin)
{
    FILE *f = fopen(path, "w");
    if (!f) die("%s cannot be written", path);
    fputs("run,key,index,value\n", f);
    csv_report(f, "baseline", base->report);
    csv_report(f, "cybertwin", twin->report);
    if (fclose(f) != 0) die("%s could not be written to its end", path);
}
