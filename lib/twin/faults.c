/* faults.c: what breaks, when it is noticed, and when service is whole again. Recovery is measured from the fault's
 * start to the first moment at which everything it touched keeps its promise: 0 when nothing ever broke it. */
#include "twin/twin_internal.h"
#include <math.h>

/* Slowest of the faults that are active on a server. */
static double speed_of(const ctw_twin *t, uint32_t server)
{
    double speed = 1.0;
    for (size_t i = 0; i < t->n_fault; i++) {
        const ctw_twin__fault *f = &t->fault[i];
        if (f->active && f->kind == CTW_FAULT_SLOWDOWN && f->target == server) speed = fmin(speed, f->magnitude);
    }
    return speed;
}

/* Everything that runs on the server works at its new pace: not at all while it is lost. */
static ctw_status reclock_all(ctw_twin *t, uint32_t server)
{
    for (size_t i = 0; i < t->n_running; i++)
        if (t->job[t->running[i]].server == server) CTW_TRY(ctw_twin__job_reclock(t, t->running[i]));
    if (t->server[server].request != CTW_TWIN__NONE) CTW_TRY(ctw_twin__request_reclock(t, t->server[server].request));
    ctw_twin__services_on(t, server);
    return CTW_OK;
}

ctw_status ctw_twin__fault_on(ctw_twin *t, size_t fault)
{
    ctw_twin__fault *f = &t->fault[fault];
    f->active = 1;
    if (f->kind == CTW_FAULT_SENSOR_STUCK) {
        ctw_twin__region *r = &t->region[f->target];
        if (!r->stuck) r->stuck_value = ctw_twin__true_ci(r, fmax(0.0, t->now - r->step_s));
        r->stuck++;
        f->hit = ctw_twin__trusted(r) != 0;
    } else if (f->kind == CTW_FAULT_SLOWDOWN) {
        CTW_TRY(ctw_twin__set_clock(t, f->target, t->server[f->target].level, speed_of(t, f->target)));
    } else if (ctw_twin__slows(f)) {
        ctw_twin__services_on(t, f->target);
    } else {
        ctw_twin__server *s = &t->server[f->target];
        ctw_twin__account(t, s);
        s->lost++;
        f->hit = s->reserved > 0.0 || s->request != CTW_TWIN__NONE;
        CTW_TRY(reclock_all(t, f->target));
        CTW_TRY(ctw_twin__post(t, t->now + t->heartbeat_s, CTW_EV_LOSS_SEEN, fault, 0));
    }
    ctw_twin__check_recovery(t);
    return CTW_OK;
}

ctw_status ctw_twin__loss_seen(ctw_twin *t, size_t fault)
{
    uint32_t server = t->fault[fault].target;
    ctw_twin__evict_replicas(t, server);
    CTW_TRY(ctw_twin__restore_replicas(t));
    CTW_TRY(ctw_twin__jobs_lost(t, server));
    CTW_TRY(ctw_twin__request_lost(t, server));
    return ctw_twin__replan_soon(t);
}

ctw_status ctw_twin__fault_off(ctw_twin *t, size_t fault)
{
    ctw_twin__fault *f = &t->fault[fault];
    f->active = 0;
    if (f->kind == CTW_FAULT_SENSOR_STUCK) {
        t->region[f->target].stuck--;
    } else if (f->kind == CTW_FAULT_SLOWDOWN) {
        CTW_TRY(ctw_twin__set_clock(t, f->target, t->server[f->target].level, speed_of(t, f->target)));
    } else if (ctw_twin__slows(f)) {
        ctw_twin__services_on(t, f->target);
    } else {
        /* A server that comes back has forgotten what it ran, even if nobody noticed that it was away. */
        CTW_TRY(ctw_twin__loss_seen(t, fault));
        ctw_twin__account(t, &t->server[f->target]);
        t->server[f->target].lost--;
        CTW_TRY(ctw_twin__restore_replicas(t));
        CTW_TRY(ctw_twin__jobs_start(t));
        CTW_TRY(ctw_twin__dispatch(t));
    }
    ctw_twin__check_recovery(t);
    return CTW_OK;
}

/* All services of the region keep their promise and have all their replicas. */
static int services_whole(const ctw_twin *t, uint32_t region)
{
    for (size_t i = 0; i < t->n_service; i++)
        if (t->service[i].region == region && !t->service[i].ok) return 0;
    for (size_t i = 0; i < t->n_replica; i++)
        if (t->service[t->replica[i].service].region == region && !t->replica[i].ready) return 0;
    return 1;
}

static int whole(const ctw_twin *t, const ctw_twin__fault *f)
{
    if (f->kind == CTW_FAULT_SENSOR_STUCK) return !f->hit || !ctw_twin__trusted(&t->region[f->target]) || !f->active;
    const ctw_twin__server *s = &t->server[f->target];
    if (!services_whole(t, s->region)) return 0;
    if (f->kind == CTW_FAULT_SLOWDOWN) {
        /* work on it is late for as long as it is slow and in use */
        int used = s->request != CTW_TWIN__NONE || (s->instance && s->drained_until_s <= t->now);
        return !(f->active && used);
    }
    if (ctw_twin__slows(f)) return 1; /* services feel it and nothing else does */
    return !s->lost || (!(s->reserved > 1e-9) && s->request == CTW_TWIN__NONE);
}

void ctw_twin__check_recovery(ctw_twin *t)
{
    for (size_t i = 0; i < t->n_fault; i++) {
        ctw_twin__fault *f = &t->fault[i];
        if (f->start_s > t->now || !isnan(f->recovered_s)) continue;
        if (whole(t, f))
            f->recovered_s = t->now;
        else
            f->hit = 1;
    }
}
