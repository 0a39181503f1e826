/* index.c: hashing into buckets of a cache line. A link is told apart by its tag, and the id itself is looked at only
 * when the tags agree, one time in sixteen by chance. Nothing is left behind by what leaves: no tombstones. */
#include "queue/index.h"
#include "base/alloc.h"

#define SLOT_MASK 0xFFFFFFu
#define LINE      ((size_t)64)
#define COUNTS    CTW_INDEX_WAYS
#define REACH     0xFFFFu
#define ONE_AWAY  0x10000u
#define MOST_AWAY 0xFFFF0000u

typedef uint32_t four __attribute__((vector_size(16)));

/* Which of the links agree with `want` in the bits of `mask`, as a set. A search that stops at the right one is
 * mispredicted nearly every time; this one has no branches. */
static inline unsigned matches(const ctw_queue__links *b, uint32_t want, uint32_t mask)
{
    const four *l =
        (const four *)(const void *)b->link; /* buckets are aligned; clang 14 cannot be told so under UBSan */
    const four bit = {1, 2, 4, 8};
    four all = ((four)(((l[0] ^ want) & mask) == 0) & bit) | ((four)(((l[1] ^ want) & mask) == 0) & bit << 4) |
               ((four)(((l[2] ^ want) & mask) == 0) & bit << 8) | ((four)(((l[3] ^ want) & mask) == 0) & bit << 12);
    return (all[0] | all[1] | all[2] | all[3]) & ((1u << CTW_INDEX_WAYS) - 1);
}

static unsigned first_of(unsigned set)
{
    return (unsigned)__builtin_ctz(set);
}

/* splitmix64's finaliser: ids are often consecutive. */
static uint64_t hash_id(int64_t id)
{
    uint64_t h = (uint64_t)id + 0x9E3779B97F4A7C15u;
    h = (h ^ (h >> 30)) * 0xBF58476D1CE4E5B9u;
    h = (h ^ (h >> 27)) * 0x94D049BB133111EBu;
    return h ^ (h >> 31);
}

/* The bucket from the low half of the hash, the tag from its top. */
static size_t home_of(const ctw_queue__index *x, uint64_t hash)
{
    return (size_t)((hash & UINT32_MAX) * x->buckets >> 32);
}

static uint32_t link_to(uint64_t hash, uint32_t slot)
{
    return (uint32_t)(hash >> 56 << 24) | slot;
}

static ctw_queue__links *step(const ctw_queue__index *x, size_t home, size_t by)
{
    size_t b = home + by;
    return &x->at[b < x->buckets ? b : b - x->buckets];
}

ctw_status ctw_queue__index_new(ctw_ctx *ctx, size_t buckets, ctw_queue__index *x)
{
    void *block = ctw_base__alloc(ctx, buckets * sizeof *x->at + LINE, 1);
    if (!block) return CTW_E_NOMEM;
    x->block = block;
    x->at = (void *)((char *)block + (LINE - (size_t)((uintptr_t)block % LINE)) % LINE);
    x->buckets = buckets;
    for (size_t b = 0; b < buckets; b++) {
        for (size_t i = 0; i < CTW_INDEX_WAYS; i++) x->at[b].link[i] = CTW_QUEUE_NONE;
        x->at[b].link[COUNTS] = 0;
    }
    return CTW_OK;
}

void ctw_queue__index_free(ctw_ctx *ctx, ctw_queue__index *x)
{
    ctw_base__free(ctx, x->block);
}

void ctw_queue__index_add(ctw_queue__index *x, int64_t id, uint32_t slot)
{
    uint64_t h = hash_id(id);
    size_t home = home_of(x, h), by = 0;
    unsigned free;
    while (!(free = matches(step(x, home, by), CTW_QUEUE_NONE, UINT32_MAX))) by++;
    step(x, home, by)->link[first_of(free)] = link_to(h, slot);
    if (!by) return;
    uint32_t *counts = &x->at[home].link[COUNTS];
    if (*counts < MOST_AWAY) *counts += ONE_AWAY;
    if (by > (*counts & REACH)) *counts = (*counts & ~REACH) | (uint32_t)by;
}

uint32_t ctw_queue__index_find(const ctw_queue__index *x, const ctw_queue__rec *rec, int64_t id)
{
    if (!x->buckets) return CTW_QUEUE_NONE;
    uint64_t h = hash_id(id);
    size_t home = home_of(x, h), reach = x->at[home].link[COUNTS] & REACH;
    for (size_t by = 0; by <= reach; by++) {
        const ctw_queue__links *b = step(x, home, by);
        for (unsigned set = matches(b, link_to(h, 0), ~SLOT_MASK); set; set &= set - 1) {
            uint32_t link = b->link[first_of(set)];
            if (link != CTW_QUEUE_NONE && rec[link & SLOT_MASK].id == id) return link & SLOT_MASK;
        }
    }
    return CTW_QUEUE_NONE;
}

void ctw_queue__index_drop(ctw_queue__index *x, int64_t id, uint32_t slot)
{
    uint64_t h = hash_id(id);
    size_t home = home_of(x, h), by = 0;
    unsigned at;
    while (!(at = matches(step(x, home, by), link_to(h, slot), UINT32_MAX))) by++;
    step(x, home, by)->link[first_of(at)] = CTW_QUEUE_NONE;
    if (!by) return;
    uint32_t *counts = &x->at[home].link[COUNTS];
    if (*counts < MOST_AWAY) *counts -= ONE_AWAY; /* a full count has lost track and stays */
    if (*counts < ONE_AWAY) *counts = 0;
}

void ctw_queue__index_soon(const ctw_queue__index *x, int64_t id)
{
    __builtin_prefetch(&x->at[home_of(x, hash_id(id))]);
}
