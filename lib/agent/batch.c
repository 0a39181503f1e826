/* batch.c: learning from logged transitions: Q-learning steps in order. */
#include "agent/batch.h"
#include "base/cancel.h"

ctw_status ctw_agent__log_check(const ctw_agent *a, const ctw_agent__log *l, const char *fn)
{
    if (!a->w) return ctw_base__fail(CTW_E_STATE, "%s: the agent has no features yet", fn);
    if (l->n != a->dims)
        return ctw_base__fail(CTW_E_SHAPE, "%s: n is %llu, must be %zu", fn, (unsigned long long)l->n, a->dims);
    if (a->o.average > 0.0)
        return ctw_base__fail(CTW_E_ARG, "%s: average is %g, logged transitions need discounted rewards", fn,
                              a->o.average);
    CTW_TRY(ctw_base__need_n(l->action, l->rows, fn, "action"));
    CTW_TRY(ctw_base__need_n(l->reward, l->rows, fn, "reward"));
    CTW_TRY(ctw_base__need_n(l->terminal, l->rows, fn, "terminal"));
    CTW_TRY(ctw_base__matrix(l->phi, l->rows, l->n, l->stride, fn, "phi"));
    CTW_TRY(ctw_base__matrix(l->phi_next, l->rows, l->n, l->stride, fn, "phi_next"));
    CTW_TRY(ctw_base__all_in(l->reward, l->rows, 1, -a->o.value_limit, a->o.value_limit, fn, "reward"));
    for (uint64_t i = 0; i < l->rows; i++) CTW_TRY(ctw_base__in_i64(l->action[i], 0, a->o.actions - 1, fn, "action"));
    return CTW_OK;
}

/* Reads row i's two states into cur and nxt; *next is NULL when it is terminal. */
static ctw_status read_row(ctw_agent *a, const ctw_agent__log *l, uint64_t i, const ctw_agent__point **next,
                           const char *fn)
{
    *next = NULL;
    CTW_TRY(ctw_agent__point_read(a, l->phi + i * l->stride, l->n, &a->walk.cur, fn));
    if (l->terminal[i]) return CTW_OK;
    *next = &a->walk.nxt;
    return ctw_agent__point_read(a, l->phi_next + i * l->stride, l->n, &a->walk.nxt, fn);
}

static ctw_status learn_rows(ctw_agent *a, const ctw_agent__log *l, ctw_cancel *cancel, const char *fn)
{
    const ctw_agent__point *next;
    if (a->tables != 1) return ctw_base__fail(CTW_E_ARG, "%s: logged transitions need another algo than double-q", fn);
    CTW_TRY(ctw_agent__log_check(a, l, fn));
    if (a->walk.open || a->walk.has_plan)
        return ctw_base__fail(CTW_E_STATE, "%s: an episode is open, call ctw_agent_end_episode first", fn);
    for (uint64_t i = 0; i < l->rows; i++) CTW_TRY(read_row(a, l, i, &next, fn)); /* all good before any is learnt */
    for (uint64_t i = 0; i < l->rows; i++) {
        CTW_TRY(ctw_base__stopped(cancel, fn));
        CTW_TRY(read_row(a, l, i, &next, fn));
        CTW_TRY(ctw_agent__offline(a, &a->walk.cur, l->action[i], l->reward[i], next));
    }
    return CTW_OK;
}

ctw_status ctw_agent_learn_batch(ctw_agent *a, const double *phi, const int64_t *action, const double *reward,
                                 const double *phi_next, const uint8_t *terminal, uint64_t rows, uint64_t n,
                                 uint64_t stride, ctw_cancel *cancel)
{
    static const char fn[] = "ctw_agent_learn_batch";
    ctw_agent__log l = {phi, action, reward, phi_next, terminal, rows, n, stride};
    CTW_TRY(ctw_base__handle_enter(a ? &a->h : NULL, CTW_AGENT_MAGIC, fn, "a"));
    ctw_status s = learn_rows(a, &l, cancel, fn);
    ctw_base__handle_leave(&a->h);
    return s;
}
