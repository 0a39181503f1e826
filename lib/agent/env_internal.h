/* env_internal.h: what the run loop reads of an environment. */
#ifndef CTW_ENV_INTERNAL_H
#define CTW_ENV_INTERNAL_H

#include "base/handle.h"
#include <cybertwin/env.h>

#define CTW_ENV_MAGIC CTW_FOUR('E', 'N', 'V', 'T')

struct ctw_env {
    ctw_base__handle h;
    size_t dims, actions, lanes, real_dims; /* real_dims 0: discrete actions; else actions is 0 */
    ctw_env_reset_fn reset;
    ctw_env_step_fn step;
    ctw_env_step_real_fn step_real;
    ctw_env_mask_fn mask;
    void *user;
};

#endif
