/* decompose.c: tier 1. Prices are found by letting every unit answer them in turn while they follow (market.c,
 * respond.c), with the proximal anchor and the logistic width pulled in from sweep to sweep; the plan is then the
 * units' own last answers, the bound the Lagrangian value at the prices' averages. Packing makes servers of it,
 * and what found no room is placed one by one. */
#include "base/cancel.h"
#include "base/ctx.h"
#include "place/assign.h"
#include "place/feed.h"
#include "place/ramp.h"
#include "place/repair.h"
#include "place/respond.h"
#include "place/solution.h"
#include <math.h>
#include <string.h>

enum { MOST_SWEEPS = 12, MOST_REPACKS = 1, MOST_CAPPED = 3 };

/* Prices are good enough when the divisible plan is this close to the bound: packing loses twice as much. */
#define ENOUGH 2.5e-4

typedef struct search {
    const ctw_place__inst *in;
    ctw_place__clock *clock;
    ctw_place__answer *a;
    ctw_place__market m;
    ctw_place__crowd c;
    double *best_price, *keep; /* cells x r */
    int32_t *pool_of_row;      /* server rows of the host: pool, -1 when the row is empty */
    double fluid;              /* cost of the plan if servers were divisible */
    int hurry;                 /* the time for prices is over */
} search;

/* What the plan would cost if servers were divisible: prices times demand less what servers earn, and penalties. */
static double fluid_cost(search *s)
{
    ctw_place__market *m = &s->m;
    const ctw_place__inst *in = s->in;
    double sum = 0;
    for (size_t i = 0; i < m->cells * m->r; i++) sum += m->price[i] * m->demand[i];
    for (size_t k = 0; k < in->classes; k++) {
        for (size_t t = 0; t < in->slots; t++) sum -= m->count[k] * fmax(0, ctw_place__market_profit(m, k, t));
    }
    sum += ctw_place__feed_plan_value(m);
    for (size_t u = 0; u < in->units; u++) {
        const ctw_place__batch *b = in->batch + in->unit_batch[u];
        sum += (b->duration - s->a->plan.run[u]) * b->penalty;
    }
    return sum;
}

/* The bound at the average prices of the last sweep, which settle faster than the prices themselves. */
static void bound_at_average(search *s)
{
    ctw_place__market *m = &s->m;
    size_t n = m->cells * m->r;
    if (s->c.avg_n == 0) return;
    memcpy(s->keep, m->price, n * sizeof(double));
    for (size_t i = 0; i < n; i++) m->anchor[i] = m->price[i] = s->c.avg[i] / (double)s->c.avg_n;
    ctw_place__feed_average(m, s->c.avg_n);
    double b = ctw_place__crowd_bound(&s->c);
    if (b > s->a->bound) {
        s->a->bound = b;
        memcpy(s->best_price, m->price, n * sizeof(double));
        ctw_place__feed_record(m);
    }
    ctw_place__feed_restore(m);
    memcpy(m->price, s->keep, n * sizeof(double));
}

static void first_prices(search *s)
{
    ctw_place__market *m = &s->m;
    size_t n = m->cells * m->r;
    for (size_t i = 0; i < n; i++) m->anchor[i] = m->price[i] = m->high[i] / 60;
    ctw_place__crowd_spread(&s->c);
    for (int i = 0; i < 3 && ctw_base__now() < s->clock->last; i++) {
        ctw_place__market_solve_all(m);
        memcpy(m->anchor, m->price, n * sizeof(double));
        ctw_place__feed_learn(m);
    }
}

/* One round: everybody answers, the prices follow, the averages are judged. */
static void one_sweep(search *s, int i, int first)
{
    ctw_place__market *m = &s->m;
    s->c.avg_n = 0;
    memset(s->c.avg, 0, m->cells * m->r * sizeof(double));
    ctw_place__feed_forget(m);
    ctw_place__crowd_sweep(&s->c, first, s->clock);
    if (!s->c.whole) return;
    ctw_place__crowd_recount(&s->c);
    if (first) {
        memcpy(m->anchor, m->price, m->cells * m->r * sizeof(double));
        return;
    }
    bound_at_average(s);
    ctw_place__feed_learn(m);
    ctw_place__market_solve_all(m);
    s->fluid = fluid_cost(s);
    ctw_place__tell(s->clock, (uint64_t)i, s->a->bound, s->fluid);
}

/* Sweeps until plan and bound meet, or neither gets anywhere. */
static void settle(search *s, int from, int first)
{
    static const double width[] = {0.02, 0.005, 0.001, 0.0005};
    for (int i = from; i < MOST_SWEEPS && (i == from || !ctw_place__rung(s->clock)); i++) {
        double before = s->a->bound;
        s->m.theta = width[i < 3 ? i : 3];
        if (i > from) ctw_place__market_solve_all(&s->m);
        one_sweep(s, i, first && i == from);
        if (i < 3) continue;
        if (s->fluid - s->a->bound < ENOUGH * fabs(s->fluid)) break;
        if (isfinite(before) && s->a->bound - before < 6e-6 * fabs(before)) break;
    }
}

/* The last solution's choices as far as they still stand: same rows, and the pool of a server still there. */
static void adopt_plan(search *s)
{
    const ctw_solution *w = s->a->warm;
    const ctw_place__inst *in = s->in;
    ctw_place__plan *plan = &s->a->plan;
    for (size_t u = 0; u < in->units; u++) {
        const ctw_place__batch *b = in->batch + in->unit_batch[u];
        size_t e = ctw_place__entry(in, u);
        plan->run[u] = b->fits ? w->run[u] : 0;
        for (size_t q = e; q < e + (size_t)plan->run[u]; q++) {
            plan->slot[q] = w->slot[q];
            plan->server[q] = s->pool_of_row[w->server_row[w->server[q]]];
            if (plan->server[q] < 0 || !(b->pools >> plan->server[q] & 1)) plan->run[u] = 0;
        }
    }
}

/* 1 when the warm solution is of the same rows, units, slots and priced resources. */
static int warm_fits(const search *s)
{
    const ctw_solution *w = s->a->warm;
    const ctw_place__inst *in = s->in;
    if (!w || w->prices != s->m.cells * s->m.r || w->resources != s->m.r || w->units != in->units ||
        w->slots != in->slots)
        return 0;
    for (size_t i = 0; i < in->batches; i++) {
        const ctw_place__batch *b = in->batch + i;
        size_t row = (size_t)b->row;
        if (row >= w->jobs || w->service[row] >= 0 || w->count[row] != b->count || w->duration[row] != b->duration ||
            w->entry0[row] != b->entry0) {
            return 0;
        }
        for (int32_t q = 0; q < b->count; q++) {
            size_t u = b->unit0 + (size_t)q, e = b->entry0 + (size_t)q * (size_t)b->duration;
            int32_t run = w->run[u];
            if (run > 0 && (w->slot[e] < b->release || w->slot[e + (size_t)run - 1] >= b->end)) return 0;
        }
    }
    return 1;
}

static void find_prices(search *s)
{
    ctw_place__market *m = &s->m;
    m->give = 0.1;
    m->theta = 0.02;
    if (!warm_fits(s)) {
        first_prices(s);
        settle(s, 0, 1);
        return;
    }
    m->theta = 0.0005;
    for (size_t i = 0; i < m->cells * m->r; i++) m->anchor[i] = m->price[i] = fmin(s->a->warm->price[i], m->high[i]);
    if (m->feeds && s->a->warm->tariffs == s->in->regions * s->in->slots) {
        ctw_place__feed_set(m, s->a->warm->tariff);
        memcpy(m->feeds->anchor, s->a->warm->tariff, s->a->warm->tariffs * sizeof(double));
    }
    adopt_plan(s);
    s->c.whole = 1;
    ctw_place__crowd_recount(&s->c);
    ctw_place__market_solve_all(m);
    settle(s, 3, 0);
}

/* Whatever is not in the plan yet goes where it adds least. */
static ctw_status place_rest(search *s)
{
    ctw_place__state st;
    if (s->hurry || s->clock->stop == CTW_STOP_TIME) {
        ctw_status e = ctw_place__first_fit(s->in, s->clock, &s->a->plan);
        return e == CTW_E_DEADLINE ? CTW_OK : e; /* the rest is listed as missed */
    }
    CTW_TRY(ctw_place__state_new(s->in, &st));
    ctw_place__state_load(&st, &s->a->plan);
    ctw_status e = ctw_place__complete(s->in, &st, &s->a->plan);
    if (e == CTW_OK) e = ctw_place__repair(s->in, &st, &s->a->plan, s->clock);
    ctw_place__state_free(&st);
    return e;
}

/* Packs; where it ran out of servers, prices are sought again with that much room kept free. */
static ctw_status pack(search *s)
{
    ctw_place__market *m = &s->m;
    for (int round = 0;; round++) {
        int64_t lost = 0;
        double began = ctw_base__cpu_now();
        CTW_TRY(ctw_place__assign(m, &s->a->plan, s->clock, &lost));
        ctw_base__log(s->in->ctx, CTW_LOG_DEBUG, "place", "packing %.3f s, %lld lost", ctw_base__cpu_now() - began,
                      (long long)lost);
        if (lost == 0) return CTW_OK;
        if (round == (s->in->capped ? MOST_CAPPED : MOST_REPACKS) || s->hurry || ctw_place__rung(s->clock))
            return place_rest(s);
        ctw_place__unassign(s->in, &s->a->plan);
        for (int i = 0; i < 2; i++) {
            ctw_place__crowd_recount(&s->c);
            ctw_place__market_solve_all(m);
            ctw_place__crowd_sweep(&s->c, 0, s->clock);
        }
        ctw_place__crowd_recount(&s->c);
        ctw_place__market_solve_all(m);
    }
}

/* Batch slots that the answers leave out beyond what throughput_min allows. */
static double short_of(const search *s)
{
    double missed = 0;
    for (size_t u = 0; u < s->in->units; u++) {
        missed += s->in->batch[s->in->unit_batch[u]].duration - s->a->plan.run[u];
    }
    return missed - (1 - s->in->opt->throughput_min) * (double)s->in->batch_slots;
}

/* The throughput row's multiplier: penalties are raised until enough runs, or nothing more will. */
static void reach_throughput(search *s)
{
    double raise = 0;
    for (size_t i = 0; i < s->in->batches; i++) raise = fmax(raise, s->in->batch[i].penalty);
    for (int i = 0; i < 6 && short_of(s) > 1e-9 && !ctw_place__rung(s->clock); i++) {
        s->c.miss_extra = s->c.miss_extra > 0 ? 4 * s->c.miss_extra : 0.25 * raise + 1e-6;
        ctw_place__crowd_sweep(&s->c, 0, s->clock);
        ctw_place__crowd_recount(&s->c);
        ctw_place__market_solve_all(&s->m);
    }
}

static ctw_status run(search *s)
{
    double began = ctw_base__cpu_now(), end = s->clock->deadline;
    s->clock->deadline =
        fmin(s->clock->last, end - fmin(4 * ctw_place__pass_s(s->in), 0.5 * fmax(0, end - ctw_base__now())));
    find_prices(s);
    s->clock->deadline = end;
    if (!s->c.whole && s->clock->stop != CTW_STOP_CANCEL) CTW_TRY(ctw_place__too_late(s->clock));
    if (s->clock->stop == CTW_STOP_TIME && ctw_base__now() < end) {
        s->clock->stop = 0; /* prices had to stop, packing may go on */
        s->hurry = 1;
    }
    if (isinf(s->a->bound) && s->clock->stop != CTW_STOP_CANCEL) {
        s->a->bound = ctw_place__crowd_bound(&s->c); /* the clock rang before the first averages */
        memcpy(s->best_price, s->m.price, s->m.cells * s->m.r * sizeof(double));
        ctw_place__feed_record(&s->m);
    }
    for (int i = 0; i < ctw_place__ramp_sweeps(s->in) && !ctw_place__rung(s->clock); i++) {
        ctw_place__ramp_follow(&s->m, i);
        ctw_place__ramp_pad(&s->m);
        ctw_place__market_solve_all(&s->m);
        ctw_place__crowd_sweep(&s->c, 0, s->clock);
        ctw_place__crowd_recount(&s->c);
    }
    if (s->in->opt->throughput_min > 0) reach_throughput(s);
    ctw_base__log(s->in->ctx, CTW_LOG_DEBUG, "place", "prices %.3f s, fluid gap %.4f %%", ctw_base__cpu_now() - began,
                  100 * (s->fluid - s->a->bound) / s->fluid);
    s->a->rebate = ctw_place__feed_guide(&s->m);
    if (s->m.feeds && s->m.feeds->failed) return CTW_E_NOMEM;
    return pack(s);
}

ctw_status ctw_place__decompose(const ctw_place__inst *in, ctw_place__clock *clock, ctw_place__answer *a)
{
    search s;
    memset(&s, 0, sizeof s);
    s.in = in;
    s.clock = clock;
    s.a = a;
    a->tier = "decompose";
    a->stop = CTW_STOP_GAP;
    CTW_TRY(ctw_place__too_late(clock));
    CTW_TRY(ctw_place__market_new(in, &s.m));
    ctw_status e = ctw_place__crowd_new(&s.m, &a->plan, &s.c);
    s.best_price = CTW_NEW(in->ctx, s.m.cells * s.m.r, double);
    s.keep = CTW_NEW(in->ctx, s.m.cells * s.m.r, double);
    s.pool_of_row = CTW_NEW(in->ctx, in->rows, int32_t);
    if (e == CTW_OK && (!s.best_price || !s.keep || !s.pool_of_row)) e = CTW_E_NOMEM;
    if (e == CTW_OK) {
        for (size_t i = 0; i < in->rows; i++) s.pool_of_row[i] = -1;
        for (size_t v = in->servers; v-- > 0;) s.pool_of_row[in->row_of[v]] = (int32_t)in->class[in->class_of[v]].pool;
        e = run(&s);
    }
    if (s.hurry && !clock->stop) clock->stop = CTW_STOP_TIME;
    if (clock->stop) a->stop = clock->stop;
    if (e == CTW_OK) {
        a->price = s.best_price;
        a->prices = s.m.cells * s.m.r;
        a->resources = s.m.r;
        if (s.m.feeds) {
            a->tariff = s.m.feeds->best; /* it changes hands */
            a->tariffs = in->regions * in->slots;
            s.m.feeds->best = NULL;
        }
    } else {
        ctw_base__free(in->ctx, s.best_price);
    }
    ctw_base__free(in->ctx, s.keep);
    ctw_base__free(in->ctx, s.pool_of_row);
    ctw_place__crowd_free(&s.c);
    ctw_place__market_free(&s.m);
    return e;
}
