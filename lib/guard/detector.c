/* detector.c: sequential change detection: CUSUM (Page 1954), Page-Hinkley (Hinkley 1971), EWMA (Roberts 1959).
 * All three work on z = (x - mean)/sd and keep two sides, of which the option "side" listens to one or both. */
#include "base/ctx.h"
#include "base/handle.h"
#include "guard/guard_params.h"
#include <cybertwin/guard.h>
#include <float.h>
#include <math.h>

#define MAGIC CTW_FOUR('D', 'T', 'C', 'T')

enum { CUSUM, PAGE_HINKLEY, EWMA };
enum { UPPER, LOWER, BOTH };

struct ctw_detector {
    ctw_base__handle h;
    int method, side;
    double drift, limit, weight, mean0, sd0;
    uint64_t learn;
    struct detector_state {
        double mean, sd;
        uint64_t learned;
        double m2;       /* sum of squares while learning */
        double up, down; /* statistics of the two sides */
        double run_mean; /* page-hinkley: running mean of z; ewma: the average */
        uint64_t n;      /* values since the last start */
    } s;
};

static void destroy(ctw_detector *d)
{
    (void)d;
}

CTW_DEFINE_REFS(ctw_detector, destroy)

static void restart(ctw_detector *d)
{
    d->s.up = d->s.down = d->s.run_mean = 0.0;
    d->s.n = 0;
}

ctw_status ctw_detector_new(ctw_ctx *ctx, const ctw_params *params, ctw_detector **out)
{
    static const char fn[] = "ctw_detector_new";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    CTW_TRY(ctw_base__params_check(params, &ctw_detector__kind, fn));
    ctw_detector *d = ctw_base__handle_new(ctx, sizeof *d, MAGIC);
    if (!d) return CTW_E_NOMEM;
    d->method = ctw_base__opt_choice(params, &ctw_detector__kind, "method");
    d->side = ctw_base__opt_choice(params, &ctw_detector__kind, "side");
    d->drift = ctw_base__opt_f64(params, &ctw_detector__kind, "drift");
    d->limit = ctw_base__opt_f64(params, &ctw_detector__kind, "limit");
    d->weight = ctw_base__opt_f64(params, &ctw_detector__kind, "weight");
    d->mean0 = ctw_base__opt_f64(params, &ctw_detector__kind, "mean");
    d->sd0 = ctw_base__opt_f64(params, &ctw_detector__kind, "sd");
    d->learn = (uint64_t)ctw_base__opt_i64(params, &ctw_detector__kind, "learn");
    d->s.mean = d->mean0;
    d->s.sd = d->sd0;
    *out = d;
    return CTW_OK;
}

/* Welford; at the last of the learning values mean and sd are set. */
static void learn(ctw_detector *d, double x)
{
    if (d->s.learned == 0) d->s.mean = d->s.m2 = 0.0;
    d->s.learned++;
    double delta = x - d->s.mean;
    d->s.mean += delta / (double)d->s.learned;
    d->s.m2 += delta * (x - d->s.mean);
    if (d->s.learned == d->learn) {
        double sd = d->s.learned > 1 ? sqrt(d->s.m2 / (double)(d->s.learned - 1)) : 0.0;
        d->s.sd = fmax(sd, 1e-9 * fmax(1.0, fabs(d->s.mean)));
    }
}

static void advance(ctw_detector *d, double z)
{
    d->s.n++;
    switch (d->method) {
    case PAGE_HINKLEY:
        d->s.run_mean += (z - d->s.run_mean) / (double)d->s.n;
        d->s.up = fmax(0.0, d->s.up + z - d->s.run_mean - d->drift);
        d->s.down = fmax(0.0, d->s.down - z + d->s.run_mean - d->drift);
        break;
    case EWMA: {
        d->s.run_mean += d->weight * (z - d->s.run_mean);
        /* in units of its own standard deviation, exact from the first value on */
        double left = pow(1.0 - d->weight, 2.0 * (double)d->s.n);
        double t = d->s.run_mean / sqrt(d->weight / (2.0 - d->weight) * (1.0 - left));
        d->s.up = fmax(0.0, t);
        d->s.down = fmax(0.0, -t);
        break;
    }
    default: d->s.up = fmax(0.0, d->s.up + z - d->drift); d->s.down = fmax(0.0, d->s.down - z - d->drift);
    }
}

static int32_t alarm(const ctw_detector *d)
{
    if (d->side != LOWER && d->s.up > d->limit) return 1;
    if (d->side != UPPER && d->s.down > d->limit) return -1;
    return 0;
}

/* The same as advance and alarm for CUSUM, with the statistics in registers; stops before a value that is not finite.
 * Returns how many values were taken. */
static uint64_t run_cusum(ctw_detector *d, const double *x, uint64_t n, int32_t *out_alarm)
{
    const double mean = d->s.mean, scale = 1.0 / d->s.sd, drift = d->drift;
    const double hi = d->side == LOWER ? INFINITY : d->limit, lo = d->side == UPPER ? INFINITY : d->limit;
    double up = d->s.up, down = d->s.down;
    uint64_t i = 0;
    while (i < n && isfinite(x[i])) {
        double z = (x[i] - mean) * scale;
        z = z > 1e300 ? 1e300 : z < -1e300 ? -1e300 : z;
        double a = up + (z - drift), b = down - (z + drift); /* one addition from value to value */
        up = a > 0.0 ? a : 0.0;
        down = b > 0.0 ? b : 0.0;
        i++;
        if (up > hi || down > lo) {
            *out_alarm = up > hi ? 1 : -1;
            break;
        }
    }
    d->s.up = up;
    d->s.down = down;
    d->s.n += i;
    return i;
}

ctw_status ctw_detector_push(ctw_detector *d, const double *x, uint64_t n, uint64_t *out_used, int32_t *out_alarm)
{
    static const char fn[] = "ctw_detector_push";
    CTW_TRY(ctw_base__handle_enter(d ? &d->h : NULL, MAGIC, fn, "d"));
    ctw_status s = ctw_base__need_n(x, n, fn, "x");
    struct detector_state before = d->s; /* a bad value undoes the call: looking ahead would read what is not used */
    uint64_t i = 0;
    int32_t a = 0;
    while (s == CTW_OK && a == 0 && i < n) {
        double v = x[i];
        if (!isfinite(v)) {
            s = ctw_base__fail(CTW_E_NONFINITE, "%s: x[%llu] is %g, must be finite", fn, (unsigned long long)i, v);
            break;
        }
        if (d->s.learned < d->learn) {
            learn(d, v);
            i++;
            continue;
        }
        if (d->method == CUSUM) {
            i += run_cusum(d, x + i, n - i, &a);
            if (a != 0) restart(d);
            continue;
        }
        i++;
        /* values that overflow the scale are as far out as a number can be */
        double z = (v - d->s.mean) / d->s.sd;
        advance(d, fmin(fmax(z, -1e300), 1e300));
        a = alarm(d);
        if (a != 0) restart(d);
    }
    if (s != CTW_OK) d->s = before;
    if (s == CTW_OK && out_used) *out_used = i;
    if (s == CTW_OK && out_alarm) *out_alarm = a;
    ctw_base__handle_leave(&d->h);
    return s;
}

ctw_status ctw_detector_level(const ctw_detector *d, double *out)
{
    CTW_TRY(ctw_base__handle_check(d ? &d->h : NULL, MAGIC, "ctw_detector_level", "d"));
    CTW_TRY(ctw_base__need(out, "ctw_detector_level", "out"));
    double up = d->side == LOWER ? 0.0 : d->s.up, down = d->side == UPPER ? 0.0 : d->s.down;
    *out = fmax(up, down) / d->limit;
    return CTW_OK;
}

ctw_status ctw_detector_reset(ctw_detector *d)
{
    CTW_TRY(ctw_base__handle_enter(d ? &d->h : NULL, MAGIC, "ctw_detector_reset", "d"));
    restart(d);
    d->s.learned = 0;
    d->s.mean = d->mean0;
    d->s.sd = d->sd0;
    ctw_base__handle_leave(&d->h);
    return CTW_OK;
}
