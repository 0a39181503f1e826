/* tail.h: the self-chosen guard. Shortest first as long as every waiting job can still be served within the time that
 * first come first served would have needed in its worst hundredth; the oldest where that is at stake. */
#ifndef CTW_QUEUE_TAIL_H
#define CTW_QUEUE_TAIL_H

#include "queue/jobs.h"
#include "queue/ledger.h"

#define CTW_TAIL_ASIDE 1024u

/* A node of the tree over jobs in order of arrival. */
typedef struct ctw_queue__span {
    float work;  /* sum of predictions */
    float least; /* smallest and largest prediction */
    float most;
    double gap; /* min over jobs of arrival - (work up to and with it) / rate */
} ctw_queue__span;

typedef struct ctw_queue__tail {
    ctw_ctx *ctx;
    double factor; /* allowed wait over the 99th percentile of first come first served */
    double worst;  /* the same for jobs set back */
    const ctw_queue__ledger *ledger;
    /* tree */
    size_t leaves, used; /* leaves: power of two; [0, used) have been given out since the last packing */
    ctw_queue__span *span;
    uint32_t *slot_at;    /* by leaf, CTW_QUEUE_NONE when its job has left */
    uint32_t *leaf_of;    /* by slot, CTW_QUEUE_NONE for a job set back */
    size_t slots;         /* length of leaf_of */
    ctw_queue__bins work; /* predictions */
    double large;         /* which of them are large */
    ctw_queue__bins wait; /* what first come first served would have made of each job that came */
    double limit;         /* 99th percentile of that */
    double rate;          /* of the ledger, as the tree knows it */
    size_t since;         /* choices made since then */
    /* jobs set back: the largest, at most one in a hundred */
    double set_back;
    size_t n_aside; /* of them waiting */
    uint32_t aside[CTW_TAIL_ASIDE];
} ctw_queue__tail;

/* The ledger is kept by the queue and read here. */
ctw_status ctw_queue__tail_new(ctw_ctx *ctx, double factor, double worst, const ctw_queue__ledger *ledger,
                               ctw_queue__tail **out);
void ctw_queue__tail_free(ctw_queue__tail *t);
/* Room for `need` jobs in all, after room was made in `j`. */
ctw_status ctw_queue__tail_reserve(ctw_queue__tail *t, const ctw_queue__jobs *j, size_t need);
/* A job has come (room was made before), has changed its prediction from `before`, or is about to leave, served or
 * cancelled. */
void ctw_queue__tail_add(ctw_queue__tail *t, ctw_queue__jobs *j, uint32_t slot, double now);
void ctw_queue__tail_change(ctw_queue__tail *t, const ctw_queue__jobs *j, uint32_t slot);
void ctw_queue__tail_drop(ctw_queue__tail *t, uint32_t slot);
/* Slot of the job to serve next; there is one. May set jobs back, which changes keys in the heap. */
uint32_t ctw_queue__tail_next(ctw_queue__tail *t, ctw_queue__jobs *j, double now);
size_t ctw_queue__tail_bytes(const ctw_queue__tail *t);

#endif
