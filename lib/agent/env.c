/* env.c: the handle around a host's callbacks. */
#include "agent/env_internal.h"
#include "base/ctx.h"

static void destroy(ctw_env *e)
{
    (void)e; /* owns nothing but itself */
}

CTW_DEFINE_REFS(ctw_env, destroy)

ctw_status ctw_env_new(ctw_ctx *ctx, uint64_t dims, uint64_t actions, uint64_t lanes, ctw_env_reset_fn reset,
                       ctw_env_step_fn step, ctw_env_mask_fn mask, void *user, ctw_env **out)
{
    static const char fn[] = "ctw_env_new";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    CTW_TRY(ctw_base__in_u64(dims, 1, 4096, fn, "dims"));
    CTW_TRY(ctw_base__in_u64(actions, 1, 256, fn, "actions"));
    CTW_TRY(ctw_base__in_u64(lanes, 1, 1024, fn, "lanes"));
    if (!reset || !step) return ctw_base__fail(CTW_E_ARG, "%s: %s is NULL", fn, reset ? "step" : "reset");
    ctw_env *e = ctw_base__handle_new(ctx, sizeof *e, CTW_ENV_MAGIC);
    if (!e) return CTW_E_NOMEM;
    e->dims = (size_t)dims;
    e->actions = (size_t)actions;
    e->lanes = (size_t)lanes;
    e->reset = reset;
    e->step = step;
    e->mask = mask;
    e->user = user;
    *out = e;
    return CTW_OK;
}
