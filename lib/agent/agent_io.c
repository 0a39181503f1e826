/* agent_io.c: an agent as bytes: options, feature map, counters and random stream, weights with their lazy traces, and
 * the open step, so that a loaded agent continues with the same bits. */
#include "agent/agent_internal.h"
#include "agent/agent_params.h"
#include "agent/nstep.h"
#include "agent/point_io.h"
#include "base/params.h"
#include "io/saving.h"
#include <math.h>

#define MAJOR       1
#define TAG_STATE   CTW_FOUR('S', 'T', 'A', 'T')
#define TAG_WEIGHTS CTW_FOUR('W', 'G', 'H', 'T')
#define TAG_WALK    CTW_FOUR('W', 'A', 'L', 'K')
#define TAG_MEAN    CTW_FOUR('M', 'E', 'A', 'N') /* only with option average */
#define TAG_BACK    CTW_FOUR('B', 'A', 'C', 'K') /* only with steps that wait for an n-step return */
#define TAG_PARAMS  CTW_FOUR('P', 'R', 'M', 'S')

static void put_state(const ctw_agent *a, ctw_io__writer *w)
{
    unsigned char stream[CTW_RNG_STATE];
    ctw_num__rng_save(&a->rng, stream);
    ctw_io__put_raw(w, stream, sizeof stream);
    ctw_io__put_f64(w, a->alpha_now);
    ctw_io__put_f64(w, a->alpha_factor);
    ctw_io__put_f64(w, a->epsilon_now);
    const uint64_t counts[] = {a->explore_in, a->since_good, a->episodes, a->steps,
                               a->rollbacks,  a->overrides,  a->explored};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) ctw_io__put_u64(w, counts[i]);
}

static void put_weights(const ctw_agent *a, ctw_io__writer *w)
{
    size_t all = a->rows * a->tables;
    ctw_io__put_f64(w, a->c);
    ctw_io__put_f64(w, a->scale);
    ctw_io__put_vec(w, a->w, all * a->block);
    ctw_io__put_vec(w, a->good, all * a->stride);
    ctw_io__put_u64(w, a->n_dirty);
    for (size_t i = 0; i < a->n_dirty; i++) ctw_io__put_u32(w, a->dirty[i]);
}

static void put_back(const ctw_agent__back *b, ctw_io__writer *w)
{
    ctw_io__put_u64(w, b->n);
    for (size_t j = 0; j < b->n; j++) {
        size_t i = (b->first + j) % b->cap;
        ctw_agent__point_save(w, &b->at[i]);
        ctw_io__put_i64(w, b->action[i]);
        ctw_io__put_f64(w, b->reward[i]);
        ctw_io__put_raw(w, b->allowed + i * b->actions, b->actions);
    }
    ctw_io__put_raw(w, b->mask, b->actions);
}

static ctw_status write_all(const ctw_agent *a, ctw_io__out *o)
{
    const ctw_agent__walk *k = &a->walk;
    ctw_io__out_begin(o, a->h.ctx, CTW_AGENT_MAGIC, MAJOR, 0);
    ctw_io__out_params(o, a->params);
    ctw_features__save(a->features, o);
    ctw_io__out_open(o, TAG_STATE, 1, 0);
    put_state(a, &o->w);
    ctw_io__out_close(o);
    if (a->o.average > 0.0) {
        ctw_io__out_open(o, TAG_MEAN, 1, 0);
        ctw_io__put_f64(&o->w, a->mean_reward);
        ctw_io__out_close(o);
    }
    ctw_io__out_open(o, TAG_WEIGHTS, 1, 0);
    put_weights(a, &o->w);
    ctw_io__out_close(o);
    if (k->back && (k->back->n || k->open || k->has_plan)) {
        ctw_io__out_open(o, TAG_BACK, 1, 0);
        put_back(k->back, &o->w);
        ctw_io__out_close(o);
    }
    ctw_io__out_open(o, TAG_WALK, 1, 0);
    ctw_io__put_u8(&o->w, k->open);
    ctw_io__put_u8(&o->w, k->has_plan);
    ctw_io__put_u8(&o->w, k->greedy);
    ctw_io__put_i64(&o->w, k->action);
    ctw_io__put_i64(&o->w, k->planned);
    ctw_io__put_f64(&o->w, k->q_old);
    if (k->open) ctw_agent__point_save(&o->w, &k->cur);
    if (k->has_plan) ctw_agent__point_save(&o->w, &k->nxt);
    ctw_io__out_close(o);
    return CTW_OK;
}

/* ---- loading ---- */

static ctw_status bad(const char *fn, const char *what)
{
    return ctw_base__fail(CTW_E_FORMAT, "%s: damaged agent: %s", fn, what);
}

static ctw_status get_walk(ctw_agent *a, const ctw_io__in *in, const char *fn)
{
    ctw_io__reader r;
    ctw_agent__walk *k = &a->walk;
    CTW_TRY(ctw_io__in_section(in, TAG_WALK, &r, fn));
    k->open = ctw_io__get_u8(&r);
    k->has_plan = ctw_io__get_u8(&r);
    k->greedy = ctw_io__get_u8(&r);
    k->action = ctw_io__get_i64(&r);
    k->planned = ctw_io__get_i64(&r);
    k->q_old = ctw_io__get_f64(&r);
    if (r.failed || k->open > 1 || k->has_plan > 1 || k->greedy > 1 || k->action < 0 || k->action >= a->o.actions ||
        k->planned < 0 || k->planned >= a->o.actions || !isfinite(k->q_old))
        return bad(fn, "its open step");
    if (!a->w && (k->open || k->has_plan)) return bad(fn, "a step without features");
    if (k->open) CTW_TRY(ctw_agent__point_load(&r, a->max_active, a->rows, &k->cur, fn));
    if (k->has_plan) CTW_TRY(ctw_agent__point_load(&r, a->max_active, a->rows, &k->nxt, fn));
    return ctw_io__in_end(&r, fn, "open step");
}

/* Through the walk's own points, as a step comes in. */
static ctw_status get_back(ctw_agent *a, const ctw_io__in *in, const char *fn)
{
    ctw_io__reader r;
    ctw_agent__walk *k = &a->walk;
    if (!ctw_io__in_has(in, TAG_BACK)) return CTW_OK;
    if (!k->back) return bad(fn, "waiting steps of an agent without steps");
    CTW_TRY(ctw_io__in_section(in, TAG_BACK, &r, fn));
    uint64_t n = ctw_io__get_u64(&r);
    if (r.failed || n >= k->back->cap) return bad(fn, "number of waiting steps");
    for (uint64_t i = 0; i <= n; i++) {
        double reward = 0.0;
        if (i < n) {
            CTW_TRY(ctw_agent__point_load(&r, a->max_active, a->rows, &k->cur, fn));
            k->action = ctw_io__get_i64(&r);
            reward = ctw_io__get_f64(&r);
        }
        const unsigned char *allowed = ctw_io__get_raw(&r, (size_t)a->o.actions);
        if (r.failed || k->action < 0 || k->action >= a->o.actions || !(fabs(reward) <= a->o.value_limit))
            return bad(fn, "a waiting step");
        int any = 0;
        for (int64_t j = 0; j < a->o.actions; j++) any |= allowed[j];
        if (any != 1) return bad(fn, "a mask");
        ctw_agent__back_mask(k->back, allowed);
        if (i < n) ctw_agent__back_push(k->back, k, reward);
    }
    return ctw_io__in_end(&r, fn, "waiting steps");
}

static ctw_status get_state(ctw_agent *a, const ctw_io__in *in, const char *fn)
{
    ctw_io__reader r;
    CTW_TRY(ctw_io__in_section(in, TAG_STATE, &r, fn));
    const unsigned char *stream = ctw_io__get_raw(&r, CTW_RNG_STATE);
    if (!stream || ctw_num__rng_load(&a->rng, stream) != 0) return bad(fn, "its random stream");
    a->alpha_now = ctw_io__get_f64(&r);
    a->alpha_factor = ctw_io__get_f64(&r);
    a->epsilon_now = ctw_io__get_f64(&r);
    uint64_t *const counts[] = {&a->explore_in, &a->since_good, &a->episodes, &a->steps,
                                &a->rollbacks,  &a->overrides,  &a->explored};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) *counts[i] = ctw_io__get_u64(&r);
    CTW_TRY(ctw_io__in_end(&r, fn, "counters"));
    if (!(a->alpha_now >= 0 && a->alpha_now <= a->o.alpha) || !(a->alpha_factor >= 0 && a->alpha_factor <= 1) ||
        !(a->epsilon_now >= 0 && a->epsilon_now <= 1))
        return bad(fn, "its step sizes");
    a->log_keep = log1p(-a->epsilon_now);
    return CTW_OK;
}

static ctw_status get_mean(ctw_agent *a, const ctw_io__in *in, const char *fn)
{
    ctw_io__reader r;
    if (!(a->o.average > 0.0)) return CTW_OK;
    CTW_TRY(ctw_io__in_section(in, TAG_MEAN, &r, fn));
    a->mean_reward = ctw_io__get_f64(&r);
    CTW_TRY(ctw_io__in_end(&r, fn, "mean reward"));
    if (!(fabs(a->mean_reward) <= 1e100)) return bad(fn, "its mean reward");
    return CTW_OK;
}

static ctw_status get_weights(ctw_agent *a, ctw_io__reader *r, const char *fn)
{
    size_t all = a->rows * a->tables, n;
    a->c = ctw_io__get_f64(r);
    a->scale = ctw_io__get_f64(r);
    n = ctw_io__get_count(r, sizeof(double));
    if (r->failed || n != all * a->block) return bad(fn, "number of weights");
    ctw_io__get_f64s(r, a->w, n);
    n = ctw_io__get_count(r, sizeof(double));
    if (r->failed || n != all * a->stride) return bad(fn, "number of checkpoint weights");
    ctw_io__get_f64s(r, a->good, n);
    n = ctw_io__get_count(r, sizeof(uint32_t));
    if (r->failed || n > (a->lazy ? all : 0)) return bad(fn, "number of traces");
    for (size_t i = 0; i < n; i++) {
        uint32_t row = ctw_io__get_u32(r);
        if (row >= all || a->is_dirty[row]) return bad(fn, "a trace out of place");
        a->is_dirty[row] = 1;
        a->dirty[i] = row;
    }
    a->n_dirty = n;
    CTW_TRY(ctw_io__in_end(r, fn, "weights"));
    if (!(a->scale > 0 && a->scale <= 1) || !isfinite(a->c)) return bad(fn, "trace scale");
    for (size_t i = 0; i < all * a->stride; i++)
        if (!(fabs(a->good[i]) <= a->o.value_limit)) return bad(fn, "a weight beyond value_limit");
    for (size_t i = 0; i < all * a->block; i++)
        if (!(fabs(a->w[i]) <= 1e100)) return bad(fn, "a weight of impossible size");
    return CTW_OK;
}

/* Refuses to allocate what the file cannot fill: rows * actions doubles must be there. */
static ctw_status enough(const ctw_agent__options *o, uint64_t rows, const ctw_io__reader *r, const char *fn)
{
    if (rows > r->left / 8 / (uint64_t)o->actions) return bad(fn, "fewer weights than its options ask for");
    return CTW_OK;
}

static ctw_status build(ctw_ctx *ctx, const ctw_io__in *in, const ctw_params *p, const char *fn, ctw_agent **out)
{
    ctw_agent__options o;
    ctw_io__reader weights;
    ctw_features *f;
    uint64_t count;
    ctw_agent__read_options(p, &o);
    CTW_TRY(ctw_io__in_section(in, TAG_WEIGHTS, &weights, fn));
    CTW_TRY(enough(&o, o.form == CTW_AGENT_TABULAR ? (uint64_t)o.states : (uint64_t)o.features, &weights, fn));
    CTW_TRY(ctw_features__load(ctx, in, fn, &f, &count));
    ctw_status s = enough(&o, count, &weights, fn);
    if (s == CTW_OK) s = ctw_agent__make(ctx, p, fn, out);
    if (s == CTW_OK && f) s = ctw_agent__attach(*out, f, fn);
    ctw_features_unref(f);
    if (s == CTW_OK) s = get_weights(*out, &weights, fn);
    if (s == CTW_OK) s = get_state(*out, in, fn);
    if (s == CTW_OK) s = get_mean(*out, in, fn);
    if (s == CTW_OK) s = get_back(*out, in, fn);
    if (s == CTW_OK) s = get_walk(*out, in, fn);
    return s;
}

/* What an agent that could be saved would not refuse is the file's fault. */
static ctw_status read_all(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_agent **out, const char *fn)
{
    static const uint32_t known[] = {TAG_PARAMS,  CTW_FEATURES_TAG, TAG_STATE, TAG_MEAN,
                                     TAG_WEIGHTS, TAG_WALK,         TAG_BACK};
    ctw_io__in in;
    ctw_params *p;
    CTW_TRY(ctw_io__in_begin(&in, buf, len, CTW_AGENT_MAGIC, MAJOR, fn));
    CTW_TRY(ctw_io__in_known(&in, known, sizeof known / sizeof *known, fn));
    CTW_TRY(ctw_io__in_params(&in, ctx, "agent", &p, fn));
    ctw_status s = build(ctx, &in, p, fn, out);
    ctw_params_unref(p);
    if (s == CTW_OK || s == CTW_E_NOMEM || s == CTW_E_FORMAT) return s;
    return ctw_base__fail_in(CTW_E_FORMAT, "%s", fn);
}

CTW_DEFINE_SAVING(ctw_agent, CTW_AGENT_MAGIC, ctw_io__any_state, write_all, read_all);
