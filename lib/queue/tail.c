/* tail.c: the self-chosen guard ("auto").
 *
 * Any order that never idles does the same work at the same speed, so the ledger of work pushed and popped tells when
 * first come first served would have begun each job: when as much work had been popped as had been pushed before
 * it. The 99th percentile of those times, over all jobs that have come, times the option "tail", is the limit
 * within which every job should be served. (A limit that followed the backlog itself would at the peak be the longest
 * wait of first come first served, not its 99th percentile.) With one limit for all, serving in order of arrival keeps
 * it if any order does; hence the test: the shortest job may go first if every job that came before it still keeps
 *
 *     now + (its work and all work before it + that of the shortest) / rate <= arrival + limit.
 *
 * Where the test fails at some job, the next is the shortest among those up to it (its prefix must shrink), and
 * the largest of them is set back behind everybody, at most one job in a hundred: what a 99th percentile
 * does not see (the exchange of Moore and Hodgson 1968 for the fewest late jobs). */
#include "queue/tail.h"
#include "base/alloc.h"
#include "base/error.h"
#include <math.h>
#include <string.h>

#define SET_BACK_SHARE 0.009
#define LARGE          0.97 /* quantile of predictions from which one counts as large */
#define BACKLOG        0.05 /* share of the limit from which there is a backlog */
#define QUANTILE       0.99
#define MOVED          0.02 /* change of the measured speed that is followed */

ctw_status ctw_queue__tail_new(ctw_ctx *ctx, double factor, double worst, const ctw_queue__ledger *ledger,
                               ctw_queue__tail **out)
{
    ctw_queue__tail *t = CTW_NEW(ctx, 1, ctw_queue__tail);
    if (!t) return CTW_E_NOMEM;
    t->ctx = ctx;
    t->factor = factor;
    t->worst = worst;
    t->ledger = ledger;
    t->rate = 1;
    *out = t;
    return CTW_OK;
}

void ctw_queue__tail_free(ctw_queue__tail *t)
{
    if (!t) return;

    ctw_base__free(t->ctx, t->span);
    ctw_base__free(t->ctx, t->slot_at);
    ctw_base__free(t->ctx, t->leaf_of);
    ctw_base__free(t->ctx, t);
}

/* ---- tree ---- */

static const ctw_queue__span nothing = {.work = 0, .least = INFINITY, .most = -INFINITY, .gap = INFINITY};

static ctw_queue__span join(const ctw_queue__tail *t, const ctw_queue__span *a, const ctw_queue__span *b)
{
    ctw_queue__span s = {
        .work = a->work + b->work, .least = fminf(a->least, b->least), .most = fmaxf(a->most, b->most)};
    s.gap = fmin(a->gap, b->gap - (double)a->work / t->rate);
    return s;
}

static void set_leaf(ctw_queue__tail *t, size_t leaf, ctw_queue__span s)
{
    size_t i = leaf + t->leaves;
    t->span[i] = s;
    while (i >>= 1) t->span[i] = join(t, &t->span[2 * i], &t->span[2 * i + 1]);
}

static ctw_queue__span span_of(const ctw_queue__tail *t, const ctw_queue__jobs *j, uint32_t slot)
{
    float work = j->mate[slot].predicted;
    return (ctw_queue__span){
        .work = work, .least = work, .most = work, .gap = j->rec[slot].arrival - (double)work / t->rate};
}

static void build(ctw_queue__tail *t, const ctw_queue__jobs *j)
{
    for (size_t i = 0; i < t->leaves; i++)
        t->span[t->leaves + i] =
            i < t->used && t->slot_at[i] != CTW_QUEUE_NONE ? span_of(t, j, t->slot_at[i]) : nothing;
    for (size_t i = t->leaves; i-- > 1;) t->span[i] = join(t, &t->span[2 * i], &t->span[2 * i + 1]);
}

/* Closes the gaps that leavers left; order stays. */
static void pack(ctw_queue__tail *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->used; i++) {
        uint32_t slot = t->slot_at[i];
        if (slot == CTW_QUEUE_NONE) continue;
        t->slot_at[n] = slot;
        t->leaf_of[slot] = (uint32_t)n++;
    }
    t->used = n;
}

ctw_status ctw_queue__tail_reserve(ctw_queue__tail *t, const ctw_queue__jobs *j, size_t need)
{
    if (t->slots < j->cap) {
        uint32_t *of = ctw_base__realloc(t->ctx, t->leaf_of, j->cap, sizeof *of);
        if (!of) return CTW_E_NOMEM;
        t->leaf_of = of;
        t->slots = j->cap;
    }
    size_t leaves = t->leaves ? t->leaves : 64;
    while (leaves < 2 * need) leaves *= 2;
    if (leaves == t->leaves) return CTW_OK;
    ctw_queue__span *span = ctw_base__alloc(t->ctx, 2 * leaves, sizeof *span);
    uint32_t *at = ctw_base__realloc(t->ctx, t->slot_at, leaves, sizeof *at);
    if (at) t->slot_at = at;
    if (!span || !at) {
        ctw_base__free(t->ctx, span);
        return CTW_E_NOMEM;
    }
    ctw_base__free(t->ctx, t->span);
    t->span = span;
    t->leaves = leaves;
    build(t, j);
    return CTW_OK;
}

/* Smallest gap of the first `leaf` leaves. */
static double gap_before(const ctw_queue__tail *t, size_t leaf)
{
    double gap = INFINITY, work = 0;
    size_t node = 1, half = t->leaves;
    while (half > 1) {
        half /= 2;
        node *= 2;
        if (leaf < half) continue;
        leaf -= half;
        gap = fmin(gap, t->span[node].gap - work / t->rate);
        work += (double)t->span[node].work;
        node++;
    }
    return gap;
}

/* First leaf whose gap is below `floor`; there is one. */
static size_t first_below(const ctw_queue__tail *t, double floor)
{
    size_t node = 1;
    double work = 0;
    while (node < t->leaves) {
        node *= 2;
        if (t->span[node].gap - work / t->rate >= floor) {
            work += (double)t->span[node].work;
            node++;
        }
    }
    return node - t->leaves;
}

/* Leaf with the smallest (or largest) prediction among the first `leaf` + 1; the earliest of equals. */
static size_t extreme_upto(const ctw_queue__tail *t, size_t leaf, int largest)
{
    size_t node = 1, half = t->leaves, left = leaf + 1, best = 0;
    float value = largest ? -INFINITY : INFINITY;
    while (left) { /* the maximal nodes that cover the prefix */
        size_t size = half, at = node;
        while (size > left) {
            size /= 2;
            at *= 2;
        }
        const ctw_queue__span *s = &t->span[at];
        if (largest ? s->most > value : s->least < value) {
            value = largest ? s->most : s->least;
            best = at;
        }
        left -= size;
        if (!left) break;
        node = at + 1; /* its right neighbour's subtree holds the rest */
        half = size;
        while (node % 2 == 0 && half < t->leaves) {
            node /= 2;
            half *= 2;
        }
    }
    while (best < t->leaves) {
        best *= 2;
        if (largest ? t->span[best].most < value : t->span[best].least > value) best++;
    }
    return best - t->leaves;
}

void ctw_queue__tail_change(ctw_queue__tail *t, const ctw_queue__jobs *j, uint32_t slot)
{
    if (t->leaf_of[slot] != CTW_QUEUE_NONE) set_leaf(t, t->leaf_of[slot], span_of(t, j, slot));
}

static void forget_aside(ctw_queue__tail *t, uint32_t slot)
{
    for (size_t i = 0; i < t->n_aside; i++)
        if (t->aside[i] == slot) {
            t->aside[i] = t->aside[--t->n_aside];
            return;
        }
}

void ctw_queue__tail_drop(ctw_queue__tail *t, uint32_t slot)
{
    uint32_t leaf = t->leaf_of[slot];
    if (leaf == CTW_QUEUE_NONE) {
        forget_aside(t, slot);
        return;
    }
    t->slot_at[leaf] = CTW_QUEUE_NONE;
    set_leaf(t, leaf, nothing);
}

/* ---- the choice ---- */

static int may_set_back(const ctw_queue__tail *t, float work)
{
    double mean = t->ledger->in / t->ledger->pushed;
    return t->n_aside < CTW_TAIL_ASIDE && t->set_back + 1 <= SET_BACK_SHARE * t->ledger->pushed &&
           (double)work > 1.5 * mean;
}

static void set_back(ctw_queue__tail *t, ctw_queue__jobs *j, size_t leaf)
{
    uint32_t slot = t->slot_at[leaf];
    t->slot_at[leaf] = CTW_QUEUE_NONE;
    t->leaf_of[slot] = CTW_QUEUE_NONE;
    set_leaf(t, leaf, nothing);
    t->set_back += 1;
    t->aside[t->n_aside++] = slot;
    ctw_queue__jobs_place(j, slot, 1e15 + j->rec[slot].arrival);
}

/* A job set back that has waited too long even so. */
static uint32_t overdue(const ctw_queue__tail *t, const ctw_queue__jobs *j, double now, double limit)
{
    for (size_t i = 0; i < t->n_aside; i++)
        if (now - j->rec[t->aside[i]].arrival > t->worst * limit) return t->aside[i];
    return CTW_QUEUE_NONE;
}

/* A speed that has moved moves every gap; followed seldom enough to cost O(1) a job. */
static void follow_speed(ctw_queue__tail *t, const ctw_queue__jobs *j)
{
    double rate = ctw_queue__ledger_rate(t->ledger);
    if (++t->since < j->n / 8 || fabs(rate - t->rate) < MOVED * t->rate) return;
    t->rate = rate;
    t->since = 0;
    build(t, j);
}

/* The largest predictions are set back as soon as there is a backlog: the work they leave out is what lets
 * others pass. */
void ctw_queue__tail_add(ctw_queue__tail *t, ctw_queue__jobs *j, uint32_t slot, double now)
{
    const ctw_queue__ledger *l = t->ledger;
    if (t->used == t->leaves) {
        pack(t);
        build(t, j);
    }
    double work = (double)j->mate[slot].predicted;
    t->slot_at[t->used] = slot;
    t->leaf_of[slot] = (uint32_t)t->used;
    set_leaf(t, t->used++, span_of(t, j, slot));
    ctw_queue__bins_add(&t->work, work, 1);
    ctw_queue__bins_add(&t->wait, ctw_queue__ledger_backlog(l, now), 1);
    if ((uint64_t)l->pushed % 64 == 0) t->large = ctw_queue__bins_quantile(&t->work, LARGE);
    if ((uint64_t)l->pushed % 16 == 0) t->limit = ctw_queue__bins_quantile(&t->wait, QUANTILE);
    if (l->pushed >= 64 && work >= t->large && may_set_back(t, (float)work) &&
        ctw_queue__ledger_backlog(l, now) > BACKLOG * t->limit)
        set_back(t, j, t->used - 1);
}

uint32_t ctw_queue__tail_next(ctw_queue__tail *t, ctw_queue__jobs *j, double now)
{
    double limit = t->limit;
    uint32_t late = overdue(t, j, now, limit);
    if (late != CTW_QUEUE_NONE) return late;
    follow_speed(t, j);
    for (;;) {
        uint32_t slot = ctw_queue__jobs_first(j);
        size_t leaf = t->leaf_of[slot];
        if (leaf == CTW_QUEUE_NONE) return slot; /* only jobs set back are left */
        int changed = 0;
        for (;;) {
            double floor = now - t->factor * limit + (double)j->mate[t->slot_at[leaf]].predicted / t->rate;
            if (!leaf || gap_before(t, leaf) >= floor) return t->slot_at[leaf];
            size_t at = first_below(t, floor), large = extreme_upto(t, at, 1);
            if (may_set_back(t, t->span[t->leaves + large].most)) {
                set_back(t, j, large);
                changed = 1;
                break;
            }
            leaf = extreme_upto(t, at, 0);
        }
        if (!changed) return t->slot_at[leaf];
    }
}

size_t ctw_queue__tail_bytes(const ctw_queue__tail *t)
{
    return sizeof *t + t->leaves * (2 * sizeof *t->span + sizeof *t->slot_at) + t->slots * sizeof *t->leaf_of;
}
