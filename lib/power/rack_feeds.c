/* rack_feeds.c: limits below the budget: a row feeds racks, a rack feeds strips. Feeds form a tree; a machine's raise
 * must fit under every feed above it. Limits nest, so taking raises in the order of benefit per watt stays right: what
 * one feed refuses is left for machines under others. */
#include "power/rack_internal.h"

#include <math.h>
#include <string.h>

enum { MOST_FEEDS = 100000 };

void ctw_rack__drop_feeds(ctw_ctx *ctx, ctw_rack__feeds *t)
{
    ctw_base__free(ctx, t->limit);
    ctw_base__free(ctx, t->left);
    ctw_base__free(ctx, t->parent);
    ctw_base__free(ctx, t->of);
    memset(t, 0, sizeof *t);
}

double ctw_rack__feeds_left(const ctw_rack__feeds *t, size_t machine, double left)
{
    for (int32_t k = t->n ? t->of[machine] : -1; k >= 0; k = t->parent[k]) left = fmin(left, t->left[k]);
    return left;
}

void ctw_rack__feeds_take(ctw_rack__feeds *t, size_t machine, double watts)
{
    for (int32_t k = t->n ? t->of[machine] : -1; k >= 0; k = t->parent[k]) t->left[k] -= watts;
}

void ctw_rack__feeds_begin(ctw_rack__feeds *t, double share)
{
    for (size_t k = 0; k < t->n; k++) t->left[k] = share * t->limit[k];
}

/* Within rounding of many sums. */
size_t ctw_rack__feeds_broken(const ctw_rack__feeds *t, double share)
{
    for (size_t k = 0; k < t->n; k++)
        if (t->left[k] + (1.0 - share) * t->limit[k] < -1e-9 * t->limit[k]) return k;
    return t->n;
}

static ctw_status check(const ctw_rack *f, uint64_t feeds, const double *limit, const int64_t *parent,
                        const uint64_t *feed_of, const char *fn)
{
    if (f->n == 0) return ctw_base__fail(CTW_E_STATE, "%s: the rack has no machines yet", fn);
    CTW_TRY(ctw_base__in_u64(feeds, 0, MOST_FEEDS, fn, "feeds"));
    if (feeds == 0) return CTW_OK;
    CTW_TRY(ctw_base__need(limit, fn, "limit_watts"));
    CTW_TRY(ctw_base__need(feed_of, fn, "feed_of"));
    CTW_TRY(ctw_base__all_in(limit, feeds, 1, 1e-6, 1e15, fn, "limit_watts"));
    for (uint64_t k = 0; parent && k < feeds; k++)
        if (parent[k] < -1 || parent[k] >= (int64_t)k)
            return ctw_base__fail(CTW_E_RANGE, "%s: parent[%llu] is %lld, must be -1 or below %llu", fn,
                                  (unsigned long long)k, (long long)parent[k], (unsigned long long)k);
    for (size_t i = 0; i < f->n; i++)
        if (feed_of[i] >= feeds)
            return ctw_base__fail(CTW_E_RANGE, "%s: feed_of[%zu] is %llu, there are %llu feeds", fn, i,
                                  (unsigned long long)feed_of[i], (unsigned long long)feeds);
    return CTW_OK;
}

static ctw_status set_feeds(ctw_rack *f, uint64_t feeds, const double *limit, const int64_t *parent,
                            const uint64_t *feed_of, const char *fn)
{
    ctw_ctx *ctx = f->h.ctx;
    ctw_rack__feeds t = {0};
    CTW_TRY(check(f, feeds, limit, parent, feed_of, fn));
    if (feeds) {
        t.n = feeds;
        t.limit = ctw_base__dup(ctx, limit, feeds, sizeof *limit);
        t.left = ctw_base__alloc(ctx, feeds, sizeof *t.left);
        t.parent = ctw_base__alloc(ctx, feeds, sizeof *t.parent);
        t.of = ctw_base__alloc(ctx, f->n, sizeof *t.of);
        if (!t.limit || !t.left || !t.parent || !t.of) {
            ctw_rack__drop_feeds(ctx, &t);
            return CTW_E_NOMEM;
        }
        for (uint64_t k = 0; k < feeds; k++) t.parent[k] = parent ? (int32_t)parent[k] : -1;
        for (size_t i = 0; i < f->n; i++) t.of[i] = (int32_t)feed_of[i];
    }
    ctw_rack__drop_feeds(ctx, &f->feeds);
    f->feeds = t;
    return CTW_OK;
}

ctw_status ctw_rack_set_feeds(ctw_rack *f, uint64_t feeds, const double *limit_watts, const int64_t *parent,
                              const uint64_t *feed_of)
{
    static const char *fn = "ctw_rack_set_feeds";
    CTW_TRY(ctw_base__handle_enter(f ? &f->h : NULL, CTW_RACK_MAGIC, fn, "f"));
    ctw_status s = set_feeds(f, feeds, limit_watts, parent, feed_of, fn);
    ctw_base__handle_leave(&f->h);
    return s;
}
