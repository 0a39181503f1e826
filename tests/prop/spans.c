/* Properties of trace analysis on random traces, malformed ones included: paths sum to the root and never leave
 * their spans, no span is lost, and the order of rows changes nothing. */
#include "test.h"
#include <cybertwin/spans.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint32_t state;

static uint32_t draw(uint32_t n)
{
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % n;
}

enum { MOST = 40 };

typedef struct rows {
    int64_t trace[MOST], span[MOST], parent[MOST], service[MOST], op[MOST], start[MOST], dur[MOST];
    int n;
} rows;

/* Spans of up to three traces; parents are drawn freely, so orphans and cycles happen; ids repeat now and then. */
static rows random_rows(const int64_t *svc, int64_t op)
{
    rows r = {.n = 1 + (int)draw(MOST)};
    for (int i = 0; i < r.n; i++) {
        r.trace[i] = 1 + draw(3);
        r.span[i] = 1 + (draw(20) ? (int64_t)i : (int64_t)draw(MOST));
        r.parent[i] = draw(6) ? 1 + (int64_t)draw(MOST) : 0;
        r.service[i] = svc[draw(3)];
        r.op[i] = op;
        r.start[i] = draw(1000);
        r.dur[i] = draw(500);
    }
    return r;
}

static void shuffle(rows *r)
{
    for (int i = r->n - 1; i > 0; i--) {
        int j = (int)draw((uint32_t)i + 1);
        int64_t *column[] = {r->trace, r->span, r->parent, r->service, r->op, r->start, r->dur};
        for (int c = 0; c < 7; c++) {
            int64_t t = column[c][i];
            column[c][i] = column[c][j];
            column[c][j] = t;
        }
    }
}

static void fill(ctw_spans *s, const rows *r)
{
    CTW_OKAY(ctw_spans_clear(s));
    CTW_OKAY(ctw_spans_add(s, (uint64_t)r->n, r->trace, r->span, r->parent, r->service, NULL, r->op, r->start, r->dur,
                           NULL, NULL));
}

static void check_paths(const ctw_spans *s, const rows *r)
{
    for (int i = 0; i < r->n; i++) {
        int64_t row[4 * MOST], start[4 * MOST], dur[4 * MOST], sum = 0, at = INT64_MIN;
        uint64_t n;
        CTW_OKAY(ctw_spans_path(s, (uint64_t)i, 4 * MOST, row, start, dur, &n));
        for (uint64_t k = 0; k < n; k++) {
            int64_t p = row[k];
            ck_assert(r->trace[p] == r->trace[i]);
            ck_assert(start[k] >= r->start[p] && start[k] + dur[k] <= r->start[p] + r->dur[p]);
            ck_assert(dur[k] > 0 && (!k || start[k] == at)); /* no gaps */
            at = start[k] + dur[k];
            sum += dur[k];
        }
        int found = sum == 0; /* the sum is some span's whole duration: the root's */
        for (int k = 0; k < r->n; k++) found |= r->trace[k] == r->trace[i] && r->dur[k] == sum;
        ck_assert(found);
    }
}

static double total(const ctw_calls *c, int32_t column)
{
    double sum = 0, v[MOST];
    uint64_t n = ctw_calls_count(c);
    CTW_OKAY(ctw_calls_column(c, 0, n, column, v));
    for (uint64_t i = 0; i < n; i++) {
        ck_assert(isfinite(v[i]) && v[i] >= 0);
        sum += v[i];
    }
    return sum;
}

START_TEST(random_traces)
{
    ctw_ctx *ctx;
    ctw_spans *s;
    ctw_calls *c, *d;
    int64_t svc[3], op, dropped;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    CTW_OKAY(ctw_spans_new(ctx, NULL, &s));
    CTW_OKAY(ctw_calls_new(ctx, NULL, &c));
    CTW_OKAY(ctw_calls_new(ctx, NULL, &d));
    CTW_OKAY(ctw_spans_name(s, "a", &svc[0]));
    CTW_OKAY(ctw_spans_name(s, "b", &svc[1]));
    CTW_OKAY(ctw_spans_name(s, "c", &svc[2]));
    CTW_OKAY(ctw_spans_name(s, "op", &op));
    for (state = 1; state < 400000000u; state += 1000003) {
        uint32_t keep = state;
        rows r = random_rows(svc, op);
        ctw_report *report;
        double error;
        fill(s, &r);
        check_paths(s, &r);
        CTW_OKAY(ctw_calls_clear(c));
        CTW_OKAY(ctw_calls_add_spans(c, s, NULL));
        CTW_OKAY(ctw_calls_report(c, &report));
        CTW_OKAY(ctw_report_get_i64(report, "duplicates", &dropped));
        CTW_OKAY(ctw_report_get_f64(report, "path_error_us", &error));
        ctw_report_unref(report);
        ck_assert(error < 1e-9);
        ck_assert(total(c, CTW_CALL_SPANS) == (double)(r.n - dropped));
        if (!dropped) { /* with repeats, which one stays may depend on rows */
            shuffle(&r);
            fill(s, &r);
            CTW_OKAY(ctw_calls_clear(d));
            CTW_OKAY(ctw_calls_add_spans(d, s, NULL));
            ck_assert_uint_eq(ctw_calls_count(c), ctw_calls_count(d));
            ck_assert_double_eq_tol(total(c, CTW_CALL_INCL), total(d, CTW_CALL_INCL), 1e-6);
        }
        state = keep;
    }
    ctw_calls_unref(c);
    ctw_calls_unref(d);
    ctw_spans_unref(s);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"random_traces", random_traces}};
    return ctw_test_main("prop-spans", cases, 1, 20);
}
