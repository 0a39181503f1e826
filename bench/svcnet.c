/* svcnet.c: what both forms of the world of services share: topologies, replicas, injections, service times. */
#include "svcnet.h"
#include <math.h>
#include <string.h>

double svcnet_clock(double power)
{
    const double idle = 0.35;
    return power >= 1.0 ? 1.0 : power <= idle + 1e-6 ? 0.1 : pow((power - idle) / (1.0 - idle), 1.0 / 2.4);
}

void svcnet_visits(const svc_design *d, double *visits)
{
    memset(visits, 0, d->n * sizeof *visits);
    visits[0] = 1.0;
    for (size_t j = 0; j < d->n; j++)
        for (int k = 0; k < SVC_NEXT && d->kind[j].next[k]; k++)
            visits[d->kind[j].next[k]] += visits[j] * d->kind[j].prob[k];
}

double svcnet_service_s(const svcnet *w, size_t j, double lambda)
{
    double s = 0.0, c = (double)(w->ready[j] > 0 ? w->ready[j] : 1);
    for (int r = 0; r < SVC_RES; r++) {
        double limit = w->limit[j][r], rest = 1.0 - w->taken[j][r], d = w->d.kind[j].demand[r];
        double share = limit > rest ? limit : rest, use = d * lambda / c / 0.95;
        d *= limit > 0.0 && limit < 1.0 && use > limit ? use / limit : 1.0; /* a whole machine only queues */
        s += d / share / (r == SVC_CPU ? svcnet_clock(w->power) : 1.0);
    }
    return s;
}

int64_t svcnet_replicas(const svcnet *w, size_t j)
{
    int64_t n = w->ready[j];
    for (size_t i = 0; i < w->d.delay; i++) n += w->coming[j][i];
    return n;
}

static void resize(svcnet *w, size_t j, int64_t want)
{
    int64_t now = svcnet_replicas(w, j), cut;
    want = want < 1 ? 1 : want > SVC_MAX ? SVC_MAX : want;
    if (want > now && w->d.delay > 0) w->coming[j][w->d.delay - 1] += want - now;
    if (want > now && w->d.delay == 0) w->ready[j] += want - now;
    now -= want;
    for (size_t i = w->d.delay; now > 0 && i-- > 0;) { /* those not ready yet go first */
        cut = now < w->coming[j][i] ? now : w->coming[j][i];
        w->coming[j][i] -= cut;
        now -= cut;
    }
    if (now > 0) w->ready[j] = w->ready[j] - now < 1 ? 1 : w->ready[j] - now;
    if (w->d.delay == 0) return;
    w->ready[j] += w->coming[j][0];
    for (size_t i = 0; i + 1 < w->d.delay; i++) w->coming[j][i] = w->coming[j][i + 1];
    w->coming[j][w->d.delay - 1] = 0;
}

static void inject(svcnet *w)
{
    if (w->left > 0) {
        if (--w->left == 0) w->taken[w->hit][w->hit_res] = 0.0;
    } else if (w->d.off_s > 0.0 && bench_rng_u(&w->injector) < w->d.dt / w->d.off_s) {
        w->left = 1 + (int64_t)(bench_rng_positive(&w->injector, w->d.on_s, 1.0) / w->d.dt);
        w->hit = bench_rng_below(&w->injector, (int64_t)w->d.n);
        w->hit_res = bench_rng_below(&w->injector, SVC_RES);
        w->taken[w->hit][w->hit_res] = 0.5 + (w->d.most - 0.5) * bench_rng_u(&w->injector);
    }
}

/* Counters of a service: use of each limit, and stalls where contention gets through. */
static void count(svcnet *w, size_t j)
{
    svc_seen *s = &w->seen[j];
    for (int r = 0; r < SVC_RES; r++) {
        double limit = w->limit[j][r], rest = 1.0 - w->taken[j][r], share = limit > rest ? limit : rest;
        s->use[r] = w->d.kind[j].demand[r] * s->lambda / (double)w->ready[j] / (limit > 0.0 ? limit : 1.0);
        s->pressure[r] = w->taken[j][r] > 0.0 ? 0.6 + 0.4 * (1.0 - share) : s->use[r] < 0.55 ? s->use[r] : 0.55;
    }
}

static void observe(svcnet *w)
{
    w->lambda = w->trace[w->from + w->t] * w->load;
    if (w->events)
        svcnet_events_step(w);
    else
        svcnet_analytic(w);
    for (size_t j = 0; j < w->d.n; j++) count(w, j);
}

void svcnet_start(svcnet *w, int64_t at, uint64_t seed)
{
    double visits[SVC_NODES];
    svcnet_visits(&w->d, visits);
    bench_rng_seed(&w->injector, seed, 41);
    w->t = at;
    w->left = 0;
    memset(w->coming, 0, sizeof w->coming);
    memset(w->taken, 0, sizeof w->taken);
    memset(w->backlog, 0, sizeof w->backlog);
    for (size_t j = 0; j < w->d.n; j++) {
        double lambda = w->trace[w->from + at] * w->load * visits[j];
        for (int r = 0; r < SVC_RES; r++) w->limit[j][r] = 0.0;
        w->ready[j] = (int64_t)ceil(lambda * svcnet_service_s(w, j, lambda) / 0.6);
        if (w->ready[j] < 1) w->ready[j] = 1;
    }
    if (w->events) svcnet_events_start(w->events, seed);
    observe(w);
}

void svcnet_step(svcnet *w, const int64_t *want)
{
    for (size_t j = 0; j < w->d.n; j++) resize(w, j, want[j]);
    inject(w);
    w->t++;
    observe(w);
}

static void service(svc_design *d, double cpu_ms, double rest_ms, double cs2)
{
    svc_kind *k = &d->kind[d->n++];
    k->cs2 = cs2;
    k->demand[SVC_CPU] = 1e-3 * cpu_ms;
    for (int r = 1; r < SVC_RES; r++) k->demand[r] = 1e-3 * rest_ms * (r == SVC_MEMORY ? 0.4 : 0.2);
}

static void calls(svc_design *d, size_t j, int to, double prob)
{
    int k = 0;
    while (d->kind[j].next[k]) k++;
    d->kind[j].next[k] = to;
    d->kind[j].prob[k] = prob;
}

int svcnet_design(const char *name, svc_design *d)
{
    *d = (svc_design){.dt = 15, .ca2 = 1, .delay = 2, .off_s = 120, .on_s = 10, .most = .95};
    if (strcmp(name, "chain") == 0) {
        for (int j = 0; j < 3; j++) service(d, 8 + 4 * j, 6, j == 1 ? 2 : 1);
        calls(d, 0, 1, 1);
        calls(d, 1, 2, 1);
        d->slo_s = .3;
    } else if (strcmp(name, "diamond") == 0) {
        for (int j = 0; j < 4; j++) service(d, 5 + 3 * j, 5, j == 2 ? 1.5 : .7);
        calls(d, 0, 1, .7);
        calls(d, 0, 2, .6);
        calls(d, 1, 3, 1);
        calls(d, 2, 3, .5);
        d->slo_s = .3;
    } else if (strcmp(name, "fan") == 0) {
        service(d, 4, 3, .5);
        for (int j = 1; j < 6; j++) service(d, 6 + 4 * j, 8, j % 2 ? 1 : 1.6);
        for (int j = 1; j < 5; j++) calls(d, 0, j, .25 + .15 * j);
        calls(d, 3, 5, .8);
        calls(d, 4, 5, .4);
        d->slo_s = .4;
    } else if (strcmp(name, "shop") == 0) { /* a front, four middle services, five stores behind them */
        service(d, 3, 2, .5);
        for (int j = 1; j < 5; j++) service(d, 4 + 2 * j, 3, 1);
        for (int j = 5; j < 10; j++) service(d, 2 + j, 9, j % 2 ? 1.8 : .8);
        for (int j = 1; j < 5; j++) calls(d, 0, j, j == 4 ? .2 : .9 - .1 * j);
        for (int j = 1; j < 5; j++) {
            calls(d, (size_t)j, 4 + j, 1);
            calls(d, (size_t)j, 9, .3);
        }
        d->slo_s = .4;
    } else
        return 0;
    return 1;
}
