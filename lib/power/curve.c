/* curve.c: shape-preserving interpolation (Fritsch and Carlson, SIAM J. Numer. Anal. 17, 1980; the slopes of
 * Fritsch and Butland 1984): between monotone measurements the curve stays monotone, so a power model can
 * neither invent a dip nor overshoot a peak. */
#include "power/curve.h"

#include "base/alloc.h"
#include "num/sort.h"
#include <math.h>

/* Three-point slope at an end, cut back where it would break monotonicity. */
static double end_slope(double h0, double h1, double s0, double s1)
{
    double d = ((2.0 * h0 + h1) * s0 - h0 * s1) / (h0 + h1);
    if (d * s0 <= 0.0) return 0.0;
    if (s0 * s1 <= 0.0 && fabs(d) > 3.0 * fabs(s0)) return 3.0 * s0;
    return d;
}

void ctw_power__curve_slopes(ctw_power__curve *c)
{
    double h[CTW_POWER_KNOTS], s[CTW_POWER_KNOTS];
    size_t n = c->n;
    for (size_t i = 0; i + 1 < n; i++) {
        h[i] = c->x[i + 1] - c->x[i];
        s[i] = (c->y[i + 1] - c->y[i]) / h[i];
    }
    if (n == 1) c->d[0] = 0.0;
    if (n == 2) c->d[0] = c->d[1] = s[0];
    if (n < 3) return;
    c->d[0] = end_slope(h[0], h[1], s[0], s[1]);
    c->d[n - 1] = end_slope(h[n - 2], h[n - 3], s[n - 2], s[n - 3]);
    for (size_t i = 1; i + 1 < n; i++) {
        if (s[i - 1] * s[i] <= 0.0) {
            c->d[i] = 0.0;
            continue;
        }
        double w1 = 2.0 * h[i] + h[i - 1], w2 = h[i] + 2.0 * h[i - 1];
        c->d[i] = (w1 + w2) / (w1 / s[i - 1] + w2 / s[i]);
    }
}

/* Index of the interval that holds q: the last i with x[i] <= q, kept within 0..n-2. */
static size_t interval(const ctw_power__curve *c, double q)
{
    size_t lo = 0, hi = c->n - 1;
    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;
        if (c->x[mid] <= q)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

double ctw_power__curve_linear(const ctw_power__curve *c, double q)
{
    if (c->n == 1) return c->y[0];
    size_t i = interval(c, q);
    return c->y[i] + (c->y[i + 1] - c->y[i]) * (q - c->x[i]) / (c->x[i + 1] - c->x[i]);
}

double ctw_power__curve_at(const ctw_power__curve *c, double q)
{
    if (c->n < 3 || q <= c->x[0] || q >= c->x[c->n - 1]) return ctw_power__curve_linear(c, q);
    size_t i = interval(c, q);
    double h = c->x[i + 1] - c->x[i], t = (q - c->x[i]) / h, t2 = t * t, t3 = t2 * t;
    return (2.0 * t3 - 3.0 * t2 + 1.0) * c->y[i] + (t3 - 2.0 * t2 + t) * h * c->d[i] +
           (3.0 * t2 - 2.0 * t3) * c->y[i + 1] + (t3 - t2) * h * c->d[i + 1];
}

/* Adds one pair's weight to the knot under construction. */
typedef struct sum3 {
    double w, wx, wy;
} sum3;

static void close_knot(ctw_power__curve *c, double *cw, sum3 *s)
{
    if (!(s->w > 0.0)) return;
    c->x[c->n] = s->wx / s->w;
    c->y[c->n] = s->wy / s->w;
    if (cw) cw[c->n] = s->w;
    c->n++;
    *s = (sum3){0.0, 0.0, 0.0};
}

ctw_status ctw_power__curve_gather(ctw_ctx *ctx, const double *x, const double *y, const double *weight, size_t n,
                                   size_t most, ctw_power__curve *c, double *cw)
{
    c->n = 0;
    if (n == 0) return CTW_OK;
    size_t *idx = ctw_base__alloc(ctx, n, sizeof *idx);
    if (!idx) return CTW_E_NOMEM;
    ctw_num__argsort(x, idx, n);
    size_t distinct = 1;
    for (size_t i = 1; i < n; i++) distinct += x[idx[i]] > x[idx[i - 1]];
    size_t per_knot = (distinct + most - 1) / most, in_knot = 1;
    sum3 s = {0.0, 0.0, 0.0};
    for (size_t i = 0; i < n; i++) {
        size_t k = idx[i];
        int fresh = i > 0 && x[k] > x[idx[i - 1]];
        if (fresh && ++in_knot > per_knot) {
            close_knot(c, cw, &s);
            in_knot = 1;
        }
        double w = weight ? weight[k] : 1.0;
        s.w += w;
        s.wx += w * x[k];
        s.wy += w * y[k];
    }
    close_knot(c, cw, &s);
    ctw_base__free(ctx, idx);
    return CTW_OK;
}

void ctw_power__isotonic(double *y, const double *w, size_t n)
{
    double block_y[CTW_POWER_KNOTS], block_w[CTW_POWER_KNOTS];
    size_t block_n[CTW_POWER_KNOTS], m = 0;
    for (size_t i = 0; i < n; i++) {
        block_y[m] = y[i];
        block_w[m] = w ? w[i] : 1.0;
        block_n[m++] = 1;
        while (m > 1 && block_y[m - 2] > block_y[m - 1]) {
            double sum = block_w[m - 2] + block_w[m - 1];
            block_y[m - 2] = (block_y[m - 2] * block_w[m - 2] + block_y[m - 1] * block_w[m - 1]) / sum;
            block_w[m - 2] = sum;
            block_n[m - 2] += block_n[m - 1];
            m--;
        }
    }
    for (size_t b = 0, i = 0; b < m; b++)
        for (size_t k = 0; k < block_n[b]; k++) y[i++] = block_y[b];
}
