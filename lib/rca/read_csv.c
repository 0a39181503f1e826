/* read_csv.c: spans from CSV with a header row. Columns are found by name; both the long names and the short ones
 * of common dumps are known. */
#include "base/cancel.h"
#include "base/textnum.h"
#include "rca/ids.h"
#include "rca/spans_internal.h"
#include <cybertwin/csv.h>
#include <string.h>

enum { TRACE, SPAN, PARENT, SERVICE, OPERATION, START, DURATION, INSTANCE, KIND, STATUS, COLUMNS };

typedef struct column {
    const char *name[4]; /* accepted, NULL at the end */
    int optional;
    int64_t unit_ns[4]; /* of times, by name */
} column;

static const column columns[COLUMNS] = {
    [TRACE] = {.name = {"trace", "trace_id"}},
    [SPAN] = {.name = {"span", "span_id"}},
    [PARENT] = {.name = {"parent", "parent_id", "parent_span_id"}},
    [SERVICE] = {.name = {"service", "svc", "service_name"}},
    [OPERATION] = {.name = {"operation", "op", "operation_name"}},
    [START] = {.name = {"start_ns", "start_us", "start_ms"}, .unit_ns = {1, 1000, 1000000}},
    [DURATION] = {.name = {"duration_ns", "duration_us", "dur_us", "duration_ms"}, .unit_ns = {1, 1000, 1000, 1000000}},
    [INSTANCE] = {.name = {"instance", "pod"}, .optional = 1},
    [KIND] = {.name = {"kind"}, .optional = 1},
    [STATUS] = {.name = {"status"}, .optional = 1},
};

typedef struct reader {
    ctw_spans *s;
    ctw_csv *csv;
    ctw_cancel *cancel;
    const char *fn;
    uint64_t index[COLUMNS];
    int64_t unit_ns[COLUMNS];
    int present[COLUMNS];
} reader;

static ctw_status find_columns(reader *r)
{
    for (int c = 0; c < COLUMNS; c++) {
        for (int k = 0; k < 4 && columns[c].name[k] && !r->present[c]; k++)
            for (uint64_t i = 0; i < ctw_csv_columns(r->csv) && !r->present[c]; i++) {
                if (strcmp(ctw_csv_column_name(r->csv, i), columns[c].name[k]) != 0) continue;
                r->present[c] = 1;
                r->index[c] = i;
                r->unit_ns[c] = columns[c].unit_ns[k];
            }
        if (!r->present[c] && !columns[c].optional) return ctw_csv_column(r->csv, columns[c].name[0], &r->index[c]);
    }
    return CTW_OK;
}

static ctw_status field(const reader *r, int c, const char **text, size_t *len)
{
    uint64_t n = 0;
    *text = "";
    if (r->present[c]) CTW_TRY(ctw_csv_text(r->csv, r->index[c], text, &n));
    *len = (size_t)n;
    return CTW_OK;
}

static ctw_status bad(const reader *r, int c, const char *must)
{
    return ctw_base__fail(CTW_E_RANGE, "%s: line %llu: %s must be %s", r->fn, (unsigned long long)ctw_csv_line(r->csv),
                          columns[c].name[0], must);
}

static ctw_status name_field(const reader *r, int c, uint32_t *id)
{
    const char *text;
    size_t len;
    CTW_TRY(field(r, c, &text, &len));
    if (!len && c == INSTANCE) return *id = CTW_RCA_NONE, CTW_OK;
    if (!len) return bad(r, c, "set");
    return ctw_rca__names_add(r->s->h.ctx, &r->s->names, text, len, id, r->fn);
}

static ctw_status time_field(const reader *r, int c, int64_t *ns)
{
    int64_t v, most = CTW_RCA_TIME_MAX / r->unit_ns[c];
    CTW_TRY(ctw_csv_i64(r->csv, r->index[c], &v));
    if (v > most || v < (c == DURATION ? 0 : -most))
        return bad(r, c, c == DURATION ? "0 or more and below 2^61 ns" : "within +-2^61 ns");
    *ns = v * r->unit_ns[c];
    return CTW_OK;
}

/* "-1" and nothing mean: no parent. */
static ctw_status ids(const reader *r, ctw_rca__id *trace, ctw_rca__span *row)
{
    const char *text;
    size_t len;
    CTW_TRY(field(r, TRACE, &text, &len));
    if (!len) return bad(r, TRACE, "set");
    *trace = ctw_rca__id_parse(text, len);
    CTW_TRY(field(r, SPAN, &text, &len));
    if (!len) return bad(r, SPAN, "set");
    row->id = ctw_rca__id_fold(ctw_rca__id_parse(text, len));
    CTW_TRY(field(r, PARENT, &text, &len));
    int none = len == 0 || (len == 2 && memcmp(text, "-1", 2) == 0);
    row->parent = none ? 0 : ctw_rca__id_fold(ctw_rca__id_parse(text, len));
    return CTW_OK;
}

static ctw_status flags(const reader *r, ctw_rca__span *row)
{
    const char *text;
    size_t len;
    int64_t v = 0;
    CTW_TRY(field(r, KIND, &text, &len));
    if (len && (ctw_base__parse_i64(text, len, &v) || v < 0 || v > CTW_SPAN_CONSUMER)) return bad(r, KIND, "0..5");
    row->kind = (uint8_t)v;
    CTW_TRY(field(r, STATUS, &text, &len));
    v = 0;
    if (len && (ctw_base__parse_i64(text, len, &v) || v < 0 || v > CTW_SPAN_ERROR)) return bad(r, STATUS, "0..2");
    row->error = v == CTW_SPAN_ERROR;
    return CTW_OK;
}

static ctw_status read_row(const reader *r)
{
    ctw_rca__id trace = {0, 0};
    ctw_rca__span row = {0};
    CTW_TRY(ids(r, &trace, &row));
    CTW_TRY(name_field(r, SERVICE, &row.service));
    CTW_TRY(name_field(r, OPERATION, &row.op));
    CTW_TRY(name_field(r, INSTANCE, &row.instance));
    CTW_TRY(time_field(r, START, &row.start));
    CTW_TRY(time_field(r, DURATION, &row.dur));
    CTW_TRY(flags(r, &row));
    CTW_TRY(ctw_rca__spans_reserve(r->s, 1, r->fn));
    return ctw_rca__spans_push(r->s, trace, &row);
}

static ctw_status read_all(reader *r)
{
    CTW_TRY(find_columns(r));
    for (uint64_t i = 0;; i++) {
        int32_t more;
        if ((i & 1023) == 0) CTW_TRY(ctw_base__stopped(r->cancel, r->fn));
        CTW_TRY(ctw_csv_next(r->csv, &more));
        if (!more) return CTW_OK;
        CTW_TRY(read_row(r));
    }
}

/* Takes the csv over. */
static ctw_status read_csv(ctw_spans *s, ctw_csv *csv, ctw_cancel *cancel, const char *fn)
{
    reader r = {.s = s, .csv = csv, .cancel = cancel, .fn = fn};
    size_t before = s->count;
    ctw_status st = read_all(&r);
    if (st != CTW_OK) ctw_rca__spans_truncate(s, before);
    ctw_csv_unref(csv);
    return st;
}

ctw_status ctw_spans_read_csv(ctw_spans *s, const char *path, ctw_cancel *cancel)
{
    static const char fn[] = "ctw_spans_read_csv";
    ctw_csv *csv;
    CTW_TRY(ctw_base__handle_enter(s ? &s->h : NULL, CTW_SPANS_MAGIC, fn, "s"));
    ctw_status st = ctw_csv_open(s->h.ctx, path, &csv);
    if (st == CTW_OK) st = read_csv(s, csv, cancel, fn);
    ctw_base__handle_leave(&s->h);
    return st;
}

ctw_status ctw_spans_read_csv_mem(ctw_spans *s, const void *bytes, uint64_t len, const char *name, ctw_cancel *cancel)
{
    static const char fn[] = "ctw_spans_read_csv_mem";
    ctw_csv *csv;
    CTW_TRY(ctw_base__handle_enter(s ? &s->h : NULL, CTW_SPANS_MAGIC, fn, "s"));
    ctw_status st = ctw_csv_open_mem(s->h.ctx, bytes, len, name, &csv);
    if (st == CTW_OK) st = read_csv(s, csv, cancel, fn);
    ctw_base__handle_leave(&s->h);
    return st;
}
