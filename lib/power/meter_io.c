/* meter_io.c: a meter as a file (doc/format.md, kind "METR"): options, calibration, and what the online correction
 * and the watch for drift have come to, so that a restarted host goes on where it was. */
#include "power/meter_internal.h"

#include "io/saving.h"

enum { MAJOR = 1, MINOR = 0, TAG_FIT = CTW_FOUR('C', 'A', 'L', 'B') };

static ctw_status write_all(const ctw_meter *m, ctw_io__out *o)
{
    ctw_io__out_begin(o, m->h.ctx, CTW_METER_MAGIC, MAJOR, MINOR);
    ctw_io__out_params(o, m->params);
    if (m->fitted) {
        double state[4] = {m->bias, m->error, m->up, m->down};
        ctw_io__out_open(o, TAG_FIT, 1, 0);
        ctw_io__put_vec(&o->w, m->mean, m->d);
        ctw_io__put_f64s(&o->w, m->max, m->d);
        ctw_io__put_f64s(&o->w, m->coef, ctw_meter__terms(m));
        ctw_io__put_f64s(&o->w, state, 4);
        ctw_io__put_u8(&o->w, (uint8_t)m->drifting);
        ctw_io__out_close(o);
    }
    return ctw_io__out_finish(o);
}

/* Every number where a fit or an update could have left it: no mean is below its maximum over the most rows. */
static int plausible(const ctw_meter *m)
{
    static const double most_rows = 4294967296.0 * (1.0 + 1e-6);
    for (size_t j = 0; j < m->d; j++)
        if (!(m->mean[j] >= 0.0 && m->mean[j] <= m->max[j] * (1.0 + 1e-6) && m->max[j] <= 1e30 &&
              m->max[j] <= m->mean[j] * most_rows))
            return 0;
    for (size_t k = 0; k < ctw_meter__terms(m); k++)
        if (!(m->coef[k] >= 0.0 && m->coef[k] <= 1e30)) return 0;
    return m->bias > 1e-30 && m->bias < 1e30 && m->error >= 0.0 && m->up >= 0.0 && m->down >= 0.0;
}

static ctw_status read_fit(const ctw_io__in *in, ctw_meter *m, const char *fn)
{
    ctw_io__reader r;
    double state[4] = {0};
    CTW_TRY(ctw_io__in_section(in, TAG_FIT, &r, fn));
    m->d = ctw_io__get_count(&r, sizeof *m->mean);
    if (m->d < 1 || m->d > CTW_METER_COUNTERS)
        return ctw_base__fail(CTW_E_FORMAT, "%s: the file has %zu counters, must be 1 to %d", fn, m->d,
                              CTW_METER_COUNTERS);
    ctw_io__get_f64s(&r, m->mean, m->d);
    ctw_io__get_f64s(&r, m->max, m->d);
    ctw_io__get_f64s(&r, m->coef, ctw_meter__terms(m));
    ctw_io__get_f64s(&r, state, 4);
    uint8_t drifting = ctw_io__get_u8(&r);
    CTW_TRY(ctw_io__in_end(&r, fn, "calibration"));
    m->bias = state[0];
    m->error = state[1];
    m->up = state[2];
    m->down = state[3];
    m->drifting = drifting;
    if (drifting > 1 || !plausible(m))
        return ctw_base__fail(CTW_E_FORMAT, "%s: a number in the file cannot be a meter's", fn);
    m->fitted = 1;
    return CTW_OK;
}

static ctw_status read_all(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_meter **out, const char *fn)
{
    static const uint32_t known[] = {CTW_FOUR('P', 'R', 'M', 'S'), TAG_FIT};
    ctw_io__in in;
    ctw_params *params = NULL;
    CTW_TRY(ctw_io__in_begin(&in, buf, len, CTW_METER_MAGIC, MAJOR, fn));
    CTW_TRY(ctw_io__in_known(&in, known, sizeof known / sizeof *known, fn));
    CTW_TRY(ctw_io__in_params(&in, ctx, "meter", &params, fn));
    ctw_status s = ctw_meter_new(ctx, params, out);
    ctw_params_unref(params);
    if (s == CTW_OK && ctw_io__in_has(&in, TAG_FIT)) s = read_fit(&in, *out, fn);
    return s;
}

CTW_DEFINE_SAVING(ctw_meter, CTW_METER_MAGIC, ctw_io__any_state, write_all, read_all);
