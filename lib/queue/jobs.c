/* jobs.c: storage, index and heap of the waiting jobs. The heap orders by (key, seq): equal keys leave in
 * order of arrival. Arity 4 halves the depth of a binary heap, and four children share a cache line. */
#include "queue/jobs.h"
#include "base/alloc.h"
#include "base/error.h"
#include "num/sort.h"
#include <math.h>
#include <string.h>

#define ARITY     4u
#define SLOT_MASK 0xFFFFFFu

void ctw_queue__jobs_init(ctw_queue__jobs *j, ctw_ctx *ctx)
{
    memset(j, 0, sizeof *j);
    j->ctx = ctx;
}

void ctw_queue__jobs_free(ctw_queue__jobs *j)
{
    ctw_base__free(j->ctx, j->key);
    ctw_base__free(j->ctx, j->slot);
    ctw_base__free(j->ctx, j->pos);
    ctw_base__free(j->ctx, j->next);
    ctw_base__free(j->ctx, j->rec);
    ctw_base__free(j->ctx, j->extra);
    ctw_base__free(j->ctx, j->head);
}

/* splitmix64's finaliser: ids are often consecutive. */
static uint64_t hash_id(int64_t id)
{
    uint64_t h = (uint64_t)id + 0x9E3779B97F4A7C15u;
    h = (h ^ (h >> 30)) * 0xBF58476D1CE4E5B9u;
    h = (h ^ (h >> 27)) * 0x94D049BB133111EBu;
    return h ^ (h >> 31);
}

static uint32_t link_to(uint64_t hash, uint32_t slot)
{
    return (uint32_t)(hash >> 56 << 24) | slot;
}

static int resize(ctw_ctx *ctx, void **p, size_t count, size_t size)
{
    void *q = ctw_base__realloc(ctx, *p, count, size);
    if (!q) return 0;
    *p = q;
    return 1;
}

static void link_in(ctw_queue__jobs *j, uint32_t slot)
{
    uint64_t h = hash_id(j->rec[slot].id);
    uint32_t *head = &j->head[h & (j->heads - 1)];
    j->next[slot] = *head;
    *head = link_to(h, slot);
}

static ctw_status rehash(ctw_queue__jobs *j, size_t heads)
{
    uint32_t *head = ctw_base__alloc(j->ctx, heads, sizeof *head);
    if (!head) return CTW_E_NOMEM;
    memset(head, 0xFF, heads * sizeof *head);
    ctw_base__free(j->ctx, j->head);
    j->head = head;
    j->heads = heads;
    for (size_t i = 0; i < j->n; i++) link_in(j, j->slot[i]);
    return CTW_OK;
}

/* Arrays that have grown stay grown when a later one fails: cap, which says what is usable, moves last. */
ctw_status ctw_queue__jobs_reserve(ctw_queue__jobs *j, size_t need, int tight)
{
    if (need > CTW_QUEUE_MAX_JOBS)
        return ctw_base__fail(CTW_E_RANGE, "ctw_queue: %zu waiting jobs, the limit is %zu", need, CTW_QUEUE_MAX_JOBS);
    if (need > j->cap) {
        size_t cap = tight ? need : need + 4 + need / 128;
        if (cap > CTW_QUEUE_MAX_JOBS) cap = CTW_QUEUE_MAX_JOBS;
        if (!resize(j->ctx, (void **)&j->key, cap, sizeof *j->key) ||
            !resize(j->ctx, (void **)&j->slot, cap, sizeof *j->slot) ||
            !resize(j->ctx, (void **)&j->pos, cap, sizeof *j->pos) ||
            !resize(j->ctx, (void **)&j->next, cap, sizeof *j->next) ||
            !resize(j->ctx, (void **)&j->rec, cap, sizeof *j->rec) ||
            (j->extra && !resize(j->ctx, (void **)&j->extra, cap, sizeof *j->extra)))
            return CTW_E_NOMEM;
        for (size_t i = j->cap; i < cap; i++) j->slot[i] = (uint32_t)i;
        j->cap = cap;
    }
    size_t heads = j->heads ? j->heads : 64;
    /* chains of two links on average where each link is a cache miss, of four where it is not */
    size_t chain = need > 65536 ? 2 : 4;
    while (heads * chain < need) heads *= 2;
    return heads > j->heads ? rehash(j, heads) : CTW_OK;
}

static const ctw_queue__extra plain = {.deadline = INFINITY, .head_start = 0, .weight = 1, .tokens = 0};

ctw_status ctw_queue__jobs_need_extra(ctw_queue__jobs *j)
{
    if (j->extra) return CTW_OK;
    j->extra = ctw_base__alloc(j->ctx, j->cap, sizeof *j->extra);
    if (!j->extra) return CTW_E_NOMEM;
    for (size_t i = 0; i < j->n; i++) j->extra[j->slot[i]] = plain;
    return CTW_OK;
}

static int by_seq(const void *a, const void *b, void *user)
{
    const ctw_queue__rec *rec = user;
    uint32_t x = rec[*(const uint32_t *)a].seq, y = rec[*(const uint32_t *)b].seq;
    return x < y ? -1 : x > y;
}

ctw_status ctw_queue__jobs_renumber(ctw_queue__jobs *j)
{
    uint32_t *order = ctw_base__dup(j->ctx, j->slot, j->n, sizeof *order);
    if (!order) return CTW_E_NOMEM;
    ctw_num__sort_by(order, j->n, sizeof *order, by_seq, j->rec);
    for (size_t i = 0; i < j->n; i++) j->rec[order[i]].seq = (uint32_t)i;
    j->next_seq = (uint32_t)j->n;
    ctw_base__free(j->ctx, order);
    return CTW_OK;
}

uint32_t ctw_queue__jobs_find(const ctw_queue__jobs *j, int64_t id)
{
    if (!j->heads) return CTW_QUEUE_NONE;
    uint64_t h = hash_id(id);
    uint32_t tag = link_to(h, 0);
    for (uint32_t l = j->head[h & (j->heads - 1)]; l != CTW_QUEUE_NONE; l = j->next[l & SLOT_MASK])
        if ((l & ~SLOT_MASK) == tag && j->rec[l & SLOT_MASK].id == id) return l & SLOT_MASK;
    return CTW_QUEUE_NONE;
}

uint32_t ctw_queue__jobs_add(ctw_queue__jobs *j, int64_t id, double arrival, float predicted, uint32_t seq)
{
    uint32_t s = j->slot[j->n];
    j->rec[s] = (ctw_queue__rec){.id = id, .arrival = arrival, .predicted = predicted, .seq = seq};
    if (j->extra) j->extra[s] = plain;
    link_in(j, s);
    j->pos[s] = (uint32_t)j->n++;
    return s;
}

static int before(const ctw_queue__jobs *j, double ka, uint32_t sa, double kb, uint32_t sb)
{
    if (ka != kb) return ka < kb;
    return j->rec[sa].seq < j->rec[sb].seq;
}

static void put(ctw_queue__jobs *j, size_t at, double key, uint32_t slot)
{
    j->key[at] = key;
    j->slot[at] = slot;
    j->pos[slot] = (uint32_t)at;
}

static void sift_up(ctw_queue__jobs *j, size_t at, double key, uint32_t slot)
{
    while (at) {
        size_t up = (at - 1) / ARITY;
        if (!before(j, key, slot, j->key[up], j->slot[up])) break;
        put(j, at, j->key[up], j->slot[up]);
        at = up;
    }
    put(j, at, key, slot);
}

/* First of the children [c, end). A full family is compared by key alone, without branches; equal keys, which are
 * rare, decide by order of arrival. */
static size_t first_child(const ctw_queue__jobs *j, size_t c, size_t end)
{
    const double *k = j->key + c;
    if (end - c == ARITY && k[0] != k[1] && k[2] != k[3]) {
        size_t a = k[1] < k[0] ? 1 : 0, b = k[3] < k[2] ? 3 : 2;
        if (k[a] != k[b]) return c + (k[b] < k[a] ? b : a);
    }
    size_t best = c;
    for (size_t i = c + 1; i < end; i++)
        if (before(j, j->key[i], j->slot[i], j->key[best], j->slot[best])) best = i;
    return best;
}

static void sift_down(ctw_queue__jobs *j, size_t at, double key, uint32_t slot)
{
    for (;;) {
        size_t c = at * ARITY + 1, end = c + ARITY < j->n ? c + ARITY : j->n;
        if (c >= end) break;
        size_t best = first_child(j, c, end);
        if (!before(j, j->key[best], j->slot[best], key, slot)) break;
        put(j, at, j->key[best], j->slot[best]);
        at = best;
    }
    put(j, at, key, slot);
}

static void settle(ctw_queue__jobs *j, size_t at, double key, uint32_t slot)
{
    size_t up = at ? (at - 1) / ARITY : 0;
    if (at && before(j, key, slot, j->key[up], j->slot[up]))
        sift_up(j, at, key, slot);
    else
        sift_down(j, at, key, slot);
}

void ctw_queue__jobs_place(ctw_queue__jobs *j, uint32_t slot, double key)
{
    settle(j, j->pos[slot], key, slot);
}

void ctw_queue__jobs_drop(ctw_queue__jobs *j, uint32_t slot)
{
    uint64_t h = hash_id(j->rec[slot].id);
    uint32_t *link = &j->head[h & (j->heads - 1)];
    while ((*link & SLOT_MASK) != slot) link = &j->next[*link & SLOT_MASK];
    *link = j->next[slot];
    size_t at = j->pos[slot], last = --j->n;
    double key = j->key[last];
    uint32_t moved = j->slot[last];
    j->slot[last] = slot;
    if (at != last) settle(j, at, key, moved);
}

void ctw_queue__jobs_heapify(ctw_queue__jobs *j)
{
    if (j->n < 2) return;
    for (size_t i = (j->n - 2) / ARITY + 1; i-- > 0;) sift_down(j, i, j->key[i], j->slot[i]);
}

size_t ctw_queue__jobs_bytes(const ctw_queue__jobs *j)
{
    size_t each = sizeof *j->key + sizeof *j->slot + sizeof *j->pos + sizeof *j->next + sizeof *j->rec;
    return j->cap * (each + (j->extra ? sizeof *j->extra : 0)) + j->heads * sizeof *j->head;
}
