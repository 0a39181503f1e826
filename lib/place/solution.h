/* solution.h: what a plan looks like once it has left the solver: rows of the host's problem, nothing compiled. */
#ifndef CTW_PLACE_SOLUTION_H
#define CTW_PLACE_SOLUTION_H

#include "place/place_internal.h"

typedef struct ctw_place__spot {
    int32_t job_row, unit, slot, node_row, server;
} ctw_place__spot;

struct ctw_solution {
    ctw_base__handle h;
    int32_t outcome, stop;
    size_t jobs, nodes, slots;
    int64_t *node_id; /* nodes */
    size_t spots;
    ctw_place__spot *spot;         /* by (job row, unit, slot); what does not run has no spot */
    int64_t *why, *delay, *missed; /* jobs */
    double objective, bound;
    size_t prices; /* pools x slots x resources, for warm starts */
    double *price;
    ctw_report *report;
};

#endif
