/* solve.c: the public verbs that produce plans: compile, choose the tier, verify, hand over. */
#include "base/cancel.h"
#include "base/ctx.h"
#include "place/aggregate.h"
#include "place/anneal.h"
#include "place/finish.h"
#include "place/hedge.h"
#include "place/patch.h"
#include "place/polish.h"
#include "place/reserve.h"
#include "place/run_now.h"
#include "place/stay.h"
#include "place/verify.h"
#include <math.h>
#include <string.h>

double ctw_place__pass_s(const ctw_place__inst *in)
{
    return 40e-9 * (double)(in->entries + in->service_entries) + 5e-9 * (double)(in->servers * in->slots);
}

/* Writing the plan out and verifying it. */
static double write_s(const ctw_place__inst *in)
{
    return 115e-9 * (double)(in->entries + in->service_entries + in->units) + 2e-9 * (double)(in->servers * in->slots);
}

/* Slots that units may choose from. */
static size_t choices(const ctw_place__inst *in)
{
    size_t n = 0;
    for (size_t i = 0; i < in->batches; i++)
        n += (size_t)(in->batch[i].end - in->batch[i].release) * (size_t)in->batch[i].count;
    return n;
}

static double first_fit_s(const ctw_place__inst *in)
{
    return 25e-9 * (double)(in->entries + in->service_entries) + 50e-9 * (double)choices(in);
}

static ctw_place__clock clock_for(const ctw_place *p, const ctw_place__inst *in, ctw_cancel *cancel, double began,
                                  double deadline_s)
{
    double limit = fmin(deadline_s > 0 ? deadline_s : p->opt.time_limit_s, ctw_base__time_left(cancel));
    ctw_place__clock c = {.cancel = cancel,
                          .progress = p->progress,
                          .user = p->progress_user,
                          .patient = deadline_s > 0,
                          .last = INFINITY,
                          .end = INFINITY};
    c.deadline = began + limit - fmin(write_s(in), limit / 2);
    if (deadline_s > 0) {
        c.end = began + limit;
        c.last = c.end - write_s(in) - first_fit_s(in);
    }
    return c;
}

int ctw_place__rung(ctw_place__clock *clock)
{
    if (clock->stop) return 1;
    ctw_status s = ctw_base__stopped(clock->cancel, "place");
    if (s == CTW_E_CANCELLED) clock->stop = CTW_STOP_CANCEL;
    if (s == CTW_E_DEADLINE || ctw_base__now() > clock->deadline) clock->stop = CTW_STOP_TIME;
    return clock->stop != 0;
}

ctw_status ctw_place__too_late(const ctw_place__clock *clock)
{
    if (ctw_base__now() <= clock->last) return CTW_OK;
    return ctw_base__fail(CTW_E_DEADLINE, "place: the deadline passed before there was a first plan");
}

void ctw_place__tell(ctw_place__clock *clock, uint64_t step, double bound, double best)
{
    if (clock->progress && clock->progress(clock->user, step, bound, best)) clock->stop = CTW_STOP_CANCEL;
}

/* Up to this many servers times units a greedy plan costs next to nothing and is tried as well. */
#define GREEDY_TOO 100000

/* Up to this many servers tier 2 is worth its time. */
enum { SEARCHED = 300, QUICK_ROUNDS = 300 };

/* Up to this many slots that units may choose from, whole units are worth their integers in the aggregated model. */
enum { WHOLE = 2000 };

/* The per-server model is worth its variables only for problems that fit on a page. */
static int tiny(const ctw_place__inst *in)
{
    size_t units = in->units + in->services;
    return in->servers * units * in->slots <= 400;
}

/* The better of the plan in `a` and a greedy one; the bound stays. */
static ctw_status or_greedy(const ctw_place__inst *in, ctw_place__answer *a)
{
    ctw_place__plan plan;
    ctw_place__cost mine, theirs;
    memset(&mine, 0, sizeof mine);
    memset(&theirs, 0, sizeof theirs);
    CTW_TRY(ctw_place__plan_new(in, &plan));
    ctw_status s = ctw_place__greedy(in, &plan);
    if (s == CTW_OK) s = ctw_place__plan_cost(in, &a->plan, &mine);
    if (s == CTW_OK) s = ctw_place__plan_cost(in, &plan, &theirs);
    if (s == CTW_OK && theirs.objective < mine.objective) {
        ctw_place__plan old = a->plan;
        a->plan = plan;
        plan = old;
    }
    ctw_place__plan_free(in->ctx, &plan);
    return s;
}

/* The search weighs watts by the instance's guide; where that is not the whole truth, the plan it started from stays
 * unless the new one is better. */
static ctw_status search(const ctw_place__inst *in, ctw_place__plan *plan, ctw_place__clock *clock, double until,
                         double bound, int64_t patience)
{
    if (!in->on_site && in->tail <= 0) return ctw_place__polish(in, plan, clock, until, bound, patience);
    ctw_place__plan old;
    ctw_place__cost before, after;
    memset(&before, 0, sizeof before);
    memset(&after, 0, sizeof after);
    CTW_TRY(ctw_place__plan_copy(in, plan, &old));
    ctw_status s = ctw_place__plan_cost(in, plan, &before);
    if (s == CTW_OK) s = ctw_place__polish(in, plan, clock, until, bound, patience);
    if (s == CTW_OK) s = ctw_place__plan_cost(in, plan, &after);
    if (s != CTW_OK || after.objective > before.objective) {
        ctw_place__plan worse = *plan;
        *plan = old;
        old = worse;
    }
    ctw_place__plan_free(in->ctx, &old);
    return s;
}

/* The aggregated model's bound; it is stated at the guide's prices, where supply and storage give back a constant. */
static ctw_status aggregate(const ctw_place__inst *in, const ctw_place__limits *lim, ctw_place__clock *clock,
                            double until, int whole, ctw_place__answer *a)
{
    double bound = a->bound - a->rebate;
    ctw_status s = ctw_place__aggregate(in, lim, clock, until, whole, &bound, &a->nodes);
    a->bound = fmax(a->bound, bound + a->rebate);
    return s;
}

/* It looks at every server for every slot of every unit's window, at some 8 ns. */
static int greedy_too(const ctw_place__inst *in, ctw_place__clock *clock)
{
    double steps = (double)in->servers * ((double)choices(in) + (double)in->service_entries);
    return in->servers * in->units <= GREEDY_TOO && !ctw_place__rung(clock) &&
           ctw_base__now() + 8e-9 * steps < clock->deadline;
}

/* Time is left to set up a search that takes this long before its first step. Without a deadline of the caller's the
 * clock decides nothing. */
static int time_for(const ctw_place__clock *clock, double setup_s)
{
    return !clock->patient || ctw_base__now() + setup_s < clock->deadline;
}

/* Setting up: the search loads the plan and copies it; annealing packs every cell of it anew. */
static double search_setup_s(const ctw_place__inst *in)
{
    return 4 * ctw_place__pass_s(in);
}
static double anneal_setup_s(const ctw_place__inst *in)
{
    return 20 * ctw_place__pass_s(in) + 2e-4 * (double)(in->pools * in->slots);
}

/* Tier 2: a search around the plan, annealing of the schedule for half of the time (a quarter where units are few), the
 * aggregated model's bound, and with what is left a second round of both.
 * A caller who named no deadline gets a few rounds of the search only. */
static ctw_status improve_with(const ctw_place__inst *in, const ctw_place__limits *lim, ctw_place__mode mode,
                               ctw_place__clock *clock, ctw_place__answer *a)
{
    double now = ctw_base__now(), left = clock->deadline - now;
    int thorough = clock->patient || mode == CTW_PLACE_MODE_EXACT;
    int64_t patience = in->opt->max_rounds ? in->opt->max_rounds : thorough ? 3000000 : QUICK_ROUNDS;
    if (!time_for(clock, search_setup_s(in))) return CTW_OK;
    CTW_TRY(search(in, &a->plan, clock, now + 0.05 * left, a->bound, patience));
    if (!thorough) return CTW_OK;
    int whole = choices(in) <= WHOLE;
    double first = now + (whole ? 0.25 : 0.5) * left;
    if (time_for(clock, anneal_setup_s(in)))
        CTW_TRY(ctw_place__anneal(in, lim, &a->plan, clock, first, a->bound, 100 * patience, 1));
    if (!ctw_place__rung(clock)) {
        double until = whole ? now + 0.95 * left : ctw_base__now() + 0.3 * left;
        CTW_TRY(aggregate(in, lim, clock, until, whole, a));
        a->tier = "exact";
        ctw_base__log(in->ctx, CTW_LOG_DEBUG, "place", "aggregated bound %.6g after %lld nodes, %.3g s", a->bound,
                      (long long)a->nodes, ctw_base__now() - now);
    }
    if (time_for(clock, anneal_setup_s(in)))
        CTW_TRY(ctw_place__anneal(in, lim, &a->plan, clock, now + 0.98 * left, a->bound, 100 * patience, 2));
    if (time_for(clock, search_setup_s(in))) CTW_TRY(search(in, &a->plan, clock, clock->deadline, a->bound, patience));
    if (clock->stop) a->stop = clock->stop;
    return CTW_OK;
}

static ctw_status improve(const ctw_place__inst *in, ctw_place__mode mode, ctw_place__clock *clock,
                          ctw_place__answer *a)
{
    ctw_place__limits lim;
    ctw_status s = ctw_place__limits_new(in, &lim);
    if (s == CTW_OK) s = improve_with(in, &lim, mode, clock, a);
    ctw_place__limits_free(&lim);
    return s;
}

static ctw_status run_tier(const ctw_place__inst *in, ctw_place__mode mode, ctw_place__clock *clock,
                           ctw_place__answer *a)
{
    int some = in->units + in->services > 0 && in->servers > 0;
    a->tier = "greedy";
    a->stop = CTW_STOP_GAP;
    if (some && (mode == CTW_PLACE_MODE_BOTTOMUP ||
                 (mode != CTW_PLACE_MODE_DECOMPOSE && mode != CTW_PLACE_MODE_GREEDY && tiny(in)))) {
        CTW_TRY(ctw_place__greedy(in, &a->plan));
        return ctw_place__bottomup(in, clock, a);
    }
    if (!some || mode == CTW_PLACE_MODE_GREEDY) return ctw_place__greedy(in, &a->plan);
    CTW_TRY(in->tail > 0 ? ctw_place__hedge(in, clock, a) : ctw_place__decompose(in, clock, a));
    if (greedy_too(in, clock)) CTW_TRY(or_greedy(in, a));
    if (mode == CTW_PLACE_MODE_DECOMPOSE || in->servers > SEARCHED) return CTW_OK;
    return improve(in, mode, clock, a);
}

/* No forecast, or one too old to wait by. */
static int fails_open(const ctw_place *p)
{
    return isinf(p->age) || p->age > p->opt.max_age_s;
}

/* Where a first fit takes no longer than this, it is made however late it is. */
#define ANYHOW_S 5e-3

/* Time was too short for prices: a plain plan is worth more to the caller than none. */
static ctw_status or_last_resort(const ctw_place__inst *in, ctw_place__clock *clock, ctw_place__answer *a, ctw_status s)
{
    double takes = write_s(in) + first_fit_s(in);
    if (s != CTW_E_DEADLINE || (takes > ANYHOW_S && ctw_base__now() > clock->end - 0.6 * takes)) return s;
    if (takes <= ANYHOW_S) clock->end = INFINITY;
    ctw_place__plan_free(in->ctx, &a->plan);
    CTW_TRY(ctw_place__plan_new(in, &a->plan));
    a->tier = "first_fit";
    a->stop = CTW_STOP_TIME;
    return ctw_place__first_fit(in, clock, &a->plan);
}

static ctw_status solve_compiled(ctw_place *p, ctw_place__inst *in, ctw_place__mode mode, ctw_place__clock *clock,
                                 double began, ctw_solution **out)
{
    ctw_place__answer a;
    memset(&a, 0, sizeof a);
    a.bound = -INFINITY;
    a.warm = p->warm;
    CTW_TRY(ctw_place__plan_new(in, &a.plan));
    int open = fails_open(p) && in->units > 0 && in->servers > 0;
    ctw_status s = open ? ctw_place__run_now(in, clock, &a) : run_tier(in, mode, clock, &a);
    s = or_last_resort(in, clock, &a, s);
    if (s == CTW_OK && ctw_base__now() < clock->last) s = ctw_place__stay(in, clock, &a.plan);
    if (s == CTW_OK) s = ctw_place__add_reserve(in, &a.plan, &a.reserve_short);
    if (s == CTW_OK) s = ctw_place__finish(p, in, &a, ctw_base__now() - began, out);
    ctw_place__plan_free(in->ctx, &a.plan);
    ctw_base__free(in->ctx, a.price);
    ctw_base__free(in->ctx, a.tariff);
    return s;
}

static ctw_status solve_in(ctw_place *p, double deadline_s, ctw_cancel *cancel, ctw_place__mode mode, const char *fn,
                           ctw_solution **out)
{
    double began = ctw_base__now();
    ctw_place__inst in;
    CTW_TRY(ctw_base__stopped(cancel, fn));
    ctw_status s = ctw_place__inst_new(p, &in, fn);
    if (s == CTW_OK) {
        ctw_place__clock clock = clock_for(p, &in, cancel, began, deadline_s);
        s = solve_compiled(p, &in, mode, &clock, began, out);
    }
    ctw_place__inst_free(&in); /* before the verifier takes its own memory */
    if (s == CTW_OK) s = ctw_place__verify(p, *out, fn);
    if (s != CTW_OK) {
        ctw_solution_unref(*out);
        *out = NULL;
    }
    return s;
}

/* A tier below which deadlines leave no time for prices: this much for every placement of the last plan. */
#define PRICES_S 1e-7

static int too_short_for_prices(const ctw_place *p, double deadline_s, const ctw_cancel *cancel)
{
    if (p->opt.mode != CTW_PLACE_MODE_AUTO || deadline_s <= 0 || !p->warm || p->warm->rest) return 0;
    return fmin(deadline_s, ctw_base__time_left(cancel)) < PRICES_S * (double)p->warm->spots;
}

static ctw_status check_repair(const ctw_place *p, int64_t slot, const char *fn)
{
    if (!p->nodes.id || !p->jobs.id || !p->carbon || !p->warm) {
        return ctw_base__fail(CTW_E_STATE,
                              "%s: needs servers, jobs, carbon intensity and a plan to repair "
                              "(ctw_place_set_warm_start)",
                              fn);
    }
    if (p->warm->rest) return ctw_base__fail(CTW_E_ARG, "%s: cannot repair a plan of ctw_place_replan", fn);
    if (slot < 0 || (size_t)slot >= p->slots) {
        return ctw_base__fail(CTW_E_RANGE, "%s: slot %lld, the horizon has %zu", fn, (long long)slot, p->slots);
    }
    if (p->warm->jobs != p->jobs.n || p->warm->slots != p->slots || p->nodes.r != p->jobs.r) {
        return ctw_base__fail(CTW_E_SHAPE, "%s: the plan has %zu job rows and %zu slots, the problem %zu and %zu", fn,
                              p->warm->jobs, p->warm->slots, p->jobs.n, p->slots);
    }
    if (p->region_cap && p->region_caps != p->regions) {
        return ctw_base__fail(CTW_E_SHAPE, "%s: caps for %zu regions, carbon has %zu", fn, p->region_caps, p->regions);
    }
    for (size_t e = 0; e < p->jobs.loads; e++) {
        if (!ctw_place__flag(p->jobs.kind, (size_t)p->jobs.load_row[e])) {
            return ctw_base__fail(CTW_E_RANGE, "%s: load entry %zu is for job row %lld, which is no service", fn, e,
                                  (long long)p->jobs.load_row[e]);
        }
    }
    return CTW_OK;
}

static ctw_status repair_in(ctw_place *p, int64_t slot, double deadline_s, ctw_cancel *cancel, const char *fn,
                            ctw_solution **out)
{
    double began = ctw_base__now();
    ctw_place__patch x;
    memset(&x, 0, sizeof x);
    x.p = p;
    x.w = p->warm;
    x.fn = fn;
    x.cancel = cancel;
    x.slot = (size_t)slot;
    x.deadline = deadline_s > 0 ? began + deadline_s : INFINITY;
    CTW_TRY(ctw_base__stopped(cancel, fn));
    CTW_TRY(check_repair(p, slot, fn));
    ctw_status s = ctw_place__patch_read(&x);
    if (s == CTW_OK) s = ctw_place__patch_place(&x);
    if (s == CTW_OK) s = ctw_place__patch_write(&x, ctw_base__now() - began, out);
    ctw_place__patch_free(&x);
    if (s == CTW_OK) s = ctw_place__verify(p, *out, fn);
    if (s != CTW_OK) {
        ctw_solution_unref(*out);
        *out = NULL;
    }
    return s;
}

ctw_status ctw_place_solve(ctw_place *p, double deadline_s, ctw_cancel *cancel, ctw_solution **out)
{
    CTW_TRY(ctw_base__need(out, __func__, "out"));
    *out = NULL;
    if (isnan(deadline_s)) return ctw_base__fail(CTW_E_NONFINITE, "%s: deadline_s is NaN", __func__);
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_PLACE_MAGIC, __func__, "p"));
    ctw_status s = too_short_for_prices(p, deadline_s, cancel)
                       ? repair_in(p, 0, deadline_s, cancel, __func__, out)
                       : solve_in(p, deadline_s, cancel, p->opt.mode, __func__, out);
    ctw_base__handle_leave(&p->h);
    return s;
}

ctw_status ctw_place_repair(ctw_place *p, int64_t slot, double deadline_s, ctw_cancel *cancel, ctw_solution **out)
{
    CTW_TRY(ctw_base__need(out, __func__, "out"));
    *out = NULL;
    if (isnan(deadline_s)) return ctw_base__fail(CTW_E_NONFINITE, "%s: deadline_s is NaN", __func__);
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_PLACE_MAGIC, __func__, "p"));
    ctw_status s = repair_in(p, slot, deadline_s, cancel, __func__, out);
    ctw_base__handle_leave(&p->h);
    return s;
}

ctw_status ctw_place_greedy(ctw_place *p, ctw_solution **out)
{
    CTW_TRY(ctw_base__need(out, __func__, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_PLACE_MAGIC, __func__, "p"));
    ctw_status s = solve_in(p, 0, NULL, CTW_PLACE_MODE_GREEDY, __func__, out);
    ctw_base__handle_leave(&p->h);
    return s;
}

ctw_status ctw_place_verify(const ctw_place *p, const ctw_solution *s)
{
    CTW_TRY(ctw_base__handle_check(p ? &p->h : NULL, CTW_PLACE_MAGIC, __func__, "p"));
    CTW_TRY(ctw_base__handle_check(s ? &s->h : NULL, CTW_SOLUTION_MAGIC, __func__, "s"));
    return ctw_place__verify(p, s, __func__);
}

/* What the per-server model leaves out must not be missing silently in another solver's answer. */
static ctw_status exportable(const ctw_place__inst *in, const char *fn)
{
    if (in->migrates || in->opt->max_migrations < 1) {
        return ctw_base__fail(CTW_E_UNSUPPORTED,
                              "%s: the exported model knows no migrations (their energy, or max_migrations %g)", fn,
                              in->opt->max_migrations);
    }
    if (in->opt->reserve != CTW_PLACE_RESERVE_NONE)
        return ctw_base__fail(CTW_E_UNSUPPORTED, "%s: the exported model knows no reserve", fn);
    return CTW_OK;
}

ctw_status ctw_place_write_mps(ctw_place *p, const char *path)
{
    CTW_TRY(ctw_base__need(path, __func__, "path"));
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_PLACE_MAGIC, __func__, "p"));
    ctw_place__inst in;
    ctw_status s = ctw_place__inst_new(p, &in, __func__);
    if (s == CTW_OK) s = exportable(&in, __func__);
    if (s == CTW_OK) s = ctw_place__bottomup_mps(&in, path, __func__);
    ctw_place__inst_free(&in);
    ctw_base__handle_leave(&p->h);
    return s;
}
