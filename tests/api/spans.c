/* Contract of spans.h through the shared library: columns in, oddities, critical path, entry calls, columns out. */
#include "test.h"
#include <cybertwin/spans.h>
#include <string.h>

static ctw_ctx *ctx;
static ctw_spans *spans;
static int64_t svc[3], op;

static void begin(void)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    CTW_OKAY(ctw_spans_new(ctx, NULL, &spans));
    const char *name[] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++) CTW_OKAY(ctw_spans_name(spans, name[i], &svc[i]));
    CTW_OKAY(ctw_spans_name(spans, "op", &op));
}

static void end(void)
{
    ctw_spans_unref(spans);
    ctw_ctx_unref(ctx);
}

/* One span; times in us. */
static void span_kind(int64_t trace, int64_t id, int64_t parent, int service, int64_t start, int64_t dur, int32_t kind)
{
    int64_t s = start * 1000, d = dur * 1000;
    CTW_OKAY(ctw_spans_add(spans, 1, &trace, &id, &parent, &svc[service], NULL, &op, &s, &d, &kind, NULL));
}

static void span(int64_t trace, int64_t id, int64_t parent, int service, int64_t start, int64_t dur)
{
    span_kind(trace, id, parent, service, start, dur, CTW_SPAN_UNSPECIFIED);
}

static void expect_path(uint64_t of_row, const int64_t *row, const int64_t *us, uint64_t n)
{
    int64_t r[16], s[16], d[16];
    uint64_t got;
    CTW_OKAY(ctw_spans_path(spans, of_row, 16, r, s, d, &got));
    ck_assert_uint_eq(got, n);
    for (uint64_t i = 0; i < n; i++) {
        ck_assert_int_eq(r[i], row[i]);
        ck_assert_int_eq(d[i], us[i] * 1000);
        if (i) ck_assert_int_eq(s[i], s[i - 1] + d[i - 1]);
    }
}

START_TEST(paths)
{
    begin();
    span(1, 1, 0, 0, 0, 100); /* sequential children */
    span(1, 2, 1, 1, 10, 20);
    span(1, 3, 1, 2, 50, 30);
    expect_path(0, (int64_t[]){0, 1, 0, 2, 0}, (int64_t[]){10, 20, 20, 30, 20}, 5);
    span(2, 1, 0, 0, 0, 100); /* parallel: the later to finish decides */
    span(2, 2, 1, 1, 10, 40);
    span(2, 3, 1, 2, 10, 80);
    expect_path(4, (int64_t[]){3, 5, 3}, (int64_t[]){10, 80, 10}, 3);
    span(3, 1, 0, 0, 0, 100); /* overlapping: the first was still running when the last began */
    span(3, 2, 1, 1, 10, 50);
    span(3, 3, 1, 2, 40, 50);
    expect_path(8, (int64_t[]){6, 8, 6}, (int64_t[]){40, 50, 10}, 3);
    span(4, 1, 0, 0, 0, 100); /* a child that ends after its parent, with a child of its own */
    span(4, 2, 1, 1, 60, 90);
    span(4, 3, 2, 2, 80, 60);
    expect_path(9, (int64_t[]){9, 10, 11}, (int64_t[]){60, 20, 20}, 3);
    uint64_t n;
    CTW_FAILS(ctw_spans_path(spans, 1, 2, NULL, NULL, NULL, &n), CTW_E_BUFFER, "5 segments");
    ck_assert_uint_eq(n, 5);
    CTW_FAILS(ctw_spans_path(spans, 12, 2, NULL, NULL, NULL, &n), CTW_E_RANGE, "12 spans");
    end();
}
END_TEST

static int64_t count(const ctw_calls *c, const char *key)
{
    ctw_report *r;
    int64_t v;
    CTW_OKAY(ctw_calls_report(c, &r));
    CTW_OKAY(ctw_report_get_i64(r, key, &v));
    ctw_report_unref(r);
    return v;
}

static ctw_calls *derive(void)
{
    ctw_calls *c;
    CTW_OKAY(ctw_calls_new(ctx, NULL, &c));
    CTW_OKAY(ctw_calls_add_spans(c, spans, NULL));
    return c;
}

static double cell(const ctw_calls *c, uint64_t row, int32_t column)
{
    double v;
    CTW_OKAY(ctw_calls_column(c, row, 1, column, &v));
    return v;
}

START_TEST(entry_calls)
{
    begin();
    span(1, 1, 0, 0, 0, 100); /* a serves */
    span(1, 2, 1, 0, 10, 50); /* a asks b */
    span(1, 3, 2, 1, 20, 30); /* b serves */
    span(1, 4, 3, 1, 25, 10); /* b works */
    span(1, 5, 1, 0, 70, 10); /* a works */
    ctw_calls *c = derive();
    ck_assert_uint_eq(ctw_calls_count(c), 2);
    ck_assert_uint_eq(ctw_calls_traces(c), 1);
    static const double want[2][CTW_CALL_COLUMNS] = {{100, 100, 50, 0, 50, 3, 1, 70, 0, 0},
                                                     {30, 50, 30, 20, 50, 2, 0, 30, 0, 0}};
    for (uint64_t i = 0; i < 2; i++)
        for (int32_t k = 0; k < CTW_CALL_COLUMNS; k++) ck_assert_double_eq_tol(cell(c, i, k), want[i][k], 1e-9);
    int64_t trace[2], component[2], operation[2], caller[2];
    double root;
    CTW_OKAY(ctw_calls_keys(c, 0, 2, trace, component, operation, caller));
    ck_assert(trace[0] == 0 && trace[1] == 0 && caller[0] == -1 && caller[1] == component[0]);
    ck_assert_str_eq(ctw_calls_name_at(c, component[1]), "b");
    ck_assert_str_eq(ctw_calls_name_at(c, operation[1]), "op");
    CTW_OKAY(ctw_calls_roots(c, 0, 1, &root));
    ck_assert(root == 100);
    CTW_FAILS(ctw_calls_column(c, 1, 2, 0, &root), CTW_E_RANGE, "there are 2");
    CTW_FAILS(ctw_calls_column(c, 0, 1, 10, &root), CTW_E_RANGE, "column");
    CTW_OKAY(ctw_calls_clear(c));
    ck_assert_uint_eq(ctw_calls_count(c), 0);
    ctw_calls_unref(ctw_calls_ref(c));
    ctw_calls_unref(c);
    end();
}
END_TEST

START_TEST(oddities)
{
    begin();
    span(1, 1, 0, 0, 0, 100);
    span(1, 2, 77, 1, 10, 20); /* orphan */
    span(1, 1, 0, 0, 5, 5);    /* repeat */
    span(2, 1, 3, 0, 0, 50);   /* cycle of three, and a tail on it */
    span(2, 2, 1, 1, 5, 30);
    span(2, 3, 2, 2, 10, 10);
    span(2, 4, 3, 0, 12, 90);
    span(3, 9, 9, 0, 0, 10); /* its own parent */
    ctw_calls *c = derive();
    ck_assert_int_eq(count(c, "orphans"), 1);
    ck_assert_int_eq(count(c, "duplicates"), 1);
    ck_assert_int_eq(count(c, "cycles"), 2);
    ck_assert_int_eq(count(c, "traces"), 3);
    ck_assert_int_eq(count(c, "extra_roots"), 1);
    ck_assert_int_eq(count(c, "late_children"), 1);
    ck_assert_int_eq(count(c, "calls"), 7);
    ctw_calls_unref(c);
    end();
}
END_TEST

START_TEST(shared_ids)
{
    begin();
    span_kind(1, 1, 0, 0, 0, 100, CTW_SPAN_SERVER);
    span_kind(1, 2, 1, 0, 10, 60, CTW_SPAN_CLIENT); /* one id for both sides of the call */
    span_kind(1, 2, 1, 1, 20, 40, CTW_SPAN_SERVER);
    span_kind(1, 3, 2, 1, 25, 10, CTW_SPAN_INTERNAL); /* below the server half */
    span_kind(1, 4, 2, 2, 36, 5, CTW_SPAN_SERVER);
    ctw_calls *c = derive();
    ck_assert_int_eq(count(c, "shared"), 1);
    ck_assert_int_eq(count(c, "duplicates"), 0);
    ck_assert_uint_eq(ctw_calls_count(c), 3);
    ck_assert(cell(c, 1, CTW_CALL_INCL) == 40 && cell(c, 1, CTW_CALL_CLIENT) == 60);
    ck_assert(cell(c, 1, CTW_CALL_SPANS) == 2);
    ctw_calls_unref(c);
    end();
}
END_TEST

START_TEST(bad_columns)
{
    begin();
    int64_t one = 1, zero = 0, minus = -1, big = ((int64_t)1 << 61) + 1, unknown = 99;
    int32_t kind = 6;
    CTW_OKAY(ctw_spans_add(spans, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
    CTW_FAILS(ctw_spans_add(spans, 1, &one, NULL, &zero, svc, NULL, &op, &one, &one, NULL, NULL), CTW_E_ARG, "span");
    CTW_FAILS(ctw_spans_add(spans, 1, &one, &zero, &zero, svc, NULL, &op, &one, &one, NULL, NULL), CTW_E_ARG, "span");
    CTW_FAILS(ctw_spans_add(spans, 1, &one, &one, &zero, &unknown, NULL, &op, &one, &one, NULL, NULL), CTW_E_KEY,
              "service[0] is 99");
    CTW_FAILS(ctw_spans_add(spans, 1, &one, &one, &zero, svc, &unknown, &op, &one, &one, NULL, NULL), CTW_E_KEY,
              "instance[0]");
    CTW_FAILS(ctw_spans_add(spans, 1, &one, &one, &zero, svc, NULL, &minus, &one, &one, NULL, NULL), CTW_E_KEY,
              "operation[0]");
    CTW_FAILS(ctw_spans_add(spans, 1, &one, &one, &zero, svc, NULL, &op, &one, &minus, NULL, NULL), CTW_E_RANGE,
              "duration_ns[0] is -1");
    CTW_FAILS(ctw_spans_add(spans, 1, &one, &one, &zero, svc, NULL, &op, &big, &one, NULL, NULL), CTW_E_RANGE,
              "start_ns[0]");
    CTW_FAILS(ctw_spans_add(spans, 1, &one, &one, &zero, svc, NULL, &op, &one, &one, &kind, NULL), CTW_E_RANGE, "kind");
    CTW_FAILS(ctw_spans_add(spans, 1, &one, &one, &zero, svc, NULL, &op, &one, &one, NULL, &kind), CTW_E_RANGE,
              "status");
    ck_assert_uint_eq(ctw_spans_count(spans), 0);
    CTW_FAILS(ctw_spans_name(spans, "", &one), CTW_E_ARG, "empty");
    ck_assert_ptr_null(ctw_spans_name_at(spans, 99));
    ck_assert_str_eq(ctw_spans_name_at(spans, svc[1]), "b");
    span(1, 1, 0, 0, 0, 1);
    ck_assert_uint_eq(ctw_spans_traces(spans), 1);
    CTW_OKAY(ctw_spans_clear(spans));
    ck_assert_uint_eq(ctw_spans_traces(spans), 0);
    ctw_spans_unref(ctw_spans_ref(spans));
    end();
}
END_TEST

START_TEST(given_calls)
{
    begin();
    ctw_calls *c;
    int64_t id[2], trace = 5, none = -1;
    double root = 10, v[CTW_CALL_COLUMNS] = {1, 2, 3}, bad[CTW_CALL_COLUMNS] = {-1};
    CTW_OKAY(ctw_calls_new(ctx, NULL, &c));
    CTW_OKAY(ctw_calls_name(c, "x", &id[0]));
    CTW_OKAY(ctw_calls_name(c, "y", &id[1]));
    CTW_OKAY(ctw_calls_add(c, 1, &trace, &root, &id[0], &id[1], &none, v, CTW_CALL_COLUMNS));
    ck_assert(cell(c, 0, CTW_CALL_SELF) == 3);
    CTW_FAILS(ctw_calls_add(c, 1, &trace, &root, &id[0], &id[1], &none, bad, 10), CTW_E_RANGE, "measure");
    CTW_FAILS(ctw_calls_add(c, 1, &trace, &root, &none, &id[1], &none, v, 10), CTW_E_KEY, "component");
    CTW_FAILS(ctw_calls_add(c, 2, &trace, &root, &id[0], &id[1], &none, v, 9), CTW_E_SHAPE, "stride");
    ck_assert_uint_eq(ctw_calls_count(c), 1);
    ctw_calls_unref(c);
    end();
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"paths", paths},           {"entry_calls", entry_calls}, {"oddities", oddities},
        {"shared_ids", shared_ids}, {"bad_columns", bad_columns}, {"given_calls", given_calls},
    };
    return ctw_test_main("api-spans", cases, sizeof cases / sizeof *cases, 10);
}
