/* power_io.c: a device model as a file (doc/format.md, kind "POWR"): options, points, fitted numbers. Slopes
 * of the curves are computed again on loading, from the same bits, so predictions are the same bits. */
#include "power/power_internal.h"

#include "io/saving.h"
#include "power/power_params.h"
#include <math.h>
#include <string.h>

enum {
    MAJOR = 1,
    MINOR = 2,
    TAG_POINTS = CTW_FOUR('P', 'N', 'T', 'S'),
    TAG_MODEL = CTW_FOUR('M', 'O', 'D', 'L'),
    TAG_RECAL = CTW_FOUR('R', 'C', 'A', 'L'),
    TAG_TIME = CTW_FOUR('T', 'C', 'A', 'L'),
    TAG_MEMORY = CTW_FOUR('M', 'E', 'M', 'C')
};

static void put_curve(ctw_io__writer *w, const ctw_power__curve *c)
{
    ctw_io__put_vec(w, c->x, c->n);
    ctw_io__put_vec(w, c->y, c->n);
}

static void write_recal(const ctw_power__recal *r, uint32_t tag, ctw_io__out *o)
{
    const double v[] = {r->gain[0], r->gain[1], r->cov[0], r->cov[1], r->cov[2], r->error2, r->up, r->down};
    ctw_io__out_open(o, tag, 1, 0);
    ctw_io__put_i64(&o->w, r->n);
    ctw_io__put_f64s(&o->w, v, sizeof v / sizeof *v);
    ctw_io__put_u8(&o->w, (uint8_t)r->drifting);
    ctw_io__out_close(o);
}

static void write_memory(const ctw_power__memory *m, ctw_io__out *o)
{
    const double v[] = {m->idle_drop, m->busy_drop, m->p, m->a, m->b, m->c};
    ctw_io__out_open(o, TAG_MEMORY, 1, 0);
    ctw_io__put_vec(&o->w, m->mhz, m->n);
    ctw_io__put_f64s(&o->w, v, sizeof v / sizeof *v);
    ctw_io__out_close(o);
}

static ctw_status write_all(const ctw_power *p, ctw_io__out *o)
{
    const ctw_power__model *m = &p->m;
    ctw_io__out_begin(o, p->h.ctx, CTW_POWER_MAGIC, MAJOR, MINOR);
    ctw_io__out_params(o, p->params);
    ctw_io__out_open(o, TAG_POINTS, 1, 0);
    ctw_io__put_vec(&o->w, p->mhz, p->n_points);
    ctw_io__put_vec(&o->w, p->volt, p->volt ? p->n_points : 0);
    ctw_io__out_close(o);
    if (p->fitted) {
        ctw_io__out_open(o, TAG_MODEL, 1, 0);
        ctw_io__put_u8(&o->w, (uint8_t)(m->has_busy | m->has_idle << 1 | m->has_time << 2));
        ctw_io__put_f64s(&o->w, m->busy, CTW_POWER_BASIS);
        ctw_io__put_f64s(&o->w, m->idle, CTW_POWER_BASIS);
        ctw_io__put_f64(&o->w, m->peak);
        put_curve(&o->w, &m->shape);
        put_curve(&o->w, &m->spread);
        ctw_io__put_f64(&o->w, m->misfit);
        put_curve(&o->w, &m->time);
        ctw_io__put_f64(&o->w, m->top_mhz);
        ctw_io__put_vec(&o->w, m->mhz, m->n_mhz);
        ctw_io__out_close(o);
    }
    if (p->recal.n) write_recal(&p->recal, TAG_RECAL, o);
    if (p->time_recal.n) write_recal(&p->time_recal, TAG_TIME, o);
    if (p->memory.n) write_memory(&p->memory, o);
    return ctw_io__out_finish(o);
}

static ctw_status damaged(const char *fn, const char *what)
{
    return ctw_base__fail(CTW_E_FORMAT, "%s: %s in the file cannot be a power model's", fn, what);
}

/* A counted vector of at most `most` values; 0 when it does not fit. */
static int get_vec(ctw_io__reader *r, double *out, size_t most, size_t *n)
{
    *n = ctw_io__get_count(r, sizeof *out);
    if (*n > most) return 0;
    ctw_io__get_f64s(r, out, *n);
    return !r->failed;
}

static int ascending_positive(const double *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(v[i] >= 1e-6 && v[i] <= 1e12) || (i && v[i] <= v[i - 1])) return 0;
    return 1;
}

/* Knots with x ascending and y in the interval; `rising`: y must not fall. */
static int get_curve(ctw_io__reader *r, ctw_power__curve *c, double lowest, double highest, int rising)
{
    size_t ny;
    if (!get_vec(r, c->x, CTW_POWER_KNOTS, &c->n) || !get_vec(r, c->y, CTW_POWER_KNOTS, &ny) || ny != c->n) return 0;
    for (size_t i = 0; i < c->n; i++) {
        if (!(c->x[i] >= 0.0 && c->x[i] <= 1e12) || (i && c->x[i] - c->x[i - 1] < 1e-13)) return 0;
        if (!(c->y[i] >= lowest && c->y[i] <= highest) || (rising && i && c->y[i] < c->y[i - 1])) return 0;
    }
    return 1;
}

static ctw_status read_points(const ctw_io__in *in, ctw_power *p, const char *fn)
{
    ctw_io__reader r;
    CTW_TRY(ctw_io__in_section(in, TAG_POINTS, &r, fn));
    double mhz[CTW_POWER_POINTS], volt[CTW_POWER_POINTS];
    size_t n, nv;
    if (!get_vec(&r, mhz, CTW_POWER_POINTS, &n) || !get_vec(&r, volt, CTW_POWER_POINTS, &nv) || (nv && nv != n))
        return damaged(fn, "the list of points");
    CTW_TRY(ctw_io__in_end(&r, fn, "points"));
    if (n == 0) return CTW_OK;
    ctw_status s = ctw_power_set_points(p, mhz, nv ? volt : NULL, n);
    return s == CTW_E_RANGE ? damaged(fn, "the order of points") : s;
}

static int basis_valid(const double c[CTW_POWER_BASIS], int needed)
{
    double sum = 0.0;
    for (int i = 0; i < CTW_POWER_BASIS; i++) {
        if (!(c[i] >= 0.0 && c[i] <= 1e12)) return 0;
        sum += c[i];
    }
    return !needed || sum > 0.0;
}

static ctw_status read_model(const ctw_io__in *in, ctw_power *p, const char *fn)
{
    ctw_io__reader r;
    ctw_power__model *m = &p->m;
    CTW_TRY(ctw_io__in_section(in, TAG_MODEL, &r, fn));
    uint8_t flags = ctw_io__get_u8(&r);
    m->has_busy = flags & 1;
    m->has_idle = flags >> 1 & 1;
    ctw_io__get_f64s(&r, m->busy, CTW_POWER_BASIS);
    ctw_io__get_f64s(&r, m->idle, CTW_POWER_BASIS);
    m->peak = ctw_io__get_f64(&r);
    if (flags > 7 || r.failed || !(m->peak >= 0.0 && m->peak <= 1e12) || !basis_valid(m->busy, m->has_busy) ||
        !basis_valid(m->idle, m->has_idle))
        return damaged(fn, "a coefficient");
    if (!get_curve(&r, &m->shape, 0.0, 1.0, 1) || !get_curve(&r, &m->spread, 0.0, 1.0, 0))
        return damaged(fn, "a curve");
    m->misfit = ctw_io__get_f64(&r);
    if (!(m->misfit >= -1.0 && m->misfit <= 1e12)) return damaged(fn, "the misfit");
    if (!get_curve(&r, &m->time, 1e-12, 1e12, 1)) return damaged(fn, "the time curve");
    if (m->shape.n && (m->shape.x[0] > 0.0 || m->shape.x[m->shape.n - 1] < 1.0)) return damaged(fn, "the load shape");
    if ((flags >> 2 & 1) != (m->time.n > 0) || (m->time.n && m->time.x[0] < 1e-6)) return damaged(fn, "the time curve");
    m->top_mhz = ctw_io__get_f64(&r);
    if (!get_vec(&r, m->mhz, CTW_POWER_KNOTS, &m->n_mhz) || !ascending_positive(m->mhz, m->n_mhz) ||
        !(m->top_mhz >= 0.0 && m->top_mhz <= 1e12) || (m->n_mhz && m->top_mhz < m->mhz[m->n_mhz - 1]))
        return damaged(fn, "the list of frequencies");
    CTW_TRY(ctw_io__in_end(&r, fn, "model"));
    if (m->shape.n) ctw_power__curve_slopes(&m->shape);
    if (m->spread.n) ctw_power__curve_slopes(&m->spread);
    ctw_power__time_finish(m);
    p->fitted = 1;
    return CTW_OK;
}

static ctw_status read_recal(const ctw_io__in *in, uint32_t tag, ctw_power__recal *out, const char *fn)
{
    ctw_io__reader r;
    double v[8] = {0};
    CTW_TRY(ctw_io__in_section(in, tag, &r, fn));
    int64_t n = ctw_io__get_i64(&r);
    ctw_io__get_f64s(&r, v, 8);
    uint8_t drifting = ctw_io__get_u8(&r);
    CTW_TRY(ctw_io__in_end(&r, fn, "corrections"));
    *out = (ctw_power__recal){n, {v[0], v[1]}, {v[2], v[3], v[4]}, v[5], v[6], v[7], drifting};
    return drifting <= 1 && ctw_power__recal_plausible(out) ? CTW_OK : damaged(fn, "a correction");
}

static ctw_status read_memory(const ctw_io__in *in, ctw_power__memory *m, const char *fn)
{
    ctw_io__reader r;
    double v[6] = {0};
    CTW_TRY(ctw_io__in_section(in, TAG_MEMORY, &r, fn));
    int ok = get_vec(&r, m->mhz, CTW_POWER_MEMORY, &m->n) && m->n && ascending_positive(m->mhz, m->n);
    ctw_io__get_f64s(&r, v, 6);
    CTW_TRY(ctw_io__in_end(&r, fn, "memory clocks"));
    m->idle_drop = v[0];
    m->busy_drop = v[1];
    m->p = v[2];
    m->a = v[3];
    m->b = v[4];
    m->c = v[5];
    for (int i = 0; i < 6; i++) ok &= v[i] >= 0.0 && v[i] <= 1e12;
    ok &= m->p >= 1.0 && m->p <= 16.0 && m->a <= 1.0 && m->b <= 1.0 && m->c <= 1.0 && m->a + m->b + m->c > 0.5;
    return ok ? CTW_OK : damaged(fn, "a memory clock");
}

static ctw_status read_all(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_power **out, const char *fn)
{
    static const uint32_t known[] = {
        CTW_FOUR('P', 'R', 'M', 'S'), TAG_POINTS, TAG_MODEL, TAG_RECAL, TAG_TIME, TAG_MEMORY};
    ctw_io__in in;
    ctw_params *params = NULL;
    CTW_TRY(ctw_io__in_begin(&in, buf, len, CTW_POWER_MAGIC, MAJOR, fn));
    CTW_TRY(ctw_io__in_known(&in, known, sizeof known / sizeof *known, fn));
    CTW_TRY(ctw_io__in_params(&in, ctx, "power", &params, fn));
    ctw_status s = ctw_power_new(ctx, params, out);
    ctw_params_unref(params);
    if (s != CTW_OK) return s == CTW_E_RANGE ? damaged(fn, "an option") : s;
    CTW_TRY(read_points(&in, *out, fn));
    if (!ctw_io__in_has(&in, TAG_MODEL)) return CTW_OK;
    CTW_TRY(read_model(&in, *out, fn));
    if (ctw_io__in_has(&in, TAG_RECAL)) CTW_TRY(read_recal(&in, TAG_RECAL, &(*out)->recal, fn));
    if (ctw_io__in_has(&in, TAG_TIME)) {
        if (!(*out)->m.has_time) return damaged(fn, "a correction of time without a time model");
        CTW_TRY(read_recal(&in, TAG_TIME, &(*out)->time_recal, fn));
    }
    return ctw_io__in_has(&in, TAG_MEMORY) ? read_memory(&in, &(*out)->memory, fn) : CTW_OK;
}

CTW_DEFINE_SAVING(ctw_power, CTW_POWER_MAGIC, ctw_io__any_state, write_all, read_all);
