/* Contract of exec.h through the shared library. */
#include "test.h"
#include <cybertwin/exec.h>
#include <math.h>

static ctw_ctx *ctx;

static ctw_exec *model(const char *const *kv)
{
    ctw_params *p;
    ctw_exec *e;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    CTW_OKAY(ctw_params_new(ctx, "exec", &p));
    for (; kv && *kv; kv += 2) CTW_OKAY(ctw_params_set_text(p, kv[0], kv[1]));
    CTW_OKAY(ctw_exec_new(ctx, p, &e));
    ctw_params_unref(p);
    ctw_ctx_unref(ctx);
    return e;
}

static double seconds(const ctw_exec *e, int64_t instance, double input, double output, double running)
{
    double s;
    CTW_OKAY(ctw_exec_seconds(e, instance, input, output, running, &s));
    return s;
}

static double reported(const ctw_exec *e, const char *key, uint64_t instance)
{
    ctw_report *r;
    const double *v;
    uint64_t n;
    CTW_OKAY(ctw_exec_report(e, &r));
    CTW_OKAY(ctw_report_series(r, key, &v, &n));
    ck_assert_uint_gt(n, instance);
    double one = v[instance];
    ctw_report_unref(r);
    return one;
}

START_TEST(preset)
{
    ctw_exec *e = model((const char *[]){"instances", "2", NULL});
    const double in[] = {10, 20, 30}, out[] = {100, 50, 400};
    double s;
    ck_assert(fabs(seconds(e, 1, 500, 100, 8) - 2.1) < 1e-12);
    CTW_OKAY(ctw_exec_batch_seconds(e, 0, in, out, 3, &s));
    ck_assert(fabs(s - 8.1) < 1e-12);
    ck_assert(reported(e, "token_s", 1) == 0.02 && reported(e, "observed", 0) == 0);
    ctw_exec_unref(ctw_exec_ref(e));
    ctw_exec_unref(e);
    ctw_exec_unref(NULL);
    e = model((const char *[]){"const_s", "1", "prefill_s", "0.001", "token_s", "0.01", "crowd_s", "0.002", NULL});
    ck_assert(fabs(seconds(e, 0, 500, 100, 6) - 3.5) < 1e-12);
    CTW_OKAY(ctw_exec_batch_seconds(e, 0, in, out, 3, &s));
    ck_assert(fabs(s - (1 + 0.06 + 400 * (0.01 + 0.002 * 2))) < 1e-12);
    CTW_OKAY(ctw_exec_batch_seconds(e, 0, NULL, out, 1, &s));
    ck_assert(fabs(s - 2) < 1e-12);
    ctw_exec_unref(e);
}
END_TEST

START_TEST(bad_input)
{
    ctw_exec *e = model(NULL), *none;
    ctw_params *p;
    const double bad[] = {1, NAN};
    double s;
    CTW_FAILS(ctw_exec_new(NULL, NULL, &none), CTW_E_ARG, "ctx");
    CTW_FAILS(ctw_exec_seconds(NULL, 0, 1, 1, 1, &s), CTW_E_ARG, "e");
    CTW_FAILS(ctw_exec_seconds(e, 1, 1, 1, 1, &s), CTW_E_RANGE, "instance");
    CTW_FAILS(ctw_exec_seconds(e, 0, NAN, 1, 1, &s), CTW_E_NONFINITE, "input");
    CTW_FAILS(ctw_exec_seconds(e, 0, 1, -1, 1, &s), CTW_E_RANGE, "output");
    CTW_FAILS(ctw_exec_seconds(e, 0, 1, 1, 0, &s), CTW_E_RANGE, "running");
    CTW_FAILS(ctw_exec_seconds(e, 0, 1, 1, 1, NULL), CTW_E_ARG, "seconds");
    CTW_FAILS(ctw_exec_batch_seconds(e, 0, NULL, bad, 2, &s), CTW_E_NONFINITE, "output");
    CTW_FAILS(ctw_exec_batch_seconds(e, 0, NULL, bad, 0, &s), CTW_E_RANGE, "n");
    CTW_FAILS(ctw_exec_observe(e, 0, 1, 1, 1, 0), CTW_E_RANGE, "seconds");
    CTW_FAILS(ctw_exec_observe(e, 0, 1, 1, 1, INFINITY), CTW_E_NONFINITE, "seconds");
    CTW_FAILS(ctw_exec_observe_batch(e, 0, bad, bad, 2, 1), CTW_E_NONFINITE, NULL);
    CTW_FAILS(ctw_exec_report(e, NULL), CTW_E_ARG, "out");
    ck_assert(fabs(seconds(e, 0, 0, 100, 1) - 2.1) < 1e-12);
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    CTW_OKAY(ctw_params_new(ctx, "exec", &p));
    CTW_OKAY(ctw_params_set_f64(p, "const_s", 0));
    CTW_OKAY(ctw_params_set_f64(p, "token_s", 0));
    CTW_FAILS(ctw_exec_new(ctx, p, &none), CTW_E_ARG, "all of");
    ctw_params_unref(p);
    ctw_ctx_unref(ctx);
    ctw_exec_unref(e);
}
END_TEST

static uint64_t state;

static double draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state >> 11) / 9007199254740992.0;
}

/* n requests under the given truth with a tenth of noise; one in twenty takes twenty times as long. */
static void live(ctw_exec *e, int64_t instance, const double *c, int n)
{
    for (int i = 0; i < n; i++) {
        double in = 20 + 2000 * draw(), out = 5 + 500 * draw() * draw(), running = 1 + floor(8 * draw());
        double s = c[0] + c[1] * in + out * (c[2] + c[3] * (running - 1));
        s *= 0.9 + 0.2 * draw();
        if (draw() < 0.05) s *= 20;
        CTW_OKAY(ctw_exec_observe(e, instance, in, out, running, s));
    }
}

static void agrees(const ctw_exec *e, int64_t instance, const double *c, double within)
{
    double in = 1000, out = 200, truth = c[0] + c[1] * in + out * (c[2] + c[3] * 4);
    double miss = seconds(e, instance, in, out, 5) / truth - 1;
    if (fabs(miss) > within) ck_abort_msg("misses by %g", miss);
}

/* The truth is found in spite of outliers, each instance for itself, and followed when it changes. */
START_TEST(follows)
{
    static const double slow[] = {0.3, 0.0004, 0.03, 0.002}, fast[] = {0.05, 0.0001, 0.008, 0};
    ctw_exec *e = model((const char *[]){"instances", "2", NULL});
    state = 4711;
    live(e, 0, slow, 1000);
    live(e, 1, fast, 1000);
    agrees(e, 0, slow, 0.05);
    agrees(e, 1, fast, 0.05);
    ck_assert(fabs(reported(e, "token_s", 0) / slow[2] - 1) < 0.1);
    ck_assert(reported(e, "error", 0) > 0.02 && reported(e, "error", 0) < 0.15);
    ck_assert(reported(e, "observed", 1) == 1000 && reported(e, "crowd_s", 1) >= 0);
    live(e, 0, fast, 2000);
    agrees(e, 0, fast, 0.1);
    live(e, 0, slow, 2000);
    agrees(e, 0, slow, 0.1);
    ctw_exec_unref(e);
}
END_TEST

/* What is loaded answers and learns on as the saved one; no flipped byte or missing end gets through. */
START_TEST(saved)
{
    static const double truth[] = {0.3, 0.0004, 0.03, 0.002};
    static unsigned char buf[4096];
    uint64_t need;
    ctw_exec *e = model((const char *[]){"instances", "2", "trust", "4", NULL}), *back, *none;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    state = 4;
    live(e, 1, truth, 300);
    CTW_OKAY(ctw_exec_save_mem(e, buf, sizeof buf, &need));
    CTW_OKAY(ctw_exec_load_mem(ctx, buf, need, &back));
    uint64_t before = state;
    live(e, 1, truth, 50);
    state = before;
    live(back, 1, truth, 50);
    for (int i = 0; i < 2; i++) ck_assert(seconds(e, i, 700, 90, 3) == seconds(back, i, 700, 90, 3));
    ck_assert(reported(back, "observed", 1) == 350 && reported(back, "error", 1) == reported(e, "error", 1));
    ctw_exec_unref(back);
    for (uint64_t i = 0; i < need; i++) {
        buf[i] ^= 0x20;
        ck_assert(ctw_exec_load_mem(ctx, buf, need, &none) != CTW_OK && !none);
        buf[i] ^= 0x20;
        ck_assert(ctw_exec_load_mem(ctx, buf, i, &none) != CTW_OK && !none);
    }
    const char *path = ctw_test_tmp("exec.ctw");
    CTW_OKAY(ctw_exec_save_file(e, path));
    CTW_OKAY(ctw_exec_load_file(ctx, path, &back));
    ck_assert(seconds(e, 1, 700, 90, 3) == seconds(back, 1, 700, 90, 3));
    CTW_FAILS(ctw_exec_load_file(ctx, ctw_test_golden("lengths/lengths-2.ctw"), &none), CTW_E_KIND, NULL);
    CTW_FAILS(ctw_exec_save_mem(e, buf, 10, &need), CTW_E_BUFFER, NULL);
    ctw_exec_unref(back);
    ctw_exec_unref(e);
    ctw_ctx_unref(ctx);
}
END_TEST

/* A file of format 1.0 stays readable and answers what it did. */
START_TEST(golden_file)
{
    ctw_exec *e;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    CTW_OKAY(ctw_exec_load_file(ctx, ctw_test_golden("lengths/exec-1.ctw"), &e));
    ck_assert_double_eq_tol(seconds(e, 1, 700, 90, 3), 3.6789591869314173, 1e-12);
    ck_assert(reported(e, "observed", 1) == 300);
    ctw_exec_unref(e);
    ctw_ctx_unref(ctx);
}
END_TEST

/* Requests that could only be explained by a negative term. */
START_TEST(never_negative)
{
    ctw_exec *e = model((const char *[]){"trust", "0.001", NULL});
    for (int i = 1; i < 300; i++) CTW_OKAY(ctw_exec_observe(e, 0, 2000 - i, i, 1, 0.01 * i));
    for (int i = 0; i < 4; i++)
        ck_assert(reported(e, (const char *[]){"const_s", "prefill_s", "token_s", "crowd_s"}[i], 0) >= 0);
    ck_assert(seconds(e, 0, 0, 0, 1) >= 0);
    ck_assert(fabs(seconds(e, 0, 1800, 200, 1) / 2 - 1) < 0.1);
    ctw_exec_unref(e);
}
END_TEST

/* Batches that end with their longest. */
START_TEST(batches)
{
    ctw_exec *e = model(NULL);
    double s;
    state = 99;
    for (int i = 0; i < 600; i++) {
        double in[6], out[6], read = 0, longest = 0;
        uint64_t n = 1 + (uint64_t)(6 * draw());
        for (uint64_t k = 0; k < n; k++) {
            read += in[k] = 100 * draw();
            longest = fmax(longest, out[k] = 10 + 300 * draw());
        }
        CTW_OKAY(ctw_exec_observe_batch(e, 0, in, out, n, 0.2 + 0.001 * read + longest * (0.03 + 0.001 * (double)n)));
    }
    const double in[] = {10, 90}, out[] = {150, 30};
    CTW_OKAY(ctw_exec_batch_seconds(e, 0, in, out, 2, &s));
    ck_assert(fabs(s / (0.2 + 0.1 + 150 * 0.032) - 1) < 0.02);
    ctw_exec_unref(e);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"preset", preset},           {"bad_input", bad_input},           {"follows", follows}, {"saved", saved},
        {"golden_file", golden_file}, {"never_negative", never_negative}, {"batches", batches}};
    return ctw_test_main("api-exec", cases, sizeof cases / sizeof *cases, 60);
}
