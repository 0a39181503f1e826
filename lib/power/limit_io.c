/* limit_io.c: a search for a power limit as a file (doc/format.md, kind "LIMT"), so that a job which is stopped and
 * started again need not repeat its trials. */
#include "power/limit_internal.h"

#include "io/saving.h"
#include "power/damaged.h"

enum { MAJOR = 1, MINOR = 0, TAG_TRIALS = CTW_FOUR('T', 'R', 'Y', 'S') };

static ctw_status write_all(const ctw_limit *l, ctw_io__out *o)
{
    ctw_io__out_begin(o, l->h.ctx, CTW_LIMIT_MAGIC, MAJOR, MINOR);
    ctw_io__out_params(o, l->params);
    ctw_io__out_open(o, TAG_TRIALS, 1, 0);
    ctw_io__put_f64(&o->w, l->max_slowdown);
    ctw_io__put_vec(&o->w, l->watts, l->n);
    ctw_io__put_f64s(&o->w, l->seconds, l->n);
    ctw_io__put_f64s(&o->w, l->drawn, l->n);
    ctw_io__out_close(o);
    return ctw_io__out_finish(o);
}

/* What was tried must be what ctw_limit_tell would have taken. */
static int plausible(const double *seconds, const double *drawn, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (seconds[i] == 0.0 && drawn[i] == 0.0) continue;
        if (!(seconds[i] >= 1e-12 && seconds[i] <= 1e12 && drawn[i] >= 1e-9 && drawn[i] <= 1e9)) return 0;
    }
    return 1;
}

static ctw_status read_all(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_limit **out, const char *fn)
{
    static const uint32_t known[] = {CTW_FOUR('P', 'R', 'M', 'S'), TAG_TRIALS};
    double watts[CTW_LIMIT_MOST], seconds[CTW_LIMIT_MOST], drawn[CTW_LIMIT_MOST];
    ctw_params *params = NULL;
    ctw_io__reader r;
    ctw_io__in in;
    CTW_TRY(ctw_io__in_begin(&in, buf, len, CTW_LIMIT_MAGIC, MAJOR, fn));
    CTW_TRY(ctw_io__in_known(&in, known, sizeof known / sizeof *known, fn));
    CTW_TRY(ctw_io__in_section(&in, TAG_TRIALS, &r, fn));
    double max_slowdown = ctw_io__get_f64(&r);
    size_t n = ctw_io__get_count(&r, sizeof *watts);
    if (n > CTW_LIMIT_MOST) return ctw_power__damaged(fn, "the number of limits", "limit search");
    ctw_io__get_f64s(&r, watts, n);
    ctw_io__get_f64s(&r, seconds, n);
    ctw_io__get_f64s(&r, drawn, n);
    CTW_TRY(ctw_io__in_end(&r, fn, "trials"));
    if (!plausible(seconds, drawn, n)) return ctw_power__damaged(fn, "a trial", "limit search");
    CTW_TRY(ctw_io__in_params(&in, ctx, "limit", &params, fn));
    ctw_status s = ctw_limit_new(ctx, params, watts, n, max_slowdown, out);
    ctw_params_unref(params);
    if (s == CTW_E_RANGE || s == CTW_E_NONFINITE) return ctw_power__damaged(fn, "a limit", "limit search");
    for (size_t i = 0; s == CTW_OK && i < n; i++) {
        (*out)->seconds[i] = seconds[i];
        (*out)->drawn[i] = drawn[i];
    }
    return s;
}

CTW_DEFINE_SAVING(ctw_limit, CTW_LIMIT_MAGIC, ctw_io__any_state, write_all, read_all);
