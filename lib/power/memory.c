/* memory.c: the second clock. Most devices have few memory clocks and a host measures little at each, so what the
 * lower ones change is three numbers on top of the model of the highest: watts that fall in proportion while idle and
 * while busy, and the share of the time that goes with the memory clock in the p-norm of the workload,
 *     T^p = a + b x^-p + c y^-p,    y memory clock over the highest one. */
#include "power/power_internal.h"

#include "power/nnls.h"
#include <math.h>
#include <string.h>

enum { TERMS = 3 };
static const double exponents[] = {1.0, 1.5, 2.0, 3.0, 5.0, 10.0};
/* Whatever was measured, a lower memory clock leaves at least this part of the power. */
static const double least_left = 0.2;

double ctw_power__memory_slowdown(const ctw_power__memory *m, double x, double y)
{
    double core = m->a + m->b * pow(x, -m->p);
    return pow((core + m->c * pow(y, -m->p)) / (core + m->c), 1.0 / m->p);
}

double ctw_power__memory_watts(const ctw_power *p, double x, double util, double y)
{
    double all = ctw_power__watts_at(p, x, util), idle = p->memory.idle_drop, busy = p->memory.busy_drop;
    double g = p->m.shape.n ? ctw_power__curve_at(&p->m.shape, util) : util;
    return fmax(least_left * all, all - (idle + (busy - idle) * g) * (1.0 - y));
}

/* Rows apart by memory clock, and what stands in each. */
typedef struct rows {
    const double *mhz, *mem, *util, *watts, *seconds;
    size_t n;
    double top; /* highest memory clock */
} rows;

static double row_util(const rows *r, size_t i)
{
    return r->util ? r->util[i] : 1.0;
}

/* Watts saved for each unit of memory clock given up, at utilisations from..to: least squares through the origin. */
static double drop_of(const ctw_power *p, const rows *r, double from, double to, int *seen)
{
    double num = 0.0, den = 0.0;
    for (size_t i = 0; i < r->n; i++) {
        double u = row_util(r, i), less = 1.0 - r->mem[i] / r->top;
        if (!r->watts || isnan(r->watts[i]) || u < from || u > to || less < 1e-9) continue;
        double full = ctw_power__watts_at(p, r->mhz[i] / ctw_power__top(p), u), w = 1.0 / (full * full);
        num += w * less * (full - r->watts[i]);
        den += w * less * less;
    }
    *seen = den > 0.0;
    return den > 0.0 ? fmax(0.0, num / den) : 0.0;
}

/* a, b, c >= 0 of seconds^p for one p, over all rows with seconds; returns the mean squared relative error. */
static double time_at_exponent(const rows *r, double top_mhz, double p, double scale, double out[TERMS])
{
    double g[TERMS * TERMS] = {0}, rhs[TERMS] = {0}, err = 0.0;
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++) {
        if (isnan(r->seconds[i])) continue;
        double y = pow(r->seconds[i] / scale, p);
        double col[TERMS] = {1.0 / y, pow(r->mhz[i] / top_mhz, -p) / y, pow(r->mem[i] / r->top, -p) / y};
        for (int a = 0; a < TERMS; a++) {
            rhs[a] += col[a];
            for (int b = 0; b < TERMS; b++) g[a * TERMS + b] += col[a] * col[b];
        }
    }
    ctw_power__nnls(g, rhs, TERMS, out);
    for (size_t i = 0; i < r->n; i++) {
        if (isnan(r->seconds[i])) continue;
        double t = out[0] + out[1] * pow(r->mhz[i] / top_mhz, -p) + out[2] * pow(r->mem[i] / r->top, -p);
        double e = scale * pow(fmax(t, 0.0), 1.0 / p) / r->seconds[i] - 1.0;
        err += e * e;
        n++;
    }
    return err / (double)n;
}

static void fit_time(ctw_power__memory *m, const rows *r, double top_mhz)
{
    double best = INFINITY, scale = 0.0;
    for (size_t i = 0; r->seconds && i < r->n; i++)
        if (!isnan(r->seconds[i]) && (scale == 0.0 || r->seconds[i] < scale)) scale = r->seconds[i];
    for (size_t k = 0; scale > 0.0 && k < sizeof exponents / sizeof *exponents; k++) {
        double c[TERMS] = {0}, err = time_at_exponent(r, top_mhz, exponents[k], scale, c), sum = c[0] + c[1] + c[2];
        if (!(err < best - 1e-12) || !(sum > 0.0)) continue;
        best = err;
        m->p = exponents[k];
        m->a = c[0] / sum;
        m->b = c[1] / sum;
        m->c = c[2] / sum;
    }
}

/* The different memory clocks, ascending. */
static ctw_status list_clocks(ctw_power__memory *m, const rows *r, const char *fn)
{
    m->n = 0;
    for (size_t i = 0; i < r->n; i++) {
        size_t at = 0;
        while (at < m->n && m->mhz[at] < r->mem[i]) at++;
        if (at < m->n && m->mhz[at] == r->mem[i]) continue;
        if (m->n == CTW_POWER_MEMORY)
            return ctw_base__fail(CTW_E_RANGE, "%s: more than %d memory clocks", fn, CTW_POWER_MEMORY);
        memmove(m->mhz + at + 1, m->mhz + at, (m->n - at) * sizeof *m->mhz);
        m->mhz[at] = r->mem[i];
        m->n++;
    }
    return CTW_OK;
}

/* The rows at the highest memory clock, packed, are an ordinary fit. */
static ctw_status fit_top(ctw_power *p, const rows *r, ctw_cancel *cancel)
{
    ctw_ctx *ctx = p->h.ctx;
    double *block = ctw_base__alloc(ctx, r->n, 4 * sizeof *block);
    if (!block) return CTW_E_NOMEM;
    double *col[4] = {block, block + r->n, block + 2 * r->n, block + 3 * r->n};
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++) {
        if (r->mem[i] != r->top) continue;
        col[0][n] = r->mhz[i];
        col[1][n] = row_util(r, i);
        col[2][n] = r->watts ? r->watts[i] : NAN;
        col[3][n++] = r->seconds ? r->seconds[i] : NAN;
    }
    ctw_status s = ctw_power_fit(p, col[0], col[1], r->watts ? col[2] : NULL, r->seconds ? col[3] : NULL, n, cancel);
    ctw_base__free(ctx, block);
    return s;
}

/* Measured columns at lower memory clocks, which the fit of the highest has not seen. */
static ctw_status check_column(const double *v, size_t n, double most, const char *fn, const char *arg)
{
    for (size_t i = 0; v && i < n; i++) {
        if (isnan(v[i]) || (v[i] >= 1e-12 && v[i] <= most)) continue;
        return ctw_base__fail(isfinite(v[i]) ? CTW_E_RANGE : CTW_E_NONFINITE,
                              "%s: %s[%zu] is %g, must be in [1e-12, %g]", fn, arg, i, v[i], most);
    }
    return CTW_OK;
}

static ctw_status check_rows(const rows *r, const char *fn)
{
    CTW_TRY(ctw_base__in_u64(r->n, 1, UINT64_C(1) << 26, fn, "n"));
    CTW_TRY(ctw_base__need(r->mhz, fn, "mhz"));
    CTW_TRY(ctw_base__need(r->mem, fn, "mem_mhz"));
    CTW_TRY(ctw_base__all_in(r->mhz, r->n, 1, 1e-3, 1e6, fn, "mhz"));
    CTW_TRY(ctw_base__all_in(r->mem, r->n, 1, 1e-3, 1e6, fn, "mem_mhz"));
    if (r->util) CTW_TRY(ctw_base__all_in(r->util, r->n, 1, 0.0, 1.0, fn, "util"));
    CTW_TRY(check_column(r->watts, r->n, 1e9, fn, "watts"));
    return check_column(r->seconds, r->n, 1e12, fn, "seconds");
}

ctw_status ctw_power_fit_memory(ctw_power *p, const double *mhz, const double *mem_mhz, const double *util,
                                const double *watts, const double *seconds, uint64_t n, ctw_cancel *cancel)
{
    static const char *fn = "ctw_power_fit_memory";
    rows r = {mhz, mem_mhz, util, watts, seconds, n, 0.0};
    ctw_power__memory m = {.p = 1.0, .a = 1.0};
    int seen;
    CTW_TRY(ctw_base__handle_check(p ? &p->h : NULL, CTW_POWER_MAGIC, fn, "p"));
    CTW_TRY(check_rows(&r, fn));
    for (size_t i = 0; i < n; i++) r.top = fmax(r.top, mem_mhz[i]);
    CTW_TRY(list_clocks(&m, &r, fn));
    CTW_TRY(fit_top(p, &r, cancel));
    CTW_TRY(ctw_base__handle_enter(&p->h, CTW_POWER_MAGIC, fn, "p"));
    if (ctw_power__knows(p, 1.0)) m.busy_drop = drop_of(p, &r, 0.98, 1.0, &seen);
    /* Idle power at lower memory clocks that nobody measured: the memory is clocked whether it works or not, but what
     * its work adds is unknown, so nothing is promised. */
    if (ctw_power__knows(p, 0.0)) m.idle_drop = drop_of(p, &r, 0.0, 0.005, &seen);
    fit_time(&m, &r, ctw_power__top(p));
    p->memory = m;
    ctw_base__handle_leave(&p->h);
    return CTW_OK;
}

static ctw_status check_memory(const ctw_power *p, double mem, uint64_t i, const char *fn)
{
    const ctw_power__memory *m = &p->memory;
    if (m->n == 0) return ctw_base__fail(CTW_E_STATE, "%s: no memory clocks were fitted", fn);
    CTW_TRY(ctw_base__in(mem, 1e-3, 1e6, fn, "mem_mhz"));
    if (mem >= m->mhz[0] && mem <= m->mhz[m->n - 1]) return CTW_OK;
    return ctw_base__fail(CTW_E_RANGE, "%s: mem_mhz[%llu] is %g, must be in [%g, %g]", fn, (unsigned long long)i, mem,
                          m->mhz[0], m->mhz[m->n - 1]);
}

ctw_status ctw_power_at_memory(const ctw_power *p, const double *mhz, const double *mem_mhz, const double *util,
                               uint64_t n, double *watts, double *slowdown)
{
    static const char *fn = "ctw_power_at_memory";
    CTW_TRY(ctw_base__handle_check(p ? &p->h : NULL, CTW_POWER_MAGIC, fn, "p"));
    CTW_TRY(ctw_base__need_n(mhz, n, fn, "mhz"));
    CTW_TRY(ctw_base__need_n(mem_mhz, n, fn, "mem_mhz"));
    if (util) CTW_TRY(ctw_base__all_in(util, n, 1, 0.0, 1.0, fn, "util"));
    for (uint64_t i = 0; i < n; i++) CTW_TRY(check_memory(p, mem_mhz[i], i, fn));
    if (watts) CTW_TRY(ctw_power_watts(p, mhz, util, n, watts));
    if (slowdown) CTW_TRY(ctw_power_slowdown(p, mhz, NULL, n, slowdown));
    const ctw_power__memory *m = &p->memory;
    for (uint64_t i = 0; i < n; i++) {
        double x = mhz[i] / ctw_power__top(p), y = mem_mhz[i] / m->mhz[m->n - 1];
        if (watts) watts[i] = ctw_power__memory_watts(p, x, util ? util[i] : 1.0, y);
        if (slowdown) slowdown[i] *= ctw_power__memory_slowdown(m, x, y);
    }
    return CTW_OK;
}

ctw_status ctw_power_choose_memory(const ctw_power *p, double max_slowdown, double cap_watts, double *mhz,
                                   double *mem_mhz, double *watts, double *slowdown)
{
    static const char *fn = "ctw_power_choose_memory";
    CTW_TRY(ctw_base__handle_check(p ? &p->h : NULL, CTW_POWER_MAGIC, fn, "p"));
    const ctw_power__memory *m = &p->memory;
    if (m->n == 0) return ctw_base__fail(CTW_E_STATE, "%s: no memory clocks were fitted", fn);
    CTW_TRY(ctw_power__check_membound(p, -1.0, fn));
    CTW_TRY(ctw_power__check_limit(max_slowdown, fn, "max_slowdown"));
    CTW_TRY(ctw_power__check_limit(cap_watts, fn, "cap_watts"));
    if (!ctw_power__knows(p, 1.0) || (p->net && !ctw_power__knows(p, 0.0)))
        return ctw_base__fail(CTW_E_STATE, "%s: power is not known: fit it", fn);
    ctw_power__walk w = ctw_power__walk_begin(max_slowdown * (1.0 + p->tolerance + 1e-12), cap_watts);
    for (size_t j = 0; j < m->n; j++)
        for (size_t i = 0; i < (size_t)ctw_power_point_count(p); i++) {
            double f = p->n_points ? p->mhz[i] : p->m.mhz[i], x = f / ctw_power__top(p),
                   y = m->mhz[j] / m->mhz[m->n - 1];
            ctw_power__point it = {f, m->mhz[j], ctw_power__memory_watts(p, x, 1.0, y),
                                   ctw_power__slowdown_at(p, x, -1.0) * ctw_power__memory_slowdown(m, x, y)};
            double idle = p->net ? ctw_power__memory_watts(p, x, 0.0, y) : 0.0;
            ctw_power__walk_see(&w, &it, (it.watts - idle) * it.slowdown);
        }
    ctw_power__point c;
    const char *limit = ctw_power__walk_end(&w, &c);
    if (mhz) *mhz = c.mhz;
    if (mem_mhz) *mem_mhz = c.mem_mhz;
    if (watts) *watts = c.watts;
    if (slowdown) *slowdown = c.slowdown;
    if (!*limit) return CTW_OK;
    return ctw_base__fail(CTW_E_INFEASIBLE,
                          "%s: no point meets %s %g; the safe point is %g MHz, memory %g MHz (%g W, slowdown %g)", fn,
                          limit, *limit == 'm' ? max_slowdown : cap_watts, c.mhz, c.mem_mhz, c.watts, c.slowdown);
}
