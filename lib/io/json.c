/* json.c: a pull parser over JSON text (RFC 8259). A stack of open brackets (at most DEPTH) and one buffer for
 * the current string are all it keeps; JSON lines are documents one after another. */
#include "io/json.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/textnum.h"
#include "io/source.h"
#include <inttypes.h>
#include <string.h>

enum { DEPTH = 64, STRING_MAX = 1 << 20 };

typedef enum expect { VALUE, VALUE_OR_END, KEY, KEY_OR_END, COMMA_OR_END } expect;

struct ctw_io__json {
    ctw_io__source src;
    char *text;
    size_t len, cap;
    char open[DEPTH]; /* '{' or '[' */
    size_t depth;
    expect state;
    ctw_status failed;
    uint64_t line, column; /* where the last event began */
};

/* ---- opening ---- */

static ctw_status opened(ctw_ctx *ctx, ctw_io__json *j, ctw_status s, ctw_io__json **out)
{
    if (s != CTW_OK) {
        ctw_base__free(ctx, j);
        return s;
    }
    *out = j;
    return CTW_OK;
}

ctw_status ctw_io__json_open(ctw_ctx *ctx, const char *path, ctw_io__json **out, const char *fn)
{
    *out = NULL;
    ctw_io__json *j = CTW_NEW(ctx, 1, ctw_io__json);
    return j ? opened(ctx, j, ctw_io__source_open(&j->src, ctx, path, fn), out) : CTW_E_NOMEM;
}

ctw_status ctw_io__json_open_mem(ctw_ctx *ctx, const void *bytes, size_t len, const char *name, ctw_io__json **out)
{
    *out = NULL;
    ctw_io__json *j = CTW_NEW(ctx, 1, ctw_io__json);
    return j ? opened(ctx, j, ctw_io__source_open_mem(&j->src, ctx, bytes, len, name), out) : CTW_E_NOMEM;
}

void ctw_io__json_close(ctw_io__json *j)
{
    if (!j) return;
    ctw_ctx *ctx = j->src.ctx;
    ctw_io__source_close(&j->src);
    ctw_base__free(ctx, j->text);
    ctw_base__free(ctx, j);
}

/* ---- text ---- */

static ctw_status malformed(const ctw_io__json *j, const char *what)
{
    return ctw_base__fail(CTW_E_FORMAT, "%s:%" PRIu64 ":%" PRIu64 ": %s", j->src.name, j->src.line,
                          ctw_io__source_column(&j->src), what);
}

static ctw_status put(ctw_io__json *j, const void *bytes, size_t n)
{
    if (n > STRING_MAX - j->len) return malformed(j, "a string longer than 1 MiB");
    if (j->len + n + 1 > j->cap) {
        void *grown = j->text;
        CTW_TRY(ctw_base__grow(j->src.ctx, &grown, &j->cap, j->len + n + 1, 1));
        j->text = grown;
    }
    memcpy(j->text + j->len, bytes, n);
    j->len += n;
    j->text[j->len] = 0;
    return CTW_OK;
}

static int hex_digit(int c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static ctw_status hex4(ctw_io__json *j, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++) {
        int d = hex_digit(ctw_io__source_get(&j->src));
        if (d < 0) return malformed(j, "\\u needs four hexadecimal digits");
        *out = *out << 4 | (uint32_t)d;
    }
    return CTW_OK;
}

static ctw_status put_code_point(ctw_io__json *j, uint32_t c)
{
    unsigned char u[4];
    size_t n = 0;
    if (c < 0x80) {
        u[n++] = (unsigned char)c;
    } else if (c < 0x800) {
        u[n++] = (unsigned char)(0xC0 | c >> 6);
        u[n++] = (unsigned char)(0x80 | (c & 63));
    } else {
        if (c < 0x10000) {
            u[n++] = (unsigned char)(0xE0 | c >> 12);
        } else {
            u[n++] = (unsigned char)(0xF0 | c >> 18);
            u[n++] = (unsigned char)(0x80 | (c >> 12 & 63));
        }
        u[n++] = (unsigned char)(0x80 | (c >> 6 & 63));
        u[n++] = (unsigned char)(0x80 | (c & 63));
    }
    return put(j, u, n);
}

static ctw_status unicode_escape(ctw_io__json *j)
{
    uint32_t c, low;
    CTW_TRY(hex4(j, &c));
    if (c >= 0xD800 && c < 0xDC00) {
        if (ctw_io__source_get(&j->src) != '\\' || ctw_io__source_get(&j->src) != 'u')
            return malformed(j, "half of a surrogate pair");
        CTW_TRY(hex4(j, &low));
        if (low < 0xDC00 || low > 0xDFFF) return malformed(j, "half of a surrogate pair");
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    } else if (c >= 0xDC00 && c < 0xE000) {
        return malformed(j, "half of a surrogate pair");
    }
    if (c == 0) return malformed(j, "a NUL character in a string");
    return put_code_point(j, c);
}

static ctw_status escape(ctw_io__json *j)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    int c = ctw_io__source_get(&j->src);
    if (c == 'u') return unicode_escape(j);
    const char *p = c > 0 ? strchr(from, c) : NULL;
    return p ? put(j, &to[p - from], 1) : malformed(j, "an unknown escape");
}

/* After the opening quote. Runs without escapes are copied whole. */
static ctw_status string(ctw_io__json *j)
{
    j->len = 0;
    CTW_TRY(put(j, "", 0));
    for (;;) {
        if (!ctw_io__source_more(&j->src)) return malformed(j, "the source ends inside a string");
        const unsigned char *p = j->src.at;
        while (p < j->src.end && *p != '"' && *p != '\\' && *p >= 0x20) p++;
        size_t n = (size_t)(p - j->src.at);
        CTW_TRY(put(j, j->src.at, n));
        j->src.at = p;
        if (p == j->src.end) continue;
        int c = *p;
        if (c < 0x20) return malformed(j, "a control character in a string");
        j->src.at++;
        if (c == '"') return CTW_OK;
        CTW_TRY(escape(j));
    }
}

static int is_number_byte(int c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

/* RFC 8259's grammar: -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)? */
static int valid_number(const char *t)
{
    size_t i = t[0] == '-';
    if (t[i] == '0') {
        i++;
    } else {
        size_t digits = strspn(t + i, "0123456789");
        if (!digits) return 0;
        i += digits;
    }
    if (t[i] == '.') {
        size_t digits = strspn(t + i + 1, "0123456789");
        if (!digits) return 0;
        i += digits + 1;
    }
    if (t[i] == 'e' || t[i] == 'E') {
        i++;
        if (t[i] == '+' || t[i] == '-') i++;
        size_t digits = strspn(t + i, "0123456789");
        if (!digits) return 0;
        i += digits;
    }
    return t[i] == 0;
}

static ctw_status number(ctw_io__json *j)
{
    j->len = 0;
    while (is_number_byte(ctw_io__source_peek(&j->src))) {
        char c = (char)ctw_io__source_get(&j->src);
        CTW_TRY(put(j, &c, 1));
        if (j->len > 400) return malformed(j, "a number of over 400 characters");
    }
    return valid_number(j->text) ? CTW_OK : malformed(j, "a malformed number");
}

static ctw_status word(ctw_io__json *j, const char *rest)
{
    for (; *rest; rest++)
        if (ctw_io__source_get(&j->src) != *rest) return malformed(j, "neither a value nor true, false or null");
    return CTW_OK;
}

/* ---- structure ---- */

static void after_value(ctw_io__json *j)
{
    j->state = j->depth ? COMMA_OR_END : VALUE;
}

static ctw_status push(ctw_io__json *j, char bracket)
{
    if (j->depth == DEPTH) return malformed(j, "nested deeper than 64");
    j->open[j->depth++] = bracket;
    j->state = bracket == '{' ? KEY_OR_END : VALUE_OR_END;
    return CTW_OK;
}

static ctw_status value(ctw_io__json *j, int c, ctw_io__json_event *ev)
{
    if (c == '{' || c == '[') {
        *ev = c == '{' ? CTW_JSON_OBJECT : CTW_JSON_ARRAY;
        ctw_io__source_get(&j->src);
        return push(j, (char)c);
    }
    ctw_status s;
    if (c == '-' || (c >= '0' && c <= '9')) {
        *ev = CTW_JSON_NUMBER;
        s = number(j);
    } else {
        ctw_io__source_get(&j->src);
        *ev = c == '"' ? CTW_JSON_STRING : c == 't' ? CTW_JSON_TRUE : c == 'f' ? CTW_JSON_FALSE : CTW_JSON_NULL;
        s = c == '"'   ? string(j)
            : c == 't' ? word(j, "rue")
            : c == 'f' ? word(j, "alse")
            : c == 'n' ? word(j, "ull")
                       : malformed(j, "not the beginning of a value");
    }
    after_value(j);
    return s;
}

static ctw_status key(ctw_io__json *j, ctw_io__json_event *ev)
{
    ctw_io__source_get(&j->src);
    CTW_TRY(string(j));
    int c;
    while ((c = ctw_io__source_get(&j->src)) == ' ' || c == '\t' || c == '\n' || c == '\r') {
    }
    if (c != ':') return malformed(j, "':' must follow a key");
    *ev = CTW_JSON_KEY;
    j->state = VALUE;
    return CTW_OK;
}

static int skip_blanks(ctw_io__json *j)
{
    int c;
    while ((c = ctw_io__source_peek(&j->src)) == ' ' || c == '\t' || c == '\n' || c == '\r')
        ctw_io__source_get(&j->src);
    return c;
}

static ctw_status pop(ctw_io__json *j, int c, ctw_io__json_event *ev)
{
    char open = j->open[j->depth - 1];
    if ((open == '{') != (c == '}')) return malformed(j, "the wrong closing bracket");
    ctw_io__source_get(&j->src);
    j->depth--;
    *ev = c == '}' ? CTW_JSON_OBJECT_END : CTW_JSON_ARRAY_END;
    after_value(j);
    return CTW_OK;
}

static ctw_status next(ctw_io__json *j, ctw_io__json_event *ev)
{
    int c = skip_blanks(j);
    if (c < 0) {
        CTW_TRY(ctw_io__source_status(&j->src, "reading JSON"));
        if (j->depth || j->state != VALUE) return malformed(j, "the source ends inside a value");
        *ev = CTW_JSON_END;
        return CTW_OK;
    }
    int closes = (c == '}' || c == ']') && j->depth;
    if (closes && (j->state == COMMA_OR_END || j->state == KEY_OR_END || j->state == VALUE_OR_END))
        return pop(j, c, ev);
    if (j->state == COMMA_OR_END) {
        if (c != ',') return malformed(j, "a comma or a closing bracket must follow");
        ctw_io__source_get(&j->src);
        c = skip_blanks(j);
        j->state = j->open[j->depth - 1] == '{' ? KEY : VALUE;
    }
    j->line = j->src.line;
    j->column = ctw_io__source_column(&j->src);
    if (j->state == KEY || j->state == KEY_OR_END) return c == '"' ? key(j, ev) : malformed(j, "a key must follow");
    return value(j, c, ev);
}

ctw_status ctw_io__json_next(ctw_io__json *j, ctw_io__json_event *ev)
{
    *ev = CTW_JSON_END;
    if (j->failed) return malformed(j, "the reader stopped at an earlier error here");
    return j->failed = next(j, ev);
}

const char *ctw_io__json_text(const ctw_io__json *j, size_t *len)
{
    if (len) *len = j->len;
    return j->text ? j->text : "";
}

ctw_status ctw_io__json_skip(ctw_io__json *j, ctw_io__json_event ev)
{
    if (ev != CTW_JSON_OBJECT && ev != CTW_JSON_ARRAY) return CTW_OK;
    size_t outer = j->depth - 1;
    while (j->depth > outer) CTW_TRY(ctw_io__json_next(j, &ev));
    return CTW_OK;
}

void ctw_io__json_place(const ctw_io__json *j, char *buf, size_t cap)
{
    ctw_base__format(buf, cap, "%s:%" PRIu64 ":%" PRIu64, j->src.name, j->line, j->column);
}

static ctw_status no_number(const ctw_io__json *j, const char *what)
{
    char place[256];
    ctw_io__json_place(j, place, sizeof place);
    return ctw_base__fail(CTW_E_FORMAT, "%s: \"%.60s\" is not %s", place, ctw_io__json_text(j, NULL), what);
}

ctw_status ctw_io__json_f64(const ctw_io__json *j, double *out)
{
    return ctw_base__parse_f64(ctw_io__json_text(j, NULL), j->len, out) ? no_number(j, "a finite number") : CTW_OK;
}

ctw_status ctw_io__json_i64(const ctw_io__json *j, int64_t *out)
{
    return ctw_base__parse_i64(ctw_io__json_text(j, NULL), j->len, out) ? no_number(j, "a 64-bit integer") : CTW_OK;
}
