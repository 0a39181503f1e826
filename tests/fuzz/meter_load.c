/* Any bytes as a saved meter: refused, or usable without harm; what loads saves to the same bytes again. */
#include <cybertwin/meter.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(ctw_meter *m)
{
    double x[32] = {1, 0, 3}, watts;
    int32_t beyond;
    for (uint64_t d = 1; d <= 32; d++) {
        if (ctw_meter_predict(m, x, 1, d, d, &watts, &beyond) != CTW_OK) continue;
        if (!(watts >= 0.0) || beyond < 0 || beyond > (int32_t)d) abort();
        (void)ctw_meter_update(m, x, d, watts * 1.1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ctw_ctx *ctx;
    ctw_meter *m, *again;
    uint64_t need = 0, most;
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 0;
    if (ctw_meter_load_mem(ctx, data, size, &m) == CTW_OK) {
        if (ctw_meter_save_mem(m, NULL, 0, &need) != CTW_OK) abort();
        unsigned char *one = malloc(2 * need), *two = one + need;
        if (!one || ctw_meter_save_mem(m, one, need, &need) != CTW_OK) abort();
        if (ctw_meter_load_mem(ctx, one, need, &again) != CTW_OK) abort();
        if (ctw_meter_save_mem(again, two, need, &most) != CTW_OK || most != need || memcmp(one, two, need)) abort();
        ctw_meter_unref(again);
        free(one);
        use(m);
        ctw_meter_unref(m);
    }
    ctw_ctx_unref(ctx);
    return 0;
}
