/* power_govern.c: a cluster of single-accelerator servers, each with one measured kernel's time and power over
 * frequency, serving a recorded arrival trace in order. Compares the governor with the top frequency and with
 * the best fixed frequency of each server, chosen on the first half of the trace (which may break its promise on
 * the second) and in hindsight on the second (which no host could know); all are scored on the second half. Work is a
 * constant, or goes with the tokens of each request; deadline = slo x own time. */
#include "power_govern.h"
#include "power_commands.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- workload ---- */

load *govern_load(const bench_table *t, const setting *c)
{
    load *l = bench_alloc(1, sizeof *l);
    size_t n = t->rows;
    l->n = n;
    l->half = n / 2;
    l->arrival = bench_alloc(n, sizeof(double));
    l->work = bench_alloc(n, sizeof(double));
    l->guess = bench_alloc(n, sizeof(double));
    l->deadline = bench_alloc(n, sizeof(double));
    double sum = 0.0, span = t->value[0][n - 1] - t->value[0][0], mean = 0.2;
    for (size_t i = 0; i < n; i++) {
        int llm = strcmp(c->work, "llm") == 0;
        l->work[i] = llm ? 1e-4 * t->value[1][i] + 1e-2 * t->value[2][i] : 1.0;
        if (l->work[i] < 1e-4) l->work[i] = 1e-4;
        sum += l->work[i];
    }
    double scale = mean * (double)n / sum, warp = mean * (double)n / c->rho / span, seen = mean;
    for (size_t i = 0; i < n; i++) {
        l->work[i] *= scale;
        l->arrival[i] = (t->value[0][i] - t->value[0][0]) * warp;
        l->deadline[i] = l->arrival[i] + c->slo * l->work[i];
        l->guess[i] = strcmp(c->sizes, "known") == 0 ? l->work[i] : seen;
        /* "unknown": the running mean; "quantile": a running upper quantile (four in five are shorter). */
        if (strcmp(c->sizes, "quantile") == 0)
            seen = fmax(1e-4, seen + 0.02 * mean * (l->work[i] > seen ? 0.8 : -0.2));
        else
            seen += 0.02 * (l->work[i] - seen);
    }
    return l;
}

void govern_load_free(load *l)
{
    free(l->arrival);
    free(l->work);
    free(l->guess);
    free(l->deadline);
    free(l);
}

/* ---- policies ---- */

/* Everything at one point; scores requests first..last. */
score govern_fixed(const truth *d, const load *l, size_t j, size_t first, size_t last)
{
    double now = l->arrival[0], busy = 0.0, start = 0.0, met = 0.0;
    for (size_t i = 0; i < last; i++) {
        if (i == first) {
            start = l->arrival[i] > now ? l->arrival[i] : now;
            busy = 0.0;
        }
        if (l->arrival[i] > now) now = l->arrival[i];
        now += l->work[i] * d->slow[j];
        busy += l->work[i] * d->slow[j];
        met += i >= first && now <= l->deadline[i] + 1e-9;
    }
    double idle = now - start - busy;
    return (score){busy * d->watts[j] + idle * d->idle[j], now - start, met / (double)(last - first)};
}

/* Least power over requests first..last among the points that keep the top point's attainment less `budget`. */
size_t govern_best_fixed(const truth *d, const load *l, double budget, size_t first, size_t last)
{
    score top = govern_fixed(d, l, d->n - 1, first, last);
    size_t best = d->n - 1;
    double least = INFINITY;
    for (size_t j = 0; j < d->n; j++) {
        score s = govern_fixed(d, l, j, first, last);
        if (s.met < top.met - budget || s.joule / s.seconds >= least) continue;
        least = s.joule / s.seconds;
        best = j;
    }
    return best;
}

typedef struct machine {
    const truth *d;
    double now, joule, lag, change, since;
    size_t at, wanted;
} machine;

/* Passes time until `until` or until *left (NULL: idle) is done. */
static void pass(machine *m, double until, double *left)
{
    while (m->now < until && (!left || *left > 0.0)) {
        if (m->at != m->wanted && m->now >= m->since) m->at = m->wanted;
        double stop = m->at != m->wanted && m->since < until ? m->since : until;
        double dt = stop - m->now, slow = m->d->slow[m->at];
        int ends = left && *left * slow <= dt;
        if (ends) dt = *left * slow;
        if (left) *left = ends ? 0.0 : *left - dt / slow;
        m->joule += dt * (left ? m->d->watts[m->at] : m->d->idle[m->at]);
        m->now = ends ? m->now + dt : stop;
    }
}

static void order(machine *m, ctw_governor *g, double *decide_s, size_t *decided)
{
    double mhz, mem = 0.0, began = 0.0;
    int timed = *decided % 97 == 0;
    if (timed) began = bench_cpu_s();
    for (int k = 0; k < (timed ? 101 : 1); k++) bench_ok(ctw_governor_decide(g, m->now, &mhz, NULL), "decide");
    if (timed) *decide_s += (bench_cpu_s() - began) / 101.0;
    ++*decided;
    size_t j = 0;
    if (m->d->mem[0] > 0.0) bench_ok(ctw_governor_memory(g, &mem), "memory");
    while (j + 1 < m->d->n && (m->d->mhz[j] < mhz || m->d->mem[j] != mem)) j++;
    if (j == m->wanted) return;
    m->wanted = j;
    m->joule += m->change;
    m->since = m->now + m->lag;
    if (m->lag <= 0.0) m->at = j;
}

score govern_run(const truth *d, const load *l, ctw_governor *g, const setting *c, effort *cost)
{
    machine m = {d, l->arrival[0], 0.0, c->lag, c->change, 0.0, d->n - 1, d->n - 1};
    double joule0 = 0.0, start = 0.0, met = 0.0, decide_s = 0.0;
    size_t next = 0, decided = 0;
    double began = bench_cpu_s();
    for (size_t i = 0; i < l->n; i++) {
        if (next <= i) {
            pass(&m, l->arrival[i], NULL);
            bench_ok(ctw_governor_arrive(g, (int64_t)next, m.now, l->guess[next], l->deadline[next]), "arrive");
            next++;
            order(&m, g, &decide_s, &decided);
        }
        if (i == l->half) {
            start = m.now;
            joule0 = m.joule;
        }
        double left = l->work[i];
        while (left > 0.0) {
            pass(&m, next < l->n ? l->arrival[next] : INFINITY, &left);
            if (left <= 0.0 && (next >= l->n || l->arrival[next] > m.now)) break;
            bench_ok(ctw_governor_arrive(g, (int64_t)next, m.now, l->guess[next], l->deadline[next]), "arrive");
            next++;
            order(&m, g, &decide_s, &decided);
        }
        met += i >= l->half && m.now <= l->deadline[i] + 1e-9;
        bench_ok(ctw_governor_complete(g, (int64_t)i, m.now, l->work[i]), "complete");
        order(&m, g, &decide_s, &decided);
    }
    double each = decide_s / (double)((decided + 96) / 97);
    double timing = 101.0 * decide_s; /* decisions repeated for their timing only */
    *cost = (effort){1e9 * each, 1e9 * (bench_cpu_s() - began - timing) / (double)decided};
    return (score){m.joule - joule0, m.now - start, met / (double)(l->n - l->half)};
}

/* ---- the cluster ---- */

/* Idle over full power by clock of a device whose log is given: medians of the samples without load, against the 95th
 * percentile of those with full load at the highest clock. */
typedef struct idle_shape {
    double mhz[SWEEP_MAX], share[SWEEP_MAX];
    size_t n;
} idle_shape;

static idle_shape read_idle(bench *b, const char *path)
{
    static const char *const wanted[] = {"gpu_util_pct", "power_W", "sm_MHz", NULL};
    bench_table *t = bench_load(b, path, wanted);
    idle_shape s = {.n = 0};
    double *v = bench_alloc(t->rows + 1, sizeof *v), top = 0.0, last = 0.0;
    for (size_t i = 0; i < t->rows; i++)
        if (t->value[2][i] > top) top = t->value[2][i];
    while (last < top && s.n < SWEEP_MAX) {
        double next = top;
        size_t n = 0;
        for (size_t i = 0; i < t->rows; i++)
            if (t->value[2][i] > last && t->value[2][i] < next) next = t->value[2][i];
        for (size_t i = 0; i < t->rows; i++)
            if (t->value[2][i] == next && t->value[0][i] == 0.0) v[n++] = t->value[1][i];
        last = next;
        if (n < 30) continue; /* a clock passed through, not one held */
        s.mhz[s.n] = next / top;
        s.share[s.n++] = power_quantile(v, n, 0.5);
    }
    size_t n = 0;
    for (size_t i = 0; i < t->rows; i++)
        if (t->value[2][i] == top && t->value[0][i] >= 98.0) v[n++] = t->value[1][i];
    if (s.n == 0 || n == 0) bench_die(2, "%s: no clock with idle and with busy samples", path);
    double busy = power_quantile(v, n, 0.95);
    for (size_t i = 0; i < s.n; i++) s.share[i] /= busy;
    free(v);
    bench_free(t);
    return s;
}

static double idle_share(const idle_shape *s, double x)
{
    if (x <= s->mhz[0]) return s->share[0];
    for (size_t i = 1; i < s->n; i++)
        if (x <= s->mhz[i])
            return s->share[i - 1] +
                   (s->share[i] - s->share[i - 1]) * (x - s->mhz[i - 1]) / (s->mhz[i] - s->mhz[i - 1]);
    return s->share[s->n - 1];
}

static truth make_truth(const sweep *s, const idle_shape *idle)
{
    truth d = {.n = s->n};
    for (size_t i = 0; i < s->n; i++) {
        d.mhz[i] = s->mhz[i];
        d.slow[i] = s->ms[i] / s->ms[s->n - 1];
        d.watts[i] = s->watts[i];
        d.idle[i] = s->watts[s->n - 1] * idle_share(idle, s->mhz[i] / s->mhz[s->n - 1]);
        if (d.idle[i] > d.watts[i]) d.idle[i] = d.watts[i];
    }
    return d;
}

static ctw_governor *make_governor(bench *b, const sweep *s, const truth *d, const char *calibrate, const setting *c)
{
    ctw_params *opt;
    ctw_governor *g;
    size_t pick[SWEEP_MAX], m = sweep_three(s, pick);
    if (strcmp(calibrate, "all") == 0)
        for (m = 0; m < s->n; m++) pick[m] = m;
    ctw_power *p = sweep_fit(b, s, pick, m, d->idle);
    bench_ok(ctw_params_new(b->ctx, "governor", &opt), "params");
    bench_ok(ctw_params_set_f64(opt, "lag_s", c->lag), "lag");
    bench_ok(ctw_params_set_f64(opt, "switch_joule", c->change), "change");
    bench_params(b, opt);
    bench_ok(ctw_governor_new(b->ctx, opt, &g), "governor");
    bench_ok(ctw_governor_set_device(g, p, -1.0), "device");
    ctw_params_unref(opt);
    ctw_power_unref(p);
    return g;
}

typedef struct cell {
    double top, fixed, fixed_hindsight, governed; /* mean power of the cluster, W */
    double met_top, met_fixed, met, worst_diff;   /* attainment, and the worst server's difference to top */
    double decide_ns, all_ns;
} cell;

static cell run_cell(bench *b, const sweeps *set, const idle_shape *idle, const bench_table *trace, const setting *c,
                     const char *calibrate)
{
    load *l = govern_load(trace, c);
    cell r = {.worst_diff = INFINITY};
    double n = (double)set->n;
    for (size_t i = 0; i < set->n; i++) {
        truth d = make_truth(&set->at[i], idle);
        ctw_governor *g = make_governor(b, &set->at[i], &d, calibrate, c);
        effort cost;
        score top = govern_fixed(&d, l, d.n - 1, l->half, l->n);
        score fix = govern_fixed(&d, l, govern_best_fixed(&d, l, 0.005, 0, l->half), l->half, l->n);
        score met = govern_fixed(&d, l, govern_best_fixed(&d, l, 0.005, l->half, l->n), l->half, l->n);
        score gov = govern_run(&d, l, g, c, &cost);
        r.top += top.joule / top.seconds;
        r.fixed += fix.joule / fix.seconds;
        r.fixed_hindsight += met.joule / met.seconds;
        r.governed += gov.joule / gov.seconds;
        r.met_top += top.met / n;
        r.met_fixed += fix.met / n;
        r.met += gov.met / n;
        r.decide_ns += cost.decide_ns / n;
        r.all_ns += cost.all_ns / n;
        if (gov.met - top.met < r.worst_diff) r.worst_diff = gov.met - top.met;
        ctw_governor_unref(g);
    }
    govern_load_free(l);
    return r;
}

static void print_cell(bench *b, const setting *c, const char *gpu, size_t servers, const cell *r)
{
    bench_begin(b);
    bench_out_str("task", "govern");
    bench_out_str("gpu", gpu);
    bench_out_str("work", c->work);
    bench_out_str("sizes", c->sizes);
    bench_out_f64("slo", c->slo);
    bench_out_f64("load", c->rho);
    bench_out_f64("lag_s", c->lag);
    bench_out_f64("change_joule", c->change);
    bench_out_i64("servers", (int64_t)servers);
    bench_out_f64("saving", r->top / r->governed);
    bench_out_f64("saving_fixed", r->top / r->fixed);
    bench_out_f64("over_fixed", r->fixed / r->governed);
    bench_out_f64("over_fixed_hindsight", r->fixed_hindsight / r->governed);
    bench_out_f64("slo_attainment", r->met);
    bench_out_f64("slo_attainment_top", r->met_top);
    bench_out_f64("slo_attainment_fixed", r->met_fixed);
    bench_out_f64("attainment_diff_pp", 100.0 * (r->met - r->met_top));
    bench_out_f64("attainment_worst_pp", 100.0 * r->worst_diff);
    bench_out_f64("decide_ns", r->decide_ns);
    bench_out_f64("decide_all_ns", r->all_ns);
    bench_end();
}

static void print_all(bench *b, const double *over, const double *fair, const double *saving, const double *diff,
                      size_t n)
{
    double least = INFINITY, least_fair = INFINITY, worst = INFINITY;
    for (size_t i = 0; i < n; i++) {
        if (over[i] < least) least = over[i];
        if (fair[i] < least_fair) least_fair = fair[i];
        if (diff[i] < worst) worst = diff[i];
    }
    bench_begin(b);
    bench_out_str("task", "govern");
    bench_out_i64("cells", (int64_t)n);
    bench_out_mean("saving", saving, n);
    bench_out_mean("over_fixed", over, n);
    bench_out_f64("over_fixed_least", least);
    bench_out_mean("over_fixed_hindsight", fair, n);
    bench_out_f64("over_fixed_hindsight_least", least_fair);
    bench_out_mean("attainment_diff_pp", diff, n);
    bench_out_f64("attainment_cell_worst_pp", worst);
    bench_end();
}

enum { MOST = 64 };

/* A number given, or the whole list. */
static size_t choices(double given, const double *list, size_t n, double *out)
{
    if (given > 0.0) {
        out[0] = given;
        return 1;
    }
    memcpy(out, list, n * sizeof *list);
    return n;
}

int power_govern(bench *b)
{
    static const double slos[] = {2, 5, 10}, rhos[] = {0.1, 0.3, 0.5, 0.7};
    static const char *const trace_columns[] = {"arrival_s", "context_tokens", "generated_tokens", NULL};
    const char *gpu = bench_need(b, "--gpu"), *work = bench_str(b, "--work", NULL);
    const char *calibrate = bench_str(b, "--calibrate", "3");
    double slo[MOST], rho[MOST], over[MOST], fair[MOST], saving[MOST], diff[MOST];
    size_t n_slo = choices(bench_f64(b, "--slo", 0), slos, 3, slo);
    size_t n_rho = choices(bench_f64(b, "--load", 0), rhos, 4, rho), cells = 0;
    setting c = {.sizes = bench_str(b, "--sizes", "known"),
                 .lag = bench_f64(b, "--lag", 0),
                 .change = bench_f64(b, "--change-joule", 0)};
    sweeps *set = sweeps_load(b, bench_need(b, "--govern"), gpu, bench_f64(b, "--min-mhz", 0), 0);
    idle_shape idle = read_idle(b, bench_need(b, "--idle"));
    bench_table *trace = bench_load(b, bench_need(b, "--trace"), trace_columns);
    if (trace->rows < 200) bench_die(2, "the trace has %zu requests, at least 200 are needed", trace->rows);
    for (int w = 0; w < 2; w++) {
        c.work = work ? work : w ? "constant" : "llm";
        if (work && w) break;
        for (size_t i = 0; i < n_slo; i++)
            for (size_t j = 0; j < n_rho; j++) {
                c.slo = slo[i];
                c.rho = rho[j];
                cell r = run_cell(b, set, &idle, trace, &c, calibrate);
                print_cell(b, &c, gpu, set->n, &r);
                saving[cells] = r.top / r.governed;
                over[cells] = r.fixed / r.governed;
                fair[cells] = r.fixed_hindsight / r.governed;
                diff[cells++] = 100.0 * (r.met - r.met_top);
            }
    }
    print_all(b, over, fair, saving, diff, cells);
    bench_free(trace);
    sweeps_free(set);
    return 0;
}
