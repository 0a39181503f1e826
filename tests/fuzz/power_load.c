/* Any bytes as a saved power model: refused, or usable without harm. */
#include <cybertwin/power.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ctw_ctx *ctx;
    ctw_power *p;
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 0;
    if (ctw_power_load_mem(ctx, data, size, &p) == CTW_OK) {
        double mhz, u = 0.4, out;
        for (uint64_t i = 0; i < ctw_power_point_count(p) && i < 8; i++) {
            if (ctw_power_point_at(p, i, &mhz) != CTW_OK) break;
            if (ctw_power_watts(p, &mhz, &u, 1, &out) == CTW_OK && !(out >= 0.0)) abort();
            if (ctw_power_slowdown(p, &mhz, NULL, 1, &out) == CTW_OK && !(out > 0.0)) abort();
        }
        (void)ctw_power_choose(p, 1.0, 0.5, 2.0, INFINITY, &mhz, &out, NULL);
        ctw_power_unref(p);
    }
    ctw_ctx_unref(ctx);
    return 0;
}
