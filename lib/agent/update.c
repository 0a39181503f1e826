/* update.c: the learning step of each algorithm, lazy traces, and the guard against divergence. */
#include "agent/agent_internal.h"
#include <math.h>
#include <string.h>

#define SCALE_FLOOR 1e-6  /* below it the lazy pair is made plain again */
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
}

static ctw_status diverged(ctw_agent *a, const char *what, double value)
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

/* Once in as many steps as there are weights: all within the limit, then they are the new checkpoint. */
static ctw_status maintain(ctw_agent *a)
{
    size_t n = a->rows * a->tables;
    if (++a->since_good < 4096 || a->since_good < n * a->stride) return CTW_OK;
    for (size_t r = 0; r < n; r++) {
        const double *w = a->w + r * a->block;
        for (size_t k = 0; k < a->stride; k++) {
            double v = a->lazy ? w[k] + a->c * w[a->stride + k] : w[k];
            if (!(fabs(v) <= a->o.value_limit)) return diverged(a, "weight", v);
        }
    }
    ctw_agent__checkpoint(a);
    return CTW_OK;
}

static void credit(ctw_agent *a, const ctw_agent__point *p, size_t table, int64_t action, double amount)
{
    double *w = a->w + table * a->rows * a->block + action;
    if (p->unit)
        for (size_t i = 0; i < p->n; i++) w[(size_t)p->idx[i] * a->block] += amount;
    else
        for (size_t i = 0; i < p->n; i++) w[(size_t)p->idx[i] * a->block] += amount * p->val[i];
}

/* E of the pair's features becomes `keep` E + add v; the true weights do not move. */
static void trace(ctw_agent *a, const ctw_agent__point *p, int64_t action, double keep, double add)
{
    for (size_t i = 0; i < p->n; i++) {
        uint32_t r = p->idx[i];
        double *w = a->w + (size_t)r * a->block + action, *e = w + a->stride;
        double was = *e, now = keep * was + add * (p->unit ? 1.0 : p->val[i]);
        *w -= a->c * (now - was);
        *e = now;
        if (!a->is_dirty[r]) {
            a->is_dirty[r] = 1;
            a->dirty[a->n_dirty++] = r;
        }
    }
}

static void decay(ctw_agent *a)
{
    a->scale *= a->o.gamma * a->o.lambda;
    if (a->scale < SCALE_FLOOR) ctw_agent__flush(a, a->scale <= 0.0);
}

static double step_size(const ctw_agent *a, const ctw_agent__point *p)
{
    return a->o.normalise ? a->alpha_now / p->norm2 : a->alpha_now;
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
    if (!(fabs(delta) <= a->o.value_limit)) return diverged(a, "temporal difference", delta);
    credit(a, &k->cur, t, k->action, step_size(a, &k->cur) * delta);
    return CTW_OK;
}

/* True-online Sarsa(lambda) (van Seijen et al. 2016) with the dutch trace held lazily. */
static ctw_status online_step(ctw_agent *a, ctw_agent__walk *k, double reward, double next)
{
    double e, q = ctw_agent__pair(a, &k->cur, k->action, &e), alpha = step_size(a, &k->cur);
    double delta = reward + a->o.gamma * next - q, extra = q - k->q_old;
    if (!(fabs(delta) <= a->o.value_limit)) return diverged(a, "temporal difference", delta);
    trace(a, &k->cur, k->action, 1.0, alpha * (1.0 - a->scale * e) / a->scale);
    a->c += (delta + extra) * a->scale;
    credit(a, &k->cur, 0, k->action, -alpha * extra);
    return CTW_OK;
}

static ctw_status td_step(ctw_agent *a, ctw_agent__walk *k, double reward, double next)
{
    double delta = reward + a->o.gamma * next - ctw_agent__pair(a, &k->cur, k->action, NULL);
    double alpha = step_size(a, &k->cur);
    if (!(fabs(delta) <= a->o.value_limit)) return diverged(a, "temporal difference", delta);
    if (!a->lazy) {
        credit(a, &k->cur, 0, k->action, alpha * delta);
        return CTW_OK;
    }
    /* The step size rides in the trace: each state is credited by the length of its own features. */
    trace(a, &k->cur, k->action, a->o.traces == CTW_AGENT_REPLACING ? 0.0 : 1.0, alpha / a->scale);
    a->c += delta * a->scale;
    return CTW_OK;
}

ctw_status ctw_agent__step(ctw_agent *a, ctw_agent__walk *k, double reward, const uint8_t *allowed, int terminal)
{
    double q[CTW_AGENT_MAX_ACTIONS], next = 0.0;
    uint8_t greedy = 1;
    ctw_status s;
    int64_t plan = 0;
    if (!terminal) {
        ctw_agent__q(a, &k->nxt, q);
        plan = ctw_agent__choose(a, q, allowed, &greedy);
        next = a->o.algo == CTW_AGENT_EXPECTED ? ctw_agent__policy_value(a, q, allowed)
               : a->o.algo == CTW_AGENT_Q      ? q[ctw_agent__best(q, (size_t)a->o.actions, allowed)]
                                               : q[plan];
    }
    if (a->o.algo == CTW_AGENT_DOUBLE)
        s = double_step(a, k, reward, allowed, terminal);
    else if (a->o.algo == CTW_AGENT_ONLINE)
        s = online_step(a, k, reward, next);
    else
        s = td_step(a, k, reward, next);
    a->steps++;
    if (s != CTW_OK) return s;
    if (a->lazy) {
        decay(a);
        if (terminal || (a->o.algo == CTW_AGENT_Q && !greedy)) ctw_agent__flush(a, 1);
    }
    k->open = 0;
    k->has_plan = !terminal;
    k->planned = plan;
    k->greedy = greedy;
    k->q_old = next;
    if (terminal) ctw_agent__next_episode(a);
    return maintain(a);
}

void ctw_agent__end_episode(ctw_agent *a, ctw_agent__walk *k)
{
    if (a->lazy) ctw_agent__flush(a, 1);
    k->open = k->has_plan = 0;
    ctw_agent__next_episode(a);
}

ctw_status ctw_agent__offline(ctw_agent *a, const ctw_agent__point *p, int64_t action, double reward,
                              const ctw_agent__point *next)
{
    double q[CTW_AGENT_MAX_ACTIONS], value = 0.0;
    if (next) {
        ctw_agent__q(a, next, q);
        value = q[ctw_agent__best(q, (size_t)a->o.actions, NULL)];
    }
    double delta = reward + a->o.gamma * value - ctw_agent__pair(a, p, action, NULL);
    a->steps++;
    if (!(fabs(delta) <= a->o.value_limit)) return diverged(a, "temporal difference", delta);
    credit(a, p, 0, action, step_size(a, p) * delta);
    return maintain(a);
}
