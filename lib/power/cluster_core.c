/* cluster_core.c: who sleeps. The future load is not known, so a spare server is treated like rented skis: it idles
 * until that has cost as much as one waking and then sleeps, which is at most twice the cost of hindsight whatever
 * comes; it is also all the hysteresis there is. Servers are kept in a fixed order, so that the same ones are spare
 * each time and their rest is long. */
#include "power/cluster_core.h"

#include "num/sort.h"
#include "power/power_params.h"
#include <math.h>

void ctw_cluster__options(ctw_cluster__state *c, const ctw_params *params)
{
    const ctw_base__kind *const kind = &ctw_cluster__kind;
    c->max_load = ctw_base__opt_f64(params, kind, "max_load");
    c->window = ctw_base__opt_f64(params, kind, "window_s");
    c->sds = ctw_base__opt_f64(params, kind, "deviations");
    c->patience = ctw_base__opt_f64(params, kind, "patience");
}

void ctw_cluster__restart(ctw_cluster__state *c)
{
    c->started = 0;
    c->now = c->begin = c->mean = c->var = c->seen = c->needed = c->idle_joule = c->all_awake_joule = 0.0;
    c->wakes = c->short_sleeps = 0;
}

ctw_cluster__server ctw_cluster__server_of(size_t name, double capacity, double idle, double sleep, double wake_s,
                                           double wake_joule)
{
    double saves = idle - sleep;
    return (ctw_cluster__server){.capacity = capacity,
                                 .idle = idle,
                                 .sleep = sleep,
                                 .wake_s = wake_s,
                                 .wake_joule = wake_joule,
                                 .pays_after = saves > 0.0 ? wake_joule / saves + wake_s : INFINITY,
                                 .state = CTW_CLUSTER_AWAKE,
                                 .name = name};
}

void ctw_cluster__fill(ctw_cluster__server *at, size_t *order, double *key, size_t n, const double *capacity,
                       const double *idle, const double *sleep, const double *wake_s, const double *wake_joule)
{
    for (size_t i = 0; i < n; i++) key[i] = idle[i] / (capacity ? capacity[i] : 1.0);
    ctw_num__argsort(key, order, n);
    for (size_t k = 0; k < n; k++) {
        size_t i = order[k];
        at[k] = ctw_cluster__server_of(i, capacity ? capacity[i] : 1.0, idle[i], sleep[i], wake_s[i], wake_joule[i]);
    }
}

void ctw_cluster__move(ctw_cluster__state *c, double by)
{
    c->now += by;
    c->begin += by;
    for (size_t i = 0; i < c->n; i++) c->at[i].since += by;
}

/* Idle and sleep power since the last call; what waking costs is booked when it is ordered. */
static void book(ctw_cluster__state *c, double dt)
{
    for (size_t i = 0; i < c->n; i++) {
        const ctw_cluster__server *s = &c->at[i];
        c->all_awake_joule += dt * s->idle;
        if (s->state == CTW_CLUSTER_AWAKE) c->idle_joule += dt * s->idle;
        if (s->state == CTW_CLUSTER_ASLEEP) c->idle_joule += dt * s->sleep;
    }
}

/* Mean and variance of the load with a window in time; the first window is a plain average. */
static void follow(ctw_cluster__state *c, double load, double dt)
{
    if (c->seen <= 0.0) c->mean = load;
    c->seen += dt;
    double rate = dt <= 0.0 ? 0.0 : fmax(1.0 - exp(-dt / c->window), dt / c->seen * (c->seen < c->window));
    double diff = load - c->mean;
    c->mean += rate * diff;
    c->var = (1.0 - rate) * (c->var + rate * diff * diff);
}

static void sleep_or_wait(ctw_cluster__server *s, double now, double patience)
{
    if (!s->spare) {
        s->spare = 1;
        s->since = now;
    }
    if (now - s->since < patience * s->pays_after || isinf(s->pays_after)) return;
    s->state = CTW_CLUSTER_ASLEEP;
    s->since = now;
}

static void wake(ctw_cluster__state *c, ctw_cluster__server *s)
{
    c->wakes++;
    c->short_sleeps += c->now - s->since < s->pays_after;
    c->idle_joule += s->wake_joule;
    s->state = s->wake_s > 0.0 ? CTW_CLUSTER_WAKING : CTW_CLUSTER_AWAKE;
    s->since = c->now + s->wake_s;
    s->spare = 0;
}

/* Returns the capacity awake or on its way among the needed. */
static double order(ctw_cluster__state *c)
{
    double have = 0.0;
    for (size_t i = 0; i < c->n; i++) {
        ctw_cluster__server *s = &c->at[i];
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

double ctw_cluster__step(ctw_cluster__state *c, double now_s, double load)
{
    double dt = c->started ? now_s - c->now : 0.0;
    if (!c->started) c->begin = now_s;
    c->started = 1;
    book(c, dt);
    c->now = now_s;
    follow(c, load, dt);
    c->needed = fmax(c->floor, (c->mean + c->sds * sqrt(c->var)) / c->max_load);
    return order(c);
}
