/* file.h: whole files in and out. Writing goes to a new file beside the target, is flushed to disk and
 * renamed, so a full disk or a crash never leaves half a model. */
#ifndef CTW_IO_FILE_H
#define CTW_IO_FILE_H

#include <cybertwin/base.h>
#include <stddef.h>

/* Reads at most `limit` bytes (CTW_E_RANGE beyond); *data is the caller's to ctw_base__free. */
ctw_status ctw_io__file_read(ctw_ctx *ctx, const char *path, size_t limit, unsigned char **data, size_t *size,
                             const char *fn);
ctw_status ctw_io__file_write(ctw_ctx *ctx, const char *path, const void *data, size_t size, const char *fn);

/* CTW_E_IO: "fn: cannot DOING path: the system's reason". */
ctw_status ctw_io__file_error(const char *fn, const char *doing, const char *path, int err);

/* The contract of every ctw_*_load_file: reads the file and passes it to the module's load_mem; the path is
 * put before whatever that says. */
typedef ctw_status (*ctw_io__load_fn)(ctw_ctx *ctx, const void *buf, uint64_t len, void **out);
ctw_status ctw_io__file_load(ctw_ctx *ctx, const char *path, ctw_io__load_fn load, void **out, const char *fn);

#endif
