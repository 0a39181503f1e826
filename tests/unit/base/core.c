/* core.c: status names, error text, checks, numbers as text, handles, cancellation, reports, context. */
#include "base/alloc.h"
#include "base/cancel.h"
#include "base/check.h"
#include "base/ctx.h"
#include "base/handle.h"
#include "base/params.h"
#include "base/report.h"
#include "base/textnum.h"
#include "test.h"
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

START_TEST(status_names)
{
    static const ctw_status all[] = {
        CTW_OK,           CTW_E_INTERNAL, CTW_E_NOMEM,     CTW_E_ARG,      CTW_E_RANGE,      CTW_E_SHAPE,
        CTW_E_NONFINITE,  CTW_E_STATE,    CTW_E_BUSY,      CTW_E_KEY,      CTW_E_TYPE,       CTW_E_IO,
        CTW_E_FORMAT,     CTW_E_VERSION,  CTW_E_KIND,      CTW_E_BUFFER,   CTW_E_SINGULAR,   CTW_E_NOCONV,
        CTW_E_INFEASIBLE, CTW_E_BACKEND,  CTW_E_CANCELLED, CTW_E_DEADLINE, CTW_E_UNSUPPORTED};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (size_t j = 0; j < i; j++) ck_assert_str_ne(ctw_status_name(all[i]), ctw_status_name(all[j]));
    ck_assert_str_eq(ctw_status_name(-12345), "CTW_E_?");
    ck_assert_str_eq(ctw_status_name(CTW_E_RANGE), "CTW_E_RANGE");
    ck_assert_ptr_nonnull(strstr(ctw_build_info(), ctw_version_string()));
    ck_assert_uint_lt(ctw_version(), 1000000);
}
END_TEST

static void *other_thread(void *arg)
{
    (void)arg;
    ck_assert_str_eq(ctw_error_message(), "");
    ctw_base__fail(CTW_E_ARG, "theirs");
    return NULL;
}

START_TEST(error_text_is_the_threads_own)
{
    pthread_t t;
    ck_assert_int_eq(ctw_base__fail(CTW_E_ARG, "mine is %d", 7), CTW_E_ARG);
    pthread_create(&t, NULL, other_thread, NULL);
    pthread_join(t, NULL);
    ck_assert_str_eq(ctw_error_message(), "mine is 7");
    ctw_base__fail_in(CTW_E_IO, "%s", "file.csv");
    ck_assert_str_eq(ctw_error_message(), "file.csv: mine is 7");
    char longer[2000];
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = 0;
    ctw_base__fail(CTW_E_ARG, "%s", longer);
    ck_assert_uint_lt(strlen(ctw_error_message()), 600);
}
END_TEST

START_TEST(checks)
{
    double v[] = {1, 2, NAN, 4}, m[] = {1, 2, 3, INFINITY};
    size_t out;
    CTW_FAILS(ctw_base__need(NULL, "f", "x"), CTW_E_ARG, "f: x is NULL");
    CTW_OKAY(ctw_base__need_n(NULL, 0, "f", "x"));
    CTW_FAILS(ctw_base__need_n(NULL, 2, "f", "x"), CTW_E_ARG, "2 values");
    CTW_FAILS(ctw_base__finite(INFINITY, "f", "x"), CTW_E_NONFINITE, "inf");
    CTW_FAILS(ctw_base__in(3, 0, 2, "f", "x"), CTW_E_RANGE, "x is 3, must be within [0, 2]");
    CTW_FAILS(ctw_base__in_i64(-1, 0, 2, "f", "x"), CTW_E_RANGE, "-1");
    CTW_FAILS(ctw_base__in_u64(9, 0, 2, "f", "x"), CTW_E_RANGE, "9");
    CTW_FAILS(ctw_base__all_finite(v, 4, 1, "f", "x"), CTW_E_NONFINITE, "x[2] is");
    CTW_OKAY(ctw_base__all_finite(v, 2, 3, "f", "x"));
    CTW_FAILS(ctw_base__all_in(v, 2, 1, 0, 1.5, "f", "x"), CTW_E_RANGE, "x[1] is 2");
    CTW_FAILS(ctw_base__matrix(m, 2, 2, 1, "f", "x"), CTW_E_SHAPE, "1 apart but 2 wide");
    CTW_FAILS(ctw_base__matrix(m, 2, 2, 2, "f", "x"), CTW_E_NONFINITE, "row 1, column 1");
    CTW_FAILS(ctw_base__matrix(m, UINT64_MAX / 2, 2, 2, "f", "x"), CTW_E_RANGE, "memory");
    CTW_OKAY(ctw_base__matrix(NULL, 0, 2, 2, "f", "x"));
    CTW_FAILS(ctw_base__mul(SIZE_MAX, 2, &out, "f", "x"), CTW_E_RANGE, "overflows");
    CTW_OKAY(ctw_base__mul(6, 7, &out, "f", "x"));
    ck_assert_uint_eq(out, 42);
}
END_TEST

START_TEST(number_text)
{
    static const char *const good[] = {"0",
                                       "-0",
                                       "1",
                                       "-1.5",
                                       ".5",
                                       "5.",
                                       "1e22",
                                       "1e23",
                                       "123456789012345678901234",
                                       "4.9e-324",
                                       "1.7976931348623157e308",
                                       "0.1",
                                       "9007199254740993",
                                       "1E+2",
                                       "0.000000000000000000000000000001234",
                                       "2.2250738585072011e-308"};
    static const char *const bad[] = {"",    " ",   "x",    "1x",  "1e", "1e+", "--1",
                                      "nan", "inf", "0x10", "1,5", ".",  "+",   "1 2"};
    double v, w;
    char buf[40];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ck_assert_int_eq(ctw_base__parse_f64(good[i], strlen(good[i]), &v), 0);
        ck_assert_msg(v == strtod(good[i], NULL), "%s", good[i]);
        size_t n = ctw_base__print_f64(buf, sizeof buf, v);
        ck_assert_int_eq(ctw_base__parse_f64(buf, n, &w), 0);
        ck_assert(v == w);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(ctw_base__parse_f64(bad[i], strlen(bad[i]), &v) == -1, "\"%s\"", bad[i]);
    ck_assert_int_eq(ctw_base__parse_f64("1e400", 5, &v), -2);
    char longest[2000];
    memset(longest, '1', sizeof longest);
    ck_assert_int_eq(ctw_base__parse_f64(longest, sizeof longest, &v), -1);
    ck_assert_uint_eq(ctw_base__print_f64(buf, sizeof buf, 0.1), 3);
    ctw_base__print_f64(buf, sizeof buf, INFINITY);
    ck_assert_str_eq(buf, "inf");
}
END_TEST

START_TEST(integer_text)
{
    int64_t i;
    ck_assert_int_eq(ctw_base__parse_i64("-9223372036854775808", 20, &i), 0);
    ck_assert(i == INT64_MIN);
    ck_assert_int_eq(ctw_base__parse_i64("9223372036854775807", 19, &i), 0);
    ck_assert(i == INT64_MAX);
    ck_assert_int_eq(ctw_base__parse_i64("9223372036854775808", 19, &i), -2);
    ck_assert_int_eq(ctw_base__parse_i64("", 0, &i), -1);
    ck_assert_int_eq(ctw_base__parse_i64("-", 1, &i), -1);
    ck_assert_int_eq(ctw_base__parse_i64("1.0", 3, &i), -1);
}
END_TEST

START_TEST(locale_does_not_matter)
{
    double v;
    char buf[40];
    if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "fr_FR.UTF-8")) setlocale(LC_ALL, "C.UTF-8");
    const char *before = setlocale(LC_ALL, NULL);
    ck_assert_int_eq(ctw_base__parse_f64("1.25", 4, &v), 0);
    ck_assert(v == 1.25);
    ctw_base__print_f64(buf, sizeof buf, 1.25);
    ck_assert_str_eq(buf, "1.25");
    ctw_base__fail(CTW_E_ARG, "%g", 1.5);
    ck_assert_str_eq(ctw_error_message(), "1.5");
    ck_assert_str_eq(setlocale(LC_ALL, NULL), before);
}
END_TEST

START_TEST(cancellation)
{
    ctw_ctx *ctx;
    ctw_cancel *c;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    CTW_OKAY(ctw_cancel_new(ctx, &c));
    CTW_OKAY(ctw_base__stopped(NULL, "f"));
    CTW_OKAY(ctw_base__stopped(c, "f"));
    ck_assert(isinf(ctw_base__time_left(c)) && isinf(ctw_base__time_left(NULL)));
    ctw_cancel_request(c);
    CTW_FAILS(ctw_base__stopped(c, "f"), CTW_E_CANCELLED, "f:");
    ctw_cancel_reset(c);
    CTW_OKAY(ctw_cancel_set_deadline(c, 0));
    CTW_FAILS(ctw_base__stopped(c, "f"), CTW_E_DEADLINE, "f:");
    CTW_OKAY(ctw_cancel_set_deadline(c, 1000));
    ck_assert(ctw_base__time_left(c) > 900);
    CTW_OKAY(ctw_cancel_set_deadline(c, -1));
    CTW_OKAY(ctw_base__stopped(c, "f"));
    CTW_FAILS(ctw_cancel_set_deadline(c, NAN), CTW_E_RANGE, "NaN");
    CTW_FAILS(ctw_cancel_set_deadline(NULL, 1), CTW_E_ARG, NULL);
    ctw_cancel_unref(c);
    CTW_FAILS(ctw_cancel_new(NULL, &c), CTW_E_ARG, "ctx");
    ck_assert_ptr_null(c);
    CTW_FAILS(ctw_cancel_new(ctx, NULL), CTW_E_ARG, "out");
    ctw_cancel_request(NULL);
    ctw_cancel_reset(NULL);
    ck_assert(ctw_base__cpu_now() >= 0);
    CTW_OKAY(ctw_cancel_new(ctx, &c));
    ctw_cancel *same = ctw_cancel_ref(c);
    ctw_cancel_unref(c);
    ctw_cancel_unref(same);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(reports)
{
    ctw_ctx *ctx;
    ctw_report *r;
    double f;
    int64_t i;
    const char *s;
    const double *v;
    uint64_t n;
    int32_t type;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    CTW_OKAY(ctw_base__report_new(ctx, &r));
    CTW_OKAY(ctw_base__report_f64(r, "gap", 0.5));
    CTW_OKAY(ctw_base__report_i64(r, "nodes", 7));
    CTW_OKAY(ctw_base__report_str(r, "tier", "greedy"));
    CTW_OKAY(ctw_base__report_series(r, "error", (double[]){1, 2, 3}, 3));
    CTW_OKAY(ctw_base__report_series(r, "empty", NULL, 0));
    CTW_OKAY(ctw_base__report_f64(r, "gap", 0.25));
    CTW_OKAY(ctw_base__report_str(r, "tier", "exact"));
    ck_assert_uint_eq(ctw_report_count(r), 5);
    ck_assert_uint_eq(ctw_report_count(NULL), 0);
    CTW_OKAY(ctw_report_get_f64(r, "gap", &f));
    ck_assert(f == 0.25);
    CTW_OKAY(ctw_report_get_f64(r, "nodes", &f));
    ck_assert(f == 7);
    CTW_OKAY(ctw_report_get_i64(r, "nodes", &i));
    ck_assert_int_eq(i, 7);
    CTW_OKAY(ctw_report_get_str(r, "tier", &s));
    ck_assert_str_eq(s, "exact");
    CTW_OKAY(ctw_report_series(r, "error", &v, &n));
    ck_assert(n == 3 && v[2] == 3);
    CTW_OKAY(ctw_report_at(r, 3, &s, &type));
    ck_assert_int_eq(type, CTW_T_SERIES);
    CTW_FAILS(ctw_report_at(r, 5, &s, &type), CTW_E_RANGE, "5 entries");
    CTW_FAILS(ctw_report_get_f64(r, "gapp", &f), CTW_E_KEY, "did you mean \"gap\"");
    CTW_FAILS(ctw_report_get_f64(r, "tier", &f), CTW_E_TYPE, "number");
    CTW_FAILS(ctw_report_get_i64(r, "gap", &i), CTW_E_TYPE, "integer");
    CTW_FAILS(ctw_report_get_str(r, "gap", &s), CTW_E_TYPE, "text");
    CTW_FAILS(ctw_report_series(r, "gap", &v, &n), CTW_E_TYPE, "series");
    CTW_FAILS(ctw_report_series(r, "error", &v, NULL), CTW_E_ARG, "n is NULL");
    CTW_FAILS(ctw_report_get_f64(NULL, "gap", &f), CTW_E_ARG, "r is NULL");
    ck_assert_ptr_eq(ctw_report_ref(r), r);
    ctw_report_unref(r);
    ctw_report_unref(r);
    ctw_ctx_unref(ctx);
}
END_TEST

static int lines;
static char last_line[600];

static void sink(void *user, int32_t level, const char *origin, const char *message)
{
    (void)user;
    snprintf(last_line, sizeof last_line, "%d %s %s", (int)level, origin, message);
    lines++;
}

START_TEST(contexts)
{
    ctw_ctx *ctx;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_base__log(ctx, CTW_LOG_ERROR, "x", "nobody listens");
    CTW_OKAY(ctw_ctx_set_log(ctx, sink, NULL, CTW_LOG_WARN));
    ctw_base__log(ctx, CTW_LOG_INFO, "x", "too fine");
    ctw_base__log(ctx, CTW_LOG_WARN, "place", "gap %g", 0.5);
    ck_assert_int_eq(lines, 1);
    ck_assert_str_eq(last_line, "1 place gap 0.5");
    CTW_OKAY(ctw_ctx_set_log(ctx, NULL, NULL, CTW_LOG_DEBUG));
    ctw_base__log(ctx, CTW_LOG_ERROR, "x", "silent again");
    ck_assert_int_eq(lines, 1);
    CTW_FAILS(ctw_ctx_set_log(ctx, sink, NULL, 4), CTW_E_RANGE, "max_level");
    CTW_OKAY(ctw_ctx_set_seed(ctx, 99));
    ck_assert_uint_eq(ctw_base__seed(ctx), 99);
    CTW_FAILS(ctw_ctx_set_seed(NULL, 1), CTW_E_ARG, "ctx");
    CTW_FAILS(ctw_ctx_set_blas_threads(ctx, 0), CTW_E_RANGE, "n is 0");
    ctw_status s = ctw_ctx_set_blas_threads(ctx, 1);
    ck_assert(s == CTW_OK || s == CTW_E_UNSUPPORTED);
    CTW_FAILS(ctw_ctx_new(NULL, NULL, NULL), CTW_E_ARG, "out");
    ck_assert_ptr_null(ctw_ctx_ref(NULL));
    ctw_ctx_unref(NULL);
    uint32_t fake[64] = {0};
    CTW_FAILS(ctw_base__ctx_check((ctw_ctx *)(void *)fake, "f"), CTW_E_STATE, "live");
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(memory)
{
    ctw_alloc_counter count = {0};
    ctw_ctx *ctx;
    CTW_OKAY(ctw_ctx_new(ctw_count_alloc, &count, &ctx));
    ck_assert_ptr_null(ctw_base__calloc(ctx, SIZE_MAX / 2, 4));
    ck_assert_str_eq(ctw_error_message(), "out of memory");
    void *zero = ctw_base__alloc(ctx, 0, 8);
    ck_assert_ptr_nonnull(zero);
    double *v = NULL;
    size_t cap = 0;
    for (size_t n = 1; n < 100; n++) {
        void *g = v;
        CTW_OKAY(ctw_base__grow(ctx, &g, &cap, n, sizeof *v));
        v = g;
        v[n - 1] = (double)n;
    }
    ck_assert(v[0] == 1 && v[98] == 99 && cap == 128);
    void *g = v;
    CTW_FAILS(ctw_base__grow(ctx, &g, &cap, SIZE_MAX, sizeof *v), CTW_E_NOMEM, NULL);
    ck_assert_ptr_eq(g, v);
    ctw_base__free(ctx, v);
    ctw_base__free(ctx, zero);
    ctw_base__free(ctx, NULL);
    ctw_ctx_unref(ctx);
    ck_assert_uint_eq(count.live_blocks, 0);
    ck_assert_uint_eq(count.live_bytes, 0);
}
END_TEST

static void fill(unsigned char *v, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) v[i] = (unsigned char)(i * 131 >> 7);
}

static void same(const unsigned char *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (v[i] != (unsigned char)(i * 131 >> 7)) ck_abort_msg("byte %zu of %zu", i, n);
}

/* Blocks of the default allocator keep what is in them as they grow into large pages, past them, and back. */
START_TEST(large_blocks)
{
    static const size_t size[] = {1000,     4194288, 4194289, 4500000, 8388592, 8388700, 8400000,
                                  12582912, 9000001, 4194289, 4194288, 777,     6000000, 5};
    ctw_ctx *ctx;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    unsigned char *v[2] = {NULL, NULL}; /* two, so that one is in the other's way */
    size_t n = 0;
    for (size_t k = 0; k < sizeof size / sizeof *size; k++) {
        for (int i = 0; i < 2; i++) {
            unsigned char *g = ctw_base__realloc(ctx, v[i], size[k], 1);
            ck_assert_ptr_nonnull(g);
            ck_assert_uint_eq((uintptr_t)g % 16, 0);
            v[i] = g;
            same(g, n < size[k] ? n : size[k]);
            if (size[k] > n) fill(g, n, size[k]);
        }
        n = size[k];
    }
    ck_assert_ptr_null(ctw_base__realloc(ctx, v[0], SIZE_MAX / 2 + 1, 1)); /* the old block stays */
    same(v[0], n);
    ctw_base__free(ctx, v[0]);
    ctw_base__free(ctx, v[1]);
    ck_assert_ptr_null(ctw_base__alloc(ctx, SIZE_MAX / 2 + 1, 1));
    double *zero = ctw_base__calloc(ctx, 700000, sizeof *zero);
    ck_assert_ptr_nonnull(zero);
    for (size_t i = 0; i < 700000; i++)
        if (zero[i] != 0) ck_abort_msg("element %zu", i);
    ctw_base__free(ctx, zero);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(busy_handles)
{
    enum { MAGIC = 77 };
    ctw_ctx *ctx;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_base__handle *h = ctw_base__handle_new(ctx, sizeof *h, MAGIC);
    CTW_OKAY(ctw_base__handle_enter(h, MAGIC, "f", "h"));
    CTW_FAILS(ctw_base__handle_enter(h, MAGIC, "f", "h"), CTW_E_BUSY, "inside another call");
    CTW_FAILS(ctw_base__handle_enter(h, MAGIC + 1, "f", "h"), CTW_E_STATE, "right type");
    ctw_base__handle_leave(h);
    CTW_OKAY(ctw_base__handle_enter(h, MAGIC, "f", "h"));
    ctw_base__handle_ref(h);
    ck_assert_int_eq(ctw_base__handle_unref(h), 0);
    ck_assert_int_eq(ctw_base__handle_unref(h), 1);
    ctw_base__handle_free(h);
    ctw_ctx_unref(ctx);
}
END_TEST

static const char *at(const void *list, size_t i)
{
    return ((const char *const *)list)[i];
}

START_TEST(nearest_name)
{
    static const char *const names[] = {"lags", "ridge", "season"};
    char longest[100];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    ck_assert_str_eq(ctw_base__nearest("seasn", at, names, 3), "season");
    ck_assert_ptr_null(ctw_base__nearest("zzzzzzzzzz", at, names, 3));
    ck_assert_ptr_null(ctw_base__nearest(longest, at, names, 3));
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"status_names", status_names},
        {"error_text", error_text_is_the_threads_own},
        {"checks", checks},
        {"number_text", number_text},
        {"integer_text", integer_text},
        {"locale", locale_does_not_matter},
        {"cancellation", cancellation},
        {"reports", reports},
        {"contexts", contexts},
        {"memory", memory},
        {"large_blocks", large_blocks},
        {"nearest", nearest_name},
        {"busy", busy_handles},
    };
    return ctw_test_main("core", cases, sizeof cases / sizeof *cases, 30);
}
