/* Any bytes as a saved memory of load curves: refused, or usable without harm; what loads saves to the same bytes
 * again. */
#include <cybertwin/power.h>
#include <cybertwin/shapes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(ctw_ctx *ctx, ctw_shapes *x)
{
    static const double u[] = {0, 0.5, 1}, w[] = {80, 200, 300};
    double f[32] = {1, 2, 3}, half = 0.3, out;
    ctw_power *p;
    for (uint64_t d = 0; d <= 32; d++) {
        if (ctw_shapes_count(x) == 0 && ctw_shapes_add(x, f, d, u, w, 3) != CTW_OK) continue;
        if (ctw_power_new(ctx, NULL, &p) != CTW_OK) return;
        if (ctw_power_set_shapes(p, x, f, d) == CTW_OK && ctw_power_fit(p, NULL, u, w, NULL, 3, NULL) == CTW_OK &&
            ctw_power_watts(p, NULL, &half, 1, &out) == CTW_OK && !(out >= 79.9 && out <= 300.1))
            abort();
        ctw_power_unref(p);
    }
}

static void again(ctw_ctx *ctx, const ctw_shapes *x)
{
    uint64_t need = 0, most;
    ctw_shapes *q;
    if (ctw_shapes_save_mem(x, NULL, 0, &need) != CTW_OK) abort();
    unsigned char *one = malloc(2 * need), *two = one + need;
    if (!one || ctw_shapes_save_mem(x, one, need, &need) != CTW_OK) abort();
    if (ctw_shapes_load_mem(ctx, one, need, &q) != CTW_OK) abort();
    if (ctw_shapes_save_mem(q, two, need, &most) != CTW_OK || most != need || memcmp(one, two, need) != 0) abort();
    ctw_shapes_unref(q);
    free(one);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ctw_ctx *ctx;
    ctw_shapes *x;
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 0;
    if (ctw_shapes_load_mem(ctx, data, size, &x) == CTW_OK) {
        again(ctx, x);
        use(ctx, x);
        ctw_shapes_unref(x);
    }
    ctw_ctx_unref(ctx);
    return 0;
}
