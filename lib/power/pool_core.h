/* pool_core.h: the decision for several servers under one clock, and the replay of recorded requests under a rule. */
#ifndef CTW_POWER_POOL_CORE_H
#define CTW_POWER_POOL_CORE_H

#include "power/cluster_core.h"
#include "power/governor_core.h"

#define CTW_POOL_LOOK 64   /* waiting requests that a decision looks at */
#define CTW_POOL_MOST 1024 /* servers */

typedef struct ctw_pool__rule {
    double max_load; /* of an awake server; 0: all stay awake */
    int fixed;       /* this point always, or -1 */
    double guard;    /* share of the slack that may be used */
    /* Prices of time in units of the busy servers' power at the top point: plain, for each request waiting per server,
     * and for the busy share of the servers. */
    double price, queue_price, busy_price;
} ctw_pool__rule;

/* What is here now; work in seconds at the top point. */
typedef struct ctw_pool__view {
    const double *left, *due; /* in service: believed work left, deadline */
    size_t running;
    const double *work, *deadline; /* waiting, in order */
    size_t waiting;
    size_t awake;
    double *ends; /* scratch, one for each server */
} ctw_pool__view;

/* Largest stretch of all work here that meets every deadline which the point of slowdown `fastest` still could meet,
 * when the waiting start in order on the servers awake; infinite when none can be met. */
double ctw_pool__stretch(const ctw_pool__view *v, double now, double fastest);
/* Index of the point for now, coming from point `at`. */
size_t ctw_pool__decide(const ctw_power__plan *plan, const ctw_pool__rule *rule, const ctw_pool__view *v, double now,
                        size_t at);
/* What is believed left of work whose estimate may have been too low. */
double ctw_pool__believed(double guess, double done);

/* What a replay needs beside the rule. Arrays of one entry for each server: six of doubles in `scratch`. */
typedef struct ctw_pool__stage {
    const ctw_power__plan *plan;
    ctw_power__record record; /* in order of arrival */
    size_t servers;
    double lag, every;                 /* delay of a change; seconds between two looks at who sleeps */
    const ctw_cluster__state *cluster; /* options and servers */
    ctw_cluster__server *sleepers;     /* scratch, one for each server */
    double *scratch;
} ctw_pool__stage;

void ctw_pool__replay(const ctw_pool__stage *stage, const ctw_pool__rule *rule, ctw_power__outcome *out);

#endif
