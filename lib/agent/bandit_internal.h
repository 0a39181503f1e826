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
    double width, ridge, epsilon, discount, forget_at;
    double *theta;                  /* arms rows of dims */
    double *a, *p;                  /* arms matrices of dims * dims: A and its inverse */
    double *age;                    /* arms: discount^-(rounds since the arm's matrix was brought up to date) */
    double *sum, *n;                /* arms: rewards and their (discounted) number */
    uint64_t *updates;              /* arms */
    double variance, weight, cusum; /* of the residuals */
    uint64_t rounds, total, alarms;
    ctw_num__rng rng;
};

ctw_status ctw_bandit__make(ctw_ctx *ctx, const ctw_params *params, const char *fn, ctw_bandit **out);
/* bandit_model.c */
double ctw_bandit__mean(const ctw_bandit *b, size_t arm, const double *x);
double ctw_bandit__width2(const ctw_bandit *b, size_t arm, const double *x); /* x' P x, aged */
void ctw_bandit__learn(ctw_bandit *b, size_t arm, const double *x, double reward);
/* A and P of an arm as before any reward. */
void ctw_bandit__clear(ctw_bandit *b, size_t arm);
/* P = A^-1 by Cholesky; 0 when A is not positive definite. */
int ctw_bandit__invert(ctw_bandit *b, size_t arm);

#endif
