/* update.c: the learning step of each algorithm, lazy traces, and the guard against divergence. */
#include "agent/kernel.h"
#include "agent/nstep.h"
#include <math.h>
#include <string.h>

#define TRACE_FLOOR 1e-12 /* smaller traces are forgotten then */

void ctw_agent__flush(ctw_agent *a, int drop)
{
    size_t kept = 0;
    for (size_t i = 0; i < a->n_dirty; i++) {
        double *w = a->w + (size_t)a->dirty[i] * a->block, *e = w + a->stride, top = 0.0;
        for (size_t k = 0; k < a->stride; k++) {
            w[k] += a->c * e[k];
            e[k] = drop ? 0.0 : e[k] * a->scale;
            double m = fabs(e[k]);
            top = m > top ? m : top;
        }
        if (top > TRACE_FLOOR) {
            a->dirty[kept++] = a->dirty[i];
            continue;
        }
        for (size_t k = 0; k < a->stride; k++) e[k] = 0.0;
        a->is_dirty[a->dirty[i]] = 0;
    }
    a->n_dirty = kept;
    a->c = 0.0;
    a->scale = 1.0;
}

void ctw_agent__rollback(ctw_agent *a)
{
    size_t n = a->rows * a->tables;
    for (size_t r = 0; r < n; r++) {
        memcpy(a->w + r * a->block, a->good + r * a->stride, a->stride * sizeof *a->w);
        if (a->lazy) memset(a->w + r * a->block + a->stride, 0, a->stride * sizeof *a->w);
    }
    for (size_t i = 0; i < a->n_dirty; i++) a->is_dirty[a->dirty[i]] = 0;
    a->n_dirty = 0;
    a->c = 0.0;
    a->scale = 1.0;
    a->since_good = 0;
    a->rollbacks++;
    a->alpha_factor *= 0.5;
    a->alpha_now = a->alpha_factor * a->o.alpha / (1.0 + a->o.alpha_decay * (double)a->episodes);
    a->walk.open = a->walk.has_plan = 0;
    if (a->walk.back) a->walk.back->n = 0;
}

ctw_status ctw_agent__diverged(ctw_agent *a, const char *what, double value)
{
    ctw_agent__rollback(a);
    return ctw_base__fail(CTW_E_NOCONV,
                          "ctw_agent: learning diverged (%s %g beyond value_limit %g); weights of the last checkpoint "
                          "are back and the step size is now %g",
                          what, value, a->o.value_limit, a->alpha_now);
}

void ctw_agent__checkpoint(ctw_agent *a)
{
    size_t n = a->rows * a->tables;
    for (size_t r = 0; r < n; r++) {
        const double *w = a->w + r * a->block;
        double *g = a->good + r * a->stride;
        for (size_t k = 0; k < a->stride; k++) g[k] = a->lazy ? w[k] + a->c * w[a->stride + k] : w[k];
    }
    a->since_good = 0;
}

ctw_status ctw_agent__maintain(ctw_agent *a)
{
    size_t n = a->rows * a->tables;
    for (size_t r = 0; r < n; r++) {
        const double *w = a->w + r * a->block;
        for (size_t k = 0; k < a->stride; k++) {
            double v = a->lazy ? w[k] + a->c * w[a->stride + k] : w[k];
            if (!(fabs(v) <= a->o.value_limit)) return ctw_agent__diverged(a, "weight", v);
        }
    }
    ctw_agent__checkpoint(a);
    return CTW_OK;
}

/* Double Q (van Hasselt 2010): a coin decides which table learns from the other's value of its own best action. */
static ctw_status double_step(ctw_agent *a, ctw_agent__walk *k, double reward, const uint8_t *allowed, int terminal)
{
    size_t t = (size_t)(ctw_num__rng_u64(&a->rng) >> 63);
    double next = 0.0, q[CTW_AGENT_MAX_ACTIONS], now = a->o.initial;
    const double *own = a->w + t * a->rows * a->block, *other = a->w + (1 - t) * a->rows * a->block;
    if (!terminal) {
        for (size_t j = 0; j < a->stride; j++) q[j] = 0.0;
        for (size_t i = 0; i < k->nxt.n; i++)
            for (size_t j = 0; j < a->stride; j++)
                q[j] += (k->nxt.unit ? 1.0 : k->nxt.val[i]) * own[(size_t)k->nxt.idx[i] * a->block + j];
        int64_t best = ctw_agent__best(q, (size_t)a->o.actions, allowed);
        next = a->o.initial;
        for (size_t i = 0; i < k->nxt.n; i++)
            next += (k->nxt.unit ? 1.0 : k->nxt.val[i]) * other[(int64_t)(k->nxt.idx[i] * a->block) + best];
    }
    for (size_t i = 0; i < k->cur.n; i++)
        now += (k->cur.unit ? 1.0 : k->cur.val[i]) * own[(int64_t)(k->cur.idx[i] * a->block) + k->action];
    double delta = reward + a->o.gamma * next - now;
    if (!(fabs(delta) <= a->o.value_limit)) return ctw_agent__diverged(a, "temporal difference", delta);
    ctw_agent__credit(a, &k->cur, ctw_agent__shape_of(a, &k->cur), t, k->action,
                      ctw_agent__step_size(a, &k->cur) * delta);
    return CTW_OK;
}

/* The next action and the worth of its state, whatever the algorithm, the tables and the mask. */
static double look_ahead(ctw_agent *a, const ctw_agent__point *nxt, const uint8_t *allowed, int64_t *plan,
                         uint8_t *greedy)
{
    double q[CTW_AGENT_MAX_ACTIONS];
    if (a->tables == 1 && !allowed)
        return ctw_agent__look_ahead(a, nxt, ctw_agent__shape_of(a, nxt), (size_t)a->o.actions, a->o.algo, plan,
                                     greedy);
    ctw_agent__q(a, nxt, q);
    *plan = ctw_agent__choose(a, q, allowed, greedy);
    if (a->o.algo == CTW_AGENT_EXPECTED || a->o.algo == CTW_AGENT_TREE) return ctw_agent__policy_value(a, q, allowed);
    return q[a->o.algo == CTW_AGENT_Q ? ctw_agent__best(q, (size_t)a->o.actions, allowed) : *plan];
}

/* Average reward (Wan et al. 2021): the reward less the mean so far; returns the mean that follows the step. */
static double differential(const ctw_agent *a, const ctw_agent__walk *k, double *reward, double next)
{
    *reward -= a->mean_reward;
    return a->mean_reward + a->o.average * (*reward + next - ctw_agent__pair(a, &k->cur, k->action));
}

ctw_status ctw_agent__step(ctw_agent *a, ctw_agent__walk *k, double reward, const uint8_t *allowed, int terminal)
{
    double next = 0.0, alpha = ctw_agent__step_size(a, &k->cur), mean = 0.0;
    uint8_t greedy = 1;
    int64_t plan = 0;
    ctw_agent__shape h = ctw_agent__shape_of(a, &k->cur);
    if (!terminal) next = look_ahead(a, &k->nxt, allowed, &plan, &greedy);
    a->steps++;
    if (a->o.average > 0.0 && !k->back) mean = differential(a, k, &reward, next);
    if (k->back) {
        CTW_TRY(ctw_agent__back_step(a, k, reward, next, terminal));
        ctw_agent__back_mask(k->back, allowed);
        mean = a->mean_reward;
    } else if (a->o.algo == CTW_AGENT_DOUBLE)
        CTW_TRY(double_step(a, k, reward, allowed, terminal));
    else if (a->o.algo == CTW_AGENT_ONLINE)
        CTW_TRY(ctw_agent__online_step(a, k, h, alpha, reward, next));
    else
        CTW_TRY(ctw_agent__td_step(a, k, h, alpha, reward, next));
    a->mean_reward = mean;
    ctw_agent__decay(a, h, terminal || (a->o.algo == CTW_AGENT_Q && !greedy));
    k->open = 0;
    k->has_plan = !terminal;
    k->planned = plan;
    k->greedy = greedy;
    k->q_old = next;
    if (terminal) ctw_agent__next_episode(a);
    return ctw_agent__guard(a);
}

ctw_status ctw_agent__end_episode(ctw_agent *a, ctw_agent__walk *k)
{
    ctw_status s = ctw_agent__back_cut(a, k);
    if (a->lazy) ctw_agent__flush(a, 1);
    k->open = k->has_plan = 0;
    ctw_agent__next_episode(a);
    return s;
}

ctw_status ctw_agent__offline(ctw_agent *a, const ctw_agent__point *p, int64_t action, double reward,
                              const ctw_agent__point *next)
{
    double q[CTW_AGENT_MAX_ACTIONS], value = 0.0;
    if (next) {
        ctw_agent__q(a, next, q);
        value = q[ctw_agent__best(q, (size_t)a->o.actions, NULL)];
    }
    double delta = reward + a->o.gamma * value - ctw_agent__pair(a, p, action);
    a->steps++;
    if (!(fabs(delta) <= a->o.value_limit)) return ctw_agent__diverged(a, "temporal difference", delta);
    ctw_agent__credit(a, p, ctw_agent__shape_of(a, p), 0, action, ctw_agent__step_size(a, p) * delta);
    return ctw_agent__guard(a);
}
