/* Any bytes as a saved limit search, memory of shapes, sensitivity, rack, governor or cluster (the file says which):
 * refused, or usable without harm; what loads saves to the same bytes again. */
#include <cybertwin/cluster.h>
#include <cybertwin/governor.h>
#include <cybertwin/limit.h>
#include <cybertwin/power.h>
#include <cybertwin/rack.h>
#include <cybertwin/sensitivity.h>
#include <cybertwin/shapes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use_limit(ctw_ctx *ctx, ctw_limit *x)
{
    double w = 0, s;
    int32_t done;
    (void)ctx;
    if (ctw_limit_next(x, &w, &done) != CTW_OK) abort();
    if (ctw_limit_best(x, &w, &s, NULL) == CTW_OK && !(s > 0.0)) abort();
    (void)ctw_limit_tell(x, w, 1.0, 100.0);
    if (ctw_limit_next(x, &w, &done) != CTW_OK) abort();
}

static void use_shapes(ctw_ctx *ctx, ctw_shapes *x)
{
    static const double u[] = {0, 0.5, 1}, w[] = {80, 200, 300}, f[32] = {1, 2, 3};
    double third = 0.3, out;
    ctw_power *p;
    for (uint64_t d = 0; d <= 32; d++) {
        if (ctw_shapes_count(x) == 0 && ctw_shapes_add(x, f, d, u, w, 3) != CTW_OK) continue;
        if (ctw_power_new(ctx, NULL, &p) != CTW_OK) return;
        if (ctw_power_set_shapes(p, x, f, d) == CTW_OK && ctw_power_fit(p, NULL, u, w, NULL, 3, NULL) == CTW_OK &&
            ctw_power_watts(p, NULL, &third, 1, &out) == CTW_OK && !(out >= 79.9 && out <= 300.1))
            abort();
        ctw_power_unref(p);
    }
}

static void use_sensitivity(ctw_ctx *ctx, ctw_sensitivity *x)
{
    static const double c[16] = {0.4, 0.2};
    double m, p;
    (void)ctx;
    for (uint64_t d = 1; d <= 16; d++)
        if (ctw_sensitivity_predict(x, c, 1, d, &m, &p) == CTW_OK && !(m >= 0.0 && m <= 1.0 && p >= 1.0)) abort();
}

static void use_rack(ctw_ctx *ctx, ctw_rack *x)
{
    double total;
    (void)ctx;
    for (double budget = 10; budget < 1e9; budget *= 7) (void)ctw_rack_split(x, budget, NULL, NULL, &total);
    if (!(ctw_rack_margin(x) >= 0.0 && ctw_rack_margin(x) <= 0.5)) abort();
}

static void use_governor(ctw_ctx *ctx, ctw_governor *x)
{
    double f, w;
    ctw_report *r;
    (void)ctx;
    for (int i = 0; i < 20; i++) (void)ctw_governor_arrive(x, i, 1.0 + i, 0.5, 4.0 + i);
    if (ctw_governor_decide(x, 30.0, &f, &w) == CTW_OK && !(f > 0.0 && w >= 0.0)) abort();
    for (int i = 0; i < 20; i++) (void)ctw_governor_complete(x, i, 30.0 + i, 0.5);
    (void)ctw_governor_tune(x, NULL);
    if (ctw_governor_report(x, &r) == CTW_OK) ctw_report_unref(r);
}

static void use_cluster(ctw_ctx *ctx, ctw_cluster *x)
{
    ctw_report *r;
    uint64_t awake = 1;
    (void)ctx;
    for (int i = 0; i < 50; i++) {
        ctw_status s = ctw_cluster_update(x, 10.0 * i, i % 7, NULL, &awake);
        if (s != CTW_OK && s != CTW_E_STATE && s != CTW_E_INFEASIBLE) abort();
    }
    if (ctw_cluster_report(x, &r) == CTW_OK) ctw_report_unref(r);
}

/* Loads, saves, loads again to the same bytes, uses. */
#define TRY(type, use)                                                                                         \
    static void try_##type(ctw_ctx *ctx, const uint8_t *data, size_t size)                                     \
    {                                                                                                          \
        type *x, *q;                                                                                           \
        uint64_t need = 0, most;                                                                               \
        if (type##_load_mem(ctx, data, size, &x) != CTW_OK) return;                                            \
        if (type##_save_mem(x, NULL, 0, &need) != CTW_OK) abort();                                             \
        unsigned char *one = malloc(2 * need), *two = one + need;                                              \
        if (!one || type##_save_mem(x, one, need, &need) != CTW_OK) abort();                                   \
        if (type##_load_mem(ctx, one, need, &q) != CTW_OK) abort();                                            \
        if (type##_save_mem(q, two, need, &most) != CTW_OK || most != need || memcmp(one, two, need)) abort(); \
        type##_unref(q);                                                                                       \
        free(one);                                                                                             \
        use(ctx, x);                                                                                           \
        type##_unref(x);                                                                                       \
    }

TRY(ctw_limit, use_limit)
TRY(ctw_shapes, use_shapes)
TRY(ctw_sensitivity, use_sensitivity)
TRY(ctw_rack, use_rack)
TRY(ctw_governor, use_governor)
TRY(ctw_cluster, use_cluster)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ctw_ctx *ctx;
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 0;
    try_ctw_limit(ctx, data, size);
    try_ctw_shapes(ctx, data, size);
    try_ctw_sensitivity(ctx, data, size);
    try_ctw_rack(ctx, data, size);
    try_ctw_governor(ctx, data, size);
    try_ctw_cluster(ctx, data, size);
    ctw_ctx_unref(ctx);
    return 0;
}
