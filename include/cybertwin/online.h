/**
 * @file online.h
 * A sliding window of traffic in bounded memory, for ranking without keeping calls.
 *
 * Calls are folded into a mergeable quantile sketch for each operation and caller and into moments for each
 * component, pane by pane; the oldest pane leaves when a new one begins. A localiser (rca.h) ranks such a window like
 * one of calls: sums, counts and correlations are exact, quantiles are within the option "error" of the true ones.
 * A uniform sample of whole traces is kept beside it, to look at and to learn from. Collectors on several machines
 * each fold what they see; ctw_online_merge() puts their windows together.
 *
 * Sketch: Masson, Rim & Lee, "DDSketch", PVLDB 12 (2019). Moments: Chan, Golub & LeVeque (1979). See doc/rca.md.
 */
#ifndef CYBERTWIN_ONLINE_H
#define CYBERTWIN_ONLINE_H

#include <cybertwin/base.h>
#include <cybertwin/rca.h>
#include <cybertwin/spans.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A sliding window. Threads: add, advance and merge exclusively (CTW_E_BUSY); const calls in parallel in between. */
typedef struct ctw_online ctw_online;

/**
 * New and empty. params: kind "online", NULL for the defaults: "panes" of the window, "error" of quantiles, "max_bins"
 * of a sketch, "max_edges" (operations and callers) that are told apart, "sample" (traces kept of each pane). Memory is
 * at most max_edges * panes * (16 max_bins + 200) bytes and twice max_bins counts for each component and pane, far less
 * in practice (a sketch holds only the bins between its extremes), plus the sampled traces. CTW_E_ARG, CTW_E_NOMEM.
 */
CTW_API ctw_status ctw_online_new(ctw_ctx *ctx, const ctw_params *params, ctw_online **out);
/** One more owner; returns o. */
CTW_API ctw_online *ctw_online_ref(ctw_online *o);
/** One owner less; the last one frees it. */
CTW_API void ctw_online_unref(ctw_online *o);

/**
 * Folds calls of complete traces into the newest pane. Traces of different calls of this function are different ones.
 * Calls of an operation beyond "max_edges" are counted ("dropped" in the report) and otherwise passed over. O(calls).
 * CTW_E_RANGE beyond 2^32 - 1 calls in a pane, CTW_E_NOMEM, CTW_E_CANCELLED, CTW_E_DEADLINE: nothing was folded.
 */
CTW_API ctw_status ctw_online_add(ctw_online *o, const ctw_calls *calls, ctw_cancel *cancel);
/**
 * Begins a new pane; the oldest is forgotten, and names of which nothing is left with it, so that components that
 * come and go do not fill the table. CTW_E_NOMEM: nothing has changed.
 */
CTW_API ctw_status ctw_online_advance(ctw_online *o);
/**
 * Adds the panes of another window to those of the same age. Counts, sums and sketches are then what one window would
 * hold that had seen all; moments agree up to rounding. CTW_E_SHAPE when "panes", "error" or "max_bins"
 * differ, CTW_E_ARG for o itself, CTW_E_RANGE, CTW_E_NOMEM: nothing has changed.
 */
CTW_API ctw_status ctw_online_merge(ctw_online *o, const ctw_online *other);

/** Calls in the window; 0 for NULL. */
CTW_API uint64_t ctw_online_calls(const ctw_online *o);
/** Traces in the window; 0 for NULL. */
CTW_API uint64_t ctw_online_traces(const ctw_online *o);
/**
 * Quantile q (0..1) of a time of all calls in the window of a component, or of one of its operations, or by one
 * caller (NULL: all). column: CTW_CALL_CLIENT, CTW_CALL_SELF, CTW_CALL_NET or CTW_CALL_EXCL, in microseconds. Within
 * "error" of the exact value, relative to it; values below 1 us count as 0, and below the highest "max_bins" bins
 * as the lowest of them. CTW_E_KEY when there is no such call, CTW_E_RANGE.
 */
CTW_API ctw_status ctw_online_quantile(const ctw_online *o, const char *component, const char *operation,
                                       const char *caller, int32_t column, double q, double *value);
/**
 * Appends the sampled traces of the window, oldest pane first, to a window of calls: uniform over each pane's traces,
 * the same for the same input and seed. For a localiser's reference (ctw_rca_learn()) or for looking at. CTW_E_NOMEM.
 */
CTW_API ctw_status ctw_online_sample(const ctw_online *o, ctw_calls *out);
/**
 * "calls", "traces", "edges", "components", "dropped" (calls passed over since the beginning), "advances",
 * "bytes" (memory held), "sampled" (traces).
 */
CTW_API ctw_status ctw_online_report(const ctw_online *o, ctw_report **out);

/** As ctw_rca_rank(), of an online window. O(edges * panes * bins). */
CTW_API ctw_status ctw_rca_rank_online(const ctw_rca *m, const ctw_online *window, ctw_cancel *cancel,
                                       ctw_ranking **out);
/** As ctw_rca_add_case(), with an online window. */
CTW_API ctw_status ctw_rca_add_case_online(ctw_rca *m, const ctw_online *window, const char *const *culprit,
                                           uint64_t n);

/** Bytes of the saved window; sizes with buf NULL and cap 0. CTW_E_BUFFER with `*need` set when cap is too small. */
CTW_API ctw_status ctw_online_save_mem(const ctw_online *o, void *buf, uint64_t cap, uint64_t *need);
/** Saves to a file, written beside and renamed. CTW_E_IO. */
CTW_API ctw_status ctw_online_save_file(const ctw_online *o, const char *path);
/** Reads a window back, but for its sampled traces; it ranks as before. CTW_E_FORMAT, CTW_E_KIND, CTW_E_VERSION,
 * CTW_E_NOMEM. */
CTW_API ctw_status ctw_online_load_mem(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_online **out);
/** Loads from a file. CTW_E_IO and whatever load_mem says. */
CTW_API ctw_status ctw_online_load_file(ctw_ctx *ctx, const char *path, ctw_online **out);

#ifdef __cplusplus
}
#endif
#endif
