/* Any bytes as a saved classifier: refused, or usable without harm. */
#include <cybertwin/svm.h>
#include <stddef.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static ctw_ctx *ctx;
    ctw_svm *m;
    if (!ctx && ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 0;
    if (ctw_svm_load_mem(ctx, data, size, &m) == CTW_OK) {
        static const double x[16] = {1, -1, 0.5, 2};
        uint64_t d = ctw_svm_features(m);
        int64_t label;
        if (d <= 16 && ctw_svm_predict(m, x, 1, d, 16, &label, NULL, 0) != CTW_OK) abort();
        ctw_svm_unref(m);
    }
    return 0;
}
