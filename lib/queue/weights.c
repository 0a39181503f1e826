/* weights.c: from fitted weights to the table that predictions read. A bucket is laid out by tag first, where the
 * weights of two sources meet, and its largest are then kept. */
#include "queue/weights.h"
#include <math.h>
#include <stdlib.h>

#define TAGS 256u

/* Adds up one bucket by tag; returns the first of the n weights that belongs to a later bucket. */
static size_t lay_out(double *sum, size_t at, const uint32_t *code, const double *weight, size_t n, size_t from,
                      const ctw_queue__bucket *base, double share)
{
    for (unsigned t = 0; t < TAGS; t++) sum[t] = 0;
    for (unsigned i = 0; base && i < CTW_WEIGHTS_WAYS; i++)
        if (base->tag[i]) sum[base->tag[i]] += share * base->w[i];
    for (; from < n && code[from] >> 8 == at; from++) sum[code[from] & 255u] += weight[from];
    return from;
}

static void keep_largest(const double *sum, double unit, ctw_queue__bucket *b)
{
    unsigned n = 0;
    for (unsigned t = 1; t < TAGS; t++) {
        int16_t w = (int16_t)lrint(sum[t] / unit);
        if (!w) continue;
        unsigned i = n < CTW_WEIGHTS_WAYS ? n++ : 0;
        if (b->tag[i]) { /* full: in place of the smallest, if that is smaller */
            for (unsigned k = 1; k < CTW_WEIGHTS_WAYS; k++)
                if (abs(b->w[k]) < abs(b->w[i])) i = k;
            if (abs(b->w[i]) >= abs(w)) continue;
        }
        b->tag[i] = (uint8_t)t;
        b->w[i] = w;
    }
}

double ctw_queue__weights_fill(ctw_queue__bucket *table, size_t buckets, const uint32_t *code, const double *weight,
                               size_t n, const ctw_queue__bucket *base, double share)
{
    double sum[TAGS], largest = 0;
    for (size_t b = 0, from = 0; b < buckets; b++) {
        from = lay_out(sum, b, code, weight, n, from, base ? &base[b] : NULL, share);
        for (unsigned t = 1; t < TAGS; t++) largest = fmax(largest, fabs(sum[t]));
    }
    double unit = largest > 0 ? largest / INT16_MAX : 1;
    for (size_t b = 0, from = 0; b < buckets; b++) {
        from = lay_out(sum, b, code, weight, n, from, base ? &base[b] : NULL, share);
        keep_largest(sum, unit, &table[b]);
    }
    return unit;
}
