/* power_choose.c: the operating point of least energy. The points are few, so all are looked at; what is kept on the
 * way is the best within both limits, the fastest within the cap and the lowest of all, which are the answer and the
 * two safe actions when there is none. */
#include "power/power_internal.h"

#include <math.h>

ctw_status ctw_power__check_limit(double v, const char *fn, const char *arg)
{
    if (isnan(v)) return ctw_base__fail(CTW_E_NONFINITE, "%s: %s is NaN", fn, arg);
    if (!(v > 0.0)) return ctw_base__fail(CTW_E_RANGE, "%s: %s is %g, must be > 0", fn, arg, v);
    return CTW_OK;
}

ctw_power__walk ctw_power__walk_begin(double max_slowdown, double cap)
{
    return (ctw_power__walk){.max_slowdown = max_slowdown,
                             .cap = cap,
                             .best_key = INFINITY,
                             .fastest_key = INFINITY,
                             .lowest_key = INFINITY};
}

static void keep_if_less(ctw_power__point *kept, double *least, const ctw_power__point *it, double key)
{
    if (!(key < *least)) return;
    *kept = *it;
    *least = key;
}

void ctw_power__walk_see(ctw_power__walk *w, const ctw_power__point *it, double energy)
{
    keep_if_less(&w->lowest, &w->lowest_key, it, it->watts);
    if (it->watts > w->cap) return;
    keep_if_less(&w->fastest, &w->fastest_key, it, it->slowdown);
    if (it->slowdown <= w->max_slowdown) keep_if_less(&w->best, &w->best_key, it, energy);
}

const char *ctw_power__walk_end(const ctw_power__walk *w, ctw_power__point *chosen)
{
    int found = w->best_key < INFINITY, capped = w->fastest_key < INFINITY;
    *chosen = found ? w->best : capped ? w->fastest : w->lowest;
    return found ? "" : capped ? "max_slowdown" : "cap_watts";
}

ctw_status ctw_power_choose(const ctw_power *p, double util, double membound, double max_slowdown, double cap_watts,
                            double *out_mhz, double *out_watts, double *out_slowdown)
{
    static const char *fn = "ctw_power_choose";
    CTW_TRY(ctw_base__handle_check(p ? &p->h : NULL, CTW_POWER_MAGIC, fn, "p"));
    CTW_TRY(ctw_base__in(util, 0.0, 1.0, fn, "util"));
    CTW_TRY(ctw_power__check_membound(p, membound, fn));
    CTW_TRY(ctw_power__check_limit(max_slowdown, fn, "max_slowdown"));
    CTW_TRY(ctw_power__check_limit(cap_watts, fn, "cap_watts"));
    if (!ctw_power__knows(p, util) || (p->net && !ctw_power__knows(p, 0.0)))
        return ctw_base__fail(CTW_E_STATE,
                              "%s: power at utilisation %g is not known: fit it, or set idle_watts and "
                              "tdp_watts",
                              fn, util);
    ctw_power__walk w = ctw_power__walk_begin(max_slowdown * (1.0 + p->tolerance + 1e-12), cap_watts);
    double top = ctw_power__top(p);
    for (size_t i = 0; i < (size_t)ctw_power_point_count(p); i++) {
        ctw_power__point it = {.mhz = top > 0.0 ? (p->n_points ? p->mhz[i] : p->m.mhz[i]) : 0.0};
        double x = top > 0.0 ? it.mhz / top : 1.0;
        it.watts = ctw_power__watts_at(p, x, util);
        it.slowdown = ctw_power__slowdown_at(p, x, membound);
        double idle = p->net ? ctw_power__idle_at(p, x) : 0.0;
        ctw_power__walk_see(&w, &it, (it.watts - idle) * it.slowdown);
    }
    ctw_power__point c;
    const char *limit = ctw_power__walk_end(&w, &c);
    if (out_mhz) *out_mhz = c.mhz;
    if (out_watts) *out_watts = c.watts;
    if (out_slowdown) *out_slowdown = c.slowdown;
    if (!*limit) return CTW_OK;
    return ctw_base__fail(CTW_E_INFEASIBLE, "%s: no point meets %s %g; the safe point is %g MHz (%g W, slowdown %g)",
                          fn, limit, *limit == 'm' ? max_slowdown : cap_watts, c.mhz, c.watts, c.slowdown);
}
