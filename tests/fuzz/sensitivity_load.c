/* Any bytes as a saved sensitivity: refused, or usable without harm; what loads saves to the same bytes again. */
#include <cybertwin/sensitivity.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(ctw_sensitivity *x)
{
    static const double c[16] = {0.4, 0.2};
    double m, p;
    for (uint64_t d = 1; d <= 16; d++)
        if (ctw_sensitivity_predict(x, c, 1, d, &m, &p) == CTW_OK && !(m >= 0.0 && m <= 1.0 && p >= 1.0)) abort();
}

static void again(ctw_ctx *ctx, const ctw_sensitivity *x)
{
    uint64_t need = 0, most;
    ctw_sensitivity *q;
    if (ctw_sensitivity_save_mem(x, NULL, 0, &need) != CTW_OK) abort();
    unsigned char *one = malloc(2 * need), *two = one + need;
    if (!one || ctw_sensitivity_save_mem(x, one, need, &need) != CTW_OK) abort();
    if (ctw_sensitivity_load_mem(ctx, one, need, &q) != CTW_OK) abort();
    if (ctw_sensitivity_save_mem(q, two, need, &most) != CTW_OK || most != need || memcmp(one, two, need) != 0) abort();
    ctw_sensitivity_unref(q);
    free(one);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ctw_ctx *ctx;
    ctw_sensitivity *x;
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 0;
    if (ctw_sensitivity_load_mem(ctx, data, size, &x) == CTW_OK) {
        again(ctx, x);
        use(x);
        ctw_sensitivity_unref(x);
    }
    ctw_ctx_unref(ctx);
    return 0;
}
