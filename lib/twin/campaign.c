/* campaign.c: fault-injection campaigns. An episode is a draw of faults, a run of a copy through them, and the traces
 * seen meanwhile; nothing here that a host could not do through twin.h, but for knowing which servers matter. */
#include "base/cancel.h"
#include "base/ctx.h"
#include "twin/twin_internal.h"
#include "twin/twin_params.h"
#include <cybertwin/campaign.h>
#include <stdio.h>
#include <string.h>

#define CTW_CAMPAIGN_MAGIC CTW_FOUR('C', 'A', 'M', 'P')

enum { KINDS = 6, MAX_AT_ONCE = 16, EPISODES_A_COPY = 64 /* a copy keeps past faults; looking through them costs */ };

static const struct {
    const char *name;
    int32_t kind;
} kinds[KINDS] = {{"cpu", CTW_FAULT_CPU}, {"memory", CTW_FAULT_MEMORY},   {"llc", CTW_FAULT_LLC},
                  {"io", CTW_FAULT_IO},   {"network", CTW_FAULT_NETWORK}, {"slowdown", CTW_FAULT_SLOWDOWN}};

typedef struct injection {
    uint32_t server;
    int32_t kind;
    double left;
} injection;

struct ctw_campaign {
    ctw_base__handle h;
    ctw_params *params;
    ctw_twin *origin, *copy; /* copy NULL: to be made */
    ctw_num__rng rng;
    int32_t kind[KINDS];
    size_t n_kinds, at_once;
    double quiet, mildest, harshest, fault_s, rest_s;
    uint64_t copies, episodes; /* episodes: of this copy */
};

static void destroy(ctw_campaign *c)
{
    ctw_params_unref(c->params);
    ctw_twin_unref(c->origin);
    ctw_twin_unref(c->copy);
}

CTW_DEFINE_REFS(ctw_campaign, destroy)

static ctw_status add_kind(ctw_campaign *c, const char *text, size_t len, const char *fn)
{
    for (size_t k = 0; k < KINDS; k++) {
        if (strlen(kinds[k].name) != len || memcmp(kinds[k].name, text, len) != 0) continue;
        for (size_t i = 0; i < c->n_kinds; i++)
            if (c->kind[i] == kinds[k].kind)
                return ctw_base__fail(CTW_E_ARG, "%s: option kinds names '%.*s' twice", fn, (int)len, text);
        c->kind[c->n_kinds++] = kinds[k].kind;
        return CTW_OK;
    }
    return ctw_base__fail(CTW_E_KEY, "%s: no kind of fault '%.*s'; there are cpu, memory, llc, io, network, slowdown",
                          fn, (int)len, text);
}

static ctw_status read_kinds(ctw_campaign *c, const char *list, const char *fn)
{
    for (;;) {
        size_t len = strcspn(list, ",");
        CTW_TRY(add_kind(c, list, len, fn));
        if (!list[len]) return CTW_OK;
        list += len + 1;
    }
}

static ctw_status configure(ctw_campaign *c, const ctw_params *params, const char *fn)
{
    const ctw_base__kind *kind = &ctw_campaign__kind;
    CTW_TRY(ctw_base__params_copy(c->h.ctx, params, kind, &c->params));
    c->at_once = (size_t)ctw_base__opt_i64(c->params, kind, "at_once");
    c->quiet = ctw_base__opt_f64(c->params, kind, "quiet");
    c->mildest = ctw_base__opt_f64(c->params, kind, "mildest");
    c->harshest = ctw_base__opt_f64(c->params, kind, "harshest");
    c->fault_s = ctw_base__opt_f64(c->params, kind, "fault_s");
    c->rest_s = ctw_base__opt_f64(c->params, kind, "rest_s");
    if (c->harshest > c->mildest)
        return ctw_base__fail(CTW_E_ARG, "%s: option harshest is %g, mildest is %g: less is left of the former", fn,
                              c->harshest, c->mildest);
    ctw_num__rng_init(&c->rng, ctw_base__seed(c->h.ctx), CTW_CAMPAIGN_MAGIC,
                      (uint64_t)ctw_base__opt_i64(c->params, kind, "stream"));
    return read_kinds(c, ctw_base__opt_str(c->params, kind, "kinds"), fn);
}

/* The campaign has a copy of its own as origin, so that the host's twin may go on meanwhile. */
ctw_status ctw_campaign_new(ctw_ctx *ctx, const ctw_params *params, const ctw_twin *t, ctw_campaign **out)
{
    static const char fn[] = "ctw_campaign_new";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    CTW_TRY(ctw_base__params_check(params, &ctw_campaign__kind, fn));
    CTW_TRY(ctw_base__handle_check(t ? &t->h : NULL, CTW_TWIN__MAGIC, fn, "t"));
    if (!t->n_service) return ctw_base__fail(CTW_E_STATE, "%s: the twin has no services", fn);
    ctw_campaign *c = ctw_base__handle_new(ctx, sizeof *c, CTW_CAMPAIGN_MAGIC);
    if (!c) return CTW_E_NOMEM;
    ctw_status st = configure(c, params, fn);
    if (st == CTW_OK && t->now + c->fault_s + c->rest_s > t->day_s)
        st = ctw_base__fail(CTW_E_STATE, "%s: an episode takes %g s, the twin's day has %g left", fn,
                            c->fault_s + c->rest_s, t->day_s - t->now);
    if (st == CTW_OK) st = ctw_twin_clone(t, &c->origin);
    if (st != CTW_OK) {
        ctw_campaign_unref(c);
        return st;
    }
    *out = c;
    return CTW_OK;
}

/* A copy whose day has room for one more episode. Nobody drains servers in it: faults must last to be seen. */
static ctw_status ready(ctw_campaign *c)
{
    if (c->copy && c->episodes < EPISODES_A_COPY && c->copy->now + c->fault_s + c->rest_s <= c->copy->day_s)
        return CTW_OK;
    ctw_twin_unref(c->copy);
    c->copy = NULL;
    CTW_TRY(ctw_twin_clone(c->origin, &c->copy));
    CTW_TRY(ctw_twin_set_rca(c->copy, NULL));
    /* other traces than the copy before drew, at other times of the day */
    ctw_num__rng_init(&c->copy->rng, ctw_num__rng_u64(&c->rng), CTW_TWIN__MAGIC, c->copies++);
    c->episodes = 0;
    double room = c->copy->day_s - c->copy->now - EPISODES_A_COPY * (c->fault_s + c->rest_s);
    double from = c->copy->now + (room > 0.0 ? room * ctw_num__rng_uniform(&c->rng) : 0.0);
    return ctw_twin_run(c->copy, from > c->copy->now + 1.0 ? from : c->copy->now + 1.0, NULL);
}

/* Servers on which a service runs now, each once. */
static size_t hosts(const ctw_twin *t, uint32_t *out)
{
    size_t n = 0;
    for (size_t s = 0; s < t->n_server; s++)
        for (size_t i = 0; i < t->n_replica; i++)
            if (t->replica[i].server == s && t->replica[i].ready && t->replica[i].mean_s > 0.0) {
                out[n++] = (uint32_t)s;
                break;
            }
    return n;
}

static ctw_status draw(ctw_campaign *c, injection *in, size_t *n, const char *fn)
{
    uint32_t *host = ctw_base__alloc(c->h.ctx, c->copy->n_server, sizeof *host);
    if (!host) return CTW_E_NOMEM;
    size_t m = hosts(c->copy, host), most = m < c->at_once ? m : c->at_once;
    *n = 0;
    if (m && ctw_num__rng_uniform(&c->rng) >= c->quiet) *n = 1 + (size_t)ctw_num__rng_below(&c->rng, most);
    for (size_t k = 0; k < *n; k++) {
        size_t j = k + (size_t)ctw_num__rng_below(&c->rng, m - k);
        in[k].server = host[j];
        host[j] = host[k];
        in[k].kind = c->kind[ctw_num__rng_below(&c->rng, c->n_kinds)];
        in[k].left = c->harshest + (c->mildest - c->harshest) * ctw_num__rng_uniform(&c->rng);
    }
    ctw_base__free(c->h.ctx, host);
    return m ? CTW_OK : ctw_base__fail(CTW_E_INFEASIBLE, "%s: no server runs a service", fn);
}

static ctw_status episode(ctw_campaign *c, ctw_calls *window, injection *in, size_t *n, ctw_cancel *cancel,
                          const char *fn)
{
    CTW_TRY(ctw_base__stopped(cancel, fn));
    CTW_TRY(ready(c));
    ctw_twin *t = c->copy;
    CTW_TRY(draw(c, in, n, fn));
    double from = t->now;
    for (size_t k = 0; k < *n; k++)
        CTW_TRY(ctw_twin_add_fault(t, in[k].kind, t->server[in[k].server].id, from, from + c->fault_s, in[k].left));
    CTW_TRY(ctw_twin_run(t, from + 0.5 * c->fault_s, cancel));
    CTW_TRY(ctw_twin_sample_calls(t, window));
    CTW_TRY(ctw_twin_run(t, from + c->fault_s + c->rest_s, cancel));
    c->episodes++;
    return CTW_OK;
}

static ctw_status next(ctw_campaign *c, ctw_calls *window, injection *in, size_t *n, ctw_cancel *cancel, const char *fn)
{
    ctw_status st = episode(c, window, in, n, cancel, fn);
    if (st != CTW_OK) { /* half an episode is none */
        ctw_twin_unref(c->copy);
        c->copy = NULL;
    }
    return st;
}

ctw_status ctw_campaign_next(ctw_campaign *c, ctw_calls *window, uint64_t cap, int64_t *server, int32_t *kind,
                             double *left, uint64_t *n, ctw_cancel *cancel)
{
    static const char fn[] = "ctw_campaign_next";
    injection in[MAX_AT_ONCE];
    size_t k = 0;
    CTW_TRY(ctw_base__need(window, fn, "window"));
    CTW_TRY(ctw_base__need(n, fn, "n"));
    CTW_TRY(ctw_base__handle_enter(c ? &c->h : NULL, CTW_CAMPAIGN_MAGIC, fn, "c"));
    ctw_status st = CTW_OK;
    if ((server || kind || left) && cap < c->at_once)
        st = ctw_base__fail(CTW_E_BUFFER, "%s: cap is %llu, up to %zu faults come at once", fn, (unsigned long long)cap,
                            c->at_once);
    if (st == CTW_OK) st = next(c, window, in, &k, cancel, fn);
    for (size_t i = 0; st == CTW_OK && i < k; i++) {
        if (server) server[i] = c->copy->server[in[i].server].id;
        if (kind) kind[i] = in[i].kind;
        if (left) left[i] = in[i].left;
    }
    if (st == CTW_OK) *n = k;
    ctw_base__handle_leave(&c->h);
    return st;
}

/* Learns a quiet window. */
static ctw_status learn_quiet(ctw_campaign *c, ctw_rca *m, ctw_calls *window, ctw_cancel *cancel, const char *fn)
{
    injection in[MAX_AT_ONCE];
    size_t n;
    double quiet = c->quiet;
    c->quiet = 1.0; /* never reached by a uniform number */
    ctw_status st = ctw_calls_clear(window);
    if (st == CTW_OK) st = next(c, window, in, &n, cancel, fn);
    c->quiet = quiet;
    return st == CTW_OK && ctw_calls_count(window) ? ctw_rca_learn(m, window, cancel) : st;
}

static ctw_status add_case(ctw_campaign *c, ctw_rca *m, ctw_calls *window, ctw_cancel *cancel, const char *fn)
{
    injection in[MAX_AT_ONCE];
    char text[MAX_AT_ONCE][48];
    const char *culprit[MAX_AT_ONCE];
    size_t n;
    CTW_TRY(ctw_calls_clear(window));
    CTW_TRY(next(c, window, in, &n, cancel, fn));
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(text[i], sizeof text[i], "server %lld", (long long)c->copy->server[in[i].server].id);
        culprit[i] = text[i];
    }
    return ctw_calls_count(window) ? ctw_rca_add_case(m, window, culprit, n) : CTW_OK;
}

static ctw_status train(ctw_campaign *c, ctw_rca *m, uint64_t quiet, uint64_t cases, ctw_cancel *cancel, const char *fn)
{
    ctw_calls *window;
    CTW_TRY(ctw_calls_new(c->h.ctx, NULL, &window));
    ctw_status st = CTW_OK;
    for (uint64_t i = 0; st == CTW_OK && i < quiet; i++) st = learn_quiet(c, m, window, cancel, fn);
    for (uint64_t i = 0; st == CTW_OK && i < cases; i++) st = add_case(c, m, window, cancel, fn);
    ctw_calls_unref(window);
    return st == CTW_OK ? ctw_rca_fit(m, cancel) : st;
}

ctw_status ctw_campaign_train(ctw_campaign *c, ctw_rca *m, uint64_t quiet, uint64_t cases, ctw_cancel *cancel)
{
    static const char fn[] = "ctw_campaign_train";
    CTW_TRY(ctw_base__need(m, fn, "m"));
    CTW_TRY(ctw_base__handle_enter(c ? &c->h : NULL, CTW_CAMPAIGN_MAGIC, fn, "c"));
    ctw_status st = train(c, m, quiet, cases, cancel, fn);
    ctw_base__handle_leave(&c->h);
    return st;
}
