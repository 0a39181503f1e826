/* ope.c: importance-sampling estimates of a policy's return and their high-confidence lower bound. */
#include "agent/agent_params.h"
#include "base/ctx.h"
#include "base/handle.h"
#include "num/stats.h"
#include <cybertwin/ope.h>
#include <math.h>

#define MAGIC        CTW_FOUR('O', 'P', 'E', 'V')
#define MAX_EPISODES ((size_t)1 << 24)

enum { IS = 0, PDIS, WIS, DR };

struct ctw_ope {
    ctw_base__handle h;
    int estimator;
    double gamma, lo, hi, clip, ratio_max;
    int64_t horizon;
    double span;            /* sum of gamma^t over the horizon */
    double *value, *weight; /* an estimate and its weight each episode */
    size_t n, cap_value, cap_weight;
};

static void destroy(ctw_ope *o)
{
    ctw_base__free(o->h.ctx, o->value);
    ctw_base__free(o->h.ctx, o->weight);
}

CTW_DEFINE_REFS(ctw_ope, destroy)

ctw_status ctw_ope_new(ctw_ctx *ctx, const ctw_params *params, ctw_ope **out)
{
    static const char fn[] = "ctw_ope_new";
    const ctw_base__kind *kind = &ctw_ope__kind;
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    CTW_TRY(ctw_base__params_check(params, kind, fn));
    double lo = ctw_base__opt_f64(params, kind, "reward_lo"), hi = ctw_base__opt_f64(params, kind, "reward_hi");
    if (!(lo < hi)) return ctw_base__fail(CTW_E_ARG, "%s: reward_lo is %g, must be below reward_hi %g", fn, lo, hi);
    ctw_ope *o = ctw_base__handle_new(ctx, sizeof *o, MAGIC);
    if (!o) return CTW_E_NOMEM;
    o->lo = lo;
    o->hi = hi;
    o->estimator = ctw_base__opt_choice(params, kind, "estimator");
    o->gamma = ctw_base__opt_f64(params, kind, "gamma");
    o->clip = ctw_base__opt_f64(params, kind, "clip");
    o->ratio_max = ctw_base__opt_f64(params, kind, "ratio_max");
    o->horizon = ctw_base__opt_i64(params, kind, "horizon");
    double g = 1.0;
    for (int64_t t = 0; t < o->horizon; t++) {
        o->span += g;
        g *= o->gamma;
    }
    *out = o;
    return CTW_OK;
}

/* The least and largest return an episode can have. */
static void returns(const ctw_ope *o, double *lo, double *hi)
{
    *lo = (o->lo < 0.0 ? o->lo : 0.0) * o->span;
    *hi = (o->hi > 0.0 ? o->hi : 0.0) * o->span;
}

static ctw_status check_ratios(const ctw_ope *o, const double *target, const double *behaviour, uint64_t n,
                               const char *fn)
{
    double w = 1.0;
    for (uint64_t t = 0; t < n; t++) {
        w *= target[t] / behaviour[t];
        CTW_TRY(ctw_base__in(w, 0.0, o->ratio_max * (1.0 + 1e-9), fn, "product of ratios"));
    }
    return CTW_OK;
}

/* Width of the range of doubly robust estimates when ratios are bounded: step t adds gamma^t (w_t (r - q) + w_{t-1} v),
 * with w in [0, ratio_max] (w_{-1} = 1), rewards in [lo, hi], q and v returns. */
static double dr_range(const ctw_ope *o)
{
    double lo, hi, g = 1.0, width = 0.0, most = o->ratio_max > 1.0 ? o->ratio_max : 1.0;
    returns(o, &lo, &hi);
    double r_lo = o->lo < 0.0 ? o->lo : 0.0, r_hi = o->hi > 0.0 ? o->hi : 0.0;
    for (int64_t t = 0; t < o->horizon; t++) {
        width += g * (most * (r_hi - lo - (r_lo - hi)) + (t == 0 ? 1.0 : most) * (hi - lo));
        g *= o->gamma;
    }
    return width;
}

static ctw_status check(const ctw_ope *o, const double *reward, const double *target, const double *behaviour,
                        const double *q, const double *v, uint64_t n, const char *fn)
{
    if (n > (uint64_t)o->horizon)
        return ctw_base__fail(CTW_E_SHAPE, "%s: n is %llu, option horizon is %lld", fn, (unsigned long long)n,
                              (long long)o->horizon);
    if (o->n == MAX_EPISODES) return ctw_base__fail(CTW_E_RANGE, "%s: more than %zu episodes", fn, MAX_EPISODES);
    if ((o->estimator == DR) != (q != NULL || (n == 0 && o->estimator == DR)) || (q == NULL) != (v == NULL))
        return ctw_base__fail(CTW_E_ARG, "%s: q and v are needed by estimator dr and by no other", fn);
    CTW_TRY(ctw_base__need_n(reward, n, fn, "reward"));
    CTW_TRY(ctw_base__need_n(target, n, fn, "target"));
    CTW_TRY(ctw_base__need_n(behaviour, n, fn, "behaviour"));
    CTW_TRY(ctw_base__all_in(reward, n, 1, o->lo, o->hi, fn, "reward"));
    CTW_TRY(ctw_base__all_in(target, n, 1, 0.0, 1.0, fn, "target"));
    CTW_TRY(ctw_base__all_in(behaviour, n, 1, 1e-6, 1.0, fn, "behaviour"));
    if (!q) return CTW_OK;
    double lo = -1e12, hi = 1e12;
    if (o->ratio_max > 0.0) returns(o, &lo, &hi);
    CTW_TRY(ctw_base__all_in(q, n, 1, lo, hi, fn, "q"));
    CTW_TRY(ctw_base__all_in(v, n, 1, lo, hi, fn, "v"));
    return o->ratio_max > 0.0 ? check_ratios(o, target, behaviour, n, fn) : CTW_OK;
}

/* The episode's estimate; *weight is the product of its ratios. Steps after its end have reward 0 and ratio 1. */
static double estimate(const ctw_ope *o, const double *reward, const double *target, const double *behaviour,
                       const double *q, const double *v, size_t n, double *weight)
{
    double shift = o->estimator == IS || o->estimator == PDIS ? o->lo : 0.0, sum = 0.0, plain = 0.0, g = 1.0, w = 1.0;
    for (int64_t t = 0; t < o->horizon; t++) {
        double before = w, r = (t < (int64_t)n ? reward[t] : 0.0) - shift;
        if (t < (int64_t)n) {
            w *= target[t] / behaviour[t];
            w = w < 1e100 ? w : 1e100;
        }
        plain += g * r;
        sum += g * w * r;
        if (o->estimator == DR && t < (int64_t)n) sum -= g * (w * q[t] - before * v[t]);
        g *= o->gamma;
    }
    *weight = w;
    if (o->estimator == PDIS || o->estimator == DR) return sum;
    return o->estimator == IS ? w * plain : plain;
}

static ctw_status add(ctw_ope *o, const double *reward, const double *target, const double *behaviour, const double *q,
                      const double *v, uint64_t n, const char *fn)
{
    double weight, limit = o->clip * o->span * (o->hi - o->lo);
    void *at;
    CTW_TRY(check(o, reward, target, behaviour, q, v, n, fn));
    at = o->value;
    CTW_TRY(ctw_base__grow(o->h.ctx, &at, &o->cap_value, o->n + 1, sizeof *o->value));
    o->value = at;
    at = o->weight;
    CTW_TRY(ctw_base__grow(o->h.ctx, &at, &o->cap_weight, o->n + 1, sizeof *o->weight));
    o->weight = at;
    double x = estimate(o, reward, target, behaviour, q, v, (size_t)n, &weight);
    if ((o->estimator == IS || o->estimator == PDIS) && !(x <= limit)) x = limit;
    o->value[o->n] = x;
    o->weight[o->n++] = weight;
    return CTW_OK;
}

ctw_status ctw_ope_add(ctw_ope *o, const double *reward, const double *target, const double *behaviour, const double *q,
                       const double *v, uint64_t n)
{
    static const char fn[] = "ctw_ope_add";
    CTW_TRY(ctw_base__handle_enter(o ? &o->h : NULL, MAGIC, fn, "o"));
    ctw_status s = add(o, reward, target, behaviour, q, v, n, fn);
    ctw_base__handle_leave(&o->h);
    return s;
}

/* Weighted importance sampling: mean and its standard error by the delta method. */
static void weighted(const ctw_ope *o, double *mean, double *error)
{
    double w = 0.0, wx = 0.0, s = 0.0;
    for (size_t i = 0; i < o->n; i++) {
        w += o->weight[i];
        wx += o->weight[i] * o->value[i];
    }
    *mean = w > 0.0 ? wx / w : 0.0;
    for (size_t i = 0; i < o->n; i++) {
        double d = w > 0.0 ? o->weight[i] / w * (o->value[i] - *mean) : 0.0;
        s += d * d;
    }
    *error = w > 0.0 ? sqrt(s) : INFINITY;
}

ctw_status ctw_ope_bound(const ctw_ope *o, double delta, double *out_mean, double *out_lower)
{
    static const char fn[] = "ctw_ope_bound";
    double mean, lower, n, error;
    CTW_TRY(ctw_base__handle_check(o ? &o->h : NULL, MAGIC, fn, "o"));
    CTW_TRY(ctw_base__in(delta, 1e-12, 1.0 - 1e-12, fn, "delta"));
    if (o->n < 2) return ctw_base__fail(CTW_E_STATE, "%s: %zu episodes, needs at least 2", fn, o->n);
    n = (double)o->n;
    mean = ctw_num__mean(o->value, o->n);
    if (o->estimator == IS || o->estimator == PDIS) {
        double limit = o->clip * o->span * (o->hi - o->lo), term = log(2.0 / delta);
        lower =
            mean - sqrt(2.0 * ctw_num__variance(o->value, o->n) * term / n) - 7.0 * limit * term / (3.0 * (n - 1.0));
        mean += o->lo * o->span;
        lower += o->lo * o->span;
    } else if (o->estimator == DR && o->ratio_max > 0.0) {
        double term = log(2.0 / delta);
        lower = mean - sqrt(2.0 * ctw_num__variance(o->value, o->n) * term / n) -
                7.0 * dr_range(o) * term / (3.0 * (n - 1.0));
    } else {
        error = sqrt(ctw_num__variance(o->value, o->n) / n);
        if (o->estimator == WIS) weighted(o, &mean, &error);
        lower = mean + error * ctw_num__normal_quantile(delta);
    }
    if (out_mean) *out_mean = mean;
    if (out_lower) *out_lower = lower;
    return CTW_OK;
}

uint64_t ctw_ope_count(const ctw_ope *o)
{
    return o ? o->n : 0;
}
