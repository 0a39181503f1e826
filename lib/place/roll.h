/* roll.h: what a plan for the rest of a horizon keeps so that it can be checked. */
#ifndef CTW_PLACE_ROLL_H
#define CTW_PLACE_ROLL_H

#include "place/solution.h"

/* How far a batch unit has come. */
typedef struct ctw_place__past {
    int32_t done, last;   /* slots run before now; the last of them */
    int32_t node, server; /* where, in rows of the problem planned; -1: gone */
    int64_t region;       /* of that place, -1 before the start */
} ctw_place__past;

/* The problem of the slots from `now` on and its plan: rows are the host's, apart by how far their units have come. */
typedef struct ctw_place__rest {
    ctw_place *p;
    ctw_solution *s;
    size_t now;
    size_t *unit0;         /* job rows + 1: first unit of each, in the arrays below */
    ctw_place__past *past; /* units */
    int32_t *row, *unit;   /* units of batch rows: row and number in p, -1 when nothing is left */
} ctw_place__rest;

void ctw_place__rest_free(ctw_ctx *ctx, ctw_place__rest *rest);
/* The plan of the rest verified, and the whole plan compared with it, placement by placement. */
ctw_status ctw_place__rest_verify(const ctw_place *p, const ctw_solution *s, const char *fn);

#endif
