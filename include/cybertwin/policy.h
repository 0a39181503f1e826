/**
 * @file policy.h
 * A policy learnt directly, by the gradient of what it earns: discrete actions (softmax) or real ones (Gaussian),
 * linear in features, with a linear critic beside it.
 */
#ifndef CYBERTWIN_POLICY_H
#define CYBERTWIN_POLICY_H

#include <cybertwin/base.h>
#include <cybertwin/env.h>
#include <cybertwin/features.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * pi(u | s) and a critic v(s) = w . phi(s). Options: kind "policy". A state is given as `phi`, n values, exactly as to
 * ctw_agent (form "tabular": its number; "linear": `features` values, or an observation of a feature map).
 *
 * Option "policy":
 * - "softmax": action a of `actions` has a probability proportional to exp(theta_a . phi) among the allowed ones;
 * - "gaussian": `real_dims` independent normals; the mean of number j is theta_j . phi, its standard deviation one
 *   weight, the same in all states, within [sd_min, sd_max]. Actions are not bounded; the world clips what it cannot
 * do.
 *
 * Option "algo":
 * - "actor-critic": each step, with traces (Sutton and Barto 2018, section 13.6, without the factor gamma^t);
 * - "natural": each step, theta moves along the weights of the compatible advantage x . psi, psi the gradient of log
 * pi, which is the natural gradient (Bhatnagar et al. 2009, algorithm 3). lambda 0; O(weights) a step;
 * - "natural-batch": each `batch` steps, one step along F^-1 g, F the Fisher matrix of the batch's states, solved by
 *   conjugate gradients without forming F (Kakade 2001), no longer than `kl` allows (Schulman et al. 2015);
 * - "ppo": each `batch` steps, `epochs` passes of ascent on the clipped objective in minibatches (Schulman et al.
 * 2017). The two batch forms take advantages by GAE(lambda) (Schulman et al. 2016).
 *
 * The loop: act (or act_real) -> the host carries the action out -> learn ... A rule or shield that overrides an action
 * is part of the world to a policy: nothing has to be told, what is learnt is how to act under that rule.
 *
 * Divergence: a temporal difference or weight beyond `value_limit` puts the weights of the last good checkpoint back,
 * halves the step sizes and returns CTW_E_NOCONV; the policy stays usable.
 *
 * Threads: one at a time (CTW_E_BUSY otherwise); probabilities, normal and value are const and may run in parallel with
 * each other, not with act or learn.
 */
typedef struct ctw_policy ctw_policy;

/** New policy. params: kind "policy" (NULL: defaults). CTW_E_ARG, CTW_E_RANGE (more than 2^28 weights), CTW_E_NOMEM. */
CTW_API ctw_status ctw_policy_new(ctw_ctx *ctx, const ctw_params *params, ctw_policy **out);
/** One more owner; returns p. */
CTW_API ctw_policy *ctw_policy_ref(ctw_policy *p);
/** One owner less; the last one frees it. */
CTW_API void ctw_policy_unref(ctw_policy *p);

/**
 * Puts a feature map (ranges set) before a linear policy: from now on phi is an observation. Only with option
 * features 0, once; the policy keeps a reference and saves the map with itself.
 * CTW_E_STATE, CTW_E_ARG (form is tabular), CTW_E_RANGE, CTW_E_NOMEM.
 */
CTW_API ctw_status ctw_policy_set_features(ctw_policy *p, ctw_features *f);

/**
 * Draws an action in state phi. allowed: one byte an action, 0 masks it out; NULL allows all. *out_logp (may be NULL):
 * the log of its probability. CTW_E_ARG (policy is gaussian), CTW_E_INFEASIBLE (all masked), CTW_E_SHAPE, CTW_E_RANGE,
 * CTW_E_NONFINITE. Acting twice without learning abandons the first action. O(active features * actions).
 */
CTW_API ctw_status ctw_policy_act(ctw_policy *p, const double *phi, uint64_t n, const uint8_t *allowed,
                                  int64_t *out_action, double *out_logp);
/** The same of a gaussian policy: out_u receives real_dims values (dims must be that many); *out_logp (may be NULL) the
 * log of their density. CTW_E_ARG (policy is softmax), CTW_E_SHAPE, CTW_E_RANGE, CTW_E_NONFINITE. */
CTW_API ctw_status ctw_policy_act_real(ctw_policy *p, const double *phi, uint64_t n, double *out_u, uint64_t dims,
                                       double *out_logp);
/**
 * The reward of the last action (within +-`value_limit`) and the state it led to. end: 0 (the episode goes on),
 * 1 (terminal: phi_next may be NULL with n 0), 2 (cut off here: the value of phi_next counts). In the batch forms the
 * call that fills the batch also learns from it: O(epochs * batch * active features * actions).
 * CTW_E_STATE (no action is open), CTW_E_RANGE, CTW_E_NONFINITE, CTW_E_SHAPE, CTW_E_NOMEM: nothing has changed.
 * CTW_E_NOCONV: diverged; rolled back.
 */
CTW_API ctw_status ctw_policy_learn(ctw_policy *p, double reward, const double *phi_next, uint64_t n, int32_t end);
/** Ends the episode where it is: the open action is dropped, traces are cleared. */
CTW_API ctw_status ctw_policy_end_episode(ctw_policy *p);

/**
 * One update of a batch form from episodes this softmax policy lived elsewhere (several hosts, one learner), rows in
 * the order lived: states phi and phi_next (rows of n values, `stride` apart), actions, logp as act gave it (NULL: as
 * the policy is now), allowed (rows of `actions` bytes; NULL: all), rewards, and end as for learn. The last row's
 * episode need not have ended. Steps begun through learn are not touched.
 * CTW_E_ARG (gaussian, or not a batch form), CTW_E_SHAPE, CTW_E_RANGE, CTW_E_NONFINITE, CTW_E_INFEASIBLE (the action of
 * a row is masked), CTW_E_NOMEM, CTW_E_CANCELLED, CTW_E_DEADLINE (the weights are as before), CTW_E_NOCONV (rolled
 * back).
 */
CTW_API ctw_status ctw_policy_fit(ctw_policy *p, const double *phi, const int64_t *action, const double *logp,
                                  const uint8_t *allowed, const double *reward, const double *phi_next,
                                  const uint8_t *end, uint64_t rows, uint64_t n, uint64_t stride, ctw_cancel *cancel);
/** The same of a gaussian policy; u: rows of real_dims values, each within +-1e6. */
CTW_API ctw_status ctw_policy_fit_real(ctw_policy *p, const double *phi, const double *u, const double *logp,
                                       const double *reward, const double *phi_next, const uint8_t *end, uint64_t rows,
                                       uint64_t n, uint64_t stride, ctw_cancel *cancel);

/** Probabilities of all actions (n_actions must be the option's); masked ones get 0. CTW_E_ARG for a gaussian policy.
 */
CTW_API ctw_status ctw_policy_probabilities(const ctw_policy *p, const double *phi, uint64_t n, const uint8_t *allowed,
                                            double *out_p, uint64_t n_actions);
/** Means and standard deviations of a gaussian policy, real_dims values each; either may be NULL. CTW_E_ARG for
 * softmax. */
CTW_API ctw_status ctw_policy_normal(const ctw_policy *p, const double *phi, uint64_t n, double *out_mean,
                                     double *out_sd, uint64_t dims);
/** What the critic thinks state phi is worth. */
CTW_API ctw_status ctw_policy_value(const ctw_policy *p, const double *phi, uint64_t n, double *out_value);

/**
 * Runs `episodes` episodes of at most max_steps (0: no limit) in env, as ctw_agent_run does and with the same report
 * and errors, plus "updates". A gaussian policy needs an environment of ctw_env_new_real. learn 0: the most probable
 * action or the mean, nothing is learnt, no random number drawn. Several lanes need lambda 0 in the forms that learn
 * each step; the batch forms fill one batch from all lanes, and need batch >= lanes.
 */
CTW_API ctw_status ctw_policy_run(ctw_policy *p, ctw_env *env, int64_t episodes, int64_t max_steps, int32_t learn,
                                  ctw_cancel *cancel, ctw_report **out);

/**
 * All weights: theta as rows of features, one row an action (or real number); for a gaussian policy the log of each
 * standard deviation; the critic's features. CTW_OK with *need set when cap is 0; CTW_E_BUFFER when cap is too small.
 */
CTW_API ctw_status ctw_policy_get_weights(const ctw_policy *p, double *w, uint64_t cap, uint64_t *need);
/** Replaces the weights; traces, the optimiser's memory and a batch begun are cleared. n must be what get_weights
 * needs. CTW_E_SHAPE, CTW_E_NONFINITE, CTW_E_RANGE (beyond value_limit; a standard deviation out of bounds). */
CTW_API ctw_status ctw_policy_set_weights(ctw_policy *p, const double *w, uint64_t n);
/** Counters: "episodes", "steps", "updates", "rollbacks", "pending" (steps in the batch begun), and "alpha",
 * "mean_reward" (option average), and of the last batch "kl", "clipped" (share of rows), "entropy". */
CTW_API ctw_status ctw_policy_get_report(const ctw_policy *p, ctw_report **out);

/** Saves everything, also inside an episode or batch: a loaded policy continues with the same bits. *need is set
 * always. */
CTW_API ctw_status ctw_policy_save_mem(const ctw_policy *p, void *buf, uint64_t cap, uint64_t *need);
/** Loads what save_mem wrote. CTW_E_FORMAT, CTW_E_VERSION, CTW_E_KIND, CTW_E_NOMEM. */
CTW_API ctw_status ctw_policy_load_mem(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_policy **out);
/** As save_mem, into a file (written beside, then renamed). CTW_E_IO. */
CTW_API ctw_status ctw_policy_save_file(const ctw_policy *p, const char *path);
/** As load_mem, from a file. CTW_E_IO. */
CTW_API ctw_status ctw_policy_load_file(ctw_ctx *ctx, const char *path, ctw_policy **out);

#ifdef __cplusplus
}
#endif
#endif
