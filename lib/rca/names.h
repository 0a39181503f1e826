/* names.h: text to small ids and back. Services, instances and operations are known by their text, so that
 * tables read on different days, and a model loaded from a file, agree about who is who. */
#ifndef CTW_RCA_NAMES_H
#define CTW_RCA_NAMES_H

#include "io/bytes.h"
#include <cybertwin/base.h>
#include <stddef.h>

/* Longest name and most names of one table: what a hostile source may cost. */
enum { CTW_RCA_NAME_MAX = 4096, CTW_RCA_NAMES_MAX = 1 << 20 };

typedef struct ctw_rca__names {
    char **text;
    uint32_t *hash;
    size_t count, cap, hash_cap;
    uint32_t *slot; /* id + 1, 0 empty; a power of two of them */
    size_t slots;
} ctw_rca__names;

/* Id of the text, added if new. CTW_E_RANGE when it is too long or the table is full. */
ctw_status ctw_rca__names_add(ctw_ctx *ctx, ctw_rca__names *n, const char *text, size_t len, uint32_t *id,
                              const char *fn);
/* Id, or -1. */
int64_t ctw_rca__names_find(const ctw_rca__names *n, const char *text, size_t len);
void ctw_rca__names_free(ctw_ctx *ctx, ctw_rca__names *n);
/* Adds the names of a file's section, whose reader must end with them. CTW_E_FORMAT when one is damaged or repeated. */
ctw_status ctw_rca__names_read(ctw_ctx *ctx, ctw_rca__names *n, ctw_io__reader *r, const char *fn);
/* Public form: checks text, interns it, stores the id. */
ctw_status ctw_rca__names_public(ctw_ctx *ctx, ctw_rca__names *n, const char *text, int64_t *id, const char *fn);

#endif
