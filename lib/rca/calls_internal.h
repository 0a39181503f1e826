/* calls_internal.h: the entry calls of a window as features and the reference see them. */
#ifndef CTW_RCA_CALLS_INTERNAL_H
#define CTW_RCA_CALLS_INTERNAL_H

#include "base/handle.h"
#include "rca/forest.h"
#include "rca/idmap.h"
#include "rca/names.h"
#include <cybertwin/spans.h>

#define CTW_CALLS_MAGIC CTW_FOUR('C', 'A', 'L', 'L')

typedef struct ctw_rca__call {
    uint32_t trace, component, op, caller; /* caller CTW_RCA_NONE for none */
    double v[CTW_CALL_COLUMNS];
} ctw_rca__call;

struct ctw_calls {
    ctw_base__handle h;
    ctw_rca__names names;
    ctw_rca__idmap traces; /* of ctw_calls_add only */
    ctw_rca__call *row;
    size_t count, cap;
    double *root_us;
    size_t trace_count, trace_cap;
    int by_instance;
    uint64_t spans;
    double path_error_us;
    ctw_rca__oddities odd;
};

/* Entry calls of a forest, appended to c whose name ids are map[id of the spans' table]. On failure c's counts
 * are unchanged. */
ctw_status ctw_rca__calls_build(ctw_calls *c, const ctw_rca__forest *f, const uint32_t *map, ctw_cancel *cancel,
                                const char *fn);

#endif
