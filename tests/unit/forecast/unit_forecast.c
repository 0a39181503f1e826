/* unit_forecast.c: the inner parts against oracles: non-negative least squares by its optimality conditions, the
 * ledger against a plain recount, times, pseudo-values, history. */
#include "base/alloc.h"
#include "forecast/feed_load.h"
#include "forecast/hist.h"
#include "forecast/ledger.h"
#include "forecast/nnls.h"
#include "forecast/robust.h"
#include "num/stats.h"
#include "series.h"
#include "test.h"
#include <stdlib.h>
#include <string.h>

START_TEST(test_nnls_is_optimal)
{
    uint64_t seed = 1;
    for (int round = 0; round < 50; round++) {
        double x[30][6], g[36] = {0}, b[6] = {0}, w[6];
        for (int i = 0; i < 30; i++) {
            double y = ctw_test_noise(&seed) - 0.5;
            for (int j = 0; j < 6; j++) x[i][j] = ctw_test_noise(&seed) - 0.3;
            for (int j = 0; j < 6; j++) {
                b[j] += x[i][j] * y;
                for (int k = 0; k < 6; k++) g[j * 6 + k] += x[i][j] * x[i][k];
            }
        }
        ctw_forecast__nnls(g, b, 6, w);
        for (int j = 0; j < 6; j++) {
            double slope = -b[j];
            for (int k = 0; k < 6; k++) slope += g[j * 6 + k] * w[k];
            ck_assert(w[j] >= 0);
            ck_assert_msg(w[j] > 0 ? fabs(slope) < 1e-6 : slope > -1e-6, "w %g, slope %g", w[j], slope);
        }
    }
}
END_TEST

START_TEST(test_times)
{
    const struct {
        const char *text;
        int64_t t;
    } good[] = {{"1970-01-01T00:00Z", 0},
                {"2021-07-01T00:00Z", 1625097600},
                {"2021-07-01 02:00:00+02:00", 1625097600},
                {"2000-02-29", 951782400},
                {"01.07.2021 00:00", 1625097600},
                {"7/1/2021 12:00:00 AM", 1625097600},
                {"7/1/2021 12:30 PM", 1625142600},
                {"2021-07-01T00:00:00.000Z", 1625097600},
                {"1969-12-31T23:00-01:00", 0}};
    const char *bad[] = {"",
                         "x",
                         "2021-07",
                         "2021-07-01T",
                         "2021-07-01T25:00",
                         "2021-07-01T00:61",
                         "2021-07-01T00:00Q",
                         "2021-07-01T00:00Z!",
                         "7/1/2021 13:00 PM",
                         "1.2-2021",
                         "2021-00-01",
                         "2021-07-01T00:00+99:00"};
    int64_t t;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ck_assert_msg(!ctw_feed__parse_time(good[i].text, &t), "%s", good[i].text);
        ck_assert_msg(t == good[i].t, "%s: %lld", good[i].text, (long long)t);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) ck_assert_msg(ctw_feed__parse_time(bad[i], &t), "%s", bad[i]);
}
END_TEST

START_TEST(test_pseudo_values)
{
    double fit[5] = {0, 0, 0, 0, 0}, seen[5] = {1, -1, 2, -2, 100}, scratch[5];
    ctw_forecast__huber(fit, seen, 1, 5, 1.0, scratch);
    /* The median residual is 2: nothing beyond 1.4826 * 2 stays. */
    ck_assert_double_eq_tol(fit[4], 2 * 1.4826, 1e-12);
    ck_assert(fit[0] == 1 && fit[3] == -2);
}
END_TEST

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

START_TEST(test_ledger_recount)
{
    enum { S = 4, LEADS = 8, EXPERTS = 2, DAYS = 400 };
    ctw_ctx *ctx = NULL;
    ctw_forecast__ledger g;
    uint64_t seed = 3;
    static double error[DAYS][S];
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    CTW_OKAY(ctw_forecast__ledger_new(ctx, &g, S, LEADS, EXPERTS));
    ck_assert_ptr_null(ctw_forecast__ledger_blend(&g));
    for (size_t day = 0; day < DAYS; day++) {
        double z[EXPERTS * LEADS] = {0}, y[S];
        uint8_t hole[S] = {0};
        for (size_t l = 0; l < LEADS; l++) z[LEADS + l] = 5; /* the second expert is always five off */
        ctw_forecast__ledger_push(&g, day, z);
        const double *blend = ctw_forecast__ledger_blend(&g);
        for (size_t i = 0; i < S; i++) {
            y[i] = ctw_test_noise(&seed) - 0.5;
            error[day][i] = fabs(y[i] - blend[i]);
        }
        ctw_forecast__ledger_judge(&g, day, y, hole);
    }
    double w[EXPERTS], last[CTW_FORECAST__KEEP];
    ctw_forecast__ledger_shares(&g, 0, w);
    ck_assert_msg(w[0] > 0.9, "share of the good expert %g", w[0]);
    ck_assert_uint_eq(ctw_forecast__ledger_paths(&g), CTW_FORECAST__KEEP - 1);
    ck_assert_double_eq(fabs(ctw_forecast__ledger_error(&g, 0, 1)), error[DAYS - 2][1]);
    for (size_t i = 0; i < S; i++) {
        for (size_t k = 0; k < CTW_FORECAST__KEEP; k++) last[k] = error[DAYS - 1 - k][i];
        qsort(last, CTW_FORECAST__KEEP, sizeof *last, ascending);
        ck_assert_mem_eq(last, g.sorted + i * CTW_FORECAST__KEEP, sizeof last);
        double want = ctw_num__conformal_sorted(last, CTW_FORECAST__KEEP, 1 - 0.5 * g.alpha[i] / 0.1);
        ck_assert_double_eq(ctw_forecast__ledger_half(&g, i, 0.5), want);
    }
    ctw_forecast__ledger_free(ctx, &g);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(test_history_is_bounded)
{
    ctw_ctx *ctx = NULL;
    ctw_forecast__hist h = {.season = 4, .max = 300};
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    for (size_t t = 0; t < 3000; t++) {
        CTW_OKAY(ctw_forecast__hist_reserve(ctx, &h, 1));
        ctw_forecast__hist_push(&h, t % 7 == 3 ? NAN : (double)(t % 4), NULL);
        ck_assert_uint_le(h.n, 700);
        ck_assert_uint_eq(h.dropped + h.n, t + 1);
        ck_assert_uint_eq(h.dropped % 28, 0);
    }
    ck_assert_double_eq_tol(ctw_forecast__hist_base(&h, h.n, h.n), (double)(3000 % 4), 0.5);
    ctw_forecast__hist_free(ctx, &h);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"nnls_is_optimal", test_nnls_is_optimal},       {"times", test_times},
        {"pseudo_values", test_pseudo_values},           {"ledger_recount", test_ledger_recount},
        {"history_is_bounded", test_history_is_bounded},
    };
    return ctw_test_main("unit-forecast", cases, sizeof cases / sizeof *cases, 60);
}
