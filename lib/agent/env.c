/* env.c: the handle around a host's callbacks. */
#include "agent/env_internal.h"
#include "base/ctx.h"

static void destroy(ctw_env *e)
{
    (void)e; /* owns nothing but itself */
}

CTW_DEFINE_REFS(ctw_env, destroy)

static ctw_status make(ctw_ctx *ctx, uint64_t dims, uint64_t lanes, ctw_env_reset_fn reset, int has_step, void *user,
                       const char *fn, ctw_env **out)
{
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    CTW_TRY(ctw_base__in_u64(dims, 1, 4096, fn, "dims"));
    CTW_TRY(ctw_base__in_u64(lanes, 1, 1024, fn, "lanes"));
    if (!reset || !has_step) return ctw_base__fail(CTW_E_ARG, "%s: %s is NULL", fn, reset ? "step" : "reset");
    ctw_env *e = ctw_base__handle_new(ctx, sizeof *e, CTW_ENV_MAGIC);
    if (!e) return CTW_E_NOMEM;
    e->dims = (size_t)dims;
    e->lanes = (size_t)lanes;
    e->reset = reset;
    e->user = user;
    *out = e;
    return CTW_OK;
}

ctw_status ctw_env_new(ctw_ctx *ctx, uint64_t dims, uint64_t actions, uint64_t lanes, ctw_env_reset_fn reset,
                       ctw_env_step_fn step, ctw_env_mask_fn mask, void *user, ctw_env **out)
{
    static const char fn[] = "ctw_env_new";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__in_u64(actions, 1, 256, fn, "actions"));
    CTW_TRY(make(ctx, dims, lanes, reset, step != NULL, user, fn, out));
    (*out)->actions = (size_t)actions;
    (*out)->step = step;
    (*out)->mask = mask;
    return CTW_OK;
}

ctw_status ctw_env_new_real(ctw_ctx *ctx, uint64_t dims, uint64_t real_dims, uint64_t lanes, ctw_env_reset_fn reset,
                            ctw_env_step_real_fn step, void *user, ctw_env **out)
{
    static const char fn[] = "ctw_env_new_real";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__in_u64(real_dims, 1, 64, fn, "real_dims"));
    CTW_TRY(make(ctx, dims, lanes, reset, step != NULL, user, fn, out));
    (*out)->real_dims = (size_t)real_dims;
    (*out)->step_real = step;
    return CTW_OK;
}
