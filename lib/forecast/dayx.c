/* dayx.c: features. Everything that has a level enters as a deviation from the seven days before, so the
 * models learn how a day differs from its week and keep working when the level moves. */
#include "forecast/dayx.h"

#include <math.h>

#define WEEK   CTW_FORECAST__WEEK
#define POINTS 8 /* samples of yesterday's shape, blocks of a day */
#define ZERO_C 273.15
#define YEAR_S (365.2425 * 86400.0)

double ctw_forecast__dayx_base(const ctw_forecast__days *d, size_t r, size_t hh)
{
    double sum = 0;
    for (size_t k = 1; k <= WEEK; k++) sum += ctw_forecast__day_z(d, r - k)[hh];
    return sum / WEEK;
}

void ctw_forecast__dayx_count(ctw_forecast__dayx *x, const ctw_forecast__days *d)
{
    size_t wind = 0, temp = 0;
    for (size_t v = 0; v < d->nv; v++) {
        wind += d->kind[v] == CTW_WEATHER_WIND;
        temp += d->kind[v] == CTW_WEATHER_TEMPERATURE;
    }
    x->common = 3 + POINTS + 1 + 1 + 2 * x->kept;
    x->special = 4 + 3 + 4 + x->kept + (d->ns ? 1 : 0) + 5 * d->nv + 2 * wind + 4 * temp;
    x->kernel = 2 * d->s + 1 + x->kept + 3 * POINTS * d->nv + 6;
}

void ctw_forecast__dayx_init(ctw_forecast__dayx *x, const ctw_forecast__days *d, size_t from, size_t to)
{
    double share[CTW_FEED__SOURCES] = {0}, n = 0;
    x->kept = 0;
    for (size_t t = from * d->s; t < to * d->s; t++) {
        const double *e = d->src + t * d->ns;
        double total = 0;
        for (size_t i = 0; i < d->ns; i++) total += e[i];
        if (!(total > 0)) continue;
        for (size_t i = 0; i < d->ns; i++) share[i] += e[i] / total;
        n++;
    }
    for (size_t i = 0; i < d->ns; i++)
        if (n > 0 && share[i] > 0.01 * n) x->source[x->kept++] = i;
    ctw_forecast__dayx_count(x, d);
}

static double share_of(const ctw_forecast__days *d, size_t day, size_t step, size_t i)
{
    const double *e = ctw_forecast__day_src(d, day, step);
    double total = 0;
    for (size_t k = 0; k < d->ns; k++) total += e[k];
    return total > 0 ? e[i] / total : 0.0;
}

static double total_of(const ctw_forecast__days *d, size_t day, size_t step)
{
    const double *e = ctw_forecast__day_src(d, day, step);
    double total = 0;
    for (size_t k = 0; k < d->ns; k++) total += e[k];
    return log1p(total > 0 ? total : 0.0);
}

static double mean(const double *v, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += v[i];
    return sum / (double)n;
}

/* 0 Sunday ... 6 Saturday of a local time. */
static int weekday(int64_t local)
{
    int64_t day = local >= 0 ? local / 86400 : -((86399 - local) / 86400);
    int64_t w = (day + 4) % 7;
    return (int)(w < 0 ? w + 7 : w);
}

static int64_t start_of(const ctw_forecast__days *d, size_t r)
{
    return d->t0 + (int64_t)(r * d->s) * d->step;
}

/* Shares of one source seven days back: mean of step hh. */
static double share_base(const ctw_forecast__days *d, size_t r, size_t hh, size_t i)
{
    double sum = 0;
    for (size_t k = 1; k <= WEEK; k++) sum += share_of(d, r - k, hh, i);
    return sum / WEEK;
}

static void common_part(const ctw_forecast__dayx *x, const ctw_forecast__days *d, size_t r, double *f)
{
    size_t s = d->s, j = 0, last = s / 8 ? s / 8 : 1;
    const double *y1 = ctw_forecast__day_z(d, r - 1), *y2 = ctw_forecast__day_z(d, r - 2);
    double week = 0;
    for (size_t k = 1; k <= WEEK; k++) week += mean(ctw_forecast__day_z(d, r - k), s) / WEEK;
    f[j++] = mean(y1, s) - week;
    f[j++] = mean(y2, s) - week;
    f[j++] = week;
    for (size_t k = 0; k < POINTS; k++) {
        size_t hh = s - 1 - k * s / POINTS;
        f[j++] = y1[hh] - ctw_forecast__dayx_base(d, r, hh);
    }
    f[j++] = y1[s - 1] - y1[s - 1 - (last < s ? last : 0)];
    int w = weekday(start_of(d, r) - 43200);
    f[j++] = w == 0 || w == 6;
    for (size_t i = 0; i < x->kept; i++) {
        double whole = 0, now = 0, base = 0;
        for (size_t hh = 0; hh < s; hh++) whole += share_of(d, r - 1, hh, x->source[i]) / (double)s;
        for (size_t hh = s - last; hh < s; hh++) {
            now += share_of(d, r - 1, hh, x->source[i]) / (double)last;
            base += share_base(d, r, hh, x->source[i]) / (double)last;
        }
        f[j++] = whole;
        f[j++] = now - base;
    }
}

/* What the weather features of all leads share: the past week's day-ahead forecasts of each step. */
typedef struct weather {
    double past, y1, past_day, y1_day;
} weather;

static weather weather_past(const ctw_forecast__days *d, size_t r, size_t v, size_t hh)
{
    weather p = {0, (double)ctw_forecast__day_w(d, r - 1, v)[hh], 0, 0};
    for (size_t k = 1; k <= WEEK; k++) p.past += (double)ctw_forecast__day_w(d, r - k, v)[hh] / WEEK;
    return p;
}

static double plus(double v)
{
    return v > 0 ? v : 0.0;
}

static size_t weather_features(int32_t kind, double f, double fd, const weather *p, double *out)
{
    size_t j = 0;
    out[j++] = f - p->past;
    out[j++] = fd - p->past_day;
    out[j++] = p->y1 - p->past;
    out[j++] = p->y1_day - p->past_day;
    out[j++] = f;
    if (kind == CTW_WEATHER_WIND) {
        out[j++] = f * f - p->past * p->past;
        out[j++] = sqrt(plus(f)) - sqrt(plus(p->past));
    } else if (kind == CTW_WEATHER_TEMPERATURE) {
        double c = f - ZERO_C, b = p->past - ZERO_C, day = fd - ZERO_C;
        out[j++] = plus(c - 20) - plus(b - 20);
        out[j++] = plus(12 - c) - plus(12 - b);
        out[j++] = plus(day - 20);
        out[j++] = plus(12 - day);
    }
    return j;
}

/* Features that depend on the lead only through its step of the day. */
static size_t step_part(const ctw_forecast__dayx *x, const ctw_forecast__days *d, size_t r, size_t hh, double week,
                        double *f)
{
    size_t j = 0;
    double base = ctw_forecast__dayx_base(d, r, hh);
    f[j++] = ctw_forecast__day_z(d, r - 1)[hh] - base;
    f[j++] = ctw_forecast__day_z(d, r - 2)[hh] - base;
    f[j++] = base - week;
    for (size_t i = 0; i < x->kept; i++)
        f[j++] = share_of(d, r - 1, hh, x->source[i]) - share_base(d, r, hh, x->source[i]);
    if (d->ns) {
        double t = 0;
        for (size_t k = 1; k <= WEEK; k++) t += total_of(d, r - k, hh) / WEEK;
        f[j++] = total_of(d, r - 1, hh) - t;
    }
    return j;
}

static size_t calendar_part(const ctw_forecast__days *d, size_t r, size_t l, double *f)
{
    int64_t t = start_of(d, r) + (int64_t)l * d->step;
    int w = weekday(t);
    double year = 2 * M_PI * (double)t / YEAR_S;
    f[0] = w == 6;
    f[1] = w == 0;
    f[2] = w == 1;
    f[3] = sin(year);
    f[4] = cos(year);
    f[5] = sin(2 * year);
    f[6] = cos(2 * year);
    return 7;
}

void ctw_forecast__dayx_rows(const ctw_forecast__dayx *x, const ctw_forecast__days *d, size_t r, double *out)
{
    size_t p = x->common + x->special, s = d->s;
    common_part(x, d, r, out);
    double week = out[2];
    for (size_t l = 1; l < d->leads; l++)
        for (size_t k = 0; k < x->common; k++) out[l * p + k] = out[k];
    for (size_t hh = 0; hh < s; hh++) {
        double *f = out + hh * p + x->common;
        size_t own = step_part(x, d, r, hh, week, f);
        for (size_t l = hh; l < d->leads; l += s) {
            double *g = out + l * p + x->common;
            for (size_t k = 0; k < own && l != hh; k++) g[k] = f[k];
            size_t day = l / s % WEEK, at = own;
            g[at++] = ctw_forecast__day_z(d, r - WEEK + day)[hh] - ctw_forecast__dayx_base(d, r, hh);
            calendar_part(d, r, l, g + at);
        }
    }
    size_t at = x->special - 5 * d->nv;
    for (size_t v = 0; v < d->nv; v++)
        at -= d->kind[v] == CTW_WEATHER_WIND ? 2 : d->kind[v] == CTW_WEATHER_TEMPERATURE ? 4 : 0;
    for (size_t v = 0; v < d->nv; v++) {
        const float *w = ctw_forecast__day_w(d, r, v);
        double past_day = 0, y1_day = 0;
        size_t used = 0;
        for (size_t hh = 0; hh < s; hh++) {
            weather q = weather_past(d, r, v, hh);
            past_day += q.past / (double)s;
            y1_day += q.y1 / (double)s;
        }
        for (size_t l0 = 0; l0 < d->leads; l0 += s) {
            double fd = 0;
            for (size_t hh = 0; hh < s; hh++) fd += (double)w[l0 + hh] / (double)s;
            for (size_t hh = 0; hh < s; hh++) {
                weather q = weather_past(d, r, v, hh);
                q.past_day = past_day;
                q.y1_day = y1_day;
                used = weather_features(d->kind[v], (double)w[l0 + hh], fd, &q, out + (l0 + hh) * p + x->common + at);
            }
        }
        at += used;
    }
}

/* Mean of block b of a day of s steps. */
static double block(const float *w, size_t s, size_t b)
{
    size_t from = b * s / POINTS, to = (b + 1) * s / POINTS;
    double sum = 0;
    if (to == from) to = from + 1;
    for (size_t i = from; i < to; i++) sum += (double)w[i];
    return sum / (double)(to - from);
}

void ctw_forecast__dayx_kernel(const ctw_forecast__dayx *x, const ctw_forecast__days *d, size_t r, size_t j,
                               double *out)
{
    size_t s = d->s, at = 0;
    const double *y1 = ctw_forecast__day_z(d, r - 1);
    double week = 0;
    for (size_t hh = 0; hh < s; hh++) {
        double base = ctw_forecast__dayx_base(d, r, hh);
        out[at + hh] = y1[hh] - base;
        out[at + s + hh] = base;
        week += base / (double)s;
    }
    for (size_t hh = 0; hh < s; hh++) out[at + s + hh] -= week;
    at += 2 * s;
    out[at++] = week;
    for (size_t i = 0; i < x->kept; i++) {
        double whole = 0;
        for (size_t hh = 0; hh < s; hh++) whole += share_of(d, r - 1, hh, x->source[i]) / (double)s;
        out[at++] = whole;
    }
    for (size_t v = 0; v < d->nv; v++) {
        const float *w = ctw_forecast__day_w(d, r, v) + j * s, *w1 = ctw_forecast__day_w(d, r - 1, v);
        for (size_t b = 0; b < POINTS; b++) {
            double past = 0, f = block(w, s, b);
            for (size_t k = 1; k <= WEEK; k++) past += block(ctw_forecast__day_w(d, r - k, v), s, b) / WEEK;
            out[at + b] = f - past;
            out[at + POINTS + b] = f;
            out[at + 2 * POINTS + b] = block(w1, s, b) - past;
        }
        at += 3 * POINTS;
    }
    double cal[7];
    calendar_part(d, r, j * s + s / 2, cal);
    int w = weekday(start_of(d, r) - 43200);
    out[at++] = cal[0];
    out[at++] = cal[1];
    out[at++] = cal[2];
    out[at++] = w == 0 || w == 6;
    out[at++] = cal[3];
    out[at++] = cal[4];
}

static double kind_weight(int32_t kind)
{
    switch (kind) {
    case CTW_WEATHER_WIND: return 1.5;
    case CTW_WEATHER_SOLAR:
    case CTW_WEATHER_TEMPERATURE: return 1.0;
    case CTW_WEATHER_DEWPOINT: return 0.3;
    case CTW_WEATHER_RAIN: return 0.2;
    default: return 0.5;
    }
}

size_t ctw_forecast__dayx_groups(const ctw_forecast__dayx *x, const ctw_forecast__days *d, size_t *group,
                                 double *weight)
{
    size_t at = 0, g = 0;
#define GROUP(count, w)                                          \
    do {                                                         \
        for (size_t c_ = 0; c_ < (count); c_++) group[at++] = g; \
        weight[g++] = (w);                                       \
    } while (0)
    GROUP(d->s, 1.0);
    GROUP(d->s, 0.5);
    GROUP(1, 0.3);
    if (x->kept) GROUP(x->kept, 0.5);
    for (size_t v = 0; v < d->nv; v++) {
        double w = kind_weight(d->kind[v]);
        GROUP(POINTS, w);
        GROUP(POINTS, 0.5 * w);
        GROUP(POINTS, 0.4 * w);
    }
    GROUP(4, 1.0);
    GROUP(2, 0.5);
#undef GROUP
    return g;
}
