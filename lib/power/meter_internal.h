/* meter_internal.h: what a meter consists of: plain numbers, so that it can be saved. */
#ifndef CTW_POWER_METER_INTERNAL_H
#define CTW_POWER_METER_INTERNAL_H

#include "base/handle.h"
#include <cybertwin/meter.h>

#define CTW_METER_MAGIC    CTW_FOUR('M', 'E', 'T', 'R')
#define CTW_METER_COUNTERS 32
#define CTW_METER_POWERS   4
#define CTW_METER_TERMS    (1 + CTW_METER_COUNTERS * CTW_METER_POWERS)

struct ctw_meter {
    ctw_base__handle h;
    ctw_params *params;
    double gain, drift_limit;
    int linear, fitted;
    size_t d;
    double mean[CTW_METER_COUNTERS], max[CTW_METER_COUNTERS], coef[CTW_METER_TERMS];
    double bias, error, up, down; /* up, down: cumulative sums */
    int32_t drifting;
};

/* Number of coefficients in use. */
size_t ctw_meter__terms(const ctw_meter *m);

#endif
