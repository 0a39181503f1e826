/* json.h: a pull parser over JSON text (RFC 8259) in memory or in a file: events instead of a tree, memory
 * bounded by the longest string and the depth, both limited. Several documents in a row (JSON lines) are fine. */
#ifndef CTW_IO_JSON_H
#define CTW_IO_JSON_H

#include <cybertwin/base.h>
#include <stddef.h>

typedef struct ctw_io__json ctw_io__json;

typedef enum ctw_io__json_event {
    CTW_JSON_END = 0, /* end of the source, between documents */
    CTW_JSON_OBJECT,  /* { */
    CTW_JSON_OBJECT_END,
    CTW_JSON_ARRAY, /* [ */
    CTW_JSON_ARRAY_END,
    CTW_JSON_KEY,    /* text: the key */
    CTW_JSON_STRING, /* text: unescaped UTF-8 */
    CTW_JSON_NUMBER, /* text: as written */
    CTW_JSON_TRUE,
    CTW_JSON_FALSE,
    CTW_JSON_NULL
} ctw_io__json_event;

/* Depth over 64 and strings over 1 MiB are CTW_E_FORMAT. */
ctw_status ctw_io__json_open(ctw_ctx *ctx, const char *path, ctw_io__json **out, const char *fn);
/* bytes are borrowed for the parser's life. */
ctw_status ctw_io__json_open_mem(ctw_ctx *ctx, const void *bytes, size_t len, const char *name, ctw_io__json **out);
void ctw_io__json_close(ctw_io__json *j);
/* Next event; malformed text is CTW_E_FORMAT with file:line:column, and the parser stays there. */
ctw_status ctw_io__json_next(ctw_io__json *j, ctw_io__json_event *ev);
/* Text of the last KEY, STRING or NUMBER, NUL-terminated, valid until the next event. */
const char *ctw_io__json_text(const ctw_io__json *j, size_t *len);
/* After OBJECT or ARRAY: passes over everything to its end. After a scalar: nothing. */
ctw_status ctw_io__json_skip(ctw_io__json *j, ctw_io__json_event ev);
/* Last NUMBER or numeric STRING as a number. CTW_E_FORMAT with its place otherwise. */
ctw_status ctw_io__json_f64(const ctw_io__json *j, double *out);
ctw_status ctw_io__json_i64(const ctw_io__json *j, int64_t *out);
/* "file:line:column" of the last event, for messages. */
void ctw_io__json_place(const ctw_io__json *j, char *buf, size_t cap);

#endif
