/* run_table.c: the run loop's step for tables without traces: Q-learning and Sarsa with an epsilon-greedy policy. The
 * same arithmetic in the same order as ctw_agent__run_after, but everything that does not change from lane to lane
 * stands in registers, a lane's state is one number, and what is not plain is handed over with the walk put in order
 * first. */
#include "agent/kernel.h"
#include "agent/run_internal.h"

/* What lanes share and a step changes: taken out of the agent, put back before anything else looks at it. */
typedef struct hot {
    uint64_t greedy_left;  /* steps that surely do not explore */
    uint64_t healthy_left; /* steps until the weights are checked */
    uint64_t steps;
    double alpha;
} hot;

CTW_HOT hot take(const ctw_agent *a)
{
    uint64_t e = a->explore_in;
    return (hot){.greedy_left = a->epsilon_now <= 0.0 ? UINT64_MAX
                                : e == UINT64_MAX     ? 0
                                                      : e,
                 .healthy_left = a->since_good < a->good_period ? a->good_period - a->since_good : 1,
                 .alpha = a->alpha_now};
}

CTW_HOT void give(ctw_agent *a, const hot *h)
{
    if (a->epsilon_now > 0.0 && a->explore_in != UINT64_MAX) a->explore_in = h->greedy_left;
    a->since_good = a->good_period - h->healthy_left;
    a->steps += h->steps;
}

/* The walk of lane i as the general path wants it. */
static void put_walk(ctw_agent__loop *r, size_t i)
{
    ctw_agent__walk *k = &r->walk[i];
    k->cur.idx[0] = r->cell[i];
    k->cur.n = k->nxt.n = k->tmp.n = 1;
    k->cur.unit = k->nxt.unit = k->tmp.unit = 1;
    k->cur.norm2 = k->nxt.norm2 = k->tmp.norm2 = 1.0;
    k->action = r->action[i];
    k->open = 1;
}

static ctw_status general(ctw_agent__loop *r, size_t i)
{
    put_walk(r, i);
    CTW_TRY(ctw_agent__run_after(r, i));
    if (r->done < r->goal) r->cell[i] = r->walk[i].cur.idx[0];
    return CTW_OK;
}

/* The weights went wrong in lane i's step into cell `to`: rolled back, counted, and decided anew there. */
static ctw_status anew(ctw_agent__loop *r, size_t i, uint32_t to)
{
    put_walk(r, i);
    r->walk[i].tmp.idx[0] = to;
    r->cell[i] = to;
    return ctw_agent__run_decide(r, i);
}

/* Explores, or draws when to explore next: the action, and with *next its value. */
static int64_t choose(ctw_agent *a, hot *h, const double *row, double *next)
{
    double q[CTW_AGENT_MAX_ACTIONS];
    uint8_t greedy;
    for (size_t k = 0; k < (size_t)a->o.actions; k++) q[k] = a->o.initial + row[k];
    give(a, h);
    int64_t plan = ctw_agent__choose(a, q, NULL, &greedy);
    *h = take(a);
    *next = q[plan];
    return plan;
}

/* First best action of a row, and its value. */
CTW_HOT int64_t best_of_row(const double *row, size_t actions, double initial, double *top)
{
    if (actions == 4) {
        const double q[4] = {initial + row[0], initial + row[1], initial + row[2], initial + row[3]};
        return ctw_agent__best_of(q, 4, top);
    }
    double best = initial + row[0];
    int64_t at = 0;
    for (size_t k = 1; k < actions; k++) {
        double v = initial + row[k];
        at = v > best ? (int64_t)k : at;
        best = v > best ? v : best;
    }
    *top = best;
    return at;
}

/* Lane i in the general way; *h is taken out again after it. */
static ctw_status aside(ctw_agent__loop *r, size_t i, hot *h)
{
    give(r->a, h);
    CTW_TRY(general(r, i));
    *h = take(r->a);
    return CTW_OK;
}

/* Rolled back in lane i, on its way into cell `to`. */
static ctw_status diverged(ctw_agent__loop *r, size_t i, uint32_t to, hot *h, double delta)
{
    give(r->a, h);
    (void)ctw_agent__diverged(r->a, "temporal difference", delta);
    CTW_TRY(anew(r, i, to));
    *h = take(r->a);
    return CTW_OK;
}

/* The check of all weights that is due; *again: they were rolled back, and the lane has decided anew. */
static ctw_status check(ctw_agent__loop *r, size_t i, uint32_t to, hot *h, int *again)
{
    give(r->a, h);
    *again = ctw_agent__maintain(r->a) != CTW_OK;
    if (*again) CTW_TRY(anew(r, i, to));
    *h = take(r->a);
    return CTW_OK;
}

CTW_HOT ctw_status lanes(ctw_agent__loop *r, size_t stride, size_t actions, int sarsa)
{
    ctw_agent *a = r->a;
    double *w = a->w, *sum = r->sum;
    const double *obs = r->obs, *rewards = r->reward;
    const double limit = a->o.value_limit, gamma = a->o.gamma, states = (double)a->o.states, initial = a->o.initial;
    const uint64_t last = r->max_steps - 1;
    const int32_t *state = r->state;
    uint64_t *count = r->count;
    int64_t *action = r->action;
    uint32_t *cell = r->cell;
    hot h = take(a);
    for (size_t i = 0, n = r->env->lanes; i < n; i++) {
        double x = obs[i], reward = rewards[i], next;
        uint32_t to = (uint32_t)(int32_t)(x >= 0.0 && x < states ? x : 0.0);
        if (__builtin_expect((state[i] != CTW_ENV_RUNNING) | (count[i] == last) | !(__builtin_fabs(reward) <= limit) |
                                 ((double)(int32_t)to != x),
                             0)) {
            CTW_TRY(aside(r, i, &h));
            if (r->done == r->goal) break;
            continue;
        }
        sum[i] += reward;
        count[i]++;
        const double *row = w + to * stride;
        int64_t plan = best_of_row(row, actions, initial, &next);
        if (__builtin_expect(h.greedy_left > 0, 1))
            h.greedy_left--;
        else {
            double taken;
            plan = choose(a, &h, row, &taken);
            if (sarsa) next = taken;
        }
        double *at = w + cell[i] * stride + action[i], delta = reward + gamma * next - (initial + *at);
        h.steps++;
        if (__builtin_expect(!(__builtin_fabs(delta) <= limit), 0)) {
            CTW_TRY(diverged(r, i, to, &h, delta));
            continue;
        }
        *at += h.alpha * delta;
        if (__builtin_expect(--h.healthy_left == 0, 0)) {
            int again;
            CTW_TRY(check(r, i, to, &h, &again));
            if (again) continue;
        }
        cell[i] = to;
        action[i] = plan;
    }
    give(a, &h);
    return CTW_OK;
}

static ctw_status q_4(ctw_agent__loop *r)
{
    return lanes(r, 4, 4, 0);
}

static ctw_status q_any(ctw_agent__loop *r)
{
    return lanes(r, r->a->stride, (size_t)r->a->o.actions, 0);
}

static ctw_status sarsa_any(ctw_agent__loop *r)
{
    return lanes(r, r->a->stride, (size_t)r->a->o.actions, 1);
}

ctw_agent__run_lanes ctw_agent__run_table(ctw_agent__loop *r)
{
    const ctw_agent *a = r->a;
    if (!a->fast_choice || a->lazy || (a->o.algo != CTW_AGENT_Q && a->o.algo != CTW_AGENT_SARSA)) return NULL;
    if (a->o.algo == CTW_AGENT_SARSA) return sarsa_any;
    return a->o.actions == 4 ? q_4 : q_any;
}

void ctw_agent__run_table_begin(ctw_agent__loop *r)
{
    for (size_t i = 0; i < r->env->lanes; i++) r->cell[i] = r->walk[i].cur.idx[0];
}
