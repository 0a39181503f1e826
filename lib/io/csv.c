/* csv.c: streaming CSV after RFC 4180. One record at a time is unquoted into one growing buffer; its fields
 * are offsets into it. Memory is bounded by RECORD_MAX whatever the file's size. */
#include <cybertwin/csv.h>

#include "base/ctx.h"
#include "base/handle.h"
#include "base/params.h"
#include "base/textnum.h"
#include "io/source.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

#define CSV_MAGIC CTW_FOUR('C', 'S', 'V', 'R')
enum { RECORD_MAX = 16 << 20, COLUMNS_MAX = 65536 };

struct ctw_csv {
    ctw_base__handle h;
    ctw_io__source src;
    unsigned char *copy; /* open_mem: the source's bytes */
    char *text;          /* the current record, fields NUL-terminated */
    size_t text_cap, text_len;
    size_t *field; /* offsets into text; field[fields] is the end */
    size_t field_cap, fields;
    char *header; /* column names, one after another */
    size_t *name; /* offsets into header */
    size_t columns;
    uint64_t record_line;
    ctw_status failed; /* sticky */
    int has_row;
};

static void destroy(ctw_csv *c)
{
    ctw_ctx *ctx = c->h.ctx;
    ctw_io__source_close(&c->src);
    ctw_base__free(ctx, c->copy);
    ctw_base__free(ctx, c->text);
    ctw_base__free(ctx, c->field);
    ctw_base__free(ctx, c->header);
    ctw_base__free(ctx, c->name);
}
CTW_DEFINE_REFS(ctw_csv, destroy)

static ctw_status malformed(const ctw_csv *c, const char *what)
{
    return ctw_base__fail(CTW_E_FORMAT, "%s:%" PRIu64 ":%" PRIu64 ": %s", c->src.name, c->src.line,
                          ctw_io__source_column(&c->src), what);
}

static ctw_status put_byte(ctw_csv *c, char b)
{
    if (c->text_len == c->text_cap) {
        if (c->text_len >= RECORD_MAX) return malformed(c, "the record is longer than 16 MiB (an unclosed quote?)");
        void *grown = c->text;
        CTW_TRY(ctw_base__grow(c->h.ctx, &grown, &c->text_cap, c->text_len + 1, 1));
        c->text = grown;
    }
    c->text[c->text_len++] = b;
    return CTW_OK;
}

static ctw_status begin_field(ctw_csv *c)
{
    if (c->fields >= COLUMNS_MAX) return malformed(c, "more than 65536 fields");
    void *grown = c->field;
    CTW_TRY(ctw_base__grow(c->h.ctx, &grown, &c->field_cap, c->fields + 2, sizeof *c->field));
    c->field = grown;
    c->field[c->fields++] = c->text_len;
    return CTW_OK;
}

/* After the opening quote: up to the closing one. */
static ctw_status quoted(ctw_csv *c)
{
    for (;;) {
        int b = ctw_io__source_get(&c->src);
        if (b < 0) return malformed(c, "the source ends inside a quoted field");
        if (b == 0) return malformed(c, "a NUL byte");
        if (b == '"') {
            if (ctw_io__source_peek(&c->src) != '"') return CTW_OK;
            ctw_io__source_get(&c->src);
        }
        CTW_TRY(put_byte(c, (char)b));
    }
}

/* One field; *last tells whether it ended the record. */
static ctw_status field(ctw_csv *c, int *last)
{
    CTW_TRY(begin_field(c));
    int was_quoted = ctw_io__source_peek(&c->src) == '"';
    if (was_quoted) {
        ctw_io__source_get(&c->src);
        CTW_TRY(quoted(c));
    }
    for (;;) {
        int b = ctw_io__source_get(&c->src);
        if (b == '\r' && (ctw_io__source_peek(&c->src) == '\n' || ctw_io__source_peek(&c->src) < 0))
            b = ctw_io__source_get(&c->src);
        if (b == ',' || b == '\n' || b < 0) {
            *last = b != ',';
            return put_byte(c, 0);
        }
        if (b == 0) return malformed(c, "a NUL byte");
        if (was_quoted) return malformed(c, "text after a closing quote");
        if (b == '"') return malformed(c, "a quote inside an unquoted field");
        CTW_TRY(put_byte(c, (char)b));
    }
}

/* Passes over empty lines; 0 when the source has ended. */
static int record_follows(ctw_csv *c)
{
    int b;
    while ((b = ctw_io__source_peek(&c->src)) == '\n' || b == '\r') ctw_io__source_get(&c->src);
    return b >= 0;
}

static ctw_status record(ctw_csv *c, int *found)
{
    *found = record_follows(c);
    c->text_len = 0;
    c->fields = 0;
    if (!*found) return ctw_io__source_status(&c->src, "ctw_csv_next");
    c->record_line = c->src.line;
    for (int last = 0; !last;) CTW_TRY(field(c, &last));
    c->field[c->fields] = c->text_len;
    return ctw_io__source_status(&c->src, "ctw_csv_next");
}

/* ---- opening ---- */

static void skip_byte_order_mark(ctw_csv *c)
{
    static const unsigned char bom[3] = {0xEF, 0xBB, 0xBF};
    if (ctw_io__source_more(&c->src) && c->src.end - c->src.at >= 3 && memcmp(c->src.at, bom, 3) == 0) {
        c->src.at += 3;
        c->src.line_start = 3;
    }
}

static ctw_status check_names(const ctw_csv *c)
{
    for (size_t i = 0; i < c->columns; i++) {
        const char *name = c->header + c->name[i];
        if (!*name) return ctw_base__fail(CTW_E_FORMAT, "%s:1: column %zu has no name", c->src.name, i + 1);
        for (size_t j = 0; j < i; j++)
            if (strcmp(name, c->header + c->name[j]) == 0)
                return ctw_base__fail(CTW_E_FORMAT, "%s:1: column \"%.60s\" stands there twice", c->src.name, name);
    }
    return CTW_OK;
}

static ctw_status read_header(ctw_csv *c)
{
    int found;
    skip_byte_order_mark(c);
    CTW_TRY(record(c, &found));
    if (!found) return ctw_base__fail(CTW_E_FORMAT, "%s:1: the source is empty, a header row is needed", c->src.name);
    c->header = ctw_base__dup(c->h.ctx, c->text, c->text_len, 1);
    c->name = ctw_base__dup(c->h.ctx, c->field, c->fields, sizeof *c->field);
    if (!c->header || !c->name) return CTW_E_NOMEM;
    c->columns = c->fields;
    return check_names(c);
}

static ctw_status opened(ctw_csv *c, ctw_status s, ctw_csv **out)
{
    if (s == CTW_OK) s = read_header(c);
    if (s != CTW_OK) {
        ctw_csv_unref(c);
        return s;
    }
    *out = c;
    return CTW_OK;
}

ctw_status ctw_csv_open(ctw_ctx *ctx, const char *path, ctw_csv **out)
{
    CTW_TRY(ctw_base__need(out, "ctw_csv_open", "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, "ctw_csv_open"));
    ctw_csv *c = ctw_base__handle_new(ctx, sizeof *c, CSV_MAGIC);
    if (!c) return CTW_E_NOMEM;
    return opened(c, ctw_io__source_open(&c->src, ctx, path, "ctw_csv_open"), out);
}

ctw_status ctw_csv_open_mem(ctw_ctx *ctx, const void *bytes, uint64_t len, const char *name, ctw_csv **out)
{
    CTW_TRY(ctw_base__need(out, "ctw_csv_open_mem", "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, "ctw_csv_open_mem"));
    CTW_TRY(ctw_base__need_n(bytes, len, "ctw_csv_open_mem", "bytes"));
    ctw_csv *c = ctw_base__handle_new(ctx, sizeof *c, CSV_MAGIC);
    if (!c) return CTW_E_NOMEM;
    c->src.ctx = ctx;
    c->src.fd = -1;
    c->copy = ctw_base__dup(ctx, bytes, (size_t)len, 1);
    ctw_status s = c->copy ? ctw_io__source_open_mem(&c->src, ctx, c->copy, (size_t)len, name) : CTW_E_NOMEM;
    return opened(c, s, out);
}

/* ---- the public verbs ---- */

uint64_t ctw_csv_columns(const ctw_csv *c)
{
    return c ? c->columns : 0;
}

const char *ctw_csv_column_name(const ctw_csv *c, uint64_t i)
{
    return c && i < c->columns ? c->header + c->name[i] : NULL;
}

static const char *name_at(const void *csv, size_t i)
{
    return ctw_csv_column_name(csv, i);
}

ctw_status ctw_csv_column(const ctw_csv *c, const char *name, uint64_t *index)
{
    static const char fn[] = "ctw_csv_column";
    CTW_TRY(ctw_base__handle_check(c ? &c->h : NULL, CSV_MAGIC, fn, "csv"));
    CTW_TRY(ctw_base__need(name, fn, "name"));
    CTW_TRY(ctw_base__need(index, fn, "index"));
    for (size_t i = 0; i < c->columns; i++)
        if (strcmp(c->header + c->name[i], name) == 0) {
            *index = i;
            return CTW_OK;
        }
    const char *near = ctw_base__nearest(name, name_at, c, c->columns);
    return ctw_base__fail(CTW_E_KEY, "%s:1: there is no column \"%.60s\"%s%.60s%s", c->src.name, name,
                          near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static ctw_status next(ctw_csv *c, int32_t *has_row)
{
    int found;
    CTW_TRY(record(c, &found));
    if (found && c->fields != c->columns)
        return ctw_base__fail(CTW_E_FORMAT, "%s:%" PRIu64 ": the record has %zu fields, the header %zu", c->src.name,
                              c->record_line, c->fields, c->columns);
    *has_row = found;
    return CTW_OK;
}

ctw_status ctw_csv_next(ctw_csv *c, int32_t *has_row)
{
    static const char fn[] = "ctw_csv_next";
    CTW_TRY(ctw_base__need(has_row, fn, "has_row"));
    *has_row = 0;
    CTW_TRY(ctw_base__handle_enter(c ? &c->h : NULL, CSV_MAGIC, fn, "csv"));
    ctw_status s = c->failed;
    if (s != CTW_OK)
        ctw_base__fail(s, "%s:%" PRIu64 ": the reader stopped at an earlier error", c->src.name, c->src.line);
    else
        s = c->failed = next(c, has_row);
    c->has_row = *has_row;
    ctw_base__handle_leave(&c->h);
    return s;
}

static ctw_status check_field(const ctw_csv *c, uint64_t i, const void *out, const char *fn)
{
    CTW_TRY(ctw_base__handle_check(c ? &c->h : NULL, CSV_MAGIC, fn, "csv"));
    CTW_TRY(ctw_base__need(out, fn, "out"));
    if (!c->has_row) return ctw_base__fail(CTW_E_STATE, "%s: there is no current record; call ctw_csv_next", fn);
    return i < c->columns ? CTW_OK : ctw_base__in_u64(i, 0, c->columns - 1, fn, "i");
}

ctw_status ctw_csv_text(const ctw_csv *c, uint64_t i, const char **text, uint64_t *len)
{
    CTW_TRY(check_field(c, i, text, "ctw_csv_text"));
    *text = c->text + c->field[i];
    if (len) *len = c->field[i + 1] - c->field[i] - 1;
    return CTW_OK;
}

static ctw_status no_number(const ctw_csv *c, uint64_t i, const char *what)
{
    return ctw_base__fail(CTW_E_FORMAT, "%s:%" PRIu64 ": column \"%.60s\" is \"%.60s\", not %s", c->src.name,
                          c->record_line, c->header + c->name[i], c->text + c->field[i], what);
}

ctw_status ctw_csv_f64(const ctw_csv *c, uint64_t i, double *out)
{
    CTW_TRY(check_field(c, i, out, "ctw_csv_f64"));
    size_t len = c->field[i + 1] - c->field[i] - 1;
    if (len == 0) {
        *out = NAN;
        return CTW_OK;
    }
    return ctw_base__parse_f64(c->text + c->field[i], len, out) ? no_number(c, i, "a finite number") : CTW_OK;
}

ctw_status ctw_csv_i64(const ctw_csv *c, uint64_t i, int64_t *out)
{
    CTW_TRY(check_field(c, i, out, "ctw_csv_i64"));
    size_t len = c->field[i + 1] - c->field[i] - 1;
    return ctw_base__parse_i64(c->text + c->field[i], len, out) ? no_number(c, i, "a 64-bit integer") : CTW_OK;
}

uint64_t ctw_csv_line(const ctw_csv *c)
{
    return c ? c->record_line : 0;
}
