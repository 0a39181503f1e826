/* futures.c: what can be asked of a fitted forecaster besides the point and its interval: quantiles, scenarios,
 * ranks, and a description of itself. */
#include "forecast/forecast_internal.h"

#include "base/ctx.h"
#include "base/report.h"
#include "num/rng.h"
#include "num/sort.h"
#include "num/stats.h"
#include <math.h>
#include <string.h>

#define MAX_HORIZON 100000u
#define MAX_COUNT   100000u
#define SHARE_OF    200 /* scenarios behind the shares of ctw_forecast_ranks */

static ctw_status check_levels(const char *fn, const double *levels, uint64_t n, uint64_t stride)
{
    CTW_TRY(ctw_base__in_u64(n, 1, 1000, fn, "n_levels"));
    CTW_TRY(ctw_base__all_in(levels, n, 1, 1e-6, 1 - 1e-6, fn, "levels"));
    for (uint64_t i = 1; i < n; i++)
        if (levels[i] <= levels[i - 1])
            return ctw_base__fail(CTW_E_RANGE, "%s: levels[%llu] is %g, not above the one before", fn,
                                  (unsigned long long)i, levels[i]);
    if (stride < n)
        return ctw_base__fail(CTW_E_SHAPE, "%s: out_stride is %llu, must be >= n_levels %llu", fn,
                              (unsigned long long)stride, (unsigned long long)n);
    return CTW_OK;
}

ctw_status ctw_forecast_quantiles(const ctw_forecast *f, uint64_t horizon, const double *levels, uint64_t n_levels,
                                  double *out, uint64_t out_stride)
{
    const char *fn = "ctw_forecast_quantiles";
    CTW_TRY(ctw_forecast__need_fitted(f, fn));
    CTW_TRY(ctw_base__in_u64(horizon, 1, MAX_HORIZON, fn, "horizon"));
    CTW_TRY(ctw_base__need(levels, fn, "levels"));
    CTW_TRY(ctw_base__need(out, fn, "out"));
    CTW_TRY(check_levels(fn, levels, n_levels, out_stride));
    double *z = CTW_NEW(f->h.ctx, 2 * horizon, double);
    if (!z) return CTW_E_NOMEM;
    ctw_status s = CTW_OK;
    for (uint64_t i = 0; s == CTW_OK && i < n_levels; i++) {
        double side = 2 * levels[i] - 1, cover = fabs(side) < 1e-6 ? 1e-6 : fabs(side);
        s = ctw_forecast__expect(f, horizon, cover, NULL, 0, z, z + horizon);
        for (uint64_t l = 0; s == CTW_OK && l < horizon; l++)
            out[l * out_stride + i] = ctw_forecast__to_y(f->hist.log, z[l] + (fabs(side) < 1e-6 ? 0.0
                                                                              : side < 0        ? -z[horizon + l]
                                                                                                : z[horizon + l]));
    }
    ctw_base__free(f->h.ctx, z);
    return s;
}

/* Past errors as whole paths. `at` is where in the ledger's leads the future begins. */
static void draw_paths(const ctw_forecast *f, ctw_num__rng *g, uint64_t horizon, const double *z, double *out)
{
    const ctw_forecast__ledger *r = &f->ledger;
    size_t paths = ctw_forecast__ledger_paths(r), leads = r->leads;
    size_t k = (size_t)ctw_num__rng_below(g, paths);
    for (uint64_t l = 0; l < horizon; l++) {
        size_t at = (size_t)l + f->tail;
        if (at >= leads) at = leads - r->s + (at - leads) % r->s;
        out[l] = z[l] + ctw_forecast__ledger_error(r, k, at);
    }
}

/* An autoregressive Gaussian path, turned into errors by the conformal quantile of its level. */
static ctw_status draw_copula(const ctw_forecast *f, ctw_num__rng *g, uint64_t horizon, const double *z,
                              const double *half, double *out)
{
    double rho = exp(-4.0 / (double)f->season), x = ctw_num__rng_normal(g), z90 = ctw_num__normal_quantile(0.95);
    for (uint64_t l = 0; l < horizon; l++) {
        out[l] = z[l] + half[l] / z90 * x;
        x = rho * x + sqrt(1 - rho * rho) * ctw_num__rng_normal(g);
    }
    return CTW_OK;
}

ctw_status ctw_forecast_scenarios(const ctw_forecast *f, uint64_t horizon, uint64_t n, uint64_t stream, double *out,
                                  uint64_t out_stride)
{
    const char *fn = "ctw_forecast_scenarios";
    CTW_TRY(ctw_forecast__need_fitted(f, fn));
    CTW_TRY(ctw_base__in_u64(horizon, 1, MAX_HORIZON, fn, "horizon"));
    CTW_TRY(ctw_base__in_u64(n, 1, MAX_COUNT, fn, "n"));
    CTW_TRY(ctw_base__need(out, fn, "out"));
    if (out_stride < horizon)
        return ctw_base__fail(CTW_E_SHAPE, "%s: out_stride is %llu, must be >= horizon %llu", fn,
                              (unsigned long long)out_stride, (unsigned long long)horizon);
    double *z = CTW_NEW(f->h.ctx, 2 * horizon, double);
    if (!z) return CTW_E_NOMEM;
    ctw_num__rng g;
    ctw_num__rng_init(&g, ctw_base__seed(f->h.ctx), CTW_FORECAST__MAGIC, stream);
    ctw_status s = ctw_forecast__expect(f, horizon, 0.9, NULL, 0, z, z + horizon);
    int paths = f->daily && ctw_forecast__ledger_paths(&f->ledger) >= 20;
    for (uint64_t i = 0; s == CTW_OK && i < n; i++) {
        double *row = out + i * out_stride;
        if (paths)
            draw_paths(f, &g, horizon, z, row);
        else
            s = draw_copula(f, &g, horizon, z, z + horizon, row);
        for (uint64_t l = 0; l < horizon; l++) row[l] = ctw_forecast__to_y(f->hist.log, row[l]);
    }
    ctw_base__free(f->h.ctx, z);
    return s;
}

static ctw_status count_shares(const ctw_forecast *f, uint64_t horizon, uint64_t k, double *share)
{
    ctw_ctx *ctx = f->h.ctx;
    double *v = CTW_NEW(ctx, SHARE_OF * horizon, double);
    size_t *order = CTW_NEW(ctx, horizon, size_t);
    ctw_status s = v && order ? ctw_forecast_scenarios(f, horizon, SHARE_OF, 0, v, horizon) : CTW_E_NOMEM;
    for (uint64_t l = 0; s == CTW_OK && l < horizon; l++) share[l] = 0;
    for (uint64_t i = 0; s == CTW_OK && i < SHARE_OF; i++) {
        ctw_num__argsort(v + i * horizon, order, horizon);
        for (uint64_t r = 0; r < k; r++) share[order[r]] += 1.0 / SHARE_OF;
    }
    ctw_base__free(ctx, v);
    ctw_base__free(ctx, order);
    return s;
}

ctw_status ctw_forecast_ranks(const ctw_forecast *f, uint64_t horizon, uint64_t k, int64_t *out_rank, double *out_share)
{
    const char *fn = "ctw_forecast_ranks";
    CTW_TRY(ctw_forecast__need_fitted(f, fn));
    CTW_TRY(ctw_base__in_u64(horizon, 2, MAX_HORIZON, fn, "horizon"));
    CTW_TRY(ctw_base__in_u64(k, 1, horizon, fn, "k"));
    CTW_TRY(ctw_base__need(out_rank, fn, "out_rank"));
    ctw_ctx *ctx = f->h.ctx;
    double *z = CTW_NEW(ctx, horizon, double);
    size_t *order = CTW_NEW(ctx, horizon, size_t);
    ctw_status s = z && order ? ctw_forecast__expect(f, horizon, 0.9, NULL, 0, z, NULL) : CTW_E_NOMEM;
    if (s == CTW_OK) {
        ctw_num__argsort(z, order, horizon);
        for (uint64_t r = 0; r < horizon; r++) out_rank[order[r]] = (int64_t)r;
    }
    ctw_base__free(ctx, z);
    ctw_base__free(ctx, order);
    if (s == CTW_OK && out_share) s = count_shares(f, horizon, k, out_share);
    return s;
}

static ctw_status report_days(const ctw_forecast *f, ctw_report *r)
{
    size_t days = f->days.leads / f->days.s, experts = f->ledger.experts;
    double w[16 * CTW_FEED__SOURCES];
    CTW_TRY(ctw_base__report_i64(r, "days", (int64_t)f->days.n));
    CTW_TRY(ctw_base__report_i64(r, "experts", (int64_t)experts));
    if (days > 16 * CTW_FEED__SOURCES / experts) days = 16 * CTW_FEED__SOURCES / experts;
    for (size_t j = 0; j < days; j++) ctw_forecast__ledger_shares(&f->ledger, j, w + j * experts);
    CTW_TRY(ctw_base__report_series(r, "weights", w, days * experts));
    CTW_TRY(ctw_base__report_series(r, "factors", f->day.factor, f->days.ns));
    return ctw_base__report_series(r, "miss_rate", f->ledger.alpha, f->days.leads);
}

ctw_status ctw_forecast_report(const ctw_forecast *f, ctw_report **out)
{
    static const char *const name[] = {"auto", "naive", "profile", "ridge", "smoothing", "rls", "climatology"};
    const char *fn = "ctw_forecast_report";
    ctw_report *r = NULL;
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_forecast__need_fitted(f, fn));
    CTW_TRY(ctw_base__report_new(f->h.ctx, &r));
    ctw_status s = ctw_base__report_str(r, "model", f->daily ? "day" : f->blend.w ? "blend" : name[f->chosen]);
    if (s == CTW_OK) s = ctw_base__report_i64(r, "log", f->hist.log);
    if (s == CTW_OK) s = ctw_base__report_i64(r, "seen", (int64_t)(f->hist.dropped + f->hist.n));
    if (s == CTW_OK) s = ctw_base__report_i64(r, "flags", ctw_forecast__flags_of(f));
    if (s == CTW_OK) s = ctw_base__report_i64(r, "season", (int64_t)f->season);
    if (s == CTW_OK && f->daily) s = report_days(f, r);
    if (s == CTW_OK && f->blend.w)
        s = ctw_base__report_series(r, "weights", f->blend.w, f->blend.groups * CTW_FORECAST__PARTS_MIXED);
    if (s != CTW_OK) {
        ctw_report_unref(r);
        return s;
    }
    *out = r;
    return CTW_OK;
}
