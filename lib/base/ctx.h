/* ctx.h: what modules may ask of a context besides memory: logging and the seed. */
#ifndef CTW_BASE_CTX_H
#define CTW_BASE_CTX_H

#include <cybertwin/base.h>

/* Formats and sends one line to the host's sink; nothing is formatted when nobody listens. */
void ctw_base__log(const ctw_ctx *ctx, int32_t level, const char *origin, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
uint64_t ctw_base__seed(const ctw_ctx *ctx);
/* CTW_E_ARG for NULL, CTW_E_STATE for a dead one. Constructors begin with it. */
ctw_status ctw_base__ctx_check(const ctw_ctx *ctx, const char *fn);

#endif
