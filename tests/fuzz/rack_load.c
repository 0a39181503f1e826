/* Any bytes as a saved rack: refused, or usable without harm; what loads saves to the same bytes again. */
#include <cybertwin/rack.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(ctw_rack *x)
{
    double total;
    for (double budget = 10; budget < 1e9; budget *= 7) (void)ctw_rack_split(x, budget, NULL, NULL, &total);
    if (!(ctw_rack_margin(x) >= 0.0 && ctw_rack_margin(x) <= 0.5)) abort();
}

static void again(ctw_ctx *ctx, const ctw_rack *x)
{
    uint64_t need = 0, most;
    ctw_rack *q;
    if (ctw_rack_save_mem(x, NULL, 0, &need) != CTW_OK) abort();
    unsigned char *one = malloc(2 * need), *two = one + need;
    if (!one || ctw_rack_save_mem(x, one, need, &need) != CTW_OK) abort();
    if (ctw_rack_load_mem(ctx, one, need, &q) != CTW_OK) abort();
    if (ctw_rack_save_mem(q, two, need, &most) != CTW_OK || most != need || memcmp(one, two, need) != 0) abort();
    ctw_rack_unref(q);
    free(one);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ctw_ctx *ctx;
    ctw_rack *x;
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 0;
    if (ctw_rack_load_mem(ctx, data, size, &x) == CTW_OK) {
        again(ctx, x);
        use(x);
        ctw_rack_unref(x);
    }
    ctw_ctx_unref(ctx);
    return 0;
}
