/* features_io.c: a feature map inside the file of the agent or policy that uses it. */
#include "agent/features_internal.h"

static const char *const forms[] = {"tiles", "hashed", "cross", "fourier", "rbf", "poly", "raw"};

static void put(const ctw_features *f, ctw_io__writer *w)
{
    int64_t tilings = 1;
    (void)ctw_params_get_i64(f->params, "tilings", &tilings);
    ctw_io__put_u32(w, (uint32_t)f->form);
    ctw_io__put_i64(w, tilings);
    ctw_io__put_u64(w, f->size);
    ctw_io__put_i64(w, f->order);
    ctw_io__put_f64(w, f->width);
    ctw_io__put_u64(w, f->dims);
    for (size_t d = 0; d < f->dims; d++) {
        ctw_io__put_f64(w, f->lo[d]);
        ctw_io__put_f64(w, f->hi[d]);
        ctw_io__put_i64(w, f->bins[d]);
    }
    if (f->ranked > 0) {
        ctw_io__put_u64(w, f->ranked);
        ctw_io__put_u64(w, f->rank_blocks);
    }
}

/* The options through the ordinary door, so that a file can say nothing a program could not. */
static ctw_status options(ctw_io__reader *r, ctw_params *p, const char *fn)
{
    uint32_t form = ctw_io__get_u32(r);
    int64_t tilings = ctw_io__get_i64(r), size = (int64_t)ctw_io__get_u64(r), order = ctw_io__get_i64(r);
    double width = ctw_io__get_f64(r);
    if (r->failed || form >= sizeof forms / sizeof *forms)
        return ctw_base__fail(CTW_E_FORMAT, "%s: feature map of unknown form", fn);
    CTW_TRY(ctw_params_set_str(p, "form", forms[form]));
    CTW_TRY(ctw_params_set_i64(p, "tilings", tilings));
    CTW_TRY(ctw_params_set_i64(p, "size", size));
    CTW_TRY(ctw_params_set_i64(p, "order", order));
    return ctw_params_set_f64(p, "width", width);
}

static ctw_status ranges(ctw_ctx *ctx, ctw_io__reader *r, ctw_params *p, const char *fn, ctw_features **out)
{
    double lo[64], hi[64];
    int64_t bins[64];
    uint64_t dims = ctw_io__get_u64(r);
    if (r->failed || dims < 1 || dims > 64) return ctw_base__fail(CTW_E_FORMAT, "%s: feature map of no size", fn);
    for (size_t d = 0; d < dims; d++) {
        lo[d] = ctw_io__get_f64(r);
        hi[d] = ctw_io__get_f64(r);
        bins[d] = ctw_io__get_i64(r);
    }
    if (!r->failed && r->left > 0) {
        CTW_TRY(ctw_params_set_i64(p, "ranked", (int64_t)ctw_io__get_u64(r)));
        CTW_TRY(ctw_params_set_i64(p, "rank_blocks", (int64_t)ctw_io__get_u64(r)));
    }
    CTW_TRY(ctw_io__in_end(r, fn, "feature map"));
    CTW_TRY(ctw_params_set_i64(p, "dims", (int64_t)dims));
    CTW_TRY(ctw_features_new(ctx, p, out));
    ctw_status s = ctw_features_set_ranges(*out, lo, hi, bins, dims);
    if (s != CTW_OK) {
        ctw_features_unref(*out);
        *out = NULL;
    }
    return s;
}

void ctw_features__save(const ctw_features *f, ctw_io__out *o)
{
    if (!f) return;
    ctw_io__out_open(o, CTW_FEATURES_TAG, 1, 0);
    put(f, &o->w);
    ctw_io__out_close(o);
}

ctw_status ctw_features__load(ctw_ctx *ctx, const ctw_io__in *in, const char *fn, ctw_features **out, uint64_t *count)
{
    ctw_params *p;
    ctw_io__reader r;
    *out = NULL;
    *count = 0;
    if (!ctw_io__in_has(in, CTW_FEATURES_TAG)) return CTW_OK;
    CTW_TRY(ctw_io__in_section(in, CTW_FEATURES_TAG, &r, fn));
    CTW_TRY(ctw_params_new(ctx, "features", &p));
    ctw_status s = options(&r, p, fn);
    if (s == CTW_OK) s = ranges(ctx, &r, p, fn, out);
    if (s == CTW_OK) (void)ctw_features_count(*out, count, NULL);
    ctw_params_unref(p);
    /* Values out of bounds are a damaged file, whatever the option table calls them. */
    if (s != CTW_OK && s != CTW_E_NOMEM && s != CTW_E_FORMAT) s = ctw_base__fail_in(CTW_E_FORMAT, "%s", fn);
    return s;
}
