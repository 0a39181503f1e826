/* solution.h: what a plan looks like once it has left the solver: rows of the host's problem, nothing compiled.
 * A plan for a day of 10,000 servers has two million placements, so they are not stored one by one: batch rows
 * keep `duration` (slot, server) pairs a unit, services one server per replica and slot. */
#ifndef CTW_PLACE_SOLUTION_H
#define CTW_PLACE_SOLUTION_H

#include "place/place_internal.h"

typedef struct ctw_place__spot {
    int32_t job_row, unit, slot, node_row, server;
} ctw_place__spot;

/* Why one unit of a row does not run; only plans of one slot keep these apart. */
typedef struct ctw_place__note {
    int32_t row, why;
    int64_t delay, missed;
} ctw_place__note;

struct ctw_solution {
    ctw_base__handle h;
    int32_t outcome, stop;
    size_t jobs, nodes, slots, servers, services, units;
    int64_t *node_id, *job_id;          /* nodes; jobs */
    int32_t *server_row, *server_index; /* servers, by flat number */
    /* by job row */
    int32_t *service; /* index among the services, -1 for batch */
    int32_t *count, *duration;
    size_t *unit0, *entry0; /* batch: first unit and first entry */
    /* entries */
    int32_t *run;            /* units: places in use */
    int32_t *slot, *server;  /* batch entries */
    int32_t *load;           /* services x slots */
    size_t *service_entry;   /* services x slots + 1 */
    int32_t *service_server; /* -1: unplaced */
    uint64_t spots;
    int64_t *why, *delay, *missed; /* jobs */
    size_t spares;                 /* servers kept on without load: slot and flat number */
    int32_t *spare_slot, *spare_server;
    struct ctw_place__rest *rest; /* of a plan made in the middle of its horizon (roll.h), or NULL */
    double objective, bound;
    size_t prices, resources; /* pools x slots x resources priced, for warm starts */
    double *price;
    size_t tariffs;
    double *tariff; /* regions x slots: of watts, where they are not the intensities */
    size_t regions;
    double *draw, *grid, *charge, *discharge, *level; /* regions x slots: W, Wh */
    ctw_report *report;
    /* A plan of one slot (patch.h) has its placements and reasons here and none of the arrays above but node_id. */
    int64_t only;          /* the slot, -1 for whole plans */
    ctw_place__spot *spot; /* spots */
    ctw_place__note *note;
    size_t notes;
};

/* Walks the placements in order of (job row, unit, slot). Start zeroed but for s. */
typedef struct ctw_place__walk {
    const ctw_solution *s;
    size_t row, at; /* at: entry within the unit, or slot */
    int32_t unit;
} ctw_place__walk;

int ctw_place__next(ctw_place__walk *w, ctw_place__spot *out); /* 0 at the end */

#endif
