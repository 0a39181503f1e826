/* hedge.c: see hedge.h. CVaR_tail of a plan is the most that any weights w of the scenarios charge it, where
 * 0 <= w_q <= p_q / (1 - tail) and sum w = 1 (Rockafellar & Uryasev 2000; Artzner et al. 1999). So for any such w the
 * bound of the problem at the intensities sum_q w_q CI_q is one of the whole problem, and the w sought is the one whose
 * bound is largest. Each round solves at the present w, asks which weights its plan would stand worst, and moves w
 * towards them by a step of 2 / (round + 2) (Frank & Wolfe 1956). */
#include "place/hedge.h"
#include "base/cancel.h"
#include "base/ctx.h"
#include <math.h>
#include <string.h>

enum { ROUNDS = 16 };

typedef struct hedge {
    const ctw_place__inst *in;
    double *weight, *worst, *cost; /* scenarios */
} hedge;

/* The intensities of the weights. */
static void lean(const hedge *h)
{
    const ctw_place__inst *in = h->in;
    size_t n = in->regions * in->slots;
    for (size_t i = 0; i < n; i++) in->gram[i] = 0;
    for (size_t q = 0; q < in->scenarios; q++) {
        for (size_t i = 0; i < n; i++) in->gram[i] += h->weight[q] * in->scenario[q * n + i];
    }
    if (in->guide != in->gram) memcpy(in->guide, in->gram, n * sizeof(double));
}

/* One round's plan joins the answer if it is cheaper; `least` is the cheapest so far. */
static ctw_status take(const hedge *h, ctw_place__answer *b, ctw_place__answer *a, double *least)
{
    ctw_place__cost c;
    memset(&c, 0, sizeof c);
    c.by_scenario = h->cost;
    CTW_TRY(ctw_place__plan_cost(h->in, &b->plan, &c));
    a->bound = fmax(a->bound, b->bound);
    a->rebate = b->rebate;
    if (c.objective < *least) {
        ctw_place__answer old = *a;
        *least = c.objective;
        *a = *b;
        a->bound = old.bound;
        a->warm = old.warm;
        b->plan = old.plan;
        b->price = old.price;
        b->tariff = old.tariff;
    }
    double mean;
    return ctw_place__tail_mean(h->in->ctx, h->cost, h->in->probability, h->in->scenarios, h->in->tail, h->worst,
                                &mean);
}

static ctw_status play(hedge *h, ctw_place__clock *clock, ctw_place__answer *a, int round, double *least)
{
    const ctw_place__inst *in = h->in;
    ctw_place__answer b;
    memset(&b, 0, sizeof b);
    b.bound = -INFINITY;
    b.warm = round == 0 ? a->warm : NULL;
    ctw_status s = ctw_place__plan_new(in, &b.plan);
    if (s == CTW_OK) s = ctw_place__decompose(in, clock, &b);
    if (s == CTW_OK) s = take(h, &b, a, least);
    ctw_place__plan_free(in->ctx, &b.plan);
    ctw_base__free(in->ctx, b.price);
    ctw_base__free(in->ctx, b.tariff);
    return s;
}

static ctw_status rounds(hedge *h, ctw_place__clock *clock, ctw_place__answer *a)
{
    const ctw_place__inst *in = h->in;
    double least = INFINITY;
    memcpy(h->weight, in->probability, in->scenarios * sizeof(double));
    for (int i = 0; i < ROUNDS; i++) {
        double began = ctw_base__now(), step = 2.0 / (i + 2);
        lean(h);
        ctw_status s = play(h, clock, a, i, &least);
        if (s == CTW_E_DEADLINE && i > 0) return CTW_OK;
        CTW_TRY(s);
        double took = ctw_base__now() - began;
        ctw_base__log(in->ctx, CTW_LOG_DEBUG, "place", "round %d: plan %.8g, bound %.8g", i, least, a->bound);
        if (clock->stop || ctw_base__now() + 1.2 * took > clock->deadline) return CTW_OK;
        if (least - a->bound <= in->opt->mip_gap * fabs(least)) return CTW_OK;
        double moved = 0;
        for (size_t q = 0; q < in->scenarios; q++) {
            double by = step * (h->worst[q] - h->weight[q]);
            moved += fabs(by);
            h->weight[q] += by;
        }
        if (moved < 1e-9) return CTW_OK; /* the plan's worst scenarios are those it was made for */
    }
    return CTW_OK;
}

ctw_status ctw_place__hedge(const ctw_place__inst *in, ctw_place__clock *clock, ctw_place__answer *a)
{
    hedge h = {in, CTW_NEW(in->ctx, in->scenarios, double), CTW_NEW(in->ctx, in->scenarios, double),
               CTW_NEW(in->ctx, in->scenarios, double)};
    ctw_status s = h.weight && h.worst && h.cost ? rounds(&h, clock, a) : CTW_E_NOMEM;
    ctw_base__free(in->ctx, h.weight);
    ctw_base__free(in->ctx, h.worst);
    ctw_base__free(in->ctx, h.cost);
    return s;
}
