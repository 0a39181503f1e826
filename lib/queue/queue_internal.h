/* queue_internal.h: the queue handle, shared by the files that implement its verbs. */
#ifndef CTW_QUEUE_INTERNAL_H
#define CTW_QUEUE_INTERNAL_H

#include "base/handle.h"
#include "queue/intake.h"
#include "queue/jobs.h"
#include "queue/tail.h"
#include <cybertwin/queue.h>
#include <math.h>
#include <pthread.h>

#define CTW_QUEUE_MAX_WORK   1e12
#define CTW_QUEUE_MIN_WEIGHT 1e-6
#define CTW_QUEUE_MAX_WEIGHT 1e6
/* Least factor that is chosen by itself: below it there is next to nothing left of the gain. */
#define CTW_QUEUE_LEAST_AGEING 15.0
#define CTW_QUEUE_MAGIC        CTW_FOUR('Q', 'U', 'E', 'U')

enum { CTW_QUEUE_GUARDED, CTW_QUEUE_FCFS, CTW_QUEUE_SJF, CTW_QUEUE_AUTO };

struct ctw_queue {
    ctw_base__handle h;
    ctw_queue__jobs jobs;
    ctw_queue__ledger *ledger; /* policies that watch first come first served */
    ctw_queue__tail *tail;     /* policy auto */
    ctw_queue__intake *intake; /* NULL without one */
    int choose;                /* ageing chosen by itself */
    uint64_t chosen_at;        /* jobs popped by then */
    int policy, locked, correct;
    double ageing, blend;
    size_t capacity, lookahead;
    double now; /* of the last call, -INFINITY before the first */
    /* statistics */
    uint64_t pushed, popped, removed, overtaken;
    double wait_sum, wait_max, latest; /* latest: newest arrival popped so far */
    /* what finished jobs taught */
    double predicted_sum, actual_sum, observed;
    pthread_mutex_t mutex;
};

/* The handle is alive and, by flag or lock, ours alone until leave. */
ctw_status ctw_queue__enter(ctw_queue *q, const char *fn);
void ctw_queue__leave(ctw_queue *q);
/* The same for calls that change nothing: a locked queue is locked, another only checked. */
ctw_status ctw_queue__look(const ctw_queue *q, const char *fn);
void ctw_queue__look_away(const ctw_queue *q);
/* CTW_E_NONFINITE, or CTW_E_RANGE when now lies before an earlier call's. */
ctw_status ctw_queue__check_now(const ctw_queue *q, double now, const char *fn);
/* A job is fit to wait; the line has room for it and does not hold it; then it is added. */
ctw_status ctw_queue__check_job(int64_t job, double predicted, double weight, const char *fn);
ctw_status ctw_queue__push_one(ctw_queue *q, int64_t job, double predicted, double weight, double arrival, double now,
                               const char *fn);
/* Key of the job in a slot. */
double ctw_queue__key(const ctw_queue *q, uint32_t slot);
/* Key of a job that takes `work` (over its weight) and has no extras. */
double ctw_queue__plain_key(const ctw_queue *q, double work, double arrival);
/* Slot of the next job; somebody waits. */
uint32_t ctw_queue__next(ctw_queue *q, double now);
/* Re-computes every key and re-orders, O(n). */
void ctw_queue__rekey(ctw_queue *q);
/* Chooses the ageing factor anew when it is time to. */
void ctw_queue__choose(ctw_queue *q);
/* Takes a job out without serving it. */
void ctw_queue__forget(ctw_queue *q, uint32_t slot);
/* Takes the job in `slot` out as served at `now`, and counts it. */
int64_t ctw_queue__take(ctw_queue *q, uint32_t slot, double now);
/* Work to expect of a job that has been served for `served`. */
static inline double ctw_queue__rest(double predicted, double served)
{
    double left = predicted - served;
    return left > 0 ? left : fmax(-left, served / 10);
}
/* Ratio of real to predicted work so far, 1 until there is enough to tell. */
double ctw_queue__bias(const ctw_queue *q);

#endif
