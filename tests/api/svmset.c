/* Contract of the data set half of svm.h: rows in, LIBSVM text in and out. */
#include "test.h"
#include <cybertwin/svm.h>
#include <math.h>
#include <string.h>

static ctw_ctx *ctx;

START_TEST(rows)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_svmset *s;
    double x[] = {1, 0, 2, 0, 0, 3};
    int64_t l[] = {5, -5}, got;
    const uint64_t start[] = {0, 2, 2};
    const int32_t col[] = {1, 6}, bad[] = {3, 3};
    const double val[] = {0.5, -1};
    const int32_t *c;
    const double *v;
    uint64_t n;
    CTW_OKAY(ctw_svmset_new(ctx, &s));
    CTW_OKAY(ctw_svmset_add(s, x, 2, 3, 3, l));
    CTW_OKAY(ctw_svmset_add_sparse(s, start, col, val, 2, NULL));
    CTW_OKAY(ctw_svmset_add(s, NULL, 0, 3, 3, NULL));
    ck_assert(ctw_svmset_rows(s) == 4 && ctw_svmset_features(s) == 7 && ctw_svmset_entries(s) == 5);
    CTW_OKAY(ctw_svmset_label(s, 1, &got));
    ck_assert(got == -5);
    CTW_OKAY(ctw_svmset_row(s, 2, &c, &v, &n));
    ck_assert(n == 2 && c[0] == 1 && c[1] == 6 && v[1] == -1);
    CTW_FAILS(ctw_svmset_row(s, 4, &c, &v, &n), CTW_E_RANGE, "row 4");
    CTW_FAILS(ctw_svmset_add_sparse(s, start, bad, val, 2, NULL), CTW_E_RANGE, "ascend");
    x[0] = INFINITY;
    CTW_FAILS(ctw_svmset_add(s, x, 2, 3, 3, l), CTW_E_NONFINITE, NULL);
    const uint64_t falling[] = {2, 0};
    CTW_FAILS(ctw_svmset_add_sparse(s, falling, col, val, 1, NULL), CTW_E_SHAPE, NULL);
    ck_assert(ctw_svmset_rows(s) == 4);
    ctw_svmset_unref(s);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(text)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static const char good[] = "# a comment\n+1 1:0.5 3:-2e-3  # more\r\n\n-1 2:1 9:0\n0.0\n7 4:1";
    ctw_svmset *s, *t;
    char buf[200];
    uint64_t need;
    CTW_OKAY(ctw_svmset_load_mem(ctx, good, sizeof good - 1, &s));
    ck_assert(ctw_svmset_rows(s) == 4 && ctw_svmset_features(s) == 9 && ctw_svmset_entries(s) == 4);
    CTW_OKAY(ctw_svmset_save_mem(s, NULL, 0, &need));
    CTW_OKAY(ctw_svmset_save_mem(s, buf, sizeof buf, &need));
    ck_assert(need < sizeof buf);
    ck_assert(memcmp(buf, "1 1:0.5 3:-0.002\n-1 2:1\n0\n7 4:1\n", need) == 0);
    CTW_FAILS(ctw_svmset_save_mem(s, buf, need - 1, &need), CTW_E_BUFFER, NULL);
    const char *path = ctw_test_tmp("set.txt");
    CTW_OKAY(ctw_svmset_save_file(s, path));
    CTW_OKAY(ctw_svmset_load_file(ctx, path, &t));
    ck_assert(ctw_svmset_rows(t) == 4);
    ctw_svmset_unref(t);
    ctw_svmset_unref(s);
    CTW_OKAY(ctw_svmset_load_mem(ctx, NULL, 0, &s));
    ck_assert(ctw_svmset_rows(s) == 0);
    ctw_svmset_unref(s);
    CTW_FAILS(ctw_svmset_load_file(ctx, "/nowhere/at/all", &s), CTW_E_IO, NULL);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(bad_text)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"1 0:1", "line 1 column 3"}, {"1 2:1 2:3", "ascend"},     {"1 2:1 1:3", "ascend"},
        {"x 1:1", "line 1 column 1"}, {"0.5 1:1", "whole number"}, {"1 1:nan", "finite"},
        {"1\n2 a:1", "line 2"},       {"1 5", "index:value"},      {"1 9999999999:1", "index outside"},
        {"1 1:", "finite"},           {"1e300 1:1", "whole"},      {"1 1:1:1", "finite"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ctw_svmset *s;
        CTW_FAILS(ctw_svmset_load_mem(ctx, bad[i].text, strlen(bad[i].text), &s), CTW_E_FORMAT, bad[i].says);
        ck_assert_ptr_null(s);
    }
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"rows", rows}, {"text", text}, {"bad_text", bad_text}};
    return ctw_test_main("api-svmset", cases, sizeof cases / sizeof *cases, 60);
}
