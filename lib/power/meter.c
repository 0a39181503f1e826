/* meter.c: watts from counters. The form is additive and monotone on purpose: richer regressors fit the
 * calibration better and fail on workloads they have not seen, which is the normal case for a meter. */
#include "power/meter_internal.h"

#include "base/cancel.h"
#include "base/ctx.h"
#include "power/nnls.h"
#include "power/power_params.h"
#include <math.h>
#include <string.h>

static void destroy(ctw_meter *m)
{
    ctw_params_unref(m->params);
}

CTW_DEFINE_REFS(ctw_meter, destroy)

ctw_status ctw_meter_new(ctw_ctx *ctx, const ctw_params *params, ctw_meter **out)
{
    static const char *fn = "ctw_meter_new";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    CTW_TRY(ctw_base__params_check(params, &ctw_meter__kind, fn));
    ctw_meter *m = ctw_base__handle_new(ctx, sizeof *m, CTW_METER_MAGIC);
    if (!m) return CTW_E_NOMEM;
    m->gain = ctw_base__opt_f64(params, &ctw_meter__kind, "gain");
    m->drift_limit = ctw_base__opt_f64(params, &ctw_meter__kind, "drift_limit");
    m->linear = ctw_base__opt_choice(params, &ctw_meter__kind, "form");
    ctw_status s = ctw_base__params_copy(ctx, params, &ctw_meter__kind, &m->params);
    if (s != CTW_OK) {
        ctw_meter_unref(m);
        return s;
    }
    *out = m;
    return CTW_OK;
}

size_t ctw_meter__terms(const ctw_meter *m)
{
    return 1 + m->d * (m->linear ? 1 : CTW_METER_POWERS);
}

/* The row's terms; returns how many counters are beyond the trained range. */
static int expand(const ctw_meter *m, const double *row, double *t)
{
    int beyond = 0;
    size_t k = 0;
    t[k++] = 1.0;
    for (size_t j = 0; j < m->d; j++) {
        double v = row[j] < m->max[j] ? row[j] : m->max[j], z = m->mean[j] > 0.0 ? v / m->mean[j] : 0.0;
        beyond += row[j] > m->max[j];
        t[k++] = z;
        if (m->linear) continue;
        t[k++] = z * z;
        t[k++] = z * z * z;
        t[k++] = sqrt(z);
    }
    return beyond;
}

static double watts_of(const ctw_meter *m, const double *row, int *beyond)
{
    double t[CTW_METER_TERMS], sum = 0.0;
    *beyond = expand(m, row, t);
    for (size_t k = 0; k < ctw_meter__terms(m); k++) sum += m->coef[k] * t[k];
    return m->bias * sum;
}

static ctw_status check_rows(const double *x, uint64_t n, uint64_t d, uint64_t stride, const char *fn)
{
    CTW_TRY(ctw_base__in_u64(d, 1, CTW_METER_COUNTERS, fn, "d"));
    CTW_TRY(ctw_base__matrix(x, n, d, stride, fn, "x"));
    for (uint64_t i = 0; i < n; i++)
        for (uint64_t j = 0; j < d; j++)
            if (!(x[i * stride + j] >= 0.0 && x[i * stride + j] <= 1e30))
                return ctw_base__fail(CTW_E_RANGE, "%s: counter %llu of row %llu is %g, must be in [0, 1e30]", fn,
                                      (unsigned long long)j, (unsigned long long)i, x[i * stride + j]);
    return CTW_OK;
}

static void scale(ctw_meter *m, const double *x, size_t n, size_t stride)
{
    for (size_t j = 0; j < m->d; j++) {
        double sum = 0.0, max = 0.0;
        for (size_t i = 0; i < n; i++) {
            sum += x[i * stride + j] / (double)n;
            max = fmax(max, x[i * stride + j]);
        }
        m->mean[j] = sum;
        m->max[j] = max;
    }
}

static ctw_status solve(ctw_meter *m, const double *x, size_t n, size_t stride, const double *watts, ctw_cancel *cancel,
                        const char *fn)
{
    size_t k = ctw_meter__terms(m);
    double *g = CTW_NEW(m->h.ctx, k * (k + 1), double), *r = g ? g + k * k : NULL, t[CTW_METER_TERMS];
    ctw_status s = g ? CTW_OK : CTW_E_NOMEM;
    for (size_t i = 0; s == CTW_OK && i < n; i++) {
        if (i % 1024 == 0) s = ctw_base__stopped(cancel, fn);
        expand(m, x + i * stride, t);
        for (size_t a = 0; a < k; a++) {
            double scaled = t[a] / watts[i];
            r[a] += scaled;
            for (size_t b = 0; b < k; b++) g[a * k + b] += scaled * t[b] / watts[i];
        }
    }
    if (s == CTW_OK) ctw_power__nnls(g, r, k, m->coef);
    ctw_base__free(m->h.ctx, g);
    return s;
}

static ctw_status fit(ctw_meter *m, const double *x, uint64_t n, uint64_t d, uint64_t stride, const double *watts,
                      ctw_cancel *cancel, const char *fn)
{
    m->fitted = 0;
    CTW_TRY(ctw_base__in_u64(n, 2, UINT64_C(1) << 32, fn, "n"));
    CTW_TRY(check_rows(x, n, d, stride, fn));
    CTW_TRY(ctw_base__need(watts, fn, "watts"));
    CTW_TRY(ctw_base__all_in(watts, n, 1, 1e-9, 1e9, fn, "watts"));
    m->d = d;
    m->bias = 1.0;
    m->up = m->down = m->error = 0.0;
    m->drifting = 0;
    scale(m, x, n, stride);
    CTW_TRY(solve(m, x, n, stride, watts, cancel, fn));
    for (uint64_t i = 0; i < n; i++) {
        int beyond;
        m->error += fabs(watts_of(m, x + i * stride, &beyond) / watts[i] - 1.0) / (double)n;
    }
    m->fitted = 1;
    return CTW_OK;
}

ctw_status ctw_meter_fit(ctw_meter *m, const double *x, uint64_t n, uint64_t d, uint64_t stride, const double *watts,
                         ctw_cancel *cancel)
{
    static const char *fn = "ctw_meter_fit";
    CTW_TRY(ctw_base__handle_enter(m ? &m->h : NULL, CTW_METER_MAGIC, fn, "m"));
    ctw_status s = fit(m, x, n, d, stride, watts, cancel, fn);
    ctw_base__handle_leave(&m->h);
    return s;
}

static ctw_status check_use(const ctw_meter *m, const double *x, uint64_t n, uint64_t d, uint64_t stride,
                            const char *fn)
{
    if (!m->fitted) return ctw_base__fail(CTW_E_STATE, "%s: the meter is not calibrated", fn);
    if (d != m->d)
        return ctw_base__fail(CTW_E_SHAPE, "%s: d is %llu, calibrated with %zu counters", fn, (unsigned long long)d,
                              m->d);
    return n ? check_rows(x, n, d, stride, fn) : CTW_OK;
}

ctw_status ctw_meter_predict(const ctw_meter *m, const double *x, uint64_t n, uint64_t d, uint64_t stride,
                             double *watts, int32_t *beyond)
{
    static const char *fn = "ctw_meter_predict";
    CTW_TRY(ctw_base__handle_check(m ? &m->h : NULL, CTW_METER_MAGIC, fn, "m"));
    CTW_TRY(check_use(m, x, n, d, stride, fn));
    CTW_TRY(ctw_base__need_n(watts, n, fn, "watts"));
    for (uint64_t i = 0; i < n; i++) {
        int outside;
        watts[i] = watts_of(m, x + i * stride, &outside);
        if (beyond) beyond[i] = outside;
    }
    return CTW_OK;
}

/* Page's two-sided cumulative sum, in units of the calibration error; one and a half units are allowed for free. */
static void watch_drift(ctw_meter *m, double relative)
{
    double unit = fmax(m->error, 0.005), e = relative / unit;
    m->up = fmax(0.0, m->up + e - 1.5);
    m->down = fmax(0.0, m->down - e - 1.5);
    if (m->up > m->drift_limit || m->down > m->drift_limit) m->drifting = 1;
}

static ctw_status update(ctw_meter *m, const double *x, uint64_t d, double watts, const char *fn)
{
    int beyond;
    CTW_TRY(check_use(m, x, 1, d, d, fn));
    CTW_TRY(ctw_base__in(watts, 1e-9, 1e9, fn, "watts"));
    double expected = watts_of(m, x, &beyond);
    if (!(watts < 10.0 * expected && watts > 0.1 * expected))
        return ctw_base__fail(CTW_E_RANGE, "%s: watts is %g where %g was expected: the sensor is not believed", fn,
                              watts, expected);
    watch_drift(m, watts / (expected / m->bias) - 1.0);
    m->bias *= pow(watts / expected, m->gain);
    return CTW_OK;
}

ctw_status ctw_meter_update(ctw_meter *m, const double *x, uint64_t d, double watts)
{
    static const char *fn = "ctw_meter_update";
    CTW_TRY(ctw_base__handle_enter(m ? &m->h : NULL, CTW_METER_MAGIC, fn, "m"));
    ctw_status s = update(m, x, d, watts, fn);
    ctw_base__handle_leave(&m->h);
    return s;
}

ctw_status ctw_meter_drift(const ctw_meter *m, double *bias, double *error, int32_t *drifting)
{
    static const char *fn = "ctw_meter_drift";
    CTW_TRY(ctw_base__handle_check(m ? &m->h : NULL, CTW_METER_MAGIC, fn, "m"));
    if (!m->fitted) return ctw_base__fail(CTW_E_STATE, "%s: the meter is not calibrated", fn);
    if (bias) *bias = m->bias;
    if (error) *error = m->error;
    if (drifting) *drifting = m->drifting;
    return CTW_OK;
}
