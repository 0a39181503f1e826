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

/* What is known before a lane is looked at; constants where the shape has them. */
typedef struct known {
    ctw_agent__shape h;
    int tabular, algo;
    size_t actions;
} known;

/* One lane; *alpha is computed anew where the general path may have changed it. */
CTW_HOT ctw_status lane(ctw_agent__loop *r, size_t i, known c, double *alpha)
{
    ctw_agent *a = r->a;
    ctw_agent__walk *k = &r->walk[i];
    double reward = r->reward[i];
    int64_t plan;
    uint8_t greedy;
    if (r->state[i] != CTW_ENV_RUNNING || r->count[i] + 1 == r->max_steps ||
        !(__builtin_fabs(reward) <= a->o.value_limit) ||
        !encode(a, r->obs + i * r->env->dims, &k->nxt, c.tabular, c.h.active)) {
        CTW_TRY(ctw_agent__run_after(r, i));
        *alpha = ctw_agent__step_size(a, &k->cur);
        return CTW_OK;
    }
    r->sum[i] += reward;
    r->count[i]++;
    double next = ctw_agent__look_ahead(a, &k->nxt, c.h, c.actions, c.algo, &plan, &greedy);
    ctw_status s = c.algo == CTW_AGENT_ONLINE ? ctw_agent__online_step(a, k, c.h, *alpha, reward, next)
                                              : ctw_agent__td_step(a, k, c.h, *alpha, reward, next);
    a->steps++;
    if (__builtin_expect(s == CTW_OK, 1)) {
        ctw_agent__decay(a, c.h, c.algo == CTW_AGENT_Q && !greedy);
        s = ctw_agent__guard(a);
    }
    if (__builtin_expect(s != CTW_OK, 0)) { /* rolled back: decide anew in that state */
        swap_idx(&k->nxt, &k->tmp);
        *alpha = ctw_agent__step_size(a, &k->cur);
        return ctw_agent__run_decide(r, i);
    }
    swap_idx(&k->cur, &k->nxt);
    r->action[i] = k->action = plan;
    k->q_old = next;
    k->greedy = greedy;
    return CTW_OK;
}

#define LANES(name, active, stride, lazy, tabular, algo, actions)                                       \
    static ctw_status name(ctw_agent__loop *r)                                                          \
    {                                                                                                   \
        const known c = {{(active), (stride), 1, (lazy)}, (tabular), (algo), (actions)};                \
        double alpha = ctw_agent__step_size(r->a, &r->walk[0].cur);                                     \
        for (size_t i = 0; i < r->env->lanes && r->done < r->goal; i++) CTW_TRY(lane(r, i, c, &alpha)); \
        return CTW_OK;                                                                                  \
    }

#define ACTIVE  (r->a->features->tilings)
#define STRIDE  (r->a->stride)
#define ACTIONS ((size_t)r->a->o.actions)

#define ALGO (r->a->o.algo)

/* Tables without traces, and eight tilings: the shapes whose speed matters most; then any number of tilings. */
LANES(table_any, 1, STRIDE, 0, 1, ALGO, ACTIONS)
LANES(tiles_2, 8, 2, 0, 0, ALGO, 2)
LANES(tiles_3, 8, 4, 0, 0, ALGO, 3)
LANES(tiles_any, ACTIVE, STRIDE, 0, 0, ALGO, ACTIONS)
LANES(traced_2, 8, 2, 1, 0, ALGO, 2)
LANES(traced_3, 8, 4, 1, 0, ALGO, 3)
LANES(traced_any, ACTIVE, STRIDE, 1, 0, ALGO, ACTIONS)
LANES(online_2, 8, 2, 1, 0, CTW_AGENT_ONLINE, 2)
LANES(online_3, 8, 4, 1, 0, CTW_AGENT_ONLINE, 3)
LANES(online_any, ACTIVE, STRIDE, 1, 0, CTW_AGENT_ONLINE, ACTIONS)

static ctw_agent__run_lanes choose_shape(const ctw_agent *a)
{
    int64_t n = a->o.actions;
    int online = a->o.algo == CTW_AGENT_ONLINE;
    if (a->o.form == CTW_AGENT_TABULAR) return a->lazy ? NULL : table_any;
    if (!a->features || a->features->form != CTW_FEATURES_TILES || a->features->ranked > 0) return NULL;
    int width = a->features->tilings == 8 ? n == 2 ? 0 : n == 3 ? 1 : 2 : 2;
    static const ctw_agent__run_lanes table[3][3] = {
        {tiles_2, tiles_3, tiles_any}, {traced_2, traced_3, traced_any}, {online_2, online_3, online_any}};
    return table[online ? 2 : a->lazy ? 1 : 0][width];
}

ctw_agent__run_lanes ctw_agent__run_fast(ctw_agent__loop *r)
{
    ctw_agent *a = r->a;
    if (!r->learn || r->allowed || a->tables != 1 || a->o.steps > 1 || a->o.average > 0.0) return NULL;
    ctw_agent__run_lanes lanes = a->o.form == CTW_AGENT_TABULAR ? ctw_agent__run_table(r) : NULL;
    if (lanes) return lanes;
    lanes = choose_shape(a);
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
