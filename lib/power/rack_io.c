/* rack_io.c: a rack as a file (doc/format.md, kind "RACK"): tables, the order of raises, the corrections learned and
 * the spread that makes the margin, so that a restarted host holds its budget as well as before. */
#include "power/rack_internal.h"

#include "io/saving.h"
#include "power/damaged.h"
#include "power/power_params.h"
#include <string.h>

enum { MAJOR = 1, MINOR = 1, TAG_MACHINES = CTW_FOUR('M', 'A', 'C', 'H'), TAG_FEEDS = CTW_FOUR('F', 'E', 'E', 'D') };

static void put_machines(ctw_io__writer *w, const ctw_rack *f)
{
    double state[3] = {f->error_mean, f->error_var, f->budget};
    ctw_io__put_u64(w, f->n);
    for (size_t i = 0; i < f->n; i++) ctw_io__put_u16(w, (uint16_t)(f->first[i + 1] - f->first[i]));
    ctw_io__put_vec(w, f->watts, f->n_points);
    ctw_io__put_f64s(w, f->slow, f->n_points);
    ctw_io__put_f64s(w, f->correction, f->n);
    for (size_t i = 0; i < f->n; i++) ctw_io__put_u16(w, (uint16_t)(f->at[i] + 1));
    ctw_io__put_u64(w, f->n_steps);
    for (size_t k = 0; k < f->n_steps; k++) {
        ctw_io__put_u32(w, f->steps[k].machine);
        ctw_io__put_u16(w, f->steps[k].from);
        ctw_io__put_u16(w, f->steps[k].to);
    }
    ctw_io__put_f64s(w, state, 3);
    ctw_io__put_i64(w, f->observed);
}

static ctw_status write_all(const ctw_rack *f, ctw_io__out *o)
{
    ctw_io__out_begin(o, f->h.ctx, CTW_RACK_MAGIC, MAJOR, MINOR);
    ctw_io__out_params(o, f->params);
    if (f->n) {
        ctw_io__out_open(o, TAG_MACHINES, 1, 0);
        put_machines(&o->w, f);
        ctw_io__out_close(o);
    }
    if (f->feeds.n) {
        ctw_io__out_open(o, TAG_FEEDS, 1, 0);
        ctw_io__put_vec(&o->w, f->feeds.limit, f->feeds.n);
        for (size_t k = 0; k < f->feeds.n; k++) ctw_io__put_i64(&o->w, f->feeds.parent[k]);
        for (size_t i = 0; i < f->n; i++) ctw_io__put_u32(&o->w, (uint32_t)f->feeds.of[i]);
        ctw_io__out_close(o);
    }
    return ctw_io__out_finish(o);
}

/* first[] from the machines' numbers of points; 0 when a number is out of bounds. */
static int get_first(ctw_io__reader *r, size_t n, uint64_t *first)
{
    first[0] = 0;
    for (size_t i = 0; i < n; i++) {
        uint16_t points = ctw_io__get_u16(r);
        if (r->failed || points < 1 || points > 256) return 0;
        first[i + 1] = first[i] + points;
    }
    return 1;
}

/* Steps in the saved order: each raises a machine that exists between points that it has. */
static int get_steps(ctw_io__reader *r, ctw_rack *f)
{
    size_t n = ctw_io__get_count(r, 8);
    if (r->failed || n > f->n_points) return 0;
    f->n_steps = n;
    for (size_t k = 0; k < n; k++) {
        ctw_rack__step *s = &f->steps[k];
        s->machine = ctw_io__get_u32(r);
        s->from = ctw_io__get_u16(r);
        s->to = ctw_io__get_u16(r);
        if (s->machine >= f->n || s->from >= s->to || s->to >= f->first[s->machine + 1] - f->first[s->machine])
            return 0;
    }
    return 1;
}

static int get_state(ctw_io__reader *r, ctw_rack *f, const double *correction, const uint16_t *at)
{
    double state[3] = {0};
    for (size_t i = 0; i < f->n; i++) {
        f->correction[i] = correction[i];
        f->at[i] = (int32_t)at[i] - 1;
        if (!(correction[i] > 1e-30 && correction[i] < 1e30) || at[i] > f->first[i + 1] - f->first[i]) return 0;
        if ((at[i] == 0) != (at[0] == 0)) return 0; /* split all, or none */
    }
    if (!get_steps(r, f)) return 0;
    ctw_io__get_f64s(r, state, 3);
    f->error_mean = state[0];
    f->error_var = state[1];
    f->budget = state[2];
    f->observed = ctw_io__get_i64(r);
    return !r->failed && state[0] > -1.0 && state[0] < 1e6 && state[1] >= 0.0 && state[1] < 1e12 && state[2] >= 0.0 &&
           f->observed >= 0;
}

/* Columns read into `scratch` (n_points watts, n_points slowdowns, n corrections), then made into a rack. */
static ctw_status read_columns(ctw_io__reader *r, ctw_rack *f, size_t n, const uint64_t *first, size_t points,
                               double *scratch, uint16_t *at, const char *fn)
{
    ctw_io__get_f64s(r, scratch, 2 * points + n);
    for (size_t i = 0; i < n; i++) at[i] = ctw_io__get_u16(r);
    if (r->failed) return ctw_power__damaged(fn, "a table", "rack");
    ctw_status s = ctw_rack_set_machines(f, n, first, scratch, scratch + points, NULL, NULL);
    if (s == CTW_E_RANGE || s == CTW_E_SHAPE || s == CTW_E_NONFINITE) return ctw_power__damaged(fn, "a table", "rack");
    if (s != CTW_OK) return s;
    return get_state(r, f, scratch + 2 * points, at) ? CTW_OK : ctw_power__damaged(fn, "the state", "rack");
}

static ctw_status read_machines(const ctw_io__in *in, ctw_rack *f, const char *fn)
{
    ctw_io__reader r;
    ctw_ctx *ctx = f->h.ctx;
    CTW_TRY(ctw_io__in_section(in, TAG_MACHINES, &r, fn));
    size_t n = ctw_io__get_count(&r, 2 + 2 + 8 + 16); /* what one machine of one point takes */
    if (r.failed || n == 0 || n > 1000000) return ctw_power__damaged(fn, "the number of machines", "rack");
    uint64_t *first = ctw_base__alloc(ctx, n + 1, sizeof *first);
    uint16_t *at = ctw_base__alloc(ctx, n, sizeof *at);
    ctw_status s = first && at ? CTW_OK : CTW_E_NOMEM;
    if (s == CTW_OK && !get_first(&r, n, first)) s = ctw_power__damaged(fn, "a number of points", "rack");
    size_t points = s == CTW_OK ? ctw_io__get_count(&r, 2 * sizeof(double)) : 0;
    if (s == CTW_OK && points != first[n]) s = ctw_power__damaged(fn, "the number of points", "rack");
    double *scratch = s == CTW_OK ? ctw_base__alloc(ctx, 2 * points + n, sizeof *scratch) : NULL;
    if (s == CTW_OK && !scratch) s = CTW_E_NOMEM;
    if (s == CTW_OK) s = read_columns(&r, f, n, first, points, scratch, at, fn);
    ctw_base__free(ctx, scratch);
    ctw_base__free(ctx, at);
    ctw_base__free(ctx, first);
    return s == CTW_OK ? ctw_io__in_end(&r, fn, "machines") : s;
}

static ctw_status read_feeds(const ctw_io__in *in, ctw_rack *f, const char *fn)
{
    ctw_io__reader r;
    ctw_ctx *ctx = f->h.ctx;
    CTW_TRY(ctw_io__in_section(in, TAG_FEEDS, &r, fn));
    size_t n = ctw_io__get_count(&r, 2 * sizeof(double));
    if (r.failed || n == 0 || f->n == 0) return ctw_power__damaged(fn, "the number of feeds", "rack");
    double *limit = ctw_base__alloc(ctx, n, sizeof *limit);
    int64_t *parent = ctw_base__alloc(ctx, n, sizeof *parent);
    uint64_t *of = ctw_base__alloc(ctx, f->n, sizeof *of);
    ctw_status s = limit && parent && of ? CTW_OK : CTW_E_NOMEM;
    if (s == CTW_OK) {
        ctw_io__get_f64s(&r, limit, n);
        for (size_t k = 0; k < n; k++) parent[k] = ctw_io__get_i64(&r);
        for (size_t i = 0; i < f->n; i++) of[i] = ctw_io__get_u32(&r);
        s = ctw_io__in_end(&r, fn, "feeds");
    }
    if (s == CTW_OK) s = ctw_rack_set_feeds(f, n, limit, parent, of);
    if (s == CTW_E_RANGE || s == CTW_E_NONFINITE) s = ctw_power__damaged(fn, "a feed", "rack");
    ctw_base__free(ctx, limit);
    ctw_base__free(ctx, parent);
    ctw_base__free(ctx, of);
    return s;
}

static ctw_status read_all(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_rack **out, const char *fn)
{
    static const uint32_t known[] = {CTW_FOUR('P', 'R', 'M', 'S'), TAG_MACHINES, TAG_FEEDS};
    ctw_io__in in;
    ctw_params *params = NULL;
    CTW_TRY(ctw_io__in_begin(&in, buf, len, CTW_RACK_MAGIC, MAJOR, fn));
    CTW_TRY(ctw_io__in_known(&in, known, sizeof known / sizeof *known, fn));
    CTW_TRY(ctw_io__in_params(&in, ctx, "rack", &params, fn));
    ctw_status s = ctw_rack_new(ctx, params, out);
    ctw_params_unref(params);
    if (s == CTW_OK && ctw_io__in_has(&in, TAG_MACHINES)) s = read_machines(&in, *out, fn);
    if (s == CTW_OK && ctw_io__in_has(&in, TAG_FEEDS)) s = read_feeds(&in, *out, fn);
    return s;
}

CTW_DEFINE_SAVING(ctw_rack, CTW_RACK_MAGIC, ctw_io__any_state, write_all, read_all);
