/* diagnose.c: when a service breaks its promise, sampled request traces go to the localiser, and the server it
 * holds guilty is drained. Servers are the components here, so one slow machine shows through every service on
 * it. What tracing would show is drawn from the response times that services.c computes. */
#include "twin/twin_internal.h"
#include <cybertwin/spans.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Slots between two diagnoses, so that a drain can take effect before the next. */
#define COOLDOWN_SLOTS 3
/* At most this share of a region's servers is drained at a time: a localiser gone wild must not empty it. */
#define MAX_DRAINED 0.2

/* Rows of one trace, built up column by column. */
typedef struct trace_rows {
    size_t n;
    int64_t *trace, *component, *operation, *caller;
    double *root_us, *measure; /* measure: n rows of CTW_CALL_COLUMNS */
} trace_rows;

static ctw_status rows_new(ctw_ctx *ctx, size_t n, trace_rows *r)
{
    int64_t *ids = CTW_NEW(ctx, 4 * n, int64_t);
    double *v = CTW_NEW(ctx, n * (1 + CTW_CALL_COLUMNS), double);
    if (!ids || !v) {
        ctw_base__free(ctx, ids);
        ctw_base__free(ctx, v);
        return CTW_E_NOMEM;
    }
    *r = (trace_rows){n, ids, ids + n, ids + 2 * n, ids + 3 * n, v, v + n};
    return CTW_OK;
}

/* A ready replica of the component by the flip of a coin, NULL when there is none. */
static const ctw_twin__replica *visit(ctw_twin *t, const ctw_twin__service *s, uint32_t component)
{
    const ctw_twin__replica *ready[CTW_TWIN__MAX_REPLICAS];
    size_t n = 0;
    for (uint32_t i = 0; i < s->replicas; i++) {
        const ctw_twin__replica *r = &t->replica[s->first + component * s->replicas + i];
        if (r->server != CTW_TWIN__NONE && r->ready && r->mean_s > 0.0) ready[n++] = r;
    }
    return n ? ready[ctw_num__rng_below(&t->rng, n)] : NULL;
}

/* One request through all components; 0 when a component has no replica (no trace comes back then). */
static ctw_status one_trace(ctw_twin *t, const ctw_twin__service *s, int64_t trace, trace_rows *r, ctw_calls *calls,
                            int *whole)
{
    char text[96];
    *whole = 1;
    for (uint32_t c = 0; c < s->components; c++) {
        const ctw_twin__replica *v = visit(t, s, c);
        if (!v) {
            *whole = 0;
            return CTW_OK;
        }
        double *m = r->measure + (size_t)c * CTW_CALL_COLUMNS;
        ctw_twin__press on = ctw_twin__press_on(t, v->server);
        double own = 1e6 * v->mean_s * ctw_num__rng_exponential(&t->rng) + 1e6 * ctw_twin__io_wait(t, s, &on);
        memset(m, 0, CTW_CALL_COLUMNS * sizeof *m);
        m[CTW_CALL_SELF] = m[CTW_CALL_PATH] = own;
        m[CTW_CALL_NET] = c ? 1e6 * ctw_twin__hop_wait(t, &on) : 0.0; /* nobody sees a request's way to the root */
        m[CTW_CALL_EXCL] = own + m[CTW_CALL_NET];
        m[CTW_CALL_SPANS] = 1.0;
        m[CTW_CALL_OUT] = c + 1 < s->components;
        (void)snprintf(text, sizeof text, "server %lld", (long long)t->server[v->server].id);
        CTW_TRY(ctw_calls_name(calls, text, &r->component[c]));
        (void)snprintf(text, sizeof text, "service %lld.%u", (long long)s->id, (unsigned)c);
        CTW_TRY(ctw_calls_name(calls, text, &r->operation[c]));
        r->caller[c] = c ? r->component[c - 1] : -1;
        r->trace[c] = trace;
    }
    double incl = 0.0;
    for (uint32_t c = s->components; c-- > 0;) {
        double *m = r->measure + (size_t)c * CTW_CALL_COLUMNS;
        m[CTW_CALL_INCL] = incl += m[CTW_CALL_SELF];
        m[CTW_CALL_CLIENT] = incl += m[CTW_CALL_NET];
        if (c) m[CTW_CALL_PATH - CTW_CALL_COLUMNS] += m[CTW_CALL_NET]; /* the caller's span was open meanwhile */
    }
    for (uint32_t c = 0; c < s->components; c++) r->root_us[c] = incl;
    return CTW_OK;
}

ctw_status ctw_twin__sample_calls(ctw_twin *t, ctw_calls *calls)
{
    int64_t trace = (int64_t)ctw_calls_traces(calls);
    for (size_t i = 0; i < t->n_service; i++) {
        const ctw_twin__service *s = &t->service[i];
        trace_rows r;
        ctw_status st = CTW_OK;
        if (!(s->now_rate > 0.0)) continue;
        CTW_TRY(rows_new(t->h.ctx, s->components, &r));
        for (uint64_t k = 0; st == CTW_OK && k < t->rca_traces; k++) {
            int whole = 0;
            st = one_trace(t, s, trace++, &r, calls, &whole);
            if (st == CTW_OK && whole)
                st = ctw_calls_add(calls, r.n, r.trace, r.root_us, r.component, r.operation, r.caller, r.measure,
                                   CTW_CALL_COLUMNS);
        }
        ctw_base__free(t->h.ctx, r.trace);
        ctw_base__free(t->h.ctx, r.root_us);
        CTW_TRY(st);
    }
    return CTW_OK;
}

ctw_status ctw_twin_sample_calls(ctw_twin *t, ctw_calls *calls)
{
    static const char fn[] = "ctw_twin_sample_calls";
    CTW_TRY(ctw_base__handle_enter(t ? &t->h : NULL, CTW_TWIN__MAGIC, fn, "t"));
    ctw_status s = ctw_base__need(calls, fn, "calls");
    if (s == CTW_OK && !t->started) s = ctw_base__fail(CTW_E_STATE, "%s: the twin has not run yet", fn);
    if (s == CTW_OK) s = ctw_twin__sample_calls(t, calls);
    ctw_base__handle_leave(&t->h);
    return s;
}

/* The server a component name means, NONE for a foreign one. */
static uint32_t server_named(const ctw_twin *t, const char *name)
{
    char text[96];
    for (size_t i = 0; i < t->n_server; i++) {
        (void)snprintf(text, sizeof text, "server %lld", (long long)t->server[i].id);
        if (strcmp(text, name) == 0) return (uint32_t)i;
    }
    return CTW_TWIN__NONE;
}

static int may_drain(const ctw_twin *t, uint32_t server)
{
    size_t all = 0, drained = 0;
    for (size_t i = 0; i < t->n_server; i++) {
        if (t->server[i].region != t->server[server].region || t->server[i].instance) continue;
        all++;
        drained += !ctw_twin__usable(t, &t->server[i]);
    }
    return (double)(drained + 1) <= fmax(1.0, MAX_DRAINED * (double)all);
}

static ctw_status drain(ctw_twin *t, uint32_t server)
{
    for (size_t i = 0; i < t->n_fault; i++) {
        ctw_twin__fault *f = &t->fault[i];
        if (f->active && ctw_twin__slows(f) && f->found < 0) f->found = (int64_t)server;
    }
    if (t->server[server].lost || !ctw_twin__usable(t, &t->server[server]) || !may_drain(t, server)) return CTW_OK;
    t->count.drains++;
    t->server[server].drained_until_s = t->now + t->drain_s;
    ctw_twin__evict_replicas(t, server);
    CTW_TRY(ctw_twin__restore_replicas(t));
    for (size_t i = 0; i < t->n_service; i++) ctw_twin__service_refresh(t, i);
    return ctw_twin__replan_soon(t);
}

/* The most suspicious server that is held guilty, NONE when nobody is. */
static ctw_status localise(ctw_twin *t, ctw_calls *calls, uint32_t *server)
{
    ctw_ranking *r = NULL;
    const char *name = NULL;
    *server = CTW_TWIN__NONE;
    if (ctw_calls_count(calls) == 0) return CTW_OK;
    CTW_TRY(ctw_rca_rank(t->rca, calls, NULL, &r));
    ctw_status s = CTW_OK;
    if (ctw_ranking_guilty(r) > 0) s = ctw_ranking_at(r, 0, &name, NULL);
    if (s == CTW_OK && name) *server = server_named(t, name);
    ctw_ranking_unref(r);
    return s;
}

ctw_status ctw_twin__diagnose(ctw_twin *t)
{
    size_t broken = 0;
    for (size_t i = 0; i < t->n_service; i++) broken += !t->service[i].ok;
    if (!t->rca || !broken || t->now < t->count.diagnosed_s + COOLDOWN_SLOTS * t->slot_s) return CTW_OK;
    ctw_calls *calls = NULL;
    uint32_t server = CTW_TWIN__NONE;
    ctw_status s = ctw_calls_new(t->h.ctx, NULL, &calls);
    if (s == CTW_OK) s = ctw_twin__sample_calls(t, calls);
    if (s == CTW_OK) s = localise(t, calls, &server);
    ctw_calls_unref(calls);
    t->count.diagnoses++;
    t->count.diagnosed_s = t->now;
    if (s != CTW_OK) return ctw_twin__part_failed(t, s, "rca");
    return server == CTW_TWIN__NONE ? CTW_OK : drain(t, server);
}
