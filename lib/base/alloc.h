/* alloc.h: every allocation of the library goes through the context's one allocator
 * function. Blocks remember their size, so that callers need not repeat it when freeing. */
#ifndef CTW_BASE_ALLOC_H
#define CTW_BASE_ALLOC_H

#include <cybertwin/base.h>
#include <stddef.h>

/* All three: NULL and the thread's error text set (status to return: CTW_E_NOMEM) when out of
 * memory or when count * size overflows. Size 0 gives a valid, unique block. 16-byte aligned. */
void *ctw_base__alloc(ctw_ctx *ctx, size_t count, size_t size);
void *ctw_base__calloc(ctw_ctx *ctx, size_t count, size_t size);
/* On failure the old block stays valid. ptr NULL allocates. New bytes are not zeroed. */
void *ctw_base__realloc(ctw_ctx *ctx, void *ptr, size_t count, size_t size);
/* ptr NULL is a no-op. */
void ctw_base__free(ctw_ctx *ctx, void *ptr);

/* Copies; NULL when out of memory. dup of n == 0 gives a valid block. */
void *ctw_base__dup(ctw_ctx *ctx, const void *src, size_t count, size_t size);
char *ctw_base__strdup(ctw_ctx *ctx, const char *text);

/* Grows *ptr (elements of `size` bytes, capacity *cap) to hold at least `need` elements, by
 * doubling; CTW_E_NOMEM leaves both untouched. */
ctw_status ctw_base__grow(ctw_ctx *ctx, void **ptr, size_t *cap, size_t need, size_t size);

/* Typed shorthands: CTW_NEW(ctx, 10, double) is a zeroed double[10] or NULL. */
#define CTW_NEW(ctx, count, type) ((type *)ctw_base__calloc((ctx), (count), sizeof(type)))

#endif
