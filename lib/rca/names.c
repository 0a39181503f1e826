/* names.c: an open-addressing table of texts; ids are dense and never change while the table lives. */
#include "rca/names.h"

#include "base/alloc.h"
#include "base/check.h"
#include "io/container.h"
#include <string.h>

static uint32_t hash_of(const char *text, size_t len)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < len; i++) h = (h ^ (unsigned char)text[i]) * 0x100000001b3u;
    return (uint32_t)(h ^ (h >> 32));
}

static size_t probe(const ctw_rca__names *n, const char *text, size_t len, uint32_t h)
{
    size_t i = h & (n->slots - 1);
    while (n->slot[i]) {
        uint32_t id = n->slot[i] - 1;
        if (n->hash[id] == h && strlen(n->text[id]) == len && memcmp(n->text[id], text, len) == 0) break;
        i = (i + 1) & (n->slots - 1);
    }
    return i;
}

static ctw_status rehash(ctw_ctx *ctx, ctw_rca__names *n)
{
    size_t slots = n->slots ? n->slots * 2 : 64;
    uint32_t *slot = CTW_NEW(ctx, slots, uint32_t);
    if (!slot) return CTW_E_NOMEM;
    for (size_t id = 0; id < n->count; id++) {
        size_t i = n->hash[id] & (slots - 1);
        while (slot[i]) i = (i + 1) & (slots - 1);
        slot[i] = (uint32_t)id + 1;
    }
    ctw_base__free(ctx, n->slot);
    n->slot = slot;
    n->slots = slots;
    return CTW_OK;
}

int64_t ctw_rca__names_find(const ctw_rca__names *n, const char *text, size_t len)
{
    if (!n->slots) return -1;
    uint32_t slot = n->slot[probe(n, text, len, hash_of(text, len))];
    return slot ? (int64_t)slot - 1 : -1;
}

ctw_status ctw_rca__names_add(ctw_ctx *ctx, ctw_rca__names *n, const char *text, size_t len, uint32_t *id,
                              const char *fn)
{
    uint32_t h = hash_of(text, len);
    if (n->slots) {
        size_t at = probe(n, text, len, h);
        if (n->slot[at]) return *id = n->slot[at] - 1, CTW_OK;
    }
    if (len > CTW_RCA_NAME_MAX)
        return ctw_base__fail(CTW_E_RANGE, "%s: a name has %zu bytes, at most %d are allowed", fn, len,
                              CTW_RCA_NAME_MAX);
    if (n->count >= CTW_RCA_NAMES_MAX)
        return ctw_base__fail(CTW_E_RANGE, "%s: more than %d different names", fn, CTW_RCA_NAMES_MAX);
    CTW_TRY(ctw_base__grow(ctx, (void **)&n->text, &n->cap, n->count + 1, sizeof *n->text));
    CTW_TRY(ctw_base__grow(ctx, (void **)&n->hash, &n->hash_cap, n->count + 1, sizeof *n->hash));
    if (n->count * 2 >= n->slots) CTW_TRY(rehash(ctx, n));
    char *copy = ctw_base__alloc(ctx, len + 1, 1);
    if (!copy) return CTW_E_NOMEM;
    memcpy(copy, text, len);
    copy[len] = '\0';
    n->text[n->count] = copy;
    n->hash[n->count] = h;
    n->slot[probe(n, text, len, h)] = (uint32_t)n->count + 1;
    *id = (uint32_t)n->count++;
    return CTW_OK;
}

void ctw_rca__names_free(ctw_ctx *ctx, ctw_rca__names *n)
{
    for (size_t i = 0; i < n->count; i++) ctw_base__free(ctx, n->text[i]);
    ctw_base__free(ctx, n->text);
    ctw_base__free(ctx, n->hash);
    ctw_base__free(ctx, n->slot);
    memset(n, 0, sizeof *n);
}

ctw_status ctw_rca__names_public(ctw_ctx *ctx, ctw_rca__names *n, const char *text, int64_t *id, const char *fn)
{
    uint32_t got;
    CTW_TRY(ctw_base__need(text, fn, "text"));
    CTW_TRY(ctw_base__need(id, fn, "id"));
    if (!*text) return ctw_base__fail(CTW_E_ARG, "%s: text is empty", fn);
    CTW_TRY(ctw_rca__names_add(ctx, n, text, strlen(text), &got, fn));
    *id = got;
    return CTW_OK;
}

/* Names in the order of their ids, as a section of a file. */
ctw_status ctw_rca__names_read(ctw_ctx *ctx, ctw_rca__names *n, ctw_io__reader *r, const char *fn)
{
    size_t count = ctw_io__get_count(r, 5); /* a length and at least one letter */
    for (size_t i = 0; i < count; i++) {
        uint32_t id;
        size_t len = ctw_io__get_u32(r);
        const unsigned char *text = ctw_io__get_raw(r, len);
        if (!text || !len || len > CTW_RCA_NAME_MAX || memchr(text, 0, len))
            return ctw_base__fail(CTW_E_FORMAT, "%s: name %zu in the file is damaged", fn, i);
        CTW_TRY(ctw_rca__names_add(ctx, n, (const char *)text, len, &id, fn));
        if (id != i) return ctw_base__fail(CTW_E_FORMAT, "%s: name %zu in the file repeats another", fn, i);
    }
    return ctw_io__in_end(r, fn, "names");
}
