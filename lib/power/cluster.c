/* cluster.c: who sleeps. The future load is not known, so a spare server is treated like rented skis: it idles until
 * that has cost as much as one waking and then sleeps, which is at most twice the cost of hindsight whatever comes; it
 * is also all the hysteresis there is.
 * Servers are kept in a fixed order, so that the same ones are spare each time and their rest is long. */
#include <cybertwin/cluster.h>

#include "base/ctx.h"
#include "base/handle.h"
#include "base/report.h"
#include "num/sort.h"
#include "power/power_params.h"
#include <math.h>
#include <string.h>

#define CTW_CLUSTER_MAGIC CTW_FOUR('C', 'L', 'U', 'S')

typedef struct server {
    double capacity, idle, sleep, wake_s, wake_joule;
    double pays_after; /* seconds of sleep that pay for one waking; infinite: sleep saves nothing */
    double since;      /* spare since, asleep since or awake from, by state */
    int32_t state, spare;
    size_t name; /* index told by the host */
} server;

struct ctw_cluster {
    ctw_base__handle h;
    double max_load, window, sds, patience;
    size_t n;
    server *at; /* in the order in which they are needed */
    int32_t started;
    double now, begin, mean, var, seen; /* seen: seconds of load that mean and var know */
    double needed, idle_joule, all_awake_joule;
    int64_t wakes, short_sleeps;
};

static void destroy(ctw_cluster *c)
{
    ctw_base__free(c->h.ctx, c->at);
}

CTW_DEFINE_REFS(ctw_cluster, destroy)

ctw_status ctw_cluster_new(ctw_ctx *ctx, const ctw_params *params, ctw_cluster **out)
{
    static const char *fn = "ctw_cluster_new";
    const ctw_base__kind *const kind = &ctw_cluster__kind;
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    CTW_TRY(ctw_base__params_check(params, kind, fn));
    ctw_cluster *c = ctw_base__handle_new(ctx, sizeof *c, CTW_CLUSTER_MAGIC);
    if (!c) return CTW_E_NOMEM;
    c->max_load = ctw_base__opt_f64(params, kind, "max_load");
    c->window = ctw_base__opt_f64(params, kind, "window_s");
    c->sds = ctw_base__opt_f64(params, kind, "deviations");
    c->patience = ctw_base__opt_f64(params, kind, "patience");
    *out = c;
    return CTW_OK;
}

static ctw_status check_servers(uint64_t n, const double *capacity, const double *idle, const double *sleep,
                                const double *wake_s, const double *wake_joule, const char *fn)
{
    CTW_TRY(ctw_base__in_u64(n, 1, 1000000, fn, "n"));
    CTW_TRY(ctw_base__need(idle, fn, "idle_watts"));
    CTW_TRY(ctw_base__need(sleep, fn, "sleep_watts"));
    CTW_TRY(ctw_base__need(wake_s, fn, "wake_s"));
    CTW_TRY(ctw_base__need(wake_joule, fn, "wake_joule"));
    if (capacity) CTW_TRY(ctw_base__all_in(capacity, n, 1, 1e-9, 1e9, fn, "capacity"));
    CTW_TRY(ctw_base__all_in(idle, n, 1, 0.0, 1e9, fn, "idle_watts"));
    CTW_TRY(ctw_base__all_in(sleep, n, 1, 0.0, 1e9, fn, "sleep_watts"));
    CTW_TRY(ctw_base__all_in(wake_s, n, 1, 0.0, 1e7, fn, "wake_s"));
    return ctw_base__all_in(wake_joule, n, 1, 0.0, 1e12, fn, "wake_joule");
}

/* Fills `at` in the order of idle power per capacity; `order` and `key` are scratch. */
static void fill(server *at, size_t *order, double *key, size_t n, const double *capacity, const double *idle,
                 const double *sleep, const double *wake_s, const double *wake_joule)
{
    for (size_t i = 0; i < n; i++) key[i] = idle[i] / (capacity ? capacity[i] : 1.0);
    ctw_num__argsort(key, order, n);
    for (size_t k = 0; k < n; k++) {
        size_t i = order[k];
        double saves = idle[i] - sleep[i];
        at[k] = (server){.capacity = capacity ? capacity[i] : 1.0,
                         .idle = idle[i],
                         .sleep = sleep[i],
                         .wake_s = wake_s[i],
                         .wake_joule = wake_joule[i],
                         .pays_after = saves > 0.0 ? wake_joule[i] / saves + wake_s[i] : INFINITY,
                         .state = CTW_CLUSTER_AWAKE,
                         .name = i};
    }
}

ctw_status ctw_cluster_set_servers(ctw_cluster *c, uint64_t n, const double *capacity, const double *idle_watts,
                                   const double *sleep_watts, const double *wake_s, const double *wake_joule)
{
    static const char *fn = "ctw_cluster_set_servers";
    CTW_TRY(check_servers(n, capacity, idle_watts, sleep_watts, wake_s, wake_joule, fn));
    CTW_TRY(ctw_base__handle_enter(c ? &c->h : NULL, CTW_CLUSTER_MAGIC, fn, "c"));
    ctw_ctx *ctx = c->h.ctx;
    server *at = ctw_base__alloc(ctx, n, sizeof *at);
    size_t *order = ctw_base__alloc(ctx, n, sizeof *order);
    double *key = ctw_base__alloc(ctx, n, sizeof *key);
    ctw_status s = at && order && key ? CTW_OK : CTW_E_NOMEM;
    if (s == CTW_OK) {
        fill(at, order, key, n, capacity, idle_watts, sleep_watts, wake_s, wake_joule);
        server *old = c->at;
        c->at = at;
        at = old;
        c->n = n;
        c->started = 0;
        c->mean = c->var = c->seen = c->needed = c->idle_joule = c->all_awake_joule = 0.0;
        c->wakes = c->short_sleeps = 0;
    }
    ctw_base__free(ctx, at);
    ctw_base__free(ctx, order);
    ctw_base__free(ctx, key);
    ctw_base__handle_leave(&c->h);
    return s;
}

/* Idle and sleep power since the last call; what waking costs is booked when it is ordered. */
static void book(ctw_cluster *c, double dt)
{
    for (size_t i = 0; i < c->n; i++) {
        const server *s = &c->at[i];
        c->all_awake_joule += dt * s->idle;
        if (s->state == CTW_CLUSTER_AWAKE) c->idle_joule += dt * s->idle;
        if (s->state == CTW_CLUSTER_ASLEEP) c->idle_joule += dt * s->sleep;
    }
}

/* Mean and variance of the load with a window in time; the first window is a plain average. */
static void follow(ctw_cluster *c, double load, double dt)
{
    if (c->seen <= 0.0) c->mean = load;
    c->seen += dt;
    double rate = dt <= 0.0 ? 0.0 : fmax(1.0 - exp(-dt / c->window), dt / c->seen * (c->seen < c->window));
    double diff = load - c->mean;
    c->mean += rate * diff;
    c->var = (1.0 - rate) * (c->var + rate * diff * diff);
}

static void sleep_or_wait(server *s, double now, double patience)
{
    if (!s->spare) {
        s->spare = 1;
        s->since = now;
    }
    if (now - s->since < patience * s->pays_after || isinf(s->pays_after)) return;
    s->state = CTW_CLUSTER_ASLEEP;
    s->since = now;
}

static void wake(ctw_cluster *c, server *s)
{
    c->wakes++;
    c->short_sleeps += c->now - s->since < s->pays_after;
    c->idle_joule += s->wake_joule;
    s->state = s->wake_s > 0.0 ? CTW_CLUSTER_WAKING : CTW_CLUSTER_AWAKE;
    s->since = c->now + s->wake_s;
    s->spare = 0;
}

/* Returns the capacity awake or on its way among the needed. */
static double order(ctw_cluster *c)
{
    double have = 0.0;
    for (size_t i = 0; i < c->n; i++) {
        server *s = &c->at[i];
        int wanted = i == 0 || have < c->needed;
        if (wanted) have += s->capacity;
        if (s->state == CTW_CLUSTER_WAKING && c->now >= s->since) s->state = CTW_CLUSTER_AWAKE;
        if (wanted && s->state == CTW_CLUSTER_ASLEEP)
            wake(c, s);
        else if (wanted)
            s->spare = 0;
        else if (s->state == CTW_CLUSTER_AWAKE)
            sleep_or_wait(s, c->now, c->patience);
    }
    return have;
}

static ctw_status update(ctw_cluster *c, double now_s, double load, int32_t *state, uint64_t *awake, const char *fn)
{
    if (c->n == 0) return ctw_base__fail(CTW_E_STATE, "%s: the cluster has no servers yet", fn);
    CTW_TRY(ctw_base__in(now_s, -1e15, 1e15, fn, "now_s"));
    CTW_TRY(ctw_base__in(load, 0.0, 1e15, fn, "load"));
    if (c->started && now_s < c->now)
        return ctw_base__fail(CTW_E_RANGE, "%s: now_s is %.17g, before the last call (%.17g)", fn, now_s, c->now);
    double dt = c->started ? now_s - c->now : 0.0;
    if (!c->started) c->begin = now_s;
    c->started = 1;
    book(c, dt);
    c->now = now_s;
    follow(c, load, dt);
    c->needed = (c->mean + c->sds * sqrt(c->var)) / c->max_load;
    double have = order(c);
    uint64_t taking = 0;
    for (size_t i = 0; i < c->n; i++) {
        taking += c->at[i].state == CTW_CLUSTER_AWAKE;
        if (state) state[c->at[i].name] = c->at[i].state;
    }
    if (awake) *awake = taking;
    if (have >= c->needed) return CTW_OK;
    return ctw_base__fail(CTW_E_INFEASIBLE, "%s: a load of %g needs a capacity of %g, all servers together have %g", fn,
                          load, c->needed, have);
}

ctw_status ctw_cluster_update(ctw_cluster *c, double now_s, double load, int32_t *state, uint64_t *awake)
{
    static const char *fn = "ctw_cluster_update";
    CTW_TRY(ctw_base__handle_enter(c ? &c->h : NULL, CTW_CLUSTER_MAGIC, fn, "c"));
    ctw_status s = update(c, now_s, load, state, awake, fn);
    ctw_base__handle_leave(&c->h);
    return s;
}

static ctw_status report(const ctw_cluster *c, ctw_report *r)
{
    CTW_TRY(ctw_base__report_f64(r, "seconds", c->started ? c->now - c->begin : 0.0));
    CTW_TRY(ctw_base__report_i64(r, "wakes", c->wakes));
    CTW_TRY(ctw_base__report_i64(r, "short_sleeps", c->short_sleeps));
    CTW_TRY(ctw_base__report_f64(r, "idle_joule", c->idle_joule));
    CTW_TRY(ctw_base__report_f64(r, "idle_joule_all_awake", c->all_awake_joule));
    CTW_TRY(ctw_base__report_f64(r, "needed", c->needed));
    return ctw_base__report_f64(r, "mean_load", c->mean);
}

ctw_status ctw_cluster_report(const ctw_cluster *c, ctw_report **out)
{
    static const char *fn = "ctw_cluster_report";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__handle_check(c ? &c->h : NULL, CTW_CLUSTER_MAGIC, fn, "c"));
    ctw_report *r = NULL;
    CTW_TRY(ctw_base__report_new(c->h.ctx, &r));
    ctw_status s = report(c, r);
    if (s != CTW_OK) {
        ctw_report_unref(r);
        return s;
    }
    *out = r;
    return CTW_OK;
}
