/* sysfs.h: one number or word in one small file below a root, with the operating system's refusal told apart:
 * permission, absence, failure. */
#ifndef CTW_POWER_SYSFS_H
#define CTW_POWER_SYSFS_H

#include <cybertwin/base.h>
#include <stddef.h>

#define CTW_SYSFS_PATH 1024

/* 0 when dir/name does not fit. */
int ctw_sysfs__join(char out[CTW_SYSFS_PATH], const char *dir, const char *name);
int ctw_sysfs__exists(const char *path);
/* CTW_E_IO for permission, CTW_E_BACKEND for anything else that fails; text without the line's end. */
ctw_status ctw_sysfs__read_text(const char *path, char *out, size_t cap, const char *fn);
/* The same as a non-negative number; CTW_E_BACKEND for other text. */
ctw_status ctw_sysfs__read_number(const char *path, double *out, const char *fn);
ctw_status ctw_sysfs__write_number(const char *path, double value, const char *fn);
/* Names in `dir` that begin with `prefix`, sorted, at most `most`, each shorter than 64. */
size_t ctw_sysfs__list(const char *dir, const char *prefix, char (*names)[64], size_t most);

#endif
