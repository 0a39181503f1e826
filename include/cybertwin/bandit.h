/**
 * @file bandit.h
 * A contextual bandit: one choice at a time, its reward, no states: page migration, batch sizes, routes.
 */
#ifndef CYBERTWIN_BANDIT_H
#define CYBERTWIN_BANDIT_H

#include <cybertwin/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * For each arm a ridge regression of the reward on the context x, r = theta_a . x, kept as theta_a and
 * P_a = A_a^-1 with A_a = ridge I + sum x x', both updated by Sherman and Morrison's formula. Options (kind
 * "bandit"): "policy" chooses by
 * - "linucb": theta_a . x + width sqrt(x' P_a x) (Li et al. 2010);
 * - "thompson": a draw from N(theta_a . x, width^2 x' P_a x) (Agrawal and Goyal 2013; the arms' models are
 *   disjoint, so drawing the value is drawing theta);
 * - "epsilon-greedy": the best mean, a random arm with probability epsilon;
 * - "ucb1": mean reward of the arm + width sqrt(ln t / n_a), the context ignored (Auer et al. 2002).
 * discount < 1 forgets: every round all A_a shrink towards ridge I by that factor (Russac et al. 2019). forget_at > 0
 * watches the squared residuals with a CUSUM and, on an alarm, sets all A_a back to ridge I around the present theta.
 *
 * Threads: one at a time (CTW_E_BUSY otherwise); values and get_report are const.
 */
typedef struct ctw_bandit ctw_bandit;

/** New bandit. CTW_E_ARG, CTW_E_NOMEM. */
CTW_API ctw_status ctw_bandit_new(ctw_ctx *ctx, const ctw_params *params, ctw_bandit **out);
/** One more owner; returns b. */
CTW_API ctw_bandit *ctw_bandit_ref(ctw_bandit *b);
/** One owner less; the last one frees it. */
CTW_API void ctw_bandit_unref(ctw_bandit *b);

/**
 * Describes each arm by `traits` numbers (rows of trait, one an arm, each within +-1e6; arms = option arms): from now
 * on one regression r = sum_k t_a[k] theta_k . x is shared by all arms (Li et al. 2010, the shared part of their hybrid
 * form), so every reward teaches about every arm and forgetting costs fewer rounds. dims * traits <= 64. Once, before
 * the first reward. A choice then costs O(dims^2 traits^2 + arms traits^2), weights are one row of traits * dims.
 * CTW_E_ARG (ucb1), CTW_E_SHAPE, CTW_E_RANGE, CTW_E_NONFINITE, CTW_E_STATE, CTW_E_NOMEM.
 */
CTW_API ctw_status ctw_bandit_set_arms(ctw_bandit *b, const double *trait, uint64_t arms, uint64_t traits);

/**
 * Chooses an arm in context x (n = option dims values, each within +-1e6). allowed: one byte an arm, 0 masks it; NULL
 * allows all. O(arms * dims^2). CTW_E_SHAPE, CTW_E_RANGE, CTW_E_NONFINITE, CTW_E_INFEASIBLE (all masked).
 */
CTW_API ctw_status ctw_bandit_choose(ctw_bandit *b, const double *x, uint64_t n, const uint8_t *allowed,
                                     int64_t *out_arm);
/**
 * The reward (within +-1e6) of `arm` in context x. Rewards may come late, in any order, and for arms the bandit did not
 * choose. O(dims^2). CTW_E_SHAPE, CTW_E_RANGE, CTW_E_NONFINITE.
 */
CTW_API ctw_status ctw_bandit_update(ctw_bandit *b, int64_t arm, const double *x, uint64_t n, double reward);
/** Mean and width (either may be NULL) of every arm in context x, before the option's factor on the width. */
CTW_API ctw_status ctw_bandit_values(const ctw_bandit *b, const double *x, uint64_t n, double *out_mean,
                                     double *out_width, uint64_t arms);
/** Weights theta as rows of dims, one row an arm (arms set: one row a trait). *need is set; CTW_E_BUFFER when cap is
 * too small (0 only asks). */
CTW_API ctw_status ctw_bandit_get_weights(const ctw_bandit *b, double *theta, uint64_t cap, uint64_t *need);
/** Counters: "rounds", "updates", "alarms", and "residual_sd". */
CTW_API ctw_status ctw_bandit_get_report(const ctw_bandit *b, ctw_report **out);

/** Saves everything, the random stream's position included. *need is set always. */
CTW_API ctw_status ctw_bandit_save_mem(const ctw_bandit *b, void *buf, uint64_t cap, uint64_t *need);
/** Loads what save_mem wrote. CTW_E_FORMAT, CTW_E_VERSION, CTW_E_KIND, CTW_E_NOMEM. */
CTW_API ctw_status ctw_bandit_load_mem(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_bandit **out);
/** As save_mem, into a file (written beside, then renamed). CTW_E_IO. */
CTW_API ctw_status ctw_bandit_save_file(const ctw_bandit *b, const char *path);
/** As load_mem, from a file. CTW_E_IO. */
CTW_API ctw_status ctw_bandit_load_file(ctw_ctx *ctx, const char *path, ctw_bandit **out);

#ifdef __cplusplus
}
#endif
#endif
