/* governor_tune.c: choosing among experts by replay. Every expert is judged on the same recorded requests with
 * the same table, so what is compared is the rule and not luck. An expert qualifies when its late requests stay
 * within the budget over the top frequency's; of those the one of least energy wins. All fixed frequencies are
 * among the experts, so with a representative record the choice cannot be worse than the best of them. The guard of
 * a stretching rule is found by bisection, since more slack used means less energy and more late requests. */
#include "power/governor_internal.h"

#include "base/cancel.h"
#include <math.h>

/* Prices of time, of each waiting request's time, and of time while much comes; from bold to careful. */
static const struct {
    double price, queue_price, load_price;
} families[] = {{0.0, 0.0, 0.0}, {0.0, 0.2, 0.0}, {0.2, 0.2, 0.0}, {0.1, 0.6, 0.0}, {0.4, 0.6, 0.0},
                {0.2, 1.5, 0.0}, {0.0, 0.2, 0.3}, {0.1, 0.6, 0.3}, {0.1, 0.6, 1.0}, {0.4, 0.6, 2.0}};

enum { FAMILIES = sizeof families / sizeof *families, STEPS = 6 };

typedef struct judge {
    const ctw_governor *g;
    ctw_power__record record;
    double late_allowed;
    ctw_power__rule best;
    double best_power;
} judge;

/* Replays one rule; keeps it if it qualifies and beats the best. Returns 1 when it qualifies. */
static int try_rule(judge *t, const ctw_power__rule *rule)
{
    ctw_power__outcome o;
    ctw_power__rule_replay(&t->g->plan, rule, &t->record, t->g->lag, &o);
    if ((double)o.late > t->late_allowed) return 0;
    double power = o.joule / o.seconds;
    if (power < t->best_power) {
        t->best_power = power;
        t->best = *rule;
    }
    return 1;
}

static void try_fixed(judge *t)
{
    for (int park = 0; park < 2; park++)
        for (size_t j = t->g->plan.top + 1; j-- > 0;) {
            ctw_power__rule rule = {.fixed = (int)j, .park = park};
            if (!try_rule(t, &rule) && j < t->g->plan.top) break;
        }
}

static ctw_status try_family(judge *t, size_t family, ctw_cancel *cancel, const char *fn)
{
    double lo = 0.0, hi = 1.0;
    for (int step = 0; step < STEPS; step++) {
        CTW_TRY(ctw_base__stopped(cancel, fn));
        double guard = step ? 0.5 * (lo + hi) : hi;
        ctw_power__rule rule = {.fixed = -1,
                                .guard = guard,
                                .price = families[family].price,
                                .queue_price = families[family].queue_price,
                                .load_price = families[family].load_price};
        if (try_rule(t, &rule))
            lo = guard;
        else
            hi = guard;
        if (lo >= hi) break;
    }
    return CTW_OK;
}

/* Late requests beyond the top frequency's that have been used up so far, and what of the budget is still owed. */
static double owed(const ctw_governor *g)
{
    return g->budget * (double)g->completed - (double)(g->late - g->late_top);
}

/* Late requests the next stretch of time may have over the top frequency: the budget, plus what is left over from
 * the past or minus what was overspent, spread over one record's length. */
static double allowance(const ctw_governor *g)
{
    double n = (double)g->past.n, allowed = g->budget * n + owed(g);
    double most = 1.5 * g->budget * n;
    return fmax(0.0, fmin(allowed, most));
}

ctw_status ctw_governor__choose(ctw_governor *g, ctw_cancel *cancel, const char *fn)
{
    judge t = {.g = g, .best_power = INFINITY};
    if (g->past.n < 2) return CTW_OK;
    t.record = (ctw_power__record){g->past.arrival, g->past.work, g->past.guess, g->past.deadline, g->past.n};
    ctw_power__rule top = {.fixed = (int)g->plan.top};
    ctw_power__outcome o;
    ctw_power__rule_replay(&g->plan, &top, &t.record, g->lag, &o);
    t.late_allowed = (double)o.late + allowance(g);
    /* Stretching rules first: where a fixed point only equals one, the rule that sees deadlines is kept. */
    for (size_t f = 0; f < FAMILIES; f++) CTW_TRY(try_family(&t, f, cancel, fn));
    try_fixed(&t);
    g->rule = t.best;
    g->saving = o.seconds > 0.0 && t.best_power > 0.0 ? o.joule / o.seconds / t.best_power : 0.0;
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
