/* fuzz_csv.c: any bytes as CSV: every record read, every field parsed in all three ways. */
#include <cybertwin/csv.h>

#include <stddef.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ctw_ctx *ctx;
    ctw_csv *csv;
    int32_t row = 1;
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 0;
    if (ctw_csv_open_mem(ctx, data, size, "fuzz", &csv) == CTW_OK) {
        while (ctw_csv_next(csv, &row) == CTW_OK && row)
            for (uint64_t i = 0; i < ctw_csv_columns(csv); i++) {
                const char *text;
                double f;
                int64_t k;
                if (ctw_csv_text(csv, i, &text, NULL) != CTW_OK) __builtin_trap();
                ctw_csv_f64(csv, i, &f);
                ctw_csv_i64(csv, i, &k);
            }
        ctw_csv_unref(csv);
    }
    ctw_ctx_unref(ctx);
    return 0;
}
