/* Any bytes as a saved length predictor or execution-time model (the file says which): refused, or it predicts without
 * harm. */
#include <cybertwin/exec.h>
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
    ctw_exec *e;
    if (ctw_exec_load_mem(ctx, data, size, &e) == CTW_OK) {
        double v = 0;
        if (ctw_exec_seconds(e, 0, 10, 20, 2, &v) == CTW_OK && !(v >= 0)) abort();
        (void)ctw_exec_observe(e, 0, 10, 20, 2, 3);
        if (ctw_exec_seconds(e, 0, 10, 20, 2, &v) == CTW_OK && !(v >= 0)) abort();
        ctw_exec_unref(e);
    }
    ctw_ctx_unref(ctx);
    return 0;
}
