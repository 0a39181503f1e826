/* Any bytes as a saved search for a power limit: refused, or usable without harm; what loads saves to the same bytes
 * again. */
#include <cybertwin/limit.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(ctw_limit *x)
{
    double w = 0, s;
    int32_t done;
    if (ctw_limit_next(x, &w, &done) != CTW_OK) abort();
    if (ctw_limit_best(x, &w, &s, NULL) == CTW_OK && !(s > 0.0)) abort();
    (void)ctw_limit_tell(x, w, 1.0, 100.0);
    if (ctw_limit_next(x, &w, &done) != CTW_OK) abort();
}

static void again(ctw_ctx *ctx, const ctw_limit *x)
{
    uint64_t need = 0, most;
    ctw_limit *q;
    if (ctw_limit_save_mem(x, NULL, 0, &need) != CTW_OK) abort();
    unsigned char *one = malloc(2 * need), *two = one + need;
    if (!one || ctw_limit_save_mem(x, one, need, &need) != CTW_OK) abort();
    if (ctw_limit_load_mem(ctx, one, need, &q) != CTW_OK) abort();
    if (ctw_limit_save_mem(q, two, need, &most) != CTW_OK || most != need || memcmp(one, two, need) != 0) abort();
    ctw_limit_unref(q);
    free(one);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ctw_ctx *ctx;
    ctw_limit *x;
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 0;
    if (ctw_limit_load_mem(ctx, data, size, &x) == CTW_OK) {
        again(ctx, x);
        use(x);
        ctw_limit_unref(x);
    }
    ctw_ctx_unref(ctx);
    return 0;
}
