/**
 * @file env.h
 * An environment as a table of callbacks, so that a host plugs in its own world and the library runs the loop.
 */
#ifndef CYBERTWIN_ENV_H
#define CYBERTWIN_ENV_H

#include <cybertwin/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a step led to. */
enum {
    CTW_ENV_RUNNING = 0,   /**< the episode goes on */
    CTW_ENV_TERMINAL = 1,  /**< a terminal state: its value is 0 */
    CTW_ENV_TRUNCATED = 2, /**< cut off from outside: the value of the last observation still counts */
    CTW_ENV_FAILED = -1    /**< the environment gave up: the run ends with CTW_E_BACKEND */
};

/** Starts an episode in lane `lane` and writes its first observation (dims values) to obs. A CTW_ENV_* value. */
typedef int32_t (*ctw_env_reset_fn)(void *user, uint64_t lane, double *obs);
/**
 * Takes action[i] in each lane i < lanes: writes the observation it led to into obs[i * dims ..], the reward into
 * reward[i] and a CTW_ENV_* value into state[i]. One call steps all lanes, so its cost is shared. Returns 0, or
 * CTW_ENV_FAILED. The library calls reset for a lane that ended before it steps that lane again.
 */
typedef int32_t (*ctw_env_step_fn)(void *user, uint64_t lanes, const int64_t *action, double *obs, double *reward,
                                   int32_t *state);
/** As ctw_env_step_fn, with action[i * real_dims ..] the real action of lane i. Actions are not bounded: the world
 * clips what it cannot do. */
typedef int32_t (*ctw_env_step_real_fn)(void *user, uint64_t lanes, const double *action, double *obs, double *reward,
                                        int32_t *state);
/** Writes 1 (allowed) or 0 for each action in lane `lane` at its present state. This is where a shield goes. */
typedef void (*ctw_env_mask_fn)(void *user, uint64_t lane, uint8_t *allowed);

/**
 * The table: sizes and callbacks; the library copies nothing of `user`, which must outlive the handle.
 * Threads: as the callbacks are; the library calls them on the caller's thread only.
 */
typedef struct ctw_env ctw_env;

/**
 * New table. dims: length of an observation (1..4096; a tabular agent has one value, the state's number); actions:
 * 1..256; lanes: independent copies stepped together (1..1024); mask may be NULL (all allowed).
 * CTW_E_ARG, CTW_E_RANGE, CTW_E_NOMEM.
 */
CTW_API ctw_status ctw_env_new(ctw_ctx *ctx, uint64_t dims, uint64_t actions, uint64_t lanes, ctw_env_reset_fn reset,
                               ctw_env_step_fn step, ctw_env_mask_fn mask, void *user, ctw_env **out);
/**
 * New table of a world with real actions, real_dims (1..64) reals each: only for ctw_policy_run. The rest as for
 * ctw_env_new.
 */
CTW_API ctw_status ctw_env_new_real(ctw_ctx *ctx, uint64_t dims, uint64_t real_dims, uint64_t lanes,
                                    ctw_env_reset_fn reset, ctw_env_step_real_fn step, void *user, ctw_env **out);
/** One more owner; returns e. */
CTW_API ctw_env *ctw_env_ref(ctw_env *e);
/** One owner less; the last one frees it. */
CTW_API void ctw_env_unref(ctw_env *e);

#ifdef __cplusplus
}
#endif
#endif
