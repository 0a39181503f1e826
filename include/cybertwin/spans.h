/**
 * @file spans.h
 * Distributed traces as a table of spans, the entry calls derived from them, and
 * the critical path of each trace: what the root-cause localiser (rca.h) looks at.
 *
 * A host adds spans as columns or reads a file; ctw_calls_add_spans() turns them
 * into entry calls, one for each time a component was asked to do something.
 * Names (services, instances, operations) are text; a table hands out small ids
 * for them, so that columns are integers. Tables agree with each other by text.
 */
#ifndef CYBERTWIN_SPANS_H
#define CYBERTWIN_SPANS_H

#include <cybertwin/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A growing table of spans. Threads: one thread at a time; const calls may run in parallel. */
typedef struct ctw_spans ctw_spans;

/** Kinds of spans, with OpenTelemetry's numbers. */
enum {
    CTW_SPAN_UNSPECIFIED = 0, /**< not told */
    CTW_SPAN_INTERNAL = 1,    /**< work inside one component */
    CTW_SPAN_SERVER = 2,      /**< the callee's side of a remote call */
    CTW_SPAN_CLIENT = 3,      /**< the caller's side of a remote call */
    CTW_SPAN_PRODUCER = 4,    /**< a message was sent; the receiver may outlive it */
    CTW_SPAN_CONSUMER = 5     /**< a message was received */
};

/** Status of a span, with OpenTelemetry's numbers. */
enum {
    CTW_SPAN_UNSET = 0, /**< nothing said: counts as success */
    CTW_SPAN_OK = 1,    /**< success */
    CTW_SPAN_ERROR = 2  /**< failure */
};

/** New empty table. params: kind "spans", NULL for the defaults. CTW_E_ARG, CTW_E_TYPE, CTW_E_NOMEM. */
CTW_API ctw_status ctw_spans_new(ctw_ctx *ctx, const ctw_params *params, ctw_spans **out);
/** One more owner; returns s. */
CTW_API ctw_spans *ctw_spans_ref(ctw_spans *s);
/** One owner less; the last one frees it. */
CTW_API void ctw_spans_unref(ctw_spans *s);

/**
 * Small id of a name (a service, instance or operation) in this table; the same
 * text always gives the same id, which outlives ctw_spans_clear(). CTW_E_ARG for
 * NULL or empty text, CTW_E_RANGE beyond 4096 bytes or 2^20 names, CTW_E_NOMEM.
 */
CTW_API ctw_status ctw_spans_name(ctw_spans *s, const char *text, int64_t *id);
/** Text of a name's id, NULL when there is no such id; lives as long as the table. */
CTW_API const char *ctw_spans_name_at(const ctw_spans *s, int64_t id);

/**
 * Appends n spans given as columns. `trace`: any number. `span`: not 0, unique in
 * its trace. `parent`: a span of the same trace, 0 for a root; a parent that is
 * not there makes the span an orphan, which is counted, not refused. `service`,
 * `instance`, `operation`: ids from ctw_spans_name(); `instance` may be NULL or
 * hold -1 where there is none. Times in nanoseconds of any one clock a service;
 * durations are not negative. `kind` (CTW_SPAN_*) and `status` may be NULL: 0.
 * The order of spans is free. O(n).
 *
 * CTW_E_ARG for a NULL column or span 0, CTW_E_KEY for an unknown name id,
 * CTW_E_RANGE for a negative duration, a time beyond +-2^61, a kind outside 0..5,
 * a status outside 0..2 or more spans than option "max_spans". All or nothing.
 */
CTW_API ctw_status ctw_spans_add(ctw_spans *s, uint64_t n, const int64_t *trace, const int64_t *span,
                                 const int64_t *parent, const int64_t *service, const int64_t *instance,
                                 const int64_t *operation, const int64_t *start_ns, const int64_t *duration_ns,
                                 const int32_t *kind, const int32_t *status);
/**
 * Appends the spans of a JSON file: OpenTelemetry (OTLP), Jaeger or Zipkin v2, told
 * apart by their own keys; one document, several in a row, or JSON lines. Ids may
 * be hexadecimal or base64, 64-bit numbers may be text. Services come from the
 * resource, process or local endpoint ("unknown_service" where nobody says);
 * instances from service.instance.id, k8s.pod.name, host names or addresses.
 * Links, logs and events are passed over. Memory: the table's, plus one string.
 * CTW_E_IO; CTW_E_FORMAT with file:line:column; CTW_E_RANGE for a span that ends
 * before it starts; as ctw_spans_add() otherwise. All or nothing.
 */
CTW_API ctw_status ctw_spans_read_json(ctw_spans *s, const char *path, ctw_cancel *cancel);
/** The same from `len` bytes in memory; `name` stands for the path in messages (NULL: "memory"). */
CTW_API ctw_status ctw_spans_read_json_mem(ctw_spans *s, const void *bytes, uint64_t len, const char *name,
                                           ctw_cancel *cancel);
/**
 * Appends the spans of a CSV file with the columns trace, span, parent (empty or -1:
 * none), service, operation, start_ns | start_us | start_ms, duration_ns |
 * duration_us | duration_ms, and optionally instance, kind, status; also svc, op,
 * dur_us, trace_id, span_id, parent_id. Ids are any text. CTW_E_KEY for a missing
 * column, CTW_E_RANGE with the line for a bad field. All or nothing.
 */
CTW_API ctw_status ctw_spans_read_csv(ctw_spans *s, const char *path, ctw_cancel *cancel);
/** The same from `len` bytes in memory; `name` stands for the path in messages (NULL: "memory"). */
CTW_API ctw_status ctw_spans_read_csv_mem(ctw_spans *s, const void *bytes, uint64_t len, const char *name,
                                          ctw_cancel *cancel);
/** Number of spans. */
CTW_API uint64_t ctw_spans_count(const ctw_spans *s);
/** Number of different traces. */
CTW_API uint64_t ctw_spans_traces(const ctw_spans *s);
/** Removes all spans; names keep their ids, memory is kept for the next window. */
CTW_API ctw_status ctw_spans_clear(ctw_spans *s);

/**
 * Critical path of the trace that span `of_row` belongs to: which span was holding up the answer, from the
 * root's start to its end. Walks from the root's end backwards into the child
 * that finished last, then into the one that had finished when that one began,
 * and so on (Qiu et al., FIRM, OSDI'20, algorithm 1); what no child covers is
 * the span's own time. Children are clipped to their parents, so the segments'
 * durations always sum to the root's. A trace with several roots is walked from
 * its longest. Segments come in order of time.
 *
 * `row`, `start_ns`, `duration_ns`: room for `cap` segments (row counts spans in
 * the order they were added); any may be NULL. `*n` is the number of segments;
 * CTW_E_BUFFER when it exceeds cap. CTW_E_RANGE for a row that is not there.
 */
CTW_API ctw_status ctw_spans_path(const ctw_spans *s, uint64_t of_row, uint64_t cap, int64_t *row, int64_t *start_ns,
                                  int64_t *duration_ns, uint64_t *n);

/**
 * The entry calls of one observation window: a row for every root span and every
 * span whose parent belongs to another component. Threads: as ctw_spans.
 */
typedef struct ctw_calls ctw_calls;

/** New empty window. params: kind "calls" (option "component": service or instance), NULL for the defaults. */
CTW_API ctw_status ctw_calls_new(ctw_ctx *ctx, const ctw_params *params, ctw_calls **out);
/** One more owner; returns c. */
CTW_API ctw_calls *ctw_calls_ref(ctw_calls *c);
/** One owner less; the last one frees it. */
CTW_API void ctw_calls_unref(ctw_calls *c);

/** As ctw_spans_name(), for ctw_calls_add(). */
CTW_API ctw_status ctw_calls_name(ctw_calls *c, const char *text, int64_t *id);
/** Text of a name's id, NULL when there is no such id; lives as long as the window. */
CTW_API const char *ctw_calls_name_at(const ctw_calls *c, int64_t id);

/**
 * Derives the entry calls of all traces of a span table and appends them. Traces
 * of different calls of this function are different traces even if their ids
 * agree. Never fails for what the spans say: orphans begin calls of their own,
 * a repeated span is dropped, a cycle is cut at its first span, clock skew is
 * clipped; each is counted, see ctw_calls_report(). O(n log n).
 * CTW_E_NOMEM; CTW_E_CANCELLED, CTW_E_DEADLINE: nothing was appended.
 */
CTW_API ctw_status ctw_calls_add_spans(ctw_calls *c, const ctw_spans *spans, ctw_cancel *cancel);

/** Measured columns of an entry call, for ctw_calls_add() and ctw_calls_column(). Times in microseconds. */
enum {
    CTW_CALL_INCL = 0,         /**< duration of the entry span */
    CTW_CALL_CLIENT = 1,       /**< duration of the caller's span around it; for a root the entry span's own */
    CTW_CALL_SELF = 2,         /**< own spans' time minus the union of their children, outgoing client spans excluded */
    CTW_CALL_NET = 3,          /**< max(0, client - incl): on the way */
    CTW_CALL_EXCL = 4,         /**< max(0, client - sum of outgoing client spans): owned by the component as its caller
                                    sees it, everything downstream removed */
    CTW_CALL_SPANS = 5,        /**< number of own spans */
    CTW_CALL_OUT = 6,          /**< number of outgoing client spans: own spans with a child elsewhere */
    CTW_CALL_PATH = 7,         /**< time of the trace's critical path inside the call's own spans */
    CTW_CALL_ERROR = 8,        /**< 1 when one of the own spans failed */
    CTW_CALL_CALLER_ERROR = 9, /**< 1 when one of the calling entry call's own spans failed */
    CTW_CALL_COLUMNS = 10      /**< how many columns there are; may grow */
};

/**
 * Appends n entry calls that the host derived itself. `trace`: any number, the
 * same for calls of one trace (and for those of earlier ctw_calls_add() calls).
 * `root_us`: response time of the call's trace. `component`, `operation`: ids
 * from ctw_calls_name(). `caller`: calling component's id or -1. `measure`: n
 * rows of at least CTW_CALL_COLUMNS values, `stride` apart, finite, >= 0.
 * CTW_E_ARG, CTW_E_KEY, CTW_E_SHAPE, CTW_E_NONFINITE, CTW_E_RANGE. All or nothing.
 */
CTW_API ctw_status ctw_calls_add(ctw_calls *c, uint64_t n, const int64_t *trace, const double *root_us,
                                 const int64_t *component, const int64_t *operation, const int64_t *caller,
                                 const double *measure, uint64_t stride);
/** Number of entry calls. */
CTW_API uint64_t ctw_calls_count(const ctw_calls *c);
/** Number of traces. */
CTW_API uint64_t ctw_calls_traces(const ctw_calls *c);
/** Removes all calls and counters; names keep their ids. */
CTW_API ctw_status ctw_calls_clear(ctw_calls *c);

/**
 * Identity of calls [first, first + n): dense trace number from 0, component,
 * operation and caller (-1: none) as name ids. Any out pointer may be NULL.
 */
CTW_API ctw_status ctw_calls_keys(const ctw_calls *c, uint64_t first, uint64_t n, int64_t *trace, int64_t *component,
                                  int64_t *operation, int64_t *caller);
/** One measured column (CTW_CALL_*) of calls [first, first + n) into out[n]. CTW_E_RANGE. */
CTW_API ctw_status ctw_calls_column(const ctw_calls *c, uint64_t first, uint64_t n, int32_t column, double *out);
/** Response time in microseconds of traces [first, first + n). CTW_E_RANGE. */
CTW_API ctw_status ctw_calls_roots(const ctw_calls *c, uint64_t first, uint64_t n, double *out);

/**
 * What was met on the way: "calls", "traces", "spans", "orphans" (parent not
 * there), "duplicates" (dropped), "shared" (client and server under one id, as
 * Zipkin does), "cycles" (cut), "late_children" (ending after their parents),
 * "early_children" (starting before them), "extra_roots", "path_error_us"
 * (largest difference between a critical path's sum and its root).
 */
CTW_API ctw_status ctw_calls_report(const ctw_calls *c, ctw_report **out);

#ifdef __cplusplus
}
#endif
#endif
