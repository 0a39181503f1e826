/* Properties: the linear machines' primal value equals minus the dual (strong duality), answers do not depend on the
 * order of the rows, and every update and every forgetting ends where a cold fit ends. */
#include "test.h"
#include <cybertwin/svm.h>
#include <math.h>
#include <string.h>

enum { N = 150, D = 3 };
static ctw_ctx *ctx;
static double x[N * D], weight[N];
static int64_t label[N];
static uint64_t state;

static double uniform(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) / 9007199254740992.0;
}

static void data(uint64_t seed, int classes)
{
    state = seed;
    for (int i = 0; i < N; i++) {
        int c = (int)(uniform() * classes);
        for (int k = 0; k < D; k++) {
            double v = uniform() + uniform() - 1 + (k == c ? 0.8 : 0);
            x[i * D + k] = uniform() < 0.2 ? 0 : v;
        }
        label[i] = c;
        weight[i] = 0.5 + uniform();
    }
    for (int c = 0; c < classes; c++) label[c] = c;
}

static ctw_svm *with_options(const char *const *kv)
{
    ctw_params *opt;
    ctw_svm *m;
    CTW_OKAY(ctw_params_new(ctx, "svm", &opt));
    for (; kv && *kv; kv += 2) CTW_OKAY(ctw_params_set_text(opt, kv[0], kv[1]));
    CTW_OKAY(ctw_svm_new(ctx, opt, &m));
    ctw_params_unref(opt);
    return m;
}

static double objective(const ctw_svm *m)
{
    ctw_report *r;
    double v;
    CTW_OKAY(ctw_svm_report(m, &r));
    CTW_OKAY(ctw_report_get_f64(r, "objective", &v));
    ctw_report_unref(r);
    return v;
}

/* 1/2 |w|^2 + C sum of weighted losses; the bias counts in |w| where it is a feature's weight. */
static double primal(const ctw_svm *m, double c, int bias_counts, int squared)
{
    double w[D], b, v, dec[N];
    CTW_OKAY(ctw_svm_coefficients(m, 0, w, &b));
    CTW_OKAY(ctw_svm_decision(m, x, N, D, D, dec, 1));
    v = bias_counts ? b * b / 2 : 0;
    for (int k = 0; k < D; k++) v += w[k] * w[k] / 2;
    for (int i = 0; i < N; i++) {
        double h = fmax(0, 1 - (label[i] ? 1 : -1) * dec[i]);
        v += c * weight[i] * (squared ? h * h : h);
    }
    return v;
}

START_TEST(duality)
{
    static const char *const smo[] = {"kernel", "linear", "solver", "smo", "c", "2", "tol", "1e-8", NULL};
    static const char *const cd[] = {"kernel", "linear", "c", "2", "tol", "1e-8", NULL};
    static const char *const cd2[] = {"kernel", "linear", "c", "2", "tol", "1e-8", "loss", "squared", NULL};
    static const char *const plain[] = {"kernel", "linear",    "solver", "smo",      "c", "2", "tol",
                                        "1e-8",   "shrinking", "0",      "cache_mb", "1", NULL};
    static const char *const wide[] = {"kernel", "linear", "solver",     "smo",    "c", "2",
                                       "tol",    "1e-10",  "cache_type", "double", NULL};
    static const char *const *const all[] = {smo, cd, cd2, plain, wide};
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    for (uint64_t seed = 1; seed <= 5; seed++)
        for (int k = 0; k < 5; k++) {
            data(seed, 2);
            ctw_svm *m = with_options(all[k]);
            CTW_OKAY(ctw_svm_fit(m, x, N, D, D, label, weight, NULL));
            double p = primal(m, 2, k == 1 || k == 2, k == 2);
            ck_assert_double_eq_tol(p, -objective(m), (k == 4 ? 1e-9 : 1e-5) * p); /* doubles lose nothing */
            ctw_svm_unref(m);
        }
    ctw_ctx_unref(ctx);
}
END_TEST

/* The primal value of averaged SGD is within a few per cent of the optimum. */
START_TEST(sgd_is_near)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    data(3, 2);
    ctw_svm *a = with_options((const char *const[]){"kernel", "linear", "tol", "1e-6", NULL});
    ctw_svm *b = with_options((const char *const[]){"kernel", "linear", "solver", "sgd", "epochs", "100", NULL});
    CTW_OKAY(ctw_svm_fit(a, x, N, D, D, label, weight, NULL));
    CTW_OKAY(ctw_svm_fit(b, x, N, D, D, label, weight, NULL));
    ck_assert(objective(b) <= 1.03 * -objective(a));
    ck_assert_double_eq_tol(objective(b), primal(b, 1, 1, 0), 1e-9 * N);
    for (int pass = 0; pass < 20; pass++) CTW_OKAY(ctw_svm_update(b, x, N, D, D, label, weight, NULL));
    ck_assert(primal(b, 1, 1, 0) <= 1.1 * -objective(a));
    label[5] = 77;
    CTW_FAILS(ctw_svm_update(b, x, N, D, D, label, weight, NULL), CTW_E_ARG, "77");
    CTW_OKAY(ctw_svm_update(b, x, 1, D, D, label, weight, NULL));
    ctw_svm_unref(a);
    ctw_svm_unref(b);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(row_order)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    data(11, 3);
    static double y[N * D], da[3 * N], db[3 * N];
    static int64_t back[N];
    for (int i = 0; i < N; i++) {
        memcpy(y + (N - 1 - i) * D, x + i * D, D * sizeof *x);
        back[N - 1 - i] = label[i];
    }
    const char *const opt[] = {"tol", "1e-8", "c", "3", NULL};
    ctw_svm *a = with_options(opt), *b = with_options(opt);
    CTW_OKAY(ctw_svm_fit(a, x, N, D, D, label, NULL, NULL));
    CTW_OKAY(ctw_svm_fit(b, y, N, D, D, back, NULL, NULL));
    ck_assert_double_eq_tol(objective(a), objective(b), 1e-9 * fabs(objective(a)));
    CTW_OKAY(ctw_svm_decision(a, x, N, D, D, da, 3));
    CTW_OKAY(ctw_svm_decision(b, x, N, D, D, db, 3));
    for (int i = 0; i < 3 * N; i++) ck_assert_double_eq_tol(da[i], db[i], 1e-5);
    ctw_svm_unref(a);
    ctw_svm_unref(b);
    ctw_ctx_unref(ctx);
}
END_TEST

/* Adds rows up to `to` in uneven batches, forgets some, and compares with cold fits of the same rows each time. */
static void grow(const char *const *opt, double tol)
{
    ctw_svm *m = with_options(opt), *cold = with_options(opt);
    size_t from = 0, to = 20;
    CTW_OKAY(ctw_svm_fit(m, x, to, D, D, label, weight, NULL));
    for (size_t k = 1; to < N; k++) {
        size_t more = 1 + (7 * k) % 23;
        if (more > N - to) more = N - to;
        CTW_OKAY(ctw_svm_update(m, x + to * D, more, D, D, label + to, weight + to, NULL));
        to += more;
        if (k % 3 == 0) {
            CTW_OKAY(ctw_svm_forget(m, 5, NULL));
            from += 5;
        }
        ck_assert_uint_eq(ctw_svm_kept(m), to - from);
        CTW_OKAY(ctw_svm_fit(cold, x + from * D, to - from, D, D, label + from, weight + from, NULL));
        ck_assert(ctw_svm_classes(m) == ctw_svm_classes(cold));
        ck_assert_double_eq_tol(objective(m), objective(cold), tol * fabs(objective(cold)));
    }
    ctw_svm_unref(m);
    ctw_svm_unref(cold);
}

START_TEST(updates)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    for (uint64_t seed = 1; seed <= 3; seed++) {
        data(seed, seed == 2 ? 3 : 2);
        grow((const char *const[]){"incremental", "1", "c", "5", NULL}, 1e-6);
        grow((const char *const[]){"incremental", "1", "class_weight", "balanced", "gamma", "0.5", NULL}, 1e-6);
        grow((const char *const[]){"incremental", "1", "kernel", "poly", "coef0", "1", NULL}, 1e-6);
        grow((const char *const[]){"incremental", "1", "kernel", "linear", NULL}, 1e-6);
        grow((const char *const[]){"incremental", "1", "kernel", "linear", "loss", "squared", NULL}, 1e-6);
        grow((const char *const[]){"incremental", "1", "kernel", "linear", "solver", "smo", "probability", "1", NULL},
             1e-6);
    }
    ctw_ctx_unref(ctx);
}
END_TEST

/* A class that appears later, a model saved and loaded in between, and refusals that change nothing. */
START_TEST(late_class)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    data(7, 3);
    for (int i = 0; i < N / 2; i++) label[i] %= 2;
    const char *const opt[] = {"incremental", "1", NULL};
    ctw_svm *m = with_options(opt), *k, *cold = with_options(opt);
    static unsigned char buf[1 << 17];
    uint64_t need;
    CTW_FAILS(ctw_svm_update(m, x, 1, D, D, label, NULL, NULL), CTW_E_STATE, "fitted");
    CTW_OKAY(ctw_svm_fit(m, x, N / 2, D, D, label, weight, NULL));
    CTW_OKAY(ctw_svm_save_mem(m, buf, sizeof buf, &need));
    CTW_OKAY(ctw_svm_load_mem(ctx, buf, need, &k));
    CTW_OKAY(ctw_svm_update(k, x + N / 2 * D, N - N / 2, D, D, label + N / 2, weight + N / 2, NULL));
    CTW_OKAY(ctw_svm_fit(cold, x, N, D, D, label, weight, NULL));
    ck_assert(ctw_svm_classes(k) == 3);
    ck_assert_double_eq_tol(objective(k), objective(cold), 1e-6 * fabs(objective(cold)));
    double before = objective(k);
    CTW_FAILS(ctw_svm_forget(k, N + 1, NULL), CTW_E_RANGE, "count");
    CTW_FAILS(ctw_svm_forget(k, N - 1, NULL), CTW_E_RANGE, NULL);
    CTW_FAILS(ctw_svm_update(k, x, 1, D - 1, D, label, NULL, NULL), CTW_E_SHAPE, "features");
    CTW_OKAY(ctw_svm_update(k, NULL, 0, D, D, NULL, NULL, NULL));
    ck_assert(objective(k) == before && ctw_svm_kept(k) == N);
    ctw_svm_unref(k);
    k = with_options(NULL);
    CTW_OKAY(ctw_svm_fit(k, x, N, D, D, label, NULL, NULL));
    CTW_FAILS(ctw_svm_update(k, x, 1, D, D, label, NULL, NULL), CTW_E_STATE, "incremental");
    CTW_FAILS(ctw_svm_forget(k, 1, NULL), CTW_E_STATE, "incremental");
    ctw_svm_unref(k);
    ctw_svm_unref(m);
    ctw_svm_unref(cold);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"duality", duality}, {"sgd_is_near", sgd_is_near}, {"row_order", row_order},
        {"updates", updates}, {"late_class", late_class},
    };
    return ctw_test_main("prop-svm", cases, sizeof cases / sizeof *cases, 120);
}
