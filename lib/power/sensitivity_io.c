/* sensitivity_io.c: what is known of a device's kernels as a file (doc/format.md, kind "SENS"). */
#include "power/sensitivity_internal.h"

#include "io/saving.h"
#include "power/damaged.h"

enum { MAJOR = 1, MINOR = 0, TAG_KERNELS = CTW_FOUR('K', 'R', 'N', 'L') };

static ctw_status write_all(const ctw_sensitivity *s, ctw_io__out *o)
{
    double how[3] = {s->how.overlap, s->how.saturation, s->how.width};
    ctw_io__out_begin(o, s->h.ctx, CTW_SENSITIVITY_MAGIC, MAJOR, MINOR);
    ctw_io__out_open(o, TAG_KERNELS, 1, 0);
    ctw_io__put_f64s(&o->w, how, 3);
    ctw_io__put_u64(&o->w, s->d);
    ctw_io__put_vec(&o->w, s->counters, s->n * (s->d + 2));
    ctw_io__out_close(o);
    return ctw_io__out_finish(o);
}

static int form_plausible(const ctw_sensitivity__form *f)
{
    return f->overlap >= 1.0 && f->overlap <= 16.0 && f->saturation >= 0.1 && f->saturation <= 1.0 && f->width >= 0.0 &&
           f->width <= 100.0;
}

/* Counters in 0..1, deviations of memory-boundness in -1..1, weights positive. */
static int rows_plausible(const ctw_sensitivity *s)
{
    for (size_t i = 0; i < s->n * s->d; i++)
        if (!(s->counters[i] >= 0.0 && s->counters[i] <= 1.0)) return 0;
    for (size_t i = 0; i < s->n; i++)
        if (!(s->deviation[i] >= -1.0 && s->deviation[i] <= 1.0 && s->weight[i] >= 1e-9 && s->weight[i] <= 1e9))
            return 0;
    return 1;
}

static ctw_status read_kernels(ctw_io__reader *r, ctw_sensitivity *s, const char *fn)
{
    double how[3] = {0};
    ctw_io__get_f64s(r, how, 3);
    uint64_t d = ctw_io__get_u64(r);
    size_t total = ctw_io__get_count(r, sizeof(double));
    s->how = (ctw_sensitivity__form){how[0], how[1], how[2]};
    if (r->failed || !form_plausible(&s->how)) return ctw_power__damaged(fn, "the form", "sensitivity");
    if (d > CTW_SENSITIVITY_MOST_D || (total > 0) != (d > 0) || total % (d + 2) ||
        total / (d + 2) > CTW_SENSITIVITY_MOST_N)
        return ctw_power__damaged(fn, "the number of counters", "sensitivity");
    if (total == 0) return CTW_OK;
    double *block = ctw_base__alloc(s->h.ctx, total, sizeof *block);
    if (!block) return CTW_E_NOMEM;
    ctw_io__get_f64s(r, block, total);
    s->d = (size_t)d;
    s->n = total / (s->d + 2);
    s->counters = block;
    s->deviation = block + s->n * s->d;
    s->weight = s->deviation + s->n;
    return r->failed || !rows_plausible(s) ? ctw_power__damaged(fn, "a kernel", "sensitivity") : CTW_OK;
}

static ctw_status read_all(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_sensitivity **out, const char *fn)
{
    static const uint32_t known[] = {TAG_KERNELS};
    ctw_io__in in;
    ctw_io__reader r;
    CTW_TRY(ctw_io__in_begin(&in, buf, len, CTW_SENSITIVITY_MAGIC, MAJOR, fn));
    CTW_TRY(ctw_io__in_known(&in, known, 1, fn));
    CTW_TRY(ctw_io__in_section(&in, TAG_KERNELS, &r, fn));
    CTW_TRY(ctw_sensitivity_new(ctx, out));
    CTW_TRY(read_kernels(&r, *out, fn));
    return ctw_io__in_end(&r, fn, "kernels");
}

CTW_DEFINE_SAVING(ctw_sensitivity, CTW_SENSITIVITY_MAGIC, ctw_io__any_state, write_all, read_all);
