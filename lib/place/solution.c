/* solution.c: reading a plan. Everything here is const and may be called from any thread. */
#include "place/roll.h"
#include <string.h>

/* The next placement of a service's replica `unit` from slot `at` on. */
static int next_replica(ctw_place__walk *w, size_t index, ctw_place__spot *out)
{
    const ctw_solution *s = w->s;
    for (; w->at < s->slots; w->at++) {
        size_t cell = index * s->slots + w->at;
        if (w->unit >= s->load[cell]) continue;
        out->server = s->service_server[s->service_entry[cell] + (size_t)w->unit];
        out->slot = (int32_t)w->at;
        if (out->server < 0) continue;
        w->at++;
        return 1;
    }
    return 0;
}

static int next_slot(ctw_place__walk *w, ctw_place__spot *out)
{
    const ctw_solution *s = w->s;
    size_t u = s->unit0[w->row] + (size_t)w->unit;
    if (w->at >= (size_t)s->run[u]) return 0;
    size_t e = s->entry0[w->row] + (size_t)w->unit * (size_t)s->duration[w->row] + w->at++;
    out->slot = s->slot[e];
    out->server = s->server[e];
    return 1;
}

int ctw_place__next(ctw_place__walk *w, ctw_place__spot *out)
{
    const ctw_solution *s = w->s;
    if (s->only >= 0) {
        if (w->at >= s->spots) return 0;
        *out = s->spot[w->at++];
        return 1;
    }
    for (; w->row < s->jobs; w->row++, w->unit = 0, w->at = 0) {
        for (; w->unit < s->count[w->row]; w->unit++, w->at = 0) {
            int32_t index = s->service[w->row];
            if (!(index >= 0 ? next_replica(w, (size_t)index, out) : next_slot(w, out))) continue;
            out->job_row = (int32_t)w->row;
            out->unit = w->unit;
            out->node_row = s->server_row[out->server];
            out->server = s->server_index[out->server];
            return 1;
        }
    }
    return 0;
}

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

static ctw_status check(const ctw_solution *s, uint64_t n, uint64_t have, const char *what, const char *fn)
{
    CTW_TRY(ctw_base__handle_check(s ? &s->h : NULL, CTW_SOLUTION_MAGIC, fn, "s"));
    if (n == have) return CTW_OK;
    return ctw_base__fail(CTW_E_SHAPE, "%s: n is %llu, the plan has %llu %s", fn, (unsigned long long)n,
                          (unsigned long long)have, what);
}

ctw_status ctw_solution_assignment(const ctw_solution *s, int64_t *node_id, int64_t *slot, uint64_t n)
{
    CTW_TRY(check(s, n, s ? s->jobs : 0, "job rows", __func__));
    for (size_t i = 0; i < s->jobs; i++) {
        if (node_id) node_id[i] = -1;
        if (slot) slot[i] = -1;
    }
    ctw_place__walk w = {.s = s};
    ctw_place__spot x;
    size_t last = s->jobs;
    while (ctw_place__next(&w, &x)) {
        if ((size_t)x.job_row == last) continue;
        last = (size_t)x.job_row;
        if (node_id) node_id[last] = s->node_id[x.node_row];
        if (slot) slot[last] = x.slot;
    }
    return CTW_OK;
}

static void slot_reasons(const ctw_solution *s, int32_t *why, int64_t *delay, int64_t *missed)
{
    if (why) memset(why, 0, s->jobs * sizeof *why);
    if (delay) memset(delay, 0, s->jobs * sizeof *delay);
    if (missed) memset(missed, 0, s->jobs * sizeof *missed);
    for (size_t i = 0; i < s->notes; i++) {
        const ctw_place__note *x = s->note + i;
        if (why && (why[x->row] == CTW_WHY_ON_TIME || x->missed > 0)) why[x->row] = x->why;
        if (delay && x->delay > delay[x->row]) delay[x->row] = x->delay;
        if (missed) missed[x->row] += x->missed;
    }
}

ctw_status ctw_solution_reasons(const ctw_solution *s, int32_t *why, int64_t *delay, int64_t *missed, uint64_t n)
{
    CTW_TRY(check(s, n, s ? s->jobs : 0, "job rows", __func__));
    if (s->only >= 0) {
        slot_reasons(s, why, delay, missed);
        return CTW_OK;
    }
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
    ctw_place__walk w = {.s = s};
    ctw_place__spot x;
    for (size_t e = 0; ctw_place__next(&w, &x); e++) {
        if (job_row) job_row[e] = x.job_row;
        if (unit) unit[e] = x.unit;
        if (slot) slot[e] = x.slot;
        if (node_row) node_row[e] = x.node_row;
        if (server) server[e] = x.server;
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

/* Zeros before `from`, the row after it. */
static void copy_row(double *to, const double *row, size_t from, size_t n)
{
    if (!to) return;
    for (size_t t = 0; t < from; t++) to[t] = 0;
    memcpy(to + from, row, n * sizeof(double));
}

ctw_status ctw_solution_power(const ctw_solution *s, uint64_t region, double *draw_w, double *grid_w, double *charge_w,
                              double *discharge_w, double *level_wh, uint64_t n)
{
    CTW_TRY(check(s, n, s ? s->slots : 0, "slots", __func__));
    if (s->only >= 0) return ctw_base__fail(CTW_E_UNSUPPORTED, "%s: s is the plan of one slot", __func__);
    const ctw_solution *x = s->rest ? s->rest->s : s;
    if (region >= x->regions) {
        return ctw_base__fail(CTW_E_RANGE, "%s: region %llu, the plan has %zu", __func__, (unsigned long long)region,
                              x->regions);
    }
    size_t from = s->rest ? s->rest->now : 0, row = (size_t)region * x->slots;
    copy_row(draw_w, x->draw + row, from, x->slots);
    copy_row(grid_w, x->grid + row, from, x->slots);
    copy_row(charge_w, x->charge + row, from, x->slots);
    copy_row(discharge_w, x->discharge + row, from, x->slots);
    copy_row(level_wh, x->level + row, from, x->slots);
    return CTW_OK;
}

uint64_t ctw_solution_spare_count(const ctw_solution *s)
{
    return !s ? 0 : s->rest ? s->rest->s->spares : s->spares;
}

ctw_status ctw_solution_spares(const ctw_solution *s, int64_t *slot, int64_t *node_row, int64_t *server, uint64_t n)
{
    CTW_TRY(check(s, n, ctw_solution_spare_count(s), "spare servers", __func__));
    const ctw_solution *x = s->rest ? s->rest->s : s;
    for (size_t i = 0; i < x->spares; i++) {
        if (slot) slot[i] = x->spare_slot[i] + (s->rest ? (int64_t)s->rest->now : 0);
        if (node_row) node_row[i] = x->server_row[x->spare_server[i]];
        if (server) server[i] = x->server_index[x->spare_server[i]];
    }
    return CTW_OK;
}
