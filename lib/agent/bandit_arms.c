/* bandit_arms.c: arms that are described by a few numbers (how many pages, what batch size): one regression on the
 * products of context and description, so that every reward teaches about every arm (the shared form of LinUCB, Li et
 * al. 2010). With u = t (x) x the width of an arm is t' B t, B[k][l] = x' P_kl x: B is made once a choice, not once an
 * arm. */
#include "agent/bandit_internal.h"
#include <string.h>

ctw_status ctw_bandit__set_arms(ctw_bandit *b, const double *trait, uint64_t traits, const char *fn)
{
    size_t d = b->dims;
    CTW_TRY(ctw_base__in_u64(traits, 1, CTW_BANDIT_MAX_DIMS / d, fn, "traits"));
    CTW_TRY(ctw_base__need(trait, fn, "trait"));
    CTW_TRY(ctw_base__all_in(trait, b->arms * traits, 1, -CTW_BANDIT_LIMIT, CTW_BANDIT_LIMIT, fn, "trait"));
    if (b->policy == CTW_BANDIT_UCB1)
        return ctw_base__fail(CTW_E_ARG, "%s: policy is ucb1, which has no model to share", fn);
    if (b->total > 0 || b->traits)
        return ctw_base__fail(CTW_E_STATE, "%s: %llu rewards are learnt already, must be 0, and arms set once", fn,
                              (unsigned long long)b->total);
    double *own = ctw_base__dup(b->h.ctx, trait, b->arms * traits, sizeof *own);
    if (!own) return CTW_E_NOMEM;
    b->traits = traits;
    b->models = 1;
    b->d = d * traits;
    ctw_status s = ctw_bandit__memory(b);
    if (s != CTW_OK) {
        ctw_base__free(b->h.ctx, own);
        b->traits = 0;
        b->models = b->arms;
        b->d = d;
        return s;
    }
    b->trait = own;
    return CTW_OK;
}

const double *ctw_bandit__input(const ctw_bandit *b, size_t arm, const double *x, double *buf)
{
    if (!b->traits) return x;
    const double *t = b->trait + arm * b->traits;
    for (size_t k = 0; k < b->traits; k++)
        for (size_t i = 0; i < b->dims; i++) buf[k * b->dims + i] = t[k] * x[i];
    return buf;
}

/* x' P x over the block of traits k and l. */
static double block(const double *p, size_t n, size_t d, const double *x)
{
    double s = 0.0;
    for (size_t i = 0; i < n; i++) {
        double row = 0.0;
        for (size_t j = 0; j < n; j++) row += p[i * d + j] * x[j];
        s += row * x[i];
    }
    return s;
}

void ctw_bandit__look(const ctw_bandit *b, const double *x, ctw_bandit__view *v)
{
    size_t n = b->dims, d = b->d;
    v->x = x;
    for (size_t k = 0; k < b->traits; k++) {
        v->mean[k] = 0.0;
        for (size_t i = 0; i < n; i++) v->mean[k] += b->theta[k * n + i] * x[i];
        for (size_t l = 0; l <= k && b->policy != CTW_BANDIT_EPSILON; l++)
            v->pair[k * b->traits + l] = block(b->p + k * n * d + l * n, n, d, x);
    }
}

double ctw_bandit__seen(const ctw_bandit *b, size_t arm, const ctw_bandit__view *v, double *width2)
{
    if (!b->traits) {
        if (width2) *width2 = ctw_bandit__width2(b, arm, v->x);
        return ctw_bandit__mean(b, arm, v->x);
    }
    const double *t = b->trait + arm * b->traits;
    double mean = 0.0, s = 0.0, length = 0.0, own = 0.0;
    for (size_t k = 0; k < b->traits; k++) {
        mean += t[k] * v->mean[k];
        own += t[k] * t[k];
        for (size_t l = 0; width2 && l <= k; l++) s += (l == k ? 1.0 : 2.0) * t[k] * t[l] * v->pair[k * b->traits + l];
    }
    if (!width2) return mean;
    for (size_t i = 0; i < b->dims; i++) length += v->x[i] * v->x[i];
    *width2 = ctw_bandit__aged(b, 0, s, length * own);
    return mean;
}
