/* spans_internal.h: the table of spans as trace analysis and the readers see it. */
#ifndef CTW_RCA_SPANS_INTERNAL_H
#define CTW_RCA_SPANS_INTERNAL_H

#include "base/handle.h"
#include "rca/idmap.h"
#include "rca/names.h"
#include <cybertwin/spans.h>

#define CTW_SPANS_MAGIC  CTW_FOUR('S', 'P', 'A', 'N')
#define CTW_RCA_NONE     UINT32_MAX
#define CTW_RCA_TIME_MAX ((int64_t)1 << 61)

typedef struct ctw_rca__span {
    uint64_t id, parent; /* parent 0: a root */
    int64_t start, dur;  /* ns */
    uint32_t trace;      /* dense */
    uint32_t service, instance, op;
    uint8_t kind, error;
} ctw_rca__span;

struct ctw_spans {
    ctw_base__handle h;
    ctw_rca__names names;
    ctw_rca__idmap traces;
    ctw_rca__span *row;
    size_t count, cap;
    uint32_t *per_trace; /* spans of each dense trace; 0 for one whose add failed */
    size_t trace_count, trace_cap, live_traces;
    uint64_t max_spans;
};

/* Room for n more spans; CTW_E_RANGE beyond max_spans. */
ctw_status ctw_rca__spans_reserve(ctw_spans *s, uint64_t n, const char *fn);
/* Appends one checked span with room reserved; its trace index is filled in. CTW_E_NOMEM. */
ctw_status ctw_rca__spans_push(ctw_spans *s, ctw_rca__id trace, const ctw_rca__span *row);
/* Forgets everything from row `count` on (a reader that failed half way). */
void ctw_rca__spans_truncate(ctw_spans *s, size_t count);

#endif
