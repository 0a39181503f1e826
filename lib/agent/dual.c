/* dual.c: the multiplier of one constraint. A handle of its own, because every learner can use it (agent, bandit, the
 * host's own): all it does is shape rewards. */
#include "agent/agent_params.h"
#include "base/ctx.h"
#include "base/handle.h"
#include <cybertwin/dual.h>

#define MAGIC CTW_FOUR('D', 'U', 'A', 'L')
#define LIMIT 1e9

struct ctw_dual {
    ctw_base__handle h;
    double limit, step, max, multiplier, sum, mean;
    int64_t window, n;
};

static void destroy(ctw_dual *d)
{
    (void)d; /* owns nothing but itself */
}

CTW_DEFINE_REFS(ctw_dual, destroy)

ctw_status ctw_dual_new(ctw_ctx *ctx, const ctw_params *params, ctw_dual **out)
{
    static const char fn[] = "ctw_dual_new";
    const ctw_base__kind *kind = &ctw_dual__kind;
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    CTW_TRY(ctw_base__params_check(params, kind, fn));
    double initial = ctw_base__opt_f64(params, kind, "initial"), max = ctw_base__opt_f64(params, kind, "max");
    CTW_TRY(ctw_base__in(initial, 0.0, max, fn, "initial"));
    ctw_dual *d = ctw_base__handle_new(ctx, sizeof *d, MAGIC);
    if (!d) return CTW_E_NOMEM;
    d->limit = ctw_base__opt_f64(params, kind, "limit");
    d->step = ctw_base__opt_f64(params, kind, "step");
    d->window = ctw_base__opt_i64(params, kind, "window");
    d->max = max;
    d->multiplier = initial;
    *out = d;
    return CTW_OK;
}

static ctw_status shape(ctw_dual *d, double reward, double cost, double *out, const char *fn)
{
    CTW_TRY(ctw_base__need(out, fn, "out_shaped"));
    CTW_TRY(ctw_base__in(reward, -LIMIT, LIMIT, fn, "reward"));
    CTW_TRY(ctw_base__in(cost, -LIMIT, LIMIT, fn, "cost"));
    *out = reward - d->multiplier * (cost - d->limit);
    d->sum += cost;
    if (++d->n < d->window) return CTW_OK;
    d->mean = d->sum / (double)d->n;
    double next = d->multiplier + d->step * (d->mean - d->limit);
    d->multiplier = next < 0.0 ? 0.0 : next > d->max ? d->max : next;
    d->sum = 0.0;
    d->n = 0;
    return CTW_OK;
}

ctw_status ctw_dual_shape(ctw_dual *d, double reward, double cost, double *out_shaped)
{
    static const char fn[] = "ctw_dual_shape";
    CTW_TRY(ctw_base__handle_enter(d ? &d->h : NULL, MAGIC, fn, "d"));
    ctw_status s = shape(d, reward, cost, out_shaped, fn);
    ctw_base__handle_leave(&d->h);
    return s;
}

ctw_status ctw_dual_get(const ctw_dual *d, double *out_multiplier, double *out_mean_cost)
{
    CTW_TRY(ctw_base__handle_check(d ? &d->h : NULL, MAGIC, "ctw_dual_get", "d"));
    if (out_multiplier) *out_multiplier = d->multiplier;
    if (out_mean_cost) *out_mean_cost = d->mean;
    return CTW_OK;
}

ctw_status ctw_dual_set(ctw_dual *d, double multiplier)
{
    static const char fn[] = "ctw_dual_set";
    CTW_TRY(ctw_base__handle_enter(d ? &d->h : NULL, MAGIC, fn, "d"));
    ctw_status s = ctw_base__in(multiplier, 0.0, d->max, fn, "multiplier");
    if (s == CTW_OK) {
        d->multiplier = multiplier;
        d->sum = 0.0;
        d->n = 0;
    }
    ctw_base__handle_leave(&d->h);
    return s;
}
