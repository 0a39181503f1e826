/* services.c: latency-critical services as a network of queues. A replica with c cores at speed v is an
 * M/M/1 processor-sharing server of rate mu = c v / work: its response time is exponential with rate mu - lambda
 * (Kleinrock 1975). A request visits one replica of each component; the sum's tail is that of a gamma distribution
 * with the same mean and variance. Requests need no events of their own, so a day of billions costs the same. */
#include "twin/gammaq.h"
#include "twin/twin_internal.h"
#include <math.h>

double ctw_twin__rate_at(const ctw_twin__service *s, double time)
{
    double i = floor(time / s->step_s + 1e-9);
    return i >= (double)s->n_rate ? s->rate[s->n_rate - 1] : s->rate[i < 0.0 ? 0 : (size_t)i];
}

/* Mean and variance of one component's response: a mixture over its replicas, each with rate mu[i] and an equal
 * share of the load. 0 when it cannot keep up. */
static int mixture(const double *mu, size_t n, double lambda, double *mean, double *var)
{
    double m1 = 0.0, m2 = 0.0;
    if (n == 0) return 0;
    for (size_t i = 0; i < n; i++) {
        double free_rate = mu[i] - lambda / (double)n;
        if (!(free_rate > 1e-9)) return 0;
        double r = 1.0 / free_rate;
        m1 += r / (double)n;
        m2 += 2.0 * r * r / (double)n;
    }
    *mean += m1;
    *var += m2 - m1 * m1;
    return 1;
}

/* Share of requests later than slo; 1 when a component cannot keep up. */
static double tail_of(double mean, double var, double slo)
{
    if (!(mean > 0.0) || !(var > 0.0)) return 0.0;
    return ctw_twin__gammaq(mean * mean / var, slo * mean / var);
}

/* Processing rates of the ready replicas of a component. At most MAX_REPLICAS, checked when a service is added. */
static size_t rates(const ctw_twin *t, const ctw_twin__service *s, uint32_t component, double *mu)
{
    size_t n = 0;
    for (uint32_t i = 0; i < s->replicas; i++) {
        const ctw_twin__replica *r = &t->replica[s->first + component * s->replicas + i];
        if (r->server == CTW_TWIN__NONE || !r->ready) continue;
        const ctw_twin__server *v = &t->server[r->server];
        if (v->lost) continue;
        double level = t->klass[v->klass].level[v->level];
        ctw_twin__press on = ctw_twin__press_on(t, r->server);
        mu[n++] = s->cores * v->speed / ctw_twin__pressed(&on, level, s->membound) / s->work_s;
    }
    return n;
}

/* Mean wait of a visit to a component for storage and network. */
static double waits(const ctw_twin *t, const ctw_twin__service *s, uint32_t component)
{
    double sum = 0.0, n = 0.0;
    for (uint32_t i = 0; i < s->replicas; i++) {
        const ctw_twin__replica *r = &t->replica[s->first + component * s->replicas + i];
        if (r->server == CTW_TWIN__NONE || !r->ready || t->server[r->server].lost) continue;
        ctw_twin__press on = ctw_twin__press_on(t, r->server);
        sum += ctw_twin__io_wait(t, s, &on) + (component ? ctw_twin__hop_wait(t, &on) : 0.0);
        n += 1.0;
    }
    return n > 0.0 ? sum / n : 0.0;
}

static void set_busy(ctw_twin *t, ctw_twin__replica *r, double busy)
{
    if (r->server == CTW_TWIN__NONE) return;
    ctw_twin__server *v = &t->server[r->server];
    ctw_twin__account(t, v);
    v->busy[CTW_USE_SERVICE] = fmax(0.0, v->busy[CTW_USE_SERVICE] + busy - r->busy);
    r->busy = busy;
}

static void account(ctw_twin *t, ctw_twin__service *s)
{
    double dt = fmin(t->now, t->day_s) - s->since_s;
    if (dt > 0.0) {
        s->requests += s->now_rate * dt;
        if (s->ok) s->met += s->now_rate * dt;
    }
    s->since_s = t->now;
}

/* Load and response of every replica of one component. */
static int spread_load(ctw_twin *t, ctw_twin__service *s, uint32_t component, double *mean, double *var)
{
    double mu[CTW_TWIN__MAX_REPLICAS];
    size_t n = rates(t, s, component, mu), next = 0;
    int keeps_up = mixture(mu, n, s->now_rate, mean, var);
    double lambda = n ? s->now_rate / (double)n : 0.0;
    for (uint32_t i = 0; i < s->replicas; i++) {
        ctw_twin__replica *r = &t->replica[s->first + component * s->replicas + i];
        if (r->server == CTW_TWIN__NONE || !r->ready || t->server[r->server].lost) {
            r->mean_s = 0.0;
            set_busy(t, r, 0.0);
            continue;
        }
        double m = mu[next++];
        /* An overloaded replica answers as late as its clients wait: ten times the promise. */
        r->mean_s = m > lambda + 1e-9 ? fmin(1.0 / (m - lambda), 10.0 * s->slo_s) : 10.0 * s->slo_s;
        set_busy(t, r, fmin(1.0, lambda / m) * s->cores);
    }
    return keeps_up;
}

void ctw_twin__service_refresh(ctw_twin *t, size_t service)
{
    ctw_twin__service *s = &t->service[service];
    double mean = 0.0, var = 0.0;
    int keeps_up = 1;
    account(t, s);
    s->now_rate = t->now < t->day_s ? ctw_twin__rate_at(s, t->now) : 0.0;
    for (uint32_t c = 0; c < s->components; c++) {
        keeps_up &= spread_load(t, s, c, &mean, &var);
        mean += waits(t, s, c);
    }
    s->tail = keeps_up ? tail_of(mean, var, s->slo_s) : 1.0;
    s->ok = s->tail <= t->tail || !(s->now_rate > 0.0);
}

void ctw_twin__services_on(ctw_twin *t, size_t server)
{
    for (size_t i = 0; i < t->n_service; i++) {
        const ctw_twin__service *s = &t->service[i];
        for (uint32_t j = 0; j < s->components * s->replicas; j++)
            if (t->replica[s->first + j].server == server) {
                ctw_twin__service_refresh(t, i);
                break;
            }
    }
}

/* Would the promise hold if all replicas were slowed by `sigma` against top frequency and the load grew to `load`? */
static int holds(const ctw_twin *t, const ctw_twin__service *s, double load, double sigma)
{
    double mean = 0.0, var = 0.0, mu[CTW_TWIN__MAX_REPLICAS];
    for (uint32_t c = 0; c < s->components; c++) {
        size_t n = 0;
        for (uint32_t i = 0; i < s->replicas; i++) {
            const ctw_twin__replica *r = &t->replica[s->first + c * s->replicas + i];
            if (r->server == CTW_TWIN__NONE || !r->ready || t->server[r->server].lost) continue;
            mu[n++] = s->cores / sigma / s->work_s; /* a slow server is not known to be one */
        }
        if (!mixture(mu, n, load, &mean, &var)) return 0;
    }
    return tail_of(mean, var, s->slo_s) <= 0.5 * t->tail;
}

double ctw_twin__service_slack(const ctw_twin *t, const ctw_twin__service *s)
{
    double load = s->seen_rate * s->headroom;
    if (!s->ok || !holds(t, s, load, 1.0)) return 1.0;
    if (holds(t, s, load, t->max_slowdown)) return t->max_slowdown;
    double lo = 1.0, hi = t->max_slowdown;
    for (int i = 0; i < 12; i++) {
        double mid = 0.5 * (lo + hi);
        if (holds(t, s, load, mid))
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

/* ---- where replicas live ---- */

/* A replica of this component on the server already? */
static int hosts(const ctw_twin *t, const ctw_twin__service *s, uint32_t component, size_t server)
{
    for (uint32_t i = 0; i < s->replicas; i++)
        if (t->replica[s->first + component * s->replicas + i].server == server) return 1;
    return 0;
}

uint32_t ctw_twin__spread(const ctw_twin *t, const ctw_twin__service *s, uint32_t component)
{
    uint32_t best = CTW_TWIN__NONE;
    double most = -1.0;
    for (size_t i = 0; i < t->n_server; i++) {
        const ctw_twin__server *v = &t->server[i];
        if (v->region != s->region || v->instance || !ctw_twin__usable(t, v)) continue;
        double left = t->klass[v->klass].cores - v->reserved - s->cores;
        if (left < -1e-9) continue;
        /* a second replica of a component beside the first only when nothing else has room */
        double merit = left + (hosts(t, s, component, i) ? 0.0 : 1e9);
        if (merit <= most) continue;
        best = (uint32_t)i;
        most = merit;
    }
    return best;
}

void ctw_twin__assign(ctw_twin *t, ctw_twin__replica *r, uint32_t server)
{
    if (r->server != CTW_TWIN__NONE) {
        set_busy(t, r, 0.0);
        t->server[r->server].reserved -= t->service[r->service].cores;
    }
    r->server = server;
    r->ready = 0;
    r->version++;
    if (server != CTW_TWIN__NONE) t->server[server].reserved += t->service[r->service].cores;
}

/* Server on which preempting jobs makes room for a replica: the one with most cores in jobs. */
static uint32_t preemptible(const ctw_twin *t, const ctw_twin__service *s, uint32_t component)
{
    uint32_t best = CTW_TWIN__NONE;
    double most = 0.0;
    for (size_t i = 0; i < t->n_server; i++) {
        const ctw_twin__server *v = &t->server[i];
        double jobs = v->busy[CTW_USE_JOB];
        if (v->region != s->region || v->instance || !ctw_twin__usable(t, v) || hosts(t, s, component, i)) continue;
        if (t->klass[v->klass].cores - v->reserved + jobs < s->cores - 1e-9 || jobs <= most) continue;
        best = (uint32_t)i;
        most = jobs;
    }
    return best;
}

ctw_status ctw_twin__restore_replicas(ctw_twin *t)
{
    for (size_t i = 0; i < t->n_replica; i++) {
        ctw_twin__replica *r = &t->replica[i];
        const ctw_twin__service *s = &t->service[r->service];
        if (r->server != CTW_TWIN__NONE) continue;
        uint32_t to = ctw_twin__spread(t, s, r->component);
        if (to == CTW_TWIN__NONE) {
            to = preemptible(t, s, r->component);
            if (to == CTW_TWIN__NONE) continue; /* tried again in the next slot */
            ctw_twin__make_room(t, to, s->cores);
        }
        ctw_twin__assign(t, r, to);
        t->count.moves++;
        CTW_TRY(ctw_twin__post(t, t->now + t->restart_s, CTW_EV_REPLICA_UP, i, r->version));
    }
    return CTW_OK;
}

void ctw_twin__evict_replicas(ctw_twin *t, size_t server)
{
    for (size_t i = 0; i < t->n_replica; i++)
        if (t->replica[i].server == server) ctw_twin__assign(t, &t->replica[i], CTW_TWIN__NONE);
}
