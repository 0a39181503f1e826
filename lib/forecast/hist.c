/* hist.c: the history of one series. A hole is filled at once by its base plus the last deviation fading
 * out over a season, so that no later code meets a NaN; models look at `hole` to leave such rows out. */
#include "forecast/hist.h"

#include "base/alloc.h"
#include "base/error.h"
#include <math.h>
#include <string.h>

double ctw_forecast__to_z(int log_, double y)
{
    if (!log_) return y;
    return y > 0 ? log(y) : NAN;
}

double ctw_forecast__to_y(int log_, double z)
{
    return log_ ? exp(z) : z;
}

void ctw_forecast__hist_free(ctw_ctx *ctx, ctw_forecast__hist *h)
{
    ctw_base__free(ctx, h->y);
    ctw_base__free(ctx, h->z);
    ctw_base__free(ctx, h->d);
    ctw_base__free(ctx, h->hole);
    ctw_base__free(ctx, h->x);
    memset(h, 0, sizeof *h);
}

/* Forgets whole weeks of seasons from the front, so that step t keeps its phase and its day of the week. */
static void drop(ctw_forecast__hist *h, size_t want)
{
    size_t week = CTW_FORECAST__BASE_SEASONS * h->season;
    size_t cut = (want + week - 1) / week * week;
    if (cut > h->n) cut = h->n / week * week;
    if (!cut) return;
    size_t keep = h->n - cut;
    memmove(h->y, h->y + cut, keep * sizeof *h->y);
    memmove(h->z, h->z + cut, keep * sizeof *h->z);
    memmove(h->d, h->d + cut, keep * sizeof *h->d);
    memmove(h->hole, h->hole + cut, keep);
    if (h->k) memmove(h->x, h->x + cut * h->k, keep * h->k * sizeof *h->x);
    h->n = keep;
    h->dropped += cut;
}

static ctw_status grow(ctw_ctx *ctx, ctw_forecast__hist *h, size_t need)
{
    size_t cap = h->cap ? h->cap : 256;
    while (cap < need) cap += cap / 2;
    size_t cells = h->k ? h->k : 1;
    double *y = ctw_base__realloc(ctx, h->y, cap, sizeof *y);
    if (!y) return CTW_E_NOMEM;
    h->y = y;
    double *z = ctw_base__realloc(ctx, h->z, cap, sizeof *z);
    if (!z) return CTW_E_NOMEM;
    h->z = z;
    double *d = ctw_base__realloc(ctx, h->d, cap, sizeof *d);
    if (!d) return CTW_E_NOMEM;
    h->d = d;
    uint8_t *hole = ctw_base__realloc(ctx, h->hole, cap, sizeof *hole);
    if (!hole) return CTW_E_NOMEM;
    h->hole = hole;
    double *x = ctw_base__realloc(ctx, h->x, cap, cells * sizeof *x);
    if (!x) return CTW_E_NOMEM;
    h->x = x;
    h->cap = cap;
    return CTW_OK;
}

ctw_status ctw_forecast__hist_reserve(ctw_ctx *ctx, ctw_forecast__hist *h, size_t more)
{
    if (h->n + more <= h->cap) return CTW_OK;
    if (h->n + more > h->max && h->n > h->max / 2) {
        /* Forgetting an eighth at a time keeps the cost of moving down. */
        size_t over = h->n + more > h->max ? h->n + more - h->max : 0;
        size_t want = over > h->max / 8 ? over : h->max / 8;
        if (want < h->n) drop(h, want);
        if (h->n + more <= h->cap) return CTW_OK;
    }
    return grow(ctx, h, h->n + more);
}

double ctw_forecast__hist_base(const ctw_forecast__hist *h, size_t end, size_t t)
{
    size_t s = h->season;
    if (t >= end) t = end + (t - end) % s;
    double sum = 0;
    size_t m = 0;
    for (size_t k = 1; k <= CTW_FORECAST__BASE_SEASONS && k * s <= t; k++) {
        if (t - k * s >= end) continue;
        sum += h->z[t - k * s];
        m++;
    }
    if (m) return sum / (double)m;
    return end ? h->z[t < end ? (t ? t - 1 : 0) : end - 1] : 0.0;
}

void ctw_forecast__hist_push(ctw_forecast__hist *h, double y, const double *x)
{
    size_t t = h->n, s = h->season;
    double z = ctw_forecast__to_z(h->log, y), base = ctw_forecast__hist_base(h, t, t);
    if (isnan(z) && !isnan(y)) h->bad++;
    h->hole[t] = (uint8_t)(isnan(z) ? 1 : 0);
    if (isnan(z)) z = base + (t ? h->d[t - 1] * exp(-2.0 / (double)s) : 0.0);
    h->y[t] = y;
    h->z[t] = z;
    h->d[t] = t >= s ? z - base : 0.0;
    for (size_t j = 0; j < h->k; j++) h->x[t * h->k + j] = x[j];
    h->n++;
}

size_t ctw_forecast__hist_age(const ctw_forecast__hist *h)
{
    size_t a = 0;
    while (a < h->n && h->hole[h->n - 1 - a]) a++;
    return a;
}

size_t ctw_forecast__hist_flat(const ctw_forecast__hist *h)
{
    size_t run = h->n ? 1 : 0;
    while (run < h->n && h->y[h->n - 1 - run] == h->y[h->n - 1]) run++;
    return run;
}
