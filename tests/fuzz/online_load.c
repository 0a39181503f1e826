/* Any bytes as a saved online window: refused, or usable without harm. */
#include <cybertwin/online.h>
#include <stddef.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A localiser that knows the names of the committed window. */
static ctw_rca *localiser(ctw_ctx *ctx)
{
    ctw_calls *c;
    ctw_rca *m;
    int64_t trace[6] = {1, 1, 2, 2, 3, 3}, name[6], op[6], caller[6];
    double root[6] = {100, 100, 50, 50, 70, 70}, v[6 * CTW_CALL_COLUMNS];
    for (int i = 0; i < 6 * CTW_CALL_COLUMNS; i++) v[i] = i % 7;
    if (ctw_calls_new(ctx, NULL, &c) || ctw_rca_new(ctx, NULL, &m)) abort();
    for (int i = 0; i < 6; i++)
        if (ctw_calls_name(c, i % 2 ? "cart" : "front", &name[i]) || ctw_calls_name(c, "serve", &op[i])) abort();
    for (int i = 0; i < 6; i++) caller[i] = i % 2 ? name[0] : -1;
    if (ctw_calls_add(c, 6, trace, root, name, op, caller, v, CTW_CALL_COLUMNS) || ctw_rca_learn(m, c, NULL)) abort();
    ctw_calls_unref(c);
    return m;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static ctw_ctx *ctx;
    static ctw_rca *m;
    ctw_online *o;
    ctw_ranking *r;
    double v;
    if (!ctx && ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 0;
    if (!m) m = localiser(ctx);
    if (ctw_online_load_mem(ctx, data, size, &o) != CTW_OK) return 0;
    if (ctw_rca_rank_online(m, o, NULL, &r) == CTW_OK) ctw_ranking_unref(r);
    (void)ctw_online_quantile(o, "cart", NULL, NULL, CTW_CALL_EXCL, 0.9, &v);
    (void)ctw_online_advance(o);
    ctw_online_unref(o);
    return 0;
}
