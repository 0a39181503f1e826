/* pool_tune.c: choosing how many are awake and how the clock is set, together, by replay: many servers at a low clock
 * and few at a high one trade idle power against the power of speed, and which is less depends on the table, on sleep
 * and on how load comes. First each share of load that a server may have is tried with one family of prices; the two
 * best, and all awake, are then tried with all families and all fixed points. */
#include "power/pool_internal.h"

#include "base/cancel.h"
#include "num/sort.h"
#include <math.h>

static const struct {
    double price, queue_price, busy_price;
} families[] = {{0.2, 0.6, 0.3}, {0.0, 0.2, 0.0}, {0.1, 0.6, 0.0}, {0.0, 0.6, 1.0}, {0.4, 1.5, 1.0}};

static const double loads[] = {0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0};

enum { FAMILIES = sizeof families / sizeof *families, LOADS = sizeof loads / sizeof *loads, STEPS = 5 };

typedef struct judge {
    ctw_pool__stage stage;
    double late_allowed, best_power;
    ctw_pool__rule best;
} judge;

/* Replays one rule; keeps it if it qualifies and beats the best. Returns its power, infinite when it does not qualify.
 */
static double try_rule(judge *t, const ctw_pool__rule *rule)
{
    ctw_power__outcome o;
    ctw_pool__replay(&t->stage, rule, &o);
    if ((double)o.late > t->late_allowed || !(o.seconds > 0.0)) return INFINITY;
    double power = o.joule / o.seconds;
    if (power < t->best_power) {
        t->best_power = power;
        t->best = *rule;
    }
    return power;
}

/* The guard by bisection: more slack used is less energy and more late. Returns the least power. */
static double try_family(judge *t, double max_load, int family)
{
    double lo = 0.0, hi = 1.0, least = INFINITY;
    for (int step = 0; step < STEPS && lo < hi; step++) {
        double guard = step ? 0.5 * (lo + hi) : hi;
        ctw_pool__rule rule = {
            max_load, -1, guard, families[family].price, families[family].queue_price, families[family].busy_price};
        double power = try_rule(t, &rule);
        if (isfinite(power))
            lo = guard;
        else
            hi = guard;
        least = fmin(least, power);
    }
    return least;
}

static ctw_status try_all(judge *t, double max_load, ctw_cancel *cancel, const char *fn)
{
    for (int f = 1; f < FAMILIES; f++) {
        CTW_TRY(ctw_base__stopped(cancel, fn));
        (void)try_family(t, max_load, f);
    }
    for (size_t j = t->stage.plan->top + 1; j-- > 0;) {
        ctw_pool__rule rule = {.max_load = max_load, .fixed = (int)j};
        CTW_TRY(ctw_base__stopped(cancel, fn));
        if (isinf(try_rule(t, &rule))) break;
    }
    return CTW_OK;
}

/* Every share of load with one family; leaves the power of each. Few awake are late more often: where even the top
 * point breaks the promise, larger shares do too. */
static ctw_status try_loads(judge *t, double power[LOADS], ctw_cancel *cancel, const char *fn)
{
    int sleeps = isfinite(t->stage.cluster->at[0].pays_after);
    for (int k = 0; k < LOADS; k++) power[k] = INFINITY;
    for (int k = 0; k < LOADS && (k == 0 || sleeps); k++) {
        ctw_pool__rule top = {.max_load = loads[k], .fixed = (int)t->stage.plan->top};
        CTW_TRY(ctw_base__stopped(cancel, fn));
        power[k] = try_rule(t, &top);
        if (isinf(power[k]) && k) break;
        power[k] = fmin(power[k], try_family(t, loads[k], 0));
    }
    return CTW_OK;
}

static ctw_status search(judge *t, ctw_cancel *cancel, const char *fn)
{
    double power[LOADS];
    CTW_TRY(try_loads(t, power, cancel, fn));
    CTW_TRY(try_all(t, loads[0], cancel, fn));
    for (int round = 0; round < 2; round++) {
        int best = 0;
        for (int k = 1; k < LOADS; k++)
            if (power[k] < power[best] || best == 0) best = k;
        if (isinf(power[best])) break;
        power[best] = INFINITY;
        CTW_TRY(try_all(t, loads[best], cancel, fn));
    }
    return CTW_OK;
}

/* Late requests beyond the safe rule's that the budget still owes. */
static double owed(const ctw_pool *p)
{
    return p->budget * (double)p->completed - (double)(p->late - p->late_top);
}

static ctw_power__record in_order(ctw_pool *p)
{
    const ctw_governor__history *h = &p->past;
    double *to = p->sorted;
    size_t n = h->n;
    ctw_num__argsort(h->arrival, p->by_arrival, n);
    for (size_t i = 0; i < n; i++) {
        size_t k = p->by_arrival[i];
        to[i] = h->arrival[k];
        to[n + i] = h->work[k];
        to[2 * n + i] = h->guess[k];
        to[3 * n + i] = h->deadline[k];
    }
    return (ctw_power__record){to, to + n, to + 2 * n, to + 3 * n, n};
}

ctw_status ctw_pool__choose(ctw_pool *p, ctw_cancel *cancel, const char *fn)
{
    judge t = {.best_power = INFINITY, .best = ctw_pool__safe(p)};
    ctw_power__outcome o;
    if (p->past.n < 2) return CTW_OK;
    t.stage =
        (ctw_pool__stage){&p->plan, in_order(p), p->cluster.n, p->lag, p->every, &p->cluster, p->sleepers, p->scratch};
    double n = (double)p->past.n, share = p->budget * n;
    ctw_pool__replay(&t.stage, &t.best, &o);
    t.late_allowed = (double)o.late + fmax(0.0, fmin(share + owed(p), 1.5 * share));
    CTW_TRY(search(&t, cancel, fn));
    p->saving = o.seconds > 0.0 && isfinite(t.best_power) ? o.joule / o.seconds / t.best_power : 0.0;
    p->tunings++;
    ctw_pool__use(p, &t.best);
    return CTW_OK;
}

ctw_pool__rule ctw_pool__safe(const ctw_pool *p)
{
    return (ctw_pool__rule){.fixed = (int)p->plan.top};
}

void ctw_pool__use(ctw_pool *p, const ctw_pool__rule *rule)
{
    double share = 3.0 * p->budget * (double)(p->tune_every ? p->tune_every : (int64_t)p->past.cap);
    p->rule = *rule;
    p->cluster.floor = rule->max_load > 0.0 ? 0.0 : (double)p->cluster.n;
    if (rule->max_load > 0.0) p->cluster.max_load = rule->max_load;
    p->since_tuning = 0;
    p->spent_at_tuning = p->late - p->late_top;
    p->spendable = fmax(4.0, share) + fmax(0.0, owed(p));
}

/* The replay cannot know a change of regime: a rule that loses much more than its share before the next tuning is
 * dropped at once; each failure in a row keeps the safe rule for twice as long. */
void ctw_pool__watch(ctw_pool *p)
{
    if (p->hold > 0) {
        p->hold--;
        return;
    }
    int safe = p->rule.fixed == (int)p->plan.top && !(p->rule.max_load > 0.0);
    if (safe || (double)(p->late - p->late_top - p->spent_at_tuning) <= p->spendable) return;
    ctw_pool__rule top = ctw_pool__safe(p);
    p->hold = (p->tune_every ? p->tune_every : 512) << (p->holds < 5 ? p->holds : 5);
    p->holds++;
    ctw_pool__use(p, &top);
}
