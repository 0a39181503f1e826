/* forecast_checks.c: what ctw-bench forecast verifies besides errors: that nothing after an origin can move its
 * forecast, that a saved model forecasts the same bits, how good scenarios and ranks are. */
#include "forecast_checks.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SCENARIOS 50

/* Splitmix64: the bench's own noise, independent of the library. */
static double noise(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

static double distance(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sqrt(sum);
}

static double energy(const double *x, const double *y, size_t h)
{
    double to = 0, within = 0;
    for (size_t i = 0; i < SCENARIOS; i++) {
        to += distance(x + i * h, y, h);
        for (size_t k = 0; k < i; k++) within += distance(x + i * h, x + k * h, h);
    }
    return to / SCENARIOS - within / (SCENARIOS * SCENARIOS);
}

void forecast_energy(ctw_forecast *f, const double *y, size_t h, uint64_t turn, double *joint, double *independent)
{
    double *x = bench_alloc(SCENARIOS * h, sizeof *x);
    uint64_t state = turn;
    bench_ok(ctw_forecast_scenarios(f, h, SCENARIOS, turn, x, h), "scenarios");
    *joint += energy(x, y, h);
    /* The same values at every lead, but shuffled among the scenarios: equal margins, no dependence. */
    for (size_t l = 0; l < h; l++)
        for (size_t i = SCENARIOS - 1; i > 0; i--) {
            size_t k = (size_t)(noise(&state) * (double)(i + 1));
            double t = x[i * h + l];
            x[i * h + l] = x[k * h + l];
            x[k * h + l] = t;
        }
    *independent += energy(x, y, h);
    free(x);
}

/* Ranks, ties averaged; n is small. */
static void ranks(const double *v, size_t n, double *r)
{
    for (size_t i = 0; i < n; i++) {
        r[i] = 0;
        for (size_t k = 0; k < n; k++) r[i] += v[k] < v[i] ? 1.0 : v[k] == v[i] ? 0.5 : 0.0;
    }
}

double forecast_spearman(const double *a, const double *b, size_t n)
{
    double *r = bench_alloc(2 * n, sizeof *r), ab = 0, aa = 0, bb = 0, mid = (double)n / 2;
    ranks(a, n, r);
    ranks(b, n, r + n);
    for (size_t i = 0; i < n; i++) {
        double x = r[i] - mid, y = r[n + i] - mid;
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    free(r);
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
}

static void predict(bench *b, const ctw_params *p, const ctw_feed *feed, int64_t fit_at, int64_t now, size_t h,
                    double *out)
{
    ctw_forecast *f = NULL;
    bench_ok(ctw_forecast_new(b->ctx, p, &f), "options");
    bench_ok(ctw_forecast_fit_feed(f, feed, fit_at, NULL), "fit");
    bench_ok(ctw_forecast_update_feed(f, feed, now), "update");
    bench_ok(ctw_forecast_predict(f, h, 0.9, NULL, 0, out, out + h, out + 2 * h), "predict");
    ctw_forecast_unref(f);
}

/* Everything from `now` on becomes noise; weather issued after it is off by a factor. */
static void spoil(ctw_feed *feed, int64_t now)
{
    uint64_t n = ctw_feed_rows(feed), ns, state = 7;
    int64_t start = ctw_feed_start(feed), step = (int64_t)ctw_feed_step(feed);
    double v, e[64];
    bench_ok(ctw_feed_counts(feed, &ns, NULL, NULL, NULL), "counts");
    for (uint64_t i = (uint64_t)((now - start) / step); i < n; i++) {
        bench_ok(ctw_feed_row(feed, i, &v, e), "row");
        for (uint64_t k = 0; k < ns; k++) e[k] *= 0.5 + noise(&state);
        bench_ok(ctw_feed_put(feed, start + (int64_t)i * step, v * (0.5 + noise(&state)), e), "row");
    }
}

static void spoil_weather(ctw_feed *feed, int64_t now, int64_t end)
{
    uint64_t nv, ni, state = 9;
    double lead[32];
    bench_ok(ctw_feed_counts(feed, NULL, &nv, &ni, NULL), "counts");
    if (!ni) return;
    for (int64_t t = now + 86400; t < end; t += 86400)
        for (uint64_t v = 0; v < nv; v++) {
            for (int k = 0; k < 32; k++) lead[k] = 1000 * noise(&state);
            ctw_status s = ctw_feed_put_weather(feed, t, v, 10800, lead, 32);
            if (s != CTW_E_SHAPE) bench_ok(s, "weather");
        }
}

size_t forecast_causality(bench *b, const ctw_params *p, ctw_feed *(*load)(bench *b, void *how), void *how,
                          const int64_t *origin, size_t n, size_t h)
{
    double *a = bench_alloc(6 * h, sizeof *a), *c = a + 3 * h;
    size_t changed = 0;
    for (size_t i = 0; i < n; i++) {
        ctw_feed *feed = load(b, how);
        int64_t end = ctw_feed_start(feed) + (int64_t)ctw_feed_rows(feed) * (int64_t)ctw_feed_step(feed);
        predict(b, p, feed, origin[i] - 5 * 86400, origin[i], h, a);
        spoil(feed, origin[i]);
        spoil_weather(feed, origin[i], end);
        predict(b, p, feed, origin[i] - 5 * 86400, origin[i], h, c);
        for (size_t k = 0; k < 3 * h; k++) changed += memcmp(a + k, c + k, sizeof *a) != 0;
        ctw_feed_unref(feed);
    }
    free(a);
    return changed;
}

void forecast_fleet(bench *b, const ctw_params *p, const ctw_feed *feed, size_t n, size_t h)
{
    uint64_t need = 0;
    ctw_forecast **f = bench_alloc(n, sizeof(ctw_forecast *));
    double *out = bench_alloc(3 * n * h, sizeof *out);
    int64_t end = ctw_feed_start(feed) + (int64_t)ctw_feed_rows(feed) * (int64_t)ctw_feed_step(feed);
    bench_ok(ctw_forecast_new(b->ctx, p, f), "options");
    bench_ok(ctw_forecast_fit_feed(f[0], feed, end, NULL), "fit");
    bench_ok(ctw_forecast_save_mem(f[0], NULL, 0, &need), "save");
    void *buf = bench_alloc((size_t)need, 1);
    bench_ok(ctw_forecast_save_mem(f[0], buf, need, &need), "save");
    for (size_t i = 1; i < n; i++) bench_ok(ctw_forecast_load_mem(b->ctx, buf, need, f + i), "load");
    double t0 = bench_cpu_s();
    bench_ok(ctw_forecast_refit_batch(f, n, 0, 1, NULL), "refit");
    double t1 = bench_cpu_s();
    bench_ok(
        ctw_forecast_predict_batch((const ctw_forecast *const *)f, n, h, 0.9, out, out + n * h, out + 2 * n * h, h),
        "predict");
    double t2 = bench_cpu_s();
    bench_begin(b);
    bench_out_i64("models", (int64_t)n);
    bench_out_i64("horizon_h", (int64_t)h);
    bench_out_f64("refit_all_s", t1 - t0);
    bench_out_f64("predict_all_s", t2 - t1);
    bench_end();
    for (size_t i = 0; i < n; i++) ctw_forecast_unref(f[i]);
    free(buf);
    free(out);
    free(f);
}

int forecast_reload_equal(bench *b, const ctw_forecast *f, size_t h)
{
    uint64_t need = 0;
    ctw_forecast *g = NULL;
    double *a = bench_alloc(6 * h, sizeof *a), *c = a + 3 * h;
    bench_ok(ctw_forecast_save_mem(f, NULL, 0, &need), "save");
    void *buf = bench_alloc((size_t)need, 1);
    bench_ok(ctw_forecast_save_mem(f, buf, need, &need), "save");
    bench_ok(ctw_forecast_load_mem(b->ctx, buf, need, &g), "load");
    bench_ok(ctw_forecast_predict(f, h, 0.9, NULL, 0, a, a + h, a + 2 * h), "predict");
    bench_ok(ctw_forecast_predict(g, h, 0.9, NULL, 0, c, c + h, c + 2 * h), "predict");
    int equal = memcmp(a, c, 3 * h * sizeof *a) == 0;
    ctw_forecast_unref(g);
    free(buf);
    free(a);
    return equal;
}
