/* rack_plan.c: how many machines a feed carries. Recorded samples keep what matters and no formula has: that
 * machines peak together. Random orders stand for not knowing which machines will come. */
#include <cybertwin/rack.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/check.h"
#include "base/ctx.h"
#include "num/rng.h"
#include "num/sort.h"
#include <math.h>

enum { ORDERS = 200, QUANTILE = ORDERS / 20, MODULE = 0x4b434152 };

typedef struct plan {
    const double *samples;
    size_t n, m, stride;
    double feed, risk;
    size_t limit;
    double *sum;
    size_t *order;
} plan;

/* Machines added in one random order until too many times are over the feed. */
static size_t one_order(plan *p, ctw_num__rng *g)
{
    for (size_t t = 0; t < p->n; t++) p->sum[t] = 0.0;
    for (size_t k = 0; k < p->limit; k++) {
        if (k % p->m == 0) {
            for (size_t i = 0; i < p->m; i++) p->order[i] = i;
            ctw_num__rng_shuffle(g, p->order, p->m);
        }
        const double *column = p->samples + p->order[k % p->m];
        size_t over = 0;
        for (size_t t = 0; t < p->n; t++) {
            p->sum[t] += column[t * p->stride];
            over += p->sum[t] > p->feed;
        }
        if ((double)over > p->risk * (double)p->n) return k;
    }
    return p->limit;
}

static size_t at_nameplate(const plan *p)
{
    double sum = 0.0;
    for (size_t i = 0; i < p->m; i++) {
        double peak = 0.0;
        for (size_t t = 0; t < p->n; t++) peak = fmax(peak, p->samples[t * p->stride + i]);
        sum += peak;
    }
    double count = sum > 0.0 ? floor(p->feed / (sum / (double)p->m)) : (double)p->limit;
    return count < (double)p->limit ? (size_t)count : p->limit;
}

static ctw_status run(ctw_ctx *ctx, plan *p, ctw_cancel *cancel, uint64_t *machines, const char *fn)
{
    size_t reached[ORDERS], index[ORDERS];
    double key[ORDERS];
    ctw_num__rng g;
    ctw_num__rng_init(&g, ctw_base__seed(ctx), MODULE, 0);
    for (int k = 0; k < ORDERS; k++) {
        CTW_TRY(ctw_base__stopped(cancel, fn));
        reached[k] = one_order(p, &g);
        key[k] = (double)reached[k];
    }
    ctw_num__argsort(key, index, ORDERS);
    *machines = reached[index[QUANTILE]];
    return CTW_OK;
}

ctw_status ctw_rack_plan(ctw_ctx *ctx, const double *samples, uint64_t n, uint64_t m, uint64_t stride,
                         double feed_watts, double risk, uint64_t limit, ctw_cancel *cancel, uint64_t *machines,
                         uint64_t *nameplate)
{
    static const char *fn = "ctw_rack_plan";
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    CTW_TRY(ctw_base__need(machines, fn, "machines"));
    CTW_TRY(ctw_base__in_u64(n, 1, UINT64_C(1) << 32, fn, "n"));
    CTW_TRY(ctw_base__in_u64(m, 1, UINT64_C(1) << 32, fn, "m"));
    CTW_TRY(ctw_base__matrix(samples, n, m, stride, fn, "samples"));
    for (uint64_t t = 0; t < n; t++) CTW_TRY(ctw_base__all_in(samples + t * stride, m, 1, 0.0, 1e9, fn, "samples"));
    CTW_TRY(ctw_base__in(feed_watts, 1e-6, 1e15, fn, "feed_watts"));
    CTW_TRY(ctw_base__in(risk, 0.0, 1.0, fn, "risk"));
    CTW_TRY(ctw_base__in_u64(limit, 1, 1000000, fn, "limit"));
    plan p = {samples, n, m, stride, feed_watts, risk, limit, NULL, NULL};
    p.sum = ctw_base__alloc(ctx, n, sizeof *p.sum);
    p.order = ctw_base__alloc(ctx, m, sizeof *p.order);
    ctw_status s = p.sum && p.order ? run(ctx, &p, cancel, machines, fn) : CTW_E_NOMEM;
    if (s == CTW_OK && nameplate) *nameplate = at_nameplate(&p);
    ctw_base__free(ctx, p.sum);
    ctw_base__free(ctx, p.order);
    return s;
}
