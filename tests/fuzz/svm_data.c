/* Any bytes as LIBSVM text: refused, or a set that writes and reads back to the same text. */
#include <cybertwin/svm.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *text_of(const ctw_svmset *s, uint64_t *n)
{
    if (ctw_svmset_save_mem(s, NULL, 0, n) != CTW_OK) abort();
    char *t = malloc(*n + 1);
    if (!t || ctw_svmset_save_mem(s, t, *n + 1, n) != CTW_OK) abort();
    return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static ctw_ctx *ctx;
    ctw_svmset *s, *t;
    if (!ctx && ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 0;
    if (ctw_svmset_load_mem(ctx, data, size, &s) == CTW_OK) {
        uint64_t n, k;
        char *a = text_of(s, &n);
        if (ctw_svmset_load_mem(ctx, a, n, &t) != CTW_OK) abort();
        char *b = text_of(t, &k);
        if (n != k || memcmp(a, b, n) != 0) abort();
        free(a);
        free(b);
        ctw_svmset_unref(t);
        ctw_svmset_unref(s);
    }
    return 0;
}
