/* watch.c: the state machine that takes a model out of service when its inputs or errors turn strange and lets
 * it back only after it has proved itself beside the fallback. A Bernoulli CUSUM over [p < level] drives it: it
 * needs no distribution of the score, only that p is uniform or larger while all is well. */
#include "base/ctx.h"
#include "base/handle.h"
#include "base/report.h"
#include "guard/guard_params.h"
#include "io/container.h"
#include <cybertwin/guard.h>
#include <math.h>

#define MAGIC       CTW_FOUR('W', 'T', 'C', 'H')
#define TAG_PARAMS  CTW_FOUR('P', 'R', 'M', 'S')
#define TAG_STATE   CTW_FOUR('S', 'T', 'A', 'T')
#define MAX_BACKOFF 16

typedef struct watch_state {
    int32_t state;
    double sum;
    uint64_t calm, shadowed, good; /* steps in the present phase */
    uint64_t backoff;              /* multiplies the calm steps wanted */
    uint64_t steps, strange, obeyed, fallbacks, returns;
} watch_state;

struct ctw_watch {
    ctw_base__handle h;
    ctw_params *params;
    double accept, allowance, level, limit, suspect;
    uint64_t clean, shadow;
    watch_state s;
};

static void destroy(ctw_watch *w)
{
    ctw_params_unref(w->params);
}

CTW_DEFINE_REFS(ctw_watch, destroy)

ctw_status ctw_watch_new(ctw_ctx *ctx, const ctw_params *params, ctw_watch **out)
{
    static const char fn[] = "ctw_watch_new";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    CTW_TRY(ctw_base__params_check(params, &ctw_watch__kind, fn));
    double suspect = ctw_base__opt_f64(params, &ctw_watch__kind, "suspect");
    double limit = ctw_base__opt_f64(params, &ctw_watch__kind, "limit");
    if (!(suspect < limit))
        return ctw_base__fail(CTW_E_ARG, "%s: option suspect is %g, must be below limit = %g", fn, suspect, limit);
    ctw_watch *w = ctw_base__handle_new(ctx, sizeof *w, MAGIC);
    if (!w) return CTW_E_NOMEM;
    ctw_status s = ctw_base__params_copy(ctx, params, &ctw_watch__kind, &w->params);
    if (s != CTW_OK) {
        ctw_watch_unref(w);
        return s;
    }
    w->suspect = suspect;
    w->limit = limit;
    w->accept = ctw_base__opt_f64(params, &ctw_watch__kind, "accept");
    w->allowance = ctw_base__opt_f64(params, &ctw_watch__kind, "allowance");
    w->level = ctw_base__opt_f64(params, &ctw_watch__kind, "level");
    w->clean = (uint64_t)ctw_base__opt_i64(params, &ctw_watch__kind, "clean");
    w->shadow = (uint64_t)ctw_base__opt_i64(params, &ctw_watch__kind, "shadow");
    w->s.backoff = 1;
    *out = w;
    return CTW_OK;
}

static void enter_fallback(watch_state *s)
{
    s->state = CTW_WATCH_FALLBACK;
    s->calm = s->shadowed = s->good = 0;
    s->fallbacks++;
}

static void step_shadow(const ctw_watch *w, watch_state *s, int good)
{
    s->shadowed++;
    s->good += good != 0;
    int refused = s->sum >= w->suspect;
    if (!refused && s->shadowed < w->shadow) return;
    if (!refused && (double)s->good >= w->accept * (double)s->shadowed) {
        s->state = CTW_WATCH_NORMAL;
        s->sum = 0.0;
        s->calm = s->shadowed = s->good = 0;
        s->returns++;
        s->backoff = 1;
        return;
    }
    if (s->backoff < MAX_BACKOFF) s->backoff *= 2;
    enter_fallback(s);
}

static void step(const ctw_watch *w, watch_state *s, double p, int good)
{
    int strange = p < w->level;
    s->steps++;
    s->strange += (uint64_t)strange;
    /* The sum is capped, so that the way back does not grow with the length of the trouble. */
    s->sum = fmin(fmax(0.0, s->sum + strange - w->allowance), 2.0 * w->limit);
    switch (s->state) {
    case CTW_WATCH_FALLBACK:
        s->calm = s->sum < w->suspect ? s->calm + 1 : 0;
        if (s->calm >= w->clean * s->backoff) {
            s->state = CTW_WATCH_SHADOW;
            s->shadowed = s->good = 0;
        }
        break;
    case CTW_WATCH_SHADOW: step_shadow(w, s, good); break;
    default:
        if (s->sum >= w->limit)
            enter_fallback(s);
        else if (s->sum >= w->suspect)
            s->state = CTW_WATCH_SUSPECT;
        else if (s->sum <= 0.0)
            s->state = CTW_WATCH_NORMAL;
    }
    s->obeyed += s->state == CTW_WATCH_NORMAL || s->state == CTW_WATCH_SUSPECT;
}

ctw_status ctw_watch_step(ctw_watch *w, double p, int32_t good, int32_t *out_state)
{
    static const char fn[] = "ctw_watch_step";
    CTW_TRY(ctw_base__handle_enter(w ? &w->h : NULL, MAGIC, fn, "w"));
    ctw_status s = p >= 0.0 && p <= 1.0 ? CTW_OK : ctw_base__fail(CTW_E_RANGE, "%s: p is %g, must be in [0, 1]", fn, p);
    if (s == CTW_OK) {
        step(w, &w->s, p, good);
        if (out_state) *out_state = w->s.state;
    }
    ctw_base__handle_leave(&w->h);
    return s;
}

int32_t ctw_watch_state(const ctw_watch *w)
{
    return w ? w->s.state : CTW_WATCH_NORMAL;
}

int32_t ctw_watch_obey(const ctw_watch *w)
{
    int32_t s = ctw_watch_state(w);
    return s == CTW_WATCH_NORMAL || s == CTW_WATCH_SUSPECT;
}

ctw_status ctw_watch_reset(ctw_watch *w)
{
    CTW_TRY(ctw_base__handle_enter(w ? &w->h : NULL, MAGIC, "ctw_watch_reset", "w"));
    w->s = (watch_state){.backoff = 1};
    ctw_base__handle_leave(&w->h);
    return CTW_OK;
}

ctw_status ctw_watch_report(const ctw_watch *w, ctw_report **out)
{
    CTW_TRY(ctw_base__need(out, "ctw_watch_report", "out"));
    *out = NULL;
    CTW_TRY(ctw_base__handle_check(w ? &w->h : NULL, MAGIC, "ctw_watch_report", "w"));
    const watch_state *t = &w->s;
    const struct {
        const char *key;
        uint64_t value;
    } counts[] = {{"steps", t->steps},
                  {"strange", t->strange},
                  {"fallbacks", t->fallbacks},
                  {"returns", t->returns},
                  {"state", (uint64_t)t->state}};
    ctw_report *r = NULL;
    ctw_status s = ctw_base__report_new(w->h.ctx, &r);
    for (size_t i = 0; s == CTW_OK && i < sizeof counts / sizeof *counts; i++)
        s = ctw_base__report_i64(r, counts[i].key, (int64_t)counts[i].value);
    if (s == CTW_OK) s = ctw_base__report_f64(r, "obeyed_share", t->steps ? (double)t->obeyed / (double)t->steps : 1.0);
    if (s == CTW_OK) s = ctw_base__report_f64(r, "level", t->sum / w->limit);
    if (s != CTW_OK) {
        ctw_report_unref(r);
        return s;
    }
    *out = r;
    return CTW_OK;
}

ctw_status ctw_watch_save_mem(const ctw_watch *w, void *buf, uint64_t cap, uint64_t *need)
{
    static const char fn[] = "ctw_watch_save_mem";
    CTW_TRY(ctw_base__handle_check(w ? &w->h : NULL, MAGIC, fn, "w"));
    const watch_state *t = &w->s;
    ctw_io__out o;
    ctw_io__out_begin(&o, w->h.ctx, MAGIC, 1, 0);
    ctw_io__out_params(&o, w->params);
    ctw_io__out_open(&o, TAG_STATE, 1, 0);
    ctw_io__put_u32(&o.w, (uint32_t)t->state);
    ctw_io__put_f64(&o.w, t->sum);
    const uint64_t counts[] = {t->calm,    t->shadowed, t->good,      t->backoff, t->steps,
                               t->strange, t->obeyed,   t->fallbacks, t->returns};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) ctw_io__put_u64(&o.w, counts[i]);
    ctw_io__out_close(&o);
    return ctw_io__out_to_mem(&o, buf, cap, need, fn);
}

static ctw_status decode(const ctw_watch *w, ctw_io__reader *r, watch_state *t, const char *fn)
{
    uint32_t state = ctw_io__get_u32(r);
    ctw_io__get_f64s(r, &t->sum, 1);
    uint64_t *counts[] = {&t->calm,    &t->shadowed, &t->good,      &t->backoff, &t->steps,
                          &t->strange, &t->obeyed,   &t->fallbacks, &t->returns};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) *counts[i] = ctw_io__get_u64(r);
    CTW_TRY(ctw_io__in_end(r, fn, "STAT"));
    int ok = state <= CTW_WATCH_SHADOW && t->sum >= 0.0 && t->sum <= 2.0 * w->limit && t->backoff >= 1 &&
             t->backoff <= MAX_BACKOFF && t->calm <= t->steps && t->good <= t->shadowed && t->shadowed <= t->steps &&
             t->strange <= t->steps && t->obeyed <= t->steps && t->fallbacks <= t->steps && t->returns <= t->steps &&
             t->steps <= INT64_MAX;
    if (!ok) return ctw_base__fail(CTW_E_FORMAT, "%s: the counters contradict each other", fn);
    t->state = (int32_t)state;
    return CTW_OK;
}

ctw_status ctw_watch_load_mem(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_watch **out)
{
    static const char fn[] = "ctw_watch_load_mem";
    static const uint32_t known[] = {TAG_PARAMS, TAG_STATE};
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    ctw_io__in in;
    ctw_io__reader r;
    ctw_params *params = NULL;
    ctw_watch *w = NULL;
    CTW_TRY(ctw_io__in_begin(&in, buf, len, MAGIC, 1, fn));
    CTW_TRY(ctw_io__in_known(&in, known, sizeof known / sizeof *known, fn));
    CTW_TRY(ctw_io__in_section(&in, TAG_STATE, &r, fn));
    CTW_TRY(ctw_io__in_params(&in, ctx, "watch", &params, fn));
    ctw_status s = ctw_watch_new(ctx, params, &w);
    ctw_params_unref(params);
    if (s == CTW_E_ARG) s = CTW_E_FORMAT; /* options that no watch could have had */
    if (s == CTW_OK) s = decode(w, &r, &w->s, fn);
    if (s != CTW_OK) {
        ctw_watch_unref(w);
        return s;
    }
    *out = w;
    return CTW_OK;
}
