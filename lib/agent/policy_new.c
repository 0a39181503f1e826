/* policy_new.c: making and freeing policies: options, shapes, memory. */
#include "agent/agent_params.h"
#include "agent/input.h"
#include "agent/policy_internal.h"
#include "base/ctx.h"
#include <math.h>

static void destroy(ctw_policy *p)
{
    ctw_ctx *ctx = p->h.ctx;
    void *blocks[] = {p->w,    p->good, p->trace, p->adv,      p->m1,    p->m2,
                      p->grad, p->work, p->dirty, p->is_dirty, p->memory};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) ctw_base__free(ctx, blocks[i]);
    ctw_policy__rolls_free(ctx, &p->rolls);
    ctw_features_unref(p->features);
    ctw_params_unref(p->params);
}

CTW_DEFINE_REFS(ctw_policy, destroy)

void ctw_policy__read_options(const ctw_params *p, ctw_policy__options *o)
{
    const ctw_base__kind *k = &ctw_policy__kind;
    o->form = ctw_base__opt_choice(p, k, "form");
    o->head = ctw_base__opt_choice(p, k, "policy");
    o->algo = ctw_base__opt_choice(p, k, "algo");
    o->sgd = ctw_base__opt_choice(p, k, "optimiser");
    o->normalise = ctw_base__opt_bool(p, k, "normalise");
    o->standardise = ctw_base__opt_bool(p, k, "standardise");
    o->states = ctw_base__opt_i64(p, k, "states");
    o->features = ctw_base__opt_i64(p, k, "features");
    o->actions = ctw_base__opt_i64(p, k, "actions");
    o->real_dims = ctw_base__opt_i64(p, k, "real_dims");
    o->batch = ctw_base__opt_i64(p, k, "batch");
    o->epochs = ctw_base__opt_i64(p, k, "epochs");
    o->minibatch = ctw_base__opt_i64(p, k, "minibatch");
    o->solve_rounds = ctw_base__opt_i64(p, k, "solve_rounds");
    o->stream = ctw_base__opt_i64(p, k, "stream");
    o->alpha = ctw_base__opt_f64(p, k, "alpha");
    o->alpha_critic = ctw_base__opt_f64(p, k, "alpha_critic");
    o->alpha_decay = ctw_base__opt_f64(p, k, "alpha_decay");
    o->gamma = ctw_base__opt_f64(p, k, "gamma");
    o->lambda = ctw_base__opt_f64(p, k, "lambda");
    o->average = ctw_base__opt_f64(p, k, "average");
    o->entropy = ctw_base__opt_f64(p, k, "entropy");
    o->clip = ctw_base__opt_f64(p, k, "clip");
    o->kl = ctw_base__opt_f64(p, k, "kl");
    o->ridge = ctw_base__opt_f64(p, k, "ridge");
    o->sd = ctw_base__opt_f64(p, k, "sd");
    o->sd_min = ctw_base__opt_f64(p, k, "sd_min");
    o->sd_max = ctw_base__opt_f64(p, k, "sd_max");
    o->value_limit = ctw_base__opt_f64(p, k, "value_limit");
}

static ctw_status weights_new(ctw_policy *p)
{
    ctw_ctx *ctx = p->h.ctx;
    int batch = ctw_policy__is_batch(p), adam = batch && !p->o.sgd;
    int traced = p->o.algo == CTW_POLICY_AC && p->o.lambda > 0.0;
    struct {
        double **at;
        int wanted;
    } vectors[] = {{&p->w, 1},        {&p->good, 1},  {&p->trace, traced}, {&p->adv, p->o.algo == CTW_POLICY_NATURAL},
                   {&p->grad, batch}, {&p->m1, adam}, {&p->m2, adam}};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        if (vectors[i].wanted && !(*vectors[i].at = CTW_NEW(ctx, p->n_all, double))) return CTW_E_NOMEM;
    if (p->o.algo == CTW_POLICY_NATURAL_BATCH && !(p->work = CTW_NEW(ctx, 5 * (p->n_theta + p->n_sd), double)))
        return CTW_E_NOMEM;
    if (batch || traced)
        if (!(p->dirty = CTW_NEW(ctx, p->rows, uint32_t)) || !(p->is_dirty = CTW_NEW(ctx, p->rows, uint8_t)))
            return CTW_E_NOMEM;
    for (size_t j = 0; j < p->n_sd; j++) p->w[p->n_theta + j] = p->good[p->n_theta + j] = log(p->o.sd);
    p->rolls = (ctw_policy__rolls){.cap = batch ? (size_t)p->o.batch : 0,
                                   .active = p->max_active,
                                   .k = p->k,
                                   .gaussian = p->o.head == CTW_POLICY_GAUSSIAN};
    return CTW_OK;
}

static void weights_free(ctw_policy *p)
{
    double **vectors[] = {&p->w, &p->good, &p->trace, &p->adv, &p->m1, &p->m2, &p->grad, &p->work};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        ctw_base__free(p->h.ctx, *vectors[i]);
        *vectors[i] = NULL;
    }
    ctw_base__free(p->h.ctx, p->dirty);
    ctw_base__free(p->h.ctx, p->is_dirty);
    ctw_base__free(p->h.ctx, p->memory);
    p->dirty = NULL;
    p->is_dirty = NULL;
    p->memory = NULL;
    ctw_policy__rolls_free(p->h.ctx, &p->rolls);
}

/* Memory for `rows` features; on failure the policy is as it was. */
static ctw_status shape(ctw_policy *p, size_t rows, size_t max_active, const char *fn)
{
    ctw_agent__point *points[] = {&p->walk.cur, &p->walk.tmp};
    if (rows > ((size_t)1 << 28) / (p->k + 1))
        return ctw_base__fail(CTW_E_RANGE, "%s: %zu features and %zu outputs are more than 2^28 weights", fn, rows,
                              p->k);
    if (ctw_policy__is_batch(p) && (size_t)p->o.batch > ((size_t)1 << 28) / max_active)
        return ctw_base__fail(CTW_E_RANGE, "%s: batch is %lld, with %zu active features more than 2^28 values", fn,
                              (long long)p->o.batch, max_active);
    p->rows = rows;
    p->max_active = max_active;
    p->n_theta = rows * p->k;
    p->n_all = p->n_theta + p->n_sd + rows;
    ctw_status s = weights_new(p);
    if (s == CTW_OK) s = ctw_agent__points_new(p->h.ctx, max_active, 2, points, &p->memory);
    if (s != CTW_OK) weights_free(p);
    return s;
}

/* Combinations that have no meaning are refused rather than reinterpreted. */
static ctw_status sensible(const ctw_policy__options *o, const char *fn)
{
    if (o->algo == CTW_POLICY_NATURAL && o->lambda > 0.0)
        return ctw_base__fail(CTW_E_ARG, "%s: lambda is %g, algo natural needs 0", fn, o->lambda);
    if (o->average > 0.0 && o->gamma < 1.0)
        return ctw_base__fail(CTW_E_ARG, "%s: average is %g, which needs gamma 1", fn, o->average);
    if (!(o->sd_min <= o->sd && o->sd <= o->sd_max))
        return ctw_base__fail(CTW_E_ARG, "%s: sd is %g, must be within sd_min %g and sd_max %g", fn, o->sd, o->sd_min,
                              o->sd_max);
    return CTW_OK;
}

ctw_status ctw_policy__make(ctw_ctx *ctx, const ctw_params *params, const char *fn, ctw_policy **out)
{
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    CTW_TRY(ctw_base__params_check(params, &ctw_policy__kind, fn));
    ctw_policy__options o;
    ctw_policy__read_options(params, &o);
    CTW_TRY(sensible(&o, fn));
    ctw_policy *p = ctw_base__handle_new(ctx, sizeof *p, CTW_POLICY_MAGIC);
    if (!p) return CTW_E_NOMEM;
    p->o = o;
    p->k = (size_t)(o.head == CTW_POLICY_GAUSSIAN ? o.real_dims : o.actions);
    p->n_sd = o.head == CTW_POLICY_GAUSSIAN ? p->k : 0;
    p->factor = 1.0;
    ctw_policy__set_steps(p);
    ctw_num__rng_init(&p->rng, ctw_base__seed(ctx), CTW_POLICY_MAGIC, (uint64_t)o.stream);
    ctw_status s = ctw_base__params_copy(ctx, params, &ctw_policy__kind, &p->params);
    if (s == CTW_OK && o.form == CTW_AGENT_TABULAR) {
        p->dims = 1;
        s = shape(p, (size_t)o.states, 1, fn);
    } else if (s == CTW_OK && o.features > 0) {
        p->dims = (size_t)o.features;
        s = shape(p, p->dims, p->dims, fn);
    }
    if (s != CTW_OK) {
        destroy(p);
        ctw_base__handle_free(&p->h);
        return s;
    }
    *out = p;
    return CTW_OK;
}

ctw_status ctw_policy_new(ctw_ctx *ctx, const ctw_params *params, ctw_policy **out)
{
    static const char fn[] = "ctw_policy_new";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    return ctw_policy__make(ctx, params, fn, out);
}

ctw_status ctw_policy__attach(ctw_policy *p, ctw_features *f, const char *fn)
{
    uint64_t count, active;
    if (p->o.form != CTW_AGENT_LINEAR)
        return ctw_base__fail(CTW_E_ARG, "%s: form is tabular, a feature map needs linear", fn);
    if (p->w)
        return ctw_base__fail(CTW_E_STATE, "%s: the policy has its %zu features already (option features, or a map)",
                              fn, p->rows);
    CTW_TRY(ctw_base__handle_check(f ? &f->h : NULL, CTW_FEATURES_MAGIC, fn, "f"));
    CTW_TRY(ctw_features_count(f, &count, &active));
    CTW_TRY(shape(p, (size_t)count, (size_t)active, fn));
    p->dims = f->dims;
    p->features = ctw_features_ref(f);
    return CTW_OK;
}

ctw_status ctw_policy_set_features(ctw_policy *p, ctw_features *f)
{
    static const char fn[] = "ctw_policy_set_features";
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_POLICY_MAGIC, fn, "p"));
    ctw_status s = ctw_policy__attach(p, f, fn);
    ctw_base__handle_leave(&p->h);
    return s;
}

ctw_status ctw_policy__see(const ctw_policy *p, const double *phi, uint64_t n, ctw_agent__point *x, const char *fn)
{
    if (!p->w)
        return ctw_base__fail(
            CTW_E_STATE, "%s: the policy has no features: set option features or call ctw_policy_set_features", fn);
    ctw_agent__input in = {p->o.form, p->o.states, p->dims, p->features};
    return ctw_agent__input_read(&in, phi, n, x, fn);
}
