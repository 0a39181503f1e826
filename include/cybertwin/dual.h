/**
 * @file dual.h
 * A constraint on what a learner may cost, through a dual variable: "as much reward as possible, while the mean cost
 * stays below the limit".
 */
#ifndef CYBERTWIN_DUAL_H
#define CYBERTWIN_DUAL_H

#include <cybertwin/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The multiplier of one constraint (mean cost <= limit). The learner is given reward - multiplier * (cost - limit), and
 * every `window` steps the multiplier moves by step * (mean cost of the window - limit), within [0, max]: projected
 * subgradient ascent on the dual (Borkar 2005, Tessler et al. 2019). Several constraints: one handle each, the output
 * of one the reward of the next. Options: kind "dual". Nothing is saved: ctw_dual_get and ctw_dual_set carry the one
 * number over.
 *
 * Threads: one at a time (CTW_E_BUSY otherwise); get is const.
 */
typedef struct ctw_dual ctw_dual;

/** New constraint. params: kind "dual" (NULL: defaults). CTW_E_ARG, CTW_E_NOMEM. */
CTW_API ctw_status ctw_dual_new(ctw_ctx *ctx, const ctw_params *params, ctw_dual **out);
/** One more owner; returns d. */
CTW_API ctw_dual *ctw_dual_ref(ctw_dual *d);
/** One owner less; the last one frees it. */
CTW_API void ctw_dual_unref(ctw_dual *d);

/**
 * One step's reward and cost (each within +-1e9); *out_shaped is what the learner should be given. O(1).
 * CTW_E_ARG, CTW_E_RANGE, CTW_E_NONFINITE: nothing has been counted then.
 */
CTW_API ctw_status ctw_dual_shape(ctw_dual *d, double reward, double cost, double *out_shaped);
/** The multiplier, and the mean cost of the last full window (0 before the first). Either out pointer may be NULL. */
CTW_API ctw_status ctw_dual_get(const ctw_dual *d, double *out_multiplier, double *out_mean_cost);
/** Sets the multiplier, within [0, max], and forgets the window begun. CTW_E_RANGE, CTW_E_NONFINITE. */
CTW_API ctw_status ctw_dual_set(ctw_dual *d, double multiplier);

#ifdef __cplusplus
}
#endif
#endif
