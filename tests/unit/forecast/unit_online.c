/* unit_online.c: recursive least squares against the weighted normal equations it must solve, its safety nets; the
 * sun against almanac values; holidays, climatology and the blend's weights. */
#include "base/alloc.h"
#include "forecast/blend.h"
#include "forecast/calendar.h"
#include "forecast/climate.h"
#include "forecast/rls.h"
#include "forecast/sun.h"
#include "num/lapack.h"
#include "series.h"
#include "test.h"
#include <string.h>

#define P     4
#define LEADS 3
#define ROWS  60

static ctw_ctx *ctx;

static ctw_forecast__rls fresh(double forget)
{
    ctw_forecast__rls m;
    double diag[P] = {100, 100, 100, 100};
    CTW_OKAY(ctw_forecast__rls_new(ctx, &m, P, LEADS, forget));
    CTW_OKAY(ctw_forecast__rls_prior(ctx, &m, NULL, 0, diag));
    return m;
}

/* The minimiser of sum f^(ROWS-1-i) (y_i - x_i'w)^2 + f^ROWS |w|^2 / 100, by normal equations. */
static void oracle(double (*x)[P], const double *y, double f, double *w)
{
    ctw_num__mat g, b;
    CTW_OKAY(ctw_num__mat_new(ctx, P, P, &g));
    CTW_OKAY(ctw_num__mat_new(ctx, P, 1, &b));
    for (int j = 0; j < P; j++) CTW_AT(&g, j, j) = pow(f, ROWS) / 100;
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < P; j++) {
            double u = pow(f, ROWS - 1 - i) * x[i][j];
            b.a[j] += u * y[i];
            for (int k = 0; k < P; k++) CTW_AT(&g, j, k) += u * x[i][k];
        }
    CTW_OKAY(ctw_num__chol(&g));
    CTW_OKAY(ctw_num__chol_solve(&g, &b));
    memcpy(w, b.a, P * sizeof *w);
    ctw_num__mat_free(ctx, &g);
    ctw_num__mat_free(ctx, &b);
}

START_TEST(test_recursion_solves_normal_equations)
{
    uint64_t seed = 5;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    for (int round = 0; round < 6; round++) {
        double x[ROWS][P], y[LEADS][ROWS], w[P], f = round % 2 ? 1.0 : 0.95;
        ctw_forecast__rls m = fresh(f);
        for (int i = 0; i < ROWS; i++) {
            for (int j = 0; j < P; j++) x[i][j] = ctw_test_noise(&seed) - 0.3;
            for (int l = 0; l < LEADS; l++) y[l][i] = x[i][0] * (l + 1) - x[i][2] + ctw_test_noise(&seed);
        }
        /* Outcomes of lead l come l rows after their origin began. */
        for (int i = 0; i < ROWS + LEADS; i++) {
            if (i < ROWS) ctw_forecast__rls_row(&m, x[i]);
            for (int l = 0; l < LEADS; l++) {
                int back = i < ROWS ? l : l - (i - ROWS + 1), of = i - l;
                if (back >= 0 && of >= 0 && of < ROWS) ctw_forecast__rls_learn(&m, (size_t)back, (size_t)l, y[l][of]);
            }
        }
        for (int l = 0; l < LEADS; l++) {
            oracle(x, y[l], f, w);
            for (int j = 0; j < P; j++) ck_assert_double_eq_tol(m.w[l * P + j], w[j], 1e-8);
        }
        ctw_forecast__rls_free(ctx, &m);
    }
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(test_recursion_survives)
{
    double same[P] = {1, 0, 0, 0}, huge[P] = {1e200, 1e200, 0, 0};
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_forecast__rls m = fresh(0.99);
    /* Nothing new to learn in three directions: without a pause they would overflow. */
    for (int i = 0; i < 100000; i++) {
        ctw_forecast__rls_row(&m, same);
        ctw_forecast__rls_learn(&m, 0, 0, 5);
    }
    double size = 0;
    for (int i = 0; i < P * P; i++) size = fmax(size, fabs(m.s[i]));
    ck_assert_msg(size < 1e4, "covariance grew to %g", size);
    ck_assert_double_eq_tol(ctw_forecast__rls_at(&m, same, 0), 5, 1e-6);
    ck_assert_uint_eq(m.restarts, 0);
    ctw_forecast__rls_row(&m, huge);
    ctw_forecast__rls_learn(&m, 0, 0, 5);
    ck_assert_uint_eq(m.restarts, 1);
    for (int i = 0; i < 50; i++) {
        ctw_forecast__rls_row(&m, same);
        ctw_forecast__rls_learn(&m, 0, 0, 7);
    }
    ck_assert_double_eq_tol(ctw_forecast__rls_at(&m, same, 0), 7, 0.01);
    ctw_forecast__rls_learn(&m, 7, 0, 1); /* an origin that is gone */
    ctw_forecast__rls_free(ctx, &m);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(test_sun)
{
    const double june = 1624246320, march = 1616232000, noon = 1624276800; /* 2021: solstice, equinox, 21 June 12:00 */
    double degree = M_PI / 180;
    ck_assert_double_eq_tol(ctw_forecast__sun_declination(june), 23.44 * degree, 0.05 * degree);
    ck_assert_double_eq_tol(ctw_forecast__sun_declination(march), 0, 0.5 * degree);
    /* Greenwich at noon: 90 - 51.48 + 23.44 degrees. Night half a day later; the antipode the other way round. */
    ck_assert_double_eq_tol(asin(ctw_forecast__sun_elevation(51.48, 0, noon)), 61.95 * degree, 0.3 * degree);
    ck_assert_double_eq(ctw_forecast__sun_clear(51.48, 0, noon + 43200), 0);
    ck_assert_double_eq(ctw_forecast__sun_clear(-51.48, 180, noon), 0);
    double clear = ctw_forecast__sun_clear(51.48, 0, noon);
    ck_assert(clear > 850 && clear < 1000);
    /* 90 degrees east the sun is highest six hours earlier. */
    ck_assert_double_eq_tol(ctw_forecast__sun_elevation(51.48, 90, noon - 21600),
                            ctw_forecast__sun_elevation(51.48, 0, noon), 0.01);
}
END_TEST

START_TEST(test_holidays)
{
    const int64_t day[] = {10, -3, 10, 5};
    double row[2];
    ctw_forecast__calendar c = {0};
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    CTW_OKAY(ctw_forecast__calendar_set(ctx, &c, day, 4));
    ck_assert_uint_eq(c.n, 3);
    for (int64_t d = -5; d < 15; d++) {
        int is = d == 10 || d == -3 || d == 5;
        ck_assert_int_eq(ctw_forecast__calendar_holiday(&c, d * 86400), is);
        ck_assert_int_eq(ctw_forecast__calendar_holiday(&c, d * 86400 + 86399), is);
    }
    ck_assert_uint_eq(ctw_forecast__calendar_width(&c), 1);
    ctw_forecast__calendar_row(&c, 4 * 86400 + 82800, 3600, 3600, row); /* 23:00 UTC is the 5th one hour east */
    ck_assert_double_eq(row[0], 1);
    CTW_OKAY(ctw_forecast__calendar_set(ctx, &c, NULL, 0));
    ck_assert_uint_eq(ctw_forecast__calendar_width(&c), 0);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(test_climatology)
{
    const size_t days = 800, n = days * 24;
    ctw_forecast__hist h = {.season = 24, .max = 1000000};
    ctw_forecast__climate m = {0};
    double worst = 0;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    CTW_OKAY(ctw_forecast__hist_reserve(ctx, &h, n));
    for (size_t t = 0; t < n; t++) {
        double year = 2 * M_PI * (double)t / (24 * 365.2425), hour = 2 * M_PI * (double)(t % 24) / 24;
        double y = 100 + 20 * cos(year) * (1 + cos(hour)) + 5 * sin(2 * year) + (t / 24 % 7 == 6 ? -7 : 0);
        ctw_forecast__hist_push(&h, t % 97 ? y : NAN, NULL);
    }
    CTW_OKAY(ctw_forecast__climate_fit(ctx, &m, &h, n - 24 * 60, 0, 3600));
    for (size_t t = n - 24 * 60; t < n; t++)
        if (!h.hole[t]) worst = fmax(worst, fabs(h.z[t] - ctw_forecast__climate_at(&m, &h, t, 0, 3600)));
    ck_assert_msg(worst < 1.5, "worst error %g", worst);
    /* Half a year cannot tell a year's waves: level and weekday only. */
    CTW_OKAY(ctw_forecast__climate_fit(ctx, &m, &h, 24 * 180, 0, 3600));
    for (size_t i = 0; i < 24; i++) ck_assert_double_eq(m.c[i * CTW_FORECAST__SHAPE + 1], 0);
    ctw_forecast__climate_free(ctx, &m);
    ctw_forecast__hist_free(ctx, &h);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(test_blend_weights)
{
    enum { N = 400, L = 8, K = CTW_FORECAST__PARTS_MIXED };
    static double dev[N * K * L], seen[N * L];
    uint64_t seed = 3;
    ctw_forecast__blend b;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    CTW_OKAY(ctw_forecast__blend_alloc(ctx, &b, L, 16));
    ck_assert_uint_eq(b.groups, 2);
    for (int i = 0; i < N; i++)
        for (int l = 0; l < L; l++) {
            double truth = ctw_test_noise(&seed) - 0.5;
            seen[i * L + l] = i % 10 ? truth : NAN;
            /* The first group is foreseen by way 0, the second by way 2; the others are noise. */
            for (int k = 0; k < K; k++)
                dev[(i * K + k) * L + l] = k == (l < 4 ? 0 : 2) ? truth : 0.5 * (ctw_test_noise(&seed) - 0.5);
        }
    ctw_forecast__blend_fit(&b, dev, seen, N, L);
    const double *first = ctw_forecast__blend_at(&b, 3), *second = ctw_forecast__blend_at(&b, 100);
    ck_assert_double_eq_tol(first[0], 1, 0.05);
    ck_assert(first[1] < 0.05 && first[2] < 0.05 && first[3] < 0.05);
    ck_assert(second[2] > 0.4 && second[2] > second[1] + 0.3 && second[1] >= 0 && second[3] >= 0);
    ctw_forecast__blend_free(ctx, &b);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"recursion_solves_normal_equations", test_recursion_solves_normal_equations},
        {"recursion_survives", test_recursion_survives},
        {"sun", test_sun},
        {"holidays", test_holidays},
        {"climatology", test_climatology},
        {"blend_weights", test_blend_weights},
    };
    return ctw_test_main("unit-online", cases, sizeof cases / sizeof *cases, 60);
}
