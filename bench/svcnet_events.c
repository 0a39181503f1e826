/* svcnet_events.c: a step of the world of services with every request simulated: arrivals, first-come queues, service
 * times and calls are drawn; what is under way stays so from step to step. */
#include "svcnet.h"
#include <math.h>
#include <stdlib.h>

enum { REQUESTS = 1 << 17, STACK = 30, BINS = 1024 };
static const double bin_lo = 1e-4, bin_ratio = 1.0125;

typedef struct request {
    double born, came; /* came: to the service it is at */
    int32_t next;      /* in a queue, or of the free list */
    uint8_t at, depth; /* services still to call are on the stack */
    uint8_t stack[STACK];
} request;

typedef struct event {
    double at;
    int32_t request; /* -1: the next arrival */
} event;

struct svc_events {
    bench_rng rng;
    double now;
    request r[REQUESTS];
    event heap[REQUESTS + 1];
    size_t heap_n;
    int32_t free, head[SVC_NODES], tail[SVC_NODES];
    int64_t busy[SVC_NODES], lost;
    double service_s[SVC_NODES], busy_s[SVC_NODES], wait_s[SVC_NODES], spent_s[SVC_NODES];
    double came[SVC_NODES], left[SVC_NODES], started[SVC_NODES];
    double sum_s, done, late;
    int64_t bin[BINS];
};

struct svc_events *svcnet_events_new(void)
{
    return calloc(1, sizeof(struct svc_events));
}

void svcnet_events_free(struct svc_events *e)
{
    free(e);
}

static void push(struct svc_events *e, double at, int32_t who)
{
    size_t i = e->heap_n++;
    while (i > 0 && e->heap[(i - 1) / 2].at > at) {
        e->heap[i] = e->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    e->heap[i] = (event){at, who};
}

static event pop(struct svc_events *e)
{
    event first = e->heap[0], last = e->heap[--e->heap_n];
    size_t i = 0, k;
    while ((k = 2 * i + 1) < e->heap_n) {
        if (k + 1 < e->heap_n && e->heap[k + 1].at < e->heap[k].at) k++;
        if (e->heap[k].at >= last.at) break;
        e->heap[i] = e->heap[k];
        i = k;
    }
    e->heap[i] = last;
    return first;
}

void svcnet_events_start(struct svc_events *e, uint64_t seed)
{
    bench_rng_seed(&e->rng, seed, 42);
    e->now = 0.0;
    e->heap_n = 0;
    e->lost = 0;
    for (int32_t i = 0; i < REQUESTS; i++) e->r[i].next = i + 1 < REQUESTS ? i + 1 : -1;
    e->free = 0;
    for (size_t j = 0; j < SVC_NODES; j++) {
        e->head[j] = e->tail[j] = -1;
        e->busy[j] = 0;
    }
}

/* As many of the waiting as there are idle replicas begin. */
static void serve(svcnet *w, size_t j)
{
    struct svc_events *e = w->events;
    while (e->busy[j] < w->ready[j] && e->head[j] >= 0) {
        int32_t i = e->head[j];
        double s = bench_rng_positive(&e->rng, e->service_s[j], w->d.kind[j].cs2);
        e->head[j] = e->r[i].next;
        e->busy[j]++;
        e->wait_s[j] += e->now - e->r[i].came;
        e->started[j]++;
        push(e, e->now + s, i);
    }
}

static void arrive_at(svcnet *w, int32_t i, size_t j)
{
    struct svc_events *e = w->events;
    request *r = &e->r[i];
    r->at = (uint8_t)j;
    r->came = e->now;
    r->next = -1;
    if (e->head[j] < 0)
        e->head[j] = i;
    else
        e->r[e->tail[j]].next = i;
    e->tail[j] = i;
    e->came[j]++;
    serve(w, j);
}

static void finish(svcnet *w, int32_t i)
{
    struct svc_events *e = w->events;
    request *r = &e->r[i];
    double t = e->now - r->born;
    int64_t b = (int64_t)(log(t / bin_lo) / log(bin_ratio));
    e->sum_s += t;
    e->done++;
    e->late += t > w->d.slo_s;
    e->bin[b < 0 ? 0 : b >= BINS ? BINS - 1 : b]++;
    r->next = e->free;
    e->free = i;
}

static void leave(svcnet *w, int32_t i)
{
    struct svc_events *e = w->events;
    request *r = &e->r[i];
    size_t j = r->at;
    const svc_kind *k = &w->d.kind[j];
    e->busy[j]--;
    e->spent_s[j] += e->now - r->came;
    e->left[j]++;
    int last = 0;
    while (last < SVC_NEXT && k->next[last]) last++;
    while (last-- > 0) /* the first call on top */
        if (bench_rng_u(&e->rng) < k->prob[last] && r->depth < STACK) r->stack[r->depth++] = (uint8_t)k->next[last];
    if (r->depth > 0)
        arrive_at(w, i, r->stack[--r->depth]);
    else
        finish(w, i);
    serve(w, j);
}

static void arrive(svcnet *w)
{
    struct svc_events *e = w->events;
    int32_t i = e->free;
    if (i < 0) { /* more under way than there is room for */
        e->lost++;
        e->done++;
        e->late++;
    } else {
        e->free = e->r[i].next;
        e->r[i].born = e->now;
        e->r[i].depth = 0;
        arrive_at(w, i, 0);
    }
    push(e, e->now + bench_rng_positive(&e->rng, 1.0 / w->lambda, w->d.ca2), -1);
}

/* The arrival drawn at another rate is drawn anew. */
static void drop_arrival(struct svc_events *e)
{
    for (size_t i = 0; i < e->heap_n; i++)
        if (e->heap[i].request < 0) {
            event last = e->heap[--e->heap_n];
            if (i == e->heap_n) return;
            e->heap[i] = last; /* sift both ways */
            for (size_t k; (k = 2 * i + 1) < e->heap_n; i = k) {
                if (k + 1 < e->heap_n && e->heap[k + 1].at < e->heap[k].at) k++;
                if (e->heap[k].at >= last.at) break;
                e->heap[i] = e->heap[k];
                e->heap[k] = last;
            }
            for (; i > 0 && e->heap[(i - 1) / 2].at > last.at; i = (i - 1) / 2) {
                e->heap[i] = e->heap[(i - 1) / 2];
                e->heap[(i - 1) / 2] = last;
            }
            return;
        }
}

static void report(svcnet *w, double seconds)
{
    struct svc_events *e = w->events;
    int64_t above = (int64_t)(0.01 * e->done);
    for (size_t j = 0; j < w->d.n; j++) {
        double n = e->left[j] > 0.0 ? e->left[j] : 1.0, begun = e->started[j] > 0.0 ? e->started[j] : 1.0;
        double waiting = 0.0;
        for (int32_t i = e->head[j]; i >= 0; i = e->r[i].next) waiting++;
        w->backlog[j] = waiting;
        w->seen[j] = (svc_seen){.lambda = e->came[j] / seconds,
                                .util = e->busy_s[j] / (seconds * (double)w->ready[j]),
                                .service_s = e->service_s[j],
                                .wait_s = e->wait_s[j] / begun,
                                .sojourn_s = e->spent_s[j] / n};
    }
    w->mean_s = e->done > 0.0 ? e->sum_s / e->done : 0.0;
    w->violation = e->done > 0.0 ? e->late / e->done : 0.0;
    int b = BINS - 1;
    while (b > 0 && (above -= e->bin[b]) >= 0) b--;
    w->p99_s = bin_lo * pow(bin_ratio, b + 0.5);
}

void svcnet_events_step(svcnet *w)
{
    struct svc_events *e = w->events;
    double visits[SVC_NODES], begin = e->now, end = e->now + w->d.dt;
    svcnet_visits(&w->d, visits);
    e->sum_s = e->done = e->late = 0.0;
    for (int b = 0; b < BINS; b++) e->bin[b] = 0;
    for (size_t j = 0; j < w->d.n; j++) {
        e->service_s[j] = svcnet_service_s(w, j, w->lambda * visits[j]);
        e->busy_s[j] = e->wait_s[j] = e->spent_s[j] = e->came[j] = e->left[j] = e->started[j] = 0.0;
        serve(w, j);
    }
    drop_arrival(e);
    if (w->lambda > 1e-9) push(e, e->now + bench_rng_positive(&e->rng, 1.0 / w->lambda, w->d.ca2), -1);
    while (e->heap_n > 0 && e->heap[0].at <= end) {
        event x = pop(e);
        for (size_t j = 0; j < w->d.n; j++) e->busy_s[j] += (double)e->busy[j] * (x.at - e->now);
        e->now = x.at;
        if (x.request < 0)
            arrive(w);
        else
            leave(w, x.request);
    }
    for (size_t j = 0; j < w->d.n; j++) e->busy_s[j] += (double)e->busy[j] * (end - e->now);
    e->now = end;
    report(w, end - begin);
}
