/* dispatch.h: the cheapest use of a store of energy, exactly. The cost of going on from a level of charge is a convex
 * piecewise linear function of it; going back one slot convolves it with the slot's own cost, which for convex
 * functions means to merge two lists of slopes. See doc/place.md. */
#ifndef CTW_PLACE_DISPATCH_H
#define CTW_PLACE_DISPATCH_H

#include "place/place_internal.h"

typedef struct ctw_place__piece {
    double slope, length; /* g per Wh, Wh */
} ctw_place__piece;

/* The function of one slot's level: pieces [at, at + n) ascending in slope from (low, value) on. */
typedef struct ctw_place__curve {
    size_t at, n;
    double low, value;
} ctw_place__curve;

typedef struct ctw_place__dispatcher {
    ctw_ctx *ctx;
    size_t slots;
    double hours;
    ctw_place__curve *curve; /* slots + 1 */
    ctw_place__piece *piece;
    size_t pieces, piece_cap;
    double *change, *worth; /* slots: Wh put in (taken out: negative); g per Wh that more charge after the slot saves */
} ctw_place__dispatcher;

/* CTW_E_NOMEM. Free in every case. */
ctw_status ctw_place__dispatcher_new(ctw_ctx *ctx, size_t slots, double hours, ctw_place__dispatcher *d);
void ctw_place__dispatcher_free(ctw_place__dispatcher *d);
/*
 * Minimises sum_t price_t max(0, draw_t + charge_t - discharge_t - supply_t) + wear over schedules of the store; change
 * and worth are in d. supply NULL: none. draw NULL: the store buys and sells at the prices, which are >= 0 (g per W and
 * slot); the value is then what that adds. Exact; O(slots * pieces). CTW_E_NOMEM.
 */
ctw_status ctw_place__dispatch(ctw_place__dispatcher *d, const ctw_place__store *store, const double *draw,
                               const double *supply, const double *price, double *value);

#endif
