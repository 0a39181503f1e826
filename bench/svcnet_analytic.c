/* svcnet_analytic.c: a step of the world of services by formulas. Flows and their variability go through the graph as
 * in QNA (Whitt 1983); the wait at a station is Erlang C's times Allen and Cunneen's factor (with Kraemer and
 * Langenbach-Belz's correction for regular arrivals), plus what a fluid backlog adds; the time of a whole request has
 * the mean and variance of its visits and is taken as gamma. */
#include "svcnet.h"
#include <math.h>

typedef struct flow {
    double lambda[SVC_NODES], ca2[SVC_NODES],
        share2[SVC_NODES]; /* share2: sum of squared shares of the merging flows */
} flow;

static double erlang_c(int64_t c, double a)
{
    double b = 1.0, rho = a / (double)c;
    for (int64_t k = 1; k <= c; k++) b = a * b / ((double)k + a * b);
    return b / (1.0 - rho + rho * b);
}

/* P(X > t) for X gamma of this mean and variance: the incomplete gamma function by series or continued fraction. */
static double gamma_tail(double t, double mean, double variance)
{
    double shape = mean * mean / variance, x = t * mean / variance, front, sum, term;
    if (!(x > 0.0)) return 1.0;
    front = exp(shape * log(x) - x - lgamma(shape));
    if (x < shape + 1.0) {
        sum = term = 1.0 / shape;
        for (int i = 1; i < 500 && term > 1e-12 * sum; i++) sum += term *= x / (shape + i);
        return 1.0 - sum * front;
    }
    double b = x + 1.0 - shape, c = 1e300, d = 1.0 / b, h = d;
    for (int i = 1; i < 500; i++) { /* Lentz */
        double an = -i * (i - shape);
        b += 2.0;
        d = 1.0 / (an * d + b);
        c = b + an / c;
        h *= d * c;
        if (fabs(d * c - 1.0) < 1e-12) break;
    }
    return front * h;
}

/* Sends what leaves service j on to those it calls. */
static void pass_on(const svcnet *w, size_t j, double cd2, flow *f)
{
    const svc_kind *k = &w->d.kind[j];
    for (int i = 0; i < SVC_NEXT && k->next[i]; i++) {
        double p = k->prob[i], part = f->lambda[j] * p;
        f->lambda[k->next[i]] += part;
        f->ca2[k->next[i]] += part * (p * cd2 + 1.0 - p);
        f->share2[k->next[i]] += part * part;
    }
}

/* Variability of all that arrives at a station (Whitt 1983, equations 29 and 43). */
static double merged(const flow *f, size_t j, double rho)
{
    double mean = f->ca2[j] / f->lambda[j], v = f->lambda[j] * f->lambda[j] / f->share2[j];
    double weight = 1.0 / (1.0 + 4.0 * (1.0 - rho) * (1.0 - rho) * (v - 1.0));
    return weight * mean + 1.0 - weight;
}

/* One station: fills its seen; mean and variance of a visit's whole time. Returns the variability of departures. */
static double station(svcnet *w, size_t j, const flow *f, double *mean, double *variance)
{
    double lambda = f->lambda[j], s = svcnet_service_s(w, j, lambda), c = (double)w->ready[j], offered = lambda * s;
    double cs2 = w->d.kind[j].cs2, rho = offered / c, capacity = c / s * w->d.dt, before = w->backlog[j];
    double arrive = lambda * w->d.dt, served = before + arrive < capacity ? before + arrive : capacity;
    w->backlog[j] = before + arrive - served;
    if (rho > 0.98) rho = 0.98;
    double ca2 = merged(f, j, rho), waits = erlang_c(w->ready[j], rho * c);
    double factor = 0.5 * (ca2 + cs2), regular = ca2 < 1.0 ? 1.0 - ca2 : 0.0;
    factor *= exp(-2.0 * (1.0 - rho) * regular * regular / (3.0 * rho * (ca2 + cs2) + 1e-12));
    double wait = factor * waits * s / (c * (1.0 - rho)), late = 0.5 * (before + w->backlog[j]) * s / c;
    *mean = s + wait + late;
    *variance = cs2 * s * s + (waits > 1e-12 ? 2.0 * wait * wait / waits - wait * wait : 0.0);
    w->seen[j] = (svc_seen){
        .lambda = lambda, .util = served / capacity, .service_s = s, .wait_s = wait + late, .sojourn_s = *mean};
    return 1.0 + (1.0 - rho * rho) * (ca2 - 1.0) + rho * rho / sqrt(c) * ((cs2 > 0.2 ? cs2 : 0.2) - 1.0);
}

/* Mean and variance of the time from arriving at service j until all that it calls is done. */
static void whole(const svcnet *w, double *mean, double *variance)
{
    for (size_t j = w->d.n; j-- > 0;) {
        const svc_kind *k = &w->d.kind[j];
        for (int i = 0; i < SVC_NEXT && k->next[i]; i++) {
            double p = k->prob[i], m = mean[k->next[i]], v = variance[k->next[i]];
            mean[j] += p * m;
            variance[j] += p * (v + m * m) - p * p * m * m;
        }
    }
}

static double quantile(double q, double mean, double variance)
{
    double lo = 0.0, hi = mean + 40.0 * sqrt(variance) + 1e-9;
    for (int i = 0; i < 60; i++) {
        double t = 0.5 * (lo + hi);
        if (gamma_tail(t, mean, variance) > 1.0 - q)
            lo = t;
        else
            hi = t;
    }
    return hi;
}

void svcnet_analytic(svcnet *w)
{
    double mean[SVC_NODES], variance[SVC_NODES];
    flow f = {.lambda = {w->lambda}, .ca2 = {w->lambda * w->d.ca2}, .share2 = {w->lambda * w->lambda}};
    for (size_t j = 0; j < w->d.n; j++) {
        if (!(f.lambda[j] > 1e-9)) { /* nobody comes */
            w->seen[j] = (svc_seen){.service_s = svcnet_service_s(w, j, 0.0)};
            mean[j] = w->seen[j].sojourn_s = w->seen[j].service_s;
            variance[j] = w->d.kind[j].cs2 * mean[j] * mean[j];
            continue;
        }
        pass_on(w, j, station(w, j, &f, &mean[j], &variance[j]), &f);
    }
    whole(w, mean, variance);
    w->mean_s = mean[0];
    w->violation = gamma_tail(w->d.slo_s, mean[0], variance[0]);
    w->p99_s = quantile(0.99, mean[0], variance[0]);
}
