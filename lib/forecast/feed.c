/* feed.c: rows and weather issues in whatever order they come, kept on one regular grid. */
#include "forecast/feed.h"

#include "base/alloc.h"
#include "base/ctx.h"
#include <math.h>
#include <string.h>

#define MAX_ROWS   20000000u
#define MAX_ISSUES 1000000u
#define MAX_LEADS  10000u

static void destroy(ctw_feed *f)
{
    ctw_ctx *ctx = f->h.ctx;
    for (size_t i = 0; i < f->ns; i++) ctw_base__free(ctx, f->name[i]);
    for (size_t i = 0; i < f->nv; i++) ctw_base__free(ctx, f->var[i]);
    ctw_base__free(ctx, f->y);
    ctw_base__free(ctx, f->src);
    ctw_base__free(ctx, f->issue);
    ctw_base__free(ctx, f->wx);
}

CTW_DEFINE_REFS(ctw_feed, destroy)

ctw_status ctw_feed_new(ctw_ctx *ctx, double step_s, ctw_feed **out)
{
    const char *fn = "ctw_feed_new";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    CTW_TRY(ctw_base__in(step_s, 1, 86400, fn, "step_s"));
    if (step_s != floor(step_s)) return ctw_base__fail(CTW_E_RANGE, "%s: step_s %g is not a whole number", fn, step_s);
    ctw_feed *f = ctw_base__handle_new(ctx, sizeof *f, CTW_FEED__MAGIC);
    if (!f) return CTW_E_NOMEM;
    f->step = (int64_t)step_s;
    *out = f;
    return CTW_OK;
}

static ctw_status enter(ctw_feed *f, const char *fn)
{
    return ctw_base__handle_enter((ctw_base__handle *)f, CTW_FEED__MAGIC, fn, "feed");
}

static ctw_status add_source(ctw_feed *f, const char *name, double factor)
{
    const char *fn = "ctw_feed_add_source";
    CTW_TRY(ctw_base__need(name, fn, "name"));
    if (f->n) return ctw_base__fail(CTW_E_STATE, "%s: \"%s\" comes after the first row", fn, name);
    if (f->ns == CTW_FEED__SOURCES)
        return ctw_base__fail(CTW_E_RANGE, "%s: more than %d sources", fn, CTW_FEED__SOURCES);
    if (!isnan(factor)) CTW_TRY(ctw_base__in(factor, 0, 1e9, fn, "factor"));
    for (size_t i = 0; i < f->ns; i++)
        if (!strcmp(f->name[i], name)) return ctw_base__fail(CTW_E_ARG, "%s: \"%s\" is declared already", fn, name);
    char *copy = ctw_base__strdup(f->h.ctx, name);
    if (!copy) return CTW_E_NOMEM;
    f->name[f->ns] = copy;
    f->factor[f->ns++] = factor;
    return CTW_OK;
}

ctw_status ctw_feed_add_source(ctw_feed *f, const char *name, double factor)
{
    CTW_TRY(enter(f, "ctw_feed_add_source"));
    ctw_status s = add_source(f, name, factor);
    ctw_base__handle_leave(&f->h);
    return s;
}

static ctw_status grow_rows(ctw_feed *f, size_t need)
{
    if (need <= f->cap) return CTW_OK;
    size_t cap = f->cap ? f->cap : 1024;
    while (cap < need) cap *= 2;
    double *y = ctw_base__realloc(f->h.ctx, f->y, cap, sizeof *y);
    if (!y) return CTW_E_NOMEM;
    f->y = y;
    double *src = ctw_base__realloc(f->h.ctx, f->src, cap, (f->ns ? f->ns : 1) * sizeof *src);
    if (!src) return CTW_E_NOMEM;
    f->src = src;
    f->cap = cap;
    return CTW_OK;
}

static void blank_rows(ctw_feed *f, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) f->y[i] = NAN;
    for (size_t i = from * f->ns; i < to * f->ns; i++) f->src[i] = NAN;
}

/* Row index of a time, the grid extended to hold it. */
static ctw_status locate(ctw_feed *f, int64_t t, size_t *row)
{
    const char *fn = "ctw_feed_put";
    CTW_TRY(ctw_base__in_i64(t, -100000000000, 100000000000, fn, "time_s"));
    if (!f->n) {
        CTW_TRY(grow_rows(f, 1));
        f->start = t;
        f->n = 1;
        blank_rows(f, 0, 1);
        *row = 0;
        return CTW_OK;
    }
    if ((t - f->start) % f->step)
        return ctw_base__fail(CTW_E_SHAPE, "%s: time_s %lld is off the grid of %lld s from %lld", fn, (long long)t,
                              (long long)f->step, (long long)f->start);
    int64_t at = (t - f->start) / f->step;
    size_t front = at < 0 ? (size_t)-at : 0, need = at >= (int64_t)f->n ? (size_t)at + 1 : f->n + front;
    if (need > MAX_ROWS) return ctw_base__fail(CTW_E_RANGE, "%s: more than %u rows", fn, MAX_ROWS);
    CTW_TRY(grow_rows(f, need));
    if (front) {
        memmove(f->y + front, f->y, f->n * sizeof *f->y);
        memmove(f->src + front * f->ns, f->src, f->n * f->ns * sizeof *f->src);
        blank_rows(f, 0, front);
        f->start = t;
        at = 0;
    } else if (need > f->n) {
        blank_rows(f, f->n, need);
    }
    f->n = need;
    *row = (size_t)at;
    return CTW_OK;
}

static ctw_status put(ctw_feed *f, int64_t t, double value, const double *sources)
{
    const char *fn = "ctw_feed_put";
    size_t row;
    if (isinf(value)) return ctw_base__fail(CTW_E_NONFINITE, "%s: value is infinite; NaN marks a missing one", fn);
    for (size_t i = 0; sources && i < f->ns; i++)
        if (isinf(sources[i])) return ctw_base__fail(CTW_E_NONFINITE, "%s: sources[%zu] is infinite", fn, i);
    CTW_TRY(locate(f, t, &row));
    if (!isnan(f->y[row])) f->revisions++;
    f->y[row] = value;
    for (size_t i = 0; i < f->ns; i++) f->src[row * f->ns + i] = sources ? sources[i] : NAN;
    return CTW_OK;
}

ctw_status ctw_feed_put(ctw_feed *f, int64_t time_s, double value, const double *sources)
{
    CTW_TRY(enter(f, "ctw_feed_put"));
    ctw_status s = put(f, time_s, value, sources);
    ctw_base__handle_leave(&f->h);
    return s;
}

static ctw_status add_weather(ctw_feed *f, const char *name, int32_t kind)
{
    const char *fn = "ctw_feed_add_weather";
    CTW_TRY(ctw_base__need(name, fn, "name"));
    CTW_TRY(ctw_base__in_i64(kind, CTW_WEATHER_OTHER, CTW_WEATHER_RAIN, fn, "kind"));
    if (f->ni) return ctw_base__fail(CTW_E_STATE, "%s: \"%s\" comes after the first issue", fn, name);
    if (f->nv == CTW_FEED__WEATHER)
        return ctw_base__fail(CTW_E_RANGE, "%s: more than %d variables", fn, CTW_FEED__WEATHER);
    char *copy = ctw_base__strdup(f->h.ctx, name);
    if (!copy) return CTW_E_NOMEM;
    f->var[f->nv] = copy;
    f->kind[f->nv++] = kind;
    return CTW_OK;
}

ctw_status ctw_feed_add_weather(ctw_feed *f, const char *name, int32_t kind)
{
    CTW_TRY(enter(f, "ctw_feed_add_weather"));
    ctw_status s = add_weather(f, name, kind);
    ctw_base__handle_leave(&f->h);
    return s;
}

size_t ctw_feed__issue_before(const ctw_feed *f, int64_t t)
{
    size_t lo = 0, hi = f->ni;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (f->issue[mid] <= t)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo ? lo - 1 : SIZE_MAX;
}

/* Index of the issue, made if it is new. */
static ctw_status open_issue(ctw_feed *f, int64_t t, size_t *at)
{
    size_t cells = f->nv * f->leads, i = ctw_feed__issue_before(f, t);
    if (i != SIZE_MAX && f->issue[i] == t) {
        *at = i;
        return CTW_OK;
    }
    i = i == SIZE_MAX ? 0 : i + 1;
    if (f->ni >= MAX_ISSUES)
        return ctw_base__fail(CTW_E_RANGE, "ctw_feed_put_weather: more than %u issues", MAX_ISSUES);
    CTW_TRY(ctw_base__grow(f->h.ctx, (void **)&f->issue, &f->ni_cap, f->ni + 1, sizeof *f->issue));
    CTW_TRY(ctw_base__grow(f->h.ctx, (void **)&f->wx, &f->wx_cap, (f->ni + 1) * cells, sizeof *f->wx));
    memmove(f->issue + i + 1, f->issue + i, (f->ni - i) * sizeof *f->issue);
    memmove(f->wx + (i + 1) * cells, f->wx + i * cells, (f->ni - i) * cells * sizeof *f->wx);
    f->issue[i] = t;
    for (size_t k = 0; k < cells; k++) f->wx[i * cells + k] = NAN;
    f->ni++;
    *at = i;
    return CTW_OK;
}

static ctw_status put_weather(ctw_feed *f, int64_t t, uint64_t var, double lead_step, const double *leads, uint64_t n)
{
    const char *fn = "ctw_feed_put_weather";
    size_t at = 0;
    if (var >= f->nv)
        return ctw_base__fail(CTW_E_KEY, "%s: variable %llu, the feed has %zu", fn, (unsigned long long)var, f->nv);
    CTW_TRY(ctw_base__need(leads, fn, "leads"));
    CTW_TRY(ctw_base__in_u64(n, 1, MAX_LEADS, fn, "n"));
    CTW_TRY(ctw_base__in(lead_step, 1, 864000, fn, "lead_step_s"));
    CTW_TRY(ctw_base__in_i64(t, -100000000000, 100000000000, fn, "issue_s"));
    if (f->ni && (n != f->leads || lead_step != f->lead_step))
        return ctw_base__fail(CTW_E_SHAPE, "%s: %llu leads of %g s, earlier issues have %zu of %g s", fn,
                              (unsigned long long)n, lead_step, f->leads, f->lead_step);
    for (uint64_t i = 0; i < n; i++)
        if (isinf(leads[i]) || fabs(leads[i]) > 1e30)
            return ctw_base__fail(CTW_E_NONFINITE, "%s: leads[%llu] is no number", fn, (unsigned long long)i);
    f->leads = (size_t)n;
    f->lead_step = lead_step;
    CTW_TRY(open_issue(f, t, &at));
    float *w = f->wx + (at * f->nv + (size_t)var) * f->leads;
    for (uint64_t i = 0; i < n; i++) w[i] = (float)leads[i];
    return CTW_OK;
}

ctw_status ctw_feed_put_weather(ctw_feed *f, int64_t issue_s, uint64_t variable, double lead_step_s,
                                const double *leads, uint64_t n)
{
    CTW_TRY(enter(f, "ctw_feed_put_weather"));
    ctw_status s = put_weather(f, issue_s, variable, lead_step_s, leads, n);
    ctw_base__handle_leave(&f->h);
    return s;
}

double ctw_feed__weather_at(const ctw_feed *f, size_t issue, size_t var, double at)
{
    const float *w = f->wx + (issue * f->nv + var) * f->leads;
    double x = (at - (double)f->issue[issue]) / f->lead_step;
    if (x < 0 || x > (double)f->leads) return NAN;
    if (f->kind[var] == CTW_WEATHER_SOLAR || f->kind[var] == CTW_WEATHER_RAIN) {
        size_t k = (size_t)ceil(x);
        return (double)w[k ? k - 1 : 0];
    }
    if (x <= 1) return (double)w[0];
    size_t k = (size_t)x; /* leads k and k + 1 stand around x */
    if (k >= f->leads) return (double)w[f->leads - 1];
    double part = x - (double)k;
    return (1 - part) * (double)w[k - 1] + part * (double)w[k];
}

uint64_t ctw_feed_rows(const ctw_feed *f)
{
    return f ? f->n : 0;
}

int64_t ctw_feed_start(const ctw_feed *f)
{
    return f && f->n ? f->start : 0;
}

double ctw_feed_step(const ctw_feed *f)
{
    return f ? (double)f->step : 0.0;
}

static ctw_status check(const ctw_feed *f, const char *fn)
{
    return ctw_base__handle_check((const ctw_base__handle *)f, CTW_FEED__MAGIC, fn, "feed");
}

ctw_status ctw_feed_row(const ctw_feed *f, uint64_t i, double *value, double *sources)
{
    CTW_TRY(check(f, "ctw_feed_row"));
    if (i >= f->n)
        return ctw_base__fail(CTW_E_RANGE, "ctw_feed_row: i is %llu, the feed has %zu rows", (unsigned long long)i,
                              f->n);
    if (value) *value = f->y[i];
    if (sources && f->ns) memcpy(sources, f->src + i * f->ns, f->ns * sizeof *sources);
    return CTW_OK;
}

ctw_status ctw_feed_counts(const ctw_feed *f, uint64_t *sources, uint64_t *variables, uint64_t *issues,
                           uint64_t *revisions)
{
    CTW_TRY(check(f, "ctw_feed_counts"));
    if (sources) *sources = f->ns;
    if (variables) *variables = f->nv;
    if (issues) *issues = f->ni;
    if (revisions) *revisions = f->revisions;
    return CTW_OK;
}

ctw_status ctw_feed_source(const ctw_feed *f, uint64_t i, const char **name, double *factor)
{
    CTW_TRY(check(f, "ctw_feed_source"));
    if (i >= f->ns)
        return ctw_base__fail(CTW_E_RANGE, "ctw_feed_source: i is %llu, the feed has %zu", (unsigned long long)i,
                              f->ns);
    if (name) *name = f->name[i];
    if (factor) *factor = f->factor[i];
    return CTW_OK;
}
