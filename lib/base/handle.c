/* handle.c: counting, liveness and the busy flag of every public handle. */
#include "base/handle.h"
#include "base/ctx_internal.h"

void *ctw_base__handle_new(ctw_ctx *ctx, size_t size, uint32_t magic)
{
    ctw_base__handle *h = ctw_base__calloc(ctx, 1, size);
    if (!h) return NULL;
    h->magic = magic;
    atomic_init(&h->refs, 1);
    atomic_init(&h->busy, 0);
    h->ctx = ctw_ctx_ref(ctx);
    return h;
}

void ctw_base__handle_free(ctw_base__handle *h)
{
    ctw_ctx *ctx = h->ctx;
    h->magic = 0;
    ctw_base__free(ctx, h);
    ctw_ctx_unref(ctx);
}

ctw_status ctw_base__handle_check(const ctw_base__handle *h, uint32_t magic, const char *fn, const char *arg)
{
    if (!h) return ctw_base__fail(CTW_E_ARG, "%s: %s is NULL", fn, arg);
    if (h->magic != magic) return ctw_base__fail(CTW_E_STATE, "%s: %s is not a live handle of the right type", fn, arg);
    return CTW_OK;
}

ctw_status ctw_base__handle_enter(ctw_base__handle *h, uint32_t magic, const char *fn, const char *arg)
{
    CTW_TRY(ctw_base__handle_check(h, magic, fn, arg));
    if (atomic_exchange_explicit(&h->busy, 1, memory_order_acquire))
        return ctw_base__fail(CTW_E_BUSY, "%s: %s is inside another call", fn, arg);
    return CTW_OK;
}

void ctw_base__handle_leave(ctw_base__handle *h)
{
    atomic_store_explicit(&h->busy, 0, memory_order_release);
}

void ctw_base__handle_ref(ctw_base__handle *h)
{
    atomic_fetch_add_explicit(&h->refs, 1, memory_order_relaxed);
}

int ctw_base__handle_unref(ctw_base__handle *h)
{
    return atomic_fetch_sub_explicit(&h->refs, 1, memory_order_acq_rel) == 1;
}
