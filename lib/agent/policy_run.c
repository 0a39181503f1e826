/* policy_run.c: the loop of episodes between a policy and an environment. All lanes take in their step before a batch
 * is learnt from, and act after it, so that every lane's next action is the new policy's. */
#include "agent/env_internal.h"
#include "agent/policy_internal.h"
#include "base/cancel.h"
#include "base/report.h"
#include <string.h>

static const char fn[] = "ctw_policy_run";

typedef struct loop {
    ctw_policy *p;
    ctw_env *env;
    ctw_cancel *cancel;
    int learn, real;
    size_t lanes;
    uint64_t max_steps, goal, done, total;
    ctw_policy__walk *walk;
    void *points;
    double *obs, *reward, *sum, *u, *ret, *steps;
    uint64_t *count;
    int64_t *action;
    int32_t *state;
    uint8_t *allowed;
} loop;

static void release(loop *r)
{
    ctw_ctx *ctx = r->p->h.ctx;
    void *blocks[] = {r->walk, r->points, r->obs,   r->reward, r->sum,   r->u,
                      r->ret,  r->steps,  r->count, r->action, r->state, r->allowed};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) ctw_base__free(ctx, blocks[i]);
}

static ctw_status prepare(loop *r, int series)
{
    ctw_ctx *ctx = r->p->h.ctx;
    size_t n = r->lanes;
    ctw_agent__point **at;
    if (!(r->walk = CTW_NEW(ctx, n, ctw_policy__walk)) || !(r->obs = CTW_NEW(ctx, n * r->env->dims, double)) ||
        !(r->reward = CTW_NEW(ctx, n, double)) || !(r->sum = CTW_NEW(ctx, n, double)) ||
        !(r->count = CTW_NEW(ctx, n, uint64_t)) || !(r->state = CTW_NEW(ctx, n, int32_t)) ||
        !(r->allowed = CTW_NEW(ctx, r->p->k, uint8_t)) || !(r->action = CTW_NEW(ctx, n, int64_t)) ||
        !(r->u = CTW_NEW(ctx, n * r->p->k, double)))
        return CTW_E_NOMEM;
    if (series && (!(r->ret = ctw_base__alloc(ctx, (size_t)r->goal, sizeof *r->ret)) ||
                   !(r->steps = ctw_base__alloc(ctx, (size_t)r->goal, sizeof *r->steps))))
        return CTW_E_NOMEM;
    if (!(at = CTW_NEW(ctx, 2 * n, ctw_agent__point *))) return CTW_E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        at[2 * i] = &r->walk[i].cur;
        at[2 * i + 1] = &r->walk[i].tmp;
    }
    ctw_status s = ctw_agent__points_new(ctx, r->p->max_active, 2 * n, at, &r->points);
    ctw_base__free(ctx, at);
    return s;
}

static ctw_status begin(loop *r, size_t i)
{
    double *obs = r->obs + i * r->env->dims;
    if (r->env->reset(r->env->user, i, obs) != CTW_ENV_RUNNING)
        return ctw_base__fail(CTW_E_BACKEND, "%s: the environment could not reset lane %zu", fn, i);
    r->sum[i] = 0.0;
    r->count[i] = 0;
    return CTW_OK;
}

/* Acts in the state obs holds. */
static ctw_status decide(loop *r, size_t i)
{
    ctw_policy__walk *k = &r->walk[i];
    const uint8_t *allowed = NULL;
    CTW_TRY(ctw_policy__see(r->p, r->obs + i * r->env->dims, r->env->dims, &k->tmp, fn));
    if (r->env->mask) {
        int any = 0;
        r->env->mask(r->env->user, i, r->allowed);
        for (size_t j = 0; j < r->p->k; j++) any |= r->allowed[j];
        if (!any) return ctw_base__fail(CTW_E_INFEASIBLE, "%s: all %zu actions are masked", fn, r->p->k);
        allowed = r->allowed;
    }
    ctw_policy__act(r->p, k, allowed, r->learn);
    if (r->real)
        memcpy(r->u + i * r->p->k, k->deed.u, r->p->k * sizeof *r->u);
    else
        r->action[i] = k->deed.action;
    return CTW_OK;
}

static ctw_status take_in(loop *r, size_t i, int end)
{
    ctw_policy *p = r->p;
    const ctw_agent__point *next = NULL;
    if (end != CTW_POLICY_TERMINAL) {
        CTW_TRY(ctw_policy__see(p, r->obs + i * r->env->dims, r->env->dims, &r->walk[i].tmp, fn));
        next = &r->walk[i].tmp;
    }
    if (!ctw_policy__is_batch(p)) {
        (void)ctw_policy__step(p, &r->walk[i], r->reward[i], next, end); /* a rollback is counted inside */
        return CTW_OK;
    }
    ctw_policy__record(p, &p->rolls, &r->walk[i], r->reward[i], next, end, (uint32_t)i);
    p->steps++;
    if (end) ctw_policy__next_episode(p);
    return CTW_OK;
}

/* What lane i's step led to; an ended lane begins anew. */
static ctw_status after(loop *r, size_t i)
{
    double limit = r->p->o.value_limit;
    int32_t state = r->state[i];
    CTW_TRY(ctw_base__in(r->reward[i], -limit, limit, fn, "reward"));
    if (state != CTW_ENV_RUNNING && state != CTW_ENV_TERMINAL && state != CTW_ENV_TRUNCATED)
        return ctw_base__fail(CTW_E_BACKEND, "%s: the environment failed in lane %zu", fn, i);
    r->sum[i] += r->reward[i];
    r->count[i]++;
    int end = state == CTW_ENV_TERMINAL                                   ? CTW_POLICY_TERMINAL
              : state == CTW_ENV_TRUNCATED || r->count[i] == r->max_steps ? CTW_POLICY_CUT
                                                                          : CTW_POLICY_RUNNING;
    if (r->learn) CTW_TRY(take_in(r, i, end));
    if (!end) return CTW_OK;
    if (r->ret) {
        r->ret[r->done] = r->sum[i];
        r->steps[r->done] = (double)r->count[i];
    }
    return ++r->done < r->goal ? begin(r, i) : CTW_OK;
}

/* A batch that could not take another step of all lanes is learnt from. */
static ctw_status batch(loop *r)
{
    ctw_policy *p = r->p;
    if (!r->learn || !ctw_policy__is_batch(p) || p->rolls.n + r->lanes <= p->rolls.cap) return CTW_OK;
    ctw_status s = ctw_policy__update(p, &p->rolls, r->cancel, fn);
    return s == CTW_E_NOCONV ? CTW_OK : s;
}

static ctw_status go(loop *r)
{
    ctw_env *e = r->env;
    for (size_t i = 0; i < r->lanes; i++) CTW_TRY(begin(r, i));
    CTW_TRY(batch(r));
    for (uint64_t round = 0;; round++) {
        if ((round & 63) == 0 && ctw_base__stopped(r->cancel, fn) != CTW_OK) return CTW_OK;
        for (size_t i = 0; i < r->lanes; i++) CTW_TRY(decide(r, i));
        int bad = r->real ? e->step_real(e->user, r->lanes, r->u, r->obs, r->reward, r->state)
                          : e->step(e->user, r->lanes, r->action, r->obs, r->reward, r->state);
        if (bad) return ctw_base__fail(CTW_E_BACKEND, "%s: the environment failed in a step", fn);
        r->total += r->lanes;
        if (r->learn && ctw_policy__is_batch(r->p))
            CTW_TRY(ctw_policy__rolls_reserve(r->p->h.ctx, &r->p->rolls, r->p->rolls.n + r->lanes));
        for (size_t i = 0; i < r->lanes && r->done < r->goal; i++) CTW_TRY(after(r, i));
        ctw_status s = batch(r);
        if (s == CTW_E_CANCELLED || s == CTW_E_DEADLINE || (s == CTW_OK && r->done == r->goal)) return CTW_OK;
        CTW_TRY(s);
    }
}

static ctw_status report(const loop *r, uint64_t rollbacks, uint64_t updates, ctw_report **out)
{
    CTW_TRY(ctw_base__report_new(r->p->h.ctx, out));
    ctw_status s = ctw_base__report_series(*out, "return", r->ret, r->done);
    if (s == CTW_OK) s = ctw_base__report_series(*out, "steps", r->steps, r->done);
    if (s == CTW_OK) s = ctw_base__report_i64(*out, "episodes", (int64_t)r->done);
    if (s == CTW_OK) s = ctw_base__report_i64(*out, "total_steps", (int64_t)r->total);
    if (s == CTW_OK) s = ctw_base__report_i64(*out, "rollbacks", (int64_t)rollbacks);
    if (s == CTW_OK) s = ctw_base__report_i64(*out, "updates", (int64_t)updates);
    if (s == CTW_OK) return s;
    ctw_report_unref(*out);
    *out = NULL;
    return s;
}

static ctw_status fits(const ctw_policy *p, const ctw_env *env, int64_t episodes, int64_t max_steps, int learn)
{
    int real = p->o.head == CTW_POLICY_GAUSSIAN;
    size_t actions = real ? env->real_dims : env->actions;
    CTW_TRY(ctw_base__in_i64(episodes, 1, 100000000, fn, "episodes"));
    CTW_TRY(ctw_base__in_i64(max_steps, 0, INT64_MAX, fn, "max_steps"));
    if (!p->w) return ctw_base__fail(CTW_E_STATE, "%s: the policy has no features yet", fn);
    if (env->dims != p->dims || actions != p->k)
        return ctw_base__fail(CTW_E_SHAPE, "%s: env has %zu values and %zu %s, the policy %zu and %zu", fn, env->dims,
                              actions, real ? "real dimensions" : "actions", p->dims, p->k);
    if (learn && env->lanes > 1 && p->trace)
        return ctw_base__fail(CTW_E_ARG, "%s: %zu lanes need a policy without traces (lambda 0)", fn, env->lanes);
    if (learn && ctw_policy__is_batch(p) && env->lanes > p->rolls.cap)
        return ctw_base__fail(CTW_E_ARG, "%s: %zu lanes, option batch is %zu", fn, env->lanes, p->rolls.cap);
    return CTW_OK;
}

static ctw_status whole(ctw_policy *p, ctw_env *env, int64_t episodes, int64_t max_steps, int learn, ctw_cancel *cancel,
                        ctw_report **out)
{
    CTW_TRY(fits(p, env, episodes, max_steps, learn));
    uint64_t rollbacks = p->rollbacks, updates = p->updates;
    loop r = {.p = p,
              .env = env,
              .cancel = cancel,
              .learn = learn,
              .real = p->o.head == CTW_POLICY_GAUSSIAN,
              .lanes = env->lanes,
              .max_steps = (uint64_t)max_steps,
              .goal = (uint64_t)episodes};
    ctw_status s = prepare(&r, out != NULL);
    if (s == CTW_OK && learn) {
        p->walk.open = 0;
        ctw_policy__cut(&p->rolls, 0);
        ctw_policy__drop_traces(p);
    }
    if (s == CTW_OK) s = go(&r);
    for (uint32_t i = 0; learn && i < r.lanes; i++) ctw_policy__cut(&p->rolls, i);
    if (learn) ctw_policy__drop_traces(p);
    if (s == CTW_OK && out) s = report(&r, p->rollbacks - rollbacks, p->updates - updates, out);
    release(&r);
    return s;
}

ctw_status ctw_policy_run(ctw_policy *p, ctw_env *env, int64_t episodes, int64_t max_steps, int32_t learn,
                          ctw_cancel *cancel, ctw_report **out)
{
    if (out) *out = NULL;
    CTW_TRY(ctw_base__handle_check(env ? &env->h : NULL, CTW_ENV_MAGIC, fn, "env"));
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_POLICY_MAGIC, fn, "p"));
    ctw_status s = whole(p, env, episodes, max_steps, learn != 0, cancel, out);
    ctw_base__handle_leave(&p->h);
    return s;
}
