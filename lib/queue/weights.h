/* weights.h: the weights of one head, 16 bits each (value = unit * w), which loses nothing measurable. Buckets of eight
 * carry a byte of each feature's hash beside its weight, so that a word never seen in training adds nothing (one time
 * in thirty it is taken for another) instead of the weight of whatever shares its column. */
#ifndef CTW_QUEUE_WEIGHTS_H
#define CTW_QUEUE_WEIGHTS_H

#include <stddef.h>
#include <stdint.h>

#define CTW_WEIGHTS_WAYS 8u

typedef struct ctw_queue__bucket {
    uint8_t tag[CTW_WEIGHTS_WAYS]; /* 0: empty */
    int16_t w[CTW_WEIGHTS_WAYS];
} ctw_queue__bucket;

/* Buckets of a table for 2^bits weights, bits in [8, 18]; and the codes, of bucket and tag, that it tells apart. */
static inline size_t ctw_queue__buckets(int64_t bits)
{
    return (size_t)1 << (bits - 3);
}

static inline size_t ctw_queue__codes(int64_t bits)
{
    return (size_t)1 << (bits + 5);
}

/* Code of a feature: bucket over tag, the tag never 0. */
static inline uint32_t ctw_queue__code(uint32_t feature, int64_t bits)
{
    uint32_t c = feature >> (27 - bits);
    return c & 255u ? c : c | 1u;
}

static inline uint64_t ctw_queue__tags(const ctw_queue__bucket *b)
{
    const uint8_t *t = b->tag; /* written out: compilers then make one load of it, on any byte order the same number */
    return (uint64_t)t[0] | (uint64_t)t[1] << 8 | (uint64_t)t[2] << 16 | (uint64_t)t[3] << 24 | (uint64_t)t[4] << 32 |
           (uint64_t)t[5] << 40 | (uint64_t)t[6] << 48 | (uint64_t)t[7] << 56;
}

/* 0 for a code that is not there. The lowest zero byte of a word is found exactly by the carry trick. */
static inline int16_t ctw_queue__weight(const ctw_queue__bucket *table, uint32_t code)
{
    const uint64_t ones = 0x0101010101010101u;
    const ctw_queue__bucket *b = &table[code >> 8];
    uint64_t x = ctw_queue__tags(b) ^ (code & 255u) * ones;
    uint64_t hit = (x - ones) & ~x & ones << 7;
    return hit ? b->w[__builtin_ctzll(hit) / 8] : 0;
}

/* Fills an empty table with n weights of ascending distinct codes, plus `share` times those of `base` (may be NULL).
 * A bucket that overflows keeps the largest. Returns the unit. */
double ctw_queue__weights_fill(ctw_queue__bucket *table, size_t buckets, const uint32_t *code, const double *weight,
                               size_t n, const ctw_queue__bucket *base, double share);

#endif
