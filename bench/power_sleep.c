/* power_sleep.c: a cluster of equal servers under a recorded arrival trace: which of them sleep. Requests go to the
 * server awake that will be free first; a server told to sleep finishes what it has. Beside the library's
 * consolidation: all awake; asleep as soon as it is spare (patience 0); and the fewest that, always awake, lose no
 * more. Energy is busy, idle, asleep and waking; power falls by what sleeps only (all run at the top clock). */
#include "power_commands.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4096 };

typedef struct setting {
    size_t servers;
    double busy, idle, asleep, wake_s, wake_joule, slo, every;
} setting;

typedef struct requests {
    size_t n;
    double *arrival, *work;
} requests;

typedef struct outcome {
    double watts, met, mean_awake;
    int64_t wakes;
} outcome;

static requests make(const bench_table *t, double rho, size_t servers)
{
    requests r = {t->rows, bench_alloc(t->rows, sizeof(double)), bench_alloc(t->rows, sizeof(double))};
    double sum = 0.0, span = t->value[0][r.n - 1] - t->value[0][0];
    for (size_t i = 0; i < r.n; i++) sum += r.work[i] = fmax(1e-4, 1e-4 * t->value[1][i] + 1e-2 * t->value[2][i]);
    double warp = sum / (rho * (double)servers) / span;
    for (size_t i = 0; i < r.n; i++) r.arrival[i] = (t->value[0][i] - t->value[0][0]) * warp;
    return r;
}

/* The first `fixed` servers always awake (fixed > 0), or as the cluster says. */
static outcome run(const setting *c, const requests *r, ctw_cluster *cluster, size_t fixed)
{
    static double free_at[MOST];
    static int32_t state[MOST];
    double begin = r->arrival[0], next = begin, brought = 0.0, last = begin, busy = 0.0, awake_s = 0.0, waking_s = 0.0;
    size_t met = 0;
    outcome o = {0};
    memset(free_at, 0, sizeof free_at);
    for (size_t k = 0; k < c->servers; k++) state[k] = !fixed || k < fixed ? CTW_CLUSTER_AWAKE : CTW_CLUSTER_ASLEEP;
    for (size_t i = 0; i < r->n; i++) {
        while (!fixed && r->arrival[i] >= next) {
            for (size_t k = 0; k < c->servers; k++) {
                awake_s += (next - last) * (state[k] == CTW_CLUSTER_AWAKE);
                waking_s += (next - last) * (state[k] == CTW_CLUSTER_WAKING);
            }
            (void)ctw_cluster_update(cluster, next, next > last ? brought / (next - last) : 0.0, state, NULL);
            brought = 0.0;
            last = next;
            next += c->every;
        }
        size_t best = c->servers;
        for (size_t k = 0; k < c->servers; k++)
            if (state[k] == CTW_CLUSTER_AWAKE && (best == c->servers || free_at[k] < free_at[best])) best = k;
        free_at[best] = fmax(free_at[best], r->arrival[i]) + r->work[i];
        brought += r->work[i];
        busy += r->work[i];
        met += free_at[best] <= r->arrival[i] + c->slo * r->work[i] + 1e-9;
    }
    double span = r->arrival[r->n - 1] - begin, wake_joule = 0.0;
    if (fixed) {
        awake_s = span * (double)fixed;
    } else {
        ctw_report *report;
        bench_ok(ctw_cluster_report(cluster, &report), "report");
        bench_ok(ctw_report_get_i64(report, "wakes", &o.wakes), "wakes");
        ctw_report_unref(report);
        awake_s += (span - (last - begin)) * awake_s / fmax(last - begin, 1e-9);
        wake_joule = c->wake_joule * (double)o.wakes;
    }
    o.mean_awake = awake_s / span;
    o.watts = (busy * c->busy + (awake_s - busy) * c->idle + wake_joule +
               ((double)c->servers * span - awake_s - waking_s) * c->asleep) /
              span;
    o.met = (double)met / (double)r->n;
    return o;
}

static outcome consolidated(bench *b, const setting *c, const requests *r, const char *patience)
{
    static double idle[MOST], asleep[MOST], wake_s[MOST], wake_joule[MOST];
    ctw_params *opt;
    ctw_cluster *cluster;
    for (size_t k = 0; k < c->servers; k++) {
        idle[k] = c->idle;
        asleep[k] = c->asleep;
        wake_s[k] = c->wake_s;
        wake_joule[k] = c->wake_joule;
    }
    bench_ok(ctw_params_new(b->ctx, "cluster", &opt), "params");
    bench_params(b, opt);
    if (patience) bench_ok(ctw_params_set_text(opt, "patience", patience), "patience");
    bench_ok(ctw_cluster_new(b->ctx, opt, &cluster), "cluster");
    ctw_params_unref(opt);
    bench_ok(ctw_cluster_set_servers(cluster, c->servers, NULL, idle, asleep, wake_s, wake_joule), "servers");
    outcome o = run(c, r, cluster, 0);
    ctw_cluster_unref(cluster);
    return o;
}

static void print(bench *b, const setting *c, double rho, const char *method, const outcome *o, const outcome *all)
{
    bench_begin(b);
    bench_out_str("task", "sleep");
    bench_out_i64("servers", (int64_t)c->servers);
    bench_out_f64("load", rho);
    bench_out_f64("slo", c->slo);
    bench_out_f64("wake_s", c->wake_s);
    bench_out_str("method", method);
    bench_out_f64("watts", o->watts);
    bench_out_f64("saving", all->watts / o->watts);
    bench_out_f64("slo_attainment", o->met);
    bench_out_f64("attainment_diff_pp", 100.0 * (o->met - all->met));
    bench_out_f64("mean_awake", o->mean_awake);
    bench_out_i64("wakes", o->wakes);
    bench_end();
}

static void one_load(bench *b, const setting *c, const bench_table *t, double rho)
{
    requests r = make(t, rho, c->servers);
    outcome all = run(c, &r, NULL, c->servers), ours = consolidated(b, c, &r, NULL);
    outcome hasty = consolidated(b, c, &r, "0"), few = all;
    for (size_t k = c->servers; k-- > 1;) {
        outcome o = run(c, &r, NULL, k);
        if (o.met < ours.met) break;
        few = o;
    }
    print(b, c, rho, "all awake", &all, &all);
    print(b, c, rho, "consolidated", &ours, &all);
    print(b, c, rho, "asleep as soon as spare", &hasty, &all);
    print(b, c, rho, "fewest always awake, in hindsight", &few, &all);
    free(r.arrival);
    free(r.work);
}

int power_sleep(bench *b)
{
    static const char *const trace_columns[] = {"arrival_s", "context_tokens", "generated_tokens", NULL};
    static const double loads[] = {0.05, 0.1, 0.2, 0.3, 0.5};
    double only = bench_f64(b, "--load", 0), watts = bench_f64(b, "--busy-watts", 300);
    bench_table *t = bench_load(b, bench_need(b, "--sleep"), trace_columns);
    setting c = {.servers = (size_t)bench_f64(b, "--servers", 32),
                 .busy = watts,
                 .idle = watts * bench_f64(b, "--idle-share", 0.3),
                 .asleep = watts * bench_f64(b, "--sleep-share", 0.05),
                 .wake_s = bench_f64(b, "--wake-s", 30),
                 .slo = bench_f64(b, "--slo", 5),
                 .every = bench_f64(b, "--every-s", 5)};
    if (c.servers < 2 || c.servers > MOST) bench_die(2, "--servers must be 2 to %d", MOST);
    c.wake_joule = c.wake_s * watts * bench_f64(b, "--wake-share", 0.6);
    for (size_t k = 0; k < sizeof loads / sizeof *loads; k++) {
        one_load(b, &c, t, only > 0.0 ? only : loads[k]);
        if (only > 0.0) break;
    }
    bench_free(t);
    return 0;
}
