/* handle.h: what every public handle begins with: a magic that tells a live handle of the right
 * type from garbage, an atomic count, a busy flag, and the context it keeps alive. */
#ifndef CTW_BASE_HANDLE_H
#define CTW_BASE_HANDLE_H

#include "base/alloc.h"
#include "base/check.h"
#include "base/error.h"
#include <cybertwin/base.h>
#include <stdatomic.h>

typedef struct ctw_base__handle {
    uint32_t magic; /* set at init, cleared at the last unref */
    atomic_uint refs;
    atomic_uint busy;
    ctw_ctx *ctx;
} ctw_base__handle;

/* Four letters as a magic or file kind, e.g. CTW_FOUR('F','C','S','T'). */
#define CTW_FOUR(a, b, c, d) ((uint32_t)(a) | ((uint32_t)(b) << 8) | ((uint32_t)(c) << 16) | ((uint32_t)(d) << 24))

/* Allocates a zeroed object of `size` bytes that starts with a ctw_base__handle: refs 1, ctx retained.
 * NULL (error text set) when out of memory. */
void *ctw_base__handle_new(ctw_ctx *ctx, size_t size, uint32_t magic);
/* Frees the object itself and drops its context; the members have been freed by the caller. */
void ctw_base__handle_free(ctw_base__handle *h);
/* CTW_E_ARG for NULL, CTW_E_STATE for a dead or foreign handle. */
ctw_status ctw_base__handle_check(const ctw_base__handle *h, uint32_t magic, const char *fn, const char *arg);
/* The check, then takes the busy flag: CTW_E_BUSY when another call is inside. Pair with leave. */
ctw_status ctw_base__handle_enter(ctw_base__handle *h, uint32_t magic, const char *fn, const char *arg);
void ctw_base__handle_leave(ctw_base__handle *h);
void ctw_base__handle_ref(ctw_base__handle *h);
/* True when that was the last owner: the caller then frees the members and calls handle_free. */
int ctw_base__handle_unref(ctw_base__handle *h);

/* Defines TYPE_ref and TYPE_unref for a struct TYPE whose first member is `ctw_base__handle h`;
 * destroy(TYPE *) frees the members. */
#define CTW_DEFINE_REFS(type, destroy)                    \
    type *type##_ref(type *x)                             \
    {                                                     \
        if (x) ctw_base__handle_ref(&x->h);               \
        return x;                                         \
    }                                                     \
    void type##_unref(type *x)                            \
    {                                                     \
        if (!x || !ctw_base__handle_unref(&x->h)) return; \
        destroy(x);                                       \
        ctw_base__handle_free(&x->h);                     \
    }

#endif
