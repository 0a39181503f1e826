/* cluster_core.h: who sleeps, without any handle: a state that steps in time, so that a replay can step copies of it.
 */
#ifndef CTW_POWER_CLUSTER_CORE_H
#define CTW_POWER_CLUSTER_CORE_H

#include <cybertwin/cluster.h>
#include <stddef.h>

typedef struct ctw_cluster__server {
    double capacity, idle, sleep, wake_s, wake_joule;
    double pays_after; /* seconds of sleep that pay for one waking; infinite: sleep saves nothing */
    double since;      /* spare since, asleep since or awake from, by state */
    int32_t state, spare;
    size_t name; /* index told by the host */
} ctw_cluster__server;

typedef struct ctw_cluster__state {
    double max_load, window, sds, patience;
    double floor; /* capacity that is always needed */
    size_t n;
    ctw_cluster__server *at; /* in the order in which they are needed */
    int32_t started;
    double now, begin, mean, var, seen; /* seen: seconds of load that mean and var know */
    double needed, idle_joule, all_awake_joule;
    int64_t wakes, short_sleeps;
} ctw_cluster__state;

/* From a bag of kind "cluster" or NULL. */
void ctw_cluster__options(ctw_cluster__state *c, const ctw_params *params);
/* One server, awake. */
ctw_cluster__server ctw_cluster__server_of(size_t name, double capacity, double idle, double sleep, double wake_s,
                                           double wake_joule);
/* Fills n servers, all awake, in the order of idle power per capacity; `order` and `key` (n each) are scratch. */
void ctw_cluster__fill(ctw_cluster__server *at, size_t *order, double *key, size_t n, const double *capacity,
                       const double *idle, const double *sleep, const double *wake_s, const double *wake_joule);
/* Nothing has happened yet: the clock, the load seen, the energies and counts. States of servers are left. */
void ctw_cluster__restart(ctw_cluster__state *c);
/* Adds `by` to all times: the clock they were told in has changed. */
void ctw_cluster__move(ctw_cluster__state *c, double by);
/* Time passes to now_s (not before the last), load as for ctw_cluster_update. Returns the capacity awake or on its way
 * among the needed. */
double ctw_cluster__step(ctw_cluster__state *c, double now_s, double load);

#endif
