/* physics.c: what servers draw and how fast they work. This is the twin's "real world": the same for every
 * scheduler, and not to be confused with the models (forecast, power) that decisions are made with. */
#include "twin/twin_internal.h"
#include <math.h>

double ctw_twin__true_ci(const ctw_twin__region *r, double time)
{
    double i = floor(time / r->step_s + 1e-9);
    if (i < 0.0) i = 0.0;
    return i >= (double)r->n_ci ? r->ci[r->n_ci - 1] : r->ci[(size_t)i];
}

double ctw_twin__slowdown(double level, double membound)
{
    return membound + (1.0 - membound) / level;
}

void ctw_twin__watts(const ctw_twin *t, const ctw_twin__server *s, double out[CTW_USES])
{
    const ctw_twin__class *k = &t->klass[s->klass];
    double per_core = (k->peak_w - k->idle_w) * k->factor[s->level] / k->cores;
    double total = 0.0;
    for (int u = CTW_USE_SERVICE; u < CTW_USES; u++) total += s->busy[u];
    /* Services can be offered more work than there are cores: the excess waits and draws nothing. */
    double share = total > k->cores ? k->cores / total : 1.0;
    out[CTW_USE_IDLE] = s->lost ? 0.0 : k->idle_w;
    for (int u = CTW_USE_SERVICE; u < CTW_USES; u++) out[u] = s->lost ? 0.0 : fmax(0.0, s->busy[u]) * share * per_core;
}

/* Adds the power since s->since_s to the accounts, up to `end`, idle power only if `idle`. */
static void charge(ctw_twin *t, const ctw_twin__server *s, double from, double end, int idle)
{
    double hours = (end - from) / 3600.0;
    if (!(hours > 0.0)) return;
    double watts[CTW_USES];
    double ci = ctw_twin__true_ci(&t->region[s->region], from);
    ctw_twin__watts(t, s, watts);
    if (!idle) watts[CTW_USE_IDLE] = 0.0;
    for (int u = 0; u < CTW_USES; u++) {
        double wh = watts[u] * hours;
        t->energy_wh[u] += wh;
        t->carbon_g[u] += wh * ci / 1000.0;
        t->slot_wh[u] += wh;
        t->slot_g += wh * ci / 1000.0;
    }
}

void ctw_twin__account(ctw_twin *t, ctw_twin__server *s)
{
    /* Slots end where the signal steps, so between two calls the intensity is one value; only the end of the day
     * can lie between. */
    double day = fmin(fmax(t->day_s, s->since_s), t->now);
    charge(t, s, s->since_s, day, 1);
    charge(t, s, day, t->now, 0);
    s->since_s = t->now;
}

int ctw_twin__usable(const ctw_twin *t, const ctw_twin__server *s)
{
    return !s->lost && s->drained_until_s <= t->now;
}

uint32_t ctw_twin__fit(const ctw_twin *t, uint32_t region, double cores)
{
    uint32_t best = CTW_TWIN__NONE;
    double least = INFINITY;
    for (size_t i = 0; i < t->n_server; i++) {
        const ctw_twin__server *s = &t->server[i];
        if (s->region != region || s->instance || !ctw_twin__usable(t, s)) continue;
        double left = t->klass[s->klass].cores - s->reserved - cores;
        if (left < -1e-9 || left >= least) continue;
        best = (uint32_t)i;
        least = left;
    }
    return best;
}

ctw_status ctw_twin__set_clock(ctw_twin *t, size_t server, uint32_t level, double speed)
{
    ctw_twin__server *s = &t->server[server];
    /* Speeds are copied, never computed, so equality means "unchanged". */
    if (s->level == level && !(s->speed < speed) && !(s->speed > speed)) return CTW_OK;
    ctw_twin__account(t, s);
    s->level = level;
    s->speed = speed;
    if (s->busy[CTW_USE_JOB] > 0.0)
        for (size_t i = 0; i < t->n_running; i++)
            if (t->job[t->running[i]].server == server) CTW_TRY(ctw_twin__job_reclock(t, t->running[i]));
    if (s->request != CTW_TWIN__NONE) CTW_TRY(ctw_twin__request_reclock(t, s->request));
    ctw_twin__services_on(t, server);
    return CTW_OK;
}
