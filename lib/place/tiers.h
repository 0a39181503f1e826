/* tiers.h: what every tier is given and what it hands back. */
#ifndef CTW_PLACE_TIERS_H
#define CTW_PLACE_TIERS_H

#include "place/plan.h"
#include "place/state.h"

typedef struct ctw_place__clock {
    double deadline; /* on ctw_base__now's clock */
    ctw_cancel *cancel;
    ctw_progress_fn progress;
    void *user;
    int32_t stop; /* CTW_STOP_TIME or CTW_STOP_CANCEL once it has rung */
    int patient;  /* the caller named a deadline and may be kept until then */
    double last;  /* when there is just time for a first fit, and nothing else may go on; INFINITY without a deadline */
    double end;   /* when the caller wants no answer rather than none yet */
} ctw_place__clock;

/* Seconds that one pass over all of a full plan's placements takes, of which packing needs about two. Deadlines leave
 * it that much; the figure is a slow core's. */
double ctw_place__pass_s(const ctw_place__inst *in);
/* Non-zero when the tier must hand back what it has. */
int ctw_place__rung(ctw_place__clock *clock);
/* CTW_E_DEADLINE once there is only time for a first fit. */
ctw_status ctw_place__too_late(const ctw_place__clock *clock);
/* Reports progress; a non-zero answer of the host rings the clock. */
void ctw_place__tell(ctw_place__clock *clock, uint64_t step, double bound, double best);

typedef struct ctw_place__answer {
    ctw_place__plan plan;
    double bound; /* -INFINITY: none */
    int32_t stop;
    const char *tier;
    int64_t nodes;         /* branch and bound */
    int64_t reserve_short; /* losses that the plan does not survive */
    double *price;         /* pools x slots x priced resources at the end, for the next start; NULL: none */
    size_t prices, resources;
    double *tariff; /* regions x slots, with caps, supply or storage */
    size_t tariffs;
    double rebate;            /* what supply and storage give back in the bound at the instance's guide */
    const ctw_solution *warm; /* to start from, or NULL */
} ctw_place__answer;

/* greedy.c: always ends with a plan; the clock is not consulted. */
ctw_status ctw_place__greedy(const ctw_place__inst *in, ctw_place__plan *plan);
/* firstfit.c: what the plan does not run yet goes where there is room first, in one pass over the plan; units that
 * run in part stay as they are. CTW_E_DEADLINE when even that does not end in time. */
ctw_status ctw_place__first_fit(const ctw_place__inst *in, ctw_place__clock *clock, ctw_place__plan *plan);
/* Places whatever the plan does not run yet, as greedily; `st` holds the plan's loads. */
ctw_status ctw_place__complete(const ctw_place__inst *in, ctw_place__state *st, ctw_place__plan *plan);
/* decompose.c: prices. */
ctw_status ctw_place__decompose(const ctw_place__inst *in, ctw_place__clock *clock, ctw_place__answer *answer);
/* bottomup.c: the per-server model; answer->plan holds a plan to start from, and is replaced by a better one. */
ctw_status ctw_place__bottomup(const ctw_place__inst *in, ctw_place__clock *clock, ctw_place__answer *answer);
ctw_status ctw_place__bottomup_mps(const ctw_place__inst *in, const char *path, const char *fn);

#endif
