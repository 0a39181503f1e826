/* spread.c: windowed conditional quantiles. Each knot looks at the twelfth of the pairs whose scores are nearest in
 * rank; curves are then made non-decreasing in the score, since a higher score must not mean a shorter answer. */
#include "queue/spread.h"
#include "base/alloc.h"
#include "num/sort.h"
#include <math.h>

static const double level[CTW_SPREAD_LEVELS] = {0.01, 0.025, 0.05, 0.1, 0.15, 0.2,   0.25, 0.3,  0.35,
                                                0.4,  0.425, 0.45, 0.5, 0.55, 0.575, 0.6,  0.65, 0.7,
                                                0.75, 0.8,   0.85, 0.9, 0.95, 0.975, 0.99};

/* Tilt that keeps the order of scores where a curve is flat. */
#define TILT 1e-4

/* Quantile p of m sorted values at rank (m + 1) p, so that coverage is not optimistic in small windows. */
static double at_rank(const double *v, size_t m, double p)
{
    double r = p * (double)(m + 1) - 1;
    if (r <= 0) return v[0];
    if (r >= (double)(m - 1)) return v[m - 1];
    size_t i = (size_t)r;
    return v[i] + (r - (double)i) * (v[i + 1] - v[i]);
}

/* Non-decreasing least-squares fit in place (pool adjacent violators), equal weights. */
static void make_monotone(double *v, size_t n, size_t stride)
{
    for (size_t i = 1; i < n; i++) {
        double sum = v[i * stride];
        size_t from = i;
        while (from && v[(from - 1) * stride] > sum / (double)(i - from + 1)) {
            from--;
            sum += v[from * stride];
        }
        for (size_t k = from; k <= i; k++) v[k * stride] = sum / (double)(i - from + 1);
    }
}

ctw_status ctw_queue__spread_fit(ctw_queue__spread *s, ctw_ctx *ctx, const double *score, const double *value, size_t n)
{
    size_t *order = ctw_base__alloc(ctx, n, sizeof *order);
    double *window = ctw_base__alloc(ctx, n, sizeof *window);
    ctw_status status = order && window ? CTW_OK : CTW_E_NOMEM;
    if (!status) {
        ctw_num__argsort(score, order, n);
        size_t m = n / 12 > 60 ? n / 12 : 60;
        if (m > n) m = n;
        for (size_t k = 0; k < CTW_SPREAD_KNOTS; k++) {
            /* centres from the middle of the first window to that of the last, closer at both ends */
            double u = 0.5 - 0.5 * cos(3.14159265358979323846 * (double)k / (CTW_SPREAD_KNOTS - 1));
            size_t from = (size_t)(u * (double)(n - m) + 0.5);
            double centre = 0;
            for (size_t i = 0; i < m; i++) {
                window[i] = value[order[from + i]];
                centre += score[order[from + i]] / (double)m;
            }
            ctw_num__sort(window, m);
            s->knot[k] = centre;
            for (size_t q = 0; q < CTW_SPREAD_LEVELS; q++) s->at[k][q] = at_rank(window, m, level[q]);
        }
        for (size_t q = 0; q < CTW_SPREAD_LEVELS; q++) make_monotone(&s->at[0][q], CTW_SPREAD_KNOTS, CTW_SPREAD_LEVELS);
        make_monotone(s->knot, CTW_SPREAD_KNOTS, 1);
    }
    ctw_base__free(ctx, order);
    ctw_base__free(ctx, window);
    return status;
}

/* Knots k, k+1 around the score and the weight of the second. */
static size_t locate(const ctw_queue__spread *s, double score, double *f)
{
    size_t lo = 0, hi = CTW_SPREAD_KNOTS - 1;
    while (hi - lo > 1) {
        size_t mid = (lo + hi) / 2;
        if (s->knot[mid] <= score)
            lo = mid;
        else
            hi = mid;
    }
    double gap = s->knot[hi] - s->knot[lo];
    double x = gap > 0 ? (score - s->knot[lo]) / gap : 0;
    *f = x < 0 ? 0 : x > 1 ? 1 : x;
    return lo;
}

static double value_at(const ctw_queue__spread *s, size_t k, double f, size_t q, double score)
{
    return (1 - f) * s->at[k][q] + f * s->at[k + 1][q] + TILT * score;
}

double ctw_queue__spread_quantile(const ctw_queue__spread *s, double score, double p)
{
    double f;
    size_t k = locate(s, score, &f), q = 0;
    while (q + 2 < CTW_SPREAD_LEVELS && level[q + 1] < p) q++;
    double g = (p - level[q]) / (level[q + 1] - level[q]);
    return (1 - g) * value_at(s, k, f, q, score) + g * value_at(s, k, f, q + 1, score);
}

double ctw_queue__spread_below(const ctw_queue__spread *s, double score, double v)
{
    double f;
    size_t k = locate(s, score, &f);
    double lower = value_at(s, k, f, 0, score);
    if (v <= lower) return v < lower ? 0 : level[0];
    for (size_t q = 1; q < CTW_SPREAD_LEVELS; q++) {
        double upper = value_at(s, k, f, q, score);
        if (v <= upper) return level[q - 1] + (level[q] - level[q - 1]) * (v - lower) / (upper - lower);
        lower = upper;
    }
    return 1;
}

int ctw_queue__spread_valid(const ctw_queue__spread *s)
{
    for (size_t k = 0; k < CTW_SPREAD_KNOTS; k++) {
        if (!isfinite(s->knot[k]) || (k && s->knot[k] < s->knot[k - 1])) return 0;
        for (size_t q = 0; q < CTW_SPREAD_LEVELS; q++)
            if (!isfinite(s->at[k][q]) || (q && s->at[k][q] < s->at[k][q - 1])) return 0;
    }
    return 1;
}
