/* recal.c: a fitted model that follows its machine. Ageing, temperature and a changed fan table shift idle and dynamic
 * power separately, so one factor for each is learned from single readings: recursive least squares of the relative
 * error with forgetting. Both factors are bounded, the covariance cannot grow beyond its start (a machine that only
 * idles says nothing of its dynamic power), and a reading nobody can believe is refused. */
#include "power/power_internal.h"

#include <math.h>
#include <string.h>

/* What a fit may be off by before any reading: standard deviation of either factor. */
static const double prior_sd = 0.1;
/* Noise assumed at least: models of few points are no better, and a perfect fit of its own rows proves nothing. */
static const double least_noise = 0.02;
static const double lowest_gain = -0.5, highest_gain = 1.0;
/* The error of the fit counts as much as so many readings. */
static const double fit_counts = 10.0;
/* Units of noise that the watch for drift lets pass. */
static const double free_units = 1.5;

void ctw_power__recal_reset(ctw_power__recal *r)
{
    memset(r, 0, sizeof *r);
    r->cov[0] = r->cov[2] = prior_sd * prior_sd;
}

/* Shares of idle and dynamic power in what the fit alone expects; returns that power. */
static double shares(const ctw_power *p, double x, double util, double share[2])
{
    double idle = ctw_power__fitted_idle_at(p, x), busy = ctw_power__fitted_busy_at(p, x);
    double g = util == 1.0 ? 1.0 : p->m.shape.n ? ctw_power__curve_at(&p->m.shape, util) : util;
    double all = idle + (busy - idle) * g;
    share[0] = idle / all;
    share[1] = 1.0 - share[0];
    return all;
}

/* Variance of the corrected prediction that comes from the factors. */
static double variance(const ctw_power__recal *r, const double share[2])
{
    return share[0] * share[0] * r->cov[0] + 2.0 * share[0] * share[1] * r->cov[1] + share[1] * share[1] * r->cov[2];
}

double ctw_power__recal_error(const ctw_power *p, double x, double util)
{
    double share[2];
    const ctw_power__recal *r = &p->recal;
    if (r->n == 0) return p->m.misfit;
    shares(p, x, util, share);
    return sqrt(r->error2 + variance(r, share));
}

static double bounded(double v)
{
    return fmin(highest_gain, fmax(lowest_gain, v));
}

/* One step of recursive least squares; `e` is what the corrected prediction misses, relative to the fit's. */
static void learn(ctw_power__recal *r, const double share[2], double e, double noise, double keep)
{
    double a = share[0] * r->cov[0] + share[1] * r->cov[1], b = share[0] * r->cov[1] + share[1] * r->cov[2];
    double total = keep * noise * noise + share[0] * a + share[1] * b, most = prior_sd * prior_sd;
    r->gain[0] = bounded(r->gain[0] + a / total * e);
    r->gain[1] = bounded(r->gain[1] + b / total * e);
    r->cov[0] = (r->cov[0] - a * a / total) / keep;
    r->cov[1] = (r->cov[1] - a * b / total) / keep;
    r->cov[2] = (r->cov[2] - b * b / total) / keep;
    /* Forgetting without news would let the covariance grow for ever: it is scaled back, keeping its correlation. */
    for (int k = 0; k < 3; k += 2)
        if (r->cov[k] > most) {
            r->cov[1] *= sqrt(most / r->cov[k]);
            r->cov[k] = most;
        }
}

static void watch(ctw_power__recal *r, double units, double limit)
{
    r->up = fmax(0.0, r->up + units - free_units);
    r->down = fmax(0.0, r->down - units - free_units);
    if (r->up > limit || r->down > limit) r->drifting = 1;
}

void ctw_power__recal_step(const ctw_power *p, ctw_power__recal *r, const double share[2], double read, double expected,
                           double fitted, double misfit)
{
    double noise = fmax(misfit, least_noise), e = (read - expected) / fitted, ahead = read / expected - 1.0;
    double rate = fmax(1.0 / p->recal_memory, 1.0 / (fit_counts + (double)r->n + 1.0));
    if (r->n == 0) r->error2 = misfit * misfit;
    r->error2 += rate * (ahead * ahead - r->error2);
    r->n++;
    watch(r, (read / fitted - 1.0) / noise, p->drift_limit);
    learn(r, share, e, noise, 1.0 - 1.0 / p->recal_memory);
}

static ctw_status update(ctw_power *p, double mhz, double util, double watts, const char *fn)
{
    double x = 1.0, share[2];
    ctw_power__recal *r = &p->recal;
    if (!p->fitted) return ctw_base__fail(CTW_E_STATE, "%s: the model is not fitted", fn);
    CTW_TRY(ctw_base__in(util, 0.0, 1.0, fn, "util"));
    CTW_TRY(ctw_base__in(watts, 1e-9, 1e9, fn, "watts"));
    if (mhz != 0.0) CTW_TRY(ctw_power__relative(p, mhz, 0, fn, &x));
    if (!ctw_power__knows(p, util))
        return ctw_base__fail(CTW_E_STATE, "%s: power at utilisation %g is not known from the fit", fn, util);
    double expected = ctw_power__watts_at(p, x, util), fitted = shares(p, x, util, share);
    if (!(watts < 4.0 * expected && watts > 0.25 * expected))
        return ctw_base__fail(CTW_E_RANGE, "%s: watts is %g where %g was expected: the sensor is not believed", fn,
                              watts, expected);
    ctw_power__recal_step(p, r, share, watts, expected, fitted, p->m.misfit);
    return CTW_OK;
}

ctw_status ctw_power_update(ctw_power *p, double mhz, double util, double watts)
{
    static const char *fn = "ctw_power_update";
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_POWER_MAGIC, fn, "p"));
    ctw_status s = update(p, mhz, util, watts, fn);
    ctw_base__handle_leave(&p->h);
    return s;
}

ctw_status ctw_power_drift(const ctw_power *p, double *idle_factor, double *dynamic_factor, double *error,
                           int32_t *drifting)
{
    static const char *fn = "ctw_power_drift";
    CTW_TRY(ctw_base__handle_check(p ? &p->h : NULL, CTW_POWER_MAGIC, fn, "p"));
    if (!p->fitted) return ctw_base__fail(CTW_E_STATE, "%s: the model is not fitted", fn);
    const ctw_power__recal *r = &p->recal;
    if (idle_factor) *idle_factor = 1.0 + r->gain[0];
    if (dynamic_factor) *dynamic_factor = 1.0 + r->gain[1];
    if (error) *error = r->n ? sqrt(r->error2) : p->m.misfit;
    if (drifting) *drifting = r->drifting;
    return CTW_OK;
}

/* 1 when what a file says could have come from updates. */
int ctw_power__recal_plausible(const ctw_power__recal *r)
{
    static const double most = 0.1 * 0.1 * (1.0 + 1e-9);
    for (int k = 0; k < 2; k++)
        if (!(r->gain[k] >= lowest_gain && r->gain[k] <= highest_gain)) return 0;
    return r->cov[0] >= 0.0 && r->cov[0] <= most && r->cov[2] >= 0.0 && r->cov[2] <= most &&
           r->cov[1] * r->cov[1] <= r->cov[0] * r->cov[2] * (1.0 + 1e-9) + 1e-15 && r->error2 >= 0.0 &&
           r->error2 <= 1e6 && r->up >= 0.0 && r->down >= 0.0 && r->n >= 0;
}
