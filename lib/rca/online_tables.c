/* online_tables.c: who is who in an online window: bonds (operation and caller) and components get numbers while they
 * have calls, and lose them in a purge, so that a window outlives any number of releases in the same memory. */
#include "base/alloc.h"
#include "rca/online_internal.h"
#include <string.h>

static ctw_rca__id bond_key(uint32_t component, uint32_t op, uint32_t caller)
{
    return (ctw_rca__id){(uint64_t)caller << 32 | component, op};
}

void ctw_rca__tables_free(ctw_ctx *ctx, ctw_rca__tables *t, size_t panes)
{
    for (size_t i = 0; i < t->bonds * panes; i++) ctw_rca__cell_free(ctx, &t->cell[i]);
    for (size_t i = 0; i < t->parts * panes; i++) ctw_rca__share_free(ctx, &t->share[i]);
    ctw_rca__names_free(ctx, &t->names);
    ctw_rca__idmap_free(ctx, &t->bond_index);
    ctw_rca__idmap_free(ctx, &t->part_index);
    ctw_base__free(ctx, t->bond);
    ctw_base__free(ctx, t->cell);
    ctw_base__free(ctx, t->part);
    ctw_base__free(ctx, t->share);
}

uint32_t ctw_rca__online_part(const ctw_online *o, const char *component)
{
    int64_t name = ctw_rca__names_find(&o->t.names, component, strlen(component));
    int64_t at = name < 0 ? -1 : ctw_rca__idmap_get(&o->t.part_index, bond_key((uint32_t)name, 0, 0));
    return at < 0 ? CTW_RCA_NONE : (uint32_t)at;
}

static ctw_status add_part(ctw_ctx *ctx, ctw_rca__tables *t, size_t panes, uint32_t name)
{
    int added;
    CTW_TRY(ctw_rca__idmap_reserve(ctx, &t->part_index, 1));
    CTW_TRY(ctw_base__grow(ctx, (void **)&t->part, &t->part_cap, t->parts + 1, sizeof *t->part));
    CTW_TRY(ctw_base__grow(ctx, (void **)&t->share, &t->share_cap, (t->parts + 1) * panes, sizeof *t->share));
    ctw_rca__idmap_put(&t->part_index, bond_key(name, 0, 0), (uint32_t)t->parts, &added);
    if (!added) return CTW_OK;
    memset(t->share + t->parts * panes, 0, panes * sizeof *t->share);
    t->part[t->parts++] = name;
    return CTW_OK;
}

static ctw_status add_bond(ctw_ctx *ctx, ctw_rca__tables *t, size_t panes, ctw_rca__bond b, uint32_t *at)
{
    int added;
    CTW_TRY(add_part(ctx, t, panes, b.component));
    CTW_TRY(ctw_rca__idmap_reserve(ctx, &t->bond_index, 1));
    CTW_TRY(ctw_base__grow(ctx, (void **)&t->bond, &t->bond_cap, t->bonds + 1, sizeof *t->bond));
    CTW_TRY(ctw_base__grow(ctx, (void **)&t->cell, &t->cell_cap, (t->bonds + 1) * panes, sizeof *t->cell));
    *at = ctw_rca__idmap_put(&t->bond_index, bond_key(b.component, b.op, b.caller), (uint32_t)t->bonds, &added);
    if (!added) return CTW_OK;
    memset(t->cell + t->bonds * panes, 0, panes * sizeof *t->cell);
    t->bond[t->bonds++] = b;
    return CTW_OK;
}

/* Number of a bond that is there already, NONE. */
static uint32_t find_bond(const ctw_rca__tables *t, const char *component, const char *op, const char *caller)
{
    int64_t c = ctw_rca__names_find(&t->names, component, strlen(component));
    int64_t p = ctw_rca__names_find(&t->names, op, strlen(op));
    int64_t x = caller ? ctw_rca__names_find(&t->names, caller, strlen(caller)) : (int64_t)CTW_RCA_NONE;
    int64_t at = c < 0 || p < 0 || x < 0
                     ? -1
                     : ctw_rca__idmap_get(&t->bond_index, bond_key((uint32_t)c, (uint32_t)p, (uint32_t)x));
    return at < 0 ? CTW_RCA_NONE : (uint32_t)at;
}

static ctw_status new_bond(ctw_ctx *ctx, ctw_rca__tables *t, size_t panes, const char *const text[3], uint32_t *at,
                           const char *fn)
{
    uint32_t id[3] = {0, 0, CTW_RCA_NONE};
    for (int k = 0; k < 3; k++)
        if (text[k]) CTW_TRY(ctw_rca__names_add(ctx, &t->names, text[k], strlen(text[k]), &id[k], fn));
    return add_bond(ctx, t, panes, (ctw_rca__bond){id[0], id[1], id[2]}, at);
}

ctw_status ctw_rca__online_bond(ctw_online *o, const char *component, const char *op, const char *caller,
                                uint32_t *bond, const char *fn)
{
    const char *const text[3] = {component, op, caller};
    *bond = find_bond(&o->t, component, op, caller);
    if (*bond != CTW_RCA_NONE || o->t.bonds >= o->max_bonds) return CTW_OK;
    return new_bond(o->h.ctx, &o->t, o->panes, text, bond, fn);
}

static int bond_lives(const ctw_online *o, size_t i)
{
    for (size_t p = 0; p < o->panes; p++)
        if (o->t.cell[i * o->panes + p].calls) return 1;
    return 0;
}

/* The living bonds in tables of their own; moved[i] is the new number of bond i. Digests are not moved yet. */
static ctw_status survivors(const ctw_online *o, ctw_rca__tables *t, uint32_t *moved, const char *fn)
{
    const ctw_rca__names *n = &o->t.names;
    for (size_t i = 0; i < o->t.bonds; i++) {
        const ctw_rca__bond *b = &o->t.bond[i];
        const char *const text[3] = {n->text[b->component], n->text[b->op],
                                     b->caller == CTW_RCA_NONE ? NULL : n->text[b->caller]};
        moved[i] = CTW_RCA_NONE;
        if (bond_lives(o, i)) CTW_TRY(new_bond(o->h.ctx, t, o->panes, text, &moved[i], fn));
    }
    return CTW_OK;
}

/* Hands the living digests over; what stays behind is freed with the old tables. */
static void move_digests(ctw_online *o, ctw_rca__tables *t, const uint32_t *moved)
{
    for (size_t i = 0; i < o->t.bonds; i++) {
        if (moved[i] == CTW_RCA_NONE) continue;
        memcpy(&t->cell[moved[i] * o->panes], &o->t.cell[i * o->panes], o->panes * sizeof *t->cell);
        memset(&o->t.cell[i * o->panes], 0, o->panes * sizeof *t->cell);
    }
    for (size_t i = 0; i < t->parts; i++) {
        size_t old = ctw_rca__online_part(o, t->names.text[t->part[i]]);
        memcpy(&t->share[i * o->panes], &o->t.share[old * o->panes], o->panes * sizeof *t->share);
        memset(&o->t.share[old * o->panes], 0, o->panes * sizeof *t->share);
    }
    for (size_t p = 0; p < o->panes; p++)
        for (size_t k = 0; k < o->pane[p].n_kept; k++)
            for (size_t c = 0; c < o->pane[p].kept[k].calls; c++)
                o->pane[p].kept[k].call[c].bond = moved[o->pane[p].kept[k].call[c].bond];
}

ctw_status ctw_rca__online_purge(ctw_online *o, const char *fn)
{
    ctw_ctx *ctx = o->h.ctx;
    ctw_rca__tables t = {.bond_index.salt = o->salt, .part_index.salt = o->salt};
    uint32_t *moved = ctw_base__alloc(ctx, o->t.bonds, sizeof *moved);
    ctw_status st = moved ? survivors(o, &t, moved, fn) : CTW_E_NOMEM;
    if (st == CTW_OK) {
        move_digests(o, &t, moved);
        ctw_rca__tables old = o->t;
        o->t = t;
        t = old;
    }
    ctw_rca__tables_free(ctx, &t, o->panes);
    ctw_base__free(ctx, moved);
    return st;
}
