/* power.c: the public verbs of a device model: checks first, then one of the parts does the work. */
#include "power/power_internal.h"

#include "base/ctx.h"
#include "power/power_params.h"
#include <math.h>
#include <string.h>

static void destroy(ctw_power *p)
{
    ctw_base__free(p->h.ctx, p->mhz);
    ctw_base__free(p->h.ctx, p->volt);
    ctw_shapes_unref(p->shapes);
    ctw_params_unref(p->params);
}

CTW_DEFINE_REFS(ctw_power, destroy)

ctw_status ctw_power_new(ctw_ctx *ctx, const ctw_params *params, ctw_power **out)
{
    static const char *fn = "ctw_power_new";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    CTW_TRY(ctw_base__params_check(params, &ctw_power__kind, fn));
    double idle = ctw_base__opt_f64(params, &ctw_power__kind, "idle_watts");
    double tdp = ctw_base__opt_f64(params, &ctw_power__kind, "tdp_watts");
    if (tdp > 0.0 && idle > tdp)
        return ctw_base__fail(CTW_E_RANGE, "%s: idle_watts is %g, must be <= tdp_watts (%g)", fn, idle, tdp);
    ctw_power *p = ctw_base__handle_new(ctx, sizeof *p, CTW_POWER_MAGIC);
    if (!p) return CTW_E_NOMEM;
    p->idle_watts = idle;
    p->tdp_watts = tdp;
    p->exponent = ctw_base__opt_f64(params, &ctw_power__kind, "exponent");
    p->overlap = ctw_base__opt_f64(params, &ctw_power__kind, "overlap");
    p->tolerance = ctw_base__opt_f64(params, &ctw_power__kind, "time_tolerance");
    p->recal_memory = ctw_base__opt_f64(params, &ctw_power__kind, "recal_memory");
    p->drift_limit = ctw_base__opt_f64(params, &ctw_power__kind, "drift_limit");
    ctw_power__recal_reset(&p->recal);
    ctw_power__recal_reset(&p->time_recal);
    p->net = ctw_base__opt_choice(params, &ctw_power__kind, "objective");
    ctw_status s = ctw_base__params_copy(ctx, params, &ctw_power__kind, &p->params);
    if (s != CTW_OK) {
        ctw_power_unref(p);
        return s;
    }
    *out = p;
    return CTW_OK;
}

/* Nothing measured any more: no fit, no corrections, no memory clocks. */
void ctw_power__unfit(ctw_power *p)
{
    memset(&p->m, 0, sizeof p->m);
    memset(&p->memory, 0, sizeof p->memory);
    ctw_power__recal_reset(&p->recal);
    ctw_power__recal_reset(&p->time_recal);
    p->fitted = 0;
}

static ctw_status check_points(const double *mhz, const double *volt, uint64_t n, const char *fn)
{
    CTW_TRY(ctw_base__in_u64(n, 1, CTW_POWER_POINTS, fn, "n"));
    CTW_TRY(ctw_base__need(mhz, fn, "mhz"));
    CTW_TRY(ctw_base__all_in(mhz, n, 1, 1e-3, 1e6, fn, "mhz"));
    if (volt) CTW_TRY(ctw_base__all_in(volt, n, 1, 1e-3, 1e3, fn, "volt"));
    for (uint64_t i = 1; i < n; i++) {
        if (mhz[i] <= mhz[i - 1])
            return ctw_base__fail(CTW_E_RANGE, "%s: mhz[%llu] is %g, must be above mhz[%llu] (%g)", fn,
                                  (unsigned long long)i, mhz[i], (unsigned long long)(i - 1), mhz[i - 1]);
        if (volt && volt[i] < volt[i - 1])
            return ctw_base__fail(CTW_E_RANGE, "%s: volt[%llu] is %g, must be >= volt[%llu] (%g)", fn,
                                  (unsigned long long)i, volt[i], (unsigned long long)(i - 1), volt[i - 1]);
    }
    return CTW_OK;
}

ctw_status ctw_power_set_points(ctw_power *p, const double *mhz, const double *volt, uint64_t n)
{
    static const char *fn = "ctw_power_set_points";
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_POWER_MAGIC, fn, "p"));
    ctw_status s = check_points(mhz, volt, n, fn);
    double *f = NULL, *v = NULL;
    if (s == CTW_OK) {
        f = ctw_base__dup(p->h.ctx, mhz, n, sizeof *f);
        if (f && volt) v = ctw_base__dup(p->h.ctx, volt, n, sizeof *v);
        if (!f || (volt && !v)) {
            ctw_base__free(p->h.ctx, f);
            s = CTW_E_NOMEM;
        }
    }
    if (s == CTW_OK) {
        ctw_base__free(p->h.ctx, p->mhz);
        ctw_base__free(p->h.ctx, p->volt);
        p->mhz = f;
        p->volt = v;
        p->n_points = n;
        ctw_power__unfit(p);
    }
    ctw_base__handle_leave(&p->h);
    return s;
}

static ctw_status take_shapes(ctw_power *p, ctw_shapes *shapes, const double *features, uint64_t d, const char *fn)
{
    if (shapes) {
        CTW_TRY(ctw_base__handle_check(&shapes->h, CTW_SHAPES_MAGIC, fn, "shapes"));
        if (shapes->n == 0) return ctw_base__fail(CTW_E_STATE, "%s: the memory of shapes is empty", fn);
        if (d != shapes->d)
            return ctw_base__fail(CTW_E_SHAPE, "%s: d is %llu, the memory holds machines of %zu features", fn,
                                  (unsigned long long)d, shapes->d);
        CTW_TRY(ctw_base__need_n(features, d, fn, "features"));
        CTW_TRY(ctw_base__all_in(features, d, 1, -1e12, 1e12, fn, "features"));
        if (d) memcpy(p->features, features, d * sizeof *features);
    }
    ctw_shapes_ref(shapes);
    ctw_shapes_unref(p->shapes);
    p->shapes = shapes;
    return CTW_OK;
}

ctw_status ctw_power_set_shapes(ctw_power *p, ctw_shapes *shapes, const double *features, uint64_t d)
{
    static const char *fn = "ctw_power_set_shapes";
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_POWER_MAGIC, fn, "p"));
    ctw_status s = take_shapes(p, shapes, features, d, fn);
    ctw_base__handle_leave(&p->h);
    return s;
}

/* Column of measurements: NaN means "not measured", anything else must be in (0, hi]. */
static ctw_status check_measured(const double *v, uint64_t n, double hi, const char *fn, const char *arg, uint64_t *got)
{
    if (!v) return CTW_OK;
    for (uint64_t i = 0; i < n; i++) {
        if (isnan(v[i])) continue;
        if (!isfinite(v[i]))
            return ctw_base__fail(CTW_E_NONFINITE, "%s: %s[%llu] is infinite", fn, arg, (unsigned long long)i);
        if (!(v[i] >= 1e-12 && v[i] <= hi))
            return ctw_base__fail(CTW_E_RANGE, "%s: %s[%llu] is %g, must be in [1e-12, %g]", fn, arg,
                                  (unsigned long long)i, v[i], hi);
        ++*got;
    }
    return CTW_OK;
}

static ctw_status check_rows(const ctw_power *p, const ctw_power__rows *r, const char *fn)
{
    uint64_t got = 0;
    CTW_TRY(ctw_base__in_u64(r->n, 1, UINT64_C(1) << 26, fn, "n"));
    if (r->mhz) CTW_TRY(ctw_base__all_in(r->mhz, r->n, 1, 1e-3, 1e6, fn, "mhz"));
    if (r->util) CTW_TRY(ctw_base__all_in(r->util, r->n, 1, 0.0, 1.0, fn, "util"));
    CTW_TRY(check_measured(r->watts, r->n, 1e9, fn, "watts", &got));
    CTW_TRY(check_measured(r->seconds, r->n, 1e12, fn, "seconds", &got));
    if (got == 0) return ctw_base__fail(CTW_E_SINGULAR, "%s: no row has watts or seconds", fn);
    for (size_t i = 0; r->mhz && p->n_points && i < r->n; i++)
        if (r->mhz[i] > 1.25 * p->mhz[p->n_points - 1])
            return ctw_base__fail(CTW_E_RANGE, "%s: mhz[%zu] is %g, must be <= 1.25 x the top point (%g)", fn, i,
                                  r->mhz[i], p->mhz[p->n_points - 1]);
    return CTW_OK;
}

ctw_status ctw_power_fit(ctw_power *p, const double *mhz, const double *util, const double *watts,
                         const double *seconds, uint64_t n, ctw_cancel *cancel)
{
    static const char *fn = "ctw_power_fit";
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_POWER_MAGIC, fn, "p"));
    ctw_power__rows r = {mhz, util, watts, seconds, n};
    ctw_power__unfit(p);
    ctw_status s = check_rows(p, &r, fn);
    if (s == CTW_OK) s = ctw_power__fit_rows(p, &r, cancel);
    if (s == CTW_OK && watts && !ctw_power__knows(p, 1.0) && !p->m.has_idle && !p->m.has_time)
        s = ctw_base__fail(CTW_E_SINGULAR,
                           "%s: part load alone does not tell idle from busy power: add a row at utilisation 0 or 1, "
                           "or set idle_watts",
                           fn);
    if (s == CTW_OK)
        p->fitted = 1;
    else
        memset(&p->m, 0, sizeof p->m);
    ctw_base__handle_leave(&p->h);
    return s;
}

ctw_status ctw_power__relative(const ctw_power *p, double mhz, uint64_t i, const char *fn, double *x)
{
    double top = ctw_power__top(p);
    double low = p->n_points ? p->mhz[0] : p->m.mhz[0];
    if (!(top > 0.0)) return ctw_base__fail(CTW_E_STATE, "%s: no frequency is known yet; mhz must be NULL", fn);
    if (p->m.n_mhz && p->m.mhz[0] < low) low = p->m.mhz[0];
    double high = p->m.top_mhz > top ? p->m.top_mhz : top;
    if (!isfinite(mhz))
        return ctw_base__fail(CTW_E_NONFINITE, "%s: mhz[%llu] is not finite", fn, (unsigned long long)i);
    if (!(mhz >= 0.5 * low && mhz <= 1.25 * high))
        return ctw_base__fail(CTW_E_RANGE, "%s: mhz[%llu] is %g, must be in [%g, %g]", fn, (unsigned long long)i, mhz,
                              0.5 * low, 1.25 * high);
    *x = mhz / top;
    return CTW_OK;
}

/* What watts and error share: checks, then one value a pair. */
static ctw_status each_pair(const ctw_power *p, const double *mhz, const double *util, uint64_t n, double *out,
                            double (*value)(const ctw_power *p, double x, double util), const char *fn)
{
    CTW_TRY(ctw_base__handle_check(p ? &p->h : NULL, CTW_POWER_MAGIC, fn, "p"));
    CTW_TRY(ctw_base__need_n(out, n, fn, "out"));
    if (util) CTW_TRY(ctw_base__all_in(util, n, 1, 0.0, 1.0, fn, "util"));
    for (uint64_t i = 0; i < n; i++) {
        double x = 1.0, u = util ? util[i] : 1.0;
        if (mhz) CTW_TRY(ctw_power__relative(p, mhz[i], i, fn, &x));
        if (!ctw_power__knows(p, u))
            return ctw_base__fail(CTW_E_STATE, "%s: power at utilisation %g is not known: fit it, or set %s", fn, u,
                                  u < 1.0 ? "idle_watts" : "tdp_watts");
        out[i] = value(p, x, u);
    }
    return CTW_OK;
}

ctw_status ctw_power_watts(const ctw_power *p, const double *mhz, const double *util, uint64_t n, double *out)
{
    return each_pair(p, mhz, util, n, out, ctw_power__watts_at, "ctw_power_watts");
}

ctw_status ctw_power_error(const ctw_power *p, const double *mhz, const double *util, uint64_t n, double *out)
{
    return each_pair(p, mhz, util, n, out, ctw_power__error_at, "ctw_power_error");
}

ctw_status ctw_power__check_membound(const ctw_power *p, double m, const char *fn)
{
    if (m == -1.0) {
        if (p->m.has_time) return CTW_OK;
        return ctw_base__fail(CTW_E_STATE, "%s: no seconds were fitted, so membound must be given", fn);
    }
    return ctw_base__in(m, 0.0, 1.0, fn, "membound");
}

ctw_status ctw_power_slowdown(const ctw_power *p, const double *mhz, const double *membound, uint64_t n, double *out)
{
    static const char *fn = "ctw_power_slowdown";
    CTW_TRY(ctw_base__handle_check(p ? &p->h : NULL, CTW_POWER_MAGIC, fn, "p"));
    CTW_TRY(ctw_base__need_n(out, n, fn, "out"));
    CTW_TRY(ctw_base__need_n(mhz, n, fn, "mhz"));
    for (uint64_t i = 0; i < n; i++) {
        double x, m = membound ? membound[i] : -1.0;
        CTW_TRY(ctw_power__check_membound(p, m, fn));
        CTW_TRY(ctw_power__relative(p, mhz[i], i, fn, &x));
        out[i] = ctw_power__slowdown_at(p, x, m);
    }
    return CTW_OK;
}

ctw_status ctw_power_slowdown_error(const ctw_power *p, const double *mhz, uint64_t n, double *out)
{
    static const char *fn = "ctw_power_slowdown_error";
    CTW_TRY(ctw_base__handle_check(p ? &p->h : NULL, CTW_POWER_MAGIC, fn, "p"));
    CTW_TRY(ctw_base__need_n(mhz, n, fn, "mhz"));
    CTW_TRY(ctw_base__need_n(out, n, fn, "out"));
    CTW_TRY(ctw_power__check_membound(p, -1.0, fn));
    for (uint64_t i = 0; i < n; i++) {
        double x;
        CTW_TRY(ctw_power__relative(p, mhz[i], i, fn, &x));
        out[i] = ctw_power__slowdown_error_at(p, x);
    }
    return CTW_OK;
}

ctw_status ctw_power_membound(const ctw_power *p, double *membound, double *overlap)
{
    static const char *fn = "ctw_power_membound";
    CTW_TRY(ctw_base__handle_check(p ? &p->h : NULL, CTW_POWER_MAGIC, fn, "p"));
    CTW_TRY(ctw_power__check_membound(p, -1.0, fn));
    if (membound) *membound = p->m.membound;
    if (overlap) *overlap = p->m.overlap;
    return CTW_OK;
}

uint64_t ctw_power_point_count(const ctw_power *p)
{
    if (!p) return 0;
    if (p->n_points) return p->n_points;
    return p->m.n_mhz ? p->m.n_mhz : 1;
}

ctw_status ctw_power_point_at(const ctw_power *p, uint64_t i, double *mhz)
{
    static const char *fn = "ctw_power_point_at";
    CTW_TRY(ctw_base__handle_check(p ? &p->h : NULL, CTW_POWER_MAGIC, fn, "p"));
    CTW_TRY(ctw_base__need(mhz, fn, "mhz"));
    if (!(ctw_power__top(p) > 0.0)) return ctw_base__fail(CTW_E_STATE, "%s: no frequency is known yet", fn);
    CTW_TRY(ctw_base__in_u64(i, 0, ctw_power_point_count(p) - 1, fn, "i"));
    *mhz = p->n_points ? p->mhz[i] : p->m.mhz[i];
    return CTW_OK;
}
