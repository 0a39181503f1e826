/* bottomup.c: the model as stated in place.h, a binary for every (unit, server, slot), through branch and bound.
 * It is hopeless beyond a handful of servers and kept for three uses: exact answers to tiny problems, an oracle
 * for the other tiers' tests, and the export that other solvers are asked. Its columns, for batch unit u,
 * service l, server s, slot t:
 *   on_st, st_st (switched on), place_ust, delay_ut, miss_u (slots), start_uq (not preemptible), place_lst, short_lt.
 */
#include "base/cancel.h"
#include "milp/milp.h"
#include "place/bottomup_power.h"
#include "place/tiers.h"
#include <math.h>
#include <string.h>

#define NONE ((size_t)-1)

typedef struct model {
    const ctw_place__inst *in;
    ctw_milp__model m;
    /* rows */
    size_t *cap_row;   /* (slot x servers + server) x (r + 1): resources, then the server's power cap */
    size_t *start_row; /* slot x servers, NONE without start-up energy */
    size_t *feed_row;  /* slot x feeds, NONE without a cap */
    size_t *power_row; /* regions x slots, NONE where watts are paid for at once */
    size_t throughput_row, spread_row;
    /* columns */
    size_t *on_col;      /* slot x servers */
    size_t *unit_col;    /* units: first place column; window x servers follow, NONE where not admissible */
    size_t *unit_end;    /* units: delay columns (window), then miss, then starts */
    size_t *service_col; /* services x slots: first place column, one per server */
    size_t *col_of;      /* the place columns: column index or NONE */
    size_t places;
    /* scratch for one column */
    size_t *rows;
    double *values;
} model;

static int admissible(const ctw_place__inst *in, uint64_t pools, size_t server, size_t flavour)
{
    size_t k = (size_t)in->class_of[server];
    return (int)(pools >> in->class[k].pool & 1) && ctw_place__fits_empty(in, k, flavour);
}

static ctw_status add_server_rows(model *b)
{
    const ctw_place__inst *in = b->in;
    for (size_t t = 0; t < in->slots; t++) {
        for (size_t s = 0; s < in->servers; s++) {
            size_t at = t * in->servers + s, k = (size_t)in->class_of[s];
            size_t *row = b->cap_row + at * (in->r + 1);
            for (size_t j = 0; j < in->r; j++) CTW_TRY(ctw_milp__add_row(&b->m, -INFINITY, 0, row + j));
            row[in->r] = b->start_row[at] = NONE;
            if (isfinite(in->class[k].cap_w)) CTW_TRY(ctw_milp__add_row(&b->m, -INFINITY, 0, row + in->r));
            if (t > 0 && in->class[k].startup > 0) CTW_TRY(ctw_milp__add_row(&b->m, -INFINITY, 0, b->start_row + at));
        }
        for (size_t g = 0; g < in->feeds; g++) {
            b->feed_row[t * in->feeds + g] = NONE;
            if (isinf(in->feed_cap[g])) continue;
            CTW_TRY(ctw_milp__add_row(&b->m, -INFINITY, in->feed_cap[g], b->feed_row + t * in->feeds + g));
        }
    }
    b->throughput_row = NONE;
    if (in->opt->throughput_min <= 0) return CTW_OK;
    return ctw_milp__add_row(&b->m, in->opt->throughput_min * (double)in->batch_slots, INFINITY, &b->throughput_row);
}

/* The row of the cap of the class's rack, NONE without one. */
static size_t rack_row(const model *b, size_t k, size_t t)
{
    const ctw_place__class *c = b->in->class + k;
    return c->feed == c->region ? NONE : b->feed_row[t * b->in->feeds + c->feed];
}

static ctw_status add_on_columns(model *b)
{
    const ctw_place__inst *in = b->in;
    for (size_t t = 0; t < in->slots; t++) {
        for (size_t s = 0; s < in->servers; s++) {
            size_t at = t * in->servers + s, k = (size_t)in->class_of[s], n = 0;
            const ctw_place__class *c = in->class + k;
            const size_t *row = b->cap_row + at * (in->r + 1);
            for (size_t j = 0; j < in->r; j++, n++) {
                b->rows[n] = row[j];
                b->values[n] = -in->cap[k * in->r + j];
            }
            size_t power = b->power_row[c->region * in->slots + t];
            const size_t more[] = {row[in->r],        b->feed_row[t * in->feeds + c->region],
                                   rack_row(b, k, t), power,
                                   b->start_row[at],  t + 1 < in->slots ? b->start_row[at + in->servers] : NONE};
            const double value[] = {c->idle - c->cap_w, c->idle, c->idle, c->idle, 1, -1};
            for (size_t i = 0; i < 6; i++) {
                if (more[i] == NONE) continue;
                b->rows[n] = more[i];
                b->values[n++] = value[i];
            }
            double cost = (power == NONE ? ctw_place__gram(in, k, t) * c->idle : 0) + c->embodied;
            CTW_TRY(ctw_milp__add_col(&b->m, cost, 0, 1, 1, b->rows, b->values, n, b->on_col + at));
            if (b->start_row[at] == NONE) continue;
            const size_t rows[] = {b->start_row[at], power}; /* on_t - on_{t-1} - start_t <= 0 */
            const double starts[] = {-1, c->startup / in->hours};
            cost = power == NONE ? ctw_place__startup_gram(in, k, t) : 0;
            CTW_TRY(ctw_milp__add_col(&b->m, cost, 0, 1, 0, rows, starts, power == NONE ? 1 : 2, NULL));
        }
    }
    return CTW_OK;
}

/* One unit on one server in one slot; `extra` rows get coefficient 1. */
static ctw_status add_place(model *b, size_t t, size_t s, size_t flavour, double most, const size_t *extra,
                            size_t extras, size_t *index)
{
    const ctw_place__inst *in = b->in;
    size_t at = t * in->servers + s, k = (size_t)in->class_of[s], n = 0;
    const double *d = ctw_place__demand(in, flavour);
    double watts = ctw_place__unit_watts(in, k, flavour);
    const size_t *row = b->cap_row + at * (in->r + 1);
    for (size_t j = 0; j < in->r; j++) {
        if (d[j] <= 0) continue;
        b->rows[n] = row[j];
        b->values[n++] = d[j];
    }
    size_t power = b->power_row[in->class[k].region * in->slots + t];
    const size_t powered[] = {row[in->r], b->feed_row[t * in->feeds + in->class[k].region], rack_row(b, k, t), power};
    for (size_t i = 0; i < 4; i++) {
        if (powered[i] == NONE || watts <= 0) continue;
        b->rows[n] = powered[i];
        b->values[n++] = watts;
    }
    for (size_t i = 0; i < extras; i++) {
        if (extra[i] == NONE) continue;
        b->rows[n] = extra[i];
        b->values[n++] = 1;
    }
    double cost = power == NONE ? ctw_place__gram(in, k, t) * watts : 0;
    return ctw_milp__add_col(&b->m, cost, 0, most, 1, b->rows, b->values, n, index);
}

/* A unit that may use several regions runs in one of them: place_ust <= in_ur, sum_r in_ur = 1. The rows are
 * window x regions from *home on. */
static ctw_status add_regions(model *b, size_t window, size_t *home)
{
    const ctw_place__inst *in = b->in;
    size_t one, row = 0;
    CTW_TRY(ctw_milp__add_row(&b->m, 1, 1, &one));
    for (size_t i = 0; i < window * in->regions; i++) {
        CTW_TRY(ctw_milp__add_row(&b->m, -INFINITY, 0, &row));
        if (i == 0) *home = row;
    }
    for (size_t g = 0; g < in->regions; g++) {
        b->rows[0] = one;
        b->values[0] = 1;
        for (size_t i = 0; i < window; i++) {
            b->rows[i + 1] = *home + i * in->regions + g;
            b->values[i + 1] = -1;
        }
        CTW_TRY(ctw_milp__add_col(&b->m, 0, 0, 1, 1, b->rows, b->values, window + 1, NULL));
    }
    return CTW_OK;
}

/* Anti-affinity of a batch row: at most `spread` of its units on one server in one slot. The rows are window x servers
 * from *first on, made with the row's first unit (units of a row follow each other). */
static ctw_status add_spread(model *b, size_t u, size_t window, size_t *first)
{
    const ctw_place__inst *in = b->in;
    const ctw_place__batch *q = in->batch + in->unit_batch[u];
    *first = NONE;
    if (q->spread <= 0) return CTW_OK;
    if (u == 0 || in->unit_batch[u] != in->unit_batch[u - 1]) {
        for (size_t i = 0; i < window * in->servers; i++) {
            size_t row;
            CTW_TRY(ctw_milp__add_row(&b->m, -INFINITY, q->spread, &row));
            if (i == 0) b->spread_row = row;
        }
    }
    *first = b->spread_row;
    return CTW_OK;
}

/* Rows of a unit: run-or-wait per slot (start windows for contiguous units), and the amount. */
static ctw_status add_unit(model *b, size_t u)
{
    const ctw_place__inst *in = b->in;
    const ctw_place__batch *q = in->batch + in->unit_batch[u];
    size_t window = (size_t)(q->end - q->release), amount, first = 0, link = NONE, home = NONE, apart;
    CTW_TRY(add_spread(b, u, window, &apart));
    CTW_TRY(ctw_milp__add_row(&b->m, q->duration, q->duration, &amount));
    for (size_t i = 0; i < window; i++) {
        size_t row;
        CTW_TRY(ctw_milp__add_row(&b->m, 1, 1, &row));
        if (i == 0) first = row;
    }
    for (size_t i = 0; i < window && !q->preemptible; i++) {
        size_t row;
        CTW_TRY(ctw_milp__add_row(&b->m, 0, 0, &row));
        if (i == 0) link = row;
    }
    if (q->pools & ~in->pool_region[__builtin_ctzll(q->pools | (uint64_t)1 << 63)])
        CTW_TRY(add_regions(b, window, &home));
    b->unit_col[u] = b->places;
    for (size_t i = 0; i < window; i++) {
        for (size_t s = 0; s < in->servers; s++) {
            size_t *col = b->col_of + b->places++;
            *col = NONE;
            if (!admissible(in, q->pools, s, (size_t)q->flavour)) continue;
            size_t region = in->class[in->class_of[s]].region;
            const size_t extra[] = {first + i,
                                    amount,
                                    b->throughput_row,
                                    link == NONE ? NONE : link + i,
                                    home == NONE ? NONE : home + i * in->regions + region,
                                    apart == NONE ? NONE : apart + i * in->servers + s};
            CTW_TRY(add_place(b, (size_t)q->release + i, s, (size_t)q->flavour, 1, extra, 6, col));
        }
    }
    b->unit_end[u] = b->m.cols;
    double one = 1;
    for (size_t i = 0; i < window; i++) {
        size_t row = first + i;
        CTW_TRY(ctw_milp__add_col(&b->m, 0, 0, 1, 0, &row, &one, 1, NULL));
    }
    CTW_TRY(ctw_milp__add_col(&b->m, q->penalty, 0, q->duration, 0, &amount, &one, 1, NULL));
    for (size_t i = 0; link != NONE && i + (size_t)q->duration <= window; i++) {
        size_t *rows = b->rows, n = 0;
        for (int32_t d = 0; d < q->duration; d++, n++) {
            rows[n] = link + i + (size_t)d;
            b->values[n] = -1;
        }
        CTW_TRY(ctw_milp__add_col(&b->m, 0, 0, 1, 1, rows, b->values, n, NULL));
    }
    return CTW_OK;
}

static ctw_status add_service(model *b, size_t index)
{
    const ctw_place__inst *in = b->in;
    const ctw_place__service *l = in->service + index;
    for (size_t t = 0; t < in->slots; t++) {
        size_t row;
        double one = 1;
        CTW_TRY(ctw_milp__add_row(&b->m, l->load[t], l->load[t], &row));
        b->service_col[index * in->slots + t] = b->places;
        for (size_t s = 0; s < in->servers; s++) {
            size_t *col = b->col_of + b->places++;
            *col = NONE;
            if (l->load[t] == 0 || !admissible(in, l->pools, s, (size_t)l->flavour)) continue;
            int32_t most = l->spread > 0 && l->spread < l->load[t] ? l->spread : l->load[t];
            CTW_TRY(add_place(b, t, s, (size_t)l->flavour, most, &row, 1, col));
        }
        CTW_TRY(ctw_milp__add_col(&b->m, l->penalty, 0, l->load[t], 0, &row, &one, 1, NULL));
    }
    return CTW_OK;
}

static ctw_status alloc_model(model *b)
{
    const ctw_place__inst *in = b->in;
    size_t n = in->slots * in->servers, places = in->services * n, scratch = in->r + in->slots + 10;
    for (size_t u = 0; u < in->units; u++) {
        const ctw_place__batch *q = in->batch + in->unit_batch[u];
        places += (size_t)(q->end - q->release) * in->servers;
        if (places > (size_t)in->opt->max_vars) {
            return ctw_base__fail(CTW_E_RANGE,
                                  "place: the per-server model needs over %zu variables, the limit max_vars is %lld",
                                  places, (long long)in->opt->max_vars);
        }
    }
    b->cap_row = CTW_NEW(in->ctx, n * (in->r + 1), size_t);
    b->start_row = CTW_NEW(in->ctx, n, size_t);
    b->feed_row = CTW_NEW(in->ctx, in->slots * in->feeds, size_t);
    b->power_row = CTW_NEW(in->ctx, in->regions * in->slots, size_t);
    b->on_col = CTW_NEW(in->ctx, n, size_t);
    b->unit_col = CTW_NEW(in->ctx, in->units, size_t);
    b->unit_end = CTW_NEW(in->ctx, in->units, size_t);
    b->service_col = CTW_NEW(in->ctx, in->services * in->slots, size_t);
    b->col_of = CTW_NEW(in->ctx, places, size_t);
    b->rows = CTW_NEW(in->ctx, scratch, size_t);
    b->values = CTW_NEW(in->ctx, scratch, double);
    return b->cap_row && b->start_row && b->feed_row && b->power_row && b->on_col && b->unit_col && b->unit_end &&
                   b->service_col && b->col_of && b->rows && b->values
               ? CTW_OK
               : CTW_E_NOMEM;
}

static void free_model(model *b)
{
    void *all[] = {b->power_row, b->cap_row,     b->start_row, b->feed_row, b->on_col, b->unit_col,
                   b->unit_end,  b->service_col, b->col_of,    b->rows,     b->values};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(b->in->ctx, all[i]);
    ctw_milp__model_free(&b->m);
}

/* Free in every case. */
static ctw_status build(model *b, const ctw_place__inst *in)
{
    memset(b, 0, sizeof *b);
    b->in = in;
    ctw_milp__model_init(&b->m, in->ctx);
    CTW_TRY(alloc_model(b));
    CTW_TRY(add_server_rows(b));
    for (size_t i = 0; i < in->regions * in->slots; i++) b->power_row[i] = NONE;
    if (ctw_place__metered(in)) CTW_TRY(ctw_place__metered_rows(in, &b->m, b->power_row));
    CTW_TRY(add_on_columns(b));
    for (size_t u = 0; u < in->units; u++) CTW_TRY(add_unit(b, u));
    for (size_t i = 0; i < in->services; i++) CTW_TRY(add_service(b, i));
    return ctw_place__metered(in) ? ctw_place__metered_cols(in, &b->m, b->power_row) : CTW_OK;
}

static void decode(const model *b, const double *x, ctw_place__plan *plan)
{
    const ctw_place__inst *in = b->in;
    for (size_t u = 0; u < in->units; u++) {
        const ctw_place__batch *q = in->batch + in->unit_batch[u];
        size_t e = ctw_place__entry(in, u), at = b->unit_col[u];
        plan->run[u] = 0;
        for (int32_t t = q->release; t < q->end; t++) {
            for (size_t s = 0; s < in->servers; s++, at++) {
                if (b->col_of[at] == NONE || x[b->col_of[at]] < 0.5 || plan->run[u] >= q->duration) continue;
                plan->slot[e + (size_t)plan->run[u]] = t;
                plan->server[e + (size_t)plan->run[u]++] = (int32_t)s;
            }
        }
    }
    for (size_t i = 0; i < in->services; i++) {
        const ctw_place__service *l = in->service + i;
        for (size_t t = 0; t < in->slots; t++) {
            int32_t q = 0;
            for (size_t s = 0; s < in->servers; s++) {
                size_t col = b->col_of[b->service_col[i * in->slots + t] + s];
                int n = col == NONE ? 0 : (int)(x[col] + 0.5);
                for (; n > 0 && q < l->load[t]; n--) plan->service_server[l->entry[t] + (size_t)q++] = (int32_t)s;
            }
            for (; q < l->load[t]; q++) plan->service_server[l->entry[t] + (size_t)q] = -1;
        }
    }
}

static ctw_status adopt(const model *b, const ctw_milp__result *r, ctw_place__answer *answer)
{
    const ctw_place__inst *in = b->in;
    ctw_place__plan plan;
    ctw_place__cost mine, theirs;
    memset(&mine, 0, sizeof mine);
    memset(&theirs, 0, sizeof theirs);
    CTW_TRY(ctw_place__plan_new(in, &plan));
    decode(b, r->x, &plan);
    ctw_status s = ctw_place__plan_cost(in, &answer->plan, &mine);
    if (s == CTW_OK) s = ctw_place__plan_cost(in, &plan, &theirs);
    double shorter = ctw_place__short_by(in, &theirs) - ctw_place__short_by(in, &mine);
    if (s == CTW_OK && (shorter < 0 || (shorter <= 0 && theirs.objective <= mine.objective))) {
        ctw_place__plan old = answer->plan;
        answer->plan = plan;
        plan = old;
    }
    ctw_place__plan_free(in->ctx, &plan);
    return s;
}

static int32_t on_progress(void *user, uint64_t step, double bound, double best)
{
    ctw_place__clock *clock = user;
    ctw_place__tell(clock, step, bound, best);
    return clock->stop == CTW_STOP_CANCEL;
}

static ctw_status search(model *b, ctw_place__clock *clock, ctw_place__answer *answer)
{
    const ctw_place__inst *in = b->in;
    ctw_milp__options opt;
    ctw_milp__result r;
    memset(&opt, 0, sizeof opt);
    opt.time_limit_s = fmax(1e-3, clock->deadline - ctw_base__now());
    opt.mip_gap = in->opt->mip_gap;
    opt.max_nodes = in->opt->max_nodes;
    opt.max_vars = in->opt->max_vars;
    opt.cuts = 1;
    opt.cancel = clock->cancel;
    opt.progress = clock->progress ? on_progress : NULL;
    opt.user = clock;
    ctw_status s = ctw_milp__solve(&b->m, &opt, &r);
    answer->nodes = (int64_t)r.nodes;
    answer->bound = r.bound;
    answer->stop = r.stop ? r.stop : CTW_STOP_TIME;
    if (s == CTW_OK) {
        s = adopt(b, &r, answer);
    } else if (s == CTW_E_DEADLINE || s == CTW_E_CANCELLED || s == CTW_E_BACKEND || s == CTW_E_INFEASIBLE) {
        s = CTW_OK; /* the plan to start from stands, its shortage listed */
    }
    ctw_milp__result_free(in->ctx, &r);
    return s;
}

ctw_status ctw_place__bottomup(const ctw_place__inst *in, ctw_place__clock *clock, ctw_place__answer *answer)
{
    model b;
    ctw_status s = build(&b, in);
    if (s == CTW_OK) s = search(&b, clock, answer);
    free_model(&b);
    answer->tier = "bottomup";
    return s;
}

ctw_status ctw_place__bottomup_mps(const ctw_place__inst *in, const char *path, const char *fn)
{
    model b;
    ctw_status s = build(&b, in);
    if (s == CTW_OK) s = ctw_milp__write_mps(&b.m, path, fn);
    free_model(&b);
    return s;
}
