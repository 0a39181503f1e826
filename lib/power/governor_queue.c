/* governor_queue.c: columns of waiting requests, removed mostly at the front: a free head makes that O(1), and
 * the columns move back to the start when the head has become the larger part. */
#include "power/governor_queue.h"

#include "base/alloc.h"
#include "base/error.h"
#include <stdint.h>
#include <string.h>

static void move(void *column, size_t size, size_t to, size_t from, size_t n)
{
    memmove((char *)column + to * size, (char *)column + from * size, n * size);
}

static void move_all(ctw_governor__queue *q, size_t to, size_t from, size_t n)
{
    move(q->id, sizeof *q->id, to, from, n);
    move(q->work, sizeof *q->work, to, from, n);
    move(q->deadline, sizeof *q->deadline, to, from, n);
    move(q->arrival, sizeof *q->arrival, to, from, n);
}

static ctw_status grow(ctw_ctx *ctx, ctw_governor__queue *q)
{
    size_t need = q->head + q->n + 1, cap[4] = {q->cap, q->cap, q->cap, q->cap};
    CTW_TRY(ctw_base__grow(ctx, (void **)&q->id, &cap[0], need, sizeof *q->id));
    CTW_TRY(ctw_base__grow(ctx, (void **)&q->work, &cap[1], need, sizeof *q->work));
    CTW_TRY(ctw_base__grow(ctx, (void **)&q->deadline, &cap[2], need, sizeof *q->deadline));
    CTW_TRY(ctw_base__grow(ctx, (void **)&q->arrival, &cap[3], need, sizeof *q->arrival));
    q->cap = cap[0];
    for (int i = 1; i < 4; i++)
        if (cap[i] < q->cap) q->cap = cap[i];
    return CTW_OK;
}

ctw_status ctw_governor__queue_push(ctw_ctx *ctx, ctw_governor__queue *q, int64_t id, double work, double deadline,
                                    double arrival)
{
    if (q->head > 64 && q->head > q->n) {
        move_all(q, 0, q->head, q->n);
        q->head = 0;
    }
    if (q->head + q->n == q->cap) CTW_TRY(grow(ctx, q));
    size_t at = q->head + q->n++;
    q->id[at] = id;
    q->work[at] = work;
    q->deadline[at] = deadline;
    q->arrival[at] = arrival;
    return CTW_OK;
}

size_t ctw_governor__queue_find(const ctw_governor__queue *q, int64_t id)
{
    for (size_t i = 0; i < q->n; i++)
        if (q->id[q->head + i] == id) return i;
    return SIZE_MAX;
}

void ctw_governor__queue_remove(ctw_governor__queue *q, size_t pos)
{
    move_all(q, q->head + 1, q->head, pos);
    q->head++;
    if (--q->n == 0) q->head = 0;
}

void ctw_governor__queue_free(ctw_ctx *ctx, ctw_governor__queue *q)
{
    ctw_base__free(ctx, q->id);
    ctw_base__free(ctx, q->work);
    ctw_base__free(ctx, q->deadline);
    ctw_base__free(ctx, q->arrival);
}

ctw_status ctw_governor__history_new(ctw_ctx *ctx, ctw_governor__history *h, size_t cap)
{
    double *block = ctw_base__alloc(ctx, cap, 4 * sizeof *block);
    if (!block) return CTW_E_NOMEM;
    *h = (ctw_governor__history){0, cap, block, block + cap, block + 2 * cap, block + 3 * cap};
    return CTW_OK;
}

size_t ctw_governor__history_halve(ctw_governor__history *h)
{
    size_t keep = h->cap - h->cap / 2, drop = h->n - keep;
    move(h->arrival, sizeof(double), 0, drop, keep);
    move(h->work, sizeof(double), 0, drop, keep);
    move(h->guess, sizeof(double), 0, drop, keep);
    move(h->deadline, sizeof(double), 0, drop, keep);
    h->n = keep;
    return drop;
}

void ctw_governor__history_add(ctw_governor__history *h, double arrival, double work, double guess, double deadline)
{
    h->arrival[h->n] = arrival;
    h->work[h->n] = work;
    h->guess[h->n] = guess;
    h->deadline[h->n++] = deadline;
}

void ctw_governor__history_move(ctw_governor__history *h, double by)
{
    for (size_t i = 0; i < h->n; i++) {
        h->arrival[i] += by;
        h->deadline[i] += by;
    }
}

void ctw_governor__history_free(ctw_ctx *ctx, ctw_governor__history *h)
{
    ctw_base__free(ctx, h->arrival);
}
