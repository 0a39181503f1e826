/* policy_batch.c: steps kept until there are enough for an update, their advantages, and the update as one transaction:
 * whatever goes wrong inside, weights and optimiser are as before, or rolled back. */
#include "agent/policy_internal.h"
#include "num/stats.h"
#include <math.h>
#include <string.h>

/* One of a batch's arrays: where its pointer is, elements a row, bytes an element. */
typedef struct block {
    void *at;
    size_t per, size;
} block;

/* Memory comes as the batch fills, not for what an option promises: a file may promise anything. */
ctw_status ctw_policy__rolls_reserve(ctw_ctx *ctx, ctw_policy__rolls *r, size_t rows)
{
    const block blocks[] = {{&r->idx, r->active, 4},
                            {&r->val, r->active, 8},
                            {&r->count, 1, 4},
                            {&r->unit, 1, 1},
                            {&r->end, 1, 1},
                            {&r->allowed, r->gaussian ? 0 : r->k, 1},
                            {&r->norm2, 1, 8},
                            {&r->action, 1, 8},
                            {&r->u, r->gaussian ? r->k : 0, 8},
                            {&r->logp, 1, 8},
                            {&r->v, 1, 8},
                            {&r->v_next, 1, 8},
                            {&r->reward, 1, 8},
                            {&r->lane, 1, 4},
                            {&r->adv, 1, 8},
                            {&r->target, 1, 8},
                            {&r->order, 1, sizeof(size_t)}};
    if (rows <= r->room) return CTW_OK;
    size_t room = 2 * r->room > rows ? 2 * r->room : rows;
    room = room < 64 ? 64 : room;
    room = room < r->cap ? room : r->cap;
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        void *was, *now;
        memcpy(&was, blocks[i].at, sizeof was);
        now = ctw_base__realloc(ctx, was, blocks[i].per ? room * blocks[i].per : 1, blocks[i].size);
        if (!now) return CTW_E_NOMEM; /* some arrays are longer than room says, which does no harm */
        memcpy(blocks[i].at, &now, sizeof now);
    }
    r->room = room;
    return CTW_OK;
}

void ctw_policy__rolls_free(ctw_ctx *ctx, ctw_policy__rolls *r)
{
    void *blocks[] = {r->idx,  r->val, r->count,  r->unit,   r->end,  r->allowed, r->norm2,  r->action, r->u,
                      r->logp, r->v,   r->v_next, r->reward, r->lane, r->adv,     r->target, r->order};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) ctw_base__free(ctx, blocks[i]);
    *r = (ctw_policy__rolls){0};
}

void ctw_policy__rolls_point(const ctw_policy__rolls *r, size_t i, ctw_agent__point *x)
{
    *x = (ctw_agent__point){r->idx + i * r->active, r->val + i * r->active, r->count[i], r->unit[i], r->norm2[i]};
}

void ctw_policy__record(ctw_policy *p, ctw_policy__rolls *r, const ctw_policy__walk *k, double reward,
                        const ctw_agent__point *next, int end, uint32_t lane)
{
    size_t i = r->n++;
    const ctw_agent__point *x = &k->cur;
    memcpy(r->idx + i * r->active, x->idx, x->n * sizeof *x->idx);
    if (!x->unit) memcpy(r->val + i * r->active, x->val, x->n * sizeof *x->val);
    r->count[i] = (uint32_t)x->n;
    r->unit[i] = (uint8_t)x->unit;
    r->norm2[i] = x->norm2;
    r->action[i] = k->deed.action;
    if (r->gaussian)
        memcpy(r->u + i * r->k, k->deed.u, r->k * sizeof *r->u);
    else
        memcpy(r->allowed + i * r->k, k->deed.allowed, r->k);
    r->logp[i] = k->deed.logp;
    r->v[i] = ctw_policy__critic(p, x);
    r->v_next[i] = next ? ctw_policy__critic(p, next) : 0.0;
    r->reward[i] = reward;
    r->end[i] = (uint8_t)end;
    r->lane[i] = lane;
}

void ctw_policy__cut(ctw_policy__rolls *r, uint32_t lane)
{
    for (size_t i = r->n; i-- > 0;)
        if (r->lane[i] == lane) {
            if (r->end[i] == CTW_POLICY_RUNNING) r->end[i] = CTW_POLICY_CUT;
            return;
        }
}

/* GAE(lambda): adv_t = delta_t + gamma lambda adv_{t+1} within an episode of a lane; the critic's targets are adv + v.
 * Returns the mean of delta. */
static double advantages(const ctw_policy *p, ctw_policy__rolls *r)
{
    double carry[CTW_POLICY_MAX_LANES] = {0}, sum = 0.0;
    for (size_t i = r->n; i-- > 0;) {
        double *next = &carry[r->lane[i]];
        double delta = r->reward[i] - p->mean_reward + p->o.gamma * r->v_next[i] - r->v[i];
        *next = delta + (r->end[i] ? 0.0 : p->o.gamma * p->o.lambda * *next);
        r->adv[i] = *next;
        r->target[i] = *next + r->v[i];
        sum += delta;
    }
    return sum / (double)r->n;
}

static void standardise(ctw_policy__rolls *r)
{
    double mean = ctw_num__mean(r->adv, r->n), sd = sqrt(ctw_num__variance(r->adv, r->n));
    for (size_t i = 0; i < r->n; i++) r->adv[i] = (r->adv[i] - mean) / (sd > 1e-8 ? sd : 1.0);
}

/* What an update may change besides weights, kept to go back to when it is stopped. */
typedef struct kept {
    double *m1, *m2;
    ctw_num__rng rng;
    uint64_t adam_steps;
} kept;

static ctw_status keep(ctw_policy *p, const ctw_cancel *cancel, kept *k)
{
    *k = (kept){.rng = p->rng, .adam_steps = p->adam_steps};
    if (!p->m1 || !cancel) return CTW_OK;
    k->m1 = ctw_base__dup(p->h.ctx, p->m1, p->n_all, sizeof *p->m1);
    k->m2 = ctw_base__dup(p->h.ctx, p->m2, p->n_all, sizeof *p->m2);
    return k->m1 && k->m2 ? CTW_OK : CTW_E_NOMEM;
}

static void go_back(ctw_policy *p, const kept *k)
{
    memcpy(p->w, p->good, p->n_all * sizeof *p->w);
    if (k->m1) memcpy(p->m1, k->m1, p->n_all * sizeof *p->m1);
    if (k->m2) memcpy(p->m2, k->m2, p->n_all * sizeof *p->m2);
    p->rng = k->rng;
    p->adam_steps = k->adam_steps;
}

static ctw_status learn(ctw_policy *p, ctw_policy__rolls *r, ctw_cancel *cancel, const char *fn)
{
    int natural = p->o.algo == CTW_POLICY_NATURAL_BATCH;
    if (natural) CTW_TRY(ctw_policy__natural(p, r, cancel, fn));
    return ctw_policy__passes(p, r, !natural, cancel, fn);
}

ctw_status ctw_policy__update(ctw_policy *p, ctw_policy__rolls *r, ctw_cancel *cancel, const char *fn)
{
    kept k;
    ctw_status s = keep(p, cancel, &k);
    if (s == CTW_OK) {
        double surplus = advantages(p, r);
        if (p->o.standardise) standardise(r);
        s = learn(p, r, cancel, fn);
        if (s == CTW_OK) {
            p->mean_reward += p->o.average * surplus;
            p->updates++;
            s = ctw_policy__check_weights(p);
            r->n = 0;
        } else
            go_back(p, &k);
    }
    ctw_base__free(p->h.ctx, k.m1);
    ctw_base__free(p->h.ctx, k.m2);
    return s;
}
