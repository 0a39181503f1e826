/* daymodel.c: builds the training rows of the day models, fits them and forecasts with them. */
#include "forecast/daymodel.h"

#include "base/alloc.h"
#include "base/error.h"
#include "forecast/hist.h"
#include "forecast/nnls.h"
#include <math.h>
#include <string.h>

#define WEEK     CTW_FORECAST__WEEK
#define NEWEST   760 /* days: older ones would weigh a sixth and double the cost */
#define MIN_ROWS 40
#define NOISE    0.1 /* kernel noise of the newest row */

void ctw_forecast__daymodel_free(ctw_ctx *ctx, ctw_forecast__daymodel *m)
{
    ctw_forecast__dayridge_free(ctx, &m->ridge);
    ctw_forecast__daykernel_free(ctx, &m->kernel);
    memset(m, 0, sizeof *m);
}

size_t ctw_forecast__daymodel_experts(const ctw_forecast__daymodel *m)
{
    return m->ridge.q > 1 ? 4 : 2;
}

/* An origin is a fair row when most of the day before it and of its outcomes were measured. */
static int fair(const ctw_forecast__days *d, size_t r, size_t lead_days)
{
    size_t holes = 0;
    for (size_t k = r - 1; k < r + lead_days; k++) holes += d->holes[k];
    return holes * 4 <= d->s * (lead_days + 1);
}

static size_t first_row(size_t to)
{
    return to > NEWEST + WEEK ? to - NEWEST : WEEK;
}

size_t ctw_forecast__daymodel_rows(const ctw_forecast__days *d, size_t to)
{
    size_t lead_days = d->leads / d->s, n = 0;
    for (size_t r = first_row(to); r + lead_days <= to; r++) n += fair(d, r, lead_days) ? 1 : 0;
    return n < MIN_ROWS ? 0 : n;
}

static void targets(const ctw_forecast__days *d, size_t r, double *y)
{
    size_t q = d->ns + 1, s = d->s;
    for (size_t hh = 0; hh < s; hh++) {
        double base = ctw_forecast__dayx_base(d, r, hh);
        for (size_t l = hh; l < d->leads; l += s) y[l * q] = ctw_forecast__day_z(d, r + l / s)[hh] - base;
        for (size_t i = 0; i < d->ns; i++) {
            double mean = 0;
            for (size_t k = 1; k <= WEEK; k++) mean += ctw_forecast__day_src(d, r - k, hh)[i] / WEEK;
            for (size_t l = hh; l < d->leads; l += s)
                y[l * q + 1 + i] = ctw_forecast__day_src(d, r + l / s, hh)[i] - mean;
        }
    }
}

/* Emission factors: those given; the others from shares and series by non-negative least squares. */
static void learn_factors(ctw_forecast__daymodel *m, const ctw_forecast__days *d, size_t to)
{
    double g[CTW_FEED__SOURCES * CTW_FEED__SOURCES] = {0}, b[CTW_FEED__SOURCES] = {0}, w[CTW_FEED__SOURCES];
    size_t ns = d->ns, open[CTW_FEED__SOURCES], n = 0;
    for (size_t i = 0; i < ns; i++) {
        m->factor[i] = d->factor[i];
        if (isnan(d->factor[i])) open[n++] = i;
    }
    if (!n) return;
    for (size_t t = 0; t < to * d->s; t++) {
        const double *e = d->src + t * ns;
        double total = 0, rest = ctw_forecast__to_y(m->log, d->z[t]);
        for (size_t i = 0; i < ns; i++) total += e[i];
        if (!(total > 0) || d->holes[t / d->s]) continue;
        for (size_t i = 0; i < ns; i++)
            if (!isnan(d->factor[i])) rest -= d->factor[i] * e[i] / total;
        for (size_t i = 0; i < n; i++) {
            double share = e[open[i]] / total;
            b[i] += share * rest;
            for (size_t k = 0; k < n; k++) g[i * n + k] += share * e[open[k]] / total;
        }
    }
    ctw_forecast__nnls(g, b, n, w);
    for (size_t i = 0; i < n; i++) m->factor[open[i]] = w[i];
}

typedef struct rows {
    size_t n, *day;
    double *origin; /* what the rows of one origin share, see dayx.h */
    double *y, *weight;
} rows;

static void rows_free(ctw_ctx *ctx, rows *w)
{
    ctw_base__free(ctx, w->day);
    ctw_base__free(ctx, w->origin);
    ctw_base__free(ctx, w->y);
    ctw_base__free(ctx, w->weight);
}

static ctw_status rows_new(ctw_ctx *ctx, rows *w, const ctw_forecast__days *d, size_t to, double half_life)
{
    size_t lead_days = d->leads / d->s, n = 0;
    double sum = 0;
    w->day = CTW_NEW(ctx, w->n, size_t);
    w->weight = CTW_NEW(ctx, w->n, double);
    w->y = ctw_base__alloc(ctx, w->n * d->leads, (d->ns + 1) * sizeof *w->y);
    if (!w->day || !w->weight || !w->y) return CTW_E_NOMEM;
    for (size_t r = first_row(to); r + lead_days <= to; r++) {
        if (!fair(d, r, lead_days)) continue;
        w->day[n] = r;
        w->weight[n] = exp2(-(double)(to - lead_days - r) / half_life);
        sum += w->weight[n];
        targets(d, r, w->y + n * d->leads * (d->ns + 1));
        n++;
    }
    for (size_t i = 0; i < n; i++) w->weight[i] /= sum;
    return CTW_OK;
}

/* Where the ridge finds its features. */
typedef struct design {
    const ctw_forecast__dayx *x;
    const ctw_forecast__days *d;
    const rows *w;
    size_t size;
} design;

static void design_row(const void *user, size_t i, size_t lead, double *out)
{
    const design *g = user;
    ctw_forecast__dayx_row(g->x, g->d, g->w->day[i], g->w->origin + i * g->size, lead, out);
}

static ctw_status fit_ridge(ctw_ctx *ctx, ctw_forecast__daymodel *m, const ctw_forecast__days *d, rows *w,
                            double lambda, ctw_cancel *cancel)
{
    design g = {&m->x, d, w, ctw_forecast__dayx_origin_size(&m->x, d)};
    CTW_TRY(ctw_forecast__dayridge_alloc(ctx, &m->ridge, m->x.common + m->x.special, d->leads, d->ns + 1));
    w->origin = ctw_base__alloc(ctx, w->n, g.size * sizeof *w->origin);
    if (!w->origin) return CTW_E_NOMEM;
    for (size_t i = 0; i < w->n; i++) ctw_forecast__dayx_origin(&m->x, d, w->day[i], w->origin + i * g.size);
    return ctw_forecast__dayridge_fit(ctx, &m->ridge, design_row, &g, w->y, w->weight, w->n, lambda, cancel);
}

static ctw_status fit_kernel(ctw_ctx *ctx, ctw_forecast__daymodel *m, const ctw_forecast__days *d, rows *w,
                             ctw_cancel *cancel)
{
    size_t p = m->x.kernel, cols = d->s * (d->ns + 1), days = d->leads / d->s;
    size_t *group = CTW_NEW(ctx, p, size_t);
    double *buf = ctw_base__alloc(ctx, p + w->n * (p + cols + 1), sizeof *buf);
    ctw_status s = group && buf ? ctw_forecast__daykernel_alloc(ctx, &m->kernel, days, w->n, p, cols) : CTW_E_NOMEM;
    for (size_t j = 0; s == CTW_OK && j < days; j++) {
        double *weight = buf, *noise = weight + p, *x = noise + w->n, *y = x + w->n * p;
        size_t groups = ctw_forecast__dayx_groups(&m->x, d, group, weight);
        for (size_t i = 0; i < w->n; i++) {
            noise[i] = NOISE * w->weight[w->n - 1] / w->weight[i];
            ctw_forecast__dayx_kernel(&m->x, d, w->day[i], j, x + i * p);
            memcpy(y + i * cols, w->y + (i * days + j) * cols, cols * sizeof *y);
        }
        s = ctw_forecast__daykernel_fit(ctx, &m->kernel, j, x, group, weight, groups, y, d->ns + 1, noise, cancel);
    }
    ctw_base__free(ctx, group);
    ctw_base__free(ctx, buf);
    return s;
}

ctw_status ctw_forecast__daymodel_fit(ctw_ctx *ctx, ctw_forecast__daymodel *m, const ctw_forecast__days *d, size_t to,
                                      int log_, double lambda, double half_life, ctw_cancel *cancel)
{
    rows w = {.n = ctw_forecast__daymodel_rows(d, to)};
    ctw_forecast__daymodel_free(ctx, m);
    if (!w.n) return ctw_base__fail(CTW_E_SHAPE, "ctw_forecast_fit: %zu days hold too few training origins", to);
    m->log = log_;
    ctw_forecast__dayx_init(&m->x, d, 0, to);
    learn_factors(m, d, to);
    ctw_status s = rows_new(ctx, &w, d, to, half_life);
    if (s == CTW_OK) s = fit_ridge(ctx, m, d, &w, lambda, cancel);
    if (s == CTW_OK) s = fit_kernel(ctx, m, d, &w, cancel);
    rows_free(ctx, &w);
    return s;
}

/* The series from the generation forecast: deviations plus the week's mean, none below zero. */
static double mixture(const ctw_forecast__daymodel *m, const ctw_forecast__days *d, size_t r, size_t hh,
                      const double *dev, double fallback)
{
    double total = 0, sum = 0;
    for (size_t i = 0; i < d->ns; i++) {
        double e = dev[i];
        for (size_t k = 1; k <= WEEK; k++) e += ctw_forecast__day_src(d, r - k, hh)[i] / WEEK;
        if (e < 0) e = 0;
        total += e;
        sum += e * m->factor[i];
    }
    double z = total > 0 ? ctw_forecast__to_z(m->log, sum / total) : NAN;
    return isfinite(z) ? z : fallback;
}

ctw_status ctw_forecast__daymodel_predict(ctw_ctx *ctx, const ctw_forecast__daymodel *m, const ctw_forecast__days *d,
                                          size_t r, double *out)
{
    size_t p = m->ridge.p, q = m->ridge.q, leads = d->leads, s = d->s;
    size_t nf = m->kernel.p + 2 * m->kernel.n + m->kernel.cols, no = ctw_forecast__dayx_origin_size(&m->x, d);
    double *x = ctw_base__alloc(ctx, leads * (p + 2 * q) + no + m->kernel.p + nf, sizeof *x);
    if (!x) return CTW_E_NOMEM;
    double *a = x + leads * p, *b = a + leads * q, *origin = b + leads * q, *kx = origin + no;
    float *scratch = (float *)(kx + m->kernel.p);
    ctw_forecast__dayx_origin(&m->x, d, r, origin);
    for (size_t l = 0; l < leads; l++) ctw_forecast__dayx_row(&m->x, d, r, origin, l, x + l * p);
    ctw_forecast__dayridge_predict(&m->ridge, x, a);
    for (size_t j = 0; j < leads / s; j++) {
        ctw_forecast__dayx_kernel(&m->x, d, r, j, kx);
        ctw_forecast__daykernel_predict(&m->kernel, j, kx, scratch, b + j * s * q);
    }
    for (size_t l = 0; l < leads; l++) {
        double base = ctw_forecast__dayx_base(d, r, l % s);
        out[l] = base + a[l * q];
        out[leads + l] = base + b[l * q];
        if (q > 1) {
            out[2 * leads + l] = mixture(m, d, r, l % s, a + l * q + 1, out[l]);
            out[3 * leads + l] = mixture(m, d, r, l % s, b + l * q + 1, out[leads + l]);
        }
    }
    ctw_base__free(ctx, x);
    return CTW_OK;
}
