/* window.h: a window of calls sorted into components and their operations. What learning and feature extraction both
 * start from; a window made from digests has no rows and its slots only count. */
#ifndef CTW_RCA_WINDOW_H
#define CTW_RCA_WINDOW_H

#include "rca/digest.h"

/* Calls of one operation of one component by one caller. */
typedef struct ctw_rca__edge {
    uint32_t caller;   /* name id in the calls' table, CTW_RCA_NONE for none */
    size_t begin, end; /* slots of order[] */
} ctw_rca__edge;

/* Calls of one operation of one component. */
typedef struct ctw_rca__group {
    uint32_t op; /* name id in the calls' table */
    size_t begin, end;
    size_t first_edge, last_edge;
} ctw_rca__group;

typedef struct ctw_rca__member {
    uint32_t name; /* name id in the calls' table */
    size_t first_group, last_group;
} ctw_rca__member;

typedef struct ctw_rca__window {
    const ctw_rca__names *names;
    size_t traces;
    size_t count;                   /* calls with rows */
    const ctw_rca__digests *digest; /* NULL with rows */
    const ctw_calls *calls;         /* NULL with digests, as is order */
    uint32_t *order;                /* rows by (component, operation, caller, row) */
    ctw_rca__edge *edge;
    size_t edges;
    ctw_rca__group *group;
    size_t groups;
    ctw_rca__member *member; /* components that were called, by name id */
    size_t members;
} ctw_rca__window;

ctw_status ctw_rca__window_build(ctw_ctx *ctx, ctw_rca__window *w, const ctw_calls *c);
void ctw_rca__window_free(ctw_ctx *ctx, ctw_rca__window *w);

#endif
