/* solution.c: reading a plan. Everything here is const and may be called from any thread. */
#include "place/solution.h"

int32_t ctw_solution_outcome(const ctw_solution *s)
{
    return s ? s->outcome : 0;
}

int32_t ctw_solution_stop(const ctw_solution *s)
{
    return s ? s->stop : 0;
}

uint64_t ctw_solution_placement_count(const ctw_solution *s)
{
    return s ? s->spots : 0;
}

static ctw_status check(const ctw_solution *s, uint64_t n, size_t have, const char *what, const char *fn)
{
    CTW_TRY(ctw_base__handle_check(s ? &s->h : NULL, CTW_SOLUTION_MAGIC, fn, "s"));
    if (n == have) return CTW_OK;
    return ctw_base__fail(CTW_E_SHAPE, "%s: n is %llu, the plan has %zu %s", fn, (unsigned long long)n, have, what);
}

ctw_status ctw_solution_assignment(const ctw_solution *s, int64_t *node_id, int64_t *slot, uint64_t n)
{
    CTW_TRY(check(s, n, s ? s->jobs : 0, "job rows", __func__));
    for (size_t i = 0; i < s->jobs; i++) {
        if (node_id) node_id[i] = -1;
        if (slot) slot[i] = -1;
    }
    for (size_t e = s->spots; e-- > 0;) { /* backwards: the first placement of a row is written last */
        const ctw_place__spot *x = s->spot + e;
        if (node_id) node_id[x->job_row] = s->node_id[x->node_row];
        if (slot) slot[x->job_row] = x->slot;
    }
    return CTW_OK;
}

ctw_status ctw_solution_reasons(const ctw_solution *s, int32_t *why, int64_t *delay, int64_t *missed, uint64_t n)
{
    CTW_TRY(check(s, n, s ? s->jobs : 0, "job rows", __func__));
    for (size_t i = 0; i < s->jobs; i++) {
        if (why) why[i] = (int32_t)s->why[i];
        if (delay) delay[i] = s->delay[i];
        if (missed) missed[i] = s->missed[i];
    }
    return CTW_OK;
}

ctw_status ctw_solution_placements(const ctw_solution *s, int64_t *job_row, int64_t *unit, int64_t *slot,
                                   int64_t *node_row, int64_t *server, uint64_t n)
{
    CTW_TRY(check(s, n, s ? s->spots : 0, "placements", __func__));
    for (size_t e = 0; e < s->spots; e++) {
        const ctw_place__spot *x = s->spot + e;
        if (job_row) job_row[e] = x->job_row;
        if (unit) unit[e] = x->unit;
        if (slot) slot[e] = x->slot;
        if (node_row) node_row[e] = x->node_row;
        if (server) server[e] = x->server;
    }
    return CTW_OK;
}

ctw_status ctw_solution_report(const ctw_solution *s, ctw_report **out)
{
    CTW_TRY(ctw_base__need(out, __func__, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__handle_check(s ? &s->h : NULL, CTW_SOLUTION_MAGIC, __func__, "s"));
    *out = ctw_report_ref(s->report);
    return CTW_OK;
}
