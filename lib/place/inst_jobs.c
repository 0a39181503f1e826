/* inst_jobs.c: compiling the jobs: distinct demands become flavours, units are numbered, windows are cut at the
 * horizon, services get their load by slot. */
#include "place/inst_jobs.h"
#include "num/sort.h"
#include <math.h>
#include <string.h>

typedef struct demand_key {
    const double *demand;
    size_t r;
} demand_key;

static int cmp_demand(const void *pa, const void *pb, void *user)
{
    const demand_key *key = user;
    const double *a = key->demand + *(const size_t *)pa * key->r, *b = key->demand + *(const size_t *)pb * key->r;
    for (size_t j = 0; j < key->r; j++) {
        if (a[j] != b[j]) return a[j] < b[j] ? -1 : 1;
    }
    return 0;
}

/* Where to look for a demand in a table of mask + 1 places. -0 and 0 are one demand. */
static size_t place_of(const double *d, size_t r, size_t mask)
{
    uint64_t h = 0xCBF29CE484222325u;
    for (size_t j = 0; j < r; j++) {
        double v = d[j] + 0.0;
        uint64_t bits;
        memcpy(&bits, &v, sizeof bits);
        h = (h ^ bits) * 0x9E3779B97F4A7C15u;
        h ^= h >> 29;
    }
    return (size_t)h & mask;
}

/* The first row of each distinct demand goes to first[], its index there to flavour[] of all its rows; the number of
 * them. `table` is zeroed, mask + 1 > n places: 1 + index. */
static size_t find_distinct(demand_key *key, size_t n, int32_t *table, size_t mask, size_t *first, int32_t *flavour)
{
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        size_t at = place_of(key->demand + i * key->r, key->r, mask);
        while (table[at] && cmp_demand(&first[table[at] - 1], &i, key) != 0) at = (at + 1) & mask;
        if (!table[at]) {
            first[found] = i;
            table[at] = (int32_t)++found;
        }
        flavour[i] = table[at] - 1;
    }
    return found;
}

/* Numbers the distinct demands in their order, not in that of the rows. */
static ctw_status rank_distinct(ctw_place__inst *in, demand_key *key, size_t n, const size_t *first, int32_t *flavour)
{
    size_t found = in->flavours, r = key->r;
    size_t *order = CTW_NEW(in->ctx, found, size_t);
    int32_t *rank = CTW_NEW(in->ctx, found, int32_t);
    if (order && rank) {
        for (size_t i = 0; i < found; i++) order[i] = first[i];
        ctw_num__sort_by(order, found, sizeof *order, cmp_demand, key);
        for (size_t i = 0; i < found; i++) {
            rank[flavour[order[i]]] = (int32_t)i;
            memcpy(in->demand + i * r, key->demand + order[i] * r, r * sizeof(double));
        }
        for (size_t i = 0; i < n; i++) flavour[i] = rank[flavour[i]];
    }
    ctw_status s = order && rank ? CTW_OK : CTW_E_NOMEM;
    ctw_base__free(in->ctx, order);
    ctw_base__free(in->ctx, rank);
    return s;
}

/* flavour[i] of every row; the distinct demands go to in->demand. */
static ctw_status form_flavours(const ctw_place *p, ctw_place__inst *in, int32_t *flavour)
{
    size_t n = p->jobs.n, r = in->r, mask = 1;
    demand_key key = {p->jobs.demand, r};
    while (mask < n + n / 2 + 1) mask = 2 * mask + 1;
    size_t *first = CTW_NEW(in->ctx, n, size_t);
    int32_t *table = CTW_NEW(in->ctx, mask + 1, int32_t);
    if (first && table) in->flavours = find_distinct(&key, n, table, mask, first, flavour);
    ctw_base__free(in->ctx, table);
    in->demand = CTW_NEW(in->ctx, in->flavours * r, double);
    in->least = CTW_NEW(in->ctx, r, double);
    ctw_status s = first && table && in->demand && in->least ? CTW_OK : CTW_E_NOMEM;
    if (s == CTW_OK) s = rank_distinct(in, &key, n, first, flavour);
    ctw_base__free(in->ctx, first);
    for (size_t j = 0; j < r && s == CTW_OK; j++) {
        double least = INFINITY;
        for (size_t i = 0; i < in->flavours; i++) least = fmin(least, in->demand[i * r + j]);
        in->least[j] = isfinite(least) ? least : 0;
    }
    return s;
}

/* Pools the row may use and that hold a server it fits on. */
static uint64_t admissible(const ctw_place *p, const ctw_place__inst *in, size_t row, size_t flavour)
{
    int64_t home = ctw_place__i64(p->jobs.region, row, -1), type = ctw_place__i64(p->jobs.type, row, -1);
    int movable = ctw_place__flag(p->jobs.movable, row);
    uint64_t mask = 0;
    for (size_t k = 0; k < in->classes; k++) {
        const ctw_place__class *c = in->class + k;
        if (c->n == 0 || (home >= 0 && !movable && c->region != (size_t)home)) continue;
        if (type >= 0 && c->type != type) continue;
        if (ctw_place__fits_empty(in, k, flavour)) mask |= (uint64_t)1 << c->pool;
    }
    return mask;
}

/* Above anything that running the unit for one slot can emit, even alone on the hungriest server. */
static double default_penalty(const ctw_place__inst *in, size_t flavour, double gram, double gram_wh)
{
    double most = 0;
    for (size_t k = 0; k < in->classes; k++) {
        const ctw_place__class *c = in->class + k;
        most =
            fmax(most, gram * (c->idle + ctw_place__unit_watts(in, k, flavour)) + c->embodied + gram_wh * c->startup);
    }
    return 1.1 * most + 1e-3;
}

typedef struct reader {
    const ctw_place *p;
    ctw_place__inst *in;
    const int32_t *flavour;
    double gram, gram_wh; /* the dirtiest slot's */
    const char *fn;
} reader;

static ctw_status read_batch(reader *r, size_t row, ctw_place__batch *b)
{
    const ctw_place__jobs *j = &r->p->jobs;
    ctw_place__inst *in = r->in;
    int64_t T = (int64_t)in->slots, release = ctw_place__i64(j->release, row, 0);
    int64_t deadline = ctw_place__i64(j->deadline, row, T), duration = ctw_place__i64(j->duration, row, 1);
    if (deadline > T) deadline = T;
    if (release + duration > deadline) {
        return ctw_base__fail(CTW_E_RANGE, "%s: job row %zu needs %lld slots from slot %lld, the horizon ends at %lld",
                              r->fn, row, (long long)duration, (long long)release, (long long)T);
    }
    b->row = (int32_t)row;
    b->flavour = r->flavour[row];
    b->release = (int32_t)release;
    b->end = (int32_t)deadline;
    b->duration = (int32_t)duration;
    b->count = (int32_t)ctw_place__i64(j->count, row, 1);
    b->spread = (int32_t)ctw_place__i64(j->spread, row, 0);
    b->preemptible = (uint8_t)ctw_place__flag(j->preemptible, row);
    b->pools = admissible(r->p, in, row, (size_t)b->flavour);
    b->fits = b->pools != 0;
    double pen = ctw_place__f64(j->penalty, row, INFINITY);
    b->penalty = isfinite(pen) ? pen / (double)duration : default_penalty(in, (size_t)b->flavour, r->gram, r->gram_wh);
    b->migration = ctw_place__f64(j->migration, row, 0);
    in->migrates |= b->migration > 0;
    b->unit0 = in->units;
    b->entry0 = in->entries;
    in->units += (size_t)b->count;
    in->entries += (size_t)b->count * (size_t)duration;
    in->batch_slots += (int64_t)b->count * duration;
    if (in->units > CTW_PLACE_MAX_UNITS || in->entries > (size_t)4 * CTW_PLACE_MAX_UNITS) {
        return ctw_base__fail(CTW_E_RANGE, "%s: too many job units (at row %zu)", r->fn, row);
    }
    return CTW_OK;
}

static void read_service(reader *r, size_t row, ctw_place__service *l, size_t index)
{
    const ctw_place__jobs *j = &r->p->jobs;
    ctw_place__inst *in = r->in;
    l->row = (int32_t)row;
    l->flavour = r->flavour[row];
    l->count = (int32_t)ctw_place__i64(j->count, row, 1);
    l->spread = (int32_t)ctw_place__i64(j->spread, row, 0);
    l->pools = admissible(r->p, in, row, (size_t)l->flavour);
    l->fits = l->pools != 0;
    double pen = ctw_place__f64(j->penalty, row, INFINITY);
    l->penalty = isfinite(pen) ? pen : 100 * default_penalty(in, (size_t)l->flavour, r->gram, r->gram_wh);
    l->migration = ctw_place__f64(j->migration, row, 0);
    in->migrates |= l->migration > 0;
    l->load = in->loads + index * in->slots;
    l->entry = in->service_entry + index * in->slots;
}

/* Loads: all replicas within the window, unless the host gave entries. `index_of` maps rows to services. */
static ctw_status read_loads(reader *r, const int32_t *index_of, uint8_t *given)
{
    const ctw_place__jobs *j = &r->p->jobs;
    ctw_place__inst *in = r->in;
    for (size_t e = 0; e < j->loads; e++) {
        size_t row = (size_t)j->load_row[e], slot = (size_t)j->load_slot[e];
        if (index_of[row] < 0) {
            return ctw_base__fail(CTW_E_RANGE, "%s: load entry %zu is for job row %zu, which is no service", r->fn, e,
                                  row);
        }
        ctw_place__service *l = in->service + index_of[row];
        if (slot >= in->slots) {
            return ctw_base__fail(CTW_E_RANGE, "%s: load entry %zu is for slot %zu, the horizon has %zu", r->fn, e,
                                  slot, in->slots);
        }
        if (j->load_count[e] > l->count) {
            return ctw_base__fail(CTW_E_RANGE, "%s: load entry %zu asks for %lld replicas, job row %zu has %d", r->fn,
                                  e, (long long)j->load_count[e], row, (int)l->count);
        }
        given[index_of[row]] = 1;
        l->load[slot] = (int32_t)j->load_count[e];
    }
    for (size_t i = 0; i < in->services; i++) {
        ctw_place__service *l = in->service + i;
        if (given[i]) continue;
        int64_t T = (int64_t)in->slots, from = ctw_place__i64(j->release, (size_t)l->row, 0);
        int64_t to = ctw_place__i64(j->deadline, (size_t)l->row, T);
        for (int64_t t = from; t < to && t < T; t++) l->load[t] = l->count;
    }
    size_t at = 0;
    for (size_t i = 0; i < in->services * in->slots; i++) {
        in->service_entry[i] = at;
        at += (size_t)in->loads[i];
    }
    in->service_entry[in->services * in->slots] = in->service_entries = at;
    return CTW_OK;
}

static ctw_status alloc_jobs(const ctw_place *p, ctw_place__inst *in)
{
    for (size_t i = 0; i < p->jobs.n; i++) {
        if (ctw_place__flag(p->jobs.kind, i)) {
            in->services++;
        } else {
            in->batches++;
        }
    }
    in->batch = CTW_NEW(in->ctx, in->batches, ctw_place__batch);
    in->service = CTW_NEW(in->ctx, in->services, ctw_place__service);
    in->loads = CTW_NEW(in->ctx, in->services * in->slots, int32_t);
    in->service_entry = CTW_NEW(in->ctx, in->services * in->slots + 1, size_t);
    return in->batch && in->service && in->loads && in->service_entry ? CTW_OK : CTW_E_NOMEM;
}

static ctw_status read_rows(reader *r, int32_t *index_of, uint8_t *given)
{
    ctw_place__inst *in = r->in;
    size_t b = 0, l = 0;
    for (size_t row = 0; row < r->p->jobs.n; row++) {
        index_of[row] = -1;
        if (ctw_place__flag(r->p->jobs.kind, row)) {
            index_of[row] = (int32_t)l;
            read_service(r, row, in->service + l, l);
            l++;
        } else {
            CTW_TRY(read_batch(r, row, in->batch + b));
            b++;
        }
    }
    CTW_TRY(read_loads(r, index_of, given));
    in->unit_batch = CTW_NEW(in->ctx, in->units, int32_t);
    if (!in->unit_batch) return CTW_E_NOMEM;
    for (size_t i = 0; i < in->batches; i++) {
        for (int32_t q = 0; q < in->batch[i].count; q++) in->unit_batch[in->batch[i].unit0 + (size_t)q] = (int32_t)i;
    }
    return CTW_OK;
}

ctw_status ctw_place__inst_jobs(const ctw_place *p, ctw_place__inst *in, const char *fn)
{
    int32_t *flavour = CTW_NEW(in->ctx, p->jobs.n, int32_t), *index_of = CTW_NEW(in->ctx, p->jobs.n, int32_t);
    uint8_t *given = CTW_NEW(in->ctx, p->jobs.n, uint8_t);
    reader r = {p, in, flavour, 0, 0, fn};
    ctw_status s = flavour && index_of && given ? CTW_OK : CTW_E_NOMEM;
    for (size_t i = 0; i < in->regions * in->slots; i++) {
        r.gram = fmax(r.gram, in->gram[i]);
        r.gram_wh = fmax(r.gram_wh, in->gram_wh[i]);
    }
    for (size_t i = 0; i < in->scenarios * in->regions * in->slots; i++) {
        r.gram = fmax(r.gram, in->scenario[i]);
        r.gram_wh = fmax(r.gram_wh, p->scenario[i] / 1000);
    }
    if (s == CTW_OK) s = form_flavours(p, in, flavour);
    if (s == CTW_OK) s = alloc_jobs(p, in);
    if (s == CTW_OK) s = read_rows(&r, index_of, given);
    if (s == CTW_OK && p->jobs.runs) s = ctw_place__inst_running(p, in, index_of, fn);
    ctw_base__free(in->ctx, flavour);
    ctw_base__free(in->ctx, index_of);
    ctw_base__free(in->ctx, given);
    return s;
}
