/* twin.c: life of a twin and its event loop. Each event is one function of the file whose subject it is; the loop
 * only knows their order. */
#include "base/cancel.h"
#include "base/ctx.h"
#include "twin/twin_internal.h"
#include "twin/twin_params.h"
#include <math.h>

static void free_regions(ctw_twin *t)
{
    ctw_ctx *ctx = t->h.ctx;
    for (size_t i = 0; i < t->n_region; i++) {
        ctw_twin__region *r = &t->region[i];
        ctw_base__free(ctx, r->ci);
        ctw_base__free(ctx, r->mean);
        ctw_base__free(ctx, r->day_mean);
        ctw_forecast_unref(r->forecast);
        ctw_guard_unref(r->guard);
        ctw_watch_unref(r->watch);
    }
    ctw_base__free(ctx, t->region);
}

void ctw_twin__destroy(ctw_twin *t)
{
    ctw_ctx *ctx = t->h.ctx;
    free_regions(t);
    for (size_t i = 0; i < t->n_klass; i++) {
        ctw_base__free(ctx, t->klass[i].level);
        ctw_base__free(ctx, t->klass[i].factor);
        ctw_power_unref(t->klass[i].power);
    }
    for (size_t i = 0; i < t->n_service; i++) {
        ctw_base__free(ctx, t->service[i].rate);
        ctw_agent_unref(t->service[i].agent);
    }
    for (size_t i = 0; i < CTW_SR_COUNT; i++) ctw_base__free(ctx, t->series[i]);
    void *const blocks[] = {t->klass, t->server,  t->service, t->replica, t->job,      t->request,
                            t->fault, t->waiting, t->running, t->llm.at,  t->llm.line, t->heap.at};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) ctw_base__free(ctx, blocks[i]);
    ctw_queue_unref(t->queue);
    ctw_rca_unref(t->rca);
    ctw_params_unref(t->place_params);
    ctw_params_unref(t->queue_params);
    ctw_params_unref(t->params);
}

CTW_DEFINE_REFS(ctw_twin, ctw_twin__destroy)

static void read_options(ctw_twin *t)
{
    const struct {
        const char *key;
        double *to;
    } reals[] = {{"checkpoint_s", &t->checkpoint_s},
                 {"coverage", &t->coverage},
                 {"day_s", &t->day_s},
                 {"drain_s", &t->drain_s},
                 {"headroom", &t->headroom},
                 {"heartbeat_s", &t->heartbeat_s},
                 {"horizon_s", &t->horizon_s},
                 {"llm_slowdown", &t->llm_slowdown},
                 {"margin", &t->margin},
                 {"max_slowdown", &t->max_slowdown},
                 {"plan_slot_s", &t->plan_slot_s},
                 {"replan_s", &t->replan_s},
                 {"restart_s", &t->restart_s},
                 {"hop_s", &t->hop_s},
                 {"io_share", &t->io_share},
                 {"slot_s", &t->slot_s},
                 {"tail", &t->tail}};
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++)
        *reals[i].to = ctw_base__opt_f64(t->params, &ctw_twin__kind, reals[i].key);
    t->max_events = (uint64_t)ctw_base__opt_i64(t->params, &ctw_twin__kind, "max_events");
    t->rca_traces = (uint64_t)ctw_base__opt_i64(t->params, &ctw_twin__kind, "rca_traces");
}

ctw_status ctw_twin_new(ctw_ctx *ctx, const ctw_params *params, ctw_twin **out)
{
    static const char fn[] = "ctw_twin_new";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    CTW_TRY(ctw_base__params_check(params, &ctw_twin__kind, fn));
    ctw_twin *t = ctw_base__handle_new(ctx, sizeof *t, CTW_TWIN__MAGIC);
    if (!t) return CTW_E_NOMEM;
    ctw_status s = ctw_base__params_copy(ctx, params, &ctw_twin__kind, &t->params);
    if (s != CTW_OK) {
        ctw_twin_unref(t);
        return s;
    }
    read_options(t);
    ctw_num__rng_init(&t->rng, ctw_base__seed(ctx), CTW_TWIN__MAGIC,
                      (uint64_t)ctw_base__opt_i64(t->params, &ctw_twin__kind, "stream"));
    t->count.diagnosed_s = -INFINITY;
    *out = t;
    return CTW_OK;
}

ctw_status ctw_twin__copy_params(ctw_ctx *ctx, const ctw_params *p, const char *kind, ctw_params **out)
{
    ctw_params *copy = NULL;
    CTW_TRY(ctw_params_new(ctx, kind, &copy));
    for (uint64_t i = 0; p && i < ctw_params_count(p); i++) {
        const char *key;
        char text[4096];
        ctw_status s = ctw_params_at(p, i, &key, NULL, NULL);
        if (s == CTW_OK && ctw_base__params_text(p, i, text, sizeof text) >= sizeof text)
            s = ctw_base__fail(CTW_E_RANGE, "ctw_twin: the value of option %s is too long", key);
        if (s == CTW_OK) s = ctw_params_set_text(copy, key, text);
        if (s != CTW_OK) {
            ctw_params_unref(copy);
            return s;
        }
    }
    *out = copy;
    return CTW_OK;
}

/* Index of an id in an array of n structs of `size` bytes that begin with their id. */
static ctw_status find(const void *base, size_t n, size_t size, int64_t id, const char *fn, const char *what,
                       uint32_t *idx)
{
    const char *p = base;
    for (size_t i = 0; i < n; i++, p += size) {
        if (*(const int64_t *)(const void *)p != id) continue;
        *idx = (uint32_t)i;
        return CTW_OK;
    }
    return ctw_base__fail(CTW_E_KEY, "%s: there is no %s %lld", fn, what, (long long)id);
}

ctw_status ctw_twin__find_region(const ctw_twin *t, int64_t id, const char *fn, uint32_t *idx)
{
    return find(t->region, t->n_region, sizeof *t->region, id, fn, "region", idx);
}

ctw_status ctw_twin__find_class(const ctw_twin *t, int64_t id, const char *fn, uint32_t *idx)
{
    return find(t->klass, t->n_klass, sizeof *t->klass, id, fn, "class", idx);
}

ctw_status ctw_twin__find_service(const ctw_twin *t, int64_t id, const char *fn, uint32_t *idx)
{
    return find(t->service, t->n_service, sizeof *t->service, id, fn, "service", idx);
}

ctw_status ctw_twin__find_server(const ctw_twin *t, int64_t id, const char *fn, uint32_t *idx)
{
    return find(t->server, t->n_server, sizeof *t->server, id, fn, "server", idx);
}

ctw_status ctw_twin__post(ctw_twin *t, double time, ctw_twin__event_kind kind, size_t idx, uint64_t version)
{
    return ctw_twin__heap_push(t->h.ctx, &t->heap, time, kind, idx, version);
}

ctw_status ctw_twin__part_failed(ctw_twin *t, ctw_status s, const char *part)
{
    if (s == CTW_E_NOMEM || s == CTW_E_CANCELLED) return s;
    t->count.part_failures++;
    ctw_base__log(t->h.ctx, CTW_LOG_WARN, "twin", "%s failed at %.0f s, its fallback acts: %s", part, t->now,
                  ctw_error_message());
    return CTW_OK;
}

/* ---- events ---- */

static ctw_status on_slot(ctw_twin *t)
{
    for (size_t i = 0; i < t->n_server; i++) ctw_twin__account(t, &t->server[i]);
    if (t->now > 0.0) CTW_TRY(ctw_twin__sample(t));
    CTW_TRY(ctw_twin__restore_replicas(t));
    CTW_TRY(ctw_twin__govern(t));
    for (size_t i = 0; i < t->n_service; i++) ctw_twin__service_refresh(t, i);
    CTW_TRY(ctw_twin__diagnose(t));
    CTW_TRY(ctw_twin__jobs_start(t));
    CTW_TRY(ctw_twin__dispatch(t));
    ctw_twin__check_recovery(t);
    return ctw_twin__post(t, t->now + t->slot_s, CTW_EV_SLOT, 0, 0);
}

static ctw_status on_replica_up(ctw_twin *t, size_t replica)
{
    t->replica[replica].ready = 1;
    ctw_twin__service_refresh(t, t->replica[replica].service);
    ctw_twin__check_recovery(t);
    return CTW_OK;
}

static ctw_status on_event(ctw_twin *t, const ctw_twin__event *e)
{
    switch (e->kind) {
    case CTW_EV_SLOT: return on_slot(t);
    case CTW_EV_OBSERVE: return ctw_twin__observe(t, e->idx);
    case CTW_EV_REPLAN: return e->idx == t->plan_generation ? ctw_twin__replan(t) : CTW_OK;
    case CTW_EV_JOB: return ctw_twin__job_arrives(t, e->idx); /* or is woken by its plan */
    case CTW_EV_JOB_DONE:
        if (t->job[e->idx].version != e->version) return CTW_OK;
        ctw_twin__job_done(t, e->idx);
        return ctw_twin__jobs_start(t);
    case CTW_EV_REQUEST: /* what arrives or begins does so once, even if a file names it twice */
        return t->request[e->idx].state == CTW_JOB_FUTURE ? ctw_twin__request_arrives(t, e->idx) : CTW_OK;
    case CTW_EV_ANSWER: return t->request[e->idx].version == e->version ? ctw_twin__answer(t, e->idx) : CTW_OK;
    case CTW_EV_FAULT_ON: return t->fault[e->idx].active ? CTW_OK : ctw_twin__fault_on(t, e->idx);
    case CTW_EV_FAULT_OFF: return t->fault[e->idx].active ? ctw_twin__fault_off(t, e->idx) : CTW_OK;
    case CTW_EV_LOSS_SEEN: return t->fault[e->idx].active ? ctw_twin__loss_seen(t, e->idx) : CTW_OK;
    case CTW_EV_REPLICA_UP: return t->replica[e->idx].version == e->version ? on_replica_up(t, e->idx) : CTW_OK;
    default: return ctw_base__fail(CTW_E_INTERNAL, "ctw_twin_run: event of kind %u", e->kind);
    }
}

/* Forecasts and levels exist before the first job arrives. */
static ctw_status begin(ctw_twin *t)
{
    if (t->n_region == 0 || t->n_server == 0)
        return ctw_base__fail(CTW_E_STATE, "ctw_twin_run: the twin has no servers yet");
    t->started = 1;
    for (size_t i = 0; i < t->n_service; i++) ctw_twin__service_refresh(t, i); /* the load before the first slot */
    for (size_t i = 0; i < t->n_region; i++) CTW_TRY(ctw_twin__observe(t, i));
    if (t->place_params) CTW_TRY(ctw_twin__replan(t));
    return on_slot(t);
}

static ctw_status report_progress(ctw_twin *t)
{
    double carbon = 0.0;
    for (int u = 0; u < CTW_USES; u++) carbon += t->carbon_g[u];
    double done = t->until_s > t->from_s ? (t->now - t->from_s) / (t->until_s - t->from_s) : 1.0;
    if (t->progress(t->progress_user, t->count.events, done, carbon) == 0) return CTW_OK;
    return ctw_base__fail(CTW_E_CANCELLED, "ctw_twin_run: stopped by the progress function at %.0f s", t->now);
}

static ctw_status loop(ctw_twin *t, double until_s, ctw_cancel *cancel)
{
    while (t->heap.n > 0 && t->heap.at[0].time <= until_s) {
        if (t->count.events % 64 == 0) CTW_TRY(ctw_base__stopped(cancel, "ctw_twin_run"));
        ctw_twin__event e = ctw_twin__heap_pop(&t->heap);
        double before = t->now;
        t->now = fmax(t->now, e.time);
        t->count.events++;
        ctw_status s = on_event(t, &e);
        if (s == CTW_OK && t->count.events >= t->max_events)
            s = ctw_base__fail(CTW_E_RANGE, "ctw_twin_run: %llu events by %.0f s, option max_events allows no more",
                               (unsigned long long)t->count.events, t->now);
        if (s != CTW_OK) {
            t->broken = 1;
            return s;
        }
        if (t->progress && floor(t->now / 3600.0) > floor(before / 3600.0)) CTW_TRY(report_progress(t));
    }
    t->now = until_s;
    for (size_t i = 0; i < t->n_server; i++) ctw_twin__account(t, &t->server[i]);
    for (size_t i = 0; i < t->n_service; i++) ctw_twin__service_refresh(t, i);
    return CTW_OK;
}

ctw_status ctw_twin_run(ctw_twin *t, double until_s, ctw_cancel *cancel)
{
    static const char fn[] = "ctw_twin_run";
    CTW_TRY(ctw_base__handle_enter(t ? &t->h : NULL, CTW_TWIN__MAGIC, fn, "t"));
    ctw_status s = ctw_base__in(until_s, 0.0, 1e12, fn, "until_s");
    if (s == CTW_OK && until_s < t->now)
        s = ctw_base__fail(CTW_E_RANGE, "%s: until_s is %g, the twin is at %g already", fn, until_s, t->now);
    if (s == CTW_OK && t->broken)
        s = ctw_base__fail(CTW_E_STATE, "%s: an earlier run ended inside an event; clone or load an earlier state", fn);
    t->from_s = t->now;
    t->until_s = until_s;
    if (s == CTW_OK && !t->started) {
        s = begin(t);
        if (s != CTW_OK && t->started) t->broken = 1;
    }
    if (s == CTW_OK) s = loop(t, until_s, cancel);
    ctw_base__handle_leave(&t->h);
    return s;
}

double ctw_twin_now(const ctw_twin *t)
{
    return t ? t->now : 0.0;
}
