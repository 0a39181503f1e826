/* batch.h: logged transitions as one argument. */
#ifndef CTW_AGENT_BATCH_H
#define CTW_AGENT_BATCH_H

#include "agent/agent_internal.h"

typedef struct ctw_agent__log {
    const double *phi;
    const int64_t *action;
    const double *reward, *phi_next;
    const uint8_t *terminal;
    uint64_t rows, n, stride;
} ctw_agent__log;

/* Sizes, pointers, finiteness, action numbers. */
ctw_status ctw_agent__log_check(const ctw_agent *a, const ctw_agent__log *l, const char *fn);

#endif
