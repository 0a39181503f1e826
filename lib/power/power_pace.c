/* power_pace.c: race or pace: one piece of work, a period to do it in, and what the device does with the rest. Few
 * points and two ways to wait, so all are tried; which one wins depends on idle power, and that is the point. */
#include "power/power_internal.h"

#include <math.h>

/* What the device may do instead of idling; watts infinite: nothing. */
typedef struct doze {
    double watts, wake_joule, wake_s;
} doze;

typedef struct plan {
    double mhz, joule;
    int32_t sleeps;
} plan;

/* Energy of the work at x and of waiting through the rest; sleeping when that is cheaper and there is time to wake. */
static plan cost(const ctw_power *p, double x, double work_s, double period_s, double waiting_watts, const doze *sleep)
{
    double rest = period_s - work_s, awake = rest * waiting_watts;
    plan it = {x * ctw_power__top(p), work_s * ctw_power__watts_at(p, x, 1.0), 0};
    if (isfinite(sleep->watts) && rest >= sleep->wake_s) {
        double asleep = (rest - sleep->wake_s) * sleep->watts + sleep->wake_joule;
        it.sleeps = asleep < awake;
        awake = it.sleeps ? asleep : awake;
    }
    it.joule += awake;
    return it;
}

static ctw_status check(const ctw_power *p, double busy_s, double period_s, const doze *sleep, const char *fn)
{
    CTW_TRY(ctw_base__handle_check(p ? &p->h : NULL, CTW_POWER_MAGIC, fn, "p"));
    CTW_TRY(ctw_base__in(busy_s, 1e-9, 1e12, fn, "busy_s"));
    CTW_TRY(ctw_base__in(period_s, 1e-9, 1e12, fn, "period_s"));
    if (sleep->watts != INFINITY) CTW_TRY(ctw_base__in(sleep->watts, 0.0, 1e9, fn, "sleep_watts"));
    CTW_TRY(ctw_base__in(sleep->wake_joule, 0.0, 1e15, fn, "wake_joule"));
    CTW_TRY(ctw_base__in(sleep->wake_s, 0.0, 1e9, fn, "wake_s"));
    if (!ctw_power__knows(p, 0.0) || !ctw_power__knows(p, 1.0))
        return ctw_base__fail(CTW_E_STATE,
                              "%s: idle and busy power must be known: fit them, or set idle_watts and "
                              "tdp_watts",
                              fn);
    return ctw_power__top(p) > 0.0 ? CTW_OK : ctw_base__fail(CTW_E_STATE, "%s: no frequency is known yet", fn);
}

/* The point's frequency over the top one. */
static double point(const ctw_power *p, size_t i)
{
    return (p->n_points ? p->mhz[i] : p->m.mhz[i]) / ctw_power__top(p);
}

ctw_status ctw_power_pace(const ctw_power *p, double membound, double busy_s, double period_s, double sleep_watts,
                          double wake_joule, double wake_s, double *mhz, int32_t *sleeps, double *joule)
{
    static const char *fn = "ctw_power_pace";
    const doze sleep = {sleep_watts, wake_joule, wake_s};
    CTW_TRY(check(p, busy_s, period_s, &sleep, fn));
    CTW_TRY(ctw_power__check_membound(p, membound, fn));
    double waiting = ctw_power__idle_at(p, point(p, 0));
    plan best = {ctw_power__top(p), INFINITY, 0};
    for (size_t i = (size_t)ctw_power_point_count(p); i-- > 0;) {
        double x = point(p, i), work_s = busy_s * ctw_power__slowdown_at(p, x, membound);
        if (work_s > period_s) continue;
        plan it = cost(p, x, work_s, period_s, waiting, &sleep);
        if (it.joule < best.joule) best = it;
    }
    int fits = best.joule < INFINITY;
    if (!fits) best.joule = busy_s * ctw_power__watts_at(p, 1.0, 1.0);
    if (mhz) *mhz = best.mhz;
    if (sleeps) *sleeps = best.sleeps;
    if (joule) *joule = best.joule;
    if (fits) return CTW_OK;
    return ctw_base__fail(CTW_E_INFEASIBLE, "%s: %g s of work do not fit into %g s; the safe point is %g MHz", fn,
                          busy_s, period_s, best.mhz);
}
