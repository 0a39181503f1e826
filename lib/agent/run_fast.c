/* run_fast.c: the run loop's step for plain problems, compiled once for each common shape. It does what
 * ctw_agent__run_after does, with the same arithmetic in the same order; whatever is not plain (an episode's end, a bad
 * value, divergence) is handed to that. */
#include "agent/kernel.h"
#include "agent/run_internal.h"

/* The observation as feature numbers; 0 when the general path has to look at it (and refuse it). */
CTW_HOT int encode(const ctw_agent *a, const double *x, ctw_agent__point *p, int tabular, size_t tilings)
{
    if (tabular) {
        double s = x[0], n = (double)a->o.states;
        if (!(s >= 0.0 && s < n)) return 0;
        p->idx[0] = (uint32_t)(int32_t)s;
        return (double)(int32_t)s == s;
    }
    for (size_t d = 0; d < a->dims; d++)
        if (!(__builtin_fabs(x[d]) <= CTW_AGENT_MAX_INPUT)) return 0;
    ctw_features__grid(a->features, x, p->idx, tilings);
    return 1;
}

CTW_HOT void swap_idx(ctw_agent__point *x, ctw_agent__point *y)
{
    uint32_t *t = x->idx;
    x->idx = y->idx;
    y->idx = t;
}

CTW_HOT ctw_status lane(ctw_agent__loop *r, size_t i, ctw_agent__shape h, int tabular, int online, size_t actions)
{
    ctw_agent *a = r->a;
    ctw_agent__walk *k = &r->walk[i];
    double reward = r->reward[i];
    int64_t plan;
    uint8_t greedy;
    if (r->state[i] != CTW_ENV_RUNNING || r->count[i] + 1 == r->max_steps ||
        !(__builtin_fabs(reward) <= a->o.value_limit) ||
        !encode(a, r->obs + i * r->env->dims, &k->nxt, tabular, h.active))
        return ctw_agent__run_after(r, i);
    r->sum[i] += reward;
    r->count[i]++;
    double next = ctw_agent__look_ahead(a, &k->nxt, h, actions, a->o.algo, &plan, &greedy);
    a->steps++;
    ctw_status s = online ? ctw_agent__online_step(a, k, h, reward, next) : ctw_agent__td_step(a, k, h, reward, next);
    if (__builtin_expect(s == CTW_OK, 1)) s = ctw_agent__settle(a, k, h, a->o.algo, next, plan, greedy, 0);
    if (__builtin_expect(s != CTW_OK, 0)) { /* rolled back: decide anew in that state */
        swap_idx(&k->nxt, &k->tmp);
        return ctw_agent__run_decide(r, i);
    }
    swap_idx(&k->cur, &k->nxt);
    r->action[i] = k->action = plan;
    k->has_plan = 0;
    k->open = 1;
    return CTW_OK;
}

#define LANES(name, active, stride, lazy, tabular, online, actions)     \
    static ctw_status name(ctw_agent__loop *r)                          \
    {                                                                   \
        const ctw_agent__shape h = {(active), (stride), 1, (lazy)};     \
        for (size_t i = 0; i < r->env->lanes && r->done < r->goal; i++) \
            CTW_TRY(lane(r, i, h, (tabular), (online), (actions)));     \
        return CTW_OK;                                                  \
    }

#define ACTIVE  (r->a->features->tilings)
#define STRIDE  (r->a->stride)
#define ACTIONS ((size_t)r->a->o.actions)

/* Tables without traces, and eight tilings: the shapes whose speed matters most; then any number of tilings. */
LANES(table_4, 1, 4, 0, 1, 0, 4)
LANES(table_any, 1, STRIDE, 0, 1, 0, ACTIONS)
LANES(tiles_2, 8, 2, 0, 0, 0, 2)
LANES(tiles_3, 8, 4, 0, 0, 0, 3)
LANES(tiles_any, ACTIVE, STRIDE, 0, 0, 0, ACTIONS)
LANES(traced_2, 8, 2, 1, 0, 0, 2)
LANES(traced_3, 8, 4, 1, 0, 0, 3)
LANES(traced_any, ACTIVE, STRIDE, 1, 0, 0, ACTIONS)
LANES(online_2, 8, 2, 1, 0, 1, 2)
LANES(online_3, 8, 4, 1, 0, 1, 3)
LANES(online_any, ACTIVE, STRIDE, 1, 0, 1, ACTIONS)

static ctw_agent__run_lanes choose_shape(const ctw_agent *a)
{
    int64_t n = a->o.actions;
    int online = a->o.algo == CTW_AGENT_ONLINE;
    if (a->o.form == CTW_AGENT_TABULAR) return a->lazy ? NULL : n == 4 ? table_4 : table_any;
    if (!a->features || a->features->form != CTW_FEATURES_TILES) return NULL;
    int known = a->features->tilings == 8 ? n == 2 ? 0 : n == 3 ? 1 : 2 : 2;
    static const ctw_agent__run_lanes table[3][3] = {
        {tiles_2, tiles_3, tiles_any}, {traced_2, traced_3, traced_any}, {online_2, online_3, online_any}};
    return table[online ? 2 : a->lazy ? 1 : 0][known];
}

ctw_agent__run_lanes ctw_agent__run_fast(ctw_agent__loop *r)
{
    ctw_agent *a = r->a;
    if (!r->learn || r->allowed || a->tables != 1) return NULL;
    ctw_agent__run_lanes lanes = choose_shape(a);
    for (size_t i = 0; lanes && i < r->env->lanes; i++) {
        ctw_agent__point *points[] = {&r->walk[i].cur, &r->walk[i].nxt, &r->walk[i].tmp};
        for (size_t j = 0; j < 3; j++) {
            points[j]->n = a->max_active;
            points[j]->unit = 1;
            points[j]->norm2 = (double)a->max_active;
        }
    }
    return lanes;
}
