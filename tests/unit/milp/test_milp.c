/* test_milp.c: The model type and its solution: known optima, every way a solve can end, and the exported text. */
#include "base/alloc.h"
#include "milp/milp.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static ctw_ctx *ctx;
static ctw_milp__model m;

static void begin(void)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_milp__model_init(&m, ctx);
}

static void end(void)
{
    ctw_milp__model_free(&m);
    ctw_ctx_unref(ctx);
}

static ctw_milp__options defaults(void)
{
    ctw_milp__options opt;
    memset(&opt, 0, sizeof opt);
    opt.time_limit_s = 10;
    opt.cuts = 1;
    return opt;
}

/* max 5a+4b+3c, 2a+3b+c <= 5, 4a+b+2c <= 11, 3a+4b+2c <= 8 as a minimum; integer optimum is 13 at (2,0,1). */
static void three(int integer)
{
    static const double cost[] = {-5, -4, -3}, a[3][3] = {{2, 4, 3}, {3, 1, 4}, {1, 2, 2}}, rhs[] = {5, 11, 8};
    size_t rows[3];
    for (size_t i = 0; i < 3; i++) CTW_OKAY(ctw_milp__add_row(&m, -INFINITY, rhs[i], rows + i));
    for (size_t j = 0; j < 3; j++) CTW_OKAY(ctw_milp__add_col(&m, cost[j], 0, 10, integer, rows, a[j], 3, NULL));
}

/* A subset sum of even weights to an odd target: the relaxation's bound is never reached. */
static void hard(size_t n)
{
    size_t row;
    uint32_t x = 12345;
    double total = 0;
    double w[64];
    for (size_t j = 0; j < n; j++) {
        x = x * 1664525u + 1013904223u;
        w[j] = 2.0 * (double)(x >> 12);
        total += w[j];
    }
    CTW_OKAY(ctw_milp__add_row(&m, -INFINITY, 2 * floor(total / 4) + 1, &row));
    for (size_t j = 0; j < n; j++) CTW_OKAY(ctw_milp__add_col(&m, -w[j], 0, 1, 1, &row, w + j, 1, NULL));
}

START_TEST(optimum)
{
    begin();
    three(1);
    ctw_milp__options opt = defaults();
    ctw_milp__result r;
    CTW_OKAY(ctw_milp__solve(&m, &opt, &r));
    ck_assert_double_eq_tol(r.objective, -13, 1e-9);
    ck_assert_double_eq_tol(r.bound, -13, 1e-9);
    ck_assert_int_eq(r.stop, CTW_MILP_PROVED);
    ck_assert_double_le(ctw_milp__violation(&m, r.x), 1e-9);
    ctw_milp__result_free(ctx, &r);
    double point[] = {2, 0, 1};
    opt.start = point;
    CTW_OKAY(ctw_milp__solve(&m, &opt, &r));
    ck_assert_double_eq_tol(r.objective, -13, 1e-9);
    ctw_milp__result_free(ctx, &r);
    end();
}
END_TEST

/* The presolver changes the road, not the answer: optimum, no point, and a sound bound when time runs out. */
START_TEST(presolver)
{
    begin();
    three(1);
    m.offset = 7;
    ctw_milp__options opt = defaults();
    ctw_milp__result r;
    opt.presolve = 1;
    CTW_OKAY(ctw_milp__solve(&m, &opt, &r));
    ck_assert_double_eq_tol(r.objective, -6, 1e-9);
    ck_assert_double_eq_tol(r.bound, -6, 1e-9);
    ck_assert_double_le(ctw_milp__violation(&m, r.x), 1e-9);
    ctw_milp__result_free(ctx, &r);
    size_t row;
    double two = 2;
    CTW_OKAY(ctw_milp__add_row(&m, 3, 3, &row));
    CTW_OKAY(ctw_milp__add_col(&m, 1, 0, 9, 1, &row, &two, 1, NULL));
    CTW_FAILS(ctw_milp__solve(&m, &opt, &r), CTW_E_INFEASIBLE, "no point");
    ctw_milp__result_free(ctx, &r);
    end();
    begin();
    hard(60);
    opt.cuts = 0;
    opt.time_limit_s = 0.2;
    ctw_status s = ctw_milp__solve(&m, &opt, &r);
    double half = m.row_hi[0];
    ck_assert(s == CTW_OK || s == CTW_E_DEADLINE);
    ck_assert_double_ge(r.bound, -half - 1e-6);
    if (r.has_solution) {
        ck_assert_double_le(r.bound, r.objective);
        ck_assert_double_le(ctw_milp__violation(&m, r.x), 1e-6);
    }
    ctw_milp__result_free(ctx, &r);
    end();
}
END_TEST

START_TEST(relaxation)
{
    begin();
    three(1);
    ctw_milp__options opt = defaults();
    ctw_milp__result r;
    opt.relax = 1;
    CTW_OKAY(ctw_milp__solve(&m, &opt, &r));
    ck_assert_double_eq_tol(r.objective, -13, 1e-9);
    double dual = 0;
    const double rhs[] = {5, 11, 8};
    for (size_t i = 0; i < 3; i++) dual += r.dual[i] * rhs[i];
    ck_assert_double_eq_tol(dual, -13, 1e-9);
    ctw_milp__result_free(ctx, &r);
    end();
}
END_TEST

START_TEST(no_answer)
{
    begin();
    size_t row;
    double one = 1;
    ctw_milp__options opt = defaults();
    ctw_milp__result r;
    CTW_FAILS(ctw_milp__solve(&m, &opt, &r), CTW_E_ARG, "no variables");
    ctw_milp__result_free(ctx, &r);
    CTW_OKAY(ctw_milp__add_row(&m, 3, INFINITY, &row));
    CTW_OKAY(ctw_milp__add_col(&m, 1, 0, 2, 1, &row, &one, 1, NULL));
    CTW_FAILS(ctw_milp__solve(&m, &opt, &r), CTW_E_INFEASIBLE, "no point");
    ctw_milp__result_free(ctx, &r);
    CTW_OKAY(ctw_milp__add_col(&m, -1, 0, INFINITY, 0, &row, &one, 1, NULL));
    CTW_FAILS(ctw_milp__solve(&m, &opt, &r), CTW_E_BACKEND, "unbounded");
    ctw_milp__result_free(ctx, &r);
    opt.max_vars = 1;
    CTW_FAILS(ctw_milp__solve(&m, &opt, &r), CTW_E_RANGE, "max_vars");
    ctw_milp__result_free(ctx, &r);
    size_t absent = 7;
    CTW_FAILS(ctw_milp__add_col(&m, 1, 0, 1, 1, &absent, &one, 1, NULL), CTW_E_INTERNAL, "row 7");
    end();
}
END_TEST

static int32_t say_stop(void *user, uint64_t step, double bound, double best)
{
    int *calls = user;
    (void)step;
    (void)bound;
    (void)best;
    return ++*calls > 2;
}

START_TEST(stopped)
{
    begin();
    hard(60);
    ctw_milp__options opt = defaults();
    ctw_milp__result r;
    ctw_cancel *c;
    opt.cuts = 0;
    opt.time_limit_s = 0.2;
    double *zero = CTW_NEW(ctx, 60, double);
    opt.start = zero;
    CTW_OKAY(ctw_milp__solve(&m, &opt, &r));
    ck_assert(r.has_solution && r.stop == CTW_MILP_TIME);
    ck_assert_double_le(r.bound, r.objective);
    ctw_milp__result_free(ctx, &r);
    opt.max_nodes = 50;
    opt.time_limit_s = 10;
    CTW_OKAY(ctw_milp__solve(&m, &opt, &r));
    ck_assert_int_eq(r.stop, CTW_MILP_NODES);
    ctw_milp__result_free(ctx, &r);
    opt.max_nodes = 0;
    int calls = 0;
    opt.progress = say_stop;
    opt.user = &calls;
    CTW_OKAY(ctw_milp__solve(&m, &opt, &r));
    ck_assert_int_eq(r.stop, CTW_MILP_CANCEL);
    ctw_milp__result_free(ctx, &r);
    opt.progress = NULL;
    CTW_OKAY(ctw_cancel_new(ctx, &c));
    ctw_cancel_request(c);
    opt.cancel = c;
    ctw_status s = ctw_milp__solve(&m, &opt, &r);
    ck_assert(s == CTW_OK || s == CTW_E_CANCELLED);
    if (s == CTW_OK) ck_assert_int_eq(r.stop, CTW_MILP_CANCEL);
    ctw_milp__result_free(ctx, &r);
    ctw_cancel_unref(c);
    ctw_base__free(ctx, zero);
    end();
}
END_TEST

START_TEST(export_text)
{
    begin();
    three(1);
    CTW_OKAY(ctw_milp__add_row(&m, 1, 2, NULL));
    CTW_OKAY(ctw_milp__add_row(&m, 4, 4, NULL));
    CTW_OKAY(ctw_milp__add_col(&m, 0.5, -INFINITY, INFINITY, 0, NULL, NULL, 0, NULL));
    m.offset = 3;
    const char *path = ctw_test_tmp("model.mps");
    CTW_OKAY(ctw_milp__write_mps(&m, path, "test"));
    char text[4096];
    FILE *f = fopen(path, "rb");
    ck_assert(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    /* CBC takes names for columns of a card unless the first line says that fields are free */
    const char *want[] = {"NAME cybertwin FREE\nROWS\n N cost\n L r0\n",
                          " E r4\n",
                          "'INTORG'",
                          " x0 r1 4\n",
                          " R cost -3\n",
                          " G r3 1\n",
                          " MI B x3\n",
                          " PL B x3\n",
                          " UP B x0 10\n",
                          "ENDATA\n"};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) ck_assert_msg(strstr(text, want[i]), "%s", want[i]);
    CTW_FAILS(ctw_milp__write_mps(&m, "/nowhere/at/all.mps", "test"), CTW_E_IO, NULL);
    end();
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"optimum", optimum},     {"relaxation", relaxation}, {"presolver", presolver},
                                   {"no_answer", no_answer}, {"stopped", stopped},       {"export_text", export_text}};
    return ctw_test_main("unit-milp", cases, sizeof cases / sizeof *cases, 30);
}
