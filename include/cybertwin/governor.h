/**
 * @file governor.h
 * Which frequency a server should run at now, so that requests meet their
 * deadlines and the least energy is used.
 *
 * The host tells of arrivals and completions; after each, the governor says the
 * operating point. It looks at all waiting work, not only the request in service:
 * with c_i the work up to request i and d_i its deadline, the work may be
 * stretched by at most g * min_i (d_i - now)/c_i. Within that limit it takes the
 * point that minimises (watts - idle + price of holding the queue) x time. The
 * guard g and the prices are not set by hand: from a record of recent requests
 * the governor replays candidate rules and every fixed frequency, and uses the
 * one of least energy whose replayed late requests stay within a budget over
 * those of the top frequency. The budget is corrected by what really was late,
 * so a wrong model costs energy, not deadlines.
 */
#ifndef CYBERTWIN_GOVERNOR_H
#define CYBERTWIN_GOVERNOR_H

#include <cybertwin/base.h>
#include <cybertwin/power.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * One server (or one partition of a model) that works one request at a time in
 * order of arrival. Options: kind "governor". Threads: one thread at a time;
 * a second one gets CTW_E_BUSY.
 */
typedef struct ctw_governor ctw_governor;

/** New governor without a table. CTW_E_ARG, CTW_E_NOMEM. */
CTW_API ctw_status ctw_governor_new(ctw_ctx *ctx, const ctw_params *params, ctw_governor **out);
/** One more owner; returns g. */
CTW_API ctw_governor *ctw_governor_ref(ctw_governor *g);
/** One owner less; the last one frees it. */
CTW_API void ctw_governor_unref(ctw_governor *g);

/**
 * The operating points, n in 1..64: `mhz` strictly ascending, time over the time
 * at the top point `slowdown` (>= 1, not rising, last one 1), busy `watts`, and
 * `idle_watts` (NULL: 0). Starts the record anew. CTW_E_RANGE names the index.
 */
CTW_API ctw_status ctw_governor_set_table(ctw_governor *g, const double *mhz, const double *slowdown,
                                          const double *watts, const double *idle_watts, uint64_t n);
/**
 * The same from a fitted device model for work of this memory-boundness (-1: the
 * measured workload) at full utilisation; idle power where the model knows it.
 * At most 64 candidate points (CTW_E_RANGE).
 */
CTW_API ctw_status ctw_governor_set_device(ctw_governor *g, const ctw_power *device, double membound);
/**
 * Operating points that are pairs of a core and a memory clock, n in 1..1024 in any
 * order: the fastest has slowdown 1. A pair that another one beats or equals in both
 * time and watts is left out; of more than 64 others the closest neighbours are
 * thinned. Starts the record anew. CTW_E_RANGE names the index. O(64 n).
 */
CTW_API ctw_status ctw_governor_set_pairs(ctw_governor *g, const double *mhz, const double *mem_mhz,
                                          const double *slowdown, const double *watts, const double *idle_watts,
                                          uint64_t n);
/**
 * The same from a device fitted with ctw_power_fit_memory: all pairs of a candidate
 * point and a fitted memory clock, for the measured workload. CTW_E_STATE without
 * memory clocks, CTW_E_RANGE for more than 1024 pairs.
 */
CTW_API ctw_status ctw_governor_set_device_memory(ctw_governor *g, const ctw_power *device);
/** Memory clock of the point that ctw_governor_decide said last. CTW_E_STATE when the table has none. */
CTW_API ctw_status ctw_governor_memory(const ctw_governor *g, double *mem_mhz);
/**
 * Points above `watts` are not used from now on; INFINITY removes the cap. If
 * even the lowest point is above it: CTW_E_INFEASIBLE, and the lowest is used
 * (the cap wins over deadlines).
 */
CTW_API ctw_status ctw_governor_set_cap(ctw_governor *g, double watts);

/**
 * A request came at now_s with `work_s` seconds of work at the top point (an
 * estimate; an upper quantile of a length predictor is a good one) that should be
 * done by deadline_s (same clock; may be past already). Ids need not be unique.
 * CTW_E_RANGE when time runs backwards, or with option capacity requests waiting.
 */
CTW_API ctw_status ctw_governor_arrive(ctw_governor *g, int64_t id, double now_s, double work_s, double deadline_s);
/**
 * The request finished. `work_s`: the work it really was (seconds at the top
 * point), NaN if unknown (the estimate then counts). CTW_E_KEY for an id that is
 * not waiting. Every tune_every completions the rule is chosen again, in this call.
 */
CTW_API ctw_status ctw_governor_complete(ctw_governor *g, int64_t id, double now_s, double work_s);
/** The request was withdrawn; it does not count. CTW_E_KEY for an id that is not waiting. */
CTW_API ctw_status ctw_governor_drop(ctw_governor *g, int64_t id, double now_s);

/**
 * The operating point for now; out pointers may be NULL. Cost: the waiting
 * requests, at most 64 of them, plus the points; no allocation. CTW_E_STATE
 * without a table.
 */
CTW_API ctw_status ctw_governor_decide(ctw_governor *g, double now_s, double *mhz, double *watts);

/** Chooses the rule anew from the record at once. Stopped by `cancel`: the old rule stays. */
CTW_API ctw_status ctw_governor_tune(ctw_governor *g, ctw_cancel *cancel);

/**
 * What happened so far: completed, late, late_at_top (a shadow run of the same
 * requests at the top point), attainment, attainment_at_top, waiting, tunings,
 * rule ("fixed" or "stretch"), rule_mhz, rule_guard, rule_price, rule_queue_price, rule_load_price,
 * replay_saving (replayed power at the top point over that of the rule, 0 before
 * the first tuning).
 */
CTW_API ctw_status ctw_governor_report(const ctw_governor *g, ctw_report **out);

/** Saves into memory; `*need` is always set; buf NULL with cap 0 only asks for the size; CTW_E_BUFFER when short. */
CTW_API ctw_status ctw_governor_save_mem(const ctw_governor *g, void *buf, uint64_t cap, uint64_t *need);
/** Loads what save_mem wrote: the rule, the record and the count of late requests go on; nothing waits, and the first
 * event sets the clock. CTW_E_FORMAT, CTW_E_KIND, CTW_E_VERSION for anything else. */
CTW_API ctw_status ctw_governor_load_mem(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_governor **out);
/** Saves into a file: written beside it, flushed, renamed. CTW_E_IO. */
CTW_API ctw_status ctw_governor_save_file(const ctw_governor *g, const char *path);
/** Loads from a file. */
CTW_API ctw_status ctw_governor_load_file(ctw_ctx *ctx, const char *path, ctw_governor **out);

#ifdef __cplusplus
}
#endif
#endif
