/* Any bytes as spans: the first byte chooses JSON or CSV. Refused, or analysed to the end without harm. */
#include <cybertwin/spans.h>
#include <stddef.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ctw_ctx *ctx;
    ctw_spans *s;
    ctw_calls *c;
    if (size < 1 || ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 0;
    if (ctw_spans_new(ctx, NULL, &s) == CTW_OK) {
        ctw_status st = data[0] & 1 ? ctw_spans_read_csv_mem(s, data + 1, size - 1, "fuzz", NULL)
                                    : ctw_spans_read_json_mem(s, data + 1, size - 1, "fuzz", NULL);
        if (st != CTW_OK && ctw_spans_count(s)) abort();
        if (ctw_calls_new(ctx, NULL, &c) == CTW_OK) {
            if (ctw_calls_add_spans(c, s, NULL) != CTW_OK) abort();
            uint64_t n = 0;
            if (ctw_spans_count(s)) (void)ctw_spans_path(s, 0, 0, NULL, NULL, NULL, &n);
            ctw_calls_unref(c);
        }
        ctw_spans_unref(s);
    }
    ctw_ctx_unref(ctx);
    return 0;
}
