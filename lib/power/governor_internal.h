/* governor_internal.h: state of a governor: the table, what waits, the record of what was, and the rule. */
#ifndef CTW_POWER_GOVERNOR_INTERNAL_H
#define CTW_POWER_GOVERNOR_INTERNAL_H

#include "base/handle.h"
#include "io/container.h"
#include "power/governor_experts.h"
#include "power/governor_queue.h"
#include <cybertwin/governor.h>

#define CTW_GOVERNOR_MAGIC CTW_FOUR('G', 'O', 'V', 'N')

struct ctw_governor {
    ctw_base__handle h;
    ctw_params *params;
    double budget, lag, switch_joule;
    size_t capacity;
    int64_t tune_every;
    ctw_power__plan plan; /* n 0: no table yet */
    ctw_governor__queue q;
    ctw_governor__history past;
    ctw_governor__experts experts;
    ctw_power__rule rule;
    ctw_power__pace pace;
    double now, head_done; /* last event; work done of the head by then */
    size_t at;             /* point ordered last */
    int32_t started;       /* an event has set `now` */
    int64_t completed, late, late_top, tunings, since_tuning;
    double shadow_free; /* when a server at the top point would be free */
    double saving;
    int64_t spent_at_tuning; /* late - late_top when the rule was chosen */
    double spendable;        /* more than so many since then: the rule has failed */
    int64_t hold, holds;     /* completions still to pass at the top point; failures in a row */
};

/* A new table: the record and the rule start anew. */
void ctw_governor__take_plan(ctw_governor *g, const ctw_power__plan *plan);
/* Section of a saved governor whose points have memory clocks (governor_memory.c). */
void ctw_governor__put_memory(ctw_io__out *o, const ctw_governor *g);
ctw_status ctw_governor__read_memory(const ctw_io__in *in, ctw_power__plan *t, const char *fn);
#define CTW_GOVERNOR_MEMORY CTW_FOUR('M', 'E', 'M', 'C')

/* A completed request joins the record. */
void ctw_governor__remember(ctw_governor *g, double arrival, double work, double guess, double deadline);
/* Chooses g->rule from g->past; on failure it stays. */
ctw_status ctw_governor__choose(ctw_governor *g, ctw_cancel *cancel, const char *fn);
/* A new rule begins: what it may lose until the next choice. */
void ctw_governor__begin_period(ctw_governor *g);
/* After each completion: falls back to the top point when the rule has failed. */
void ctw_governor__watch(ctw_governor *g);

#endif
