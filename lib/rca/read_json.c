/* read_json.c: OTLP, Jaeger and Zipkin JSON through one walk. The three name the same things differently, and none
 * of the names means two things, so a span is whatever object has a span id. What stands around spans (a
 * resource, a list of processes) may come before or after them and is applied when its object ends. */
#include "base/cancel.h"
#include "io/json.h"
#include "rca/ids.h"
#include "rca/spans_internal.h"
#include <string.h>

typedef struct process {
    uint32_t pid, service, instance;
} process;

typedef struct reader {
    ctw_ctx *ctx;
    ctw_spans *s;
    ctw_io__json *j;
    ctw_cancel *cancel;
    const char *fn;
    size_t first;  /* rows before the call */
    uint32_t *pid; /* Jaeger's process of each new row, NONE */
    size_t pid_cap;
    ctw_rca__names pids;
} reader;

/* What has been met in one object. */
typedef struct draft {
    ctw_rca__span span;
    ctw_rca__id trace;
    int64_t end;
    int has_trace, has_id, has_end, is_child;
    uint32_t pid;
    uint32_t outer_service, outer_instance; /* from "resource" */
    process *process;
    size_t processes, process_cap;
} draft;

static ctw_status walk(reader *r, ctw_io__json_event ev, int depth);

static ctw_status misplaced(const reader *r, const char *what)
{
    char place[256];
    ctw_io__json_place(r->j, place, sizeof place);
    return ctw_base__fail(CTW_E_FORMAT, "%s: %s: %s", r->fn, place, what);
}

/* The value of a key that must be text (or a number taken as text). */
static ctw_status text_value(reader *r, const char **text, size_t *len)
{
    ctw_io__json_event ev;
    CTW_TRY(ctw_io__json_next(r->j, &ev));
    *text = "";
    *len = 0;
    if (ev == CTW_JSON_NULL) return CTW_OK;
    if (ev != CTW_JSON_STRING && ev != CTW_JSON_NUMBER) return misplaced(r, "text must stand here");
    *text = ctw_io__json_text(r->j, len);
    return CTW_OK;
}

static ctw_status name_value(reader *r, uint32_t *id)
{
    const char *text;
    size_t len;
    CTW_TRY(text_value(r, &text, &len));
    return len ? ctw_rca__names_add(r->ctx, &r->s->names, text, len, id, r->fn) : CTW_OK;
}

static ctw_status time_value(reader *r, int64_t unit_ns, int64_t *ns)
{
    ctw_io__json_event ev;
    int64_t v;
    CTW_TRY(ctw_io__json_next(r->j, &ev));
    if (ev != CTW_JSON_STRING && ev != CTW_JSON_NUMBER) return misplaced(r, "a time must stand here");
    CTW_TRY(ctw_io__json_i64(r->j, &v));
    if (v > CTW_RCA_TIME_MAX / unit_ns || v < -CTW_RCA_TIME_MAX / unit_ns) return misplaced(r, "a time beyond 2^61 ns");
    *ns = v * unit_ns;
    return CTW_OK;
}

static int ends_with(const char *text, size_t len, const char *word)
{
    size_t n = strlen(word);
    if (len < n) return 0;
    for (size_t i = 0; i < n; i++) {
        char c = text[len - n + i];
        if ((c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c) != word[i]) return 0;
    }
    return 1;
}

/* 2, "SERVER", "server", "SPAN_KIND_SERVER". */
static uint8_t kind_of(const char *text, size_t len)
{
    static const char *const word[] = {"UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"};
    if (len == 1 && text[0] >= '0' && text[0] <= '5') return (uint8_t)(text[0] - '0');
    for (uint8_t i = 1; i < 6; i++)
        if (ends_with(text, len, word[i])) return i;
    return 0;
}

static int is(const char *text, size_t len, const char *word)
{
    return strlen(word) == len && memcmp(text, word, len) == 0;
}

/* Meaning of a tag or attribute once key and value are both known. */
typedef enum tag { TAG_OTHER, TAG_SERVICE, TAG_INSTANCE, TAG_KIND, TAG_ERROR } tag;

static tag tag_of(const char *key, size_t len)
{
    static const char *const instance[] = {"service.instance.id", "k8s.pod.name", "hostname", "host.name"};
    if (is(key, len, "service.name")) return TAG_SERVICE;
    if (is(key, len, "span.kind")) return TAG_KIND;
    if (is(key, len, "error")) return TAG_ERROR;
    for (size_t i = 0; i < sizeof instance / sizeof *instance; i++)
        if (is(key, len, instance[i])) return TAG_INSTANCE;
    return TAG_OTHER;
}

static ctw_status apply_tag(reader *r, tag t, ctw_io__json_event ev, ctw_rca__span *to)
{
    size_t len = 0;
    const char *text = ev == CTW_JSON_STRING ? ctw_io__json_text(r->j, &len) : "";
    if (t == TAG_ERROR) to->error |= ev == CTW_JSON_TRUE || (len && !is(text, len, "false"));
    if (!len) return CTW_OK;
    if (t == TAG_KIND) to->kind = kind_of(text, len);
    if (t == TAG_SERVICE) return ctw_rca__names_add(r->ctx, &r->s->names, text, len, &to->service, r->fn);
    if (t == TAG_INSTANCE && to->instance == CTW_RCA_NONE)
        return ctw_rca__names_add(r->ctx, &r->s->names, text, len, &to->instance, r->fn);
    return CTW_OK;
}

/* {"key": k, "value": v} where v is a scalar (Jaeger) or {"stringValue": scalar} (OTLP); inside the object. */
static ctw_status pair_object(reader *r, ctw_rca__span *to)
{
    ctw_io__json_event ev;
    tag t = TAG_OTHER;
    for (;;) {
        CTW_TRY(ctw_io__json_next(r->j, &ev));
        if (ev == CTW_JSON_OBJECT_END) return CTW_OK;
        size_t len;
        const char *key = ctw_io__json_text(r->j, &len);
        int is_key = is(key, len, "key"), is_value = is(key, len, "value");
        CTW_TRY(ctw_io__json_next(r->j, &ev));
        if (is_key && ev == CTW_JSON_STRING) {
            key = ctw_io__json_text(r->j, &len);
            t = tag_of(key, len);
        } else if (is_value && ev == CTW_JSON_OBJECT) {
            for (;;) {
                CTW_TRY(ctw_io__json_next(r->j, &ev));
                if (ev == CTW_JSON_OBJECT_END) break;
                CTW_TRY(ctw_io__json_next(r->j, &ev));
                CTW_TRY(apply_tag(r, t, ev, to));
                CTW_TRY(ctw_io__json_skip(r->j, ev));
            }
        } else if (is_value) {
            CTW_TRY(apply_tag(r, t, ev, to));
            CTW_TRY(ctw_io__json_skip(r->j, ev));
        } else {
            CTW_TRY(ctw_io__json_skip(r->j, ev));
        }
    }
}

/* An array of pairs, or an object of scalars (Zipkin). */
static ctw_status tags(reader *r, ctw_rca__span *to)
{
    ctw_io__json_event ev;
    CTW_TRY(ctw_io__json_next(r->j, &ev));
    if (ev == CTW_JSON_NULL) return CTW_OK;
    if (ev != CTW_JSON_ARRAY && ev != CTW_JSON_OBJECT) return misplaced(r, "tags must be a list or an object");
    int list = ev == CTW_JSON_ARRAY;
    for (;;) {
        CTW_TRY(ctw_io__json_next(r->j, &ev));
        if (ev == CTW_JSON_ARRAY_END || (!list && ev == CTW_JSON_OBJECT_END)) return CTW_OK;
        if (list) {
            if (ev == CTW_JSON_OBJECT)
                CTW_TRY(pair_object(r, to));
            else
                CTW_TRY(ctw_io__json_skip(r->j, ev));
            continue;
        }
        size_t len;
        const char *key = ctw_io__json_text(r->j, &len);
        tag t = tag_of(key, len);
        CTW_TRY(ctw_io__json_next(r->j, &ev));
        CTW_TRY(apply_tag(r, t, ev, to));
        CTW_TRY(ctw_io__json_skip(r->j, ev));
    }
}

/* An object that says who: resource, process, localEndpoint. */
static ctw_status who(reader *r, ctw_rca__span *to)
{
    ctw_io__json_event ev;
    CTW_TRY(ctw_io__json_next(r->j, &ev));
    if (ev != CTW_JSON_OBJECT) return ctw_io__json_skip(r->j, ev);
    for (;;) {
        CTW_TRY(ctw_io__json_next(r->j, &ev));
        if (ev == CTW_JSON_OBJECT_END) return CTW_OK;
        size_t len;
        const char *key = ctw_io__json_text(r->j, &len);
        if (is(key, len, "serviceName"))
            CTW_TRY(name_value(r, &to->service));
        else if (is(key, len, "ipv4") || is(key, len, "ipv6"))
            CTW_TRY(name_value(r, &to->instance));
        else if (is(key, len, "attributes") || is(key, len, "tags"))
            CTW_TRY(tags(r, to));
        else {
            CTW_TRY(ctw_io__json_next(r->j, &ev));
            CTW_TRY(ctw_io__json_skip(r->j, ev));
        }
    }
}

static ctw_status processes(reader *r, draft *d)
{
    ctw_io__json_event ev;
    CTW_TRY(ctw_io__json_next(r->j, &ev));
    if (ev != CTW_JSON_OBJECT) return ctw_io__json_skip(r->j, ev);
    for (;;) {
        CTW_TRY(ctw_io__json_next(r->j, &ev));
        if (ev == CTW_JSON_OBJECT_END) return CTW_OK;
        size_t len;
        const char *key = ctw_io__json_text(r->j, &len);
        process p = {.service = CTW_RCA_NONE, .instance = CTW_RCA_NONE};
        ctw_rca__span to = {.service = CTW_RCA_NONE, .instance = CTW_RCA_NONE};
        CTW_TRY(ctw_rca__names_add(r->ctx, &r->pids, key, len, &p.pid, r->fn));
        CTW_TRY(who(r, &to));
        p.service = to.service;
        p.instance = to.instance;
        CTW_TRY(ctw_base__grow(r->ctx, (void **)&d->process, &d->process_cap, d->processes + 1, sizeof p));
        d->process[d->processes++] = p;
    }
}

/* The first CHILD_OF of Jaeger's references, else the first of any kind. */
static ctw_status references(reader *r, draft *d)
{
    ctw_io__json_event ev;
    CTW_TRY(ctw_io__json_next(r->j, &ev));
    if (ev != CTW_JSON_ARRAY) return ctw_io__json_skip(r->j, ev);
    for (;;) {
        uint64_t parent = 0;
        int child = 0;
        CTW_TRY(ctw_io__json_next(r->j, &ev));
        if (ev == CTW_JSON_ARRAY_END) return CTW_OK;
        if (ev != CTW_JSON_OBJECT) {
            CTW_TRY(ctw_io__json_skip(r->j, ev));
            continue;
        }
        for (;;) {
            CTW_TRY(ctw_io__json_next(r->j, &ev));
            if (ev == CTW_JSON_OBJECT_END) break;
            size_t len;
            const char *key = ctw_io__json_text(r->j, &len), *text;
            int is_type = is(key, len, "refType"), is_span = is(key, len, "spanID");
            if (!is_type && !is_span) {
                CTW_TRY(ctw_io__json_next(r->j, &ev));
                CTW_TRY(ctw_io__json_skip(r->j, ev));
                continue;
            }
            CTW_TRY(text_value(r, &text, &len));
            if (is_type)
                child = is(text, len, "CHILD_OF");
            else if (!ctw_rca__id_is_none(text, len))
                parent = ctw_rca__id_fold(ctw_rca__id_parse(text, len));
        }
        if (parent && (!d->span.parent || (child && !d->is_child))) {
            d->span.parent = parent;
            d->is_child = child;
        }
    }
}

/* {"code": 2} or {"code": "STATUS_CODE_ERROR"}. */
static ctw_status status(reader *r, ctw_rca__span *to)
{
    ctw_io__json_event ev;
    CTW_TRY(ctw_io__json_next(r->j, &ev));
    if (ev != CTW_JSON_OBJECT) return ctw_io__json_skip(r->j, ev);
    for (;;) {
        CTW_TRY(ctw_io__json_next(r->j, &ev));
        if (ev == CTW_JSON_OBJECT_END) return CTW_OK;
        size_t len;
        const char *key = ctw_io__json_text(r->j, &len), *text;
        int code = is(key, len, "code");
        if (code) {
            CTW_TRY(text_value(r, &text, &len));
            to->error |= is(text, len, "2") || ends_with(text, len, "ERROR");
        } else {
            CTW_TRY(ctw_io__json_next(r->j, &ev));
            CTW_TRY(ctw_io__json_skip(r->j, ev));
        }
    }
}

static ctw_status trace_key(reader *r, draft *d)
{
    const char *text;
    size_t len;
    CTW_TRY(text_value(r, &text, &len));
    d->has_trace = len > 0;
    d->trace = ctw_rca__id_parse(text, len);
    return CTW_OK;
}

static ctw_status span_key(reader *r, draft *d)
{
    const char *text;
    size_t len;
    CTW_TRY(text_value(r, &text, &len));
    d->has_id = len > 0;
    d->span.id = ctw_rca__id_fold(ctw_rca__id_parse(text, len));
    return CTW_OK;
}

static ctw_status parent_key(reader *r, draft *d)
{
    const char *text;
    size_t len;
    CTW_TRY(text_value(r, &text, &len));
    if (!ctw_rca__id_is_none(text, len)) d->span.parent = ctw_rca__id_fold(ctw_rca__id_parse(text, len));
    d->is_child = 1;
    return CTW_OK;
}

static ctw_status operation_key(reader *r, draft *d)
{
    return name_value(r, &d->span.op);
}

static ctw_status kind_key(reader *r, draft *d)
{
    const char *text;
    size_t len;
    CTW_TRY(text_value(r, &text, &len));
    d->span.kind = kind_of(text, len);
    return CTW_OK;
}

static ctw_status start_ns_key(reader *r, draft *d)
{
    return time_value(r, 1, &d->span.start);
}

static ctw_status end_ns_key(reader *r, draft *d)
{
    d->has_end = 1;
    return time_value(r, 1, &d->end);
}

static ctw_status start_us_key(reader *r, draft *d)
{
    return time_value(r, 1000, &d->span.start);
}

static ctw_status duration_us_key(reader *r, draft *d)
{
    return time_value(r, 1000, &d->span.dur);
}

static ctw_status status_key(reader *r, draft *d)
{
    return status(r, &d->span);
}

static ctw_status tags_key(reader *r, draft *d)
{
    return tags(r, &d->span);
}

static ctw_status who_key(reader *r, draft *d)
{
    return who(r, &d->span);
}

static ctw_status resource_key(reader *r, draft *d)
{
    ctw_rca__span to = {.service = CTW_RCA_NONE, .instance = CTW_RCA_NONE};
    CTW_TRY(who(r, &to));
    d->outer_service = to.service;
    d->outer_instance = to.instance;
    return CTW_OK;
}

static ctw_status process_id_key(reader *r, draft *d)
{
    const char *text;
    size_t len;
    CTW_TRY(text_value(r, &text, &len));
    return ctw_rca__names_add(r->ctx, &r->pids, text, len, &d->pid, r->fn);
}

static const struct {
    const char *key;
    ctw_status (*take)(reader *r, draft *d);
} keys[] = {
    {"traceId", trace_key},
    {"traceID", trace_key},
    {"spanId", span_key},
    {"spanID", span_key},
    {"id", span_key},
    {"parentSpanId", parent_key},
    {"parentSpanID", parent_key},
    {"parentId", parent_key},
    {"name", operation_key},
    {"operationName", operation_key},
    {"kind", kind_key},
    {"startTimeUnixNano", start_ns_key},
    {"startTime", start_us_key},
    {"endTimeUnixNano", end_ns_key},
    {"timestamp", start_us_key},
    {"duration", duration_us_key},
    {"status", status_key},
    {"attributes", tags_key},
    {"tags", tags_key},
    {"localEndpoint", who_key},
    {"process", who_key},
    {"resource", resource_key},
    {"processID", process_id_key},
    {"processes", processes},
    {"references", references},
};

/* What holds spans; everything else unknown is passed over, above all links and logs, which name spans too. */
static int holds_spans(const char *key, size_t len)
{
    static const char *const word[] = {"resourceSpans", "scopeSpans", "instrumentationLibrarySpans",
                                       "spans",         "data",       "batches",
                                       "traces",        "trace",      "result"};
    for (size_t i = 0; i < sizeof word / sizeof *word; i++)
        if (is(key, len, word[i])) return 1;
    return 0;
}

static ctw_status member(reader *r, draft *d, int depth)
{
    ctw_io__json_event ev;
    size_t len;
    const char *key = ctw_io__json_text(r->j, &len);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (is(key, len, keys[i].key)) return keys[i].take(r, d);
    int inside = holds_spans(key, len);
    CTW_TRY(ctw_io__json_next(r->j, &ev));
    return inside ? walk(r, ev, depth + 1) : ctw_io__json_skip(r->j, ev);
}

static ctw_status push(reader *r, draft *d)
{
    size_t at = r->s->count - r->first;
    if (!d->has_trace) return misplaced(r, "a span without trace id");
    if (d->has_end) d->span.dur = d->end - d->span.start;
    if (d->span.dur < 0) {
        misplaced(r, "a span that ends before it starts");
        return ctw_base__fail_in(CTW_E_RANGE, "negative duration");
    }
    if (d->span.op == CTW_RCA_NONE) CTW_TRY(ctw_rca__names_add(r->ctx, &r->s->names, "unnamed", 7, &d->span.op, r->fn));
    CTW_TRY(ctw_base__stopped(r->cancel, r->fn));
    CTW_TRY(ctw_base__grow(r->ctx, (void **)&r->pid, &r->pid_cap, at + 1, sizeof *r->pid));
    CTW_TRY(ctw_rca__spans_reserve(r->s, 1, r->fn));
    r->pid[at] = d->pid;
    return ctw_rca__spans_push(r->s, d->trace, &d->span);
}

/* Gives the spans inside an object what the object said about all of them. */
static void apply_outer(reader *r, const draft *d, size_t from)
{
    if (d->outer_service == CTW_RCA_NONE && d->outer_instance == CTW_RCA_NONE && !d->processes) return;
    for (size_t i = from; i < r->s->count; i++) {
        ctw_rca__span *s = &r->s->row[i];
        if (s->service == CTW_RCA_NONE) s->service = d->outer_service;
        if (s->instance == CTW_RCA_NONE) s->instance = d->outer_instance;
        for (size_t p = 0; p < d->processes; p++) {
            if (d->process[p].pid != r->pid[i - r->first]) continue;
            if (s->service == CTW_RCA_NONE) s->service = d->process[p].service;
            if (s->instance == CTW_RCA_NONE) s->instance = d->process[p].instance;
        }
    }
}

static ctw_status object(reader *r, int depth)
{
    ctw_io__json_event ev;
    size_t from = r->s->count;
    draft d = {.span = {.service = CTW_RCA_NONE, .instance = CTW_RCA_NONE, .op = CTW_RCA_NONE},
               .pid = CTW_RCA_NONE,
               .outer_service = CTW_RCA_NONE,
               .outer_instance = CTW_RCA_NONE};
    ctw_status st;
    while ((st = ctw_io__json_next(r->j, &ev)) == CTW_OK && ev != CTW_JSON_OBJECT_END)
        if ((st = member(r, &d, depth)) != CTW_OK) break;
    if (st == CTW_OK) apply_outer(r, &d, from);
    if (st == CTW_OK && d.has_id) st = push(r, &d);
    ctw_base__free(r->ctx, d.process);
    return st;
}

/* Recurses at most as deep as the parser lets brackets nest (64). */
static ctw_status walk(reader *r, ctw_io__json_event ev, int depth)
{
    if (ev == CTW_JSON_OBJECT) return object(r, depth);
    if (ev != CTW_JSON_ARRAY) return CTW_OK;
    for (;;) {
        CTW_TRY(ctw_io__json_next(r->j, &ev));
        if (ev == CTW_JSON_ARRAY_END) return CTW_OK;
        CTW_TRY(walk(r, ev, depth + 1));
    }
}

/* Spans nobody named get OpenTelemetry's name for such services. */
static ctw_status name_the_nameless(reader *r)
{
    uint32_t id = CTW_RCA_NONE;
    for (size_t i = r->first; i < r->s->count; i++) {
        if (r->s->row[i].service != CTW_RCA_NONE) continue;
        if (id == CTW_RCA_NONE) CTW_TRY(ctw_rca__names_add(r->ctx, &r->s->names, "unknown_service", 15, &id, r->fn));
        r->s->row[i].service = id;
    }
    return CTW_OK;
}

static ctw_status read_all(reader *r)
{
    ctw_io__json_event ev;
    for (;;) {
        CTW_TRY(ctw_io__json_next(r->j, &ev));
        if (ev == CTW_JSON_END) return name_the_nameless(r);
        CTW_TRY(walk(r, ev, 0));
    }
}

static ctw_status read_json(ctw_spans *s, ctw_io__json *j, ctw_cancel *cancel, const char *fn)
{
    reader r = {.ctx = s->h.ctx, .s = s, .j = j, .cancel = cancel, .fn = fn, .first = s->count};
    ctw_status st = read_all(&r);
    if (st != CTW_OK) ctw_rca__spans_truncate(s, r.first);
    ctw_base__free(r.ctx, r.pid);
    ctw_rca__names_free(r.ctx, &r.pids);
    ctw_io__json_close(j);
    return st;
}

ctw_status ctw_spans_read_json(ctw_spans *s, const char *path, ctw_cancel *cancel)
{
    static const char fn[] = "ctw_spans_read_json";
    ctw_io__json *j;
    CTW_TRY(ctw_base__handle_enter(s ? &s->h : NULL, CTW_SPANS_MAGIC, fn, "s"));
    ctw_status st = ctw_io__json_open(s->h.ctx, path, &j, fn);
    if (st == CTW_OK) st = read_json(s, j, cancel, fn);
    ctw_base__handle_leave(&s->h);
    return st;
}

ctw_status ctw_spans_read_json_mem(ctw_spans *s, const void *bytes, uint64_t len, const char *name, ctw_cancel *cancel)
{
    static const char fn[] = "ctw_spans_read_json_mem";
    ctw_io__json *j;
    CTW_TRY(ctw_base__need_n(bytes, len, fn, "bytes"));
    CTW_TRY(ctw_base__handle_enter(s ? &s->h : NULL, CTW_SPANS_MAGIC, fn, "s"));
    ctw_status st = ctw_io__json_open_mem(s->h.ctx, bytes, (size_t)len, name, &j);
    if (st == CTW_OK) st = read_json(s, j, cancel, fn);
    ctw_base__handle_leave(&s->h);
    return st;
}
