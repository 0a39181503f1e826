/* policy_internal.h: a policy's state and the calls its files share.
 *
 * All weights lie in one vector, [theta | log sd | critic]: theta holds for each feature the k outputs (an action's
 * logit or a real action's mean) side by side, the critic one weight a feature. So checkpoints, optimiser memory and
 * search directions are vectors of one shape. The gradient of anything with respect to theta at one state is an outer
 * product c phi', c one number an output: the files below pass such c around, with e, the gradient by log sd. */
#ifndef CTW_AGENT_POLICY_INTERNAL_H
#define CTW_AGENT_POLICY_INTERNAL_H

#include "agent/agent_internal.h"
#include <cybertwin/policy.h>

#define CTW_POLICY_MAGIC     CTW_FOUR('P', 'L', 'C', 'Y')
#define CTW_POLICY_MAX_REAL  64
#define CTW_POLICY_MAX_LANES 1024

enum { CTW_POLICY_SOFTMAX = 0, CTW_POLICY_GAUSSIAN = 1 };
enum { CTW_POLICY_AC = 0, CTW_POLICY_NATURAL, CTW_POLICY_NATURAL_BATCH, CTW_POLICY_PPO };
enum { CTW_POLICY_RUNNING = 0, CTW_POLICY_TERMINAL = 1, CTW_POLICY_CUT = 2 };

typedef struct ctw_policy__options {
    int form, head, algo, normalise, standardise, sgd;
    int64_t states, features, actions, real_dims, batch, epochs, minibatch, solve_rounds, stream;
    double alpha, alpha_critic, alpha_decay, gamma, lambda, average, entropy, clip, kl, ridge, sd, sd_min, sd_max,
        value_limit;
} ctw_policy__options;

/* The distribution of actions at one state. */
typedef struct ctw_policy__dist {
    size_t k;
    int gaussian;
    double z[CTW_AGENT_MAX_ACTIONS]; /* logits or means */
    double p[CTW_AGENT_MAX_ACTIONS]; /* probabilities or standard deviations */
} ctw_policy__dist;

/* What was done: one of the two, as the policy's head is. */
typedef struct ctw_policy__deed {
    int64_t action;
    double u[CTW_POLICY_MAX_REAL];
    double logp;
    uint8_t allowed[CTW_AGENT_MAX_ACTIONS]; /* all 1 without a mask */
} ctw_policy__deed;

/* One lane of experience. */
typedef struct ctw_policy__walk {
    ctw_agent__point cur, tmp; /* tmp: read first, swapped in when the call cannot fail any more */
    ctw_policy__deed deed;
    uint8_t open;
} ctw_policy__walk;

/* Steps that wait for an update, in the order lived. */
typedef struct ctw_policy__rolls {
    size_t cap, room, n, active, k; /* at most cap steps; memory for room of them */
    int gaussian;
    uint32_t *idx, *count;
    uint8_t *unit, *end, *allowed;
    double *val, *norm2;
    int64_t *action;
    double *u, *logp, *v, *v_next, *reward;
    uint32_t *lane;
    double *adv, *target; /* filled by the update */
    size_t *order;        /* of a pass */
} ctw_policy__rolls;

struct ctw_policy {
    ctw_base__handle h;
    ctw_params *params;
    ctw_policy__options o;
    ctw_features *features;
    size_t dims; /* length of phi */
    size_t rows; /* features */
    size_t k;    /* outputs of the actor */
    size_t n_theta, n_sd, n_all;
    size_t max_active;
    double *w, *good; /* weights; last healthy checkpoint */
    double *trace;    /* actor-critic with lambda > 0 */
    double *adv;      /* natural: weights of the compatible advantage */
    double *m1, *m2;  /* ppo with adam: moments */
    double *grad;     /* batch forms: the minibatch's gradient */
    double *work;     /* natural-batch: five vectors of the actor, so that an update needs no memory */
    uint32_t *dirty;  /* feature rows with a trace, or touched by the minibatch */
    uint8_t *is_dirty;
    size_t n_dirty;
    ctw_policy__rolls rolls;
    ctw_policy__walk walk;
    double factor, alpha_now, critic_now, mean_reward; /* factor: halved by each rollback */
    double kl, clipped, entropy;                       /* of the last batch */
    uint64_t episodes, steps, updates, rollbacks, since_good, adam_steps;
    ctw_num__rng rng;
    void *memory;
};

static inline size_t ctw_policy__critic_at(const ctw_policy *p)
{
    return p->n_theta + p->n_sd;
}

static inline int ctw_policy__is_batch(const ctw_policy *p)
{
    return p->o.algo >= CTW_POLICY_NATURAL_BATCH;
}

static inline double ctw_policy__feature(const ctw_agent__point *x, size_t i)
{
    return x->unit ? 1.0 : x->val[i];
}

/* policy_new.c */
void ctw_policy__read_options(const ctw_params *params, ctw_policy__options *o);
ctw_status ctw_policy__make(ctw_ctx *ctx, const ctw_params *params, const char *fn, ctw_policy **out);
ctw_status ctw_policy__attach(ctw_policy *p, ctw_features *f, const char *fn);
ctw_status ctw_policy__see(const ctw_policy *p, const double *phi, uint64_t n, ctw_agent__point *x, const char *fn);

/* policy.c: acts in the state that walk k's tmp holds, which becomes its current one. */
void ctw_policy__act(ctw_policy *p, ctw_policy__walk *k, const uint8_t *allowed, int explore);

/* policy_head.c: the distribution at a state, and gradients with respect to its outputs. */
void ctw_policy__at(const ctw_policy *p, const ctw_agent__point *x, const uint8_t *allowed, ctw_policy__dist *d);
double ctw_policy__logp(const ctw_policy__dist *d, int64_t action, const double *u);
/* c[k] (and e[k] of a gaussian): gradient of log pi(deed). */
void ctw_policy__score(const ctw_policy__dist *d, int64_t action, const double *u, double *c, double *e);
/* The entropy; adds amount times its gradient to c, e. */
double ctw_policy__entropy(const ctw_policy__dist *d, double amount, double *c, double *e);
void ctw_policy__draw(ctw_policy *p, const ctw_policy__dist *d, ctw_policy__deed *out);
/* The most probable deed. */
void ctw_policy__mode(const ctw_policy__dist *d, ctw_policy__deed *out);
double ctw_policy__critic(const ctw_policy *p, const ctw_agent__point *x);

/* policy_step.c: the forms that learn each step; next NULL after a terminal state. */
ctw_status ctw_policy__step(ctw_policy *p, ctw_policy__walk *k, double reward, const ctw_agent__point *next, int end);
/* Traces cleared, schedules advanced. */
void ctw_policy__next_episode(ctw_policy *p);
void ctw_policy__drop_traces(ctw_policy *p);
/* Advantage weights and the optimiser's memory back to 0. */
void ctw_policy__forget(ctw_policy *p);
/* All weights healthy: they become the checkpoint; else the last one is back and CTW_E_NOCONV. */
ctw_status ctw_policy__check_weights(ctw_policy *p);
ctw_status ctw_policy__diverged(ctw_policy *p, const char *what, double value);
void ctw_policy__set_steps(ctw_policy *p);
/* Standard deviations stay within their bounds. */
void ctw_policy__clamp_sd(ctw_policy *p);
/* The state's features into the list of dirty rows; a row of a vector cleared and off the list's marks. */
void ctw_policy__mark(ctw_policy *p, const ctw_agent__point *x);
void ctw_policy__clear_row(ctw_policy *p, double *at, uint32_t row);
/* to[theta part] += amount c phi', to[sd part] += amount e; to[critic part] += amount phi. */
void ctw_policy__add_actor(const ctw_policy *p, const ctw_agent__point *x, const double *c, const double *e,
                           double amount, double *to);
void ctw_policy__add_critic(const ctw_policy *p, const ctw_agent__point *x, double amount, double *to);

/* policy_batch.c */
/* Memory for at least so many steps (at most cap); on failure the steps there are stay. */
ctw_status ctw_policy__rolls_reserve(ctw_ctx *ctx, ctw_policy__rolls *r, size_t rows);
void ctw_policy__rolls_free(ctw_ctx *ctx, ctw_policy__rolls *r);
void ctw_policy__rolls_point(const ctw_policy__rolls *r, size_t i, ctw_agent__point *x);
/* Appends the walk's step, for which there must be memory. next NULL after a terminal state. */
void ctw_policy__record(ctw_policy *p, ctw_policy__rolls *r, const ctw_policy__walk *k, double reward,
                        const ctw_agent__point *next, int end, uint32_t lane);
/* The same of a step of r that is its last so far and was recorded as going on: its episode is cut there. */
void ctw_policy__cut(ctw_policy__rolls *r, uint32_t lane);
/* One update from r, which is empty afterwards unless it was stopped (or memory to go back ran out, which only a cancel
 * asks for); then nothing has changed. */
ctw_status ctw_policy__update(ctw_policy *p, ctw_policy__rolls *r, ctw_cancel *cancel, const char *fn);

/* policy_ppo.c: passes over minibatches: the clipped objective (actor 1) and the critic's squared error. */
ctw_status ctw_policy__passes(ctw_policy *p, ctw_policy__rolls *r, int actor, ctw_cancel *cancel, const char *fn);

/* policy_natural.c: one step along the batch's natural gradient. */
ctw_status ctw_policy__natural(ctw_policy *p, const ctw_policy__rolls *r, ctw_cancel *cancel, const char *fn);

#endif
