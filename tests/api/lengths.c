/* Contract of lengths.h through the shared library. */
#include "test.h"
#include <cybertwin/lengths.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 400 };

static ctw_ctx *ctx;
static char text[N][64];
static const char *prompt[N];
static double tokens[N];

/* Four kinds of task of clearly different length, with some noise. */
static void make_prompts(void)
{
    static const char *const task[4] = {"Classify %d as", "Translate %d to", "Explain why %d", "Write a story of %d"};
    uint64_t state = 99;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    for (int i = 0; i < N; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        snprintf(text[i], sizeof text[i], task[i % 4], (int)(state >> 40) % 100);
        prompt[i] = text[i];
        tokens[i] = floor((5 + 60 * (i % 4)) * (0.7 + 0.6 * (double)(state >> 11) / 9007199254740992.0));
    }
}

static ctw_lengths *fitted(void)
{
    ctw_lengths *l;
    make_prompts();
    CTW_OKAY(ctw_lengths_new(ctx, NULL, &l));
    CTW_OKAY(ctw_lengths_fit(l, prompt, NULL, N, tokens, 1, NULL));
    return l;
}

static void done(ctw_lengths *l)
{
    ctw_lengths_unref(l);
    ctw_ctx_unref(ctx);
}

static double predicted(const ctw_lengths *l, const char *p, double q)
{
    double v;
    CTW_OKAY(ctw_lengths_predict(l, p, strlen(p), 0, q, &v));
    return v;
}

START_TEST(learns)
{
    ctw_lengths *l = fitted();
    ck_assert(predicted(l, "Classify 7 as", 0.5) < 20);
    ck_assert(predicted(l, "Write a story of 7", 0.5) > 120);
    size_t covered = 0;
    for (int i = 0; i < N; i++) covered += tokens[i] <= predicted(l, text[i], 0.9);
    ck_assert((double)covered > N * 0.85 && (double)covered < N * 0.97);
    const double edge[] = {30, 100, 160};
    int64_t cls;
    double p, low, high, score, all;
    CTW_OKAY(ctw_lengths_class(l, text[0], strlen(text[0]), 0, edge, 3, &cls, &p));
    ck_assert(cls == 0 && p > 0.8 && p <= 1);
    CTW_OKAY(ctw_lengths_class(l, text[3], strlen(text[3]), 0, edge, 3, &cls, NULL));
    ck_assert_int_eq(cls, 3);
    CTW_OKAY(ctw_lengths_score(l, text[0], strlen(text[0]), 0, &low));
    CTW_OKAY(ctw_lengths_score(l, text[3], strlen(text[3]), 0, &high));
    ck_assert(low < high);
    CTW_OKAY(ctw_lengths_predict_all(l, text[3], strlen(text[3]), 0.5, &all));
    ck_assert(all == predicted(l, text[3], 0.5));
    CTW_OKAY(ctw_lengths_score(l, text[3], strlen(text[3]), 0, &score));
    ck_assert(score == high);
    done(l);
}
END_TEST

START_TEST(odd_prompts)
{
    ctw_lengths *l = fitted();
    size_t big = 1 << 20;
    char *p = malloc(big);
    double a, b;
    memset(p, 'x', big);
    CTW_OKAY(ctw_lengths_predict(l, NULL, 0, 0, 0.5, &a));
    CTW_OKAY(ctw_lengths_predict(l, "", 0, 0, 0.5, &b));
    ck_assert(a == b && a >= 0);
    CTW_OKAY(ctw_lengths_predict(l, p, big, 0, 0.5, &a));
    ck_assert(isfinite(a) && a >= 0);
    for (size_t i = 0; i < big; i++) p[i] = (char)(i * 37 % 256);
    CTW_OKAY(ctw_lengths_predict(l, p, big, 0, 0.5, &a));
    CTW_OKAY(ctw_lengths_predict(l, p, big, 0, 0.5, &b));
    ck_assert(isfinite(a) && a == b);
    CTW_OKAY(ctw_lengths_predict(l, "a\0b", 3, 0, 0.5, &a));
    CTW_OKAY(ctw_lengths_predict(l, "\xff\xfe\x80", 3, 0, 0.5, &a));
    free(p);
    done(l);
}
END_TEST

START_TEST(errors)
{
    ctw_lengths *l = fitted(), *fresh;
    double v;
    int64_t c;
    const double down[] = {5, 4};
    CTW_FAILS(ctw_lengths_new(ctx, NULL, NULL), CTW_E_ARG, "out");
    CTW_FAILS(ctw_lengths_new(NULL, NULL, &fresh), CTW_E_ARG, "ctx");
    ck_assert_ptr_null(fresh);
    CTW_OKAY(ctw_lengths_new(ctx, NULL, &fresh));
    CTW_FAILS(ctw_lengths_predict(fresh, "a", 1, 0, 0.5, &v), CTW_E_STATE, "not been fitted");
    CTW_FAILS(ctw_lengths_save_mem(fresh, NULL, 0, &(uint64_t){0}), CTW_E_STATE, "not been fitted");
    CTW_FAILS(ctw_lengths_predict(NULL, "a", 1, 0, 0.5, &v), CTW_E_ARG, NULL);
    CTW_FAILS(ctw_lengths_predict(l, NULL, 1, 0, 0.5, &v), CTW_E_ARG, "prompt");
    CTW_FAILS(ctw_lengths_predict(l, "a", 1, 1, 0.5, &v), CTW_E_RANGE, "model");
    CTW_FAILS(ctw_lengths_predict(l, "a", 1, 0, 1, &v), CTW_E_RANGE, "quantile");
    CTW_FAILS(ctw_lengths_predict(l, "a", 1, 0, NAN, &v), CTW_E_NONFINITE, "quantile");
    CTW_FAILS(ctw_lengths_class(l, "a", 1, 0, down, 2, &c, NULL), CTW_E_RANGE, "edge");
    CTW_FAILS(ctw_lengths_class(l, "a", 1, 0, down, 0, &c, NULL), CTW_E_RANGE, "n_edges");
    CTW_FAILS(ctw_lengths_observe(l, "a", 1, 0, -1), CTW_E_RANGE, "tokens");
    CTW_FAILS(ctw_lengths_observe(l, "a", 1, -1, 1), CTW_E_RANGE, "model");
    CTW_FAILS(ctw_lengths_fit(fresh, prompt, NULL, 3, tokens, 1, NULL), CTW_E_RANGE, "n is 3");
    CTW_FAILS(ctw_lengths_fit(fresh, NULL, NULL, N, tokens, 1, NULL), CTW_E_ARG, "prompt");
    CTW_FAILS(ctw_lengths_fit(fresh, prompt, NULL, N, tokens, 0, NULL), CTW_E_SHAPE, "stride");
    ctw_cancel *stop;
    CTW_OKAY(ctw_cancel_new(ctx, &stop));
    ctw_cancel_request(stop);
    CTW_FAILS(ctw_lengths_fit(l, prompt, NULL, N, tokens, 1, stop), CTW_E_CANCELLED, NULL);
    CTW_FAILS(ctw_lengths_predict(l, "a", 1, 0, 0.5, &v), CTW_E_STATE, "not been fitted");
    ctw_cancel_unref(stop);
    tokens[5] = -2;
    CTW_FAILS(ctw_lengths_fit(l, prompt, NULL, N, tokens, 1, NULL), CTW_E_RANGE, "request 5");
    for (int i = 15; i < N; i++) tokens[i] = NAN;
    tokens[5] = 2;
    CTW_FAILS(ctw_lengths_fit(l, prompt, NULL, N, tokens, 1, NULL), CTW_E_ARG, "15 requests");
    prompt[7] = NULL;
    CTW_FAILS(ctw_lengths_fit(l, prompt, NULL, N, tokens, 1, NULL), CTW_E_ARG, "prompt[7]");
    ctw_lengths_unref(fresh);
    done(l);
}
END_TEST

static void *saved(const ctw_lengths *l, uint64_t *need)
{
    CTW_OKAY(ctw_lengths_save_mem(l, NULL, 0, need));
    void *buf = malloc(*need);
    CTW_FAILS(ctw_lengths_save_mem(l, buf, *need - 1, need), CTW_E_BUFFER, NULL);
    CTW_OKAY(ctw_lengths_save_mem(l, buf, *need, need));
    return buf;
}

START_TEST(round_trip)
{
    ctw_lengths *l = fitted(), *back;
    uint64_t n, m;
    void *a = saved(l, &n);
    ck_assert(n <= 256 * 1024);
    CTW_OKAY(ctw_lengths_load_mem(ctx, a, n, &back));
    void *b = saved(back, &m);
    ck_assert(n == m && !memcmp(a, b, n));
    for (int i = 0; i < N; i++) ck_assert(predicted(l, text[i], 0.7) == predicted(back, text[i], 0.7));
    ctw_lengths_unref(back);
    const char *path = ctw_test_tmp("lengths.ctw");
    CTW_OKAY(ctw_lengths_save_file(l, path));
    CTW_OKAY(ctw_lengths_load_file(ctx, path, &back));
    ck_assert(predicted(l, "abc", 0.5) == predicted(back, "abc", 0.5));
    ctw_lengths_unref(back);
    ((unsigned char *)a)[n / 2] ^= 1;
    CTW_FAILS(ctw_lengths_load_mem(ctx, a, n, &back), CTW_E_FORMAT, NULL);
    ck_assert_ptr_null(back);
    CTW_FAILS(ctw_lengths_load_mem(ctx, b, n - 9, &back), CTW_E_FORMAT, NULL);
    CTW_FAILS(ctw_lengths_load_file(ctx, "/nowhere/at/all", &back), CTW_E_IO, NULL);
    free(a);
    free(b);
    done(l);
}
END_TEST

START_TEST(follows_a_changed_model)
{
    ctw_lengths *l = fitted();
    for (int i = 0; i < 200; i++) CTW_OKAY(ctw_lengths_observe(l, text[i], strlen(text[i]), 0, 3 * tokens[i]));
    ck_assert(predicted(l, "Write a story of 7", 0.5) > 360);
    int64_t changed;
    CTW_OKAY(ctw_lengths_update(l, NULL, &changed));
    ck_assert_int_eq(changed, 1);
    ck_assert(predicted(l, "Write a story of 7", 0.5) > 400 && predicted(l, "Classify 7 as", 0.5) < 60);
    done(l);
}
END_TEST

START_TEST(learns_from_nothing)
{
    ctw_lengths *l;
    int64_t changed;
    double v;
    make_prompts();
    CTW_OKAY(ctw_lengths_new(ctx, NULL, &l));
    for (int i = 0; i < 10; i++) CTW_OKAY(ctw_lengths_observe(l, text[i], strlen(text[i]), 0, tokens[i]));
    CTW_OKAY(ctw_lengths_update(l, NULL, &changed));
    ck_assert_int_eq(changed, 0);
    CTW_FAILS(ctw_lengths_predict(l, "a", 1, 0, 0.5, &v), CTW_E_STATE, NULL);
    for (int i = 10; i < 200; i++) CTW_OKAY(ctw_lengths_observe(l, text[i], strlen(text[i]), 0, tokens[i]));
    CTW_OKAY(ctw_lengths_update(l, NULL, &changed));
    ck_assert_int_eq(changed, 1);
    ck_assert(predicted(l, "Classify 7 as", 0.5) < predicted(l, "Write a story of 7", 0.5));
    done(l);
}
END_TEST

START_TEST(several_models)
{
    static double both[N][2];
    ctw_params *p;
    ctw_lengths *l;
    double v[2];
    make_prompts();
    for (int i = 0; i < N; i++) {
        both[i][0] = tokens[i];
        both[i][1] = i % 3 ? 400 - tokens[i] : NAN;
    }
    CTW_OKAY(ctw_params_new(ctx, "lengths", &p));
    CTW_OKAY(ctw_params_set_i64(p, "models", 2));
    CTW_OKAY(ctw_params_set_f64(p, "ridge", 10));
    CTW_OKAY(ctw_params_set_i64(p, "bits", 12));
    CTW_OKAY(ctw_lengths_new(ctx, p, &l));
    CTW_OKAY(ctw_lengths_fit(l, prompt, NULL, N, &both[0][0], 2, NULL));
    CTW_OKAY(ctw_lengths_predict_all(l, text[3], strlen(text[3]), 0.5, v));
    ck_assert(v[0] > 120 && v[1] < 280);
    ctw_report *r;
    const double *rows;
    uint64_t n;
    CTW_OKAY(ctw_lengths_report(l, &r));
    CTW_OKAY(ctw_report_series(r, "rows", &rows, &n));
    ck_assert(n == 2 && rows[0] == N && rows[1] == N - (N + 2) / 3);
    ctw_report_unref(r);
    ctw_params_unref(p);
    done(l);
}
END_TEST

/* Several answers to a prompt: their mean rank is learned, and the quantiles remain those of one answer. */
START_TEST(several_samples)
{
    static double three[N][3];
    ctw_params *p;
    ctw_lengths *l;
    ctw_report *r;
    const double *rows;
    uint64_t n;
    make_prompts();
    for (int i = 0; i < N; i++) {
        three[i][0] = i % 5 ? tokens[i] : NAN;
        three[i][1] = i % 7 ? tokens[(i + 4) % N] : NAN;
        three[i][2] = tokens[(i + 8) % N];
    }
    three[3][0] = three[3][1] = three[3][2] = NAN;
    CTW_OKAY(ctw_params_new(ctx, "lengths", &p));
    CTW_OKAY(ctw_params_set_i64(p, "samples", 3));
    CTW_OKAY(ctw_lengths_new(ctx, p, &l));
    CTW_FAILS(ctw_lengths_fit(l, prompt, NULL, N, &three[0][0], 2, NULL), CTW_E_SHAPE, "3 samples");
    CTW_OKAY(ctw_lengths_fit(l, prompt, NULL, N, &three[0][0], 3, NULL));
    CTW_OKAY(ctw_lengths_report(l, &r));
    CTW_OKAY(ctw_report_series(r, "rows", &rows, &n));
    ck_assert(n == 1 && rows[0] == N - 1);
    ctw_report_unref(r);
    size_t covered = 0;
    for (int i = 0; i < N; i++) covered += tokens[i] <= predicted(l, text[i], 0.9);
    ck_assert((double)covered > N * 0.85 && (double)covered < N * 0.97);
    three[8][1] = -1;
    CTW_FAILS(ctw_lengths_fit(l, prompt, NULL, N, &three[0][0], 3, NULL), CTW_E_RANGE, "request 8");
    ctw_params_unref(p);
    done(l);
}
END_TEST

/* Files of formats 2.0 and 2.1 stay readable and predict what they did. */
START_TEST(golden_file)
{
    ctw_lengths *l;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    CTW_OKAY(ctw_lengths_load_file(ctx, ctw_test_golden("lengths/lengths-2.ctw"), &l));
    ck_assert_double_eq_tol(predicted(l, "Classify 7 as", 0.5), 3.9998195120168525, 1e-9);
    ck_assert_double_eq_tol(predicted(l, "Write a story of 7", 0.9), 232.73812212713952, 1e-9);
    int64_t cls;
    CTW_FAILS(ctw_lengths_class(l, "a", 1, 0, NULL, 0, &cls, NULL), CTW_E_STATE, "format 2.0");
    ctw_lengths_unref(l);
    double sure; /* 2.1: a head and its classes */
    CTW_OKAY(ctw_lengths_load_file(ctx, ctw_test_golden("lengths/lengths-2.1.ctw"), &l));
    ck_assert_double_eq_tol(predicted(l, "Write a story of 7", 0.5), 182.80861290741177, 1e-9);
    CTW_OKAY(ctw_lengths_class(l, "Write a story of 7", 18, 0, NULL, 0, &cls, &sure));
    ck_assert(cls == 3 && fabs(sure - 0.77278613026398468) < 1e-9);
    done(l);
}
END_TEST

/* Every head orders the four kinds of task; the classes that the fit has cut come out right, also after loading and
 * after an update. */
START_TEST(heads)
{
    static const char *const head[] = {"rank", "log", "ordinal", "binary", "classes"};
    static unsigned char buf[400000];
    make_prompts();
    for (int h = 0; h < 5; h++) {
        ctw_params *p;
        ctw_lengths *l, *back;
        ctw_report *r;
        const double *edge;
        uint64_t n, need;
        int right = 0;
        CTW_OKAY(ctw_params_new(ctx, "lengths", &p));
        CTW_OKAY(ctw_params_set_str(p, "head", head[h]));
        CTW_OKAY(ctw_params_set_i64(p, "bits", 10));
        CTW_OKAY(ctw_lengths_new(ctx, p, &l));
        CTW_OKAY(ctw_lengths_fit(l, prompt, NULL, N, tokens, 1, NULL));
        for (int i = 0; i < N; i++) CTW_OKAY(ctw_lengths_observe(l, prompt[i], strlen(prompt[i]), 0, tokens[i]));
        CTW_OKAY(ctw_lengths_update(l, NULL, NULL));
        CTW_OKAY(ctw_lengths_save_mem(l, buf, sizeof buf, &need));
        CTW_OKAY(ctw_lengths_load_mem(ctx, buf, need, &back));
        CTW_OKAY(ctw_lengths_report(back, &r));
        CTW_OKAY(ctw_report_series(r, "edges", &edge, &n));
        ck_assert(n == 4 && edge[0] < edge[1] && edge[1] < edge[2] && edge[2] < edge[3]);
        for (int i = 0; i < N; i++) {
            int64_t cls, again;
            double sure;
            CTW_OKAY(ctw_lengths_class(l, prompt[i], strlen(prompt[i]), 0, NULL, 0, &cls, &sure));
            CTW_OKAY(ctw_lengths_class(back, prompt[i], strlen(prompt[i]), 0, NULL, 0, &again, NULL));
            ck_assert(cls == again && sure > 0 && sure <= 1);
            right += h == 3 ? cls == (tokens[i] >= edge[1])
                            : tokens[i] < (cls < 4 ? edge[cls] : 1e9) && (cls == 0 || tokens[i] >= edge[cls - 1]);
        }
        ck_assert_int_gt(right, N * 7 / 10);
        if (h != 3) ck_assert(predicted(l, "Write a story of 7", 0.5) > predicted(l, "Explain why 7", 0.5));
        ck_assert(predicted(l, "Explain why 7", 0.5) > predicted(l, "Classify 7 as", 0.5));
        ctw_report_unref(r);
        ctw_params_unref(p);
        ctw_lengths_unref(back);
        if (h < 4)
            ctw_lengths_unref(l);
        else
            done(l);
    }
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"learns", learns},
                                   {"odd_prompts", odd_prompts},
                                   {"errors", errors},
                                   {"round_trip", round_trip},
                                   {"follows_a_changed_model", follows_a_changed_model},
                                   {"learns_from_nothing", learns_from_nothing},
                                   {"several_models", several_models},
                                   {"several_samples", several_samples},
                                   {"heads", heads},
                                   {"golden_file", golden_file}};
    return ctw_test_main("api-lengths", cases, sizeof cases / sizeof *cases, 60);
}
