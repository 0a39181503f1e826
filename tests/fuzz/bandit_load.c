/* Any bytes as a saved bandit: refused, or usable without harm. */
#include <cybertwin/bandit.h>
#include <stddef.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ctw_ctx *ctx;
    ctw_bandit *b;
    double x[64];
    int64_t arm;
    for (int i = 0; i < 64; i++) x[i] = i % 5;
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 0;
    if (ctw_bandit_load_mem(ctx, data, size, &b) == CTW_OK) {
        for (uint64_t n = 1; n <= 64; n++)
            for (int t = 0; t < 3; t++)
                if (ctw_bandit_choose(b, x, n, NULL, &arm) == CTW_OK) (void)ctw_bandit_update(b, arm, x, n, 1);
        ctw_bandit_unref(b);
    }
    ctw_ctx_unref(ctx);
    return 0;
}
