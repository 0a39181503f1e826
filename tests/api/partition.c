/* Contract of partition.h: room, balance, likeness, fewest devices, errors. */
#include "test.h"
#include <cybertwin/partition.h>
#include <math.h>

static ctw_ctx *ctx;
static const double load[] = {0.4, 0.1, 0.3, 0.2, 0.1, 0.1}, gb[] = {10, 5, 10, 5, 5, 5};
static const double bound[] = {0.9, 0.8, 0.1, 0.2, 0.85, 0.15};

static double load_of(const int64_t *device, int64_t d)
{
    double sum = 0;
    for (int i = 0; i < 6; i++)
        if (device[i] == d) sum += load[i];
    return sum;
}

START_TEST(places)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    int64_t device[6];
    uint64_t n;
    CTW_OKAY(ctw_partition_place(ctx, load, gb, NULL, 6, 40, 2, CTW_PARTITION_BALANCED, device));
    ck_assert_double_eq_tol(load_of(device, 0), 0.6, 0.101);
    CTW_OKAY(ctw_partition_place(ctx, load, gb, bound, 6, 40, 2, CTW_PARTITION_ALIKE, device));
    for (int i = 0; i < 6; i++) ck_assert(device[i] == (bound[i] < 0.5)); /* memory-bound first */
    CTW_OKAY(ctw_partition_consolidate(ctx, load, gb, bound, 6, 40, 4, 0.65, CTW_PARTITION_ALIKE, &n, device));
    ck_assert(n == 2);
    CTW_OKAY(ctw_partition_consolidate(ctx, load, gb, NULL, 6, 15, 6, 1.0, CTW_PARTITION_BALANCED, &n, device));
    for (uint64_t d = 0; d < n; d++) {
        double used = 0;
        for (int i = 0; i < 6; i++)
            if (device[i] == (int64_t)d) used += gb[i];
        ck_assert(used <= 15 && load_of(device, (int64_t)d) <= 1.0);
    }
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(errors)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    int64_t device[6];
    uint64_t n;
    CTW_FAILS(ctw_partition_place(ctx, load, gb, bound, 6, 8, 2, 0, device), CTW_E_INFEASIBLE, "10 GB");
    CTW_FAILS(ctw_partition_place(ctx, load, gb, NULL, 6, 40, 2, CTW_PARTITION_ALIKE, device), CTW_E_ARG, "membound");
    CTW_FAILS(ctw_partition_place(ctx, load, gb, bound, 6, 40, 2, 7, device), CTW_E_RANGE, "how");
    CTW_FAILS(ctw_partition_place(ctx, load, gb, load + 1, 0, 40, 2, 0, device), CTW_E_RANGE, "n is 0");
    CTW_FAILS(ctw_partition_place(ctx, load, gb, bound, 6, NAN, 2, 0, device), CTW_E_NONFINITE, "device_gb");
    CTW_FAILS(ctw_partition_place(ctx, load, gb, bound, 6, 40, 0, 0, device), CTW_E_RANGE, "devices");
    CTW_FAILS(ctw_partition_place(NULL, load, gb, bound, 6, 40, 2, 0, device), CTW_E_ARG, "ctx");
    CTW_FAILS(ctw_partition_consolidate(ctx, load, gb, bound, 6, 40, 1, 0.5, 0, &n, device), CTW_E_INFEASIBLE, "load");
    CTW_FAILS(ctw_partition_consolidate(ctx, load, gb, bound, 6, 40, 1, 0, 0, &n, device), CTW_E_RANGE, "max_load");
    CTW_FAILS(ctw_partition_consolidate(ctx, load, gb, bound, 6, 40, 1, 1, 0, NULL, device), CTW_E_ARG, "devices");
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"places", places}, {"errors", errors}};
    return ctw_test_main("api-partition", cases, sizeof cases / sizeof *cases, 20);
}
