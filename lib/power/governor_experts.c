/* governor_experts.c: choosing among rules by replaying the whole record costs the record's length each time. Here each
 * rule keeps a server of its own that goes on where it stopped, so a choice costs only what was served since the last
 * one, and may be made often. Sums forget slowly: the load changes over the day. */
#include "power/governor_experts.h"

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/error.h"
#include <math.h>

/* Prices of time, of each waiting request's time, and of time while much comes; from bold to careful. */
static const struct {
    double price, queue_price, load_price;
} families[] = {{0.0, 0.0, 0.0}, {0.0, 0.2, 0.0}, {0.2, 0.2, 0.0}, {0.1, 0.6, 0.0}, {0.4, 0.6, 0.0},
                {0.2, 1.5, 0.0}, {0.0, 0.2, 0.3}, {0.1, 0.6, 0.3}, {0.1, 0.6, 1.0}, {0.4, 0.6, 2.0}};
static const double guards[] = {1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.25};

enum {
    FAMILIES = sizeof families / sizeof *families,
    GUARDS = sizeof guards / sizeof *guards,
    MOST = FAMILIES * GUARDS + 2 * CTW_GOVERNOR_POINTS,
    /* An expert with a longer queue is not let finish it: those late already tell enough. */
    MOST_PENDING = 64
};

ctw_status ctw_governor__experts_new(ctw_ctx *ctx, ctw_governor__experts *e)
{
    e->at = ctw_base__alloc(ctx, MOST, sizeof *e->at);
    return e->at ? CTW_OK : CTW_E_NOMEM;
}

void ctw_governor__experts_free(ctw_ctx *ctx, ctw_governor__experts *e)
{
    ctw_base__free(ctx, e->at);
}

static void add(ctw_governor__experts *e, ctw_power__rule rule)
{
    e->at[e->n++] = (ctw_governor__expert){.rule = rule};
}

/* Stretching rules first: where a fixed point only equals one, the rule that sees deadlines is kept. */
void ctw_governor__experts_begin(ctw_governor__experts *e, const ctw_power__plan *plan)
{
    e->n = 0;
    e->begun = 0;
    for (size_t f = 0; f < FAMILIES; f++)
        for (size_t k = 0; k < GUARDS; k++)
            add(e, (ctw_power__rule){.fixed = -1,
                                     .guard = guards[k],
                                     .price = families[f].price,
                                     .queue_price = families[f].queue_price,
                                     .load_price = families[f].load_price});
    for (size_t j = 0; j <= plan->top; j++) add(e, (ctw_power__rule){.fixed = (int)j, .park = 1});
    for (size_t j = 0; j <= plan->top; j++) add(e, (ctw_power__rule){.fixed = (int)j});
}

void ctw_governor__experts_drop(ctw_governor__experts *e, const ctw_power__record *r, size_t dropped)
{
    for (size_t i = 0; i < e->n && e->begun; i++) {
        ctw_power__server *s = &e->at[i].server;
        if (s->served < dropped) { /* hopelessly behind: what it never served is late */
            s->late += dropped - s->served;
            s->served = dropped;
            s->left = s->left > 0.0 && dropped < r->n ? r->work[dropped] : 0.0;
        }
        s->served -= dropped;
        s->seen = s->seen > dropped ? s->seen - dropped : 0;
    }
}

/* Late requests of a server so far, those counted that wait and are late already. */
static double late_by_now(const ctw_power__server *s, const ctw_power__record *r)
{
    size_t late = s->late;
    for (size_t i = s->served; i < s->seen; i++) late += r->deadline[i] < s->now;
    return (double)late;
}

static void update(ctw_governor__expert *x, double keep)
{
    ctw_governor__tally now = {(double)x->server.late, x->server.joule, x->server.now - x->server.begin};
    x->sum.late = keep * x->sum.late + now.late - x->counted.late;
    x->sum.joule = keep * x->sum.joule + now.joule - x->counted.joule;
    x->sum.seconds = keep * x->sum.seconds + now.seconds - x->counted.seconds;
    x->counted = now;
}

ctw_status ctw_governor__experts_follow(ctw_governor__experts *e, const ctw_power__plan *plan,
                                        const ctw_power__record *r, double lag, double memory, ctw_cancel *cancel,
                                        const char *fn)
{
    if (!e->begun) {
        for (size_t i = 0; i < e->n; i++) {
            e->at[i].sum = e->at[i].counted = (ctw_governor__tally){0.0, 0.0, 0.0};
            ctw_power__server_start(&e->at[i].server, plan, &e->at[i].rule, r);
        }
        e->weight = 0.0;
        e->fresh = r->n;
        e->begun = 1;
    }
    for (size_t i = 0; i < e->n; i++) {
        CTW_TRY(ctw_base__stopped(cancel, fn));
        ctw_power__server_run(&e->at[i].server, plan, &e->at[i].rule, r, lag, 0);
    }
    double keep = exp(-(double)e->fresh / memory);
    e->weight = keep * e->weight + (double)e->fresh;
    e->fresh = 0;
    for (size_t i = 0; i < e->n; i++) update(&e->at[i], keep);
    return CTW_OK;
}

ctw_governor__tally ctw_governor__experts_outcome(const ctw_governor__experts *e, size_t i, const ctw_power__plan *plan,
                                                  const ctw_power__record *r, double lag)
{
    ctw_governor__expert x = e->at[i];
    if (r->n - x.server.served > MOST_PENDING) {
        x.sum.late += late_by_now(&x.server, r) - x.counted.late;
        return x.sum;
    }
    ctw_power__server_run(&x.server, plan, &x.rule, r, lag, 1);
    update(&x, 1.0);
    return x.sum;
}
