/* svcnet.h: a reproducible world of services: a directed acyclic graph of G/G/c stations behind a load trace. Replicas
 * start late, an injector takes shares of resources away, a power cap slows the processors. It lives in control steps;
 * each step is computed either analytically or by simulating every request, behind the same calls.
 *
 * Service time of a visit: sum_r demand_r thr_r / share_r, share_r = max(limit_r, 1 - taken_r) (a limit is also a
 * guarantee; 0: neither), thr_r = max(1, use / (.95 limit)); the CPU's part also divided by the clock that the power
 * cap leaves. A visit ends with calls to other services, one after another, each with its probability. */
#ifndef CTW_BENCH_SVCNET_H
#define CTW_BENCH_SVCNET_H

#include "rng.h"
#include <stddef.h>

enum { SVC_NODES = 12, SVC_RES = 5, SVC_NEXT = 4, SVC_DELAY = 4, SVC_MAX = 200 };
enum { SVC_CPU = 0, SVC_MEMORY, SVC_CACHE, SVC_IO, SVC_NET };

typedef struct svc_kind {
    double demand[SVC_RES]; /* s a visit needs of each resource, alone on the machine */
    double cs2;             /* squared coefficient of variation of service times */
    int next[SVC_NEXT];     /* services called afterwards: higher numbers; 0: none */
    double prob[SVC_NEXT];
} svc_kind;

typedef struct svc_design {
    size_t n; /* services; 0 is the entrance */
    svc_kind kind[SVC_NODES];
    double dt, slo_s, ca2;    /* control step and objective in s; squared variation of the gaps between arrivals */
    size_t delay;             /* steps before a new replica serves, 0..SVC_DELAY */
    double off_s, on_s, most; /* injector: mean pause (0: none) and duration, largest share taken (from .5 on) */
} svc_design;

/* What a host would measure of one service in the last step. */
typedef struct svc_seen {
    double lambda, util, service_s, wait_s, sojourn_s, use[SVC_RES], pressure[SVC_RES];
} svc_seen;

typedef struct svcnet {
    svc_design d;
    const double *trace; /* requests per second of each step */
    int64_t from, t;
    double load, power; /* factor on the trace; share of full power the cap leaves */
    bench_rng injector;
    int64_t ready[SVC_NODES], coming[SVC_NODES][SVC_DELAY];
    double limit[SVC_NODES][SVC_RES], taken[SVC_NODES][SVC_RES], backlog[SVC_NODES];
    int64_t left, hit, hit_res; /* steps the injection still lasts, and where it is */
    svc_seen seen[SVC_NODES];
    double lambda, mean_s, p99_s, violation; /* of whole requests; violation: share slower than the objective */
    struct svc_events *events;               /* NULL: analytic */
} svcnet;

/* Clock at a share of full power: P = idle + (1 - idle) f^2.4 (as in the task parm). */
double svcnet_clock(double power);
/* Mean visits of each service by one request. */
void svcnet_visits(const svc_design *d, double *visits);
/* Mean service time of a visit to service j as things stand, at arrivals of `lambda` visits/s. */
double svcnet_service_s(const svcnet *w, size_t j, double lambda);
/* At step `at` of the trace with replicas for 60 % use, no limits, nothing injected; the seed is for injections and
 * requests. d, trace, from, load, power and events are the caller's. */
void svcnet_start(svcnet *w, int64_t at, uint64_t seed);
/* Moves to `want` replicas (n values) and lives one step. */
void svcnet_step(svcnet *w, const int64_t *want);
int64_t svcnet_replicas(const svcnet *w, size_t j); /* with those on their way */
/* The analytic step, and the steady-state formulas alone: QNA (Whitt 1983) with Allen and Cunneen's wait. */
void svcnet_analytic(svcnet *w);

/* Every request simulated: memory for it, or NULL. */
struct svc_events *svcnet_events_new(void);
void svcnet_events_free(struct svc_events *e);
void svcnet_events_start(struct svc_events *e, uint64_t seed);
void svcnet_events_step(svcnet *w);

/* Topologies: "chain" (3), "diamond" (4), "fan" (6, random calls), "shop" (10). 0 when there is no such name. */
int svcnet_design(const char *name, svc_design *d);

#endif
