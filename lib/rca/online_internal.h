/* online_internal.h: a sliding window as digests, and how its files divide the work. Pane 0 .. panes - 1 form a ring;
 * a digest of entity i in pane p stands at i * panes + p. */
#ifndef CTW_RCA_ONLINE_INTERNAL_H
#define CTW_RCA_ONLINE_INTERNAL_H

#include "rca/window.h"
#include <cybertwin/online.h>

#define CTW_ONLINE_MAGIC CTW_FOUR('O', 'N', 'L', 'N')

/* An operation of a component, called by one caller (NONE: nobody). Name ids of the window. */
typedef struct ctw_rca__bond {
    uint32_t component, op, caller;
} ctw_rca__bond;

typedef struct ctw_rca__kept_call {
    uint32_t bond;
    double v[CTW_CALL_COLUMNS];
} ctw_rca__kept_call;

/* A sampled trace. */
typedef struct ctw_rca__kept {
    uint64_t lot; /* the traces with the smallest ones of a pane are kept */
    double root_us;
    ctw_rca__kept_call *call;
    size_t calls;
} ctw_rca__kept;

typedef struct ctw_rca__pane {
    uint64_t calls;
    ctw_rca__moments root;
    ctw_rca__kept *kept;
    size_t n_kept, kept_cap;
} ctw_rca__pane;

/* Everything that a purge replaces as a whole. */
typedef struct ctw_rca__tables {
    ctw_rca__names names;
    ctw_rca__idmap bond_index, part_index;
    ctw_rca__bond *bond;
    ctw_rca__cell *cell;
    size_t bonds, bond_cap, cell_cap;
    uint32_t *part; /* names of components */
    ctw_rca__share *share;
    size_t parts, part_cap, share_cap;
} ctw_rca__tables;

struct ctw_online {
    ctw_base__handle h;
    ctw_params *params;
    ctw_rca__scale scale;
    size_t panes, max_bonds, max_kept;
    uint64_t salt;
    ctw_rca__tables t;
    ctw_rca__pane *pane;
    size_t newest;
    uint64_t dropped, advances, seen; /* seen: traces so far, what lots are drawn by */
};

/* Number of the bond, new if need be and if there is room; CTW_RCA_NONE without. Its component is then known too.
 * CTW_E_NOMEM. */
ctw_status ctw_rca__online_bond(ctw_online *o, const char *component, const char *op, const char *caller,
                                uint32_t *bond, const char *fn);
/* Number of the component, CTW_RCA_NONE. */
uint32_t ctw_rca__online_part(const ctw_online *o, const char *component);
/* Bonds and components without calls leave the tables. CTW_E_NOMEM changes nothing. */
ctw_status ctw_rca__online_purge(ctw_online *o, const char *fn);
/* All panes together as a window that features can be taken of; the parts are freed by window_free and digests_free. */
ctw_status ctw_rca__online_view(const ctw_online *o, ctw_rca__window *w, ctw_rca__digests *d);
void ctw_rca__digests_free(ctw_ctx *ctx, const ctw_rca__window *w, ctw_rca__digests *d);

/* Draws a trace's lot. */
uint64_t ctw_rca__lot(const ctw_online *o, uint64_t trace);
/* Would a trace with this lot be kept, so that its calls are worth copying? */
int ctw_rca__lot_wins(const ctw_online *o, const ctw_rca__pane *p, uint64_t lot);
/* Room for one more kept trace in the pane. CTW_E_NOMEM. */
ctw_status ctw_rca__kept_room(ctw_online *o, ctw_rca__pane *p, size_t more);
/* Keeps a trace, whose calls now belong to the pane, in the place of the one with the largest lot. */
void ctw_rca__keep(ctw_online *o, ctw_rca__pane *p, ctw_rca__kept k);
void ctw_rca__pane_clear(ctw_online *o, ctw_rca__pane *p);

void ctw_rca__tables_free(ctw_ctx *ctx, ctw_rca__tables *t, size_t panes);

#endif
