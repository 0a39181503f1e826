/* moves.h: changing a plan step by step with its loads, its cost and a log to take steps back. */
#ifndef CTW_PLACE_MOVES_H
#define CTW_PLACE_MOVES_H

#include "place/plan.h"
#include "place/state.h"

/* An entry of a batch unit, or a replica of a service (kind 1), before and after; slot or server -1: not in the plan.
 */
typedef struct ctw_place__move {
    int32_t kind, from_slot, from_server, to_slot, to_server;
    size_t index; /* unit, or entry of service_server */
    int32_t flavour;
} ctw_place__move;

typedef struct ctw_place__moves {
    const ctw_place__inst *in;
    ctw_place__state *st;
    ctw_place__plan *plan;
    ctw_place__move *log;
    size_t logged, cap;
    double delta; /* grams added since the log was empty, penalties of missed work not included */
} ctw_place__moves;

void ctw_place__moves_begin(ctw_place__moves *m, const ctw_place__inst *in, ctw_place__state *st,
                            ctw_place__plan *plan);
void ctw_place__moves_free(ctw_place__moves *m);
/* Forgets how to go back; delta becomes 0. */
void ctw_place__moves_commit(ctw_place__moves *m);
/* Takes steps back until `mark` are logged. */
void ctw_place__moves_undo(ctw_place__moves *m, size_t mark);

/* Each CTW_E_NOMEM, with nothing changed. */
ctw_status ctw_place__moves_put(ctw_place__moves *m, size_t unit, int32_t slot, int32_t server);
ctw_status ctw_place__moves_take(ctw_place__moves *m, size_t unit, int32_t slot);
/* Whole unit out; returns its cost with the delta. */
ctw_status ctw_place__moves_clear(ctw_place__moves *m, size_t unit);
/* A replica to another server, -1 for none. */
ctw_status ctw_place__moves_service(ctw_place__moves *m, size_t entry, int32_t slot, int32_t flavour, int32_t server);

/* Index of the unit's entry in the slot among its entries, -1 when it does not run there. */
int32_t ctw_place__find_entry(const ctw_place__inst *in, const ctw_place__plan *plan, size_t unit, int32_t slot);
/* Pools the unit may use without changing region: those of its present region, all when it does not run. */
uint64_t ctw_place__own_pools(const ctw_place__inst *in, const ctw_place__plan *plan, size_t unit);

#endif
