/* way_io.c: see the header. Sizes follow from options and history; what the file says is checked against them. */
#include "forecast/way_io.h"

#include <math.h>

static ctw_status bad(const char *what)
{
    return ctw_base__fail(CTW_E_FORMAT, "ctw_forecast_load: %s", what);
}

static int has_way(const ctw_forecast *f)
{
    return f->blend.w || (f->chosen >= CTW_FORECAST__SMOOTHING && f->chosen < CTW_FORECAST__DAY);
}

void ctw_forecast__way_write(const ctw_forecast *f, ctw_io__out *o)
{
    const ctw_forecast__rls *m = &f->rls;
    if (ctw_forecast__calendar_width(&f->cal)) {
        ctw_io__out_open(o, CTW_FORECAST__CALENDAR, 1, 0);
        ctw_io__put_i64(&o->w, f->next_s);
        ctw_io__put_i64(&o->w, f->days.shift);
        ctw_io__put_u64(&o->w, f->cal.n);
        for (size_t i = 0; i < f->cal.n; i++) ctw_io__put_i64(&o->w, f->cal.day[i]);
        ctw_io__out_close(o);
    }
    if (!has_way(f)) return;
    ctw_io__out_open(o, CTW_FORECAST__WAY, 1, 0);
    ctw_io__put_i64(&o->w, f->next_s);
    ctw_io__put_f64(&o->w, f->alpha);
    if (f->blend.w) ctw_io__put_f64s(&o->w, f->blend.w, f->blend.groups * CTW_FORECAST__PARTS_MIXED);
    if (f->climate.season) ctw_io__put_f64s(&o->w, f->climate.c, f->season * CTW_FORECAST__SHAPE + 7);
    if (m->p) {
        ctw_io__put_f64(&o->w, m->start);
        ctw_io__put_u64(&o->w, m->origin);
        ctw_io__put_u64(&o->w, m->restarts);
        ctw_io__put_f64s(&o->w, m->s, m->p * m->p);
        ctw_io__put_f64s(&o->w, m->w, m->leads * m->p);
        ctw_io__put_f64s(&o->w, m->x, m->leads * m->p);
        ctw_io__put_f64s(&o->w, m->k, m->leads * m->p);
    }
    ctw_io__out_close(o);
}

static ctw_status get_time(ctw_io__reader *r, int64_t *out)
{
    int64_t far = INT64_MAX / 4;
    *out = ctw_io__get_i64(r);
    return r->failed || *out > far || *out < -far ? bad("a time is out of range") : CTW_OK;
}

static ctw_status get_calendar(ctw_forecast *f, ctw_io__reader *r)
{
    CTW_TRY(get_time(r, &f->next_s));
    CTW_TRY(get_time(r, &f->days.shift));
    size_t n = ctw_io__get_count(r, 8);
    if (r->failed) return bad("calendar cut short");
    int64_t *day = CTW_NEW(f->h.ctx, n + 1, int64_t);
    if (!day) return CTW_E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        day[i] = ctw_io__get_i64(r);
        if (i && day[i] <= day[i - 1]) r->failed = 1;
    }
    ctw_base__free(f->h.ctx, f->cal.day);
    f->cal.day = day;
    f->cal.n = n;
    return r->failed ? bad("holidays cut short or out of order") : CTW_OK;
}

ctw_status ctw_forecast__calendar_read(ctw_forecast *f, const ctw_io__in *in, const char *fn)
{
    ctw_io__reader r;
    if (ctw_io__in_has(in, CTW_FORECAST__CALENDAR)) {
        CTW_TRY(ctw_io__in_section(in, CTW_FORECAST__CALENDAR, &r, fn));
        CTW_TRY(get_calendar(f, &r));
        CTW_TRY(ctw_io__in_end(&r, fn, "calendar"));
    } else if (f->cal.sun) {
        return bad("a place without its calendar");
    }
    size_t built_in = ctw_forecast__calendar_width(&f->cal);
    if (f->hist.k < built_in) return bad("covariates of another calendar");
    f->user_k = f->hist.k - built_in;
    f->row = CTW_NEW(f->h.ctx, f->hist.k + 1, double);
    return f->row ? CTW_OK : CTW_E_NOMEM;
}

static ctw_status get_rls(ctw_forecast *f, ctw_io__reader *r)
{
    ctw_forecast__rls *m = &f->rls;
    size_t p = f->ridge.p + 1, leads = f->ridge.leads;
    if (p * (p + 3 * leads) > r->left / 8) return bad("recursion cut short");
    CTW_TRY(ctw_forecast__rls_new(f->h.ctx, m, p, leads, ctw_forecast__forget(f)));
    m->start = ctw_io__get_f64(r);
    m->origin = ctw_io__get_u64(r);
    m->restarts = ctw_io__get_u64(r);
    ctw_io__get_f64s(r, m->s, p * p);
    ctw_io__get_f64s(r, m->w, leads * p);
    ctw_io__get_f64s(r, m->x, leads * p);
    ctw_io__get_f64s(r, m->k, leads * p);
    return r->failed || !(m->start > 0) ? bad("recursion cut short or not finite") : CTW_OK;
}

static ctw_status get_climate(ctw_forecast *f, ctw_io__reader *r)
{
    size_t n = f->season * CTW_FORECAST__SHAPE + 7;
    if (n > r->left / 8) return bad("climatology cut short");
    CTW_TRY(ctw_forecast__climate_alloc(f->h.ctx, &f->climate, f->season));
    ctw_io__get_f64s(r, f->climate.c, n);
    return r->failed ? bad("climatology not finite") : CTW_OK;
}

static ctw_status get_blend(ctw_forecast *f, ctw_io__reader *r)
{
    if (!f->ridge.leads) return bad("a blend without its regression");
    CTW_TRY(ctw_forecast__blend_alloc(f->h.ctx, &f->blend, f->ridge.leads, f->season));
    ctw_io__get_f64s(r, f->blend.w, f->blend.groups * CTW_FORECAST__PARTS_MIXED);
    return r->failed ? bad("weights cut short or not finite") : CTW_OK;
}

static ctw_status get_way(ctw_forecast *f, ctw_io__reader *r)
{
    CTW_TRY(get_time(r, &f->next_s));
    f->alpha = ctw_io__get_f64(r);
    if (r->failed || !(f->alpha >= 0 && f->alpha <= 1)) return bad("smoothing out of range");
    if (f->chosen == CTW_FORECAST__AUTO) CTW_TRY(get_blend(f, r));
    if (f->blend.w || f->chosen == CTW_FORECAST__CLIMATE) CTW_TRY(get_climate(f, r));
    return f->blend.w || f->chosen == CTW_FORECAST__RLS ? get_rls(f, r) : CTW_OK;
}

ctw_status ctw_forecast__way_read(ctw_forecast *f, const ctw_io__in *in, const char *fn)
{
    ctw_io__reader r;
    f->alpha = 0.2; /* before this section there was no other smoothing */
    if (!ctw_io__in_has(in, CTW_FORECAST__WAY))
        return f->chosen > CTW_FORECAST__SMOOTHING ? bad("model without its state") : CTW_OK;
    CTW_TRY(ctw_io__in_section(in, CTW_FORECAST__WAY, &r, fn));
    CTW_TRY(get_way(f, &r));
    return ctw_io__in_end(&r, fn, "state");
}
