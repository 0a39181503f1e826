/* governor_core.h: the decision rule and the replay of recorded requests under a rule, without any handle. */
#ifndef CTW_POWER_GOVERNOR_CORE_H
#define CTW_POWER_GOVERNOR_CORE_H

#include <cybertwin/base.h>
#include <stddef.h>

#define CTW_GOVERNOR_POINTS 64
#define CTW_GOVERNOR_PACE   9 /* eight intervals: longer memories see a burst when it is over */

/* Operating points, from slow to fast (ascending frequency where there is one clock). `top` is the highest index the
 * cap allows. */
typedef struct ctw_power__plan {
    size_t n, top;
    double switch_joule;             /* what each change of point costs */
    double mem[CTW_GOVERNOR_POINTS]; /* memory clocks; 0: not told */
    double mhz[CTW_GOVERNOR_POINTS], slow[CTW_GOVERNOR_POINTS], watts[CTW_GOVERNOR_POINTS], idle[CTW_GOVERNOR_POINTS];
} ctw_power__plan;

typedef struct ctw_power__rule {
    int fixed;    /* this point always, or -1 */
    int park;     /* a fixed rule that idles at the lowest point */
    double guard; /* share of the slack that may be used */
    double price; /* of time, and of time for each waiting request, in units of the top point's watts */
    double queue_price;
    double load_price; /* of time, for each unit of recent load */
} ctw_power__rule;

/* The last arrivals, which tell how busy it is right now. */
typedef struct ctw_power__pace {
    double arrival[CTW_GOVERNOR_PACE], work[CTW_GOVERNOR_PACE];
    size_t n; /* arrivals so far */
} ctw_power__pace;

void ctw_power__pace_add(ctw_power__pace *p, double arrival, double work);
/* Work that came lately for each second; neutral before enough came. */
double ctw_power__pace_load(const ctw_power__pace *p, double now);

/* Waiting requests from the one in service on; work in seconds at the top point. */
typedef struct ctw_power__waiting {
    const double *work, *deadline;
    size_t n;
    double head_left; /* of work[0] */
    double load;      /* ctw_power__pace_load */
} ctw_power__waiting;

/* Index of the point for now, coming from point `at`. */
size_t ctw_power__rule_decide(const ctw_power__plan *plan, const ctw_power__rule *rule, const ctw_power__waiting *q,
                              double now, size_t at);
/* The point while nothing waits. */
size_t ctw_power__rule_idle(const ctw_power__rule *rule);

/* Recorded requests in order of service. `guess` is the work the governor was told. */
typedef struct ctw_power__record {
    const double *arrival, *work, *guess, *deadline;
    size_t n;
} ctw_power__record;

typedef struct ctw_power__outcome {
    double joule, seconds;
    size_t late;
} ctw_power__outcome;

/* One server that works the record in order under one rule, a decision at each arrival and completion; a change of
 * point takes effect `lag` seconds later and costs the plan's switch_joule. It can be stopped and go on. */
typedef struct ctw_power__server {
    double now, joule, begin;
    double since;      /* when the order takes effect */
    double left;       /* of the request in service; 0: none begun */
    size_t at, wanted; /* point in effect, and the one ordered */
    size_t served, seen;
    size_t late;
} ctw_power__server;

void ctw_power__server_start(ctw_power__server *s, const ctw_power__plan *plan, const ctw_power__rule *rule,
                             const ctw_power__record *r);
/* Works until the last recorded request is seen, whose successor it must know to go on; `last`: to the end. */
void ctw_power__server_run(ctw_power__server *s, const ctw_power__plan *plan, const ctw_power__rule *rule,
                           const ctw_power__record *r, double lag, int last);

/* The whole record at once. */
void ctw_power__rule_replay(const ctw_power__plan *plan, const ctw_power__rule *rule, const ctw_power__record *r,
                            double lag, ctw_power__outcome *out);

#endif
