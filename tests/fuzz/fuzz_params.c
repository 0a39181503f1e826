/* fuzz_params.c: kind, key and text of ctw_params_set_text from the input's three lines; a value that was
 * accepted must read back through the typed getter. */
#include <cybertwin/base.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char copy[512], *line[3];
    ctw_ctx *ctx;
    ctw_params *p;
    if (size >= sizeof copy) return 0;
    memcpy(copy, data, size);
    copy[size] = 0;
    line[0] = copy;
    for (int i = 1; i < 3; i++) {
        line[i] = strchr(line[i - 1], '\n');
        if (!line[i]) return 0;
        *line[i]++ = 0;
    }
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 0;
    if (ctw_params_new(ctx, line[0], &p) == CTW_OK) {
        double lo, hi, v;
        if (ctw_params_set_text(p, line[1], line[2]) == CTW_OK && ctw_params_get_f64(p, line[1], &v) == CTW_OK) {
            if (ctw_params_bounds_f64(p, line[1], &lo, &hi, NULL) != CTW_OK || !(v >= lo && v <= hi)) __builtin_trap();
        }
        ctw_params_unref(p);
    }
    ctw_ctx_unref(ctx);
    return 0;
}
