/* dayridge.c: weighted ridge with Huber's loss by pseudo-values; see the header and robust.h. */
#include "forecast/dayridge.h"

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/error.h"
#include "forecast/robust.h"
#include "num/blas.h"
#include "num/lapack.h"
#include <math.h>
#include <string.h>

#define ROUNDS 2   /* of pseudo-values */
#define EDGE   1.0 /* robust deviations */

void ctw_forecast__dayridge_free(ctw_ctx *ctx, ctw_forecast__dayridge *m)
{
    ctw_base__free(ctx, m->w);
    ctw_base__free(ctx, m->c);
    memset(m, 0, sizeof *m);
}

ctw_status ctw_forecast__dayridge_alloc(ctw_ctx *ctx, ctw_forecast__dayridge *m, size_t p, size_t leads, size_t q)
{
    m->p = p;
    m->leads = leads;
    m->q = q;
    m->w = CTW_NEW(ctx, p * leads * q, double);
    m->c = CTW_NEW(ctx, leads * q, double);
    return m->w && m->c ? CTW_OK : CTW_E_NOMEM;
}

typedef struct work {
    ctw_num__mat x; /* p x n: standardised, times the root of the weight */
    ctw_num__mat g; /* p x p */
    ctw_num__mat y; /* n x q */
    ctw_num__mat t; /* n x q: centred targets times the root of the weight, then fitted values */
    ctw_num__mat b; /* p x q */
    double *mu, *sd, *root, *scratch, *centre;
    const double *weight;
    size_t n;
} work;

static void work_free(ctw_ctx *ctx, work *k)
{
    ctw_num__mat_free(ctx, &k->x);
    ctw_num__mat_free(ctx, &k->g);
    ctw_num__mat_free(ctx, &k->y);
    ctw_num__mat_free(ctx, &k->t);
    ctw_num__mat_free(ctx, &k->b);
    ctw_base__free(ctx, k->mu);
}

static ctw_status work_new(ctw_ctx *ctx, work *k, size_t n, size_t p, size_t q)
{
    CTW_TRY(ctw_num__mat_new(ctx, p, n, &k->x));
    CTW_TRY(ctw_num__mat_new(ctx, p, p, &k->g));
    CTW_TRY(ctw_num__mat_new(ctx, n, q, &k->y));
    CTW_TRY(ctw_num__mat_new(ctx, n, q, &k->t));
    CTW_TRY(ctw_num__mat_new(ctx, p, q, &k->b));
    k->mu = CTW_NEW(ctx, 2 * p + 2 * n + q, double);
    if (!k->mu) return CTW_E_NOMEM;
    k->sd = k->mu + p;
    k->root = k->sd + p;
    k->scratch = k->root + n;
    k->centre = k->scratch + n;
    k->n = n;
    return CTW_OK;
}

/* Rows of lead l, standardised under the weights. */
static void gather(work *k, ctw_forecast__dayridge_row row, const void *user, size_t p, size_t l)
{
    size_t n = k->n;
    memset(k->mu, 0, 2 * p * sizeof *k->mu);
    for (size_t i = 0; i < n; i++) {
        double *to = &CTW_AT(&k->x, 0, i);
        row(user, i, l, to);
        for (size_t j = 0; j < p; j++) k->mu[j] += k->weight[i] * to[j];
    }
    for (size_t i = 0; i < n; i++) {
        double *to = &CTW_AT(&k->x, 0, i);
        for (size_t j = 0; j < p; j++) {
            to[j] -= k->mu[j];
            k->sd[j] += k->weight[i] * to[j] * to[j];
        }
    }
    for (size_t j = 0; j < p; j++) k->sd[j] = 1.0 / (sqrt(k->sd[j]) + 1e-9);
    for (size_t i = 0; i < n; i++) {
        double *to = &CTW_AT(&k->x, 0, i);
        for (size_t j = 0; j < p; j++) to[j] *= k->sd[j] * k->root[i];
    }
}

/* Coefficients for the first `q` targets that stand in k->y, the factor in k->g. */
static ctw_status solve(work *k, size_t q)
{
    ctw_num__mat t = k->t, b = k->b;
    t.cols = b.cols = q;
    for (size_t c = 0; c < q; c++) {
        const double *y = &CTW_AT(&k->y, 0, c);
        double mean = 0;
        for (size_t i = 0; i < k->n; i++) mean += k->weight[i] * y[i];
        k->centre[c] = mean;
        double *to = &CTW_AT(&t, 0, c);
        for (size_t i = 0; i < k->n; i++) to[i] = (y[i] - mean) * k->root[i];
    }
    ctw_num__gemm(0, 0, 1.0, &k->x, &t, 0.0, &b);
    return ctw_num__chol_solve(&k->g, &b);
}

/* Pseudo-values of the series, the first target, for the next round. The sources keep the squared loss: their
 * outliers are outages, which the mixture must follow. */
static void pull_in(work *k, const ctw_forecast__dayridge *m, const double *y, size_t l)
{
    double *to = k->y.a, *fit = k->t.a;
    ctw_num__gemv(1, 1.0, &k->x, k->b.a, 0.0, fit);
    for (size_t i = 0; i < k->n; i++) to[i] = k->centre[0] + fit[i] / k->root[i];
    ctw_forecast__huber(to, y + l * m->q, m->leads * m->q, k->n, EDGE, k->scratch);
}

static void store(const work *k, ctw_forecast__dayridge *m, size_t l)
{
    for (size_t c = 0; c < m->q; c++) {
        double *w = m->w + (l * m->q + c) * m->p, at = k->centre[c];
        for (size_t j = 0; j < m->p; j++) {
            w[j] = CTW_AT(&k->b, j, c) * k->sd[j];
            at -= w[j] * k->mu[j];
        }
        m->c[l * m->q + c] = at;
    }
}

/* k->x holds the rows of lead l. */
static ctw_status fit_lead(work *k, ctw_forecast__dayridge *m, const double *y, double lambda, size_t l)
{
    for (size_t c = 0; c < m->q; c++)
        for (size_t i = 0; i < k->n; i++) CTW_AT(&k->y, i, c) = y[(i * m->leads + l) * m->q + c];
    ctw_num__syrk(0, 1.0, &k->x, 0.0, &k->g);
    for (size_t j = 0; j < m->p; j++) CTW_AT(&k->g, j, j) += lambda;
    CTW_TRY(ctw_num__chol(&k->g));
    CTW_TRY(solve(k, m->q));
    for (int round = 0; round < ROUNDS; round++) {
        pull_in(k, m, y, l);
        CTW_TRY(solve(k, 1));
    }
    store(k, m, l);
    return CTW_OK;
}

ctw_status ctw_forecast__dayridge_fit(ctw_ctx *ctx, ctw_forecast__dayridge *m, ctw_forecast__dayridge_row row,
                                      const void *user, const double *y, const double *weight, size_t n, double lambda,
                                      ctw_cancel *cancel)
{
    work k = {.weight = weight};
    ctw_status s = work_new(ctx, &k, n, m->p, m->q);
    for (size_t i = 0; s == CTW_OK && i < n; i++) k.root[i] = sqrt(weight[i]);
    for (size_t l = 0; s == CTW_OK && l < m->leads; l++) {
        s = ctw_base__stopped(cancel, "ctw_forecast_fit");
        if (s == CTW_OK) gather(&k, row, user, m->p, l);
        if (s == CTW_OK) s = fit_lead(&k, m, y, lambda, l);
    }
    work_free(ctx, &k);
    return s;
}

void ctw_forecast__dayridge_predict(const ctw_forecast__dayridge *m, const double *x, double *out)
{
    for (size_t l = 0; l < m->leads; l++)
        for (size_t c = 0; c < m->q; c++)
            out[l * m->q + c] = m->c[l * m->q + c] + ctw_num__dot(m->p, x + l * m->p, m->w + (l * m->q + c) * m->p);
}
