/* guard_internal.h: the fitted state of a guard, shared by its verbs and its file format. */
#ifndef CTW_GUARD_INTERNAL_H
#define CTW_GUARD_INTERNAL_H

#include "base/handle.h"
#include "num/mat.h"
#include <cybertwin/guard.h>

#define CTW_GUARD__MAGIC CTW_FOUR('G', 'U', 'R', 'D')

/* More features than this are refused: the covariance alone would be 128 MB. */
#define CTW_GUARD__MAX_D 4096

struct ctw_guard {
    ctw_base__handle h;
    ctw_params *params; /* own copy, stored with the model */
    double alpha, warn_at;
    double *mean;      /* d */
    double *inv_sd;    /* d: features are scaled to unit variance before anything else */
    ctw_num__mat chol; /* L of the shrunk correlation matrix, d x d */
    double *dist;      /* sorted distances of the held-out rows */
    size_t n_dist;
    double limit;
    size_t d; /* 0: unfitted */
};

/* Frees everything fitted, so that the guard is as after new. */
void ctw_guard__clear(ctw_guard *g);
/* Sets limit from the sorted distances; CTW_E_SHAPE when they are too few for alpha. */
ctw_status ctw_guard__calibrate(ctw_guard *g, const char *fn);

#endif
