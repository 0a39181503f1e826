/* policy_io.c: a policy as bytes: options, feature map, counters and random stream, all vectors of weights, the batch
 * begun and the open step, so that a loaded policy continues with the same bits. */
#include "agent/agent_params.h"
#include "agent/point_io.h"
#include "agent/policy_internal.h"
#include "io/saving.h"
#include <math.h>
#include <string.h>

#define MAJOR       1
#define TAG_STATE   CTW_FOUR('S', 'T', 'A', 'T')
#define TAG_WEIGHTS CTW_FOUR('W', 'G', 'H', 'T')
#define TAG_BATCH   CTW_FOUR('R', 'O', 'L', 'L')
#define TAG_WALK    CTW_FOUR('W', 'A', 'L', 'K')
#define TAG_PARAMS  CTW_FOUR('P', 'R', 'M', 'S')
#define IMPOSSIBLE  1e100 /* no healthy number of a policy is larger */

/* The vectors a policy of these options has, in file order. */
static size_t vectors(const ctw_policy *p, double **at)
{
    double *all[] = {p->w, p->good, p->trace, p->adv, p->m1, p->m2};
    size_t n = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i]) at[n++] = all[i];
    return n;
}

static void put_deed(const ctw_policy *p, ctw_io__writer *w, int64_t action, const double *u, const uint8_t *allowed,
                     double logp)
{
    ctw_io__put_f64(w, logp);
    if (p->n_sd) {
        ctw_io__put_f64s(w, u, p->k);
        return;
    }
    ctw_io__put_i64(w, action);
    ctw_io__put_raw(w, allowed, p->k);
}

static void put_state(const ctw_policy *p, ctw_io__writer *w)
{
    unsigned char stream[CTW_RNG_STATE];
    const double reals[] = {p->factor, p->mean_reward, p->kl, p->clipped, p->entropy};
    const uint64_t counts[] = {p->episodes, p->steps, p->updates, p->rollbacks, p->since_good, p->adam_steps};
    ctw_num__rng_save(&p->rng, stream);
    ctw_io__put_raw(w, stream, sizeof stream);
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) ctw_io__put_f64(w, reals[i]);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) ctw_io__put_u64(w, counts[i]);
}

static void put_weights(const ctw_policy *p, ctw_io__writer *w)
{
    double *at[6];
    size_t n = vectors(p, at), traces = p->trace ? p->n_dirty : 0;
    for (size_t i = 0; i < n; i++) ctw_io__put_vec(w, at[i], p->n_all);
    ctw_io__put_u64(w, traces);
    for (size_t i = 0; i < traces; i++) ctw_io__put_u32(w, p->dirty[i]);
}

static void put_batch(const ctw_policy *p, ctw_io__writer *w)
{
    const ctw_policy__rolls *r = &p->rolls;
    ctw_io__put_u64(w, r->n);
    for (size_t i = 0; i < r->n; i++) {
        ctw_agent__point x;
        ctw_policy__rolls_point(r, i, &x);
        ctw_agent__point_save(w, &x);
        put_deed(p, w, r->action[i], r->u + i * r->k, r->allowed + i * r->k, r->logp[i]);
        ctw_io__put_f64(w, r->v[i]);
        ctw_io__put_f64(w, r->v_next[i]);
        ctw_io__put_f64(w, r->reward[i]);
        ctw_io__put_u8(w, r->end[i]);
        ctw_io__put_u32(w, r->lane[i]);
    }
}

static ctw_status write_all(const ctw_policy *p, ctw_io__out *o)
{
    const ctw_policy__walk *k = &p->walk;
    ctw_io__out_begin(o, p->h.ctx, CTW_POLICY_MAGIC, MAJOR, 0);
    ctw_io__out_params(o, p->params);
    ctw_features__save(p->features, o);
    ctw_io__out_open(o, TAG_STATE, 1, 0);
    put_state(p, &o->w);
    ctw_io__out_close(o);
    ctw_io__out_open(o, TAG_WEIGHTS, 1, 0);
    if (p->w) put_weights(p, &o->w);
    ctw_io__out_close(o);
    if (p->rolls.n) {
        ctw_io__out_open(o, TAG_BATCH, 1, 0);
        put_batch(p, &o->w);
        ctw_io__out_close(o);
    }
    ctw_io__out_open(o, TAG_WALK, 1, 0);
    ctw_io__put_u8(&o->w, k->open);
    if (k->open) {
        ctw_agent__point_save(&o->w, &k->cur);
        put_deed(p, &o->w, k->deed.action, k->deed.u, k->deed.allowed, k->deed.logp);
    }
    ctw_io__out_close(o);
    return ctw_io__out_finish(o);
}

/* ---- loading ---- */

static ctw_status bad(const char *fn, const char *what)
{
    return ctw_base__fail(CTW_E_FORMAT, "%s: damaged policy: %s", fn, what);
}

static ctw_status get_deed(const ctw_policy *p, ctw_io__reader *r, ctw_policy__deed *d, const char *fn)
{
    d->logp = ctw_io__get_f64(r);
    if (!(fabs(d->logp) <= IMPOSSIBLE)) return bad(fn, "the log of a probability");
    if (p->n_sd) {
        ctw_io__get_f64s(r, d->u, p->k);
        for (size_t j = 0; !r->failed && j < p->k; j++)
            if (!(fabs(d->u[j]) <= IMPOSSIBLE)) return bad(fn, "an action of impossible size");
        return CTW_OK;
    }
    d->action = ctw_io__get_i64(r);
    const unsigned char *allowed = ctw_io__get_raw(r, p->k);
    if (r->failed || d->action < 0 || d->action >= (int64_t)p->k) return bad(fn, "an action out of range");
    for (size_t j = 0; j < p->k; j++) {
        if (allowed[j] > 1) return bad(fn, "a mask");
        d->allowed[j] = allowed[j];
    }
    return d->allowed[d->action] ? CTW_OK : bad(fn, "a masked action");
}

static ctw_status get_state(ctw_policy *p, const ctw_io__in *in, const char *fn)
{
    ctw_io__reader r;
    double *const reals[] = {&p->factor, &p->mean_reward, &p->kl, &p->clipped, &p->entropy};
    uint64_t *const counts[] = {&p->episodes, &p->steps, &p->updates, &p->rollbacks, &p->since_good, &p->adam_steps};
    CTW_TRY(ctw_io__in_section(in, TAG_STATE, &r, fn));
    const unsigned char *stream = ctw_io__get_raw(&r, CTW_RNG_STATE);
    if (!stream || ctw_num__rng_load(&p->rng, stream) != 0) return bad(fn, "its random stream");
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) *reals[i] = ctw_io__get_f64(&r);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) *counts[i] = ctw_io__get_u64(&r);
    CTW_TRY(ctw_io__in_end(&r, fn, "counters"));
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++)
        if (!(fabs(*reals[i]) <= IMPOSSIBLE)) return bad(fn, "a counter of impossible size");
    if (!(p->factor >= 0 && p->factor <= 1)) return bad(fn, "its step sizes");
    ctw_policy__set_steps(p);
    return CTW_OK;
}

static ctw_status get_traces(ctw_policy *p, ctw_io__reader *r, const char *fn)
{
    size_t n = ctw_io__get_count(r, sizeof(uint32_t));
    if (r->failed || n > (p->trace ? p->rows : 0)) return bad(fn, "number of traces");
    for (size_t i = 0; i < n; i++) {
        uint32_t row = ctw_io__get_u32(r);
        if (row >= p->rows || p->is_dirty[row]) return bad(fn, "a trace out of place");
        p->is_dirty[row] = 1;
        p->dirty[i] = row;
    }
    p->n_dirty = n;
    return CTW_OK;
}

static ctw_status get_weights(ctw_policy *p, ctw_io__reader *r, const char *fn)
{
    double *at[6], slack = 1e-9, lo = log(p->o.sd_min) - slack, hi = log(p->o.sd_max) + slack;
    size_t n = vectors(p, at);
    if (!p->w) return ctw_io__in_end(r, fn, "weights");
    for (size_t i = 0; i < n; i++) {
        if (ctw_io__get_count(r, sizeof(double)) != p->n_all) return bad(fn, "number of weights");
        ctw_io__get_f64s(r, at[i], p->n_all);
        for (size_t j = 0; !r->failed && j < p->n_all; j++)
            if (!(fabs(at[i][j]) <= IMPOSSIBLE)) return bad(fn, "a weight of impossible size");
    }
    CTW_TRY(get_traces(p, r, fn));
    CTW_TRY(ctw_io__in_end(r, fn, "weights"));
    for (size_t j = 0; j < p->n_all; j++) {
        int sd = j >= p->n_theta && j < p->n_theta + p->n_sd;
        if (!(fabs(p->good[j]) <= p->o.value_limit)) return bad(fn, "a weight beyond value_limit");
        if (sd && !(p->w[j] >= lo && p->w[j] <= hi && p->good[j] >= lo && p->good[j] <= hi))
            return bad(fn, "a standard deviation out of bounds");
        if (p->m2 && p->m2[j] < 0.0) return bad(fn, "a negative square");
    }
    return CTW_OK;
}

static ctw_status get_batch(ctw_policy *p, const ctw_io__in *in, const char *fn)
{
    ctw_io__reader r;
    ctw_policy__walk *k = &p->walk; /* read over after this */
    ctw_policy__rolls *b = &p->rolls;
    if (!ctw_io__in_has(in, TAG_BATCH)) return CTW_OK;
    CTW_TRY(ctw_io__in_section(in, TAG_BATCH, &r, fn));
    uint64_t n = ctw_io__get_u64(&r);
    if (r.failed || n > b->cap || n > r.left / 32) return bad(fn, "number of steps in its batch");
    CTW_TRY(ctw_policy__rolls_reserve(p->h.ctx, b, (size_t)n));
    for (size_t i = 0; i < n; i++) {
        CTW_TRY(ctw_agent__point_load(&r, p->max_active, p->rows, &k->cur, fn));
        CTW_TRY(get_deed(p, &r, &k->deed, fn));
        double v = ctw_io__get_f64(&r), next = ctw_io__get_f64(&r), reward = ctw_io__get_f64(&r);
        int end = ctw_io__get_u8(&r);
        uint32_t lane = ctw_io__get_u32(&r);
        if (r.failed || end > 2 || lane >= CTW_POLICY_MAX_LANES || !(fabs(reward) <= p->o.value_limit) ||
            !(fabs(v) <= IMPOSSIBLE) || !(fabs(next) <= IMPOSSIBLE))
            return bad(fn, "a step of its batch");
        ctw_policy__record(p, b, k, reward, NULL, end, lane);
        b->v[i] = v;
        b->v_next[i] = next;
    }
    return ctw_io__in_end(&r, fn, "batch");
}

static ctw_status get_walk(ctw_policy *p, const ctw_io__in *in, const char *fn)
{
    ctw_io__reader r;
    ctw_policy__walk *k = &p->walk;
    CTW_TRY(ctw_io__in_section(in, TAG_WALK, &r, fn));
    uint8_t open = ctw_io__get_u8(&r);
    if (r.failed || open > 1 || (open && !p->w)) return bad(fn, "its open step");
    if (open) CTW_TRY(ctw_agent__point_load(&r, p->max_active, p->rows, &k->cur, fn));
    if (open) CTW_TRY(get_deed(p, &r, &k->deed, fn));
    k->open = open;
    return ctw_io__in_end(&r, fn, "open step");
}

/* Refuses to allocate what the file cannot fill: two vectors of features * (outputs + 1) must be there. */
static ctw_status enough(const ctw_policy__options *o, uint64_t rows, const ctw_io__reader *r, const char *fn)
{
    uint64_t k = (uint64_t)(o->head == CTW_POLICY_GAUSSIAN ? o->real_dims : o->actions);
    if (rows > r->left / 16 / (k + 1)) return bad(fn, "fewer weights than its options ask for");
    return CTW_OK;
}

static ctw_status build(ctw_ctx *ctx, const ctw_io__in *in, const ctw_params *params, const char *fn, ctw_policy **out)
{
    ctw_policy__options o;
    ctw_io__reader weights;
    ctw_features *f;
    uint64_t count;
    ctw_policy__read_options(params, &o);
    CTW_TRY(ctw_io__in_section(in, TAG_WEIGHTS, &weights, fn));
    CTW_TRY(enough(&o, o.form == CTW_AGENT_TABULAR ? (uint64_t)o.states : (uint64_t)o.features, &weights, fn));
    CTW_TRY(ctw_features__load(ctx, in, fn, &f, &count));
    ctw_status s = enough(&o, count, &weights, fn);
    if (s == CTW_OK) s = ctw_policy__make(ctx, params, fn, out);
    if (s == CTW_OK && f) s = ctw_policy__attach(*out, f, fn);
    ctw_features_unref(f);
    if (s == CTW_OK) s = get_weights(*out, &weights, fn);
    if (s == CTW_OK) s = get_state(*out, in, fn);
    if (s == CTW_OK) s = get_batch(*out, in, fn);
    if (s == CTW_OK) s = get_walk(*out, in, fn);
    return s;
}

/* What a policy that could be saved would not refuse is the file's fault. */
static ctw_status read_all(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_policy **out, const char *fn)
{
    static const uint32_t known[] = {TAG_PARAMS, CTW_FEATURES_TAG, TAG_STATE, TAG_WEIGHTS, TAG_BATCH, TAG_WALK};
    ctw_io__in in;
    ctw_params *params;
    CTW_TRY(ctw_io__in_begin(&in, buf, len, CTW_POLICY_MAGIC, MAJOR, fn));
    CTW_TRY(ctw_io__in_known(&in, known, sizeof known / sizeof *known, fn));
    CTW_TRY(ctw_io__in_params(&in, ctx, "policy", &params, fn));
    ctw_status s = build(ctx, &in, params, fn, out);
    ctw_params_unref(params);
    if (s == CTW_OK || s == CTW_E_NOMEM || s == CTW_E_FORMAT) return s;
    return ctw_base__fail_in(CTW_E_FORMAT, "%s", fn);
}

CTW_DEFINE_SAVING(ctw_policy, CTW_POLICY_MAGIC, ctw_io__any_state, write_all, read_all);
