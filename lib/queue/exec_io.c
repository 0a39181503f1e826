/* exec_io.c: execution times as a file (doc/format.md, kind "EXEC"), so that a host that starts again does not begin
 * with the preset. */
#include "io/saving.h"
#include "queue/exec_internal.h"
#include <math.h>

enum {
    MAJOR = 1,
    MINOR = 0,
    TAG_FITS = CTW_FOUR('F', 'I', 'T', 'S'),
    REALS = CTW_EXEC_TERMS * (CTW_EXEC_TERMS + 2) + 3
};

/* The reals of a fit, one after the other. */
static void reals(ctw_exec__fit *f, double *at[REALS])
{
    size_t n = 0;
    for (unsigned i = 0; i < CTW_EXEC_TERMS; i++) {
        for (unsigned j = 0; j < CTW_EXEC_TERMS; j++) at[n++] = &f->xx[i][j];
        at[n++] = &f->xy[i];
        at[n++] = &f->coef[i];
    }
    at[n++] = &f->seen;
    at[n++] = &f->error;
    at[n++] = &f->off;
}

static ctw_status write_all(const ctw_exec *e, ctw_io__out *o)
{
    ctw_io__out_begin(o, e->h.ctx, CTW_EXEC_MAGIC, MAJOR, MINOR);
    ctw_io__out_params(o, e->params);
    ctw_io__out_open(o, TAG_FITS, 1, 0);
    ctw_io__put_u64(&o->w, (uint64_t)e->instances);
    for (int64_t i = 0; i < e->instances; i++) {
        ctw_exec__fit f = e->fit[i];
        double *at[REALS];
        reals(&f, at);
        for (size_t k = 0; k < REALS; k++) ctw_io__put_f64s(&o->w, at[k], 1);
        ctw_io__put_u64(&o->w, f.observed);
    }
    ctw_io__out_close(o);
    return ctw_io__out_finish(o);
}

/* Whether observing can have led there. */
static int possible(const ctw_exec__fit *f)
{
    int fine = f->seen >= 0 && f->seen <= 1e18 && f->error >= 0 && f->error <= 1e18 && f->off >= 0 && f->off <= 1;
    for (unsigned i = 0; i < CTW_EXEC_TERMS; i++) {
        fine &= f->coef[i] >= 0 && f->coef[i] <= 1e18 && f->xx[i][i] >= 0 && fabs(f->xy[i]) <= 1e100;
        for (unsigned j = 0; j < CTW_EXEC_TERMS; j++) fine &= fabs(f->xx[i][j]) <= 1e100;
    }
    return fine;
}

static ctw_status read_fits(const ctw_io__in *in, ctw_exec *e, const char *fn)
{
    ctw_io__reader r;
    CTW_TRY(ctw_io__in_section(in, TAG_FITS, &r, fn));
    uint64_t n = ctw_io__get_count(&r, 8 * (REALS + 1));
    if (r.failed || n != (uint64_t)e->instances)
        return ctw_base__fail(CTW_E_FORMAT, "%s: fits of %llu instances, the options have %lld", fn,
                              (unsigned long long)n, (long long)e->instances);
    for (int64_t i = 0; i < e->instances; i++) {
        double *at[REALS];
        reals(&e->fit[i], at);
        for (size_t k = 0; k < REALS; k++) ctw_io__get_f64s(&r, at[k], 1);
        e->fit[i].observed = ctw_io__get_u64(&r);
        if (r.failed || !possible(&e->fit[i]))
            return ctw_base__fail(CTW_E_FORMAT, "%s: the fit of instance %lld is damaged", fn, (long long)i);
    }
    return ctw_io__in_end(&r, fn, "fits");
}

static ctw_status read_all(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_exec **out, const char *fn)
{
    static const uint32_t known[] = {CTW_FOUR('P', 'R', 'M', 'S'), TAG_FITS};
    ctw_io__in in;
    ctw_params *params = NULL;
    CTW_TRY(ctw_io__in_begin(&in, buf, len, CTW_EXEC_MAGIC, MAJOR, fn));
    CTW_TRY(ctw_io__in_known(&in, known, sizeof known / sizeof *known, fn));
    CTW_TRY(ctw_io__in_params(&in, ctx, "exec", &params, fn));
    ctw_status s = ctw_exec_new(ctx, params, out);
    ctw_params_unref(params);
    return s == CTW_OK ? read_fits(&in, *out, fn) : s;
}

CTW_DEFINE_SAVING(ctw_exec, CTW_EXEC_MAGIC, ctw_io__any_state, write_all, read_all);
