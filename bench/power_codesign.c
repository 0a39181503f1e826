/* power_codesign.c: several models on a cluster of accelerators. Baseline: parts balanced over all accelerators at
 * the top clock, first come first served. Against it, step by step: shortest job first, parts that react alike
 * together with a governor on each accelerator, and, where models have copies, accelerators that are not needed
 * asleep (how many, is decided on the first half of the trace). A model's reaction to
 * the clock and its power are those of the measured kernel nearest in memory-boundness (options --membound-ar and
 * --membound-other say what the models' is). Scored on the second half of the trace. */
#include "power_commands.h"
#include "power_data.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MODELS = 64, DEVICES = 64 };

typedef struct model {
    const char *name;
    double gb, latency, membound, load;
    int ar;
    const sweep *kernel;
} model;

typedef struct request {
    double arrival, work, guess, deadline;
    size_t model;
    int64_t where; /* accelerator */
} request;

typedef struct cluster {
    size_t n_models, n_requests, half, devices;
    model model[MODELS];
    request *request;
    double idle_share, sleep_share, gb;
    const char *order;
} cluster;

typedef struct score {
    double watts, met, met_first; /* attainment of the second and of the first half */
    size_t awake;
} score;

/* ---- models and requests ---- */

static double kernel_membound(bench *b, const sweep *s)
{
    size_t pick[SWEEP_MAX];
    double m;
    for (size_t i = 0; i < s->n; i++) pick[i] = i;
    ctw_power *p = sweep_fit(b, s, pick, s->n, NULL);
    bench_ok(ctw_power_membound(p, &m, NULL), "membound");
    ctw_power_unref(p);
    return m;
}

static void load_models(bench *b, cluster *c, const sweeps *set, bench_table *t)
{
    double ar = bench_f64(b, "--membound-ar", 0.85), other = bench_f64(b, "--membound-other", 0.2);
    double known[256];
    if (t->rows > MODELS || set->n > 256) bench_die(2, "at most %d models and 256 kernels", MODELS);
    for (size_t k = 0; k < set->n; k++) known[k] = kernel_membound(b, &set->at[k]);
    for (size_t i = 0; i < t->rows; i++) {
        model *m = &c->model[c->n_models++];
        *m = (model){
            .name = t->text[0][i], .gb = t->value[1][i], .latency = t->value[2][i] / 1e3, .ar = t->value[3][i] > 0};
        m->membound = m->ar ? ar : other;
        size_t best = 0;
        for (size_t k = 1; k < set->n; k++)
            if (fabs(known[k] - m->membound) < fabs(known[best] - m->membound)) best = k;
        m->kernel = &set->at[best];
    }
}

/* The n-th request goes to a model by a fixed hash, so that every run sees the same stream. */
static size_t pick_model(size_t i, size_t n)
{
    uint64_t z = (i + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    return (size_t)((z ^ (z >> 27)) % n);
}

static void make_requests(cluster *c, const bench_table *trace, double rho, double slo)
{
    size_t n = trace->rows;
    double tokens = 0.0, total = 0.0, span = trace->value[0][n - 1] - trace->value[0][0];
    c->request = bench_alloc(n, sizeof *c->request);
    c->n_requests = n;
    c->half = n / 2;
    for (size_t i = 0; i < n; i++) tokens += trace->value[2][i] / (double)n;
    for (size_t i = 0; i < n; i++) {
        request *r = &c->request[i];
        r->model = pick_model(i, c->n_models);
        const model *m = &c->model[r->model];
        r->work = m->ar ? m->latency * fmax(0.05, trace->value[2][i] / tokens) : m->latency;
        r->guess = r->work;
        total += r->work;
    }
    double warp = total / (rho * (double)c->devices) / span;
    for (size_t i = 0; i < n; i++) {
        request *r = &c->request[i];
        r->arrival = (trace->value[0][i] - trace->value[0][0]) * warp;
        r->deadline = r->arrival + slo * r->work;
        c->model[r->model].load += r->work / (span * warp);
    }
}

/* ---- one accelerator ---- */

typedef struct device {
    double now, joule, joule0, start;
    size_t at, n; /* point; points */
    double mhz[SWEEP_MAX], idle[SWEEP_MAX];
    ctw_governor *g; /* NULL: always at the top */
} device;

static double slow_of(const sweep *s, size_t j)
{
    return s->ms[j] / s->ms[s->n - 1];
}

/* The group's table: its members' means, weighted by the work each brings to this accelerator. */
static void set_group(const cluster *c, int64_t where, device *d)
{
    double slow[SWEEP_MAX] = {0}, watts[SWEEP_MAX] = {0}, brings[MODELS] = {0}, total = 0.0, top = 0.0;
    for (size_t i = 0; i < c->n_requests; i++)
        if (c->request[i].where == where) brings[c->request[i].model] += c->request[i].work;
    for (size_t i = 0; i < c->n_models; i++) {
        const sweep *k = c->model[i].kernel;
        if (!(brings[i] > 0.0)) continue;
        d->n = k->n;
        memcpy(d->mhz, k->mhz, sizeof d->mhz);
        for (size_t j = 0; j < d->n; j++) {
            slow[j] += brings[i] * slow_of(k, j);
            watts[j] += brings[i] * k->watts[j];
        }
        total += brings[i];
    }
    for (size_t j = 0; j < d->n; j++) {
        slow[j] = fmax(1.0, slow[j] / total);
        watts[j] /= total;
        top = watts[j];
    }
    for (size_t j = d->n; j-- > 1;)
        if (slow[j - 1] < slow[j]) slow[j - 1] = slow[j];
    slow[d->n - 1] = 1.0;
    for (size_t j = 0; j < d->n; j++) d->idle[j] = c->idle_share * top * (0.8 + 0.2 * d->mhz[j] / d->mhz[d->n - 1]);
    d->at = d->n - 1;
    if (d->g) bench_ok(ctw_governor_set_table(d->g, d->mhz, slow, watts, d->idle, d->n), "table");
}

static void decide(device *d)
{
    double mhz;
    if (!d->g) return;
    bench_ok(ctw_governor_decide(d->g, d->now, &mhz, NULL), "decide");
    for (d->at = 0; d->at + 1 < d->n && d->mhz[d->at] < mhz;) d->at++;
}

/* Next of the waiting: the first that came, or the shortest guess. */
static size_t next_of(const cluster *c, const size_t *waiting, size_t n)
{
    size_t best = 0;
    if (strcmp(c->order, "fifo") == 0) return 0;
    for (size_t k = 1; k < n; k++)
        if (c->request[waiting[k]].guess < c->request[waiting[best]].guess) best = k;
    return best;
}

static void run_until(device *d, double until)
{
    if (until > d->now) {
        d->joule += (until - d->now) * d->idle[d->at];
        d->now = until;
    }
}

/* All requests of one accelerator; counts those that met their deadline, of either half. */
static void serve(const cluster *c, int64_t where, device *d, size_t met[2])
{
    size_t *waiting = bench_alloc(c->n_requests + 1, sizeof *waiting),
           *mine = bench_alloc(c->n_requests + 1, sizeof *mine);
    size_t n = 0, next = 0, held = 0;
    double mark = c->request[c->half].arrival;
    int marked = 0;
    for (size_t i = 0; i < c->n_requests; i++)
        if (c->request[i].where == where) mine[n++] = i;
    while (next < n || held) {
        if (!held) run_until(d, c->request[mine[next]].arrival);
        for (; next < n && c->request[mine[next]].arrival <= d->now; next++) {
            const request *r = &c->request[mine[next]];
            waiting[held++] = mine[next];
            if (d->g) bench_ok(ctw_governor_arrive(d->g, (int64_t)mine[next], d->now, r->guess, r->deadline), "arrive");
        }
        if (!marked && d->now >= mark) {
            marked = 1;
            d->joule0 = d->joule;
            d->start = d->now;
        }
        size_t k = next_of(c, waiting, held), id = waiting[k];
        const request *r = &c->request[id];
        const sweep *s = c->model[r->model].kernel;
        double left = r->work;
        memmove(waiting + k, waiting + k + 1, (--held - k) * sizeof *waiting);
        while (left > 0.0) {
            decide(d);
            double stop = next < n ? c->request[mine[next]].arrival : INFINITY, slow = slow_of(s, d->at);
            double dt = fmin(left * slow, stop - d->now);
            left = dt >= left * slow ? 0.0 : left - dt / slow;
            d->joule += dt * s->watts[d->at];
            d->now += dt;
            for (; next < n && c->request[mine[next]].arrival <= d->now; next++) {
                const request *a = &c->request[mine[next]];
                waiting[held++] = mine[next];
                if (d->g)
                    bench_ok(ctw_governor_arrive(d->g, (int64_t)mine[next], d->now, a->guess, a->deadline), "arrive");
            }
        }
        met[id >= c->half] += d->now <= r->deadline + 1e-9;
        if (d->g) bench_ok(ctw_governor_complete(d->g, (int64_t)id, d->now, r->work), "complete");
        if (!held) decide(d);
    }
    free(waiting);
    free(mine);
}

static score run(bench *b, cluster *c, size_t awake, int govern)
{
    score s = {.awake = awake};
    size_t met[2] = {0, 0};
    double power = 0.0, top_watts = 0.0;
    for (size_t i = 0; i < c->n_models; i++)
        top_watts = fmax(top_watts, c->model[i].kernel->watts[c->model[i].kernel->n - 1]);
    for (size_t k = 0; k < awake; k++) {
        device d = {0};
        int used = 0;
        for (size_t i = 0; i < c->n_requests && !used; i++) used = c->request[i].where == (int64_t)k;
        if (!used) {
            power += c->sleep_share * top_watts;
            continue;
        }
        if (govern) {
            ctw_params *opt;
            bench_ok(ctw_params_new(b->ctx, "governor", &opt), "params");
            bench_params(b, opt);
            bench_ok(ctw_governor_new(b->ctx, opt, &d.g), "governor");
            ctw_params_unref(opt);
        }
        set_group(c, (int64_t)k, &d);
        serve(c, (int64_t)k, &d, met);
        power += (d.joule - d.joule0) / (d.now - d.start);
        ctw_governor_unref(d.g);
    }
    s.watts = power + (double)(c->devices - awake) * c->sleep_share * top_watts;
    s.met = (double)met[1] / (double)(c->n_requests - c->half);
    s.met_first = (double)met[0] / (double)c->half;
    return s;
}

/* One accelerator a model, the library's placement. */
static void place(bench *b, cluster *c, int32_t how, uint64_t awake)
{
    double load[MODELS], gb[MODELS], membound[MODELS];
    int64_t where[MODELS];
    for (size_t i = 0; i < c->n_models; i++) {
        load[i] = c->model[i].load;
        gb[i] = c->model[i].gb;
        membound[i] = c->model[i].membound;
    }
    bench_ok(ctw_partition_place(b->ctx, load, gb, membound, c->n_models, c->gb, awake, how, where), "place");
    for (size_t i = 0; i < c->n_requests; i++) c->request[i].where = where[c->request[i].model];
}

/* Every model on every accelerator of its pool (all are one pool, or memory-bound and other models have one each, in
 * proportion to their load): a request goes where the told work would be done first. 0 when a pool does not fit. */
static int replicate(cluster *c, size_t awake, int pools)
{
    double free_at[DEVICES] = {0}, load[2] = {0}, gb[2] = {0};
    size_t first[3] = {0, awake, awake};
    for (size_t i = 0; i < c->n_models; i++) {
        int pool = pools > 1 && c->model[i].membound >= 0.5;
        load[pool] += c->model[i].load;
        gb[pool] += c->model[i].gb;
    }
    if (gb[0] > c->gb || gb[1] > c->gb || awake < (size_t)pools) return 0;
    if (pools > 1) {
        first[1] = (size_t)lrint((double)awake * load[0] / (load[0] + load[1]));
        if (first[1] == 0) first[1] = 1;
        if (first[1] == awake) first[1] = awake - 1;
    }
    for (size_t i = 0; i < c->n_requests; i++) {
        request *r = &c->request[i];
        int pool = pools > 1 && c->model[r->model].membound >= 0.5;
        size_t best = first[pool];
        for (size_t d = first[pool]; d < first[pool + 1]; d++) {
            if (free_at[d] < r->arrival) free_at[d] = r->arrival;
            if (free_at[d] < free_at[best]) best = d;
        }
        free_at[best] += r->guess;
        r->where = (int64_t)best;
    }
    return 1;
}

static void print(bench *b, const char *gpu, double rho, double slo, const char *what, const score *s,
                  const score *base)
{
    bench_begin(b);
    bench_out_str("task", "codesign");
    bench_out_str("gpu", gpu);
    bench_out_f64("load", rho);
    bench_out_f64("slo", slo);
    bench_out_str("method", what);
    bench_out_f64("watts", s->watts);
    bench_out_f64("saving", base->watts / s->watts);
    bench_out_f64("slo_attainment", s->met);
    bench_out_f64("attainment_diff_pp", 100.0 * (s->met - base->met));
    bench_out_i64("awake", (int64_t)s->awake);
    bench_end();
}

/* As few awake as keep the baseline's attainment on the first half, tried from few to many. */
static void fewest(bench *b, cluster *c, const char *gpu, double rho, double slo, int pools, const char *what,
                   const score *base)
{
    for (size_t awake = (size_t)pools; awake <= c->devices; awake++) {
        if (!replicate(c, awake, pools)) return;
        score s = run(b, c, awake, 1);
        if (s.met_first < base->met_first - 0.005 && awake < c->devices) continue;
        print(b, gpu, rho, slo, what, &s, base);
        return;
    }
}

static void one_load(bench *b, cluster *c, const char *gpu, const bench_table *trace, double rho, double slo)
{
    uint64_t all = c->devices;
    score base, copies, s;
    for (size_t i = 0; i < c->n_models; i++) c->model[i].load = 0.0;
    make_requests(c, trace, rho, slo);
    c->order = "fifo";
    place(b, c, CTW_PARTITION_BALANCED, all);
    base = run(b, c, all, 0);
    print(b, gpu, rho, slo, "one copy each, top clock, first come first served", &base, &base);
    s = run(b, c, all, 1);
    print(b, gpu, rho, slo, "one copy each, governor", &s, &base);
    c->order = "ssjf";
    s = run(b, c, all, 1);
    print(b, gpu, rho, slo, "one copy each, governor, shortest first", &s, &base);
    place(b, c, CTW_PARTITION_ALIKE, all);
    s = run(b, c, all, 1);
    print(b, gpu, rho, slo, "one copy each, alike together, governor, shortest first", &s, &base);
    c->order = "fifo";
    if (!replicate(c, all, 1)) return;
    copies = run(b, c, all, 0);
    print(b, gpu, rho, slo, "copies everywhere, top clock, first come first served", &copies, &copies);
    c->order = "ssjf";
    s = run(b, c, all, 1);
    print(b, gpu, rho, slo, "copies everywhere, governor, shortest first", &s, &copies);
    fewest(b, c, gpu, rho, slo, 1, "copies everywhere, fewest awake, governor, shortest first", &copies);
    fewest(b, c, gpu, rho, slo, 2, "copies in two pools alike, fewest awake, governor, shortest first", &copies);
    fewest(b, c, gpu, rho, slo, 1, "the same in one pool, against one copy each at the top clock", &base);
}

int power_codesign(bench *b)
{
    static const char *const trace_columns[] = {"arrival_s", "context_tokens", "generated_tokens", NULL};
    static const char *const model_columns[] = {"$model", "size_gb", "latency_ms", "autoregressive", NULL};
    static const double loads[] = {0.05, 0.1, 0.2, 0.3, 0.5};
    const char *gpu = bench_need(b, "--gpu");
    double only = bench_f64(b, "--load", 0), slo = bench_f64(b, "--slo", 5);
    bench_table *models = bench_load(b, bench_need(b, "--codesign"), model_columns);
    bench_table *trace = bench_load(b, bench_need(b, "--trace"), trace_columns);
    sweeps *set = sweeps_load(b, bench_need(b, "--kernels"), gpu, bench_f64(b, "--min-mhz", 0), 0);
    cluster *c = bench_alloc(1, sizeof *c);
    c->devices = (size_t)bench_i64(b, "--devices", 8);
    if (c->devices < 1 || c->devices > DEVICES) bench_die(2, "--devices must be 1..%d", DEVICES);
    c->gb = bench_f64(b, "--device-gb", 80);
    c->idle_share = bench_f64(b, "--idle-share", 0.3);
    c->sleep_share = bench_f64(b, "--sleep-share", 0.05);
    load_models(b, c, set, models);
    for (size_t k = 0; k < sizeof loads / sizeof *loads; k++) {
        one_load(b, c, gpu, trace, only > 0.0 ? only : loads[k], slo);
        free(c->request);
        if (only > 0.0) break;
    }
    free(c);
    sweeps_free(set);
    bench_free(trace);
    bench_free(models);
    return 0;
}
