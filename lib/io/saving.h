/* saving.h: the four public verbs of a handle that can be saved, which differ between handles in names only.
 *     ctw_status check(const TYPE *x, const char *fn)
 *         whether a live handle is in a state to be saved; ctw_io__any_state when every state is
 *     ctw_status write(const TYPE *x, ctw_io__out *o)
 *         begins o and fills it; on failure o is freed here
 *     ctw_status read(ctw_ctx *ctx, const void *buf, uint64_t len, TYPE **out, const char *fn)
 *         *out is NULL on entry; on failure it may be half made and is released here
 * Each verb checks its arguments first, in the order of its parameters, and leaves *out NULL on failure. */
#ifndef CTW_IO_SAVING_H
#define CTW_IO_SAVING_H

#include "base/ctx.h"
#include "base/handle.h"
#include "io/container.h"
#include "io/file.h"

static inline ctw_status ctw_io__any_state(const void *x, const char *fn)
{
    (void)x;
    (void)fn;
    return CTW_OK;
}

#define CTW_DEFINE_SAVING(type, MAGIC, check, write, read)                                                  \
    static ctw_status type##__written(const type *x, ctw_io__out *o, const char *fn)                        \
    {                                                                                                       \
        CTW_TRY(check(x, fn));                                                                              \
        ctw_status s = write(x, o);                                                                         \
        if (s != CTW_OK) ctw_io__out_free(o);                                                               \
        return s;                                                                                           \
    }                                                                                                       \
    ctw_status type##_save_mem(const type *x, void *buf, uint64_t cap, uint64_t *need)                      \
    {                                                                                                       \
        static const char *fn = #type "_save_mem";                                                          \
        ctw_io__out o;                                                                                      \
        CTW_TRY(ctw_base__handle_check(x ? &x->h : NULL, MAGIC, fn, "handle"));                             \
        CTW_TRY(ctw_base__need_n(buf, cap, fn, "buf"));                                                     \
        CTW_TRY(ctw_base__need(need, fn, "need"));                                                          \
        CTW_TRY(type##__written(x, &o, fn));                                                                \
        return ctw_io__out_to_mem(&o, buf, cap, need, fn);                                                  \
    }                                                                                                       \
    ctw_status type##_save_file(const type *x, const char *path)                                            \
    {                                                                                                       \
        static const char *fn = #type "_save_file";                                                         \
        ctw_io__out o;                                                                                      \
        CTW_TRY(ctw_base__handle_check(x ? &x->h : NULL, MAGIC, fn, "handle"));                             \
        CTW_TRY(ctw_base__need(path, fn, "path"));                                                          \
        CTW_TRY(type##__written(x, &o, fn));                                                                \
        return ctw_io__out_to_file(&o, path, fn);                                                           \
    }                                                                                                       \
    static ctw_status type##__read(ctw_ctx *ctx, const void *buf, uint64_t len, type **out, const char *fn) \
    {                                                                                                       \
        type *x = NULL;                                                                                     \
        ctw_status s = read(ctx, buf, len, &x, fn);                                                         \
        if (s == CTW_OK)                                                                                    \
            *out = x;                                                                                       \
        else                                                                                                \
            type##_unref(x);                                                                                \
        return s;                                                                                           \
    }                                                                                                       \
    static ctw_status type##__load(ctw_ctx *ctx, const void *buf, uint64_t len, void **out)                 \
    {                                                                                                       \
        type *x = NULL;                                                                                     \
        ctw_status s = type##__read(ctx, buf, len, &x, #type "_load_file");                                 \
        *out = x;                                                                                           \
        return s;                                                                                           \
    }                                                                                                       \
    ctw_status type##_load_mem(ctw_ctx *ctx, const void *buf, uint64_t len, type **out)                     \
    {                                                                                                       \
        static const char *fn = #type "_load_mem";                                                          \
        CTW_TRY(ctw_base__need(out, fn, "out"));                                                            \
        *out = NULL;                                                                                        \
        CTW_TRY(ctw_base__ctx_check(ctx, fn));                                                              \
        CTW_TRY(ctw_base__need_n(buf, len, fn, "buf"));                                                     \
        return type##__read(ctx, buf, len, out, fn);                                                        \
    }                                                                                                       \
    ctw_status type##_load_file(ctw_ctx *ctx, const char *path, type **out)                                 \
    {                                                                                                       \
        static const char *fn = #type "_load_file";                                                         \
        void *x = NULL;                                                                                     \
        CTW_TRY(ctw_base__need(out, fn, "out"));                                                            \
        *out = NULL;                                                                                        \
        CTW_TRY(ctw_base__ctx_check(ctx, fn));                                                              \
        CTW_TRY(ctw_base__need(path, fn, "path"));                                                          \
        ctw_status s = ctw_io__file_load(ctx, path, type##__load, &x, fn);                                  \
        *out = x;                                                                                           \
        return s;                                                                                           \
    }                                                                                                       \
    struct ctw_base__handle /* takes the semicolon after the macro */

#endif
