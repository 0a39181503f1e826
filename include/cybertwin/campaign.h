/**
 * @file campaign.h
 * Fault-injection campaigns on a simulated installation: labelled windows of traces, so that a localiser (rca.h) is
 * trained before its first real incident.
 *
 * As FIRM does on a live cluster (Qiu et al., OSDI'20, section 3.6), contention for processor, memory bandwidth,
 * last-level cache, storage or network is injected at random servers with random strength, one or several at once,
 * and everything is labelled; here the cluster is a copy of a twin (twin.h). The host's twin is never changed.
 */
#ifndef CYBERTWIN_CAMPAIGN_H
#define CYBERTWIN_CAMPAIGN_H

#include <cybertwin/base.h>
#include <cybertwin/rca.h>
#include <cybertwin/spans.h>
#include <cybertwin/twin.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A campaign. Threads: one at a time (CTW_E_BUSY). */
typedef struct ctw_campaign ctw_campaign;

/**
 * A campaign on copies of `t`, which must have services and should have no faults of its own; it starts at the twin's
 * time, and again on a fresh copy when the copy's day is over. params: kind "campaign", NULL for the defaults:
 * "kinds", "at_once", "quiet", "mildest", "harshest", "fault_s", "rest_s", "stream". `t` itself is copied and may go
 * on. CTW_E_STATE for a twin without a service or whose day is over, CTW_E_ARG, CTW_E_KEY for an unknown kind of fault,
 * CTW_E_NOMEM.
 */
CTW_API ctw_status ctw_campaign_new(ctw_ctx *ctx, const ctw_params *params, const ctw_twin *t, ctw_campaign **out);
/** One more owner; returns c. */
CTW_API ctw_campaign *ctw_campaign_ref(ctw_campaign *c);
/** One owner less; the last one frees it. */
CTW_API void ctw_campaign_unref(ctw_campaign *c);

/**
 * Next episode: injects, samples traces half-way through the fault, appends them to `window`, lets the copy recover.
 * `*n` faults were injected (0: a quiet episode); their servers' ids, kinds (CTW_FAULT_*) and shares left go to
 * server, kind and left, which hold `cap` each; any may be NULL. The components of `window` are "server <id>".
 * CTW_E_BUFFER when cap is less than the option "at_once", CTW_E_INFEASIBLE when no server runs a service; what
 * ctw_twin_run() says: the next call then starts on a fresh copy.
 */
CTW_API ctw_status ctw_campaign_next(ctw_campaign *c, ctw_calls *window, uint64_t cap, int64_t *server, int32_t *kind,
                                     double *left, uint64_t *n, ctw_cancel *cancel);
/**
 * Trains a localiser: learns `quiet` fault-free windows into its reference, then adds `cases` episodes as labelled
 * windows and fits. m keeps what it had. CTW_E_STATE when no episode had a fault or none was quiet; else as above.
 */
CTW_API ctw_status ctw_campaign_train(ctw_campaign *c, ctw_rca *m, uint64_t quiet, uint64_t cases, ctw_cancel *cancel);

#ifdef __cplusplus
}
#endif
#endif
