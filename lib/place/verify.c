/* verify.c: checks a plan against the problem as the host stated it. It shares no code with the solvers and
 * reads none of their structures, so that a mistake there cannot hide itself here. Sums that decide the cost are
 * formed anew, compensated, and compared under a tolerance of 1e-9 relative. */
#include "place/verify.h"
#include "num/sort.h"
#include "place/roll.h"
#include "place/verify_energy.h"
#include "place/verify_moves.h"
#include "place/verify_reserve.h"
#include <math.h>
#include <string.h>

#define TOLERANCE 1e-9

typedef struct judge {
    const ctw_place *p;
    const ctw_solution *s;
    const char *fn;
    ctw_ctx *ctx;
    size_t from, to; /* slots judged: all, or the one of a plan of one slot */
    size_t servers;
    size_t r; /* resources that some job needs, and which */
    size_t *res;
    size_t *first;      /* nodes + 1: flat number of each row's first server */
    double *use;        /* ((slot - from) x servers + server) x r */
    uint8_t *on;        /* (slot - from) x servers */
    double *watts;      /* regions, of one slot */
    double *rack_watts; /* capped racks, of one slot */
    int32_t *need;      /* services x slots: replicas asked for, less those that run */
    int32_t *index;     /* jobs: which service, -1 for batch */
    int64_t *ran;       /* jobs: batch unit-slots that run */
    double *draw;       /* regions x slots: W, where supply, storage or scenarios decide what they emit; else NULL */
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

static int64_t region_of(const judge *v, int32_t node_row)
{
    return ctw_place__i64(v->p->nodes.region, (size_t)node_row, 0);
}

/* A placement by itself: indices, window, region, type. */
static ctw_status check_spot(const judge *v, const ctw_place__spot *x)
{
    const ctw_place *p = v->p;
    if (x->job_row < 0 || (size_t)x->job_row >= p->jobs.n || x->node_row < 0 || (size_t)x->node_row >= p->nodes.n) {
        return broken(v, "no such row", x);
    }
    size_t j = (size_t)x->job_row, i = (size_t)x->node_row;
    if (x->slot < 0 || (size_t)x->slot < v->from || (size_t)x->slot >= v->to)
        return broken(v, "outside the horizon", x);
    if (x->unit < 0 || x->unit >= ctw_place__i64(p->jobs.count, j, 1)) return broken(v, "no such unit", x);
    if (x->server < 0 || x->server >= ctw_place__i64(p->nodes.count, i, 1)) return broken(v, "no such server", x);
    int64_t home = ctw_place__i64(p->jobs.region, j, -1), type = ctw_place__i64(p->jobs.type, j, -1);
    if (home >= 0 && !ctw_place__flag(p->jobs.movable, j) && home != region_of(v, x->node_row)) {
        return broken(v, "wrong region", x);
    }
    if (type >= 0 && type != ctw_place__i64(p->nodes.type, i, 0)) return broken(v, "wrong type", x);
    if (!is_service(p, j)) {
        if (x->slot < ctw_place__i64(p->jobs.release, j, 0)) return broken(v, "before its release", x);
        if (x->slot >= ctw_place__i64(p->jobs.deadline, j, INT64_MAX)) return broken(v, "after its deadline", x);
    }
    return CTW_OK;
}

/* Two placements of one unit, in order. */
static ctw_status check_pair(const judge *v, const ctw_place__spot *a, const ctw_place__spot *b)
{
    if (b->slot <= a->slot) return broken(v, "twice in one slot", b);
    if (is_service(v->p, (size_t)a->job_row)) return CTW_OK;
    if (!ctw_place__flag(v->p->jobs.preemptible, (size_t)a->job_row) && b->slot != a->slot + 1) {
        return broken(v, "interrupted", b);
    }
    return region_of(v, a->node_row) == region_of(v, b->node_row) ? CTW_OK : broken(v, "in two regions", b);
}

/* A batch unit that ran n slots, the last of them x. */
static ctw_status check_length(const judge *v, const ctw_place__spot *x, int64_t n)
{
    size_t j = (size_t)x->job_row;
    int64_t duration = ctw_place__i64(v->p->jobs.duration, j, 1);
    if (is_service(v->p, j) || v->s->only >= 0) return CTW_OK;
    if (n > duration) return broken(v, "longer than its duration", x);
    if (n < duration && !ctw_place__flag(v->p->jobs.preemptible, j)) return broken(v, "cut short", x);
    return CTW_OK;
}

/* Adds a placement to its server and its job. */
static void count_spot(judge *v, const ctw_place__spot *x)
{
    size_t r = v->r, j = (size_t)x->job_row;
    size_t at = ((size_t)x->slot - v->from) * v->servers + v->first[x->node_row] + (size_t)x->server;
    const double *demand = v->p->jobs.demand + j * v->p->jobs.r;
    for (size_t q = 0; q < r; q++) v->use[at * r + q] += demand[v->res[q]];
    v->on[at] = 1;
    if (v->index[j] >= 0) {
        v->need[(size_t)v->index[j] * v->p->slots + (size_t)x->slot]--;
    } else {
        v->ran[j]++;
    }
}

static ctw_status check_spots(judge *v)
{
    ctw_place__walk w = {.s = v->s};
    ctw_place__spot x, before = {.job_row = -1};
    int64_t n = 0;
    while (ctw_place__next(&w, &x)) {
        CTW_TRY(check_spot(v, &x));
        if (x.job_row == before.job_row && x.unit == before.unit) {
            CTW_TRY(check_pair(v, &before, &x));
            n++;
        } else {
            if (before.job_row >= 0) CTW_TRY(check_length(v, &before, n));
            n = 1;
        }
        count_spot(v, &x);
        before = x;
    }
    return before.job_row >= 0 ? check_length(v, &before, n) : CTW_OK;
}

/* Servers kept on without load draw idle power like the others. */
static ctw_status check_spares(judge *v)
{
    const ctw_solution *s = v->s;
    for (size_t i = 0; i < s->spares; i++) {
        if (s->spare_slot[i] < 0 || (size_t)s->spare_slot[i] >= v->p->slots || s->spare_server[i] < 0 ||
            (size_t)s->spare_server[i] >= v->servers) {
            return ctw_base__fail(CTW_E_INTERNAL, "%s: spare %zu is server %d in slot %d", v->fn, i,
                                  (int)s->spare_server[i], (int)s->spare_slot[i]);
        }
        v->on[(size_t)s->spare_slot[i] * v->servers + (size_t)s->spare_server[i]] = 1;
    }
    return CTW_OK;
}

/* Losses that are not survived must be listed. */
static ctw_status check_reserve(judge *v)
{
    int64_t missing = 0, listed = 0;
    if (v->p->opt.reserve == CTW_PLACE_RESERVE_NONE) return CTW_OK;
    CTW_TRY(ctw_place__verify_reserve(v->p, v->s, v->on, &missing));
    if (missing == 0) return CTW_OK;
    if (ctw_report_get_i64(v->s->report, "reserve_short", &listed) == CTW_OK && missing <= listed) return CTW_OK;
    return ctw_base__fail(CTW_E_INTERNAL, "%s: the services do not survive %lld losses, %lld are listed", v->fn,
                          (long long)missing, (long long)listed);
}

/* Penalty per missed batch slot or missing replica when the host gave none: only its size matters to the plan,
 * but the cost must be the solver's, so the rule of the manual is restated here. */
static double penalty(const judge *v, size_t j)
{
    const ctw_place *p = v->p;
    double given = ctw_place__f64(p->jobs.penalty, j, INFINITY), hours = p->opt.slot_s / 3600, ci = 0, most = 0;
    if (isfinite(given)) return is_service(p, j) ? given : given / (double)ctw_place__i64(p->jobs.duration, j, 1);
    for (size_t i = 0; i < p->regions * p->slots; i++) ci = fmax(ci, p->carbon[i] / 1000);
    for (size_t i = 0; i < p->scenarios * p->regions * p->slots; i++) ci = fmax(ci, p->scenario[i] / 1000);
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

/* Replicas asked for: the entries given, in the host's order; all replicas within the window for services without. */
static ctw_status read_need(judge *v)
{
    const ctw_place__jobs *j = &v->p->jobs;
    uint8_t *given = CTW_NEW(v->ctx, j->n, uint8_t);
    if (!given) return CTW_E_NOMEM;
    for (size_t e = 0; e < j->loads; e++) {
        size_t row = (size_t)j->load_row[e], slot = (size_t)j->load_slot[e];
        given[row] = 1;
        if (v->index[row] >= 0 && slot < v->p->slots)
            v->need[(size_t)v->index[row] * v->p->slots + slot] = (int32_t)j->load_count[e];
    }
    for (size_t row = 0; row < j->n; row++) {
        if (v->index[row] < 0 || given[row]) continue;
        int64_t from = ctw_place__i64(j->release, row, 0), to = ctw_place__i64(j->deadline, row, INT64_MAX);
        for (int64_t t = from; t < to && t < (int64_t)v->p->slots; t++) {
            v->need[(size_t)v->index[row] * v->p->slots + (size_t)t] = (int32_t)ctw_place__i64(j->count, row, 1);
        }
    }
    ctw_base__free(v->ctx, given);
    return CTW_OK;
}

static ctw_status alloc_judge(judge *v)
{
    const ctw_place *p = v->p;
    size_t services = 0;
    v->first = CTW_NEW(v->ctx, p->nodes.n + 1, size_t);
    v->index = CTW_NEW(v->ctx, p->jobs.n, int32_t);
    v->res = CTW_NEW(v->ctx, p->jobs.r, size_t);
    if (!v->first || !v->index || !v->res) return CTW_E_NOMEM;
    for (size_t q = 0; q < p->jobs.r; q++) {
        int used = 0;
        for (size_t j = 0; j < p->jobs.n && !used; j++) used = p->jobs.demand[j * p->jobs.r + q] > 0;
        if (used) v->res[v->r++] = q;
    }
    for (size_t i = 0; i < p->nodes.n; i++)
        v->first[i + 1] = v->first[i] + (size_t)ctw_place__i64(p->nodes.count, i, 1);
    for (size_t j = 0; j < p->jobs.n; j++) v->index[j] = is_service(p, j) ? (int32_t)services++ : -1;
    v->servers = v->first[p->nodes.n];
    v->use = CTW_NEW(v->ctx, v->servers * (v->to - v->from) * v->r, double);
    v->on = CTW_NEW(v->ctx, v->servers * (v->to - v->from), uint8_t);
    v->watts = CTW_NEW(v->ctx, p->regions, double);
    v->rack_watts = CTW_NEW(v->ctx, p->rack_caps, double);
    v->need = CTW_NEW(v->ctx, services * p->slots, int32_t);
    v->ran = CTW_NEW(v->ctx, p->jobs.n, int64_t);
    if (v->s->only < 0 && (p->supply || p->store || p->scenarios)) {
        v->draw = CTW_NEW(v->ctx, p->regions * p->slots, double);
        if (!v->draw) return CTW_E_NOMEM;
    }
    return v->use && v->on && v->watts && v->rack_watts && v->need && v->ran ? CTW_OK : CTW_E_NOMEM;
}

static void free_judge(judge *v)
{
    void *all[] = {v->res, v->first, v->use, v->on, v->watts, v->rack_watts, v->need, v->index, v->ran, v->draw};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(v->ctx, all[i]);
}

static void add_watts(judge *v, size_t region, size_t t, double watts)
{
    const ctw_place *p = v->p;
    if (v->draw) {
        v->draw[region * p->slots + t] += watts;
    } else {
        add_grams(v, watts * (p->carbon[region * p->slots + t] / 1000) * (p->opt.slot_s / 3600));
    }
}

/* One running server in one slot: capacity, its own power cap, its grams. */
static ctw_status check_server(judge *v, size_t i, size_t server, size_t t)
{
    const ctw_place *p = v->p;
    size_t r = v->r, at = (t - v->from) * v->servers + server, region = (size_t)region_of(v, (int32_t)i);
    double hours = p->opt.slot_s / 3600;
    double watts = ctw_place__f64(p->nodes.idle, i, 0), cap_w = ctw_place__f64(p->nodes.cap_w, i, INFINITY);
    for (size_t q = 0; q < r; q++) {
        size_t res = i * p->nodes.r + v->res[q];
        double cap = p->nodes.cap[res], use = v->use[at * r + q];
        if (use > cap + TOLERANCE * fmax(cap, 1e-9)) {
            return ctw_base__fail(CTW_E_INTERNAL, "%s: server %zu of row %zu uses %g of %g of resource %zu in slot %zu",
                                  v->fn, server - v->first[i], i, use, cap, v->res[q], t);
        }
        if (p->nodes.watt) watts += p->nodes.watt[res] * use;
    }
    if (watts > cap_w * (1 + 1e-8)) {
        return ctw_base__fail(CTW_E_INTERNAL, "%s: server %zu of row %zu draws %g W of %g in slot %zu", v->fn,
                              server - v->first[i], i, watts, cap_w, t);
    }
    v->watts[region] += watts;
    for (size_t q = 0; q < p->rack_caps && p->nodes.rack; q++) {
        if (p->rack_id[q] == p->nodes.rack[i]) v->rack_watts[q] += watts;
    }
    add_grams(v, ctw_place__f64(p->nodes.embodied, i, 0) * hours);
    add_watts(v, region, t, watts);
    if (t > v->from && !v->on[at - v->servers]) add_watts(v, region, t, ctw_place__f64(p->nodes.startup, i, 0) / hours);
    return CTW_OK;
}

static ctw_status check_slot(judge *v, size_t t)
{
    const ctw_place *p = v->p;
    memset(v->watts, 0, p->regions * sizeof(double));
    memset(v->rack_watts, 0, p->rack_caps * sizeof(double));
    for (size_t i = 0; i < p->nodes.n; i++) {
        for (size_t s = v->first[i]; s < v->first[i + 1]; s++) {
            if (v->on[(t - v->from) * v->servers + s]) CTW_TRY(check_server(v, i, s, t));
        }
    }
    for (size_t g = 0; g < p->regions && p->region_cap; g++) {
        if (v->watts[g] > p->region_cap[g] * (1 + 1e-8)) {
            return ctw_base__fail(CTW_E_INTERNAL, "%s: region %zu draws %g W of %g in slot %zu", v->fn, g, v->watts[g],
                                  p->region_cap[g], t);
        }
    }
    for (size_t q = 0; q < p->rack_caps; q++) {
        if (v->rack_watts[q] > p->rack_cap[q] * (1 + 1e-8)) {
            return ctw_base__fail(CTW_E_INTERNAL, "%s: rack %lld draws %g W of %g in slot %zu", v->fn,
                                  (long long)p->rack_id[q], v->rack_watts[q], p->rack_cap[q], t);
        }
    }
    return CTW_OK;
}

/* Services run what is asked for, at most; what is missing costs, or is listed in a plan of one slot. */
static ctw_status check_services(judge *v)
{
    int64_t gone = 0, listed = 0;
    for (size_t row = 0; row < v->p->jobs.n; row++) {
        for (size_t t = v->from; t < v->to && v->index[row] >= 0; t++) {
            int32_t missing = v->need[(size_t)v->index[row] * v->p->slots + t];
            if (missing < 0) {
                return ctw_base__fail(CTW_E_INTERNAL,
                                      "%s: service row %zu runs %d replicas more than asked for in slot %zu", v->fn,
                                      row, -(int)missing, t);
            }
            if (missing > 0 && v->s->only < 0) add_grams(v, missing * penalty(v, row));
            gone += missing;
        }
    }
    if (v->s->only < 0 || (ctw_report_get_i64(v->s->report, "unplaced_services", &listed) == CTW_OK && listed == gone))
        return CTW_OK;
    return ctw_base__fail(CTW_E_INTERNAL, "%s: %lld replicas are missing, the plan lists %lld", v->fn, (long long)gone,
                          (long long)listed);
}

static int cmp_place(const void *pa, const void *pb, void *user)
{
    const ctw_place__spot *a = pa, *b = pb;
    (void)user;
    if (a->slot != b->slot) return a->slot < b->slot ? -1 : 1;
    if (a->node_row != b->node_row) return a->node_row < b->node_row ? -1 : 1;
    return a->server < b->server ? -1 : a->server > b->server;
}

/* One row's placements: not more than `most` on one server in one slot. */
static ctw_status check_row_spread(const judge *v, ctw_place__spot *x, size_t n, int64_t most)
{
    ctw_num__sort_by(x, n, sizeof *x, cmp_place, NULL);
    for (size_t a = 0, b; a < n; a = b) {
        for (b = a + 1; b < n && cmp_place(x + a, x + b, NULL) == 0; b++) {
        }
        if ((int64_t)(b - a) > most) return broken(v, "too many of one job on one server", x + a);
    }
    return CTW_OK;
}

static ctw_status check_spread(const judge *v)
{
    ctw_place__walk w = {.s = v->s};
    ctw_place__spot x, *list = NULL;
    size_t n = 0, cap = 0;
    int32_t row = -1;
    ctw_status s = CTW_OK;
    for (int more = 1; more && s == CTW_OK;) {
        more = ctw_place__next(&w, &x);
        if (n > 0 && (!more || x.job_row != row)) {
            s = check_row_spread(v, list, n, v->p->jobs.spread[row]);
            n = 0;
        }
        if (!more || v->p->jobs.spread[x.job_row] == 0 || s != CTW_OK) continue;
        s = ctw_base__grow(v->ctx, (void **)&list, &cap, n + 1, sizeof *list);
        row = x.job_row;
        if (s == CTW_OK) list[n++] = x;
    }
    ctw_base__free(v->ctx, list);
    return s;
}

static ctw_status check_batch_totals(judge *v)
{
    const ctw_place__jobs *j = &v->p->jobs;
    double asked = 0, ran = 0, listed = 0;
    for (size_t row = 0; row < j->n; row++) {
        if (v->index[row] >= 0) continue;
        int64_t all = ctw_place__i64(j->count, row, 1) * ctw_place__i64(j->duration, row, 1);
        asked += (double)all;
        ran += (double)v->ran[row];
        if (all > v->ran[row]) add_grams(v, (double)(all - v->ran[row]) * penalty(v, row));
    }
    if (ran >= v->p->opt.throughput_min * asked * (1 - TOLERANCE)) return CTW_OK;
    if (ctw_report_get_f64(v->s->report, "throughput_short", &listed) == CTW_OK && listed > 0) return CTW_OK;
    return ctw_base__fail(CTW_E_INTERNAL,
                          "%s: %g of %g batch slots run, fewer than throughput_min %g asks for, unlisted", v->fn, ran,
                          asked, v->p->opt.throughput_min);
}

static ctw_status check_cost(const judge *v)
{
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

/* Only where moves are bounded or cost energy: the count is a walk of its own. */
static ctw_status check_moves(judge *v)
{
    const ctw_place *p = v->p;
    int64_t moves = 0, listed = 0;
    double grams = 0;
    if (p->opt.max_migrations >= 1 && !p->jobs.migration) return CTW_OK;
    CTW_TRY(ctw_place__verify_moves(p, v->s, &moves, v->draw, &grams));
    if (!v->draw) add_grams(v, grams);
    double allowed = p->opt.max_migrations * (double)v->s->spots + 1e-6;
    if ((double)moves <= allowed) return CTW_OK;
    if (ctw_report_get_i64(v->s->report, "migrations_over", &listed) == CTW_OK && (double)(moves - listed) <= allowed)
        return CTW_OK;
    return ctw_base__fail(CTW_E_INTERNAL,
                          "%s: %lld migrations, max_migrations %g allows %.0f of %llu placements, unlisted", v->fn,
                          (long long)moves, p->opt.max_migrations, floor(allowed), (unsigned long long)v->s->spots);
}

/* Where the watts come from, once they are all known. */
static ctw_status check_energy(judge *v)
{
    double grams = 0;
    if (!v->draw) return CTW_OK;
    CTW_TRY(ctw_place__verify_energy(v->p, v->s, v->draw, &grams, v->fn));
    add_grams(v, grams);
    return CTW_OK;
}

static ctw_status judge_all(judge *v)
{
    CTW_TRY(alloc_judge(v));
    CTW_TRY(read_need(v));
    CTW_TRY(check_spots(v));
    if (v->s->only < 0) {
        CTW_TRY(check_spares(v));
        CTW_TRY(check_reserve(v));
    }
    for (size_t t = v->from; t < v->to; t++) CTW_TRY(check_slot(v, t));
    CTW_TRY(check_services(v));
    if (v->p->jobs.spread) CTW_TRY(check_spread(v));
    if (v->s->only >= 0) return check_cost(v);
    CTW_TRY(check_batch_totals(v));
    CTW_TRY(check_moves(v));
    CTW_TRY(check_energy(v));
    return check_cost(v);
}

ctw_status ctw_place__verify(const ctw_place *p, const ctw_solution *s, const char *fn)
{
    if (s->jobs != p->jobs.n || s->nodes != p->nodes.n || s->slots != p->slots) {
        return ctw_base__fail(CTW_E_SHAPE,
                              "%s: the plan is for %zu job rows, %zu server rows and %zu slots, the problem has "
                              "%zu, %zu and %zu",
                              fn, s->jobs, s->nodes, s->slots, p->jobs.n, p->nodes.n, p->slots);
    }
    if (s->rest) return ctw_place__rest_verify(p, s, fn);
    judge v;
    memset(&v, 0, sizeof v);
    v.p = p;
    v.s = s;
    v.fn = fn;
    v.from = s->only >= 0 ? (size_t)s->only : 0;
    v.to = s->only >= 0 ? v.from + 1 : p->slots;
    v.ctx = s->h.ctx;
    ctw_status status = judge_all(&v);
    free_judge(&v);
    return status;
}
