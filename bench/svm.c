/* svm.c: ctw-bench svm: fits a classifier on a file in LIBSVM text, predicts another, prints objective, support
 * vectors, accuracy and times. */
#include "commands.h"
#include <stdio.h>
#include <stdlib.h>

typedef struct figures {
    double objective, n_sv, n_bounded, iterations, converged;
    uint64_t bytes;
} figures;

static ctw_svm *make(bench *b, ctw_params *p)
{
    ctw_svm *m;
    bench_ok(ctw_svm_new(b->ctx, p, &m), "model");
    return m;
}

static double fit_once(ctw_svm *m, const ctw_svmset *train)
{
    double t = bench_cpu_s();
    bench_ok(ctw_svm_fit_set(m, train, NULL, NULL), "fit");
    return bench_cpu_s() - t;
}

static double predict_once(const ctw_svm *m, const ctw_svmset *test, int64_t *label)
{
    double t = bench_cpu_s();
    bench_ok(ctw_svm_predict_set(m, test, label, NULL, 0), "predict");
    return bench_cpu_s() - t;
}

static figures look(const ctw_svm *m)
{
    ctw_report *r;
    figures f;
    bench_ok(ctw_svm_report(m, &r), "report");
    bench_ok(ctw_report_get_f64(r, "objective", &f.objective), "objective");
    bench_ok(ctw_report_get_f64(r, "n_sv", &f.n_sv), "n_sv");
    bench_ok(ctw_report_get_f64(r, "n_bounded", &f.n_bounded), "n_bounded");
    bench_ok(ctw_report_get_f64(r, "iterations", &f.iterations), "iterations");
    bench_ok(ctw_report_get_f64(r, "converged", &f.converged), "converged");
    ctw_report_unref(r);
    bench_ok(ctw_svm_save_mem(m, NULL, 0, &f.bytes), "size");
    return f;
}

static double accuracy(const ctw_svmset *test, const int64_t *label)
{
    uint64_t n = ctw_svmset_rows(test), hit = 0;
    for (uint64_t i = 0; i < n; i++) {
        int64_t want;
        bench_ok(ctw_svmset_label(test, i, &want), "label");
        hit += want == label[i];
    }
    return n ? (double)hit / (double)n : 0;
}

/* Predicted labels, one a line, for comparison with a peer's. */
static void write_labels(const char *path, const int64_t *label, uint64_t n)
{
    FILE *f = fopen(path, "w");
    if (!f) bench_die(2, "%s: cannot be written", path);
    for (uint64_t i = 0; i < n; i++) fprintf(f, "%lld\n", (long long)label[i]);
    if (fclose(f) != 0) bench_die(2, "%s: cannot be written", path);
}

static void set(ctw_params *p, const char *key, const char *text)
{
    bench_ok(ctw_params_set_text(p, key, text), key);
}

static ctw_params *options(bench *b)
{
    ctw_params *p;
    const char *solver = bench_str(b, "--solver", NULL), *tol = bench_str(b, "--tol", NULL);
    bench_ok(ctw_params_new(b->ctx, "svm", &p), "params");
    set(p, "kernel", bench_str(b, "--kernel", "rbf"));
    set(p, "c", bench_str(b, "--c", "1"));
    set(p, "gamma", bench_str(b, "--gamma", "0"));
    if (solver) set(p, "solver", solver);
    if (tol) set(p, "tol", tol);
    bench_params(b, p);
    return p;
}

int bench_svm(bench *b)
{
    const char *train_path = bench_need(b, "--train"), *test_path = bench_str(b, "--test", train_path);
    const char *labels = bench_str(b, "--labels", NULL), *model = bench_str(b, "--save", NULL);
    size_t reps = (size_t)bench_i64(b, "--reps", 5), k;
    ctw_params *p = options(b);
    bench_no_more(b);
    if (reps < 1 || reps > 1000) bench_die(2, "--reps must be 1 to 1000");
    ctw_svmset *train, *test;
    bench_ok(ctw_svmset_load_file(b->ctx, train_path, &train), train_path);
    bench_ok(ctw_svmset_load_file(b->ctx, test_path, &test), test_path);
    uint64_t n = ctw_svmset_rows(test);
    int64_t *label = bench_alloc(n + 1, sizeof *label);
    double *fit = bench_alloc(reps, sizeof *fit), *predict = bench_alloc(reps, sizeof *predict);
    ctw_svm *m = make(b, p);
    for (k = 0; k < reps; k++) fit[k] = fit_once(m, train);
    for (k = 0; k < reps; k++) predict[k] = predict_once(m, test, label);
    figures f = look(m);
    if (labels) write_labels(labels, label, n);
    if (model) bench_ok(ctw_svm_save_file(m, model), model);
    bench_begin(b);
    bench_out_str("train", train_path);
    bench_out_i64("rows", (int64_t)ctw_svmset_rows(train));
    bench_out_f64("objective", f.objective);
    bench_out_f64("n_sv", f.n_sv);
    bench_out_f64("n_bounded", f.n_bounded);
    bench_out_f64("iterations", f.iterations);
    bench_out_f64("converged", f.converged);
    bench_out_f64("accuracy", accuracy(test, label));
    bench_out_f64("train_s", bench_median(fit, reps));
    bench_out_f64("predict_us", n ? 1e6 * bench_median(predict, reps) / (double)n : 0);
    bench_out_i64("model_bytes", (int64_t)f.bytes);
    bench_out_f64("peak_rss_mb", bench_peak_rss_mb());
    bench_end();
    ctw_svm_unref(m);
    ctw_params_unref(p);
    ctw_svmset_unref(train);
    ctw_svmset_unref(test);
    free(label);
    free(fit);
    free(predict);
    return 0;
}
