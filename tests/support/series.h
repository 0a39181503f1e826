/* series.h: made-up series for the forecast tests: a daily wave, a weekly one, noise, holes. */
#ifndef CTW_TEST_SERIES_H
#define CTW_TEST_SERIES_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

/* A small multiplicative generator, enough for test noise: uniform in [0, 1). */
static inline double ctw_test_noise(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 11) / 9007199254740992.0;
}

/* Carbon-like: positive, level `level`, daily and weekly waves, autocorrelated noise of share `noise`. */
static inline void ctw_test_carbon(double *y, size_t n, double level, double noise, uint64_t seed)
{
    double e = 0;
    for (size_t t = 0; t < n; t++) {
        double day = 2 * M_PI * (double)(t % 24) / 24, week = t / 24 % 7 >= 5 ? -0.1 : 0.0;
        e = 0.9 * e + noise * (ctw_test_noise(&seed) - 0.5);
        y[t] = level * exp(0.3 * cos(day) + 0.1 * sin(2 * day) + week + e);
    }
}

#endif
