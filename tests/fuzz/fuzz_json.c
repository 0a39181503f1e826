/* fuzz_json.c: any bytes as JSON: events until the end or the first error; brackets must balance. */
#include "io/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ctw_ctx *ctx;
    ctw_io__json *j;
    ctw_io__json_event ev;
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 0;
    if (ctw_io__json_open_mem(ctx, data, size, "fuzz", &j) == CTW_OK) {
        long depth = 0;
        while (ctw_io__json_next(j, &ev) == CTW_OK && ev != CTW_JSON_END) {
            double f;
            depth += (ev == CTW_JSON_OBJECT || ev == CTW_JSON_ARRAY) -
                     (ev == CTW_JSON_OBJECT_END || ev == CTW_JSON_ARRAY_END);
            if (depth < 0) __builtin_trap();
            if (ev == CTW_JSON_NUMBER || ev == CTW_JSON_STRING) ctw_io__json_f64(j, &f);
        }
        ctw_io__json_close(j);
    }
    ctw_ctx_unref(ctx);
    return 0;
}
