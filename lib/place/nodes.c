/* nodes.c: describing the servers. Each public setter checks, copies and replaces one column. */
#include "place/place_internal.h"
#include <string.h>

void ctw_place__nodes_free(ctw_ctx *ctx, ctw_place__nodes *d)
{
    void *all[] = {d->id,   d->cap,  d->count,   d->region, d->type,    d->rack,
                   d->idle, d->watt, d->startup, d->cap_w,  d->embodied};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(ctx, all[i]);
    memset(d, 0, sizeof *d);
}

static ctw_status new_nodes(ctw_place *p, const int64_t *id, uint64_t n, const double *capacity, uint64_t r,
                            uint64_t stride, const char *fn)
{
    CTW_TRY(ctw_base__in_u64(n, 0, 10000000, fn, "n"));
    CTW_TRY(ctw_base__in_u64(r, 1, CTW_PLACE_MAX_RESOURCES, fn, "r"));
    ctw_place__nodes d;
    memset(&d, 0, sizeof d);
    d.n = (size_t)n;
    d.r = (size_t)r;
    ctw_status s = ctw_place__copy_matrix(p->h.ctx, capacity, n, r, stride, &d.cap, fn, "capacity");
    if (s == CTW_OK) s = ctw_place__copy_ids(p->h.ctx, id, d.n, &d.id, fn);
    if (s != CTW_OK) {
        ctw_place__nodes_free(p->h.ctx, &d);
        return s;
    }
    ctw_place__nodes_free(p->h.ctx, &p->nodes);
    p->nodes = d;
    return CTW_OK;
}

ctw_status ctw_place_set_nodes(ctw_place *p, const int64_t *id, uint64_t n, const double *capacity, uint64_t r,
                               uint64_t stride)
{
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_PLACE_MAGIC, __func__, "p"));
    ctw_status s = new_nodes(p, id, n, capacity, r, stride, __func__);
    ctw_base__handle_leave(&p->h);
    return s;
}

/* Enters p and checks that the column has one value per server row. */
static ctw_status enter_rows(ctw_place *p, uint64_t n, const char *fn)
{
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_PLACE_MAGIC, fn, "p"));
    if (n == p->nodes.n) return CTW_OK;
    ctw_base__handle_leave(&p->h);
    return ctw_base__fail(CTW_E_SHAPE, "%s: n is %llu, there are %zu rows of servers", fn, (unsigned long long)n,
                          p->nodes.n);
}

static ctw_status set_i64(ctw_place *p, int64_t **column, const int64_t *v, int64_t lo, int64_t hi, const char *fn,
                          const char *arg)
{
    ctw_status s = ctw_place__set_i64(p->h.ctx, column, v, p->nodes.n, lo, hi, fn, arg);
    ctw_base__handle_leave(&p->h);
    return s;
}

static ctw_status set_f64(ctw_place *p, double **column, const double *v, int infinite, const char *fn, const char *arg)
{
    ctw_status s = ctw_place__set_f64(p->h.ctx, column, v, p->nodes.n, infinite, fn, arg);
    ctw_base__handle_leave(&p->h);
    return s;
}

ctw_status ctw_place_set_node_counts(ctw_place *p, const int64_t *count, uint64_t n)
{
    CTW_TRY(enter_rows(p, n, __func__));
    return set_i64(p, &p->nodes.count, count, 0, CTW_PLACE_MAX_UNITS, __func__, "count");
}

ctw_status ctw_place_set_node_regions(ctw_place *p, const int64_t *region, uint64_t n)
{
    CTW_TRY(enter_rows(p, n, __func__));
    return set_i64(p, &p->nodes.region, region, 0, CTW_PLACE_MAX_REGIONS - 1, __func__, "region");
}

ctw_status ctw_place_set_node_types(ctw_place *p, const int64_t *type, uint64_t n)
{
    CTW_TRY(enter_rows(p, n, __func__));
    return set_i64(p, &p->nodes.type, type, 0, INT64_MAX, __func__, "type");
}

ctw_status ctw_place_set_node_racks(ctw_place *p, const int64_t *rack, uint64_t n)
{
    CTW_TRY(enter_rows(p, n, __func__));
    return set_i64(p, &p->nodes.rack, rack, -1, INT64_MAX, __func__, "rack");
}

ctw_status ctw_place_set_node_startup(ctw_place *p, const double *startup_wh, uint64_t n)
{
    CTW_TRY(enter_rows(p, n, __func__));
    return set_f64(p, &p->nodes.startup, startup_wh, 0, __func__, "startup_wh");
}

ctw_status ctw_place_set_node_embodied(ctw_place *p, const double *g_per_hour, uint64_t n)
{
    CTW_TRY(enter_rows(p, n, __func__));
    return set_f64(p, &p->nodes.embodied, g_per_hour, 0, __func__, "g_per_hour");
}

ctw_status ctw_place_set_node_caps(ctw_place *p, const double *cap_w, uint64_t n)
{
    CTW_TRY(enter_rows(p, n, __func__));
    return set_f64(p, &p->nodes.cap_w, cap_w, 1, __func__, "cap_w");
}

static ctw_status new_power(ctw_place *p, const double *idle_w, const double *w_per_unit, uint64_t stride,
                            const char *fn)
{
    double *watt = NULL;
    if (w_per_unit) {
        CTW_TRY(ctw_place__copy_matrix(p->h.ctx, w_per_unit, p->nodes.n, p->nodes.r, stride, &watt, fn, "w_per_unit"));
    }
    ctw_status s = ctw_place__set_f64(p->h.ctx, &p->nodes.idle, idle_w, p->nodes.n, 0, fn, "idle_w");
    if (s != CTW_OK) {
        ctw_base__free(p->h.ctx, watt);
        return s;
    }
    ctw_base__free(p->h.ctx, p->nodes.watt);
    p->nodes.watt = watt;
    return CTW_OK;
}

ctw_status ctw_place_set_node_power(ctw_place *p, const double *idle_w, const double *w_per_unit, uint64_t n,
                                    uint64_t stride)
{
    CTW_TRY(enter_rows(p, n, __func__));
    ctw_status s = new_power(p, idle_w, w_per_unit, stride, __func__);
    ctw_base__handle_leave(&p->h);
    return s;
}
