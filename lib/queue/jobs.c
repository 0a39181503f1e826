/* jobs.c: storage of the waiting jobs, and their going in and out of heap and index. */
#include "queue/jobs.h"
#include "base/alloc.h"
#include "base/error.h"
#include "num/sort.h"
#include <math.h>
#include <string.h>

#define LINE ((size_t)64)

void ctw_queue__jobs_init(ctw_queue__jobs *j, ctw_ctx *ctx)
{
    memset(j, 0, sizeof *j);
    j->ctx = ctx;
}

void ctw_queue__jobs_free(ctw_queue__jobs *j)
{
    void *all[] = {j->block, j->rec, j->mate, j->extra};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(j->ctx, all[i]);
    ctw_queue__index_free(j->ctx, &j->index);
}

static int resize(ctw_ctx *ctx, void **p, size_t count, size_t size)
{
    void *q = ctw_base__realloc(ctx, *p, count, size);
    if (!q) return 0;
    *p = q;
    return 1;
}

/* The heap's entries, moved within their block when the new one lies differently in its cache lines. */
static int resize_heap(ctw_queue__jobs *j, size_t cap)
{
    size_t before = j->block ? (size_t)((char *)j->at - (char *)j->block) : 0;
    size_t bytes = (CTW_QUEUE_ROOT + cap) * sizeof *j->at + LINE;
    if (!resize(j->ctx, &j->block, bytes, 1)) return 0;
    size_t after = (LINE - (size_t)((uintptr_t)j->block % LINE)) % LINE;
    if (after != before && j->cap)
        memmove((char *)j->block + after, (char *)j->block + before, (CTW_QUEUE_ROOT + j->cap) * sizeof *j->at);
    j->at = (void *)((char *)j->block + after);
    return 1;
}

/* Grows by what keeps a bucket at most MOST full, and then not so full; fuller while it fits the near caches, where
 * the next bucket is cheap. */
static ctw_status widen(ctw_queue__jobs *j, size_t cap)
{
    int far = cap > CTW_QUEUE_FAR;
    if (cap <= j->index.buckets * (far ? 11 : 13)) return CTW_OK;
    ctw_queue__index wide;
    CTW_TRY(ctw_queue__index_new(j->ctx, far ? cap / 17 * 2 + 2 : cap / 12 + 2, &wide));
    for (size_t slot = 0; slot < j->cap; slot++)
        if (j->mate[slot].pos != CTW_QUEUE_NONE) ctw_queue__index_add(&wide, j->rec[slot].id, (uint32_t)slot);
    ctw_queue__index_free(j->ctx, &j->index);
    j->index = wide;
    return CTW_OK;
}

/* Arrays that have grown stay grown when a later one fails: cap, which says what is usable, moves last. */
ctw_status ctw_queue__jobs_reserve(ctw_queue__jobs *j, size_t need, int tight)
{
    if (need <= j->cap) return CTW_OK;
    if (need > CTW_QUEUE_MAX_JOBS)
        return ctw_base__fail(CTW_E_RANGE, "ctw_queue: %zu waiting jobs, the limit is %zu", need, CTW_QUEUE_MAX_JOBS);
    size_t cap = tight ? need : need + 4 + need / 256;
    if (cap > CTW_QUEUE_MAX_JOBS) cap = CTW_QUEUE_MAX_JOBS;
    if (!resize_heap(j, cap) || !resize(j->ctx, (void **)&j->rec, cap, sizeof *j->rec) ||
        !resize(j->ctx, (void **)&j->mate, cap, sizeof *j->mate) ||
        (j->extra && !resize(j->ctx, (void **)&j->extra, cap, sizeof *j->extra)) || widen(j, cap))
        return CTW_E_NOMEM;
    for (size_t i = j->cap; i < cap; i++) {
        j->at[CTW_QUEUE_ROOT + i].slot = (uint32_t)i;
        j->mate[i].pos = CTW_QUEUE_NONE;
    }
    j->cap = cap;
    return CTW_OK;
}

uint32_t ctw_queue__jobs_find(const ctw_queue__jobs *j, int64_t id)
{
    return ctw_queue__index_find(&j->index, j->rec, id);
}

static const ctw_queue__extra plain = {.deadline = INFINITY, .head_start = 0, .weight = 1, .tokens = 0};

ctw_status ctw_queue__jobs_need_extra(ctw_queue__jobs *j)
{
    if (j->extra) return CTW_OK;
    j->extra = ctw_base__alloc(j->ctx, j->cap, sizeof *j->extra);
    if (!j->extra) return CTW_E_NOMEM;
    for (size_t i = 0; i < j->n; i++) j->extra[ctw_queue__jobs_nth(j, i)] = plain;
    return CTW_OK;
}

static int by_seq(const void *a, const void *b, void *user)
{
    const ctw_queue__entry *at = user;
    uint32_t x = at[*(const uint32_t *)a].seq, y = at[*(const uint32_t *)b].seq;
    return x < y ? -1 : x > y;
}

ctw_status ctw_queue__jobs_renumber(ctw_queue__jobs *j)
{
    uint32_t *order = ctw_base__alloc(j->ctx, j->n, sizeof *order);
    if (!order) return CTW_E_NOMEM;
    for (size_t i = 0; i < j->n; i++) order[i] = (uint32_t)(CTW_QUEUE_ROOT + i);
    ctw_num__sort_by(order, j->n, sizeof *order, by_seq, j->at);
    for (size_t i = 0; i < j->n; i++) j->at[order[i]].seq = (uint32_t)i;
    j->next_seq = (uint32_t)j->n;
    ctw_base__free(j->ctx, order);
    return CTW_OK;
}

/* What the pushes after this one will touch: the records of the next free slots, and the index's line of the next id
 * but one, ids being counted up as a rule. */
static void ask_for_next(ctw_queue__jobs *j, size_t p, int64_t id)
{
    uint64_t step = (uint64_t)id - (uint64_t)j->last_id;
    ctw_queue__soon(&j->rec[j->at[p + 2].slot]);
    ctw_queue__soon(&j->mate[j->at[p + 2].slot]);
    ctw_queue__index_soon(&j->index, (int64_t)((uint64_t)id + 2 * step));
    j->last_id = id;
}

uint32_t ctw_queue__jobs_add(ctw_queue__jobs *j, int64_t id, double arrival, float predicted)
{
    size_t p = CTW_QUEUE_ROOT + j->n++;
    uint32_t s = j->at[p].slot;
    j->at[p] = (ctw_queue__entry){.key = INT64_MAX, .seq = j->next_seq++, .slot = s};
    j->rec[s] = (ctw_queue__rec){.id = id, .arrival = arrival};
    j->mate[s] = (ctw_queue__mate){.pos = (uint32_t)p, .predicted = predicted};
    if (j->extra) j->extra[s] = plain;
    ctw_queue__index_add(&j->index, id, s);
    if (j->n > CTW_QUEUE_FAR && j->n + 1 < j->cap) ask_for_next(j, p, id);
    return s;
}

/* The index's line for the job that is now first is asked for, since it will be wanted next. */
void ctw_queue__jobs_drop(ctw_queue__jobs *j, uint32_t slot)
{
    ctw_queue__heap_drop(j, j->mate[slot].pos);
    j->mate[slot].pos = CTW_QUEUE_NONE;
    ctw_queue__index_drop(&j->index, j->rec[slot].id, slot);
    if (j->n > CTW_QUEUE_FAR) ctw_queue__index_soon(&j->index, j->rec[ctw_queue__jobs_first(j)].id);
}

size_t ctw_queue__jobs_bytes(const ctw_queue__jobs *j)
{
    if (!j->cap) return 0;
    size_t each = sizeof *j->at + sizeof *j->rec + sizeof *j->mate + (j->extra ? sizeof *j->extra : 0);
    return 2 * LINE + CTW_QUEUE_ROOT * sizeof *j->at + j->cap * each + j->index.buckets * sizeof *j->index.at;
}
