/* input.h: the door through which states come in, the same for agents and policies. */
#ifndef CTW_AGENT_INPUT_H
#define CTW_AGENT_INPUT_H

#include "agent/agent_internal.h"

typedef struct ctw_agent__input {
    int form;
    int64_t states;
    size_t dims;
    const ctw_features *features;
} ctw_agent__input;

/* phi as a point, checked. */
ctw_status ctw_agent__input_read(const ctw_agent__input *in, const double *phi, uint64_t n, ctw_agent__point *p,
                                 const char *fn);

#endif
