/* saving.h: the four public verbs of a handle that can be saved, which differ between handles in names only.
 *     ctw_status write_all(const TYPE *x, ctw_io__out *o)         on failure o is the caller's to free
 *     ctw_status read_all(ctx, buf, len, TYPE **out, fn)          on failure *out may be half made; it is freed here
 */
#ifndef CTW_POWER_SAVING_H
#define CTW_POWER_SAVING_H

#include "base/ctx.h"
#include "base/handle.h"
#include "io/container.h"
#include "io/file.h"

#define CTW_DEFINE_SAVING(type, MAGIC, write_all, read_all)                                 \
    static ctw_status type##__written(const type *x, ctw_io__out *o, const char *fn)        \
    {                                                                                       \
        CTW_TRY(ctw_base__handle_check(x ? &x->h : NULL, MAGIC, fn, "handle"));             \
        ctw_status s = write_all(x, o);                                                     \
        if (s != CTW_OK) ctw_io__out_free(o);                                               \
        return s;                                                                           \
    }                                                                                       \
    ctw_status type##_save_mem(const type *x, void *buf, uint64_t cap, uint64_t *need)      \
    {                                                                                       \
        static const char *fn = #type "_save_mem";                                          \
        ctw_io__out o;                                                                      \
        CTW_TRY(ctw_base__need(need, fn, "need"));                                          \
        CTW_TRY(type##__written(x, &o, fn));                                                \
        return ctw_io__out_to_mem(&o, buf, cap, need, fn);                                  \
    }                                                                                       \
    ctw_status type##_save_file(const type *x, const char *path)                            \
    {                                                                                       \
        static const char *fn = #type "_save_file";                                         \
        ctw_io__out o;                                                                      \
        CTW_TRY(ctw_base__need(path, fn, "path"));                                          \
        CTW_TRY(type##__written(x, &o, fn));                                                \
        return ctw_io__out_to_file(&o, path, fn);                                           \
    }                                                                                       \
    static ctw_status type##__load(ctw_ctx *ctx, const void *buf, uint64_t len, void **out) \
    {                                                                                       \
        type *x = NULL;                                                                     \
        ctw_status s = read_all(ctx, buf, len, &x, #type "_load");                          \
        if (s != CTW_OK) {                                                                  \
            type##_unref(x);                                                                \
            x = NULL;                                                                       \
        }                                                                                   \
        *out = x;                                                                           \
        return s;                                                                           \
    }                                                                                       \
    ctw_status type##_load_mem(ctw_ctx *ctx, const void *buf, uint64_t len, type **out)     \
    {                                                                                       \
        static const char *fn = #type "_load_mem";                                          \
        void *x = NULL;                                                                     \
        CTW_TRY(ctw_base__need(out, fn, "out"));                                            \
        *out = NULL;                                                                        \
        CTW_TRY(ctw_base__ctx_check(ctx, fn));                                              \
        CTW_TRY(ctw_base__need_n(buf, len, fn, "buf"));                                     \
        ctw_status s = type##__load(ctx, buf, len, &x);                                     \
        *out = x;                                                                           \
        return s;                                                                           \
    }                                                                                       \
    ctw_status type##_load_file(ctw_ctx *ctx, const char *path, type **out)                 \
    {                                                                                       \
        static const char *fn = #type "_load_file";                                         \
        void *x = NULL;                                                                     \
        CTW_TRY(ctw_base__need(out, fn, "out"));                                            \
        *out = NULL;                                                                        \
        ctw_status s = ctw_io__file_load(ctx, path, type##__load, &x, fn);                  \
        *out = x;                                                                           \
        return s;                                                                           \
    }                                                                                       \
    struct ctw_base__handle /* takes the semicolon after the macro */

/* "fn: WHAT in the file cannot be a KIND's". */
static inline ctw_status ctw_power__damaged(const char *fn, const char *what, const char *kind)
{
    return ctw_base__fail(CTW_E_FORMAT, "%s: %s in the file cannot be a %s's", fn, what, kind);
}

#endif
