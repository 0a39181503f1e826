/* cell.h: what a mix of units costs in one region and slot, packed onto the best choice of its servers. */
#ifndef CTW_PLACE_CELL_H
#define CTW_PLACE_CELL_H

#include "place/limits.h"

typedef struct ctw_place__cell_memo {
    uint64_t key;
    double least, grams; /* grams: NaN until packed */
} ctw_place__cell_memo;

enum { CTW_PLACE_CHOICES = 12, CTW_PLACE_CELL_CLASSES = 8 };

/* A choice: how many servers of each class of the region are on. */
typedef struct ctw_place__choice {
    double idle, embodied; /* W, g */
    int32_t on[CTW_PLACE_CELL_CLASSES];
} ctw_place__choice;

typedef struct ctw_place__cells {
    const ctw_place__inst *in;
    const ctw_place__limits *lim;
    size_t *class, *first; /* classes region by region, least idle power last; regions + 1 */
    size_t *route;         /* regions' classes x r in the same order: by watts per unit of the resource */
    uint64_t *mark;        /* flavours: of a unit in a mix's hash */
    size_t *order;         /* flavours */
    ctw_place__cell_memo *memo;
    ctw_place__choice *choice; /* all of a region, by idle power; region g has [choice_at[g], choice_at[g+1]) */
    double *choice_cap;        /* choices x r: what the servers hold together */
    size_t *choice_at;
    double least[CTW_PLACE_CHOICES]; /* the cheapest choices for the counts looked at */
    size_t pick[CTW_PLACE_CHOICES], picks;
    /* the packing last tried: servers as (class, content); content is units of each flavour */
    size_t boxes;
    size_t *box_class; /* servers */
    int32_t *content;  /* servers x flavours */
    double *room;      /* servers x r */
    int32_t *left;     /* flavours */
    double *total;     /* limits.n */
    double lowest;     /* watts that the counts draw at least, idle power apart */
    int64_t packings, failures;
} ctw_place__cells;

/* Whether the problem is one whose slots can be judged one by one: no start-ups, no caps, nothing on site, no CVaR, no
 * anti-affinity, one pool and at most 8 classes in each region, not too many choices of servers. */
int ctw_place__cells_apply(const ctw_place__inst *in);
ctw_status ctw_place__cells_new(const ctw_place__inst *in, const ctw_place__limits *lim, ctw_place__cells *out);
void ctw_place__cells_free(ctw_place__cells *c);
/* What they cost at least: the limits and each resource by itself, no packing. */
double ctw_place__cell_least(ctw_place__cells *c, size_t region, size_t slot, const int32_t *counts, uint64_t hash);
/* Grams of running counts[flavour] units in the region in the slot; INFINITY where no packing was found. `hash` is
 * sum counts x mark. */
double ctw_place__cell_grams(ctw_place__cells *c, size_t region, size_t slot, const int32_t *counts, uint64_t hash);
/* The same, and leaves the packing in c->boxes, box_class, content. */
double ctw_place__cell_pack(ctw_place__cells *c, size_t region, size_t slot, const int32_t *counts);

#endif
