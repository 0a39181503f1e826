/* spans_use.h: what both fuzzed readers of spans do with a table: analyse it to the end, whatever it holds. One context
 * serves all executions, which makes them several times as many. */
#ifndef SPANS_USE_H
#define SPANS_USE_H

#include <cybertwin/spans.h>
#include <stdlib.h>

typedef ctw_status (*spans_reader)(ctw_spans *s, const void *bytes, uint64_t len, const char *name, ctw_cancel *cancel);

static void spans_use(spans_reader read, const uint8_t *data, size_t size)
{
    static ctw_ctx *ctx;
    ctw_spans *s;
    ctw_calls *c;
    if (!ctx && ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return;
    if (ctw_spans_new(ctx, NULL, &s) != CTW_OK) return;
    if (read(s, data, size, "fuzz", NULL) != CTW_OK && ctw_spans_count(s)) abort();
    if (ctw_spans_count(s) && ctw_calls_new(ctx, NULL, &c) == CTW_OK) {
        uint64_t n = 0;
        if (ctw_calls_add_spans(c, s, NULL) != CTW_OK) abort();
        (void)ctw_spans_path(s, 0, 0, NULL, NULL, NULL, &n);
        ctw_calls_unref(c);
    }
    ctw_spans_unref(s);
}

#endif
