/* train.c: fitting: the newest quarter of the origins is held out, judges the candidate models and
 * penalties and supplies the conformal scores; the winner is then fitted on all origins. */
#include "forecast/forecast_internal.h"

#include "base/cancel.h"
#include <math.h>
#include <string.h>

#define PENALTIES 4
#define MIN_ROWS  48
#define SMOOTHING 0.2 /* weight of a new value in the level */
#define CLASSIC   3   /* candidates without coefficients */
#define MAX_CAL   400

void ctw_forecast__point(const ctw_forecast *f, const ctw_forecast__lagridge *m, int kind, size_t o, size_t n,
                         const double *exog, size_t exog_stride, double *scratch, double *out)
{
    const ctw_forecast__hist *h = &f->hist;
    size_t s = h->season, direct = 0;
    if (kind == CTW_FORECAST__RIDGE && m->leads && o >= ctw_forecast__lagridge_first(m, h)) {
        direct = n < m->leads ? n : m->leads;
        ctw_forecast__lagridge_predict(m, h, o, direct, scratch, out);
    }
    if (kind == CTW_FORECAST__SMOOTHING) {
        ctw_forecast__smooth(h, o, n, SMOOTHING, scratch, out);
        return;
    }
    for (size_t l = 0; l < n; l++) {
        double base = ctw_forecast__hist_base(h, o, o + l);
        if (kind == CTW_FORECAST__NAIVE) {
            size_t back = o >= s ? o - s + l % s : (o ? o - 1 : 0);
            out[l] = o ? h->z[back] : 0.0;
            continue;
        }
        double dev = 0;
        if (l < direct)
            dev = out[l];
        else if (direct >= s && direct)
            dev = (out[l - s] - ctw_forecast__hist_base(h, o, o + l - s)) * 0.8;
        if (l < direct) dev += ctw_forecast__lagridge_effect(m, h, o + l, exog && m->k ? exog + l * exog_stride : NULL);
        out[l] = base + dev;
    }
}

/* The origins that may serve as rows, newest last; those around holes are left out. */
static ctw_status list_rows(ctw_forecast *f, const ctw_forecast__lagridge *shape, size_t **out, size_t *n)
{
    const ctw_forecast__hist *h = &f->hist;
    size_t first = ctw_forecast__lagridge_first(shape, h), s = h->season;
    size_t end = h->n - shape->leads, most = f->max_rows;
    size_t *rows = ctw_base__alloc(f->h.ctx, end > first ? end - first + 1 : 1, sizeof *rows);
    if (!rows) return CTW_E_NOMEM;
    size_t m = 0, holes = 0, span = s + shape->leads;
    if (end >= first && end - first + 1 > most) first = end - most + 1;
    for (size_t t = first - s; t < first + shape->leads && t < h->n; t++) holes += h->hole[t];
    for (size_t o = first; o <= end; o++) {
        if (holes * 4 <= span) rows[m++] = o;
        holes -= h->hole[o - s];
        if (o + shape->leads < h->n) holes += h->hole[o + shape->leads];
    }
    *out = rows;
    *n = m;
    return CTW_OK;
}

typedef struct candidate {
    int kind;
    const ctw_forecast__lagridge *m;
    double loss;
} candidate;

/* Mean absolute error of each candidate over the calibration origins. */
static ctw_status judge(ctw_forecast *f, candidate *c, size_t nc, const size_t *cal, size_t n, size_t leads,
                        double *scratch, double *out, ctw_cancel *cancel)
{
    const ctw_forecast__hist *h = &f->hist;
    for (size_t i = 0; i < n; i++) {
        CTW_TRY(ctw_base__stopped(cancel, "ctw_forecast_fit"));
        const double *x = h->k ? h->x + cal[i] * h->k : NULL;
        for (size_t j = 0; j < nc; j++) {
            ctw_forecast__point(f, c[j].m, c[j].kind, cal[i], leads, x, h->k, scratch, out);
            for (size_t l = 0; l < leads; l++)
                if (!h->hole[cal[i] + l]) c[j].loss += fabs(h->z[cal[i] + l] - out[l]);
        }
    }
    return CTW_OK;
}

/* How much of the ridge's deviation the held-out origins bear out, by groups of leads: least squares,
 * kept between 0 (pure profile) and 1. */
static void learn_trust(const ctw_forecast *f, ctw_forecast__lagridge *m, const size_t *cal, size_t n, double *scratch,
                        double *out)
{
    const ctw_forecast__hist *h = &f->hist;
    size_t group = (h->season + 3) / 4;
    for (size_t g = 0; g < m->leads; g += group) {
        size_t end = g + group < m->leads ? g + group : m->leads;
        double up = 0, down = 1e-12;
        for (size_t i = 0; i < n; i++) {
            ctw_forecast__lagridge_predict(m, h, cal[i], end, scratch, out);
            for (size_t l = g; l < end; l++) {
                size_t t = cal[i] + l;
                if (h->hole[t]) continue;
                double rest = h->z[t] - ctw_forecast__hist_base(h, cal[i], t) -
                              ctw_forecast__lagridge_effect(m, h, t, m->k ? h->x + t * m->k : NULL);
                up += out[l] * rest;
                down += out[l] * out[l];
            }
        }
        double a = up / down;
        for (size_t l = g; l < end; l++) m->trust[l] = a < 0 ? 0 : a > 1 ? 1 : a;
    }
}

static ctw_status calibrate(ctw_forecast *f, const candidate *c, const size_t *cal, size_t n, size_t leads,
                            double *scratch, double *out)
{
    const ctw_forecast__hist *h = &f->hist;
    size_t step = (n + MAX_CAL - 1) / MAX_CAL, m = (n + step - 1) / step;
    CTW_TRY(ctw_forecast__conform_new(f->h.ctx, leads, m, &f->conform));
    for (size_t i = 0; i < m; i++) {
        size_t o = cal[i * step];
        const double *x = h->k ? h->x + o * h->k : NULL;
        ctw_forecast__point(f, c->m, c->kind, o, leads, x, h->k, scratch, out);
        for (size_t l = 0; l < leads; l++) f->conform.score[l * m + i] = fabs(h->z[o + l] - out[l]);
    }
    ctw_forecast__conform_sort(&f->conform);
    return CTW_OK;
}

/* With too little for a held-out part: errors of the plain profile or last value at every step so far. */
static ctw_status train_short(ctw_forecast *f)
{
    const ctw_forecast__hist *h = &f->hist;
    size_t n = h->n > 1 ? h->n - 1 : 1;
    f->chosen = f->model == CTW_FORECAST__NAIVE ? CTW_FORECAST__NAIVE : CTW_FORECAST__PROFILE;
    CTW_TRY(ctw_forecast__conform_new(f->h.ctx, 1, n, &f->conform));
    for (size_t t = 1; t < h->n; t++) {
        double p;
        ctw_forecast__point(f, &f->ridge, f->chosen, t, 1, NULL, 0, NULL, &p);
        f->conform.score[t - 1] = 1.5 * fabs(h->z[t] - p);
    }
    ctw_forecast__conform_sort(&f->conform);
    return CTW_OK;
}

/* The winner of `c`, allowed to be only what the host asked for; a day model that lacks its days leaves it free. */
static const candidate *best(const candidate *c, size_t n, int asked)
{
    const candidate *w = NULL;
    for (size_t i = 0; i < n; i++)
        if ((asked == CTW_FORECAST__AUTO || asked >= CTW_FORECAST__DAY || c[i].kind == asked) &&
            (!w || c[i].loss < w->loss))
            w = &c[i];
    return w;
}

static ctw_status train_rows(ctw_forecast *f, const size_t *rows, size_t n, ctw_forecast__lagridge *shape,
                             ctw_cancel *cancel)
{
    ctw_ctx *ctx = f->h.ctx;
    ctw_forecast__lagridge trial[PENALTIES] = {{0}}, base = *shape;
    double grid[PENALTIES] = {0.003, 0.03, 0.2, 1.0};
    size_t np = f->lambda > 0 ? 1 : PENALTIES, leads = shape->leads;
    size_t n_cal = n / 4, n_fit = n - n_cal, gap = leads < n_fit / 3 ? leads : n_fit / 3;
    candidate c[PENALTIES + CLASSIC] = {
        {CTW_FORECAST__NAIVE, &base, 0}, {CTW_FORECAST__PROFILE, &base, 0}, {CTW_FORECAST__SMOOTHING, &base, 0}};
    size_t room = shape->p > f->season ? shape->p : f->season;
    double *scratch = CTW_NEW(ctx, room + leads, double);
    ctw_status st = scratch ? CTW_OK : CTW_E_NOMEM;
    if (f->lambda > 0) grid[0] = f->lambda;
    if (st == CTW_OK) st = ctw_forecast__lagridge_fit(ctx, &base, &f->hist, rows, n_fit - gap, grid, np, cancel, trial);
    for (size_t i = 0; i < np; i++) c[CLASSIC + i] = (candidate){CTW_FORECAST__RIDGE, &trial[i], 0};
    for (size_t i = 0; st == CTW_OK && i < np; i++)
        learn_trust(f, &trial[i], rows + n_fit, n_cal, scratch, scratch + room);
    if (st == CTW_OK) st = judge(f, c, np + CLASSIC, rows + n_fit, n_cal, leads, scratch, scratch + room, cancel);
    if (st == CTW_OK) {
        const candidate *w = best(c, np + CLASSIC, f->model);
        f->chosen = w->kind;
        st = calibrate(f, w, rows + n_fit, n_cal, leads, scratch, scratch + room);
        double lambda = w->kind == CTW_FORECAST__RIDGE ? w->m->lambda : grid[0];
        if (st == CTW_OK && w->kind == CTW_FORECAST__RIDGE)
            st = ctw_forecast__lagridge_fit(ctx, shape, &f->hist, rows, n, &lambda, 1, cancel, &f->ridge);
        if (st == CTW_OK && w->kind == CTW_FORECAST__RIDGE)
            memcpy(f->ridge.trust, w->m->trust, leads * sizeof *f->ridge.trust);
    }
    for (size_t i = 0; i < PENALTIES; i++) ctw_forecast__lagridge_free(ctx, &trial[i]);
    ctw_forecast__lagridge_free(ctx, &base);
    ctw_base__free(ctx, scratch);
    return st;
}

ctw_status ctw_forecast__train(ctw_forecast *f, ctw_cancel *cancel)
{
    ctw_forecast__lagridge shape;
    ctw_forecast__lagridge_shape(&shape, &f->hist, f->lags, f->horizon, MIN_ROWS);
    if (!shape.leads || f->hist.n < 3 * f->hist.season) return train_short(f);
    size_t *rows = NULL, n = 0;
    ctw_status st = list_rows(f, &shape, &rows, &n);
    if (st == CTW_OK) st = n < MIN_ROWS ? train_short(f) : train_rows(f, rows, n, &shape, cancel);
    ctw_forecast__lagridge_free(f->h.ctx, &shape);
    ctw_base__free(f->h.ctx, rows);
    return st;
}

ctw_status ctw_forecast__retrain(ctw_forecast *f, ctw_cancel *cancel)
{
    ctw_forecast__lagridge ridge = f->ridge;
    ctw_forecast__conform conform = f->conform;
    int chosen = f->chosen;
    memset(&f->ridge, 0, sizeof f->ridge);
    memset(&f->conform, 0, sizeof f->conform);
    ctw_status s = ctw_forecast__train(f, cancel);
    ctw_forecast__lagridge_free(f->h.ctx, s == CTW_OK ? &ridge : &f->ridge);
    ctw_forecast__conform_free(f->h.ctx, s == CTW_OK ? &conform : &f->conform);
    if (s != CTW_OK) {
        f->ridge = ridge;
        f->conform = conform;
        f->chosen = chosen;
    }
    return s;
}
