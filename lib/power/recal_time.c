/* recal_time.c: a time model that follows its workload. Inputs grow, batches change, a neighbour takes memory
 * bandwidth: work then takes longer, and it gains less or more from the clock. With s(x) the fitted slowdown, what is
 * observed is t = A work T(1) + B work T(1) (s(x) - 1) so the two factors are learned as those of power are (recal.c),
 * and the slowdown becomes 1 + (B/A)(s - 1). */
#include "power/power_internal.h"

#include <math.h>

double ctw_power__reaction(const ctw_power *p)
{
    return (1.0 + p->time_recal.gain[1]) / (1.0 + p->time_recal.gain[0]);
}

double ctw_power__slowdown_error_at(const ctw_power *p, double x)
{
    const ctw_power__recal *r = &p->time_recal;
    double fit = ctw_power__time_error_at(&p->m, x);
    if (r->n == 0) return fit;
    double k = ctw_power__reaction(p), slow = ctw_power__slowdown_at(p, x, -1.0);
    double of_k = sqrt(fmax(0.0, r->cov[2] - 2.0 * k * r->cov[1] + k * k * r->cov[0])) / (1.0 + r->gain[0]);
    return hypot(fit, of_k * fabs(slow - 1.0) / k / slow);
}

static ctw_status update(ctw_power *p, double mhz, double work, double seconds, const char *fn)
{
    double x = 1.0;
    ctw_power__recal *r = &p->time_recal;
    CTW_TRY(ctw_power__check_membound(p, -1.0, fn));
    CTW_TRY(ctw_base__in(work, 1e-9, 1e9, fn, "work"));
    CTW_TRY(ctw_base__in(seconds, 1e-12, 1e12, fn, "seconds"));
    if (mhz != 0.0) CTW_TRY(ctw_power__relative(p, mhz, 0, fn, &x));
    double top = work * p->m.top_time, fitted = work * ctw_power__time_at(&p->m, x);
    double share[2] = {top / fitted, 1.0 - top / fitted};
    double expected = fitted * (1.0 + r->gain[0] * share[0] + r->gain[1] * share[1]);
    if (!(seconds < 4.0 * expected && seconds > 0.25 * expected))
        return ctw_base__fail(CTW_E_RANGE, "%s: seconds is %g where %g was expected: it is not this work", fn, seconds,
                              expected);
    ctw_power__recal_step(p, r, share, seconds, expected, fitted, ctw_power__time_error_at(&p->m, x));
    return CTW_OK;
}

ctw_status ctw_power_update_time(ctw_power *p, double mhz, double work, double seconds)
{
    static const char *fn = "ctw_power_update_time";
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_POWER_MAGIC, fn, "p"));
    ctw_status s = update(p, mhz, work, seconds, fn);
    ctw_base__handle_leave(&p->h);
    return s;
}

ctw_status ctw_power_time_drift(const ctw_power *p, double *scale, double *reaction, double *error, int32_t *drifting)
{
    static const char *fn = "ctw_power_time_drift";
    CTW_TRY(ctw_base__handle_check(p ? &p->h : NULL, CTW_POWER_MAGIC, fn, "p"));
    CTW_TRY(ctw_power__check_membound(p, -1.0, fn));
    const ctw_power__recal *r = &p->time_recal;
    if (scale) *scale = 1.0 + r->gain[0];
    if (reaction) *reaction = ctw_power__reaction(p);
    if (error) *error = r->n ? sqrt(r->error2) : ctw_power__time_error_at(&p->m, 1.0);
    if (drifting) *drifting = r->drifting;
    return CTW_OK;
}
