/* shapes_io.c: remembered load curves as a file (doc/format.md, kind "SHPS"). Means and scales of the features are
 * counted again on loading, in the same order, so a loaded memory completes curves with the same bits. */
#include "power/shapes_internal.h"

#include "io/saving.h"
#include "power/damaged.h"

enum { MAJOR = 1, MINOR = 0, TAG_ROWS = CTW_FOUR('R', 'O', 'W', 'S') };

static ctw_status write_all(const ctw_shapes *s, ctw_io__out *o)
{
    ctw_io__out_begin(o, s->h.ctx, CTW_SHAPES_MAGIC, MAJOR, MINOR);
    ctw_io__out_params(o, s->params);
    ctw_io__out_open(o, TAG_ROWS, 1, 0);
    ctw_io__put_u8(&o->w, (uint8_t)(s->fixed_d != 0));
    ctw_io__put_u64(&o->w, s->d);
    ctw_io__put_vec(&o->w, s->rows, s->n * (s->d + 1 + CTW_SHAPES_GRID));
    ctw_io__out_close(o);
    return ctw_io__out_finish(o);
}

/* Features, idle over peak, and a curve from 0 to 1 that never falls. */
static int plausible(const double *row, size_t d)
{
    const double *grid = row + d + 1;
    for (size_t j = 0; j < d; j++)
        if (!(row[j] >= -1e12 && row[j] <= 1e12)) return 0;
    if (!(row[d] > 0.0 && row[d] < 1.0) || !(grid[0] >= 0.0) || !(grid[CTW_SHAPES_GRID - 1] <= 1.0)) return 0;
    for (int k = 1; k < CTW_SHAPES_GRID; k++)
        if (!(grid[k] >= grid[k - 1])) return 0;
    return 1;
}

static ctw_status read_rows(const ctw_io__in *in, ctw_shapes *s, const char *fn)
{
    ctw_io__reader r;
    CTW_TRY(ctw_io__in_section(in, TAG_ROWS, &r, fn));
    uint8_t fixed = ctw_io__get_u8(&r);
    uint64_t d = ctw_io__get_u64(&r);
    size_t total = ctw_io__get_count(&r, sizeof(double));
    if (fixed > 1 || d > CTW_SHAPES_FEATURES || (!fixed && (d || total)))
        return ctw_power__damaged(fn, "the number of features", "memory of shapes");
    size_t width = (size_t)d + 1 + CTW_SHAPES_GRID;
    if (total % width) return ctw_power__damaged(fn, "the number of rows", "memory of shapes");
    if (total) CTW_TRY(ctw_shapes__reserve(s, total / width, (size_t)d));
    for (size_t i = 0; i < total / width; i++) {
        double row[CTW_SHAPES_FEATURES + 1 + CTW_SHAPES_GRID];
        ctw_io__get_f64s(&r, row, width);
        if (r.failed || !plausible(row, (size_t)d)) return ctw_power__damaged(fn, "a row", "memory of shapes");
        ctw_shapes__append(s, row);
    }
    s->d = (size_t)d;
    s->fixed_d = fixed;
    return ctw_io__in_end(&r, fn, "rows");
}

static ctw_status read_all(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_shapes **out, const char *fn)
{
    static const uint32_t known[] = {CTW_FOUR('P', 'R', 'M', 'S'), TAG_ROWS};
    ctw_io__in in;
    ctw_params *params = NULL;
    CTW_TRY(ctw_io__in_begin(&in, buf, len, CTW_SHAPES_MAGIC, MAJOR, fn));
    CTW_TRY(ctw_io__in_known(&in, known, sizeof known / sizeof *known, fn));
    CTW_TRY(ctw_io__in_params(&in, ctx, "shapes", &params, fn));
    ctw_status s = ctw_shapes_new(ctx, params, out);
    ctw_params_unref(params);
    return s == CTW_OK ? read_rows(&in, *out, fn) : s;
}

CTW_DEFINE_SAVING(ctw_shapes, CTW_SHAPES_MAGIC, ctw_io__any_state, write_all, read_all);
