/* place_energy.c: what the host says about the grid's uncertainty and about supply and storage on site. */
#include "base/ctx.h"
#include "place/place_internal.h"
#include <math.h>

static ctw_status check_probability(const double *probability, size_t n, double tail, const char *fn)
{
    double sum = 0;
    if (isnan(tail)) return ctw_base__fail(CTW_E_NONFINITE, "%s: tail is NaN", fn);
    if (tail < 0 || tail >= 1) return ctw_base__fail(CTW_E_RANGE, "%s: tail is %g, must be in [0, 1)", fn, tail);
    for (size_t i = 0; i < n && probability; i++) {
        if (!isfinite(probability[i])) return ctw_base__fail(CTW_E_NONFINITE, "%s: probability[%zu]", fn, i);
        if (probability[i] < 0)
            return ctw_base__fail(CTW_E_RANGE, "%s: probability[%zu] is %g, must be >= 0", fn, i, probability[i]);
        sum += probability[i];
    }
    if (!probability || fabs(sum - 1) <= 1e-6) return CTW_OK;
    return ctw_base__fail(CTW_E_RANGE, "%s: probabilities sum to %g, not 1", fn, sum);
}

/* The scenarios' copy, their probabilities made to sum to 1, and the mean intensities, as set_carbon takes them. */
static ctw_status new_scenarios(ctw_place *p, const double *x, size_t n, size_t regions, size_t slots,
                                const double *probability, double tail, const char *fn)
{
    ctw_ctx *ctx = p->h.ctx;
    double *copy = NULL, *weight = CTW_NEW(ctx, n, double), *mean = CTW_NEW(ctx, regions * slots, double), sum = 0;
    ctw_status s = weight && mean ? CTW_OK : CTW_E_NOMEM;
    if (s == CTW_OK) s = ctw_place__copy_matrix(ctx, x, n * regions, slots, slots, &copy, fn, "g_per_kwh");
    if (s != CTW_OK) {
        ctw_base__free(ctx, weight);
        ctw_base__free(ctx, mean);
        return s;
    }
    for (size_t i = 0; i < n; i++) sum += weight[i] = probability ? probability[i] : 1;
    for (size_t i = 0; i < n; i++) {
        weight[i] /= sum;
        for (size_t q = 0; q < regions * slots; q++) mean[q] += weight[i] * copy[i * regions * slots + q];
    }
    ctw_place__forget_scenarios(p);
    ctw_base__free(ctx, p->carbon);
    p->carbon = mean;
    p->regions = regions;
    p->slots = slots;
    p->age = 0;
    p->scenario = copy;
    p->scenarios = n;
    p->probability = weight;
    p->tail = tail;
    return CTW_OK;
}

ctw_status ctw_place_set_carbon_scenarios(ctw_place *p, const double *g_per_kwh, uint64_t scenarios, uint64_t regions,
                                          uint64_t slots, const double *probability, double tail)
{
    CTW_TRY(ctw_base__need(g_per_kwh, __func__, "g_per_kwh"));
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_PLACE_MAGIC, __func__, "p"));
    ctw_status s = ctw_base__in_u64(scenarios, 1, CTW_PLACE_MAX_SCENARIOS, __func__, "scenarios");
    if (s == CTW_OK) s = ctw_base__in_u64(regions, 1, CTW_PLACE_MAX_REGIONS, __func__, "regions");
    if (s == CTW_OK) s = ctw_base__in_u64(slots, 1, CTW_PLACE_MAX_SLOTS, __func__, "slots");
    if (s == CTW_OK) s = check_probability(probability, (size_t)scenarios, tail, __func__);
    if (s == CTW_OK)
        s = new_scenarios(p, g_per_kwh, (size_t)scenarios, (size_t)regions, (size_t)slots, probability, tail, __func__);
    ctw_base__handle_leave(&p->h);
    return s;
}

static ctw_status new_supply(ctw_place *p, const double *watts, uint64_t regions, uint64_t slots, uint64_t stride,
                             const char *fn)
{
    double *copy = NULL;
    if (watts) {
        CTW_TRY(ctw_base__in_u64(regions, 1, CTW_PLACE_MAX_REGIONS, fn, "regions"));
        CTW_TRY(ctw_base__in_u64(slots, 1, CTW_PLACE_MAX_SLOTS, fn, "slots"));
        CTW_TRY(ctw_place__copy_matrix(p->h.ctx, watts, regions, slots, stride, &copy, fn, "watts"));
    }
    ctw_base__free(p->h.ctx, p->supply);
    p->supply = copy;
    p->supply_regions = (size_t)regions;
    p->supply_slots = (size_t)slots;
    return CTW_OK;
}

ctw_status ctw_place_set_supply(ctw_place *p, const double *watts, uint64_t regions, uint64_t slots, uint64_t stride)
{
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_PLACE_MAGIC, __func__, "p"));
    ctw_status s = new_supply(p, watts, regions, slots, stride, __func__);
    ctw_base__handle_leave(&p->h);
    return s;
}

static ctw_status check_store(const ctw_place__store *s, size_t region, const char *fn)
{
    const double all[] = {s->capacity, s->power, s->efficiency, s->wear, s->start, s->end};
    for (size_t i = 0; i < 6; i++) {
        if (!isfinite(all[i])) return ctw_base__fail(CTW_E_NONFINITE, "%s: storage of region %zu", fn, region);
        if (all[i] < 0)
            return ctw_base__fail(CTW_E_RANGE, "%s: storage of region %zu has %g, must be >= 0", fn, region, all[i]);
    }
    if (s->efficiency <= 0 || s->efficiency > 1) {
        return ctw_base__fail(CTW_E_RANGE, "%s: efficiency of region %zu is %g, must be in (0, 1]", fn, region,
                              s->efficiency);
    }
    if (s->start <= s->capacity && s->end <= s->capacity) return CTW_OK;
    return ctw_base__fail(CTW_E_RANGE, "%s: levels of region %zu are %g and %g Wh, its capacity is %g", fn, region,
                          s->start, s->end, s->capacity);
}

static ctw_status new_storage(ctw_place *p, const ctw_place__store *from, size_t n, const char *fn)
{
    ctw_place__store *copy = NULL;
    for (size_t i = 0; i < n && from; i++) CTW_TRY(check_store(from + i, i, fn));
    if (from && !(copy = ctw_base__dup(p->h.ctx, from, n, sizeof *from))) return CTW_E_NOMEM;
    ctw_base__free(p->h.ctx, p->store);
    p->store = copy;
    p->stores = copy ? n : 0;
    return CTW_OK;
}

static ctw_status gather_storage(ctw_place *p, const double *capacity_wh, const double *power_w,
                                 const double *efficiency, const double *wear_g_per_kwh, const double *start_wh,
                                 const double *end_wh, size_t n, const char *fn)
{
    if (!capacity_wh || n == 0) return new_storage(p, NULL, 0, fn);
    CTW_TRY(ctw_base__need(power_w, fn, "power_w"));
    ctw_place__store *s = CTW_NEW(p->h.ctx, n, ctw_place__store);
    if (!s) return CTW_E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        double start = start_wh ? start_wh[i] : 0;
        s[i] = (ctw_place__store){capacity_wh[i],
                                  power_w[i],
                                  efficiency ? efficiency[i] : 1,
                                  wear_g_per_kwh ? wear_g_per_kwh[i] / 1000 : 0,
                                  start,
                                  end_wh ? end_wh[i] : start};
    }
    ctw_status e = new_storage(p, s, n, fn);
    ctw_base__free(p->h.ctx, s);
    return e;
}

ctw_status ctw_place_set_storage(ctw_place *p, const double *capacity_wh, const double *power_w,
                                 const double *efficiency, const double *wear_g_per_kwh, const double *start_wh,
                                 const double *end_wh, uint64_t regions)
{
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_PLACE_MAGIC, __func__, "p"));
    ctw_status s = ctw_base__in_u64(regions, 0, CTW_PLACE_MAX_REGIONS, __func__, "regions");
    if (s == CTW_OK) {
        s = gather_storage(p, capacity_wh, power_w, efficiency, wear_g_per_kwh, start_wh, end_wh, (size_t)regions,
                           __func__);
    }
    ctw_base__handle_leave(&p->h);
    return s;
}
