/* shapes_internal.h: the stored curves, and the query a fit makes. */
#ifndef CTW_POWER_SHAPES_INTERNAL_H
#define CTW_POWER_SHAPES_INTERNAL_H

#include "base/handle.h"
#include "power/curve.h"
#include <cybertwin/shapes.h>

#define CTW_SHAPES_MAGIC    CTW_FOUR('S', 'H', 'P', 'S')
#define CTW_SHAPES_GRID     21
#define CTW_SHAPES_FEATURES 32

struct ctw_shapes {
    ctw_base__handle h;
    ctw_params *params;
    size_t neighbours, n, cap, d;
    int32_t fixed_d;                                                   /* the first machine has set d */
    double *rows;                                                      /* n of d features, idle/peak, then the grid */
    double mean[CTW_SHAPES_FEATURES + 1], m2[CTW_SHAPES_FEATURES + 1]; /* running, for the scales */
};

/* The completed curve for a machine with these features and idle/peak ratio, through `known` (interior levels, u
 * ascending, g non-decreasing; may be empty), and the neighbours' spread around it. At least one machine stored. */
ctw_status ctw_shapes__complete(const ctw_shapes *s, const double *features, double idle_ratio,
                                const ctw_power__curve *known, ctw_power__curve *shape, ctw_power__curve *spread);

/* Room for n machines of d features in all, and fixes d; CTW_E_NOMEM leaves s as it was. */
ctw_status ctw_shapes__reserve(ctw_shapes *s, size_t n, size_t d);
/* Takes a row of s->d features, idle/peak and the grid, for which there must be room. */
void ctw_shapes__append(ctw_shapes *s, const double *row);

#endif
