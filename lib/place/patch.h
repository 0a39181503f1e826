/* patch.h: tier 0, the repair of one slot. It works on the host's rows and the last plan, not on the compiled problem:
 * compiling 100,000 jobs takes longer than the whole repair may. */
#ifndef CTW_PLACE_PATCH_H
#define CTW_PLACE_PATCH_H

#include "place/solution.h"

enum { CTW_PLACE_PATCH_BUCKETS = 64, CTW_PLACE_PATCH_GROUPS = 64 };

/* Who may be displaced by whom: a service by nobody, a preemptible unit by everybody. */
enum { CTW_PLACE_PATCH_SERVICE, CTW_PLACE_PATCH_WHOLE, CTW_PLACE_PATCH_PREEMPTIBLE };

/* A unit or replica that runs in the slot, in order of (job row, unit). */
typedef struct ctw_place__patch_guest {
    int32_t row, unit, kind;
    int32_t was, server; /* flat number now, -1: nowhere */
    int32_t rest;        /* batch: slots it has still to run, this one included */
    int32_t next;        /* on the same server */
} ctw_place__patch_guest;

/* Rows of one region and type, and their servers that are on, by the share of resource 0 (of those in use) that is
 * free; within a bucket a list. */
typedef struct ctw_place__patch_group {
    int64_t region, type;
    int32_t head[CTW_PLACE_PATCH_BUCKETS];
} ctw_place__patch_group;

typedef struct ctw_place__patch {
    const ctw_place *p;
    const ctw_solution *w; /* the plan that is repaired */
    ctw_cancel *cancel;
    const char *fn;
    double deadline;
    size_t slot, r; /* r: resources that some guest needs, in res[] */
    size_t res[CTW_PLACE_MAX_RESOURCES];
    size_t servers;
    size_t *first;                 /* rows + 1: flat number of each row's first server */
    int32_t *row_of;               /* servers */
    int32_t *group_of;             /* rows */
    int32_t *off;                  /* rows: index within the row up to which all servers are on */
    double *use;                   /* servers x r */
    int32_t *load, *guests_of;     /* servers: units there; the first of them, -1 */
    int32_t *next, *prev, *bucket; /* servers: the bucket's list; bucket -1 when off */
    double *watts;                 /* regions */
    int32_t *rack_of;              /* rows: index of the rack's cap, -1; NULL when no rack has one */
    double *rack_watts;            /* capped racks */
    ctw_place__patch_group *group;
    size_t groups;
    double most; /* of resource 0 on any server */
    ctw_place__patch_guest *guest;
    size_t guests, guest_cap;
    int32_t *need;  /* rows: replicas asked for in the slot, -1 for batch */
    int32_t *queue; /* guests without a place, in the order in which they are placed */
    size_t queued;
    int64_t moved, paused, broken, unplaced, woken;
} ctw_place__patch;

/* patch_read.c: the servers as they are now and the guests of the slot as the plan has them; those whose server is gone
 * have `server` -1. */
ctw_status ctw_place__patch_read(ctw_place__patch *x);
void ctw_place__patch_free(ctw_place__patch *x);
/* patch.c: guests keep their servers where they can, the others are placed. */
ctw_status ctw_place__patch_place(ctw_place__patch *x);
/* patch_write.c: the plan of the slot. */
ctw_status ctw_place__patch_write(ctw_place__patch *x, double solve_s, ctw_solution **out);

static inline ctw_ctx *ctw_place__patch_ctx(const ctw_place__patch *x)
{
    return x->p->h.ctx;
}
static inline const double *ctw_place__patch_demand(const ctw_place__patch *x, int32_t row)
{
    return x->p->jobs.demand + (size_t)row * x->p->jobs.r;
}
/* Watts of one unit of the job row on a server of the row `at`. */
double ctw_place__patch_unit_watts(const ctw_place__patch *x, size_t at, int32_t job_row);

#endif
