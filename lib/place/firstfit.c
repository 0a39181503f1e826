/* firstfit.c: a plan in one pass over the placements, for deadlines that leave no time for prices. Large units first,
 * each in the cleanest slots of its window that have room (a contiguous one at its best start), on the first server
 * that holds it; servers stand in order of what a full one draws for its capacity. Room only shrinks while the plan
 * grows, so every size keeps a cursor in each slot behind which it need not look again: the whole pass takes as long as
 * it has placements, and not servers times units. */
#include "base/cancel.h"
#include "num/sort.h"
#include "place/tiers.h"
#include <math.h>
#include <string.h>

/* Sizes that keep cursors of their own; with more flavours than this, neighbours in size share one. */
enum { SIZES = 48, LOOK_AT_CLOCK = 512 };

typedef struct fit {
    const ctw_place__inst *in;
    ctw_place__clock *clock;
    ctw_place__plan *plan;
    size_t sizes;
    uint8_t *size_of;        /* flavours: 0 is the largest */
    int32_t *line;           /* servers, pool by pool, the best first */
    size_t *pool_first;      /* pools + 1: into line */
    int32_t *cursor;         /* (slot x pools + pool) x sizes: into line, from the pool's first */
    double *use;             /* (slot x servers + server) x r */
    int32_t *load;           /* slot x servers */
    double *watts;           /* slot x regions, where some region has a cap */
    size_t *slots_by;        /* regions x slots: the cleanest first */
    int32_t *row_at, *row_n; /* slots x pools: a row with a limit: its place in the line, how many stand there */
    uint8_t *chosen, *best;  /* slots: of one region, of the best one */
} fit;

static int has_room(const fit *f, size_t t, int32_t v, size_t flavour)
{
    const ctw_place__inst *in = f->in;
    size_t at = t * in->servers + (size_t)v, k = (size_t)in->class_of[v];
    const double *d = ctw_place__demand(in, flavour), *use = f->use + at * in->r, *cap = in->cap + k * in->r;
    for (size_t j = 0; j < in->r; j++) {
        if (use[j] + d[j] > cap[j] * (1 + 1e-9)) return 0;
    }
    if (isinf(in->class[k].cap_w)) return 1;
    double watts = in->class[k].idle;
    for (size_t j = 0; j < in->r; j++) watts += (use[j] + d[j]) * in->watt[k * in->r + j];
    return watts <= in->class[k].cap_w * (1 + 1e-9);
}

static double more_watts(const fit *f, size_t t, int32_t v, size_t flavour)
{
    size_t k = (size_t)f->in->class_of[v];
    double idle = f->load[t * f->in->servers + (size_t)v] ? 0 : f->in->class[k].idle;
    return idle + ctw_place__unit_watts(f->in, k, flavour);
}

static int cap_allows(const fit *f, size_t t, int32_t v, size_t flavour)
{
    const ctw_place__inst *in = f->in;
    if (!in->capped) return 1;
    const ctw_place__class *c = in->class + in->class_of[v];
    double more = more_watts(f, t, v, flavour);
    const double *feed = f->watts + t * in->feeds;
    return feed[c->region] + more <= in->feed_cap[c->region] * (1 + 1e-9) &&
           feed[c->feed] + more <= in->feed_cap[c->feed] * (1 + 1e-9);
}

/* From a server that power refuses on: the first of another class that holds the unit, n: none. Cursors stay, as power
 * may suffice for smaller ones. */
static size_t past_caps(const fit *f, size_t t, const int32_t *line, size_t at, size_t n, size_t flavour)
{
    while (at < n && !(has_room(f, t, line[at], flavour) && cap_allows(f, t, line[at], flavour))) {
        int32_t k = f->in->class_of[line[at]];
        while (at < n && f->in->class_of[line[at]] == k) at++;
    }
    return at;
}

/* The first server of the pools that holds one more of the flavour in the slot, -1: none. */
static int32_t find(fit *f, size_t t, size_t flavour, uint64_t pools)
{
    const ctw_place__inst *in = f->in;
    for (; pools; pools &= pools - 1) {
        size_t p = (size_t)__builtin_ctzll(pools), n = f->pool_first[p + 1] - f->pool_first[p];
        int32_t *at = f->cursor + (t * in->pools + p) * f->sizes + f->size_of[flavour];
        const int32_t *line = f->line + f->pool_first[p];
        while ((size_t)*at < n && !has_room(f, t, line[*at], flavour)) ++*at;
        size_t i = f->in->capped ? past_caps(f, t, line, (size_t)*at, n, flavour) : (size_t)*at;
        if (i < n) return line[i];
    }
    return -1;
}

/* The same for a row with a limit: past the servers that have as many of it as they may. */
static int32_t find_limited(fit *f, size_t t, size_t flavour, uint64_t pools, int32_t limit)
{
    for (; pools; pools &= pools - 1) {
        size_t p = (size_t)__builtin_ctzll(pools), n = f->pool_first[p + 1] - f->pool_first[p];
        int32_t *at = f->row_at + t * f->in->pools + p, *there = f->row_n + t * f->in->pools + p;
        const int32_t *line = f->line + f->pool_first[p];
        for (; (size_t)*at < n; ++*at, *there = 0) {
            if (*there < limit && has_room(f, t, line[*at], flavour) && cap_allows(f, t, line[*at], flavour))
                return line[*at];
        }
    }
    return -1;
}

static void new_row(fit *f, int32_t limit)
{
    size_t n = f->in->slots * f->in->pools * sizeof(int32_t);
    if (limit == 0) return;
    memset(f->row_at, 0, n);
    memset(f->row_n, 0, n);
}

static void put(fit *f, size_t t, int32_t v, size_t flavour)
{
    const ctw_place__inst *in = f->in;
    size_t at = t * in->servers + (size_t)v;
    const double *d = ctw_place__demand(in, flavour);
    const ctw_place__class *c = in->class + in->class_of[v];
    if (in->capped) {
        double more = more_watts(f, t, v, flavour), *feed = f->watts + t * in->feeds;
        feed[c->region] += more;
        if (c->feed != c->region) feed[c->feed] += more;
    }
    for (size_t j = 0; j < in->r; j++) f->use[at * in->r + j] += d[j];
    f->load[at]++;
    f->row_n[t * in->pools + c->pool]++;
}

static int32_t look(fit *f, size_t t, size_t flavour, uint64_t pools, int32_t limit)
{
    return limit > 0 ? find_limited(f, t, flavour, pools, limit) : find(f, t, flavour, pools);
}

static void fill_service(fit *f, const ctw_place__service *l)
{
    new_row(f, l->spread);
    for (size_t t = 0; t < f->in->slots; t++) {
        for (int32_t q = 0; q < l->load[t]; q++) {
            int32_t *at = f->plan->service_server + l->entry[t] + q;
            if (*at >= 0) continue;
            int32_t v = look(f, t, (size_t)l->flavour, l->pools, l->spread);
            if (v < 0) break;
            *at = v;
            put(f, t, v, (size_t)l->flavour);
        }
    }
}

/* Marks in chosen[] the cleanest slots of the region's pools that the unit can have; how many, and their grams per
 * watt. */
static int32_t choose_slots(fit *f, const ctw_place__batch *b, size_t region, uint64_t pools, double *grams)
{
    const ctw_place__inst *in = f->in;
    const double *gram = in->gram + region * in->slots;
    int32_t n = 0;
    *grams = 0;
    memset(f->chosen + b->release, 0, (size_t)(b->end - b->release));
    if (b->preemptible) {
        const size_t *order = f->slots_by + region * in->slots;
        for (size_t i = 0; i < in->slots && n < b->duration; i++) {
            size_t t = order[i];
            if ((int32_t)t < b->release || (int32_t)t >= b->end) continue;
            if (look(f, t, (size_t)b->flavour, pools, b->spread) < 0) continue;
            f->chosen[t] = 1;
            *grams += gram[t];
            n++;
        }
        return n;
    }
    double sum = 0, least = INFINITY;
    int32_t start = -1, run = 0;
    for (int32_t t = b->release; t < b->end; t++) {
        int room = look(f, (size_t)t, (size_t)b->flavour, pools, b->spread) >= 0;
        run = room ? run + 1 : 0;
        sum = room ? sum + gram[t] : 0;
        if (run > b->duration) sum -= gram[t - b->duration];
        if (run < b->duration || sum >= least) continue;
        least = sum;
        start = t - b->duration + 1;
    }
    if (start < 0) return 0;
    memset(f->chosen + start, 1, (size_t)b->duration);
    *grams = least;
    return b->duration;
}

static void fill_unit(fit *f, const ctw_place__batch *b, size_t u)
{
    const ctw_place__inst *in = f->in;
    uint64_t left = b->pools, where = 0;
    int32_t most = 0;
    double least = INFINITY;
    while (left) {
        size_t p = (size_t)__builtin_ctzll(left), region = 0;
        uint64_t here = left & in->pool_region[p];
        left &= ~here;
        region = in->class[in->class_of[f->line[f->pool_first[p]]]].region;
        double grams;
        int32_t n = choose_slots(f, b, region, here, &grams);
        if (n < most || n == 0 || (n == most && grams >= least)) continue;
        most = n;
        least = grams;
        where = here;
        memcpy(f->best + b->release, f->chosen + b->release, (size_t)(b->end - b->release));
    }
    size_t e = ctw_place__entry(in, u);
    int32_t n = 0;
    for (int32_t t = b->release; t < b->end && n < most; t++) {
        if (!f->best[t]) continue;
        int32_t v = look(f, (size_t)t, (size_t)b->flavour, where, b->spread);
        f->plan->slot[e + (size_t)n] = t;
        f->plan->server[e + (size_t)n++] = v;
        put(f, (size_t)t, v, (size_t)b->flavour);
    }
    f->plan->run[u] = n;
}

/* Cancelled: what is placed so far is the plan. Too late: none. */
static ctw_status go_on(const fit *f, size_t placed, int *on)
{
    ctw_place__clock *c = f->clock;
    if (placed % LOOK_AT_CLOCK) return CTW_OK;
    if (ctw_place__rung(c) && c->stop == CTW_STOP_CANCEL) *on = 0;
    if (ctw_base__now() <= c->end) return CTW_OK;
    return ctw_base__fail(CTW_E_DEADLINE, "place: the deadline passed before there was a first plan");
}

static ctw_status fill(fit *f, const size_t *services, const size_t *batches)
{
    const ctw_place__inst *in = f->in;
    size_t done = 0;
    int on = 1;
    for (size_t i = 0; i < in->services && on; i++) {
        if (in->service[services[i]].fits) fill_service(f, in->service + services[i]);
        CTW_TRY(go_on(f, done++, &on));
    }
    for (size_t i = 0; i < in->batches && on; i++) {
        const ctw_place__batch *b = in->batch + batches[i];
        new_row(f, b->spread);
        for (int32_t q = 0; q < b->count && b->fits && on; q++) {
            if (f->plan->run[b->unit0 + (size_t)q] > 0) continue;
            fill_unit(f, b, b->unit0 + (size_t)q);
            CTW_TRY(go_on(f, done++, &on));
        }
    }
    return CTW_OK;
}

/* Flavours by size, and rows by their flavours' sizes: the large first. */
static ctw_status order_sizes(fit *f, size_t *services, size_t *batches)
{
    const ctw_place__inst *in = f->in;
    double *key = CTW_NEW(in->ctx, in->flavours, double);
    size_t *order = CTW_NEW(in->ctx, in->flavours, size_t), first[SIZES + 1];
    ctw_status s = key && order ? CTW_OK : CTW_E_NOMEM;
    if (s == CTW_OK) {
        for (size_t i = 0; i < in->flavours; i++) {
            for (size_t k = 0; k < in->classes; k++) key[i] -= ctw_place__share(in, k, i);
        }
        ctw_num__argsort(key, order, in->flavours);
        for (size_t i = 0; i < in->flavours; i++) f->size_of[order[i]] = (uint8_t)(i * f->sizes / in->flavours);
        for (int batch = 0; batch < 2; batch++) {
            size_t n = batch ? in->batches : in->services, *to = batch ? batches : services;
            memset(first, 0, sizeof first);
            for (size_t i = 0; i < n; i++)
                first[f->size_of[batch ? in->batch[i].flavour : in->service[i].flavour] + 1]++;
            for (size_t i = 0; i < SIZES; i++) first[i + 1] += first[i];
            for (size_t i = 0; i < n; i++)
                to[first[f->size_of[batch ? in->batch[i].flavour : in->service[i].flavour]]++] = i;
        }
    }
    ctw_base__free(in->ctx, key);
    ctw_base__free(in->ctx, order);
    return s;
}

/* Watts of a full server for what it holds: classes of a pool in that order. */
static ctw_status line_up(fit *f)
{
    const ctw_place__inst *in = f->in;
    double *key = CTW_NEW(in->ctx, in->classes, double), most[CTW_PLACE_MAX_RESOURCES] = {0};
    size_t *order = CTW_NEW(in->ctx, in->classes, size_t), at = 0;
    ctw_status s = key && order ? CTW_OK : CTW_E_NOMEM;
    for (size_t k = 0; k < in->classes; k++) {
        for (size_t j = 0; j < in->r; j++) most[j] = fmax(most[j], in->cap[k * in->r + j]);
    }
    for (size_t k = 0; k < in->classes && s == CTW_OK; k++) {
        double watts = in->class[k].idle, size = 0;
        for (size_t j = 0; j < in->r; j++) {
            watts += in->watt[k * in->r + j] * in->cap[k * in->r + j];
            if (most[j] > 0) size += in->cap[k * in->r + j] / most[j];
        }
        key[k] = size > 0 ? watts / size : INFINITY;
    }
    if (s == CTW_OK) ctw_num__argsort(key, order, in->classes);
    for (size_t p = 0; p < in->pools && s == CTW_OK; p++) {
        f->pool_first[p] = at;
        for (size_t i = 0; i < in->classes; i++) {
            const ctw_place__class *c = in->class + order[i];
            if (c->pool != p) continue;
            memcpy(f->line + at, in->members + c->first, (size_t)c->n * sizeof(int32_t));
            at += (size_t)c->n;
        }
        f->pool_first[p + 1] = at;
    }
    ctw_base__free(in->ctx, key);
    ctw_base__free(in->ctx, order);
    return s;
}

static ctw_status fit_new(fit *f)
{
    const ctw_place__inst *in = f->in;
    size_t n = in->servers * in->slots;
    f->sizes = in->flavours < SIZES ? in->flavours : SIZES;
    f->size_of = CTW_NEW(in->ctx, in->flavours, uint8_t);
    f->line = CTW_NEW(in->ctx, in->servers, int32_t);
    f->pool_first = CTW_NEW(in->ctx, in->pools + 1, size_t);
    f->cursor = CTW_NEW(in->ctx, in->slots * in->pools * f->sizes, int32_t);
    f->use = CTW_NEW(in->ctx, n * in->r, double);
    f->load = CTW_NEW(in->ctx, n, int32_t);
    f->watts = CTW_NEW(in->ctx, in->slots * in->feeds, double);
    f->slots_by = CTW_NEW(in->ctx, in->slots * in->regions, size_t);
    f->row_at = CTW_NEW(in->ctx, in->slots * in->pools, int32_t);
    f->row_n = CTW_NEW(in->ctx, in->slots * in->pools, int32_t);
    f->chosen = CTW_NEW(in->ctx, in->slots, uint8_t);
    f->best = CTW_NEW(in->ctx, in->slots, uint8_t);
    if (!f->size_of || !f->line || !f->pool_first || !f->cursor || !f->use || !f->load || !f->watts || !f->slots_by ||
        !f->row_at || !f->row_n || !f->chosen || !f->best)
        return CTW_E_NOMEM;
    for (size_t g = 0; g < in->regions; g++)
        ctw_num__argsort(in->gram + g * in->slots, f->slots_by + g * in->slots, in->slots);
    return line_up(f);
}

/* What the plan runs already. */
static void load(fit *f)
{
    const ctw_place__inst *in = f->in;
    for (size_t u = 0; u < in->units; u++) {
        size_t e = ctw_place__entry(in, u), flavour = (size_t)in->batch[in->unit_batch[u]].flavour;
        for (size_t q = e; q < e + (size_t)f->plan->run[u]; q++)
            put(f, (size_t)f->plan->slot[q], f->plan->server[q], flavour);
    }
    for (size_t i = 0; i < in->services; i++) {
        const ctw_place__service *l = in->service + i;
        for (size_t t = 0; t < in->slots; t++) {
            for (int32_t q = 0; q < l->load[t]; q++) {
                int32_t v = f->plan->service_server[l->entry[t] + (size_t)q];
                if (v >= 0) put(f, t, v, (size_t)l->flavour);
            }
        }
    }
}

ctw_status ctw_place__first_fit(const ctw_place__inst *in, ctw_place__clock *clock, ctw_place__plan *plan)
{
    fit f = {.in = in, .clock = clock, .plan = plan};
    size_t *services = CTW_NEW(in->ctx, in->services, size_t), *batches = CTW_NEW(in->ctx, in->batches, size_t);
    ctw_status s = services && batches ? fit_new(&f) : CTW_E_NOMEM;
    if (s == CTW_OK) s = order_sizes(&f, services, batches);
    if (s == CTW_OK) load(&f);
    if (s == CTW_OK) s = fill(&f, services, batches);
    void *all[] = {services, batches, f.size_of,  f.line,   f.pool_first, f.cursor, f.use,
                   f.load,   f.watts, f.slots_by, f.row_at, f.row_n,      f.chosen, f.best};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(in->ctx, all[i]);
    return s;
}
