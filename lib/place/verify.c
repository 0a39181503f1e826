/* verify.c: checks a plan against the problem as the host stated it. It shares no code with the solvers and
 * reads none of their structures, so that a mistake there cannot hide itself here. All sums are formed anew,
 * compensated, and compared under a tolerance of 1e-9 relative. */
#include "place/verify.h"
#include "num/sort.h"
#include <math.h>
#include <string.h>

#define TOLERANCE 1e-9

typedef struct judge {
    const ctw_place *p;
    const ctw_solution *s;
    const char *fn;
    size_t servers;
    size_t *first; /* nodes + 1: flat number of each row's first server */
    double *use;   /* servers x r, of one slot */
    uint8_t *on, *on_before;
    double *region_w; /* regions, of one slot */
    int32_t *need;    /* jobs: replicas asked for in one slot */
    int64_t *ran;     /* jobs: batch unit-slots that ran, service replicas in one slot */
    size_t *by_slot;  /* spots in order of slot */
    size_t *slot_at;  /* slots + 1 */
    double grams, carry;
} judge;

static ctw_status broken(const judge *v, const char *rule, const ctw_place__spot *x)
{
    return ctw_base__fail(CTW_E_INTERNAL, "%s: %s: job row %d unit %d slot %d on server %d of row %d", v->fn, rule,
                          (int)x->job_row, (int)x->unit, (int)x->slot, (int)x->server, (int)x->node_row);
}

static void add_grams(judge *v, double g)
{
    double sum = v->grams + g;
    v->carry += fabs(v->grams) >= fabs(g) ? (v->grams - sum) + g : (g - sum) + v->grams;
    v->grams = sum;
}

static int is_service(const ctw_place *p, size_t row)
{
    return p->jobs.kind && p->jobs.kind[row] == CTW_JOB_SERVICE;
}

/* A placement by itself: indices, window, region, type. */
static ctw_status check_spot(const judge *v, const ctw_place__spot *x)
{
    const ctw_place *p = v->p;
    if (x->job_row < 0 || (size_t)x->job_row >= p->jobs.n || x->node_row < 0 || (size_t)x->node_row >= p->nodes.n) {
        return broken(v, "no such row", x);
    }
    size_t j = (size_t)x->job_row, i = (size_t)x->node_row;
    if (x->slot < 0 || (size_t)x->slot >= p->slots) return broken(v, "outside the horizon", x);
    if (x->unit < 0 || x->unit >= ctw_place__i64(p->jobs.count, j, 1)) return broken(v, "no such unit", x);
    if (x->server < 0 || x->server >= ctw_place__i64(p->nodes.count, i, 1)) return broken(v, "no such server", x);
    int64_t home = ctw_place__i64(p->jobs.region, j, -1), type = ctw_place__i64(p->jobs.type, j, -1);
    if (home >= 0 && !ctw_place__flag(p->jobs.movable, j) && home != ctw_place__i64(p->nodes.region, i, 0)) {
        return broken(v, "wrong region", x);
    }
    if (type >= 0 && type != ctw_place__i64(p->nodes.type, i, 0)) return broken(v, "wrong type", x);
    if (!is_service(p, j)) {
        if (x->slot < ctw_place__i64(p->jobs.release, j, 0)) return broken(v, "before its release", x);
        if (x->slot >= ctw_place__i64(p->jobs.deadline, j, INT64_MAX)) return broken(v, "after its deadline", x);
    }
    return CTW_OK;
}

/* A batch unit's placements, spots [a, b): ascending, not too many, whole and contiguous unless preemptible. */
static ctw_status check_unit(const judge *v, size_t a, size_t b)
{
    const ctw_place__spot *x = v->s->spot;
    size_t j = (size_t)x[a].job_row;
    int64_t duration = ctw_place__i64(v->p->jobs.duration, j, 1);
    for (size_t e = a + 1; e < b; e++) {
        if (x[e].slot <= x[e - 1].slot) return broken(v, "twice in one slot", x + e);
        if (!ctw_place__flag(v->p->jobs.preemptible, j) && x[e].slot != x[e - 1].slot + 1) {
            return broken(v, "interrupted", x + e);
        }
        if (ctw_place__i64(v->p->nodes.region, (size_t)x[e].node_row, 0) !=
            ctw_place__i64(v->p->nodes.region, (size_t)x[e - 1].node_row, 0)) {
            return broken(v, "in two regions", x + e);
        }
    }
    if ((int64_t)(b - a) > duration) return broken(v, "longer than its duration", x + a);
    if ((int64_t)(b - a) < duration && !ctw_place__flag(v->p->jobs.preemptible, j))
        return broken(v, "cut short", x + a);
    return CTW_OK;
}

static ctw_status check_spots(judge *v)
{
    const ctw_place__spot *x = v->s->spot;
    for (size_t a = 0, b; a < v->s->spots; a = b) {
        for (b = a; b < v->s->spots && x[b].job_row == x[a].job_row && x[b].unit == x[a].unit; b++) {
            CTW_TRY(check_spot(v, x + b));
        }
        size_t j = (size_t)x[a].job_row;
        if (a > 0 &&
            (x[a].job_row < x[a - 1].job_row || (x[a].job_row == x[a - 1].job_row && x[a].unit < x[a - 1].unit))) {
            return broken(v, "out of order", x + a);
        }
        if (is_service(v->p, j)) {
            for (size_t e = a + 1; e < b; e++) {
                if (x[e].slot <= x[e - 1].slot) return broken(v, "twice in one slot", x + e);
            }
            continue;
        }
        CTW_TRY(check_unit(v, a, b));
        v->ran[j] += (int64_t)(b - a);
    }
    return CTW_OK;
}

/* Penalty per missed batch slot or missing replica when the host gave none: only its size matters to the plan,
 * but the cost must be the solver's, so the rule of the manual is restated here. */
static double penalty(const judge *v, size_t j)
{
    const ctw_place *p = v->p;
    double given = ctw_place__f64(p->jobs.penalty, j, INFINITY), hours = p->opt.slot_s / 3600, ci = 0, most = 0;
    if (isfinite(given)) return is_service(p, j) ? given : given / (double)ctw_place__i64(p->jobs.duration, j, 1);
    for (size_t i = 0; i < p->regions * p->slots; i++) ci = fmax(ci, p->carbon[i] / 1000);
    for (size_t i = 0; i < p->nodes.n; i++) {
        double w = ctw_place__f64(p->nodes.idle, i, 0);
        for (size_t q = 0; q < p->nodes.r && p->nodes.watt; q++) {
            w += p->nodes.watt[i * p->nodes.r + q] * p->jobs.demand[j * p->nodes.r + q];
        }
        double g = ci * hours * w + ctw_place__f64(p->nodes.embodied, i, 0) * hours +
                   ci * ctw_place__f64(p->nodes.startup, i, 0);
        most = fmax(most, g);
    }
    return (1.1 * most + 1e-3) * (is_service(p, j) ? 100 : 1);
}

static ctw_status alloc_judge(judge *v)
{
    const ctw_place *p = v->p;
    ctw_ctx *ctx = v->s->h.ctx;
    v->first = CTW_NEW(ctx, p->nodes.n + 1, size_t);
    if (!v->first) return CTW_E_NOMEM;
    for (size_t i = 0; i < p->nodes.n; i++)
        v->first[i + 1] = v->first[i] + (size_t)ctw_place__i64(p->nodes.count, i, 1);
    v->servers = v->first[p->nodes.n];
    v->use = CTW_NEW(ctx, v->servers * (p->nodes.r + 1), double);
    v->on = CTW_NEW(ctx, v->servers, uint8_t);
    v->on_before = CTW_NEW(ctx, v->servers, uint8_t);
    v->region_w = CTW_NEW(ctx, p->regions, double);
    v->need = CTW_NEW(ctx, p->jobs.n, int32_t);
    v->ran = CTW_NEW(ctx, p->jobs.n, int64_t);
    v->by_slot = CTW_NEW(ctx, v->s->spots, size_t);
    v->slot_at = CTW_NEW(ctx, p->slots + 2, size_t);
    return v->use && v->on && v->on_before && v->region_w && v->need && v->ran && v->by_slot && v->slot_at
               ? CTW_OK
               : CTW_E_NOMEM;
}

static void free_judge(judge *v)
{
    void *all[] = {v->first, v->use, v->on, v->on_before, v->region_w, v->need, v->ran, v->by_slot, v->slot_at};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(v->s->h.ctx, all[i]);
}

/* Spots in order of slot, stable, by counting. */
static void sort_by_slot(judge *v)
{
    for (size_t e = 0; e < v->s->spots; e++) v->slot_at[v->s->spot[e].slot + 2]++;
    for (size_t t = 0; t < v->p->slots; t++) v->slot_at[t + 2] += v->slot_at[t + 1];
    for (size_t e = 0; e < v->s->spots; e++) v->by_slot[v->slot_at[v->s->spot[e].slot + 1]++] = e;
}

/* Adds one slot's placements to the servers. */
static ctw_status load_slot(judge *v, size_t t)
{
    const ctw_place *p = v->p;
    size_t r = p->nodes.r;
    memset(v->use, 0, v->servers * r * sizeof(double));
    memset(v->on, 0, v->servers);
    for (size_t i = v->slot_at[t]; i < v->slot_at[t + 1]; i++) {
        const ctw_place__spot *x = v->s->spot + v->by_slot[i];
        size_t at = v->first[x->node_row] + (size_t)x->server, j = (size_t)x->job_row;
        for (size_t q = 0; q < r; q++) v->use[at * r + q] += p->jobs.demand[j * r + q];
        v->on[at] = 1;
        if (is_service(p, j)) v->ran[j]++;
    }
    return CTW_OK;
}

/* Capacities and power caps of one slot; adds its grams. */
static ctw_status check_servers(judge *v, size_t t)
{
    const ctw_place *p = v->p;
    size_t r = p->nodes.r;
    double hours = p->opt.slot_s / 3600;
    memset(v->region_w, 0, p->regions * sizeof(double));
    for (size_t i = 0; i < p->nodes.n; i++) {
        size_t region = (size_t)ctw_place__i64(p->nodes.region, i, 0);
        double ci = p->carbon[region * p->slots + t] / 1000;
        for (size_t at = v->first[i]; at < v->first[i + 1]; at++) {
            if (!v->on[at]) continue;
            double watts = ctw_place__f64(p->nodes.idle, i, 0), cap_w = ctw_place__f64(p->nodes.cap_w, i, INFINITY);
            for (size_t q = 0; q < r; q++) {
                double cap = p->nodes.cap[i * r + q], use = v->use[at * r + q];
                if (use > cap + TOLERANCE * fmax(cap, 1e-9)) {
                    return ctw_base__fail(CTW_E_INTERNAL,
                                          "%s: server %zu of row %zu uses %g of %g of resource %zu in slot %zu", v->fn,
                                          at - v->first[i], i, use, cap, q, t);
                }
                if (p->nodes.watt) watts += p->nodes.watt[i * r + q] * use;
            }
            if (watts > cap_w * (1 + 1e-8)) {
                return ctw_base__fail(CTW_E_INTERNAL, "%s: server %zu of row %zu draws %g W of %g in slot %zu", v->fn,
                                      at - v->first[i], i, watts, cap_w, t);
            }
            v->region_w[region] += watts;
            add_grams(v, watts * ci * hours + ctw_place__f64(p->nodes.embodied, i, 0) * hours);
            if (t > 0 && !v->on_before[at]) add_grams(v, ci * ctw_place__f64(p->nodes.startup, i, 0));
        }
    }
    for (size_t g = 0; g < p->regions && p->region_cap; g++) {
        if (v->region_w[g] > p->region_cap[g] * (1 + 1e-8)) {
            return ctw_base__fail(CTW_E_INTERNAL, "%s: region %zu draws %g W of %g in slot %zu", v->fn, g,
                                  v->region_w[g], p->region_cap[g], t);
        }
    }
    return CTW_OK;
}

/* Replicas asked for in slot t. The last entry for a (row, slot) counts, as the manual says. */
static void read_need(judge *v, size_t t, const uint8_t *given)
{
    const ctw_place__jobs *j = &v->p->jobs;
    for (size_t row = 0; row < j->n; row++) {
        v->need[row] = 0;
        if (!is_service(v->p, row) || given[row]) continue;
        int inside = (int64_t)t >= ctw_place__i64(j->release, row, 0) &&
                     (int64_t)t < ctw_place__i64(j->deadline, row, INT64_MAX);
        v->need[row] = inside ? (int32_t)ctw_place__i64(j->count, row, 1) : 0;
    }
}

/* Services of one slot: never more than asked for; what is missing costs. `ran` of services is reset. */
static ctw_status check_services(judge *v, size_t t)
{
    for (size_t row = 0; row < v->p->jobs.n; row++) {
        if (!is_service(v->p, row)) continue;
        if (v->ran[row] > v->need[row]) {
            return ctw_base__fail(CTW_E_INTERNAL,
                                  "%s: service row %zu runs %lld replicas in slot %zu, %d were asked for", v->fn, row,
                                  (long long)v->ran[row], t, (int)v->need[row]);
        }
        if (v->ran[row] < v->need[row]) add_grams(v, (double)(v->need[row] - v->ran[row]) * penalty(v, row));
        v->ran[row] = 0;
    }
    return CTW_OK;
}

typedef struct spread_key {
    const judge *v;
} spread_key;

static int cmp_spread(const void *pa, const void *pb, void *user)
{
    const judge *v = ((const spread_key *)user)->v;
    const ctw_place__spot *a = v->s->spot + *(const size_t *)pa, *b = v->s->spot + *(const size_t *)pb;
    if (a->job_row != b->job_row) return a->job_row < b->job_row ? -1 : 1;
    if (a->node_row != b->node_row) return a->node_row < b->node_row ? -1 : 1;
    return a->server < b->server ? -1 : a->server > b->server;
}

/* Anti-affinity within one slot. Reorders the slot's stretch of by_slot. */
static ctw_status check_spread(judge *v, size_t t)
{
    size_t n = v->slot_at[t + 1] - v->slot_at[t], *at = v->by_slot + v->slot_at[t];
    spread_key key = {v};
    ctw_num__sort_by(at, n, sizeof *at, cmp_spread, &key);
    for (size_t a = 0, b; a < n; a = b) {
        for (b = a + 1; b < n && cmp_spread(at + a, at + b, &key) == 0; b++) {
        }
        int64_t most = v->p->jobs.spread[v->s->spot[at[a]].job_row];
        if (most > 0 && (int64_t)(b - a) > most)
            return broken(v, "too many of one job on one server", v->s->spot + at[a]);
    }
    return CTW_OK;
}

static ctw_status check_batch_totals(judge *v)
{
    const ctw_place__jobs *j = &v->p->jobs;
    double asked = 0, ran = 0;
    for (size_t row = 0; row < j->n; row++) {
        if (is_service(v->p, row)) continue;
        int64_t all = ctw_place__i64(j->count, row, 1) * ctw_place__i64(j->duration, row, 1);
        asked += (double)all;
        ran += (double)v->ran[row];
        if (all > v->ran[row]) add_grams(v, (double)(all - v->ran[row]) * penalty(v, row));
    }
    if (v->s->h.ctx && ran < v->p->opt.throughput_min * asked * (1 - TOLERANCE)) {
        double listed = 0;
        const char *key = "throughput_short";
        if (ctw_report_get_f64(v->s->report, key, &listed) != CTW_OK || listed <= 0) {
            return ctw_base__fail(CTW_E_INTERNAL,
                                  "%s: %g of %g batch slots run, fewer than throughput_min %g asks for, unlisted",
                                  v->fn, ran, asked, v->p->opt.throughput_min);
        }
    }
    return CTW_OK;
}

/* Load entries of slot t, taken in the host's order. */
static void apply_loads(judge *v, size_t t, const size_t *load_at, const size_t *load_order)
{
    for (size_t i = load_at[t]; i < load_at[t + 1]; i++) {
        size_t e = load_order[i];
        v->need[v->p->jobs.load_row[e]] = (int32_t)v->p->jobs.load_count[e];
    }
}

static ctw_status check_slots(judge *v, const uint8_t *given, const size_t *load_at, const size_t *load_order)
{
    for (size_t t = 0; t < v->p->slots; t++) {
        CTW_TRY(load_slot(v, t));
        CTW_TRY(check_servers(v, t));
        read_need(v, t, given);
        apply_loads(v, t, load_at, load_order);
        CTW_TRY(check_services(v, t));
        if (v->p->jobs.spread) CTW_TRY(check_spread(v, t));
        uint8_t *swap = v->on;
        v->on = v->on_before;
        v->on_before = swap;
    }
    return CTW_OK;
}

/* Load entries by slot, then the slots one by one. */
static ctw_status check_time(judge *v)
{
    const ctw_place__jobs *j = &v->p->jobs;
    ctw_ctx *ctx = v->s->h.ctx;
    uint8_t *given = CTW_NEW(ctx, j->n, uint8_t);
    size_t *load_at = CTW_NEW(ctx, v->p->slots + 2, size_t), *order = CTW_NEW(ctx, j->loads, size_t);
    ctw_status s = given && load_at && order ? CTW_OK : CTW_E_NOMEM;
    for (size_t e = 0; e < j->loads && s == CTW_OK; e++) {
        if ((size_t)j->load_slot[e] >= v->p->slots) {
            s = ctw_base__fail(CTW_E_SHAPE, "%s: load entry %zu is beyond the horizon", v->fn, e);
            break;
        }
        given[j->load_row[e]] = 1;
        load_at[j->load_slot[e] + 2]++;
    }
    if (s == CTW_OK) {
        for (size_t t = 0; t < v->p->slots; t++) load_at[t + 2] += load_at[t + 1];
        for (size_t e = 0; e < j->loads; e++) order[load_at[j->load_slot[e] + 1]++] = e;
        s = check_slots(v, given, load_at, order);
    }
    ctw_base__free(ctx, given);
    ctw_base__free(ctx, load_at);
    ctw_base__free(ctx, order);
    return s;
}

static ctw_status judge_all(judge *v)
{
    CTW_TRY(alloc_judge(v));
    CTW_TRY(check_spots(v));
    sort_by_slot(v);
    CTW_TRY(check_time(v));
    CTW_TRY(check_batch_totals(v));
    double total = v->grams + v->carry, claimed = v->s->objective;
    if (!(fabs(total - claimed) <= TOLERANCE * fmax(1e-6, fabs(total)))) {
        return ctw_base__fail(CTW_E_INTERNAL, "%s: the plan costs %.12g g, the solver claims %.12g", v->fn, total,
                              claimed);
    }
    if (v->s->bound > total * (1 + TOLERANCE) + 1e-9) {
        return ctw_base__fail(CTW_E_INTERNAL, "%s: the bound %.12g is above the plan's cost %.12g", v->fn, v->s->bound,
                              total);
    }
    return CTW_OK;
}

ctw_status ctw_place__verify(const ctw_place *p, const ctw_solution *s, const char *fn)
{
    if (s->jobs != p->jobs.n || s->nodes != p->nodes.n || s->slots != p->slots) {
        return ctw_base__fail(CTW_E_SHAPE,
                              "%s: the plan is for %zu job rows, %zu server rows and %zu slots, the problem has "
                              "%zu, %zu and %zu",
                              fn, s->jobs, s->nodes, s->slots, p->jobs.n, p->nodes.n, p->slots);
    }
    judge v;
    memset(&v, 0, sizeof v);
    v.p = p;
    v.s = s;
    v.fn = fn;
    ctw_status status = judge_all(&v);
    free_judge(&v);
    return status;
}
