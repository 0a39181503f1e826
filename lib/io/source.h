/* source.h: buffered bytes for the text readers (CSV, JSON), from a file or from memory, with the line and
 * column that their messages need. */
#ifndef CTW_IO_SOURCE_H
#define CTW_IO_SOURCE_H

#include <cybertwin/base.h>
#include <stddef.h>

typedef struct ctw_io__source {
    ctw_ctx *ctx;
    int fd;             /* -1: memory */
    char *name;         /* owned */
    unsigned char *buf; /* file: 64 KiB, owned */
    const unsigned char *at, *end;
    uint64_t line;              /* of the next byte, from 1 */
    uint64_t passed;            /* bytes before the buffer's start */
    uint64_t line_start;        /* offset of the line's first byte */
    const unsigned char *start; /* of the buffer, for offsets */
    int io_error;               /* errno of a failed read */
} ctw_io__source;

ctw_status ctw_io__source_open(ctw_io__source *s, ctw_ctx *ctx, const char *path, const char *fn);
/* bytes are borrowed. */
ctw_status ctw_io__source_open_mem(ctw_io__source *s, ctw_ctx *ctx, const void *bytes, size_t len, const char *name);
void ctw_io__source_close(ctw_io__source *s);
/* Reads more when the buffer is used up: 1 when there are bytes at s->at, 0 at the end or on an error. */
int ctw_io__source_more(ctw_io__source *s);
/* Next byte or -1; counts lines. */
static inline int ctw_io__source_get(ctw_io__source *s)
{
    if (s->at == s->end && !ctw_io__source_more(s)) return -1;
    int c = *s->at++;
    if (c == '\n') {
        s->line++;
        s->line_start = s->passed + (uint64_t)(s->at - s->start);
    }
    return c;
}
/* The next byte without taking it, or -1. */
static inline int ctw_io__source_peek(ctw_io__source *s)
{
    return s->at == s->end && !ctw_io__source_more(s) ? -1 : *s->at;
}
/* Column of the next byte, from 1. */
uint64_t ctw_io__source_column(const ctw_io__source *s);
/* CTW_E_IO with the system's reason if a read failed, CTW_OK otherwise. */
ctw_status ctw_io__source_status(const ctw_io__source *s, const char *fn);

#endif
