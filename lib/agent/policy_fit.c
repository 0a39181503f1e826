/* policy_fit.c: an update from episodes that were lived elsewhere. */
#include "agent/policy_internal.h"
#include <string.h>

typedef struct logged {
    const double *phi;
    const int64_t *action;
    const double *u, *logp;
    const uint8_t *allowed;
    const double *reward, *phi_next;
    const uint8_t *end;
    uint64_t rows, n, stride;
} logged;

static ctw_status check(const ctw_policy *p, const logged *l, const char *fn)
{
    int real = p->o.head == CTW_POLICY_GAUSSIAN;
    if (!ctw_policy__is_batch(p)) return ctw_base__fail(CTW_E_ARG, "%s: needs algo natural-batch or ppo", fn);
    if (real != (l->action == NULL))
        return ctw_base__fail(CTW_E_ARG, "%s: option policy is %s, or the actions are NULL", fn,
                              real ? "gaussian" : "softmax");
    if (!p->w) return ctw_base__fail(CTW_E_STATE, "%s: the policy has no features yet", fn);
    if (l->n != p->dims)
        return ctw_base__fail(CTW_E_SHAPE, "%s: n is %llu, must be %zu", fn, (unsigned long long)l->n, p->dims);
    CTW_TRY(ctw_base__in_u64(l->rows, 1, ((uint64_t)1 << 28) / p->max_active, fn, "rows"));
    CTW_TRY(ctw_base__need(l->reward, fn, "reward"));
    CTW_TRY(ctw_base__need(l->end, fn, "end"));
    CTW_TRY(ctw_base__matrix(l->phi, l->rows, l->n, l->stride, fn, "phi"));
    CTW_TRY(ctw_base__matrix(l->phi_next, l->rows, l->n, l->stride, fn, "phi_next"));
    CTW_TRY(ctw_base__all_in(l->reward, l->rows, 1, -p->o.value_limit, p->o.value_limit, fn, "reward"));
    if (l->logp) CTW_TRY(ctw_base__all_in(l->logp, l->rows, 1, -1e6, 1e6, fn, "logp"));
    if (real) {
        CTW_TRY(ctw_base__need(l->u, fn, "u"));
        CTW_TRY(ctw_base__all_in(l->u, l->rows * p->k, 1, -CTW_AGENT_MAX_INPUT, CTW_AGENT_MAX_INPUT, fn, "u"));
    }
    for (uint64_t i = 0; i < l->rows; i++) {
        CTW_TRY(ctw_base__in_i64(l->end[i], 0, 2, fn, "end"));
        if (real) continue;
        CTW_TRY(ctw_base__in_i64(l->action[i], 0, (int64_t)p->k - 1, fn, "action"));
        if (l->allowed && !l->allowed[i * p->k + (uint64_t)l->action[i]])
            return ctw_base__fail(CTW_E_INFEASIBLE, "%s: action %lld of row %llu is masked", fn,
                                  (long long)l->action[i], (unsigned long long)i);
    }
    return CTW_OK;
}

static ctw_status read_row(ctw_policy *p, const logged *l, uint64_t i, ctw_policy__walk *k, ctw_policy__rolls *r,
                           const char *fn)
{
    ctw_policy__dist d;
    const ctw_agent__point *next = NULL;
    CTW_TRY(ctw_policy__see(p, l->phi + i * l->stride, l->n, &k->cur, fn));
    if (l->end[i] != CTW_POLICY_TERMINAL) {
        CTW_TRY(ctw_policy__see(p, l->phi_next + i * l->stride, l->n, &k->tmp, fn));
        next = &k->tmp;
    }
    for (size_t j = 0; j < p->k; j++) k->deed.allowed[j] = !l->allowed || l->allowed[i * p->k + j];
    if (l->action)
        k->deed.action = l->action[i];
    else
        memcpy(k->deed.u, l->u + i * p->k, p->k * sizeof *k->deed.u);
    ctw_policy__at(p, &k->cur, k->deed.allowed, &d);
    k->deed.logp = l->logp ? l->logp[i] : ctw_policy__logp(&d, k->deed.action, k->deed.u);
    ctw_policy__record(p, r, k, l->reward[i], next, l->end[i], 0);
    return CTW_OK;
}

static ctw_status fit(ctw_policy *p, const logged *l, ctw_cancel *cancel, const char *fn)
{
    ctw_policy__rolls r = {.cap = (size_t)l->rows, .active = p->max_active, .k = p->k, .gaussian = p->n_sd > 0};
    ctw_policy__walk k;
    ctw_agent__point *points[] = {&k.cur, &k.tmp};
    void *memory = NULL;
    memset(&k, 0, sizeof k);
    CTW_TRY(check(p, l, fn));
    ctw_status s = ctw_policy__rolls_reserve(p->h.ctx, &r, r.cap);
    if (s == CTW_OK) s = ctw_agent__points_new(p->h.ctx, p->max_active, 2, points, &memory);
    for (uint64_t i = 0; s == CTW_OK && i < l->rows; i++) s = read_row(p, l, i, &k, &r, fn);
    if (s == CTW_OK) s = ctw_policy__update(p, &r, cancel, fn);
    ctw_policy__rolls_free(p->h.ctx, &r);
    ctw_base__free(p->h.ctx, memory);
    return s;
}

ctw_status ctw_policy_fit(ctw_policy *p, const double *phi, const int64_t *action, const double *logp,
                          const uint8_t *allowed, const double *reward, const double *phi_next, const uint8_t *end,
                          uint64_t rows, uint64_t n, uint64_t stride, ctw_cancel *cancel)
{
    static const char fn[] = "ctw_policy_fit";
    logged l = {phi, action, NULL, logp, allowed, reward, phi_next, end, rows, n, stride};
    CTW_TRY(ctw_base__need(action, fn, "action"));
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_POLICY_MAGIC, fn, "p"));
    ctw_status s = fit(p, &l, cancel, fn);
    ctw_base__handle_leave(&p->h);
    return s;
}

ctw_status ctw_policy_fit_real(ctw_policy *p, const double *phi, const double *u, const double *logp,
                               const double *reward, const double *phi_next, const uint8_t *end, uint64_t rows,
                               uint64_t n, uint64_t stride, ctw_cancel *cancel)
{
    static const char fn[] = "ctw_policy_fit_real";
    logged l = {phi, NULL, u, logp, NULL, reward, phi_next, end, rows, n, stride};
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_POLICY_MAGIC, fn, "p"));
    ctw_status s = fit(p, &l, cancel, fn);
    ctw_base__handle_leave(&p->h);
    return s;
}
