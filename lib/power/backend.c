/* backend.c: the public verbs over sensors and actuators, and the rules common to all of them: a counter must be
 * read twice, a jump is not believed, a dry run touches nothing, what was changed is put back. */
#include "power/backend_internal.h"

#include "base/ctx.h"
#include "power/power_params.h"
#include <math.h>
#include <string.h>

static ctw_status restore_one(ctw_backend *b, ctw_backend__domain *d, const char *fn)
{
    if (b->dry_run) {
        d->changed_mhz = d->changed_cap = 0;
        return CTW_OK;
    }
    if (d->kind == CTW_BACKEND_NVML) return ctw_backend__nvml_restore(b, d, fn);
    if (d->kind == CTW_BACKEND_CPUFREQ && d->changed_mhz) return ctw_backend__cpufreq_restore(d, fn);
    if (d->kind != CTW_BACKEND_RAPL || !d->changed_cap) return CTW_OK;
    CTW_TRY(ctw_backend__rapl_set(d, d->found_cap, fn));
    d->changed_cap = 0;
    return CTW_OK;
}

static ctw_status restore_all(ctw_backend *b, const char *fn)
{
    ctw_status first = CTW_OK;
    for (size_t i = 0; i < b->n; i++) {
        ctw_status s = restore_one(b, &b->domain[i], fn);
        if (first == CTW_OK) first = s;
        if (s != CTW_OK) ctw_base__log(b->h.ctx, CTW_LOG_ERROR, "backend", "%s", ctw_error_message());
    }
    return first;
}

static void destroy(ctw_backend *b)
{
    if (b->domain) (void)restore_all(b, "ctw_backend_unref");
    ctw_backend__close_nvml(b);
    ctw_base__free(b->h.ctx, b->domain);
}

CTW_DEFINE_REFS(ctw_backend, destroy)

ctw_backend__domain *ctw_backend__add(ctw_backend *b, int32_t kind, const char *name)
{
    if (b->n == CTW_BACKEND_MOST) return NULL;
    ctw_backend__domain *d = &b->domain[b->n++];
    size_t len = strlen(name);
    if (len >= sizeof d->name) len = sizeof d->name - 1;
    d->kind = kind;
    memcpy(d->name, name, len);
    return d;
}

ctw_status ctw_backend_open(ctw_ctx *ctx, const ctw_params *params, ctw_backend **out)
{
    static const char *fn = "ctw_backend_open";
    const ctw_base__kind *const kind = &ctw_backend__kind;
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    CTW_TRY(ctw_base__params_check(params, kind, fn));
    ctw_backend *b = ctw_base__handle_new(ctx, sizeof *b, CTW_BACKEND_MAGIC);
    if (!b) return CTW_E_NOMEM;
    b->min_window_s = ctw_base__opt_f64(params, kind, "min_window_s");
    b->max_watts = ctw_base__opt_f64(params, kind, "max_watts");
    b->dry_run = ctw_base__opt_bool(params, kind, "dry_run");
    b->domain = CTW_NEW(ctx, CTW_BACKEND_MOST, ctw_backend__domain);
    if (!b->domain) {
        ctw_backend_unref(b);
        return CTW_E_NOMEM;
    }
    const char *root = ctw_base__opt_str(params, kind, "root");
    ctw_backend__find_cpufreq(b, root);
    ctw_backend__find_rapl(b, root);
    ctw_backend__find_hwmon(b, root);
    ctw_backend__find_nvml(b, ctw_base__opt_str(params, kind, "nvml"));
    *out = b;
    return CTW_OK;
}

uint64_t ctw_backend_count(const ctw_backend *b)
{
    return b ? b->n : 0;
}

static ctw_status find(const ctw_backend *b, uint64_t i, const char *fn)
{
    CTW_TRY(ctw_base__handle_check(b ? &b->h : NULL, CTW_BACKEND_MAGIC, fn, "b"));
    if (i < b->n) return CTW_OK;
    return ctw_base__fail(CTW_E_RANGE, "%s: i is %llu, there are %zu domains", fn, (unsigned long long)i, b->n);
}

ctw_status ctw_backend_info(const ctw_backend *b, uint64_t i, int32_t *kind, const char **name, int32_t *can)
{
    CTW_TRY(find(b, i, "ctw_backend_info"));
    if (kind) *kind = b->domain[i].kind;
    if (name) *name = b->domain[i].name;
    if (can) *can = b->domain[i].can;
    return CTW_OK;
}

ctw_status ctw_backend_range(const ctw_backend *b, uint64_t i, double *min_mhz, double *max_mhz)
{
    static const char *fn = "ctw_backend_range";
    CTW_TRY(find(b, i, fn));
    const ctw_backend__domain *d = &b->domain[i];
    if (!(d->max_mhz > 0.0)) return ctw_base__fail(CTW_E_UNSUPPORTED, "%s: %s states no frequencies", fn, d->name);
    if (min_mhz) *min_mhz = d->min_mhz;
    if (max_mhz) *max_mhz = d->max_mhz;
    return CTW_OK;
}

ctw_status ctw_backend__count(const ctw_backend *b, ctw_backend__counter *c, double joule, double now_s, double *watts,
                              int32_t *valid, const char *fn)
{
    double dt = now_s - c->at_s, delta = joule - c->joule;
    if (c->primed && dt < 0.0)
        return ctw_base__fail(CTW_E_RANGE, "%s: now_s is %.17g, before the last reading (%.17g)", fn, now_s, c->at_s);
    if (c->primed && dt < b->min_window_s) { /* too short to say more than the last reading did */
        *valid = c->has_watts;
        if (c->has_watts) *watts = c->watts;
        return CTW_OK;
    }
    if (delta < 0.0 && c->wraps_at > 0.0 && joule <= c->wraps_at) delta += c->wraps_at;
    int believed = c->primed && delta >= 0.0 && delta <= b->max_watts * dt;
    c->primed = 1;
    c->joule = joule;
    c->at_s = now_s;
    c->has_watts = believed;
    *valid = believed;
    if (believed) *watts = c->watts = delta / dt;
    return CTW_OK;
}

static ctw_status read_one(ctw_backend *b, ctw_backend__domain *d, double now_s, double *watts, int32_t *valid,
                           const char *fn)
{
    if (!(d->can & CTW_BACKEND_READS)) return ctw_base__fail(CTW_E_UNSUPPORTED, "%s: %s has no sensor", fn, d->name);
    ctw_status s = d->kind == CTW_BACKEND_RAPL    ? ctw_backend__rapl_read(b, d, now_s, watts, valid, fn)
                   : d->kind == CTW_BACKEND_HWMON ? ctw_backend__hwmon_read(d, watts, valid, fn)
                                                  : ctw_backend__nvml_read(b, d, now_s, watts, valid, fn);
    if (s == CTW_OK && *valid && *watts > b->max_watts) {
        *valid = 0;
        *watts = NAN;
    }
    return s;
}

ctw_status ctw_backend_read(ctw_backend *b, uint64_t i, double now_s, double *watts, int32_t *valid)
{
    static const char *fn = "ctw_backend_read";
    CTW_TRY(find(b, i, fn));
    CTW_TRY(ctw_base__need(watts, fn, "watts"));
    CTW_TRY(ctw_base__need(valid, fn, "valid"));
    CTW_TRY(ctw_base__in(now_s, -1e15, 1e15, fn, "now_s"));
    *watts = NAN;
    *valid = 0;
    CTW_TRY(ctw_base__handle_enter(&b->h, CTW_BACKEND_MAGIC, fn, "b"));
    ctw_status s = read_one(b, &b->domain[i], now_s, watts, valid, fn);
    ctw_base__handle_leave(&b->h);
    return s;
}

static ctw_status set_mhz(ctw_backend *b, ctw_backend__domain *d, double mhz, double *now, const char *fn)
{
    if (!(d->can & CTW_BACKEND_SETS_MHZ))
        return ctw_base__fail(CTW_E_UNSUPPORTED, "%s: the frequency of %s cannot be set", fn, d->name);
    CTW_TRY(ctw_base__in(mhz, fmax(d->min_mhz, 1.0), d->max_mhz > 0.0 ? d->max_mhz : 1e5, fn, "mhz"));
    *now = mhz;
    if (b->dry_run) return CTW_OK;
    if (d->kind == CTW_BACKEND_NVML) return ctw_backend__nvml_set_mhz(b, d, mhz, now, fn);
    CTW_TRY(ctw_backend__cpufreq_set(d, mhz, fn));
    return ctw_backend__cpufreq_now(d, now, fn);
}

ctw_status ctw_backend_set_mhz(ctw_backend *b, uint64_t i, double mhz, double *delivered)
{
    static const char *fn = "ctw_backend_set_mhz";
    double now = 0.0;
    CTW_TRY(find(b, i, fn));
    CTW_TRY(ctw_base__handle_enter(&b->h, CTW_BACKEND_MAGIC, fn, "b"));
    ctw_status s = set_mhz(b, &b->domain[i], mhz, &now, fn);
    ctw_base__handle_leave(&b->h);
    if (s == CTW_OK && delivered) *delivered = now;
    return s;
}

static ctw_status set_cap(ctw_backend *b, ctw_backend__domain *d, double watts, double *now, const char *fn)
{
    if (!(d->can & CTW_BACKEND_SETS_CAP))
        return ctw_base__fail(CTW_E_UNSUPPORTED, "%s: %s has no power limit", fn, d->name);
    CTW_TRY(ctw_base__in(watts, 1e-3, 1e6, fn, "watts"));
    *now = watts;
    if (b->dry_run) return CTW_OK;
    if (d->kind == CTW_BACKEND_NVML) return ctw_backend__nvml_set_cap(b, d, watts, now, fn);
    CTW_TRY(ctw_backend__rapl_set(d, watts, fn));
    return ctw_backend__rapl_limit(d, now, fn);
}

ctw_status ctw_backend_set_cap(ctw_backend *b, uint64_t i, double watts, double *delivered)
{
    static const char *fn = "ctw_backend_set_cap";
    double now = 0.0;
    CTW_TRY(find(b, i, fn));
    CTW_TRY(ctw_base__handle_enter(&b->h, CTW_BACKEND_MAGIC, fn, "b"));
    ctw_status s = set_cap(b, &b->domain[i], watts, &now, fn);
    ctw_base__handle_leave(&b->h);
    if (s == CTW_OK && delivered) *delivered = now;
    return s;
}

ctw_status ctw_backend_restore(ctw_backend *b)
{
    static const char *fn = "ctw_backend_restore";
    CTW_TRY(ctw_base__handle_enter(b ? &b->h : NULL, CTW_BACKEND_MAGIC, fn, "b"));
    ctw_status s = restore_all(b, fn);
    ctw_base__handle_leave(&b->h);
    return s;
}
