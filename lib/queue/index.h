/* index.h: from a job's id to its slot. A bucket is one cache line of fifteen links, so that a look-up in a long line,
 * where everything is a cache miss, is one. What no longer fits goes into the next buckets, and the bucket at
 * home keeps count of it. */
#ifndef CTW_QUEUE_INDEX_H
#define CTW_QUEUE_INDEX_H

#include <cybertwin/base.h>
#include <stddef.h>

#define CTW_INDEX_WAYS 15u /* and a word for the counts */
#define CTW_QUEUE_NONE UINT32_MAX

typedef struct ctw_queue__links {
    uint32_t link[CTW_INDEX_WAYS + 1]; /* 8 bits of the id's hash over 24 of the slot; NONE: free. Last: of the links
                                        * at home here, how many lie further on (over 16 bits), and how far at most */
} ctw_queue__links;

typedef struct ctw_queue__index {
    ctw_queue__links *at; /* 64-byte aligned within `block` */
    void *block;
    size_t buckets;
} ctw_queue__index;

/* What a slot's id is kept in. */
typedef struct ctw_queue__rec {
    int64_t id;
    double arrival;
} ctw_queue__rec;

/* An empty index of this many buckets; CTW_E_NOMEM. */
ctw_status ctw_queue__index_new(ctw_ctx *ctx, size_t buckets, ctw_queue__index *x);
void ctw_queue__index_free(ctw_ctx *ctx, ctw_queue__index *x);
/* Adds an id that is not there; fewer than 15 a bucket must be. */
void ctw_queue__index_add(ctw_queue__index *x, int64_t id, uint32_t slot);
/* Slot of an id, or NONE. */
uint32_t ctw_queue__index_find(const ctw_queue__index *x, const ctw_queue__rec *rec, int64_t id);
/* Takes out an id that is there. */
void ctw_queue__index_drop(ctw_queue__index *x, int64_t id, uint32_t slot);
/* A hint that this id will be wanted soon. */
void ctw_queue__index_soon(const ctw_queue__index *x, int64_t id);

#endif
