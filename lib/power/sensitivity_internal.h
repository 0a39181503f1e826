/* sensitivity_internal.h: what was learned of one device's kernels. */
#ifndef CTW_POWER_SENSITIVITY_INTERNAL_H
#define CTW_POWER_SENSITIVITY_INTERNAL_H

#include "base/handle.h"
#include <cybertwin/sensitivity.h>

#define CTW_SENSITIVITY_MAGIC  CTW_FOUR('S', 'E', 'N', 'S')
#define CTW_SENSITIVITY_MOST_N 4096
#define CTW_SENSITIVITY_MOST_D 16

/* Exponent of the norm, the memory counter's saturation, width of the local mean (0: the rule alone). */
typedef struct ctw_sensitivity__form {
    double overlap, saturation, width;
} ctw_sensitivity__form;

struct ctw_sensitivity {
    ctw_base__handle h;
    size_t n, d;
    ctw_sensitivity__form how;
    double *counters, *deviation, *weight; /* one block: n x d, n, n */
};

#endif
