/* csv.c: the public CSV reader: RFC 4180, places of errors, memory that does not grow with the file. */
#include <cybertwin/csv.h>

#include "test.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static ctw_ctx *ctx;

static ctw_csv *open_text(const char *text)
{
    ctw_csv *csv;
    CTW_OKAY(ctw_csv_open_mem(ctx, text, strlen(text), "t.csv", &csv));
    return csv;
}

static const char *text_at(ctw_csv *csv, uint64_t i)
{
    const char *s;
    CTW_OKAY(ctw_csv_text(csv, i, &s, NULL));
    return s;
}

static int32_t step(ctw_csv *csv)
{
    int32_t row;
    CTW_OKAY(ctw_csv_next(csv, &row));
    return row;
}

START_TEST(rfc4180)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_csv *csv = open_text("\xEF\xBB\xBFid,\"a \"\"b\"\"\",c\r\n1,\"x\ny, z\",\r\n\r\n2,,3");
    double f;
    int64_t i;
    uint64_t len, at;
    ck_assert_uint_eq(ctw_csv_columns(csv), 3);
    ck_assert_str_eq(ctw_csv_column_name(csv, 1), "a \"b\"");
    ck_assert_ptr_null(ctw_csv_column_name(csv, 3));
    CTW_OKAY(ctw_csv_column(csv, "c", &at));
    ck_assert_uint_eq(at, 2);
    ck_assert(step(csv));
    ck_assert_str_eq(text_at(csv, 1), "x\ny, z");
    const char *s;
    CTW_OKAY(ctw_csv_text(csv, 1, &s, &len));
    ck_assert_uint_eq(len, 6);
    CTW_OKAY(ctw_csv_f64(csv, 2, &f));
    ck_assert(isnan(f));
    CTW_OKAY(ctw_csv_i64(csv, 0, &i));
    ck_assert_int_eq(i, 1);
    ck_assert_uint_eq(ctw_csv_line(csv), 2);
    ck_assert(step(csv));
    ck_assert_uint_eq(ctw_csv_line(csv), 5);
    CTW_FAILS(ctw_csv_i64(csv, 1, &i), CTW_E_FORMAT, "t.csv:5: column");
    CTW_OKAY(ctw_csv_f64(csv, 2, &f));
    ck_assert(f == 3);
    ck_assert(!step(csv));
    ck_assert(!step(csv));
    CTW_FAILS(ctw_csv_text(csv, 0, &s, NULL), CTW_E_STATE, "no current record");
    ck_assert_ptr_eq(ctw_csv_ref(csv), csv);
    ctw_csv_unref(csv);
    ctw_csv_unref(csv);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(bad_headers)
{
    static const char *const table[][2] = {
        {"", "is empty"},
        {"\n\r\n", "is empty"},
        {"a,,c\n", "column 2 has no name"},
        {"a,b,a\n", "\"a\" stands there twice"},
        {"a,\"b\n", "ends inside a quoted field"},
        {"a,b\"c\n", "a quote inside"},
        {"\"a\"b\n", "after a closing quote"},
    };
    ctw_csv *csv;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        CTW_FAILS(ctw_csv_open_mem(ctx, table[i][0], strlen(table[i][0]), "t.csv", &csv), CTW_E_FORMAT, table[i][1]);
        ck_assert_ptr_null(csv);
    }
    CTW_FAILS(ctw_csv_open(ctx, "/no/such.csv", &csv), CTW_E_IO, "/no/such.csv");
    CTW_FAILS(ctw_csv_open(ctx, NULL, &csv), CTW_E_ARG, "path");
    CTW_FAILS(ctw_csv_open(NULL, "x", &csv), CTW_E_ARG, "ctx");
    CTW_FAILS(ctw_csv_open(ctx, "x", NULL), CTW_E_ARG, "out");
    CTW_FAILS(ctw_csv_open_mem(ctx, NULL, 4, NULL, &csv), CTW_E_ARG, "bytes");
    CTW_FAILS(ctw_csv_open_mem(ctx, "a", 1, NULL, NULL), CTW_E_ARG, "out");
    CTW_FAILS(ctw_csv_open(ctx, "/tmp", &csv), CTW_E_IO, "/tmp");
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(bad_records)
{
    int32_t row;
    double f;
    uint64_t at;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_csv *csv = open_text("time,ci\n1,2\n3,4,5\n6,7\n");
    CTW_FAILS(ctw_csv_column(csv, "tme", &at), CTW_E_KEY, "did you mean \"time\"");
    ck_assert(step(csv));
    CTW_FAILS(ctw_csv_next(csv, &row), CTW_E_FORMAT, "t.csv:3: the record has 3 fields, the header 2");
    CTW_FAILS(ctw_csv_next(csv, &row), CTW_E_FORMAT, "earlier error");
    ctw_csv_unref(csv);
    csv = open_text("a,b\n1,x\n");
    ck_assert(step(csv));
    CTW_FAILS(ctw_csv_f64(csv, 1, &f), CTW_E_FORMAT, "t.csv:2: column \"b\" is \"x\", not a finite number");
    CTW_FAILS(ctw_csv_f64(csv, 2, &f), CTW_E_RANGE, "i is 2");
    CTW_FAILS(ctw_csv_f64(csv, 1, NULL), CTW_E_ARG, "out");
    ctw_csv_unref(csv);
    CTW_OKAY(ctw_csv_open_mem(ctx, "a\n1\0", 5, NULL, &csv));
    CTW_FAILS(ctw_csv_next(csv, &row), CTW_E_FORMAT, "a NUL byte");
    ctw_csv_unref(csv);
    CTW_FAILS(ctw_csv_next(NULL, &row), CTW_E_ARG, "csv");
    ck_assert_uint_eq(ctw_csv_columns(NULL), 0);
    ck_assert_uint_eq(ctw_csv_line(NULL), 0);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(constant_memory)
{
    const char *path = ctw_test_tmp("long.csv");
    ctw_alloc_counter count = {0};
    ctw_csv *csv;
    uint64_t rows = 0;
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs("i,square,text\n", f);
    for (int i = 0; i < 200000; i++) fprintf(f, "%d,%.1f,\"quoted, %d\"\n", i, (double)i * i, i);
    fclose(f);
    CTW_OKAY(ctw_ctx_new(ctw_count_alloc, &count, &ctx));
    CTW_OKAY(ctw_csv_open(ctx, path, &csv));
    while (step(csv)) {
        double v;
        CTW_OKAY(ctw_csv_f64(csv, 1, &v));
        ck_assert(v == (double)rows * (double)rows);
        rows++;
    }
    ck_assert_uint_eq(rows, 200000);
    ck_assert_uint_lt(count.peak_bytes, 100000);
    ctw_csv_unref(csv);
    ctw_ctx_unref(ctx);
    ck_assert_uint_eq(count.live_blocks, 0);
}
END_TEST

/* An unclosed quote in a huge file must not swallow it all. */
START_TEST(record_limit)
{
    enum { SIZE = 17 << 20 };
    static char text[SIZE];
    ctw_csv *csv;
    int32_t row;
    memset(text, 'x', SIZE);
    memcpy(text, "a\n\"", 3);
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    CTW_OKAY(ctw_csv_open_mem(ctx, text, SIZE, NULL, &csv));
    CTW_FAILS(ctw_csv_next(csv, &row), CTW_E_FORMAT, "longer than 16 MiB");
    ctw_csv_unref(csv);
    ctw_ctx_unref(ctx);
}
END_TEST

static ctw_status life(ctw_ctx *c, void *user)
{
    ctw_csv *csv;
    int32_t row = 1;
    ctw_status s = user ? ctw_csv_open(c, user, &csv) : ctw_csv_open_mem(c, "a,b\n1,2\n3,\"45678\"\n", 18, NULL, &csv);
    while (s == CTW_OK && row) s = ctw_csv_next(csv, &row);
    ctw_csv_unref(csv);
    return s;
}

START_TEST(out_of_memory)
{
    char path[300];
    snprintf(path, sizeof path, "%s", ctw_test_tmp("small.csv"));
    FILE *f = fopen(path, "w");
    fputs("a,b\n1,2\n", f);
    fclose(f);
    ck_assert_uint_gt(ctw_oom_sweep(life, NULL, 1), 5);
    ck_assert_uint_gt(ctw_oom_sweep(life, path, 1), 5);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"rfc4180", rfc4180},           {"bad_headers", bad_headers},
        {"bad_records", bad_records},   {"long_memory", constant_memory},
        {"record_limit", record_limit}, {"oom", out_of_memory},
    };
    return ctw_test_main("csv", cases, sizeof cases / sizeof *cases, 60);
}
