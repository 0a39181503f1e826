/* governor_io.c: what a governor has learned as a file (doc/format.md, kind "GOVN"): table, cap, rule, record, and the
 * count of what was late. Waiting requests are not saved: they belong to a server that is gone. The host's clock may
 * start anew: the record is moved so that the first event after loading follows the last one before saving. */
#include "power/governor_internal.h"

#include "io/saving.h"
#include "power/damaged.h"
#include "power/power_params.h"
#include <math.h>
#include <string.h>

enum {
    MAJOR = 1,
    MINOR = 1,
    TAG_TABLE = CTW_FOUR('T', 'A', 'B', 'L'),
    TAG_STATE = CTW_FOUR('S', 'T', 'A', 'T'),
    TAG_PAST = CTW_FOUR('P', 'A', 'S', 'T'),
    COUNTS = 8,
    REALS = 8
};

static void put_state(ctw_io__writer *w, const ctw_governor *g)
{
    const int64_t count[COUNTS] = {g->completed,       g->late, g->late_top, g->tunings, g->since_tuning,
                                   g->spent_at_tuning, g->hold, g->holds};
    const double real[REALS] = {g->now,        g->shadow_free, g->saving,           g->spendable,
                                g->rule.guard, g->rule.price,  g->rule.queue_price, g->rule.load_price};
    ctw_io__put_i64(w, g->rule.fixed);
    ctw_io__put_u8(w, (uint8_t)(g->rule.park != 0));
    for (int i = 0; i < COUNTS; i++) ctw_io__put_i64(w, count[i]);
    ctw_io__put_f64s(w, real, REALS);
}

static ctw_status write_all(const ctw_governor *g, ctw_io__out *o)
{
    const ctw_power__plan *t = &g->plan;
    ctw_io__out_begin(o, g->h.ctx, CTW_GOVERNOR_MAGIC, MAJOR, MINOR);
    ctw_io__out_params(o, g->params);
    if (t->n) {
        ctw_io__out_open(o, TAG_TABLE, 1, 0);
        ctw_io__put_u64(&o->w, t->top);
        ctw_io__put_vec(&o->w, t->mhz, t->n);
        ctw_io__put_f64s(&o->w, t->slow, t->n);
        ctw_io__put_f64s(&o->w, t->watts, t->n);
        ctw_io__put_f64s(&o->w, t->idle, t->n);
        ctw_io__out_close(o);
        ctw_governor__put_memory(o, g);
        ctw_io__out_open(o, TAG_STATE, 1, 0);
        put_state(&o->w, g);
        ctw_io__out_close(o);
        ctw_io__out_open(o, TAG_PAST, 1, 0);
        ctw_io__put_vec(&o->w, g->past.arrival, g->past.n);
        ctw_io__put_f64s(&o->w, g->past.work, g->past.n);
        ctw_io__put_f64s(&o->w, g->past.guess, g->past.n);
        ctw_io__put_f64s(&o->w, g->past.deadline, g->past.n);
        ctw_io__out_close(o);
    }
    return ctw_io__out_finish(o);
}

static ctw_status read_table(const ctw_io__in *in, ctw_governor *g, const char *fn)
{
    ctw_io__reader r;
    ctw_power__plan t = {0};
    CTW_TRY(ctw_io__in_section(in, TAG_TABLE, &r, fn));
    uint64_t top = ctw_io__get_u64(&r);
    t.n = ctw_io__get_count(&r, sizeof(double));
    if (t.n < 1 || t.n > CTW_GOVERNOR_POINTS || top >= t.n) return ctw_power__damaged(fn, "the table", "governor");
    ctw_io__get_f64s(&r, t.mhz, t.n);
    ctw_io__get_f64s(&r, t.slow, t.n);
    ctw_io__get_f64s(&r, t.watts, t.n);
    ctw_io__get_f64s(&r, t.idle, t.n);
    CTW_TRY(ctw_io__in_end(&r, fn, "table"));
    CTW_TRY(ctw_governor__read_memory(in, &t, fn));
    ctw_status s = t.mem[0] > 0.0 ? ctw_governor_set_pairs(g, t.mhz, t.mem, t.slow, t.watts, t.idle, t.n)
                                  : ctw_governor_set_table(g, t.mhz, t.slow, t.watts, t.idle, t.n);
    if (s == CTW_E_RANGE || s == CTW_E_NONFINITE) return ctw_power__damaged(fn, "the table", "governor");
    if (s == CTW_OK && (g->plan.n != t.n || memcmp(g->plan.mhz, t.mhz, t.n * sizeof *t.mhz) != 0))
        return ctw_power__damaged(fn, "the order of the table", "governor");
    g->plan.top = (size_t)top;
    ctw_governor__experts_begin(&g->experts, &g->plan);
    return s;
}

static int in(double v, double lo, double hi)
{
    return v >= lo && v <= hi;
}

static int state_plausible(const ctw_governor *g, int64_t fixed)
{
    if (fixed < -1 || fixed >= (int64_t)g->plan.n || g->late > g->completed || g->late_top > g->completed) return 0;
    if (g->hold > INT64_C(1) << 40 || g->completed > INT64_C(1) << 52 || g->since_tuning > g->completed) return 0;
    return in(g->now, -1e15, 1e15) && in(g->shadow_free, -1e15, 2e15) && in(g->saving, 0.0, 1e12) &&
           in(g->spendable, 0.0, 1e18) && in(g->rule.guard, 0.0, 1.0) && in(g->rule.price, 0.0, 1e3) &&
           in(g->rule.queue_price, 0.0, 1e3) && in(g->rule.load_price, 0.0, 1e3);
}

static ctw_status read_state(const ctw_io__in *in_, ctw_governor *g, const char *fn)
{
    ctw_io__reader r;
    int64_t count[COUNTS];
    double real[REALS] = {0};
    CTW_TRY(ctw_io__in_section(in_, TAG_STATE, &r, fn));
    int64_t fixed = ctw_io__get_i64(&r);
    uint8_t park = ctw_io__get_u8(&r);
    int negative = 0;
    for (int i = 0; i < COUNTS; i++) {
        count[i] = ctw_io__get_i64(&r);
        negative |= count[i] < 0 && i != 5; /* what was lost before the last tuning may be a gain */
    }
    ctw_io__get_f64s(&r, real, REALS);
    CTW_TRY(ctw_io__in_end(&r, fn, "state"));
    g->completed = count[0];
    g->late = count[1];
    g->late_top = count[2];
    g->tunings = count[3];
    g->since_tuning = count[4];
    g->spent_at_tuning = count[5];
    g->hold = count[6];
    g->holds = count[7];
    g->now = real[0];
    g->shadow_free = real[1];
    g->saving = real[2];
    g->spendable = real[3];
    g->rule = (ctw_power__rule){.fixed = (int)fixed,
                                .park = park,
                                .guard = real[4],
                                .price = real[5],
                                .queue_price = real[6],
                                .load_price = real[7]};
    if (negative || park > 1 || !state_plausible(g, fixed) || count[5] < -g->completed || count[5] > g->completed)
        return ctw_power__damaged(fn, "the state", "governor");
    g->at = ctw_power__rule_idle(&g->rule);
    if (g->at > g->plan.top) g->at = g->plan.top;
    return CTW_OK;
}

static ctw_status read_past(const ctw_io__in *in_, ctw_governor *g, const char *fn)
{
    ctw_io__reader r;
    ctw_governor__history *h = &g->past;
    CTW_TRY(ctw_io__in_section(in_, TAG_PAST, &r, fn));
    size_t n = ctw_io__get_count(&r, 4 * sizeof(double));
    if (r.failed || n > h->cap) return ctw_power__damaged(fn, "the length of the record", "governor");
    ctw_io__get_f64s(&r, h->arrival, n);
    ctw_io__get_f64s(&r, h->work, n);
    ctw_io__get_f64s(&r, h->guess, n);
    ctw_io__get_f64s(&r, h->deadline, n);
    CTW_TRY(ctw_io__in_end(&r, fn, "record"));
    for (size_t i = 0; i < n; i++)
        if (!in(h->arrival[i], -1e15, g->now) || !in(h->work[i], 1e-9, 1e9) || !in(h->guess[i], 1e-9, 1e9) ||
            !in(h->deadline[i], -1e15, 1e15))
            return ctw_power__damaged(fn, "a recorded request", "governor");
    h->n = n;
    return CTW_OK;
}

static ctw_status read_all(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_governor **out, const char *fn)
{
    static const uint32_t known[] = {CTW_FOUR('P', 'R', 'M', 'S'), TAG_TABLE, CTW_GOVERNOR_MEMORY, TAG_STATE, TAG_PAST};
    ctw_io__in in_;
    ctw_params *params = NULL;
    CTW_TRY(ctw_io__in_begin(&in_, buf, len, CTW_GOVERNOR_MAGIC, MAJOR, fn));
    CTW_TRY(ctw_io__in_known(&in_, known, sizeof known / sizeof *known, fn));
    CTW_TRY(ctw_io__in_params(&in_, ctx, "governor", &params, fn));
    ctw_status s = ctw_governor_new(ctx, params, out);
    ctw_params_unref(params);
    if (s != CTW_OK || !ctw_io__in_has(&in_, TAG_TABLE)) return s;
    CTW_TRY(read_table(&in_, *out, fn));
    CTW_TRY(read_state(&in_, *out, fn));
    return read_past(&in_, *out, fn);
}

CTW_DEFINE_SAVING(ctw_governor, CTW_GOVERNOR_MAGIC, ctw_io__any_state, write_all, read_all);
