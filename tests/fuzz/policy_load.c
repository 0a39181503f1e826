/* Any bytes as a saved policy: refused, or usable without harm. */
#include <cybertwin/policy.h>
#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(ctw_policy *p)
{
    double x[64], u[64], w[256];
    int64_t act;
    uint64_t need;
    for (int i = 0; i < 64; i++) x[i] = i % 3;
    for (uint64_t n = 1; n <= 64; n++)
        for (int t = 0; t < 4; t++) {
            int done = ctw_policy_act(p, x, n, NULL, &act, NULL) == CTW_OK;
            for (uint64_t d = 1; !done && d < 8; d++) done = ctw_policy_act_real(p, x, n, u, d, NULL) == CTW_OK;
            if (!done) break;
            (void)ctw_policy_learn(p, 1, x, n, t == 3);
        }
    (void)ctw_policy_get_weights(p, NULL, 0, &need);
    if (need <= 256 && ctw_policy_get_weights(p, w, 256, &need) == CTW_OK)
        for (uint64_t i = 0; i < need; i++)
            if (!isfinite(w[i])) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ctw_ctx *ctx;
    ctw_policy *p;
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 0;
    if (ctw_policy_load_mem(ctx, data, size, &p) == CTW_OK) {
        use(p);
        ctw_policy_unref(p);
    }
    ctw_ctx_unref(ctx);
    return 0;
}
