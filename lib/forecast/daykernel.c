/* daykernel.c: K = exp(-|a-b|^2 / 2 l^2) + c a.b over features whose groups are scaled to fixed weights
 * (Rasmussen & Williams 2006, eq. 2.25 and 4.9), with Huber's pseudo-values. Features and weights are kept in
 * single precision: half the memory traffic of a forecast, and far finer than the data. */
#include "forecast/daykernel.h"

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/error.h"
#include "forecast/robust.h"
#include "num/blas.h"
#include "num/lapack.h"
#include <math.h>
#include <string.h>

#define LENGTH 1.2
#define LINEAR 0.3
#define ROUNDS 2
#define EDGE   1.5

void ctw_forecast__daykernel_free(ctw_ctx *ctx, ctw_forecast__daykernel *m)
{
    ctw_base__free(ctx, m->mu);
    ctw_base__free(ctx, m->scale);
    ctw_base__free(ctx, m->f);
    ctw_base__free(ctx, m->norm);
    ctw_base__free(ctx, m->a);
    ctw_base__free(ctx, m->c);
    memset(m, 0, sizeof *m);
}

ctw_status ctw_forecast__daykernel_alloc(ctw_ctx *ctx, ctw_forecast__daykernel *m, size_t days, size_t n, size_t p,
                                         size_t cols)
{
    m->days = days;
    m->n = n;
    m->p = p;
    m->cols = cols;
    m->mu = CTW_NEW(ctx, days * p, double);
    m->scale = CTW_NEW(ctx, days * p, double);
    m->f = ctw_base__alloc(ctx, days * n, p * sizeof *m->f);
    m->norm = CTW_NEW(ctx, days * n, float);
    m->a = ctw_base__alloc(ctx, days * cols, n * sizeof *m->a);
    m->c = CTW_NEW(ctx, days * cols, double);
    return m->mu && m->scale && m->f && m->norm && m->a && m->c ? CTW_OK : CTW_E_NOMEM;
}

/* Centres each feature, gives each group its weight's share of the squared length, stores them as floats. */
static void scale_features(ctw_forecast__daykernel *m, size_t j, double *x, const size_t *group, const double *weight,
                           size_t groups, double *square)
{
    size_t n = m->n, p = m->p;
    double *mu = m->mu + j * p, *scale = m->scale + j * p, total = 0;
    memset(mu, 0, p * sizeof *mu);
    memset(square, 0, groups * sizeof *square);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < p; k++) mu[k] += x[i * p + k] / (double)n;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < p; k++) square[group[k]] += (x[i * p + k] - mu[k]) * (x[i * p + k] - mu[k]);
    for (size_t g = 0; g < groups; g++)
        if (square[g] > 1e-12 * (double)n) total += weight[g];
    for (size_t k = 0; k < p; k++) {
        double sq = square[group[k]] / (double)n;
        scale[k] = sq > 1e-12 ? sqrt(weight[group[k]] / total / sq) : 0.0;
    }
    float *f = m->f + j * n * p, *norm = m->norm + j * n;
    for (size_t i = 0; i < n; i++) {
        float sum = 0;
        for (size_t k = 0; k < p; k++) {
            float v = (float)((x[i * p + k] - mu[k]) * scale[k]);
            f[i * p + k] = v;
            sum += v * v;
        }
        norm[i] = sum;
    }
}

static double kernel(float dot, float na, float nb)
{
    float d2 = na + nb - 2.0f * dot;
    return (double)(expf(-(d2 > 0 ? d2 : 0) / (float)(2 * LENGTH * LENGTH)) + (float)LINEAR * dot);
}

static ctw_status gram(ctw_ctx *ctx, const ctw_forecast__daykernel *m, size_t j, const double *noise, ctw_num__mat *k)
{
    size_t n = m->n, p = m->p;
    const float *f = m->f + j * n * p, *norm = m->norm + j * n;
    float *g = ctw_base__alloc(ctx, n * n, sizeof *g);
    if (!g) return CTW_E_NOMEM;
    ctw_num__sgemm(1, 0, n, n, p, 1.0f, f, p, f, p, 0.0f, g, n);
    for (size_t c = 0; c < n; c++) {
        for (size_t r = c; r < n; r++) CTW_AT(k, r, c) = kernel(g[r + c * n], norm[r], norm[c]);
        CTW_AT(k, c, c) += noise[c];
    }
    ctw_base__free(ctx, g);
    return CTW_OK;
}

/* Weights for the targets in y (n x cols), and their means, `stride` apart. */
static ctw_status solve(const ctw_num__mat *l, const ctw_num__mat *y, ctw_num__mat *a, double *mean, size_t stride)
{
    for (size_t c = 0; c < y->cols; c++) {
        double sum = 0;
        for (size_t i = 0; i < y->rows; i++) sum += CTW_AT(y, i, c);
        mean[c * stride] = sum / (double)y->rows;
        for (size_t i = 0; i < y->rows; i++) CTW_AT(a, i, c) = CTW_AT(y, i, c) - mean[c * stride];
    }
    return ctw_num__chol_solve(l, a);
}

/* All targets by least squares, then rounds of pseudo-values for every q-th one: the steps of the series itself.
 * The sources keep the squared loss, see dayridge.c. */
static ctw_status solve_all(ctw_ctx *ctx, ctw_forecast__daykernel *m, size_t j, size_t q, const ctw_num__mat *k,
                            const double *y, const double *noise, ctw_cancel *cancel)
{
    size_t n = m->n, own = m->cols / q;
    ctw_num__mat t = {0}, a = {0}, u = {0}, b = {0};
    double *scratch = CTW_NEW(ctx, n, double), *mean = m->c + j * m->cols;
    ctw_status s = scratch ? ctw_num__mat_new(ctx, n, m->cols, &t) : CTW_E_NOMEM;
    if (s == CTW_OK) s = ctw_num__mat_new(ctx, n, m->cols, &a);
    if (s == CTW_OK) s = ctw_num__mat_new(ctx, n, own, &u);
    if (s == CTW_OK) s = ctw_num__mat_new(ctx, n, own, &b);
    if (s == CTW_OK) {
        for (size_t i = 0; i < n; i++)
            for (size_t c = 0; c < m->cols; c++) CTW_AT(&t, i, c) = y[i * m->cols + c];
        s = solve(k, &t, &a, mean, 1);
    }
    for (size_t c = 0; s == CTW_OK && c < own; c++) {
        memcpy(&CTW_AT(&u, 0, c), &CTW_AT(&t, 0, c * q), n * sizeof(double));
        memcpy(&CTW_AT(&b, 0, c), &CTW_AT(&a, 0, c * q), n * sizeof(double));
    }
    for (int round = 0; s == CTW_OK && round < ROUNDS; round++) {
        for (size_t c = 0; c < own; c++) {
            /* (K + D) b = u - mean, so the fitted values mean + K b are u - D b. */
            for (size_t i = 0; i < n; i++) CTW_AT(&u, i, c) -= noise[i] * CTW_AT(&b, i, c);
            ctw_forecast__huber(&CTW_AT(&u, 0, c), y + c * q, m->cols, n, EDGE, scratch);
        }
        s = ctw_base__stopped(cancel, "ctw_forecast_fit");
        if (s == CTW_OK) s = solve(k, &u, &b, mean, q);
    }
    for (size_t c = 0; s == CTW_OK && c < m->cols; c++) {
        float *to = m->a + (j * m->cols + c) * n;
        const double *from = c % q ? &CTW_AT(&a, 0, c) : &CTW_AT(&b, 0, c / q);
        for (size_t i = 0; i < n; i++) to[i] = (float)from[i];
    }
    ctw_num__mat_free(ctx, &t);
    ctw_num__mat_free(ctx, &a);
    ctw_num__mat_free(ctx, &u);
    ctw_num__mat_free(ctx, &b);
    ctw_base__free(ctx, scratch);
    return s;
}

ctw_status ctw_forecast__daykernel_fit(ctw_ctx *ctx, ctw_forecast__daykernel *m, size_t j, double *x,
                                       const size_t *group, const double *weight, size_t groups, const double *y,
                                       size_t q, const double *noise, ctw_cancel *cancel)
{
    size_t n = m->n;
    ctw_num__mat k = {0};
    double *square = CTW_NEW(ctx, groups, double);
    ctw_status s = square ? ctw_num__mat_new(ctx, n, n, &k) : CTW_E_NOMEM;
    if (s == CTW_OK) s = ctw_base__stopped(cancel, "ctw_forecast_fit");
    if (s == CTW_OK) {
        scale_features(m, j, x, group, weight, groups, square);
        s = gram(ctx, m, j, noise, &k);
    }
    if (s == CTW_OK) s = ctw_num__chol(&k);
    if (s == CTW_OK) s = solve_all(ctx, m, j, q, &k, y, noise, cancel);
    ctw_num__mat_free(ctx, &k);
    ctw_base__free(ctx, square);
    return s;
}

void ctw_forecast__daykernel_predict(const ctw_forecast__daykernel *m, size_t j, const double *x, float *scratch,
                                     double *out)
{
    size_t n = m->n, p = m->p;
    const double *mu = m->mu + j * p, *scale = m->scale + j * p;
    float *q = scratch, *dot = q + p, *row = dot + n, *sum = row + n, nq = 0;
    for (size_t k = 0; k < p; k++) {
        q[k] = (float)((x[k] - mu[k]) * scale[k]);
        nq += q[k] * q[k];
    }
    ctw_num__sgemm(1, 0, n, 1, p, 1.0f, m->f + j * n * p, p, q, p, 0.0f, dot, n);
    for (size_t i = 0; i < n; i++) row[i] = (float)kernel(dot[i], m->norm[j * n + i], nq);
    ctw_num__sgemm(1, 0, m->cols, 1, n, 1.0f, m->a + j * m->cols * n, n, row, n, 0.0f, sum, m->cols);
    for (size_t c = 0; c < m->cols; c++) out[c] = m->c[j * m->cols + c] + (double)sum[c];
}
