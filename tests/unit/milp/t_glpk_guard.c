/* t_glpk_guard.c: The containment of GLPK: the host's own GLPK problem on the calling thread survives our solves and
 * their failures, solves run in parallel, and GLPK's memory limit ends as a status instead of abort(). */
#include "milp/milp.h"
#include "test.h"
#include <glpk.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

static ctw_status solve_one(ctw_ctx *ctx, int broken, double *objective)
{
    ctw_milp__model m;
    ctw_milp__options opt;
    ctw_milp__result r;
    size_t row;
    memset(&opt, 0, sizeof opt);
    opt.time_limit_s = 20;
    ctw_milp__model_init(&m, ctx);
    ctw_status s = ctw_milp__add_row(&m, 3, INFINITY, &row);
    /* A repeated row within a column is an error inside glp_load_matrix: it would abort the process. */
    const size_t rows[] = {row, row};
    const double ones[] = {1, 1};
    for (int j = 0; j < 3 && s == CTW_OK; j++)
        s = ctw_milp__add_col(&m, j + 1, 0, 2, 1, rows, ones, broken ? 2 : 1, NULL);
    if (s == CTW_OK) {
        s = ctw_milp__solve(&m, &opt, &r);
        if (s == CTW_OK) *objective = r.objective;
        ctw_milp__result_free(ctx, &r);
    }
    ctw_milp__model_free(&m);
    return s;
}

START_TEST(host_survives)
{
    ctw_ctx *ctx;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    glp_prob *host = glp_create_prob();
    glp_add_cols(host, 2);
    glp_set_obj_coef(host, 1, 42);
    for (int i = 0; i < 200; i++) {
        double z = 0;
        if (i % 2) {
            CTW_FAILS(solve_one(ctx, 1, &z), CTW_E_BACKEND, "GLPK gave up");
        } else {
            CTW_OKAY(solve_one(ctx, 0, &z));
            ck_assert_double_eq_tol(z, 4, 1e-9);
        }
    }
    ck_assert_double_eq(glp_get_obj_coef(host, 1), 42);
    glp_delete_prob(host);
    glp_free_env();
    ctw_ctx_unref(ctx);
}
END_TEST

static void *hammer(void *arg)
{
    size_t *good = arg;
    ctw_ctx *ctx;
    if (ctw_ctx_new(NULL, NULL, &ctx)) return NULL;
    for (int i = 0; i < 60; i++) {
        double z = 0;
        ctw_status s = solve_one(ctx, i % 3 == 0, &z);
        *good += s == (i % 3 == 0 ? CTW_E_BACKEND : CTW_OK);
    }
    ctw_ctx_unref(ctx);
    return NULL;
}

START_TEST(in_parallel)
{
    pthread_t thread[4];
    size_t good[4] = {0, 0, 0, 0};
    for (int i = 0; i < 4; i++) ck_assert_int_eq(pthread_create(thread + i, NULL, hammer, good + i), 0);
    for (int i = 0; i < 4; i++) pthread_join(thread[i], NULL);
    for (int i = 0; i < 4; i++) ck_assert_uint_eq(good[i], 60);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"host_survives", host_survives}, {"in_parallel", in_parallel}};
    return ctw_test_main("glpk-guard", cases, sizeof cases / sizeof *cases, 60);
}
