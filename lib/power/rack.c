/* rack.c: the public verbs of a rack. Holding a budget has two parts: each machine's model is corrected by its own
 * readings, so the expected total is right on average, and the spread that remains is kept free as a margin, so
 * that it is held nearly always; a controller on the total alone would have to be slow or to oscillate. */
#include "power/rack_internal.h"

#include "base/ctx.h"
#include "power/power_params.h"
#include <math.h>
#include <string.h>

static void drop_tables(ctw_ctx *ctx, ctw_rack *f)
{
    ctw_base__free(ctx, f->first);
    ctw_base__free(ctx, f->watts);
    ctw_base__free(ctx, f->slow);
    ctw_base__free(ctx, f->correction);
    ctw_base__free(ctx, f->at);
    ctw_base__free(ctx, f->steps);
}

static void destroy(ctw_rack *f)
{
    drop_tables(f->h.ctx, f);
    ctw_rack__drop_feeds(f->h.ctx, &f->feeds);
    ctw_params_unref(f->params);
}

CTW_DEFINE_REFS(ctw_rack, destroy)

ctw_status ctw_rack_new(ctw_ctx *ctx, const ctw_params *params, ctw_rack **out)
{
    static const char *fn = "ctw_rack_new";
    const ctw_base__kind *const kind = &ctw_rack__kind;
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    CTW_TRY(ctw_base__params_check(params, kind, fn));
    ctw_rack *f = ctw_base__handle_new(ctx, sizeof *f, CTW_RACK_MAGIC);
    if (!f) return CTW_E_NOMEM;
    f->fairness = ctw_base__opt_f64(params, kind, "fairness");
    f->gain = ctw_base__opt_f64(params, kind, "gain");
    f->margin_sd = ctw_base__opt_f64(params, kind, "margin_sd");
    f->margin_least = ctw_base__opt_f64(params, kind, "margin_least");
    ctw_status s = ctw_base__params_copy(ctx, params, kind, &f->params);
    if (s != CTW_OK) {
        ctw_rack_unref(f);
        return s;
    }
    *out = f;
    return CTW_OK;
}

static ctw_status check_machine(size_t i, const uint64_t *first, const double *watts, const double *slow,
                                const char *fn)
{
    if (first[i + 1] <= first[i] || first[i + 1] - first[i] > 256)
        return ctw_base__fail(CTW_E_SHAPE, "%s: machine %zu goes from %llu to %llu, it needs 1 to 256 points", fn, i,
                              (unsigned long long)first[i], (unsigned long long)first[i + 1]);
    for (uint64_t k = first[i]; k < first[i + 1]; k++) {
        CTW_TRY(ctw_base__in(watts[k], 1e-6, 1e9, fn, "watts"));
        CTW_TRY(ctw_base__in(slow[k], 1.0, 1e6, fn, "slowdown"));
        if (k == first[i]) continue;
        if (!(watts[k] > watts[k - 1]))
            return ctw_base__fail(CTW_E_RANGE, "%s: watts[%llu] is %g, must be above the one before (%g)", fn,
                                  (unsigned long long)k, watts[k], watts[k - 1]);
        if (slow[k] > slow[k - 1])
            return ctw_base__fail(CTW_E_RANGE, "%s: slowdown[%llu] is %g, must be <= the one before (%g)", fn,
                                  (unsigned long long)k, slow[k], slow[k - 1]);
    }
    return CTW_OK;
}

static ctw_status check_machines(uint64_t n, const uint64_t *first, const double *watts, const double *slow,
                                 const double *weight, const char *fn)
{
    CTW_TRY(ctw_base__in_u64(n, 1, 1000000, fn, "n"));
    CTW_TRY(ctw_base__need(first, fn, "first"));
    CTW_TRY(ctw_base__need(watts, fn, "watts"));
    CTW_TRY(ctw_base__need(slow, fn, "slowdown"));
    if (first[0] != 0) return ctw_base__fail(CTW_E_SHAPE, "%s: first[0] must be 0", fn);
    for (size_t i = 0; i < n; i++) CTW_TRY(check_machine(i, first, watts, slow, fn));
    return weight ? ctw_base__all_in(weight, n, 1, 1e-9, 1e9, fn, "weight") : CTW_OK;
}

/* All columns into `t`, a zeroed rack that shares the options; CTW_E_NOMEM leaves t for drop_tables. */
static ctw_status build(ctw_rack *t, uint64_t n, const uint64_t *first, const double *watts, const double *slow,
                        const double *weight, const int64_t *priority)
{
    ctw_ctx *ctx = t->h.ctx;
    t->n = n;
    t->n_points = first[n];
    t->first = ctw_base__alloc(ctx, n + 1, sizeof *t->first);
    t->watts = ctw_base__dup(ctx, watts, t->n_points, sizeof *watts);
    t->slow = ctw_base__dup(ctx, slow, t->n_points, sizeof *slow);
    t->correction = ctw_base__alloc(ctx, n, sizeof *t->correction);
    t->at = ctw_base__alloc(ctx, n, sizeof *t->at);
    t->steps = ctw_base__alloc(ctx, t->n_points, sizeof *t->steps);
    if (!t->first || !t->watts || !t->slow || !t->correction || !t->at || !t->steps) return CTW_E_NOMEM;
    for (size_t i = 0; i <= n; i++) t->first[i] = first[i];
    for (size_t i = 0; i < n; i++) {
        t->correction[i] = 1.0;
        t->at[i] = -1;
    }
    return ctw_rack__order_steps(t, weight, priority);
}

static ctw_status set_machines(ctw_rack *f, uint64_t n, const uint64_t *first, const double *watts, const double *slow,
                               const double *weight, const int64_t *priority, const char *fn)
{
    CTW_TRY(check_machines(n, first, watts, slow, weight, fn));
    ctw_rack t = {.fairness = f->fairness};
    t.h.ctx = f->h.ctx;
    ctw_status s = build(&t, n, first, watts, slow, weight, priority);
    if (s != CTW_OK) {
        drop_tables(f->h.ctx, &t);
        return s;
    }
    drop_tables(f->h.ctx, f);
    ctw_rack__drop_feeds(f->h.ctx, &f->feeds);
    f->n = t.n;
    f->n_points = t.n_points;
    f->n_steps = t.n_steps;
    f->first = t.first;
    f->watts = t.watts;
    f->slow = t.slow;
    f->correction = t.correction;
    f->at = t.at;
    f->steps = t.steps;
    f->error_mean = f->error_var = 0.0;
    f->observed = 0;
    return CTW_OK;
}

ctw_status ctw_rack_set_machines(ctw_rack *f, uint64_t n, const uint64_t *first, const double *watts,
                                 const double *slowdown, const double *weight, const int64_t *priority)
{
    static const char *fn = "ctw_rack_set_machines";
    CTW_TRY(ctw_base__handle_enter(f ? &f->h : NULL, CTW_RACK_MAGIC, fn, "f"));
    ctw_status s = set_machines(f, n, first, watts, slowdown, weight, priority, fn);
    ctw_base__handle_leave(&f->h);
    return s;
}

double ctw_rack_margin(const ctw_rack *f)
{
    if (!f) return 0.0;
    double spread = f->margin_sd * sqrt(f->error_var);
    return fmin(0.5, fmax(f->margin_least, spread));
}

static double watts_at(const ctw_rack *f, size_t i, size_t point)
{
    return f->correction[i] * f->watts[f->first[i] + point];
}

/* Raises machine i as far as `left` allows, up to point `to`; returns what it costs. */
static double raise(ctw_rack *f, size_t i, size_t to, double left)
{
    double here = watts_at(f, i, (size_t)f->at[i]);
    for (size_t k = to; k > (size_t)f->at[i]; k--) {
        double cost = watts_at(f, i, k) - here;
        if (cost > left) continue;
        f->at[i] = (int32_t)k;
        return cost;
    }
    return 0.0;
}

/* Points for the budget; returns the expected total. A step that does not fit in full is taken as far as it goes,
 * and the machine's later steps then start from a point that is not theirs and are passed over. */
static double fill(ctw_rack *f, double budget, double share)
{
    double total = 0.0;
    ctw_rack__feeds_begin(&f->feeds, share);
    for (size_t i = 0; i < f->n; i++) {
        f->at[i] = 0;
        total += watts_at(f, i, 0);
        ctw_rack__feeds_take(&f->feeds, i, watts_at(f, i, 0));
    }
    for (size_t k = 0; k < f->n_steps && total < budget; k++) {
        const ctw_rack__step *s = &f->steps[k];
        if (f->at[s->machine] != s->from) continue;
        double more = raise(f, s->machine, s->to, ctw_rack__feeds_left(&f->feeds, s->machine, budget - total));
        if (more > 0.0) ctw_rack__feeds_take(&f->feeds, s->machine, more);
        total += more;
    }
    return total;
}

ctw_status ctw_rack_split(ctw_rack *f, double budget_watts, int64_t *point, double *cap_watts, double *total_watts)
{
    static const char *fn = "ctw_rack_split";
    CTW_TRY(ctw_base__in(budget_watts, 1e-6, 1e15, fn, "budget_watts"));
    CTW_TRY(ctw_base__handle_enter(f ? &f->h : NULL, CTW_RACK_MAGIC, fn, "f"));
    ctw_status s = CTW_OK;
    if (f->n == 0) {
        s = ctw_base__fail(CTW_E_STATE, "%s: the rack has no machines yet", fn);
    } else {
        double share = 1.0 - ctw_rack_margin(f), total = fill(f, budget_watts * share, share);
        size_t broken = ctw_rack__feeds_broken(&f->feeds, share);
        f->budget = budget_watts;
        for (size_t i = 0; i < f->n; i++) {
            if (point) point[i] = f->at[i];
            if (cap_watts) cap_watts[i] = watts_at(f, i, (size_t)f->at[i]);
        }
        if (total_watts) *total_watts = total;
        if (broken < f->feeds.n)
            s = ctw_base__fail(CTW_E_INFEASIBLE,
                               "%s: the lowest points under feed %zu draw more than its limit of %g W", fn, broken,
                               f->feeds.limit[broken]);
        if (total > budget_watts)
            s = ctw_base__fail(CTW_E_INFEASIBLE, "%s: budget_watts is %g, the lowest points together draw %g", fn,
                               budget_watts, total);
    }
    ctw_base__handle_leave(&f->h);
    return s;
}

static ctw_status observe(ctw_rack *f, const double *watts, double *total_error, const char *fn)
{
    if (f->n == 0 || f->at[0] < 0) return ctw_base__fail(CTW_E_STATE, "%s: nothing was split yet", fn);
    CTW_TRY(ctw_base__need(watts, fn, "watts"));
    for (size_t i = 0; i < f->n; i++)
        if (!isnan(watts[i]) && !(watts[i] >= 0.0 && watts[i] <= 1e9))
            return ctw_base__fail(CTW_E_RANGE, "%s: watts[%zu] is %g, must be in [0, 1e9] or NaN", fn, i, watts[i]);
    double expected = 0.0, measured = 0.0;
    for (size_t i = 0; i < f->n; i++) {
        double e = watts_at(f, i, (size_t)f->at[i]), w = watts[i];
        if (isnan(w) || w < 0.05 * e || w > 20.0 * e) continue;
        expected += e;
        measured += w;
        f->correction[i] *= pow(w / e, f->gain);
    }
    if (!(expected > 0.0)) return ctw_base__fail(CTW_E_RANGE, "%s: no reading can be believed", fn);
    double error = measured / expected - 1.0;
    /* The first readings set the spread, later ones move it slowly. */
    double rate = fmax(0.02, 1.0 / (double)(f->observed + 2));
    if (f->observed++ > 0) f->error_var += rate * (error * error - f->error_var);
    f->error_mean += rate * (error - f->error_mean);
    if (total_error) *total_error = error;
    return CTW_OK;
}

ctw_status ctw_rack_observe(ctw_rack *f, const double *watts, double *total_error)
{
    static const char *fn = "ctw_rack_observe";
    CTW_TRY(ctw_base__handle_enter(f ? &f->h : NULL, CTW_RACK_MAGIC, fn, "f"));
    ctw_status s = observe(f, watts, total_error, fn);
    ctw_base__handle_leave(&f->h);
    return s;
}
