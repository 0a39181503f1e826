/* rls.c: Potter's square-root form of recursive least squares with exponential forgetting (Potter 1963; Bierman
 * 1977, section V.2; Haykin 2002, chapter 14): the covariance is kept as S S', which rounding cannot make
 * indefinite or unsymmetric. The gain depends on features alone, so it is computed when an origin begins and applied
 * lead by lead as the outcomes arrive: exactly the recursion of each lead, though leads end at different times. */
#include "forecast/rls.h"

#include "base/alloc.h"
#include "base/error.h"
#include "num/blas.h"
#include "num/lapack.h"
#include <math.h>
#include <string.h>

#define PAUSE 1000.0 /* growth of the covariance at which forgetting pauses: nothing new was learnt for long */

ctw_status ctw_forecast__rls_new(ctw_ctx *ctx, ctw_forecast__rls *m, size_t p, size_t leads, double forget)
{
    memset(m, 0, sizeof *m);
    m->p = p;
    m->leads = leads;
    m->forget = forget;
    m->start = 1.0;
    m->s = CTW_NEW(ctx, p * p, double);
    m->w = CTW_NEW(ctx, leads * p, double);
    m->x = CTW_NEW(ctx, leads * p, double);
    m->k = CTW_NEW(ctx, leads * p, double);
    m->v = CTW_NEW(ctx, 2 * p, double);
    return m->s && m->w && m->x && m->k && m->v ? CTW_OK : CTW_E_NOMEM;
}

void ctw_forecast__rls_free(ctw_ctx *ctx, ctw_forecast__rls *m)
{
    ctw_base__free(ctx, m->s);
    ctw_base__free(ctx, m->w);
    ctw_base__free(ctx, m->x);
    ctw_base__free(ctx, m->k);
    ctw_base__free(ctx, m->v);
    memset(m, 0, sizeof *m);
}

/* Mean diagonal of S S'. */
static double spread(const ctw_forecast__rls *m)
{
    return ctw_num__dot(m->p * m->p, m->s, m->s) / (double)m->p;
}

ctw_status ctw_forecast__rls_prior(ctw_ctx *ctx, ctw_forecast__rls *m, const double *l, size_t d, const double *diag)
{
    ctw_num__mat a = {0}, b = {0};
    ctw_status st = ctw_num__mat_new(ctx, d, d, &a);
    if (st == CTW_OK) st = ctw_num__mat_new(ctx, d, d, &b);
    if (st == CTW_OK) {
        if (d) memcpy(a.a, l, d * d * sizeof *l);
        for (size_t i = 0; i < d; i++) CTW_AT(&b, i, i) = 1.0;
        if (d) st = ctw_num__tri_solve(&a, 1, &b);
    }
    if (st == CTW_OK) {
        memset(m->s, 0, m->p * m->p * sizeof *m->s);
        for (size_t j = 0; j < d; j++) memcpy(m->s + j * m->p, &CTW_AT(&b, 0, j), d * sizeof *m->s);
        for (size_t i = d; i < m->p; i++) m->s[i * m->p + i] = sqrt(diag[i - d]);
        m->start = spread(m);
    }
    ctw_num__mat_free(ctx, &a);
    ctw_num__mat_free(ctx, &b);
    return st;
}

/* After overflow or underflow: coefficients stay, what is known of their precision is given up. */
static void restart(ctw_forecast__rls *m)
{
    memset(m->s, 0, m->p * m->p * sizeof *m->s);
    for (size_t i = 0; i < m->p; i++) m->s[i * m->p + i] = sqrt(m->start);
    m->restarts++;
}

void ctw_forecast__rls_row(ctw_forecast__rls *m, const double *x)
{
    size_t p = m->p, at = (size_t)(m->origin % m->leads);
    double *k = m->k + at * p, vv = 0, forget = m->forget;
    if (forget < 1 && spread(m) > PAUSE * m->start) forget = 1.0;
    for (int again = 0; again < 2; again++) {
        for (size_t j = 0; j < p; j++) m->v[j] = ctw_num__dot(p, m->s + j * p, x);
        vv = ctw_num__dot(p, m->v, m->v);
        if (isfinite(vv)) break;
        if (!again) restart(m); /* features too large for any covariance are left out */
    }
    memset(k, 0, p * sizeof *k);
    if (isfinite(vv)) {
        double a = 1.0 / (forget + vv), g = 1.0 / (1.0 + sqrt(forget * a)), r = 1.0 / sqrt(forget);
        for (size_t j = 0; j < p; j++) ctw_num__axpy(p, a * m->v[j], m->s + j * p, k);
        for (size_t j = 0; j < p; j++) {
            double *s = m->s + j * p, c = g * m->v[j];
            for (size_t i = 0; i < p; i++) s[i] = (s[i] - c * k[i]) * r;
        }
    }
    memcpy(m->x + at * p, x, p * sizeof *x);
    m->origin++;
}

void ctw_forecast__rls_learn(ctw_forecast__rls *m, size_t back, size_t lead, double y)
{
    if (back >= m->leads || back >= m->origin) return;
    size_t at = (size_t)((m->origin - 1 - back) % m->leads) * m->p;
    double miss = y - ctw_forecast__rls_at(m, m->x + at, lead);
    if (isfinite(miss)) ctw_num__axpy(m->p, miss, m->k + at, m->w + lead * m->p);
}

double ctw_forecast__rls_at(const ctw_forecast__rls *m, const double *x, size_t lead)
{
    return ctw_num__dot(m->p, x, m->w + lead * m->p);
}
