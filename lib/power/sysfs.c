/* sysfs.c: plain reads and writes with open(2): sysfs files are answered whole in one call, and stdio's buffers
 * would hide at which call the kernel said no. */
#include "power/sysfs.h"

#include "base/error.h"
#include "base/textnum.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int ctw_sysfs__join(char out[CTW_SYSFS_PATH], const char *dir, const char *name)
{
    size_t a = strlen(dir), b = strlen(name);
    if (a + b + 2 > CTW_SYSFS_PATH) return 0;
    memcpy(out, dir, a);
    out[a] = '/';
    memcpy(out + a + 1, name, b + 1);
    return 1;
}

int ctw_sysfs__exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static ctw_status refused(const char *path, int error, const char *doing, const char *fn)
{
    if (error == EACCES || error == EPERM)
        return ctw_base__fail(CTW_E_IO,
                              "%s: no permission to %s %s (energy counters are root's alone since Linux 5.10)", fn,
                              doing, path);
    return ctw_base__fail(CTW_E_BACKEND, "%s: cannot %s %s: error %d%s", fn, doing, path, error,
                          error == ENOENT || error == ENODEV ? " (it vanished)" : "");
}

ctw_status ctw_sysfs__read_text(const char *path, char *out, size_t cap, const char *fn)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return refused(path, errno, "read", fn);
    ssize_t n = read(fd, out, cap - 1);
    int error = errno;
    close(fd);
    if (n < 0) return refused(path, error, "read", fn);
    while (n > 0 && (out[n - 1] == '\n' || out[n - 1] == ' ')) n--;
    out[n] = '\0';
    return CTW_OK;
}

ctw_status ctw_sysfs__read_number(const char *path, double *out, const char *fn)
{
    char text[64];
    CTW_TRY(ctw_sysfs__read_text(path, text, sizeof text, fn));
    if (ctw_base__parse_f64(text, strlen(text), out) != 0 || !(*out >= 0.0))
        return ctw_base__fail(CTW_E_BACKEND, "%s: %s says \"%s\", not a number >= 0", fn, path, text);
    return CTW_OK;
}

ctw_status ctw_sysfs__write_number(const char *path, double value, const char *fn)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%.0f", value), fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    if (fd < 0) return refused(path, errno, "write", fn);
    ssize_t n = write(fd, text, (size_t)len);
    int error = errno;
    close(fd);
    return n == len ? CTW_OK : refused(path, n < 0 ? error : EIO, "write", fn);
}

size_t ctw_sysfs__list(const char *dir, const char *prefix, char (*names)[64], size_t most)
{
    DIR *d = opendir(dir);
    size_t n = 0;
    if (!d) return 0;
    for (struct dirent *e; n < most && (e = readdir(d)) != NULL;) {
        size_t len = strlen(e->d_name), at = n;
        if (strncmp(e->d_name, prefix, strlen(prefix)) != 0 || len >= 64) continue;
        for (; at > 0 && strcmp(names[at - 1], e->d_name) > 0; at--) memcpy(names[at], names[at - 1], 64);
        memcpy(names[at], e->d_name, len + 1);
        n++;
    }
    closedir(d);
    return n;
}
