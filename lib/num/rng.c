/* rng.c: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC'11) and
 * the distributions drawn from it. Counter words: block number (64 bits), stream (64 bits). */
#include "num/rng.h"
#include <math.h>
#include <string.h>

static void philox_round(uint32_t c[4], const uint32_t k[2])
{
    uint64_t a = (uint64_t)0xD2511F53u * c[0], b = (uint64_t)0xCD9E8D57u * c[2];
    uint32_t n0 = (uint32_t)(b >> 32) ^ c[1] ^ k[0], n2 = (uint32_t)(a >> 32) ^ c[3] ^ k[1];
    c[0] = n0;
    c[1] = (uint32_t)b;
    c[2] = n2;
    c[3] = (uint32_t)a;
}

static void fill(ctw_num__rng *g)
{
    uint32_t c[4] = {(uint32_t)g->counter, (uint32_t)(g->counter >> 32), (uint32_t)g->stream,
                     (uint32_t)(g->stream >> 32)};
    uint32_t k[2] = {g->key[0], g->key[1]};
    for (int i = 0; i < 10; i++) {
        philox_round(c, k);
        k[0] += 0x9E3779B9u;
        k[1] += 0xBB67AE85u;
    }
    memcpy(g->block, c, sizeof c);
    g->counter++;
    g->used = 0;
}

void ctw_num__rng_init(ctw_num__rng *g, uint64_t seed, uint32_t module, uint64_t stream)
{
    /* SplitMix64's finaliser spreads (seed, module) over the key, so that near seeds are unrelated. */
    uint64_t z = seed + 0x9E3779B97F4A7C15u * ((uint64_t)module + 1);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    *g = (ctw_num__rng){.key = {(uint32_t)z, (uint32_t)(z >> 32)}, .stream = stream, .used = 4};
}

uint64_t ctw_num__rng_u64(ctw_num__rng *g)
{
    if (g->used >= 4) fill(g);
    uint64_t v = (uint64_t)g->block[g->used] | (uint64_t)g->block[g->used + 1] << 32;
    g->used += 2;
    return v;
}

double ctw_num__rng_uniform(ctw_num__rng *g)
{
    return (double)(ctw_num__rng_u64(g) >> 11) * 0x1p-53;
}

uint64_t ctw_num__rng_below(ctw_num__rng *g, uint64_t n)
{
    /* Lemire's multiply-and-reject, on 64 x 64 -> 128 bits. */
    __extension__ typedef unsigned __int128 u128;
    u128 m = (u128)ctw_num__rng_u64(g) * n;
    uint64_t threshold = (0 - n) % n;
    while ((uint64_t)m < threshold) m = (u128)ctw_num__rng_u64(g) * n;
    return (uint64_t)(m >> 64);
}

double ctw_num__rng_normal(ctw_num__rng *g)
{
    /* Marsaglia's polar method; the second value is dropped so that the position alone is the state. */
    for (;;) {
        double u = 2 * ctw_num__rng_uniform(g) - 1, v = 2 * ctw_num__rng_uniform(g) - 1, s = u * u + v * v;
        if (s > 0 && s < 1) return u * sqrt(-2 * log(s) / s);
    }
}

double ctw_num__rng_exponential(ctw_num__rng *g)
{
    return -log1p(-ctw_num__rng_uniform(g));
}

double ctw_num__rng_gamma(ctw_num__rng *g, double k)
{
    /* Marsaglia & Tsang, "A simple method for generating gamma variables", 2000; k < 1 by their boost. */
    double boost = 1;
    if (k < 1) {
        boost = pow(1 - ctw_num__rng_uniform(g), 1 / k);
        k += 1;
    }
    double d = k - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = ctw_num__rng_normal(g), v = 1 + c * x;
        if (v <= 0) continue;
        v = v * v * v;
        double u = 1 - ctw_num__rng_uniform(g);
        if (log(u) < 0.5 * x * x + d - d * v + d * log(v)) return boost * d * v;
    }
}

uint64_t ctw_num__rng_poisson(ctw_num__rng *g, double lambda)
{
    /* Splitting by a gamma variable (Ahrens & Dieter 1974) brings a large mean down; then multiplication. */
    uint64_t count = 0;
    while (lambda > 30) {
        uint64_t m = (uint64_t)(lambda * 7 / 8);
        double x = ctw_num__rng_gamma(g, (double)m);
        if (x > lambda) {
            /* the m-th event lies beyond: the first m-1 are uniform before it */
            double p = lambda / x;
            for (uint64_t i = 1; i < m; i++) count += ctw_num__rng_uniform(g) < p;
            return count;
        }
        count += m;
        lambda -= x;
    }
    double limit = exp(-lambda), product = 1 - ctw_num__rng_uniform(g);
    while (product > limit) {
        count++;
        product *= 1 - ctw_num__rng_uniform(g);
    }
    return count;
}

void ctw_num__rng_shuffle(ctw_num__rng *g, size_t *idx, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)ctw_num__rng_below(g, i), t = idx[i - 1];
        idx[i - 1] = idx[j];
        idx[j] = t;
    }
}

static void put(unsigned char *out, uint64_t v, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) out[i] = (unsigned char)(v >> (8 * i));
}

static uint64_t take(const unsigned char *in, size_t bytes)
{
    uint64_t v = 0;
    for (size_t i = 0; i < bytes; i++) v |= (uint64_t)in[i] << (8 * i);
    return v;
}

void ctw_num__rng_save(const ctw_num__rng *g, unsigned char out[CTW_RNG_STATE])
{
    put(out, g->key[0], 4);
    put(out + 4, g->key[1], 4);
    put(out + 8, g->counter, 8);
    put(out + 16, g->stream, 8);
    put(out + 24, g->used, 8);
}

int ctw_num__rng_load(ctw_num__rng *g, const unsigned char in[CTW_RNG_STATE])
{
    uint64_t used = take(in + 24, 8), counter = take(in + 8, 8);
    if (used > 4 || used % 2 || (counter == 0 && used != 4)) return -1;
    *g = (ctw_num__rng){.key = {(uint32_t)take(in, 4), (uint32_t)take(in + 4, 4)}, .stream = take(in + 16, 8)};
    g->counter = counter;
    g->used = 4;
    if (used < 4) {
        g->counter--;
        fill(g);
        g->used = (uint32_t)used;
    }
    return 0;
}
