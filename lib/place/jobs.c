/* jobs.c: describing the jobs. Each public setter checks, copies and replaces one column; windows that cannot
 * hold their job are refused here, where the row can be named. */
#include "place/place_internal.h"
#include <string.h>

void ctw_place__jobs_free(ctw_ctx *ctx, ctw_place__jobs *j)
{
    void *all[] = {j->id,         j->demand,      j->release,   j->deadline, j->duration, j->count,    j->region,
                   j->spread,     j->type,        j->kind,      j->movable,  j->penalty,  j->load_row, j->load_slot,
                   j->load_count, j->preemptible, j->migration, j->run_job,  j->run_unit, j->run_node, j->run_server};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(ctx, all[i]);
    memset(j, 0, sizeof *j);
}

/* Times over 2^40 slots are refused so that sums cannot overflow. */
static ctw_status check_windows(const int64_t *release, const int64_t *deadline, const int64_t *duration, size_t n,
                                const char *fn)
{
    const int64_t far = (int64_t)1 << 40;
    for (size_t i = 0; i < n; i++) {
        int64_t a = ctw_place__i64(release, i, 0), d = ctw_place__i64(duration, i, 1);
        int64_t z = ctw_place__i64(deadline, i, far);
        if (a < 0 || a > far) {
            return ctw_base__fail(CTW_E_RANGE, "%s: release[%zu] is %lld, must be in [0, 2^40]", fn, i, (long long)a);
        }
        if (d < 1 || d > far) {
            return ctw_base__fail(CTW_E_RANGE, "%s: duration[%zu] is %lld, must be in [1, 2^40]", fn, i, (long long)d);
        }
        if (z < a || z - a < d || z > far) {
            return ctw_base__fail(CTW_E_RANGE, "%s: row %zu: the window [%lld, %lld) is shorter than the duration %lld",
                                  fn, i, (long long)a, (long long)z, (long long)d);
        }
    }
    return CTW_OK;
}

static ctw_status fill_jobs(ctw_ctx *ctx, ctw_place__jobs *j, const int64_t *id, const double *demand, uint64_t stride,
                            const int64_t *release, const int64_t *deadline, const int64_t *duration, const char *fn)
{
    const int64_t far = (int64_t)1 << 40;
    CTW_TRY(ctw_place__copy_matrix(ctx, demand, j->n, j->r, stride, &j->demand, fn, "demand"));
    CTW_TRY(ctw_place__copy_ids(ctx, id, j->n, &j->id, fn));
    CTW_TRY(check_windows(release, deadline, duration, j->n, fn));
    CTW_TRY(ctw_place__set_i64(ctx, &j->release, release, j->n, 0, far, fn, "release"));
    CTW_TRY(ctw_place__set_i64(ctx, &j->deadline, deadline, j->n, 0, far, fn, "deadline"));
    return ctw_place__set_i64(ctx, &j->duration, duration, j->n, 1, far, fn, "duration");
}

ctw_status ctw_place_set_jobs(ctw_place *p, const int64_t *id, uint64_t n, const double *demand, uint64_t r,
                              uint64_t stride, const int64_t *release, const int64_t *deadline, const int64_t *duration)
{
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_PLACE_MAGIC, __func__, "p"));
    ctw_place__jobs j;
    memset(&j, 0, sizeof j);
    ctw_status s = ctw_base__in_u64(n, 0, CTW_PLACE_MAX_UNITS, __func__, "n");
    if (s == CTW_OK) s = ctw_base__in_u64(r, 1, CTW_PLACE_MAX_RESOURCES, __func__, "r");
    if (s == CTW_OK) {
        j.n = (size_t)n;
        j.r = (size_t)r;
        s = fill_jobs(p->h.ctx, &j, id, demand, stride, release, deadline, duration, __func__);
    }
    if (s == CTW_OK) {
        ctw_place__jobs_free(p->h.ctx, &p->jobs);
        p->jobs = j;
    } else {
        ctw_place__jobs_free(p->h.ctx, &j);
    }
    ctw_base__handle_leave(&p->h);
    return s;
}

/* Enters p and checks that the column has one value per job row. */
static ctw_status enter_rows(ctw_place *p, uint64_t n, const char *fn)
{
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_PLACE_MAGIC, fn, "p"));
    if (n == p->jobs.n) return CTW_OK;
    ctw_base__handle_leave(&p->h);
    return ctw_base__fail(CTW_E_SHAPE, "%s: n is %llu, there are %zu rows of jobs", fn, (unsigned long long)n,
                          p->jobs.n);
}

static ctw_status set_i64(ctw_place *p, int64_t **column, const int64_t *v, int64_t lo, int64_t hi, const char *fn,
                          const char *arg)
{
    ctw_status s = ctw_place__set_i64(p->h.ctx, column, v, p->jobs.n, lo, hi, fn, arg);
    ctw_base__handle_leave(&p->h);
    return s;
}

static ctw_status set_i32(ctw_place *p, int32_t **column, const int32_t *v, const char *fn, const char *arg)
{
    ctw_status s = ctw_place__set_i32(p->h.ctx, column, v, p->jobs.n, 0, 1, fn, arg);
    ctw_base__handle_leave(&p->h);
    return s;
}

ctw_status ctw_place_set_job_kinds(ctw_place *p, const int32_t *kind, uint64_t n)
{
    CTW_TRY(enter_rows(p, n, __func__));
    return set_i32(p, &p->jobs.kind, kind, __func__, "kind");
}

ctw_status ctw_place_set_job_preemptible(ctw_place *p, const int32_t *preemptible, uint64_t n)
{
    CTW_TRY(enter_rows(p, n, __func__));
    return set_i32(p, &p->jobs.preemptible, preemptible, __func__, "preemptible");
}

ctw_status ctw_place_set_job_counts(ctw_place *p, const int64_t *count, uint64_t n)
{
    CTW_TRY(enter_rows(p, n, __func__));
    return set_i64(p, &p->jobs.count, count, 0, CTW_PLACE_MAX_UNITS, __func__, "count");
}

ctw_status ctw_place_set_job_spread(ctw_place *p, const int64_t *max_per_server, uint64_t n)
{
    CTW_TRY(enter_rows(p, n, __func__));
    return set_i64(p, &p->jobs.spread, max_per_server, 0, CTW_PLACE_MAX_UNITS, __func__, "max_per_server");
}

ctw_status ctw_place_set_job_types(ctw_place *p, const int64_t *type, uint64_t n)
{
    CTW_TRY(enter_rows(p, n, __func__));
    return set_i64(p, &p->jobs.type, type, -1, INT64_MAX, __func__, "type");
}

ctw_status ctw_place_set_job_penalties(ctw_place *p, const double *penalty_g, uint64_t n)
{
    CTW_TRY(enter_rows(p, n, __func__));
    ctw_status s = ctw_place__set_f64(p->h.ctx, &p->jobs.penalty, penalty_g, p->jobs.n, 1, __func__, "penalty_g");
    ctw_base__handle_leave(&p->h);
    return s;
}

ctw_status ctw_place_set_job_regions(ctw_place *p, const int64_t *region, const int32_t *movable, uint64_t n)
{
    CTW_TRY(enter_rows(p, n, __func__));
    int32_t *may = NULL;
    ctw_status s = ctw_place__set_i32(p->h.ctx, &may, movable, p->jobs.n, 0, 1, __func__, "movable");
    if (s == CTW_OK) {
        s = ctw_place__set_i64(p->h.ctx, &p->jobs.region, region, p->jobs.n, -1, CTW_PLACE_MAX_REGIONS - 1, __func__,
                               "region");
    }
    if (s == CTW_OK) {
        int32_t *old = p->jobs.movable;
        p->jobs.movable = may;
        may = old;
    }
    ctw_base__free(p->h.ctx, may);
    ctw_base__handle_leave(&p->h);
    return s;
}

static ctw_status new_loads(ctw_place *p, const int64_t *job_row, const int64_t *slot, const int64_t *count, uint64_t n,
                            const char *fn)
{
    ctw_ctx *ctx = p->h.ctx;
    CTW_TRY(ctw_base__in_u64(n, 0, (uint64_t)1 << 32, fn, "n"));
    CTW_TRY(ctw_base__need_n(job_row, n, fn, "job_row"));
    CTW_TRY(ctw_base__need_n(slot, n, fn, "slot"));
    CTW_TRY(ctw_base__need_n(count, n, fn, "count"));
    int64_t *a = NULL, *b = NULL, *c = NULL;
    size_t m = (size_t)n;
    ctw_status s = CTW_OK;
    if (m) {
        s = ctw_place__set_i64(ctx, &a, job_row, m, 0, (int64_t)p->jobs.n - 1, fn, "job_row");
        if (s == CTW_OK) s = ctw_place__set_i64(ctx, &b, slot, m, 0, CTW_PLACE_MAX_SLOTS - 1, fn, "slot");
        if (s == CTW_OK) s = ctw_place__set_i64(ctx, &c, count, m, 0, CTW_PLACE_MAX_UNITS, fn, "count");
    }
    if (s == CTW_OK) {
        ctw_place__jobs *j = &p->jobs;
        int64_t *old[] = {j->load_row, j->load_slot, j->load_count};
        j->load_row = a;
        j->load_slot = b;
        j->load_count = c;
        j->loads = m;
        a = old[0];
        b = old[1];
        c = old[2];
    }
    ctw_base__free(ctx, a);
    ctw_base__free(ctx, b);
    ctw_base__free(ctx, c);
    return s;
}

ctw_status ctw_place_set_loads(ctw_place *p, const int64_t *job_row, const int64_t *slot, const int64_t *count,
                               uint64_t n)
{
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_PLACE_MAGIC, __func__, "p"));
    ctw_status s = new_loads(p, job_row, slot, count, n, __func__);
    ctw_base__handle_leave(&p->h);
    return s;
}

ctw_status ctw_place_set_job_migration(ctw_place *p, const double *wh, uint64_t n)
{
    CTW_TRY(enter_rows(p, n, __func__));
    ctw_status s = ctw_place__set_f64(p->h.ctx, &p->jobs.migration, wh, p->jobs.n, 0, __func__, "wh");
    ctw_base__handle_leave(&p->h);
    return s;
}

static ctw_status new_running(ctw_place *p, const int64_t *const v[4], uint64_t n, const char *fn)
{
    static const char *const name[] = {"job_row", "unit", "node_row", "server"};
    ctw_place__jobs *j = &p->jobs;
    int64_t **column[] = {&j->run_job, &j->run_unit, &j->run_node, &j->run_server}, *fresh[4] = {0};
    ctw_status s = ctw_base__in_u64(n, 0, CTW_PLACE_MAX_UNITS, fn, "n");
    for (size_t i = 0; i < 4 && s == CTW_OK && n; i++) {
        int64_t most = i == 0 ? (int64_t)j->n - 1 : i == 2 ? (int64_t)p->nodes.n - 1 : CTW_PLACE_MAX_UNITS;
        s = ctw_base__need_n(v[i], n, fn, name[i]);
        if (s == CTW_OK) s = ctw_place__set_i64(p->h.ctx, fresh + i, v[i], (size_t)n, 0, most, fn, name[i]);
    }
    for (size_t i = 0; i < 4; i++) {
        int64_t *old = fresh[i];
        if (s == CTW_OK) {
            old = *column[i];
            *column[i] = fresh[i];
        }
        ctw_base__free(p->h.ctx, old);
    }
    if (s == CTW_OK) j->runs = (size_t)n;
    return s;
}

ctw_status ctw_place_set_running(ctw_place *p, const int64_t *job_row, const int64_t *unit, const int64_t *node_row,
                                 const int64_t *server, uint64_t n)
{
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_PLACE_MAGIC, __func__, "p"));
    const int64_t *const v[] = {job_row, unit, node_row, server};
    ctw_status s = new_running(p, v, n, __func__);
    ctw_base__handle_leave(&p->h);
    return s;
}
