/* Any bytes as a saved twin: a status, or a twin that runs for an hour and reports. */
#include <cybertwin/twin.h>
#include <stddef.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ctw_ctx *ctx;
    ctw_twin *t;
    ctw_report *r = NULL;
    ctw_cancel *stop = NULL;
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 0;
    if (ctw_twin_load_mem(ctx, data, size, &t) == CTW_OK && ctw_cancel_new(ctx, &stop) == CTW_OK) {
        (void)ctw_cancel_set_deadline(stop, 0.5);
        (void)ctw_twin_run(t, ctw_twin_now(t) + 3600.0, stop);
        (void)ctw_twin_report(t, &r);
    }
    ctw_report_unref(r);
    ctw_cancel_unref(stop);
    ctw_twin_unref(t);
    ctw_ctx_unref(ctx);
    return 0;
}
