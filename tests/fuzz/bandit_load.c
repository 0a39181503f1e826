/* Any bytes as a saved bandit or prior (the file says which): refused, or usable without harm. */
#include <cybertwin/bandit.h>
#include <cybertwin/prior.h>
#include <stddef.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use_bandit(ctw_bandit *b)
{
    double x[64];
    int64_t arm;
    for (int i = 0; i < 64; i++) x[i] = i % 5;
    for (uint64_t n = 1; n <= 64; n++)
        for (int t = 0; t < 3; t++)
            if (ctw_bandit_choose(b, x, n, NULL, &arm) == CTW_OK) (void)ctw_bandit_update(b, arm, x, n, 1);
}

static void use_prior(ctw_prior *p)
{
    double x[16], w[16];
    for (int i = 0; i < 16; i++) x[i] = i % 5;
    for (uint64_t n = 1; n <= 16; n++) {
        (void)ctw_prior_posterior(p, x, NULL, x, 1, n, n, 0.5, w);
        if (ctw_prior_add(p, x, n) == CTW_OK) (void)ctw_prior_fit(p);
        (void)ctw_prior_posterior(p, x, x, x, 1, n, n, 0.5, w);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ctw_ctx *ctx;
    ctw_bandit *b;
    ctw_prior *p;
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 0;
    if (ctw_bandit_load_mem(ctx, data, size, &b) == CTW_OK) {
        use_bandit(b);
        ctw_bandit_unref(b);
    }
    if (ctw_prior_load_mem(ctx, data, size, &p) == CTW_OK) {
        use_prior(p);
        ctw_prior_unref(p);
    }
    ctw_ctx_unref(ctx);
    return 0;
}
