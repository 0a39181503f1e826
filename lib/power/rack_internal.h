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
};

/* rack_steps.c: fills steps (room for n_points) from the tables; CTW_E_NOMEM. */
ctw_status ctw_rack__order_steps(ctw_rack *f, const double *weight, const int64_t *priority);

#endif
