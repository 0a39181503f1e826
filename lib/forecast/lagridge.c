/* lagridge.c: see the header. Ridge by one Cholesky factorisation of the normal equations per penalty
 * (Hoerl & Kennard 1970), with one right-hand side per lead. */
#include "forecast/lagridge.h"

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/error.h"
#include "num/blas.h"
#include "num/lapack.h"
#include <math.h>
#include <string.h>

#define DAYS   7 /* season means looked back on */
#define WAVES  3 /* harmonics of the step in the season */
#define BLOCKS 24

void ctw_forecast__lagridge_free(ctw_ctx *ctx, ctw_forecast__lagridge *m)
{
    ctw_base__free(ctx, m->mu);
    ctw_base__free(ctx, m->sd);
    ctw_base__free(ctx, m->w);
    ctw_base__free(ctx, m->c);
    ctw_base__free(ctx, m->beta);
    ctw_base__free(ctx, m->xmean);
    ctw_base__free(ctx, m->week);
    ctw_base__free(ctx, m->trust);
    ctw_base__free(ctx, m->root);
    memset(m, 0, sizeof *m);
}

void ctw_forecast__lagridge_shape(ctw_forecast__lagridge *m, const ctw_forecast__hist *h, size_t lags, size_t leads,
                                  size_t min_rows)
{
    size_t s = h->season;
    memset(m, 0, sizeof *m);
    m->lags = lags;
    m->blocks = s > lags ? (s < BLOCKS ? s : BLOCKS) : 0;
    m->p = m->lags + m->blocks + DAYS + 2 * WAVES + 6;
    m->k = h->k;
    size_t first = ctw_forecast__lagridge_first(m, h);
    if (h->n < first + min_rows + 1) return;
    size_t room = h->n - first - min_rows;
    m->leads = leads < room ? leads : room;
}

size_t ctw_forecast__lagridge_first(const ctw_forecast__lagridge *m, const ctw_forecast__hist *h)
{
    size_t back = h->season > m->lags ? h->season : m->lags;
    return h->season + back;
}

static size_t week_cell(const ctw_forecast__hist *h, size_t t)
{
    uint64_t at = h->dropped + t;
    return (size_t)(at / h->season % 7) * CTW_FORECAST__PARTS +
           (size_t)(at % h->season) * CTW_FORECAST__PARTS / h->season;
}

double ctw_forecast__lagridge_effect(const ctw_forecast__lagridge *m, const ctw_forecast__hist *h, size_t t,
                                     const double *x)
{
    double e = m->week[week_cell(h, t)];
    for (size_t j = 0; x && j < m->k; j++) e += m->beta[j] * (x[j] - m->xmean[j]);
    return e;
}

static double residual(const ctw_forecast__lagridge *m, const ctw_forecast__hist *h, size_t t)
{
    return h->d[t] - ctw_forecast__lagridge_effect(m, h, t, m->k ? h->x + t * m->k : NULL);
}

/* Mean of the residual deviations of steps [from, to). */
static double mean_of(const ctw_forecast__lagridge *m, const ctw_forecast__hist *h, size_t from, size_t to)
{
    double sum = 0;
    for (size_t t = from; t < to; t++) sum += residual(m, h, t);
    return to > from ? sum / (double)(to - from) : 0.0;
}

static void features(const ctw_forecast__lagridge *m, const ctw_forecast__hist *h, size_t o, double *f)
{
    size_t s = h->season, j = 0;
    for (size_t i = 1; i <= m->lags; i++) f[j++] = residual(m, h, o - i);
    for (size_t b = 0; b < m->blocks; b++)
        f[j++] = mean_of(m, h, o - s + b * s / m->blocks, o - s + (b + 1) * s / m->blocks);
    for (size_t k = 1; k <= DAYS; k++) f[j++] = o >= (k + 1) * s ? mean_of(m, h, o - k * s, o - (k - 1) * s) : 0.0;
    uint64_t t = h->dropped + o;
    double phase = 2.0 * M_PI * (double)(t % s) / (double)s;
    for (int k = 1; k <= WAVES; k++) {
        f[j++] = cos(k * phase);
        f[j++] = sin(k * phase);
    }
    uint64_t day = t / s % 7;
    for (uint64_t k = 1; k < 7; k++) f[j++] = day == k;
}

/* Mean deviation of each part of the week, drawn towards none where there were few. */
static void fit_week(ctw_forecast__lagridge *m, const ctw_forecast__hist *h, size_t last)
{
    size_t count[7 * CTW_FORECAST__PARTS] = {0};
    for (size_t t = h->season; t < last; t++) {
        if (h->hole[t]) continue;
        size_t c = week_cell(h, t);
        m->week[c] += h->d[t];
        count[c]++;
    }
    double each = h->season < CTW_FORECAST__PARTS ? 1.0 : (double)h->season / CTW_FORECAST__PARTS;
    for (size_t c = 0; c < 7 * CTW_FORECAST__PARTS; c++) m->week[c] /= (double)count[c] + 2.0 * each;
}

/* Ridge of the deviation on the covariates of the same step: what part of it they explain. */
static ctw_status fit_covariates(ctw_ctx *ctx, ctw_forecast__lagridge *m, const ctw_forecast__hist *h, size_t last)
{
    size_t k = m->k, s = h->season, n = 0;
    if (!k) return CTW_OK;
    ctw_num__mat g = {0}, b = {0};
    ctw_status st = ctw_num__mat_new(ctx, k, k, &g);
    if (st == CTW_OK) st = ctw_num__mat_new(ctx, k, 1, &b);
    if (st != CTW_OK) goto done;
    for (size_t t = s; t < last; t++, n++)
        for (size_t j = 0; j < k; j++) m->xmean[j] += h->x[t * k + j];
    for (size_t j = 0; j < k; j++) m->xmean[j] /= n ? (double)n : 1.0;
    for (size_t t = s; t < last; t++) {
        if (h->hole[t]) continue;
        for (size_t j = 0; j < k; j++) {
            double xj = h->x[t * k + j] - m->xmean[j];
            b.a[j] += xj * (h->d[t] - m->week[week_cell(h, t)]);
            for (size_t i = j; i < k; i++) CTW_AT(&g, i, j) += xj * (h->x[t * k + i] - m->xmean[i]);
        }
    }
    for (size_t j = 0; j < k; j++) CTW_AT(&g, j, j) = CTW_AT(&g, j, j) * 1.001 + 1e-12;
    st = ctw_num__chol(&g);
    if (st == CTW_OK) st = ctw_num__chol_solve(&g, &b);
    if (st == CTW_E_SINGULAR) { /* constant or huge covariates explain nothing */
        memset(b.a, 0, k * sizeof *b.a);
        st = CTW_OK;
    }
    if (st == CTW_OK) memcpy(m->beta, b.a, k * sizeof *b.a);
done:
    ctw_num__mat_free(ctx, &g);
    ctw_num__mat_free(ctx, &b);
    return st;
}

ctw_status ctw_forecast__lagridge_alloc(ctw_ctx *ctx, ctw_forecast__lagridge *m)
{
    m->mu = CTW_NEW(ctx, m->p, double);
    m->sd = CTW_NEW(ctx, m->p, double);
    m->c = CTW_NEW(ctx, m->leads, double);
    m->beta = CTW_NEW(ctx, m->k, double);
    m->xmean = CTW_NEW(ctx, m->k, double);
    m->week = CTW_NEW(ctx, 7 * CTW_FORECAST__PARTS, double);
    m->trust = CTW_NEW(ctx, m->leads, double);
    m->w = CTW_NEW(ctx, m->p * m->leads, double);
    for (size_t l = 0; m->trust && l < m->leads; l++) m->trust[l] = 1.0;
    return m->trust && m->week && m->mu && m->sd && m->c && m->beta && m->xmean && m->w ? CTW_OK : CTW_E_NOMEM;
}

/* Fills the design, standardised in place (the scales go to the model), and the centred targets. */
static void design(ctw_forecast__lagridge *m, const ctw_forecast__hist *h, const size_t *rows, size_t n, double *f,
                   ctw_num__mat *x, ctw_num__mat *y)
{
    for (size_t r = 0; r < n; r++) {
        features(m, h, rows[r], f);
        for (size_t j = 0; j < m->p; j++) CTW_AT(x, r, j) = f[j];
        for (size_t l = 0; l < m->leads; l++) {
            size_t t = rows[r] + l, first = rows[r] + l % h->season;
            double base = t == first ? h->z[t] - h->d[t] : ctw_forecast__hist_base(h, rows[r], first);
            CTW_AT(y, r, l) = h->z[t] - base - ctw_forecast__lagridge_effect(m, h, t, m->k ? h->x + t * m->k : NULL);
        }
    }
    for (size_t j = 0; j < m->p; j++) {
        double *c = &CTW_AT(x, 0, j), mean = 0, var = 0;
        for (size_t r = 0; r < n; r++) mean += c[r];
        mean /= (double)n;
        for (size_t r = 0; r < n; r++) var += (c[r] - mean) * (c[r] - mean);
        m->mu[j] = mean;
        m->sd[j] = sqrt(var / (double)n) + 1e-9;
        for (size_t r = 0; r < n; r++) c[r] = (c[r] - mean) / m->sd[j];
    }
    for (size_t l = 0; l < m->leads; l++) {
        double *c = &CTW_AT(y, 0, l), mean = 0;
        for (size_t r = 0; r < n; r++) mean += c[r];
        m->c[l] = mean / (double)n;
        for (size_t r = 0; r < n; r++) c[r] -= m->c[l];
    }
}

static ctw_status solve(ctw_ctx *ctx, ctw_forecast__lagridge *m, const ctw_num__mat *g, const ctw_num__mat *b,
                        double lambda, double n)
{
    ctw_num__mat l = {0};
    ctw_num__mat w = {.a = m->w, .rows = m->p, .cols = m->leads, .ld = m->p};
    ctw_status st = ctw_num__mat_new(ctx, m->p, m->p, &l);
    if (st != CTW_OK) return st;
    memcpy(l.a, g->a, m->p * m->p * sizeof *l.a);
    memcpy(w.a, b->a, m->p * m->leads * sizeof *w.a);
    for (size_t j = 0; j < m->p; j++) CTW_AT(&l, j, j) += lambda * n;
    st = ctw_num__chol(&l);
    if (st == CTW_OK) st = ctw_num__chol_solve(&l, &w);
    m->lambda = lambda;
    m->root = l.a; /* recursive least squares goes on from it */
    return st;
}

/* Copies the shared parts of a fitted design for one more penalty. */
static ctw_status clone(ctw_ctx *ctx, const ctw_forecast__lagridge *m, ctw_forecast__lagridge *out)
{
    *out = *m;
    out->mu = out->sd = out->w = out->c = out->beta = out->xmean = out->week = out->trust = out->root = NULL;
    CTW_TRY(ctw_forecast__lagridge_alloc(ctx, out));
    memcpy(out->mu, m->mu, m->p * sizeof *m->mu);
    memcpy(out->sd, m->sd, m->p * sizeof *m->sd);
    memcpy(out->week, m->week, 7 * CTW_FORECAST__PARTS * sizeof *m->week);
    memcpy(out->c, m->c, m->leads * sizeof *m->c);
    memcpy(out->beta, m->beta, m->k * sizeof *m->beta);
    memcpy(out->xmean, m->xmean, m->k * sizeof *m->xmean);
    return CTW_OK;
}

ctw_status ctw_forecast__lagridge_fit(ctw_ctx *ctx, ctw_forecast__lagridge *m, const ctw_forecast__hist *h,
                                      const size_t *rows, size_t n, const double *lambdas, size_t n_lambda,
                                      ctw_cancel *cancel, ctw_forecast__lagridge *out)
{
    ctw_num__mat x = {0}, y = {0}, g = {0}, b = {0};
    double *f = CTW_NEW(ctx, m->p, double);
    ctw_status st = f ? ctw_forecast__lagridge_alloc(ctx, m) : CTW_E_NOMEM;
    if (st == CTW_OK) st = ctw_num__mat_new(ctx, n, m->p, &x);
    if (st == CTW_OK) st = ctw_num__mat_new(ctx, n, m->leads, &y);
    if (st == CTW_OK) st = ctw_num__mat_new(ctx, m->p, m->p, &g);
    if (st == CTW_OK) st = ctw_num__mat_new(ctx, m->p, m->leads, &b);
    if (st == CTW_OK) {
        fit_week(m, h, rows[n - 1] + m->leads);
        st = fit_covariates(ctx, m, h, rows[n - 1] + m->leads);
    }
    if (st == CTW_OK) st = ctw_base__stopped(cancel, "ctw_forecast_fit");
    if (st == CTW_OK) {
        design(m, h, rows, n, f, &x, &y);
        ctw_num__syrk(1, 1.0, &x, 0.0, &g);
        ctw_num__gemm(1, 0, 1.0, &x, &y, 0.0, &b);
    }
    for (size_t i = 0; st == CTW_OK && i < n_lambda; i++) {
        st = clone(ctx, m, &out[i]);
        if (st == CTW_OK) st = solve(ctx, &out[i], &g, &b, lambdas[i], (double)n);
        if (st == CTW_OK) st = ctw_base__stopped(cancel, "ctw_forecast_fit");
    }
    ctw_base__free(ctx, f);
    ctw_num__mat_free(ctx, &x);
    ctw_num__mat_free(ctx, &y);
    ctw_num__mat_free(ctx, &g);
    ctw_num__mat_free(ctx, &b);
    return st;
}

void ctw_forecast__lagridge_features(const ctw_forecast__lagridge *m, const ctw_forecast__hist *h, size_t o, double *f)
{
    features(m, h, o, f);
    for (size_t j = 0; j < m->p; j++) f[j] = (f[j] - m->mu[j]) / m->sd[j];
}

void ctw_forecast__lagridge_predict(const ctw_forecast__lagridge *m, const ctw_forecast__hist *h, size_t o, size_t n,
                                    double *scratch, double *out)
{
    ctw_forecast__lagridge_features(m, h, o, scratch);
    for (size_t l = 0; l < n; l++) out[l] = m->trust[l] * (m->c[l] + ctw_num__dot(m->p, scratch, m->w + l * m->p));
}
