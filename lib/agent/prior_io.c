/* prior_io.c: a prior as bytes: options, the applications' weights, and the fit, which may be older than the last
 * application. */
#include "agent/agent_params.h"
#include "agent/prior_internal.h"
#include "base/params.h"
#include "io/saving.h"
#include <float.h>

#define MAJOR      1
#define TAG_PARAMS CTW_FOUR('P', 'R', 'M', 'S')
#define TAG_APPS   CTW_FOUR('A', 'P', 'P', 'S')
#define TAG_FIT    CTW_FOUR('F', 'I', 'T', 'D') /* only once fitted */

static ctw_status write(const ctw_prior *p, ctw_io__out *o)
{
    ctw_io__out_begin(o, p->h.ctx, CTW_PRIOR_MAGIC, MAJOR, 0);
    ctw_io__out_params(o, p->params);
    ctw_io__out_open(o, TAG_APPS, 1, 0);
    ctw_io__put_vec(&o->w, p->known, p->n * p->dims);
    ctw_io__out_close(o);
    if (p->fitted) {
        ctw_io__out_open(o, TAG_FIT, 1, 0);
        ctw_io__put_f64(&o->w, p->rest);
        ctw_io__put_vec(&o->w, p->mean, p->dims);
        ctw_io__put_vec(&o->w, p->variance, p->k);
        ctw_io__put_vec(&o->w, p->axis, p->k * p->dims);
        ctw_io__out_close(o);
    }
    return CTW_OK;
}

static ctw_status bad(const char *fn, const char *what)
{
    return ctw_base__fail(CTW_E_FORMAT, "%s: damaged prior: %s", fn, what);
}

/* A vector of any length in new memory, its numbers from `least` to `most`; *n its length. CTW_OK with r->failed set
 * when the file is at fault. */
static ctw_status get_new(ctw_ctx *ctx, ctw_io__reader *r, double **v, size_t *n, double least, double most)
{
    *n = ctw_io__get_count(r, sizeof **v);
    if (r->failed) return CTW_OK;
    if (!(*v = CTW_NEW(ctx, *n + 1, double))) return CTW_E_NOMEM;
    ctw_io__get_f64s(r, *v, *n);
    for (size_t i = 0; !r->failed && i < *n; i++)
        if (!((*v)[i] >= least && (*v)[i] <= most)) r->failed = 1;
    return CTW_OK;
}

static ctw_status get_applications(ctw_prior *p, const ctw_io__in *in, const char *fn)
{
    ctw_io__reader r;
    size_t n;
    CTW_TRY(ctw_io__in_section(in, TAG_APPS, &r, fn));
    CTW_TRY(get_new(p->h.ctx, &r, &p->known, &n, -DBL_MAX, DBL_MAX));
    CTW_TRY(ctw_io__in_end(&r, fn, "applications"));
    if (n % p->dims != 0) return bad(fn, "number of weights");
    p->n = n / p->dims;
    p->cap = n + 1;
    return CTW_OK;
}

static ctw_status get_fit(ctw_prior *p, const ctw_io__in *in, const char *fn)
{
    ctw_io__reader r;
    ctw_ctx *ctx = p->h.ctx;
    size_t dims, axes;
    if (!ctw_io__in_has(in, TAG_FIT)) return CTW_OK;
    CTW_TRY(ctw_io__in_section(in, TAG_FIT, &r, fn));
    p->rest = ctw_io__get_f64(&r);
    CTW_TRY(get_new(ctx, &r, &p->mean, &dims, -DBL_MAX, DBL_MAX));
    CTW_TRY(get_new(ctx, &r, &p->variance, &p->k, 0.0, DBL_MAX));
    CTW_TRY(get_new(ctx, &r, &p->axis, &axes, -1.01, 1.01));
    CTW_TRY(ctw_io__in_end(&r, fn, "fit"));
    if (p->n < 2 || dims != p->dims || p->k > p->components || axes != p->k * p->dims)
        return bad(fn, "shape of its fit");
    if (!(p->rest >= CTW_PRIOR_LEAST && p->rest <= DBL_MAX)) return bad(fn, "a variance");
    p->fitted = 1;
    return CTW_OK;
}

static ctw_status read(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_prior **out, const char *fn)
{
    static const uint32_t known[] = {TAG_PARAMS, TAG_APPS, TAG_FIT};
    ctw_io__in in;
    ctw_params *params;
    CTW_TRY(ctw_io__in_begin(&in, buf, len, CTW_PRIOR_MAGIC, MAJOR, fn));
    CTW_TRY(ctw_io__in_known(&in, known, sizeof known / sizeof *known, fn));
    CTW_TRY(ctw_io__in_params(&in, ctx, "prior", &params, fn));
    ctw_status s = ctw_prior__make(ctx, params, fn, out);
    ctw_params_unref(params);
    if (s == CTW_OK) s = get_applications(*out, &in, fn);
    return s == CTW_OK ? get_fit(*out, &in, fn) : s;
}

CTW_DEFINE_SAVING(ctw_prior, CTW_PRIOR_MAGIC, ctw_io__any_state, write, read);
