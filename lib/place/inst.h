/* inst.h: the problem compiled for solving. Identical server rows become one class, identical demands one
 * flavour; classes that every job treats alike (same region, same admissible jobs) form a pool, and prices are
 * kept per pool and slot. Servers keep one flat number: row by row, server by server within the row. */
#ifndef CTW_PLACE_INST_H
#define CTW_PLACE_INST_H

#include "place/place_internal.h"

enum { CTW_PLACE_MAX_POOLS = 64 }; /* a job's admissible pools are a bit set */

typedef struct ctw_place__class {
    size_t region, pool;
    size_t feed; /* the rack's, where that has a power cap; else the region's, which is the region itself */
    int64_t type, rack;
    double idle;     /* W */
    double startup;  /* Wh */
    double embodied; /* g per slot on */
    double cap_w;    /* W or INFINITY */
    int32_t n;       /* servers */
    size_t first;    /* its servers: inst->members[first .. first+n) */
} ctw_place__class;

typedef struct ctw_place__batch {
    int32_t row; /* of the host */
    int32_t flavour;
    int32_t release, end, duration; /* slots; end <= slots */
    int32_t count, spread;
    uint8_t preemptible, fits;
    uint64_t pools;   /* admissible, and holding a server it fits on */
    double penalty;   /* g per missed slot of one unit */
    double migration; /* Wh per move */
    size_t unit0;     /* first of its units */
    size_t entry0;    /* first of its units' placement entries, `duration` for each unit */
} ctw_place__batch;

typedef struct ctw_place__service {
    int32_t row, flavour;
    int32_t count, spread;
    uint8_t fits;
    uint64_t pools;
    double penalty;   /* g per missing replica and slot */
    double migration; /* Wh per move */
    int32_t *load;    /* by slot; into inst->loads */
    size_t *entry;    /* by slot: first placement entry; into inst->service_entry */
} ctw_place__service;

typedef struct ctw_place__inst {
    ctw_ctx *ctx;
    const ctw_place__opts *opt;
    size_t r, slots, regions, pools;
    uint64_t *pool_region; /* by pool: the set of pools of its region */
    double hours;          /* of a slot */
    double *gram;          /* regions x slots: g per W kept up for one slot; under CVaR by the worst-case weights */
    double *mean_gram;     /* regions x slots: expected; is `gram` itself but under CVaR */
    double *guide;         /* regions x slots: what choices of servers reckon with: `gram`, or with supply and storage
                            * the tariffs, once they are known */
    size_t scenarios;
    double *scenario;          /* scenarios x regions x slots: g per W and slot */
    const double *probability; /* scenarios */
    double tail;
    const double *supply;          /* regions x slots: W; NULL none */
    const ctw_place__store *store; /* regions; NULL none */
    int on_site;                   /* there is supply or storage */
    double *gram_wh;               /* regions x slots: g per Wh */
    size_t feeds;                  /* regions, then racks with a power cap */
    double *feed_cap;              /* feeds: W, INFINITY where none */
    int64_t *feed_rack;            /* feeds: the host's rack, -1 for regions; racks ascending */
    int capped;                    /* some feed has a cap */
    size_t classes;
    ctw_place__class *class;
    double *cap, *watt; /* classes x r; cap already cut to what the server's power cap allows */
    size_t servers;
    int32_t *class_of; /* by server */
    int32_t *row_of;   /* by server: the host's row */
    size_t rows;       /* the host's server rows */
    int32_t *members;  /* servers, class by class */
    size_t flavours;
    double *demand; /* flavours x r */
    double *least;  /* r: smallest positive demand, 0 if some flavour needs none */
    size_t batches, services, units;
    ctw_place__batch *batch;
    ctw_place__service *service;
    int32_t *loads;
    size_t *service_entry; /* services x slots + 1 */
    int32_t *unit_batch;   /* by unit: its batch row */
    size_t entries, service_entries;
    int64_t batch_slots; /* sum of count * duration */

    int migrates; /* some move costs energy */
    /* Where units run before slot 0: by batch unit, -1 for none; services: lists of servers, [at[i], at[i+1]). All NULL
     * when the host did not say. */
    int32_t *running, *service_running;
    size_t *service_running_at;
} ctw_place__inst;

/* CTW_E_STATE, CTW_E_SHAPE, CTW_E_RANGE as ctw_place_solve documents. Free in every case. */
ctw_status ctw_place__inst_new(const ctw_place *p, ctw_place__inst *out, const char *fn);
void ctw_place__inst_free(ctw_place__inst *in);

static inline const double *ctw_place__demand(const ctw_place__inst *in, size_t flavour)
{
    return in->demand + flavour * in->r;
}
static inline double ctw_place__gram(const ctw_place__inst *in, size_t class, size_t slot)
{
    return in->guide[in->class[class].region * in->slots + slot];
}
/* Watts that one unit of the flavour adds on a running server of the class. */
double ctw_place__unit_watts(const ctw_place__inst *in, size_t class, size_t flavour);
/* The largest share of a server's capacity that one unit takes; 0 for a flavour that needs nothing. */
double ctw_place__share(const ctw_place__inst *in, size_t class, size_t flavour);
/* Grams of switching a server of the class on for `slot`. */
double ctw_place__startup_gram(const ctw_place__inst *in, size_t class, size_t slot);
/* 1 when one unit of the flavour fits on an empty server of the class. */
int ctw_place__fits_empty(const ctw_place__inst *in, size_t class, size_t flavour);

#endif
