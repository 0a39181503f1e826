/* nstep.h: the steps of a walk that wait for their n-step return. */
#ifndef CTW_AGENT_NSTEP_H
#define CTW_AGENT_NSTEP_H

#include "agent/agent_internal.h"

struct ctw_agent__back {
    size_t cap, first, n, actions; /* a ring of cap steps, n of them from `first` on */
    ctw_agent__point *at;
    int64_t *action;
    double *reward;
    uint8_t *allowed; /* rows of actions */
    uint8_t *mask;    /* what is allowed in the walk's present state */
    void *memory;
};

ctw_status ctw_agent__back_new(ctw_ctx *ctx, size_t steps, size_t actions, size_t max_active, ctw_agent__back **out);
void ctw_agent__back_free(ctw_ctx *ctx, ctw_agent__back *b);
/* Notes what is allowed (NULL: all) in the state the walk acts in next. b may be NULL. */
void ctw_agent__back_mask(ctw_agent__back *b, const uint8_t *allowed);
/* Appends the walk's step; there must be room. */
void ctw_agent__back_push(ctw_agent__back *b, const ctw_agent__walk *k, double reward);
/* One step of the walk: value is what the next state is worth. CTW_E_NOCONV after a rollback. */
ctw_status ctw_agent__back_step(ctw_agent *a, ctw_agent__walk *k, double reward, double value, int terminal);
/* All that wait are learnt with what follows worth `value`. */
ctw_status ctw_agent__back_flush(ctw_agent *a, ctw_agent__back *b, double value);
/* The walk breaks off: the same with the value of the state it is in (open or planned). */
ctw_status ctw_agent__back_cut(ctw_agent *a, ctw_agent__walk *k);

#endif
