/* events.h: the twin's event queue: a binary heap in (time, insertion) order. */
#ifndef CTW_TWIN_EVENTS_H
#define CTW_TWIN_EVENTS_H

#include <cybertwin/base.h>
#include <stddef.h>

typedef enum ctw_twin__event_kind {
    CTW_EV_SLOT = 0,   /* control slot begins */
    CTW_EV_OBSERVE,    /* a region's carbon sensor shows the step that has just ended; idx: region */
    CTW_EV_REPLAN,     /* idx: generation, so that only the newest one acts */
    CTW_EV_JOB,        /* a job arrives or may start now; idx: job */
    CTW_EV_JOB_DONE,   /* idx: job, version: its run */
    CTW_EV_REQUEST,    /* idx: request */
    CTW_EV_ANSWER,     /* idx: request, version: its run */
    CTW_EV_FAULT_ON,   /* idx: fault */
    CTW_EV_FAULT_OFF,  /* idx: fault */
    CTW_EV_LOSS_SEEN,  /* the heartbeat of a lost server is missed; idx: fault */
    CTW_EV_REPLICA_UP, /* a moved replica is ready; idx: replica, version: its move */
    CTW_EV_KINDS
} ctw_twin__event_kind;

typedef struct ctw_twin__event {
    double time;
    uint64_t seq; /* insertion order */
    uint32_t kind;
    uint32_t idx;
    uint64_t version; /* an event whose version is not its target's any more is stale and does nothing */
} ctw_twin__event;

typedef struct ctw_twin__heap {
    ctw_twin__event *at;
    size_t n, cap;
    uint64_t next_seq;
} ctw_twin__heap;

/* Room for `more` further events, so that pushing them cannot fail. */
ctw_status ctw_twin__heap_reserve(ctw_ctx *ctx, ctw_twin__heap *h, size_t more);
ctw_status ctw_twin__heap_push(ctw_ctx *ctx, ctw_twin__heap *h, double time, ctw_twin__event_kind kind, size_t idx,
                               uint64_t version);
/* Earliest event; the heap must not be empty. */
ctw_twin__event ctw_twin__heap_pop(ctw_twin__heap *h);
/* Makes a heap of n events in any order (after loading). */
void ctw_twin__heap_build(ctw_twin__heap *h);

#endif
