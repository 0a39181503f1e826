/* choose.c: the behaviour policy: which action is taken, and what the values are worth under it. */
#include "agent/kernel.h"
#include <math.h>

ctw_status ctw_agent__mask_check(const ctw_agent *a, const uint8_t *allowed, const char *fn)
{
    if (!allowed) return CTW_OK;
    for (int64_t k = 0; k < a->o.actions; k++)
        if (allowed[k]) return CTW_OK;
    return ctw_base__fail(CTW_E_INFEASIBLE, "%s: all %lld actions are masked", fn, (long long)a->o.actions);
}

int64_t ctw_agent__best(const double *q, size_t n, const uint8_t *allowed)
{
    size_t best = 0;
    double top;
    if (!allowed) return ctw_agent__best_of(q, n, &top);
    while (!allowed[best]) best++;
    for (size_t k = best + 1; k < n; k++)
        if (allowed[k] && q[k] > q[best]) best = k;
    return (int64_t)best;
}

static size_t count_allowed(size_t n, const uint8_t *allowed)
{
    size_t m = 0;
    if (!allowed) return n;
    for (size_t k = 0; k < n; k++) m += allowed[k] != 0;
    return m;
}

/* The r-th allowed action. */
static int64_t nth_allowed(size_t r, const uint8_t *allowed)
{
    size_t k = 0;
    if (!allowed) return (int64_t)r;
    for (;; k++)
        if (allowed[k] && r-- == 0) return (int64_t)k;
}

/* Instead of a draw each step, the number of steps to the next exploration is drawn (geometric): the same
 * distribution with a random number only where something random happens. */
static int explores(ctw_agent *a)
{
    double eps = a->epsilon_now;
    if (eps <= 0.0) return 0;
    if (eps >= 1.0) return 1;
    if (a->explore_in == UINT64_MAX) {
        double gap = floor(log(1.0 - ctw_num__rng_uniform(&a->rng)) / a->log_keep);
        a->explore_in = gap < 1e18 ? (uint64_t)gap : (uint64_t)1000000000000000000;
    }
    if (a->explore_in > 0) {
        a->explore_in--;
        return 0;
    }
    a->explore_in = UINT64_MAX;
    return 1;
}

static int64_t random_best(ctw_agent *a, const double *q, size_t n, const uint8_t *allowed, int64_t best)
{
    uint64_t ties = 0, r;
    for (size_t k = (size_t)best; k < n; k++) ties += (!allowed || allowed[k]) && q[k] == q[best];
    if (ties < 2) return best;
    r = ctw_num__rng_below(&a->rng, ties);
    for (size_t k = (size_t)best;; k++)
        if ((!allowed || allowed[k]) && q[k] == q[best] && r-- == 0) return (int64_t)k;
}

/* Unnormalised softmax weights and their sum; masked actions get 0. */
static double softmax(const ctw_agent *a, const double *q, const uint8_t *allowed, double *p)
{
    size_t n = (size_t)a->o.actions;
    double top = q[ctw_agent__best(q, n, allowed)], sum = 0.0;
    for (size_t k = 0; k < n; k++) {
        p[k] = allowed && !allowed[k] ? 0.0 : exp((q[k] - top) / a->o.temperature);
        sum += p[k];
    }
    return sum;
}

int64_t ctw_agent__choose(ctw_agent *a, const double *q, const uint8_t *allowed, uint8_t *greedy)
{
    size_t n = (size_t)a->o.actions;
    int64_t best = ctw_agent__best(q, n, allowed), act = best;
    if (a->o.policy == CTW_AGENT_SOFTMAX) {
        double p[CTW_AGENT_MAX_ACTIONS], u = ctw_num__rng_uniform(&a->rng) * softmax(a, q, allowed, p);
        for (size_t k = 0; k < n; k++)
            if (p[k] > 0.0) {
                act = (int64_t)k;
                if ((u -= p[k]) < 0.0) break;
            }
    } else if (explores(a)) {
        act = nth_allowed((size_t)ctw_num__rng_below(&a->rng, count_allowed(n, allowed)), allowed);
        a->explored++;
    } else if (a->o.ties == CTW_AGENT_RANDOM)
        act = random_best(a, q, n, allowed, best);
    *greedy = q[act] >= q[best];
    return act;
}

double ctw_agent__policy_value(const ctw_agent *a, const double *q, const uint8_t *allowed)
{
    size_t n = (size_t)a->o.actions;
    double v = 0.0;
    if (a->o.policy == CTW_AGENT_SOFTMAX) {
        double p[CTW_AGENT_MAX_ACTIONS], sum = softmax(a, q, allowed, p);
        for (size_t k = 0; k < n; k++) v += p[k] > 0.0 ? p[k] * q[k] : 0.0;
        return v / sum;
    }
    for (size_t k = 0; k < n; k++) v += !allowed || allowed[k] ? q[k] : 0.0;
    v /= (double)count_allowed(n, allowed);
    return (1.0 - a->epsilon_now) * q[ctw_agent__best(q, n, allowed)] + a->epsilon_now * v;
}

double ctw_agent__policy_probability(const ctw_agent *a, const double *q, const uint8_t *allowed, int64_t action)
{
    size_t n = (size_t)a->o.actions, ties = 0;
    int64_t best = ctw_agent__best(q, n, allowed);
    if (allowed && !allowed[action]) return 0.0;
    if (a->o.policy == CTW_AGENT_SOFTMAX) {
        double p[CTW_AGENT_MAX_ACTIONS], sum = softmax(a, q, allowed, p);
        return p[action] / sum;
    }
    double share = action == best;
    if (a->o.ties == CTW_AGENT_RANDOM) {
        for (size_t k = 0; k < n; k++) ties += (!allowed || allowed[k]) && q[k] == q[best];
        share = q[action] == q[best] ? 1.0 / (double)ties : 0.0;
    }
    return (1.0 - a->epsilon_now) * share + a->epsilon_now / (double)count_allowed(n, allowed);
}

void ctw_agent__next_episode(ctw_agent *a)
{
    a->episodes++;
    double eps = a->epsilon_now * a->o.epsilon_decay;
    if (eps < a->o.epsilon_min) eps = a->o.epsilon_min;
    if (eps != a->epsilon_now) {
        a->explore_in = UINT64_MAX; /* memoryless: drawn anew under the new rate */
        a->epsilon_now = eps;
        a->log_keep = log1p(-eps);
    }
    a->alpha_now = a->alpha_factor * a->o.alpha / (1.0 + a->o.alpha_decay * (double)a->episodes);
}
