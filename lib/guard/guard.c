/* guard.c: the Mahalanobis guard: fit, distance, conformal limit and p-value. Features are scaled to unit
 * variance first, so that shrinking towards the identity means the same in every unit. */
#include "base/ctx.h"
#include "guard/guard_internal.h"
#include "guard/guard_params.h"
#include "num/blas.h"
#include "num/lapack.h"
#include "num/sort.h"
#include "num/stats.h"
#include <float.h>
#include <math.h>
#include <string.h>

void ctw_guard__clear(ctw_guard *g)
{
    ctw_ctx *ctx = g->h.ctx;
    ctw_base__free(ctx, g->mean);
    ctw_base__free(ctx, g->inv_sd);
    ctw_base__free(ctx, g->dist);
    ctw_num__mat_free(ctx, &g->chol);
    g->mean = g->inv_sd = g->dist = NULL;
    g->n_dist = g->d = 0;
    g->limit = NAN;
}

static void guard_destroy(ctw_guard *g)
{
    ctw_guard__clear(g);
    ctw_params_unref(g->params);
}

CTW_DEFINE_REFS(ctw_guard, guard_destroy)

ctw_status ctw_guard_new(ctw_ctx *ctx, const ctw_params *params, ctw_guard **out)
{
    static const char fn[] = "ctw_guard_new";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    CTW_TRY(ctw_base__params_check(params, &ctw_guard__kind, fn));
    ctw_guard *g = ctw_base__handle_new(ctx, sizeof *g, CTW_GUARD__MAGIC);
    if (!g) return CTW_E_NOMEM;
    g->limit = NAN;
    ctw_status s = ctw_base__params_copy(ctx, params, &ctw_guard__kind, &g->params);
    if (s != CTW_OK) {
        ctw_guard_unref(g);
        return s;
    }
    g->alpha = ctw_base__opt_f64(g->params, &ctw_guard__kind, "alpha");
    g->warn_at = ctw_base__opt_f64(g->params, &ctw_guard__kind, "warn_at");
    *out = g;
    return CTW_OK;
}

/* Is row i one of the held-out rows? Evenly spread, the share exact to one row. */
static int held_out(size_t i, double share)
{
    return floor((double)(i + 1) * share) > floor((double)i * share);
}

/* Scaled difference from the mean into z; 0 when any feature is not finite. */
static int scaled(const ctw_guard *g, const double *row, double *z)
{
    int finite = 1;
    for (size_t j = 0; j < g->d; j++) {
        z[j] = (row[j] - g->mean[j]) * g->inv_sd[j];
        if (!isfinite(z[j])) finite = 0;
    }
    return finite;
}

/* Distance of a row; z is d doubles of scratch and ends as L^-1 z. INFINITY for a row that is not finite. */
static double distance(const ctw_guard *g, const double *row, double *z)
{
    if (!scaled(g, row, z)) return INFINITY;
    ctw_num__mat b = {z, g->d, 1, g->d};
    if (ctw_num__tri_solve(&g->chol, 0, &b) != CTW_OK) return INFINITY;
    double r = ctw_num__nrm2(g->d, z);
    return isfinite(r) ? r : INFINITY;
}

/* Mean and scale of the rows that are not held out. */
static ctw_status moments(ctw_guard *g, const double *x, size_t n, size_t stride, double share, double floor_share,
                          const char *fn)
{
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        if (held_out(i, share)) continue;
        m++;
        const double *row = x + i * stride;
        /* Welford: one pass, no cancellation; inv_sd holds the sum of squares until the end. */
        for (size_t j = 0; j < g->d; j++) {
            double delta = row[j] - g->mean[j];
            g->mean[j] += delta / (double)m;
            g->inv_sd[j] += delta * (row[j] - g->mean[j]);
        }
    }
    for (size_t j = 0; j < g->d; j++) {
        double sd = sqrt(g->inv_sd[j] / (double)(m - 1));
        double least = floor_share * fmax(1.0, fabs(g->mean[j]));
        g->inv_sd[j] = 1.0 / fmax(sd, least);
        if (!isfinite(g->inv_sd[j]) || !isfinite(g->mean[j]))
            return ctw_base__fail(CTW_E_SINGULAR, "%s: feature %zu is constant or too wide and option floor is %g", fn,
                                  j, floor_share);
    }
    return CTW_OK;
}

/* chol = Cholesky factor of (1-l) R + l I, R the correlations of the rows that are not held out. */
static ctw_status correlate(ctw_guard *g, const double *x, size_t n, size_t stride, double share, double shrink)
{
    size_t m = 0;
    for (size_t i = 0; i < n; i++) m += !held_out(i, share);
    ctw_num__mat rows;
    CTW_TRY(ctw_num__mat_new(g->h.ctx, g->d, m, &rows));
    size_t c = 0;
    for (size_t i = 0; i < n; i++)
        if (!held_out(i, share)) (void)scaled(g, x + i * stride, &CTW_AT(&rows, 0, c++));
    ctw_num__syrk(0, (1.0 - shrink) / (double)(m - 1), &rows, 0.0, &g->chol);
    ctw_num__mat_free(g->h.ctx, &rows);
    for (size_t j = 0; j < g->d; j++) CTW_AT(&g->chol, j, j) += shrink;
    return ctw_num__chol(&g->chol);
}

ctw_status ctw_guard__calibrate(ctw_guard *g, const char *fn)
{
    g->limit = ctw_num__conformal_sorted(g->dist, g->n_dist, 1.0 - g->alpha);
    if (!isfinite(g->limit))
        return ctw_base__fail(CTW_E_SHAPE, "%s: %zu held-out rows cannot calibrate alpha %g, at least %.0f needed", fn,
                              g->n_dist, g->alpha, ceil(1.0 / g->alpha) - 1.0);
    /* All held-out rows at the mean: any other row is beyond the limit, and the score must stay a number. */
    g->limit = fmax(g->limit, DBL_MIN);
    return CTW_OK;
}

static ctw_status fit(ctw_guard *g, const double *x, size_t n, size_t d, size_t stride, const char *fn)
{
    const double share = ctw_base__opt_f64(g->params, &ctw_guard__kind, "calibration");
    size_t held = 0;
    for (size_t i = 0; i < n; i++) held += (size_t)held_out(i, share);
    if (n - held < 2 || held < 1)
        return ctw_base__fail(CTW_E_SHAPE,
                              "%s: %zu rows leave %zu to fit and %zu to calibrate, at least 2 and 1 needed", fn, n,
                              n - held, held);
    g->d = d;
    g->mean = CTW_NEW(g->h.ctx, d, double);
    g->inv_sd = CTW_NEW(g->h.ctx, d, double);
    g->dist = CTW_NEW(g->h.ctx, held, double);
    if (!g->mean || !g->inv_sd || !g->dist) return CTW_E_NOMEM;
    CTW_TRY(ctw_num__mat_new(g->h.ctx, d, d, &g->chol));
    CTW_TRY(moments(g, x, n, stride, share, ctw_base__opt_f64(g->params, &ctw_guard__kind, "floor"), fn));
    CTW_TRY(correlate(g, x, n, stride, share, ctw_base__opt_f64(g->params, &ctw_guard__kind, "shrinkage")));
    double *z = CTW_NEW(g->h.ctx, d, double);
    if (!z) return CTW_E_NOMEM;
    for (size_t i = 0; i < n; i++)
        if (held_out(i, share)) g->dist[g->n_dist++] = distance(g, x + i * stride, z);
    ctw_base__free(g->h.ctx, z);
    ctw_num__sort(g->dist, g->n_dist);
    return ctw_guard__calibrate(g, fn);
}

ctw_status ctw_guard_fit(ctw_guard *g, const double *x, uint64_t n, uint64_t d, uint64_t stride)
{
    static const char fn[] = "ctw_guard_fit";
    CTW_TRY(ctw_base__handle_enter(g ? &g->h : NULL, CTW_GUARD__MAGIC, fn, "g"));
    ctw_status s = ctw_base__in_u64(d, 1, CTW_GUARD__MAX_D, fn, "d");
    if (s == CTW_OK) s = ctw_base__matrix(x, n, d, stride, fn, "x");
    if (s == CTW_OK) {
        ctw_guard__clear(g);
        s = fit(g, x, (size_t)n, (size_t)d, (size_t)stride, fn);
        if (s != CTW_OK) ctw_guard__clear(g);
    }
    ctw_base__handle_leave(&g->h);
    return s;
}

/* What check, pvalue and explain ask of their rows. */
static ctw_status rows_check(const ctw_guard *g, const double *x, uint64_t n, uint64_t d, uint64_t stride,
                             const char *fn)
{
    CTW_TRY(ctw_base__handle_check(g ? &g->h : NULL, CTW_GUARD__MAGIC, fn, "g"));
    if (g->d == 0) return ctw_base__fail(CTW_E_STATE, "%s: the guard is not fitted", fn);
    CTW_TRY(ctw_base__need_n(x, n, fn, "x"));
    if (d != g->d)
        return ctw_base__fail(CTW_E_SHAPE, "%s: d is %llu, the guard was fitted on %zu features", fn,
                              (unsigned long long)d, g->d);
    if (stride < d)
        return ctw_base__fail(CTW_E_SHAPE, "%s: stride is %llu, must be >= d = %zu", fn, (unsigned long long)stride,
                              g->d);
    return CTW_OK;
}

ctw_status ctw_guard_check(const ctw_guard *g, const double *x, uint64_t n, uint64_t d, uint64_t stride,
                           double *out_score, int32_t *out_verdict)
{
    CTW_TRY(rows_check(g, x, n, d, stride, "ctw_guard_check"));
    double *z = CTW_NEW(g->h.ctx, g->d, double);
    if (!z) return CTW_E_NOMEM;
    for (uint64_t i = 0; i < n; i++) {
        double score = distance(g, x + i * stride, z) / g->limit;
        if (out_score) out_score[i] = score;
        if (out_verdict)
            out_verdict[i] = score > 1.0 ? CTW_GUARD_ABSTAIN : score > g->warn_at ? CTW_GUARD_WARN : CTW_GUARD_PASS;
    }
    ctw_base__free(g->h.ctx, z);
    return CTW_OK;
}

/* Number of held-out distances below r, by bisection. */
static size_t below(const ctw_guard *g, double r)
{
    size_t lo = 0, hi = g->n_dist;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (g->dist[mid] < r)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

ctw_status ctw_guard_pvalue(const ctw_guard *g, const double *x, uint64_t n, uint64_t d, uint64_t stride, double *out_p)
{
    CTW_TRY(rows_check(g, x, n, d, stride, "ctw_guard_pvalue"));
    CTW_TRY(ctw_base__need_n(out_p, n, "ctw_guard_pvalue", "out_p"));
    double *z = CTW_NEW(g->h.ctx, g->d, double);
    if (!z) return CTW_E_NOMEM;
    for (uint64_t i = 0; i < n; i++) {
        double r = distance(g, x + i * stride, z);
        out_p[i] = isfinite(r) ? (double)(1 + g->n_dist - below(g, r)) / (double)(1 + g->n_dist) : 0.0;
    }
    ctw_base__free(g->h.ctx, z);
    return CTW_OK;
}

ctw_status ctw_guard_explain(const ctw_guard *g, const double *x, uint64_t d, double *out_share)
{
    static const char fn[] = "ctw_guard_explain";
    CTW_TRY(rows_check(g, x, 1, d, d, fn));
    CTW_TRY(ctw_base__need(out_share, fn, "out_share"));
    CTW_TRY(ctw_base__all_finite(x, d, 1, fn, "x"));
    double *z = CTW_NEW(g->h.ctx, 2 * g->d, double);
    if (!z) return CTW_E_NOMEM;
    double *y = z + g->d;
    ctw_num__mat b = {y, g->d, 1, g->d};
    double total = 0.0;
    ctw_status s = CTW_OK;
    if (!scaled(g, x, z)) s = ctw_base__fail(CTW_E_NONFINITE, "%s: x is too far from the fitted rows to be scaled", fn);
    if (s == CTW_OK) {
        memcpy(y, z, g->d * sizeof *z);
        s = ctw_num__chol_solve(&g->chol, &b);
    }
    for (size_t j = 0; s == CTW_OK && j < g->d; j++) total += z[j] * y[j];
    for (size_t j = 0; s == CTW_OK && j < g->d; j++) out_share[j] = total > 0.0 ? z[j] * y[j] / total : 0.0;
    ctw_base__free(g->h.ctx, z);
    return s;
}

uint64_t ctw_guard_features(const ctw_guard *g)
{
    return g ? g->d : 0;
}

double ctw_guard_limit(const ctw_guard *g)
{
    return g && g->d ? g->limit : NAN;
}
