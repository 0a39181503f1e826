/* patch_read.c: what stands where in one slot: the last plan's placements of that slot, found without walking the whole
 * plan, on the servers that are left. Servers are matched by row and number, so that a row whose count fell from 10 to
 * 9 has lost its last server. */
#include "place/patch.h"
#include <math.h>
#include <string.h>

double ctw_place__patch_unit_watts(const ctw_place__patch *x, size_t at, int32_t job_row)
{
    const ctw_place__nodes *n = &x->p->nodes;
    const double *d = ctw_place__patch_demand(x, job_row);
    double w = 0;
    for (size_t j = 0; j < n->r && n->watt; j++) w += n->watt[at * n->r + j] * d[j];
    return w;
}

static ctw_status number_servers(ctw_place__patch *x)
{
    const ctw_place__nodes *n = &x->p->nodes;
    ctw_ctx *ctx = ctw_place__patch_ctx(x);
    x->first = CTW_NEW(ctx, n->n + 1, size_t);
    x->group_of = CTW_NEW(ctx, n->n, int32_t);
    x->off = CTW_NEW(ctx, n->n, int32_t);
    x->group = CTW_NEW(ctx, CTW_PLACE_PATCH_GROUPS, ctw_place__patch_group);
    x->watts = CTW_NEW(ctx, x->p->regions, double);
    if (!x->first || !x->group_of || !x->off || !x->group || !x->watts) return CTW_E_NOMEM;
    for (size_t i = 0; i < n->n; i++) x->first[i + 1] = x->first[i] + (size_t)ctw_place__i64(n->count, i, 1);
    x->servers = x->first[n->n];
    if (x->servers > CTW_PLACE_MAX_UNITS) {
        return ctw_base__fail(CTW_E_RANGE, "%s: more than %d servers", x->fn, CTW_PLACE_MAX_UNITS);
    }
    x->row_of = CTW_NEW(ctx, x->servers, int32_t);
    x->load = CTW_NEW(ctx, x->servers, int32_t);
    x->guests_of = CTW_NEW(ctx, x->servers, int32_t);
    x->next = CTW_NEW(ctx, x->servers, int32_t);
    x->prev = CTW_NEW(ctx, x->servers, int32_t);
    x->bucket = CTW_NEW(ctx, x->servers, int32_t);
    if (!x->row_of || !x->load || !x->guests_of || !x->next || !x->prev || !x->bucket) return CTW_E_NOMEM;
    for (size_t i = 0; i < n->n; i++) {
        for (size_t v = x->first[i]; v < x->first[i + 1]; v++) x->row_of[v] = (int32_t)i;
    }
    for (size_t v = 0; v < x->servers; v++) x->bucket[v] = x->guests_of[v] = -1;
    return CTW_OK;
}

/* Rows whose rack has a power cap. */
static ctw_status find_racks(ctw_place__patch *x)
{
    const ctw_place *p = x->p;
    if (p->rack_caps == 0 || !p->nodes.rack) return CTW_OK;
    x->rack_of = CTW_NEW(ctw_place__patch_ctx(x), p->nodes.n, int32_t);
    x->rack_watts = CTW_NEW(ctw_place__patch_ctx(x), p->rack_caps, double);
    if (!x->rack_of || !x->rack_watts) return CTW_E_NOMEM;
    for (size_t i = 0; i < p->nodes.n; i++) {
        size_t lo = 0, hi = p->rack_caps; /* the first id not below the rack */
        while (lo < hi) {
            size_t mid = lo + (hi - lo) / 2;
            if (p->rack_id[mid] < p->nodes.rack[i]) {
                lo = mid + 1;
            } else {
                hi = mid;
            }
        }
        x->rack_of[i] = lo < p->rack_caps && p->rack_id[lo] == p->nodes.rack[i] ? (int32_t)lo : -1;
    }
    return CTW_OK;
}

static ctw_status form_groups(ctw_place__patch *x)
{
    const ctw_place__nodes *n = &x->p->nodes;
    for (size_t i = 0; i < n->n; i++) {
        int64_t region = ctw_place__i64(n->region, i, 0), type = ctw_place__i64(n->type, i, 0);
        size_t g = 0;
        if ((uint64_t)region >= x->p->regions) {
            return ctw_base__fail(CTW_E_RANGE, "%s: server row %zu is in region %lld, carbon has %zu regions", x->fn, i,
                                  (long long)region, x->p->regions);
        }
        while (g < x->groups && (x->group[g].region != region || x->group[g].type != type)) g++;
        if (g == CTW_PLACE_PATCH_GROUPS) {
            return ctw_base__fail(CTW_E_RANGE, "%s: more than %d combinations of region and type among the servers",
                                  x->fn, CTW_PLACE_PATCH_GROUPS);
        }
        if (g == x->groups) {
            x->group[x->groups].region = region;
            x->group[x->groups].type = type;
            for (size_t b = 0; b < CTW_PLACE_PATCH_BUCKETS; b++) x->group[g].head[b] = -1;
            x->groups++;
        }
        x->group_of[i] = (int32_t)g;
    }
    return CTW_OK;
}

/* Replicas each service needs in the slot. */
static ctw_status read_need(ctw_place__patch *x)
{
    const ctw_place__jobs *j = &x->p->jobs;
    x->need = CTW_NEW(ctw_place__patch_ctx(x), j->n, int32_t);
    if (!x->need) return CTW_E_NOMEM;
    int64_t slot = (int64_t)x->slot;
    for (size_t i = 0; i < j->n; i++) {
        x->need[i] = -1;
        if (!ctw_place__flag(j->kind, i)) continue;
        int in = slot >= ctw_place__i64(j->release, i, 0) && slot < ctw_place__i64(j->deadline, i, INT64_MAX);
        x->need[i] = in ? (int32_t)ctw_place__i64(j->count, i, 1) : 0;
    }
    for (size_t e = 0; e < j->loads; e++) {
        if (x->need[j->load_row[e]] >= 0) x->need[j->load_row[e]] = 0; /* one with entries needs 0 where none is */
    }
    for (size_t e = 0; e < j->loads; e++) {
        if (j->load_slot[e] == slot && x->need[j->load_row[e]] >= 0)
            x->need[j->load_row[e]] = (int32_t)j->load_count[e];
    }
    return CTW_OK;
}

/* The flat number that the plan's server has now, -1 when it is gone. */
static int32_t still_there(const ctw_place__patch *x, int32_t server)
{
    if (server < 0) return -1;
    int32_t row = x->w->server_row[server], index = x->w->server_index[server];
    if ((size_t)row >= x->p->nodes.n || (size_t)index >= x->first[row + 1] - x->first[row]) return -1;
    return (int32_t)x->first[row] + index;
}

static ctw_status add_guest(ctw_place__patch *x, size_t row, int32_t unit, int32_t kind, int32_t was, int32_t rest)
{
    CTW_TRY(
        ctw_base__grow(ctw_place__patch_ctx(x), (void **)&x->guest, &x->guest_cap, x->guests + 1, sizeof *x->guest));
    x->guest[x->guests++] = (ctw_place__patch_guest){.row = (int32_t)row,
                                                     .unit = unit,
                                                     .kind = kind,
                                                     .was = still_there(x, was),
                                                     .server = -1,
                                                     .rest = rest,
                                                     .next = -1};
    return CTW_OK;
}

static ctw_status read_service(ctw_place__patch *x, size_t row)
{
    const ctw_solution *w = x->w;
    int32_t had = 0;
    size_t cell = 0;
    if (w->service[row] >= 0) {
        cell = (size_t)w->service[row] * w->slots + x->slot;
        had = w->load[cell];
    }
    for (int32_t q = 0; q < x->need[row]; q++) {
        int32_t was = q < had ? w->service_server[w->service_entry[cell] + (size_t)q] : -1;
        CTW_TRY(add_guest(x, row, q, CTW_PLACE_PATCH_SERVICE, was, 0));
    }
    return CTW_OK;
}

/* The unit's entry in the slot, -1 when it does not run there. */
static int32_t find_entry(const ctw_place__patch *x, size_t e, int32_t run, int preemptible)
{
    const int32_t *slot = x->w->slot + e;
    int32_t t = (int32_t)x->slot;
    if (run == 0 || t < slot[0]) return -1;
    if (!preemptible) return t - slot[0] < run ? t - slot[0] : -1;
    for (int32_t q = 0; q < run && slot[q] <= t; q++) {
        if (slot[q] == t) return q;
    }
    return -1;
}

static ctw_status read_batch(ctw_place__patch *x, size_t row)
{
    const ctw_place__jobs *j = &x->p->jobs;
    const ctw_solution *w = x->w;
    int64_t slot = (int64_t)x->slot, count = ctw_place__i64(j->count, row, 1);
    int preemptible = ctw_place__flag(j->preemptible, row);
    if (w->service[row] >= 0 || slot < ctw_place__i64(j->release, row, 0) ||
        slot >= ctw_place__i64(j->deadline, row, INT64_MAX))
        return CTW_OK;
    for (int32_t q = 0; q < w->count[row] && q < count; q++) {
        size_t u = w->unit0[row] + (size_t)q, e = w->entry0[row] + (size_t)q * (size_t)w->duration[row];
        int32_t at = find_entry(x, e, w->run[u], preemptible);
        if (at < 0) continue;
        CTW_TRY(add_guest(x, row, q, preemptible ? CTW_PLACE_PATCH_PREEMPTIBLE : CTW_PLACE_PATCH_WHOLE,
                          w->server[e + (size_t)at], w->run[u] - at));
    }
    return CTW_OK;
}

/* Resources that some guest needs. */
static void find_resources(ctw_place__patch *x)
{
    for (size_t j = 0; j < x->p->jobs.r; j++) {
        int used = 0;
        for (size_t i = 0; i < x->guests && !used; i++) used = ctw_place__patch_demand(x, x->guest[i].row)[j] > 0;
        if (used) x->res[x->r++] = j;
    }
    for (size_t i = 0; i < x->p->nodes.n && x->r; i++)
        x->most = fmax(x->most, x->p->nodes.cap[i * x->p->nodes.r + x->res[0]]);
}

ctw_status ctw_place__patch_read(ctw_place__patch *x)
{
    CTW_TRY(number_servers(x));
    CTW_TRY(form_groups(x));
    CTW_TRY(find_racks(x));
    CTW_TRY(read_need(x));
    for (size_t row = 0; row < x->p->jobs.n; row++)
        CTW_TRY(x->need[row] >= 0 ? read_service(x, row) : read_batch(x, row));
    find_resources(x);
    ctw_ctx *ctx = ctw_place__patch_ctx(x);
    x->use = CTW_NEW(ctx, x->servers * x->r, double);
    x->queue = CTW_NEW(ctx, x->guests, int32_t);
    return x->use && x->queue ? CTW_OK : CTW_E_NOMEM;
}

void ctw_place__patch_free(ctw_place__patch *x)
{
    void *all[] = {x->first,  x->row_of, x->group_of, x->off,   x->use,  x->load,  x->guests_of, x->next,      x->prev,
                   x->bucket, x->watts,  x->group,    x->guest, x->need, x->queue, x->rack_of,   x->rack_watts};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(ctw_place__patch_ctx(x), all[i]);
}
