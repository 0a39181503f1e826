/* stay.c: Bounding and pricing migrations. The plan found without regard to them is packed anew with units staying
 * where they run (sticky.c), what lost its place is put back, and the moves are counted; while they exceed the bound
 * the budget for draining servers is cut. Where moves merely cost energy the cheaper plan is kept. */
#include "place/stay.h"
#include "base/ctx.h"
#include "place/repair.h"
#include "place/sticky.h"
#include <math.h>
#include <string.h>

/* Budgets tried, the last one nothing; and what an uneven fill costs (sticky.h), the best of which is kept. */
enum { MOST_CUTS = 4 };
static const double lopsided[] = {8, 30, 15};

typedef struct stayer {
    const ctw_place__inst *in;
    ctw_place__clock *clock;
    const ctw_place__plan *base;
    ctw_place__plan plan, best; /* the one at work; the best so far, empty before there is one */
    double best_cost;
    int64_t best_over;
} stayer;

static void copy_plan(const ctw_place__inst *in, const ctw_place__plan *from, ctw_place__plan *to)
{
    memcpy(to->slot, from->slot, in->entries * sizeof(int32_t));
    memcpy(to->server, from->server, in->entries * sizeof(int32_t));
    memcpy(to->run, from->run, in->units * sizeof(int32_t));
    memcpy(to->service_server, from->service_server, in->service_entries * sizeof(int32_t));
}

/* Whatever found no seat goes where it adds least. */
static ctw_status place_rest(stayer *s)
{
    ctw_place__state st;
    CTW_TRY(ctw_place__state_new(s->in, &st));
    ctw_place__state_load(&st, &s->plan);
    ctw_status e = ctw_place__complete(s->in, &st, &s->plan);
    if (e == CTW_OK) e = ctw_place__repair(s->in, &st, &s->plan, s->clock);
    ctw_place__state_free(&st);
    return e;
}

/* Keeps the plan if it exceeds the bound less, or as much and costs less. */
static void offer(stayer *s, double cost, int64_t over)
{
    if (over > s->best_over || (over == s->best_over && cost >= s->best_cost)) return;
    s->best_over = over;
    s->best_cost = cost;
    copy_plan(s->in, &s->plan, &s->best);
}

/* Cost, and moves beyond those allowed as a fraction of the placements (negative: some are left). */
static ctw_status judge(stayer *s, double *over)
{
    ctw_place__cost c;
    memset(&c, 0, sizeof c);
    CTW_TRY(ctw_place__plan_cost(s->in, &s->plan, &c));
    CTW_TRY(ctw_place__migrations(s->in, &s->plan, NULL, &c.migrations));
    int64_t allowed = (int64_t)(s->in->opt->max_migrations * (double)c.placements + 1e-9);
    *over = (double)(c.migrations - allowed) / (double)(c.placements > 0 ? c.placements : 1);
    ctw_base__log(s->in->ctx, CTW_LOG_DEBUG, "place", "sticky: %.9g g, %lld moves of %lld", c.objective,
                  (long long)c.migrations, (long long)allowed);
    offer(s, c.objective, c.migrations > allowed ? c.migrations - allowed : 0);
    return CTW_OK;
}

static ctw_status attempt(stayer *s, double budget, double uneven, double *over)
{
    copy_plan(s->in, s->base, &s->plan);
    CTW_TRY(ctw_place__sticky(s->in, &s->plan, budget, uneven));
    CTW_TRY(place_rest(s));
    return judge(s, over);
}

static ctw_status attempts(stayer *s)
{
    double budget = s->in->opt->max_migrations, over;
    s->best_over = INT64_MAX;
    copy_plan(s->in, s->base, &s->plan);
    CTW_TRY(judge(s, &over));
    for (size_t i = 0; i < sizeof lopsided / sizeof *lopsided && (i == 0 || !ctw_place__rung(s->clock)); i++)
        CTW_TRY(attempt(s, budget, lopsided[i], &over));
    for (int i = 1; i < MOST_CUTS && s->best_over > 0 && !ctw_place__rung(s->clock); i++) {
        budget = i + 1 < MOST_CUTS ? fmax(0, budget - 1.2 * over) : 0;
        CTW_TRY(attempt(s, budget, lopsided[0], &over));
    }
    return CTW_OK;
}

ctw_status ctw_place__stay(const ctw_place__inst *in, ctw_place__clock *clock, ctw_place__plan *plan)
{
    if (in->opt->max_migrations >= 1 && !in->migrates) return CTW_OK;
    stayer s;
    memset(&s, 0, sizeof s);
    s.in = in;
    s.clock = clock;
    s.base = plan;
    ctw_status e = ctw_place__plan_new(in, &s.plan);
    if (e == CTW_OK) e = ctw_place__plan_new(in, &s.best);
    if (e == CTW_OK) e = attempts(&s);
    if (e == CTW_OK) copy_plan(in, &s.best, plan);
    ctw_place__plan_free(in->ctx, &s.plan);
    ctw_place__plan_free(in->ctx, &s.best);
    return e;
}
