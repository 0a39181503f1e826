/* fleet.c: many regions at once. A thread of the caller takes every parts-th model, so any number of threads
 * shares a fleet without one of the library's own, and each model's result does not depend on how many. */
#include "forecast/forecast_internal.h"

#include "base/alloc.h"
#include <math.h>

static ctw_status check_fleet(ctw_forecast *const *models, uint64_t n, uint64_t part, uint64_t parts, const char *fn)
{
    CTW_TRY(ctw_base__need_n(models, n, fn, "models"));
    CTW_TRY(ctw_base__in_u64(parts, 1, 100000, fn, "parts"));
    return ctw_base__in_u64(part, 0, parts - 1, fn, "part");
}

ctw_status ctw_forecast_refit_batch(ctw_forecast *const *models, uint64_t n_models, uint64_t part, uint64_t parts,
                                    ctw_cancel *cancel)
{
    CTW_TRY(check_fleet(models, n_models, part, parts, "ctw_forecast_refit_batch"));
    for (uint64_t r = part; r < n_models; r += parts) {
        ctw_status s = ctw_forecast_refit(models[r], cancel);
        if (s != CTW_OK) return ctw_base__fail_in(s, "model %llu", (unsigned long long)r);
    }
    return CTW_OK;
}

ctw_status ctw_forecast_update_feed_batch(ctw_forecast *const *models, const ctw_feed *const *feeds, uint64_t n_models,
                                          int64_t until_s, uint64_t part, uint64_t parts)
{
    const char *fn = "ctw_forecast_update_feed_batch";
    CTW_TRY(check_fleet(models, n_models, part, parts, fn));
    CTW_TRY(ctw_base__need_n(feeds, n_models, fn, "feeds"));
    for (uint64_t r = part; r < n_models; r += parts) {
        ctw_status s = ctw_forecast_update_feed(models[r], feeds[r], until_s);
        if (s != CTW_OK) return ctw_base__fail_in(s, "model %llu", (unsigned long long)r);
    }
    return CTW_OK;
}

static double rank(const double *sorted, size_t n, double error)
{
    size_t below = 0;
    while (below < n && sorted[below] < error) below++;
    return (1.0 + (double)(n - below)) / (1.0 + (double)n);
}

ctw_status ctw_forecast_surprise(const ctw_forecast *f, double *out_p)
{
    const char *fn = "ctw_forecast_surprise";
    CTW_TRY(ctw_forecast__need_fitted(f, fn));
    CTW_TRY(ctw_base__need(out_p, fn, "out_p"));
    const ctw_forecast__hist *h = &f->hist;
    *out_p = 1.0;
    if (h->n < 2 || h->hole[h->n - 1]) return CTW_OK;
    double z;
    if (f->daily) {
        size_t lead = (f->tail + f->season - 1) % f->season;
        const double *blend = ctw_forecast__ledger_before(&f->ledger, f->tail ? 0 : 1);
        if (blend)
            *out_p = rank(f->ledger.sorted + lead * CTW_FORECAST__KEEP, f->ledger.scores[lead],
                          fabs(h->z[h->n - 1] - blend[lead]));
        return CTW_OK;
    }
    double *scratch = CTW_NEW(f->h.ctx, ctw_forecast__room(f, f->ridge.p) + 1, double);
    ctw_forecast__way w = ctw_forecast__chosen(f);
    if (!scratch) return CTW_E_NOMEM;
    const double *x = h->k ? h->x + (h->n - 1) * h->k : NULL;
    ctw_forecast__point(f, &w, h->n - 1, 1, x, scratch, &z);
    *out_p = rank(f->conform.score, f->conform.n, fabs(h->z[h->n - 1] - z));
    ctw_base__free(f->h.ctx, scratch);
    return CTW_OK;
}
