/* jobs.h: the waiting jobs of one queue: a contiguous 4-ary heap with positions, an index from id to
 * job, and a compact record of each. A heap entry is 16 bytes, and the four children of an entry fill one cache line;
 * the other arrays are indexed by slot (a job keeps its slot while it waits), each with what is wanted together.
 * 40 bytes a job, and 5 to 7.5 for the index. */
#ifndef CTW_QUEUE_JOBS_H
#define CTW_QUEUE_JOBS_H

#include "queue/index.h"
#include <string.h>

/* Slots have 24 bits, since a link of the index holds 8 bits of the id's hash besides. */
#define CTW_QUEUE_MAX_JOBS ((size_t)16777214)

/* Positions start at 3, so that the children of p, from 4p - 8 on, begin at a multiple of four. */
#define CTW_QUEUE_ROOT ((size_t)3)

/* By position; the jobs are at [ROOT, ROOT + n), the entries behind them hold the free slots. */
typedef struct ctw_queue__entry {
    int64_t key;  /* the double, as an integer of the same order: compared without branches */
    uint32_t seq; /* order of arrival among equals */
    uint32_t slot;
} ctw_queue__entry;

typedef struct ctw_queue__mate {
    uint32_t pos;    /* NONE: a free slot */
    float predicted; /* seconds of work still expected */
} ctw_queue__mate;

/* What only some jobs have; the column exists once any job has it. */
typedef struct ctw_queue__extra {
    double deadline; /* INFINITY: none */
    double head_start;
    float weight;
    uint32_t tokens;
} ctw_queue__extra;

typedef struct ctw_queue__jobs {
    ctw_ctx *ctx;
    size_t n, cap;
    ctw_queue__entry *at; /* by position, 64-byte aligned within `block` */
    void *block;
    ctw_queue__rec *rec;     /* by slot */
    ctw_queue__mate *mate;   /* by slot */
    ctw_queue__extra *extra; /* by slot, NULL until needed */
    ctw_queue__index index;
    uint32_t next_seq;
    int64_t last_id; /* pushed; only a hint at the next */
} ctw_queue__jobs;

void ctw_queue__jobs_init(ctw_queue__jobs *j, ctw_ctx *ctx);
void ctw_queue__jobs_free(ctw_queue__jobs *j);
/* Room for `need` jobs in all; CTW_E_NOMEM leaves everything as it was. `tight` allocates exactly that. */
ctw_status ctw_queue__jobs_reserve(ctw_queue__jobs *j, size_t need, int tight);
/* Makes the column of extras. */
ctw_status ctw_queue__jobs_need_extra(ctw_queue__jobs *j);
/* Sequence numbers 0..n-1 in the same order, once per 2^32 pushes. */
ctw_status ctw_queue__jobs_renumber(ctw_queue__jobs *j);

/* Slot of a job, CTW_QUEUE_NONE when it does not wait. */
uint32_t ctw_queue__jobs_find(const ctw_queue__jobs *j, int64_t id);
/* Adds a job that is not there; room must have been reserved. Returns its slot, not yet in heap order:
 * call place with its key next. */
uint32_t ctw_queue__jobs_add(ctw_queue__jobs *j, int64_t id, double arrival, float predicted);
/* Takes a job out. */
void ctw_queue__jobs_drop(ctw_queue__jobs *j, uint32_t slot);
/* Bytes allocated. */
size_t ctw_queue__jobs_bytes(const ctw_queue__jobs *j);

/* heap.c: the order is by (key, seq). */

/* Gives the job in `slot` this key and restores the order around it. */
void ctw_queue__jobs_place(ctw_queue__jobs *j, uint32_t slot, double key);
/* Takes the entry at position p out; the last one fills the gap and its place takes the slot. */
void ctw_queue__heap_drop(ctw_queue__jobs *j, size_t p);
/* Restores the order after every key was rewritten, O(n). */
void ctw_queue__jobs_heapify(ctw_queue__jobs *j);

/* Bits of a double, those of negative ones turned round. Zero has one sign. */
static inline int64_t ctw_queue__order(double key)
{
    int64_t bits;
    key += 0.0;
    memcpy(&bits, &key, sizeof bits);
    return bits < 0 ? bits ^ INT64_MAX : bits;
}

static inline double ctw_queue__unorder(int64_t order)
{
    double key;
    order = order < 0 ? order ^ INT64_MAX : order;
    memcpy(&key, &order, sizeof key);
    return key;
}

/* First job in order, if any waits. */
static inline uint32_t ctw_queue__jobs_first(const ctw_queue__jobs *j)
{
    return j->at[CTW_QUEUE_ROOT].slot;
}

static inline double ctw_queue__jobs_key(const ctw_queue__jobs *j, uint32_t slot)
{
    return ctw_queue__unorder(j->at[j->mate[slot].pos].key);
}

/* Slot of the i-th of the n jobs, in no order. */
static inline uint32_t ctw_queue__jobs_nth(const ctw_queue__jobs *j, size_t i)
{
    return j->at[CTW_QUEUE_ROOT + i].slot;
}

/* A cache line that will be wanted soon; no more than a hint. */
static inline void ctw_queue__soon(const void *p)
{
    __builtin_prefetch(p);
}

/* Jobs from which the arrays outgrow the near caches, so that hints pay. */
#define CTW_QUEUE_FAR ((size_t)8192)

#endif
