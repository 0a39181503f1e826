/* run.c: the loop of episodes between an agent and an environment, with one entry check for millions of steps. */
#include "agent/nstep.h"
#include "agent/run_internal.h"
#include "base/cancel.h"
#include "base/report.h"

static const char fn[] = "ctw_agent_run";

static void release(ctw_agent__loop *r)
{
    ctw_ctx *ctx = r->a->h.ctx;
    for (size_t i = 0; r->own && i < r->env->lanes; i++) ctw_agent__back_free(ctx, r->own[i].back);
    void *blocks[] = {r->own,   r->points, r->obs,    r->reward, r->ret,     r->sum,
                      r->steps, r->count,  r->action, r->state,  r->allowed, r->cell};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) ctw_base__free(ctx, blocks[i]);
}

static ctw_status lane_walks(ctw_agent__loop *r)
{
    ctw_ctx *ctx = r->a->h.ctx;
    size_t lanes = r->env->lanes;
    ctw_agent__point **at;
    if (lanes == 1) {
        r->walk = &r->a->walk;
        return CTW_OK;
    }
    if (!(r->walk = r->own = CTW_NEW(ctx, lanes, ctw_agent__walk))) return CTW_E_NOMEM;
    if (!(at = CTW_NEW(ctx, 3 * lanes, ctw_agent__point *))) return CTW_E_NOMEM;
    for (size_t i = 0; i < lanes; i++) {
        at[3 * i] = &r->walk[i].cur;
        at[3 * i + 1] = &r->walk[i].nxt;
        at[3 * i + 2] = &r->walk[i].tmp;
    }
    ctw_status s = ctw_agent__points_new(ctx, r->a->max_active, 3 * lanes, at, &r->points);
    ctw_base__free(ctx, at);
    const ctw_agent__options *o = &r->a->o;
    for (size_t i = 0; s == CTW_OK && o->steps > 1 && i < lanes; i++)
        s = ctw_agent__back_new(ctx, (size_t)o->steps, (size_t)o->actions, r->a->max_active, &r->walk[i].back);
    return s;
}

/* series: the report wants a value of every episode. */
static ctw_status prepare(ctw_agent__loop *r, int64_t episodes, int series)
{
    ctw_ctx *ctx = r->a->h.ctx;
    size_t lanes = r->env->lanes, goal = (size_t)episodes;
    CTW_TRY(lane_walks(r));
    if (!(r->obs = CTW_NEW(ctx, lanes * r->env->dims, double)) || !(r->reward = CTW_NEW(ctx, lanes, double)) ||
        !(r->sum = CTW_NEW(ctx, lanes, double)) || !(r->count = CTW_NEW(ctx, lanes, uint64_t)) ||
        !(r->action = CTW_NEW(ctx, lanes, int64_t)) || !(r->cell = CTW_NEW(ctx, lanes, uint32_t)) ||
        !(r->state = CTW_NEW(ctx, lanes, int32_t)))
        return CTW_E_NOMEM;
    if (series && (!(r->ret = ctw_base__alloc(ctx, goal, sizeof *r->ret)) ||
                   !(r->steps = ctw_base__alloc(ctx, goal, sizeof *r->steps))))
        return CTW_E_NOMEM;
    if (r->env->mask && !(r->allowed = CTW_NEW(ctx, r->env->actions, uint8_t))) return CTW_E_NOMEM;
    return CTW_OK;
}

/* The mask of a lane, NULL when everything is allowed. */
static ctw_status mask_of(ctw_agent__loop *r, size_t lane, const uint8_t **out)
{
    *out = r->allowed;
    if (!r->allowed) return CTW_OK;
    r->env->mask(r->env->user, lane, r->allowed);
    return ctw_agent__mask_check(r->a, r->allowed, fn);
}

ctw_status ctw_agent__run_decide(ctw_agent__loop *r, size_t lane)
{
    ctw_agent__walk *k = &r->walk[lane];
    const uint8_t *allowed;
    double q[CTW_AGENT_MAX_ACTIONS];
    CTW_TRY(mask_of(r, lane, &allowed));
    ctw_agent__back_mask(k->back, allowed);
    ctw_agent__q(r->a, &k->tmp, q);
    k->action = r->learn ? ctw_agent__choose(r->a, q, allowed, &k->greedy)
                         : ctw_agent__best(q, (size_t)r->a->o.actions, allowed);
    k->q_old = q[k->action];
    k->has_plan = 0;
    k->open = 1;
    r->action[lane] = k->action;
    ctw_agent__swap(&k->cur, &k->tmp);
    return CTW_OK;
}

static ctw_status begin(ctw_agent__loop *r, size_t lane)
{
    double *obs = r->obs + lane * r->env->dims;
    if (r->env->reset(r->env->user, lane, obs) != CTW_ENV_RUNNING)
        return ctw_base__fail(CTW_E_BACKEND, "%s: the environment could not reset lane %zu", fn, lane);
    r->sum[lane] = 0.0;
    r->count[lane] = 0;
    CTW_TRY(ctw_agent__point_read(r->a, obs, r->env->dims, &r->walk[lane].tmp, fn));
    return ctw_agent__run_decide(r, lane);
}

static ctw_status finish(ctw_agent__loop *r, size_t lane)
{
    if (r->ret) {
        r->ret[r->done] = r->sum[lane];
        r->steps[r->done] = (double)r->count[lane];
    }
    r->done++;
    r->walk[lane].open = r->walk[lane].has_plan = 0;
    return r->done < r->goal ? begin(r, lane) : CTW_OK;
}

/* Learning from one step that did not end in a terminal state; then the next action, unless the episode is cut. */
static ctw_status go_on(ctw_agent__loop *r, size_t lane, int cut)
{
    ctw_agent__walk *k = &r->walk[lane];
    const uint8_t *allowed;
    ctw_status s = CTW_E_NOCONV;
    CTW_TRY(ctw_agent__point_read(r->a, r->obs + lane * r->env->dims, r->env->dims, &k->tmp, fn));
    if (r->learn) {
        CTW_TRY(mask_of(r, lane, &allowed));
        ctw_agent__swap(&k->nxt, &k->tmp);
        s = ctw_agent__step(r->a, k, r->reward[lane], allowed, 0);
        if (s != CTW_OK) ctw_agent__swap(&k->nxt, &k->tmp); /* rolled back: decide anew in that state */
    }
    if (cut) {
        if (r->learn) (void)ctw_agent__end_episode(r->a, k); /* a rollback is counted inside */
        return finish(r, lane);
    }
    if (s != CTW_OK) return ctw_agent__run_decide(r, lane);
    ctw_agent__swap(&k->cur, &k->nxt);
    r->action[lane] = k->action = k->planned;
    k->has_plan = 0;
    k->open = 1;
    return CTW_OK;
}

ctw_status ctw_agent__run_after(ctw_agent__loop *r, size_t lane)
{
    double reward = r->reward[lane], limit = r->a->o.value_limit;
    if (!(reward >= -limit && reward <= limit)) return ctw_base__in(reward, -limit, limit, fn, "reward");
    r->sum[lane] += reward;
    r->count[lane]++;
    int32_t state = r->state[lane];
    if (state == CTW_ENV_TERMINAL) {
        if (r->learn) (void)ctw_agent__step(r->a, &r->walk[lane], reward, NULL, 1); /* a rollback is counted inside */
        return finish(r, lane);
    }
    if (state != CTW_ENV_RUNNING && state != CTW_ENV_TRUNCATED)
        return ctw_base__fail(CTW_E_BACKEND, "%s: the environment failed in lane %zu", fn, lane);
    return go_on(r, lane, state == CTW_ENV_TRUNCATED || r->count[lane] == r->max_steps);
}

/* All lanes after a step, one at a time, until the last episode has ended. */
static ctw_status lanes_general(ctw_agent__loop *r)
{
    for (size_t i = 0; i < r->env->lanes && r->done < r->goal; i++) CTW_TRY(ctw_agent__run_after(r, i));
    return CTW_OK;
}

static ctw_status loop(ctw_agent__loop *r, ctw_cancel *cancel)
{
    size_t lanes = r->env->lanes;
    ctw_agent__run_lanes fast = ctw_agent__run_fast(r);
    if (!fast) fast = lanes_general;
    for (size_t i = 0; i < lanes; i++) CTW_TRY(begin(r, i));
    ctw_agent__run_table_begin(r);
    for (uint64_t round = 0; r->done < r->goal; round++) {
        if ((round & 255) == 0 && ctw_base__stopped(cancel, fn) != CTW_OK) return CTW_OK;
        if (r->env->step(r->env->user, lanes, r->action, r->obs, r->reward, r->state) != 0)
            return ctw_base__fail(CTW_E_BACKEND, "%s: the environment failed in a step", fn);
        r->total += lanes;
        CTW_TRY(fast(r));
    }
    return CTW_OK;
}

static ctw_status report(const ctw_agent__loop *r, uint64_t rollbacks, ctw_report **out)
{
    CTW_TRY(ctw_base__report_new(r->a->h.ctx, out));
    ctw_status s = ctw_base__report_series(*out, "return", r->ret, r->done);
    if (s == CTW_OK) s = ctw_base__report_series(*out, "steps", r->steps, r->done);
    if (s == CTW_OK) s = ctw_base__report_i64(*out, "episodes", (int64_t)r->done);
    if (s == CTW_OK) s = ctw_base__report_i64(*out, "total_steps", (int64_t)r->total);
    if (s == CTW_OK) s = ctw_base__report_i64(*out, "rollbacks", (int64_t)rollbacks);
    if (s != CTW_OK) {
        ctw_report_unref(*out);
        *out = NULL;
    }
    return s;
}

static ctw_status fits(const ctw_agent *a, const ctw_env *env, int64_t episodes, int64_t max_steps)
{
    CTW_TRY(ctw_base__in_i64(episodes, 1, 100000000, fn, "episodes"));
    CTW_TRY(ctw_base__in_i64(max_steps, 0, INT64_MAX, fn, "max_steps"));
    if (!a->w) return ctw_base__fail(CTW_E_STATE, "%s: the agent has no features yet", fn);
    if (env->dims != a->dims || env->actions != (size_t)a->o.actions)
        return ctw_base__fail(CTW_E_SHAPE, "%s: env has %zu values and %zu actions, the agent %zu and %lld", fn,
                              env->dims, env->actions, a->dims, (long long)a->o.actions);
    if (env->lanes > 1 && a->lazy)
        return ctw_base__fail(CTW_E_ARG, "%s: %zu lanes need an agent without traces (lambda 0)", fn, env->lanes);
    return CTW_OK;
}

static ctw_status whole(ctw_agent *a, ctw_env *env, int64_t episodes, int64_t max_steps, int32_t learn,
                        ctw_cancel *cancel, ctw_report **out)
{
    CTW_TRY(fits(a, env, episodes, max_steps));
    uint64_t before = a->rollbacks;
    ctw_agent__loop r = {
        .a = a, .env = env, .learn = learn != 0, .max_steps = (uint64_t)max_steps, .goal = (uint64_t)episodes};
    ctw_status s = prepare(&r, episodes, out != NULL);
    if (a->lazy) ctw_agent__flush(a, 1);
    a->walk.open = a->walk.has_plan = 0;
    if (a->walk.back) a->walk.back->n = 0;
    if (s == CTW_OK) s = loop(&r, cancel);
    if (a->lazy) ctw_agent__flush(a, 1);
    a->walk.open = a->walk.has_plan = 0;
    if (a->walk.back) a->walk.back->n = 0;
    if (s == CTW_OK && out) s = report(&r, a->rollbacks - before, out);
    release(&r);
    return s;
}

ctw_status ctw_agent_run(ctw_agent *a, ctw_env *env, int64_t episodes, int64_t max_steps, int32_t learn,
                         ctw_cancel *cancel, ctw_report **out)
{
    if (out) *out = NULL;
    CTW_TRY(ctw_base__handle_check(env ? &env->h : NULL, CTW_ENV_MAGIC, fn, "env"));
    CTW_TRY(ctw_base__handle_enter(a ? &a->h : NULL, CTW_AGENT_MAGIC, fn, "a"));
    ctw_status s = whole(a, env, episodes, max_steps, learn, cancel, out);
    ctw_base__handle_leave(&a->h);
    return s;
}
