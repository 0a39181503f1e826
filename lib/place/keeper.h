/* keeper.h: what sticky.c and keeper.c share: the guests of one slot and the servers they sit on. */
#ifndef CTW_PLACE_KEEPER_H
#define CTW_PLACE_KEEPER_H

#include "place/tiers.h"

typedef struct ctw_place__guest {
    int32_t *at;   /* where its server is written */
    int32_t owner; /* batch row, or -1 - service */
    int32_t flavour, limit;
    int32_t kept; /* ran on its server in the slot before */
    int32_t ran;  /* somewhere, in the slot before: a batch unit's move counts */
    int32_t next; /* on the same server */
    uint64_t pools;
} ctw_place__guest;

typedef struct ctw_place__keeper {
    const ctw_place__inst *in;
    ctw_place__plan *plan;
    ctw_place__state st;
    double most, lopsided;
    int32_t *by_slot, *unit_of; /* batch entries in order of slot, and whose they are */
    size_t *slot_at;            /* slots + 2 */
    int32_t *quota;             /* slots x classes: servers that the packer had on */
    double *size;               /* flavours */
    uint8_t *idle;              /* resources that no job needs */
    int32_t *mark, *head;       /* servers: counted in the quota of slot mark - 1; first guest, -1 */
    uint8_t *closed;            /* servers: to be emptied, takes newcomers only where there is no other room */
    int32_t *dest;              /* flavours: where one would go */
    int32_t *here;              /* regions: replicas of one service */
    /* one slot */
    ctw_place__guest *guest;
    size_t guests, guest_cap;
    size_t *list; /* guests in an order, or servers */
    double *key;
    size_t *order, list_cap, key_cap, order_cap;
    int64_t placements, moves;
    size_t turn; /* where the next look along a class begins */
} ctw_place__keeper;

/* Guest g sits down; its demand is counted unless it was already. */
void ctw_place__seat(ctw_place__keeper *k, size_t g, size_t t, int32_t server, int counted);
void ctw_place__unseat(ctw_place__keeper *k, size_t g, size_t t);
/* Pools, room, caps, and the limit per server. */
int ctw_place__takes(const ctw_place__keeper *k, const ctw_place__guest *x, size_t t, int32_t server);
/* The fullest and most evenly filled of the running servers that take the guest, among those of the class that draws
 * least for it; closed servers or the others. -1: none. */
int32_t ctw_place__tightest(ctw_place__keeper *k, const ctw_place__guest *x, size_t t, int32_t except, int closed);
/* A server for x by moving guests away from it, within the moves allowed; -1: none. */
int32_t ctw_place__exchange(ctw_place__keeper *k, const ctw_place__guest *x, size_t t);

#endif
