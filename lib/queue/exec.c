/* exec.c: the handle of execution-time models, one fit an instance, and the published constants they begin with. */
#include "base/ctx.h"
#include "base/handle.h"
#include "base/report.h"
#include "queue/exec_internal.h"
#include "queue/queue_params.h"
#include <cybertwin/exec.h>
#include <math.h>
#include <string.h>

#define MAGIC        CTW_EXEC_MAGIC
#define MOST_TOKENS  1e9
#define MOST_RUNNING 1e6
#define MOST_SECONDS 1e9

/* In the order of the option's choices; seconds, by term. "ssjf": Vicuna-13B in the published code of SSJF
 * (const_latency and per_token_latency), which counts neither input nor company. */
static const double preset[][CTW_EXEC_TERMS] = {{0.1, 0, 0.02, 0}};

static void destroy(ctw_exec *e)
{
    ctw_base__free(e->h.ctx, e->fit);
    ctw_params_unref(e->params);
}

CTW_DEFINE_REFS(ctw_exec, destroy)

static ctw_status read_prior(ctw_exec__prior *p, const ctw_params *params)
{
    static const char *const key[CTW_EXEC_TERMS] = {"const_s", "prefill_s", "token_s", "crowd_s"};
    const ctw_base__kind *k = &ctw_exec__kind;
    double sum = 0;
    memcpy(p->coef, preset[ctw_base__opt_choice(params, k, "preset")], sizeof p->coef);
    for (unsigned i = 0; i < CTW_EXEC_TERMS; i++) {
        double v = ctw_base__opt_f64(params, k, key[i]);
        if (v >= 0) p->coef[i] = v;
        sum += p->coef[i];
    }
    p->trust = ctw_base__opt_f64(params, k, "trust");
    p->memory = (double)ctw_base__opt_i64(params, k, "memory");
    if (sum > 0) return CTW_OK;
    return ctw_base__fail(CTW_E_ARG, "ctw_exec_new: all of const_s, prefill_s, token_s and crowd_s are 0");
}

ctw_status ctw_exec_new(ctw_ctx *ctx, const ctw_params *params, ctw_exec **out)
{
    CTW_TRY(ctw_base__need(out, __func__, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, __func__));
    CTW_TRY(ctw_base__params_check(params, &ctw_exec__kind, __func__));
    ctw_exec__prior prior;
    CTW_TRY(read_prior(&prior, params));
    ctw_exec *e = ctw_base__handle_new(ctx, sizeof *e, MAGIC);
    if (!e) return CTW_E_NOMEM;
    e->prior = prior;
    e->instances = ctw_base__opt_i64(params, &ctw_exec__kind, "instances");
    e->fit = CTW_NEW(ctx, (size_t)e->instances, ctw_exec__fit);
    ctw_status s = e->fit ? ctw_base__params_copy(ctx, params, &ctw_exec__kind, &e->params) : CTW_E_NOMEM;
    if (s != CTW_OK) {
        ctw_exec_unref(e);
        return s;
    }
    for (int64_t i = 0; i < e->instances; i++) ctw_exec__fit_init(&e->fit[i], &prior);
    *out = e;
    return CTW_OK;
}

static ctw_status check(const ctw_exec *e, int64_t instance, const char *fn)
{
    CTW_TRY(ctw_base__handle_check(e ? &e->h : NULL, MAGIC, fn, "e"));
    return ctw_base__in_i64(instance, 0, e->instances - 1, fn, "instance");
}

/* One request as terms of the model. */
static ctw_status alone(double input, double output, double running, const char *fn, double *x)
{
    CTW_TRY(ctw_base__in(input, 0, MOST_TOKENS, fn, "input"));
    CTW_TRY(ctw_base__in(output, 0, MOST_TOKENS, fn, "output"));
    CTW_TRY(ctw_base__in(running, 1, MOST_RUNNING, fn, "running"));
    x[0] = 1;
    x[1] = input;
    x[2] = output;
    x[3] = output * (running - 1);
    return CTW_OK;
}

/* A batch as one request: all that it reads, and its longest answer in the company of the others. */
static ctw_status together(const double *input, const double *output, uint64_t n, const char *fn, double *x)
{
    double read = 0, longest = 0;
    CTW_TRY(ctw_base__in_u64(n, 1, (uint64_t)MOST_RUNNING, fn, "n"));
    CTW_TRY(ctw_base__need(output, fn, "output"));
    CTW_TRY(ctw_base__all_in(output, n, 1, 0, MOST_TOKENS, fn, "output"));
    if (input) CTW_TRY(ctw_base__all_in(input, n, 1, 0, MOST_TOKENS, fn, "input"));
    for (uint64_t i = 0; i < n; i++) {
        read += input ? input[i] : 0;
        longest = fmax(longest, output[i]);
    }
    return alone(fmin(read, MOST_TOKENS), longest, (double)n, fn, x);
}

ctw_status ctw_exec_seconds(const ctw_exec *e, int64_t instance, double input, double output, double running,
                            double *seconds)
{
    double x[CTW_EXEC_TERMS];
    CTW_TRY(ctw_base__need(seconds, __func__, "seconds"));
    CTW_TRY(check(e, instance, __func__));
    CTW_TRY(alone(input, output, running, __func__, x));
    *seconds = ctw_exec__fit_value(&e->fit[instance], x);
    return CTW_OK;
}

ctw_status ctw_exec_batch_seconds(const ctw_exec *e, int64_t instance, const double *input, const double *output,
                                  uint64_t n, double *seconds)
{
    double x[CTW_EXEC_TERMS];
    CTW_TRY(ctw_base__need(seconds, __func__, "seconds"));
    CTW_TRY(check(e, instance, __func__));
    CTW_TRY(together(input, output, n, __func__, x));
    *seconds = ctw_exec__fit_value(&e->fit[instance], x);
    return CTW_OK;
}

static ctw_status learn(ctw_exec *e, int64_t instance, const double *x, double seconds, const char *fn)
{
    CTW_TRY(check(e, instance, fn));
    CTW_TRY(ctw_base__in(seconds, 1e-9, MOST_SECONDS, fn, "seconds"));
    CTW_TRY(ctw_base__handle_enter(&e->h, MAGIC, fn, "e"));
    ctw_exec__fit_observe(&e->fit[instance], &e->prior, x, seconds);
    ctw_base__handle_leave(&e->h);
    return CTW_OK;
}

ctw_status ctw_exec_observe(ctw_exec *e, int64_t instance, double input, double output, double running, double seconds)
{
    double x[CTW_EXEC_TERMS];
    CTW_TRY(alone(input, output, running, __func__, x));
    return learn(e, instance, x, seconds, __func__);
}

ctw_status ctw_exec_observe_batch(ctw_exec *e, int64_t instance, const double *input, const double *output, uint64_t n,
                                  double seconds)
{
    double x[CTW_EXEC_TERMS];
    CTW_TRY(together(input, output, n, __func__, x));
    return learn(e, instance, x, seconds, __func__);
}

static ctw_status fill(const ctw_exec *e, double *v, ctw_report *r)
{
    static const char *const key[] = {"const_s", "prefill_s", "token_s", "crowd_s", "observed", "error"};
    for (unsigned k = 0; k < sizeof key / sizeof *key; k++) {
        for (int64_t i = 0; i < e->instances; i++) {
            const ctw_exec__fit *f = &e->fit[i];
            v[i] = k < CTW_EXEC_TERMS ? f->coef[k] : k == CTW_EXEC_TERMS ? (double)f->observed : f->error;
        }
        CTW_TRY(ctw_base__report_series(r, key[k], v, (uint64_t)e->instances));
    }
    return CTW_OK;
}

ctw_status ctw_exec_report(const ctw_exec *e, ctw_report **out)
{
    CTW_TRY(ctw_base__need(out, __func__, "out"));
    *out = NULL;
    CTW_TRY(check(e, 0, __func__));
    ctw_report *r = NULL;
    double *v = ctw_base__alloc(e->h.ctx, (size_t)e->instances, sizeof *v);
    ctw_status s = v ? ctw_base__report_new(e->h.ctx, &r) : CTW_E_NOMEM;
    if (!s) s = fill(e, v, r);
    ctw_base__free(e->h.ctx, v);
    if (s)
        ctw_report_unref(r);
    else
        *out = r;
    return s;
}
