/* decide.c: advice for a live host: the same forecast, guard and power model that drive the simulation, asked about
 * one job. Without a plan of the whole installation the hour is simply the one of least expected carbon. */
#include "twin/twin_internal.h"
#include <math.h>

/* Start of least expected intensity among the planning slots that still meet the deadline. */
static double best_start(const ctw_twin *t, const ctw_twin__region *r, double length, double deadline_s)
{
    double last = fmin(deadline_s, t->now + t->horizon_s) - length;
    double best = t->now, least = ctw_twin__expected_ci(t, r, t->now, t->now + length);
    for (double at = t->now + t->plan_slot_s; at <= last; at += t->plan_slot_s) {
        double ci = ctw_twin__expected_ci(t, r, at, at + length);
        if (!(ci < least)) continue;
        least = ci;
        best = at;
    }
    return best;
}

/* Level a server of this class would run the job at. */
static double level_of(const ctw_twin *t, const ctw_twin__class *k, double membound, double slow)
{
    if (!k->power) return 1.0;
    return k->level[ctw_twin__level_for(k, 1.0, membound, fmin(t->max_slowdown, fmax(1.0, slow)))];
}

ctw_status ctw_twin_decide(const ctw_twin *t, int64_t region, double cores, double predicted_s, double deadline_s,
                           double membound, int64_t *server, double *start_s, double *level, int32_t *verdict)
{
    static const char fn[] = "ctw_twin_decide";
    uint32_t r;
    CTW_TRY(ctw_base__handle_check(t ? &t->h : NULL, CTW_TWIN__MAGIC, fn, "t"));
    CTW_TRY(ctw_twin__find_region(t, region, fn, &r));
    CTW_TRY(ctw_base__in(cores, 1e-6, 1e6, fn, "cores"));
    CTW_TRY(ctw_base__in(predicted_s, 1e-3, 1e9, fn, "predicted_s"));
    CTW_TRY(ctw_base__in(membound, 0.0, 1.0, fn, "membound"));
    if (isnan(deadline_s)) return ctw_base__fail(CTW_E_NONFINITE, "%s: deadline_s is not a number", fn);
    const ctw_twin__region *g = &t->region[r];
    double length = predicted_s * t->margin;
    double start = ctw_twin__trusted(g) ? best_start(t, g, length, deadline_s) : t->now;
    uint32_t where = start > t->now ? CTW_TWIN__NONE : ctw_twin__fit(t, r, cores);
    if (server) *server = where == CTW_TWIN__NONE ? -1 : t->server[where].id;
    if (start_s) *start_s = start;
    if (level)
        *level = where == CTW_TWIN__NONE
                     ? 1.0
                     : level_of(t, &t->klass[t->server[where].klass], membound, 0.9 * (deadline_s - start) / length);
    if (verdict) {
        int32_t state = g->watch ? ctw_watch_state(g->watch) : CTW_WATCH_NORMAL;
        *verdict = !ctw_twin__trusted(g)        ? CTW_GUARD_ABSTAIN
                   : state == CTW_WATCH_SUSPECT ? CTW_GUARD_WARN
                                                : CTW_GUARD_PASS;
    }
    return CTW_OK;
}
