/* shop.c: see shop.h. */
#include "shop.h"
#include <stddef.h>

const char *const shop_service[SHOP_SERVICES] = {"front", "cart", "list", "store"};

static double jitter(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    double u = (double)(*seed >> 8) / 16777216.0;
    return 0.8 + 0.4 * u + (u > 0.98 ? 2.0 : 0.0);
}

/* Own time of each service in us, and who calls whom. */
static const double own_us[SHOP_SERVICES] = {2000, 3000, 1500, 4000};
static const int caller[SHOP_SERVICES] = {-1, 0, 0, 2};

ctw_status shop_request(ctw_spans *s, int64_t trace, uint32_t *seed, const double *slow)
{
    enum { SPANS = 2 * SHOP_SERVICES - 1 };
    int64_t tr[SPANS], id[SPANS], parent[SPANS], service[SPANS], op[SPANS], start[SPANS], dur[SPANS];
    int64_t name[SHOP_SERVICES], call_op, serve_op, total[SHOP_SERVICES];
    for (int i = 0; i < SHOP_SERVICES; i++) {
        ctw_status st = ctw_spans_name(s, shop_service[i], &name[i]);
        if (st != CTW_OK) return st;
        total[i] = (int64_t)(own_us[i] * jitter(seed) * (slow ? slow[i] : 1.0) * 1000.0);
    }
    ctw_status st = ctw_spans_name(s, "call", &call_op);
    if (st == CTW_OK) st = ctw_spans_name(s, "serve", &serve_op);
    if (st != CTW_OK) return st;
    enum { NET_NS = 200000 };
    for (int i = SHOP_SERVICES - 1; i > 0; i--) total[caller[i]] += total[i] + 2 * NET_NS;
    int64_t at[SHOP_SERVICES] = {0};
    int k = 0;
    for (int i = 0; i < SHOP_SERVICES; i++) {
        int64_t begin = i ? at[caller[i]] + NET_NS : trace * 1000000000;
        if (i) { /* the caller's side */
            tr[k] = trace, id[k] = 10 + i, parent[k] = 1 + caller[i], service[k] = name[caller[i]], op[k] = call_op;
            start[k] = at[caller[i]], dur[k] = total[i] + 2 * NET_NS;
            at[caller[i]] += dur[k++];
        }
        tr[k] = trace, id[k] = 1 + i, parent[k] = i ? 10 + i : 0, service[k] = name[i], op[k] = serve_op;
        start[k] = begin, dur[k++] = total[i];
        at[i] = begin + 100000;
    }
    return ctw_spans_add(s, SPANS, tr, id, parent, service, NULL, op, start, dur, NULL, NULL);
}

ctw_status shop_window(ctw_ctx *ctx, uint32_t seed, int traces, const double *slow, ctw_calls **out)
{
    ctw_spans *s;
    *out = NULL;
    ctw_status st = ctw_spans_new(ctx, NULL, &s);
    if (st != CTW_OK) return st;
    for (int t = 0; t < traces && st == CTW_OK; t++) st = shop_request(s, t, &seed, slow);
    if (st == CTW_OK) st = ctw_calls_new(ctx, NULL, out);
    if (st == CTW_OK) st = ctw_calls_add_spans(*out, s, NULL);
    if (st != CTW_OK) {
        ctw_calls_unref(*out);
        *out = NULL;
    }
    ctw_spans_unref(s);
    return st;
}
