/* bandit_internal.h: the state of a contextual bandit. */
#ifndef CTW_BANDIT_INTERNAL_H
#define CTW_BANDIT_INTERNAL_H

#include "base/handle.h"
#include "num/rng.h"
#include <cybertwin/bandit.h>

#define CTW_BANDIT_MAGIC    CTW_FOUR('B', 'N', 'D', 'T')
#define CTW_BANDIT_MAX_ARMS 256
#define CTW_BANDIT_MAX_DIMS 64
#define CTW_BANDIT_LIMIT    1e6

enum { CTW_BANDIT_LINUCB = 0, CTW_BANDIT_THOMPSON, CTW_BANDIT_EPSILON, CTW_BANDIT_UCB1 };

struct ctw_bandit {
    ctw_base__handle h;
    ctw_params *params;
    int policy;
    size_t arms, dims;
    size_t traits, models, d; /* traits 0: a model of d = dims weights an arm; else one of d = dims * traits for all */
    double *trait;            /* arms rows of traits */
    double width, ridge, epsilon, discount, forget_at;
    double *theta;                  /* models rows of d */
    double *a, *p;                  /* models matrices of d * d: A and its inverse */
    double *age;                    /* models: discount^-(rounds since the model's matrix was brought up to date) */
    double *sum, *n;                /* arms: rewards and their (discounted) number */
    uint64_t *updates;              /* models */
    double variance, weight, cusum; /* of the residuals */
    uint64_t rounds, total, alarms;
    ctw_num__rng rng;
};

ctw_status ctw_bandit__make(ctw_ctx *ctx, const ctw_params *params, const char *fn, ctw_bandit **out);
/* Memory for the models; what was there is freed, all is as before any reward. */
ctw_status ctw_bandit__memory(ctw_bandit *b);
/* bandit_arms.c: one model for all arms. A context seen through it: t' M x and the widths of all pairs of traits. */
typedef struct ctw_bandit__view {
    const double *x;
    double mean[CTW_BANDIT_MAX_DIMS], pair[CTW_BANDIT_MAX_DIMS * CTW_BANDIT_MAX_DIMS];
} ctw_bandit__view;
ctw_status ctw_bandit__set_arms(ctw_bandit *b, const double *trait, uint64_t traits, const char *fn);
void ctw_bandit__look(const ctw_bandit *b, const double *x, ctw_bandit__view *v);
/* x as the model of `arm` sees it: x itself, or x times the arm's traits in buf. */
const double *ctw_bandit__input(const ctw_bandit *b, size_t arm, const double *x, double *buf);
/* Mean and squared width (NULL: not wanted) of an arm in a view. */
double ctw_bandit__seen(const ctw_bandit *b, size_t arm, const ctw_bandit__view *v, double *width2);
/* bandit_model.c; model 0 and ctw_bandit__input's vector when arms share one */
double ctw_bandit__mean(const ctw_bandit *b, size_t model, const double *u);
double ctw_bandit__width2(const ctw_bandit *b, size_t model, const double *u); /* u' P u, aged */
/* The same of a squared width and length already known. */
double ctw_bandit__aged(const ctw_bandit *b, size_t model, double width2, double length2);
void ctw_bandit__learn(ctw_bandit *b, size_t arm, const double *x, double reward);
/* A and P of a model as before any reward. */
void ctw_bandit__clear(ctw_bandit *b, size_t model);
/* P = A^-1 by Cholesky; 0 when A is not positive definite. */
int ctw_bandit__invert(ctw_bandit *b, size_t model);

#endif
