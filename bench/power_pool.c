/* power_pool.c: equal servers behind one queue under a recorded arrival trace, all running one measured kernel: one
 * clock for all and some asleep, as the pool says. Beside it: all awake at the top clock; the best fixed clock for all
 * that keeps the top clock's deadlines in hindsight; a governor on each server (a request goes where the told work
 * would be done first); sleeping alone, at the top clock; and the pool with servers that cannot sleep. The models know
 * three clocks of each kernel; power and time are the measured ones. Work as in power_sleep.c; scored on the second
 * half of the trace; means over the kernels. */
#include "power_commands.h"
#include "power_data.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1024, NONE = -1 };

typedef struct setting {
    size_t servers;
    double rho, slo, idle_share, sleep_share, wake_s, wake_share;
} setting;

typedef struct truth {
    size_t n;
    double mhz[SWEEP_MAX], slow[SWEEP_MAX], watts[SWEEP_MAX], idle[SWEEP_MAX], asleep, wake_s, wake_joule;
} truth;

typedef struct requests {
    size_t n, half;
    double *arrival, *work, *deadline;
    int64_t *behind; /* the next in the same server's queue */
} requests;

typedef struct policy {
    size_t fixed; /* without any handle */
    ctw_pool *pool;
    ctw_cluster *cluster;
    ctw_governor **each;
} policy;

typedef struct score {
    double watts, met, awake;
} score;

typedef struct server {
    int64_t request, first, last; /* in service; own queue (with a governor on each) */
    double left, told;            /* told: when the told work here would be done at the top clock */
    size_t at;
    int32_t state;
} server;

typedef struct sim {
    const truth *d;
    const requests *r;
    const setting *c;
    const policy *how;
    server at[MOST];
    double now, joule, awake_s, tick, brought, last_tick;
    size_t next, started, done, met;
} sim;

static requests make(const bench_table *t, const setting *c)
{
    size_t n = t->rows;
    requests r = {n,
                  n / 2,
                  bench_alloc(n, sizeof(double)),
                  bench_alloc(n, sizeof(double)),
                  bench_alloc(n, sizeof(double)),
                  bench_alloc(n, sizeof(int64_t))};
    double sum = 0.0, span = t->value[0][n - 1] - t->value[0][0];
    for (size_t i = 0; i < n; i++) sum += r.work[i] = fmax(1e-4, 1e-4 * t->value[1][i] + 1e-2 * t->value[2][i]);
    double warp = sum / (c->rho * (double)c->servers) / span;
    for (size_t i = 0; i < n; i++) {
        r.arrival[i] = (t->value[0][i] - t->value[0][0]) * warp;
        r.deadline[i] = r.arrival[i] + c->slo * r.work[i];
    }
    return r;
}

static void free_requests(requests *r)
{
    free(r->arrival);
    free(r->work);
    free(r->deadline);
    free(r->behind);
}

static truth make_truth(const sweep *s, const setting *c)
{
    truth d = {.n = s->n};
    double top = s->watts[s->n - 1];
    for (size_t i = 0; i < s->n; i++) {
        d.mhz[i] = s->mhz[i];
        d.slow[i] = s->ms[i] / s->ms[s->n - 1];
        d.watts[i] = s->watts[i];
        d.idle[i] = c->idle_share * top * (0.8 + 0.2 * s->mhz[i] / s->mhz[s->n - 1]);
    }
    d.asleep = c->sleep_share * top;
    d.wake_s = c->wake_s;
    d.wake_joule = c->wake_s * top * c->wake_share;
    return d;
}

/* ---- the host ---- */

static void pass(sim *s, double until)
{
    double dt = until - s->now;
    for (size_t k = 0; k < s->c->servers; k++) {
        server *v = &s->at[k];
        int busy = v->request != NONE;
        if (busy) v->left -= dt / s->d->slow[v->at];
        s->awake_s += dt * (v->state == CTW_CLUSTER_AWAKE);
        s->joule += dt * (busy                             ? s->d->watts[v->at]
                          : v->state == CTW_CLUSTER_AWAKE  ? s->d->idle[v->at]
                          : v->state == CTW_CLUSTER_ASLEEP ? s->d->asleep
                                                           : 0.0);
    }
    s->now = until;
}

static void set_state(sim *s, const int32_t *state)
{
    for (size_t k = 0; k < s->c->servers; k++) {
        s->joule += s->d->wake_joule * (s->at[k].state == CTW_CLUSTER_ASLEEP && state[k] != CTW_CLUSTER_ASLEEP);
        s->at[k].state = state[k];
    }
}

static size_t point(const truth *d, double mhz)
{
    size_t j = 0;
    while (j + 1 < d->n && d->mhz[j] < mhz) j++;
    return j;
}

static void ask(sim *s, size_t k)
{
    static int32_t state[MOST];
    const policy *how = s->how;
    double mhz;
    if (how->each) {
        bench_ok(ctw_governor_decide(how->each[k], s->now, &mhz, NULL), "decide");
        s->at[k].at = point(s->d, mhz);
    }
    if (how->pool) {
        bench_ok(ctw_pool_decide(how->pool, s->now, &mhz, state, NULL), "decide");
        for (size_t i = 0; i < s->c->servers; i++) s->at[i].at = point(s->d, mhz);
        set_state(s, state);
    }
}

static void tick(sim *s)
{
    static int32_t state[MOST];
    double dt = s->now - s->last_tick;
    if (s->how->cluster) {
        (void)ctw_cluster_update(s->how->cluster, s->now, dt > 0.0 ? s->brought / dt : 0.0, state, NULL);
        set_state(s, state);
    }
    if (s->how->pool) ask(s, 0);
    s->brought = 0.0;
    s->last_tick = s->now;
    s->tick = s->now + 5.0;
}

static void begin(sim *s, size_t k, int64_t i)
{
    s->at[k].request = i;
    s->at[k].left = s->r->work[i];
}

/* From the common queue to servers awake, or to the server told earliest to be free. */
static void dispatch(sim *s)
{
    for (size_t k = 0; k < s->c->servers && !s->how->each && s->started < s->next; k++)
        if (s->at[k].request == NONE && s->at[k].state == CTW_CLUSTER_AWAKE) begin(s, k, (int64_t)s->started++);
}

static void arrive(sim *s)
{
    const requests *r = s->r;
    size_t i = s->next++, k = 0;
    s->brought += r->work[i];
    if (s->how->pool) bench_ok(ctw_pool_arrive(s->how->pool, (int64_t)i, s->now, r->work[i], r->deadline[i]), "arrive");
    if (s->how->each) {
        for (size_t v = 1; v < s->c->servers; v++)
            if (s->at[v].told < s->at[k].told) k = v;
        server *v = &s->at[k];
        v->told = fmax(v->told, s->now) + r->work[i];
        r->behind[i] = NONE;
        bench_ok(ctw_governor_arrive(s->how->each[k], (int64_t)i, s->now, r->work[i], r->deadline[i]), "arrive");
        if (v->request == NONE) {
            begin(s, k, (int64_t)i);
        } else {
            if (v->first == NONE)
                v->first = (int64_t)i;
            else
                r->behind[v->last] = (int64_t)i;
            v->last = (int64_t)i;
        }
    }
    dispatch(s);
    ask(s, k);
}

static void complete(sim *s, size_t k)
{
    server *v = &s->at[k];
    int64_t i = v->request;
    s->done++;
    s->met += (size_t)i >= s->r->half && s->now <= s->r->deadline[i] + 1e-9;
    v->request = NONE;
    if (s->how->pool) bench_ok(ctw_pool_complete(s->how->pool, i, s->now, s->r->work[i]), "complete");
    if (s->how->each) {
        bench_ok(ctw_governor_complete(s->how->each[k], i, s->now, s->r->work[i]), "complete");
        if (v->first != NONE) {
            begin(s, k, v->first);
            v->first = s->r->behind[v->first];
        }
    }
    ask(s, k);
    dispatch(s);
}

static score run(const truth *d, const requests *r, const setting *c, const policy *how)
{
    static sim s;
    memset(&s, 0, sizeof s);
    s.d = d;
    s.r = r;
    s.c = c;
    s.how = how;
    double start = 0.0, joule0 = 0.0, awake0 = 0.0;
    for (size_t k = 0; k < c->servers; k++)
        s.at[k] = (server){.request = NONE, .first = NONE, .at = how->fixed, .state = CTW_CLUSTER_AWAKE};
    while (s.done < r->n) {
        double until = s.next < r->n ? r->arrival[s.next] : INFINITY;
        size_t ends = c->servers;
        if ((how->cluster || how->pool) && s.tick < until) until = s.tick;
        for (size_t k = 0; k < c->servers; k++) {
            const server *v = &s.at[k];
            if (v->request == NONE) continue;
            double end = s.now + fmax(0.0, v->left) * d->slow[v->at];
            if (end > until) continue;
            until = end;
            ends = k;
        }
        pass(&s, until);
        if (ends < c->servers)
            complete(&s, ends);
        else if (s.next < r->n && r->arrival[s.next] <= s.now)
            arrive(&s);
        else
            tick(&s);
        if (s.next <= r->half) {
            start = s.now;
            joule0 = s.joule;
            awake0 = s.awake_s;
        }
        dispatch(&s);
    }
    return (score){(s.joule - joule0) / (s.now - start), (double)s.met / (double)(r->n - r->half),
                   (s.awake_s - awake0) / (s.now - start)};
}

/* ---- methods ---- */

static score best_fixed(const truth *d, const requests *r, const setting *c, const score *top)
{
    score best = *top;
    for (size_t j = 0; j < d->n; j++) {
        policy how = {.fixed = j};
        score s = run(d, r, c, &how);
        if (s.met >= top->met - 0.005 && s.watts < best.watts) best = s;
    }
    return best;
}

static ctw_power *known(bench *b, const sweep *s, const truth *d)
{
    size_t pick[3], m = sweep_three(s, pick);
    return sweep_fit(b, s, pick, m, d->idle);
}

static score with_pool(bench *b, const sweep *w, const truth *d, const requests *r, const setting *c, int sleeps)
{
    ctw_params *opt;
    policy how = {.fixed = d->n - 1};
    ctw_power *p = known(b, w, d);
    bench_ok(ctw_params_new(b->ctx, "pool", &opt), "params");
    bench_params(b, opt);
    bench_ok(ctw_pool_new(b->ctx, opt, &how.pool), "pool");
    bench_ok(
        ctw_pool_set_device(how.pool, c->servers, sleeps ? d->asleep : INFINITY, d->wake_s, d->wake_joule, p, -1.0),
        "device");
    score s = run(d, r, c, &how);
    ctw_params_unref(opt);
    ctw_pool_unref(how.pool);
    ctw_power_unref(p);
    return s;
}

static score with_governors(bench *b, const sweep *w, const truth *d, const requests *r, const setting *c)
{
    ctw_governor *each[MOST];
    ctw_params *opt;
    policy how = {.fixed = d->n - 1, .each = each};
    ctw_power *p = known(b, w, d);
    bench_ok(ctw_params_new(b->ctx, "governor", &opt), "params");
    /* Each sees but its part of the requests: it may choose after as much of the trace as the pool does. */
    bench_ok(ctw_params_set_i64(opt, "tune_every", 64), "tune_every");
    for (size_t k = 0; k < c->servers; k++) {
        bench_ok(ctw_governor_new(b->ctx, opt, &each[k]), "governor");
        bench_ok(ctw_governor_set_device(each[k], p, -1.0), "device");
    }
    ctw_params_unref(opt);
    score s = run(d, r, c, &how);
    for (size_t k = 0; k < c->servers; k++) ctw_governor_unref(each[k]);
    ctw_power_unref(p);
    return s;
}

static score with_cluster(bench *b, const truth *d, const requests *r, const setting *c)
{
    static double idle[MOST], asleep[MOST], wake_s[MOST], wake_joule[MOST];
    policy how = {.fixed = d->n - 1};
    for (size_t k = 0; k < c->servers; k++) {
        idle[k] = d->idle[d->n - 1];
        asleep[k] = d->asleep;
        wake_s[k] = d->wake_s;
        wake_joule[k] = d->wake_joule;
    }
    bench_ok(ctw_cluster_new(b->ctx, NULL, &how.cluster), "cluster");
    bench_ok(ctw_cluster_set_servers(how.cluster, c->servers, NULL, idle, asleep, wake_s, wake_joule), "servers");
    score s = run(d, r, c, &how);
    ctw_cluster_unref(how.cluster);
    return s;
}

enum { TOP, FIXED, EACH, SLEEP, CLOCK, POOL, METHODS };

static const char *const names[METHODS] = {"all awake, top clock",       "all awake, best fixed clock in hindsight",
                                           "all awake, a governor each", "sleeping alone, top clock",
                                           "one clock, none sleeps",     "one clock and sleeping"};

static void one_load(bench *b, const setting *c, const bench_table *t, const sweeps *set, size_t step)
{
    double saving[METHODS] = {0}, diff[METHODS] = {0}, worst[METHODS] = {0}, awake[METHODS] = {0}, n = 0.0, top = 0.0;
    requests r = make(t, c);
    for (size_t i = 0; i < set->n; i += step) {
        const sweep *w = &set->at[i];
        truth d = make_truth(w, c);
        score s[METHODS];
        policy plain = {.fixed = d.n - 1};
        s[TOP] = run(&d, &r, c, &plain);
        s[FIXED] = best_fixed(&d, &r, c, &s[TOP]);
        s[EACH] = with_governors(b, w, &d, &r, c);
        s[SLEEP] = with_cluster(b, &d, &r, c);
        s[CLOCK] = with_pool(b, w, &d, &r, c, 0);
        s[POOL] = with_pool(b, w, &d, &r, c, 1);
        for (int m = 0; m < METHODS; m++) {
            double pp = 100.0 * (s[m].met - s[TOP].met);
            saving[m] += s[TOP].watts / s[m].watts;
            diff[m] += pp;
            worst[m] = fmin(worst[m], pp);
            awake[m] += s[m].awake;
        }
        top += s[TOP].met;
        n += 1.0;
    }
    for (int m = 0; m < METHODS; m++) {
        bench_begin(b);
        bench_out_str("task", "pool");
        bench_out_i64("servers", (int64_t)c->servers);
        bench_out_i64("kernels", (int64_t)n);
        bench_out_f64("load", c->rho);
        bench_out_f64("slo", c->slo);
        bench_out_str("method", names[m]);
        bench_out_f64("saving", saving[m] / n);
        bench_out_f64("slo_attainment", top / n + diff[m] / n / 100.0);
        bench_out_f64("attainment_diff_pp", diff[m] / n);
        bench_out_f64("attainment_worst_pp", worst[m]);
        bench_out_f64("mean_awake", awake[m] / n);
        bench_end();
    }
    free_requests(&r);
}

int power_pool(bench *b)
{
    static const char *const trace_columns[] = {"arrival_s", "context_tokens", "generated_tokens", NULL};
    static const double loads[] = {0.1, 0.3, 0.5};
    double only = bench_f64(b, "--load", 0);
    bench_table *t = bench_load(b, bench_need(b, "--trace"), trace_columns);
    sweeps *set = sweeps_load(b, bench_need(b, "--pool"), bench_need(b, "--gpu"), bench_f64(b, "--min-mhz", 0), 0);
    size_t step = (size_t)bench_i64(b, "--every-kernel", 4);
    setting c = {.servers = (size_t)bench_i64(b, "--servers", 16),
                 .slo = bench_f64(b, "--slo", 5),
                 .idle_share = bench_f64(b, "--idle-share", 0.3),
                 .sleep_share = bench_f64(b, "--sleep-share", 0.05),
                 .wake_s = bench_f64(b, "--wake-s", 30),
                 .wake_share = bench_f64(b, "--wake-share", 0.6)};
    if (c.servers < 1 || c.servers > MOST) bench_die(2, "--servers must be 1 to %d", MOST);
    if (step < 1) bench_die(2, "--every-kernel must be at least 1");
    for (size_t k = 0; k < sizeof loads / sizeof *loads; k++) {
        c.rho = only > 0.0 ? only : loads[k];
        one_load(b, &c, t, set, step);
        if (only > 0.0) break;
    }
    bench_free(t);
    sweeps_free(set);
    return 0;
}
