/* partition.c: bin packing with a taste. Both ways are greedy in a sorted order and fall back to the least loaded
 * accelerator with room, so that a placement is found whenever a simple one exists. */
#include <cybertwin/partition.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/ctx.h"
#include "num/sort.h"
#include <math.h>

typedef struct packing {
    const double *load, *gb;
    double *used_load, *used_gb; /* per accelerator */
    size_t devices;
    double device_gb;
} packing;

static ctw_status check_parts(ctw_ctx *ctx, const double *load, const double *gb, const double *membound, uint64_t n,
                              double device_gb, uint64_t devices, int32_t how, const int64_t *device, const char *fn)
{
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    CTW_TRY(ctw_base__in_u64(n, 1, 100000, fn, "n"));
    CTW_TRY(ctw_base__in_u64(devices, 1, 100000, fn, "devices"));
    CTW_TRY(ctw_base__in_i64(how, CTW_PARTITION_BALANCED, CTW_PARTITION_ALIKE, fn, "how"));
    CTW_TRY(ctw_base__need(load, fn, "load"));
    CTW_TRY(ctw_base__need(gb, fn, "gigabyte"));
    CTW_TRY(ctw_base__need(device, fn, "device"));
    CTW_TRY(ctw_base__all_in(load, n, 1, 0.0, 1e9, fn, "load"));
    CTW_TRY(ctw_base__all_in(gb, n, 1, 0.0, 1e9, fn, "gigabyte"));
    CTW_TRY(ctw_base__in(device_gb, 1e-9, 1e12, fn, "device_gb"));
    if (how == CTW_PARTITION_ALIKE) CTW_TRY(ctw_base__need(membound, fn, "membound"));
    return membound ? ctw_base__all_in(membound, n, 1, 0.0, 1.0, fn, "membound") : CTW_OK;
}

static int fits(const packing *p, size_t d, size_t part)
{
    return p->used_gb[d] + p->gb[part] <= p->device_gb;
}

/* Least loaded with room; `devices` when there is none. */
static size_t least_loaded(const packing *p, size_t part)
{
    size_t best = p->devices;
    for (size_t d = 0; d < p->devices; d++)
        if (fits(p, d, part) && (best == p->devices || p->used_load[d] < p->used_load[best])) best = d;
    return best;
}

static void put(packing *p, size_t d, size_t part, int64_t *device)
{
    device[part] = (int64_t)d;
    p->used_load[d] += p->load[part];
    p->used_gb[d] += p->gb[part];
}

/* Parts in `order`; alike: stays on one accelerator until its share of the load is full. Returns the part without
 * room, n when all found one. */
static size_t pack(packing *p, const size_t *order, size_t n, int alike, int64_t *device)
{
    double total = 0.0;
    size_t at = 0;
    for (size_t d = 0; d < p->devices; d++) p->used_load[d] = p->used_gb[d] = 0.0;
    for (size_t i = 0; i < n; i++) total += p->load[i];
    double share = total / (double)p->devices;
    for (size_t i = 0; i < n; i++) {
        size_t part = order[i], d = p->devices;
        /* Half of a part may stick out: the nearer of the two cuts. */
        while (alike && at + 1 < p->devices && p->used_load[at] > 0.0 &&
               (p->used_load[at] + 0.5 * p->load[part] > share || !fits(p, at, part)))
            at++;
        if (alike && fits(p, at, part)) d = at;
        if (d == p->devices) d = least_loaded(p, part);
        if (d == p->devices) return part;
        put(p, d, part, device);
    }
    return n;
}

typedef struct work {
    double *keys, *used;
    size_t *order;
} work;

static ctw_status prepare(ctw_ctx *ctx, const double *load, const double *membound, size_t n, size_t devices, int alike,
                          work *w)
{
    w->keys = ctw_base__alloc(ctx, n, sizeof *w->keys);
    w->used = ctw_base__alloc(ctx, 2 * devices, sizeof *w->used);
    w->order = ctw_base__alloc(ctx, n, sizeof *w->order);
    if (!w->keys || !w->used || !w->order) return CTW_E_NOMEM;
    for (size_t i = 0; i < n; i++) w->keys[i] = alike ? -membound[i] : -load[i];
    ctw_num__argsort(w->keys, w->order, n);
    return CTW_OK;
}

static void finish(ctw_ctx *ctx, work *w)
{
    ctw_base__free(ctx, w->keys);
    ctw_base__free(ctx, w->used);
    ctw_base__free(ctx, w->order);
}

static double highest(const packing *p)
{
    double top = 0.0;
    for (size_t d = 0; d < p->devices; d++) top = fmax(top, p->used_load[d]);
    return top;
}

ctw_status ctw_partition_place(ctw_ctx *ctx, const double *load, const double *gigabyte, const double *membound,
                               uint64_t n, double device_gb, uint64_t devices, int32_t how, int64_t *device)
{
    static const char *fn = "ctw_partition_place";
    CTW_TRY(check_parts(ctx, load, gigabyte, membound, n, device_gb, devices, how, device, fn));
    work w = {0};
    ctw_status s = prepare(ctx, load, membound, n, devices, how, &w);
    if (s == CTW_OK) {
        packing p = {load, gigabyte, w.used, w.used + devices, devices, device_gb};
        size_t left = pack(&p, w.order, n, how, device);
        if (left < n)
            s = ctw_base__fail(CTW_E_INFEASIBLE, "%s: part %zu (%g GB) finds no room on %llu devices of %g GB", fn,
                               left, gigabyte[left], (unsigned long long)devices, device_gb);
    }
    finish(ctx, &w);
    return s;
}

ctw_status ctw_partition_consolidate(ctw_ctx *ctx, const double *load, const double *gigabyte, const double *membound,
                                     uint64_t n, double device_gb, uint64_t most, double max_load, int32_t how,
                                     uint64_t *devices, int64_t *device)
{
    static const char *fn = "ctw_partition_consolidate";
    CTW_TRY(ctw_base__need(devices, fn, "devices"));
    CTW_TRY(check_parts(ctx, load, gigabyte, membound, n, device_gb, most, how, device, fn));
    CTW_TRY(ctw_base__in(max_load, 1e-9, 1.0, fn, "max_load"));
    work w = {0};
    ctw_status s = prepare(ctx, load, membound, n, most, how, &w);
    uint64_t k = 1;
    for (; s == CTW_OK && k <= most; k++) {
        packing p = {load, gigabyte, w.used, w.used + most, k, device_gb};
        if (pack(&p, w.order, n, how, device) == n && highest(&p) <= max_load) break;
    }
    if (s == CTW_OK && k > most)
        s = ctw_base__fail(CTW_E_INFEASIBLE, "%s: %llu devices do not hold the parts at a load of %g each", fn,
                           (unsigned long long)most, max_load);
    if (s == CTW_OK) *devices = k;
    finish(ctx, &w);
    return s;
}
