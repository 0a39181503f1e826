/* Every allocation of new, fit, predict, save and load may fail, for each solver. */
#include "test.h"
#include <cybertwin/svm.h>

enum { N = 24 };

static ctw_status use(ctw_ctx *ctx, ctw_svm *m)
{
    static unsigned char buf[65536];
    double x[2 * N], prob[3 * N];
    int64_t label[N], got[N];
    uint64_t need = 0;
    ctw_svm *k = NULL;
    ctw_svmset *set = NULL;
    ctw_report *r = NULL;
    for (int i = 0; i < N; i++) {
        label[i] = i % 3;
        x[2 * i] = i % 3 + 0.3 * (i % 5);
        x[2 * i + 1] = (i % 3) * (i % 3) - 0.2 * (i % 7);
    }
    ctw_status s = ctw_svmset_new(ctx, &set);
    if (s == CTW_OK) s = ctw_svmset_add(set, x, N, 2, 2, label);
    if (s == CTW_OK) s = ctw_svm_set_class_weight(m, 1, 2);
    if (s == CTW_OK) s = ctw_svm_fit_set(m, set, NULL, NULL);
    if (s == CTW_OK) s = ctw_svm_predict_set(m, set, got, prob, 3);
    if (s == CTW_OK) s = ctw_svm_report(m, &r);
    if (s == CTW_OK) s = ctw_svm_save_mem(m, buf, sizeof buf, &need);
    if (s == CTW_OK) s = ctw_svm_load_mem(ctx, buf, need, &k);
    if (s == CTW_OK) s = ctw_svm_predict(k, x, N, 2, 2, got, NULL, 0);
    if (s == CTW_OK) s = ctw_svmset_save_mem(set, buf, sizeof buf, &need);
    ctw_report_unref(r);
    ctw_svm_unref(k);
    ctw_svmset_unref(set);
    return s;
}

static ctw_status life(ctw_ctx *ctx, void *user)
{
    const char *const *kv = user;
    ctw_svm *m = NULL;
    ctw_params *p = NULL;
    ctw_status s = ctw_params_new(ctx, "svm", &p);
    for (; s == CTW_OK && *kv; kv += 2) s = ctw_params_set_text(p, kv[0], kv[1]);
    if (s == CTW_OK) s = ctw_svm_new(ctx, p, &m);
    if (s == CTW_OK) s = use(ctx, m);
    ctw_params_unref(p);
    ctw_svm_unref(m);
    return s;
}

START_TEST(sweep)
{
    static const char *rbf[] = {"probability", "1", "folds", "2", NULL};
    static const char *cd[] = {"kernel", "linear", "probability", "1", "folds", "2", NULL};
    static const char *sgd[] = {"kernel", "linear", "solver", "sgd", "probability", "1", "folds", "2", NULL};
    ck_assert(ctw_oom_sweep(life, rbf, 3) > 50);
    ck_assert(ctw_oom_sweep(life, cd, 3) > 20);
    ck_assert(ctw_oom_sweep(life, sgd, 5) > 20);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"sweep", sweep}};
    return ctw_test_main("oom-svm", cases, 1, 120);
}
