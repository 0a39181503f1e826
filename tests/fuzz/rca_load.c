/* Any bytes as a saved localiser: refused, or usable without harm. */
#include <cybertwin/rca.h>
#include <cybertwin/spans.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(ctw_ctx *ctx, ctw_rca *m)
{
    ctw_calls *c;
    ctw_ranking *r;
    int64_t trace[3] = {1, 1, 2}, name[3], op[3], caller[3];
    double root[3] = {100, 100, 50}, v[3 * CTW_CALL_COLUMNS];
    for (int i = 0; i < 3 * CTW_CALL_COLUMNS; i++) v[i] = i % 7;
    if (ctw_calls_new(ctx, NULL, &c) != CTW_OK) return;
    for (int i = 0; i < 3; i++) {
        caller[i] = -1;
        if (ctw_calls_name(c, i ? "cart" : "front", &name[i]) || ctw_calls_name(c, "serve", &op[i])) abort();
    }
    if (ctw_calls_add(c, 3, trace, root, name, op, caller, v, CTW_CALL_COLUMNS)) abort();
    if (ctw_rca_rank(m, c, NULL, &r) == CTW_OK) {
        for (uint64_t i = 0; i < ctw_ranking_count(r); i++) {
            const char *text;
            double score;
            if (ctw_ranking_at(r, i, &text, &score)) abort();
        }
        ctw_ranking_unref(r);
    }
    (void)ctw_rca_learn(m, c, NULL);
    (void)ctw_rca_add_case(m, c, NULL, 0);
    ctw_calls_unref(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static ctw_ctx *ctx;
    ctw_rca *m;
    if (!ctx && ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 0;
    if (ctw_rca_load_mem(ctx, data, size, &m) == CTW_OK) {
        use(ctx, m);
        ctw_rca_unref(m);
    }
    return 0;
}
