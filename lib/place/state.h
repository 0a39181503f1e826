/* state.h: the room left on every server in every slot, with the servers of each class and slot kept in three
 * groups (on with room, on and full, off) so that a place is found without looking at full servers. */
#ifndef CTW_PLACE_STATE_H
#define CTW_PLACE_STATE_H

#include "place/plan.h"

typedef struct ctw_place__state {
    const ctw_place__inst *in;
    double *use;          /* (slot x servers + server) x r */
    int32_t *load;        /* slot x servers: units there */
    int32_t *order, *pos; /* slot x servers: members of each class as [room | full | off]; its inverse */
    int32_t *room, *on;   /* slot x classes: lengths of [room] and of [room | full] */
    double *feed_watts;   /* slot x feeds, only with caps */
    int amortise;         /* 1: a server that is off costs only the share of idle power that the unit fills */
} ctw_place__state;

ctw_status ctw_place__state_new(const ctw_place__inst *in, ctw_place__state *st); /* all servers empty */
void ctw_place__state_free(ctw_place__state *st);
/* Loads every placement of the plan. */
void ctw_place__state_load(ctw_place__state *st, const ctw_place__plan *plan);

void ctw_place__state_put(ctw_place__state *st, size_t slot, int32_t server, size_t flavour);
void ctw_place__state_take(ctw_place__state *st, size_t slot, int32_t server, size_t flavour);
/* Capacity, the server's power cap and its region's. */
int ctw_place__state_fits(const ctw_place__state *st, size_t slot, int32_t server, size_t flavour);
/* Grams that one more unit there would add: load, and idle power, embodied carbon and start-up when it is off. */
double ctw_place__state_added(const ctw_place__state *st, size_t slot, int32_t server, size_t flavour);

/* A veto on servers, e.g. for spreading: returns non-zero when the server must not be used. */
typedef int (*ctw_place__veto_fn)(const void *user, size_t slot, int32_t server);

/* The cheapest server for one unit in the pools of the mask: least added grams, then tightest; -1 when none.
 * *added receives its grams. */
int32_t ctw_place__state_best(const ctw_place__state *st, size_t slot, size_t flavour, uint64_t pools,
                              ctw_place__veto_fn veto, const void *user, double *added);

#endif
