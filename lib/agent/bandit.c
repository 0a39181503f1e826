/* bandit.c: the verbs of a contextual bandit. */
#include "agent/agent_params.h"
#include "agent/bandit_internal.h"
#include "base/ctx.h"
#include "base/report.h"
#include <math.h>

static void free_models(ctw_bandit *b)
{
    ctw_ctx *ctx = b->h.ctx;
    ctw_base__free(ctx, b->theta);
    ctw_base__free(ctx, b->a);
    ctw_base__free(ctx, b->p);
    ctw_base__free(ctx, b->age);
    ctw_base__free(ctx, b->updates);
}

static void destroy(ctw_bandit *b)
{
    ctw_ctx *ctx = b->h.ctx;
    free_models(b);
    ctw_base__free(ctx, b->trait);
    ctw_base__free(ctx, b->sum);
    ctw_base__free(ctx, b->n);
    ctw_params_unref(b->params);
}

CTW_DEFINE_REFS(ctw_bandit, destroy)

/* All or nothing: what was there stays when memory runs out. */
ctw_status ctw_bandit__memory(ctw_bandit *b)
{
    ctw_ctx *ctx = b->h.ctx;
    size_t d = b->d, m = b->models;
    double *theta = CTW_NEW(ctx, m * d, double), *a = CTW_NEW(ctx, m * d * d, double);
    double *p = CTW_NEW(ctx, m * d * d, double), *age = CTW_NEW(ctx, m, double);
    uint64_t *updates = CTW_NEW(ctx, m, uint64_t);
    if (!theta || !a || !p || !age || !updates) {
        ctw_base__free(ctx, theta);
        ctw_base__free(ctx, a);
        ctw_base__free(ctx, p);
        ctw_base__free(ctx, age);
        ctw_base__free(ctx, updates);
        return CTW_E_NOMEM;
    }
    free_models(b);
    b->theta = theta;
    b->a = a;
    b->p = p;
    b->age = age;
    b->updates = updates;
    for (size_t k = 0; k < m; k++) ctw_bandit__clear(b, k);
    return CTW_OK;
}

ctw_status ctw_bandit__make(ctw_ctx *ctx, const ctw_params *params, const char *fn, ctw_bandit **out)
{
    const ctw_base__kind *kind = &ctw_bandit__kind;
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    CTW_TRY(ctw_base__params_check(params, kind, fn));
    ctw_bandit *b = ctw_base__handle_new(ctx, sizeof *b, CTW_BANDIT_MAGIC);
    if (!b) return CTW_E_NOMEM;
    b->policy = ctw_base__opt_choice(params, kind, "policy");
    b->arms = (size_t)ctw_base__opt_i64(params, kind, "arms");
    b->dims = (size_t)ctw_base__opt_i64(params, kind, "dims");
    b->models = b->arms;
    b->d = b->dims;
    b->width = ctw_base__opt_f64(params, kind, "width");
    b->ridge = ctw_base__opt_f64(params, kind, "ridge");
    b->epsilon = ctw_base__opt_f64(params, kind, "epsilon");
    b->discount = ctw_base__opt_f64(params, kind, "discount");
    b->forget_at = ctw_base__opt_f64(params, kind, "forget_at");
    ctw_num__rng_init(&b->rng, ctw_base__seed(ctx), CTW_BANDIT_MAGIC,
                      (uint64_t)ctw_base__opt_i64(params, kind, "stream"));
    ctw_status s = ctw_base__params_copy(ctx, params, kind, &b->params);
    if (s == CTW_OK && (!(b->sum = CTW_NEW(ctx, b->arms, double)) || !(b->n = CTW_NEW(ctx, b->arms, double))))
        s = CTW_E_NOMEM;
    if (s == CTW_OK) s = ctw_bandit__memory(b);
    if (s != CTW_OK) {
        destroy(b);
        ctw_base__handle_free(&b->h);
        return s;
    }
    *out = b;
    return CTW_OK;
}

ctw_status ctw_bandit_new(ctw_ctx *ctx, const ctw_params *params, ctw_bandit **out)
{
    static const char fn[] = "ctw_bandit_new";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    return ctw_bandit__make(ctx, params, fn, out);
}

static ctw_status context(const ctw_bandit *b, const double *x, uint64_t n, const char *fn)
{
    if (n != b->dims)
        return ctw_base__fail(CTW_E_SHAPE, "%s: n is %llu, must be %zu", fn, (unsigned long long)n, b->dims);
    CTW_TRY(ctw_base__need(x, fn, "x"));
    return ctw_base__all_in(x, n, 1, -CTW_BANDIT_LIMIT, CTW_BANDIT_LIMIT, fn, "x");
}

/* What the policy ranks the arm by. */
static double score(ctw_bandit *b, size_t arm, const ctw_bandit__view *v)
{
    double mean, width;
    if (b->policy == CTW_BANDIT_UCB1)
        return b->n[arm] < 0.5 ? INFINITY
                               : b->sum[arm] / b->n[arm] + b->width * sqrt(log((double)b->total + 1.0) / b->n[arm]);
    if (b->policy == CTW_BANDIT_EPSILON) return ctw_bandit__seen(b, arm, v, NULL);
    mean = ctw_bandit__seen(b, arm, v, &width);
    width = b->width * sqrt(width);
    return mean + (b->policy == CTW_BANDIT_LINUCB ? width : width * ctw_num__rng_normal(&b->rng));
}

static ctw_status choose(ctw_bandit *b, const double *x, uint64_t n, const uint8_t *allowed, int64_t *out,
                         const char *fn)
{
    size_t count = 0, arm = 0, k = 0;
    double best = -INFINITY;
    CTW_TRY(ctw_base__need(out, fn, "out_arm"));
    CTW_TRY(context(b, x, n, fn));
    for (k = 0; k < b->arms; k++) count += !allowed || allowed[k];
    if (count == 0) return ctw_base__fail(CTW_E_INFEASIBLE, "%s: all %zu arms are masked", fn, b->arms);
    if (b->policy == CTW_BANDIT_EPSILON && ctw_num__rng_uniform(&b->rng) < b->epsilon) {
        uint64_t r = ctw_num__rng_below(&b->rng, count);
        for (arm = 0; (allowed && !allowed[arm]) || r-- > 0; arm++) {
        }
    } else {
        int found = 0;
        ctw_bandit__view v;
        v.x = x;
        if (b->traits) ctw_bandit__look(b, x, &v);
        for (k = 0; k < b->arms; k++) {
            if (allowed && !allowed[k]) continue;
            double s = score(b, k, &v);
            if (!found || s > best) {
                best = s;
                arm = k;
                found = 1;
            }
        }
    }
    b->rounds++;
    *out = (int64_t)arm;
    return CTW_OK;
}

ctw_status ctw_bandit_set_arms(ctw_bandit *b, const double *trait, uint64_t arms, uint64_t traits)
{
    static const char fn[] = "ctw_bandit_set_arms";
    CTW_TRY(ctw_base__handle_enter(b ? &b->h : NULL, CTW_BANDIT_MAGIC, fn, "b"));
    ctw_status s = arms == b->arms ? ctw_bandit__set_arms(b, trait, traits, fn)
                                   : ctw_base__fail(CTW_E_SHAPE, "%s: arms is %llu, must be %zu", fn,
                                                    (unsigned long long)arms, b->arms);
    ctw_base__handle_leave(&b->h);
    return s;
}

ctw_status ctw_bandit_choose(ctw_bandit *b, const double *x, uint64_t n, const uint8_t *allowed, int64_t *out_arm)
{
    static const char fn[] = "ctw_bandit_choose";
    CTW_TRY(ctw_base__handle_enter(b ? &b->h : NULL, CTW_BANDIT_MAGIC, fn, "b"));
    ctw_status s = choose(b, x, n, allowed, out_arm, fn);
    ctw_base__handle_leave(&b->h);
    return s;
}

ctw_status ctw_bandit_update(ctw_bandit *b, int64_t arm, const double *x, uint64_t n, double reward)
{
    static const char fn[] = "ctw_bandit_update";
    CTW_TRY(ctw_base__handle_enter(b ? &b->h : NULL, CTW_BANDIT_MAGIC, fn, "b"));
    ctw_status s = ctw_base__in_i64(arm, 0, (int64_t)b->arms - 1, fn, "arm");
    if (s == CTW_OK) s = context(b, x, n, fn);
    if (s == CTW_OK) s = ctw_base__in(reward, -CTW_BANDIT_LIMIT, CTW_BANDIT_LIMIT, fn, "reward");
    if (s == CTW_OK) ctw_bandit__learn(b, (size_t)arm, x, reward);
    ctw_base__handle_leave(&b->h);
    return s;
}

ctw_status ctw_bandit_values(const ctw_bandit *b, const double *x, uint64_t n, double *out_mean, double *out_width,
                             uint64_t arms)
{
    static const char fn[] = "ctw_bandit_values";
    CTW_TRY(ctw_base__handle_check(b ? &b->h : NULL, CTW_BANDIT_MAGIC, fn, "b"));
    CTW_TRY(context(b, x, n, fn));
    if (arms != b->arms)
        return ctw_base__fail(CTW_E_SHAPE, "%s: arms is %llu, must be %zu", fn, (unsigned long long)arms, b->arms);
    for (size_t k = 0; k < b->arms; k++) {
        double u[CTW_BANDIT_MAX_DIMS];
        const double *in = ctw_bandit__input(b, k, x, u);
        if (out_mean) out_mean[k] = ctw_bandit__mean(b, b->traits ? 0 : k, in);
        if (out_width) out_width[k] = sqrt(ctw_bandit__width2(b, b->traits ? 0 : k, in));
    }
    return CTW_OK;
}

ctw_status ctw_bandit_get_weights(const ctw_bandit *b, double *theta, uint64_t cap, uint64_t *need)
{
    static const char fn[] = "ctw_bandit_get_weights";
    CTW_TRY(ctw_base__handle_check(b ? &b->h : NULL, CTW_BANDIT_MAGIC, fn, "b"));
    CTW_TRY(ctw_base__need(need, fn, "need"));
    CTW_TRY(ctw_base__need_n(theta, cap, fn, "theta"));
    *need = b->models * b->d;
    if (cap == 0) return CTW_OK;
    if (cap < *need)
        return ctw_base__fail(CTW_E_BUFFER, "%s: cap is %llu, must be at least %llu", fn, (unsigned long long)cap,
                              (unsigned long long)*need);
    for (size_t i = 0; i < *need; i++) theta[i] = b->theta[i];
    return CTW_OK;
}

ctw_status ctw_bandit_get_report(const ctw_bandit *b, ctw_report **out)
{
    static const char fn[] = "ctw_bandit_get_report";
    ctw_report *r;
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__handle_check(b ? &b->h : NULL, CTW_BANDIT_MAGIC, fn, "b"));
    CTW_TRY(ctw_base__report_new(b->h.ctx, &r));
    ctw_status s = ctw_base__report_i64(r, "rounds", (int64_t)b->rounds);
    if (s == CTW_OK) s = ctw_base__report_i64(r, "updates", (int64_t)b->total);
    if (s == CTW_OK) s = ctw_base__report_i64(r, "alarms", (int64_t)b->alarms);
    if (s == CTW_OK) s = ctw_base__report_f64(r, "residual_sd", sqrt(b->variance));
    if (s != CTW_OK) {
        ctw_report_unref(r);
        return s;
    }
    *out = r;
    return CTW_OK;
}
