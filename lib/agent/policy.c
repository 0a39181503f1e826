/* policy.c: the verbs of the loop and what may be asked without changing anything. */
#include "agent/policy_internal.h"
#include "base/report.h"
#include <math.h>
#include <string.h>

static ctw_status need_head(const ctw_policy *p, int head, const char *fn)
{
    static const char *const names[] = {"softmax", "gaussian"};
    if (p->o.head == head) return CTW_OK;
    return ctw_base__fail(CTW_E_ARG, "%s: option policy is %s, this call is for %s", fn, names[p->o.head], names[head]);
}

static ctw_status need_dims(const ctw_policy *p, uint64_t dims, const char *what, const char *fn)
{
    if (dims == p->k) return CTW_OK;
    return ctw_base__fail(CTW_E_SHAPE, "%s: %s is %llu, must be %zu", fn, what, (unsigned long long)dims, p->k);
}

static ctw_status need_allowed(const ctw_policy *p, const uint8_t *allowed, const char *fn)
{
    if (!allowed) return CTW_OK;
    for (size_t j = 0; j < p->k; j++)
        if (allowed[j]) return CTW_OK;
    return ctw_base__fail(CTW_E_INFEASIBLE, "%s: all %zu actions are masked", fn, p->k);
}

void ctw_policy__act(ctw_policy *p, ctw_policy__walk *k, const uint8_t *allowed, int explore)
{
    ctw_policy__dist d;
    for (size_t j = 0; j < p->k; j++) k->deed.allowed[j] = !allowed || allowed[j];
    ctw_agent__swap(&k->cur, &k->tmp);
    ctw_policy__at(p, &k->cur, k->deed.allowed, &d);
    if (explore)
        ctw_policy__draw(p, &d, &k->deed);
    else
        ctw_policy__mode(&d, &k->deed);
    k->open = 1;
}

static ctw_status act(ctw_policy *p, const double *phi, uint64_t n, const uint8_t *allowed, const char *fn)
{
    CTW_TRY(need_allowed(p, allowed, fn));
    CTW_TRY(ctw_policy__see(p, phi, n, &p->walk.tmp, fn));
    ctw_policy__act(p, &p->walk, allowed, 1);
    return CTW_OK;
}

ctw_status ctw_policy_act(ctw_policy *p, const double *phi, uint64_t n, const uint8_t *allowed, int64_t *out_action,
                          double *out_logp)
{
    static const char fn[] = "ctw_policy_act";
    CTW_TRY(ctw_base__need(out_action, fn, "out_action"));
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_POLICY_MAGIC, fn, "p"));
    ctw_status s = need_head(p, CTW_POLICY_SOFTMAX, fn);
    if (s == CTW_OK) s = act(p, phi, n, allowed, fn);
    if (s == CTW_OK) *out_action = p->walk.deed.action;
    if (s == CTW_OK && out_logp) *out_logp = p->walk.deed.logp;
    ctw_base__handle_leave(&p->h);
    return s;
}

ctw_status ctw_policy_act_real(ctw_policy *p, const double *phi, uint64_t n, double *out_u, uint64_t dims,
                               double *out_logp)
{
    static const char fn[] = "ctw_policy_act_real";
    CTW_TRY(ctw_base__need(out_u, fn, "out_u"));
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_POLICY_MAGIC, fn, "p"));
    ctw_status s = need_head(p, CTW_POLICY_GAUSSIAN, fn);
    if (s == CTW_OK) s = need_dims(p, dims, "dims", fn);
    if (s == CTW_OK) s = act(p, phi, n, NULL, fn);
    if (s == CTW_OK) memcpy(out_u, p->walk.deed.u, p->k * sizeof *out_u);
    if (s == CTW_OK && out_logp) *out_logp = p->walk.deed.logp;
    ctw_base__handle_leave(&p->h);
    return s;
}

/* A full batch that a stopped run left comes first. */
static ctw_status batch_learn(ctw_policy *p, double reward, const ctw_agent__point *next, int end, const char *fn)
{
    if (p->rolls.n == p->rolls.cap) CTW_TRY(ctw_policy__update(p, &p->rolls, NULL, fn));
    CTW_TRY(ctw_policy__rolls_reserve(p->h.ctx, &p->rolls, p->rolls.n + 1));
    ctw_policy__record(p, &p->rolls, &p->walk, reward, next, end, 0);
    p->walk.open = 0;
    p->steps++;
    if (end) ctw_policy__next_episode(p);
    return p->rolls.n < p->rolls.cap ? CTW_OK : ctw_policy__update(p, &p->rolls, NULL, fn);
}

static ctw_status learn(ctw_policy *p, double reward, const double *phi, uint64_t n, int32_t end, const char *fn)
{
    const ctw_agent__point *next = NULL;
    if (!p->walk.open) return ctw_base__fail(CTW_E_STATE, "%s: no action is open, call ctw_policy_act first", fn);
    CTW_TRY(ctw_base__in(reward, -p->o.value_limit, p->o.value_limit, fn, "reward"));
    CTW_TRY(ctw_base__in_i64(end, 0, 2, fn, "end"));
    if (end != CTW_POLICY_TERMINAL) {
        CTW_TRY(ctw_policy__see(p, phi, n, &p->walk.tmp, fn));
        next = &p->walk.tmp;
    }
    if (ctw_policy__is_batch(p)) return batch_learn(p, reward, next, end, fn);
    return ctw_policy__step(p, &p->walk, reward, next, end);
}

ctw_status ctw_policy_learn(ctw_policy *p, double reward, const double *phi_next, uint64_t n, int32_t end)
{
    static const char fn[] = "ctw_policy_learn";
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_POLICY_MAGIC, fn, "p"));
    ctw_status s = learn(p, reward, phi_next, n, end, fn);
    ctw_base__handle_leave(&p->h);
    return s;
}

ctw_status ctw_policy_end_episode(ctw_policy *p)
{
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_POLICY_MAGIC, "ctw_policy_end_episode", "p"));
    p->walk.open = 0;
    ctw_policy__cut(&p->rolls, 0);
    ctw_policy__next_episode(p);
    ctw_base__handle_leave(&p->h);
    return CTW_OK;
}

/* ---- questions ---- */

/* A point with its own memory, for calls that leave the handle alone. */
static ctw_status own_point(const ctw_policy *p, const double *phi, uint64_t n, ctw_agent__point *x, void **memory,
                            const char *fn)
{
    ctw_agent__point *points[] = {x};
    *memory = NULL;
    CTW_TRY(ctw_agent__points_new(p->h.ctx, p->max_active, 1, points, memory));
    ctw_status s = ctw_policy__see(p, phi, n, x, fn);
    if (s != CTW_OK) ctw_base__free(p->h.ctx, *memory);
    return s;
}

static ctw_status dist(const ctw_policy *p, const double *phi, uint64_t n, const uint8_t *allowed, ctw_policy__dist *d,
                       const char *fn)
{
    ctw_agent__point x;
    void *memory;
    CTW_TRY(own_point(p, phi, n, &x, &memory, fn));
    ctw_policy__at(p, &x, allowed, d);
    ctw_base__free(p->h.ctx, memory);
    return CTW_OK;
}

ctw_status ctw_policy_probabilities(const ctw_policy *p, const double *phi, uint64_t n, const uint8_t *allowed,
                                    double *out_p, uint64_t n_actions)
{
    static const char fn[] = "ctw_policy_probabilities";
    ctw_policy__dist d;
    CTW_TRY(ctw_base__need(out_p, fn, "out_p"));
    CTW_TRY(ctw_base__handle_check(p ? &p->h : NULL, CTW_POLICY_MAGIC, fn, "p"));
    CTW_TRY(need_head(p, CTW_POLICY_SOFTMAX, fn));
    CTW_TRY(need_dims(p, n_actions, "n_actions", fn));
    CTW_TRY(need_allowed(p, allowed, fn));
    CTW_TRY(dist(p, phi, n, allowed, &d, fn));
    memcpy(out_p, d.p, p->k * sizeof *out_p);
    return CTW_OK;
}

ctw_status ctw_policy_normal(const ctw_policy *p, const double *phi, uint64_t n, double *out_mean, double *out_sd,
                             uint64_t dims)
{
    static const char fn[] = "ctw_policy_normal";
    ctw_policy__dist d;
    CTW_TRY(ctw_base__handle_check(p ? &p->h : NULL, CTW_POLICY_MAGIC, fn, "p"));
    CTW_TRY(need_head(p, CTW_POLICY_GAUSSIAN, fn));
    CTW_TRY(need_dims(p, dims, "dims", fn));
    CTW_TRY(dist(p, phi, n, NULL, &d, fn));
    if (out_mean) memcpy(out_mean, d.z, p->k * sizeof *out_mean);
    if (out_sd) memcpy(out_sd, d.p, p->k * sizeof *out_sd);
    return CTW_OK;
}

ctw_status ctw_policy_value(const ctw_policy *p, const double *phi, uint64_t n, double *out_value)
{
    static const char fn[] = "ctw_policy_value";
    ctw_agent__point x;
    void *memory;
    CTW_TRY(ctw_base__need(out_value, fn, "out_value"));
    CTW_TRY(ctw_base__handle_check(p ? &p->h : NULL, CTW_POLICY_MAGIC, fn, "p"));
    CTW_TRY(own_point(p, phi, n, &x, &memory, fn));
    *out_value = ctw_policy__critic(p, &x);
    ctw_base__free(p->h.ctx, memory);
    return CTW_OK;
}

/* ---- weights ---- */

/* Where weight i of the public order lives: theta by output there, by feature here. */
static size_t place_of(const ctw_policy *p, size_t i)
{
    return i < p->n_theta ? i % p->rows * p->k + i / p->rows : i;
}

ctw_status ctw_policy_get_weights(const ctw_policy *p, double *w, uint64_t cap, uint64_t *need)
{
    static const char fn[] = "ctw_policy_get_weights";
    CTW_TRY(ctw_base__handle_check(p ? &p->h : NULL, CTW_POLICY_MAGIC, fn, "p"));
    CTW_TRY(ctw_base__need(need, fn, "need"));
    CTW_TRY(ctw_base__need_n(w, cap, fn, "w"));
    *need = p->n_all;
    if (cap == 0) return CTW_OK;
    if (cap < p->n_all)
        return ctw_base__fail(CTW_E_BUFFER, "%s: cap is %llu, must be at least %zu", fn, (unsigned long long)cap,
                              p->n_all);
    for (size_t i = 0; i < p->n_all; i++) w[i] = p->w[place_of(p, i)];
    return CTW_OK;
}

static ctw_status put_weights(ctw_policy *p, const double *w, uint64_t n, const char *fn)
{
    double limit = p->o.value_limit, slack = 1e-9;
    if (n != p->n_all)
        return ctw_base__fail(CTW_E_SHAPE, "%s: n is %llu, must be %zu", fn, (unsigned long long)n, p->n_all);
    CTW_TRY(ctw_base__need_n(w, n, fn, "w"));
    CTW_TRY(ctw_base__all_in(w, n, 1, -limit, limit, fn, "w"));
    CTW_TRY(
        ctw_base__all_in(w + p->n_theta, p->n_sd, 1, log(p->o.sd_min) - slack, log(p->o.sd_max) + slack, fn, "log sd"));
    for (size_t i = 0; i < p->n_all; i++) p->w[place_of(p, i)] = w[i];
    ctw_policy__drop_traces(p);
    ctw_policy__forget(p);
    p->rolls.n = 0;
    return ctw_policy__check_weights(p);
}

ctw_status ctw_policy_set_weights(ctw_policy *p, const double *w, uint64_t n)
{
    static const char fn[] = "ctw_policy_set_weights";
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_POLICY_MAGIC, fn, "p"));
    ctw_status s = put_weights(p, w, n, fn);
    ctw_base__handle_leave(&p->h);
    return s;
}

ctw_status ctw_policy_get_report(const ctw_policy *p, ctw_report **out)
{
    static const char fn[] = "ctw_policy_get_report";
    ctw_report *r;
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__handle_check(p ? &p->h : NULL, CTW_POLICY_MAGIC, fn, "p"));
    const struct {
        const char *key;
        uint64_t value;
    } counts[] = {{"episodes", p->episodes},
                  {"steps", p->steps},
                  {"updates", p->updates},
                  {"rollbacks", p->rollbacks},
                  {"pending", p->rolls.n}};
    const struct {
        const char *key;
        double value;
    } reals[] = {{"alpha", p->alpha_now},
                 {"mean_reward", p->mean_reward},
                 {"kl", p->kl},
                 {"clipped", p->clipped},
                 {"entropy", p->entropy}};
    CTW_TRY(ctw_base__report_new(p->h.ctx, &r));
    ctw_status s = CTW_OK;
    for (size_t i = 0; s == CTW_OK && i < sizeof reals / sizeof *reals; i++)
        s = ctw_base__report_f64(r, reals[i].key, reals[i].value);
    for (size_t i = 0; s == CTW_OK && i < sizeof counts / sizeof *counts; i++)
        s = ctw_base__report_i64(r, counts[i].key, (int64_t)counts[i].value);
    if (s == CTW_OK)
        *out = r;
    else
        ctw_report_unref(r);
    return s;
}
