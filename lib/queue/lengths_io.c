/* lengths_io.c: a fitted predictor as a file of kind "LENG", format 2.1: its options, a section with the heads, and one
 * with the edges of the classes, which files of format 2.0 lack. Remembered requests are not part of it; what was
 * fitted becomes the base of later updates. */
#include "io/saving.h"
#include "queue/lengths_internal.h"
#include "queue/queue_params.h"
#include <math.h>
#include <string.h>

#define KIND  CTW_FOUR('L', 'E', 'N', 'G')
#define PRMS  CTW_FOUR('P', 'R', 'M', 'S')
#define HEAD  CTW_FOUR('H', 'E', 'A', 'D')
#define EDGE  CTW_FOUR('E', 'D', 'G', 'E')
#define MAJOR 2
#define MINOR 1

static void put_head(ctw_io__writer *w, const ctw_lengths__head *m, int64_t bits)
{
    const double number[] = {m->unit, m->bias, m->shift, m->shift_n, m->ridge, m->rows, m->tau, m->rmse};
    ctw_io__put_f64s(w, number, sizeof number / sizeof *number);
    ctw_io__put_f64s(w, m->dense, CTW_TEXT_DENSE);
    ctw_io__put_f64s(w, m->spread.knot, CTW_SPREAD_KNOTS);
    ctw_io__put_f64s(w, &m->spread.at[0][0], CTW_SPREAD_KNOTS * CTW_SPREAD_LEVELS);
    for (size_t i = 0; i < ctw_queue__buckets(bits); i++) {
        ctw_io__put_u64(w, ctw_queue__tags(&m->table[i]));
        for (size_t k = 0; k < CTW_WEIGHTS_WAYS; k++) ctw_io__put_u16(w, (uint16_t)m->table[i].w[k]);
    }
}

static ctw_status is_fitted(const ctw_lengths *l, const char *fn)
{
    return l->fitted ? CTW_OK : ctw_base__fail(CTW_E_STATE, "%s: the predictor has not been fitted", fn);
}

static ctw_status write_all(const ctw_lengths *l, ctw_io__out *o)
{
    ctw_io__out_begin(o, l->h.ctx, KIND, MAJOR, MINOR);
    ctw_io__out_params(o, l->params);
    ctw_io__out_open(o, HEAD, 1, 0);
    for (int64_t k = 0; k < l->models * l->planes; k++) put_head(&o->w, &l->head[k], l->bits);
    ctw_io__out_close(o);
    ctw_io__out_open(o, EDGE, 1, 0);
    for (int64_t k = 0; k < l->models; k++) ctw_io__put_f64s(&o->w, ctw_lengths__of(l, k)->edge, CTW_LENGTHS_EDGES);
    ctw_io__out_close(o);
    return CTW_OK;
}

static ctw_status get_head(ctw_io__reader *r, ctw_lengths__head *m, int64_t bits, const char *fn)
{
    double number[8];
    ctw_io__get_f64s(r, number, 8);
    ctw_io__get_f64s(r, m->dense, CTW_TEXT_DENSE);
    ctw_io__get_f64s(r, m->spread.knot, CTW_SPREAD_KNOTS);
    ctw_io__get_f64s(r, &m->spread.at[0][0], CTW_SPREAD_KNOTS * CTW_SPREAD_LEVELS);
    for (size_t i = 0; i < ctw_queue__buckets(bits) && !r->failed; i++) {
        uint64_t tags = ctw_io__get_u64(r);
        for (size_t k = 0; k < CTW_WEIGHTS_WAYS; k++) {
            m->table[i].tag[k] = (uint8_t)(tags >> 8 * k);
            m->table[i].w[k] = (int16_t)ctw_io__get_u16(r);
        }
    }
    if (r->failed) return ctw_base__fail(CTW_E_FORMAT, "%s: the weights end early or are not finite", fn);
    m->unit = number[0];
    m->bias = number[1];
    m->shift = number[2];
    m->shift_n = number[3];
    m->ridge = number[4];
    m->rows = number[5];
    m->tau = number[6];
    m->rmse = number[7];
    if (!ctw_queue__spread_valid(&m->spread) || !(m->unit > 0) || !(m->shift_n >= 0))
        return ctw_base__fail(CTW_E_FORMAT, "%s: a quantile curve or a scale is not possible", fn);
    return CTW_OK;
}

static ctw_status load_edges(ctw_lengths *l, const ctw_io__in *in, const char *fn)
{
    ctw_io__reader r;
    for (int64_t k = 0; k < l->models; k++) ctw_lengths__of(l, k)->edge[0] = NAN;
    if (!ctw_io__in_has(in, EDGE)) return CTW_OK;
    CTW_TRY(ctw_io__in_section(in, EDGE, &r, fn));
    for (int64_t k = 0; k < l->models; k++) ctw_io__get_f64s(&r, ctw_lengths__of(l, k)->edge, CTW_LENGTHS_EDGES);
    return ctw_io__in_end(&r, fn, "EDGE");
}

static ctw_status load_heads(ctw_lengths *l, const ctw_io__in *in, const char *fn)
{
    ctw_io__reader r;
    CTW_TRY(ctw_io__in_section(in, HEAD, &r, fn));
    for (int64_t k = 0; k < l->models * l->planes; k++) CTW_TRY(get_head(&r, &l->head[k], l->bits, fn));
    CTW_TRY(ctw_io__in_end(&r, fn, "HEAD"));
    CTW_TRY(load_edges(l, in, fn));
    return ctw_lengths__rebase(l);
}

static ctw_status read_all(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_lengths **out, const char *fn)
{
    static const uint32_t known[] = {PRMS, HEAD, EDGE};
    ctw_io__in in;
    ctw_params *p = NULL;
    CTW_TRY(ctw_io__in_begin(&in, buf, len, KIND, MAJOR, fn));
    CTW_TRY(ctw_io__in_known(&in, known, 3, fn));
    CTW_TRY(ctw_io__in_params(&in, ctx, "lengths", &p, fn));
    int64_t models = ctw_base__opt_i64(p, &ctw_lengths__kind, "models");
    int64_t bits = ctw_base__opt_i64(p, &ctw_lengths__kind, "bits");
    ctw_status s = CTW_OK;
    if (len >> bits < 3 * (uint64_t)models)
        s = ctw_base__fail(CTW_E_FORMAT, "%s: %llu bytes cannot hold %lld models of 2^%lld weights", fn,
                           (unsigned long long)len, (long long)models, (long long)bits);
    if (!s) s = ctw_lengths__create(ctx, p, fn, out);
    ctw_params_unref(p);
    if (!s) s = load_heads(*out, &in, fn);
    if (!s) (*out)->fitted = 1;
    return s;
}

CTW_DEFINE_SAVING(ctw_lengths, CTW_LENGTHS_MAGIC, is_fitted, write_all, read_all);
