/* idmap.h: 128-bit ids to dense indices: trace ids of a table, span ids of a trace. Keyed, so that a source
 * that chooses its ids cannot choose their slots too. */
#ifndef CTW_RCA_IDMAP_H
#define CTW_RCA_IDMAP_H

#include <cybertwin/base.h>
#include <stddef.h>

typedef struct ctw_rca__id {
    uint64_t hi, lo;
} ctw_rca__id;

typedef struct ctw_rca__idmap {
    ctw_rca__id *key;
    uint32_t *value; /* index + 1, 0 empty */
    size_t slots, used;
    uint64_t salt;
} ctw_rca__idmap;

/* Room for `extra` more ids, so that the puts that follow cannot fail. */
ctw_status ctw_rca__idmap_reserve(ctw_ctx *ctx, ctw_rca__idmap *m, size_t extra);
/* Value stored under the id; `fresh` is stored first (and *added set to 1) when there was none. */
uint32_t ctw_rca__idmap_put(ctw_rca__idmap *m, ctw_rca__id id, uint32_t fresh, int *added);
/* Index, or -1. */
int64_t ctw_rca__idmap_get(const ctw_rca__idmap *m, ctw_rca__id id);
void ctw_rca__idmap_clear(ctw_rca__idmap *m);
void ctw_rca__idmap_free(ctw_ctx *ctx, ctw_rca__idmap *m);

#endif
