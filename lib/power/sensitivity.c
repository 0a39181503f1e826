/* sensitivity.c: a rule plus a local correction. If memory and core time join as T^p = Tm^p + Tc^p, the share of
 * time that memory is busy is Tm/T, and the memory-boundness of the p-norm is its p-th power; the counter of a
 * saturated memory stays below 1, so it is divided by its saturation first. Counters explain most of the reaction to
 * the clock but not all (latency-bound kernels fool the memory counter), so what is left is corrected locally, the
 * correction is shrunk towards the rule, and dropped when leaving groups out shows that it does not help. */
#include "power/sensitivity_internal.h"

#include "base/cancel.h"
#include "base/ctx.h"
#include "power/power_internal.h"
#include <math.h>
#include <string.h>

enum { MOST_N = CTW_SENSITIVITY_MOST_N, MOST_D = CTW_SENSITIVITY_MOST_D, MOST_K = 64 };

static const double overlaps[] = {1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0};
static const double saturations[] = {1.0, 0.95, 0.9, 0.85, 0.8};
static const double widths[] = {0.0, 0.1, 0.2, 0.4}; /* 0: the rule alone */
static const double shrink = 0.3;
/* Width within which errors are looked for where the rule alone predicts. */
static const double usual_width = 0.2;
/* What is learned must beat the plain rule by this much, or the rule stays: few kernels make lucky choices likely. */
static const double gain_needed = 0.05;

/* What is searched for. */
typedef ctw_sensitivity__form form;

static const form plain = {1.0, 1.0, 0.0};

typedef struct sample {
    const double *counters, *clock, *slowdown, *weight;
    const int64_t *group;
    size_t n, d, k;
} sample;

static void destroy(ctw_sensitivity *s)
{
    ctw_base__free(s->h.ctx, s->counters);
}

CTW_DEFINE_REFS(ctw_sensitivity, destroy)

ctw_status ctw_sensitivity_new(ctw_ctx *ctx, ctw_sensitivity **out)
{
    static const char *fn = "ctw_sensitivity_new";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    ctw_sensitivity *s = ctw_base__handle_new(ctx, sizeof *s, CTW_SENSITIVITY_MAGIC);
    if (!s) return CTW_E_NOMEM;
    s->how = plain;
    *out = s;
    return CTW_OK;
}

static double rule(const double *counters, const form *how)
{
    return pow(fmin(1.0, counters[0] / how->saturation), how->overlap);
}

/* Least-squares m of s^p = m + (1 - m) x^-p in relative terms, within 0..1; -1 when no clock says anything. */
static double best_membound(const sample *t, size_t i, double p)
{
    double num = 0.0, den = 0.0;
    for (size_t j = 0; j < t->k; j++) {
        double s = t->slowdown[i * t->k + j], core = pow(t->clock[j], -p);
        if (isnan(s) || core - 1.0 < 1e-9) continue;
        double y = pow(s, p), a = (1.0 - core) / y, b = (y - core) / y;
        num += a * b;
        den += a * a;
    }
    return den > 0.0 ? fmin(1.0, fmax(0.0, num / den)) : -1.0;
}

/* Rule plus shrunk local mean of the deviations; kernel `skip` and its group are left out (SIZE_MAX: none). */
static double corrected(const sample *t, const double *deviation, const double *at, const form *how, size_t skip)
{
    double sum = 0.0, total = shrink, width = how->width;
    for (size_t i = 0; width > 0.0 && i < t->n; i++) {
        double dist = 0.0;
        if (i == skip || (skip != SIZE_MAX && t->group && t->group[i] == t->group[skip])) continue;
        for (size_t j = 0; j < t->d; j++) {
            double diff = t->counters[i * t->d + j] - at[j];
            dist += diff * diff;
        }
        double w = (t->weight ? t->weight[i] : 1.0) * exp(-0.5 * dist / (width * width));
        sum += w * deviation[i];
        total += w;
    }
    return fmin(1.0, fmax(0.0, rule(at, how) + sum / total));
}

/* Weighted mean relative error of predicted slowdowns with each kernel's group left out. */
static double left_out_error(const sample *t, const double *deviation, const form *how)
{
    double sum = 0.0, total = 0.0;
    for (size_t i = 0; i < t->n; i++) {
        double m = corrected(t, deviation, t->counters + i * t->d, how, i);
        double w = t->weight ? t->weight[i] : 1.0, err = 0.0;
        size_t seen = 0;
        for (size_t j = 0; j < t->k; j++) {
            double s = t->slowdown[i * t->k + j];
            if (isnan(s) || t->clock[j] >= 1.0) continue;
            err += fabs(ctw_power__pnorm_at(m, how->overlap, t->clock[j]) / s - 1.0);
            seen++;
        }
        if (!seen) continue;
        sum += w * err / (double)seen;
        total += w;
    }
    return total > 0.0 ? sum / total : INFINITY;
}

static void deviations(const sample *t, const form *how, double *out)
{
    for (size_t i = 0; i < t->n; i++) {
        double m = best_membound(t, i, how->overlap);
        out[i] = m < 0.0 ? 0.0 : m - rule(t->counters + i * t->d, how);
    }
}

static ctw_status check_sample(const sample *t, const char *fn)
{
    CTW_TRY(ctw_base__in_u64(t->n, 1, MOST_N, fn, "n"));
    CTW_TRY(ctw_base__in_u64(t->d, 1, MOST_D, fn, "d"));
    CTW_TRY(ctw_base__in_u64(t->k, 1, MOST_K, fn, "k"));
    CTW_TRY(ctw_base__need(t->counters, fn, "counters"));
    CTW_TRY(ctw_base__need(t->clock, fn, "clock"));
    CTW_TRY(ctw_base__need(t->slowdown, fn, "slowdown"));
    CTW_TRY(ctw_base__all_in(t->counters, t->n * t->d, 1, 0.0, 1.0, fn, "counters"));
    CTW_TRY(ctw_base__all_in(t->clock, t->k, 1, 0.01, 1.0, fn, "clock"));
    if (t->weight) CTW_TRY(ctw_base__all_in(t->weight, t->n, 1, 1e-9, 1e9, fn, "weight"));
    for (size_t i = 0; i < t->n * t->k; i++)
        if (!isnan(t->slowdown[i]) && !(t->slowdown[i] >= 0.01 && t->slowdown[i] <= 1e4))
            return ctw_base__fail(CTW_E_RANGE, "%s: slowdown[%zu] is %g, must be in [0.01, 1e4]", fn, i,
                                  t->slowdown[i]);
    return CTW_OK;
}

/* Tries one form; keeps it when it beats the best so far, and the plain rule by enough. */
static void try_form(const sample *t, double *deviation, const form *how, double needed, double *best, form *out)
{
    deviations(t, how, deviation);
    double err = left_out_error(t, deviation, how);
    if (err > needed || !(err < *best * (1.0 - 1e-9))) return;
    *best = err;
    *out = *how;
}

static ctw_status search(const sample *t, double *deviation, form *out, ctw_cancel *cancel, const char *fn)
{
    enum { P = sizeof overlaps / sizeof *overlaps, S = sizeof saturations / sizeof *saturations };
    double best = left_out_error(t, deviation, &plain), needed = (1.0 - gain_needed) * best;
    *out = plain;
    for (size_t k = 0; k < P * S; k++)
        for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
            CTW_TRY(ctw_base__stopped(cancel, fn));
            form how = {overlaps[k / S], saturations[k % S], widths[w]};
            try_form(t, deviation, &how, needed, &best, out);
        }
    deviations(t, out, deviation);
    return CTW_OK;
}

static ctw_status learn(ctw_sensitivity *s, const sample *t, ctw_cancel *cancel, const char *fn)
{
    CTW_TRY(check_sample(t, fn));
    double *block = ctw_base__alloc(s->h.ctx, t->n * (t->d + 2), sizeof *block);
    if (!block) return CTW_E_NOMEM;
    double *deviation = block + t->n * t->d;
    form how;
    ctw_status st = search(t, deviation, &how, cancel, fn);
    if (st != CTW_OK) {
        ctw_base__free(s->h.ctx, block);
        return st;
    }
    memcpy(block, t->counters, t->n * t->d * sizeof *block);
    s->counters = block;
    s->deviation = deviation;
    s->weight = deviation + t->n;
    for (size_t i = 0; i < t->n; i++) s->weight[i] = t->weight ? t->weight[i] : 1.0;
    s->n = t->n;
    s->d = t->d;
    s->how = how;
    return CTW_OK;
}

ctw_status ctw_sensitivity_fit(ctw_sensitivity *s, const double *counters, uint64_t n, uint64_t d, const double *clock,
                               const double *slowdown, uint64_t k, const int64_t *group, const double *weight,
                               ctw_cancel *cancel)
{
    static const char *fn = "ctw_sensitivity_fit";
    CTW_TRY(ctw_base__handle_enter(s ? &s->h : NULL, CTW_SENSITIVITY_MAGIC, fn, "s"));
    sample t = {counters, clock, slowdown, weight, group, n, d, k};
    ctw_base__free(s->h.ctx, s->counters);
    s->counters = s->deviation = s->weight = NULL;
    s->n = s->d = 0;
    s->how = plain;
    ctw_status st = learn(s, &t, cancel, fn);
    ctw_base__handle_leave(&s->h);
    return st;
}

/* How far known kernels with similar counters were from what their mean deviation says, shrunk towards all kernels'. */
static double local_error(const ctw_sensitivity *s, const double *at)
{
    double width = s->how.width > 0.0 ? s->how.width : usual_width, mean = 0.0, far = 0.0, near = 0.0, all = 0.0;
    double near_weight = 0.0, all_weight = 0.0;
    sample t = {.counters = s->counters, .weight = s->weight, .n = s->n, .d = s->d};
    mean = corrected(&t, s->deviation, at, &s->how, SIZE_MAX) - rule(at, &s->how);
    for (size_t i = 0; i < s->n; i++) {
        double dist = 0.0, off = s->deviation[i] - mean, alone = s->deviation[i];
        for (size_t j = 0; j < s->d; j++) {
            double diff = s->counters[i * s->d + j] - at[j];
            dist += diff * diff;
        }
        double w = s->weight[i] * exp(-0.5 * dist / (width * width));
        near += w * off * off;
        near_weight += w;
        all += s->weight[i] * alone * alone;
        all_weight += s->weight[i];
    }
    far = all / all_weight;
    return sqrt((shrink * far + near) / (shrink + near_weight));
}

ctw_status ctw_sensitivity_error(const ctw_sensitivity *s, const double *counters, uint64_t n, uint64_t d,
                                 double *error)
{
    static const char *fn = "ctw_sensitivity_error";
    CTW_TRY(ctw_base__handle_check(s ? &s->h : NULL, CTW_SENSITIVITY_MAGIC, fn, "s"));
    CTW_TRY(ctw_base__in_u64(d, 1, MOST_D, fn, "d"));
    if (s->n && d != s->d)
        return ctw_base__fail(CTW_E_SHAPE, "%s: d is %llu, learned with %zu counters", fn, (unsigned long long)d, s->d);
    CTW_TRY(ctw_base__in_u64(n, 0, UINT64_C(1) << 40, fn, "n"));
    CTW_TRY(ctw_base__need_n(counters, n, fn, "counters"));
    CTW_TRY(ctw_base__need_n(error, n, fn, "error"));
    CTW_TRY(ctw_base__all_in(counters, n * d, 1, 0.0, 1.0, fn, "counters"));
    for (uint64_t i = 0; i < n; i++) error[i] = s->n ? local_error(s, counters + i * d) : INFINITY;
    return CTW_OK;
}

ctw_status ctw_sensitivity_predict(const ctw_sensitivity *s, const double *counters, uint64_t n, uint64_t d,
                                   double *membound, double *overlap)
{
    static const char *fn = "ctw_sensitivity_predict";
    CTW_TRY(ctw_base__handle_check(s ? &s->h : NULL, CTW_SENSITIVITY_MAGIC, fn, "s"));
    CTW_TRY(ctw_base__in_u64(d, 1, MOST_D, fn, "d"));
    if (s->n && d != s->d)
        return ctw_base__fail(CTW_E_SHAPE, "%s: d is %llu, learned with %zu counters", fn, (unsigned long long)d, s->d);
    CTW_TRY(ctw_base__in_u64(n, 0, UINT64_C(1) << 40, fn, "n"));
    CTW_TRY(ctw_base__need_n(counters, n, fn, "counters"));
    CTW_TRY(ctw_base__need_n(membound, n, fn, "membound"));
    CTW_TRY(ctw_base__all_in(counters, n * d, 1, 0.0, 1.0, fn, "counters"));
    sample t = {.counters = s->counters, .weight = s->weight, .n = s->n, .d = d};
    for (uint64_t i = 0; i < n; i++) membound[i] = corrected(&t, s->deviation, counters + i * d, &s->how, SIZE_MAX);
    if (overlap) *overlap = s->how.overlap;
    return CTW_OK;
}
