/* Model files: those of LIBSVM and LIBLINEAR give the answers their own programs printed, go out and come back
 * unchanged; a released file of our own still reads; damaged ones are refused with their place. */
#include "test.h"
#include <cybertwin/svm.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ctw_ctx *ctx;
static ctw_svmset *set;
enum { N = 48, K = 3 };
static int64_t label[N];
static double prob[N * K];

static void setup(void)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    CTW_OKAY(ctw_svmset_load_file(ctx, ctw_test_golden("svm/data.txt"), &set));
    ck_assert_uint_eq(ctw_svmset_rows(set), N);
}

static void teardown(void)
{
    ctw_svmset_unref(set);
    ctw_ctx_unref(ctx);
}

static ctw_svm *import_file(const char *path)
{
    ctw_svm *m;
    CTW_OKAY(ctw_svm_import_file(ctx, path, &m));
    return m;
}

/* Labels and probabilities as printed by the other program, columns in its class order. */
static void compare(const ctw_svm *m, const char *path)
{
    FILE *f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    char line[256];
    ck_assert_ptr_nonnull(fgets(line, sizeof line, f));
    CTW_OKAY(ctw_svm_predict_set(m, set, label, prob, K));
    for (int i = 0; i < N; i++) {
        ck_assert_ptr_nonnull(fgets(line, sizeof line, f));
        char *at = line;
        int64_t want = strtol(at, &at, 10), best = 0, l;
        for (int k = 0; k < K; k++) {
            ck_assert_double_eq_tol(strtod(at, &at), prob[i * K + k], 1e-5);
            if (prob[i * K + k] > prob[i * K + best]) best = k;
        }
        CTW_OKAY(ctw_svm_class_at(m, (uint64_t)best, &l));
        ck_assert_int_eq(l, want);
    }
    fclose(f);
}

START_TEST(libsvm)
{
    setup();
    ctw_svm *m = import_file(ctw_test_golden("svm/libsvm.model")), *again;
    int64_t l;
    ck_assert(ctw_svm_classes(m) == K && ctw_svm_features(m) == 3);
    CTW_OKAY(ctw_svm_class_at(m, 1, &l));
    ck_assert_int_eq(l, -2);
    compare(m, ctw_test_golden("svm/libsvm.out"));
    const char *path = ctw_test_tmp("again.model");
    CTW_OKAY(ctw_svm_export_file(m, CTW_SVM_LIBSVM, path));
    again = import_file(path);
    compare(again, ctw_test_golden("svm/libsvm.out"));
    uint64_t need;
    CTW_OKAY(ctw_svm_export_mem(again, CTW_SVM_LIBSVM, NULL, 0, &need));
    CTW_FAILS(ctw_svm_export_mem(again, CTW_SVM_LIBLINEAR, NULL, 0, &need), CTW_E_UNSUPPORTED, "weights");
    CTW_FAILS(ctw_svm_export_mem(again, 3, NULL, 0, &need), CTW_E_RANGE, "format");
    CTW_OKAY(ctw_svm_save_file(again, path));
    ctw_svm_unref(again);
    CTW_OKAY(ctw_svm_load_file(ctx, path, &again));
    compare(again, ctw_test_golden("svm/libsvm.out"));
    ctw_svm_unref(again);
    ctw_svm_unref(m);
    teardown();
}
END_TEST

START_TEST(liblinear)
{
    setup();
    ctw_svm *m = import_file(ctw_test_golden("svm/liblinear.model")), *again;
    compare(m, ctw_test_golden("svm/liblinear.out"));
    const char *path = ctw_test_tmp("again.model");
    CTW_OKAY(ctw_svm_export_file(m, CTW_SVM_LIBLINEAR, path));
    again = import_file(path);
    static double a[N * K], b[N * K];
    CTW_OKAY(ctw_svm_decision_set(m, set, a, K));
    CTW_OKAY(ctw_svm_decision_set(again, set, b, K));
    for (int i = 0; i < N * K; i++) ck_assert_double_eq_tol(a[i], b[i], 1e-12);
    uint64_t need;
    CTW_FAILS(ctw_svm_export_mem(m, CTW_SVM_LIBSVM, NULL, 0, &need), CTW_E_UNSUPPORTED, "rest");
    ctw_svm_unref(again);
    ctw_svm_unref(m);
    teardown();
}
END_TEST

/* Our own models through both formats: the same decisions. */
static void through(const char *const *kv, int32_t format)
{
    ctw_params *opt;
    ctw_svm *m, *again;
    static double a[N * K], b[N * K];
    CTW_OKAY(ctw_params_new(ctx, "svm", &opt));
    for (; *kv; kv += 2) CTW_OKAY(ctw_params_set_text(opt, kv[0], kv[1]));
    CTW_OKAY(ctw_svm_new(ctx, opt, &m));
    ctw_params_unref(opt);
    CTW_OKAY(ctw_svm_fit_set(m, set, NULL, NULL));
    const char *path = ctw_test_tmp("ours.model");
    CTW_OKAY(ctw_svm_export_file(m, format, path));
    again = import_file(path);
    CTW_OKAY(ctw_svm_decision_set(m, set, a, K));
    CTW_OKAY(ctw_svm_decision_set(again, set, b, K));
    for (int i = 0; i < N * K; i++) ck_assert_double_eq_tol(a[i], b[i], 1e-9);
    double w[3], w2[3], bias, bias2;
    if (ctw_svm_coefficients(m, 2, w, &bias) == CTW_OK) {
        CTW_OKAY(ctw_svm_coefficients(again, 2, w2, &bias2));
        for (int k = 0; k < 3; k++) ck_assert_double_eq_tol(w[k], w2[k], 1e-12);
        ck_assert_double_eq_tol(bias, bias2, 1e-12);
    } else {
        CTW_FAILS(ctw_svm_coefficients(again, 2, w2, &bias2), CTW_E_UNSUPPORTED, "linear");
    }
    ctw_svm_unref(m);
    ctw_svm_unref(again);
}

START_TEST(round_trips)
{
    setup();
    through((const char *const[]){"kernel", "rbf", NULL}, CTW_SVM_LIBSVM);
    through((const char *const[]){"kernel", "poly", "coef0", "1", "degree", "2", NULL}, CTW_SVM_LIBSVM);
    through((const char *const[]){"kernel", "sigmoid", "gamma", "0.1", NULL}, CTW_SVM_LIBSVM);
    through((const char *const[]){"kernel", "linear", "solver", "smo", NULL}, CTW_SVM_LIBSVM);
    through((const char *const[]){"kernel", "linear", NULL}, CTW_SVM_LIBLINEAR);
    through((const char *const[]){"kernel", "linear", "loss", "squared", NULL}, CTW_SVM_LIBLINEAR);
    teardown();
}
END_TEST

START_TEST(released)
{
    setup();
    ctw_svm *m;
    CTW_OKAY(ctw_svm_load_file(ctx, ctw_test_golden("svm/svm-1.ctw"), &m));
    ck_assert(ctw_svm_classes(m) == K && ctw_svm_kept(m) == N);
    CTW_OKAY(ctw_svm_predict_set(m, set, label, prob, K));
    size_t hit = 0;
    for (int i = 0; i < N; i++) {
        int64_t want;
        CTW_OKAY(ctw_svmset_label(set, (uint64_t)i, &want));
        hit += want == label[i];
    }
    ck_assert(hit > N * 8 / 10);
    CTW_OKAY(ctw_svm_update_set(m, set, NULL, NULL));
    ck_assert(ctw_svm_kept(m) == 2 * N);
    ctw_svm_unref(m);
    teardown();
}
END_TEST

#define HEAD "svm_type c_svc\nkernel_type rbf\ngamma 0.5\nnr_class 2\ntotal_sv 2\n"
#define MORE HEAD "rho 0.1\nlabel 1 -1\n"
#define LIN  "solver_type L2R_L1LOSS_SVC_DUAL\nnr_class 2\nlabel 1 -1\nnr_feature 2\nbias -1\n"

START_TEST(refused)
{
    setup();
    static const struct {
        const char *text;
        ctw_status status;
        const char *says;
    } bad[] = {
        {"", CTW_E_FORMAT, "neither"},
        {"hello", CTW_E_FORMAT, "neither"},
        {"svm_type", CTW_E_FORMAT, "missing"},
        {"svm_type epsilon_svr\n", CTW_E_UNSUPPORTED, "svm_type"},
        {"svm_type c_svc\nkernel_type precomputed\n", CTW_E_UNSUPPORTED, "kernel_type"},
        {"svm_type c_svc\nkernel_type rbf\ngamma -1\n", CTW_E_FORMAT, "gamma"},
        {"svm_type c_svc\nnr_class 9999\n", CTW_E_FORMAT, "too short"},
        {"svm_type c_svc\nnr_class 1\n", CTW_E_FORMAT, "out of range"},
        {"svm_type c_svc\nnr_class 2\nnr_class 2\n", CTW_E_FORMAT, "line 3"},
        {"svm_type c_svc\nrho 1\n", CTW_E_FORMAT, "nr_class"},
        {"svm_type c_svc\nwhat 1\n", CTW_E_FORMAT, "nr_class"},
        {HEAD "what 1\n", CTW_E_FORMAT, "line 6 column 1"},
        {HEAD "rho 0.1 3\n", CTW_E_FORMAT, "more than"},
        {HEAD "rho 1\nrho 1\n", CTW_E_FORMAT, "twice"},
        {HEAD "SV\n", CTW_E_FORMAT, "missing before SV"},
        {MORE "nr_sv 1 2\nSV\n1 1:1\n", CTW_E_FORMAT, "add up"},
        {MORE "nr_sv -1 3\nSV\n1 1:1\n", CTW_E_FORMAT, "bad count"},
        {MORE "nr_sv 7.77778e+65 1\nSV\n1 1:1\n", CTW_E_FORMAT, "bad count"},
        {MORE "nr_sv 0.5 1.5\nSV\n1 1:1\n", CTW_E_FORMAT, "bad count"},
        {MORE "nr_sv 1 1\nSV\n1 1:1\n", CTW_E_FORMAT, "1 support vectors"},
        {MORE "nr_sv 1 1\nSV\n1 1:1\nx 1:1\n", CTW_E_FORMAT, "line 11 column 1"},
        {"solver_type L2R_L2LOSS_SVR\n", CTW_E_UNSUPPORTED, "solver_type"},
        {"solver_type L2R_LR\nw\n", CTW_E_FORMAT, "missing before w"},
        {LIN "w\n", CTW_E_FORMAT, "too short"},
        {LIN "w\n1.25000\n", CTW_E_FORMAT, "weights is missing"},
        {LIN "w\n1 2\n3\n", CTW_E_FORMAT, "more than"},
        {LIN "w\n1\nnan\n", CTW_E_FORMAT, "finite"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ctw_svm *m;
        CTW_FAILS(ctw_svm_import_mem(ctx, bad[i].text, strlen(bad[i].text), &m), bad[i].status, bad[i].says);
        ck_assert_ptr_null(m);
    }
    ctw_svm *m;
    CTW_OKAY(ctw_svm_import_mem(ctx, LIN "w\n1\n-2\n", strlen(LIN "w\n1\n-2\n"), &m));
    double x[] = {3, 1}, d;
    CTW_OKAY(ctw_svm_decision(m, x, 1, 2, 2, &d, 1));
    ck_assert_double_eq(d, -1);
    CTW_FAILS(ctw_svm_update(m, x, 1, 2, 2, label, NULL, NULL), CTW_E_STATE, "incremental");
    ctw_svm_unref(m);
    CTW_FAILS(ctw_svm_import_file(ctx, "/nowhere/at/all", &m), CTW_E_IO, NULL);
    teardown();
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"libsvm", libsvm},
                                   {"liblinear", liblinear},
                                   {"round_trips", round_trips},
                                   {"released", released},
                                   {"refused", refused}};
    return ctw_test_main("api-svm-files", cases, sizeof cases / sizeof *cases, 60);
}
