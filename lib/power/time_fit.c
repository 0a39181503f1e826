/* time_fit.c: time of a piece of work over frequency. Memory time does not follow the core clock, core time
 * does; the p-norm says how far they overlap (p = 1: one after the other, large p: at once). Between measured
 * frequencies the curve is interpolated over 1/x, in which the p = 1 model is a straight line: straight where
 * the p-norm explains the measurements, bent (monotone cubic) where it does not. */
#include "power/power_internal.h"

#include <math.h>

static const double exponents[] = {1.0, 1.5, 2.0, 3.0, 5.0, 10.0};
/* Relative misfit of the p-norm at which the cubic has taken over entirely. */
static const double bend_at = 0.02;

double ctw_power__pnorm_at(double membound, double overlap, double x)
{
    if (overlap == 1.0) return membound + (1.0 - membound) / x;
    return pow(membound + (1.0 - membound) * pow(x, -overlap), 1.0 / overlap);
}

/* a + b z >= 0 fitted to t^p with weights t^-2p: two columns, so three supports. */
static double pnorm_at_exponent(const double *x, const double *t, size_t n, double p, double *a, double *b)
{
    double s11 = 0, s12 = 0, s22 = 0, r1 = 0, r2 = 0, scale = t[0];
    for (size_t i = 0; i < n; i++) {
        double y = pow(t[i] / scale, p), c1 = 1.0 / y, c2 = pow(x[i], -p) / y;
        s11 += c1 * c1;
        s12 += c1 * c2;
        s22 += c2 * c2;
        r1 += c1;
        r2 += c2;
    }
    double det = s11 * s22 - s12 * s12;
    *a = *b = -1.0;
    if (det > 1e-12 * s11 * s22) {
        *a = (r1 * s22 - r2 * s12) / det;
        *b = (r2 * s11 - r1 * s12) / det;
    }
    if (*a < 0.0 || *b < 0.0) {
        int core = r2 * r2 / s22 >= r1 * r1 / s11; /* the column that explains more */
        *a = core ? 0.0 : r1 / s11;
        *b = core ? r2 / s22 : 0.0;
    }
    double err = 0.0;
    for (size_t i = 0; i < n; i++) {
        double e = scale * pow(*a + *b * pow(x[i], -p), 1.0 / p) / t[i] - 1.0;
        err += e * e;
    }
    return err / (double)n;
}

void ctw_power__pnorm_fit(const double *x, const double *t, size_t n, double *membound, double *overlap,
                          double *top_time, double *error)
{
    double best = INFINITY;
    for (size_t k = 0; k < sizeof exponents / sizeof *exponents; k++) {
        double p = exponents[k], a, b, err = pnorm_at_exponent(x, t, n, p, &a, &b);
        if (!(err < best - 1e-12)) continue;
        best = err;
        *membound = a / (a + b);
        *overlap = p;
        *top_time = t[0] * pow(a + b, 1.0 / p);
    }
    *error = sqrt(best);
}

void ctw_power__time_finish(ctw_power__model *m)
{
    ctw_power__curve *c = &m->time;
    double x[CTW_POWER_KNOTS], error;
    if (c->n == 0) return;
    ctw_power__isotonic(c->y, NULL, c->n);
    ctw_power__curve_slopes(c);
    for (size_t i = 0; i < c->n; i++) x[i] = 1.0 / c->x[i];
    ctw_power__pnorm_fit(x, c->y, c->n, &m->membound, &m->overlap, &m->top_time, &error);
    m->bend = error < bend_at ? error / bend_at : 1.0;
    m->has_time = 1;
    m->top_time = ctw_power__time_at(m, 1.0);
}

double ctw_power__time_at(const ctw_power__model *m, double x)
{
    const ctw_power__curve *c = &m->time;
    double z = 1.0 / x, end = z < c->x[0] ? c->x[0] : c->x[c->n - 1];
    if (z >= c->x[0] && z <= c->x[c->n - 1])
        return (1.0 - m->bend) * ctw_power__curve_linear(c, z) + m->bend * ctw_power__curve_at(c, z);
    /* Outside, the p-norm goes on from the end that was measured. */
    double at_end = z < c->x[0] ? c->y[0] : c->y[c->n - 1];
    return at_end * ctw_power__pnorm_at(m->membound, m->overlap, x) /
           ctw_power__pnorm_at(m->membound, m->overlap, 1.0 / end);
}

double ctw_power__time_error_at(const ctw_power__model *m, double x)
{
    static const double measuring = 0.005, beyond_each_doubling = 0.05;
    const ctw_power__curve *c = &m->time;
    double z = 1.0 / x, end = fmin(fmax(z, c->x[0]), c->x[c->n - 1]);
    double straight = ctw_power__curve_linear(c, end), bent = ctw_power__curve_at(c, end);
    double beyond = beyond_each_doubling * fabs(log2(z / end));
    return sqrt(measuring * measuring + (straight / bent - 1.0) * (straight / bent - 1.0) + beyond * beyond);
}
