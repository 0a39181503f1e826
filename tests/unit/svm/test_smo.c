/* Kernel machines against the definition: from the machine's own support vectors, the dual objective by brute force,
 * its gap to the primal, and the optimality conditions; with and without shrinking and with the smallest cache. */
#include "svm/svm_internal.h"
#include "test.h"
#include <math.h>
#include <string.h>

enum { N = 220, D = 4 };
static double x[N * D];
static int64_t label[N];

static void data(void)
{
    uint64_t s = 99;
    for (int i = 0; i < N * D; i++) {
        s = s * 6364136223846793005u + 1442695040888963407u;
        x[i] = (double)(s >> 11) / 9007199254740992.0 * 2 - 1;
    }
    for (int i = 0; i < N; i++) label[i] = x[i * D] * x[i * D + 1] + 0.3 * x[i * D + 2] > 0;
    memcpy(x + 10 * D, x + 11 * D, D * sizeof *x); /* equal rows of different classes: a flat direction */
    label[10] = 0;
    label[11] = 1;
}

static double kernel(int kind, double gamma, const double *a, const double *b)
{
    double dot = 0, dist = 0;
    for (int k = 0; k < D; k++) {
        dot += a[k] * b[k];
        dist += (a[k] - b[k]) * (a[k] - b[k]);
    }
    return kind == CTW_SVM_RBF ? exp(-gamma * dist) : pow(gamma * dot + 1, 3);
}

/* a'Qa of machine 0; the model's support vectors as dense rows. */
static double quadratic(const ctw_svm *m, int kind)
{
    static double v[N * D];
    const ctw_svm__model *md = m->model;
    const ctw_svm__machine *c = &md->machine[0];
    double q = 0;
    memset(v, 0, sizeof v);
    for (size_t i = 0; i < md->sv.n; i++)
        for (size_t p = md->sv.start[i]; p < md->sv.start[i + 1]; p++) v[i * D + (size_t)md->sv.col[p]] = md->sv.val[p];
    for (size_t i = 0; i < c->nsv; i++)
        for (size_t j = 0; j < c->nsv; j++)
            q += c->coef[i] * c->coef[j] * kernel(kind, md->gamma, v + c->sv[i] * D, v + c->sv[j] * D);
    return q;
}

static void check(ctw_ctx *ctx, const char *const *kv, int kind, double c)
{
    ctw_params *p;
    ctw_svm *m;
    static double dec[N];
    CTW_OKAY(ctw_params_new(ctx, "svm", &p));
    for (; *kv; kv += 2) CTW_OKAY(ctw_params_set_text(p, kv[0], kv[1]));
    CTW_OKAY(ctw_params_set_f64(p, "c", c));
    CTW_OKAY(ctw_svm_new(ctx, p, &m));
    CTW_OKAY(ctw_svm_fit(m, x, N, D, D, label, NULL, NULL));
    CTW_OKAY(ctw_svm_decision(m, x, N, D, D, dec, 1));
    double q = quadratic(m, kind), sum = 0, balance = 0, primal = q / 2;
    const ctw_svm__machine *k = &m->model->machine[0];
    for (size_t i = 0; i < k->nsv; i++) {
        ck_assert(fabs(k->coef[i]) <= c * (1 + 1e-12));
        sum += fabs(k->coef[i]);
        balance += k->coef[i];
    }
    for (int i = 0; i < N; i++) primal += c * fmax(0, 1 - (label[i] ? dec[i] : -dec[i]));
    ck_assert_double_eq_tol(balance, 0, 1e-9 * c);
    /* rows are cached in single precision */
    ck_assert_double_eq_tol(k->objective, q / 2 - sum, 1e-5 * sum);
    ck_assert_double_eq_tol(primal, sum - q / 2, 2e-4 * primal);
    ctw_params_unref(p);
    ctw_svm_unref(m);
}

START_TEST(optimal)
{
    ctw_ctx *ctx;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    data();
    static const char *const rbf[] = {"gamma", "1.5", "tol", "1e-5", NULL};
    static const char *const poly[] = {"kernel", "poly", "gamma", "0.7", "coef0", "1", "tol", "1e-5", NULL};
    static const char *const whole[] = {"gamma", "1.5", "tol", "1e-5", "shrinking", "0", "cache_mb", "1", NULL};
    for (double c = 0.1; c < 2000; c *= 10) {
        check(ctx, rbf, CTW_SVM_RBF, c);
        check(ctx, poly, CTW_SVM_POLY, c);
        check(ctx, whole, CTW_SVM_RBF, c);
    }
    ctw_ctx_unref(ctx);
}
END_TEST

/* Stopped at a limit the answer is feasible and says that it has not converged; progress can stop it too. */
static int32_t stop_at_once(void *user, uint64_t step, double bound, double best)
{
    (void)user;
    (void)step;
    (void)bound;
    (void)best;
    return 1;
}

START_TEST(limits)
{
    ctw_ctx *ctx;
    ctw_params *p;
    ctw_svm *m;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    data();
    CTW_OKAY(ctw_params_new(ctx, "svm", &p));
    CTW_OKAY(ctw_params_set_i64(p, "max_iter", 5));
    CTW_OKAY(ctw_svm_new(ctx, p, &m));
    CTW_OKAY(ctw_svm_fit(m, x, N, D, D, label, NULL, NULL));
    ck_assert(m->model->machine[0].converged == 0 && m->model->machine[0].iterations == 5);
    CTW_OKAY(ctw_svm_set_progress(m, stop_at_once, NULL));
    CTW_FAILS(ctw_svm_fit(m, x, N, D, D, label, NULL, NULL), CTW_E_CANCELLED, "progress");
    ck_assert_uint_eq(ctw_svm_classes(m), 0);
    ctw_params_unref(p);
    ctw_svm_unref(m);
    ctw_ctx_unref(ctx);
}
END_TEST

/* Features numbered far apart are listed instead of counted through. */
START_TEST(wide_rows)
{
    ctw_ctx *ctx;
    ctw_svmset *a, *b;
    ctw_svm *m, *k;
    static double da[N], db[N];
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    data();
    CTW_OKAY(ctw_svmset_new(ctx, &a));
    CTW_OKAY(ctw_svmset_new(ctx, &b));
    for (int i = 0; i < N; i++) {
        const int32_t near[D] = {0, 1, 2, 3}, far[D] = {5, 70000, 1000000000, 2147483645};
        const uint64_t start[] = {0, D};
        CTW_OKAY(ctw_svmset_add_sparse(a, start, near, x + i * D, 1, label + i));
        CTW_OKAY(ctw_svmset_add_sparse(b, start, far, x + i * D, 1, label + i));
    }
    ctw_params *p;
    CTW_OKAY(ctw_params_new(ctx, "svm", &p));
    CTW_OKAY(ctw_params_set_f64(p, "gamma", 0.5));
    CTW_OKAY(ctw_svm_new(ctx, p, &m));
    CTW_OKAY(ctw_svm_new(ctx, p, &k));
    CTW_OKAY(ctw_svm_fit_set(m, a, NULL, NULL));
    CTW_OKAY(ctw_svm_fit_set(k, b, NULL, NULL));
    CTW_OKAY(ctw_svm_decision_set(m, a, da, 1));
    CTW_OKAY(ctw_svm_decision_set(k, b, db, 1));
    ck_assert(memcmp(da, db, sizeof da) == 0);
    ctw_params_unref(p);
    ctw_svm_unref(m);
    ctw_svm_unref(k);
    ctw_svmset_unref(a);
    ctw_svmset_unref(b);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"optimal", optimal}, {"limits", limits}, {"wide_rows", wide_rows}};
    return ctw_test_main("unit-svm-smo", cases, sizeof cases / sizeof *cases, 60);
}
