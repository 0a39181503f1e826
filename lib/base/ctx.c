/* ctx.c: the context: allocator, log sink, seed, and the count that keeps it alive while handles do. */
#include "base/ctx.h"
#include "base/ctx_internal.h"
#include "base/error.h"
#include "base/pages.h"

ctw_status ctw_ctx_new(ctw_alloc_fn alloc, void *user, ctw_ctx **out)
{
    if (!out) return ctw_base__fail(CTW_E_ARG, "ctw_ctx_new: out is NULL");
    *out = NULL;
    if (!alloc) alloc = ctw_base__default_alloc;
    ctw_ctx *ctx = alloc(user, NULL, 0, sizeof *ctx);
    if (!ctx) return ctw_base__nomem();
    *ctx = (ctw_ctx){.magic = CTW_CTX_MAGIC, .alloc = alloc, .alloc_user = user, .log_level = -1};
    atomic_init(&ctx->refs, 1);
    *out = ctx;
    return CTW_OK;
}

ctw_ctx *ctw_ctx_ref(ctw_ctx *ctx)
{
    if (ctx) atomic_fetch_add_explicit(&ctx->refs, 1, memory_order_relaxed);
    return ctx;
}

void ctw_ctx_unref(ctw_ctx *ctx)
{
    if (!ctx || atomic_fetch_sub_explicit(&ctx->refs, 1, memory_order_acq_rel) != 1) return;
    ctx->magic = 0;
    ctx->alloc(ctx->alloc_user, ctx, sizeof *ctx, 0);
}

ctw_status ctw_base__ctx_check(const ctw_ctx *ctx, const char *fn)
{
    if (!ctx) return ctw_base__fail(CTW_E_ARG, "%s: ctx is NULL", fn);
    if (ctx->magic != CTW_CTX_MAGIC) return ctw_base__fail(CTW_E_STATE, "%s: ctx is not a live context", fn);
    return CTW_OK;
}

ctw_status ctw_ctx_set_log(ctw_ctx *ctx, ctw_log_fn fn, void *user, int32_t max_level)
{
    CTW_TRY(ctw_base__ctx_check(ctx, "ctw_ctx_set_log"));
    if (max_level < CTW_LOG_ERROR || max_level > CTW_LOG_DEBUG)
        return ctw_base__fail(CTW_E_RANGE, "ctw_ctx_set_log: max_level is %d, must be 0 to 3", (int)max_level);
    ctx->log = fn;
    ctx->log_user = user;
    ctx->log_level = fn ? max_level : -1;
    return CTW_OK;
}

ctw_status ctw_ctx_set_seed(ctw_ctx *ctx, uint64_t seed)
{
    CTW_TRY(ctw_base__ctx_check(ctx, "ctw_ctx_set_seed"));
    ctx->seed = seed;
    return CTW_OK;
}

uint64_t ctw_base__seed(const ctw_ctx *ctx)
{
    return ctx->seed;
}

void ctw_base__log(const ctw_ctx *ctx, int32_t level, const char *origin, const char *fmt, ...)
{
    if (level > ctx->log_level) return;
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    ctw_base__vformat(text, sizeof text, fmt, ap);
    va_end(ap);
    ctx->log(ctx->log_user, level, origin, text);
}
