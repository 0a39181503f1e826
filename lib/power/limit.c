/* limit.c: a limit does nothing until it falls below what the job would draw, then time grows faster than in
 * proportion: slowdown = 1 + c (1 - limit/draw)^1.5 below the draw. The first trial shows the draw, the second
 * is where a job of typical c would have used two fifths of a 5 % bound, the third where the c then known meets it. */
#include "power/limit_internal.h"

#include "base/ctx.h"
#include "power/power_params.h"
#include <math.h>

static const double typical_c = 1.0, exponent = 1.5, first_share = 0.4;

static void destroy(ctw_limit *l)
{
    ctw_params_unref(l->params);
}

CTW_DEFINE_REFS(ctw_limit, destroy)

ctw_status ctw_limit_new(ctw_ctx *ctx, const ctw_params *params, const double *watts, uint64_t n, double max_slowdown,
                         ctw_limit **out)
{
    static const char *fn = "ctw_limit_new";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    CTW_TRY(ctw_base__params_check(params, &ctw_limit__kind, fn));
    CTW_TRY(ctw_base__in_u64(n, 1, CTW_LIMIT_MOST, fn, "n"));
    CTW_TRY(ctw_base__need(watts, fn, "watts"));
    CTW_TRY(ctw_base__all_in(watts, n, 1, 1e-3, 1e9, fn, "watts"));
    CTW_TRY(ctw_base__in(max_slowdown, 1.0, 1e6, fn, "max_slowdown"));
    for (uint64_t i = 1; i < n; i++)
        if (watts[i] <= watts[i - 1])
            return ctw_base__fail(CTW_E_RANGE, "%s: watts[%llu] is %g, must be above the one before (%g)", fn,
                                  (unsigned long long)i, watts[i], watts[i - 1]);
    ctw_limit *l = ctw_base__handle_new(ctx, sizeof *l, CTW_LIMIT_MAGIC);
    if (!l) return CTW_E_NOMEM;
    l->n = n;
    l->max_slowdown = max_slowdown;
    l->trials = (size_t)ctw_base__opt_i64(params, &ctw_limit__kind, "trials");
    for (uint64_t i = 0; i < n; i++) l->watts[i] = watts[i];
    ctw_status s = ctw_base__params_copy(ctx, params, &ctw_limit__kind, &l->params);
    if (s != CTW_OK) {
        ctw_limit_unref(l);
        return s;
    }
    *out = l;
    return CTW_OK;
}

static double slowdown_at(const ctw_limit *l, size_t i)
{
    return l->seconds[i] / l->seconds[l->n - 1];
}

/* Lowest limit whose modelled slowdown stays within `allowed`. */
static size_t lowest_within(const ctw_limit *l, double c, double allowed)
{
    double draw = l->drawn[l->n - 1];
    for (size_t i = 0; i + 1 < l->n; i++) {
        double short_of = fmax(0.0, 1.0 - l->watts[i] / draw);
        if (1.0 + c * pow(short_of, exponent) <= allowed) return i;
    }
    return l->n - 1;
}

/* Lowest tried limit that kept the bound, and highest tried below it that did not (n: none). */
static size_t bracket(const ctw_limit *l, size_t *broken)
{
    size_t good = l->n - 1;
    *broken = l->n;
    for (size_t i = l->n; i-- > 0;) {
        if (l->seconds[i] == 0.0) continue;
        if (slowdown_at(l, i) <= l->max_slowdown)
            good = i;
        else if (*broken == l->n)
            *broken = i;
    }
    return good;
}

/* Next to try, given that the highest was; n when nothing untried is worth a trial. */
static size_t propose(const ctw_limit *l, size_t tried)
{
    size_t broken, good = bracket(l, &broken), at;
    if (tried == 1) {
        at = lowest_within(l, typical_c, 1.0 + first_share * (l->max_slowdown - 1.0));
        if (at == l->n - 1 && l->n > 1) at--;
    } else {
        size_t known = good < l->n - 1 ? good : broken < l->n ? broken : good;
        double base = pow(fmax(1.0 - l->watts[known] / l->drawn[l->n - 1], 1e-3), exponent);
        double c = fmax(slowdown_at(l, known) - 1.0, 0.002) / base;
        if (l->watts[known] >= l->drawn[l->n - 1]) c = typical_c;
        at = lowest_within(l, c, l->max_slowdown);
    }
    if (broken < l->n && at <= broken) at = broken + 1;
    if (at >= good && good > 0) at = good - 1;
    if (broken < l->n && at <= broken) return l->n;
    return l->seconds[at] == 0.0 ? at : l->n;
}

static size_t best_of(const ctw_limit *l)
{
    size_t best = l->n - 1;
    for (size_t i = 0; i < l->n; i++)
        if (l->seconds[i] > 0.0 && slowdown_at(l, i) <= l->max_slowdown &&
            l->seconds[i] * l->drawn[i] < l->seconds[best] * l->drawn[best])
            best = i;
    return best;
}

ctw_status ctw_limit_next(const ctw_limit *l, double *watts, int32_t *done)
{
    static const char *fn = "ctw_limit_next";
    CTW_TRY(ctw_base__handle_check(l ? &l->h : NULL, CTW_LIMIT_MAGIC, fn, "l"));
    CTW_TRY(ctw_base__need(watts, fn, "watts"));
    CTW_TRY(ctw_base__need(done, fn, "done"));
    size_t tried = 0, at = l->n - 1;
    for (size_t i = 0; i < l->n; i++) tried += l->seconds[i] > 0.0;
    *done = 0;
    if (l->seconds[l->n - 1] > 0.0) {
        at = tried < l->trials ? propose(l, tried) : l->n;
        *done = at == l->n;
        if (*done) at = best_of(l);
    }
    *watts = l->watts[at];
    return CTW_OK;
}

ctw_status ctw_limit_tell(ctw_limit *l, double watts, double seconds, double mean_watts)
{
    static const char *fn = "ctw_limit_tell";
    CTW_TRY(ctw_base__in(seconds, 1e-12, 1e12, fn, "seconds"));
    CTW_TRY(ctw_base__in(mean_watts, 1e-9, 1e9, fn, "mean_watts"));
    CTW_TRY(ctw_base__handle_enter(l ? &l->h : NULL, CTW_LIMIT_MAGIC, fn, "l"));
    size_t i = 0;
    while (i < l->n && l->watts[i] != watts) i++;
    if (i < l->n) {
        l->seconds[i] = seconds;
        l->drawn[i] = mean_watts;
    }
    size_t n = l->n;
    ctw_base__handle_leave(&l->h);
    return i < n ? CTW_OK : ctw_base__fail(CTW_E_KEY, "%s: %g W is not one of the limits", fn, watts);
}

ctw_status ctw_limit_best(const ctw_limit *l, double *watts, double *slowdown, double *energy_ratio)
{
    static const char *fn = "ctw_limit_best";
    CTW_TRY(ctw_base__handle_check(l ? &l->h : NULL, CTW_LIMIT_MAGIC, fn, "l"));
    if (l->seconds[l->n - 1] == 0.0) return ctw_base__fail(CTW_E_STATE, "%s: the highest limit was not tried yet", fn);
    size_t i = best_of(l), top = l->n - 1;
    if (watts) *watts = l->watts[i];
    if (slowdown) *slowdown = slowdown_at(l, i);
    if (energy_ratio) *energy_ratio = l->seconds[i] * l->drawn[i] / (l->seconds[top] * l->drawn[top]);
    return CTW_OK;
}
