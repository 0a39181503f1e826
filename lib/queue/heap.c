/* heap.c: the 4-ary heap over the waiting jobs. Arity 4 halves the depth of a binary heap; a family of children is one
 * cache line, compared without branches. Equal keys leave in order of arrival. */
#include "queue/jobs.h"

#define ARITY   4u
#define DEEPEST 13 /* levels of 2^24 jobs and one */

static size_t parent(size_t p)
{
    return p / ARITY + 2;
}

static size_t children(size_t p)
{
    return p * ARITY - 8;
}

static int before(const ctw_queue__entry *a, const ctw_queue__entry *b)
{
    if (a->key != b->key) return a->key < b->key;
    return a->seq < b->seq;
}

static void put(ctw_queue__jobs *j, size_t p, ctw_queue__entry e)
{
    j->at[p] = e;
    j->mate[e.slot].pos = (uint32_t)p;
}

static void sift_up(ctw_queue__jobs *j, size_t p, ctw_queue__entry e)
{
    while (p > CTW_QUEUE_ROOT) {
        size_t up = parent(p);
        if (!before(&e, &j->at[up])) break;
        put(j, p, j->at[up]);
        p = up;
    }
    put(j, p, e);
}

/* First of a family of k. A full one is compared by key alone, without branches; equal keys, which are rare, decide
 * by order of arrival. */
static inline size_t first_of(const ctw_queue__entry *e, size_t k)
{
    if (k >= ARITY) {
        size_t a = e[1].key < e[0].key, b = 2 + (size_t)(e[3].key < e[2].key);
        size_t second = (size_t)0 - (size_t)(e[b].key < e[a].key);
        if (!((e[0].key == e[1].key) | (e[2].key == e[3].key) | (e[a].key == e[b].key))) return a ^ ((a ^ b) & second);
        k = ARITY;
    }
    size_t best = 0;
    for (size_t i = 1; i < k; i++)
        if (before(&e[i], &e[best])) best = i;
    return best;
}

/* A job that has come next to the front will be popped soon: its record is asked for. */
static void near_front(const ctw_queue__jobs *j, size_t p)
{
    if (p < CTW_QUEUE_ROOT + 1 + ARITY) ctw_queue__soon(&j->rec[j->at[p].slot]);
}

static void sift_down_near(ctw_queue__jobs *j, size_t p, ctw_queue__entry e)
{
    size_t end = CTW_QUEUE_ROOT + j->n;
    for (size_t c; (c = children(p)) < end; p = c) {
        c += first_of(&j->at[c], end - c);
        if (!before(&j->at[c], &e)) break;
        put(j, p, j->at[c]);
    }
    put(j, p, e);
}

/* The same where each line is a cache miss: the lines of the grandchildren are asked for before the children are waited
 * for, and positions are written at the end, when their lines have been asked for long enough. */
static void sift_down_far(ctw_queue__jobs *j, size_t p, ctw_queue__entry e)
{
    size_t end = CTW_QUEUE_ROOT + j->n, path[DEEPEST], moves = 0;
    for (size_t c; (c = children(p)) < end; p = c) {
        size_t grand = children(c);
        if (grand + ARITY * ARITY <= end)
            for (size_t i = 0; i < ARITY; i++) ctw_queue__soon(&j->at[grand + i * ARITY]);
        c += first_of(&j->at[c], end - c);
        if (!before(&j->at[c], &e)) break;
        ctw_queue__soon(&j->mate[j->at[c].slot]);
        j->at[p] = j->at[c];
        near_front(j, p);
        path[moves++] = p;
    }
    for (size_t i = 0; i < moves; i++) j->mate[j->at[path[i]].slot].pos = (uint32_t)path[i];
    put(j, p, e);
}

static void sift_down(ctw_queue__jobs *j, size_t p, ctw_queue__entry e)
{
    if (j->n > CTW_QUEUE_FAR)
        sift_down_far(j, p, e);
    else
        sift_down_near(j, p, e);
}

static void settle(ctw_queue__jobs *j, size_t p, ctw_queue__entry e)
{
    if (p > CTW_QUEUE_ROOT && before(&e, &j->at[parent(p)]))
        sift_up(j, p, e);
    else
        sift_down(j, p, e);
}

void ctw_queue__jobs_place(ctw_queue__jobs *j, uint32_t slot, double key)
{
    size_t p = j->mate[slot].pos;
    ctw_queue__entry e = j->at[p];
    e.key = ctw_queue__order(key);
    settle(j, p, e);
}

void ctw_queue__heap_drop(ctw_queue__jobs *j, size_t p)
{
    size_t last = CTW_QUEUE_ROOT + --j->n;
    ctw_queue__entry moved = j->at[last];
    ctw_queue__soon(&j->mate[j->at[last - 1].slot]); /* the next to be moved */
    j->at[last].slot = j->at[p].slot;
    if (p != last) settle(j, p, moved);
}

void ctw_queue__jobs_heapify(ctw_queue__jobs *j)
{
    if (j->n < 2) return;
    for (size_t p = parent(CTW_QUEUE_ROOT + j->n - 1); p >= CTW_QUEUE_ROOT; p--) sift_down(j, p, j->at[p]);
}
