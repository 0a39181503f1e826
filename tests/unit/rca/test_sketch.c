/* The log histogram against sorted values: quantiles within the promised error, merging in any order, collapsing. */
#include "num/rng.h"
#include "num/sort.h"
#include "num/stats.h"
#include "rca/sketch.h"
#include "test.h"
#include <math.h>
#include <string.h>

enum { N = 500 };
static ctw_ctx *ctx;

static void put(const ctw_rca__scale *s, ctw_rca__sketch *k, double v)
{
    int32_t bin = ctw_rca__bin_of(s, v);
    CTW_OKAY(ctw_rca__sketch_room(ctx, s, k, bin, bin));
    ctw_rca__sketch_add(k, bin, 1);
}

/* Times over six decades. */
static double some_time(ctw_num__rng *g)
{
    return exp(ctw_num__rng_normal(g) * 2 + 7);
}

START_TEST(quantiles_within_error)
{
    static const double errors[] = {0.001, 0.01, 0.1};
    double v[N];
    ctw_num__rng g;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    for (uint64_t round = 0; round < 30; round++) {
        ctw_rca__scale s = ctw_rca__scale_of(errors[round % 3], 65536);
        ctw_rca__sketch k = {0};
        ctw_num__rng_init(&g, 3, 1, round);
        size_t n = 1 + ctw_num__rng_below(&g, N);
        for (size_t i = 0; i < n; i++) put(&s, &k, v[i] = 1 + some_time(&g));
        ctw_num__sort(v, n);
        ck_assert_uint_eq(ctw_rca__sketch_count(&k), n);
        for (int i = 0; i <= 20; i++) {
            double want = ctw_num__quantile_sorted(v, n, i / 20.0), got = ctw_rca__sketch_quantile(&s, &k, i / 20.0);
            ck_assert(fabs(got - want) <= s.error * want * (1 + 1e-9));
        }
        ctw_rca__sketch_free(ctx, &k);
    }
    ctw_ctx_unref(ctx);
}
END_TEST

static int same(const ctw_rca__sketch *a, const ctw_rca__sketch *b)
{
    return a->lo == b->lo && a->bins == b->bins && memcmp(a->bin, b->bin, a->bins * sizeof *a->bin) == 0;
}

/* 16 bins hold less than what comes: what is left must depend on the values alone. */
START_TEST(merge_in_any_order)
{
    ctw_num__rng g;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    for (uint64_t round = 0; round < 40; round++) {
        ctw_rca__scale s = ctw_rca__scale_of(0.05, round % 2 ? 16 : 4096);
        ctw_rca__sketch part[3] = {{0}}, all = {0}, forth = {0}, back = {0};
        ctw_num__rng_init(&g, 9, 1, round);
        for (int i = 0; i < 200; i++) {
            double v = some_time(&g) * (ctw_num__rng_below(&g, 5) ? 1 : 0);
            put(&s, &all, v);
            put(&s, &part[ctw_num__rng_below(&g, 3)], v);
        }
        for (int i = 0; i < 3; i++) {
            CTW_OKAY(ctw_rca__sketch_merge(ctx, &s, &forth, &part[i]));
            CTW_OKAY(ctw_rca__sketch_merge(ctx, &s, &back, &part[2 - i]));
        }
        ck_assert(same(&all, &forth) && same(&all, &back));
        ck_assert_uint_le(all.bins, s.max_bins);
        ck_assert_uint_eq(ctw_rca__sketch_count(&all), 200);
        for (int i = 0; i < 3; i++) ctw_rca__sketch_free(ctx, &part[i]);
        ctw_rca__sketch_free(ctx, &all);
        ctw_rca__sketch_free(ctx, &forth);
        ctw_rca__sketch_free(ctx, &back);
    }
    ctw_ctx_unref(ctx);
}
END_TEST

/* The highest bins stay exact when the lowest are thrown together. */
START_TEST(collapse_keeps_the_top)
{
    ctw_rca__scale s = ctw_rca__scale_of(0.01, 32);
    ctw_rca__sketch k = {0};
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    for (int i = 0; i < 90; i++) put(&s, &k, 1 + i);
    for (int i = 0; i < 10; i++) put(&s, &k, 1e6);
    ck_assert_uint_eq(k.bins, 32);
    ck_assert_double_eq_tol(ctw_rca__sketch_quantile(&s, &k, 0.95), 1e6, 1e4);
    ck_assert(ctw_rca__sketch_quantile(&s, &k, 0.5) < 1e6);
    put(&s, &k, 0);
    ck_assert_uint_eq(ctw_rca__sketch_count(&k), 101);
    ctw_rca__sketch_clear(&k);
    ck_assert_double_eq(ctw_rca__sketch_quantile(&s, &k, 0.5), 0);
    ctw_rca__sketch_free(ctx, &k);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"quantiles_within_error", quantiles_within_error},
                                   {"merge_in_any_order", merge_in_any_order},
                                   {"collapse_keeps_the_top", collapse_keeps_the_top}};
    return ctw_test_main("unit-rca-sketch", cases, sizeof cases / sizeof *cases, 20);
}
