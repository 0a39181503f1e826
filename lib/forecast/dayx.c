/* dayx.c: features. Everything that has a level enters as a deviation from the seven days before, so the
 * models learn how a day differs from its week and keep working when the level moves. */
#include "forecast/dayx.h"

#include <math.h>
#include <string.h>

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

static size_t has_sun(const ctw_forecast__days *d)
{
    return d->cal && d->cal->sun;
}

static size_t has_holidays(const ctw_forecast__days *d)
{
    return d->cal && d->cal->n;
}

void ctw_forecast__dayx_count(ctw_forecast__dayx *x, const ctw_forecast__days *d)
{
    size_t wind = 0, temp = 0, solar = 0, sun = has_sun(d), holidays = has_holidays(d);
    for (size_t v = 0; v < d->nv; v++) {
        wind += d->kind[v] == CTW_WEATHER_WIND;
        temp += d->kind[v] == CTW_WEATHER_TEMPERATURE;
        solar += d->kind[v] == CTW_WEATHER_SOLAR;
    }
    x->common = 3 + POINTS + 1 + 1 + holidays + 2 * x->kept;
    x->special = 4 + 3 + 4 + x->kept + (d->ns ? 1 : 0) + 5 * d->nv + 2 * wind + 4 * temp + holidays + sun * (1 + solar);
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

/* Total of a step's generation. */
static double total_of(const double *e, size_t ns)
{
    double total = 0;
    for (size_t i = 0; i < ns; i++) total += e[i];
    return total > 0 ? total : 0.0;
}

/* Where the parts of an origin's shared numbers stand; see ctw_forecast__dayx_origin. */
typedef struct parts {
    size_t own; /* features of one step of the day */
    size_t step, base, clear, past, past_day, y1_day, day, size;
} parts;

static parts parts_of(const ctw_forecast__dayx *x, const ctw_forecast__days *d)
{
    parts a = {.own = 3 + x->kept + (d->ns ? 1 : 0)};
    a.step = x->common;
    a.base = a.step + d->s * a.own;
    a.clear = a.base + d->s;
    a.past = a.clear + has_sun(d) * d->s;
    a.past_day = a.past + d->nv * d->s;
    a.y1_day = a.past_day + d->nv;
    a.day = a.y1_day + d->nv;
    a.size = a.day + d->nv * (d->leads / d->s);
    return a;
}

size_t ctw_forecast__dayx_origin_size(const ctw_forecast__dayx *x, const ctw_forecast__days *d)
{
    return parts_of(x, d).size;
}

/* Features of each step of the day: yesterday and the day before against the week, shares, total generation. */
static void step_part(const ctw_forecast__dayx *x, const ctw_forecast__days *d, size_t r, const parts *a, double *o)
{
    for (size_t hh = 0; hh < d->s; hh++) {
        double *f = o + a->step + hh * a->own, base = ctw_forecast__dayx_base(d, r, hh);
        size_t at = 3 + x->kept;
        o[a->base + hh] = base;
        f[0] = ctw_forecast__day_z(d, r - 1)[hh] - base;
        f[1] = ctw_forecast__day_z(d, r - 2)[hh] - base;
        f[2] = base;
        for (size_t i = 3; i < a->own; i++) f[i] = 0;
        for (size_t k = 1; d->ns && k <= WEEK; k++) {
            const double *e = ctw_forecast__day_src(d, r - k, hh);
            double total = total_of(e, d->ns), level = log1p(total), own = k == 1 ? 1.0 : 0.0;
            for (size_t i = 0; total > 0 && i < x->kept; i++) f[3 + i] += e[x->source[i]] / total * (own - 1.0 / WEEK);
            f[at] += level * (own - 1.0 / WEEK);
        }
    }
}

static void common_part(const ctw_forecast__dayx *x, const ctw_forecast__days *d, size_t r, const parts *a, double *f)
{
    size_t s = d->s, j = 0, last = s / 8 ? s / 8 : 1;
    const double *y1 = ctw_forecast__day_z(d, r - 1), *y2 = ctw_forecast__day_z(d, r - 2), *base = f + a->base;
    double week = mean(base, s);
    f[j++] = mean(y1, s) - week;
    f[j++] = mean(y2, s) - week;
    f[j++] = week;
    for (size_t k = 0; k < POINTS; k++) {
        size_t hh = s - 1 - k * s / POINTS;
        f[j++] = y1[hh] - base[hh];
    }
    f[j++] = y1[s - 1] - y1[s - 1 - (last < s ? last : 0)];
    int w = weekday(start_of(d, r) - 43200);
    f[j++] = w == 0 || w == 6;
    if (has_holidays(d)) f[j++] = ctw_forecast__calendar_holiday(d->cal, start_of(d, r) - 43200);
    double *whole = f + j, *now = f + j + 1;
    for (size_t i = 0; i < 2 * x->kept; i++) f[j + i] = 0;
    for (size_t hh = 0; hh < s && x->kept; hh++) {
        const double *e = ctw_forecast__day_src(d, r - 1, hh), *step = f + a->step + hh * a->own + 3;
        double total = total_of(e, d->ns);
        for (size_t i = 0; i < x->kept; i++) {
            if (total > 0) whole[2 * i] += e[x->source[i]] / total / (double)s;
            if (hh >= s - last) now[2 * i] += step[i] / (double)last;
        }
    }
    for (size_t hh = 0; hh < s; hh++) f[a->step + hh * a->own + 2] -= week;
}

/* The past week's day-ahead weather forecasts of each step, their day means, and the means of the days to come. */
static void weather_part(const ctw_forecast__days *d, size_t r, const parts *a, double *o)
{
    size_t s = d->s, days = d->leads / s;
    for (size_t v = 0; v < d->nv; v++) {
        double *past = o + a->past + v * s;
        const float *w = ctw_forecast__day_w(d, r, v), *y1 = ctw_forecast__day_w(d, r - 1, v);
        for (size_t hh = 0; hh < s; hh++) past[hh] = 0;
        for (size_t k = 1; k <= WEEK; k++) {
            const float *wk = ctw_forecast__day_w(d, r - k, v);
            for (size_t hh = 0; hh < s; hh++) past[hh] += (double)wk[hh] / WEEK;
        }
        o[a->past_day + v] = mean(past, s);
        double sum = 0;
        for (size_t hh = 0; hh < s; hh++) sum += (double)y1[hh];
        o[a->y1_day + v] = sum / (double)s;
        for (size_t j = 0; j < days; j++) {
            sum = 0;
            for (size_t hh = 0; hh < s; hh++) sum += (double)w[j * s + hh];
            o[a->day + v * days + j] = sum / (double)s;
        }
    }
}

/* The sun of the middle of the past week, or of a step to come. */
static double clear_sky(const ctw_forecast__days *d, size_t day, size_t step)
{
    return ctw_forecast__calendar_clear(d->cal, start_of(d, day) - d->shift + (int64_t)step * d->step, d->step);
}

/* Share of the clear sky's irradiance that is foreseen. */
static double clearness(double irradiance, double clear)
{
    double c = clear > 0.03 ? irradiance / (1000 * clear) : 0.0;
    return c > 1.5 ? 1.5 : c;
}

void ctw_forecast__dayx_origin(const ctw_forecast__dayx *x, const ctw_forecast__days *d, size_t r, double *out)
{
    parts a = parts_of(x, d);
    step_part(x, d, r, &a, out);
    common_part(x, d, r, &a, out);
    weather_part(d, r, &a, out);
    for (size_t hh = 0; has_sun(d) && hh < d->s; hh++) out[a.clear + hh] = clear_sky(d, r - 4, hh);
}

/* What the features of one weather variable at one lead are made of: the past week's and yesterday's day-ahead
 * forecasts of that step, and their day means. */
typedef struct weather {
    double past, y1, past_day, y1_day;
} weather;

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

void ctw_forecast__dayx_row(const ctw_forecast__dayx *x, const ctw_forecast__days *d, size_t r, const double *origin,
                            size_t lead, double *out)
{
    parts a = parts_of(x, d);
    size_t s = d->s, hh = lead % s, j = lead / s, days = d->leads / s, at = x->common;
    memcpy(out, origin, x->common * sizeof *out);
    memcpy(out + at, origin + a.step + hh * a.own, a.own * sizeof *out);
    at += a.own;
    out[at++] = ctw_forecast__day_z(d, r - WEEK + j % WEEK)[hh] - origin[a.base + hh];
    at += calendar_part(d, r, lead, out + at);
    if (has_holidays(d)) out[at++] = ctw_forecast__calendar_holiday(d->cal, start_of(d, r) + (int64_t)lead * d->step);
    double clear = has_sun(d) ? clear_sky(d, r, lead) : 0, usual = has_sun(d) ? origin[a.clear + hh] : 0;
    if (has_sun(d)) out[at++] = clear - usual;
    for (size_t v = 0; v < d->nv; v++) {
        weather q = {origin[a.past + v * s + hh], (double)ctw_forecast__day_w(d, r - 1, v)[hh], origin[a.past_day + v],
                     origin[a.y1_day + v]};
        at += weather_features(d->kind[v], (double)ctw_forecast__day_w(d, r, v)[lead], origin[a.day + v * days + j], &q,
                               out + at);
        if (has_sun(d) && d->kind[v] == CTW_WEATHER_SOLAR)
            out[at++] = clearness((double)ctw_forecast__day_w(d, r, v)[lead], clear) - clearness(q.past, usual);
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
        for (size_t hh = 0; hh < s; hh++) {
            const double *e = ctw_forecast__day_src(d, r - 1, hh);
            double total = total_of(e, d->ns);
            if (total > 0) whole += e[x->source[i]] / total / (double)s;
        }
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
    if (has_holidays(d) &&
        ctw_forecast__calendar_holiday(d->cal, start_of(d, r) + (int64_t)(j * s + s / 2) * d->step)) {
        cal[0] = cal[2] = 0; /* the kernel takes a holiday for a Sunday */
        cal[1] = 1;
    }
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
