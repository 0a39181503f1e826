/* file.c: whole files in and out. */
#include "io/file.h"
#include "base/alloc.h"
#include "base/check.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* strerror is not thread-safe everywhere. */
static const char *reason(int err, char *buf, size_t cap)
{
    return strerror_r(err, buf, cap) == 0 ? buf : "unknown error";
}

ctw_status ctw_io__file_error(const char *fn, const char *doing, const char *path, int err)
{
    char buf[128];
    return ctw_base__fail(CTW_E_IO, "%s: cannot %s %s: %s", fn, doing, path, reason(err, buf, sizeof buf));
}

/* Reads to the end of fd in growing steps: the size a file system tells may be wrong (pipes, /proc). */
static ctw_status slurp(ctw_ctx *ctx, int fd, const char *path, size_t limit, unsigned char **data, size_t *size,
                        const char *fn)
{
    unsigned char *buf = NULL;
    size_t cap = 0, n = 0;
    for (;;) {
        void *grown = buf;
        ctw_status s = ctw_base__grow(ctx, &grown, &cap, n + 4096, 1);
        buf = grown;
        if (s != CTW_OK) {
            ctw_base__free(ctx, buf);
            return s;
        }
        ssize_t got = read(fd, buf + n, cap - n);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 || n + (size_t)got > limit) {
            int err = errno;
            ctw_base__free(ctx, buf);
            if (got < 0) return ctw_io__file_error(fn, "read", path, err);
            return ctw_base__fail(CTW_E_RANGE, "%s: %s is larger than the limit of %zu bytes", fn, path, limit);
        }
        if (got == 0) break;
        n += (size_t)got;
    }
    *data = buf;
    *size = n;
    return CTW_OK;
}

ctw_status ctw_io__file_read(ctw_ctx *ctx, const char *path, size_t limit, unsigned char **data, size_t *size,
                             const char *fn)
{
    *data = NULL;
    *size = 0;
    CTW_TRY(ctw_base__need(path, fn, "path"));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return ctw_io__file_error(fn, "open", path, errno);
    ctw_status s = slurp(ctx, fd, path, limit, data, size, fn);
    close(fd);
    return s;
}

static ctw_status write_all(int fd, const unsigned char *p, size_t n, const char *path, const char *fn)
{
    while (n) {
        ssize_t put = write(fd, p, n);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return ctw_io__file_error(fn, "write", path, errno);
        p += put;
        n -= (size_t)put;
    }
    return fsync(fd) && errno != EINVAL ? ctw_io__file_error(fn, "flush", path, errno) : CTW_OK;
}

/* Creates a file beside path under a name nobody has, with the permissions the host's umask gives; -1 with errno.
 * `beside` has room for path and 16 more bytes. */
static int create_beside(const char *path, char *beside, size_t cap)
{
    for (int i = 0; i < 1000; i++) {
        ctw_base__format(beside, cap, "%s.new%d", path, i);
        int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0 || errno != EEXIST) return fd;
    }
    return -1;
}

ctw_status ctw_io__file_write(ctw_ctx *ctx, const char *path, const void *data, size_t size, const char *fn)
{
    CTW_TRY(ctw_base__need(path, fn, "path"));
    size_t cap = strlen(path) + 16;
    char *beside = ctw_base__alloc(ctx, cap, 1);
    if (!beside) return CTW_E_NOMEM;
    int fd = create_beside(path, beside, cap);
    ctw_status s = fd < 0 ? ctw_io__file_error(fn, "create a file beside", path, errno) : CTW_OK;
    if (fd >= 0) {
        struct stat old;
        if (stat(path, &old) == 0 && fchmod(fd, old.st_mode & 0777))
            s = ctw_io__file_error(fn, "set the mode of", path, errno);
        if (s == CTW_OK) s = write_all(fd, data, size, path, fn);
        if (close(fd) && s == CTW_OK) s = ctw_io__file_error(fn, "close", path, errno);
        if (s == CTW_OK && rename(beside, path)) s = ctw_io__file_error(fn, "replace", path, errno);
        if (s != CTW_OK) unlink(beside);
    }
    ctw_base__free(ctx, beside);
    return s;
}

enum { MODEL_LIMIT = 1 << 30 };

ctw_status ctw_io__file_load(ctw_ctx *ctx, const char *path, ctw_io__load_fn load, void **out, const char *fn)
{
    unsigned char *data;
    size_t size;
    CTW_TRY(ctw_io__file_read(ctx, path, MODEL_LIMIT, &data, &size, fn));
    ctw_status s = load(ctx, data, size, out);
    ctw_base__free(ctx, data);
    return s == CTW_OK || s == CTW_E_NOMEM ? s : ctw_base__fail_in(s, "%s", path);
}
