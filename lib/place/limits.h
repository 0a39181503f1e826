/* limits.h: what the contents of a server satisfy, in rows that hold for sums over servers as well. */
#ifndef CTW_PLACE_LIMITS_H
#define CTW_PLACE_LIMITS_H

#include "place/inst.h"

/* Limit i says: sum over units of demand[flavour x n + i] <= sum over servers that are on of cap[class x n + i].
 * The first r are the resources. */
typedef struct ctw_place__limits {
    ctw_ctx *ctx;
    size_t n;
    double *demand, *cap; /* flavours x n, classes x n */
} ctw_place__limits;

/* CTW_E_NOMEM. Free in every case. */
ctw_status ctw_place__limits_new(const ctw_place__inst *in, ctw_place__limits *out);
void ctw_place__limits_free(ctw_place__limits *l);

#endif
