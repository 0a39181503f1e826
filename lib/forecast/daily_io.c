/* daily_io.c: days, day models and ledger as file sections. Sizes come from the options and the days section
 * wherever they can, and every count is checked against the bytes that are left before anything is allocated. */
#include "forecast/daily_io.h"

#include <math.h>
#include <string.h>

static ctw_status bad(const char *what)
{
    return ctw_base__fail(CTW_E_FORMAT, "ctw_forecast_load: %s", what);
}

static void put_floats(ctw_io__writer *w, const float *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, v + i, sizeof bits);
        ctw_io__put_u32(w, bits);
    }
}

static void get_floats(ctw_io__reader *r, float *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = ctw_io__get_u32(r);
        memcpy(v + i, &bits, sizeof bits);
        if (!isfinite(v[i])) r->failed = 1;
    }
}

/* Values of which some may be NaN. */
static void put_holey(ctw_io__writer *w, const double *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ctw_io__put_u8(w, (uint8_t)(isnan(v[i]) ? 1 : 0));
        ctw_io__put_f64(w, isnan(v[i]) ? 0.0 : v[i]);
    }
}

static void get_holey(ctw_io__reader *r, double *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int hole = ctw_io__get_u8(r);
        ctw_io__get_f64s(r, v + i, 1);
        if (hole) v[i] = NAN;
    }
}

static void put_sizes(ctw_io__writer *w, const size_t *v, size_t n)
{
    for (size_t i = 0; i < n; i++) ctw_io__put_u64(w, v[i]);
}

/* n counts, each at most `most`. */
static void get_sizes(ctw_io__reader *r, size_t *v, size_t n, size_t most)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t x = ctw_io__get_u64(r);
        if (x > most) r->failed = 1;
        v[i] = r->failed ? 0 : (size_t)x;
    }
}

static void put_days(ctw_io__writer *w, const ctw_forecast *f)
{
    const ctw_forecast__days *d = &f->days;
    ctw_io__put_u64(w, d->ns);
    ctw_io__put_u64(w, d->nv);
    for (size_t v = 0; v < d->nv; v++) ctw_io__put_u8(w, (uint8_t)d->kind[v]);
    put_holey(w, d->factor, d->ns);
    ctw_io__put_i64(w, d->t0);
    ctw_io__put_i64(w, f->next_s);
    ctw_io__put_u64(w, f->day0);
    ctw_io__put_u64(w, f->tail);
    put_holey(w, f->pending, f->tail * d->ns);
    ctw_io__put_u64(w, d->n);
    ctw_io__put_raw(w, d->holes, d->n);
    ctw_io__put_raw(w, d->seen, d->n + 1);
    ctw_io__put_f64s(w, d->z, d->n * d->s);
    ctw_io__put_f64s(w, d->src, d->n * d->s * d->ns);
    put_floats(w, d->w, (d->n + 1) * d->nv * d->leads);
}

static void put_model(ctw_io__writer *w, const ctw_forecast__daymodel *m, size_t ns)
{
    const ctw_forecast__daykernel *k = &m->kernel;
    ctw_io__put_u64(w, m->x.kept);
    put_sizes(w, m->x.source, m->x.kept);
    ctw_io__put_f64s(w, m->factor, ns);
    ctw_io__put_f64s(w, m->ridge.w, m->ridge.leads * m->ridge.q * m->ridge.p);
    ctw_io__put_f64s(w, m->ridge.c, m->ridge.leads * m->ridge.q);
    ctw_io__put_u64(w, k->n);
    ctw_io__put_f64s(w, k->mu, k->days * k->p);
    ctw_io__put_f64s(w, k->scale, k->days * k->p);
    ctw_io__put_f64s(w, k->c, k->days * k->cols);
    put_floats(w, k->norm, k->days * k->n);
    put_floats(w, k->f, k->days * k->n * k->p);
    put_floats(w, k->a, k->days * k->n * k->cols);
}

static void put_ledger(ctw_io__writer *w, const ctw_forecast__ledger *g)
{
    size_t ring = g->leads / g->s + 1, keep = CTW_FORECAST__KEEP;
    ctw_io__put_u64(w, g->open);
    ctw_io__put_u64(w, g->first);
    ctw_io__put_f64(w, g->recent);
    for (size_t i = 0; i < ring; i++) ctw_io__put_u64(w, g->origin[i]);
    put_sizes(w, g->judged, ring);
    put_sizes(w, g->scores, g->leads);
    put_sizes(w, g->head, g->leads);
    ctw_io__put_f64s(w, g->z, ring * g->experts * g->leads);
    ctw_io__put_f64s(w, g->blend, ring * g->leads);
    ctw_io__put_f64s(w, g->half, ring * g->leads);
    ctw_io__put_f64s(w, g->weight, g->leads / g->s * g->experts);
    ctw_io__put_f64s(w, g->score, g->leads * keep);
    ctw_io__put_f64s(w, g->sorted, g->leads * keep);
    ctw_io__put_f64s(w, g->alpha, g->leads);
}

void ctw_forecast__daily_write(const ctw_forecast *f, ctw_io__out *o)
{
    ctw_io__out_open(o, CTW_FORECAST__DAYS, 1, 0);
    put_days(&o->w, f);
    ctw_io__out_close(o);
    ctw_io__out_open(o, CTW_FORECAST__DAYM, 1, 0);
    put_model(&o->w, &f->day, f->days.ns);
    ctw_io__out_close(o);
    ctw_io__out_open(o, CTW_FORECAST__LEDGER, 1, 0);
    put_ledger(&o->w, &f->ledger);
    ctw_io__out_close(o);
}

static ctw_status get_days(ctw_forecast *f, ctw_io__reader *r)
{
    ctw_forecast__days *d = &f->days;
    ctw_forecast__daily_shape(f);
    uint64_t ns = ctw_io__get_u64(r), nv = ctw_io__get_u64(r);
    if (ns > CTW_FEED__SOURCES || nv > CTW_FEED__WEATHER) return bad("too many sources or weather variables");
    d->ns = (size_t)ns;
    d->nv = (size_t)nv;
    for (size_t v = 0; v < d->nv; v++) d->kind[v] = ctw_io__get_u8(r);
    get_holey(r, d->factor, d->ns);
    d->t0 = ctw_io__get_i64(r);
    f->next_s = ctw_io__get_i64(r);
    f->day0 = ctw_io__get_u64(r);
    uint64_t tail = ctw_io__get_u64(r);
    int64_t far = INT64_MAX / 4;
    if (r->failed || tail >= d->s || d->t0 > far || d->t0 < -far || f->next_s > far || f->next_s < -far ||
        f->day0 > UINT64_MAX / 2)
        return bad("position out of range");
    f->tail = (size_t)tail;
    f->pending = CTW_NEW(f->h.ctx, d->s * d->ns, double);
    if (!f->pending) return CTW_E_NOMEM;
    get_holey(r, f->pending, f->tail * d->ns);
    size_t n = ctw_io__get_count(r, 8 * d->s);
    if (r->failed || n < CTW_FORECAST__WEEK + 1 || n > d->max) return bad("days cut short");
    d->cap = 0;
    CTW_TRY(ctw_forecast__days_room(f->h.ctx, d, n + 2));
    const unsigned char *holes = ctw_io__get_raw(r, n), *seen = ctw_io__get_raw(r, n + 1);
    if (!holes || !seen) return bad("days cut short");
    memcpy(d->holes, holes, n);
    for (size_t i = 0; i <= n; i++) d->seen[i] = seen[i] > 2 ? 1 : seen[i];
    ctw_io__get_f64s(r, d->z, n * d->s);
    ctw_io__get_f64s(r, d->src, n * d->s * d->ns);
    get_floats(r, d->w, (n + 1) * d->nv * d->leads);
    d->n = n;
    return r->failed ? bad("days cut short or not finite") : CTW_OK;
}

static ctw_status get_model(ctw_forecast *f, ctw_io__reader *r)
{
    ctw_forecast__daymodel *m = &f->day;
    const ctw_forecast__days *d = &f->days;
    size_t q = d->ns + 1;
    m->log = f->hist.log;
    get_sizes(r, &m->x.kept, 1, d->ns);
    get_sizes(r, m->x.source, m->x.kept, d->ns ? d->ns - 1 : 0);
    ctw_io__get_f64s(r, m->factor, d->ns);
    if (r->failed) return bad("day models cut short");
    ctw_forecast__dayx_count(&m->x, d);
    size_t p = m->x.common + m->x.special;
    if (d->leads * q * (p + 1) > r->left / 8) return bad("day models cut short");
    CTW_TRY(ctw_forecast__dayridge_alloc(f->h.ctx, &m->ridge, p, d->leads, q));
    ctw_io__get_f64s(r, m->ridge.w, d->leads * q * p);
    ctw_io__get_f64s(r, m->ridge.c, d->leads * q);
    size_t days = d->leads / d->s, n = ctw_io__get_count(r, 4 * days * (m->x.kernel + d->s * q));
    if (r->failed || !n) return bad("day models cut short");
    ctw_forecast__daykernel *k = &m->kernel;
    CTW_TRY(ctw_forecast__daykernel_alloc(f->h.ctx, k, days, n, m->x.kernel, d->s * q));
    ctw_io__get_f64s(r, k->mu, days * k->p);
    ctw_io__get_f64s(r, k->scale, days * k->p);
    ctw_io__get_f64s(r, k->c, days * k->cols);
    get_floats(r, k->norm, days * n);
    get_floats(r, k->f, days * n * k->p);
    get_floats(r, k->a, days * n * k->cols);
    return CTW_OK;
}

static ctw_status get_ledger(ctw_forecast *f, ctw_io__reader *r)
{
    ctw_forecast__ledger *g = &f->ledger;
    size_t days = f->days.leads / f->days.s, ring = days + 1, keep = CTW_FORECAST__KEEP;
    size_t experts = ctw_forecast__daymodel_experts(&f->day);
    CTW_TRY(ctw_forecast__ledger_new(f->h.ctx, g, f->days.s, f->days.leads, experts));
    if (f->model >= CTW_FORECAST__DAY) g->only = f->model - CTW_FORECAST__DAY;
    if (g->only >= (int)experts) return bad("a mix of sources without sources");
    get_sizes(r, &g->open, 1, ring);
    get_sizes(r, &g->first, 1, ring - 1);
    g->recent = ctw_io__get_f64(r);
    for (size_t i = 0; i < ring; i++) g->origin[i] = ctw_io__get_u64(r);
    get_sizes(r, g->judged, ring, days);
    get_sizes(r, g->scores, g->leads, keep);
    get_sizes(r, g->head, g->leads, keep - 1);
    ctw_io__get_f64s(r, g->z, ring * experts * g->leads);
    ctw_io__get_f64s(r, g->blend, ring * g->leads);
    ctw_io__get_f64s(r, g->half, ring * g->leads);
    ctw_io__get_f64s(r, g->weight, days * experts);
    ctw_io__get_f64s(r, g->score, g->leads * keep);
    ctw_io__get_f64s(r, g->sorted, g->leads * keep);
    ctw_io__get_f64s(r, g->alpha, g->leads);
    if (r->failed || !g->open || !isfinite(g->recent)) return bad("record cut short or out of range");
    for (size_t l = 0; l < g->leads; l++) {
        const double *v = g->sorted + l * keep;
        if (!(fabs(g->alpha[l]) < 1)) return bad("a miss rate is out of range");
        for (size_t i = 0; i < g->scores[l]; i++)
            if (v[i] < 0 || (i && v[i] < v[i - 1])) return bad("scores out of order");
    }
    return CTW_OK;
}

ctw_status ctw_forecast__daily_read(ctw_forecast *f, const ctw_io__in *in, const char *fn)
{
    const struct {
        uint32_t tag;
        const char *what;
        ctw_status (*read)(ctw_forecast *f, ctw_io__reader *r);
    } part[] = {{CTW_FORECAST__DAYS, "days", get_days},
                {CTW_FORECAST__DAYM, "day models", get_model},
                {CTW_FORECAST__LEDGER, "record", get_ledger}};
    if (!ctw_forecast__daily_fits(f, UINT64_MAX)) return bad("day models under options that have none");
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        ctw_io__reader r;
        CTW_TRY(ctw_io__in_section(in, part[i].tag, &r, fn));
        CTW_TRY(part[i].read(f, &r));
        CTW_TRY(ctw_io__in_end(&r, fn, part[i].what));
    }
    f->daily = 1;
    return CTW_OK;
}
