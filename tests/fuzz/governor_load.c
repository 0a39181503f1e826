/* Any bytes as a saved governor: refused, or usable without harm; what loads saves to the same bytes again. */
#include <cybertwin/governor.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(ctw_governor *x)
{
    double f, w;
    ctw_report *r;
    for (int i = 0; i < 20; i++) (void)ctw_governor_arrive(x, i, 1.0 + i, 0.5, 4.0 + i);
    if (ctw_governor_decide(x, 30.0, &f, &w) == CTW_OK && !(f > 0.0 && w >= 0.0)) abort();
    for (int i = 0; i < 20; i++) (void)ctw_governor_complete(x, i, 30.0 + i, 0.5);
    (void)ctw_governor_tune(x, NULL);
    if (ctw_governor_report(x, &r) == CTW_OK) ctw_report_unref(r);
}

static void again(ctw_ctx *ctx, const ctw_governor *x)
{
    uint64_t need = 0, most;
    ctw_governor *q;
    if (ctw_governor_save_mem(x, NULL, 0, &need) != CTW_OK) abort();
    unsigned char *one = malloc(2 * need), *two = one + need;
    if (!one || ctw_governor_save_mem(x, one, need, &need) != CTW_OK) abort();
    if (ctw_governor_load_mem(ctx, one, need, &q) != CTW_OK) abort();
    if (ctw_governor_save_mem(q, two, need, &most) != CTW_OK || most != need || memcmp(one, two, need) != 0) abort();
    ctw_governor_unref(q);
    free(one);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ctw_ctx *ctx;
    ctw_governor *x;
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 0;
    if (ctw_governor_load_mem(ctx, data, size, &x) == CTW_OK) {
        again(ctx, x);
        use(x);
        ctw_governor_unref(x);
    }
    ctw_ctx_unref(ctx);
    return 0;
}
