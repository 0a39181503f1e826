/* nstep.c: returns that look n steps ahead before they trust the table (Sutton and Barto 2018, chapter 7): n-step
 * Sarsa, n-step expected Sarsa and the n-step tree backup, whose target leaves the actions taken only by what the
 * policy would not have done, so that overrides need no ratio of probabilities. The last n steps of a walk wait in a
 * ring. */
#include "agent/nstep.h"
#include "agent/kernel.h"
#include <math.h>
#include <string.h>

ctw_status ctw_agent__back_new(ctw_ctx *ctx, size_t steps, size_t actions, size_t max_active, ctw_agent__back **out)
{
    *out = CTW_NEW(ctx, 1, ctw_agent__back);
    ctw_agent__back *b = *out;
    ctw_agent__point **at = CTW_NEW(ctx, steps, ctw_agent__point *);
    if (b) {
        b->cap = steps;
        b->actions = actions;
        b->at = CTW_NEW(ctx, steps, ctw_agent__point);
        b->action = CTW_NEW(ctx, steps, int64_t);
        b->reward = CTW_NEW(ctx, steps, double);
        b->allowed = CTW_NEW(ctx, (steps + 1) * actions, uint8_t);
    }
    int good = b && at && b->at && b->action && b->reward && b->allowed;
    for (size_t i = 0; good && i < steps; i++) at[i] = &b->at[i];
    if (good && ctw_agent__points_new(ctx, max_active, steps, at, &b->memory) != CTW_OK) good = 0;
    if (good) b->mask = b->allowed + steps * actions;
    ctw_base__free(ctx, at);
    if (good) return CTW_OK;
    ctw_agent__back_free(ctx, b);
    *out = NULL;
    return CTW_E_NOMEM;
}

void ctw_agent__back_free(ctw_ctx *ctx, ctw_agent__back *b)
{
    if (!b) return;
    ctw_base__free(ctx, b->at);
    ctw_base__free(ctx, b->action);
    ctw_base__free(ctx, b->reward);
    ctw_base__free(ctx, b->allowed);
    ctw_base__free(ctx, b->memory);
    ctw_base__free(ctx, b);
}

void ctw_agent__back_mask(ctw_agent__back *b, const uint8_t *allowed)
{
    if (!b) return;
    for (size_t k = 0; k < b->actions; k++) b->mask[k] = !allowed || allowed[k];
}

void ctw_agent__back_push(ctw_agent__back *b, const ctw_agent__walk *k, double reward)
{
    size_t i = (b->first + b->n++) % b->cap;
    ctw_agent__point_copy(&b->at[i], &k->cur);
    b->action[i] = k->action;
    b->reward[i] = reward;
    memcpy(b->allowed + i * b->actions, b->mask, b->actions);
}

/* The return of the oldest step, given what the state after the newest is worth (0 when it is terminal). */
static double target(const ctw_agent *a, const ctw_agent__back *b, double value)
{
    double g = value, q[CTW_AGENT_MAX_ACTIONS];
    for (size_t j = b->n; j-- > 0;) {
        size_t i = (b->first + j) % b->cap;
        g = b->reward[i] - a->mean_reward + a->o.gamma * g;
        if (j == 0 || a->o.algo != CTW_AGENT_TREE) continue;
        const uint8_t *allowed = b->allowed + i * b->actions; /* what comes before sees this state through the policy */
        ctw_agent__q(a, &b->at[i], q);
        double pi = ctw_agent__policy_probability(a, q, allowed, b->action[i]);
        g = ctw_agent__policy_value(a, q, allowed) + pi * (g - q[b->action[i]]);
    }
    return g;
}

/* Learns the oldest step and lets it go. */
static ctw_status learn_oldest(ctw_agent *a, ctw_agent__back *b, double value)
{
    const ctw_agent__point *x = &b->at[b->first];
    int64_t action = b->action[b->first];
    double delta = target(a, b, value) - ctw_agent__pair(a, x, action);
    if (!(fabs(delta) <= a->o.value_limit)) {
        b->n = 0;
        return ctw_agent__diverged(a, "temporal difference", delta);
    }
    ctw_agent__credit(a, x, ctw_agent__shape_of(a, x), 0, action, ctw_agent__step_size(a, x) * delta);
    a->mean_reward += a->o.average * delta;
    b->first = (b->first + 1) % b->cap;
    b->n--;
    return CTW_OK;
}

ctw_status ctw_agent__back_step(ctw_agent *a, ctw_agent__walk *k, double reward, double value, int terminal)
{
    ctw_agent__back *b = k->back;
    ctw_agent__back_push(b, k, reward);
    if (terminal) return ctw_agent__back_flush(a, b, 0.0);
    return b->n < b->cap ? CTW_OK : learn_oldest(a, b, value);
}

ctw_status ctw_agent__back_flush(ctw_agent *a, ctw_agent__back *b, double value)
{
    while (b->n > 0) CTW_TRY(learn_oldest(a, b, value));
    return CTW_OK;
}

ctw_status ctw_agent__back_cut(ctw_agent *a, ctw_agent__walk *k)
{
    double q[CTW_AGENT_MAX_ACTIONS];
    const ctw_agent__point *x = k->open ? &k->cur : &k->nxt;
    if (!k->back || k->back->n == 0) return CTW_OK;
    ctw_agent__q(a, x, q);
    double value = a->o.algo == CTW_AGENT_SARSA ? q[k->open ? k->action : k->planned]
                                                : ctw_agent__policy_value(a, q, k->back->mask);
    return ctw_agent__back_flush(a, k->back, value);
}
