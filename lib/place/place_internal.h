/* place_internal.h: the problem as the host describes it (rows and columns, NULL column = default). Solvers do
 * not read this; they read the compiled form in inst.h. The verifier reads only this and the plan. */
#ifndef CTW_PLACE_INTERNAL_H
#define CTW_PLACE_INTERNAL_H

#include "base/handle.h"
#include <cybertwin/place.h>

#define CTW_PLACE_MAGIC    CTW_FOUR('P', 'L', 'C', 'E')
#define CTW_SOLUTION_MAGIC CTW_FOUR('S', 'O', 'L', 'N')

enum {
    CTW_PLACE_MAX_RESOURCES = 16,
    CTW_PLACE_MAX_REGIONS = 4096,
    CTW_PLACE_MAX_SLOTS = 100000,
    CTW_PLACE_MAX_SCENARIOS = 10000
};
#define CTW_PLACE_MAX_UNITS 100000000 /* servers or job units: they are counted in int32 */

typedef struct ctw_place__nodes {
    size_t n, r;
    int64_t *id;
    double *cap; /* n x r */
    int64_t *count, *region, *type, *rack;
    double *idle, *watt /* n x r */, *startup, *cap_w, *embodied;
} ctw_place__nodes;

typedef struct ctw_place__jobs {
    size_t n, r;
    int64_t *id;
    double *demand; /* n x r */
    int64_t *release, *deadline, *duration, *count, *region, *spread, *type;
    int32_t *kind, *preemptible, *movable;
    double *penalty;
    size_t loads;
    int64_t *load_row, *load_slot, *load_count;
    double *migration; /* Wh per move of a unit */
    size_t runs;       /* where units run before slot 0 */
    int64_t *run_job, *run_unit, *run_node, *run_server;
} ctw_place__jobs;

typedef enum ctw_place__mode {
    CTW_PLACE_MODE_AUTO,
    CTW_PLACE_MODE_EXACT,     /* class-aggregated branch and bound */
    CTW_PLACE_MODE_GREEDY,    /* no search */
    CTW_PLACE_MODE_DECOMPOSE, /* prices */
    CTW_PLACE_MODE_BOTTOMUP   /* the per-server model */
} ctw_place__mode;

typedef enum ctw_place__reserve {
    CTW_PLACE_RESERVE_NONE,
    CTW_PLACE_RESERVE_SERVER,
    CTW_PLACE_RESERVE_RACK
} ctw_place__reserve;

typedef struct ctw_place__opts {
    double slot_s, time_limit_s, mip_gap, throughput_min, max_migrations, max_age_s;
    int64_t max_vars, max_nodes, max_rounds;
    ctw_place__mode mode;
    ctw_place__reserve reserve;
} ctw_place__opts;

/* A region's store of energy: Wh, W, share of what is charged that comes out, g per Wh taken out, levels in Wh. */
typedef struct ctw_place__store {
    double capacity, power, efficiency, wear, start, end;
} ctw_place__store;

struct ctw_place {
    ctw_base__handle h;
    ctw_place__opts opt;
    ctw_place__nodes nodes;
    ctw_place__jobs jobs;
    size_t regions, slots;
    double *carbon; /* regions x slots; the mean of the scenarios where there are some */
    size_t scenarios;
    double *scenario, *probability; /* scenarios x regions x slots; scenarios */
    double tail;                    /* the share of scenarios that does not count; 0: expectation */
    size_t supply_regions, supply_slots, stores;
    double *supply; /* W */
    ctw_place__store *store;
    double *region_cap; /* regions, or NULL */
    size_t region_caps;
    size_t rack_caps; /* racks with a cap, ascending ids */
    int64_t *rack_id;
    double *rack_cap;
    double age; /* seconds of the forecast behind `carbon` */
    ctw_solution *warm;
    ctw_progress_fn progress;
    void *progress_user;
};

/* The host's column or its default. */
static inline int64_t ctw_place__i64(const int64_t *column, size_t i, int64_t dflt)
{
    return column ? column[i] : dflt;
}
static inline double ctw_place__f64(const double *column, size_t i, double dflt)
{
    return column ? column[i] : dflt;
}
static inline int ctw_place__flag(const int32_t *column, size_t i)
{
    return column ? column[i] != 0 : 0;
}

/* Columns (columns.c): replace *column by a checked copy of v, or by NULL when v is NULL. The old one stays on failure.
 */
ctw_status ctw_place__set_i64(ctw_ctx *ctx, int64_t **column, const int64_t *v, size_t n, int64_t lo, int64_t hi,
                              const char *fn, const char *arg);
ctw_status ctw_place__set_i32(ctw_ctx *ctx, int32_t **column, const int32_t *v, size_t n, int32_t lo, int32_t hi,
                              const char *fn, const char *arg);
/* `infinite` allows +INFINITY besides finite values >= 0. */
ctw_status ctw_place__set_f64(ctw_ctx *ctx, double **column, const double *v, size_t n, int infinite, const char *fn,
                              const char *arg);
/* A copy of n rows of r, every cell finite and >= 0; *out is the caller's. */
ctw_status ctw_place__copy_matrix(ctw_ctx *ctx, const double *x, uint64_t n, uint64_t r, uint64_t stride, double **out,
                                  const char *fn, const char *arg);
/* A copy of distinct ids, 0..n-1 for NULL. */
ctw_status ctw_place__copy_ids(ctw_ctx *ctx, const int64_t *id, size_t n, int64_t **out, const char *fn);

void ctw_place__forget_scenarios(ctw_place *p); /* place.c */
void ctw_place__nodes_free(ctw_ctx *ctx, ctw_place__nodes *nodes);
void ctw_place__jobs_free(ctw_ctx *ctx, ctw_place__jobs *jobs);

#endif
