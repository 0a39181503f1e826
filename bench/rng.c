/* rng.c: random numbers of the environments. */
#include "rng.h"
#include <math.h>

static uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

void bench_rng_seed(bench_rng *g, uint64_t seed, uint64_t stream)
{
    uint64_t z = seed * 0x9e3779b97f4a7c15u ^ stream * 0xd1342543de82ef95u;
    for (int i = 0; i < 4; i++) {
        uint64_t x = z += 0x9e3779b97f4a7c15u;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
        g->s[i] = x ^ (x >> 31);
    }
}

uint64_t bench_rng_u64(bench_rng *g)
{
    uint64_t *s = g->s, r = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return r;
}

double bench_rng_u(bench_rng *g)
{
    return (double)(bench_rng_u64(g) >> 11) * 0x1p-53;
}

double bench_rng_normal(bench_rng *g)
{
    double u = 1.0 - bench_rng_u(g), v = bench_rng_u(g);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

int64_t bench_rng_below(bench_rng *g, int64_t n)
{
    return (int64_t)(((bench_rng_u64(g) >> 32) * (uint64_t)n) >> 32);
}

/* Marsaglia and Tsang (2000); shape >= 1. */
static double gamma_draw(bench_rng *g, double shape)
{
    double d = shape - 1.0 / 3.0, c = 1.0 / sqrt(9.0 * d);
    for (;;) {
        double x = bench_rng_normal(g), v = 1.0 + c * x;
        if (v <= 0.0) continue;
        v = v * v * v;
        if (log(1.0 - bench_rng_u(g)) < 0.5 * x * x + d - d * v + d * log(v)) return d * v;
    }
}

double bench_rng_positive(bench_rng *g, double mean, double c2)
{
    if (c2 < 1e-6) return mean;
    if (c2 == 1.0) return -mean * log(1.0 - bench_rng_u(g));
    if (c2 < 1.0) return mean * c2 * gamma_draw(g, 1.0 / c2);
    double p = 0.5 * (1.0 + sqrt((c2 - 1.0) / (c2 + 1.0))), which = bench_rng_u(g);
    double branch = which < p ? 0.5 * mean / p : 0.5 * mean / (1.0 - p);
    return -branch * log(1.0 - bench_rng_u(g));
}
