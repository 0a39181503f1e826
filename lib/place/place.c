/* place.c: the handle's life, the horizon, and the small setters. */
#include "base/ctx.h"
#include "num/sort.h"
#include "place/place_params.h"
#include "place/solution.h"
#include <math.h>

void ctw_place__forget_scenarios(ctw_place *p)
{
    ctw_base__free(p->h.ctx, p->scenario);
    ctw_base__free(p->h.ctx, p->probability);
    p->scenario = p->probability = NULL;
    p->scenarios = 0;
}

static void free_members(ctw_place *p)
{
    ctw_place__forget_scenarios(p);
    ctw_base__free(p->h.ctx, p->supply);
    ctw_base__free(p->h.ctx, p->store);
    ctw_place__nodes_free(p->h.ctx, &p->nodes);
    ctw_place__jobs_free(p->h.ctx, &p->jobs);
    ctw_base__free(p->h.ctx, p->carbon);
    ctw_base__free(p->h.ctx, p->region_cap);
    ctw_base__free(p->h.ctx, p->rack_id);
    ctw_base__free(p->h.ctx, p->rack_cap);
    ctw_solution_unref(p->warm);
}

CTW_DEFINE_REFS(ctw_place, free_members)

ctw_status ctw_place_new(ctw_ctx *ctx, const ctw_params *params, ctw_place **out)
{
    CTW_TRY(ctw_base__need(out, __func__, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, __func__));
    CTW_TRY(ctw_base__params_check(params, &ctw_place__kind, __func__));
    ctw_place *p = ctw_base__handle_new(ctx, sizeof *p, CTW_PLACE_MAGIC);
    if (!p) return CTW_E_NOMEM;
    ctw_place__read_options(params, &p->opt);
    *out = p;
    return CTW_OK;
}

static ctw_status new_carbon(ctw_place *p, const double *x, uint64_t regions, uint64_t slots, uint64_t stride,
                             const char *fn)
{
    double *copy;
    CTW_TRY(ctw_base__in_u64(regions, 1, CTW_PLACE_MAX_REGIONS, fn, "regions"));
    CTW_TRY(ctw_base__in_u64(slots, 1, CTW_PLACE_MAX_SLOTS, fn, "slots"));
    CTW_TRY(ctw_place__copy_matrix(p->h.ctx, x, regions, slots, stride, &copy, fn, "g_per_kwh"));
    ctw_place__forget_scenarios(p);
    ctw_base__free(p->h.ctx, p->carbon);
    p->carbon = copy;
    p->regions = (size_t)regions;
    p->slots = (size_t)slots;
    p->age = 0;
    return CTW_OK;
}

ctw_status ctw_place_set_forecast_age(ctw_place *p, double age_s)
{
    if (isnan(age_s)) return ctw_base__fail(CTW_E_NONFINITE, "%s: age_s is NaN", __func__);
    if (age_s < 0) return ctw_base__fail(CTW_E_RANGE, "%s: age_s is %g, must be >= 0", __func__, age_s);
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_PLACE_MAGIC, __func__, "p"));
    p->age = age_s;
    ctw_base__handle_leave(&p->h);
    return CTW_OK;
}

ctw_status ctw_place_set_carbon(ctw_place *p, const double *g_per_kwh, uint64_t regions, uint64_t slots,
                                uint64_t stride)
{
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_PLACE_MAGIC, __func__, "p"));
    ctw_status s = new_carbon(p, g_per_kwh, regions, slots, stride, __func__);
    ctw_base__handle_leave(&p->h);
    return s;
}

ctw_status ctw_place_set_region_caps(ctw_place *p, const double *cap_w, uint64_t regions)
{
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_PLACE_MAGIC, __func__, "p"));
    ctw_status s = ctw_base__in_u64(regions, 0, CTW_PLACE_MAX_REGIONS, __func__, "regions");
    if (s == CTW_OK) s = ctw_place__set_f64(p->h.ctx, &p->region_cap, cap_w, (size_t)regions, 1, __func__, "cap_w");
    if (s == CTW_OK) p->region_caps = (size_t)regions;
    ctw_base__handle_leave(&p->h);
    return s;
}

static int cmp_rack(const void *pa, const void *pb, void *user)
{
    const int64_t *rack = user;
    int64_t a = rack[*(const size_t *)pa], b = rack[*(const size_t *)pb];
    return a < b ? -1 : a > b;
}

static ctw_status new_rack_caps(ctw_place *p, const int64_t *rack, const double *cap_w, size_t n, const char *fn)
{
    ctw_ctx *ctx = p->h.ctx;
    size_t *order = CTW_NEW(ctx, n, size_t);
    int64_t *id = NULL;
    double *cap = NULL;
    ctw_status s = order ? CTW_OK : CTW_E_NOMEM;
    if (s == CTW_OK) s = ctw_place__set_i64(ctx, &id, rack, n, 0, INT64_MAX, fn, "rack");
    if (s == CTW_OK) s = ctw_place__set_f64(ctx, &cap, cap_w, n, 1, fn, "cap_w");
    for (size_t i = 0; i < n && s == CTW_OK; i++) order[i] = i;
    if (s == CTW_OK) ctw_num__sort_by(order, n, sizeof *order, cmp_rack, id);
    for (size_t i = 0; i < n && s == CTW_OK; i++) {
        id[i] = rack[order[i]];
        cap[i] = cap_w[order[i]];
        if (i > 0 && id[i] == id[i - 1])
            s = ctw_base__fail(CTW_E_RANGE, "%s: rack %lld occurs twice", fn, (long long)id[i]);
    }
    ctw_base__free(ctx, order);
    if (s != CTW_OK) {
        ctw_base__free(ctx, id);
        ctw_base__free(ctx, cap);
        return s;
    }
    ctw_base__free(ctx, p->rack_id);
    ctw_base__free(ctx, p->rack_cap);
    p->rack_id = id;
    p->rack_cap = cap;
    p->rack_caps = n;
    return CTW_OK;
}

ctw_status ctw_place_set_rack_caps(ctw_place *p, const int64_t *rack, const double *cap_w, uint64_t n)
{
    if (n > 0) {
        CTW_TRY(ctw_base__need(rack, __func__, "rack"));
        CTW_TRY(ctw_base__need(cap_w, __func__, "cap_w"));
    }
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_PLACE_MAGIC, __func__, "p"));
    ctw_status s = ctw_base__in_u64(n, 0, 10000000, __func__, "n");
    if (s == CTW_OK) s = new_rack_caps(p, rack, cap_w, (size_t)n, __func__);
    ctw_base__handle_leave(&p->h);
    return s;
}

ctw_status ctw_place_set_warm_start(ctw_place *p, ctw_solution *s)
{
    if (s) CTW_TRY(ctw_base__handle_check((const ctw_base__handle *)s, CTW_SOLUTION_MAGIC, __func__, "s"));
    if (s && s->only >= 0) return ctw_base__fail(CTW_E_ARG, "%s: s is the plan of one slot", __func__);
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_PLACE_MAGIC, __func__, "p"));
    ctw_solution *old = p->warm;
    p->warm = ctw_solution_ref(s);
    ctw_solution_unref(old);
    ctw_base__handle_leave(&p->h);
    return CTW_OK;
}

ctw_status ctw_place_set_progress(ctw_place *p, ctw_progress_fn fn, void *user)
{
    CTW_TRY(ctw_base__handle_enter(p ? &p->h : NULL, CTW_PLACE_MAGIC, __func__, "p"));
    p->progress = fn;
    p->progress_user = user;
    ctw_base__handle_leave(&p->h);
    return CTW_OK;
}
