/* region.h: a made-up region for tests: wind and sun drive the mix of four sources, weather is forecast daily with
 * an error that grows with the lead. */
#ifndef CTW_TEST_REGION_H
#define CTW_TEST_REGION_H

#include "series.h"
#include <cybertwin/cybertwin.h>
#include <stdlib.h>

#define REGION_START 1609459200 /* 2021-01-01T00:00Z */

typedef struct ctw_test_region {
    size_t hours;
    double *ci, *src; /* hours; hours x 4: gas, coal, wind, solar */
    double *wind, *sun;
} ctw_test_region;

static inline void ctw_test_region_make(ctw_test_region *r, size_t days, uint64_t seed)
{
    const double factor[4] = {490, 820, 11, 45};
    double w = 0, cloud = 0, load = 0;
    size_t n = days * 24;
    r->hours = n;
    r->ci = malloc(n * sizeof(double));
    r->src = malloc(4 * n * sizeof(double));
    r->wind = malloc(n * sizeof(double));
    r->sun = malloc(n * sizeof(double));
    for (size_t t = 0; t < n; t++) {
        double hour = (double)(t % 24), noon = cos(2 * M_PI * (hour - 12) / 24);
        w = 0.97 * w + 0.25 * (ctw_test_noise(&seed) - 0.5) * 2;
        cloud = 0.95 * cloud + 0.1 * ctw_test_noise(&seed);
        load = 0.9 * load + 0.02 * (ctw_test_noise(&seed) - 0.5);
        r->wind[t] = 7 * exp(0.5 * w);
        r->sun[t] = noon > 0 ? 800 * noon * (1.2 - 0.4 * cloud) : 0;
        double demand = 100 * (1 + 0.15 * noon + load) * (t / 24 % 7 >= 5 ? 0.9 : 1.0);
        double wind = fmin(r->wind[t] * r->wind[t] * 0.5, 60), solar = fmax(r->sun[t] * 0.03, 0);
        double rest = fmax(demand - wind - solar, 5), *e = r->src + 4 * t, sum = 0;
        e[0] = 0.6 * rest;
        e[1] = 0.4 * rest;
        e[2] = wind;
        e[3] = solar;
        r->ci[t] = 0;
        for (int i = 0; i < 4; i++) {
            r->ci[t] += e[i] * factor[i];
            sum += e[i];
        }
        r->ci[t] /= sum;
    }
}

static inline void ctw_test_region_free(ctw_test_region *r)
{
    free(r->ci);
    free(r->src);
    free(r->wind);
    free(r->sun);
}

/* Rows and weather issues of the region into a fresh feed. `after`: from that hour on everything is falsified. */
static inline ctw_status ctw_test_region_feed(ctw_ctx *ctx, const ctw_test_region *r, size_t after, ctw_feed **out)
{
    static const char *name[4] = {"gas", "coal", "wind", "solar"};
    uint64_t seed = 99;
    ctw_status s = ctw_feed_new(ctx, 3600, out);
    for (int i = 0; s == CTW_OK && i < 4; i++) s = ctw_feed_add_source(*out, name[i], i == 1 ? 820.0 : NAN);
    if (s == CTW_OK) s = ctw_feed_add_weather(*out, "wind", CTW_WEATHER_WIND);
    if (s == CTW_OK) s = ctw_feed_add_weather(*out, "sun", CTW_WEATHER_SOLAR);
    for (size_t t = 0; s == CTW_OK && t < r->hours; t++) {
        double e[4], f = t >= after ? 1.7 : 1.0;
        for (int i = 0; i < 4; i++) e[i] = r->src[4 * t + (size_t)i] * f;
        s = ctw_feed_put(*out, REGION_START + (int64_t)t * 3600, r->ci[t] * f, e);
    }
    for (size_t t = 0; s == CTW_OK && t + 24 <= r->hours; t += 24) {
        double lead[2][32];
        for (size_t k = 0; k < 32; k++) {
            size_t at = t + 3 * (k + 1) < r->hours ? t + 3 * (k + 1) : r->hours - 1;
            double f = t > after ? 3.0 : 1.0, error = 0.01 * (double)(k + 1) * (ctw_test_noise(&seed) - 0.5);
            lead[0][k] = f * r->wind[at] * exp(error);
            lead[1][k] = f * (r->sun[at] + (at ? r->sun[at - 1] : 0) + (at > 1 ? r->sun[at - 2] : 0)) / 3;
        }
        s = ctw_feed_put_weather(*out, REGION_START + (int64_t)t * 3600, 0, 10800, lead[0], 32);
        if (s == CTW_OK) s = ctw_feed_put_weather(*out, REGION_START + (int64_t)t * 3600, 1, 10800, lead[1], 32);
    }
    if (s != CTW_OK) {
        ctw_feed_unref(*out);
        *out = NULL;
    }
    return s;
}

#endif
