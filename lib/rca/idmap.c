/* idmap.c: open addressing, at most half full. */
#include "rca/idmap.h"
#include "base/alloc.h"
#include "base/error.h"
#include <string.h>

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static size_t probe(const ctw_rca__idmap *m, ctw_rca__id id)
{
    size_t i = (size_t)mix(id.lo + mix(id.hi + m->salt)) & (m->slots - 1);
    while (m->value[i] && (m->key[i].lo != id.lo || m->key[i].hi != id.hi)) i = (i + 1) & (m->slots - 1);
    return i;
}

static ctw_status rehash(ctw_ctx *ctx, ctw_rca__idmap *m, size_t slots)
{
    ctw_rca__idmap big = {.slots = slots, .used = m->used, .salt = m->salt};
    big.key = ctw_base__alloc(ctx, big.slots, sizeof *big.key);
    big.value = CTW_NEW(ctx, big.slots, uint32_t);
    if (!big.key || !big.value) {
        ctw_rca__idmap_free(ctx, &big);
        return CTW_E_NOMEM;
    }
    for (size_t i = 0; i < m->slots; i++) {
        if (!m->value[i]) continue;
        size_t at = probe(&big, m->key[i]);
        big.key[at] = m->key[i];
        big.value[at] = m->value[i];
    }
    ctw_base__free(ctx, m->key);
    ctw_base__free(ctx, m->value);
    *m = big;
    return CTW_OK;
}

ctw_status ctw_rca__idmap_reserve(ctw_ctx *ctx, ctw_rca__idmap *m, size_t extra)
{
    size_t slots = m->slots ? m->slots : 64;
    if (extra > SIZE_MAX / 8 - m->used) return ctw_base__nomem();
    while (slots < 2 * (m->used + extra)) slots *= 2;
    return slots > m->slots ? rehash(ctx, m, slots) : CTW_OK;
}

uint32_t ctw_rca__idmap_put(ctw_rca__idmap *m, ctw_rca__id id, uint32_t fresh, int *added)
{
    size_t at = probe(m, id);
    *added = !m->value[at];
    if (*added) {
        m->key[at] = id;
        m->value[at] = fresh + 1;
        m->used++;
    }
    return m->value[at] - 1;
}

int64_t ctw_rca__idmap_get(const ctw_rca__idmap *m, ctw_rca__id id)
{
    return m->slots ? (int64_t)m->value[probe(m, id)] - 1 : -1;
}

void ctw_rca__idmap_clear(ctw_rca__idmap *m)
{
    if (m->used) memset(m->value, 0, m->slots * sizeof *m->value);
    m->used = 0;
}

void ctw_rca__idmap_free(ctw_ctx *ctx, ctw_rca__idmap *m)
{
    ctw_base__free(ctx, m->key);
    ctw_base__free(ctx, m->value);
    memset(m, 0, sizeof *m);
}
