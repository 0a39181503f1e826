/* governor.c: the public verbs of a governor: events in, the operating point out. */
#include "power/governor_internal.h"

#include "base/ctx.h"
#include "base/report.h"
#include "power/plan.h"
#include "power/power_params.h"
#include <math.h>

static void destroy(ctw_governor *g)
{
    ctw_governor__queue_free(g->h.ctx, &g->q);
    ctw_governor__history_free(g->h.ctx, &g->past);
    ctw_governor__experts_free(g->h.ctx, &g->experts);
    ctw_params_unref(g->params);
}

CTW_DEFINE_REFS(ctw_governor, destroy)

ctw_status ctw_governor_new(ctw_ctx *ctx, const ctw_params *params, ctw_governor **out)
{
    static const char *fn = "ctw_governor_new";
    const ctw_base__kind *const kind = &ctw_governor__kind;
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    CTW_TRY(ctw_base__params_check(params, kind, fn));
    ctw_governor *g = ctw_base__handle_new(ctx, sizeof *g, CTW_GOVERNOR_MAGIC);
    if (!g) return CTW_E_NOMEM;
    g->budget = ctw_base__opt_f64(params, kind, "late_budget");
    g->lag = ctw_base__opt_f64(params, kind, "lag_s");
    g->switch_joule = ctw_base__opt_f64(params, kind, "switch_joule");
    g->capacity = (size_t)ctw_base__opt_i64(params, kind, "capacity");
    g->tune_every = ctw_base__opt_i64(params, kind, "tune_every");
    ctw_status s = ctw_governor__history_new(ctx, &g->past, (size_t)ctw_base__opt_i64(params, kind, "window"));
    if (s == CTW_OK) s = ctw_governor__experts_new(ctx, &g->experts);
    if (s == CTW_OK) s = ctw_base__params_copy(ctx, params, kind, &g->params);
    if (s != CTW_OK) {
        ctw_governor_unref(g);
        return s;
    }
    *out = g;
    return CTW_OK;
}

/* A new table makes the record meaningless: deadlines and work were told in terms of the old top point. */
void ctw_governor__take_plan(ctw_governor *g, const ctw_power__plan *plan)
{
    g->plan = *plan;
    g->plan.switch_joule = g->switch_joule;
    g->rule = (ctw_power__rule){.fixed = (int)plan->top};
    g->at = plan->top;
    g->past.n = 0;
    g->pace.n = 0;
    g->saving = 0.0;
    g->hold = g->holds = 0;
    ctw_governor__experts_begin(&g->experts, &g->plan);
    ctw_governor__begin_period(g);
}

ctw_status ctw_governor_set_table(ctw_governor *g, const double *mhz, const double *slowdown, const double *watts,
                                  const double *idle_watts, uint64_t n)
{
    static const char *fn = "ctw_governor_set_table";
    ctw_power__plan plan;
    CTW_TRY(ctw_base__handle_check(g ? &g->h : NULL, CTW_GOVERNOR_MAGIC, fn, "g"));
    CTW_TRY(ctw_power__plan_set(&plan, mhz, slowdown, watts, idle_watts, n, fn));
    CTW_TRY(ctw_base__handle_enter(&g->h, CTW_GOVERNOR_MAGIC, fn, "g"));
    ctw_governor__take_plan(g, &plan);
    ctw_base__handle_leave(&g->h);
    return CTW_OK;
}

ctw_status ctw_governor_set_device(ctw_governor *g, const ctw_power *device, double membound)
{
    static const char *fn = "ctw_governor_set_device";
    ctw_power__plan t;
    CTW_TRY(ctw_power__plan_of(&t, device, membound, fn));
    return ctw_governor_set_table(g, t.mhz, t.slow, t.watts, t.idle, t.n);
}

ctw_status ctw_governor_set_cap(ctw_governor *g, double watts)
{
    static const char *fn = "ctw_governor_set_cap";
    if (isnan(watts)) return ctw_base__fail(CTW_E_NONFINITE, "%s: watts is NaN", fn);
    if (!(watts > 0.0)) return ctw_base__fail(CTW_E_RANGE, "%s: watts is %g, must be > 0", fn, watts);
    CTW_TRY(ctw_base__handle_enter(g ? &g->h : NULL, CTW_GOVERNOR_MAGIC, fn, "g"));
    ctw_status s = CTW_OK;
    ctw_power__plan *p = &g->plan;
    if (p->n == 0) {
        s = ctw_base__fail(CTW_E_STATE, "%s: the governor has no table yet", fn);
    } else {
        size_t top = p->n;
        while (top > 0 && p->watts[top - 1] > watts) top--;
        if (top == 0)
            s = ctw_base__fail(CTW_E_INFEASIBLE, "%s: the lowest point draws %g W, above the cap of %g W; it is used",
                               fn, p->watts[0], watts);
        if (p->top != (top ? top - 1 : 0)) {
            p->top = top ? top - 1 : 0;
            ctw_governor__experts_begin(&g->experts, p);
        }
        if (g->rule.fixed >= 0) g->rule.fixed = (int)p->top; /* until the next tuning */
    }
    ctw_base__handle_leave(&g->h);
    return s;
}

/* Time moves on to now_s: the head is worked at the point in effect. */
static ctw_status advance(ctw_governor *g, double now_s, const char *fn)
{
    CTW_TRY(ctw_base__in(now_s, -1e15, 1e15, fn, "now_s"));
    if (g->plan.n == 0) return ctw_base__fail(CTW_E_STATE, "%s: the governor has no table yet", fn);
    if (g->started && now_s < g->now)
        return ctw_base__fail(CTW_E_RANGE, "%s: now_s is %.17g, before the last event (%.17g)", fn, now_s, g->now);
    if (g->started && g->q.n) g->head_done += (now_s - g->now) / g->plan.slow[g->at];
    if (!g->started) {
        ctw_governor__history_move(&g->past, now_s - g->now); /* a loaded record: no time has passed since saving */
        g->shadow_free = now_s;
    }
    g->now = now_s;
    g->started = 1;
    return CTW_OK;
}

static ctw_status arrive(ctw_governor *g, int64_t id, double now_s, double work_s, double deadline_s, const char *fn)
{
    CTW_TRY(ctw_base__in(work_s, 1e-9, 1e9, fn, "work_s"));
    CTW_TRY(ctw_base__in(deadline_s, -1e15, 1e15, fn, "deadline_s"));
    CTW_TRY(ctw_base__in_u64(g->q.n, 0, g->capacity - 1, fn, "number of waiting requests (option capacity)"));
    /* Room first: afterwards nothing can fail half way. */
    CTW_TRY(ctw_governor__queue_push(g->h.ctx, &g->q, id, work_s, deadline_s, now_s));
    g->q.n--;
    CTW_TRY(advance(g, now_s, fn));
    g->q.n++;
    ctw_power__pace_add(&g->pace, now_s, work_s);
    if (g->q.n == 1) g->head_done = 0.0;
    return CTW_OK;
}

ctw_status ctw_governor_arrive(ctw_governor *g, int64_t id, double now_s, double work_s, double deadline_s)
{
    static const char *fn = "ctw_governor_arrive";
    CTW_TRY(ctw_base__handle_enter(g ? &g->h : NULL, CTW_GOVERNOR_MAGIC, fn, "g"));
    ctw_status s = arrive(g, id, now_s, work_s, deadline_s, fn);
    ctw_base__handle_leave(&g->h);
    return s;
}

static ctw_status leave(ctw_governor *g, int64_t id, double now_s, size_t *pos, const char *fn)
{
    *pos = ctw_governor__queue_find(&g->q, id);
    if (*pos == SIZE_MAX) return ctw_base__fail(CTW_E_KEY, "%s: no request %lld is waiting", fn, (long long)id);
    return advance(g, now_s, fn);
}

/* Late or not, here and in a shadow server that runs everything at the top point; then into the record. */
static void account(ctw_governor *g, size_t pos, double work_s)
{
    const ctw_governor__queue *q = &g->q;
    size_t i = q->head + pos;
    double work = isnan(work_s) ? q->work[i] : work_s;
    if (q->arrival[i] > g->shadow_free) g->shadow_free = q->arrival[i];
    g->shadow_free += work;
    g->late_top += g->shadow_free > q->deadline[i] + 1e-9;
    g->late += g->now > q->deadline[i] + 1e-9;
    g->completed++;
    g->since_tuning++;
    ctw_governor__remember(g, q->arrival[i], work, q->work[i], q->deadline[i]);
}

static ctw_status complete(ctw_governor *g, int64_t id, double now_s, double work_s, const char *fn)
{
    size_t pos;
    if (!isnan(work_s)) CTW_TRY(ctw_base__in(work_s, 1e-9, 1e9, fn, "work_s"));
    CTW_TRY(leave(g, id, now_s, &pos, fn));
    account(g, pos, work_s);
    ctw_governor__queue_remove(&g->q, pos);
    if (pos == 0) g->head_done = 0.0;
    ctw_governor__watch(g);
    if (g->hold > 0 || !g->tune_every || g->since_tuning < g->tune_every) return CTW_OK;
    if (g->rule.fixed != (int)g->plan.top && g->holds > 0) g->holds--; /* a period without failure */
    return ctw_governor__choose(g, NULL, fn);
}

ctw_status ctw_governor_complete(ctw_governor *g, int64_t id, double now_s, double work_s)
{
    static const char *fn = "ctw_governor_complete";
    CTW_TRY(ctw_base__handle_enter(g ? &g->h : NULL, CTW_GOVERNOR_MAGIC, fn, "g"));
    ctw_status s = complete(g, id, now_s, work_s, fn);
    ctw_base__handle_leave(&g->h);
    return s;
}

ctw_status ctw_governor_drop(ctw_governor *g, int64_t id, double now_s)
{
    static const char *fn = "ctw_governor_drop";
    size_t pos;
    CTW_TRY(ctw_base__handle_enter(g ? &g->h : NULL, CTW_GOVERNOR_MAGIC, fn, "g"));
    ctw_status s = leave(g, id, now_s, &pos, fn);
    if (s == CTW_OK) {
        ctw_governor__queue_remove(&g->q, pos);
        if (pos == 0) g->head_done = 0.0;
    }
    ctw_base__handle_leave(&g->h);
    return s;
}

static void decide(ctw_governor *g)
{
    if (g->q.n == 0) {
        g->at = ctw_power__rule_idle(&g->rule);
    } else {
        const double *work = g->q.work + g->q.head;
        double left = work[0] - g->head_done, least = 0.05 * work[0];
        ctw_power__waiting q = {work, g->q.deadline + g->q.head, g->q.n, left > least ? left : least,
                                ctw_power__pace_load(&g->pace, g->now)};
        g->at = ctw_power__rule_decide(&g->plan, &g->rule, &q, g->now, g->at);
    }
    if (g->at > g->plan.top) g->at = g->plan.top;
}

ctw_status ctw_governor_decide(ctw_governor *g, double now_s, double *mhz, double *watts)
{
    static const char *fn = "ctw_governor_decide";
    CTW_TRY(ctw_base__handle_enter(g ? &g->h : NULL, CTW_GOVERNOR_MAGIC, fn, "g"));
    ctw_status s = advance(g, now_s, fn);
    if (s == CTW_OK) {
        decide(g);
        if (mhz) *mhz = g->plan.mhz[g->at];
        if (watts) *watts = g->q.n ? g->plan.watts[g->at] : g->plan.idle[g->at];
    }
    ctw_base__handle_leave(&g->h);
    return s;
}

ctw_status ctw_governor_tune(ctw_governor *g, ctw_cancel *cancel)
{
    static const char *fn = "ctw_governor_tune";
    CTW_TRY(ctw_base__handle_enter(g ? &g->h : NULL, CTW_GOVERNOR_MAGIC, fn, "g"));
    ctw_status s = g->plan.n ? ctw_governor__choose(g, cancel, fn)
                             : ctw_base__fail(CTW_E_STATE, "%s: the governor has no table yet", fn);
    ctw_base__handle_leave(&g->h);
    return s;
}

static ctw_status fill(const ctw_governor *g, ctw_report *r)
{
    double n = g->completed ? (double)g->completed : 1.0;
    CTW_TRY(ctw_base__report_i64(r, "completed", g->completed));
    CTW_TRY(ctw_base__report_i64(r, "late", g->late));
    CTW_TRY(ctw_base__report_i64(r, "late_at_top", g->late_top));
    CTW_TRY(ctw_base__report_f64(r, "attainment", 1.0 - (double)g->late / n));
    CTW_TRY(ctw_base__report_f64(r, "attainment_at_top", 1.0 - (double)g->late_top / n));
    CTW_TRY(ctw_base__report_i64(r, "waiting", (int64_t)g->q.n));
    CTW_TRY(ctw_base__report_i64(r, "tunings", g->tunings));
    CTW_TRY(ctw_base__report_str(r, "rule", g->rule.fixed >= 0 ? "fixed" : "stretch"));
    double mhz = g->plan.n ? g->plan.mhz[g->rule.fixed >= 0 ? (size_t)g->rule.fixed : g->plan.top] : 0.0;
    CTW_TRY(ctw_base__report_f64(r, "rule_mhz", mhz));
    CTW_TRY(ctw_base__report_f64(r, "rule_guard", g->rule.guard));
    CTW_TRY(ctw_base__report_f64(r, "rule_price", g->rule.price));
    CTW_TRY(ctw_base__report_f64(r, "rule_queue_price", g->rule.queue_price));
    CTW_TRY(ctw_base__report_f64(r, "rule_load_price", g->rule.load_price));
    return ctw_base__report_f64(r, "replay_saving", g->saving);
}

ctw_status ctw_governor_report(const ctw_governor *g, ctw_report **out)
{
    static const char *fn = "ctw_governor_report";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__handle_check(g ? &g->h : NULL, CTW_GOVERNOR_MAGIC, fn, "g"));
    ctw_report *r = NULL;
    CTW_TRY(ctw_base__report_new(g->h.ctx, &r));
    ctw_status s = fill(g, r);
    if (s != CTW_OK) {
        ctw_report_unref(r);
        return s;
    }
    *out = r;
    return CTW_OK;
}
