/* prior_internal.h: what the prior's files share: the applications known and, once fitted, mean, axes and variances. */
#ifndef CTW_AGENT_PRIOR_INTERNAL_H
#define CTW_AGENT_PRIOR_INTERNAL_H

#include "base/ctx.h"
#include "base/handle.h"
#include <cybertwin/prior.h>

#define CTW_PRIOR_MAGIC CTW_FOUR('P', 'R', 'I', 'R')
#define CTW_PRIOR_LEAST 1e-12 /* variance that every weight keeps */

struct ctw_prior {
    ctw_base__handle h;
    ctw_params *params;
    size_t dims, components;
    double ridge, noise, floor;
    double *known; /* rows of dims: the applications' weights */
    size_t n, cap;
    int fitted;
    size_t k;
    double *mean, *axis, *variance; /* dims; k rows of dims; k */
    double rest;                    /* variance of a weight beyond the components */
};

ctw_status ctw_prior__make(ctw_ctx *ctx, const ctw_params *params, const char *fn, ctw_prior **out);

#endif
