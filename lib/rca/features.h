/* features.h: one row of numbers for each component of a window: how it behaved, and how that differs from the
 * reference. Rows are ordered by the component's text, so that neither the order of calls nor of names matters. */
#ifndef CTW_RCA_FEATURES_H
#define CTW_RCA_FEATURES_H

#include "rca/reference.h"

enum {
    FEAT_RI,
    FEAT_CI,
    FEAT_RIX,
    FEAT_CIX,
    FEAT_RICP,
    FEAT_VAR,
    FEAT_LX_SELF,
    FEAT_LX_CLI,
    FEAT_LX_NET,
    FEAT_LX_EXCL,
    FEAT_EX_SELF,
    FEAT_EX_CLI,
    FEAT_EX_EXCL,
    FEAT_EX_NET,
    FEAT_EX_EXCL_SHARE,
    FEAT_D_CALLS,
    FEAT_D_SPANS,
    FEAT_D_OUT,
    FEAT_UP_FRAC,
    FEAT_DRI,
    FEAT_DCI,
    FEAT_LX_EXCL_MAX,
    FEAT_LX_EXCL90,
    FEAT_ERR,
    FEAT_ERR_UP,
    FEAT_WZ_EXCL,
    FEAT_LX_IN,
    FEAT_LX_OUT,
    FEAT_BLAME,
    FEAT_STRUCT,
    FEAT_FAIL,
    FEAT_EVIDENCE,
    FEAT_COUNT
};

typedef struct ctw_rca__feature {
    const char *name, *relative, *help; /* relative: its name when taken against the window's other components */
} ctw_rca__feature;
extern const ctw_rca__feature ctw_rca__features[FEAT_COUNT];

typedef struct ctw_rca__row {
    const char *name; /* borrowed from the calls' or the model's names */
    double z[FEAT_COUNT];
} ctw_rca__row;

/* names: the model's. The rows are the caller's to free. CTW_E_NOMEM. */
ctw_status ctw_rca__features_of(ctw_ctx *ctx, const ctw_rca__window *w, const ctw_rca__reference *ref,
                                const ctw_rca__names *names, ctw_rca__row **rows, size_t *n);

#endif
