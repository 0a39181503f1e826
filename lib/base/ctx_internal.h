/* ctx_internal.h: the context's members, for the files of base only. */
#ifndef CTW_BASE_CTX_INTERNAL_H
#define CTW_BASE_CTX_INTERNAL_H

#include <cybertwin/base.h>
#include <stdatomic.h>

#define CTW_CTX_MAGIC 0x78746343u /* "Cctx" */

struct ctw_ctx {
    uint32_t magic;
    atomic_uint refs;
    ctw_alloc_fn alloc;
    void *alloc_user;
    ctw_log_fn log;
    void *log_user;
    int32_t log_level;
    uint64_t seed;
};

#endif
