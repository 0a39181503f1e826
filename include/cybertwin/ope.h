/**
 * @file ope.h
 * Off-policy evaluation: what a new policy would have earned, from episodes an old one lived, with a lower bound to
 * decide by: "hand over to the agent only when it is better than the rule with confidence 1 - delta".
 */
#ifndef CYBERTWIN_OPE_H
#define CYBERTWIN_OPE_H

#include <cybertwin/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Collects one estimate of the new policy's return from each episode. Options (kind "ope"): "estimator"
 * - "is": the return times the product of all ratios target / behaviour;
 * - "pdis": each reward times the ratios up to it (Precup et al. 2000);
 * - "wis": as "is", divided by the mean weight: biased, smaller variance;
 * - "dr": pdis with a value function as control variate (Jiang and Li 2016).
 * Rewards lie within [reward_lo, reward_hi], episodes have at most `horizon` steps; steps an episode lacks count as
 * reward 0. For is and pdis estimates are taken over rewards less reward_lo (so they cannot be negative), truncated at
 * `clip` times the largest possible return, which can only lower their mean (Thomas et al. 2015). A doubly robust
 * estimate has no such floor; with option ratio_max (say 1 / epsilon for a single step of an epsilon-greedy rule) it
 * has a range, and so a bound that holds for any n.
 *
 * Threads: one at a time (CTW_E_BUSY otherwise); bound is const.
 */
typedef struct ctw_ope ctw_ope;

/** New, empty. CTW_E_ARG (reward_lo is not below reward_hi), CTW_E_NOMEM. */
CTW_API ctw_status ctw_ope_new(ctw_ctx *ctx, const ctw_params *params, ctw_ope **out);
/** One more owner; returns o. */
CTW_API ctw_ope *ctw_ope_ref(ctw_ope *o);
/** One owner less; the last one frees it. */
CTW_API void ctw_ope_unref(ctw_ope *o);

/**
 * One episode of n steps: the rewards, and the probability each policy gave to the action taken (behaviour > 0).
 * q: the value function's value of the action taken, v: its mean under the new policy, both NULL except for "dr".
 * CTW_E_SHAPE (n above horizon), CTW_E_ARG, CTW_E_RANGE (also a product of ratios above ratio_max, and then q or v that
 * no return can be), CTW_E_NONFINITE, CTW_E_NOMEM.
 */
CTW_API ctw_status ctw_ope_add(ctw_ope *o, const double *reward, const double *target, const double *behaviour,
                               const double *q, const double *v, uint64_t n);
/**
 * Mean estimate of the new policy's discounted return and its lower bound with confidence 1 - delta, 0 < delta < 1. For
 * is and pdis the bound is the empirical Bernstein inequality (Maurer and Pontil 2009),
 * mean - sqrt(2 var ln(2/delta) / n) - 7 c ln(2/delta) / (3 (n - 1)): it holds for any n, c the width of the estimates'
 * range. So it is for dr with ratio_max; for wis, and dr without it, it is the normal approximation, good for many
 * episodes only. Either out pointer may be NULL. CTW_E_STATE with fewer than 2
 * episodes.
 */
CTW_API ctw_status ctw_ope_bound(const ctw_ope *o, double delta, double *out_mean, double *out_lower);
/** Number of episodes added; 0 for NULL. */
CTW_API uint64_t ctw_ope_count(const ctw_ope *o);

#ifdef __cplusplus
}
#endif
#endif
