/* online_io.c: an online window as a file (doc/format.md, kind "ONLN"): options, names, panes, and for each bond and
 * component its digests, oldest pane first. The sampled traces are not saved. */
#include "base/ctx.h"
#include "base/params.h"
#include "io/saving.h"
#include "rca/online_internal.h"
#include <math.h>
#include <string.h>

enum {
    MAJOR = 1,
    MINOR = 0,
    TAG_STATE = CTW_FOUR('S', 'T', 'A', 'T'),
    TAG_NAMES = CTW_FOUR('N', 'A', 'M', 'E'),
    TAG_BONDS = CTW_FOUR('B', 'O', 'N', 'D'),
    TAG_PARTS = CTW_FOUR('P', 'A', 'R', 'T')
};

/* ---- writing ---- */

static void put_sketch(ctw_io__writer *w, const ctw_rca__sketch *k)
{
    ctw_io__put_u32(w, (uint32_t)k->lo);
    ctw_io__put_u64(w, k->bins);
    for (uint32_t i = 0; i < k->bins; i++) ctw_io__put_u32(w, k->bin[i]);
}

static void put_moments(ctw_io__writer *w, const ctw_rca__moments *m)
{
    const double v[] = {m->n, m->mean_x, m->mean_y, m->xx, m->yy, m->xy};
    ctw_io__put_f64s(w, v, 6);
}

static void put_cell(ctw_io__writer *w, const ctw_rca__cell *c)
{
    ctw_io__put_u64(w, c->calls);
    if (!c->calls) return;
    ctw_io__put_f64s(w, c->sum, PAST_COLUMNS);
    for (int k = 0; k < PAST_TIMES; k++) put_sketch(w, &c->time[k]);
    ctw_io__put_u32(w, c->shape.kinds);
    for (uint32_t k = 0; k < c->shape.kinds; k++) {
        ctw_io__put_u32(w, c->shape.key[k]);
        ctw_io__put_u32(w, c->shape.count[k]);
    }
}

static void put_share(ctw_io__writer *w, const ctw_rca__share *s)
{
    ctw_io__put_u64(w, s->calls);
    if (!s->calls) return;
    put_moments(w, &s->incl);
    put_moments(w, &s->excl);
    put_moments(w, &s->path);
    put_sketch(w, &s->incl_time);
    put_sketch(w, &s->excl_time);
}

/* Pane of the given rank, 0 the oldest. */
static size_t pane_at(const ctw_online *o, size_t rank)
{
    return (o->newest + 1 + rank) % o->panes;
}

static void write_state(const ctw_online *o, ctw_io__out *out)
{
    ctw_io__out_open(out, TAG_STATE, 1, 0);
    ctw_io__put_u64(&out->w, o->dropped);
    ctw_io__put_u64(&out->w, o->advances);
    ctw_io__put_u64(&out->w, o->seen);
    for (size_t p = 0; p < o->panes; p++) {
        ctw_io__put_u64(&out->w, o->pane[pane_at(o, p)].calls);
        put_moments(&out->w, &o->pane[pane_at(o, p)].root);
    }
    ctw_io__out_close(out);
    ctw_io__out_open(out, TAG_NAMES, 1, 0);
    ctw_io__put_u64(&out->w, o->t.names.count);
    for (size_t i = 0; i < o->t.names.count; i++) {
        size_t n = strlen(o->t.names.text[i]);
        ctw_io__put_u32(&out->w, (uint32_t)n);
        ctw_io__put_raw(&out->w, o->t.names.text[i], n);
    }
    ctw_io__out_close(out);
}

static ctw_status write_all(const ctw_online *o, ctw_io__out *out)
{
    ctw_io__out_begin(out, o->h.ctx, CTW_ONLINE_MAGIC, MAJOR, MINOR);
    ctw_io__out_params(out, o->params);
    write_state(o, out);
    ctw_io__out_open(out, TAG_BONDS, 1, 0);
    ctw_io__put_u64(&out->w, o->t.bonds);
    for (size_t i = 0; i < o->t.bonds; i++) {
        const ctw_rca__bond *b = &o->t.bond[i];
        ctw_io__put_u32(&out->w, b->component);
        ctw_io__put_u32(&out->w, b->op);
        ctw_io__put_u32(&out->w, b->caller);
        for (size_t p = 0; p < o->panes; p++) put_cell(&out->w, &o->t.cell[i * o->panes + pane_at(o, p)]);
    }
    ctw_io__out_close(out);
    ctw_io__out_open(out, TAG_PARTS, 1, 0);
    ctw_io__put_u64(&out->w, o->t.parts);
    for (size_t i = 0; i < o->t.parts; i++) {
        ctw_io__put_u32(&out->w, o->t.part[i]);
        for (size_t p = 0; p < o->panes; p++) put_share(&out->w, &o->t.share[i * o->panes + pane_at(o, p)]);
    }
    ctw_io__out_close(out);
    return ctw_io__out_finish(out);
}

/* ---- reading ---- */

static ctw_status damaged(const char *fn, const char *what)
{
    return ctw_base__fail(CTW_E_FORMAT, "%s: %s in the file cannot be an online window's", fn, what);
}

/* A sketch of `want` values. */
static ctw_status get_sketch(ctw_io__reader *r, ctw_online *o, ctw_rca__sketch *k, uint64_t want, const char *fn)
{
    int32_t lo = (int32_t)ctw_io__get_u32(r), top = ctw_rca__bin_of(&o->scale, 1e300);
    size_t bins = ctw_io__get_count(r, 4);
    uint64_t n = 0;
    if (r->failed || !bins || bins > o->scale.max_bins || lo < 0 || lo > top || bins > (size_t)(top - lo) + 1)
        return damaged(fn, "a sketch");
    CTW_TRY(ctw_rca__sketch_room(o->h.ctx, &o->scale, k, lo, lo + (int32_t)bins - 1));
    for (size_t i = 0; i < bins; i++) n += k->bin[i] = ctw_io__get_u32(r);
    return n == want ? CTW_OK : damaged(fn, "a sketch's count");
}

/* Those that are not told apart are what is left of the calls. */
static ctw_status get_shapes(ctw_io__reader *r, ctw_rca__cell *c, const char *fn)
{
    uint64_t n = 0;
    uint32_t kinds = ctw_io__get_u32(r);
    if (r->failed || !kinds || kinds > CTW_RCA_SHAPES) return damaged(fn, "a list of shapes");
    for (uint32_t k = 0; k < kinds; k++) {
        c->shape.key[k] = ctw_io__get_u32(r);
        n += c->shape.count[k] = ctw_io__get_u32(r);
        for (uint32_t i = 0; i < k; i++)
            if (c->shape.key[i] == c->shape.key[k]) return damaged(fn, "a repeated shape");
    }
    if (r->failed || n > c->calls) return damaged(fn, "a shape");
    c->shape.kinds = kinds;
    c->shape.rest = (uint32_t)(c->calls - n);
    return CTW_OK;
}

static int get_moments(ctw_io__reader *r, ctw_rca__moments *m)
{
    double v[6];
    ctw_io__get_f64s(r, v, 6);
    if (r->failed) return 0;
    *m = (ctw_rca__moments){v[0], v[1], v[2], v[3], v[4], v[5]};
    return v[0] >= 0 && v[0] <= UINT32_MAX && v[0] == floor(v[0]) && v[3] >= 0 && v[4] >= 0;
}

static ctw_status get_cell(ctw_io__reader *r, ctw_online *o, ctw_rca__cell *c, uint64_t most, const char *fn)
{
    c->calls = ctw_io__get_u64(r);
    if (r->failed || c->calls > most) return damaged(fn, "a count");
    if (!c->calls) return CTW_OK;
    ctw_io__get_f64s(r, c->sum, PAST_COLUMNS);
    for (int k = 0; k < PAST_COLUMNS; k++)
        if (r->failed || !(c->sum[k] >= 0)) return damaged(fn, "a sum");
    for (int k = 0; k < PAST_TIMES; k++) CTW_TRY(get_sketch(r, o, &c->time[k], c->calls, fn));
    return get_shapes(r, c, fn);
}

static ctw_status get_share(ctw_io__reader *r, ctw_online *o, ctw_rca__share *s, uint64_t most, const char *fn)
{
    s->calls = ctw_io__get_u64(r);
    if (r->failed || s->calls > most) return damaged(fn, "a count");
    if (!s->calls) return CTW_OK;
    if (!get_moments(r, &s->incl) || !get_moments(r, &s->excl) || !get_moments(r, &s->path))
        return damaged(fn, "a component's moments");
    CTW_TRY(get_sketch(r, o, &s->incl_time, (uint64_t)s->incl.n, fn));
    return get_sketch(r, o, &s->excl_time, (uint64_t)s->excl.n, fn);
}

static ctw_status read_state(const ctw_io__in *in, ctw_online *o, const char *fn)
{
    ctw_io__reader r;
    CTW_TRY(ctw_io__in_section(in, TAG_STATE, &r, fn));
    o->dropped = ctw_io__get_u64(&r);
    o->advances = ctw_io__get_u64(&r);
    o->seen = ctw_io__get_u64(&r);
    for (size_t p = 0; p < o->panes; p++) {
        o->pane[p].calls = ctw_io__get_u64(&r);
        if (!get_moments(&r, &o->pane[p].root) || o->pane[p].calls > UINT32_MAX ||
            o->pane[p].root.n > (double)o->pane[p].calls)
            return damaged(fn, "a pane");
    }
    o->newest = o->panes - 1;
    return ctw_io__in_end(&r, fn, "state");
}

static ctw_status read_names(const ctw_io__in *in, ctw_online *o, const char *fn)
{
    ctw_io__reader r;
    CTW_TRY(ctw_io__in_section(in, TAG_NAMES, &r, fn));
    return ctw_rca__names_read(o->h.ctx, &o->t.names, &r, fn);
}

static ctw_status read_bonds(const ctw_io__in *in, ctw_online *o, const char *fn)
{
    ctw_io__reader r;
    CTW_TRY(ctw_io__in_section(in, TAG_BONDS, &r, fn));
    size_t n = ctw_io__get_count(&r, 12 + 8 * o->panes);
    const ctw_rca__names *names = &o->t.names;
    for (size_t i = 0; i < n; i++) {
        uint32_t c = ctw_io__get_u32(&r), op = ctw_io__get_u32(&r), x = ctw_io__get_u32(&r), at;
        if (c >= names->count || op >= names->count || (x >= names->count && x != CTW_RCA_NONE))
            return damaged(fn, "an operation's name");
        CTW_TRY(ctw_rca__online_bond(o, names->text[c], names->text[op], x == CTW_RCA_NONE ? NULL : names->text[x], &at,
                                     fn));
        if (at != i) return damaged(fn, "an operation");
        for (size_t p = 0; p < o->panes; p++)
            CTW_TRY(get_cell(&r, o, &o->t.cell[i * o->panes + p], o->pane[p].calls, fn));
    }
    return ctw_io__in_end(&r, fn, "operations");
}

static ctw_status read_parts(const ctw_io__in *in, ctw_online *o, const char *fn)
{
    ctw_io__reader r;
    CTW_TRY(ctw_io__in_section(in, TAG_PARTS, &r, fn));
    size_t n = ctw_io__get_count(&r, 4 + 8 * o->panes);
    if (n != o->t.parts) return damaged(fn, "the number of components"); /* the bonds' reading made them */
    for (size_t i = 0; i < n; i++) {
        if (ctw_io__get_u32(&r) != o->t.part[i]) return damaged(fn, "a component");
        for (size_t p = 0; p < o->panes; p++)
            CTW_TRY(get_share(&r, o, &o->t.share[i * o->panes + p], o->pane[p].calls, fn));
    }
    return ctw_io__in_end(&r, fn, "components");
}

static ctw_status read_all(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_online **out, const char *fn)
{
    static const uint32_t known[] = {CTW_FOUR('P', 'R', 'M', 'S'), TAG_STATE, TAG_NAMES, TAG_BONDS, TAG_PARTS};
    ctw_io__in in;
    ctw_params *params = NULL;
    CTW_TRY(ctw_io__in_begin(&in, buf, len, CTW_ONLINE_MAGIC, MAJOR, fn));
    CTW_TRY(ctw_io__in_known(&in, known, sizeof known / sizeof *known, fn));
    CTW_TRY(ctw_io__in_params(&in, ctx, "online", &params, fn));
    ctw_status s = ctw_online_new(ctx, params, out);
    ctw_params_unref(params);
    if (s == CTW_E_RANGE || s == CTW_E_KEY || s == CTW_E_ARG) return damaged(fn, "an option");
    CTW_TRY(s);
    CTW_TRY(read_state(&in, *out, fn));
    CTW_TRY(read_names(&in, *out, fn));
    CTW_TRY(read_bonds(&in, *out, fn));
    return read_parts(&in, *out, fn);
}

CTW_DEFINE_SAVING(ctw_online, CTW_ONLINE_MAGIC, ctw_io__any_state, write_all, read_all);
