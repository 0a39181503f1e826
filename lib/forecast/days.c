/* days.c: see the header. */
#include "forecast/days.h"

#include "base/alloc.h"
#include <math.h>
#include <string.h>

#define ISSUES_BACK 8 /* older weather runs looked at for a lead the newest one lacks */

void ctw_forecast__days_free(ctw_ctx *ctx, ctw_forecast__days *d)
{
    ctw_base__free(ctx, d->z);
    ctw_base__free(ctx, d->holes);
    ctw_base__free(ctx, d->src);
    ctw_base__free(ctx, d->w);
    ctw_base__free(ctx, d->seen);
    memset(d, 0, sizeof *d);
}

static void drop_first(ctw_forecast__days *d)
{
    size_t keep = d->n - 1, cells = d->nv * d->leads;
    memmove(d->z, d->z + d->s, keep * d->s * sizeof *d->z);
    memmove(d->holes, d->holes + 1, keep);
    memmove(d->src, d->src + d->s * d->ns, keep * d->s * d->ns * sizeof *d->src);
    memmove(d->w, d->w + cells, (keep + 1) * cells * sizeof *d->w);
    memmove(d->seen, d->seen + 1, keep + 1);
    d->t0 += (int64_t)d->s * d->step;
    d->n = keep;
}

ctw_status ctw_forecast__days_reserve(ctw_ctx *ctx, ctw_forecast__days *d, size_t *dropped)
{
    if (d->n && d->n >= d->max) {
        drop_first(d);
        ++*dropped;
    }
    return ctw_forecast__days_room(ctx, d, d->n + 2);
}

ctw_status ctw_forecast__days_room(ctw_ctx *ctx, ctw_forecast__days *d, size_t need)
{
    if (need <= d->cap) return CTW_OK;
    size_t cap = d->cap ? d->cap + d->cap / 2 : 64, ns = d->ns ? d->ns : 1, nv = d->nv ? d->nv : 1;
    if (cap < need) cap = need;
    double *z = ctw_base__realloc(ctx, d->z, cap * d->s, sizeof *z);
    if (z) d->z = z;
    uint8_t *holes = ctw_base__realloc(ctx, d->holes, cap, sizeof *holes);
    if (holes) d->holes = holes;
    double *src = ctw_base__realloc(ctx, d->src, cap * d->s, ns * sizeof *src);
    if (src) d->src = src;
    float *w = ctw_base__realloc(ctx, d->w, cap * nv, d->leads * sizeof *w);
    if (w) d->w = w;
    uint8_t *seen = ctw_base__realloc(ctx, d->seen, cap, sizeof *seen);
    if (seen) d->seen = seen;
    if (!z || !holes || !src || !w || !seen) return CTW_E_NOMEM;
    d->cap = cap;
    return CTW_OK;
}

void ctw_forecast__days_push(ctw_forecast__days *d, const double *z, const uint8_t *hole, const double *src)
{
    size_t s = d->s, holes = 0;
    memcpy(d->z + d->n * s, z, s * sizeof *z);
    for (size_t i = 0; i < s; i++) holes += hole[i];
    d->holes[d->n] = (uint8_t)(holes > 255 ? 255 : holes);
    double *to = d->src + d->n * s * d->ns;
    const double *before = d->n ? d->src + (d->n - 1) * s * d->ns : NULL;
    for (size_t i = 0; i < s * d->ns; i++) to[i] = !isnan(src[i]) ? src[i] : before ? before[i] : 0.0;
    d->n++;
}

/* One variable at seconds `at`, by the newest issue that covers it. */
static double look_up(const ctw_feed *feed, size_t newest, size_t var, double at)
{
    for (size_t b = 0; b < ISSUES_BACK && b <= newest; b++) {
        double v = ctw_feed__weather_at(feed, newest - b, var, at);
        if (!isnan(v)) return v;
    }
    return NAN;
}

void ctw_forecast__days_weather(ctw_forecast__days *d, size_t r, const ctw_feed *feed, int64_t origin, double delay)
{
    size_t newest = feed ? ctw_feed__issue_before(feed, origin - (int64_t)delay) : SIZE_MAX;
    double day = (double)d->s * (double)d->step;
    d->seen[r] = newest != SIZE_MAX && (double)(origin - feed->issue[newest]) < day + delay;
    for (size_t v = 0; v < d->nv; v++) {
        float *w = d->w + (r * d->nv + v) * d->leads;
        const float *before = r ? ctw_forecast__day_w(d, r - 1, v) : NULL;
        int blank = 0, old = 0;
        for (size_t l = 0; l < d->leads; l++) {
            double at = (double)origin + ((double)l + 0.5) * (double)d->step;
            double x = newest == SIZE_MAX ? NAN : look_up(feed, newest, v, at);
            if (isnan(x) && l >= d->s) x = (double)w[l - d->s]; /* past the last lead: the day before again */
            if (isnan(x) && before) x = (double)before[l + d->s < d->leads ? l + d->s : l];
            if (isnan(x)) x = 0.0;
            if (l < d->s && newest != SIZE_MAX && isnan(ctw_feed__weather_at(feed, newest, v, at))) {
                old = 1;
                blank |= isnan(look_up(feed, newest, v, at));
            }
            w[l] = (float)x;
        }
        if (old && d->seen[r]) d->seen[r] = 2;
        if (blank) d->seen[r] = 0;
    }
}

int ctw_forecast__days_lost(const ctw_forecast__days *d)
{
    size_t look = 14 * d->s;
    if (d->n < 15) return 0;
    for (size_t i = 0; i < d->ns; i++) {
        size_t ran = 0, runs = 0;
        for (size_t t = 0; t < look; t++) ran += d->src[((d->n - 15) * d->s + t) * d->ns + i] > 0;
        for (size_t t = 0; t < d->s; t++) runs += d->src[((d->n - 1) * d->s + t) * d->ns + i] != 0;
        if (!runs && ran * 10 >= look * 8) return 1;
    }
    return 0;
}
