/* features.c: building feature maps; what an observation becomes is in features_encode.c. */
#include "agent/agent_params.h"
#include "agent/features_internal.h"
#include "base/ctx.h"

#define TABLE_MAX ((size_t)1 << 18) /* entries of one dimension's table */

static void destroy(ctw_features *f)
{
    ctw_ctx *ctx = f->h.ctx;
    for (size_t d = 0; f->table && d < f->dims; d++) ctw_base__free(ctx, f->table[d]);
    ctw_base__free(ctx, f->table);
    ctw_base__free(ctx, f->lo);
    ctw_base__free(ctx, f->hi);
    ctw_base__free(ctx, f->to_fine);
    ctw_base__free(ctx, f->bins);
    ctw_base__free(ctx, f->fine);
    ctw_base__free(ctx, f->coef);
    ctw_params_unref(f->params);
}

CTW_DEFINE_REFS(ctw_features, destroy)

/* Releases what a failed set_ranges built, so that it may be tried again. */
static void forget(ctw_features *f)
{
    ctw_ctx *ctx = f->h.ctx;
    for (size_t d = 0; f->table && d < f->dims; d++) ctw_base__free(ctx, f->table[d]);
    ctw_base__free(ctx, f->table);
    ctw_base__free(ctx, f->coef);
    f->table = NULL;
    f->coef = NULL;
    f->count = f->active = f->terms = 0;
}

ctw_status ctw_features_new(ctw_ctx *ctx, const ctw_params *params, ctw_features **out)
{
    static const char fn[] = "ctw_features_new";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    CTW_TRY(ctw_base__params_check(params, &ctw_features__kind, fn));
    ctw_features *f = ctw_base__handle_new(ctx, sizeof *f, CTW_FEATURES_MAGIC);
    if (!f) return CTW_E_NOMEM;
    ctw_status s = ctw_base__params_copy(ctx, params, &ctw_features__kind, &f->params);
    if (s != CTW_OK) goto failed;
    f->form = ctw_base__opt_choice(params, &ctw_features__kind, "form");
    f->dims = (size_t)ctw_base__opt_i64(params, &ctw_features__kind, "dims");
    f->tilings = (size_t)ctw_base__opt_i64(params, &ctw_features__kind, "tilings");
    f->bins_default = ctw_base__opt_i64(params, &ctw_features__kind, "bins");
    f->size = (size_t)ctw_base__opt_i64(params, &ctw_features__kind, "size");
    f->order = ctw_base__opt_i64(params, &ctw_features__kind, "order");
    f->width = ctw_base__opt_f64(params, &ctw_features__kind, "width");
    f->ranked = (size_t)ctw_base__opt_i64(params, &ctw_features__kind, "ranked");
    f->rank_blocks = (size_t)ctw_base__opt_i64(params, &ctw_features__kind, "rank_blocks");
    f->unit = f->form <= CTW_FEATURES_CROSS;
    if (f->ranked * f->rank_blocks > f->dims) {
        s = ctw_base__fail(CTW_E_ARG, "%s: ranked is %zu, in %zu blocks more than dims %zu", fn, f->ranked,
                           f->rank_blocks, f->dims);
        goto failed;
    }
    s = ctw_base__nomem();
    if (!(f->lo = CTW_NEW(ctx, f->dims, double)) || !(f->hi = CTW_NEW(ctx, f->dims, double)) ||
        !(f->to_fine = CTW_NEW(ctx, f->dims, double)) || !(f->bins = CTW_NEW(ctx, f->dims, int64_t)) ||
        !(f->fine = CTW_NEW(ctx, f->dims, uint32_t)))
        goto failed;
    *out = f;
    return CTW_OK;
failed:
    destroy(f);
    ctw_base__handle_free(&f->h);
    return s;
}

/* The product of (bins + extra) over the dimensions times `times`; CTW_E_RANGE above the limit. */
static ctw_status grid_size(const ctw_features *f, size_t extra, size_t times, size_t *out, const char *fn)
{
    size_t n = times;
    for (size_t d = 0; d < f->dims; d++) {
        n *= (size_t)f->bins[d] + extra;
        if (n > CTW_FEATURES_MAX)
            return ctw_base__fail(CTW_E_RANGE, "%s: the grid over %zu dimensions has more than %zu features", fn,
                                  f->dims, CTW_FEATURES_MAX);
    }
    *out = n;
    return CTW_OK;
}

/* SplitMix64's finaliser: a fixed mixing of cell numbers, part of the file format. */
static uint32_t mix(uint64_t v)
{
    v += 0x9e3779b97f4a7c15u;
    v = (v ^ (v >> 30)) * 0xbf58476d1ce4e5b9u;
    v = (v ^ (v >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((v ^ (v >> 31)) >> 16);
}

/* Tables of the forms on a grid. Tiling t is shifted in dimension d by t (2d + 1) mod tilings fine positions. */
static ctw_status build_grid(ctw_features *f, const char *fn)
{
    ctw_ctx *ctx = f->h.ctx;
    size_t tilings = f->form == CTW_FEATURES_CROSS ? 1 : f->tilings;
    size_t extra = tilings > 1 ? 1 : 0, cells = 0;
    f->tilings = tilings;
    if (f->form != CTW_FEATURES_HASHED) {
        CTW_TRY(grid_size(f, extra, tilings, &f->count, fn));
        cells = f->count / tilings;
    } else
        f->count = f->size;
    f->active = tilings;
    if (!(f->table = CTW_NEW(ctx, f->dims, uint32_t *))) return CTW_E_NOMEM;
    size_t step = 1;
    for (size_t d = 0; d < f->dims; d++) {
        size_t fine = (size_t)f->bins[d] * tilings;
        if (fine * tilings > TABLE_MAX)
            return ctw_base__fail(CTW_E_RANGE, "%s: %lld bins in %zu tilings, bins * tilings^2 must be at most %zu", fn,
                                  (long long)f->bins[d], tilings, TABLE_MAX);
        uint32_t *row = f->table[d] = CTW_NEW(ctx, fine * tilings, uint32_t);
        if (!row) return CTW_E_NOMEM;
        f->fine[d] = (uint32_t)fine;
        f->to_fine[d] = (double)fine / (f->hi[d] - f->lo[d]);
        for (size_t p = 0; p < fine; p++)
            for (size_t t = 0; t < tilings; t++) {
                size_t cell = (p + t * (2 * d + 1) % tilings) / tilings;
                *row++ = f->form == CTW_FEATURES_HASHED ? mix(((uint64_t)d << 40) + ((uint64_t)t << 20) + cell)
                                                        : (uint32_t)(cell * step + (d == 0 ? t * cells : 0));
            }
        step *= (size_t)f->bins[d] + extra;
    }
    if (f->form == CTW_FEATURES_CROSS) { /* the single dimensions follow the grid */
        for (size_t d = 0; d < f->dims; d++) f->count += (size_t)f->bins[d];
        f->active = 1 + f->dims;
    }
    return CTW_OK;
}

/* Next exponent vector with entries 0..order and sum <= total, like an odometer; 0 after the last. */
static int next_exponents(double *e, size_t dims, int64_t order, int64_t total)
{
    for (size_t d = 0; d < dims; d++) {
        double sum = 0;
        e[d] += 1;
        for (size_t j = 0; j < dims; j++) sum += e[j];
        if (e[d] <= (double)order && sum <= (double)total) return 1;
        e[d] = 0;
    }
    return 0;
}

static ctw_status build_terms(ctw_features *f, const char *fn)
{
    ctw_ctx *ctx = f->h.ctx;
    size_t cap = 0, max = 1 << 16; /* dense maps longer than this would not decide in microseconds */
    int64_t total = f->form == CTW_FEATURES_POLY ? f->order : INT64_MAX / 2;
    double e[64] = {0};
    do {
        if (f->terms == max)
            return ctw_base__fail(CTW_E_RANGE, "%s: order %lld in %zu dimensions gives more than %zu terms", fn,
                                  (long long)f->order, f->dims, max);
        void *at = f->coef;
        CTW_TRY(ctw_base__grow(ctx, &at, &cap, (f->terms + 1) * f->dims, sizeof *f->coef));
        f->coef = at;
        for (size_t d = 0; d < f->dims; d++) f->coef[f->terms * f->dims + d] = e[d];
        f->terms++;
    } while (next_exponents(e, f->dims, f->order, total));
    f->count = f->active = f->terms;
    return CTW_OK;
}

static ctw_status build_centres(ctw_features *f, const char *fn)
{
    CTW_TRY(grid_size(f, 0, 1, &f->terms, fn));
    CTW_TRY(ctw_base__in_u64(f->terms, 1, 1 << 16, fn, "number of centres"));
    if (!(f->coef = CTW_NEW(f->h.ctx, f->terms * f->dims, double))) return CTW_E_NOMEM;
    size_t repeat = 1;
    for (size_t d = 0; d < f->dims; d++) {
        size_t bins = (size_t)f->bins[d];
        double span = f->hi[d] - f->lo[d], step = bins > 1 ? span / (double)(bins - 1) : span;
        for (size_t k = 0; k < f->terms; k++)
            f->coef[k * f->dims + d] = bins > 1 ? f->lo[d] + step * (double)(k / repeat % bins) : f->lo[d] + 0.5 * span;
        f->to_fine[d] = 1.0 / (step * f->width);
        repeat *= bins;
    }
    f->count = f->active = f->terms + 1;
    return CTW_OK;
}

static ctw_status build(ctw_features *f, const char *fn)
{
    for (size_t d = 0; d < f->dims; d++) f->to_fine[d] = 1.0 / (f->hi[d] - f->lo[d]);
    switch (f->form) {
    case CTW_FEATURES_FOURIER:
    case CTW_FEATURES_POLY: return build_terms(f, fn);
    case CTW_FEATURES_RBF: return build_centres(f, fn);
    case CTW_FEATURES_RAW: f->count = f->active = f->dims + 1; return CTW_OK;
    default: return build_grid(f, fn);
    }
}

ctw_status ctw_features_set_ranges(ctw_features *f, const double *lo, const double *hi, const int64_t *bins,
                                   uint64_t dims)
{
    static const char fn[] = "ctw_features_set_ranges";
    CTW_TRY(ctw_base__handle_enter(f ? &f->h : NULL, CTW_FEATURES_MAGIC, fn, "f"));
    ctw_status s = CTW_OK;
    if (f->ready) s = ctw_base__fail(CTW_E_STATE, "%s: ranges are set already", fn);
    if (s == CTW_OK && dims != f->dims)
        s = ctw_base__fail(CTW_E_SHAPE, "%s: dims is %llu, the option says %zu", fn, (unsigned long long)dims, f->dims);
    if (s == CTW_OK) s = ctw_base__need(lo, fn, "lo");
    if (s == CTW_OK) s = ctw_base__need(hi, fn, "hi");
    if (s == CTW_OK) s = ctw_base__all_in(lo, dims, 1, -1e6, 1e6, fn, "lo");
    if (s == CTW_OK) s = ctw_base__all_in(hi, dims, 1, -1e6, 1e6, fn, "hi");
    for (size_t d = 0; s == CTW_OK && d < f->dims; d++) {
        if (!(hi[d] - lo[d] >= 1e-9))
            s = ctw_base__fail(CTW_E_RANGE, "%s: range %zu is [%g, %g], must be at least 1e-9 wide", fn, d, lo[d],
                               hi[d]);
        else if (bins)
            s = ctw_base__in_i64(bins[d], 1, 4096, fn, "bins");
    }
    for (size_t d = 0; s == CTW_OK && d < f->dims; d++) {
        f->lo[d] = lo[d];
        f->hi[d] = hi[d];
        f->bins[d] = bins ? bins[d] : f->bins_default;
    }
    if (s == CTW_OK && (s = build(f, fn)) != CTW_OK) forget(f);
    f->ready = f->ready || s == CTW_OK;
    ctw_base__handle_leave(&f->h);
    return s;
}

/* A handle whose ranges are set. */
static ctw_status ready(const ctw_features *f, const char *fn)
{
    CTW_TRY(ctw_base__handle_check(f ? &f->h : NULL, CTW_FEATURES_MAGIC, fn, "f"));
    if (!f->ready) return ctw_base__fail(CTW_E_STATE, "%s: call ctw_features_set_ranges first", fn);
    return CTW_OK;
}

ctw_status ctw_features_count(const ctw_features *f, uint64_t *out_features, uint64_t *out_active)
{
    CTW_TRY(ready(f, "ctw_features_count"));
    if (out_features) *out_features = f->count;
    if (out_active) *out_active = f->active;
    return CTW_OK;
}

ctw_status ctw_features_encode(const ctw_features *f, const double *x, uint64_t dims, int64_t *out_index,
                               double *out_value, uint64_t cap, uint64_t *out_n)
{
    static const char fn[] = "ctw_features_encode";
    CTW_TRY(ready(f, fn));
    CTW_TRY(ctw_base__need(x, fn, "x"));
    CTW_TRY(ctw_base__need(out_n, fn, "out_n"));
    CTW_TRY(ctw_base__need_n(out_index, cap, fn, "out_index"));
    CTW_TRY(ctw_base__need_n(out_value, cap, fn, "out_value"));
    if (dims != f->dims)
        return ctw_base__fail(CTW_E_SHAPE, "%s: dims is %llu, must be %zu", fn, (unsigned long long)dims, f->dims);
    CTW_TRY(ctw_base__all_in(x, dims, 1, -1e6, 1e6, fn, "x"));
    *out_n = f->active;
    if (cap < f->active)
        return ctw_base__fail(CTW_E_BUFFER, "%s: cap is %llu, must be at least %zu", fn, (unsigned long long)cap,
                              f->active);
    uint32_t *idx = CTW_NEW(f->h.ctx, f->active, uint32_t);
    if (!idx) return CTW_E_NOMEM;
    size_t n = ctw_features__encode(f, x, idx, out_value);
    for (size_t i = 0; i < n; i++) {
        out_index[i] = (int64_t)idx[i];
        if (f->unit) out_value[i] = 1.0;
    }
    *out_n = n;
    ctw_base__free(f->h.ctx, idx);
    return CTW_OK;
}

ctw_status ctw_features_order(const ctw_features *f, const double *x, uint64_t dims, int64_t *out_order, uint64_t cap)
{
    static const char fn[] = "ctw_features_order";
    uint32_t order[64];
    CTW_TRY(ready(f, fn));
    CTW_TRY(ctw_base__need(x, fn, "x"));
    CTW_TRY(ctw_base__need(out_order, fn, "out_order"));
    if (dims != f->dims)
        return ctw_base__fail(CTW_E_SHAPE, "%s: dims is %llu, must be %zu", fn, (unsigned long long)dims, f->dims);
    CTW_TRY(ctw_base__all_in(x, dims, 1, -1e6, 1e6, fn, "x"));
    if (cap < f->ranked)
        return ctw_base__fail(CTW_E_BUFFER, "%s: cap is %llu, must be at least %zu", fn, (unsigned long long)cap,
                              f->ranked);
    ctw_features__order(f, x, order);
    for (size_t k = 0; k < f->ranked; k++) out_order[k] = (int64_t)order[k];
    return CTW_OK;
}
