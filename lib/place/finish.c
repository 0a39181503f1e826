/* finish.c: writes a plan back in the host's rows, says why each job runs when it does, and fills the report. */
#include "place/finish.h"
#include "base/report.h"
#include "place/roll.h"
#include <math.h>
#include <string.h>

static void free_members(ctw_solution *s)
{
    void *all[] = {s->node_id,       s->server_row, s->server_index, s->service,   s->count,          s->duration,
                   s->unit0,         s->entry0,     s->run,          s->slot,      s->server,         s->load,
                   s->service_entry, s->why,        s->delay,        s->missed,    s->service_server, s->price,
                   s->job_id,        s->spare_slot, s->spare_server, s->spot,      s->note,           s->tariff,
                   s->draw,          s->grid,       s->charge,       s->discharge, s->level};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(s->h.ctx, all[i]);
    ctw_place__rest_free(s->h.ctx, s->rest);
    ctw_report_unref(s->report);
}

CTW_DEFINE_REFS(ctw_solution, free_members)

ctw_solution *ctw_place__solution_new(ctw_ctx *ctx)
{
    ctw_solution *s = ctw_base__handle_new(ctx, sizeof *s, CTW_SOLUTION_MAGIC);
    if (s) s->only = -1;
    return s;
}

typedef struct writer {
    const ctw_place *p;
    const ctw_place__inst *in;
    const ctw_place__plan *plan;
    ctw_solution *s;
    int32_t *row_of, *index_of; /* by server: row of the host and place within it */
    int64_t delayed;
    int in_haste; /* first fit leaves nothing out by choice */
} writer;

/* Whether the slots chosen are cleaner than the earliest ones, in the region of the unit's first server. */
static int cleaner(const writer *w, const ctw_place__batch *b, size_t e, int32_t run)
{
    const ctw_place__inst *in = w->in;
    size_t region = in->class[in->class_of[w->plan->server[e]]].region;
    double chosen = 0, early = 0;
    for (int32_t q = 0; q < run; q++) {
        chosen += in->gram[region * in->slots + (size_t)w->plan->slot[e + (size_t)q]];
        early += in->gram[region * in->slots + (size_t)(b->release + q)];
    }
    return chosen < early;
}

/* A missed unit: was there room, at any price, in a slot it does not use? */
static int had_room(const ctw_place__state *st, const ctw_place__batch *b)
{
    int32_t run = 0;
    for (int32_t t = b->release; t < b->end; t++) {
        double added;
        int32_t server = ctw_place__state_best(st, (size_t)t, (size_t)b->flavour, b->pools, NULL, NULL, &added);
        run = server >= 0 ? run + 1 : 0;
        if (run >= (b->preemptible ? 1 : b->duration)) return 1;
    }
    return 0;
}

static void write_batch(writer *w, const ctw_place__batch *b, const ctw_place__state *st)
{
    int64_t delay = 0, missed = 0, why = CTW_WHY_ON_TIME;
    for (int32_t q = 0; q < b->count; q++) {
        size_t u = b->unit0 + (size_t)q, e = ctw_place__entry(w->in, u);
        int32_t run = w->plan->run[u];
        missed += b->duration - run;
        if (run == 0) continue;
        int64_t late = w->plan->slot[e + (size_t)run - 1] + 1 - (b->release + run);
        if (late > 0) {
            w->delayed++;
            if (why == CTW_WHY_ON_TIME || late > delay) why = cleaner(w, b, e, run) ? CTW_WHY_CLEANER : CTW_WHY_FULL;
        }
        if (late > delay) delay = late;
    }
    if (missed > 0) {
        int chosen = w->p->jobs.penalty && isfinite(w->p->jobs.penalty[b->row]) && st && had_room(st, b);
        why = !b->fits ? CTW_WHY_TOO_LARGE : chosen ? CTW_WHY_MISSED_COST : CTW_WHY_MISSED_CAPACITY;
    }
    w->s->why[b->row] = why;
    w->s->delay[b->row] = delay;
    w->s->missed[b->row] = missed;
}

static void write_service(writer *w, const ctw_place__service *l)
{
    int64_t missed = 0;
    for (size_t t = 0; t < w->in->slots; t++) {
        for (int32_t q = 0; q < l->load[t]; q++) missed += w->plan->service_server[l->entry[t] + (size_t)q] < 0;
    }
    w->s->why[l->row] = !missed ? CTW_WHY_ON_TIME : l->fits ? CTW_WHY_MISSED_CAPACITY : CTW_WHY_TOO_LARGE;
    w->s->missed[l->row] = missed;
}

static ctw_status alloc_solution(writer *w)
{
    ctw_solution *s = w->s;
    const ctw_place *p = w->p;
    ctw_ctx *ctx = s->h.ctx;
    s->jobs = p->jobs.n;
    s->nodes = p->nodes.n;
    s->slots = p->slots;
    s->servers = w->in->servers;
    s->services = w->in->services;
    s->units = w->in->units;
    s->node_id = ctw_base__dup(ctx, p->nodes.id, s->nodes, sizeof(int64_t));
    s->job_id = ctw_base__dup(ctx, p->jobs.id, s->jobs, sizeof(int64_t));
    s->spares = w->plan->spares;
    s->spare_slot = CTW_NEW(ctx, s->spares, int32_t);
    s->spare_server = CTW_NEW(ctx, s->spares, int32_t);
    s->server_row = CTW_NEW(ctx, s->servers, int32_t);
    s->server_index = CTW_NEW(ctx, s->servers, int32_t);
    s->service = CTW_NEW(ctx, s->jobs, int32_t);
    s->count = CTW_NEW(ctx, s->jobs, int32_t);
    s->duration = CTW_NEW(ctx, s->jobs, int32_t);
    s->unit0 = CTW_NEW(ctx, s->jobs, size_t);
    s->entry0 = CTW_NEW(ctx, s->jobs, size_t);
    s->why = CTW_NEW(ctx, s->jobs, int64_t);
    s->delay = CTW_NEW(ctx, s->jobs, int64_t);
    s->missed = CTW_NEW(ctx, s->jobs, int64_t);
    s->load = ctw_base__dup(ctx, w->in->loads, s->services * s->slots, sizeof(int32_t));
    s->service_entry = ctw_base__dup(ctx, w->in->service_entry, s->services * s->slots + 1, sizeof(size_t));
    if (!s->node_id || !s->job_id || !s->spare_slot || !s->spare_server || !s->server_row || !s->server_index ||
        !s->service || !s->count || !s->duration || !s->unit0 || !s->entry0 || !s->why || !s->delay || !s->missed ||
        !s->load || !s->service_entry) {
        return CTW_E_NOMEM;
    }
    for (size_t i = 0; i < s->spares; i++) {
        s->spare_slot[i] = w->plan->spare[i].slot;
        s->spare_server[i] = w->plan->spare[i].server;
    }
    for (size_t i = 0, at = 0; i < p->nodes.n; i++) {
        for (int64_t q = 0; q < ctw_place__i64(p->nodes.count, i, 1); q++, at++) {
            s->server_row[at] = (int32_t)i;
            s->server_index[at] = (int32_t)q;
        }
    }
    return CTW_OK;
}

/* The rows' places among units and entries. */
static void write_layout(writer *w)
{
    ctw_solution *s = w->s;
    size_t b = 0, l = 0;
    for (size_t row = 0; row < s->jobs; row++) {
        if (l < w->in->services && (size_t)w->in->service[l].row == row) {
            s->count[row] = w->in->service[l].count;
            s->service[row] = (int32_t)l++;
            continue;
        }
        const ctw_place__batch *q = w->in->batch + b++;
        s->service[row] = -1;
        s->count[row] = q->count;
        s->duration[row] = q->duration;
        s->unit0[row] = q->unit0;
        s->entry0[row] = q->entry0;
    }
}

/* The state is needed only to explain what was missed. */
static ctw_status write_rows(writer *w, const ctw_place__cost *cost)
{
    const ctw_place__inst *in = w->in;
    ctw_place__state st;
    int explain = cost->missed_slots > 0 && w->p->jobs.penalty && !w->in_haste;
    if (explain) {
        CTW_TRY(ctw_place__state_new(in, &st));
        ctw_place__state_load(&st, w->plan);
    }
    size_t b = 0, l = 0;
    for (size_t row = 0; row < w->p->jobs.n; row++) {
        if (l < in->services && (size_t)in->service[l].row == row) {
            write_service(w, in->service + l++);
        } else {
            write_batch(w, in->batch + b++, explain ? &st : NULL);
        }
    }
    if (explain) ctw_place__state_free(&st);
    return CTW_OK;
}

double ctw_place__short_by(const ctw_place__inst *in, const ctw_place__cost *c)
{
    double asked = ceil(in->opt->throughput_min * (double)in->batch_slots - 1e-9);
    return fmax(0, asked - (double)(in->batch_slots - c->missed_slots));
}

static ctw_status fill_report(writer *w, const ctw_place__answer *a, const ctw_place__cost *c, double solve_s)
{
    ctw_report *r = w->s->report;
    const ctw_place__inst *in = w->in;
    int64_t moves, allowed = (int64_t)(in->opt->max_migrations * (double)c->placements + 1e-9);
    CTW_TRY(ctw_place__migrations(in, w->plan, NULL, &moves));
    const struct {
        const char *key;
        double v;
    } reals[] = {
        {"objective", c->objective},
        {"bound", a->bound},
        {"carbon_g", c->carbon_g},
        {"energy_kwh", c->energy_kwh},
        {"penalty_g", c->penalty_g},
        {"embodied_g", c->embodied_g},
        {"solve_s", solve_s},
        {"throughput_short", ctw_place__short_by(in, c)},
        {"gap", c->objective - a->bound > 0 ? (c->objective - a->bound) / fmax(fabs(c->objective), 1e-10) : 0}};
    const struct {
        const char *key;
        int64_t v;
    } counts[] = {{"delayed", w->delayed},
                  {"missed_units", c->missed_units},
                  {"missed_slots", c->missed_slots},
                  {"unplaced_services", c->unplaced},
                  {"placements", c->placements},
                  {"servers_on", c->servers_on},
                  {"startups", c->startups},
                  {"migrations", moves},
                  {"migrations_over", moves > allowed ? moves - allowed : 0},
                  {"spares", (int64_t)w->plan->spares},
                  {"reserve_short", a->reserve_short},
                  {"fail_open", strcmp(a->tier, "run_now") == 0},
                  {"nodes", a->nodes},
                  {"servers", (int64_t)in->servers},
                  {"server_classes", (int64_t)in->classes}};
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++)
        CTW_TRY(ctw_base__report_f64(r, reals[i].key, reals[i].v));
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        CTW_TRY(ctw_base__report_i64(r, counts[i].key, counts[i].v));
    CTW_TRY(ctw_base__report_str(r, "tier", a->tier));
    CTW_TRY(ctw_base__report_series(r, "series_power_w", c->slot_watts, in->slots));
    return ctw_base__report_series(r, "series_carbon_g", c->slot_gram, in->slots);
}

static int32_t outcome(const ctw_place__answer *a, const ctw_place__cost *c, double mip_gap)
{
    if (isinf(a->bound)) return CTW_PLACE_HEURISTIC;
    return c->objective - a->bound <= mip_gap * fabs(c->objective) + 1e-9 ? CTW_PLACE_OPTIMAL : CTW_PLACE_FEASIBLE;
}

/* The cost, and by region and slot the draw and where it comes from: the grid alone without supply and storage. */
static ctw_status write_power(writer *w, ctw_place__cost *cost)
{
    const ctw_place__inst *in = w->in;
    ctw_solution *s = w->s;
    size_t n = in->regions * in->slots;
    s->regions = in->regions;
    s->draw = CTW_NEW(in->ctx, n, double);
    s->grid = CTW_NEW(in->ctx, n, double);
    s->charge = CTW_NEW(in->ctx, n, double);
    s->discharge = CTW_NEW(in->ctx, n, double);
    s->level = CTW_NEW(in->ctx, n, double);
    if (!s->draw || !s->grid || !s->charge || !s->discharge || !s->level) return CTW_E_NOMEM;
    const ctw_place__flow flow = {s->grid, s->charge, s->discharge, s->level};
    cost->profile = s->draw;
    cost->flow = &flow;
    ctw_status e = ctw_place__plan_cost(in, w->plan, cost);
    cost->flow = NULL;
    if (e == CTW_OK && !in->on_site) memcpy(s->grid, s->draw, n * sizeof(double));
    return e;
}

static ctw_status report_energy(ctw_report *r, const ctw_place__inst *in, const ctw_place__cost *c)
{
    if (in->on_site) {
        CTW_TRY(ctw_base__report_f64(r, "wear_g", c->bill.wear_g));
        CTW_TRY(ctw_base__report_f64(r, "grid_kwh", c->bill.grid_kwh));
        CTW_TRY(ctw_base__report_f64(r, "supply_kwh", c->bill.supply_kwh));
        CTW_TRY(ctw_base__report_f64(r, "curtailed_kwh", c->bill.curtailed_kwh));
    }
    if (!in->scenarios) return CTW_OK;
    CTW_TRY(ctw_base__report_f64(r, "expected_g", c->bill.expected_g));
    return ctw_base__report_series(r, "series_scenario_g", c->by_scenario, in->scenarios);
}

static ctw_status write_solution(writer *w, ctw_place__answer *a, double solve_s)
{
    const ctw_place__inst *in = w->in;
    ctw_place__cost cost;
    memset(&cost, 0, sizeof cost);
    cost.slot_watts = CTW_NEW(in->ctx, in->slots, double);
    cost.slot_gram = CTW_NEW(in->ctx, in->slots, double);
    cost.by_scenario = CTW_NEW(in->ctx, in->scenarios, double);
    ctw_status s = cost.slot_watts && cost.slot_gram && cost.by_scenario ? write_power(w, &cost) : CTW_E_NOMEM;
    /* The bounds of the exact tiers hold for plans that meet the throughput; one that falls short may cost less. */
    if (s == CTW_OK && a->bound > cost.objective && ctw_place__short_by(in, &cost) > 0) a->bound = -INFINITY;
    if (s == CTW_OK) s = alloc_solution(w);
    if (s == CTW_OK) write_layout(w);
    if (s == CTW_OK) s = write_rows(w, &cost);
    if (s == CTW_OK) s = ctw_base__report_new(in->ctx, &w->s->report);
    if (s == CTW_OK) s = fill_report(w, a, &cost, solve_s);
    if (s == CTW_OK) s = report_energy(w->s->report, in, &cost);
    if (s == CTW_OK) {
        w->s->objective = cost.objective;
        w->s->spots = (uint64_t)cost.placements;
        w->s->run = a->plan.run; /* the plan changes hands */
        w->s->slot = a->plan.slot;
        w->s->server = a->plan.server;
        w->s->service_server = a->plan.service_server;
        ctw_base__free(in->ctx, a->plan.spare);
        memset(&a->plan, 0, sizeof a->plan);
        w->s->tariff = a->tariff;
        w->s->tariffs = a->tariffs;
        a->tariff = NULL;
        w->s->price = a->price;
        w->s->prices = a->prices;
        w->s->resources = a->resources;
        a->price = NULL;
        w->s->bound = a->bound;
        w->s->outcome = outcome(a, &cost, in->opt->mip_gap);
        w->s->stop = w->s->outcome == CTW_PLACE_OPTIMAL && a->stop == CTW_STOP_GAP ? CTW_STOP_PROVED : a->stop;
    }
    ctw_base__free(in->ctx, cost.by_scenario);
    ctw_base__free(in->ctx, cost.slot_watts);
    ctw_base__free(in->ctx, cost.slot_gram);
    return s;
}

ctw_status ctw_place__finish(const ctw_place *p, const ctw_place__inst *in, ctw_place__answer *a, double solve_s,
                             ctw_solution **out)
{
    *out = NULL;
    writer w = {.p = p, .in = in, .plan = &a->plan};
    w.in_haste = strcmp(a->tier, "first_fit") == 0;
    w.s = ctw_place__solution_new(in->ctx);
    if (!w.s) return CTW_E_NOMEM;
    ctw_status s = write_solution(&w, a, solve_s);
    if (s != CTW_OK) {
        ctw_solution_unref(w.s);
        return s;
    }
    *out = w.s;
    return CTW_OK;
}
