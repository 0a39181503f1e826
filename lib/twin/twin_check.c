/* twin_check.c: is a loaded state one that a twin can be in? Every index within its list, every number within the
 * bounds that build.c enforces, so that no file can make the engine read beyond its arrays or run for ever. */
#include "twin/twin_internal.h"
#include <math.h>

static int idx(uint32_t i, size_t n)
{
    return i < n;
}

static int idx_or_none(uint32_t i, size_t n)
{
    return i == CTW_TWIN__NONE || i < n;
}

static int within(double v, double lo, double hi)
{
    return v >= lo && v <= hi;
}

static int all_within(const double *v, size_t n, double lo, double hi)
{
    for (size_t i = 0; i < n; i++)
        if (!within(v[i], lo, hi)) return 0;
    return 1;
}

static int region_fine(const ctw_twin *t, const ctw_twin__region *r)
{
    double slots = r->step_s / t->slot_s;
    return r->n_ci >= 1 && all_within(r->ci, r->n_ci, 0.0, 1e9) && within(r->step_s, 1.0, 1e9) && slots > 0.5 &&
           fabs(slots - floor(slots + 0.5)) <= 1e-9 * slots && r->n_recent <= CTW_TWIN__RECENT &&
           all_within(r->recent, CTW_TWIN__RECENT, -1e12, 1e12) && all_within(r->mean, 3 * r->horizon, -1e12, 1e12) &&
           all_within(r->day_mean, 3 * r->n_day, -1e12, 1e12) && within(r->issued_s, 0.0, 1e12) &&
           (!r->mean || r->horizon == (size_t)ceil(t->horizon_s / r->step_s)) && (!r->mean || r->forecast) &&
           (!r->guard || ctw_guard_features(r->guard) == CTW_TWIN__GUARD_FEATURES) && r->stuck <= t->n_fault &&
           within(r->stuck_value, 0.0, 1e9);
}

static int class_fine(const ctw_twin__class *k)
{
    if (!within(k->cores, 1e-6, 1e6) || !within(k->idle_w, 0.0, 1e6) || !within(k->peak_w, k->idle_w, 1e6) ||
        !within(k->exponent, 0.0, 10.0) || k->n_level < 1 || !all_within(k->level, k->n_level, 1e-3, 1.0))
        return 0;
    for (size_t i = 1; i < k->n_level; i++)
        if (!(k->level[i] > k->level[i - 1])) return 0;
    return k->level[k->n_level - 1] >= 1.0;
}

static int server_fine(const ctw_twin *t, const ctw_twin__server *s)
{
    return idx(s->region, t->n_region) && idx(s->klass, t->n_klass) && s->lost <= t->n_fault &&
           idx(s->level, t->klass[s->klass].n_level) && s->instance <= 1 && idx_or_none(s->request, t->n_request) &&
           all_within(s->busy, CTW_USES, 0.0, 1e12) && within(s->speed, 1e-3, 1.0) &&
           within(s->reserved, -1e-3, 1e12) && within(s->since_s, 0.0, t->now) &&
           within(s->drained_until_s, -1.0, 2e12);
}

static int service_fine(const ctw_twin *t, const ctw_twin__service *s)
{
    return idx(s->region, t->n_region) && s->components >= 1 && s->components <= 1024 && s->replicas >= 1 &&
           s->replicas <= CTW_TWIN__MAX_REPLICAS &&
           (uint64_t)s->first + (uint64_t)s->components * s->replicas <= t->n_replica && s->n_rate >= 1 &&
           all_within(s->rate, s->n_rate, 0.0, 1e12) && within(s->cores, 1e-6, 1e6) && within(s->work_s, 1e-9, 1e6) &&
           within(s->membound, 0.0, 1.0) && within(s->slo_s, 1e-9, 1e9) && within(s->step_s, 1.0, 1e9) &&
           within(s->now_rate, 0.0, 1e12) && within(s->seen_rate, 0.0, 1e12) && within(s->since_s, 0.0, t->now) &&
           within(s->requests, 0.0, 1e30) && within(s->met, 0.0, 1e30) && within(s->headroom, 1.0, 19.0) &&
           within(s->rise, 1.0, 1e6) && s->acted <= 1 && s->ok <= 1 &&
           (s->agent ? ctw_twin__agent_fits(s->agent) == CTW_OK : !s->acted);
}

static int replica_fine(const ctw_twin *t, const ctw_twin__replica *r)
{
    return idx(r->service, t->n_service) && r->component < t->service[r->service].components &&
           idx_or_none(r->server, t->n_server) && r->ready <= 1 && within(r->mean_s, 0.0, 1e11) &&
           within(r->busy, 0.0, 1e6);
}

static int job_fine(const ctw_twin *t, const ctw_twin__job *j)
{
    if (!idx(j->region, t->n_region) || j->state > CTW_JOB_ENDED || !idx_or_none(j->server, t->n_server)) return 0;
    if ((j->state == CTW_JOB_RUNS) != (j->server != CTW_TWIN__NONE)) return 0;
    return within(j->arrival_s, 0.0, 1e12) && within(j->cores, 1e-6, 1e6) && within(j->work_s, 1e-3, 1e9) &&
           within(j->predicted_s, 1e-3, 1e9) && j->deadline_s > j->arrival_s && within(j->membound, 0.0, 1.0) &&
           within(j->left_s, 0.0, j->work_s) && within(j->since_s, 0.0, t->now) && within(j->rate, 0.0, 1.0) &&
           !isnan(j->planned_s);
}

static int request_fine(const ctw_twin *t, const ctw_twin__request *r)
{
    if (r->state > CTW_JOB_ENDED || !idx_or_none(r->server, t->n_server)) return 0;
    if ((r->state == CTW_JOB_RUNS) != (r->server != CTW_TWIN__NONE)) return 0;
    return within(r->arrival_s, 0.0, 1e12) && within(r->tokens, 0.0, 1e9) && within(r->predicted, 0.0, 1e9) &&
           within(r->left_s, 0.0, 1e16) && within(r->since_s, 0.0, t->now) && within(r->rate, 0.0, 1.0);
}

static int fault_fine(const ctw_twin *t, const ctw_twin__fault *f)
{
    size_t targets = f->kind == CTW_FAULT_SENSOR_STUCK ? t->n_region : t->n_server;
    return f->kind >= CTW_FAULT_SERVER_LOSS && f->kind <= CTW_FAULT_NETWORK && idx(f->target, targets) &&
           within(f->start_s, 0.0, 1e12) && within(f->end_s, f->start_s, 1e12) && f->active <= 1 && f->hit <= 1 &&
           f->found >= -1 && f->found < (int64_t)t->n_server &&
           (!ctw_twin__slows(f) || within(f->magnitude, 1e-3, 1.0));
}

static int event_fine(const ctw_twin *t, const ctw_twin__event *e)
{
    const size_t targets[CTW_EV_KINDS] = {[CTW_EV_SLOT] = 1,
                                          [CTW_EV_OBSERVE] = t->n_region,
                                          [CTW_EV_REPLAN] = SIZE_MAX,
                                          [CTW_EV_JOB] = t->n_job,
                                          [CTW_EV_JOB_DONE] = t->n_job,
                                          [CTW_EV_REQUEST] = t->n_request,
                                          [CTW_EV_ANSWER] = t->n_request,
                                          [CTW_EV_FAULT_ON] = t->n_fault,
                                          [CTW_EV_FAULT_OFF] = t->n_fault,
                                          [CTW_EV_LOSS_SEEN] = t->n_fault,
                                          [CTW_EV_REPLICA_UP] = t->n_replica};
    return e->kind < CTW_EV_KINDS && idx(e->idx, targets[e->kind]) && within(e->time, t->now, 1e300) &&
           e->seq < t->heap.next_seq;
}

/* An event of an older version of its target is stale and passed over; one of the present version must meet a target
 * it can be applied to, and one of a version still to come would be taken for another's. */
static int version_fine(uint64_t event, uint64_t target, int applies)
{
    return event < target || (event == target && applies);
}

static int event_applies(const ctw_twin *t, const ctw_twin__event *e)
{
    switch (e->kind) {
    case CTW_EV_JOB_DONE: return version_fine(e->version, t->job[e->idx].version, t->job[e->idx].state == CTW_JOB_RUNS);
    case CTW_EV_ANSWER:
        return version_fine(e->version, t->request[e->idx].version, t->request[e->idx].state == CTW_JOB_RUNS);
    case CTW_EV_REQUEST: return t->request[e->idx].state == CTW_JOB_FUTURE && t->llm.instances > 0;
    case CTW_EV_REPLICA_UP:
        return version_fine(e->version, t->replica[e->idx].version, t->replica[e->idx].server != CTW_TWIN__NONE);
    case CTW_EV_FAULT_ON: return !t->fault[e->idx].active;
    default: return 1;
    }
}

/* A list of jobs in one state, each once: as many as there are in that state. */
static int job_list_fine(const ctw_twin *t, const uint32_t *list, size_t n, uint32_t state)
{
    size_t in_state = 0;
    for (size_t i = 0; i < t->n_job; i++) in_state += t->job[i].state == state;
    if (n != in_state) return 0;
    for (size_t i = 0; i < n; i++)
        if (!idx(list[i], t->n_job) || t->job[list[i]].state != state) return 0;
    return 1;
}

static int llm_fine(const ctw_twin *t)
{
    const ctw_twin__llm *l = &t->llm;
    if (l->instances == 0 && (t->n_request > 0 || l->tail > 0)) return 0;
    for (size_t i = 0; i < l->instances; i++)
        if (!idx(l->at[i], t->n_server) || !t->server[l->at[i]].instance) return 0;
    for (size_t i = 0; i < l->tail; i++)
        if (!idx(l->line[i], t->n_request) || t->request[l->line[i]].state != CTW_JOB_WAITS) return 0;
    if (l->tail > t->n_request) return 0;
    for (size_t i = 0; i < t->n_request; i++)
        if (t->request[i].state == CTW_JOB_RUNS && t->server[t->request[i].server].request != i) return 0;
    return within(l->base_s, 0.0, 1e6) && (l->instances == 0 || within(l->per_token_s, 1e-9, 1e6)) &&
           within(l->membound, 0.0, 1.0) && within(l->slo_s, 0.0, 1e9) && within(l->slo_factor, 0.0, 1e6);
}

/* ... and every busy instance with the request that says so. */
static int instances_fine(const ctw_twin *t)
{
    for (size_t i = 0; i < t->n_server; i++) {
        uint32_t q = t->server[i].request;
        if (q != CTW_TWIN__NONE && (t->request[q].state != CTW_JOB_RUNS || t->request[q].server != i)) return 0;
    }
    return 1;
}

#define ALL_FINE(what, n, test)         \
    for (size_t i_ = 0; i_ < (n); i_++) \
        if (!(test)) return ctw_base__fail(CTW_E_FORMAT, "%s: %s %zu cannot be in a twin", fn, (what), i_)

ctw_status ctw_twin__validate(const ctw_twin *t, const char *fn)
{
    if (!within(t->now, 0.0, 1e12)) return ctw_base__fail(CTW_E_FORMAT, "%s: the time is %g", fn, t->now);
    if (t->started && (t->n_region == 0 || t->n_server == 0))
        return ctw_base__fail(CTW_E_FORMAT, "%s: a twin that ran without servers", fn);
    ALL_FINE("region", t->n_region, region_fine(t, &t->region[i_]));
    ALL_FINE("class", t->n_klass, class_fine(&t->klass[i_]));
    ALL_FINE("server", t->n_server, server_fine(t, &t->server[i_]));
    ALL_FINE("service", t->n_service, service_fine(t, &t->service[i_]));
    ALL_FINE("replica", t->n_replica, replica_fine(t, &t->replica[i_]));
    ALL_FINE("job", t->n_job, job_fine(t, &t->job[i_]));
    ALL_FINE("request", t->n_request, request_fine(t, &t->request[i_]));
    ALL_FINE("fault", t->n_fault, fault_fine(t, &t->fault[i_]));
    ALL_FINE("event", t->heap.n, event_fine(t, &t->heap.at[i_]));
    ALL_FINE("event", t->heap.n, event_applies(t, &t->heap.at[i_]));
    if (!job_list_fine(t, t->waiting, t->n_waiting, CTW_JOB_WAITS) ||
        !job_list_fine(t, t->running, t->n_running, CTW_JOB_RUNS))
        return ctw_base__fail(CTW_E_FORMAT, "%s: the lists of jobs do not agree with the jobs", fn);
    if (!llm_fine(t) || !instances_fine(t))
        return ctw_base__fail(CTW_E_FORMAT, "%s: the LLM queue does not agree with its requests", fn);
    return CTW_OK;
}
