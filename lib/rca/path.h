/* path.h: the critical path of a trace, as segments from its end back to its start. */
#ifndef CTW_RCA_PATH_H
#define CTW_RCA_PATH_H

#include "rca/forest.h"

typedef struct ctw_rca__segment {
    uint32_t p; /* position of the span whose own time this is */
    int64_t start, end;
} ctw_rca__segment;

/* Frames of the walk; reused from trace to trace. */
typedef struct ctw_rca__frame {
    uint32_t p, next;
    int64_t lo, hi, t; /* clipped interval; what is still to be explained ends at t */
} ctw_rca__frame;

typedef struct ctw_rca__walk {
    ctw_rca__frame *frame;
    size_t depth, frame_cap;
    ctw_rca__segment *segment;
    size_t count, segment_cap;
} ctw_rca__walk;

/* Fills w->segment[0..count), latest first, from the root span at position p. */
ctw_status ctw_rca__path(ctw_ctx *ctx, ctw_rca__walk *w, const ctw_rca__forest *f, uint32_t p);
void ctw_rca__walk_free(ctw_ctx *ctx, ctw_rca__walk *w);

#endif
