/* build.c: what the host puts into a twin: regions, classes, servers, services, the LLM, jobs, requests, faults.
 * Everything is checked here, so that the rest of lib/twin can trust its state; nothing is added by halves. */
#include "num/sort.h"
#include "twin/twin_internal.h"
#include <math.h>
#include <string.h>

/* Longest signals and longest lists of levels. */
#define MAX_VALUES 10000000u
#define MAX_LEVELS 1024u
#define MAX_TIME   1e12

/* Enters the handle; the installation may not change any more once it has run. */
static ctw_status enter(ctw_twin *t, int fixed, const char *fn)
{
    CTW_TRY(ctw_base__handle_enter(t ? &t->h : NULL, CTW_TWIN__MAGIC, fn, "t"));
    if (!fixed || !t->started) return CTW_OK;
    ctw_base__handle_leave(&t->h);
    return ctw_base__fail(CTW_E_STATE, "%s: the twin has run already, its installation is fixed", fn);
}

static ctw_status leave(ctw_twin *t, ctw_status s)
{
    ctw_base__handle_leave(&t->h);
    return s;
}

static ctw_status taken(ctw_status found, const char *fn, const char *what, int64_t id)
{
    if (found != CTW_OK) return CTW_OK;
    return ctw_base__fail(CTW_E_KEY, "%s: there is a %s %lld already", fn, what, (long long)id);
}

#define GROW(t, list, more) \
    ctw_base__grow((t)->h.ctx, (void **)&(t)->list, &(t)->cap_##list, (t)->n_##list + (more), sizeof *(t)->list)

/* ---- regions ---- */

static ctw_status add_region(ctw_twin *t, int64_t id, const double *ci, uint64_t n, double step_s, const char *fn)
{
    uint32_t other;
    CTW_TRY(taken(ctw_twin__find_region(t, id, fn, &other), fn, "region", id));
    CTW_TRY(ctw_base__in_u64(n, 1, MAX_VALUES, fn, "n"));
    CTW_TRY(ctw_base__need(ci, fn, "g_per_kwh"));
    CTW_TRY(ctw_base__all_in(ci, n, 1, 0.0, 1e9, fn, "g_per_kwh"));
    CTW_TRY(ctw_base__in(step_s, 1.0, 1e9, fn, "step_s"));
    double slots = step_s / t->slot_s;
    if (fabs(slots - floor(slots + 0.5)) > 1e-9 * slots || slots < 0.5)
        return ctw_base__fail(CTW_E_RANGE, "%s: step_s is %g, must be a multiple of the option slot_s = %g", fn, step_s,
                              t->slot_s);
    CTW_TRY(ctw_base__in_u64(t->n_region + 1, 1, 4096, fn, "number of regions"));
    CTW_TRY(GROW(t, region, 1));
    double *copy = ctw_base__dup(t->h.ctx, ci, (size_t)n, sizeof *ci);
    if (!copy) return CTW_E_NOMEM;
    t->region[t->n_region++] = (ctw_twin__region){.id = id, .ci = copy, .n_ci = (size_t)n, .step_s = step_s};
    return CTW_OK;
}

ctw_status ctw_twin_add_region(ctw_twin *t, int64_t id, const double *g_per_kwh, uint64_t n, double step_s)
{
    static const char fn[] = "ctw_twin_add_region";
    CTW_TRY(enter(t, 1, fn));
    return leave(t, add_region(t, id, g_per_kwh, n, step_s, fn));
}

/* ---- classes and servers ---- */

static ctw_status levels_check(const double *level, uint64_t n, const char *fn)
{
    CTW_TRY(ctw_base__in_u64(n, 1, MAX_LEVELS, fn, "n"));
    CTW_TRY(ctw_base__need(level, fn, "level"));
    CTW_TRY(ctw_base__all_in(level, n, 1, 1e-3, 1.0, fn, "level"));
    for (uint64_t i = 1; i < n; i++)
        if (!(level[i] > level[i - 1]))
            return ctw_base__fail(CTW_E_RANGE, "%s: level[%llu] is %g, must be above level[%llu] = %g", fn,
                                  (unsigned long long)i, level[i], (unsigned long long)(i - 1), level[i - 1]);
    if (level[n - 1] < 1.0)
        return ctw_base__fail(CTW_E_RANGE, "%s: the last level is %g, must be 1, the top frequency", fn, level[n - 1]);
    return CTW_OK;
}

static ctw_status add_class(ctw_twin *t, const ctw_twin__class *c, const double *level, uint64_t n, const char *fn)
{
    uint32_t other;
    CTW_TRY(taken(ctw_twin__find_class(t, c->id, fn, &other), fn, "class", c->id));
    CTW_TRY(ctw_base__in(c->cores, 1e-6, 1e6, fn, "cores"));
    CTW_TRY(ctw_base__in(c->idle_w, 0.0, 1e6, fn, "idle_w"));
    CTW_TRY(ctw_base__in(c->peak_w, c->idle_w, 1e6, fn, "peak_w"));
    CTW_TRY(ctw_base__in(c->exponent, 0.0, 10.0, fn, "exponent"));
    CTW_TRY(levels_check(level, n, fn));
    CTW_TRY(ctw_base__in_u64(t->n_klass + 1, 1, 4096, fn, "number of classes"));
    CTW_TRY(GROW(t, klass, 1));
    ctw_twin__class k = *c;
    k.level = ctw_base__dup(t->h.ctx, level, (size_t)n, sizeof *level);
    k.factor = CTW_NEW(t->h.ctx, (size_t)n, double);
    if (!k.level || !k.factor) {
        ctw_base__free(t->h.ctx, k.level);
        ctw_base__free(t->h.ctx, k.factor);
        return CTW_E_NOMEM;
    }
    k.n_level = (size_t)n;
    for (uint64_t i = 0; i < n; i++) k.factor[i] = pow(level[i], k.exponent);
    t->klass[t->n_klass++] = k;
    return CTW_OK;
}

ctw_status ctw_twin_add_class(ctw_twin *t, int64_t id, double cores, double idle_w, double peak_w, double exponent,
                              const double *level, uint64_t n)
{
    static const char fn[] = "ctw_twin_add_class";
    CTW_TRY(enter(t, 1, fn));
    const ctw_twin__class c = {.id = id, .cores = cores, .idle_w = idle_w, .peak_w = peak_w, .exponent = exponent};
    return leave(t, add_class(t, &c, level, n, fn));
}

static ctw_status add_servers(ctw_twin *t, const int64_t *id, const int64_t *region, const int64_t *klass, uint64_t n,
                              const char *fn)
{
    CTW_TRY(ctw_base__need_n(id, n, fn, "id"));
    CTW_TRY(ctw_base__need_n(region, n, fn, "region"));
    CTW_TRY(ctw_base__need_n(klass, n, fn, "klass"));
    CTW_TRY(ctw_base__in_u64(n, 0, 10000000u - t->n_server, fn, "n"));
    CTW_TRY(GROW(t, server, n));
    for (uint64_t i = 0; i < n; i++) {
        ctw_twin__server s = {.id = id[i], .speed = 1.0, .request = CTW_TWIN__NONE, .drained_until_s = -1.0};
        CTW_TRY(ctw_twin__find_region(t, region[i], fn, &s.region));
        CTW_TRY(ctw_twin__find_class(t, klass[i], fn, &s.klass));
        s.level = (uint32_t)(t->klass[s.klass].n_level - 1);
        t->server[t->n_server + i] = s;
    }
    /* ids are compared after sorting a copy: servers come by the ten thousand */
    size_t total = t->n_server + (size_t)n;
    int64_t *ids = CTW_NEW(t->h.ctx, total, int64_t);
    size_t *order = CTW_NEW(t->h.ctx, total, size_t);
    ctw_status st = ids && order ? CTW_OK : CTW_E_NOMEM;
    if (st == CTW_OK) {
        for (size_t i = 0; i < total; i++) {
            ids[i] = t->server[i].id;
            order[i] = i;
        }
        ctw_num__argsort_i64(ids, order, total);
        for (size_t i = 1; i < total && st == CTW_OK; i++)
            if (ids[order[i]] == ids[order[i - 1]])
                st = ctw_base__fail(CTW_E_KEY, "%s: there is a server %lld already", fn, (long long)ids[order[i]]);
    }
    ctw_base__free(t->h.ctx, ids);
    ctw_base__free(t->h.ctx, order);
    if (st == CTW_OK) t->n_server = total;
    return st;
}

ctw_status ctw_twin_add_servers(ctw_twin *t, const int64_t *id, const int64_t *region, const int64_t *klass, uint64_t n)
{
    static const char fn[] = "ctw_twin_add_servers";
    CTW_TRY(enter(t, 1, fn));
    return leave(t, add_servers(t, id, region, klass, n, fn));
}

/* ---- services ---- */

static ctw_status service_check(const ctw_twin__service *s, uint64_t components, uint64_t replicas, const double *rate,
                                uint64_t n, const char *fn)
{
    CTW_TRY(ctw_base__in_u64(components, 1, 1024, fn, "components"));
    CTW_TRY(ctw_base__in_u64(replicas, 1, CTW_TWIN__MAX_REPLICAS, fn, "replicas"));
    CTW_TRY(ctw_base__in(s->cores, 1e-6, 1e6, fn, "cores"));
    CTW_TRY(ctw_base__in(s->work_s, 1e-9, 1e6, fn, "work_s"));
    CTW_TRY(ctw_base__in(s->membound, 0.0, 1.0, fn, "membound"));
    CTW_TRY(ctw_base__in(s->slo_s, 1e-9, 1e9, fn, "slo_s"));
    CTW_TRY(ctw_base__in_u64(n, 1, MAX_VALUES, fn, "n"));
    CTW_TRY(ctw_base__need(rate, fn, "rate"));
    CTW_TRY(ctw_base__all_in(rate, n, 1, 0.0, 1e12, fn, "rate"));
    return ctw_base__in(s->step_s, 1.0, 1e9, fn, "step_s");
}

/* Gives every replica of the last service a server; takes all back when one finds none. */
static ctw_status settle(ctw_twin *t, const char *fn)
{
    ctw_twin__service *s = &t->service[t->n_service - 1];
    for (uint32_t i = s->first; i < t->n_replica; i++) {
        ctw_twin__replica *r = &t->replica[i];
        uint32_t to = ctw_twin__spread(t, s, r->component);
        if (to != CTW_TWIN__NONE) {
            ctw_twin__assign(t, r, to);
            r->ready = 1;
            continue;
        }
        while (i-- > s->first) ctw_twin__assign(t, &t->replica[i], CTW_TWIN__NONE);
        return ctw_base__fail(CTW_E_INFEASIBLE, "%s: no server of region %lld has %g cores left for service %lld", fn,
                              (long long)t->region[s->region].id, s->cores, (long long)s->id);
    }
    return CTW_OK;
}

static ctw_status add_service(ctw_twin *t, ctw_twin__service *s, int64_t region, uint64_t components, uint64_t replicas,
                              const double *rate, uint64_t n, const char *fn)
{
    CTW_TRY(ctw_twin__find_region(t, region, fn, &s->region));
    CTW_TRY(service_check(s, components, replicas, rate, n, fn));
    size_t all = (size_t)(components * replicas);
    CTW_TRY(ctw_base__in_u64(t->n_replica + all, 1, CTW_TWIN__MAX, fn, "number of replicas"));
    CTW_TRY(GROW(t, service, 1));
    CTW_TRY(GROW(t, replica, all));
    s->rate = ctw_base__dup(t->h.ctx, rate, (size_t)n, sizeof *rate);
    if (!s->rate) return CTW_E_NOMEM;
    s->n_rate = (size_t)n;
    s->components = (uint32_t)components;
    s->replicas = (uint32_t)replicas;
    s->first = (uint32_t)t->n_replica;
    s->ok = 1;
    for (size_t i = 0; i < all; i++)
        t->replica[t->n_replica + i] = (ctw_twin__replica){
            .service = (uint32_t)t->n_service, .component = (uint32_t)(i / replicas), .server = CTW_TWIN__NONE};
    t->service[t->n_service++] = *s;
    t->n_replica += all;
    ctw_status st = settle(t, fn);
    if (st == CTW_OK) return CTW_OK;
    t->n_service--;
    t->n_replica -= all;
    ctw_base__free(t->h.ctx, s->rate);
    return st;
}

ctw_status ctw_twin_add_service(ctw_twin *t, int64_t id, int64_t region, uint64_t components, uint64_t replicas,
                                double cores, double work_s, double membound, double slo_s, const double *rate,
                                uint64_t n, double step_s)
{
    static const char fn[] = "ctw_twin_add_service";
    CTW_TRY(enter(t, 1, fn));
    ctw_twin__service s = {.id = id,
                           .cores = cores,
                           .work_s = work_s,
                           .membound = membound,
                           .slo_s = slo_s,
                           .step_s = step_s,
                           .headroom = t->headroom,
                           .rise = 1.0};
    for (size_t i = 0; i < t->n_service; i++)
        if (t->service[i].id == id)
            return leave(t, ctw_base__fail(CTW_E_KEY, "%s: there is a service %lld already", fn, (long long)id));
    return leave(t, add_service(t, &s, region, components, replicas, rate, n, fn));
}

/* ---- LLM ---- */

static ctw_status set_llm(ctw_twin *t, const int64_t *server, uint64_t n, ctw_twin__llm *l, const char *fn)
{
    if (t->llm.instances) return ctw_base__fail(CTW_E_STATE, "%s: the twin has its LLM already", fn);
    CTW_TRY(ctw_base__in_u64(n, 1, 1000000, fn, "n"));
    CTW_TRY(ctw_base__need(server, fn, "server"));
    CTW_TRY(ctw_base__in(l->base_s, 0.0, 1e6, fn, "base_s"));
    CTW_TRY(ctw_base__in(l->per_token_s, 1e-9, 1e6, fn, "per_token_s"));
    CTW_TRY(ctw_base__in(l->membound, 0.0, 1.0, fn, "membound"));
    CTW_TRY(ctw_base__in(l->slo_s, 0.0, 1e9, fn, "slo_s"));
    CTW_TRY(ctw_base__in(l->slo_factor, 0.0, 1e6, fn, "slo_factor"));
    uint32_t *at = CTW_NEW(t->h.ctx, (size_t)n, uint32_t);
    if (!at) return CTW_E_NOMEM;
    ctw_status s = CTW_OK;
    uint64_t done = 0;
    for (; s == CTW_OK && done < n; done++) {
        s = ctw_twin__find_server(t, server[done], fn, &at[done]);
        if (s == CTW_OK && (t->server[at[done]].instance || t->server[at[done]].reserved > 0.0))
            s = ctw_base__fail(CTW_E_STATE, "%s: server %lld hosts something already", fn, (long long)server[done]);
        if (s != CTW_OK) break;
        t->server[at[done]].instance = 1;
    }
    if (s != CTW_OK) {
        while (done-- > 0) t->server[at[done]].instance = 0;
        ctw_base__free(t->h.ctx, at);
        return s;
    }
    l->at = at;
    l->instances = (size_t)n;
    t->llm = *l;
    return CTW_OK;
}

ctw_status ctw_twin_set_llm(ctw_twin *t, const int64_t *server, uint64_t n, double base_s, double per_token_s,
                            double membound, double slo_s, double slo_factor)
{
    static const char fn[] = "ctw_twin_set_llm";
    CTW_TRY(enter(t, 1, fn));
    ctw_twin__llm l = {
        .base_s = base_s, .per_token_s = per_token_s, .membound = membound, .slo_s = slo_s, .slo_factor = slo_factor};
    return leave(t, set_llm(t, server, n, &l, fn));
}

/* ---- what happens ---- */

static ctw_status not_past(const ctw_twin *t, const double *at, uint64_t n, const char *fn, const char *arg)
{
    CTW_TRY(ctw_base__need_n(at, n, fn, arg));
    CTW_TRY(ctw_base__all_in(at, n, 1, 0.0, MAX_TIME, fn, arg));
    for (uint64_t i = 0; i < n; i++)
        if (at[i] < t->now)
            return ctw_base__fail(CTW_E_RANGE, "%s: %s[%llu] is %g, the twin is at %g already", fn, arg,
                                  (unsigned long long)i, at[i], t->now);
    return CTW_OK;
}

/* Largest server of a region that takes jobs, in cores. */
static double largest(const ctw_twin *t, uint32_t region)
{
    double most = 0.0;
    for (size_t i = 0; i < t->n_server; i++)
        if (t->server[i].region == region && !t->server[i].instance)
            most = fmax(most, t->klass[t->server[i].klass].cores);
    return most;
}

static ctw_status job_check(const ctw_twin *t, const ctw_twin__job *j, uint64_t i, const char *fn)
{
    if (isnan(j->deadline_s) || j->deadline_s <= j->arrival_s)
        return ctw_base__fail(CTW_E_RANGE, "%s: deadline_s[%llu] is %g, must be after arrival_s = %g", fn,
                              (unsigned long long)i, j->deadline_s, j->arrival_s);
    if (j->cores > largest(t, j->region))
        return ctw_base__fail(CTW_E_INFEASIBLE, "%s: job %lld wants %g cores, no server of its region has more than %g",
                              fn, (long long)j->id, j->cores, largest(t, j->region));
    return CTW_OK;
}

typedef struct job_columns {
    const int64_t *id, *region;
    const double *arrival_s, *cores, *work_s, *predicted_s, *deadline_s, *membound;
} job_columns;

static ctw_status job_columns_check(const ctw_twin *t, const job_columns *c, uint64_t n, const char *fn)
{
    CTW_TRY(ctw_base__in_u64(n, 0, CTW_TWIN__MAX - t->n_job, fn, "n"));
    CTW_TRY(ctw_base__need_n(c->id, n, fn, "id"));
    CTW_TRY(ctw_base__need_n(c->region, n, fn, "region"));
    CTW_TRY(ctw_base__need_n(c->deadline_s, n, fn, "deadline_s"));
    CTW_TRY(not_past(t, c->arrival_s, n, fn, "arrival_s"));
    const struct {
        const double *v;
        const char *name;
        double lo, hi;
    } columns[] = {{c->cores, "cores", 1e-6, 1e6},
                   {c->work_s, "work_s", 1e-3, 1e9},
                   {c->predicted_s, "predicted_s", 1e-3, 1e9},
                   {c->membound, "membound", 0.0, 1.0}};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        CTW_TRY(ctw_base__need_n(columns[i].v, n, fn, columns[i].name));
        CTW_TRY(ctw_base__all_in(columns[i].v, n, 1, columns[i].lo, columns[i].hi, fn, columns[i].name));
    }
    return CTW_OK;
}

static ctw_status add_jobs(ctw_twin *t, const job_columns *c, uint64_t n, const char *fn)
{
    CTW_TRY(job_columns_check(t, c, n, fn));
    CTW_TRY(GROW(t, job, n));
    CTW_TRY(ctw_base__grow(t->h.ctx, (void **)&t->waiting, &t->cap_waiting, t->n_job + n, sizeof *t->waiting));
    CTW_TRY(ctw_base__grow(t->h.ctx, (void **)&t->running, &t->cap_running, t->n_job + n, sizeof *t->running));
    CTW_TRY(ctw_twin__heap_reserve(t->h.ctx, &t->heap, n));
    for (uint64_t i = 0; i < n; i++) {
        ctw_twin__job j = {.id = c->id[i],
                           .arrival_s = c->arrival_s[i],
                           .cores = c->cores[i],
                           .work_s = c->work_s[i],
                           .predicted_s = c->predicted_s[i],
                           .deadline_s = c->deadline_s[i],
                           .membound = c->membound[i],
                           .left_s = c->work_s[i],
                           .server = CTW_TWIN__NONE,
                           .start_s = NAN,
                           .finish_s = NAN};
        CTW_TRY(ctw_twin__find_region(t, c->region[i], fn, &j.region));
        CTW_TRY(job_check(t, &j, i, fn));
        t->job[t->n_job + i] = j;
    }
    for (uint64_t i = 0; i < n; i++)
        CTW_TRY(ctw_twin__post(t, c->arrival_s[i], CTW_EV_JOB, t->n_job + i, 0)); /* reserved: cannot fail */
    t->n_job += n;
    return CTW_OK;
}

ctw_status ctw_twin_add_jobs(ctw_twin *t, const int64_t *id, const int64_t *region, const double *arrival_s,
                             const double *cores, const double *work_s, const double *predicted_s,
                             const double *deadline_s, const double *membound, uint64_t n)
{
    static const char fn[] = "ctw_twin_add_jobs";
    CTW_TRY(enter(t, 0, fn));
    const job_columns c = {id, region, arrival_s, cores, work_s, predicted_s, deadline_s, membound};
    return leave(t, add_jobs(t, &c, n, fn));
}

static ctw_status add_requests(ctw_twin *t, const double *arrival_s, const double *tokens, const double *predicted,
                               uint64_t n, const char *fn)
{
    if (t->llm.instances == 0) return ctw_base__fail(CTW_E_STATE, "%s: ctw_twin_set_llm must come first", fn);
    /* the queue part holds 2^24 - 2 requests */
    CTW_TRY(ctw_base__in_u64(n, 0, 16000000u - t->n_request, fn, "n"));
    CTW_TRY(not_past(t, arrival_s, n, fn, "arrival_s"));
    CTW_TRY(ctw_base__need_n(tokens, n, fn, "tokens"));
    CTW_TRY(ctw_base__all_in(tokens, n, 1, 0.0, 1e9, fn, "tokens"));
    CTW_TRY(ctw_base__need_n(predicted, n, fn, "predicted_tokens"));
    CTW_TRY(ctw_base__all_in(predicted, n, 1, 0.0, 1e9, fn, "predicted_tokens"));
    CTW_TRY(GROW(t, request, n));
    CTW_TRY(ctw_twin__heap_reserve(t->h.ctx, &t->heap, n));
    for (uint64_t i = 0; i < n; i++) {
        t->request[t->n_request + i] = (ctw_twin__request){.arrival_s = arrival_s[i],
                                                           .tokens = tokens[i],
                                                           .predicted = predicted[i],
                                                           .server = CTW_TWIN__NONE,
                                                           .finish_s = NAN};
        CTW_TRY(ctw_twin__post(t, arrival_s[i], CTW_EV_REQUEST, t->n_request + i, 0)); /* reserved: cannot fail */
    }
    t->n_request += n;
    return CTW_OK;
}

ctw_status ctw_twin_add_requests(ctw_twin *t, const double *arrival_s, const double *tokens,
                                 const double *predicted_tokens, uint64_t n)
{
    static const char fn[] = "ctw_twin_add_requests";
    CTW_TRY(enter(t, 0, fn));
    return leave(t, add_requests(t, arrival_s, tokens, predicted_tokens, n, fn));
}

static ctw_status add_fault(ctw_twin *t, ctw_twin__fault *f, int64_t target, const char *fn)
{
    CTW_TRY(ctw_base__in_i64(f->kind, CTW_FAULT_SERVER_LOSS, CTW_FAULT_NETWORK, fn, "kind"));
    CTW_TRY(not_past(t, &f->start_s, 1, fn, "start_s"));
    CTW_TRY(ctw_base__in(f->end_s, f->start_s, MAX_TIME, fn, "end_s"));
    if (ctw_twin__slows(f)) CTW_TRY(ctw_base__in(f->magnitude, 1e-3, 1.0, fn, "magnitude"));
    if (f->kind == CTW_FAULT_SENSOR_STUCK)
        CTW_TRY(ctw_twin__find_region(t, target, fn, &f->target));
    else
        CTW_TRY(ctw_twin__find_server(t, target, fn, &f->target));
    CTW_TRY(ctw_base__in_u64(t->n_fault + 1, 1, 1000000, fn, "number of faults"));
    CTW_TRY(GROW(t, fault, 1));
    CTW_TRY(ctw_twin__heap_reserve(t->h.ctx, &t->heap, 2));
    CTW_TRY(ctw_twin__post(t, f->start_s, CTW_EV_FAULT_ON, t->n_fault, 0));
    CTW_TRY(ctw_twin__post(t, f->end_s, CTW_EV_FAULT_OFF, t->n_fault, 0));
    t->fault[t->n_fault++] = *f;
    return CTW_OK;
}

ctw_status ctw_twin_add_fault(ctw_twin *t, int32_t kind, int64_t target, double start_s, double end_s, double magnitude)
{
    static const char fn[] = "ctw_twin_add_fault";
    CTW_TRY(enter(t, 0, fn));
    ctw_twin__fault f = {
        .kind = kind, .start_s = start_s, .end_s = end_s, .magnitude = magnitude, .recovered_s = NAN, .found = -1};
    return leave(t, add_fault(t, &f, target, fn));
}
