/* Any bytes as a saved guard or watch: a status or a handle that works. */
#include <cybertwin/guard.h>
#include <stddef.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use_guard(ctw_guard *g)
{
    uint64_t d = ctw_guard_features(g);
    double *row = calloc(d ? d : 1, sizeof *row), score;
    int32_t verdict;
    if (row && ctw_guard_check(g, row, 1, d, d, &score, &verdict) == CTW_OK && !(score >= 0.0)) abort();
    free(row);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ctw_ctx *ctx;
    ctw_guard *g;
    ctw_watch *w;
    int32_t state;
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 0;
    if (ctw_guard_load_mem(ctx, data, size, &g) == CTW_OK) use_guard(g);
    ctw_guard_unref(g);
    if (ctw_watch_load_mem(ctx, data, size, &w) == CTW_OK)
        for (int i = 0; i < 64; i++)
            if (ctw_watch_step(w, (i % 8) / 8.0, i & 1, &state) != CTW_OK) abort();
    ctw_watch_unref(w);
    ctw_ctx_unref(ctx);
    return 0;
}
