/* jobs.h: the waiting jobs of one queue: a contiguous 4-ary heap with positions, an index from id to
 * job, and a compact record of each. Arrays are parallel and indexed either by heap position (key, slot)
 * or by slot (pos, next, rec), so that sifting touches 12 bytes a level and a probe of the index 4.
 * Together 44 bytes a job, plus 1 to 2 for the index heads. */
#ifndef CTW_QUEUE_JOBS_H
#define CTW_QUEUE_JOBS_H

#include <cybertwin/base.h>
#include <stddef.h>

/* Slots have 24 bits, since a link of the index holds 8 bits of the id's hash besides. */
#define CTW_QUEUE_MAX_JOBS ((size_t)16777214)
#define CTW_QUEUE_NONE     UINT32_MAX

typedef struct ctw_queue__rec {
    int64_t id;
    double arrival;
    float predicted; /* seconds of work still expected */
    uint32_t seq;    /* order of arrival among equals */
} ctw_queue__rec;

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
    double *key;    /* by position */
    uint32_t *slot; /* by position; slot[n..cap) are the free ones */
    uint32_t *pos;  /* by slot */
    uint32_t *next; /* by slot: link to the next of the same head */
    ctw_queue__rec *rec;
    ctw_queue__extra *extra; /* by slot, NULL until needed */
    uint32_t *head;
    size_t heads; /* power of two */
    uint32_t next_seq;
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
uint32_t ctw_queue__jobs_add(ctw_queue__jobs *j, int64_t id, double arrival, float predicted, uint32_t seq);
/* Gives the job in `slot` this key and restores the order around it. */
void ctw_queue__jobs_place(ctw_queue__jobs *j, uint32_t slot, double key);
/* Takes a job out. */
void ctw_queue__jobs_drop(ctw_queue__jobs *j, uint32_t slot);
/* Restores the order after every key was rewritten, O(n). */
void ctw_queue__jobs_heapify(ctw_queue__jobs *j);
/* Bytes allocated. */
size_t ctw_queue__jobs_bytes(const ctw_queue__jobs *j);

#endif
