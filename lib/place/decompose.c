/* decompose.c: tier 1. Prices are found by letting every unit answer them in turn while they follow (market.c,
 * respond.c), with the proximal anchor and the logistic width pulled in from sweep to sweep; the plan is then the
 * units' own last answers, the bound the Lagrangian value at the prices' averages. Packing makes servers of it,
 * and what found no room is placed one by one. */
#include "base/cancel.h"
#include "base/ctx.h"
#include "place/assign.h"
#include "place/repair.h"
#include "place/respond.h"
#include <math.h>
#include <string.h>

enum { MOST_SWEEPS = 12, MOST_REPACKS = 1 };

typedef struct search {
    const ctw_place__inst *in;
    ctw_place__clock *clock;
    ctw_place__answer *a;
    ctw_place__market m;
    ctw_place__crowd c;
    double *best_price, *keep; /* cells x r */
    double fluid;              /* cost of the plan if servers were divisible */
} search;

/* What the plan would cost if servers were divisible: prices times demand less what servers earn, and penalties. */
static double fluid_cost(const search *s)
{
    const ctw_place__market *m = &s->m;
    const ctw_place__inst *in = s->in;
    double sum = 0;
    for (size_t i = 0; i < m->cells * m->r; i++) sum += m->price[i] * m->demand[i];
    for (size_t k = 0; k < in->classes; k++) {
        for (size_t t = 0; t < in->slots; t++) sum -= in->class[k].n * fmax(0, ctw_place__market_profit(m, k, t));
    }
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
    double b = ctw_place__crowd_bound(&s->c);
    if (b > s->a->bound) {
        s->a->bound = b;
        memcpy(s->best_price, m->price, n * sizeof(double));
    }
    memcpy(m->price, s->keep, n * sizeof(double));
}

static void first_prices(search *s)
{
    ctw_place__market *m = &s->m;
    size_t n = m->cells * m->r;
    for (size_t i = 0; i < n; i++) m->anchor[i] = m->price[i] = m->high[i] / 60;
    ctw_place__crowd_spread(&s->c);
    for (int i = 0; i < 3; i++) {
        ctw_place__market_solve_all(m);
        memcpy(m->anchor, m->price, n * sizeof(double));
    }
}

static void find_prices(search *s)
{
    static const double width[] = {0.02, 0.005, 0.001, 0.0005};
    ctw_place__market *m = &s->m;
    m->theta = width[0];
    m->give = 0.1;
    first_prices(s);
    for (int i = 0; i < MOST_SWEEPS && !ctw_place__rung(s->clock); i++) {
        m->theta = width[i < 3 ? i : 3];
        if (i > 0) ctw_place__market_solve_all(m);
        s->c.avg_n = 0;
        memset(s->c.avg, 0, m->cells * m->r * sizeof(double));
        ctw_place__crowd_sweep(&s->c, i == 0, s->clock);
        ctw_place__crowd_recount(&s->c);
        if (i == 0) {
            memcpy(m->anchor, m->price, m->cells * m->r * sizeof(double));
            continue;
        }
        bound_at_average(s);
        ctw_place__market_solve_all(m);
        s->fluid = fluid_cost(s);
        ctw_place__tell(s->clock, (uint64_t)i, s->a->bound, s->fluid);
        if (i >= 3 && s->fluid - s->a->bound < 1e-4 * fabs(s->fluid)) break;
    }
}

/* Whatever is not in the plan yet goes where it adds least. */
static ctw_status place_rest(search *s)
{
    ctw_place__state st;
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
        CTW_TRY(ctw_place__assign(m, &s->a->plan, &lost));
        ctw_base__log(s->in->ctx, CTW_LOG_DEBUG, "place", "packing %.3f s, %lld lost", ctw_base__cpu_now() - began,
                      (long long)lost);
        if (lost == 0) return CTW_OK;
        if (round == MOST_REPACKS || ctw_place__rung(s->clock)) return place_rest(s);
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

static ctw_status run(search *s)
{
    double began = ctw_base__cpu_now();
    find_prices(s);
    ctw_base__log(s->in->ctx, CTW_LOG_DEBUG, "place", "prices %.3f s, fluid gap %.4f %%", ctw_base__cpu_now() - began,
                  100 * (s->fluid - s->a->bound) / s->fluid);
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
    CTW_TRY(ctw_place__market_new(in, &s.m));
    ctw_status e = ctw_place__crowd_new(&s.m, &a->plan, &s.c);
    s.best_price = CTW_NEW(in->ctx, s.m.cells * s.m.r, double);
    s.keep = CTW_NEW(in->ctx, s.m.cells * s.m.r, double);
    if (e == CTW_OK && (!s.best_price || !s.keep)) e = CTW_E_NOMEM;
    if (e == CTW_OK) e = run(&s);
    ctw_base__free(in->ctx, s.best_price);
    ctw_base__free(in->ctx, s.keep);
    ctw_place__crowd_free(&s.c);
    ctw_place__market_free(&s.m);
    return e;
}
