/* governor_queue.h: what waits and what was, as columns that grow in the context's memory. */
#ifndef CTW_POWER_GOVERNOR_QUEUE_H
#define CTW_POWER_GOVERNOR_QUEUE_H

#include <cybertwin/base.h>
#include <stddef.h>

/* Waiting requests; the first `head` entries of each column are free. */
typedef struct ctw_governor__queue {
    size_t head, n, cap;
    int64_t *id;
    double *work, *deadline, *arrival;
} ctw_governor__queue;

ctw_status ctw_governor__queue_push(ctw_ctx *ctx, ctw_governor__queue *q, int64_t id, double work, double deadline,
                                    double arrival);
/* Position (0: in service) of the first request with this id, SIZE_MAX when there is none. */
size_t ctw_governor__queue_find(const ctw_governor__queue *q, int64_t id);
void ctw_governor__queue_remove(ctw_governor__queue *q, size_t pos);
void ctw_governor__queue_free(ctw_ctx *ctx, ctw_governor__queue *q);

/* Completed requests in order of completion. */
typedef struct ctw_governor__history {
    size_t n, cap;
    double *arrival, *work, *guess, *deadline;
} ctw_governor__history;

ctw_status ctw_governor__history_new(ctw_ctx *ctx, ctw_governor__history *h, size_t cap);
/* The record is full: keeps the newer half. Returns how many it dropped. */
size_t ctw_governor__history_halve(ctw_governor__history *h);
/* To a record that is not full. */
void ctw_governor__history_add(ctw_governor__history *h, double arrival, double work, double guess, double deadline);
/* Adds `by` to all times: the clock they were told in has changed. */
void ctw_governor__history_move(ctw_governor__history *h, double by);
void ctw_governor__history_free(ctw_ctx *ctx, ctw_governor__history *h);

#endif
