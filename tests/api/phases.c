/* Clocks for work in phases, against the best of all combinations: never beyond a limit and within a few percent of the
 * least energy. */
#include "test.h"
#include <cybertwin/phases.h>
#include <math.h>

static ctw_ctx *ctx;
static const double mhz[] = {700, 900, 1100, 1300, 1500, 1700};
enum { POINTS = 6 };

/* A phase measured at all points: memory-boundness m, power with its own static part. */
static ctw_power *measured(double m, double fixed)
{
    double w[POINTS], t[POINTS];
    ctw_power *p;
    for (int i = 0; i < POINTS; i++) {
        double x = mhz[i] / 1700;
        w[i] = fixed + 60 * x + 140 * x * x * x;
        t[i] = m + (1 - m) / x;
    }
    CTW_OKAY(ctw_power_new(ctx, NULL, &p));
    CTW_OKAY(ctw_power_set_points(p, mhz, NULL, POINTS));
    CTW_OKAY(ctw_power_fit(p, mhz, NULL, w, t, POINTS, NULL));
    return p;
}

typedef struct outcome {
    double joule, seconds, most_watts;
} outcome;

static outcome run(ctw_power *const *p, const double *work, const double *f, int n)
{
    outcome o = {0, 0, 0};
    for (int i = 0; i < n; i++) {
        double w, s;
        CTW_OKAY(ctw_power_watts(p[i], &f[i], NULL, 1, &w));
        CTW_OKAY(ctw_power_slowdown(p[i], &f[i], NULL, 1, &s));
        o.joule += w * s * work[i];
        o.seconds += s * work[i];
        o.most_watts = fmax(o.most_watts, w);
    }
    return o;
}

/* Least energy over all combinations. INFINITY when none fits. */
static double exhaustive(ctw_power *const *p, const double *work, int n, double bound, double cap)
{
    double best = INFINITY, total = 0;
    int codes = 1;
    for (int i = 0; i < n; i++) total += work[i];
    for (int i = 0; i < n; i++) codes *= POINTS;
    for (int c = 0; c < codes; c++) {
        double f[3];
        int k = c;
        for (int i = 0; i < n; i++, k /= POINTS) f[i] = mhz[k % POINTS];
        outcome o = run(p, work, f, n);
        if (o.seconds <= bound * total * (1 + 1e-12) && o.most_watts <= cap) best = fmin(best, o.joule);
    }
    return best;
}

START_TEST(near_the_best)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_power *p[3] = {measured(0.1, 60), measured(0.85, 90), measured(0.5, 40)};
    const ctw_power *device[3] = {p[0], p[1], p[2]};
    double sum = 0;
    int cases = 0;
    for (int n = 1; n <= 3; n++)
        for (double share = 0.1; share < 1.0; share += 0.2)
            for (double bound = 1.0; bound < 2.5; bound += 0.07)
                for (double cap = 180; cap < 320; cap += 60) {
                    double work[3] = {share, 1.0 - share, 0.3}, f[3], joule, slow, total = 0;
                    for (int i = 0; i < n; i++) total += work[i];
                    double best = exhaustive(p, work, n, bound, cap);
                    ctw_status s =
                        ctw_phases_choose(ctx, device, NULL, work, (uint64_t)n, bound, cap, f, &joule, &slow);
                    ck_assert((s == CTW_OK) == (best < INFINITY));
                    if (s != CTW_OK) continue;
                    outcome o = run(p, work, f, n);
                    ck_assert(o.seconds <= bound * total * (1 + 1e-9) && o.most_watts <= cap);
                    ck_assert_double_eq_tol(o.joule, joule, 1e-9 * joule);
                    ck_assert_double_eq_tol(o.seconds, slow * total, 1e-9);
                    ck_assert(joule <= best * 1.06 && joule >= best * (1 - 1e-9));
                    ck_assert(n > 1 || joule <= best * (1 + 1e-9));
                    sum += joule / best - 1;
                    cases++;
                }
    ck_assert(cases > 300 && sum / cases < 0.005);
    for (int i = 0; i < 3; i++) ctw_power_unref(p[i]);
    ctw_ctx_unref(ctx);
}
END_TEST

/* Prefill and decode of one device told apart by memory-boundness: decode is slowed, prefill is not. */
START_TEST(prefill_and_decode)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_power *p = measured(0.5, 60);
    const ctw_power *device[2] = {p, p};
    static const double membound[] = {0.05, 0.9}, work[] = {0.2, 0.8};
    double f[2], joule, slow;
    CTW_OKAY(ctw_phases_choose(ctx, device, membound, work, 2, 1.1, INFINITY, f, &joule, &slow));
    ck_assert(f[1] < f[0] && slow <= 1.1);
    CTW_OKAY(ctw_phases_choose(ctx, device, membound, work, 2, 1.0, INFINITY, f, &joule, &slow));
    ck_assert(f[0] == 1700 && f[1] == 1700);
    ctw_power_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(limits_and_errors)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_power *p = measured(0.5, 60), *none;
    const ctw_power *device[2] = {p, p}, *bad[2] = {p, NULL};
    double work[] = {1, 1}, m[] = {0.2, 2}, f[2], joule, slow;
    CTW_FAILS(ctw_phases_choose(ctx, device, NULL, work, 2, 0.9, INFINITY, f, &joule, &slow), CTW_E_INFEASIBLE,
              "max_slowdown");
    ck_assert(f[0] == 1700 && f[1] == 1700); /* as fast as it goes */
    CTW_FAILS(ctw_phases_choose(ctx, device, NULL, work, 2, 5, 50, f, &joule, &slow), CTW_E_INFEASIBLE, "cap_watts");
    ck_assert(f[0] == 700 && f[1] == 700); /* the cap wins: the lowest */
    CTW_FAILS(ctw_phases_choose(ctx, bad, NULL, work, 2, 2, 300, f, NULL, NULL), CTW_E_ARG, "device");
    CTW_FAILS(ctw_phases_choose(ctx, NULL, NULL, work, 2, 2, 300, f, NULL, NULL), CTW_E_ARG, "device");
    CTW_FAILS(ctw_phases_choose(ctx, device, m, work, 2, 2, 300, f, NULL, NULL), CTW_E_RANGE, "membound");
    CTW_FAILS(ctw_phases_choose(ctx, device, NULL, work, 0, 2, 300, f, NULL, NULL), CTW_E_RANGE, "n");
    CTW_FAILS(ctw_phases_choose(ctx, device, NULL, work, 2, NAN, 300, f, NULL, NULL), CTW_E_NONFINITE, "max_slowdown");
    CTW_FAILS(ctw_phases_choose(NULL, device, NULL, work, 2, 2, 300, f, NULL, NULL), CTW_E_ARG, "ctx");
    work[1] = 0;
    CTW_FAILS(ctw_phases_choose(ctx, device, NULL, work, 2, 2, 300, f, NULL, NULL), CTW_E_RANGE, "work_s");
    work[1] = 1;
    CTW_OKAY(ctw_power_new(ctx, NULL, &none));
    device[1] = none;
    CTW_FAILS(ctw_phases_choose(ctx, device, NULL, work, 2, 2, 300, f, NULL, NULL), CTW_E_STATE, NULL);
    ctw_power_unref(none);
    ctw_power_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"near_the_best", near_the_best},
        {"prefill_and_decode", prefill_and_decode},
        {"limits_and_errors", limits_and_errors},
    };
    return ctw_test_main("api-phases", cases, sizeof cases / sizeof *cases, 20);
}
