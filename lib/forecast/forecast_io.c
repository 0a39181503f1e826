/* forecast_io.c: a fitted forecaster as a file (kind "FCST"): options, history, model, calibration. Whatever
 * a file says, the sizes are checked against each other before anything is used as an index. */
#include "forecast/forecast_internal.h"

#include "forecast/daily_io.h"
#include "forecast/way_io.h"
#include "io/saving.h"
#include <math.h>
#include <string.h>

#define KIND  CTW_FOUR('F', 'C', 'S', 'T')
#define HIST  CTW_FOUR('H', 'I', 'S', 'T')
#define RIDGE CTW_FOUR('R', 'I', 'D', 'G')
#define CONF  CTW_FOUR('C', 'O', 'N', 'F')
#define MAJOR 1

static void put_hist(ctw_io__writer *w, const ctw_forecast__hist *h)
{
    ctw_io__put_u8(w, (uint8_t)h->log);
    ctw_io__put_u64(w, h->dropped);
    ctw_io__put_u64(w, h->bad);
    ctw_io__put_u64(w, h->k);
    ctw_io__put_u64(w, h->n);
    for (size_t t = 0; t < h->n; t++) ctw_io__put_u8(w, (uint8_t)(h->hole[t] | (isnan(h->y[t]) ? 2 : 0)));
    for (size_t t = 0; t < h->n; t++) ctw_io__put_f64(w, isnan(h->y[t]) ? 0.0 : h->y[t]);
    ctw_io__put_f64s(w, h->z, h->n);
    ctw_io__put_f64s(w, h->d, h->n);
    ctw_io__put_f64s(w, h->x, h->n * h->k);
}

static void put_ridge(ctw_io__writer *w, const ctw_forecast__lagridge *m)
{
    ctw_io__put_u64(w, m->leads);
    if (!m->leads) return;
    ctw_io__put_u64(w, m->lags);
    ctw_io__put_u64(w, m->p);
    ctw_io__put_f64(w, m->lambda);
    ctw_io__put_f64s(w, m->mu, m->p);
    ctw_io__put_f64s(w, m->sd, m->p);
    ctw_io__put_f64s(w, m->beta, m->k);
    ctw_io__put_f64s(w, m->xmean, m->k);
    ctw_io__put_f64s(w, m->week, 7 * CTW_FORECAST__PARTS);
    ctw_io__put_f64s(w, m->trust, m->leads);
    ctw_io__put_f64s(w, m->c, m->leads);
    ctw_io__put_f64s(w, m->w, m->p * m->leads);
}

static ctw_status is_fitted(const ctw_forecast *f, const char *fn)
{
    return f->fitted ? CTW_OK : ctw_base__fail(CTW_E_STATE, "%s: the forecaster is not fitted", fn);
}

static ctw_status write_all(const ctw_forecast *f, ctw_io__out *o)
{
    ctw_io__out_begin(o, f->h.ctx, KIND, MAJOR, 0);
    ctw_io__out_params(o, f->params);
    ctw_io__out_open(o, HIST, 1, 0);
    put_hist(&o->w, &f->hist);
    ctw_io__out_close(o);
    ctw_io__out_open(o, RIDGE, 1, 0);
    ctw_io__put_u8(&o->w, (uint8_t)f->chosen);
    put_ridge(&o->w, &f->ridge);
    ctw_io__out_close(o);
    ctw_forecast__way_write(f, o);
    if (f->daily) ctw_forecast__daily_write(f, o);
    ctw_io__out_open(o, CONF, 1, 0);
    ctw_io__put_u64(&o->w, f->conform.leads);
    ctw_io__put_u64(&o->w, f->conform.n);
    ctw_io__put_f64s(&o->w, f->conform.score, f->conform.leads * f->conform.n);
    ctw_io__out_close(o);
    return CTW_OK;
}

static ctw_status bad(const char *what)
{
    return ctw_base__fail(CTW_E_FORMAT, "ctw_forecast_load: %s", what);
}

static ctw_status get_hist(ctw_forecast *f, ctw_io__reader *r)
{
    ctw_forecast__hist *h = &f->hist;
    h->season = f->season;
    h->max = (size_t)ctw_base__opt_i64(f->params, &ctw_forecast__kind, "max_history");
    h->log = ctw_io__get_u8(r) == 1;
    h->dropped = ctw_io__get_u64(r);
    h->bad = ctw_io__get_u64(r);
    uint64_t k = ctw_io__get_u64(r);
    if (k > 1000) return bad("more than 1000 covariates");
    h->k = (size_t)k;
    size_t n = ctw_io__get_count(r, 25 + 8 * (size_t)k);
    if (r->failed || !n) return bad("history cut short");
    if (h->dropped > UINT64_MAX / 2) return bad("history position out of range");
    CTW_TRY(ctw_forecast__hist_reserve(f->h.ctx, h, n));
    const unsigned char *holes = ctw_io__get_raw(r, n);
    ctw_io__get_f64s(r, h->y, n);
    ctw_io__get_f64s(r, h->z, n);
    ctw_io__get_f64s(r, h->d, n);
    ctw_io__get_f64s(r, h->x, n * h->k);
    if (r->failed) return bad("history cut short or not finite");
    for (size_t t = 0; t < n; t++) {
        h->hole[t] = holes[t] & 1;
        if (holes[t] & 2) h->y[t] = NAN;
    }
    h->n = n;
    return CTW_OK;
}

static ctw_status get_ridge(ctw_forecast *f, ctw_io__reader *r)
{
    ctw_forecast__lagridge *m = &f->ridge;
    int chosen = ctw_io__get_u8(r);
    uint64_t leads = ctw_io__get_u64(r);
    if (r->failed || chosen >= CTW_FORECAST__DAY) return bad("unknown model");
    f->chosen = chosen;
    int direct = chosen == CTW_FORECAST__RIDGE || chosen == CTW_FORECAST__RLS; /* AUTO: with, or day models */
    if (chosen != CTW_FORECAST__AUTO && direct != (leads > 0)) return bad("model without its coefficients");
    if (!leads) return CTW_OK;
    uint64_t lags = ctw_io__get_u64(r), p = ctw_io__get_u64(r);
    ctw_forecast__lagridge_shape(m, &f->hist, f->lags, 1, 0);
    if (lags != f->lags || p != m->p || leads > f->horizon) {
        m->leads = 0;
        return bad("model and options do not agree");
    }
    m->leads = (size_t)leads;
    m->lambda = ctw_io__get_f64(r);
    CTW_TRY(ctw_forecast__lagridge_alloc(f->h.ctx, m));
    ctw_io__get_f64s(r, m->mu, m->p);
    ctw_io__get_f64s(r, m->sd, m->p);
    ctw_io__get_f64s(r, m->beta, m->k);
    ctw_io__get_f64s(r, m->xmean, m->k);
    ctw_io__get_f64s(r, m->week, 7 * CTW_FORECAST__PARTS);
    ctw_io__get_f64s(r, m->trust, m->leads);
    ctw_io__get_f64s(r, m->c, m->leads);
    ctw_io__get_f64s(r, m->w, m->p * m->leads);
    for (size_t j = 0; !r->failed && j < m->p; j++)
        if (!(m->sd[j] > 0)) return bad("a scale is not positive");
    return CTW_OK;
}

static ctw_status get_conform(ctw_forecast *f, ctw_io__reader *r)
{
    uint64_t leads = ctw_io__get_u64(r), n = ctw_io__get_u64(r);
    if (f->daily && !leads && !n && !r->failed) return CTW_OK;
    if (r->failed || !leads || leads > f->horizon) return bad("calibration of another horizon");
    if (n > r->left / 8 / leads) return bad("calibration cut short");
    CTW_TRY(ctw_forecast__conform_new(f->h.ctx, (size_t)leads, (size_t)n, &f->conform));
    ctw_io__get_f64s(r, f->conform.score, (size_t)(leads * n));
    for (size_t i = 0; !r->failed && i < (size_t)(leads * n); i++)
        if (f->conform.score[i] < 0 || (i % n && f->conform.score[i] < f->conform.score[i - 1]))
            return bad("calibration scores out of order");
    return CTW_OK;
}

static ctw_status read_model(ctw_ctx *ctx, const ctw_io__in *in, ctw_forecast **out, const char *fn)
{
    ctw_params *p = NULL;
    ctw_io__reader r;
    CTW_TRY(ctw_io__in_params(in, ctx, "forecast", &p, fn));
    ctw_status s = ctw_forecast_new(ctx, p, out);
    ctw_params_unref(p);
    if (s == CTW_OK) s = ctw_io__in_section(in, HIST, &r, fn);
    if (s == CTW_OK) s = get_hist(*out, &r);
    if (s == CTW_OK) s = ctw_io__in_end(&r, fn, "history");
    if (s == CTW_OK) s = ctw_forecast__calendar_read(*out, in, fn);
    if (s == CTW_OK) s = ctw_io__in_section(in, RIDGE, &r, fn);
    if (s == CTW_OK) s = get_ridge(*out, &r);
    if (s == CTW_OK) s = ctw_io__in_end(&r, fn, "model");
    if (s == CTW_OK) s = ctw_forecast__way_read(*out, in, fn);
    if (s == CTW_OK && ctw_io__in_has(in, CTW_FORECAST__DAYS)) s = ctw_forecast__daily_read(*out, in, fn);
    if (s == CTW_OK && !(*out)->daily && (*out)->chosen == CTW_FORECAST__AUTO && !(*out)->blend.w)
        s = bad("no model at all");
    if (s == CTW_OK) s = ctw_io__in_section(in, CONF, &r, fn);
    if (s == CTW_OK) s = get_conform(*out, &r);
    if (s == CTW_OK) s = ctw_io__in_end(&r, fn, "calibration");
    return s;
}

static ctw_status read_all(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_forecast **out, const char *fn)
{
    static const uint32_t known[] = {CTW_FOUR('P', 'R', 'M', 'S'),
                                     HIST,
                                     RIDGE,
                                     CONF,
                                     CTW_FORECAST__DAYS,
                                     CTW_FORECAST__DAYM,
                                     CTW_FORECAST__LEDGER,
                                     CTW_FORECAST__CALENDAR,
                                     CTW_FORECAST__WAY};
    ctw_io__in in;
    CTW_TRY(ctw_io__in_begin(&in, buf, len, KIND, MAJOR, fn));
    CTW_TRY(ctw_io__in_known(&in, known, sizeof known / sizeof *known, fn));
    CTW_TRY(read_model(ctx, &in, out, fn));
    (*out)->fitted = 1;
    return CTW_OK;
}

CTW_DEFINE_SAVING(ctw_forecast, CTW_FORECAST__MAGIC, is_fitted, write_all, read_all);
