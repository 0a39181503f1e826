/* events.c: binary heap over (time, seq). seq is unique, so the order is total and a run repeats exactly. */
#include "twin/events.h"
#include "base/alloc.h"
#include "base/error.h"

static int before(const ctw_twin__event *a, const ctw_twin__event *b)
{
    if (a->time < b->time) return 1;
    if (b->time < a->time) return 0;
    return a->seq < b->seq;
}

static void sift_down(ctw_twin__heap *h, size_t i)
{
    ctw_twin__event e = h->at[i];
    for (;;) {
        size_t c = 2 * i + 1;
        if (c >= h->n) break;
        if (c + 1 < h->n && before(&h->at[c + 1], &h->at[c])) c++;
        if (!before(&h->at[c], &e)) break;
        h->at[i] = h->at[c];
        i = c;
    }
    h->at[i] = e;
}

ctw_status ctw_twin__heap_reserve(ctw_ctx *ctx, ctw_twin__heap *h, size_t more)
{
    return ctw_base__grow(ctx, (void **)&h->at, &h->cap, h->n + more, sizeof *h->at);
}

ctw_status ctw_twin__heap_push(ctw_ctx *ctx, ctw_twin__heap *h, double time, ctw_twin__event_kind kind, size_t idx,
                               uint64_t version)
{
    if (h->n == h->cap) CTW_TRY(ctw_twin__heap_reserve(ctx, h, 1));
    ctw_twin__event e = {time, h->next_seq++, (uint32_t)kind, (uint32_t)idx, version};
    size_t i = h->n++;
    while (i > 0 && before(&e, &h->at[(i - 1) / 2])) {
        h->at[i] = h->at[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    h->at[i] = e;
    return CTW_OK;
}

ctw_twin__event ctw_twin__heap_pop(ctw_twin__heap *h)
{
    ctw_twin__event top = h->at[0];
    h->at[0] = h->at[--h->n];
    if (h->n > 1) sift_down(h, 0);
    return top;
}

void ctw_twin__heap_build(ctw_twin__heap *h)
{
    for (size_t i = h->n / 2; i-- > 0;) sift_down(h, i);
}
