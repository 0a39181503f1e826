/**
 * @file rack.h
 * Many machines behind one power feed (a rack, a row): splitting the budget,
 * holding it against measurements, and planning how many machines it carries.
 *
 * The split gives every machine its lowest point first and then raises points in
 * the order of benefit per watt, where the benefit of a machine at slowdown s is
 * weight x -(s^a - 1)/a: machines that lose little time to a lower clock give
 * their watts to those that lose much, and a > 1 keeps any one from being ruined.
 * Higher priorities are served completely before lower ones, so the lowest shed
 * first. Only points on each machine's concave hull are steps; what is left at the
 * end is spent on the points between.
 */
#ifndef CYBERTWIN_RACK_H
#define CYBERTWIN_RACK_H

#include <cybertwin/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The machines of one rack, row or hall. Options: kind "rack". Threads: one thread at a time (CTW_E_BUSY for a
 * second). */
typedef struct ctw_rack ctw_rack;

/** Rack without machines. CTW_E_ARG, CTW_E_NOMEM. */
CTW_API ctw_status ctw_rack_new(ctw_ctx *ctx, const ctw_params *params, ctw_rack **out);
/** One more owner; returns f. */
CTW_API ctw_rack *ctw_rack_ref(ctw_rack *f);
/** One owner less; the last one frees it. */
CTW_API void ctw_rack_unref(ctw_rack *f);

/**
 * The n machines (at most 1e6), replacing any before: machine i has the operating
 * points first[i] .. first[i+1]-1 (first[0] = 0, n+1 entries, 1 to 256 points a
 * machine) in `watts` (> 0, ascending) and `slowdown` (>= 1, not rising). `weight`
 * > 0 (NULL: 1); `priority`, higher is more important (NULL: all 0). Forgets what
 * was observed. CTW_E_RANGE, CTW_E_SHAPE name the index. O(P log P) for P points.
 */
CTW_API ctw_status ctw_rack_set_machines(ctw_rack *f, uint64_t n, const uint64_t *first, const double *watts,
                                         const double *slowdown, const double *weight, const int64_t *priority);
/**
 * Limits below the budget that split gets, top down: feed k carries at most
 * limit_watts[k] and hangs on feed parent[k] < k, or on the budget itself (-1;
 * `parent` NULL: all do); machine i hangs on feed_of[i]. `feeds` 0 (the other
 * arguments NULL) removes them, as do new machines. At most 100000. Splits then keep
 * every feed's limit with the same margin; CTW_E_INFEASIBLE names a feed whose
 * machines are above it even at their lowest points. CTW_E_RANGE names the index,
 * CTW_E_STATE before set_machines; unchanged on failure.
 */
CTW_API ctw_status ctw_rack_set_feeds(ctw_rack *f, uint64_t feeds, const double *limit_watts, const int64_t *parent,
                                      const uint64_t *feed_of);
/**
 * Splits `budget_watts`: `point` (n entries, may be NULL) receives each machine's
 * point within its own list, `cap_watts` (n, may be NULL) its power there,
 * `total_watts` (may be NULL) the sum expected. Uses the corrections and the
 * margin learned by observe. If even the lowest points exceed the budget:
 * CTW_E_INFEASIBLE with all outputs at the lowest points. O(P); no allocation.
 */
CTW_API ctw_status ctw_rack_split(ctw_rack *f, double budget_watts, int64_t *point, double *cap_watts,
                                  double *total_watts);
/**
 * What the n machines really drew (W, NaN: no reading) at the points of the last
 * split. Machine corrections follow with the option gain (readings under a
 * twentieth or over twenty times the expected are refused and counted as missing);
 * the spread of the total's error becomes the margin kept under the budget by the
 * next split. CTW_E_STATE before a split. `total_error` (may be NULL): measured
 * over expected, less 1.
 */
CTW_API ctw_status ctw_rack_observe(ctw_rack *f, const double *watts, double *total_error);
/** Margin now kept under a budget, as a share of it. 0 for NULL. */
CTW_API double ctw_rack_margin(const ctw_rack *f);

/**
 * How many machines a feed of `feed_watts` carries when a share `risk` of the time
 * may need capping: `samples` holds n times (rows, `stride` apart) of m machines'
 * watts, recorded or simulated together. Machines are added in random order
 * (repeated beyond m) until the share of times over the feed exceeds the risk;
 * `machines` is the number reached in all but one in twenty of 200 such orders,
 * `nameplate` (may be NULL) the number at each machine's recorded peak, `limit`
 * an upper end for the answer (1..1e6). Deterministic: stream "rack" of the seed.
 */
CTW_API ctw_status ctw_rack_plan(ctw_ctx *ctx, const double *samples, uint64_t n, uint64_t m, uint64_t stride,
                                 double feed_watts, double risk, uint64_t limit, ctw_cancel *cancel, uint64_t *machines,
                                 uint64_t *nameplate);

/** Saves into memory; `*need` is always set; buf NULL with cap 0 only asks for the size; CTW_E_BUFFER when short. */
CTW_API ctw_status ctw_rack_save_mem(const ctw_rack *f, void *buf, uint64_t cap, uint64_t *need);
/** Loads what save_mem wrote: splits are bit-equal and corrections go on. CTW_E_FORMAT, CTW_E_KIND, CTW_E_VERSION for
 * anything else. */
CTW_API ctw_status ctw_rack_load_mem(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_rack **out);
/** Saves into a file: written beside it, flushed, renamed. CTW_E_IO. */
CTW_API ctw_status ctw_rack_save_file(const ctw_rack *f, const char *path);
/** Loads from a file. */
CTW_API ctw_status ctw_rack_load_file(ctw_ctx *ctx, const char *path, ctw_rack **out);

#ifdef __cplusplus
}
#endif
#endif
