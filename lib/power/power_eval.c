/* power_eval.c: the equations of power.h, one value at a time, without checks (the callers have made them). */
#include "power/power_internal.h"

#include <math.h>

double ctw_power__top(const ctw_power *p)
{
    if (p->n_points) return p->mhz[p->n_points - 1];
    return p->m.top_mhz;
}

/* Voltage at x from the table, straight between points and flat outside: a regulator does not extrapolate. */
static double volt_at(const ctw_power *p, double x)
{
    double f = x * p->mhz[p->n_points - 1];
    size_t lo = 0, hi = p->n_points - 1;
    if (f <= p->mhz[0]) return p->volt[0];
    if (f >= p->mhz[hi]) return p->volt[hi];
    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;
        if (p->mhz[mid] <= f)
            lo = mid;
        else
            hi = mid;
    }
    return p->volt[lo] + (p->volt[hi] - p->volt[lo]) * (f - p->mhz[lo]) / (p->mhz[hi] - p->mhz[lo]);
}

double ctw_power__dynamic_at(const ctw_power *p, double x)
{
    if (p->volt) {
        double v = volt_at(p, x) / p->volt[p->n_points - 1];
        return x * v * v;
    }
    return pow(x, p->exponent);
}

static double peak(const ctw_power *p)
{
    return p->m.peak > 0.0 ? p->m.peak : p->tdp_watts;
}

static int knows_idle(const ctw_power *p)
{
    return p->m.has_idle || p->idle_watts > 0.0;
}

int ctw_power__knows(const ctw_power *p, double util)
{
    if (!p->m.has_busy && !(peak(p) > 0.0)) return 0;
    return util == 1.0 || knows_idle(p);
}

static double raw_idle(const ctw_power *p, double x)
{
    return p->m.has_idle ? ctw_power__basis_at(p->m.idle, x) : p->idle_watts;
}

double ctw_power__fitted_busy_at(const ctw_power *p, double x)
{
    if (p->m.has_busy) return ctw_power__basis_at(p->m.busy, x);
    double idle = raw_idle(p, 1.0), top = peak(p);
    if (idle > top) idle = top;
    return idle + (top - idle) * ctw_power__dynamic_at(p, x);
}

double ctw_power__fitted_idle_at(const ctw_power *p, double x)
{
    double idle = raw_idle(p, x), busy = ctw_power__fitted_busy_at(p, x);
    return idle < busy ? idle : busy;
}

double ctw_power__idle_at(const ctw_power *p, double x)
{
    return (1.0 + p->recal.gain[0]) * ctw_power__fitted_idle_at(p, x);
}

double ctw_power__busy_at(const ctw_power *p, double x)
{
    double idle = ctw_power__fitted_idle_at(p, x), busy = ctw_power__fitted_busy_at(p, x);
    return busy + p->recal.gain[0] * idle + p->recal.gain[1] * (busy - idle);
}

double ctw_power__watts_at(const ctw_power *p, double x, double util)
{
    double busy = ctw_power__busy_at(p, x);
    if (util == 1.0) return busy;
    double idle = ctw_power__idle_at(p, x);
    double g = p->m.shape.n ? ctw_power__curve_at(&p->m.shape, util) : util;
    return idle + (busy - idle) * g;
}

double ctw_power__error_at(const ctw_power *p, double x, double util)
{
    if (!p->fitted || p->m.misfit < 0.0) return INFINITY;
    double spread = p->m.spread.n ? ctw_power__curve_at(&p->m.spread, util) : 0.0;
    double span = ctw_power__busy_at(p, x) - ctw_power__idle_at(p, x);
    return hypot(ctw_power__recal_error(p, x, util), fmax(spread, 0.0) * span / ctw_power__watts_at(p, x, util));
}

double ctw_power__slowdown_at(const ctw_power *p, double x, double membound)
{
    if (membound >= 0.0) return ctw_power__pnorm_at(membound, p->m.has_time ? p->m.overlap : p->overlap, x);
    double slow = ctw_power__time_at(&p->m, x) / p->m.top_time;
    return p->time_recal.n ? fmax(0.05, 1.0 + ctw_power__reaction(p) * (slow - 1.0)) : slow;
}
