/* path.c: the backward walk (Qiu et al., OSDI'20, algorithm 1, with the order of appending put right): at each
 * moment the span responsible is the child that finished last, until that child began; a sibling which was
 * still running then did not hold it up and is passed over. */
#include "rca/path.h"
#include "base/alloc.h"

static ctw_status push_frame(ctw_ctx *ctx, ctw_rca__walk *w, const ctw_rca__forest *f, uint32_t p, int64_t lo,
                             int64_t hi)
{
    CTW_TRY(ctw_base__grow(ctx, (void **)&w->frame, &w->frame_cap, w->depth + 1, sizeof *w->frame));
    w->frame[w->depth++] = (ctw_rca__frame){.p = p, .next = f->child_begin[p], .lo = lo, .hi = hi, .t = hi};
    return CTW_OK;
}

static ctw_status emit(ctw_ctx *ctx, ctw_rca__walk *w, uint32_t p, int64_t start, int64_t end)
{
    if (end <= start) return CTW_OK;
    CTW_TRY(ctw_base__grow(ctx, (void **)&w->segment, &w->segment_cap, w->count + 1, sizeof *w->segment));
    w->segment[w->count++] = (ctw_rca__segment){p, start, end};
    return CTW_OK;
}

/* Next child of the top frame that finished by its current time: 1 with its clipped interval, else 0. */
static int next_child(ctw_rca__frame *top, const ctw_rca__forest *f, uint32_t *child, int64_t *cs, int64_t *ce)
{
    while (top->next < f->child_begin[top->p + 1]) {
        uint32_t c = f->by_end[top->next++];
        const ctw_rca__span *s = ctw_rca__at(f, c);
        int64_t end = s->start + s->dur;
        *cs = s->start > top->lo ? s->start : top->lo;
        *ce = end < top->hi ? end : top->hi;
        *child = c;
        if (*ce <= top->t && *cs < *ce) return 1;
    }
    return 0;
}

static ctw_status step(ctw_ctx *ctx, ctw_rca__walk *w, const ctw_rca__forest *f)
{
    ctw_rca__frame *top = &w->frame[w->depth - 1];
    int64_t cs, ce;
    uint32_t child;
    if (next_child(top, f, &child, &cs, &ce)) {
        CTW_TRY(emit(ctx, w, top->p, ce, top->t));
        top->t = cs;
        return push_frame(ctx, w, f, child, cs, ce);
    }
    w->depth--; /* the frame stays readable until the next push */
    return emit(ctx, w, top->p, top->lo, top->t);
}

ctw_status ctw_rca__path(ctw_ctx *ctx, ctw_rca__walk *w, const ctw_rca__forest *f, uint32_t p)
{
    const ctw_rca__span *root = ctw_rca__at(f, p);
    w->depth = w->count = 0;
    CTW_TRY(push_frame(ctx, w, f, p, root->start, root->start + root->dur));
    while (w->depth) CTW_TRY(step(ctx, w, f));
    return CTW_OK;
}

void ctw_rca__walk_free(ctw_ctx *ctx, ctw_rca__walk *w)
{
    ctw_base__free(ctx, w->frame);
    ctw_base__free(ctx, w->segment);
}
