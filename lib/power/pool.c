/* pool.c: the public verbs of a pool: events in, one operating point and who sleeps out. Requests in service are taken
 * to be the first of the queue, as many as servers take work: that is what serving in order of arrival means. */
#include "power/pool_internal.h"

#include "base/ctx.h"
#include "base/report.h"
#include "power/plan.h"
#include "power/power_params.h"
#include <math.h>
#include <string.h>

static void destroy(ctw_pool *p)
{
    ctw_ctx *ctx = p->h.ctx;
    ctw_governor__queue_free(ctx, &p->q);
    ctw_governor__history_free(ctx, &p->past);
    ctw_base__free(ctx, p->done);
    ctw_base__free(ctx, p->cluster.at);
    ctw_base__free(ctx, p->sorted);
    ctw_base__free(ctx, p->by_arrival);
    ctw_params_unref(p->params);
}

CTW_DEFINE_REFS(ctw_pool, destroy)

static ctw_status make(ctw_pool *p, const ctw_params *params)
{
    const ctw_base__kind *const kind = &ctw_pool__kind;
    size_t window = (size_t)ctw_base__opt_i64(params, kind, "window");
    p->budget = ctw_base__opt_f64(params, kind, "late_budget");
    p->lag = ctw_base__opt_f64(params, kind, "lag_s");
    p->switch_joule = ctw_base__opt_f64(params, kind, "switch_joule");
    p->every = ctw_base__opt_f64(params, kind, "every_s");
    p->capacity = (size_t)ctw_base__opt_i64(params, kind, "capacity");
    p->tune_every = ctw_base__opt_i64(params, kind, "tune_every");
    p->cluster.window = ctw_base__opt_f64(params, kind, "window_s");
    p->cluster.sds = ctw_base__opt_f64(params, kind, "deviations");
    p->cluster.patience = ctw_base__opt_f64(params, kind, "patience");
    p->cluster.max_load = 1.0;
    p->sorted = ctw_base__alloc(p->h.ctx, window, 4 * sizeof *p->sorted);
    p->by_arrival = ctw_base__alloc(p->h.ctx, window, sizeof *p->by_arrival);
    if (!p->sorted || !p->by_arrival) return CTW_E_NOMEM;
    CTW_TRY(ctw_governor__history_new(p->h.ctx, &p->past, window));
    return ctw_base__params_copy(p->h.ctx, params, kind, &p->params);
}

ctw_status ctw_pool_new(ctw_ctx *ctx, const ctw_params *params, ctw_pool **out)
{
    static const char *fn = "ctw_pool_new";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    CTW_TRY(ctw_base__params_check(params, &ctw_pool__kind, fn));
    ctw_pool *p = ctw_base__handle_new(ctx, sizeof *p, CTW_POOL_MAGIC);
    if (!p) return CTW_E_NOMEM;
    ctw_status s = make(p, params);
    if (s != CTW_OK) {
        ctw_pool_unref(p);
        return s;
    }
    *out = p;
    return CTW_OK;
}

/* ---- servers ---- */

static ctw_status check_servers(const ctw_pool *p, uint64_t n, double sleep_watts, double wake_s, double wake_joule,
                                const char *fn)
{
    CTW_TRY(ctw_base__handle_check(p ? &p->h : NULL, CTW_POOL_MAGIC, fn, "p"));
    CTW_TRY(ctw_base__in_u64(n, 1, CTW_POOL_MOST, fn, "n"));
    if (!(isinf(sleep_watts) && sleep_watts > 0.0)) CTW_TRY(ctw_base__in(sleep_watts, 0.0, 1e9, fn, "sleep_watts"));
    CTW_TRY(ctw_base__in(wake_s, 0.0, 1e7, fn, "wake_s"));
    return ctw_base__in(wake_joule, 0.0, 1e12, fn, "wake_joule");
}

/* New servers make the record meaningless, as new points do. */
static void restart(ctw_pool *p)
{
    ctw_pool__rule safe = ctw_pool__safe(p);
    ctw_cluster__restart(&p->cluster);
    p->awake = p->cluster.n;
    p->at = p->plan.top;
    p->past.n = 0;
    p->brought = p->saving = 0.0;
    p->tick = p->now;
    for (size_t i = 0; i < p->cluster.n; i++) p->shadow[i] = p->now;
    p->hold = p->holds = 0;
    ctw_pool__use(p, &safe);
}

static ctw_status take(ctw_pool *p, size_t n, double sleep_watts, double wake_s, double wake_joule,
                       const ctw_power__plan *plan, const char *fn)
{
    ctw_ctx *ctx = p->h.ctx;
    if (p->q.n)
        return ctw_base__fail(CTW_E_STATE, "%s: %zu requests are here; servers change only when none is", fn, p->q.n);
    double *block = ctw_base__alloc(ctx, n, 8 * sizeof *block);
    ctw_cluster__server *at = ctw_base__alloc(ctx, 2 * n, sizeof *at);
    if (!block || !at) {
        ctw_base__free(ctx, block);
        ctw_base__free(ctx, at);
        return CTW_E_NOMEM;
    }
    ctw_base__free(ctx, p->done);
    ctw_base__free(ctx, p->cluster.at);
    p->done = block;
    p->shadow = block + n;
    p->scratch = block + 2 * n;
    p->cluster.at = at;
    p->cluster.n = n;
    p->sleepers = at + n;
    p->plan = *plan;
    p->plan.switch_joule = p->switch_joule;
    double asleep = fmin(sleep_watts, plan->idle[0]);
    for (size_t i = 0; i < n; i++) at[i] = ctw_cluster__server_of(i, 1.0, plan->idle[0], asleep, wake_s, wake_joule);
    restart(p);
    return CTW_OK;
}

ctw_status ctw_pool_set_servers(ctw_pool *p, uint64_t n, double sleep_watts, double wake_s, double wake_joule,
                                const double *mhz, const double *slowdown, const double *watts,
                                const double *idle_watts, uint64_t points)
{
    static const char *fn = "ctw_pool_set_servers";
    ctw_power__plan plan;
    CTW_TRY(check_servers(p, n, sleep_watts, wake_s, wake_joule, fn));
    CTW_TRY(ctw_power__plan_set(&plan, mhz, slowdown, watts, idle_watts, points, fn));
    CTW_TRY(ctw_base__handle_enter(&p->h, CTW_POOL_MAGIC, fn, "p"));
    ctw_status s = take(p, n, sleep_watts, wake_s, wake_joule, &plan, fn);
    ctw_base__handle_leave(&p->h);
    return s;
}

ctw_status ctw_pool_set_device(ctw_pool *p, uint64_t n, double sleep_watts, double wake_s, double wake_joule,
                               const ctw_power *device, double membound)
{
    static const char *fn = "ctw_pool_set_device";
    ctw_power__plan t;
    CTW_TRY(ctw_power__plan_of(&t, device, membound, fn));
    return ctw_pool_set_servers(p, n, sleep_watts, wake_s, wake_joule, t.mhz, t.slow, t.watts, t.idle, t.n);
}

ctw_status ctw_pool_set_cap(ctw_pool *p, double watts)
{
    static const char *fn = "ctw_pool_set_cap";
    if (isnan(watts)) return ctw_base__fail(CTW_E_NONFINITE, "%s: watts is NaN", fn);
    if (!(watts > 0.0)) return ctw_base__fail(CTW_E_RANGE, "%s: watts is %g, must be > 0", fn, watts);
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_POOL_MAGIC, fn, "p"));
    ctw_status s = CTW_OK;
    double n = (double)p->cluster.n;
    if (p->cluster.n == 0) {
        s = ctw_base__fail(CTW_E_STATE, "%s: the pool has no servers yet", fn);
    } else {
        size_t top = p->plan.n;
        while (top > 0 && n * p->plan.watts[top - 1] > watts) top--;
        if (top == 0)
            s = ctw_base__fail(CTW_E_INFEASIBLE,
                               "%s: at the lowest point %g servers draw %g W, above the cap of %g W; "
                               "it is used",
                               fn, n, n * p->plan.watts[0], watts);
        p->plan.top = top ? top - 1 : 0;
        if (p->rule.fixed >= 0) p->rule.fixed = (int)p->plan.top; /* until the next tuning */
    }
    ctw_base__handle_leave(&p->h);
    return s;
}

/* ---- time and events ---- */

/* Servers awake take up what waits, in order. */
static void begin_service(ctw_pool *p)
{
    for (; p->running < p->q.n && p->running < p->awake; p->running++) p->done[p->running] = 0.0;
}

static void look_who_sleeps(ctw_pool *p)
{
    ctw_cluster__state *c = &p->cluster;
    double since = c->started ? p->now - c->now : 0.0;
    (void)ctw_cluster__step(c, p->now, since > 0.0 ? p->brought / since : 0.0);
    p->brought = 0.0;
    p->tick = p->now + p->every;
    p->awake = 0;
    for (size_t i = 0; i < c->n; i++) p->awake += c->at[i].state == CTW_CLUSTER_AWAKE;
}

static void begin_clock(ctw_pool *p, double now_s)
{
    for (size_t i = 0; i < p->cluster.n; i++) p->shadow[i] = now_s;
    p->tick = now_s;
    p->started = 1;
}

/* Time moves on to now_s: those in service are worked at the point in effect. */
static ctw_status advance(ctw_pool *p, double now_s, const char *fn)
{
    CTW_TRY(ctw_base__in(now_s, -1e15, 1e15, fn, "now_s"));
    if (p->cluster.n == 0) return ctw_base__fail(CTW_E_STATE, "%s: the pool has no servers yet", fn);
    if (p->started && now_s < p->now)
        return ctw_base__fail(CTW_E_RANGE, "%s: now_s is %.17g, before the last event (%.17g)", fn, now_s, p->now);
    if (!p->started) begin_clock(p, now_s);
    for (size_t i = 0; i < p->running; i++) p->done[i] += (now_s - p->now) / p->plan.slow[p->at];
    p->now = now_s;
    if (now_s >= p->tick) look_who_sleeps(p);
    begin_service(p);
    return CTW_OK;
}

static ctw_status arrive(ctw_pool *p, int64_t id, double now_s, double work_s, double deadline_s, const char *fn)
{
    CTW_TRY(ctw_base__in(work_s, 1e-9, 1e9, fn, "work_s"));
    CTW_TRY(ctw_base__in(deadline_s, -1e15, 1e15, fn, "deadline_s"));
    CTW_TRY(ctw_base__in_u64(p->q.n, 0, p->capacity - 1, fn, "number of requests here (option capacity)"));
    /* Room first: afterwards nothing can fail half way. */
    CTW_TRY(ctw_governor__queue_push(p->h.ctx, &p->q, id, work_s, deadline_s, now_s));
    p->q.n--;
    CTW_TRY(advance(p, now_s, fn));
    p->q.n++;
    p->brought += work_s;
    begin_service(p);
    return CTW_OK;
}

ctw_status ctw_pool_arrive(ctw_pool *p, int64_t id, double now_s, double work_s, double deadline_s)
{
    static const char *fn = "ctw_pool_arrive";
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_POOL_MAGIC, fn, "p"));
    ctw_status s = arrive(p, id, now_s, work_s, deadline_s, fn);
    ctw_base__handle_leave(&p->h);
    return s;
}

/* Late or not, here and on shadow servers that run everything at the top point; then into the record. */
static void account(ctw_pool *p, size_t pos, double work_s)
{
    const ctw_governor__queue *q = &p->q;
    size_t i = q->head + pos, first = 0;
    double work = isnan(work_s) ? q->work[i] : work_s;
    for (size_t k = 1; k < p->cluster.n; k++)
        if (p->shadow[k] < p->shadow[first]) first = k;
    p->shadow[first] = fmax(p->shadow[first], q->arrival[i]) + work;
    p->late_top += p->shadow[first] > q->deadline[i] + 1e-9;
    p->late += p->now > q->deadline[i] + 1e-9;
    p->completed++;
    p->since_tuning++;
    ctw_governor__history_add(&p->past, q->arrival[i], work, q->work[i], q->deadline[i]);
}

static void leave(ctw_pool *p, size_t pos)
{
    ctw_governor__queue_remove(&p->q, pos);
    if (pos < p->running) {
        p->running--;
        memmove(p->done + pos, p->done + pos + 1, (p->running - pos) * sizeof *p->done);
    }
    begin_service(p);
}

static ctw_status find(ctw_pool *p, int64_t id, double now_s, size_t *pos, const char *fn)
{
    *pos = ctw_governor__queue_find(&p->q, id);
    if (*pos == SIZE_MAX) return ctw_base__fail(CTW_E_KEY, "%s: no request %lld is here", fn, (long long)id);
    return advance(p, now_s, fn);
}

static ctw_status complete(ctw_pool *p, int64_t id, double now_s, double work_s, const char *fn)
{
    size_t pos;
    if (!isnan(work_s)) CTW_TRY(ctw_base__in(work_s, 1e-9, 1e9, fn, "work_s"));
    CTW_TRY(find(p, id, now_s, &pos, fn));
    account(p, pos, work_s);
    leave(p, pos);
    ctw_pool__watch(p);
    if (p->hold > 0 || !p->tune_every || p->since_tuning < p->tune_every) return CTW_OK;
    if (p->holds > 0) p->holds--; /* a period without failure */
    return ctw_pool__choose(p, NULL, fn);
}

ctw_status ctw_pool_complete(ctw_pool *p, int64_t id, double now_s, double work_s)
{
    static const char *fn = "ctw_pool_complete";
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_POOL_MAGIC, fn, "p"));
    ctw_status s = complete(p, id, now_s, work_s, fn);
    ctw_base__handle_leave(&p->h);
    return s;
}

ctw_status ctw_pool_drop(ctw_pool *p, int64_t id, double now_s)
{
    static const char *fn = "ctw_pool_drop";
    size_t pos;
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_POOL_MAGIC, fn, "p"));
    ctw_status s = find(p, id, now_s, &pos, fn);
    if (s == CTW_OK) leave(p, pos);
    ctw_base__handle_leave(&p->h);
    return s;
}

/* ---- decisions ---- */

static void decide(ctw_pool *p)
{
    const ctw_governor__queue *q = &p->q;
    double *left = p->scratch, *ends = left + p->cluster.n;
    for (size_t i = 0; i < p->running; i++) left[i] = ctw_pool__believed(q->work[q->head + i], p->done[i]);
    size_t next = q->head + p->running;
    ctw_pool__view v = {left,
                        q->deadline ? q->deadline + q->head : NULL,
                        p->running,
                        q->work ? q->work + next : NULL,
                        q->deadline ? q->deadline + next : NULL,
                        q->n - p->running,
                        p->awake,
                        ends};
    p->at = ctw_pool__decide(&p->plan, &p->rule, &v, p->now, p->at);
}

ctw_status ctw_pool_decide(ctw_pool *p, double now_s, double *mhz, int32_t *state, uint64_t *awake)
{
    static const char *fn = "ctw_pool_decide";
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_POOL_MAGIC, fn, "p"));
    ctw_status s = advance(p, now_s, fn);
    if (s == CTW_OK) {
        decide(p);
        if (mhz) *mhz = p->plan.mhz[p->at];
        for (size_t i = 0; state && i < p->cluster.n; i++) state[p->cluster.at[i].name] = p->cluster.at[i].state;
        if (awake) *awake = p->awake;
    }
    ctw_base__handle_leave(&p->h);
    return s;
}

ctw_status ctw_pool_tune(ctw_pool *p, ctw_cancel *cancel)
{
    static const char *fn = "ctw_pool_tune";
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_POOL_MAGIC, fn, "p"));
    ctw_status s = p->cluster.n ? ctw_pool__choose(p, cancel, fn)
                                : ctw_base__fail(CTW_E_STATE, "%s: the pool has no servers yet", fn);
    ctw_base__handle_leave(&p->h);
    return s;
}

static ctw_status fill(const ctw_pool *p, ctw_report *r)
{
    double n = p->completed ? (double)p->completed : 1.0;
    CTW_TRY(ctw_base__report_i64(r, "completed", p->completed));
    CTW_TRY(ctw_base__report_i64(r, "late", p->late));
    CTW_TRY(ctw_base__report_i64(r, "late_at_top", p->late_top));
    CTW_TRY(ctw_base__report_f64(r, "attainment", 1.0 - (double)p->late / n));
    CTW_TRY(ctw_base__report_f64(r, "attainment_at_top", 1.0 - (double)p->late_top / n));
    CTW_TRY(ctw_base__report_i64(r, "here", (int64_t)p->q.n));
    CTW_TRY(ctw_base__report_i64(r, "tunings", p->tunings));
    CTW_TRY(ctw_base__report_i64(r, "wakes", p->cluster.wakes));
    CTW_TRY(ctw_base__report_str(r, "rule", p->rule.fixed >= 0 ? "fixed" : "stretch"));
    double mhz = p->cluster.n ? p->plan.mhz[p->rule.fixed >= 0 ? (size_t)p->rule.fixed : p->plan.top] : 0.0;
    CTW_TRY(ctw_base__report_f64(r, "rule_mhz", mhz));
    CTW_TRY(ctw_base__report_f64(r, "rule_guard", p->rule.guard));
    CTW_TRY(ctw_base__report_f64(r, "rule_price", p->rule.price));
    CTW_TRY(ctw_base__report_f64(r, "rule_queue_price", p->rule.queue_price));
    CTW_TRY(ctw_base__report_f64(r, "rule_busy_price", p->rule.busy_price));
    CTW_TRY(ctw_base__report_f64(r, "rule_max_load", p->rule.max_load));
    return ctw_base__report_f64(r, "replay_saving", p->saving);
}

ctw_status ctw_pool_report(const ctw_pool *p, ctw_report **out)
{
    static const char *fn = "ctw_pool_report";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__handle_check(p ? &p->h : NULL, CTW_POOL_MAGIC, fn, "p"));
    ctw_report *r = NULL;
    CTW_TRY(ctw_base__report_new(p->h.ctx, &r));
    ctw_status s = fill(p, r);
    if (s != CTW_OK) {
        ctw_report_unref(r);
        return s;
    }
    *out = r;
    return CTW_OK;
}
