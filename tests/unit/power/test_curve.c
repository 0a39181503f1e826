/* White box: interpolation, isotonic regression and the non-negative basis against brute force. */
#include "num/rng.h"
#include "power/basis.h"
#include "power/curve.h"
#include "power/power_internal.h"
#include "test.h"
#include <math.h>

START_TEST(monotone)
{
    ctw_num__rng g;
    ctw_num__rng_init(&g, 1, 7, 0);
    for (int round = 0; round < 200; round++) {
        ctw_power__curve c = {.n = 3 + (size_t)ctw_num__rng_below(&g, 12)};
        for (size_t i = 0; i < c.n; i++) {
            c.x[i] = (i ? c.x[i - 1] : 0) + 0.01 + ctw_num__rng_uniform(&g);
            c.y[i] = (i ? c.y[i - 1] : 0) + (ctw_num__rng_uniform(&g) < 0.3 ? 0 : ctw_num__rng_uniform(&g));
        }
        ctw_power__curve_slopes(&c);
        double last = -1e300;
        for (int k = 0; k <= 400; k++) {
            double v = ctw_power__curve_at(&c, c.x[0] + (c.x[c.n - 1] - c.x[0]) * k / 400.0);
            ck_assert(v >= last - 1e-12);
            last = v;
        }
        for (size_t i = 0; i < c.n; i++) ck_assert_double_eq_tol(ctw_power__curve_at(&c, c.x[i]), c.y[i], 1e-9);
    }
}
END_TEST

/* The values SciPy's PchipInterpolator gives for these knots. */
START_TEST(same_as_reference)
{
    ctw_power__curve c = {.n = 5, .x = {0, 1, 2.5, 3, 5}, .y = {1, 2, 2.2, 4, 4.5}};
    ctw_power__curve_slopes(&c);
    static const double q[] = {0.5, 1.7, 2.8, 4.4},
                        want[] = {1.6373415977961434, 2.0863783890979795, 3.3402480999202759, 4.4633207547169818};
    for (int i = 0; i < 4; i++) ck_assert_double_eq_tol(ctw_power__curve_at(&c, q[i]), want[i], 1e-12);
    ctw_power__curve one = {.n = 1, .x = {3}, .y = {7}};
    ctw_power__curve_slopes(&one);
    ck_assert(ctw_power__curve_at(&one, 100) == 7);
}
END_TEST

START_TEST(isotonic)
{
    double y[] = {1, 3, 2, 2, 5, 4}, w[] = {1, 1, 1, 2, 1, 3};
    ctw_power__isotonic(y, w, 6);
    double want[] = {1, 2.25, 2.25, 2.25, 4.25, 4.25};
    for (int i = 0; i < 6; i++) ck_assert_double_eq_tol(y[i], want[i], 1e-12);
}
END_TEST

START_TEST(gather)
{
    ctw_ctx *ctx;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    double x[300], y[300], w[CTW_POWER_KNOTS];
    ctw_power__curve c;
    for (int i = 0; i < 300; i++) {
        x[i] = (double)(i * 7 % 300);
        y[i] = 2 * x[i];
    }
    CTW_OKAY(ctw_power__curve_gather(ctx, x, y, NULL, 300, 32, &c, w));
    ck_assert(c.n <= 32 && c.n > 25);
    double sum = 0;
    for (size_t i = 0; i < c.n; i++) {
        ck_assert_double_eq_tol(c.y[i], 2 * c.x[i], 1e-9);
        sum += w[i];
    }
    ck_assert(sum == 300);
    double same[] = {1, 1, 2}, val[] = {4, 6, 9};
    CTW_OKAY(ctw_power__curve_gather(ctx, same, val, NULL, 3, 32, &c, NULL));
    ck_assert(c.n == 2 && c.y[0] == 5 && c.y[1] == 9);
    ctw_ctx_unref(ctx);
}
END_TEST

/* No small step from the answer within the non-negative cone may lower the error. */
START_TEST(basis_optimal)
{
    ctw_num__rng g;
    ctw_num__rng_init(&g, 3, 7, 0);
    for (int round = 0; round < 100; round++) {
        double x[9], y[9], c[CTW_POWER_BASIS];
        size_t n = 1 + (size_t)ctw_num__rng_below(&g, 9);
        for (size_t i = 0; i < n; i++) {
            x[i] = 0.3 + 0.7 * ctw_num__rng_uniform(&g);
            y[i] = 50 + 200 * x[i] * x[i] * x[i] + 20 * ctw_num__rng_uniform(&g);
        }
        double res = ctw_power__basis_fit(x, y, NULL, n, c);
        for (int k = 0; k < 2 * CTW_POWER_BASIS; k++) {
            double d[CTW_POWER_BASIS], err = 0;
            for (int j = 0; j < CTW_POWER_BASIS; j++) d[j] = c[j];
            d[k / 2] += k % 2 ? 0.01 : -0.01;
            if (d[k / 2] < 0) continue;
            for (size_t i = 0; i < n; i++) err += pow(ctw_power__basis_at(d, x[i]) / y[i] - 1, 2);
            ck_assert(err >= res - 1e-9);
        }
    }
}
END_TEST

START_TEST(pnorm_recovers)
{
    static const double ps[] = {1, 2, 5};
    for (int k = 0; k < 3; k++)
        for (int j = 0; j <= 4; j++) {
            double x[6], t[6], m, p, top, err;
            for (int i = 0; i < 6; i++) {
                x[i] = 0.4 + 0.12 * i;
                t[i] = 3.5 * ctw_power__pnorm_at(j / 4.0, ps[k], x[i]);
            }
            ctw_power__pnorm_fit(x, t, 6, &m, &p, &top, &err);
            ck_assert_double_eq_tol(m, j / 4.0, 1e-6);
            ck_assert_double_eq_tol(top, 3.5, 1e-6);
            ck_assert(err < 1e-6 && (j == 0 || j == 4 || p == ps[k]));
        }
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"monotone", monotone}, {"same_as_reference", same_as_reference}, {"isotonic", isotonic},
        {"gather", gather},     {"basis_optimal", basis_optimal},         {"pnorm_recovers", pnorm_recovers},
    };
    return ctw_test_main("unit-power-curve", cases, sizeof cases / sizeof *cases, 20);
}
