/* pack.h: putting one slot's units of one pool on servers, by counts: units of a flavour are interchangeable, so
 * a server's content is a pattern (so many of each flavour) and a good pattern is used many times over. */
#ifndef CTW_PLACE_PACK_H
#define CTW_PLACE_PACK_H

#include "place/market.h"

typedef struct ctw_place__pattern {
    size_t class;
    int32_t times;       /* servers with this content */
    size_t first, kinds; /* its parts: packer->part[first .. first+kinds) */
} ctw_place__pattern;

typedef struct ctw_place__part {
    int32_t flavour, count;
} ctw_place__part;

typedef struct ctw_place__packer {
    const ctw_place__market *m;
    /* the cell being packed */
    size_t pool, slot, kinds;
    int32_t *flavour, *left;    /* kinds: what is to be packed, and how many are left */
    double *demand;             /* kinds x r of the market */
    double *total, *plan, *use; /* r: demand left; capacity of the servers still planned; target fill */
    double *room;               /* r */
    double *budget;             /* feeds: watts that may still be drawn in the slot; NULL without caps */
    double best_watts;          /* of a server with the content best[] */
    int32_t *quota, *open;      /* classes: servers planned, and opened so far */
    double *merit;              /* classes */
    size_t *order;              /* classes */
    int32_t *take, *best;       /* kinds: a pattern being tried, the best one so far */
    /* result */
    ctw_place__pattern *pattern;
    size_t patterns, pattern_cap;
    ctw_place__part *part;
    size_t parts, part_cap;
} ctw_place__packer;

ctw_status ctw_place__packer_new(const ctw_place__market *m, ctw_place__packer *p);
void ctw_place__packer_free(ctw_place__packer *p);
/* Packs counts[flavour] units into the pool in the slot; the patterns are in p until the next call, and counts
 * keeps what found no room. CTW_E_NOMEM. */
ctw_status ctw_place__pack(ctw_place__packer *p, size_t pool, size_t slot, int32_t *counts);

#endif
