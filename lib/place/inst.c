/* inst.c: compiling the host's rows: merging identical servers into classes, forming pools, reading the jobs
 * (inst_jobs.c), and the few formulas that every solver shares. */
#include "place/inst.h"
#include "num/sort.h"
#include "place/inst_jobs.h"
#include <math.h>
#include <string.h>

double ctw_place__unit_watts(const ctw_place__inst *in, size_t class, size_t flavour)
{
    const double *d = ctw_place__demand(in, flavour), *w = in->watt + class * in->r;
    double sum = 0;
    for (size_t j = 0; j < in->r; j++) sum += d[j] * w[j];
    return sum;
}

double ctw_place__share(const ctw_place__inst *in, size_t class, size_t flavour)
{
    const double *d = ctw_place__demand(in, flavour), *cap = in->cap + class * in->r;
    double most = 0;
    for (size_t j = 0; j < in->r; j++) {
        if (d[j] > 0) most = fmax(most, cap[j] > 0 ? d[j] / cap[j] : 1);
    }
    return most < 1 ? most : 1;
}

double ctw_place__startup_gram(const ctw_place__inst *in, size_t class, size_t slot)
{
    return ctw_place__gram(in, class, slot) / in->hours * in->class[class].startup;
}

int ctw_place__fits_empty(const ctw_place__inst *in, size_t class, size_t flavour)
{
    const ctw_place__class *c = in->class + class;
    const double *d = ctw_place__demand(in, flavour), *cap = in->cap + class * in->r;
    for (size_t j = 0; j < in->r; j++) {
        if (d[j] > cap[j]) return 0;
    }
    return c->idle + ctw_place__unit_watts(in, class, flavour) <= c->cap_w;
}

/* Whether the level asked for at the end can be reached when charging all the time. */
static ctw_status check_energy(const ctw_place *p, const char *fn)
{
    if (p->supply && (p->supply_regions != p->regions || p->supply_slots != p->slots)) {
        return ctw_base__fail(CTW_E_SHAPE, "%s: supply of %zu regions and %zu slots, carbon has %zu and %zu", fn,
                              p->supply_regions, p->supply_slots, p->regions, p->slots);
    }
    if (p->store && p->stores != p->regions) {
        return ctw_base__fail(CTW_E_SHAPE, "%s: storage of %zu regions, carbon has %zu", fn, p->stores, p->regions);
    }
    for (size_t g = 0; g < p->stores && p->store; g++) {
        const ctw_place__store *s = p->store + g;
        double most = s->start + s->power * s->efficiency * p->opt.slot_s / 3600 * (double)p->slots;
        if (s->end <= most) continue;
        return ctw_base__fail(CTW_E_RANGE, "%s: storage of region %zu can reach %g Wh at the end, not %g", fn, g, most,
                              s->end);
    }
    return CTW_OK;
}

static ctw_status check_problem(const ctw_place *p, const char *fn)
{
    if (!p->nodes.id) return ctw_base__fail(CTW_E_STATE, "%s: no servers were set (ctw_place_set_nodes)", fn);
    if (!p->jobs.id) return ctw_base__fail(CTW_E_STATE, "%s: no jobs were set (ctw_place_set_jobs)", fn);
    if (!p->carbon) return ctw_base__fail(CTW_E_STATE, "%s: no carbon intensity was set (ctw_place_set_carbon)", fn);
    if (p->nodes.r != p->jobs.r && p->nodes.n && p->jobs.n) {
        return ctw_base__fail(CTW_E_SHAPE, "%s: servers have %zu resources, jobs have %zu", fn, p->nodes.r, p->jobs.r);
    }
    for (size_t i = 0; i < p->nodes.n; i++) {
        int64_t region = ctw_place__i64(p->nodes.region, i, 0);
        if ((uint64_t)region >= p->regions) {
            return ctw_base__fail(CTW_E_RANGE, "%s: server row %zu is in region %lld, carbon has %zu regions", fn, i,
                                  (long long)region, p->regions);
        }
    }
    if (p->region_cap && p->region_caps != p->regions) {
        return ctw_base__fail(CTW_E_SHAPE, "%s: caps for %zu regions, carbon has %zu", fn, p->region_caps, p->regions);
    }
    return check_energy(p, fn);
}

/* What makes two server rows interchangeable. */
typedef struct row_key {
    const ctw_place__nodes *d;
} row_key;

static int cmp_f64(double a, double b)
{
    return a < b ? -1 : a > b;
}
static int cmp_i64(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

static int cmp_rows(const void *pa, const void *pb, void *user)
{
    const ctw_place__nodes *d = ((const row_key *)user)->d;
    size_t a = *(const size_t *)pa, b = *(const size_t *)pb;
    int c = cmp_i64(ctw_place__i64(d->region, a, 0), ctw_place__i64(d->region, b, 0));
    if (!c) c = cmp_i64(ctw_place__i64(d->type, a, 0), ctw_place__i64(d->type, b, 0));
    if (!c) c = cmp_i64(ctw_place__i64(d->rack, a, -1), ctw_place__i64(d->rack, b, -1));
    const double *columns[] = {d->idle, d->startup, d->cap_w, d->embodied};
    for (size_t i = 0; i < 4 && !c; i++)
        c = cmp_f64(ctw_place__f64(columns[i], a, 0), ctw_place__f64(columns[i], b, 0));
    for (size_t j = 0; j < d->r && !c; j++) c = cmp_f64(d->cap[a * d->r + j], d->cap[b * d->r + j]);
    for (size_t j = 0; j < d->r && !c && d->watt; j++) c = cmp_f64(d->watt[a * d->r + j], d->watt[b * d->r + j]);
    return c;
}

static int cmp_rows_stable(const void *pa, const void *pb, void *user)
{
    int c = cmp_rows(pa, pb, user);
    return c ? c : cmp_i64((int64_t) * (const size_t *)pa, (int64_t) * (const size_t *)pb);
}

/* Supply, storage and scenarios. */
static ctw_status read_energy(const ctw_place *p, ctw_place__inst *in)
{
    size_t n = p->regions * p->slots;
    in->mean_gram = in->guide = in->gram;
    in->supply = p->supply;
    in->store = p->store;
    in->on_site = p->supply || p->store;
    if (in->on_site && !(in->guide = ctw_base__dup(in->ctx, in->gram, n, sizeof(double)))) return CTW_E_NOMEM;
    if (!p->scenarios) return CTW_OK;
    in->probability = p->probability;
    in->tail = p->tail;
    in->scenarios = p->scenarios;
    in->scenario = CTW_NEW(in->ctx, p->scenarios * n, double);
    if (!in->scenario) return CTW_E_NOMEM;
    for (size_t i = 0; i < p->scenarios * n; i++) in->scenario[i] = p->scenario[i] / 1000 * in->hours;
    if (p->tail <= 0) return CTW_OK;
    in->mean_gram = ctw_base__dup(in->ctx, in->gram, n, sizeof(double));
    return in->mean_gram ? CTW_OK : CTW_E_NOMEM;
}

static ctw_status read_feeds(const ctw_place *p, ctw_place__inst *in)
{
    in->feed_cap = CTW_NEW(in->ctx, p->regions + p->rack_caps, double);
    in->feed_rack = CTW_NEW(in->ctx, p->regions + p->rack_caps, int64_t);
    if (!in->feed_cap || !in->feed_rack) return CTW_E_NOMEM;
    for (size_t i = 0; i < p->regions; i++) {
        in->feed_cap[i] = p->region_cap ? p->region_cap[i] : INFINITY;
        in->feed_rack[i] = -1;
        in->capped |= isfinite(in->feed_cap[i]);
    }
    in->feeds = p->regions;
    for (size_t i = 0; i < p->rack_caps; i++) {
        if (isinf(p->rack_cap[i])) continue;
        in->feed_cap[in->feeds] = p->rack_cap[i];
        in->feed_rack[in->feeds++] = p->rack_id[i];
        in->capped = 1;
    }
    return CTW_OK;
}

/* The feed of a class: its rack's, found among the ascending ids, or its region's. */
static size_t feed_of(const ctw_place__inst *in, const ctw_place__class *c)
{
    size_t lo = in->regions, hi = in->feeds;
    while (c->rack >= 0 && lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (in->feed_rack[mid] == c->rack) return mid;
        if (in->feed_rack[mid] < c->rack) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return c->region;
}

/* A power cap bounds each resource by what the watts above idle can feed; for the usual server, on which one
 * resource draws power, that is the cap itself. */
static void fill_class(const ctw_place *p, ctw_place__inst *in, size_t k, size_t row)
{
    const ctw_place__nodes *d = &p->nodes;
    ctw_place__class *c = in->class + k;
    c->region = (size_t)ctw_place__i64(d->region, row, 0);
    c->type = ctw_place__i64(d->type, row, 0);
    c->rack = ctw_place__i64(d->rack, row, -1);
    c->feed = feed_of(in, c);
    c->idle = ctw_place__f64(d->idle, row, 0);
    c->startup = ctw_place__f64(d->startup, row, 0);
    c->embodied = ctw_place__f64(d->embodied, row, 0) * in->hours;
    c->cap_w = ctw_place__f64(d->cap_w, row, INFINITY);
    for (size_t j = 0; j < in->r; j++) {
        double w = d->watt ? d->watt[row * d->r + j] : 0, cap = d->cap[row * d->r + j];
        if (w > 0 && isfinite(c->cap_w)) cap = fmin(cap, fmax(0, (c->cap_w - c->idle) / w));
        in->watt[k * in->r + j] = w;
        in->cap[k * in->r + j] = cap;
    }
}

static ctw_status count_servers(const ctw_place *p, ctw_place__inst *in, const char *fn)
{
    int64_t total = 0;
    for (size_t i = 0; i < p->nodes.n; i++) {
        total += ctw_place__i64(p->nodes.count, i, 1);
        if (total > CTW_PLACE_MAX_UNITS) {
            return ctw_base__fail(CTW_E_RANGE, "%s: more than %d servers (at row %zu)", fn, CTW_PLACE_MAX_UNITS, i);
        }
    }
    in->servers = (size_t)total;
    return CTW_OK;
}

/* Classes in order of their rows' keys; the flat server numbers follow the host's rows. */
static void form_classes(const ctw_place *p, ctw_place__inst *in, const size_t *order, size_t *row_first)
{
    row_key key = {&p->nodes};
    size_t flat = 0, at = 0;
    for (size_t i = 0; i < p->nodes.n; i++) {
        row_first[i] = flat;
        flat += (size_t)ctw_place__i64(p->nodes.count, i, 1);
    }
    for (size_t i = 0; i < p->nodes.n; i++) {
        size_t row = order[i], n = (size_t)ctw_place__i64(p->nodes.count, row, 1);
        int same = i > 0 && cmp_rows(&order[i - 1], &row, &key) == 0;
        if (!same) {
            fill_class(p, in, in->classes, row);
            in->class[in->classes].first = at;
            in->classes++;
        }
        ctw_place__class *c = in->class + in->classes - 1;
        for (size_t q = 0; q < n; q++) {
            in->class_of[row_first[row] + q] = (int32_t)(in->classes - 1);
            in->row_of[row_first[row] + q] = (int32_t)row;
            in->members[at++] = (int32_t)(row_first[row] + q);
        }
        c->n += (int32_t)n;
    }
}

static ctw_status read_servers(const ctw_place *p, ctw_place__inst *in, const char *fn)
{
    size_t n = p->nodes.n;
    CTW_TRY(count_servers(p, in, fn));
    in->class = CTW_NEW(in->ctx, n, ctw_place__class);
    in->cap = CTW_NEW(in->ctx, n * in->r, double);
    in->watt = CTW_NEW(in->ctx, n * in->r, double);
    in->class_of = CTW_NEW(in->ctx, in->servers, int32_t);
    in->members = CTW_NEW(in->ctx, in->servers, int32_t);
    in->row_of = CTW_NEW(in->ctx, in->servers, int32_t);
    in->rows = n;
    size_t *order = CTW_NEW(in->ctx, n, size_t), *row_first = CTW_NEW(in->ctx, n, size_t);
    ctw_status s = CTW_OK;
    if (!in->class || !in->cap || !in->watt || !in->class_of || !in->members || !in->row_of || !order || !row_first) {
        s = CTW_E_NOMEM;
    } else {
        row_key key = {&p->nodes};
        for (size_t i = 0; i < n; i++) order[i] = i;
        ctw_num__sort_by(order, n, sizeof *order, cmp_rows_stable, &key);
        form_classes(p, in, order, row_first);
    }
    ctw_base__free(in->ctx, order);
    ctw_base__free(in->ctx, row_first);
    return s;
}

static ctw_status read_carbon(const ctw_place *p, ctw_place__inst *in)
{
    size_t n = p->regions * p->slots;
    in->gram = CTW_NEW(in->ctx, n, double);
    in->gram_wh = CTW_NEW(in->ctx, n, double);
    if (!in->gram || !in->gram_wh) return CTW_E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        in->gram_wh[i] = p->carbon[i] / 1000;
        in->gram[i] = p->carbon[i] / 1000 * in->hours;
    }
    return CTW_OK;
}

/* Pools: classes of one region, and apart by type where some job asks for types. */
static ctw_status form_pools(const ctw_place *p, ctw_place__inst *in, const char *fn)
{
    int typed = 0;
    for (size_t i = 0; i < p->jobs.n && !typed; i++) typed = ctw_place__i64(p->jobs.type, i, -1) >= 0;
    in->pool_region = CTW_NEW(in->ctx, CTW_PLACE_MAX_POOLS, uint64_t);
    if (!in->pool_region) return CTW_E_NOMEM;
    for (size_t k = 0; k < in->classes; k++) {
        ctw_place__class *c = in->class + k;
        size_t q = 0;
        while (q < k && (in->class[q].region != c->region || (typed && in->class[q].type != c->type))) q++;
        c->pool = q < k ? in->class[q].pool : in->pools++;
        if (in->pools > CTW_PLACE_MAX_POOLS) {
            return ctw_base__fail(CTW_E_RANGE, "%s: more than %d combinations of region and type among the servers", fn,
                                  CTW_PLACE_MAX_POOLS);
        }
    }
    for (size_t a = 0; a < in->classes; a++) {
        for (size_t b = 0; b < in->classes; b++) {
            if (in->class[a].region != in->class[b].region) continue;
            in->pool_region[in->class[a].pool] |= (uint64_t)1 << in->class[b].pool;
        }
    }
    return CTW_OK;
}

ctw_status ctw_place__inst_new(const ctw_place *p, ctw_place__inst *in, const char *fn)
{
    memset(in, 0, sizeof *in);
    in->ctx = p->h.ctx;
    in->opt = &p->opt;
    CTW_TRY(check_problem(p, fn));
    in->r = p->nodes.n ? p->nodes.r : p->jobs.r;
    in->slots = p->slots;
    in->regions = p->regions;
    in->hours = p->opt.slot_s / 3600;
    CTW_TRY(read_carbon(p, in));
    CTW_TRY(read_energy(p, in));
    CTW_TRY(read_feeds(p, in));
    CTW_TRY(read_servers(p, in, fn));
    CTW_TRY(form_pools(p, in, fn));
    return ctw_place__inst_jobs(p, in, fn);
}

void ctw_place__inst_free(ctw_place__inst *in)
{
    if (!in->ctx) return;
    if (in->guide != in->gram) ctw_base__free(in->ctx, in->guide);
    if (in->mean_gram != in->gram) ctw_base__free(in->ctx, in->mean_gram);
    void *all[] = {in->scenario,
                   in->gram,
                   in->gram_wh,
                   in->feed_cap,
                   in->feed_rack,
                   in->class,
                   in->cap,
                   in->pool_region,
                   in->watt,
                   in->class_of,
                   in->row_of,
                   in->members,
                   in->demand,
                   in->least,
                   in->batch,
                   in->service,
                   in->loads,
                   in->service_entry,
                   in->unit_batch,
                   in->running,
                   in->service_running,
                   in->service_running_at};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(in->ctx, all[i]);
    memset(in, 0, sizeof *in);
}
