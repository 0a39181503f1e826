/* Contract of serving.h: hand-computed runs, the Pollaczek-Khinchine mean, rivals, errors. */
#include "test.h"
#include <cybertwin/serving.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static ctw_ctx *ctx;

static ctw_serving *service(const char *const *kv)
{
    ctw_params *p;
    ctw_serving *s;
    CTW_OKAY(ctw_params_new(ctx, "serving", &p));
    CTW_OKAY(ctw_params_set_f64(p, "const_s", 0));
    CTW_OKAY(ctw_params_set_f64(p, "token_s", 1));
    for (; kv && *kv; kv += 2) CTW_OKAY(ctw_params_set_text(p, kv[0], kv[1]));
    CTW_OKAY(ctw_serving_new(ctx, p, &s));
    ctw_params_unref(p);
    return s;
}

/* Completion times of four requests; the first is alone, the rest wait for it. */
static void expect(const char *const *kv, const double *end)
{
    static const double arrival[4] = {0, 1, 2, 3}, output[4] = {10, 6, 2, 4}, predicted[4] = {10, 3, 2, 5};
    ctw_serving *s = service(kv);
    ctw_report *r;
    const double *jct;
    uint64_t n;
    CTW_OKAY(ctw_serving_run(s, arrival, NULL, output, predicted, 4, NULL, &r));
    CTW_OKAY(ctw_report_series(r, "jct_s", &jct, &n));
    ck_assert_uint_eq(n, 4);
    for (int i = 0; i < 4; i++) ck_assert_double_eq_tol(jct[i] + arrival[i], end[i], 1e-9);
    ctw_report_unref(r);
    ctw_serving_unref(s);
}

START_TEST(small_runs)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    expect((const char *[]){"policy", "fcfs", NULL}, (const double[]){10, 16, 18, 22});
    expect((const char *[]){"policy", "sjf", NULL}, (const double[]){10, 22, 12, 16});
    expect((const char *[]){"policy", "ssjf", NULL}, (const double[]){10, 18, 12, 22});
    expect((const char *[]){"policy", "guarded", "ageing", "0", NULL}, (const double[]){10, 16, 18, 22});
    expect((const char *[]){"policy", "srpt", NULL}, (const double[]){22, 13, 4, 8});
    expect((const char *[]){"policy", "fcfs", "batching", "dynamic", "batch", "3", NULL},
           (const double[]){10, 16, 16, 16});
    expect((const char *[]){"policy", "fcfs", "batching", "continuous", "batch", "2", NULL},
           (const double[]){10, 7, 9, 13});
    expect((const char *[]){"policy", "fcfs", "instances", "2", NULL}, (const double[]){10, 7, 9, 13});
    expect((const char *[]){"policy", "hrrn", NULL}, (const double[]){10, 18, 12, 22});
    ctw_ctx_unref(ctx);
}
END_TEST

/* Two at once take twice as long a token; memory for twelve tokens runs out at 6.5 s, when the second has written 5.5.
 */
START_TEST(company)
{
    static const double arrival[4] = {0, 1, 2, 3}, output[4] = {10, 6, 2, 4};
    double v;
    ctw_report *r;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    expect((const char *[]){"policy", "fcfs", "batching", "continuous", "batch", "2", "crowd_s", "1", NULL},
           (const double[]){19, 13, 17, 22});
    expect((const char *[]){"policy", "fcfs", "batching", "dynamic", "batch", "2", "crowd_s", "1", NULL},
           (const double[]){10, 22, 22, 26});
    expect((const char *[]){"policy", "fcfs", "batching", "continuous", "batch", "2", "kv_tokens", "12", NULL},
           (const double[]){10, 16, 12, 16});
    ctw_serving *s =
        service((const char *[]){"policy", "fcfs", "batching", "continuous", "batch", "2", "kv_tokens", "12", NULL});
    CTW_OKAY(ctw_serving_run(s, arrival, NULL, output, NULL, 4, NULL, &r));
    CTW_OKAY(ctw_report_get_f64(r, "preemptions", &v));
    ck_assert_double_eq(v, 1);
    CTW_OKAY(ctw_report_get_f64(r, "kv_peak", &v));
    ck_assert_double_eq_tol(v, 12, 1e-6);
    ctw_report_unref(r);
    CTW_FAILS(ctw_serving_run(s, arrival, (const double[]){3, 0, 0, 0}, output, NULL, 4, NULL, &r), CTW_E_RANGE,
              "request 0 needs 13");
    ctw_serving_unref(s);
    s = service((const char *[]){"kv_tokens", "12", NULL});
    CTW_FAILS(ctw_serving_run(s, arrival, NULL, output, NULL, 4, NULL, &r), CTW_E_UNSUPPORTED, "continuous");
    ctw_serving_unref(s);
    s = service((const char *[]){"policy", "srpt", "batching", "continuous", "crowd_s", "1", NULL});
    CTW_FAILS(ctw_serving_run(s, arrival, NULL, output, NULL, 4, NULL, &r), CTW_E_UNSUPPORTED, "crowd_s");
    ctw_serving_unref(s);
    ctw_ctx_unref(ctx);
}
END_TEST

static void run_series(const char *const *kv, const double *arrival, const double *output, uint64_t n, double *jct)
{
    ctw_serving *s = service(kv);
    ctw_report *r;
    const double *v;
    uint64_t many;
    CTW_OKAY(ctw_serving_run(s, arrival, output, output, NULL, n, NULL, &r));
    CTW_OKAY(ctw_report_series(r, "jct_s", &v, &many));
    ck_assert_uint_eq(many, n);
    memcpy(jct, v, n * sizeof *v);
    ctw_report_unref(r);
    ctw_serving_unref(s);
}

/* Memory that never runs out changes nothing; little memory serves everyone, later. */
START_TEST(memory)
{
    enum { N = 400 };
    static const char *const policy[] = {"fcfs", "ssjf", "guarded", "hrrn"};
    static double arrival[N], output[N], free_run[N], ample[N], tight[N];
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    for (int i = 0; i < N; i++) {
        arrival[i] = 3 * i + i * 29 % 7 / 10.0;
        output[i] = 1 + i * 37 % 19;
    }
    for (size_t k = 0; k < sizeof policy / sizeof *policy; k++) {
        const char *plain[] = {"policy", policy[k], "batching", "continuous", "batch", "4", NULL};
        const char *much[] = {"policy", policy[k], "batching", "continuous", "batch", "4", "kv_tokens", "100000", NULL};
        const char *less[] = {"policy", policy[k], "batching", "continuous", "batch", "4", "kv_tokens", "60", NULL};
        double sum = 0, later = 0;
        run_series(plain, arrival, output, N, free_run);
        run_series(much, arrival, output, N, ample);
        run_series(less, arrival, output, N, tight);
        for (int i = 0; i < N; i++) {
            ck_assert_double_eq_tol(free_run[i], ample[i], 1e-6);
            ck_assert_double_ge(tight[i], output[i] - 1e-6);
            sum += free_run[i];
            later += tight[i];
        }
        ck_assert_double_gt(later, sum);
    }
    ctw_ctx_unref(ctx);
}
END_TEST

/* Clocks that count from 1970 leave fine steps of time no room: memory that runs out must be acted upon all the same.
 */
START_TEST(late_clock)
{
    enum { N = 4000 };
    static double arrival[N], output[N];
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    for (int i = 0; i < N; i++) {
        arrival[i] = 1.7e9 + i * 0.001;
        output[i] = 1 + ((uint32_t)i * 2654435761u >> 8) % 800;
    }
    ctw_serving *s = service((const char *[]){"policy", "fcfs", "batching", "continuous", "batch", "1024", "token_s",
                                              "0.005", "kv_tokens", "200000", NULL});
    ctw_report *r;
    const double *jct;
    uint64_t n;
    CTW_OKAY(ctw_serving_run(s, arrival, NULL, output, NULL, N, NULL, &r));
    CTW_OKAY(ctw_report_series(r, "jct_s", &jct, &n));
    for (int i = 0; i < N; i++) ck_assert_double_ge(jct[i], 0.005 * output[i] - 1e-5);
    ctw_report_unref(r);
    ctw_serving_unref(s);
    ctw_ctx_unref(ctx);
}
END_TEST

/* M/G/1: W = lambda E[S^2] / (2 (1 - rho)). */
START_TEST(pollaczek_khinchine)
{
    enum { N = 60000 };
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static double arrival[N], output[N];
    ctw_serving *s = service((const char *[]){"policy", "fcfs", "warmup", "5000", NULL});
    double rate, mean, square = 0, first = 0;
    for (int i = 0; i < N; i++) {
        output[i] = 1 + (i * 7919 % 4);
        first += output[i] / N;
        square += output[i] * output[i] / N;
    }
    CTW_OKAY(ctw_serving_capacity(s, NULL, output, N, &rate));
    ck_assert_double_eq_tol(rate, 1 / first, 1e-9);
    CTW_OKAY(ctw_serving_arrivals(s, 0.6 * rate, 1, 0, 3, arrival, N));
    uint64_t state = 5;
    for (int i = N - 1; i > 0; i--) { /* in random order */
        state = state * 6364136223846793005u + 1442695040888963407u;
        int k = (int)((state >> 33) % (uint64_t)(i + 1));
        double t = output[i];
        output[i] = output[k];
        output[k] = t;
    }
    ctw_report *r;
    CTW_OKAY(ctw_serving_run(s, arrival, NULL, output, NULL, N, NULL, &r));
    CTW_OKAY(ctw_report_get_f64(r, "jct_mean", &mean));
    double want = 0.6 * rate * square / 2 / 0.4 + first;
    ck_assert_double_eq_tol(mean / want, 1, 0.05);
    ctw_report_unref(r);
    ctw_serving_unref(s);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(every_policy_serves_everyone)
{
    enum { N = 400 };
    static const char *const policy[] = {"fcfs", "sjf",  "ssjf", "guarded", "strict", "auto",
                                         "srpt", "hrrn", "mlfq", "random",  "psrpt"};
    double arrival[N], output[N], predicted[N], v;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    for (int i = 0; i < N; i++) {
        output[i] = 1 + i * 37 % 19;
        predicted[i] = 1 + i * 53 % 19;
    }
    for (size_t k = 0; k < sizeof policy / sizeof *policy; k++) {
        ctw_serving *s = service((const char *[]){"policy", policy[k], "batching", "continuous", "batch", "4", NULL});
        ctw_report *r;
        const double *jct;
        uint64_t n;
        CTW_OKAY(ctw_serving_arrivals(s, 0.45, 3, 0, 1, arrival, N));
        CTW_OKAY(ctw_serving_run(s, arrival, output, output, predicted, N, NULL, &r));
        CTW_OKAY(ctw_report_series(r, "jct_s", &jct, &n));
        ck_assert_uint_eq(n, N);
        for (int i = 0; i < N; i++)
            if (!(jct[i] >= output[i] - 1e-6)) ck_abort_msg("%s: request %d", policy[k], i);
        CTW_OKAY(ctw_report_get_f64(r, "throughput", &v));
        ck_assert(v > 0);
        ctw_report_unref(r);
        ctw_serving_unref(s);
    }
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(published_protocol)
{
    static const double arrival[5] = {0, 0, 0, 0, 0}, output[5] = {5, 1, 3, 2, 4};
    double fcfs, sjf, both;
    ctw_report *r;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_serving *s = service((const char *[]){"policy", "fcfs", NULL});
    CTW_OKAY(ctw_serving_run_paper(s, arrival, output, NULL, 5, &r));
    CTW_OKAY(ctw_report_get_f64(r, "jct_mean", &fcfs));
    ck_assert_double_eq_tol(fcfs, (5 + 6 + 9 + 11 + 15) / 5.0, 1e-9);
    ctw_report_unref(r);
    ctw_serving_unref(s);
    s = service((const char *[]){"policy", "sjf", NULL});
    CTW_OKAY(ctw_serving_run_paper(s, arrival, output, NULL, 5, &r));
    CTW_OKAY(ctw_report_get_f64(r, "jct_mean", &sjf));
    ck_assert_double_eq_tol(sjf, (1 + 3 + 6 + 10 + 15) / 5.0, 1e-9);
    ctw_report_unref(r);
    ctw_serving_unref(s);
    s = service((const char *[]){"policy", "ssjf", "batching", "continuous", "batch", "2", NULL});
    CTW_OKAY(ctw_serving_run_paper(s, arrival, output, output, 5, &r));
    CTW_OKAY(ctw_report_get_f64(r, "jct_mean", &both));
    ck_assert(both < sjf);
    ctw_report_unref(r);
    ctw_serving_unref(s);
    s = service((const char *[]){"policy", "auto", NULL});
    CTW_FAILS(ctw_serving_run_paper(s, arrival, output, NULL, 5, &r), CTW_E_UNSUPPORTED, "published");
    ctw_serving_unref(s);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(errors)
{
    static const double arrival[3] = {0, 2, 1}, output[3] = {1, 1, 1}, bad[3] = {1, -1, 1}, none[3] = {0, 0, 0};
    double v, at[3];
    ctw_report *r;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_serving *s = service(NULL), *nothing;
    CTW_FAILS(ctw_serving_new(NULL, NULL, &nothing), CTW_E_ARG, NULL);
    CTW_FAILS(ctw_serving_run(s, arrival, NULL, output, NULL, 3, NULL, &r), CTW_E_RANGE, "arrival[2]");
    CTW_FAILS(ctw_serving_run(s, arrival, NULL, bad, NULL, 2, NULL, &r), CTW_E_RANGE, "output");
    CTW_FAILS(ctw_serving_run(s, arrival, bad, output, NULL, 2, NULL, &r), CTW_E_RANGE, "input");
    CTW_FAILS(ctw_serving_run(s, arrival, NULL, output, bad, 2, NULL, &r), CTW_E_RANGE, "predicted");
    CTW_FAILS(ctw_serving_run(s, arrival, NULL, output, NULL, 0, NULL, &r), CTW_E_RANGE, "n");
    CTW_FAILS(ctw_serving_run(s, NULL, NULL, output, NULL, 2, NULL, &r), CTW_E_ARG, "arrival");
    CTW_FAILS(ctw_serving_run(NULL, arrival, NULL, output, NULL, 2, NULL, &r), CTW_E_ARG, "s");
    CTW_FAILS(ctw_serving_capacity(s, NULL, none, 3, &v), CTW_E_RANGE, "no time");
    CTW_FAILS(ctw_serving_arrivals(s, -1, 1, 0, 0, at, 3), CTW_E_RANGE, "rate");
    CTW_FAILS(ctw_serving_arrivals(s, 1, NAN, 0, 0, at, 3), CTW_E_NONFINITE, "cv");
    CTW_OKAY(ctw_serving_arrivals(s, 1, 2, 1, 0, at, 3));
    ck_assert(at[0] <= at[1] - at[0] && at[1] - at[0] <= at[2] - at[1]);
    ctw_serving_unref(ctw_serving_ref(s));
    ctw_serving_unref(s);
    s = service((const char *[]){"policy", "srpt", "batching", "dynamic", NULL});
    CTW_FAILS(ctw_serving_run(s, arrival, NULL, output, NULL, 2, NULL, &r), CTW_E_UNSUPPORTED, "preemptive");
    ctw_serving_unref(s);
    s = service((const char *[]){"warmup", "2", NULL});
    CTW_FAILS(ctw_serving_run(s, arrival, NULL, output, NULL, 2, NULL, &r), CTW_E_RANGE, "warm-up");
    ctw_serving_unref(s);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"small_runs", small_runs},
                                   {"company", company},
                                   {"memory", memory},
                                   {"late_clock", late_clock},
                                   {"pollaczek_khinchine", pollaczek_khinchine},
                                   {"every_policy_serves_everyone", every_policy_serves_everyone},
                                   {"published_protocol", published_protocol},
                                   {"errors", errors}};
    return ctw_test_main("api-serving", cases, sizeof cases / sizeof *cases, 60);
}
