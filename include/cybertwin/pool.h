/**
 * @file pool.h
 * Several equal servers behind one queue and under one clock: which frequency all
 * of them run at now, and how many are awake, so that requests meet their
 * deadlines and the least energy is used.
 *
 * The host serves in order of arrival: whenever an awake server is free, the next
 * waiting request starts on it. Let C_i be the time until request i would be done
 * if all ran at the top clock, by that rule. A common stretch s of all work moves
 * every completion to s C_i, so the clock may stretch by g min_i (d_i - now)/C_i
 * without a late request; within that limit the point of least
 * (power of the awake servers - idle + price) x time is taken, as ctw_governor
 * does for one server. How many are awake follows the recent load as ctw_cluster
 * does, at most a share of it each.
 *
 * Few servers at the top clock that sleep early (race, consolidate) or many at a
 * low one (pace)? The share, the guard g and the prices are chosen together: from
 * a record of recent requests the pool replays candidate rules, with the energy
 * of sleeping and waking, and uses the one of least energy whose replayed late
 * requests stay within a budget over those of all servers awake at the top clock.
 */
#ifndef CYBERTWIN_POOL_H
#define CYBERTWIN_POOL_H

#include <cybertwin/base.h>
#include <cybertwin/cluster.h>
#include <cybertwin/power.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The servers and their queue. Options: kind "pool". Threads: one at a time (CTW_E_BUSY for a second). */
typedef struct ctw_pool ctw_pool;

/** New pool without servers. CTW_E_ARG, CTW_E_NOMEM. */
CTW_API ctw_status ctw_pool_new(ctw_ctx *ctx, const ctw_params *params, ctw_pool **out);
/** One more owner; returns p. */
CTW_API ctw_pool *ctw_pool_ref(ctw_pool *p);
/** One owner less; the last one frees it. */
CTW_API void ctw_pool_unref(ctw_pool *p);

/**
 * The n servers (1..1024), all awake and empty, replacing any before, and what each
 * draws asleep (`sleep_watts`) and needs to wake: `wake_s` seconds and `wake_joule`
 * (all >= 0; sleep_watts INFINITY: they never sleep). Their operating points (1..64)
 * are those of ctw_governor_set_table. Starts the record anew. CTW_E_RANGE names
 * what is out of bounds, CTW_E_STATE when requests wait.
 */
CTW_API ctw_status ctw_pool_set_servers(ctw_pool *p, uint64_t n, double sleep_watts, double wake_s, double wake_joule,
                                        const double *mhz, const double *slowdown, const double *watts,
                                        const double *idle_watts, uint64_t points);
/**
 * The same with the operating points of a fitted device model for work of this
 * memory-boundness (-1: the measured workload); as ctw_governor_set_device.
 */
CTW_API ctw_status ctw_pool_set_device(ctw_pool *p, uint64_t n, double sleep_watts, double wake_s, double wake_joule,
                                       const ctw_power *device, double membound);
/**
 * Points at which all servers, busy, would draw more than `watts` together are not
 * used from now on; INFINITY removes the cap. If even the lowest point is above it:
 * CTW_E_INFEASIBLE, and the lowest is used (the cap wins over deadlines).
 */
CTW_API ctw_status ctw_pool_set_cap(ctw_pool *p, double watts);

/**
 * A request came at now_s with `work_s` seconds of work at the top point (an
 * estimate, better an upper quantile) that should be done by deadline_s. Ids need
 * not be unique. CTW_E_RANGE when time runs backwards, or with option capacity
 * requests waiting.
 */
CTW_API ctw_status ctw_pool_arrive(ctw_pool *p, int64_t id, double now_s, double work_s, double deadline_s);
/**
 * The request finished. `work_s`: the work it really was (seconds at the top
 * point), NaN if unknown. CTW_E_KEY for an id that is not here. Every tune_every
 * completions the rule is chosen again, in this call.
 */
CTW_API ctw_status ctw_pool_complete(ctw_pool *p, int64_t id, double now_s, double work_s);
/** The request was withdrawn, waiting or in service; it does not count. CTW_E_KEY for an id that is not here. */
CTW_API ctw_status ctw_pool_drop(ctw_pool *p, int64_t id, double now_s);

/**
 * The operating point of all servers for now, and who sleeps: `state` (n entries)
 * receives each server's CTW_CLUSTER_ value, `awake` the number that take work
 * (each may be NULL). A server told to sleep finishes its request first. To be
 * asked after each event, and at least every every_s seconds for the sleeping to
 * move. Cost: n log n for n busy servers with requests waiting behind them, else
 * the points; no allocation. CTW_E_STATE without servers.
 */
CTW_API ctw_status ctw_pool_decide(ctw_pool *p, double now_s, double *mhz, int32_t *state, uint64_t *awake);

/** Chooses the rule anew from the record at once. Stopped by `cancel`: the old rule stays. */
CTW_API ctw_status ctw_pool_tune(ctw_pool *p, ctw_cancel *cancel);

/**
 * What happened so far: completed, late, late_at_top (a shadow run of the same
 * requests with all awake at the top point), attainment, attainment_at_top, here
 * (waiting or in service), tunings, wakes, rule ("fixed" or "stretch"), rule_mhz,
 * rule_guard, rule_price, rule_queue_price, rule_busy_price, rule_max_load (0: all
 * awake), replay_saving (replayed power of all awake at the top point over that of
 * the rule, 0 before the first tuning).
 */
CTW_API ctw_status ctw_pool_report(const ctw_pool *p, ctw_report **out);

#ifdef __cplusplus
}
#endif
#endif
