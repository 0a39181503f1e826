/* agent.c: the verbs of the loop: act, learn, and what may be asked without changing anything. */
#include "agent/agent_internal.h"
#include "agent/nstep.h"
#include "base/report.h"

static ctw_status act(ctw_agent *a, const double *phi, uint64_t n, const uint8_t *allowed, int64_t *out, const char *fn)
{
    ctw_agent__walk *k = &a->walk;
    double q[CTW_AGENT_MAX_ACTIONS];
    CTW_TRY(ctw_base__need(out, fn, "out_action"));
    CTW_TRY(ctw_agent__mask_check(a, allowed, fn));
    CTW_TRY(ctw_agent__point_read(a, phi, n, &k->tmp, fn));
    if (k->has_plan && (!allowed || allowed[k->planned]) && ctw_agent__point_same(&k->tmp, &k->nxt)) {
        ctw_agent__swap(&k->cur, &k->nxt);
        k->action = k->planned;
    } else {
        if (k->open || (k->has_plan && !ctw_agent__point_same(&k->tmp, &k->nxt)))
            CTW_TRY(ctw_agent__back_cut(a, k)); /* the host went elsewhere: the walk breaks here */
        ctw_agent__q(a, &k->tmp, q);
        k->action = ctw_agent__choose(a, q, allowed, &k->greedy);
        k->q_old = q[k->action];
        ctw_agent__swap(&k->cur, &k->tmp);
    }
    ctw_agent__back_mask(k->back, allowed);
    k->has_plan = 0;
    k->open = 1;
    *out = k->action;
    return CTW_OK;
}

ctw_status ctw_agent_act(ctw_agent *a, const double *phi, uint64_t n, const uint8_t *allowed, int64_t *out_action)
{
    static const char fn[] = "ctw_agent_act";
    CTW_TRY(ctw_base__handle_enter(a ? &a->h : NULL, CTW_AGENT_MAGIC, fn, "a"));
    ctw_status s = act(a, phi, n, allowed, out_action, fn);
    ctw_base__handle_leave(&a->h);
    return s;
}

static ctw_status need_open(const ctw_agent *a, const char *fn)
{
    if (!a->walk.open) return ctw_base__fail(CTW_E_STATE, "%s: no action is open, call ctw_agent_act first", fn);
    return CTW_OK;
}

ctw_status ctw_agent_set_action(ctw_agent *a, int64_t action)
{
    static const char fn[] = "ctw_agent_set_action";
    CTW_TRY(ctw_base__handle_enter(a ? &a->h : NULL, CTW_AGENT_MAGIC, fn, "a"));
    ctw_status s = need_open(a, fn);
    if (s == CTW_OK) s = ctw_base__in_i64(action, 0, a->o.actions - 1, fn, "action");
    if (s == CTW_OK && action != a->walk.action) {
        a->walk.action = action;
        a->walk.q_old = ctw_agent__pair(a, &a->walk.cur, action);
        a->overrides++;
    }
    ctw_base__handle_leave(&a->h);
    return s;
}

static ctw_status learn(ctw_agent *a, double reward, const double *phi, uint64_t n, const uint8_t *allowed,
                        int terminal, const char *fn)
{
    CTW_TRY(need_open(a, fn));
    CTW_TRY(ctw_base__in(reward, -a->o.value_limit, a->o.value_limit, fn, "reward"));
    if (!terminal) {
        CTW_TRY(ctw_agent__mask_check(a, allowed, fn));
        CTW_TRY(ctw_agent__point_read(a, phi, n, &a->walk.tmp, fn));
        ctw_agent__swap(&a->walk.nxt, &a->walk.tmp);
    }
    return ctw_agent__step(a, &a->walk, reward, allowed, terminal);
}

ctw_status ctw_agent_learn(ctw_agent *a, double reward, const double *phi_next, uint64_t n, const uint8_t *allowed_next,
                           int32_t terminal)
{
    static const char fn[] = "ctw_agent_learn";
    CTW_TRY(ctw_base__handle_enter(a ? &a->h : NULL, CTW_AGENT_MAGIC, fn, "a"));
    ctw_status s = learn(a, reward, phi_next, n, allowed_next, terminal != 0, fn);
    ctw_base__handle_leave(&a->h);
    return s;
}

ctw_status ctw_agent_end_episode(ctw_agent *a)
{
    CTW_TRY(ctw_base__handle_enter(a ? &a->h : NULL, CTW_AGENT_MAGIC, "ctw_agent_end_episode", "a"));
    ctw_status s = ctw_agent__end_episode(a, &a->walk);
    ctw_base__handle_leave(&a->h);
    return s;
}

/* A point with its own memory, for calls that leave the handle alone. */
static ctw_status own_point(const ctw_agent *a, const double *phi, uint64_t n, ctw_agent__point *p, void **memory,
                            const char *fn)
{
    ctw_agent__point *points[] = {p};
    *memory = NULL;
    CTW_TRY(ctw_base__handle_check(a ? &a->h : NULL, CTW_AGENT_MAGIC, fn, "a"));
    CTW_TRY(ctw_agent__points_new(a->h.ctx, a->max_active, 1, points, memory));
    ctw_status s = ctw_agent__point_read(a, phi, n, p, fn);
    if (s != CTW_OK) ctw_base__free(a->h.ctx, *memory);
    return s;
}

ctw_status ctw_agent_greedy(const ctw_agent *a, const double *phi, uint64_t n, const uint8_t *allowed,
                            int64_t *out_action, double *out_value)
{
    static const char fn[] = "ctw_agent_greedy";
    ctw_agent__point p;
    void *memory;
    double q[CTW_AGENT_MAX_ACTIONS];
    CTW_TRY(ctw_base__need(out_action, fn, "out_action"));
    CTW_TRY(own_point(a, phi, n, &p, &memory, fn));
    ctw_status s = ctw_agent__mask_check(a, allowed, fn);
    if (s == CTW_OK) {
        ctw_agent__q(a, &p, q);
        *out_action = ctw_agent__best(q, (size_t)a->o.actions, allowed);
        if (out_value) *out_value = q[*out_action];
    }
    ctw_base__free(a->h.ctx, memory);
    return s;
}

ctw_status ctw_agent_value(const ctw_agent *a, const double *phi, uint64_t n, double *out_q, uint64_t n_actions)
{
    static const char fn[] = "ctw_agent_value";
    ctw_agent__point p;
    void *memory;
    double q[CTW_AGENT_MAX_ACTIONS];
    CTW_TRY(ctw_base__need(out_q, fn, "out_q"));
    CTW_TRY(own_point(a, phi, n, &p, &memory, fn));
    ctw_agent__q(a, &p, q);
    ctw_base__free(a->h.ctx, memory);
    if (n_actions != (uint64_t)a->o.actions)
        return ctw_base__fail(CTW_E_SHAPE, "%s: n_actions is %llu, must be %lld", fn, (unsigned long long)n_actions,
                              (long long)a->o.actions);
    for (size_t k = 0; k < n_actions; k++) out_q[k] = q[k];
    return CTW_OK;
}

static ctw_status true_weight_place(const ctw_agent *a, uint64_t n, const char *fn)
{
    uint64_t need = (uint64_t)(a->tables * a->rows) * (uint64_t)a->o.actions;
    if (n != need)
        return ctw_base__fail(CTW_E_SHAPE, "%s: n is %llu, must be %llu (tables * actions * features)", fn,
                              (unsigned long long)n, (unsigned long long)need);
    return CTW_OK;
}

/* Where weight i of the public order (table, action, feature) lives. */
static size_t place_of(const ctw_agent *a, size_t i)
{
    size_t actions = (size_t)a->o.actions, row = i % a->rows, rest = i / a->rows;
    return (rest / actions * a->rows + row) * a->block + rest % actions;
}

ctw_status ctw_agent_get_weights(const ctw_agent *a, double *w, uint64_t cap, uint64_t *need)
{
    static const char fn[] = "ctw_agent_get_weights";
    CTW_TRY(ctw_base__handle_check(a ? &a->h : NULL, CTW_AGENT_MAGIC, fn, "a"));
    CTW_TRY(ctw_base__need(need, fn, "need"));
    CTW_TRY(ctw_base__need_n(w, cap, fn, "w"));
    *need = (uint64_t)(a->tables * a->rows) * (uint64_t)a->o.actions;
    if (cap == 0) return CTW_OK;
    if (cap < *need)
        return ctw_base__fail(CTW_E_BUFFER, "%s: cap is %llu, must be at least %llu", fn, (unsigned long long)cap,
                              (unsigned long long)*need);
    for (size_t i = 0; i < *need; i++) {
        const double *at = a->w + place_of(a, i);
        w[i] = a->lazy ? at[0] + a->c * at[a->stride] : at[0];
    }
    return CTW_OK;
}

ctw_status ctw_agent__put_weights(ctw_agent *a, const double *w, uint64_t n, const char *fn)
{
    CTW_TRY(true_weight_place(a, n, fn));
    CTW_TRY(ctw_base__need_n(w, n, fn, "w"));
    CTW_TRY(ctw_base__all_in(w, n, 1, -a->o.value_limit, a->o.value_limit, fn, "w"));
    if (a->lazy) ctw_agent__flush(a, 1);
    for (size_t i = 0; i < n; i++) a->w[place_of(a, i)] = w[i];
    if (a->w) ctw_agent__checkpoint(a);
    a->walk.has_plan = 0;
    if (a->walk.back) a->walk.back->n = 0;
    return CTW_OK;
}

ctw_status ctw_agent_set_weights(ctw_agent *a, const double *w, uint64_t n)
{
    static const char fn[] = "ctw_agent_set_weights";
    CTW_TRY(ctw_base__handle_enter(a ? &a->h : NULL, CTW_AGENT_MAGIC, fn, "a"));
    ctw_status s = ctw_agent__put_weights(a, w, n, fn);
    ctw_base__handle_leave(&a->h);
    return s;
}

ctw_status ctw_agent_get_report(const ctw_agent *a, ctw_report **out)
{
    static const char fn[] = "ctw_agent_get_report";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__handle_check(a ? &a->h : NULL, CTW_AGENT_MAGIC, fn, "a"));
    const struct {
        const char *key;
        uint64_t value;
    } counts[] = {{"episodes", a->episodes},
                  {"steps", a->steps},
                  {"rollbacks", a->rollbacks},
                  {"overrides", a->overrides},
                  {"explored", a->explored}};
    ctw_report *r;
    CTW_TRY(ctw_base__report_new(a->h.ctx, &r));
    ctw_status s = ctw_base__report_f64(r, "alpha", a->alpha_now);
    if (s == CTW_OK) s = ctw_base__report_f64(r, "epsilon", a->epsilon_now);
    if (s == CTW_OK) s = ctw_base__report_f64(r, "mean_reward", a->mean_reward);
    for (size_t i = 0; s == CTW_OK && i < sizeof counts / sizeof *counts; i++)
        s = ctw_base__report_i64(r, counts[i].key, (int64_t)counts[i].value);
    if (s != CTW_OK) {
        ctw_report_unref(r);
        return s;
    }
    *out = r;
    return CTW_OK;
}
