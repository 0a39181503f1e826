/* prior.c: a hierarchical prior over applications: mean and principal components of the weights of those known, and
 * the posterior of a new one from a few of its rows. */
#include "agent/agent_params.h"
#include "agent/prior_internal.h"
#include "num/lapack.h"
#include <float.h>
#include <math.h>
#include <string.h>

static void destroy(ctw_prior *p)
{
    ctw_base__free(p->h.ctx, p->known);
    ctw_base__free(p->h.ctx, p->mean);
    ctw_base__free(p->h.ctx, p->axis);
    ctw_base__free(p->h.ctx, p->variance);
    ctw_params_unref(p->params);
}

CTW_DEFINE_REFS(ctw_prior, destroy)

ctw_status ctw_prior__make(ctw_ctx *ctx, const ctw_params *params, const char *fn, ctw_prior **out)
{
    const ctw_base__kind *kind = &ctw_prior__kind;
    CTW_TRY(ctw_base__params_check(params, kind, fn));
    ctw_prior *p = ctw_base__handle_new(ctx, sizeof *p, CTW_PRIOR_MAGIC);
    if (!p) return CTW_E_NOMEM;
    p->dims = (size_t)ctw_base__opt_i64(params, kind, "dims");
    p->components = (size_t)ctw_base__opt_i64(params, kind, "components");
    p->ridge = ctw_base__opt_f64(params, kind, "ridge");
    p->noise = ctw_base__opt_f64(params, kind, "noise");
    p->floor = ctw_base__opt_f64(params, kind, "floor");
    ctw_status s = ctw_base__params_copy(ctx, params, kind, &p->params);
    if (s == CTW_OK)
        *out = p;
    else
        ctw_prior_unref(p);
    return s;
}

ctw_status ctw_prior_new(ctw_ctx *ctx, const ctw_params *params, ctw_prior **out)
{
    static const char fn[] = "ctw_prior_new";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    return ctw_prior__make(ctx, params, fn, out);
}

static ctw_status length(const ctw_prior *p, uint64_t n, const char *fn, const char *what)
{
    if (n == p->dims) return CTW_OK;
    return ctw_base__fail(CTW_E_SHAPE, "%s: %s is %llu, must be %zu", fn, what, (unsigned long long)n, p->dims);
}

static ctw_status add(ctw_prior *p, const double *w, uint64_t n, const char *fn)
{
    void *known = p->known;
    CTW_TRY(length(p, n, fn, "n"));
    CTW_TRY(ctw_base__need(w, fn, "w"));
    CTW_TRY(ctw_base__all_finite(w, n, 1, fn, "w"));
    CTW_TRY(ctw_base__grow(p->h.ctx, &known, &p->cap, (p->n + 1) * p->dims, sizeof *w));
    p->known = known;
    memcpy(p->known + p->n++ * p->dims, w, p->dims * sizeof *w);
    return CTW_OK;
}

ctw_status ctw_prior_add(ctw_prior *p, const double *w, uint64_t n)
{
    static const char fn[] = "ctw_prior_add";
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_PRIOR_MAGIC, fn, "p"));
    ctw_status s = add(p, w, n, fn);
    ctw_base__handle_leave(&p->h);
    return s;
}

static ctw_status add_rows(ctw_prior *p, const double *x, const double *y, uint64_t rows, uint64_t d, uint64_t stride,
                           const char *fn)
{
    ctw_ctx *ctx = p->h.ctx;
    ctw_num__mat mx = {NULL, 0, 0, 0}, my = {NULL, 0, 0, 0}, w = {NULL, 0, 0, 0};
    CTW_TRY(length(p, d, fn, "d"));
    if (rows < 1) return ctw_base__fail(CTW_E_SHAPE, "%s: rows is 0, must be at least 1", fn);
    CTW_TRY(ctw_base__matrix(x, rows, d, stride, fn, "x"));
    CTW_TRY(ctw_base__need(y, fn, "y"));
    CTW_TRY(ctw_base__all_finite(y, rows, 1, fn, "y"));
    ctw_status s = ctw_num__mat_from_rows(ctx, x, rows, d, stride, &mx);
    if (s == CTW_OK) s = ctw_num__mat_from_rows(ctx, y, rows, 1, 1, &my);
    if (s == CTW_OK) s = ctw_num__ridge(ctx, &mx, &my, p->ridge, &w);
    if (s == CTW_OK) s = add(p, w.a, d, fn);
    ctw_num__mat_free(ctx, &mx);
    ctw_num__mat_free(ctx, &my);
    ctw_num__mat_free(ctx, &w);
    return s;
}

ctw_status ctw_prior_add_rows(ctw_prior *p, const double *x, const double *y, uint64_t rows, uint64_t d,
                              uint64_t stride)
{
    static const char fn[] = "ctw_prior_add_rows";
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_PRIOR_MAGIC, fn, "p"));
    ctw_status s = add_rows(p, x, y, rows, d, stride, fn);
    ctw_base__handle_leave(&p->h);
    return s;
}

uint64_t ctw_prior_count(const ctw_prior *p)
{
    return p && ctw_base__handle_check(&p->h, CTW_PRIOR_MAGIC, "ctw_prior_count", "p") == CTW_OK ? p->n : 0;
}

/* What the singular values say: variances of the components kept; returned: the rest, spread over all weights. */
static double spread(const ctw_prior *p, const double *s, size_t rank, double *variance, size_t k)
{
    double left = 0.0, all = 0.0;
    for (size_t i = 0; i < rank; i++) {
        double v = s[i] * s[i] / (double)(p->n - 1);
        all += v;
        if (i < k)
            variance[i] = v;
        else
            left += v;
    }
    return left / (double)p->dims + p->floor * all / (double)p->dims + CTW_PRIOR_LEAST;
}

static ctw_status fit(ctw_prior *p, const char *fn)
{
    ctw_ctx *ctx = p->h.ctx;
    size_t d = p->dims, rank = p->n < d ? p->n : d, k = p->components < p->n - 1 ? p->components : p->n - 1;
    ctw_num__mat a = {NULL, 0, 0, 0}, u = {NULL, 0, 0, 0}, vt = {NULL, 0, 0, 0};
    if (p->n < 2) return ctw_base__fail(CTW_E_STATE, "%s: %zu applications, must be at least 2", fn, p->n);
    k = k < rank ? k : rank;
    double *mean = CTW_NEW(ctx, d, double), *axis = CTW_NEW(ctx, k * d + 1, double), *s = CTW_NEW(ctx, rank, double);
    double *variance = CTW_NEW(ctx, k + 1, double);
    ctw_status st = mean && axis && s && variance ? ctw_num__mat_from_rows(ctx, p->known, p->n, d, d, &a) : CTW_E_NOMEM;
    for (size_t c = 0; st == CTW_OK && c < d; c++) {
        for (size_t r = 0; r < p->n; r++) mean[c] += CTW_AT(&a, r, c) / (double)p->n;
        for (size_t r = 0; r < p->n; r++) CTW_AT(&a, r, c) -= mean[c];
    }
    if (st == CTW_OK) st = ctw_num__svd(ctx, &a, &u, s, &vt);
    double rest = st == CTW_OK ? spread(p, s, rank, variance, k) : 0.0;
    if (!(rest <= DBL_MAX)) st = ctw_base__fail(CTW_E_NOCONV, "%s: a variance is %g, must be finite", fn, rest);
    if (st == CTW_OK) {
        for (size_t i = 0; i < k; i++)
            for (size_t c = 0; c < d; c++) axis[i * d + c] = CTW_AT(&vt, i, c);
        p->rest = rest;
        double *old[3] = {p->mean, p->axis, p->variance};
        p->mean = mean;
        p->axis = axis;
        p->variance = variance;
        p->k = k;
        p->fitted = 1;
        mean = old[0];
        axis = old[1];
        variance = old[2];
    }
    ctw_base__free(ctx, mean);
    ctw_base__free(ctx, axis);
    ctw_base__free(ctx, variance);
    ctw_base__free(ctx, s);
    ctw_num__mat_free(ctx, &a);
    ctw_num__mat_free(ctx, &u);
    ctw_num__mat_free(ctx, &vt);
    return st;
}

ctw_status ctw_prior_fit(ctw_prior *p)
{
    static const char fn[] = "ctw_prior_fit";
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_PRIOR_MAGIC, fn, "p"));
    ctw_status s = fit(p, fn);
    ctw_base__handle_leave(&p->h);
    return s;
}

/* CTW_E_STATE before fit. */
static ctw_status ready(const ctw_prior *p, const char *fn)
{
    CTW_TRY(ctw_base__handle_check(p ? &p->h : NULL, CTW_PRIOR_MAGIC, fn, "p"));
    return p->fitted ? CTW_OK : ctw_base__fail(CTW_E_STATE, "%s: the prior is not fitted", fn);
}

ctw_status ctw_prior_get(const ctw_prior *p, double *mean, uint64_t n, double *sd, uint64_t cap, uint64_t *out_k,
                         double *rest_sd)
{
    static const char fn[] = "ctw_prior_get";
    CTW_TRY(ready(p, fn));
    if (mean) CTW_TRY(length(p, n, fn, "n"));
    if (out_k) *out_k = p->k;
    if (sd && cap < p->k)
        return ctw_base__fail(CTW_E_BUFFER, "%s: cap is %llu, must be at least %zu", fn, (unsigned long long)cap, p->k);
    if (mean) memcpy(mean, p->mean, p->dims * sizeof *mean);
    for (size_t i = 0; sd && i < p->k; i++) sd[i] = sqrt(p->variance[i]);
    if (rest_sd) *rest_sd = sqrt(p->rest);
    return CTW_OK;
}

ctw_status ctw_prior_embed(const ctw_prior *p, const double *w, uint64_t n, double *z, uint64_t k)
{
    static const char fn[] = "ctw_prior_embed";
    CTW_TRY(ready(p, fn));
    CTW_TRY(length(p, n, fn, "n"));
    if (k != p->k) return ctw_base__fail(CTW_E_SHAPE, "%s: k is %llu, must be %zu", fn, (unsigned long long)k, p->k);
    CTW_TRY(ctw_base__need(w, fn, "w"));
    CTW_TRY(ctw_base__need_n(z, k, fn, "z"));
    CTW_TRY(ctw_base__all_finite(w, n, 1, fn, "w"));
    for (size_t i = 0; i < p->k; i++) {
        z[i] = 0.0;
        for (size_t c = 0; c < p->dims; c++) z[i] += p->axis[i * p->dims + c] * (w[c] - p->mean[c]);
    }
    return CTW_OK;
}

/* A = S^-1 and b = S^-1 m for S = U diag(v) U' + r I: S^-1 = I / r - U diag(v / (r (v + r))) U'. */
static void before_rows(const ctw_prior *p, ctw_num__mat *a, ctw_num__mat *b)
{
    size_t d = p->dims;
    for (size_t c = 0; c < d; c++) CTW_AT(a, c, c) = 1.0 / p->rest;
    for (size_t i = 0; i < p->k; i++) {
        const double *u = p->axis + i * d;
        double f = p->variance[i] / (p->rest * (p->variance[i] + p->rest));
        for (size_t c = 0; c < d; c++)
            for (size_t r = 0; r < d; r++) CTW_AT(a, r, c) -= f * u[r] * u[c];
    }
    for (size_t c = 0; c < d; c++)
        for (size_t r = 0; r < d; r++) CTW_AT(b, r, 0) += CTW_AT(a, r, c) * p->mean[c];
}

static void take_row(ctw_num__mat *a, ctw_num__mat *b, const double *x, const double *next, double gamma, double y,
                     double precision)
{
    for (size_t r = 0; r < a->rows; r++) {
        if (x[r] == 0.0) continue; /* most features are, in a table or on tiles */
        double f = precision * x[r];
        for (size_t c = 0; c < a->cols; c++) CTW_AT(a, r, c) += f * (x[c] - (next ? gamma * next[c] : 0.0));
        CTW_AT(b, r, 0) += f * y;
    }
}

ctw_status ctw_prior_posterior(const ctw_prior *p, const double *x, const double *x_next, const double *y,
                               uint64_t rows, uint64_t d, uint64_t stride, double gamma, double *out_w)
{
    static const char fn[] = "ctw_prior_posterior";
    ctw_num__mat a = {NULL, 0, 0, 0}, b = {NULL, 0, 0, 0};
    CTW_TRY(ready(p, fn));
    CTW_TRY(length(p, d, fn, "d"));
    CTW_TRY(ctw_base__need(out_w, fn, "out_w"));
    CTW_TRY(ctw_base__in(gamma, 0.0, 1.0, fn, "gamma"));
    if (rows > 0) {
        CTW_TRY(ctw_base__matrix(x, rows, d, stride, fn, "x"));
        if (x_next) CTW_TRY(ctw_base__matrix(x_next, rows, d, stride, fn, "x_next"));
        CTW_TRY(ctw_base__need(y, fn, "y"));
        CTW_TRY(ctw_base__all_finite(y, rows, 1, fn, "y"));
    }
    ctw_ctx *ctx = p->h.ctx;
    ctw_status s = ctw_num__mat_new(ctx, d, d, &a);
    if (s == CTW_OK) s = ctw_num__mat_new(ctx, d, 1, &b);
    if (s == CTW_OK) {
        before_rows(p, &a, &b);
        for (uint64_t i = 0; i < rows; i++)
            take_row(&a, &b, x + i * stride, x_next ? x_next + i * stride : NULL, gamma, y[i],
                     1.0 / (p->noise * p->noise));
        s = ctw_num__lu_solve(ctx, &a, &b);
    }
    if (s == CTW_OK) memcpy(out_w, b.a, d * sizeof *out_w);
    ctw_num__mat_free(ctx, &a);
    ctw_num__mat_free(ctx, &b);
    return s;
}
