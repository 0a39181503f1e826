/* run_internal.h: the state of a run, shared by the general loop and the one for plain problems. */
#ifndef CTW_AGENT_RUN_INTERNAL_H
#define CTW_AGENT_RUN_INTERNAL_H

#include "agent/agent_internal.h"
#include "agent/env_internal.h"

typedef struct ctw_agent__loop {
    ctw_agent *a;
    ctw_env *env;
    int learn;
    uint64_t max_steps, goal, done, total;
    ctw_agent__walk *walk; /* one a lane; the agent's own when there is one lane */
    ctw_agent__walk *own;  /* what was allocated */
    void *points;
    double *obs, *reward, *ret, *sum; /* ret, steps: per finished episode; sum, count: per lane */
    double *steps;
    uint64_t *count;
    int64_t *action;
    uint32_t *cell; /* tables: the state each lane is in, for run_table.c */
    int32_t *state;
    uint8_t *allowed;
} ctw_agent__loop;

/* run.c: what one lane's step led to, for any problem. */
ctw_status ctw_agent__run_after(ctw_agent__loop *r, size_t lane);
/* Decides in the state that tmp holds and makes it the lane's current one. */
ctw_status ctw_agent__run_decide(ctw_agent__loop *r, size_t lane);

/* run_fast.c: the same step, bit for bit, where the problem is plain: learning, no mask, one table, features of value
 * 1. NULL when it is not. */
typedef ctw_status (*ctw_agent__run_lanes)(ctw_agent__loop *r);
ctw_agent__run_lanes ctw_agent__run_fast(ctw_agent__loop *r);

/* run_table.c: the same for tables of Q and Sarsa; begin after the lanes have begun. */
ctw_agent__run_lanes ctw_agent__run_table(ctw_agent__loop *r);
void ctw_agent__run_table_begin(ctw_agent__loop *r);

#endif
