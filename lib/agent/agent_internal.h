/* agent_internal.h: the agent's state and the calls its files share. A weight row holds one feature's weights for
 * all actions side by side (padded to `stride`), so that one pass over the active features yields every action's value.
 *
 * Traces are lazy: with eligibility e = scale * E and running sum C, the true weight is w + C * E. Decaying all
 * traces is then one multiplication, crediting all of them one addition, and only the active features are touched: the
 * cost of a step does not depend on lambda. `flush` brings the pair back to C = 0, scale = 1 before scale underflows
 * (Cichosz 1995 and Wiering and Schmidhuber 1998 use the same idea for Q(lambda)). */
#ifndef CTW_AGENT_INTERNAL_H
#define CTW_AGENT_INTERNAL_H

#include "agent/features_internal.h"
#include "base/handle.h"
#include "num/rng.h"
#include <cybertwin/agent.h>

#define CTW_AGENT_MAGIC       CTW_FOUR('A', 'G', 'N', 'T')
#define CTW_AGENT_MAX_ACTIONS 256
#define CTW_AGENT_MAX_INPUT   1e6
#define CTW_AGENT_SCALE_FLOOR 1e-6 /* below it the lazy pair of a trace is made plain again */

enum { CTW_AGENT_TABULAR = 0, CTW_AGENT_LINEAR = 1 };
enum { CTW_AGENT_Q = 0, CTW_AGENT_SARSA, CTW_AGENT_EXPECTED, CTW_AGENT_DOUBLE, CTW_AGENT_ONLINE, CTW_AGENT_TREE };
enum { CTW_AGENT_REPLACING = 0, CTW_AGENT_ACCUMULATING = 1 };
enum { CTW_AGENT_EPSILON = 0, CTW_AGENT_SOFTMAX = 1 };
enum { CTW_AGENT_FIRST = 0, CTW_AGENT_RANDOM = 1 };

typedef struct ctw_agent__options {
    int form, algo, traces, policy, ties, normalise;
    int64_t states, features, actions, steps, stream;
    double alpha, alpha_decay, gamma, lambda, average, epsilon, epsilon_min, epsilon_decay, temperature, initial,
        value_limit;
} ctw_agent__options;

/* A state as sparse features. unit: all values are 1 and val is not read. */
typedef struct ctw_agent__point {
    uint32_t *idx;
    double *val;
    size_t n;
    int unit;
    double norm2;
} ctw_agent__point;

typedef struct ctw_agent__back ctw_agent__back; /* nstep.h */

/* The state of the walk of one lane of experience. */
typedef struct ctw_agent__walk {
    ctw_agent__point cur, nxt, tmp; /* tmp: read first, swapped in when the call cannot fail any more */
    int64_t action, planned;
    double q_old;          /* true-online: value of the planned pair before the update */
    uint8_t open;          /* an action is waiting for its reward */
    uint8_t has_plan;      /* `planned` was chosen for state nxt */
    uint8_t greedy;        /* the open action was the best one (Watkins' cut) */
    ctw_agent__back *back; /* n-step: what waits for its return; NULL otherwise */
} ctw_agent__walk;

struct ctw_agent {
    ctw_base__handle h;
    ctw_params *params;
    ctw_agent__options o;
    ctw_features *features;
    size_t dims;   /* length of phi */
    size_t rows;   /* weight rows of one table */
    size_t tables; /* 2 for double Q */
    size_t stride; /* actions, padded */
    size_t block;  /* doubles a row: stride, or 2 * stride with traces */
    size_t max_active;
    double *w;
    double *good;    /* last healthy checkpoint, rows * tables * stride */
    int lazy;        /* traces in use */
    int fast_choice; /* epsilon-greedy that takes the first of ties */
    double c, scale;
    uint32_t *dirty; /* rows with a trace */
    size_t n_dirty;
    uint8_t *is_dirty;
    ctw_agent__walk walk;
    double alpha_now, epsilon_now, alpha_factor; /* factor: halved by each rollback */
    double mean_reward;                          /* with option average */
    double log_keep;                             /* log(1 - epsilon_now) */
    uint64_t explore_in;                         /* steps until the next random action; UINT64_MAX: not drawn */
    uint64_t since_good;                         /* learning steps since the checkpoint */
    uint64_t good_period;                        /* ... and after how many the next is due */
    uint64_t episodes, steps, rollbacks, overrides, explored;
    ctw_num__rng rng;
    void *memory; /* backing of the walk's points */
};

static inline void ctw_agent__swap(ctw_agent__point *x, ctw_agent__point *y)
{
    ctw_agent__point t = *x;
    *x = *y;
    *y = t;
}

/* agent.c: weights in the public order, checked; traces cleared, checkpoint taken. */
ctw_status ctw_agent__put_weights(ctw_agent *a, const double *w, uint64_t n, const char *fn);

/* agent_new.c */
void ctw_agent__read_options(const ctw_params *p, ctw_agent__options *o);
ctw_status ctw_agent__make(ctw_ctx *ctx, const ctw_params *params, const char *fn, ctw_agent **out);
ctw_status ctw_agent__attach(ctw_agent *a, ctw_features *f, const char *fn);
ctw_status ctw_agent__points_new(ctw_ctx *ctx, size_t max_active, size_t count, ctw_agent__point *const *points,
                                 void **memory);

/* point.c: phi into a point, checked; q(s, .) of a point. */
ctw_status ctw_agent__point_read(const ctw_agent *a, const double *phi, uint64_t n, ctw_agent__point *p,
                                 const char *fn);
int ctw_agent__point_same(const ctw_agent__point *x, const ctw_agent__point *y);
void ctw_agent__point_copy(ctw_agent__point *to, const ctw_agent__point *from);
void ctw_agent__q(const ctw_agent *a, const ctw_agent__point *p, double *q);

/* choose.c */
ctw_status ctw_agent__mask_check(const ctw_agent *a, const uint8_t *allowed, const char *fn);
int64_t ctw_agent__best(const double *q, size_t n, const uint8_t *allowed);
/* The behaviour policy; *greedy tells whether the choice is a best one. */
int64_t ctw_agent__choose(ctw_agent *a, const double *q, const uint8_t *allowed, uint8_t *greedy);
/* Expected value of q under the behaviour policy. */
double ctw_agent__policy_value(const ctw_agent *a, const double *q, const uint8_t *allowed);
/* Probability of an action under it. */
double ctw_agent__policy_probability(const ctw_agent *a, const double *q, const uint8_t *allowed, int64_t action);
void ctw_agent__next_episode(ctw_agent *a);

/* update.c */
/* One learning step of the open action of walk k: reward, then nxt (already read, unless terminal). Chooses the
 * planned action. CTW_E_NOCONV after a rollback. */
ctw_status ctw_agent__step(ctw_agent *a, ctw_agent__walk *k, double reward, const uint8_t *allowed, int terminal);
/* Cuts the episode of walk k off: what waits is learnt, traces cleared, schedules advanced. CTW_E_NOCONV. */
ctw_status ctw_agent__end_episode(ctw_agent *a, ctw_agent__walk *k);
void ctw_agent__flush(ctw_agent *a, int drop);
void ctw_agent__rollback(ctw_agent *a);
void ctw_agent__checkpoint(ctw_agent *a);
/* Rolls back; CTW_E_NOCONV. */
ctw_status ctw_agent__diverged(ctw_agent *a, const char *what, double value);
/* All weights within the limit: the new checkpoint; else diverged. */
ctw_status ctw_agent__maintain(ctw_agent *a);
/* One Q-learning step without a walk, for logged transitions; next NULL: terminal. */
ctw_status ctw_agent__offline(ctw_agent *a, const ctw_agent__point *p, int64_t action, double reward,
                              const ctw_agent__point *next);

/* Value of one pair. */
double ctw_agent__pair(const ctw_agent *a, const ctw_agent__point *p, int64_t action);

#endif
