/* policy_ppo.c: clipped PPO (Schulman et al. 2017) on a batch: minibatch ascent on
 *   mean of min(rho A, clip(rho, 1 - c, 1 + c) A) + entropy H - (target - v)^2 / 2,
 * rho the ratio of the action's probability now to that when it was taken. Only rows of weights that a minibatch
 * touches move, so sparse features stay cheap; with dense features this is plain Adam or gradient ascent. */
#include "agent/policy_internal.h"
#include "base/cancel.h"
#include <math.h>

#define RATIO_LOG_MAX 20.0 /* e^20: far beyond any clip, and finite */

typedef struct pass {
    int actor;
    double kl, clipped, entropy; /* sums over the pass */
} pass;

static void add_row(ctw_policy *p, const ctw_policy__rolls *r, size_t i, double share, pass *s)
{
    double c[CTW_AGENT_MAX_ACTIONS], e[CTW_POLICY_MAX_REAL] = {0};
    ctw_agent__point x;
    ctw_policy__dist d;
    ctw_policy__rolls_point(r, i, &x);
    ctw_policy__mark(p, &x);
    if (p->o.sgd && p->o.normalise) share /= x.norm2;
    ctw_policy__add_critic(p, &x, share * (r->target[i] - ctw_policy__critic(p, &x)), p->grad);
    if (!s->actor) return;
    const double *u = r->gaussian ? r->u + i * r->k : NULL;
    ctw_policy__at(p, &x, r->gaussian ? NULL : r->allowed + i * r->k, &d);
    double log_ratio = ctw_policy__logp(&d, r->action[i], u) - r->logp[i], adv = r->adv[i];
    log_ratio = fmin(fmax(log_ratio, -RATIO_LOG_MAX), RATIO_LOG_MAX);
    double ratio = exp(log_ratio);
    int beyond = adv > 0.0 ? ratio > 1.0 + p->o.clip : ratio < 1.0 - p->o.clip;
    double g = beyond ? 0.0 : ratio * adv;
    ctw_policy__score(&d, r->action[i], u, c, e);
    for (size_t j = 0; j < p->k; j++) c[j] *= g;
    for (size_t j = 0; j < p->n_sd; j++) e[j] *= g;
    s->entropy += ctw_policy__entropy(&d, p->o.entropy, c, e);
    s->kl += ratio - 1.0 - log_ratio;
    s->clipped += beyond;
    ctw_policy__add_actor(p, &x, c, e, share, p->grad);
}

/* One weight along its gradient. */
static void move(ctw_policy *p, size_t i, double alpha, double c1, double c2)
{
    double g = p->grad[i];
    if (p->o.sgd) {
        p->w[i] += alpha * g;
        return;
    }
    p->m1[i] = 0.9 * p->m1[i] + 0.1 * g;
    p->m2[i] = 0.999 * p->m2[i] + 0.001 * g * g;
    p->w[i] += alpha * (p->m1[i] / c1) / (sqrt(p->m2[i] / c2) + 1e-8);
}

/* The minibatch's gradient into the weights; the gradient is 0 again. */
static void apply(ctw_policy *p, int actor)
{
    double c1 = 1.0 - pow(0.9, (double)++p->adam_steps), c2 = 1.0 - pow(0.999, (double)p->adam_steps);
    size_t critic = ctw_policy__critic_at(p);
    for (size_t i = 0; i < p->n_dirty; i++) {
        size_t row = p->dirty[i];
        for (size_t j = 0; actor && j < p->k; j++) move(p, row * p->k + j, p->alpha_now, c1, c2);
        move(p, critic + row, p->critic_now, c1, c2);
        ctw_policy__clear_row(p, p->grad, (uint32_t)row);
    }
    p->n_dirty = 0;
    for (size_t j = p->n_theta; actor && j < critic; j++) {
        move(p, j, p->alpha_now, c1, c2);
        p->grad[j] = 0.0;
    }
    ctw_policy__clamp_sd(p);
}

ctw_status ctw_policy__passes(ctw_policy *p, ctw_policy__rolls *r, int actor, ctw_cancel *cancel, const char *fn)
{
    size_t n = r->n, m = (size_t)p->o.minibatch < n ? (size_t)p->o.minibatch : n;
    for (size_t i = 0; i < n; i++) r->order[i] = i;
    for (int64_t e = 0; e < p->o.epochs; e++) {
        pass s = {.actor = actor};
        if (m < n) ctw_num__rng_shuffle(&p->rng, r->order, n);
        for (size_t from = 0; from < n; from += m) {
            size_t to = from + m < n ? from + m : n;
            CTW_TRY(ctw_base__stopped(cancel, fn));
            for (size_t i = from; i < to; i++) add_row(p, r, r->order[i], 1.0 / (double)(to - from), &s);
            apply(p, actor);
        }
        if (!actor) continue;
        p->kl = s.kl / (double)n;
        p->clipped = s.clipped / (double)n;
        p->entropy = s.entropy / (double)n;
        if (p->o.kl > 0.0 && p->kl > p->o.kl) break;
    }
    return CTW_OK;
}
