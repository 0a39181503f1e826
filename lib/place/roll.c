/* roll.c: planning again in the middle of a horizon. What ran before `now` is taken from the plan at hand; the slots
 * from there on become a problem of their own: windows cut, durations less what was done, units that have begun tied to
 * their region and, if contiguous, to the slots that follow, and everybody's present server known, so that moves can
 * be bounded or priced. It is solved and verified like any other and its plan is written back in the host's rows. */
#include "place/roll.h"
#include "num/sort.h"
#include "place/finish.h"
#include "place/verify.h"
#include <math.h>
#include <string.h>

typedef struct roller {
    const ctw_place *p;
    const ctw_solution *old;
    size_t now;
    ctw_place *q;
    ctw_place__rest *rest;
    int32_t *node_of; /* old server rows: the present row, -1 */
    int32_t *job_of;  /* old job rows: the present row, -1 */
    int32_t *running; /* services: [row, node, server] of old replicas in slot now - 1 */
    size_t runs, run_cap;
} roller;

void ctw_place__rest_free(ctw_ctx *ctx, ctw_place__rest *rest)
{
    if (!rest) return;
    ctw_place_unref(rest->p);
    ctw_solution_unref(rest->s);
    ctw_base__free(ctx, rest->unit0);
    ctw_base__free(ctx, rest->past);
    ctw_base__free(ctx, rest->row);
    ctw_base__free(ctx, rest->unit);
    ctw_base__free(ctx, rest);
}

static int is_service(const ctw_place *p, size_t row)
{
    return p->jobs.kind && p->jobs.kind[row] == CTW_JOB_SERVICE;
}

/* Rows of two lists of distinct ids that are the same: at[i] is the place of a[i] in b, -1 for none. */
static ctw_status match_ids(ctw_ctx *ctx, const int64_t *a, size_t n, const int64_t *b, size_t m, int32_t *at)
{
    size_t *x = CTW_NEW(ctx, n, size_t), *y = CTW_NEW(ctx, m, size_t);
    ctw_status s = x && y ? CTW_OK : CTW_E_NOMEM;
    if (s == CTW_OK) {
        ctw_num__argsort_i64(a, x, n);
        ctw_num__argsort_i64(b, y, m);
        for (size_t i = 0, j = 0; i < n; i++) {
            while (j < m && b[y[j]] < a[x[i]]) j++;
            at[x[i]] = j < m && b[y[j]] == a[x[i]] ? (int32_t)y[j] : -1;
        }
    }
    ctw_base__free(ctx, x);
    ctw_base__free(ctx, y);
    return s;
}

/* What an earlier plan of a rest knew of the slots before its own. */
static void carry_past(roller *r)
{
    const ctw_place__rest *o = r->old->rest;
    for (size_t i = 0; o && i < r->old->jobs; i++) {
        int32_t row = r->job_of[i];
        if (row < 0) continue;
        int64_t n = (int64_t)(o->unit0[i + 1] - o->unit0[i]), m = ctw_place__i64(r->p->jobs.count, (size_t)row, 1);
        for (int64_t u = 0; u < n && u < m; u++) {
            ctw_place__past *s = r->rest->past + r->rest->unit0[row] + (size_t)u;
            *s = o->past[o->unit0[i] + (size_t)u];
            if (s->node >= 0) s->node = r->node_of[s->node];
            if (s->node >= 0 && s->server >= ctw_place__i64(r->p->nodes.count, (size_t)s->node, 1)) s->node = -1;
        }
    }
}

/* How far every unit has come, and who runs in the slot before now. */
static ctw_status read_past(roller *r)
{
    ctw_place__walk w = {.s = r->old};
    ctw_place__spot x;
    while (ctw_place__next(&w, &x)) {
        int32_t row = r->job_of[x.job_row], node = r->node_of[x.node_row];
        if (row < 0 || (size_t)x.slot >= r->now) continue;
        if (node >= 0 && x.server >= ctw_place__i64(r->p->nodes.count, (size_t)node, 1)) node = -1;
        if (is_service(r->p, (size_t)row)) {
            if ((size_t)x.slot + 1 < r->now || node < 0) continue;
            CTW_TRY(ctw_base__grow(r->p->h.ctx, (void **)&r->running, &r->run_cap, 3 * r->runs + 3, sizeof(int32_t)));
            memcpy(r->running + 3 * r->runs++, (int32_t[]){row, node, x.server}, 3 * sizeof(int32_t));
            continue;
        }
        if (x.unit >= ctw_place__i64(r->p->jobs.count, (size_t)row, 1)) continue;
        ctw_place__past *s = r->rest->past + r->rest->unit0[row] + (size_t)x.unit;
        s->done++;
        s->last = x.slot;
        s->node = node;
        s->server = x.server;
        if (node >= 0) s->region = ctw_place__i64(r->p->nodes.region, (size_t)node, 0);
    }
    return CTW_OK;
}

/* What is left of a unit: slots to run and its window from now on; 0 when nothing is or can be. */
static int64_t remainder_of(const roller *r, size_t row, const ctw_place__past *s, int64_t *from, int64_t *to)
{
    const ctw_place__jobs *j = &r->p->jobs;
    int64_t T = (int64_t)(r->p->slots - r->now), now = (int64_t)r->now;
    int64_t left = ctw_place__i64(j->duration, row, 1) - s->done;
    *from = ctw_place__i64(j->release, row, 0) - now;
    *to = ctw_place__i64(j->deadline, row, INT64_MAX / 2) - now;
    if (*from < 0) *from = 0;
    if (*to > T) *to = T;
    if (left <= 0 || *to <= *from) return 0;
    if (ctw_place__flag(j->preemptible, row)) return left < *to - *from ? left : *to - *from;
    if (s->done == 0) return *to - *from >= left ? left : 0;
    if (s->last + 1 != (int32_t)r->now || left > *to) return 0; /* it was cut */
    *from = 0;
    *to = left;
    return left;
}

/* Columns for as many rows as there may be: one a row of the host, and one for each unit that has begun. */
static ctw_status alloc_rows(roller *r, size_t most)
{
    ctw_ctx *ctx = r->p->h.ctx;
    ctw_place__jobs *b = &r->q->jobs;
    int64_t **wide[] = {&b->id, &b->release, &b->deadline, &b->duration, &b->count, &b->region, &b->spread, &b->type};
    int32_t **flags[] = {&b->kind, &b->preemptible, &b->movable};
    b->r = r->p->jobs.r;
    for (size_t i = 0; i < 8; i++) {
        if (!(*wide[i] = CTW_NEW(ctx, most, int64_t))) return CTW_E_NOMEM;
    }
    for (size_t i = 0; i < 3; i++) {
        if (!(*flags[i] = CTW_NEW(ctx, most, int32_t))) return CTW_E_NOMEM;
    }
    b->penalty = CTW_NEW(ctx, most, double);
    b->migration = r->p->jobs.migration ? CTW_NEW(ctx, most, double) : NULL;
    b->demand = CTW_NEW(ctx, most * b->r, double);
    return b->penalty && b->demand && (b->migration || !r->p->jobs.migration) ? CTW_OK : CTW_E_NOMEM;
}

/* A row of the rest; returns its number. */
static size_t add_row(roller *r, size_t row, int64_t from, int64_t to, int64_t left, int64_t region)
{
    const ctw_place__jobs *a = &r->p->jobs;
    ctw_place__jobs *b = &r->q->jobs;
    size_t i = b->n++;
    double penalty = ctw_place__f64(a->penalty, row, INFINITY);
    b->id[i] = (int64_t)i;
    b->release[i] = from;
    b->deadline[i] = to;
    b->duration[i] = left;
    b->count[i] = 0;
    b->region[i] = region >= 0 ? region : ctw_place__i64(a->region, row, -1);
    b->movable[i] = region < 0 && ctw_place__flag(a->movable, row);
    b->spread[i] = ctw_place__i64(a->spread, row, 0);
    b->type[i] = ctw_place__i64(a->type, row, -1);
    b->kind[i] = is_service(r->p, row);
    b->preemptible[i] = ctw_place__flag(a->preemptible, row);
    b->penalty[i] = b->kind[i] ? penalty : penalty * (double)left / (double)ctw_place__i64(a->duration, row, 1);
    if (b->migration) b->migration[i] = a->migration[row];
    memcpy(b->demand + i * b->r, a->demand + row * b->r, b->r * sizeof(double));
    return i;
}

static void add_running(roller *r, size_t row, int64_t unit, int32_t node, int32_t server)
{
    ctw_place__jobs *b = &r->q->jobs;
    b->run_job[b->runs] = (int64_t)row;
    b->run_unit[b->runs] = unit;
    b->run_node[b->runs] = node;
    b->run_server[b->runs++] = server;
}

/* Batch rows: those who have not begun together, the others one by one. */
static ctw_status add_batch(roller *r, size_t row)
{
    int64_t count = ctw_place__i64(r->p->jobs.count, row, 1), from, to, fresh = -1;
    if (ctw_place__i64(r->p->jobs.spread, row, 0) > 0) {
        return ctw_base__fail(CTW_E_UNSUPPORTED, "ctw_place_replan: job row %zu is batch with a limit per server", row);
    }
    for (int64_t u = 0; u < count; u++) {
        size_t at = r->rest->unit0[row] + (size_t)u;
        const ctw_place__past *s = r->rest->past + at;
        int64_t left = remainder_of(r, row, s, &from, &to), to_row = fresh;
        if (left <= 0) continue;
        if (s->done > 0 || fresh < 0) to_row = (int64_t)add_row(r, row, from, to, left, s->region);
        if (s->done == 0) fresh = to_row;
        r->rest->row[at] = (int32_t)to_row;
        r->rest->unit[at] = (int32_t)r->q->jobs.count[to_row]++;
        if (s->done > 0 && s->last + 1 == (int32_t)r->now && s->node >= 0)
            add_running(r, (size_t)to_row, r->rest->unit[at], s->node, s->server);
    }
    return CTW_OK;
}

/* Services keep their row; the load of the slots that are left, in entries if the host gave any. */
static ctw_status add_services(roller *r, int32_t *new_row)
{
    const ctw_place__jobs *a = &r->p->jobs;
    ctw_place__jobs *b = &r->q->jobs;
    int64_t T = (int64_t)(r->p->slots - r->now), now = (int64_t)r->now;
    for (size_t row = 0; row < a->n; row++) {
        new_row[row] = -1;
        if (!is_service(r->p, row)) continue;
        int64_t from = ctw_place__i64(a->release, row, 0) - now,
                to = ctw_place__i64(a->deadline, row, INT64_MAX / 2) - now;
        from = from < 0 ? 0 : from;
        to = to > T ? T : to;
        size_t i = add_row(r, row, from, to > from ? to : from, 1, -1);
        b->count[i] = ctw_place__i64(a->count, row, 1);
        new_row[row] = (int32_t)i;
    }
    ctw_ctx *ctx = r->p->h.ctx;
    b->load_row = CTW_NEW(ctx, 2 * a->loads, int64_t);
    b->load_slot = CTW_NEW(ctx, 2 * a->loads, int64_t);
    b->load_count = CTW_NEW(ctx, 2 * a->loads, int64_t);
    if (!b->load_row || !b->load_slot || !b->load_count) return CTW_E_NOMEM;
    for (int pass = 0; pass < 2; pass++) { /* an entry of 0 for each, so that none counts as without entries */
        for (size_t e = 0; e < a->loads; e++) {
            int64_t slot = a->load_slot[e] - now;
            if (new_row[a->load_row[e]] < 0 || (pass && (slot < 0 || slot >= T))) continue;
            b->load_row[b->loads] = new_row[a->load_row[e]];
            b->load_slot[b->loads] = pass ? slot : 0;
            b->load_count[b->loads++] = pass ? a->load_count[e] : 0;
        }
    }
    for (size_t i = 0; i < r->runs; i++)
        add_running(r, (size_t)new_row[r->running[3 * i]], 0, r->running[3 * i + 1], r->running[3 * i + 2]);
    return CTW_OK;
}

static void *copy(ctw_ctx *ctx, const void *from, size_t n, size_t size, ctw_status *s)
{
    void *to = from ? ctw_base__dup(ctx, from, n, size) : NULL;
    if (from && !to) *s = CTW_E_NOMEM;
    return to;
}

static ctw_status copy_servers(roller *r)
{
    ctw_ctx *ctx = r->p->h.ctx;
    const ctw_place__nodes *a = &r->p->nodes;
    ctw_place__nodes *b = &r->q->nodes;
    ctw_status s = CTW_OK;
    b->n = a->n;
    b->r = a->r;
    b->id = copy(ctx, a->id, a->n, sizeof(int64_t), &s);
    b->cap = copy(ctx, a->cap, a->n * a->r, sizeof(double), &s);
    b->count = copy(ctx, a->count, a->n, sizeof(int64_t), &s);
    b->region = copy(ctx, a->region, a->n, sizeof(int64_t), &s);
    b->type = copy(ctx, a->type, a->n, sizeof(int64_t), &s);
    b->rack = copy(ctx, a->rack, a->n, sizeof(int64_t), &s);
    b->idle = copy(ctx, a->idle, a->n, sizeof(double), &s);
    b->watt = copy(ctx, a->watt, a->n * a->r, sizeof(double), &s);
    b->startup = copy(ctx, a->startup, a->n, sizeof(double), &s);
    b->cap_w = copy(ctx, a->cap_w, a->n, sizeof(double), &s);
    b->embodied = copy(ctx, a->embodied, a->n, sizeof(double), &s);
    r->q->region_caps = r->p->region_caps;
    r->q->region_cap = copy(ctx, r->p->region_cap, r->p->region_caps, sizeof(double), &s);
    r->q->rack_caps = r->p->rack_caps;
    r->q->rack_id = copy(ctx, r->p->rack_id, r->p->rack_caps, sizeof(int64_t), &s);
    r->q->rack_cap = copy(ctx, r->p->rack_cap, r->p->rack_caps, sizeof(double), &s);
    return s;
}

/* Rows of all slots cut to those that are left; NULL for NULL. */
static double *cut_rows(const roller *r, const double *from, size_t rows, ctw_status *s)
{
    size_t left = r->p->slots - r->now;
    double *to = from ? CTW_NEW(r->p->h.ctx, rows * left, double) : NULL;
    if (from && !to) *s = CTW_E_NOMEM;
    for (size_t i = 0; i < rows && to; i++)
        memcpy(to + i * left, from + i * r->p->slots + r->now, left * sizeof(double));
    return to;
}

/* Scenarios, supply and storage; the last plan says how full the stores are. */
static ctw_status cut_energy(roller *r)
{
    const ctw_place *p = r->p;
    const ctw_solution *o = r->old->rest ? r->old->rest->s : r->old;
    ctw_place *q = r->q;
    ctw_status s = CTW_OK;
    size_t from = r->old->rest ? r->old->rest->now : 0;
    q->scenarios = p->scenarios;
    q->tail = p->tail;
    q->probability = copy(p->h.ctx, p->probability, p->scenarios, sizeof(double), &s);
    q->scenario = cut_rows(r, p->scenario, p->scenarios * p->regions, &s);
    q->supply_regions = p->supply_regions;
    q->supply_slots = q->slots;
    if (p->supply && p->supply_slots != p->slots) {
        return ctw_base__fail(CTW_E_SHAPE, "ctw_place_replan: supply of %zu slots, carbon has %zu", p->supply_slots,
                              p->slots);
    }
    q->supply = cut_rows(r, p->supply, p->supply_regions, &s);
    q->stores = p->stores;
    q->store = copy(p->h.ctx, p->store, p->stores, sizeof *p->store, &s);
    for (size_t g = 0; s == CTW_OK && g < q->stores && g < o->regions && (r->now > from || r->old->rest); g++) {
        const ctw_place__store *then = r->old->rest ? r->old->rest->p->store : NULL;
        double level = r->now > from ? o->level[g * o->slots + r->now - from - 1] : then ? then[g].start : 0;
        q->store[g].start = level < q->store[g].capacity ? level : q->store[g].capacity;
    }
    return s;
}

static ctw_status cut_carbon(roller *r)
{
    const ctw_place *p = r->p;
    ctw_place *q = r->q;
    q->regions = p->regions;
    q->slots = p->slots - r->now;
    q->carbon = CTW_NEW(p->h.ctx, q->regions * q->slots, double);
    if (!q->carbon) return CTW_E_NOMEM;
    for (size_t g = 0; g < q->regions; g++)
        memcpy(q->carbon + g * q->slots, p->carbon + g * p->slots + r->now, q->slots * sizeof(double));
    return CTW_OK;
}

/* The problem of the rest. */
static ctw_status pose(roller *r)
{
    ctw_ctx *ctx = r->p->h.ctx;
    const ctw_place__jobs *a = &r->p->jobs;
    size_t begun = 0, most;
    carry_past(r);
    CTW_TRY(read_past(r));
    for (size_t u = 0; u < r->rest->unit0[a->n]; u++) begun += r->rest->past[u].done > 0;
    most = a->n + begun;
    CTW_TRY(copy_servers(r));
    CTW_TRY(cut_carbon(r));
    CTW_TRY(cut_energy(r));
    CTW_TRY(alloc_rows(r, most));
    ctw_place__jobs *b = &r->q->jobs;
    b->run_job = CTW_NEW(ctx, begun + r->runs, int64_t);
    b->run_unit = CTW_NEW(ctx, begun + r->runs, int64_t);
    b->run_node = CTW_NEW(ctx, begun + r->runs, int64_t);
    b->run_server = CTW_NEW(ctx, begun + r->runs, int64_t);
    int32_t *new_row = CTW_NEW(ctx, a->n, int32_t);
    ctw_status s = b->run_job && b->run_unit && b->run_node && b->run_server && new_row ? CTW_OK : CTW_E_NOMEM;
    for (size_t row = 0; row < a->n && s == CTW_OK; row++) {
        if (!is_service(r->p, row)) s = add_batch(r, row);
    }
    if (s == CTW_OK) s = add_services(r, new_row);
    ctw_base__free(ctx, new_row);
    return s;
}

/* The layout of the whole plan: the host's rows, all slots. */
static ctw_status lay_out(roller *r, ctw_solution *o)
{
    const ctw_place *p = r->p;
    const ctw_solution *s = r->rest->s;
    ctw_ctx *ctx = p->h.ctx;
    size_t entries = 0, cells;
    o->jobs = p->jobs.n;
    o->nodes = p->nodes.n;
    o->slots = p->slots;
    o->servers = s->servers;
    for (size_t i = 0; i < o->jobs; i++) o->services += (size_t)is_service(p, i);
    cells = o->services * o->slots;
    o->node_id = ctw_base__dup(ctx, p->nodes.id, o->nodes, sizeof(int64_t));
    o->job_id = ctw_base__dup(ctx, p->jobs.id, o->jobs, sizeof(int64_t));
    o->server_row = ctw_base__dup(ctx, s->server_row, o->servers, sizeof(int32_t));
    o->server_index = ctw_base__dup(ctx, s->server_index, o->servers, sizeof(int32_t));
    int32_t **rows[] = {&o->service, &o->count, &o->duration};
    int64_t **told[] = {&o->why, &o->delay, &o->missed};
    for (size_t i = 0; i < 3; i++) {
        *rows[i] = CTW_NEW(ctx, o->jobs, int32_t);
        *told[i] = CTW_NEW(ctx, o->jobs, int64_t);
        if (!*rows[i] || !*told[i]) return CTW_E_NOMEM;
    }
    o->unit0 = CTW_NEW(ctx, o->jobs, size_t);
    o->entry0 = CTW_NEW(ctx, o->jobs, size_t);
    o->load = CTW_NEW(ctx, cells, int32_t);
    o->service_entry = CTW_NEW(ctx, cells + 1, size_t);
    if (!o->node_id || !o->job_id || !o->server_row || !o->server_index || !o->unit0 || !o->entry0 || !o->load ||
        !o->service_entry)
        return CTW_E_NOMEM;
    for (size_t i = 0, l = 0; i < o->jobs; i++) {
        o->count[i] = (int32_t)ctw_place__i64(p->jobs.count, i, 1);
        o->service[i] = is_service(p, i) ? (int32_t)l++ : -1;
        if (o->service[i] >= 0) continue;
        o->duration[i] = (int32_t)ctw_place__i64(p->jobs.duration, i, 1);
        o->unit0[i] = o->units;
        o->entry0[i] = entries;
        o->units += (size_t)o->count[i];
        entries += (size_t)o->count[i] * (size_t)o->duration[i];
    }
    o->run = CTW_NEW(ctx, o->units, int32_t);
    o->slot = CTW_NEW(ctx, entries, int32_t);
    o->server = CTW_NEW(ctx, entries, int32_t);
    return o->run && o->slot && o->server ? CTW_OK : CTW_E_NOMEM;
}

/* A batch row's units: their places, and what is to be said of them together. */
static void write_batch(const roller *r, ctw_solution *o, size_t row)
{
    const ctw_solution *s = r->rest->s;
    int64_t start = ctw_place__i64(r->p->jobs.release, row, 0) + o->duration[row];
    for (int32_t u = 0; u < o->count[row]; u++) {
        size_t at = r->rest->unit0[row] + (size_t)u, e = o->entry0[row] + (size_t)u * (size_t)o->duration[row];
        int32_t from = r->rest->row[at], n = 0;
        int64_t late = 0;
        if (from >= 0) {
            size_t x = s->unit0[from] + (size_t)r->rest->unit[at];
            size_t f = s->entry0[from] + (size_t)r->rest->unit[at] * (size_t)s->duration[from];
            n = s->run[x];
            for (int32_t q = 0; q < n; q++) {
                o->slot[e + (size_t)q] = s->slot[f + (size_t)q] + (int32_t)r->now;
                o->server[e + (size_t)q] = s->server[f + (size_t)q];
            }
            if (n > 0) late = o->slot[e + (size_t)n - 1] + 1 - start;
            if (s->why[from] > o->why[row]) o->why[row] = s->why[from];
        }
        o->run[o->unit0[row] + (size_t)u] = n;
        o->missed[row] += o->duration[row] - n - r->rest->past[at].done;
        if (late > o->delay[row]) o->delay[row] = late;
    }
    if (o->missed[row] > 0 && o->why[row] < CTW_WHY_MISSED_COST) o->why[row] = CTW_WHY_MISSED_CAPACITY;
    if (o->delay[row] > 0 && o->why[row] == CTW_WHY_ON_TIME) o->why[row] = CTW_WHY_FULL;
}

/* Services: nothing before now, then as in the rest's plan. */
static ctw_status write_services(const roller *r, ctw_solution *o)
{
    const ctw_solution *s = r->rest->s;
    size_t l2 = 0, at = 0, total = s->service_entry[s->services * s->slots];
    o->service_server = CTW_NEW(r->p->h.ctx, total, int32_t);
    if (!o->service_server) return CTW_E_NOMEM;
    memcpy(o->service_server, s->service_server, total * sizeof(int32_t));
    for (size_t row = 0, row2 = 0; row < o->jobs; row++) {
        if (o->service[row] < 0) continue;
        while (s->service[row2] < 0) row2++;
        o->why[row] = s->why[row2];
        o->missed[row] = s->missed[row2++];
        for (size_t t = 0; t < o->slots; t++) {
            size_t cell = (size_t)o->service[row] * o->slots + t;
            o->service_entry[cell] = at;
            if (t < r->now) continue;
            o->load[cell] = s->load[l2 * s->slots + t - r->now];
            at += (size_t)o->load[cell];
        }
        l2++;
    }
    o->service_entry[o->services * o->slots] = at;
    return CTW_OK;
}

static ctw_status write_whole(roller *r, ctw_solution *o)
{
    const ctw_solution *s = r->rest->s;
    CTW_TRY(lay_out(r, o));
    for (size_t i = 0; i < o->jobs; i++) {
        if (o->service[i] < 0) write_batch(r, o, i);
    }
    CTW_TRY(write_services(r, o));
    o->outcome = s->outcome;
    o->stop = s->stop;
    o->spots = s->spots;
    o->objective = s->objective;
    o->bound = s->bound;
    o->report = ctw_report_ref(s->report);
    return CTW_OK;
}

ctw_status ctw_place__rest_verify(const ctw_place *p, const ctw_solution *s, const char *fn)
{
    const ctw_place__rest *rest = s->rest;
    ctw_place__walk w = {.s = s};
    ctw_place__spot x;
    uint64_t n = 0;
    CTW_TRY(ctw_place__verify(rest->p, rest->s, fn));
    while (ctw_place__next(&w, &x)) {
        n++;
        if ((size_t)x.slot < rest->now || x.job_row < 0 || (size_t)x.job_row >= p->jobs.n) {
            return ctw_base__fail(CTW_E_INTERNAL, "%s: a placement of job row %d in slot %d, before %zu", fn,
                                  (int)x.job_row, (int)x.slot, rest->now);
        }
        if (is_service(p, (size_t)x.job_row)) continue;
        size_t at = rest->unit0[x.job_row] + (size_t)x.unit;
        int64_t release = ctw_place__i64(p->jobs.release, (size_t)x.job_row, 0);
        int64_t deadline = ctw_place__i64(p->jobs.deadline, (size_t)x.job_row, INT64_MAX);
        if (rest->row[at] < 0 || x.slot < release || x.slot >= deadline) {
            return ctw_base__fail(CTW_E_INTERNAL, "%s: job row %d unit %d runs in slot %d, outside what is left of it",
                                  fn, (int)x.job_row, (int)x.unit, (int)x.slot);
        }
    }
    if (n == rest->s->spots) return CTW_OK;
    return ctw_base__fail(CTW_E_INTERNAL, "%s: %llu placements, the plan of the rest has %llu", fn,
                          (unsigned long long)n, (unsigned long long)rest->s->spots);
}

static ctw_status check_call(const ctw_place *p, const ctw_solution *before, int64_t now, const char *fn)
{
    if (!p->nodes.id || !p->jobs.id || !p->carbon)
        return ctw_base__fail(CTW_E_STATE, "%s: servers, jobs and carbon are set first", fn);
    if (now < 0 || (uint64_t)now >= p->slots)
        return ctw_base__fail(CTW_E_RANGE, "%s: now is %lld, the horizon has %zu slots", fn, (long long)now, p->slots);
    if (before->only >= 0) return ctw_base__fail(CTW_E_ARG, "%s: before is the plan of one slot", fn);
    size_t from = before->rest ? before->rest->now : 0;
    if ((size_t)now < from)
        return ctw_base__fail(CTW_E_RANGE, "%s: now is %lld, the plan at hand begins at %zu", fn, (long long)now, from);
    return CTW_OK;
}

static ctw_status new_roller(roller *r)
{
    ctw_ctx *ctx = r->p->h.ctx;
    size_t n = r->p->jobs.n;
    r->q = ctw_base__handle_new(ctx, sizeof *r->q, CTW_PLACE_MAGIC);
    r->rest = CTW_NEW(ctx, 1, ctw_place__rest);
    r->node_of = CTW_NEW(ctx, r->old->nodes, int32_t);
    r->job_of = CTW_NEW(ctx, r->old->jobs, int32_t);
    if (!r->q || !r->rest || !r->node_of || !r->job_of) return CTW_E_NOMEM;
    r->rest->now = r->now;
    r->rest->unit0 = CTW_NEW(ctx, n + 1, size_t);
    if (!r->rest->unit0) return CTW_E_NOMEM;
    for (size_t i = 0; i < n; i++)
        r->rest->unit0[i + 1] =
            r->rest->unit0[i] + (size_t)(is_service(r->p, i) ? 0 : ctw_place__i64(r->p->jobs.count, i, 1));
    size_t units = r->rest->unit0[n];
    r->rest->past = CTW_NEW(ctx, units, ctw_place__past);
    r->rest->row = CTW_NEW(ctx, units, int32_t);
    r->rest->unit = CTW_NEW(ctx, units, int32_t);
    if (!r->rest->past || !r->rest->row || !r->rest->unit) return CTW_E_NOMEM;
    for (size_t u = 0; u < units; u++) {
        r->rest->row[u] = -1;
        r->rest->past[u].region = r->rest->past[u].node = -1;
    }
    r->q->opt = r->p->opt;
    r->q->age = r->p->age;
    CTW_TRY(match_ids(ctx, r->old->node_id, r->old->nodes, r->p->nodes.id, r->p->nodes.n, r->node_of));
    return match_ids(ctx, r->old->job_id, r->old->jobs, r->p->jobs.id, n, r->job_of);
}

static ctw_status roll(roller *r, double deadline_s, ctw_cancel *cancel, ctw_solution **out)
{
    CTW_TRY(new_roller(r));
    CTW_TRY(pose(r));
    r->q->progress = r->p->progress;
    r->q->progress_user = r->p->progress_user;
    CTW_TRY(ctw_place_solve(r->q, deadline_s, cancel, &r->rest->s));
    ctw_solution *o = ctw_place__solution_new(r->p->h.ctx);
    if (!o) return CTW_E_NOMEM;
    ctw_status s = write_whole(r, o);
    if (s != CTW_OK) {
        ctw_solution_unref(o);
        return s;
    }
    r->rest->p = r->q;
    o->rest = r->rest;
    r->q = NULL;
    r->rest = NULL;
    *out = o;
    return CTW_OK;
}

ctw_status ctw_place_replan(ctw_place *p, const ctw_solution *before, int64_t now, double deadline_s,
                            ctw_cancel *cancel, ctw_solution **out)
{
    CTW_TRY(ctw_base__need(out, __func__, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__handle_check(before ? &before->h : NULL, CTW_SOLUTION_MAGIC, __func__, "before"));
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_PLACE_MAGIC, __func__, "p"));
    roller r;
    memset(&r, 0, sizeof r);
    r.p = p;
    r.old = before;
    r.now = (size_t)(now < 0 ? 0 : now);
    ctw_status s = check_call(p, before, now, __func__);
    if (s == CTW_OK) s = roll(&r, deadline_s, cancel, out);
    if (s == CTW_OK) s = ctw_place__verify(p, *out, __func__);
    if (s != CTW_OK) {
        ctw_solution_unref(*out);
        *out = NULL;
    }
    ctw_place_unref(r.q);
    ctw_place__rest_free(p->h.ctx, r.rest);
    ctw_base__free(p->h.ctx, r.node_of);
    ctw_base__free(p->h.ctx, r.job_of);
    ctw_base__free(p->h.ctx, r.running);
    ctw_base__handle_leave(&p->h);
    return s;
}
