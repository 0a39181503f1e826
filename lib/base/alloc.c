/* alloc.c: blocks with a 16-byte prefix that holds their size. The prefix costs a little memory and buys
 * that no caller in the library can pass a wrong old size to the host's allocator. */
#include "base/alloc.h"
#include "base/ctx_internal.h"
#include "base/error.h"
#include <string.h>

enum { PREFIX = 16 };

static int total_size(size_t count, size_t size, size_t *out)
{
    if (size && count > (SIZE_MAX - PREFIX) / size) return -1;
    *out = count * size + PREFIX;
    return 0;
}

static size_t block_size(const unsigned char *block)
{
    size_t n;
    memcpy(&n, block, sizeof n);
    return n;
}

static void *with_prefix(unsigned char *block, size_t total)
{
    memcpy(block, &total, sizeof total);
    return block + PREFIX;
}

void *ctw_base__realloc(ctw_ctx *ctx, void *ptr, size_t count, size_t size)
{
    size_t total;
    if (total_size(count, size, &total)) {
        ctw_base__nomem();
        return NULL;
    }
    unsigned char *old = ptr ? (unsigned char *)ptr - PREFIX : NULL;
    unsigned char *block = ctx->alloc(ctx->alloc_user, old, old ? block_size(old) : 0, total);
    if (!block) {
        ctw_base__nomem();
        return NULL;
    }
    return with_prefix(block, total);
}

void *ctw_base__alloc(ctw_ctx *ctx, size_t count, size_t size)
{
    return ctw_base__realloc(ctx, NULL, count, size);
}

void *ctw_base__calloc(ctw_ctx *ctx, size_t count, size_t size)
{
    void *p = ctw_base__realloc(ctx, NULL, count, size);
    if (p) memset(p, 0, count * size);
    return p;
}

void ctw_base__free(ctw_ctx *ctx, void *ptr)
{
    if (!ptr) return;
    unsigned char *block = (unsigned char *)ptr - PREFIX;
    ctx->alloc(ctx->alloc_user, block, block_size(block), 0);
}

void *ctw_base__dup(ctw_ctx *ctx, const void *src, size_t count, size_t size)
{
    void *p = ctw_base__alloc(ctx, count, size);
    if (p && count && size) memcpy(p, src, count * size);
    return p;
}

char *ctw_base__strdup(ctw_ctx *ctx, const char *text)
{
    return ctw_base__dup(ctx, text, strlen(text) + 1, 1);
}

ctw_status ctw_base__grow(ctw_ctx *ctx, void **ptr, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap) return CTW_OK;
    size_t want = *cap < 8 ? 8 : *cap;
    while (want < need) {
        if (want > SIZE_MAX / 2) return ctw_base__nomem();
        want *= 2;
    }
    void *grown = ctw_base__realloc(ctx, *ptr, want, size);
    if (!grown) return CTW_E_NOMEM;
    *ptr = grown;
    *cap = want;
    return CTW_OK;
}
