/* forest.h: the spans of a table as trees: order in time, parents and children by position, every oddity of
 * real traces (orphans, repeats, shared ids, cycles) already dealt with and counted. */
#ifndef CTW_RCA_FOREST_H
#define CTW_RCA_FOREST_H

#include "rca/spans_internal.h"

typedef struct ctw_rca__oddities {
    uint64_t orphans, duplicates, shared, cycles, late, early, extra_roots;
} ctw_rca__oddities;

/* Position p is the p-th span by (trace, start, row). Dropped repeats have DROPPED as parent. */
#define CTW_RCA_DROPPED (UINT32_MAX - 1)

typedef struct ctw_rca__forest {
    size_t n, traces;
    const ctw_rca__span *row;
    uint32_t *order;       /* position -> row */
    size_t *begin;         /* trace -> first position; traces + 1 of them */
    uint32_t *parent;      /* position, NONE for a root, DROPPED */
    uint32_t *child_begin; /* n + 1 */
    uint32_t *by_start;    /* children, earliest first */
    uint32_t *by_end;      /* children, last finished first */
    uint32_t *down;        /* every kept position, parents before children */
    size_t kept;
    uint32_t *root; /* trace -> position of its longest root, NONE when it is empty */
    ctw_rca__oddities odd;
} ctw_rca__forest;

/* Component of a span: its instance where wanted and there, else its service. */
static inline uint32_t ctw_rca__component(const ctw_rca__span *s, int by_instance)
{
    return by_instance && s->instance != CTW_RCA_NONE ? s->instance : s->service;
}

static inline const ctw_rca__span *ctw_rca__at(const ctw_rca__forest *f, uint32_t p)
{
    return &f->row[f->order[p]];
}

/* `only` names one dense trace to build, or NONE for all. */
ctw_status ctw_rca__forest_build(ctw_ctx *ctx, ctw_rca__forest *f, const ctw_spans *s, int by_instance, uint32_t only);
void ctw_rca__forest_free(ctw_ctx *ctx, ctw_rca__forest *f);

#endif
