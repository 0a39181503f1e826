/* governor_memory.c: tables of two clocks. The rule wants one order from slow to fast in which power rises; of all
 * pairs of clocks only those that no other pair beats in both have a place in it, and the rest is never worth choosing.
 */
#include "power/governor_internal.h"

#include "base/check.h"
#include "power/damaged.h"
#include "power/plan.h"
#include "power/power_internal.h"
#include <math.h>

enum { MOST = 1024 };

static ctw_status use(ctw_governor *g, ctw_power__plan *plan, const char *fn)
{
    double fastest = plan->slow[plan->n - 1];
    if (fastest != 1.0)
        return ctw_base__fail(CTW_E_RANGE, "%s: slowdown of the fastest pair is %g, must be 1", fn, fastest);
    CTW_TRY(ctw_base__handle_enter(&g->h, CTW_GOVERNOR_MAGIC, fn, "g"));
    ctw_governor__take_plan(g, plan);
    ctw_base__handle_leave(&g->h);
    return CTW_OK;
}

ctw_status ctw_governor_set_pairs(ctw_governor *g, const double *mhz, const double *mem_mhz, const double *slowdown,
                                  const double *watts, const double *idle_watts, uint64_t n)
{
    static const char *fn = "ctw_governor_set_pairs";
    ctw_power__plan plan = {.n = 0};
    CTW_TRY(ctw_base__handle_check(g ? &g->h : NULL, CTW_GOVERNOR_MAGIC, fn, "g"));
    CTW_TRY(ctw_base__in_u64(n, 1, MOST, fn, "n"));
    CTW_TRY(ctw_base__need(mhz, fn, "mhz"));
    CTW_TRY(ctw_base__need(mem_mhz, fn, "mem_mhz"));
    CTW_TRY(ctw_base__need(slowdown, fn, "slowdown"));
    CTW_TRY(ctw_base__need(watts, fn, "watts"));
    CTW_TRY(ctw_base__all_in(mhz, n, 1, 1e-3, 1e6, fn, "mhz"));
    CTW_TRY(ctw_base__all_in(mem_mhz, n, 1, 1e-3, 1e6, fn, "mem_mhz"));
    CTW_TRY(ctw_base__all_in(slowdown, n, 1, 1.0, 1e6, fn, "slowdown"));
    CTW_TRY(ctw_base__all_in(watts, n, 1, 1e-9, 1e9, fn, "watts"));
    if (idle_watts) CTW_TRY(ctw_base__all_in(idle_watts, n, 1, 0.0, 1e9, fn, "idle_watts"));
    for (uint64_t i = 0; i < n; i++) {
        ctw_power__pair pair = {mhz[i], mem_mhz[i], slowdown[i], watts[i], idle_watts ? idle_watts[i] : 0.0};
        ctw_power__plan_add(&plan, &pair);
    }
    return use(g, &plan, fn);
}

ctw_status ctw_governor_set_device_memory(ctw_governor *g, const ctw_power *device)
{
    static const char *fn = "ctw_governor_set_device_memory";
    ctw_power__plan plan = {.n = 0};
    double zero = 0.0, least = INFINITY;
    CTW_TRY(ctw_base__handle_check(g ? &g->h : NULL, CTW_GOVERNOR_MAGIC, fn, "g"));
    CTW_TRY(ctw_base__handle_check(device ? &device->h : NULL, CTW_POWER_MAGIC, fn, "device"));
    const ctw_power__memory *m = &device->memory;
    uint64_t points = ctw_power_point_count(device);
    if (m->n == 0) return ctw_base__fail(CTW_E_STATE, "%s: no memory clocks were fitted", fn);
    CTW_TRY(ctw_base__in_u64(points * m->n, 1, MOST, fn, "number of pairs"));
    for (uint64_t i = 0; i < points * m->n; i++) {
        ctw_power__pair pair = {.mem = m->mhz[i % m->n]};
        CTW_TRY(ctw_power_point_at(device, i / m->n, &pair.mhz));
        CTW_TRY(ctw_power_at_memory(device, &pair.mhz, &pair.mem, NULL, 1, &pair.watts, &pair.slow));
        if (ctw_power__knows(device, 0.0))
            CTW_TRY(ctw_power_at_memory(device, &pair.mhz, &pair.mem, &zero, 1, &pair.idle, NULL));
        least = fmin(least, pair.slow);
        ctw_power__plan_add(&plan, &pair);
    }
    /* Interpolated times may miss 1 at the top by rounding. */
    for (size_t i = 0; i < plan.n; i++) plan.slow[i] = plan.slow[i] == least ? 1.0 : fmax(1.0, plan.slow[i] / least);
    return use(g, &plan, fn);
}

ctw_status ctw_governor_memory(const ctw_governor *g, double *mem_mhz)
{
    static const char *fn = "ctw_governor_memory";
    CTW_TRY(ctw_base__handle_check(g ? &g->h : NULL, CTW_GOVERNOR_MAGIC, fn, "g"));
    CTW_TRY(ctw_base__need(mem_mhz, fn, "mem_mhz"));
    if (!(g->plan.n && g->plan.mem[g->at] > 0.0))
        return ctw_base__fail(CTW_E_STATE, "%s: the table has no memory clocks", fn);
    *mem_mhz = g->plan.mem[g->at];
    return CTW_OK;
}

/* ---- saving ---- */

void ctw_governor__put_memory(ctw_io__out *o, const ctw_governor *g)
{
    if (!(g->plan.mem[0] > 0.0)) return;
    ctw_io__out_open(o, CTW_GOVERNOR_MEMORY, 1, 0);
    ctw_io__put_vec(&o->w, g->plan.mem, g->plan.n);
    ctw_io__out_close(o);
}

ctw_status ctw_governor__read_memory(const ctw_io__in *in, ctw_power__plan *t, const char *fn)
{
    ctw_io__reader r;
    if (!ctw_io__in_has(in, CTW_GOVERNOR_MEMORY)) return CTW_OK;
    CTW_TRY(ctw_io__in_section(in, CTW_GOVERNOR_MEMORY, &r, fn));
    if (ctw_io__get_count(&r, sizeof(double)) != t->n)
        return ctw_power__damaged(fn, "the number of memory clocks", "governor");
    ctw_io__get_f64s(&r, t->mem, t->n);
    CTW_TRY(ctw_io__in_end(&r, fn, "memory clocks"));
    for (size_t i = 0; i < t->n; i++)
        if (!(t->mem[i] > 0.0)) return ctw_power__damaged(fn, "a memory clock", "governor");
    return CTW_OK;
}
