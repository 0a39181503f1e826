/* Properties of the guard: conformal coverage, invariance to units, monotone scores, distance against a direct
 * inverse, and the detector's run lengths against the integral-equation values of the literature. */
#include "num/rng.h"
#include "test.h"
#include <cybertwin/guard.h>
#include <math.h>
#include <stdlib.h>

static ctw_ctx *ctx;

static ctw_guard *guard_with(double alpha, double shrink)
{
    ctw_params *p;
    ctw_guard *g;
    CTW_OKAY(ctw_params_new(ctx, "guard", &p));
    CTW_OKAY(ctw_params_set_f64(p, "alpha", alpha));
    CTW_OKAY(ctw_params_set_f64(p, "shrinkage", shrink));
    CTW_OKAY(ctw_guard_new(ctx, p, &g));
    ctw_params_unref(p);
    return g;
}

START_TEST(coverage)
{
    enum { D = 6, N = 300, PROBES = 400, REPS = 40 };
    ctw_num__rng g;
    ctw_num__rng_init(&g, 1, 1, 1);
    double *x = malloc(sizeof(double) * (N + PROBES) * D);
    uint64_t beyond = 0;
    double p_sum = 0.0;
    for (int rep = 0; rep < REPS; rep++) {
        for (size_t i = 0; i < (N + PROBES) * D; i++) x[i] = exp(ctw_num__rng_normal(&g)); /* far from normal */
        ctw_guard *w = guard_with(0.1, 0.1);
        CTW_OKAY(ctw_guard_fit(w, x, N, D, D));
        double p[PROBES];
        int32_t v[PROBES];
        CTW_OKAY(ctw_guard_check(w, x + N * D, PROBES, D, D, NULL, v));
        CTW_OKAY(ctw_guard_pvalue(w, x + N * D, PROBES, D, D, p));
        for (size_t i = 0; i < PROBES; i++) {
            beyond += v[i] == CTW_GUARD_ABSTAIN;
            p_sum += p[i];
            ck_assert_int_eq(v[i] == CTW_GUARD_ABSTAIN, p[i] <= 0.1 - 1e-12);
        }
        ctw_guard_unref(w);
    }
    double rate = (double)beyond / (REPS * PROBES);
    ck_assert_msg(rate > 0.07 && rate < 0.12, "false alarm rate %g for alpha 0.1", rate);
    ck_assert(fabs(p_sum / (REPS * PROBES) - 0.5) < 0.03);
    free(x);
}
END_TEST

START_TEST(units_and_distance)
{
    enum { N = 400, D = 4 };
    const double unit[D] = {1e-6, 1.0, 3.6e6, 0.01}, offset[D] = {5, -1e3, 0, 1e-3};
    ctw_num__rng g;
    ctw_num__rng_init(&g, 2, 1, 1);
    static double x[N * D], y[N * D];
    for (size_t i = 0; i < N; i++) {
        double a = ctw_num__rng_normal(&g);
        for (size_t j = 0; j < D; j++) {
            x[i * D + j] = a + ctw_num__rng_normal(&g) * (double)(j + 1);
            y[i * D + j] = x[i * D + j] * unit[j] + offset[j];
        }
    }
    ctw_guard *gx = guard_with(0.05, 0.2), *gy = guard_with(0.05, 0.2);
    CTW_OKAY(ctw_guard_fit(gx, x, N, D, D));
    CTW_OKAY(ctw_guard_fit(gy, y, N, D, D));
    double sx[N], sy[N], last = 0.0;
    CTW_OKAY(ctw_guard_check(gx, x, N, D, D, sx, NULL));
    CTW_OKAY(ctw_guard_check(gy, y, N, D, D, sy, NULL));
    for (size_t i = 0; i < N; i++) ck_assert(fabs(sx[i] - sy[i]) < 1e-6 * (1.0 + sx[i]));
    for (double far = 100; far < 1e5; far *= 2) { /* further out along a line: never less strange */
        const double row[D] = {far, -far, far, 0};
        double s;
        CTW_OKAY(ctw_guard_check(gx, row, 1, D, D, &s, NULL));
        ck_assert(s > last);
        last = s;
    }
    ctw_guard_unref(gx);
    ctw_guard_unref(gy);
}
END_TEST

/* Mean run length of a one-sided CUSUM k = 0.5, h = 5 in N(shift, 1): 930 at 0 and 10.3 at 1 (Lucas & Crosier
 * 1982 give 930.9 and 10.4 for the zero start). */
static double run_length(double shift, int runs)
{
    ctw_detector *d;
    ctw_num__rng g;
    double total = 0.0;
    CTW_OKAY(ctw_detector_new(ctx, NULL, &d));
    ctw_num__rng_init(&g, 3, 1, 1);
    for (int r = 0; r < runs; r++) {
        int32_t alarm = 0;
        while (!alarm) {
            double x = shift + ctw_num__rng_normal(&g);
            CTW_OKAY(ctw_detector_push(d, &x, 1, NULL, &alarm));
            total += 1.0;
        }
    }
    ctw_detector_unref(d);
    return total / runs;
}

START_TEST(cusum_run_length)
{
    double in = run_length(0.0, 2000), out = run_length(1.0, 4000);
    ck_assert_msg(fabs(in - 930.0) < 75.0, "in control: %g, table: 930", in);
    ck_assert_msg(fabs(out - 10.4) < 0.4, "after a shift of one: %g, table: 10.4", out);
}
END_TEST

START_TEST(watch_false_alarms)
{
    ctw_num__rng g;
    ctw_num__rng_init(&g, 4, 1, 1);
    int fallen = 0;
    for (int run = 0; run < 400; run++) { /* 240 ordinary steps: at most a few in a hundred leave the model */
        ctw_watch *w;
        int32_t s = 0;
        CTW_OKAY(ctw_watch_new(ctx, NULL, &w));
        for (int i = 0; i < 240 && s != CTW_WATCH_FALLBACK; i++)
            CTW_OKAY(ctw_watch_step(w, ctw_num__rng_uniform(&g), 1, &s));
        fallen += s == CTW_WATCH_FALLBACK;
        ctw_watch_unref(w);
    }
    ck_assert_msg(fallen <= 12, "%d of 400 calm runs fell back", fallen);
}
END_TEST

int main(void)
{
    static ctw_test_case cases[4];
    size_t n = 0;
    cases[n++] = (ctw_test_case){"coverage", coverage};
    cases[n++] = (ctw_test_case){"units_and_distance", units_and_distance};
    cases[n++] = (ctw_test_case){"cusum_run_length", cusum_run_length};
    cases[n++] = (ctw_test_case){"watch_false_alarms", watch_false_alarms};
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 1;
    int rc = ctw_test_main("prop-guard", cases, n, 60);
    ctw_ctx_unref(ctx);
    return rc;
}
