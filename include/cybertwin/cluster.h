/**
 * @file cluster.h
 * Which servers of a cluster sleep: as few awake as the load needs, woken early
 * enough, and not so often that waking eats what sleeping saved.
 *
 * Needed is the capacity for the recent mean load plus some standard deviations of
 * it, at most option max_load of each server. Servers are ranked by idle power per
 * capacity; those beyond the needed ones are spare. A spare server stays awake
 * until its idle power since then has cost as much as one waking (option patience
 * 1: the break-even rule of ski rental, never more than twice the idle energy of
 * one who knew the future).
 */
#ifndef CYBERTWIN_CLUSTER_H
#define CYBERTWIN_CLUSTER_H

#include <cybertwin/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** State of a server. */
enum {
    CTW_CLUSTER_ASLEEP = 0, /**< give it no work; it may sleep as soon as it is empty */
    CTW_CLUSTER_WAKING = 1, /**< ordered to wake, not there yet */
    CTW_CLUSTER_AWAKE = 2   /**< takes work */
};

/** The servers. Options: kind "cluster". Threads: one at a time (CTW_E_BUSY for a second). */
typedef struct ctw_cluster ctw_cluster;

/** Cluster without servers. CTW_E_ARG, CTW_E_NOMEM. */
CTW_API ctw_status ctw_cluster_new(ctw_ctx *ctx, const ctw_params *params, ctw_cluster **out);
/** One more owner; returns c. */
CTW_API ctw_cluster *ctw_cluster_ref(ctw_cluster *c);
/** One owner less; the last one frees it. */
CTW_API void ctw_cluster_unref(ctw_cluster *c);

/**
 * The n servers (1..1e6), all awake, replacing any before: `capacity` in
 * server-seconds of work per second (> 0; NULL: 1 each), `idle_watts` awake without
 * work, `sleep_watts`, and what waking takes: `wake_s` seconds and `wake_joule`
 * (all >= 0). A server that saves nothing asleep never sleeps. CTW_E_RANGE names
 * the index. O(n log n).
 */
CTW_API ctw_status ctw_cluster_set_servers(ctw_cluster *c, uint64_t n, const double *capacity, const double *idle_watts,
                                           const double *sleep_watts, const double *wake_s, const double *wake_joule);
/**
 * At now_s: `load` is the work that came since the last call, over the time since
 * then, in the unit of capacity (or a forecast of it for the time waking takes).
 * `state` (n entries, may be NULL) receives each server's CTW_CLUSTER_ value,
 * `awake` (may be NULL) the number that take work. CTW_E_INFEASIBLE when all
 * together carry less than needed: all are then awake or waking. CTW_E_STATE
 * without servers, CTW_E_RANGE when time runs backwards. O(n); no allocation.
 */
CTW_API ctw_status ctw_cluster_update(ctw_cluster *c, double now_s, double load, int32_t *state, uint64_t *awake);

/**
 * So far: seconds, wakes, short_sleeps (woken before waking was paid for),
 * idle_joule (idle power of all awake, sleep power, and wakes), idle_joule_all_awake,
 * needed (capacity), mean_load.
 */
CTW_API ctw_status ctw_cluster_report(const ctw_cluster *c, ctw_report **out);

/** Saves into memory; `*need` is always set; buf NULL with cap 0 only asks for the size; CTW_E_BUFFER when short. */
CTW_API ctw_status ctw_cluster_save_mem(const ctw_cluster *c, void *buf, uint64_t cap, uint64_t *need);
/** Loads what save_mem wrote: who sleeps, the load seen and the counts go on; the next update sets the clock, and no
 * time has passed until then. CTW_E_FORMAT, CTW_E_KIND, CTW_E_VERSION for anything else. */
CTW_API ctw_status ctw_cluster_load_mem(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_cluster **out);
/** Saves into a file: written beside it, flushed, renamed. CTW_E_IO. */
CTW_API ctw_status ctw_cluster_save_file(const ctw_cluster *c, const char *path);
/** Loads from a file. */
CTW_API ctw_status ctw_cluster_load_file(ctw_ctx *ctx, const char *path, ctw_cluster **out);

#ifdef __cplusplus
}
#endif
#endif
