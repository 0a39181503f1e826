/* plan.c: when each waiting job may start, by the place part. All servers of a class in a region are one large
 * node whose capacity is what services leave; what runs already is a job that may not move; prices are the
 * forecast. A job's planned duration is the longest its deadline and max_slowdown allow: running slowly saves
 * more than the cleanest hour does, and what is left of its window is for choosing the hour. */
#include "base/cancel.h"
#include "twin/twin_internal.h"
#include <math.h>

/* Share of a node that plans may fill: cores left over on many servers are no room for one large job. */
#define FILL 0.85
/* Grain in which the cores of what runs already are released. */
#define UNITS 32

typedef struct problem {
    size_t nodes, slots, rows, fixed; /* rows: fixed ones first, then one for each of `job` */
    double *capacity, *per_core;      /* nodes */
    int64_t *node_region;
    double *price;  /* regions x slots */
    double *most;   /* regions: slowdown jobs may be planned with */
    double *held;   /* nodes x slots: cores of what runs already */
    double *demand; /* rows */
    int64_t *release, *deadline, *duration, *region, *type, *node_type, *slot; /* rows; node_type: nodes */
    int64_t *units;                                                            /* rows */
    int64_t *load_row, *load_slot, *load_units;                                /* loads */
    size_t loads;
    int32_t *kind;
    uint32_t *job;
} problem;

static void problem_free(ctw_ctx *ctx, problem *p)
{
    void *const blocks[] = {p->capacity, p->per_core, p->node_region, p->node_type,  p->price,  p->most, p->held,
                            p->demand,   p->release,  p->deadline,    p->duration,   p->region, p->type, p->slot,
                            p->units,    p->load_row, p->load_slot,   p->load_units, p->kind,   p->job};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) ctw_base__free(ctx, blocks[i]);
}

/* Slots until the last deadline among the waiting jobs, within the horizon. */
static size_t slots_needed(const ctw_twin *t)
{
    double last = t->plan_slot_s;
    for (size_t i = 0; i < t->n_waiting; i++) last = fmax(last, t->job[t->waiting[i]].deadline_s - t->now);
    return (size_t)ceil(fmin(last, t->horizon_s) / t->plan_slot_s);
}

static ctw_status problem_new(const ctw_twin *t, problem *p)
{
    ctw_ctx *ctx = t->h.ctx;
    p->slots = slots_needed(t);
    p->nodes = t->n_region * t->n_klass;
    size_t rows = t->n_waiting + p->nodes, cells = p->nodes * p->slots;
    p->capacity = CTW_NEW(ctx, p->nodes, double);
    p->per_core = CTW_NEW(ctx, p->nodes, double);
    p->node_region = CTW_NEW(ctx, p->nodes, int64_t);
    p->node_type = CTW_NEW(ctx, p->nodes, int64_t);
    p->price = CTW_NEW(ctx, t->n_region * p->slots, double);
    p->demand = CTW_NEW(ctx, rows, double);
    p->release = CTW_NEW(ctx, rows, int64_t);
    p->deadline = CTW_NEW(ctx, rows, int64_t);
    p->duration = CTW_NEW(ctx, rows, int64_t);
    p->region = CTW_NEW(ctx, rows, int64_t);
    p->type = CTW_NEW(ctx, rows, int64_t);
    p->slot = CTW_NEW(ctx, rows, int64_t);
    p->most = CTW_NEW(ctx, t->n_region, double);
    p->held = CTW_NEW(ctx, cells, double);
    p->units = CTW_NEW(ctx, rows, int64_t);
    p->load_row = CTW_NEW(ctx, cells, int64_t);
    p->load_slot = CTW_NEW(ctx, cells, int64_t);
    p->load_units = CTW_NEW(ctx, cells, int64_t);
    p->kind = CTW_NEW(ctx, rows, int32_t);
    p->job = CTW_NEW(ctx, rows, uint32_t);
    const void *const blocks[] = {p->capacity, p->per_core, p->node_region, p->node_type,  p->price,  p->most, p->held,
                                  p->demand,   p->release,  p->deadline,    p->duration,   p->region, p->type, p->slot,
                                  p->units,    p->load_row, p->load_slot,   p->load_units, p->kind,   p->job};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        if (!blocks[i]) return CTW_E_NOMEM;
    return CTW_OK;
}

/* Capacity and power of the (region, class) nodes; the cores services hold are not on offer. */
static void fill_nodes(const ctw_twin *t, problem *p)
{
    for (size_t i = 0; i < p->nodes; i++) {
        const ctw_twin__class *k = &t->klass[i % t->n_klass];
        p->node_region[i] = (int64_t)(i / t->n_klass);
        p->node_type[i] = (int64_t)i;
        p->per_core[i] = (k->peak_w - k->idle_w) / k->cores;
    }
    for (size_t i = 0; i < t->n_server; i++) {
        const ctw_twin__server *s = &t->server[i];
        if (s->instance || !ctw_twin__usable(t, s)) continue;
        p->capacity[s->region * t->n_klass + s->klass] += t->klass[s->klass].cores;
    }
    for (size_t i = 0; i < t->n_replica; i++) {
        const ctw_twin__replica *r = &t->replica[i];
        if (r->server == CTW_TWIN__NONE) continue;
        const ctw_twin__server *s = &t->server[r->server];
        double *c = &p->capacity[s->region * t->n_klass + s->klass];
        if (ctw_twin__usable(t, s)) *c = fmax(0.0, *c - t->service[r->service].cores);
    }
    for (size_t i = 0; i < p->nodes; i++) p->capacity[i] *= FILL;
}

/* Can any server of the region run slowly at all? */
static int governed(const ctw_twin *t, uint32_t region)
{
    for (size_t i = 0; i < t->n_server; i++)
        if (t->server[i].region == region && !t->server[i].instance && t->klass[t->server[i].klass].power) return 1;
    return 0;
}

static void fill_prices(const ctw_twin *t, problem *p)
{
    for (size_t r = 0; r < t->n_region; r++) {
        p->most[r] = governed(t, (uint32_t)r) ? t->max_slowdown : 1.0;
        for (size_t s = 0; s < p->slots; s++) {
            double from = t->now + (double)s * t->plan_slot_s;
            double ci = ctw_twin__expected_ci(t, &t->region[r], from, from + t->plan_slot_s);
            /* the price of a region without a forecast is flat: nothing of it is being planned */
            p->price[r * p->slots + s] = isnan(ci) ? 1.0 : fmax(0.0, ci);
        }
    }
}

static size_t row_add(problem *p, double demand, size_t release, size_t deadline, size_t duration, int64_t region,
                      int64_t type)
{
    size_t i = p->rows++;
    p->demand[i] = demand;
    p->release[i] = (int64_t)release;
    p->deadline[i] = (int64_t)deadline;
    p->duration[i] = (int64_t)duration;
    p->region[i] = region;
    p->type[i] = type;
    p->kind[i] = CTW_JOB_BATCH;
    p->units[i] = 1;
    return i;
}

/* What runs already is a service of its node: so many units of a share of what it holds now in each slot until its
 * jobs are expected to end. */
static void fill_running(const ctw_twin *t, problem *p)
{
    for (size_t node = 0; node < p->nodes; node++) {
        double *held = p->held + node * p->slots; /* cores in each slot */
        for (size_t i = 0; i < t->n_running; i++) {
            const ctw_twin__job *j = &t->job[t->running[i]];
            const ctw_twin__server *s = &t->server[j->server];
            if (s->region * t->n_klass + s->klass != node || !ctw_twin__usable(t, s)) continue;
            double done = j->work_s - j->left_s + (t->now - j->since_s) * j->rate;
            double left = t->margin * fmax(j->predicted_s - done, 0.2 * j->predicted_s) / fmax(j->rate, 0.1);
            double d = fmin(fmax(ceil(left / t->plan_slot_s), 1.0), (double)p->slots);
            for (size_t k = 0; k < (size_t)d; k++) held[k] += j->cores;
        }
        if (!(held[0] > 0.0)) continue;
        size_t row = row_add(p, held[0] / UNITS, 0, p->slots, 1, p->node_region[node], (int64_t)node);
        p->kind[row] = CTW_JOB_SERVICE;
        p->units[row] = UNITS;
        for (size_t k = 0; k < p->slots && held[k] > 0.0; k++) {
            p->load_row[p->loads] = (int64_t)row;
            p->load_slot[p->loads] = (int64_t)k;
            p->load_units[p->loads++] = (int64_t)ceil(UNITS * held[k] / held[0] - 1e-9);
        }
        /* it has its room, whatever the rest of the node looks like */
        p->capacity[node] = fmax(p->capacity[node], held[0] * (1.0 + 1e-9));
    }
    p->fixed = p->rows;
}

/* Slots a job is planned to take, 0 when its window has no room for it: then it must run now. */
static size_t duration_of(const ctw_twin *t, const ctw_twin__job *j, size_t window, double most)
{
    double work = j->predicted_s * (j->left_s / j->work_s) * t->margin;
    double slow = fmin(most, fmax(1.0, 0.9 * (j->deadline_s - t->now) / fmax(work, 1.0)));
    size_t d = (size_t)fmin(fmax(ceil(work * slow / t->plan_slot_s), 1.0), 1e9);
    if (d > window) d = (size_t)fmin(fmax(ceil(work / t->plan_slot_s), 1.0), 1e9);
    return d > window ? 0 : d;
}

static void fill_waiting(ctw_twin *t, problem *p)
{
    for (size_t i = 0; i < t->n_waiting; i++) {
        ctw_twin__job *j = &t->job[t->waiting[i]];
        if (!ctw_twin__trusted(&t->region[j->region])) {
            ctw_twin__set_start(t, j, fmin(j->planned_s, t->now));
            continue;
        }
        double window = floor(fmin(j->deadline_s - t->now, (double)p->slots * t->plan_slot_s) / t->plan_slot_s);
        size_t w = window > 0.0 ? (size_t)window : 0;
        size_t d = duration_of(t, j, w, p->most[j->region]);
        if (j->planned_s <= t->now) continue; /* waits for room only */
        if (d == 0) {
            ctw_twin__set_start(t, j, t->now);
            continue;
        }
        p->job[row_add(p, j->cores, 0, w, d, (int64_t)j->region, -1)] = t->waiting[i];
    }
}

static ctw_status pose(const ctw_twin *t, const problem *p, ctw_place *q)
{
    CTW_TRY(ctw_place_set_nodes(q, NULL, p->nodes, p->capacity, 1, 1));
    CTW_TRY(ctw_place_set_node_regions(q, p->node_region, p->nodes));
    CTW_TRY(ctw_place_set_node_types(q, p->node_type, p->nodes));
    CTW_TRY(ctw_place_set_node_power(q, NULL, p->per_core, p->nodes, 1));
    CTW_TRY(ctw_place_set_jobs(q, NULL, p->rows, p->demand, 1, 1, p->release, p->deadline, p->duration));
    CTW_TRY(ctw_place_set_job_regions(q, p->region, NULL, p->rows));
    CTW_TRY(ctw_place_set_job_types(q, p->type, p->rows));
    CTW_TRY(ctw_place_set_job_kinds(q, p->kind, p->rows));
    CTW_TRY(ctw_place_set_job_counts(q, p->units, p->rows));
    CTW_TRY(ctw_place_set_loads(q, p->load_row, p->load_slot, p->load_units, p->loads));
    return ctw_place_set_carbon(q, p->price, t->n_region, p->slots, p->slots);
}

static ctw_status note_gap(ctw_twin *t, const ctw_solution *s)
{
    ctw_report *r = NULL;
    double gap = NAN;
    CTW_TRY(ctw_solution_report(s, &r));
    if (ctw_report_get_f64(r, "gap", &gap) == CTW_OK && isfinite(gap) && gap >= 0.0) {
        t->count.gap_sum += gap;
        t->count.gap_max = fmax(t->count.gap_max, gap);
        t->count.gaps++;
    }
    ctw_report_unref(r);
    return CTW_OK;
}

/* Poses and solves; the start slots end in p->slot. */
static ctw_status solve(ctw_twin *t, problem *p)
{
    ctw_params *params = NULL;
    ctw_place *q = NULL;
    ctw_solution *s = NULL;
    ctw_status st = ctw_twin__copy_params(t->h.ctx, t->place_params, "place", &params);
    if (st == CTW_OK) st = ctw_params_set_f64(params, "slot_s", t->plan_slot_s);
    if (st == CTW_OK) st = ctw_place_new(t->h.ctx, params, &q);
    if (st == CTW_OK) st = pose(t, p, q);
    if (st == CTW_OK) {
        st = ctw_place_solve(q, 0.0, NULL, &s);
        if (st != CTW_OK && st != CTW_E_NOMEM) st = ctw_place_greedy(q, &s);
    }
    if (st == CTW_OK) st = ctw_solution_assignment(s, NULL, p->slot, p->rows);
    if (st == CTW_OK) st = note_gap(t, s);
    ctw_solution_unref(s);
    ctw_place_unref(q);
    ctw_params_unref(params);
    return st;
}

/* What the plan says, or "now" for everybody when there is none. */
static ctw_status apply(ctw_twin *t, const problem *p, int planned)
{
    for (size_t i = p->fixed; i < p->rows; i++) {
        ctw_twin__job *j = &t->job[p->job[i]];
        int64_t slot = planned && p->slot[i] > 0 ? p->slot[i] : 0;
        ctw_twin__set_start(t, j, t->now + (double)slot * t->plan_slot_s);
        if (slot > 0) CTW_TRY(ctw_twin__post(t, j->planned_s, CTW_EV_JOB, p->job[i], 0));
    }
    return ctw_twin__jobs_start(t);
}

ctw_status ctw_twin__replan_soon(ctw_twin *t)
{
    if (!t->place_params) return CTW_OK;
    return ctw_twin__post(t, t->now, CTW_EV_REPLAN, ++t->plan_generation, 0);
}

ctw_status ctw_twin__replan(ctw_twin *t)
{
    CTW_TRY(ctw_twin__post(t, t->now + t->replan_s, CTW_EV_REPLAN, ++t->plan_generation, 0));
    if (t->n_waiting == 0) return CTW_OK;
    double cpu = ctw_base__cpu_now();
    problem p = {0};
    ctw_status s = problem_new(t, &p);
    if (s == CTW_OK) {
        fill_nodes(t, &p);
        fill_prices(t, &p);
        fill_running(t, &p);
        fill_waiting(t, &p);
        int planned = p.rows > p.fixed;
        if (planned) {
            t->count.plans++;
            s = solve(t, &p);
            if (s != CTW_OK) {
                planned = 0;
                t->count.plan_failures++;
                s = ctw_twin__part_failed(t, s, "place");
            }
        }
        if (s == CTW_OK) s = apply(t, &p, planned);
    }
    problem_free(t->h.ctx, &p);
    t->count.plan_cpu_s += ctw_base__cpu_now() - cpu;
    return s;
}
