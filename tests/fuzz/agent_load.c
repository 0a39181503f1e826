/* Any bytes as a saved agent: refused, or usable without harm, and saved again as the same bytes. */
#include <cybertwin/agent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(ctw_agent *a)
{
    double x[64], w[64];
    int64_t act;
    uint64_t need;
    for (int i = 0; i < 64; i++) x[i] = i % 3;
    for (uint64_t n = 1; n <= 64; n++)
        for (int t = 0; t < 4; t++) {
            if (ctw_agent_act(a, x, n, NULL, &act) != CTW_OK) break;
            (void)ctw_agent_learn(a, 1, x, n, NULL, t == 3);
        }
    (void)ctw_agent_get_weights(a, NULL, 0, &need);
    if (need <= 64 && ctw_agent_get_weights(a, w, 64, &need) == CTW_OK)
        for (uint64_t i = 0; i < need; i++)
            if (!isfinite(w[i])) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ctw_ctx *ctx;
    ctw_agent *a;
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 0;
    if (ctw_agent_load_mem(ctx, data, size, &a) == CTW_OK) {
        use(a);
        ctw_agent_unref(a);
    }
    ctw_ctx_unref(ctx);
    return 0;
}
