/* rack_internal.h: machines behind a feed as flat columns, and the order in which their points are raised. */
#ifndef CTW_POWER_RACK_INTERNAL_H
#define CTW_POWER_RACK_INTERNAL_H

#include "base/handle.h"
#include <cybertwin/rack.h>

#define CTW_RACK_MAGIC CTW_FOUR('R', 'A', 'C', 'K')

/* One raise: machine from point `from` to `to` of its own list. */
typedef struct ctw_rack__step {
    uint32_t machine;
    uint16_t from, to;
} ctw_rack__step;

/* Limits below the budget (rack_feeds.c); n 0: none. */
typedef struct ctw_rack__feeds {
    size_t n;
    double *limit, *left; /* left: scratch of a split */
    int32_t *parent, *of; /* -1: directly under the budget; feed of each machine */
} ctw_rack__feeds;

struct ctw_rack {
    ctw_base__handle h;
    ctw_params *params;
    double fairness, gain, margin_sd, margin_least;
    size_t n, n_points, n_steps;
    size_t *first;                /* n + 1 */
    double *watts, *slow;         /* n_points */
    double *correction;           /* n: measured over modelled power */
    int32_t *at;                  /* n: point of the last split; -1 before any */
    ctw_rack__step *steps;        /* by priority, then benefit per watt */
    double error_mean, error_var; /* of the total, relative; exponentially weighted */
    double budget;                /* of the last split */
    int64_t observed;
    ctw_rack__feeds feeds;
};

/* rack_feeds.c: what is left for a machine under all feeds above it, `left` included; taking some; starting a split
 * with `share` of each limit; the first feed that is over its whole limit then (n: none). */
double ctw_rack__feeds_left(const ctw_rack__feeds *t, size_t machine, double left);
void ctw_rack__feeds_take(ctw_rack__feeds *t, size_t machine, double watts);
void ctw_rack__feeds_begin(ctw_rack__feeds *t, double share);
size_t ctw_rack__feeds_broken(const ctw_rack__feeds *t, double share);
void ctw_rack__drop_feeds(ctw_ctx *ctx, ctw_rack__feeds *t);

/* rack_steps.c: fills steps (room for n_points) from the tables; CTW_E_NOMEM. */
ctw_status ctw_rack__order_steps(ctw_rack *f, const double *weight, const int64_t *priority);

#endif
