/* forecast_load.c: any bytes as a saved forecaster; whatever loads must forecast, go on and save again. */
#include <cybertwin/cybertwin.h>
#include <stddef.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ctw_ctx *ctx = NULL;
    ctw_forecast *f = NULL;
    double m[30], lo[30], hi[30], next[3] = {10, 11, 12};
    uint64_t need = 0;
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 0;
    if (ctw_forecast_load_mem(ctx, data, size, &f) == CTW_OK) {
        if (ctw_forecast_predict(f, 30, 0.9, NULL, 0, m, lo, hi) != CTW_OK) abort();
        (void)ctw_forecast_update(f, next, 3, 1, NULL, 0);
        (void)ctw_forecast_scenarios(f, 30, 1, 0, m, 30);
        if (ctw_forecast_save_mem(f, NULL, 0, &need) != CTW_OK) abort();
    }
    ctw_forecast_unref(f);
    ctw_ctx_unref(ctx);
    return 0;
}
