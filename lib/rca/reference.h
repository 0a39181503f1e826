/* reference.h: what calls looked like while nothing was wrong. For every operation of every component the most
 * recent calls are kept, up to a limit, so that the reference ages by itself and its memory is bounded. */
#ifndef CTW_RCA_REFERENCE_H
#define CTW_RCA_REFERENCE_H

#include "rca/window.h"

/* Added to times before logarithms: differences below it are noise of clocks, not of services. */
#define CTW_RCA_OFFSET_US 50.0

typedef struct ctw_rca__past {
    float v[PAST_COLUMNS];
} ctw_rca__past;

/* Stands for all callers together. */
#define CTW_RCA_ANYBODY (UINT32_MAX - 2)

/* An operation of a component, called by anybody or by one caller. */
typedef struct ctw_rca__past_op {
    uint32_t component, op, caller; /* name ids of the model; caller may be CTW_RCA_ANYBODY, CTW_RCA_NONE */
    ctw_rca__past *ring;
    size_t count, cap, head;
    float *sorted; /* exclusive times, ascending; count of them */
    size_t sorted_cap;
    double median[PAST_TIMES], mean[PAST_COLUMNS], var[PAST_COLUMNS], p90[PAST_TIMES];
    double spread[PAST_TIMES]; /* of log(time + 50 us): interquartile range / 1.35, at least 0.05 */
    ctw_rca__shapes shape;
    double tail[PAST_TIMES]; /* the same from median to p90, over 1.28 */
} ctw_rca__past_op;

/* Response of one component within one trace, and the trace's own. */
typedef struct ctw_rca__past_trace {
    float own, root;
} ctw_rca__past_trace;

typedef struct ctw_rca__past_component {
    uint32_t name;
    ctw_rca__past_trace *ring;
    size_t count, cap, head;
    double calls; /* of all learned windows, halved every half-life */
    double importance, congestion;
} ctw_rca__past_component;

typedef struct ctw_rca__reference {
    ctw_rca__idmap op_index; /* (component and caller, op) */
    ctw_rca__past_op *op;
    size_t ops, op_cap;
    ctw_rca__idmap component_index;
    ctw_rca__past_component *component;
    size_t components, component_cap;
    double traces;    /* like calls */
    uint64_t windows; /* learned so far */
    size_t limit;     /* calls kept of one operation, traces of one component */
    double keep;      /* weight of the counts so far when a window is added */
} ctw_rca__reference;

/* Adds a window; map[] gives the model's ids of the calls' names. CTW_E_NOMEM leaves the reference as it was. */
ctw_status ctw_rca__reference_learn(ctw_ctx *ctx, ctw_rca__reference *ref, const ctw_rca__window *w,
                                    const uint32_t *map);
/* The record, new if need be, with room in its ring for `more` elements (at most the limit). CTW_E_NOMEM. */
ctw_status ctw_rca__reference_op_room(ctw_ctx *ctx, ctw_rca__reference *ref, uint32_t component, uint32_t op,
                                      uint32_t caller, size_t more, ctw_rca__past_op **out);
ctw_status ctw_rca__reference_component_room(ctw_ctx *ctx, ctw_rca__reference *ref, uint32_t name, size_t more,
                                             ctw_rca__past_component **out);
/* NULL when there is none. */
const ctw_rca__past_op *ctw_rca__reference_op(const ctw_rca__reference *ref, uint32_t component, uint32_t op,
                                              uint32_t caller);
const ctw_rca__past_component *ctw_rca__reference_component(const ctw_rca__reference *ref, uint32_t name);
/* Recomputes what is derived from the rings (after loading). scratch holds `limit` doubles. */
void ctw_rca__reference_refresh_op(ctw_rca__past_op *op, double *scratch);
/* scratch holds 2 * limit doubles. */
void ctw_rca__reference_refresh_component(ctw_rca__past_component *c, double *scratch);
void ctw_rca__reference_clear(ctw_ctx *ctx, ctw_rca__reference *ref);

#endif
