/* Any bytes as a saved length predictor: refused, or it predicts finite lengths without harm. */
#include <cybertwin/lengths.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ctw_ctx *ctx;
    ctw_lengths *l;
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 0;
    if (ctw_lengths_load_mem(ctx, data, size, &l) == CTW_OK) {
        double v;
        if (ctw_lengths_predict(l, (const char *)data, size, 0, 0.5, &v) == CTW_OK && v < 0) abort();
        (void)ctw_lengths_observe(l, (const char *)data, size, 0, 12);
        ctw_lengths_unref(l);
    }
    ctw_ctx_unref(ctx);
    return 0;
}
