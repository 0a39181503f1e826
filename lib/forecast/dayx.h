/* dayx.h: what the day models look at: regression features of each lead, and kernel features of each lead
 * day. Both use nothing after the start of the day they are asked for. */
#ifndef CTW_FORECAST_DAYX_H
#define CTW_FORECAST_DAYX_H

#include "forecast/days.h"

/* Which sources carry features (more than 1 % of the generation in training), the same at fit and forecast. */
typedef struct ctw_forecast__dayx {
    size_t kept;
    size_t source[CTW_FEED__SOURCES];
    size_t common, special; /* regression features shared by all leads, and those of one lead */
    size_t kernel;          /* kernel features of one lead day */
} ctw_forecast__dayx;

/* Chooses sources over days [from, to) and counts the features. */
void ctw_forecast__dayx_init(ctw_forecast__dayx *x, const ctw_forecast__days *d, size_t from, size_t to);
/* Counts only, for given sources. */
void ctw_forecast__dayx_count(ctw_forecast__dayx *x, const ctw_forecast__days *d);
/* What the regression rows of the origin at the start of day r (7 <= r <= n) share: origin_size doubles. */
size_t ctw_forecast__dayx_origin_size(const ctw_forecast__dayx *x, const ctw_forecast__days *d);
void ctw_forecast__dayx_origin(const ctw_forecast__dayx *x, const ctw_forecast__days *d, size_t r, double *out);
/* The regression row of one lead: common + special features. */
void ctw_forecast__dayx_row(const ctw_forecast__dayx *x, const ctw_forecast__days *d, size_t r, const double *origin,
                            size_t lead, double *out);
/* Kernel features of lead day j. */
void ctw_forecast__dayx_kernel(const ctw_forecast__dayx *x, const ctw_forecast__days *d, size_t r, size_t j,
                               double *out);
/* Group of each kernel feature (features of a group are scaled together) and the group's weight. group[kernel],
 * weight[kernel] (at most as many groups as features); returns the number of groups. */
size_t ctw_forecast__dayx_groups(const ctw_forecast__dayx *x, const ctw_forecast__days *d, size_t *group,
                                 double *weight);
/* Mean of step hh over the seven days before r. */
double ctw_forecast__dayx_base(const ctw_forecast__days *d, size_t r, size_t hh);

#endif
