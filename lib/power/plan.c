/* plan.c: tables of operating points, checked once for all who choose among them. */
#include "power/plan.h"

#include "base/check.h"
#include "power/power_internal.h"
#include <string.h>

static ctw_status check_order(const ctw_power__plan *t, const char *fn)
{
    for (size_t i = 1; i < t->n; i++) {
        if (t->mhz[i] <= t->mhz[i - 1])
            return ctw_base__fail(CTW_E_RANGE, "%s: mhz[%zu] is %g, must be above mhz[%zu] (%g)", fn, i, t->mhz[i],
                                  i - 1, t->mhz[i - 1]);
        if (t->slow[i] > t->slow[i - 1])
            return ctw_base__fail(CTW_E_RANGE, "%s: slowdown[%zu] is %g, must be <= slowdown[%zu] (%g)", fn, i,
                                  t->slow[i], i - 1, t->slow[i - 1]);
    }
    if (t->slow[t->n - 1] != 1.0)
        return ctw_base__fail(CTW_E_RANGE, "%s: slowdown of the top point is %g, must be 1", fn, t->slow[t->n - 1]);
    return CTW_OK;
}

ctw_status ctw_power__plan_set(ctw_power__plan *plan, const double *mhz, const double *slowdown, const double *watts,
                               const double *idle_watts, uint64_t n, const char *fn)
{
    CTW_TRY(ctw_base__in_u64(n, 1, CTW_GOVERNOR_POINTS, fn, "n"));
    CTW_TRY(ctw_base__need(mhz, fn, "mhz"));
    CTW_TRY(ctw_base__need(slowdown, fn, "slowdown"));
    CTW_TRY(ctw_base__need(watts, fn, "watts"));
    CTW_TRY(ctw_base__all_in(mhz, n, 1, 1e-3, 1e6, fn, "mhz"));
    CTW_TRY(ctw_base__all_in(slowdown, n, 1, 1.0, 1e6, fn, "slowdown"));
    CTW_TRY(ctw_base__all_in(watts, n, 1, 1e-9, 1e9, fn, "watts"));
    if (idle_watts) CTW_TRY(ctw_base__all_in(idle_watts, n, 1, 0.0, 1e9, fn, "idle_watts"));
    *plan = (ctw_power__plan){.n = n, .top = n - 1};
    memcpy(plan->mhz, mhz, n * sizeof *mhz);
    memcpy(plan->slow, slowdown, n * sizeof *slowdown);
    memcpy(plan->watts, watts, n * sizeof *watts);
    if (idle_watts) memcpy(plan->idle, idle_watts, n * sizeof *idle_watts);
    return check_order(plan, fn);
}

ctw_status ctw_power__plan_of(ctw_power__plan *plan, const ctw_power *device, double membound, const char *fn)
{
    double zero[CTW_GOVERNOR_POINTS] = {0}, m[CTW_GOVERNOR_POINTS];
    CTW_TRY(ctw_base__handle_check(device ? &device->h : NULL, CTW_POWER_MAGIC, fn, "device"));
    uint64_t n = ctw_power_point_count(device);
    CTW_TRY(ctw_base__in_u64(n, 1, CTW_GOVERNOR_POINTS, fn, "number of candidate points"));
    *plan = (ctw_power__plan){.n = n, .top = n - 1};
    for (uint64_t i = 0; i < n; i++) {
        CTW_TRY(ctw_power_point_at(device, i, &plan->mhz[i]));
        m[i] = membound;
    }
    CTW_TRY(ctw_power_slowdown(device, plan->mhz, m, n, plan->slow));
    CTW_TRY(ctw_power_watts(device, plan->mhz, NULL, n, plan->watts));
    if (ctw_power__knows(device, 0.0)) CTW_TRY(ctw_power_watts(device, plan->mhz, zero, n, plan->idle));
    plan->slow[n - 1] = 1.0;
    return CTW_OK;
}

/* ---- pairs of clocks ---- */

static void move(ctw_power__plan *t, size_t to, size_t from, size_t n)
{
    double *const column[] = {t->mhz, t->mem, t->slow, t->watts, t->idle};
    for (int k = 0; k < 5; k++) memmove(column[k] + to, column[k] + from, n * sizeof(double));
}

static void drop(ctw_power__plan *t, size_t i)
{
    move(t, i, i + 1, t->n - i - 1);
    t->n--;
}

/* The inner point whose neighbours are nearest to each other. */
static size_t most_crowded(const ctw_power__plan *t)
{
    size_t best = 1;
    for (size_t i = 2; i + 1 < t->n; i++)
        if (t->slow[i - 1] / t->slow[i + 1] < t->slow[best - 1] / t->slow[best + 1]) best = i;
    return best;
}

void ctw_power__plan_add(ctw_power__plan *plan, const ctw_power__pair *pair)
{
    size_t at = 0;
    for (size_t i = 0; i < plan->n; i++)
        if (plan->slow[i] <= pair->slow && plan->watts[i] <= pair->watts) return;
    for (size_t i = plan->n; i-- > 0;)
        if (plan->slow[i] >= pair->slow && plan->watts[i] >= pair->watts) drop(plan, i);
    if (plan->n == CTW_GOVERNOR_POINTS) drop(plan, most_crowded(plan));
    while (at < plan->n && plan->slow[at] > pair->slow) at++;
    move(plan, at + 1, at, plan->n - at);
    plan->mhz[at] = pair->mhz;
    plan->mem[at] = pair->mem;
    plan->slow[at] = pair->slow;
    plan->watts[at] = pair->watts;
    plan->idle[at] = pair->idle;
    plan->top = plan->n++;
}
