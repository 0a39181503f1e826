/* source.c: buffered bytes from a file or memory. */
#include "io/source.h"
#include "base/alloc.h"
#include "base/check.h"
#include "io/file.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { BUFFER = 1 << 16 };

ctw_status ctw_io__source_open(ctw_io__source *s, ctw_ctx *ctx, const char *path, const char *fn)
{
    *s = (ctw_io__source){.ctx = ctx, .fd = -1, .line = 1};
    CTW_TRY(ctw_base__need(path, fn, "path"));
    s->name = ctw_base__strdup(ctx, path);
    s->buf = ctw_base__alloc(ctx, BUFFER, 1);
    if (!s->name || !s->buf) {
        ctw_io__source_close(s);
        return CTW_E_NOMEM;
    }
    s->start = s->at = s->end = s->buf;
    s->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (s->fd >= 0) return CTW_OK;
    ctw_status st = ctw_io__file_error(fn, "open", path, errno);
    ctw_io__source_close(s);
    return st;
}

ctw_status ctw_io__source_open_mem(ctw_io__source *s, ctw_ctx *ctx, const void *bytes, size_t len, const char *name)
{
    *s = (ctw_io__source){.ctx = ctx, .fd = -1, .line = 1};
    s->name = ctw_base__strdup(ctx, name ? name : "memory");
    if (!s->name) return CTW_E_NOMEM;
    s->start = s->at = bytes;
    s->end = bytes ? s->at + len : s->at;
    return CTW_OK;
}

void ctw_io__source_close(ctw_io__source *s)
{
    if (s->fd >= 0) close(s->fd);
    s->fd = -1;
    ctw_base__free(s->ctx, s->name);
    ctw_base__free(s->ctx, s->buf);
    s->name = NULL;
    s->buf = NULL;
}

int ctw_io__source_more(ctw_io__source *s)
{
    if (s->at < s->end) return 1;
    if (s->fd < 0 || s->io_error) return 0;
    ssize_t got;
    do got = read(s->fd, s->buf, BUFFER);
    while (got < 0 && errno == EINTR);
    if (got < 0) s->io_error = errno;
    if (got <= 0) return 0;
    s->passed += (uint64_t)(s->end - s->start);
    s->at = s->buf;
    s->end = s->buf + got;
    return 1;
}

uint64_t ctw_io__source_column(const ctw_io__source *s)
{
    return s->passed + (uint64_t)(s->at - s->start) - s->line_start + 1;
}

ctw_status ctw_io__source_status(const ctw_io__source *s, const char *fn)
{
    return s->io_error ? ctw_io__file_error(fn, "read", s->name, s->io_error) : CTW_OK;
}
