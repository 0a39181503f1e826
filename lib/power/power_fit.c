/* power_fit.c: from scattered measurements to the parts of the model: idle power over frequency, busy power
 * over frequency, the load shape, the time curve. Each part is fitted only from rows that show it, so a host
 * may measure little and still get what those rows determine. */
#include "power/power_internal.h"

#include "base/cancel.h"
#include "num/sort.h"
#include <math.h>
#include <string.h>

/* Utilisation up to which a row counts as idle, and from which it counts as busy. */
static const double idle_below = 0.005, busy_from = 0.98;

typedef struct pairs {
    double *x, *y, *w;
    size_t n;
} pairs;

static double row_x(const ctw_power *p, const ctw_power__rows *r, size_t i)
{
    double top = ctw_power__top(p);
    return r->mhz && top > 0.0 ? r->mhz[i] / top : 1.0;
}

static double row_util(const ctw_power__rows *r, size_t i)
{
    return r->util ? r->util[i] : 1.0;
}

static void add_pair(pairs *q, double x, double y, double w)
{
    q->x[q->n] = x;
    q->y[q->n] = y;
    q->w[q->n++] = w;
}

/* Watts over x as basis coefficients, from at least two different frequencies; 0 when there is only one. */
static ctw_status fit_over_x(const ctw_power *p, const pairs *q, double coef[CTW_POWER_BASIS], double *single,
                             int *many)
{
    ctw_power__curve knots;
    double weight[CTW_POWER_KNOTS];
    CTW_TRY(ctw_power__curve_gather(p->h.ctx, q->x, q->y, q->w, q->n, CTW_POWER_KNOTS, &knots, weight));
    *many = knots.n > 1;
    *single = knots.n ? knots.y[0] : 0.0;
    if (knots.n) ctw_power__basis_fit(knots.x, knots.y, weight, knots.n, coef);
    return CTW_OK;
}

static ctw_status fit_idle(ctw_power *p, const ctw_power__rows *r, pairs *q)
{
    int many;
    double single;
    q->n = 0;
    for (size_t i = 0; i < r->n; i++)
        if (r->watts && !isnan(r->watts[i]) && row_util(r, i) <= idle_below)
            add_pair(q, row_x(p, r, i), r->watts[i], 1.0);
    if (q->n == 0) return CTW_OK;
    CTW_TRY(fit_over_x(p, q, p->m.idle, &single, &many));
    if (!many) {
        memset(p->m.idle, 0, sizeof p->m.idle);
        p->m.idle[0] = single;
    }
    p->m.has_idle = 1;
    return CTW_OK;
}

/* Rows at full load; if there are none, what part load says about full load while g is taken as straight. */
static void busy_pairs(const ctw_power *p, const ctw_power__rows *r, pairs *q)
{
    q->n = 0;
    for (size_t i = 0; i < r->n; i++)
        if (r->watts && !isnan(r->watts[i]) && row_util(r, i) >= busy_from)
            add_pair(q, row_x(p, r, i), r->watts[i], 1.0);
    if (q->n || !(p->m.has_idle || p->idle_watts > 0.0)) return;
    for (size_t i = 0; i < r->n; i++) {
        double u = row_util(r, i);
        if (!r->watts || isnan(r->watts[i]) || u < 0.05) continue;
        double x = row_x(p, r, i);
        double idle = p->m.has_idle ? ctw_power__basis_at(p->m.idle, x) : p->idle_watts;
        double busy = idle + (r->watts[i] - idle) / u;
        if (busy > 0.0) add_pair(q, x, busy, u * u);
    }
}

static ctw_status fit_busy(ctw_power *p, const ctw_power__rows *r, pairs *q)
{
    int many;
    double single;
    busy_pairs(p, r, q);
    if (q->n == 0) return CTW_OK;
    CTW_TRY(fit_over_x(p, q, p->m.busy, &single, &many));
    p->m.has_busy = many;
    if (many) return CTW_OK;
    /* One frequency: the rest of the curve comes from voltages or the exponent, scaled through the point. */
    double idle = p->m.has_idle ? ctw_power__basis_at(p->m.idle, 1.0) : p->idle_watts;
    double share = ctw_power__dynamic_at(p, q->x[0]);
    p->m.peak = single > idle ? idle + (single - idle) / share : single;
    return CTW_OK;
}

/* Measured interior levels as knots of g: binned, monotone, within 0..1. */
static ctw_status known_levels(const ctw_power *p, const ctw_power__rows *r, pairs *q, ctw_power__curve *g)
{
    double weight[CTW_POWER_KNOTS];
    q->n = 0;
    for (size_t i = 0; i < r->n; i++) {
        double u = row_util(r, i);
        if (!r->watts || isnan(r->watts[i]) || u <= idle_below || u >= busy_from) continue;
        double x = row_x(p, r, i), idle = ctw_power__idle_at(p, x), span = ctw_power__busy_at(p, x) - idle;
        if (span > 0.0) add_pair(q, u, (r->watts[i] - idle) / span, 1.0);
    }
    CTW_TRY(ctw_power__curve_gather(p->h.ctx, q->x, q->y, NULL, q->n, CTW_POWER_KNOTS / 2 - 2, g, weight));
    ctw_power__isotonic(g->y, weight, g->n);
    for (size_t i = 0; i < g->n; i++) g->y[i] = fmin(fmax(g->y[i], 0.0), 1.0);
    return CTW_OK;
}

static ctw_status fit_shape(ctw_power *p, const ctw_power__rows *r, pairs *q)
{
    ctw_power__curve *g = &p->m.shape, known = {.n = 0};
    CTW_TRY(known_levels(p, r, q, &known));
    if (p->shapes && ctw_power__knows(p, 0.5)) {
        double ratio = ctw_power__idle_at(p, 1.0) / ctw_power__busy_at(p, 1.0);
        return ctw_shapes__complete(p->shapes, p->features, ratio, &known, g, &p->m.spread);
    }
    if (known.n == 0) return CTW_OK;
    memcpy(g->x + 1, known.x, known.n * sizeof *g->x);
    memcpy(g->y + 1, known.y, known.n * sizeof *g->y);
    g->x[0] = g->y[0] = 0.0;
    g->x[known.n + 1] = g->y[known.n + 1] = 1.0;
    g->n = known.n + 2;
    ctw_power__curve_slopes(g);
    return CTW_OK;
}

/* Relative RMS error over the rows themselves. */
static double misfit(const ctw_power *p, const ctw_power__rows *r)
{
    double sum = 0.0;
    size_t n = 0;
    for (size_t i = 0; r->watts && i < r->n; i++) {
        double u = row_util(r, i);
        if (isnan(r->watts[i]) || !ctw_power__knows(p, u)) continue;
        double e = ctw_power__watts_at(p, row_x(p, r, i), u) / r->watts[i] - 1.0;
        sum += e * e;
        n++;
    }
    return n ? sqrt(sum / (double)n) : -1.0;
}

static ctw_status fit_time(ctw_power *p, const ctw_power__rows *r, pairs *q)
{
    q->n = 0;
    for (size_t i = 0; i < r->n; i++)
        if (r->seconds && !isnan(r->seconds[i])) add_pair(q, 1.0 / row_x(p, r, i), r->seconds[i], 1.0);
    if (q->n == 0) return CTW_OK;
    CTW_TRY(ctw_power__curve_gather(p->h.ctx, q->x, q->y, NULL, q->n, CTW_POWER_KNOTS, &p->m.time, NULL));
    ctw_power__time_finish(&p->m);
    return CTW_OK;
}

static ctw_status measured_mhz(ctw_power *p, const ctw_power__rows *r)
{
    ctw_power__curve knots;
    if (!r->mhz) return CTW_OK;
    CTW_TRY(ctw_power__curve_gather(p->h.ctx, r->mhz, r->mhz, NULL, r->n, CTW_POWER_KNOTS, &knots, NULL));
    p->m.n_mhz = knots.n;
    memcpy(p->m.mhz, knots.x, knots.n * sizeof *knots.x);
    for (size_t i = 0; i < r->n; i++)
        if (r->mhz[i] > p->m.top_mhz) p->m.top_mhz = r->mhz[i];
    return CTW_OK;
}

static ctw_status fit_parts(ctw_power *p, const ctw_power__rows *r, pairs *q, ctw_cancel *cancel)
{
    CTW_TRY(measured_mhz(p, r));
    CTW_TRY(fit_idle(p, r, q));
    CTW_TRY(ctw_base__stopped(cancel, "ctw_power_fit"));
    CTW_TRY(fit_busy(p, r, q));
    CTW_TRY(fit_shape(p, r, q));
    CTW_TRY(ctw_base__stopped(cancel, "ctw_power_fit"));
    p->m.misfit = misfit(p, r);
    return fit_time(p, r, q);
}

ctw_status ctw_power__fit_rows(ctw_power *p, const ctw_power__rows *r, ctw_cancel *cancel)
{
    pairs q = {0};
    q.x = ctw_base__alloc(p->h.ctx, r->n, 3 * sizeof(double));
    if (!q.x) return CTW_E_NOMEM;
    q.y = q.x + r->n;
    q.w = q.y + r->n;
    ctw_status s = fit_parts(p, r, &q, cancel);
    ctw_base__free(p->h.ctx, q.x);
    return s;
}
