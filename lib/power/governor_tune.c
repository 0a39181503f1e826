/* governor_tune.c: choosing among experts. Every expert has served the same recorded requests with the same table, so
 * what is compared is the rule and not luck. An expert qualifies when its late requests stay within the budget over the
 * top frequency's; of those the one of least energy wins. All fixed frequencies are among the experts, so with a
 * representative record the choice cannot be worse than the best of them. */
#include "power/governor_internal.h"

#include <math.h>

/* Late requests beyond the top frequency's that have been used up so far, and what of the budget is still owed. */
static double owed(const ctw_governor *g)
{
    return g->budget * (double)g->completed - (double)(g->late - g->late_top);
}

/* Late requests the next stretch of time may have over the top frequency: the budget, plus what is left over from
 * the past or minus what was overspent, spread over one record's length. */
static double allowance(const ctw_governor *g)
{
    double n = g->experts.weight, allowed = g->budget * n + owed(g);
    double most = 1.5 * g->budget * n;
    return fmax(0.0, fmin(allowed, most));
}

static ctw_power__record recorded(const ctw_governor *g)
{
    return (ctw_power__record){g->past.arrival, g->past.work, g->past.guess, g->past.deadline, g->past.n};
}

void ctw_governor__remember(ctw_governor *g, double arrival, double work, double guess, double deadline)
{
    if (g->past.n == g->past.cap) {
        ctw_power__record r = recorded(g);
        ctw_governor__experts_drop(&g->experts, &r, g->past.cap / 2);
        ctw_governor__history_halve(&g->past);
    }
    ctw_governor__history_add(&g->past, arrival, work, guess, deadline);
    g->experts.fresh++;
}

ctw_status ctw_governor__choose(ctw_governor *g, ctw_cancel *cancel, const char *fn)
{
    ctw_governor__experts *e = &g->experts;
    if (g->past.n < 2) return CTW_OK;
    ctw_power__record r = recorded(g);
    CTW_TRY(ctw_governor__experts_follow(e, &g->plan, &r, g->lag, (double)g->past.cap, cancel, fn));
    ctw_governor__tally top = ctw_governor__experts_outcome(e, e->n - 1, &g->plan, &r, g->lag);
    double allowed = top.late + allowance(g) + 1e-6, least = INFINITY;
    for (size_t i = 0; i < e->n; i++) {
        ctw_governor__tally o = ctw_governor__experts_outcome(e, i, &g->plan, &r, g->lag);
        if (o.late > allowed || o.joule / o.seconds >= least) continue;
        least = o.joule / o.seconds;
        g->rule = e->at[i].rule;
    }
    g->saving = top.seconds > 0.0 && least > 0.0 ? top.joule / top.seconds / least : 0.0;
    g->tunings++;
    ctw_governor__begin_period(g);
    return CTW_OK;
}

/* The replay cannot know a change of regime. A rule that between two tunings loses much more than its share is
 * dropped at once; each failure in a row keeps the top point for twice as long. */
void ctw_governor__begin_period(ctw_governor *g)
{
    double share = 3.0 * g->budget * (double)(g->tune_every ? g->tune_every : (int64_t)g->past.cap);
    g->since_tuning = 0;
    g->spent_at_tuning = g->late - g->late_top;
    g->spendable = fmax(4.0, share) + fmax(0.0, owed(g));
}

void ctw_governor__watch(ctw_governor *g)
{
    double spent = (double)(g->late - g->late_top - g->spent_at_tuning);
    if (g->hold > 0) {
        g->hold--;
        return;
    }
    int at_top = g->rule.fixed == (int)g->plan.top;
    if (at_top || spent <= g->spendable) return;
    int64_t period = g->tune_every ? g->tune_every : 512;
    g->rule = (ctw_power__rule){.fixed = (int)g->plan.top, .park = 1};
    g->hold = period << (g->holds < 5 ? g->holds : 5);
    g->holds++;
    ctw_governor__begin_period(g);
}
