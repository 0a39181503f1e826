/* Bytes choose verbs of a queue; an array searched from end to end is the oracle of who leaves next. */
#include <cybertwin/queue.h>
#include <stddef.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct job {
    int64_t id;
    double key;
} job;

/* First of the smallest key: the array keeps the order of arrival. */
static int64_t take_first(job *j, size_t *n)
{
    if (!*n) return -1;
    size_t best = 0;
    for (size_t i = 1; i < *n; i++)
        if (j[i].key < j[best].key) best = i;
    int64_t id = j[best].id;
    for (size_t i = best + 1; i < *n; i++) j[i - 1] = j[i];
    --*n;
    return id;
}

static ctw_queue *fixed(ctw_ctx *ctx)
{
    ctw_params *p;
    ctw_queue *q = NULL;
    if (ctw_params_new(ctx, "queue", &p) != CTW_OK) return NULL;
    if (ctw_params_set_f64(p, "ageing", 4) != CTW_OK || ctw_queue_new(ctx, p, &q) != CTW_OK) q = NULL;
    ctw_params_unref(p);
    return q;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { MOST = 64 };
    job j[MOST];
    size_t n = 0;
    ctw_ctx *ctx;
    double now = 0;
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 0;
    ctw_queue *q = fixed(ctx);
    for (size_t i = 0; q && i + 1 < size; i += 2) {
        int64_t id = data[i] & 63, got;
        double work = data[i + 1] & 31;
        size_t at = 0;
        while (at < n && j[at].id != id) at++;
        switch (data[i] >> 6) {
        case 0:
        case 1:
            if (ctw_queue_push(q, id, work, 1, now) != (at < n ? CTW_E_KEY : CTW_OK)) abort();
            if (at == n) j[n++] = (job){id, now + 4 * work};
            break;
        case 2:
            if (ctw_queue_pop(q, now, &got) != CTW_OK || got != take_first(j, &n)) abort();
            break;
        default:
            if (ctw_queue_remove(q, id) != (at < n ? CTW_OK : CTW_E_KEY)) abort();
            for (size_t k = at + 1; k < n; k++) j[k - 1] = j[k];
            if (at < n) n--;
            now += 0.5;
            break;
        }
        if (ctw_queue_size(q) != n) abort();
    }
    ctw_queue_unref(q);
    ctw_ctx_unref(ctx);
    return 0;
}
