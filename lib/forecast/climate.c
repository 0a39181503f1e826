/* climate.c: for each step of the season a ridge regression on two waves of the year, drawn towards the season's
 * common waves; effects of the weekday from what is left. Under 300 days the year's waves cannot be told from
 * trend and are left out. */
#include "forecast/climate.h"

#include "base/alloc.h"
#include "base/error.h"
#include "num/lapack.h"
#include <math.h>
#include <string.h>

#define SHAPE  CTW_FORECAST__SHAPE
#define YEAR_S (365.2425 * 86400.0)
#define ENOUGH (300 * 86400.0)
#define PULL   20.0 /* observations' worth of belief in the common waves */

void ctw_forecast__climate_free(ctw_ctx *ctx, ctw_forecast__climate *m)
{
    ctw_base__free(ctx, m->c);
    memset(m, 0, sizeof *m);
}

ctw_status ctw_forecast__climate_alloc(ctw_ctx *ctx, ctw_forecast__climate *m, size_t season)
{
    ctw_forecast__climate_free(ctx, m);
    m->c = CTW_NEW(ctx, season * SHAPE + 7, double);
    if (!m->c) return CTW_E_NOMEM;
    m->season = season;
    return CTW_OK;
}

static void shape(double at, double *f)
{
    double year = 2 * M_PI * at / YEAR_S;
    f[0] = 1;
    f[1] = cos(year);
    f[2] = sin(year);
    f[3] = cos(2 * year);
    f[4] = sin(2 * year);
}

/* Solves for the steps first, first + stride, ...; `prior` (NULL: none) is what the waves are drawn to. */
static ctw_status regress(ctw_ctx *ctx, const ctw_forecast__hist *h, size_t first, size_t stride, size_t end,
                          double start, double step, size_t waves, const double *prior, double *out)
{
    ctw_num__mat g = {0}, b = {0};
    double f[SHAPE];
    ctw_status st = ctw_num__mat_new(ctx, waves, waves, &g);
    if (st == CTW_OK) st = ctw_num__mat_new(ctx, waves, 1, &b);
    for (size_t t = first; st == CTW_OK && t < end; t += stride) {
        if (h->hole[t]) continue;
        shape(start + (double)t * step, f);
        for (size_t j = 0; j < waves; j++) {
            b.a[j] += f[j] * h->z[t];
            for (size_t i = j; i < waves; i++) CTW_AT(&g, i, j) += f[i] * f[j];
        }
    }
    for (size_t j = 0; st == CTW_OK && j < waves; j++) {
        double pull = prior ? (j ? PULL : 1e-3) : 1e-9;
        CTW_AT(&g, j, j) += pull;
        if (prior) b.a[j] += pull * prior[j];
    }
    if (st == CTW_OK) st = ctw_num__chol(&g);
    if (st == CTW_OK) st = ctw_num__chol_solve(&g, &b);
    for (size_t j = 0; st == CTW_OK && j < waves; j++) out[j] = b.a[j];
    ctw_num__mat_free(ctx, &g);
    ctw_num__mat_free(ctx, &b);
    return st;
}

static size_t weekday(const ctw_forecast__hist *h, size_t t)
{
    return (size_t)((h->dropped + t) / h->season % 7);
}

static double yearly(const ctw_forecast__climate *m, const ctw_forecast__hist *h, size_t t, double at)
{
    const double *c = m->c + (size_t)((h->dropped + t) % m->season) * SHAPE;
    double f[SHAPE], sum = 0;
    shape(at, f);
    for (size_t j = 0; j < SHAPE; j++) sum += c[j] * f[j];
    return sum;
}

double ctw_forecast__climate_at(const ctw_forecast__climate *m, const ctw_forecast__hist *h, size_t t, double start,
                                double step)
{
    return yearly(m, h, t, start + (double)t * step) + m->c[m->season * SHAPE + weekday(h, t)];
}

ctw_status ctw_forecast__climate_fit(ctw_ctx *ctx, ctw_forecast__climate *m, const ctw_forecast__hist *h, size_t end,
                                     double start, double step)
{
    size_t s = h->season, waves = (double)end * step >= ENOUGH ? SHAPE : 1;
    double all[SHAPE] = {0}, count[7] = {0};
    CTW_TRY(ctw_forecast__climate_alloc(ctx, m, s));
    CTW_TRY(regress(ctx, h, 0, 1, end, start, step, waves, NULL, all));
    for (size_t i = 0; i < s; i++) {
        size_t first = (i + s - (size_t)(h->dropped % s)) % s;
        double *c = m->c + i * SHAPE;
        if (first >= end)
            memcpy(c, all, sizeof all);
        else
            CTW_TRY(regress(ctx, h, first, s, end, start, step, waves, all, c));
    }
    double *week = m->c + s * SHAPE;
    for (size_t t = 0; t < end; t++) {
        if (h->hole[t]) continue;
        week[weekday(h, t)] += h->z[t] - yearly(m, h, t, start + (double)t * step);
        count[weekday(h, t)]++;
    }
    for (size_t k = 0; k < 7; k++) week[k] /= count[k] + 2.0 * (double)s;
    return CTW_OK;
}
