/* window.c: two stable counting passes over name ids, then the boundaries. */
#include "rca/window.h"
#include "base/alloc.h"
#include <string.h>

static uint32_t key_of(const ctw_rca__call *r, int by_component)
{
    return by_component ? r->component : r->op;
}

static void pass(const ctw_calls *c, const uint32_t *from, uint32_t *to, size_t *at, int by_component)
{
    memset(at, 0, (c->names.count + 1) * sizeof *at);
    for (size_t i = 0; i < c->count; i++) at[key_of(&c->row[i], by_component) + 1]++;
    for (size_t k = 0; k < c->names.count; k++) at[k + 1] += at[k];
    for (size_t i = 0; i < c->count; i++) {
        uint32_t row = from ? from[i] : (uint32_t)i;
        to[at[key_of(&c->row[row], by_component)]++] = row;
    }
}

static ctw_status sort_rows(ctw_ctx *ctx, ctw_rca__window *w)
{
    const ctw_calls *c = w->calls;
    uint32_t *by_op = ctw_base__alloc(ctx, c->count, sizeof *by_op);
    size_t *at = ctw_base__alloc(ctx, c->names.count + 1, sizeof *at);
    w->order = ctw_base__alloc(ctx, c->count, sizeof *w->order);
    int good = by_op && at && w->order;
    if (good) {
        pass(c, NULL, by_op, at, 0);
        pass(c, by_op, w->order, at, 1);
    }
    ctw_base__free(ctx, by_op);
    ctw_base__free(ctx, at);
    return good ? CTW_OK : CTW_E_NOMEM;
}

static ctw_status mark_groups(ctw_ctx *ctx, ctw_rca__window *w)
{
    const ctw_calls *c = w->calls;
    size_t group_cap = 0, member_cap = 0;
    for (size_t i = 0; i < c->count; i++) {
        const ctw_rca__call *r = &c->row[w->order[i]], *prev = i ? &c->row[w->order[i - 1]] : NULL;
        int new_member = !prev || prev->component != r->component;
        if (new_member) {
            CTW_TRY(ctw_base__grow(ctx, (void **)&w->member, &member_cap, w->members + 1, sizeof *w->member));
            w->member[w->members++] = (ctw_rca__member){r->component, w->groups, w->groups};
        }
        if (new_member || prev->op != r->op) {
            CTW_TRY(ctw_base__grow(ctx, (void **)&w->group, &group_cap, w->groups + 1, sizeof *w->group));
            w->group[w->groups++] = (ctw_rca__group){r->op, i, i};
        }
        w->group[w->groups - 1].end = i + 1;
        w->member[w->members - 1].last_group = w->groups;
    }
    return CTW_OK;
}

ctw_status ctw_rca__window_build(ctw_ctx *ctx, ctw_rca__window *w, const ctw_calls *c)
{
    memset(w, 0, sizeof *w);
    w->calls = c;
    ctw_status st = sort_rows(ctx, w);
    if (st == CTW_OK) st = mark_groups(ctx, w);
    if (st != CTW_OK) ctw_rca__window_free(ctx, w);
    return st;
}

void ctw_rca__window_free(ctw_ctx *ctx, ctw_rca__window *w)
{
    ctw_base__free(ctx, w->order);
    ctw_base__free(ctx, w->group);
    ctw_base__free(ctx, w->member);
    memset(w, 0, sizeof *w);
}
