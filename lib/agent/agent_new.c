/* agent_new.c: making and freeing agents: shapes, memory, options. */
#include "agent/agent_internal.h"
#include "agent/agent_params.h"
#include "agent/nstep.h"
#include "base/ctx.h"
#include <math.h>

static void destroy(ctw_agent *a)
{
    ctw_ctx *ctx = a->h.ctx;
    ctw_base__free(ctx, a->w);
    ctw_base__free(ctx, a->good);
    ctw_base__free(ctx, a->dirty);
    ctw_base__free(ctx, a->is_dirty);
    ctw_base__free(ctx, a->memory);
    ctw_agent__back_free(ctx, a->walk.back);
    ctw_features_unref(a->features);
    ctw_params_unref(a->params);
}

CTW_DEFINE_REFS(ctw_agent, destroy)

void ctw_agent__read_options(const ctw_params *p, ctw_agent__options *o)
{
    const ctw_base__kind *k = &ctw_agent__kind;
    o->form = ctw_base__opt_choice(p, k, "form");
    o->algo = ctw_base__opt_choice(p, k, "algo");
    o->traces = ctw_base__opt_choice(p, k, "traces");
    o->policy = ctw_base__opt_choice(p, k, "policy");
    o->ties = ctw_base__opt_choice(p, k, "ties");
    o->normalise = ctw_base__opt_bool(p, k, "normalise");
    o->states = ctw_base__opt_i64(p, k, "states");
    o->features = ctw_base__opt_i64(p, k, "features");
    o->actions = ctw_base__opt_i64(p, k, "actions");
    o->steps = ctw_base__opt_i64(p, k, "steps");
    o->stream = ctw_base__opt_i64(p, k, "stream");
    o->alpha = ctw_base__opt_f64(p, k, "alpha");
    o->alpha_decay = ctw_base__opt_f64(p, k, "alpha_decay");
    o->gamma = ctw_base__opt_f64(p, k, "gamma");
    o->lambda = ctw_base__opt_f64(p, k, "lambda");
    o->average = ctw_base__opt_f64(p, k, "average");
    o->epsilon = ctw_base__opt_f64(p, k, "epsilon");
    o->epsilon_min = ctw_base__opt_f64(p, k, "epsilon_min");
    o->epsilon_decay = ctw_base__opt_f64(p, k, "epsilon_decay");
    o->temperature = ctw_base__opt_f64(p, k, "temperature");
    o->initial = ctw_base__opt_f64(p, k, "initial");
    o->value_limit = ctw_base__opt_f64(p, k, "value_limit");
}

/* One block for the index and value arrays of `count` points of max_active features. */
ctw_status ctw_agent__points_new(ctw_ctx *ctx, size_t max_active, size_t count, ctw_agent__point *const *points,
                                 void **memory)
{
    size_t padded = max_active + (max_active & 1);
    double *val = ctw_base__calloc(ctx, count * padded, sizeof(double) + sizeof(uint32_t));
    if (!val) return CTW_E_NOMEM;
    uint32_t *idx = (uint32_t *)(void *)(val + count * padded);
    for (size_t i = 0; i < count; i++) {
        points[i]->val = val + i * padded;
        points[i]->idx = idx + i * padded;
    }
    *memory = val;
    return CTW_OK;
}

static size_t pad(size_t actions)
{
    return actions <= 2 ? 2 : (actions + 3) / 4 * 4;
}

/* Memory for `rows` rows; on failure nothing of the agent has changed. */
static ctw_status shape(ctw_agent *a, size_t rows, size_t max_active, const char *fn)
{
    ctw_ctx *ctx = a->h.ctx;
    size_t all = rows * a->tables;
    if (all > ((size_t)1 << 28) / a->stride)
        return ctw_base__fail(CTW_E_RANGE, "%s: %zu rows of %zu actions are more than 2^28 weights", fn, all,
                              a->stride);
    ctw_agent__point *points[] = {&a->walk.cur, &a->walk.nxt, &a->walk.tmp};
    double *w = CTW_NEW(ctx, all * a->block, double), *good = CTW_NEW(ctx, all * a->stride, double);
    uint32_t *dirty = a->lazy ? CTW_NEW(ctx, all, uint32_t) : NULL;
    uint8_t *is_dirty = a->lazy ? CTW_NEW(ctx, all, uint8_t) : NULL;
    ctw_agent__back *back = NULL;
    if (!w || !good || (a->lazy && (!dirty || !is_dirty)) ||
        (a->o.steps > 1 &&
         ctw_agent__back_new(ctx, (size_t)a->o.steps, (size_t)a->o.actions, max_active, &back) != CTW_OK) ||
        ctw_agent__points_new(ctx, max_active, 3, points, &a->memory) != CTW_OK) {
        ctw_base__free(ctx, w);
        ctw_base__free(ctx, good);
        ctw_base__free(ctx, dirty);
        ctw_base__free(ctx, is_dirty);
        ctw_agent__back_free(ctx, back);
        return CTW_E_NOMEM;
    }
    a->walk.back = back;
    a->w = w;
    a->good = good;
    a->dirty = dirty;
    a->is_dirty = is_dirty;
    a->rows = rows;
    a->good_period = all * a->stride < 4096 ? 4096 : all * a->stride;
    a->max_active = max_active;
    return CTW_OK;
}

/* Combinations that have no meaning are refused rather than reinterpreted. */
static ctw_status sensible(const ctw_agent__options *o, const char *fn)
{
    int stepwise = o->algo == CTW_AGENT_SARSA || o->algo == CTW_AGENT_EXPECTED || o->algo == CTW_AGENT_TREE;
    if ((o->algo == CTW_AGENT_EXPECTED || o->algo == CTW_AGENT_DOUBLE || o->algo == CTW_AGENT_TREE) && o->lambda > 0)
        return ctw_base__fail(CTW_E_ARG, "%s: lambda is %g, expected-sarsa, double-q and tree-backup need 0", fn,
                              o->lambda);
    if (o->steps > 1 && (!stepwise || o->lambda > 0))
        return ctw_base__fail(CTW_E_ARG,
                              "%s: steps is %lld, more than 1 needs sarsa, expected-sarsa or tree-backup, and lambda 0",
                              fn, (long long)o->steps);
    if (o->average > 0 && (o->gamma < 1.0 || o->algo == CTW_AGENT_DOUBLE))
        return ctw_base__fail(CTW_E_ARG, "%s: average is %g, which needs gamma 1 and another algo than double-q", fn,
                              o->average);
    if (o->epsilon_min > o->epsilon)
        return ctw_base__fail(CTW_E_ARG, "%s: epsilon_min is %g, above epsilon %g", fn, o->epsilon_min, o->epsilon);
    return CTW_OK;
}

ctw_status ctw_agent__make(ctw_ctx *ctx, const ctw_params *params, const char *fn, ctw_agent **out)
{
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    CTW_TRY(ctw_base__params_check(params, &ctw_agent__kind, fn));
    ctw_agent__options o;
    ctw_agent__read_options(params, &o);
    CTW_TRY(sensible(&o, fn));
    ctw_agent *a = ctw_base__handle_new(ctx, sizeof *a, CTW_AGENT_MAGIC);
    if (!a) return CTW_E_NOMEM;
    a->o = o;
    if (o.algo == CTW_AGENT_TREE && o.steps == 1) a->o.algo = CTW_AGENT_EXPECTED; /* the same */
    a->tables = o.algo == CTW_AGENT_DOUBLE ? 2 : 1;
    a->stride = pad((size_t)o.actions);
    a->lazy = o.lambda > 0 || o.algo == CTW_AGENT_ONLINE;
    a->block = a->lazy ? 2 * a->stride : a->stride;
    a->fast_choice = o.policy == CTW_AGENT_EPSILON && o.ties == CTW_AGENT_FIRST;
    a->scale = 1.0;
    a->alpha_factor = 1.0;
    a->alpha_now = o.alpha;
    a->epsilon_now = o.epsilon;
    a->explore_in = UINT64_MAX;
    a->log_keep = log1p(-o.epsilon);
    ctw_num__rng_init(&a->rng, ctw_base__seed(ctx), CTW_AGENT_MAGIC, (uint64_t)o.stream);
    ctw_status s = ctw_base__params_copy(ctx, params, &ctw_agent__kind, &a->params);
    if (s == CTW_OK && o.form == CTW_AGENT_TABULAR) {
        a->dims = 1;
        s = shape(a, (size_t)o.states, 1, fn);
    } else if (s == CTW_OK && o.features > 0) {
        a->dims = (size_t)o.features;
        s = shape(a, a->dims, a->dims, fn);
    }
    if (s != CTW_OK) {
        destroy(a);
        ctw_base__handle_free(&a->h);
        return s;
    }
    *out = a;
    return CTW_OK;
}

ctw_status ctw_agent_new(ctw_ctx *ctx, const ctw_params *params, ctw_agent **out)
{
    static const char fn[] = "ctw_agent_new";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    return ctw_agent__make(ctx, params, fn, out);
}

ctw_status ctw_agent__attach(ctw_agent *a, ctw_features *f, const char *fn)
{
    uint64_t count, active;
    if (a->o.form != CTW_AGENT_LINEAR)
        return ctw_base__fail(CTW_E_ARG, "%s: form is tabular, a feature map needs linear", fn);
    if (a->w)
        return ctw_base__fail(CTW_E_STATE, "%s: the agent has its %zu features already (option features, or a map)", fn,
                              a->rows);
    CTW_TRY(ctw_base__handle_check(f ? &f->h : NULL, CTW_FEATURES_MAGIC, fn, "f"));
    CTW_TRY(ctw_features_count(f, &count, &active));
    CTW_TRY(shape(a, (size_t)count, (size_t)active, fn));
    a->dims = f->dims;
    a->features = ctw_features_ref(f);
    return CTW_OK;
}

ctw_status ctw_agent_set_features(ctw_agent *a, ctw_features *f)
{
    static const char fn[] = "ctw_agent_set_features";
    CTW_TRY(ctw_base__handle_enter(a ? &a->h : NULL, CTW_AGENT_MAGIC, fn, "a"));
    ctw_status s = ctw_agent__attach(a, f, fn);
    ctw_base__handle_leave(&a->h);
    return s;
}
