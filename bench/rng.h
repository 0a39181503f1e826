/* rng.h: the environments' own random numbers, xoshiro256** (Blackman and Vigna): their randomness is theirs, not the
 * library's. */
#ifndef CTW_BENCH_RNG_H
#define CTW_BENCH_RNG_H

#include <stdint.h>

typedef struct bench_rng {
    uint64_t s[4];
} bench_rng;
void bench_rng_seed(bench_rng *g, uint64_t seed, uint64_t stream);
uint64_t bench_rng_u64(bench_rng *g);
double bench_rng_u(bench_rng *g); /* [0, 1) */
double bench_rng_normal(bench_rng *g);
int64_t bench_rng_below(bench_rng *g, int64_t n);
/* Positive, of this mean and squared coefficient of variation: constant (0), gamma (up to 1), or hyperexponential with
 * balanced means (above). */
double bench_rng_positive(bench_rng *g, double mean, double c2);

#endif
