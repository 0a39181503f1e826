/* Contract of svm.h through the shared library: fit, answers, probabilities, settings, errors, files. */
#include "test.h"
#include <cybertwin/svm.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static ctw_ctx *ctx;

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

/* n points around k corners of a square, labels 10, 20, ...; a fixed congruential generator. */
static void blobs(double *x, int64_t *label, size_t n, size_t k)
{
    uint64_t s = 12345;
    for (size_t i = 0; i < n; i++) {
        size_t c = i % k;
        for (size_t j = 0; j < 2; j++) {
            s = s * 6364136223846793005u + 1442695040888963407u;
            double u = (double)(s >> 11) / 9007199254740992.0 - 0.5;
            x[2 * i + j] = 3.0 * (double)((c >> j) & 1) + 2.5 * u;
        }
        label[i] = 10 * (int64_t)(c + 1);
    }
}

enum { N = 120 };
static double x[2 * N], prob[4 * N], dec[6 * N];
static int64_t label[N], got[N];

static size_t right(const ctw_svm *m)
{
    size_t hit = 0;
    CTW_OKAY(ctw_svm_predict(m, x, N, 2, 2, got, NULL, 0));
    for (size_t i = 0; i < N; i++) hit += got[i] == label[i];
    return hit;
}

static void setup(size_t classes)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    blobs(x, label, N, classes);
}

START_TEST(two_classes)
{
    setup(2);
    ctw_svm *m = with_options((const char *const[]){"kernel", "linear", "probability", "1", "tol", "1e-6", NULL});
    CTW_OKAY(ctw_svm_fit(m, x, N, 2, 2, label, NULL, NULL));
    ck_assert(right(m) > N * 9 / 10);
    ck_assert(ctw_svm_classes(m) == 2 && ctw_svm_decisions(m) == 1 && ctw_svm_features(m) == 2);
    int64_t a, b;
    CTW_OKAY(ctw_svm_class_at(m, 0, &a));
    CTW_OKAY(ctw_svm_class_at(m, 1, &b));
    ck_assert(a == 10 && b == 20);
    double w[2], bias;
    CTW_OKAY(ctw_svm_coefficients(m, 0, w, &bias));
    CTW_OKAY(ctw_svm_predict(m, x, N, 2, 2, got, prob, 2));
    CTW_OKAY(ctw_svm_decision(m, x, N, 2, 2, dec, 1));
    for (size_t i = 0; i < N; i++) {
        ck_assert_double_eq_tol(dec[i], w[0] * x[2 * i] + w[1] * x[2 * i + 1] + bias, 1e-12);
        ck_assert((dec[i] > 0) == (got[i] == 20));
        ck_assert_double_eq_tol(prob[2 * i] + prob[2 * i + 1], 1, 1e-12);
        for (size_t j = 0; j < i; j++)
            if (dec[i] > dec[j]) ck_assert(prob[2 * i + 1] >= prob[2 * j + 1]);
    }
    ctw_svm_unref(ctw_svm_ref(m));
    ctw_svm_unref(m);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(four_classes)
{
    static const char *const kinds[] = {"ovo", "ovr"};
    setup(4);
    for (int k = 0; k < 2; k++) {
        ctw_svm *m =
            with_options((const char *const[]){"kernel", "linear", "multiclass", kinds[k], "probability", "1", NULL});
        CTW_OKAY(ctw_svm_fit(m, x, N, 2, 2, label, NULL, NULL));
        ck_assert(ctw_svm_decisions(m) == (k ? 4 : 6));
        ck_assert(right(m) > N * 8 / 10);
        CTW_OKAY(ctw_svm_predict(m, x, N, 2, 2, got, prob, 4));
        CTW_OKAY(ctw_svm_decision(m, x, N, 2, 2, dec, 6));
        for (size_t i = 0; i < N; i++) {
            double sum = 0;
            for (size_t j = 0; j < 4; j++) sum += prob[4 * i + j];
            ck_assert_double_eq_tol(sum, 1, 1e-9);
        }
        ctw_svm_unref(m);
    }
    ctw_ctx_unref(ctx);
}
END_TEST

/* A weight of 3 is the row three times; a class weight is that weight on its rows. */
START_TEST(weights)
{
    setup(2);
    double w[N], xx[6 * N], wa[2], wb[2], ba, bb;
    int64_t ll[3 * N];
    size_t n = 0;
    for (size_t i = 0; i < N; i++) {
        w[i] = label[i] == 20 ? 3 : 1;
        for (int r = 0; r < (label[i] == 20 ? 3 : 1); r++, n++) {
            memcpy(xx + 2 * n, x + 2 * i, 2 * sizeof *x);
            ll[n] = label[i];
        }
    }
    const char *const opt[] = {"kernel", "linear", "tol", "1e-9", NULL};
    ctw_svm *a = with_options(opt), *b = with_options(opt);
    CTW_OKAY(ctw_svm_fit(a, x, N, 2, 2, label, w, NULL));
    CTW_OKAY(ctw_svm_fit(b, xx, n, 2, 2, ll, NULL, NULL));
    CTW_OKAY(ctw_svm_coefficients(a, 0, wa, &ba));
    CTW_OKAY(ctw_svm_coefficients(b, 0, wb, &bb));
    ck_assert(fabs(wa[0] - wb[0]) + fabs(wa[1] - wb[1]) + fabs(ba - bb) < 1e-4);
    CTW_OKAY(ctw_svm_set_class_weight(b, 20, 7));
    CTW_OKAY(ctw_svm_set_class_weight(b, 20, 3));
    CTW_OKAY(ctw_svm_fit(b, x, N, 2, 2, label, NULL, NULL));
    CTW_OKAY(ctw_svm_coefficients(b, 0, wb, &bb));
    ck_assert(wa[0] == wb[0] && wa[1] == wb[1] && ba == bb);
    CTW_FAILS(ctw_svm_set_class_weight(b, 20, 0), CTW_E_RANGE, "weight");
    CTW_FAILS(ctw_svm_set_class_weight(b, 20, NAN), CTW_E_NONFINITE, "weight");
    ctw_svm_unref(a);
    ctw_svm_unref(b);
    ctw_ctx_unref(ctx);
}
END_TEST

static void *saved(const ctw_svm *m, uint64_t *need)
{
    CTW_OKAY(ctw_svm_save_mem(m, NULL, 0, need));
    void *buf = malloc(*need);
    ck_assert_ptr_nonnull(buf);
    CTW_FAILS(ctw_svm_save_mem(m, buf, *need - 1, need), CTW_E_BUFFER, NULL);
    CTW_OKAY(ctw_svm_save_mem(m, buf, *need, need));
    return buf;
}

START_TEST(files)
{
    setup(4);
    ctw_svm *m = with_options((const char *const[]){"kernel", "linear", "probability", "1", NULL}), *k;
    uint64_t need, again;
    CTW_FAILS(ctw_svm_save_mem(m, NULL, 0, &need), CTW_E_STATE, "fitted");
    CTW_OKAY(ctw_svm_set_class_weight(m, 30, 2));
    CTW_OKAY(ctw_svm_fit(m, x, N, 2, 2, label, NULL, NULL));
    unsigned char *a = saved(m, &need);
    CTW_OKAY(ctw_svm_load_mem(ctx, a, need, &k));
    unsigned char *b = saved(k, &again);
    ck_assert(need == again && memcmp(a, b, need) == 0);
    double p2[4 * N];
    CTW_OKAY(ctw_svm_predict(m, x, N, 2, 2, got, prob, 4));
    CTW_OKAY(ctw_svm_predict(k, x, N, 2, 2, got, p2, 4));
    ck_assert(memcmp(prob, p2, sizeof p2) == 0);
    ctw_svm_unref(k);
    for (uint64_t cut = 0; cut < need; cut += 7) ck_assert(ctw_svm_load_mem(ctx, a, cut, &k) != CTW_OK);
    a[need / 2] ^= 1;
    CTW_FAILS(ctw_svm_load_mem(ctx, a, need, &k), CTW_E_FORMAT, NULL);
    const char *path = ctw_test_tmp("m.ctw");
    CTW_OKAY(ctw_svm_save_file(m, path));
    CTW_OKAY(ctw_svm_load_file(ctx, path, &k));
    ck_assert(right(k) == right(m));
    ctw_svm_unref(k);
    CTW_FAILS(ctw_svm_load_file(ctx, "/nowhere/at/all", &k), CTW_E_IO, NULL);
    free(a);
    free(b);
    ctw_svm_unref(m);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(bad_input)
{
    setup(2);
    ctw_svm *m = with_options(NULL), *k;
    double bias, w[2];
    int64_t one[N] = {0};
    CTW_FAILS(ctw_svm_new(NULL, NULL, &k), CTW_E_ARG, NULL);
    CTW_FAILS(ctw_svm_new(ctx, NULL, NULL), CTW_E_ARG, NULL);
    CTW_FAILS(ctw_svm_predict(m, x, N, 2, 2, got, NULL, 0), CTW_E_STATE, "fitted");
    CTW_FAILS(ctw_svm_fit(m, x, N, 2, 2, one, NULL, NULL), CTW_E_ARG, "two classes");
    CTW_FAILS(ctw_svm_fit(m, x, N, 2, 1, label, NULL, NULL), CTW_E_SHAPE, NULL);
    CTW_FAILS(ctw_svm_fit(m, x, 0, 2, 2, label, NULL, NULL), CTW_E_RANGE, "n is 0");
    CTW_FAILS(ctw_svm_fit(m, NULL, N, 2, 2, label, NULL, NULL), CTW_E_ARG, "x");
    CTW_FAILS(ctw_svm_fit(m, x, N, 2, 2, NULL, NULL, NULL), CTW_E_ARG, "label");
    x[7] = NAN;
    CTW_FAILS(ctw_svm_fit(m, x, N, 2, 2, label, NULL, NULL), CTW_E_NONFINITE, NULL);
    x[7] = 0;
    double bad[N] = {1, 0};
    CTW_FAILS(ctw_svm_fit(m, x, N, 2, 2, label, bad, NULL), CTW_E_RANGE, "weight");
    CTW_OKAY(ctw_svm_fit(m, x, N, 2, 2, label, NULL, NULL));
    CTW_FAILS(ctw_svm_predict(m, x, N, 1, 2, got, NULL, 0), CTW_E_SHAPE, "features");
    CTW_FAILS(ctw_svm_predict(m, x, N, 2, 2, got, prob, 2), CTW_E_STATE, "probability");
    CTW_FAILS(ctw_svm_decision(m, x, N, 2, 2, dec, 0), CTW_E_SHAPE, "out_stride");
    CTW_OKAY(ctw_svm_predict(m, NULL, 0, 2, 2, NULL, NULL, 0));
    CTW_FAILS(ctw_svm_coefficients(m, 1, w, &bias), CTW_E_RANGE, NULL);
    CTW_FAILS(ctw_svm_class_at(m, 2, one), CTW_E_RANGE, NULL);
    ctw_cancel *c;
    CTW_OKAY(ctw_cancel_new(ctx, &c));
    ctw_cancel_request(c);
    CTW_FAILS(ctw_svm_fit(m, x, N, 2, 2, label, NULL, c), CTW_E_CANCELLED, NULL);
    ck_assert(ctw_svm_classes(m) == 0);
    ctw_cancel_unref(c);
    ctw_svm_unref(m);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(report)
{
    setup(2);
    ctw_svm *m = with_options(NULL);
    ctw_report *r;
    double v;
    CTW_OKAY(ctw_svm_fit(m, x, N, 2, 2, label, NULL, NULL));
    CTW_OKAY(ctw_svm_report(m, &r));
    CTW_OKAY(ctw_report_get_f64(r, "objective", &v));
    ck_assert(v < 0);
    CTW_OKAY(ctw_report_get_f64(r, "n_sv", &v));
    ck_assert(v > 2 && v == (double)ctw_svm_vectors(m));
    CTW_OKAY(ctw_report_get_f64(r, "converged", &v));
    ck_assert(v == 1);
    ctw_report_unref(r);
    ctw_svm_unref(m);
    ctw_ctx_unref(ctx);
}
END_TEST

/* Rows with a class-coded feature and groups of four that share a private feature: plain folds see the twins. */
START_TEST(validation)
{
    setup(2);
    ctw_svmset *s;
    ctw_report *r;
    int64_t group[N];
    double v;
    const double *each;
    uint64_t k;
    for (int i = 0; i < N; i++) group[i] = i / 4;
    CTW_OKAY(ctw_svmset_new(ctx, &s));
    CTW_OKAY(ctw_svmset_add(s, x, N, 2, 2, label));
    ctw_svm *m = with_options((const char *const[]){"class_weight", "balanced", NULL});
    CTW_OKAY(ctw_svm_crossval(m, s, NULL, group, 5, NULL, got, dec, &r));
    CTW_OKAY(ctw_report_get_f64(r, "accuracy", &v));
    size_t hit = 0;
    for (int i = 0; i < N; i++) hit += got[i] == label[i];
    ck_assert(v > 0.9 && v == (double)hit / N);
    CTW_OKAY(ctw_report_get_f64(r, "auc", &v));
    ck_assert(v > 0.95 && v <= 1);
    CTW_OKAY(ctw_report_get_f64(r, "f1", &v));
    ck_assert(v > 0.9 && v <= 1);
    CTW_OKAY(ctw_report_series(r, "accuracy_each", &each, &k));
    ck_assert_uint_eq(k, 5);
    ctw_report_unref(r);
    const double c[] = {1e-3, 1}, gamma[] = {1e-6, 0.5};
    CTW_OKAY(ctw_svm_grid(m, s, NULL, NULL, 4, c, 2, gamma, 2, NULL, &r));
    CTW_OKAY(ctw_report_get_f64(r, "best_c", &v));
    CTW_OKAY(ctw_report_series(r, "scores", &each, &k));
    ck_assert(k == 4);
    for (int i = 0; i < 4; i++) {
        double best;
        CTW_OKAY(ctw_report_get_f64(r, "best_score", &best));
        ck_assert(each[i] <= best);
    }
    ctw_report_unref(r);
    CTW_FAILS(ctw_svm_crossval(m, s, NULL, group, 31, NULL, NULL, NULL, &r), CTW_E_RANGE, "groups");
    CTW_FAILS(ctw_svm_crossval(m, s, NULL, NULL, 1, NULL, NULL, NULL, &r), CTW_E_RANGE, "folds");
    CTW_FAILS(ctw_svm_grid(m, s, NULL, NULL, 4, c, 0, gamma, 2, NULL, &r), CTW_E_RANGE, "n_c");
    CTW_FAILS(ctw_svm_grid(m, s, NULL, NULL, 4, NULL, 2, gamma, 2, NULL, &r), CTW_E_ARG, "c");
    ctw_svm_unref(m);
    ctw_svmset_unref(s);
    ctw_ctx_unref(ctx);
}
END_TEST

typedef struct watch {
    uint64_t calls, last, stop_at;
    int sound;
} watch;

static int32_t look(void *user, uint64_t step, double bound, double best)
{
    watch *w = user;
    w->sound &= step >= w->last && !isnan(bound) && bound >= 0 && !isinf(best);
    w->last = step;
    return ++w->calls == w->stop_at;
}

/* A fit tells how far it is, may be stopped there (no half-made model answers), and is silent again without a listener.
 */
START_TEST(progress)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    blobs(x, label, N, 2);
    static const char *const linear[] = {"kernel", "linear", NULL}, *const rbf[] = {"kernel", "rbf", NULL};
    const char *const *const all[] = {linear, rbf};
    for (size_t i = 0; i < 2; i++) {
        watch w = {.sound = 1};
        ctw_svm *m = with_options(all[i]);
        CTW_OKAY(ctw_svm_set_progress(m, look, &w));
        CTW_OKAY(ctw_svm_fit(m, x, N, 2, 2, label, NULL, NULL));
        ck_assert(w.calls > 0 && w.sound);
        w = (watch){.stop_at = 1, .sound = 1};
        CTW_FAILS(ctw_svm_fit(m, x, N / 2, 2, 2, label, NULL, NULL), CTW_E_CANCELLED, "progress callback");
        ck_assert_uint_eq(w.calls, 1);
        CTW_FAILS(ctw_svm_predict(m, x, N, 2, 2, got, NULL, 0), CTW_E_STATE, "fitted");
        CTW_OKAY(ctw_svm_set_progress(m, NULL, NULL));
        CTW_OKAY(ctw_svm_fit(m, x, N, 2, 2, label, NULL, NULL));
        ck_assert_uint_eq(w.calls, 1);
        ctw_svm_unref(m);
    }
    CTW_FAILS(ctw_svm_set_progress(NULL, look, NULL), CTW_E_ARG, NULL);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"two_classes", two_classes}, {"four_classes", four_classes},
        {"weights", weights},         {"files", files},
        {"bad_input", bad_input},     {"report", report},
        {"validation", validation},   {"progress", progress},
    };
    return ctw_test_main("api-svm", cases, sizeof cases / sizeof *cases, 60);
}
