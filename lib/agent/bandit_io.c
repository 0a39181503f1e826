/* bandit_io.c: a bandit as bytes: options, regressions, residual watch, random stream. */
#include "agent/agent_params.h"
#include "agent/bandit_internal.h"
#include "io/saving.h"
#include <math.h>

#define MAJOR      1
#define MINOR      1 /* 1: TRAT, arms that share one model */
#define TAG_TRAITS CTW_FOUR('T', 'R', 'A', 'T')
#define TAG_PARAMS CTW_FOUR('P', 'R', 'M', 'S')
#define TAG_STATE  CTW_FOUR('S', 'T', 'A', 'T')
#define TAG_ARMS   CTW_FOUR('A', 'R', 'M', 'S')

static ctw_status write(const ctw_bandit *b, ctw_io__out *o)
{
    unsigned char stream[CTW_RNG_STATE];
    size_t d = b->d, m = b->models;
    ctw_io__out_begin(o, b->h.ctx, CTW_BANDIT_MAGIC, MAJOR, MINOR);
    ctw_io__out_params(o, b->params);
    if (b->traits) {
        ctw_io__out_open(o, TAG_TRAITS, 1, 0);
        ctw_io__put_u64(&o->w, b->traits);
        ctw_io__put_vec(&o->w, b->trait, b->arms * b->traits);
        ctw_io__out_close(o);
    }
    ctw_io__out_open(o, TAG_STATE, 1, 0);
    ctw_num__rng_save(&b->rng, stream);
    ctw_io__put_raw(&o->w, stream, sizeof stream);
    ctw_io__put_f64(&o->w, b->variance);
    ctw_io__put_f64(&o->w, b->weight);
    ctw_io__put_f64(&o->w, b->cusum);
    ctw_io__put_u64(&o->w, b->rounds);
    ctw_io__put_u64(&o->w, b->total);
    ctw_io__put_u64(&o->w, b->alarms);
    ctw_io__out_close(o);
    ctw_io__out_open(o, TAG_ARMS, 1, 0);
    ctw_io__put_vec(&o->w, b->theta, m * d);
    ctw_io__put_vec(&o->w, b->a, m * d * d);
    ctw_io__put_vec(&o->w, b->p, m * d * d);
    ctw_io__put_vec(&o->w, b->age, m);
    ctw_io__put_vec(&o->w, b->sum, b->arms);
    ctw_io__put_vec(&o->w, b->n, b->arms);
    for (size_t k = 0; k < m; k++) ctw_io__put_u64(&o->w, b->updates[k]);
    ctw_io__out_close(o);
    return ctw_io__out_finish(o);
}

static ctw_status bad(const char *fn, const char *what)
{
    return ctw_base__fail(CTW_E_FORMAT, "%s: damaged bandit: %s", fn, what);
}

/* Exactly n doubles, each finite and within the limit. */
static void get_vec(ctw_io__reader *r, double *v, size_t n, double limit)
{
    if (ctw_io__get_count(r, sizeof *v) != n) r->failed = 1;
    if (!r->failed) ctw_io__get_f64s(r, v, n);
    for (size_t i = 0; !r->failed && i < n; i++)
        if (!(fabs(v[i]) <= limit)) r->failed = 1;
}

static ctw_status get_arms(ctw_bandit *b, ctw_io__reader *r, const char *fn)
{
    size_t d = b->d, m = b->models;
    get_vec(r, b->theta, m * d, 1e100);
    get_vec(r, b->a, m * d * d, 1e100);
    get_vec(r, b->p, m * d * d, 1e100);
    get_vec(r, b->age, m, 1e13);
    get_vec(r, b->sum, b->arms, 1e100);
    get_vec(r, b->n, b->arms, 1e100);
    for (size_t k = 0; k < m; k++) b->updates[k] = ctw_io__get_u64(r);
    CTW_TRY(ctw_io__in_end(r, fn, "arms"));
    for (size_t k = 0; k < b->arms; k++)
        if (!(b->n[k] >= 0.0)) return bad(fn, "an arm's count");
    for (size_t k = 0; k < m; k++) {
        if (!(b->age[k] >= 1.0)) return bad(fn, "an arm's age");
        for (size_t i = 0; i < d; i++)
            if (!(b->a[(k * d + i) * d + i] > 0.0)) return bad(fn, "an arm's matrix");
    }
    return CTW_OK;
}

static ctw_status get_state(ctw_bandit *b, const ctw_io__in *in, const char *fn)
{
    ctw_io__reader r;
    CTW_TRY(ctw_io__in_section(in, TAG_STATE, &r, fn));
    const unsigned char *stream = ctw_io__get_raw(&r, CTW_RNG_STATE);
    if (!stream || ctw_num__rng_load(&b->rng, stream) != 0) return bad(fn, "its random stream");
    b->variance = ctw_io__get_f64(&r);
    b->weight = ctw_io__get_f64(&r);
    b->cusum = ctw_io__get_f64(&r);
    b->rounds = ctw_io__get_u64(&r);
    b->total = ctw_io__get_u64(&r);
    b->alarms = ctw_io__get_u64(&r);
    CTW_TRY(ctw_io__in_end(&r, fn, "counters"));
    if (!(b->variance >= 0.0 && b->variance <= 1e100) || !(b->weight >= 0.0 && b->weight <= 2000.0) ||
        !(b->cusum >= 0.0 && b->cusum <= 1e9))
        return bad(fn, "its residual watch");
    return CTW_OK;
}

static ctw_status get_traits(ctw_bandit *b, const ctw_io__in *in, const char *fn)
{
    ctw_io__reader r;
    CTW_TRY(ctw_io__in_section(in, TAG_TRAITS, &r, fn));
    uint64_t traits = ctw_io__get_u64(&r);
    if (r.failed || traits < 1 || traits > CTW_BANDIT_MAX_DIMS / b->dims || b->policy == CTW_BANDIT_UCB1)
        return bad(fn, "its arms' traits");
    double *t = ctw_base__alloc(b->h.ctx, b->arms * traits, sizeof *t);
    if (!t) return CTW_E_NOMEM;
    get_vec(&r, t, b->arms * traits, CTW_BANDIT_LIMIT);
    ctw_status s = ctw_io__in_end(&r, fn, "traits");
    if (s == CTW_OK) s = ctw_bandit__set_arms(b, t, traits, fn);
    ctw_base__free(b->h.ctx, t);
    return s;
}

static ctw_status build(ctw_ctx *ctx, const ctw_io__in *in, const ctw_params *p, const char *fn, ctw_bandit **out)
{
    ctw_io__reader r;
    int64_t arms = ctw_base__opt_i64(p, &ctw_bandit__kind, "arms"), d = ctw_base__opt_i64(p, &ctw_bandit__kind, "dims");
    int shared = ctw_io__in_has(in, TAG_TRAITS);
    CTW_TRY(ctw_io__in_section(in, TAG_ARMS, &r, fn));
    if (r.left < (size_t)((shared ? 1 : arms) * d * d) * 16) return bad(fn, "fewer numbers than its options ask for");
    CTW_TRY(ctw_bandit__make(ctx, p, fn, out));
    if (shared) CTW_TRY(get_traits(*out, in, fn));
    CTW_TRY(get_arms(*out, &r, fn));
    return get_state(*out, in, fn);
}

static ctw_status read(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_bandit **out, const char *fn)
{
    static const uint32_t known[] = {TAG_PARAMS, TAG_STATE, TAG_ARMS, TAG_TRAITS};
    ctw_io__in in;
    ctw_params *p;
    CTW_TRY(ctw_io__in_begin(&in, buf, len, CTW_BANDIT_MAGIC, MAJOR, fn));
    CTW_TRY(ctw_io__in_known(&in, known, sizeof known / sizeof *known, fn));
    CTW_TRY(ctw_io__in_params(&in, ctx, "bandit", &p, fn));
    ctw_status s = build(ctx, &in, p, fn, out);
    ctw_params_unref(p);
    return s;
}

CTW_DEFINE_SAVING(ctw_bandit, CTW_BANDIT_MAGIC, ctw_io__any_state, write, read);
