/* policy_step.c: the two forms that learn each step, actor-critic with traces and the incremental natural one, and the
 * guard against divergence all forms share. */
#include "agent/policy_internal.h"
#include <math.h>
#include <string.h>

#define TRACE_FLOOR 1e-12 /* smaller traces are forgotten */

void ctw_policy__set_steps(ctw_policy *p)
{
    double f = p->factor / (1.0 + p->o.alpha_decay * (double)p->episodes);
    p->alpha_now = f * p->o.alpha;
    p->critic_now = f * p->o.alpha_critic;
}

void ctw_policy__clear_row(ctw_policy *p, double *at, uint32_t row)
{
    for (size_t j = 0; j < p->k; j++) at[(size_t)row * p->k + j] = 0.0;
    at[ctw_policy__critic_at(p) + row] = 0.0;
    p->is_dirty[row] = 0;
}

void ctw_policy__drop_traces(ctw_policy *p)
{
    if (!p->trace) return;
    for (size_t i = 0; i < p->n_dirty; i++) ctw_policy__clear_row(p, p->trace, p->dirty[i]);
    for (size_t j = 0; j < p->n_sd; j++) p->trace[p->n_theta + j] = 0.0;
    p->n_dirty = 0;
}

void ctw_policy__next_episode(ctw_policy *p)
{
    ctw_policy__drop_traces(p);
    p->episodes++;
    ctw_policy__set_steps(p);
}

void ctw_policy__forget(ctw_policy *p)
{
    double *vectors[] = {p->adv, p->m1, p->m2};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        if (vectors[i]) memset(vectors[i], 0, p->n_all * sizeof(double));
    p->adam_steps = p->since_good = 0;
}

ctw_status ctw_policy__diverged(ctw_policy *p, const char *what, double value)
{
    memcpy(p->w, p->good, p->n_all * sizeof *p->w);
    ctw_policy__drop_traces(p);
    ctw_policy__forget(p);
    p->rollbacks++;
    p->factor *= 0.5;
    ctw_policy__set_steps(p);
    p->walk.open = 0;
    return ctw_base__fail(CTW_E_NOCONV,
                          "ctw_policy: learning diverged (%s %g beyond value_limit %g); weights of the last checkpoint "
                          "are back and the step size is now %g",
                          what, value, p->o.value_limit, p->alpha_now);
}

ctw_status ctw_policy__check_weights(ctw_policy *p)
{
    for (size_t i = 0; i < p->n_all; i++)
        if (!(fabs(p->w[i]) <= p->o.value_limit)) return ctw_policy__diverged(p, "weight", p->w[i]);
    memcpy(p->good, p->w, p->n_all * sizeof *p->w);
    p->since_good = 0;
    return CTW_OK;
}

void ctw_policy__clamp_sd(ctw_policy *p)
{
    double lo = log(p->o.sd_min), hi = log(p->o.sd_max);
    for (size_t j = 0; j < p->n_sd; j++) {
        double *s = &p->w[p->n_theta + j];
        *s = *s < lo ? lo : *s > hi ? hi : *s;
    }
}

void ctw_policy__mark(ctw_policy *p, const ctw_agent__point *x)
{
    for (size_t i = 0; i < x->n; i++)
        if (!p->is_dirty[x->idx[i]]) {
            p->is_dirty[x->idx[i]] = 1;
            p->dirty[p->n_dirty++] = x->idx[i];
        }
}

void ctw_policy__add_actor(const ctw_policy *p, const ctw_agent__point *x, const double *c, const double *e,
                           double amount, double *to)
{
    for (size_t i = 0; i < x->n; i++) {
        double *row = to + (size_t)x->idx[i] * p->k, v = amount * ctw_policy__feature(x, i);
        for (size_t j = 0; j < p->k; j++) row[j] += v * c[j];
    }
    for (size_t j = 0; j < p->n_sd; j++) to[p->n_theta + j] += amount * e[j];
}

void ctw_policy__add_critic(const ctw_policy *p, const ctw_agent__point *x, double amount, double *to)
{
    to += ctw_policy__critic_at(p);
    for (size_t i = 0; i < x->n; i++) to[x->idx[i]] += amount * ctw_policy__feature(x, i);
}

/* Traces decay, take in this state's gradients (each by its own step size), and every traced weight is credited. */
static void traced(ctw_policy *p, const ctw_agent__point *x, const double *c, const double *e, double scale,
                   double delta)
{
    double keep = p->o.gamma * p->o.lambda;
    size_t kept = 0, critic = ctw_policy__critic_at(p);
    ctw_policy__mark(p, x);
    for (size_t i = 0; i < p->n_dirty; i++) {
        double *row = p->trace + (size_t)p->dirty[i] * p->k;
        for (size_t j = 0; j < p->k; j++) row[j] *= keep;
        p->trace[critic + p->dirty[i]] *= keep;
    }
    for (size_t j = 0; j < p->n_sd; j++) p->trace[p->n_theta + j] *= keep;
    ctw_policy__add_actor(p, x, c, e, p->alpha_now * scale, p->trace);
    ctw_policy__add_critic(p, x, p->critic_now * scale, p->trace);
    for (size_t i = 0; i < p->n_dirty; i++) {
        uint32_t at = p->dirty[i];
        double *z = p->trace + (size_t)at * p->k, *w = p->w + (size_t)at * p->k, top = fabs(p->trace[critic + at]);
        for (size_t j = 0; j < p->k; j++) {
            w[j] += delta * z[j];
            top = fabs(z[j]) > top ? fabs(z[j]) : top;
        }
        p->w[critic + at] += delta * p->trace[critic + at];
        if (top > TRACE_FLOOR)
            p->dirty[kept++] = at;
        else
            ctw_policy__clear_row(p, p->trace, at);
    }
    p->n_dirty = kept;
    for (size_t j = 0; j < p->n_sd; j++) p->w[p->n_theta + j] += delta * p->trace[p->n_theta + j];
}

static void actor_critic(ctw_policy *p, const ctw_agent__point *x, const ctw_policy__dist *d, const double *c,
                         const double *e, double delta)
{
    double scale = p->o.normalise ? 1.0 / x->norm2 : 1.0;
    double hc[CTW_AGENT_MAX_ACTIONS] = {0}, he[CTW_POLICY_MAX_REAL] = {0};
    if (p->trace)
        traced(p, x, c, e, scale, delta);
    else {
        ctw_policy__add_actor(p, x, c, e, p->alpha_now * scale * delta, p->w);
        ctw_policy__add_critic(p, x, p->critic_now * scale * delta, p->w);
    }
    if (p->o.entropy > 0.0) {
        (void)ctw_policy__entropy(d, 1.0, hc, he);
        ctw_policy__add_actor(p, x, hc, he, p->alpha_now * scale * p->o.entropy, p->w);
    }
}

/* x . psi, and |psi|^2 in *square. */
static double compatible(const ctw_policy *p, const ctw_agent__point *x, const double *c, const double *e,
                         double *square)
{
    double dot = 0.0, c2 = 0.0, e2 = 0.0;
    for (size_t j = 0; j < p->k; j++) c2 += c[j] * c[j];
    for (size_t i = 0; i < x->n; i++) {
        const double *row = p->adv + (size_t)x->idx[i] * p->k, v = ctw_policy__feature(x, i);
        for (size_t j = 0; j < p->k; j++) dot += v * c[j] * row[j];
    }
    for (size_t j = 0; j < p->n_sd; j++) {
        dot += e[j] * p->adv[p->n_theta + j];
        e2 += e[j] * e[j];
    }
    *square = c2 * x->norm2 + e2;
    return dot;
}

/* The advantage's weights learn from delta, the policy moves along them. With entropy tau in the objective the natural
 * step of a softmax is theta <- (1 - alpha tau) theta + alpha x, of a log sd alpha tau / 2 more. */
static ctw_status natural(ctw_policy *p, const ctw_agent__point *x, const double *c, const double *e, double delta)
{
    double square, error = delta - compatible(p, x, c, e, &square);
    double keep = p->n_sd ? 1.0 : 1.0 - p->alpha_now * p->o.entropy;
    if (!(fabs(error) <= p->o.value_limit)) return ctw_policy__diverged(p, "error of the advantage", error);
    ctw_policy__add_actor(p, x, c, e, p->critic_now * error / (square > 1.0 ? square : 1.0), p->adv);
    ctw_policy__add_critic(p, x, p->critic_now * delta / (p->o.normalise ? x->norm2 : 1.0), p->w);
    for (size_t i = 0; i < p->n_theta; i++) p->w[i] = keep * p->w[i] + p->alpha_now * p->adv[i];
    for (size_t j = p->n_theta; j < p->n_theta + p->n_sd; j++)
        p->w[j] += p->alpha_now * (p->adv[j] + 0.5 * p->o.entropy);
    return CTW_OK;
}

ctw_status ctw_policy__step(ctw_policy *p, ctw_policy__walk *k, double reward, const ctw_agent__point *next, int end)
{
    double c[CTW_AGENT_MAX_ACTIONS], e[CTW_POLICY_MAX_REAL];
    ctw_policy__dist d;
    double delta = reward - p->mean_reward + (next ? p->o.gamma * ctw_policy__critic(p, next) : 0.0) -
                   ctw_policy__critic(p, &k->cur);
    p->steps++;
    k->open = 0;
    if (!(fabs(delta) <= p->o.value_limit)) return ctw_policy__diverged(p, "temporal difference", delta);
    ctw_policy__at(p, &k->cur, k->deed.allowed, &d);
    for (size_t j = 0; j < p->k; j++) /* beyond it u - mean would be rounding only */
        if (!(fabs(d.z[j]) <= p->o.value_limit)) return ctw_policy__diverged(p, "output of the actor", d.z[j]);
    p->mean_reward += p->o.average * delta;
    ctw_policy__score(&d, k->deed.action, k->deed.u, c, e);
    if (p->o.algo == CTW_POLICY_NATURAL)
        CTW_TRY(natural(p, &k->cur, c, e, delta));
    else
        actor_critic(p, &k->cur, &d, c, e, delta);
    ctw_policy__clamp_sd(p);
    p->updates++;
    if (end) ctw_policy__next_episode(p);
    size_t period = p->n_all < 4096 ? 4096 : p->n_all;
    return ++p->since_good < period ? CTW_OK : ctw_policy__check_weights(p);
}
