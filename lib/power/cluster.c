/* cluster.c: the public verbs of a cluster whose servers sleep; who sleeps is decided in cluster_core.c. */
#include "power/cluster_internal.h"

#include "base/ctx.h"
#include "base/report.h"
#include "power/power_params.h"
#include <math.h>

static void destroy(ctw_cluster *c)
{
    ctw_base__free(c->h.ctx, c->s.at);
    ctw_params_unref(c->params);
}

CTW_DEFINE_REFS(ctw_cluster, destroy)

ctw_status ctw_cluster_new(ctw_ctx *ctx, const ctw_params *params, ctw_cluster **out)
{
    static const char *fn = "ctw_cluster_new";
    const ctw_base__kind *const kind = &ctw_cluster__kind;
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    CTW_TRY(ctw_base__params_check(params, kind, fn));
    ctw_cluster *c = ctw_base__handle_new(ctx, sizeof *c, CTW_CLUSTER_MAGIC);
    if (!c) return CTW_E_NOMEM;
    ctw_cluster__options(&c->s, params);
    ctw_status s = ctw_base__params_copy(ctx, params, kind, &c->params);
    if (s != CTW_OK) {
        ctw_cluster_unref(c);
        return s;
    }
    *out = c;
    return CTW_OK;
}

static ctw_status check_servers(uint64_t n, const double *capacity, const double *idle, const double *sleep,
                                const double *wake_s, const double *wake_joule, const char *fn)
{
    CTW_TRY(ctw_base__in_u64(n, 1, 1000000, fn, "n"));
    CTW_TRY(ctw_base__need(idle, fn, "idle_watts"));
    CTW_TRY(ctw_base__need(sleep, fn, "sleep_watts"));
    CTW_TRY(ctw_base__need(wake_s, fn, "wake_s"));
    CTW_TRY(ctw_base__need(wake_joule, fn, "wake_joule"));
    if (capacity) CTW_TRY(ctw_base__all_in(capacity, n, 1, 1e-9, 1e9, fn, "capacity"));
    CTW_TRY(ctw_base__all_in(idle, n, 1, 0.0, 1e9, fn, "idle_watts"));
    CTW_TRY(ctw_base__all_in(sleep, n, 1, 0.0, 1e9, fn, "sleep_watts"));
    CTW_TRY(ctw_base__all_in(wake_s, n, 1, 0.0, 1e7, fn, "wake_s"));
    return ctw_base__all_in(wake_joule, n, 1, 0.0, 1e12, fn, "wake_joule");
}

ctw_status ctw_cluster_set_servers(ctw_cluster *c, uint64_t n, const double *capacity, const double *idle_watts,
                                   const double *sleep_watts, const double *wake_s, const double *wake_joule)
{
    static const char *fn = "ctw_cluster_set_servers";
    CTW_TRY(check_servers(n, capacity, idle_watts, sleep_watts, wake_s, wake_joule, fn));
    CTW_TRY(ctw_base__handle_enter(c ? &c->h : NULL, CTW_CLUSTER_MAGIC, fn, "c"));
    ctw_ctx *ctx = c->h.ctx;
    ctw_cluster__server *at = ctw_base__alloc(ctx, n, sizeof *at);
    size_t *order = ctw_base__alloc(ctx, n, sizeof *order);
    double *key = ctw_base__alloc(ctx, n, sizeof *key);
    ctw_status s = at && order && key ? CTW_OK : CTW_E_NOMEM;
    if (s == CTW_OK) {
        ctw_cluster__fill(at, order, key, n, capacity, idle_watts, sleep_watts, wake_s, wake_joule);
        ctw_cluster__server *old = c->s.at;
        c->s.at = at;
        at = old;
        c->s.n = n;
        ctw_cluster__restart(&c->s);
        c->resumed = 0;
    }
    ctw_base__free(ctx, at);
    ctw_base__free(ctx, order);
    ctw_base__free(ctx, key);
    ctw_base__handle_leave(&c->h);
    return s;
}

static ctw_status update(ctw_cluster *c, double now_s, double load, int32_t *state, uint64_t *awake, const char *fn)
{
    if (c->s.n == 0) return ctw_base__fail(CTW_E_STATE, "%s: the cluster has no servers yet", fn);
    CTW_TRY(ctw_base__in(now_s, -1e15, 1e15, fn, "now_s"));
    CTW_TRY(ctw_base__in(load, 0.0, 1e15, fn, "load"));
    if (c->s.started && !c->resumed && now_s < c->s.now)
        return ctw_base__fail(CTW_E_RANGE, "%s: now_s is %.17g, before the last call (%.17g)", fn, now_s, c->s.now);
    if (c->resumed) ctw_cluster__move(&c->s, now_s - c->s.now);
    c->resumed = 0;
    double have = ctw_cluster__step(&c->s, now_s, load);
    uint64_t taking = 0;
    for (size_t i = 0; i < c->s.n; i++) {
        taking += c->s.at[i].state == CTW_CLUSTER_AWAKE;
        if (state) state[c->s.at[i].name] = c->s.at[i].state;
    }
    if (awake) *awake = taking;
    if (have >= c->s.needed) return CTW_OK;
    return ctw_base__fail(CTW_E_INFEASIBLE, "%s: a load of %g needs a capacity of %g, all servers together have %g", fn,
                          load, c->s.needed, have);
}

ctw_status ctw_cluster_update(ctw_cluster *c, double now_s, double load, int32_t *state, uint64_t *awake)
{
    static const char *fn = "ctw_cluster_update";
    CTW_TRY(ctw_base__handle_enter(c ? &c->h : NULL, CTW_CLUSTER_MAGIC, fn, "c"));
    ctw_status s = update(c, now_s, load, state, awake, fn);
    ctw_base__handle_leave(&c->h);
    return s;
}

static ctw_status report(const ctw_cluster *c, ctw_report *r)
{
    CTW_TRY(ctw_base__report_f64(r, "seconds", c->s.started ? c->s.now - c->s.begin : 0.0));
    CTW_TRY(ctw_base__report_i64(r, "wakes", c->s.wakes));
    CTW_TRY(ctw_base__report_i64(r, "short_sleeps", c->s.short_sleeps));
    CTW_TRY(ctw_base__report_f64(r, "idle_joule", c->s.idle_joule));
    CTW_TRY(ctw_base__report_f64(r, "idle_joule_all_awake", c->s.all_awake_joule));
    CTW_TRY(ctw_base__report_f64(r, "needed", c->s.needed));
    return ctw_base__report_f64(r, "mean_load", c->s.mean);
}

ctw_status ctw_cluster_report(const ctw_cluster *c, ctw_report **out)
{
    static const char *fn = "ctw_cluster_report";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__handle_check(c ? &c->h : NULL, CTW_CLUSTER_MAGIC, fn, "c"));
    ctw_report *r = NULL;
    CTW_TRY(ctw_base__report_new(c->h.ctx, &r));
    ctw_status s = report(c, r);
    if (s != CTW_OK) {
        ctw_report_unref(r);
        return s;
    }
    *out = r;
    return CTW_OK;
}
