/* Any bytes as a model file of LIBSVM or LIBLINEAR: refused, or a model that predicts, and that goes out and in again
 * when its own format can hold it. */
#include <cybertwin/svm.h>
#include <stddef.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(ctw_ctx *ctx, const ctw_svm *m, int32_t format)
{
    uint64_t n;
    ctw_svm *k;
    if (ctw_svm_export_mem(m, format, NULL, 0, &n) != CTW_OK) return;
    char *t = malloc(n + 1);
    if (!t || ctw_svm_export_mem(m, format, t, n + 1, &n) != CTW_OK) abort();
    if (ctw_svm_import_mem(ctx, t, n, &k) != CTW_OK) abort();
    if (ctw_svm_classes(k) != ctw_svm_classes(m)) abort();
    ctw_svm_unref(k);
    free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static ctw_ctx *ctx;
    ctw_svm *m;
    if (!ctx && ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 0;
    if (ctw_svm_import_mem(ctx, data, size, &m) == CTW_OK) {
        static const double x[16] = {1, -1, 0.5, 2};
        uint64_t d = ctw_svm_features(m);
        int64_t label;
        if (d <= 16 && ctw_svm_predict(m, x, 1, d, 16, &label, NULL, 0) != CTW_OK) abort();
        if (d <= 1000) again(ctx, m, CTW_SVM_LIBSVM);
        if (d <= 1000) again(ctx, m, CTW_SVM_LIBLINEAR);
        ctw_svm_unref(m);
    }
    return 0;
}
