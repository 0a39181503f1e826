/* rowcache.c: see rowcache.h. */
#include "svm/rowcache.h"
#include "base/alloc.h"
#include "base/error.h"
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define NONE SIZE_MAX

/* First touches of a large block cost a fault a page; fewer, larger pages where the system has them. Only advice. */
static void ask_for_huge_pages(void *mem, size_t bytes)
{
#ifdef MADV_HUGEPAGE
    uintptr_t page = 2u << 20, from = ((uintptr_t)mem + page - 1) / page * page, to = (uintptr_t)mem + bytes;
    if (to > from + page) (void)madvise((void *)from, (size_t)(to - from) / page * page, MADV_HUGEPAGE);
#else
    (void)mem;
    (void)bytes;
#endif
}

ctw_status ctw_svm__rowcache_new(ctw_ctx *ctx, size_t n, size_t size, size_t bytes, ctw_svm__rowcache *c)
{
    size_t rows = n ? bytes / size / n : 0;
    if (rows < 2) rows = 2;
    if (rows > n) rows = n;
    memset(c, 0, sizeof *c);
    if (n && rows > SIZE_MAX / size / n) return ctw_base__nomem();
    c->n = n;
    c->size = size;
    c->values = rows * n;
    c->mem = ctw_base__alloc(ctx, c->values, size);
    if (c->mem) ask_for_huge_pages(c->mem, c->values * size);
    c->slot_of = ctw_base__alloc(ctx, n, sizeof *c->slot_of);
    c->row_of = ctw_base__alloc(ctx, n, sizeof *c->row_of);
    c->prev = ctw_base__alloc(ctx, n + 1, sizeof *c->prev);
    c->next = ctw_base__alloc(ctx, n + 1, sizeof *c->next);
    if (!c->mem || !c->slot_of || !c->row_of || !c->prev || !c->next) {
        ctw_svm__rowcache_free(ctx, c);
        return CTW_E_NOMEM;
    }
    ctw_svm__rowcache_reset(c, n);
    return CTW_OK;
}

void ctw_svm__rowcache_free(ctw_ctx *ctx, ctw_svm__rowcache *c)
{
    ctw_base__free(ctx, c->mem);
    ctw_base__free(ctx, c->slot_of);
    ctw_base__free(ctx, c->row_of);
    ctw_base__free(ctx, c->prev);
    ctw_base__free(ctx, c->next);
    memset(c, 0, sizeof *c);
}

static void unlink_slot(ctw_svm__rowcache *c, size_t s)
{
    c->next[c->prev[s]] = c->next[s];
    c->prev[c->next[s]] = c->prev[s];
}

/* After `before` in the list; the head is element n. */
static void link_after(ctw_svm__rowcache *c, size_t before, size_t s)
{
    c->prev[s] = before;
    c->next[s] = c->next[before];
    c->prev[c->next[s]] = s;
    c->next[before] = s;
}

/* Slots that fit in the memory with the current stride; new ones join at the list's end, empty. */
static void add_slots(ctw_svm__rowcache *c)
{
    size_t fit = c->stride ? c->values / c->stride : c->n;
    if (fit > c->n) fit = c->n;
    for (; c->slots < fit; c->slots++) {
        c->row_of[c->slots] = NONE;
        link_after(c, c->prev[c->n], c->slots);
    }
}

void ctw_svm__rowcache_reset(ctw_svm__rowcache *c, size_t stride)
{
    for (size_t i = 0; i < c->n; i++) c->slot_of[i] = NONE;
    c->prev[c->n] = c->next[c->n] = c->n;
    c->slots = 0;
    c->stride = stride;
    add_slots(c);
}

void *ctw_svm__rowcache_get(ctw_svm__rowcache *c, size_t pos, int *fresh)
{
    size_t s = c->slot_of[pos];
    *fresh = s == NONE;
    if (s == NONE) {
        s = c->prev[c->n];
        if (c->row_of[s] != NONE) c->slot_of[c->row_of[s]] = NONE;
        c->row_of[s] = pos;
        c->slot_of[pos] = s;
    }
    unlink_slot(c, s);
    link_after(c, c->n, s);
    return c->mem + s * c->stride * c->size;
}

/* The kept values of a row, moved to where its slot will be. */
static void compact(const ctw_svm__rowcache *c, size_t slot, const size_t *keep, size_t m)
{
    const unsigned char *from = c->mem + slot * c->stride * c->size;
    unsigned char *to = c->mem + slot * m * c->size; /* never beyond what is still to be read */
    if (c->size == sizeof(double))
        for (size_t k = 0; k < m; k++) ((double *)(void *)to)[k] = ((const double *)(const void *)from)[keep[k]];
    else
        for (size_t k = 0; k < m; k++) ((float *)(void *)to)[k] = ((const float *)(const void *)from)[keep[k]];
}

void ctw_svm__rowcache_shrink(ctw_svm__rowcache *c, const size_t *keep, size_t m)
{
    /* new positions of the rows' own variables; slots of dropped ones become empty */
    for (size_t s = 0; s < c->slots; s++)
        if (c->row_of[s] != NONE) c->row_of[s] = NONE;
    for (size_t k = 0; k < m; k++) {
        size_t s = c->slot_of[keep[k]]; /* keep ascends, so slot_of[k] below has been read already */
        c->slot_of[k] = s;
        if (s != NONE) c->row_of[s] = k;
    }
    for (size_t i = m; i < c->n; i++) c->slot_of[i] = NONE;
    for (size_t s = 0; s < c->slots; s++) {
        if (c->row_of[s] == NONE) {
            unlink_slot(c, s);
            link_after(c, c->prev[c->n], s);
            continue;
        }
        compact(c, s, keep, m);
    }
    c->stride = m;
    add_slots(c);
}
