/* parts.c: putting modules into the twin and taking them out. Fitted models that only answer are shared; those that
 * learn during a run are copied, so that the host's own handle stays as it is. */
#include "twin/twin_internal.h"
#include <math.h>

static ctw_status enter(ctw_twin *t, const char *fn)
{
    return ctw_base__handle_enter(t ? &t->h : NULL, CTW_TWIN__MAGIC, fn, "t");
}

static ctw_status leave(ctw_twin *t, ctw_status s)
{
    ctw_base__handle_leave(&t->h);
    return s;
}

static void drop_forecast(ctw_twin *t, ctw_twin__region *r)
{
    ctw_forecast_unref(r->forecast);
    ctw_base__free(t->h.ctx, r->mean);
    r->forecast = NULL;
    r->mean = r->lo = r->hi = NULL;
}

static ctw_status set_forecast(ctw_twin *t, int64_t region, const ctw_forecast *f, const char *fn)
{
    uint32_t i;
    ctw_forecast *copy = NULL;
    CTW_TRY(ctw_twin__find_region(t, region, fn, &i));
    if (f) CTW_TRY(ctw_twin__copy_forecast(t->h.ctx, f, &copy));
    if (f && t->started && !t->region[i].forecast) {
        /* its next step comes when the sensor's does */
        ctw_twin__region *r = &t->region[i];
        double next = (floor(t->now / r->step_s) + 1.0) * r->step_s;
        ctw_status s = ctw_twin__post(t, next, CTW_EV_OBSERVE, i, 0);
        if (s != CTW_OK) {
            ctw_forecast_unref(copy);
            return s;
        }
    }
    drop_forecast(t, &t->region[i]);
    t->region[i].forecast = copy;
    return CTW_OK;
}

ctw_status ctw_twin_set_forecast(ctw_twin *t, int64_t region, const ctw_forecast *f)
{
    static const char fn[] = "ctw_twin_set_forecast";
    CTW_TRY(enter(t, fn));
    return leave(t, set_forecast(t, region, f, fn));
}

/* Guard on the rows that the history gives. */
static ctw_status fit_guard(ctw_ctx *ctx, const ctw_params *params, const double *history, size_t n, ctw_guard **out)
{
    size_t rows = n - CTW_TWIN__RECENT + 1, d = CTW_TWIN__GUARD_FEATURES;
    double *x = CTW_NEW(ctx, rows * d, double);
    if (!x) return CTW_E_NOMEM;
    for (size_t i = 0; i < rows; i++) ctw_twin__guard_row(&history[i + CTW_TWIN__RECENT - 1], x + i * d);
    ctw_guard *g = NULL;
    ctw_status s = ctw_guard_new(ctx, params, &g);
    if (s == CTW_OK) s = ctw_guard_fit(g, x, rows, d, d);
    ctw_base__free(ctx, x);
    if (s != CTW_OK) {
        ctw_guard_unref(g);
        return s;
    }
    *out = g;
    return CTW_OK;
}

static ctw_status set_guard(ctw_twin *t, int64_t region, const ctw_params *guard, const ctw_params *watch,
                            const double *history, uint64_t n, const char *fn)
{
    uint32_t i;
    ctw_guard *g = NULL;
    ctw_watch *w = NULL;
    CTW_TRY(ctw_twin__find_region(t, region, fn, &i));
    ctw_twin__region *r = &t->region[i];
    if (n > 0 || history) {
        CTW_TRY(ctw_base__in_u64(n, CTW_TWIN__RECENT, 100000000, fn, "n"));
        CTW_TRY(ctw_base__need(history, fn, "history"));
        CTW_TRY(ctw_base__all_finite(history, n, 1, fn, "history"));
        CTW_TRY(fit_guard(t->h.ctx, guard, history, (size_t)n, &g));
        ctw_status s = ctw_watch_new(t->h.ctx, watch, &w);
        if (s != CTW_OK) {
            ctw_guard_unref(g);
            return s;
        }
        for (size_t k = 0; k < CTW_TWIN__RECENT; k++) r->recent[k] = history[n - CTW_TWIN__RECENT + k];
        r->n_recent = CTW_TWIN__RECENT;
    }
    ctw_guard_unref(r->guard);
    ctw_watch_unref(r->watch);
    r->guard = g;
    r->watch = w;
    return CTW_OK;
}

ctw_status ctw_twin_set_guard(ctw_twin *t, int64_t region, const ctw_params *guard, const ctw_params *watch,
                              const double *history, uint64_t n)
{
    static const char fn[] = "ctw_twin_set_guard";
    CTW_TRY(enter(t, fn));
    return leave(t, set_guard(t, region, guard, watch, history, n, fn));
}

ctw_status ctw_twin_set_power(ctw_twin *t, int64_t klass, ctw_power *p)
{
    static const char fn[] = "ctw_twin_set_power";
    uint32_t i;
    CTW_TRY(enter(t, fn));
    ctw_status s = ctw_twin__find_class(t, klass, fn, &i);
    if (s == CTW_OK) {
        ctw_power *old = t->klass[i].power;
        t->klass[i].power = ctw_power_ref(p);
        ctw_power_unref(old);
    }
    return leave(t, s);
}

/* Replaces a bag by a copy of `p`, which must be of this kind; a handle is built once to prove that it can be. */
static ctw_status set_params(ctw_twin *t, const ctw_params *p, const char *kind, ctw_params **to)
{
    ctw_params *copy = NULL;
    if (p) CTW_TRY(ctw_twin__copy_params(t->h.ctx, p, kind, &copy));
    ctw_params_unref(*to);
    *to = copy;
    return CTW_OK;
}

static ctw_status set_place(ctw_twin *t, const ctw_params *place)
{
    ctw_place *trial = NULL;
    if (place) {
        CTW_TRY(ctw_place_new(t->h.ctx, place, &trial));
        ctw_place_unref(trial);
        if (t->started && !t->place_params) CTW_TRY(ctw_twin__post(t, t->now, CTW_EV_REPLAN, ++t->plan_generation, 0));
    }
    CTW_TRY(set_params(t, place, "place", &t->place_params));
    if (!place) /* what waited for a plan runs now */
        for (size_t i = 0; i < t->n_waiting; i++) ctw_twin__set_start(t, &t->job[t->waiting[i]], t->now);
    return CTW_OK;
}

ctw_status ctw_twin_set_place(ctw_twin *t, const ctw_params *place)
{
    CTW_TRY(enter(t, "ctw_twin_set_place"));
    return leave(t, set_place(t, place));
}

static ctw_status set_queue(ctw_twin *t, const ctw_params *queue)
{
    ctw_params *old = t->queue_params;
    t->queue_params = NULL;
    ctw_status s = set_params(t, queue, "queue", &t->queue_params);
    if (s == CTW_OK && queue) s = ctw_twin__queue_build(t);
    if (s == CTW_OK && !queue) s = ctw_twin__queue_leave(t);
    if (s != CTW_OK) {
        ctw_params_unref(t->queue_params);
        t->queue_params = old;
        return s;
    }
    ctw_params_unref(old);
    return CTW_OK;
}

ctw_status ctw_twin_set_queue(ctw_twin *t, const ctw_params *queue)
{
    CTW_TRY(enter(t, "ctw_twin_set_queue"));
    return leave(t, set_queue(t, queue));
}

ctw_status ctw_twin_set_rca(ctw_twin *t, ctw_rca *m)
{
    CTW_TRY(enter(t, "ctw_twin_set_rca"));
    ctw_rca *old = t->rca;
    t->rca = ctw_rca_ref(m);
    ctw_rca_unref(old);
    return leave(t, CTW_OK);
}

ctw_status ctw_twin_set_progress(ctw_twin *t, ctw_progress_fn fn, void *user)
{
    CTW_TRY(enter(t, "ctw_twin_set_progress"));
    t->progress = fn;
    t->progress_user = user;
    return leave(t, CTW_OK);
}
