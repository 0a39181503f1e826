/* guard_io.c: file format of a fitted guard (kind GURD 1.0): "PRMS" options, "FIT0" mean, scales, factor and
 * sorted distances. The limit is recomputed, so that it cannot disagree with them. */
#include "guard/guard_internal.h"
#include "guard/guard_params.h"
#include "io/saving.h"
#include <math.h>

#define TAG_PARAMS CTW_FOUR('P', 'R', 'M', 'S')
#define TAG_FIT    CTW_FOUR('F', 'I', 'T', '0')

static ctw_status is_fitted(const ctw_guard *g, const char *fn)
{
    return g->d ? CTW_OK : ctw_base__fail(CTW_E_STATE, "%s: the guard is not fitted", fn);
}

static ctw_status encode(const ctw_guard *g, ctw_io__out *o)
{
    ctw_io__out_begin(o, g->h.ctx, CTW_GUARD__MAGIC, 1, 0);
    ctw_io__out_params(o, g->params);
    ctw_io__out_open(o, TAG_FIT, 1, 0);
    ctw_io__put_vec(&o->w, g->mean, g->d);
    ctw_io__put_f64s(&o->w, g->inv_sd, g->d);
    for (size_t c = 0; c < g->d; c++) ctw_io__put_f64s(&o->w, &CTW_AT(&g->chol, c, c), g->d - c);
    ctw_io__put_vec(&o->w, g->dist, g->n_dist);
    ctw_io__out_close(o);
    return CTW_OK;
}

/* Values no fit can produce would make distances meaningless or infinite: refuse them. */
static ctw_status plausible(const ctw_guard *g, const char *fn)
{
    for (size_t j = 0; j < g->d; j++)
        if (!(g->inv_sd[j] > 0.0) || !(CTW_AT(&g->chol, j, j) > 0.0))
            return ctw_base__fail(CTW_E_FORMAT, "%s: scale or factor of feature %zu is not positive", fn, j);
    for (size_t i = 0; i < g->n_dist; i++)
        if (g->dist[i] < 0.0 || (i > 0 && g->dist[i] < g->dist[i - 1]))
            return ctw_base__fail(CTW_E_FORMAT, "%s: distance %zu is negative or out of order", fn, i);
    return CTW_OK;
}

static ctw_status decode(ctw_guard *g, ctw_io__reader *r, const char *fn)
{
    size_t d = ctw_io__get_count(r, 8);
    if (r->failed || d == 0 || d > CTW_GUARD__MAX_D || r->left / 8 < d + d * (d + 1) / 2)
        return ctw_base__fail(CTW_E_FORMAT, "%s: %zu features in a file of this length", fn, d);
    g->d = d;
    g->mean = CTW_NEW(g->h.ctx, d, double);
    g->inv_sd = CTW_NEW(g->h.ctx, d, double);
    if (!g->mean || !g->inv_sd) return CTW_E_NOMEM;
    CTW_TRY(ctw_num__mat_new(g->h.ctx, d, d, &g->chol));
    ctw_io__get_f64s(r, g->mean, d);
    ctw_io__get_f64s(r, g->inv_sd, d);
    for (size_t c = 0; c < d; c++) ctw_io__get_f64s(r, &CTW_AT(&g->chol, c, c), d - c);
    g->n_dist = ctw_io__get_count(r, 8);
    g->dist = CTW_NEW(g->h.ctx, g->n_dist, double);
    if (!g->dist) return CTW_E_NOMEM;
    ctw_io__get_f64s(r, g->dist, g->n_dist);
    CTW_TRY(ctw_io__in_end(r, fn, "FIT0"));
    CTW_TRY(plausible(g, fn));
    ctw_status s = ctw_guard__calibrate(g, fn);
    return s == CTW_E_SHAPE ? CTW_E_FORMAT : s;
}

static ctw_status read_all(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_guard **out, const char *fn)
{
    static const uint32_t known[] = {TAG_PARAMS, TAG_FIT};
    ctw_io__in in;
    ctw_io__reader r;
    ctw_params *params = NULL;
    CTW_TRY(ctw_io__in_begin(&in, buf, len, CTW_GUARD__MAGIC, 1, fn));
    CTW_TRY(ctw_io__in_known(&in, known, sizeof known / sizeof *known, fn));
    CTW_TRY(ctw_io__in_section(&in, TAG_FIT, &r, fn));
    CTW_TRY(ctw_io__in_params(&in, ctx, "guard", &params, fn));
    ctw_status s = ctw_guard_new(ctx, params, out);
    ctw_params_unref(params);
    return s == CTW_OK ? decode(*out, &r, fn) : s;
}

CTW_DEFINE_SAVING(ctw_guard, CTW_GUARD__MAGIC, is_fitted, encode, read_all);
