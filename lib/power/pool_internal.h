/* pool_internal.h: state of a pool: table, servers, what is here, the record of what was, and the rule. */
#ifndef CTW_POWER_POOL_INTERNAL_H
#define CTW_POWER_POOL_INTERNAL_H

#include "base/handle.h"
#include "power/governor_queue.h"
#include "power/pool_core.h"
#include <cybertwin/pool.h>

#define CTW_POOL_MAGIC CTW_FOUR('P', 'O', 'O', 'L')

struct ctw_pool {
    ctw_base__handle h;
    ctw_params *params;
    double budget, lag, switch_joule, every;
    size_t capacity;
    int64_t tune_every;
    ctw_power__plan plan;
    ctw_cluster__state cluster; /* n 0: no servers yet */
    ctw_governor__queue q;      /* in order of arrival; the first `running` are in service */
    ctw_governor__history past;
    size_t running, awake;
    double *done;    /* work done of each in service, one for each server */
    double *shadow;  /* when servers at the top point would be free: a heap */
    double *scratch; /* for decisions and replays */
    double *sorted;  /* the record in order of arrival */
    size_t *by_arrival;
    ctw_cluster__server *sleepers;
    ctw_pool__rule rule;
    double now, tick, brought; /* last event, last look at who sleeps, work that came since */
    size_t at;                 /* point ordered last */
    int32_t started;
    int64_t completed, late, late_top, tunings, since_tuning, spent_at_tuning, hold, holds;
    double saving, spendable; /* more late than that since the tuning: the rule has failed */
};

/* Chooses p->rule from p->past; on failure it stays. */
ctw_status ctw_pool__choose(ctw_pool *p, ctw_cancel *cancel, const char *fn);
/* Uses a rule from now on. */
void ctw_pool__use(ctw_pool *p, const ctw_pool__rule *rule);
/* All awake at the top point. */
ctw_pool__rule ctw_pool__safe(const ctw_pool *p);
/* After each completion: falls back to the safe rule when the present one has failed. */
void ctw_pool__watch(ctw_pool *p);

#endif
