/* rng.h: counter-based random streams (Philox4x32-10, Salmon et al., SC'11). A stream is named by
 * (context seed, module, option "stream"), so that handles never share randomness by accident and a
 * saved handle resumes from its counter. The algorithm is part of the file formats: never change it. */
#ifndef CTW_NUM_RNG_H
#define CTW_NUM_RNG_H

#include <stddef.h>
#include <stdint.h>

typedef struct ctw_num__rng {
    uint32_t key[2];
    uint64_t counter; /* next block */
    uint64_t stream;
    uint32_t block[4];
    uint32_t used; /* words of block already given out, 0..4 */
} ctw_num__rng;

void ctw_num__rng_init(ctw_num__rng *g, uint64_t seed, uint32_t module, uint64_t stream);
uint64_t ctw_num__rng_u64(ctw_num__rng *g);
/* Uniform in [0, 1), 53 bits. */
double ctw_num__rng_uniform(ctw_num__rng *g);
/* Unbiased integer in [0, n); n > 0. */
uint64_t ctw_num__rng_below(ctw_num__rng *g, uint64_t n);
double ctw_num__rng_normal(ctw_num__rng *g);
/* Mean 1. */
double ctw_num__rng_exponential(ctw_num__rng *g);
/* Shape k > 0, scale 1 (Marsaglia & Tsang 2000). */
double ctw_num__rng_gamma(ctw_num__rng *g, double k);
/* Mean lambda >= 0. */
uint64_t ctw_num__rng_poisson(ctw_num__rng *g, double lambda);
/* Fisher-Yates over indices. */
void ctw_num__rng_shuffle(ctw_num__rng *g, size_t *idx, size_t n);

/* Bytes of a saved stream state (key, counter, stream, used); position restored exactly. */
#define CTW_RNG_STATE 32
void ctw_num__rng_save(const ctw_num__rng *g, unsigned char out[CTW_RNG_STATE]);
/* 0, or -1 for a state that no stream can have. */
int ctw_num__rng_load(ctw_num__rng *g, const unsigned char in[CTW_RNG_STATE]);

#endif
