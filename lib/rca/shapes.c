/* shapes.c: see shapes.h. */
#include "rca/shapes.h"
#include <math.h>

/* Chosen with the scale in features.c on the labelled first days of two applications (doc/rca.md). */
#define ERRORS 3.0

static uint32_t at_most(double v, uint32_t most)
{
    return v >= most ? most : (uint32_t)v;
}

uint32_t ctw_rca__shape(double spans, double out, double error)
{
    return at_most(spans, 32767) << 16 | at_most(out, 32767) << 1 | (error > 0);
}

void ctw_rca__shapes_add(ctw_rca__shapes *s, uint32_t key, uint32_t times)
{
    for (uint32_t i = 0; i < s->kinds; i++)
        if (s->key[i] == key) {
            s->count[i] += times;
            return;
        }
    if (s->kinds == CTW_RCA_SHAPES) {
        s->rest += times;
        return;
    }
    s->key[s->kinds] = key;
    s->count[s->kinds++] = times;
}

void ctw_rca__shapes_merge(ctw_rca__shapes *s, const ctw_rca__shapes *other)
{
    for (uint32_t i = 0; i < other->kinds; i++) ctw_rca__shapes_add(s, other->key[i], other->count[i]);
    s->rest += other->rest;
}

static double total(const ctw_rca__shapes *s)
{
    double n = s->rest;
    for (uint32_t i = 0; i < s->kinds; i++) n += s->count[i];
    return n;
}

static double count_of(const ctw_rca__shapes *s, uint32_t key)
{
    for (uint32_t i = 0; i < s->kinds; i++)
        if (s->key[i] == key) return s->count[i];
    return 0;
}

static double beyond(double now, double n, double past, double m)
{
    double q = (past + 1) / (m + 2); /* never certain from finitely many calls */
    return fmax(0, fabs(now / n - past / m) - ERRORS * sqrt(q * (1 - q) * (1 / n + 1 / m)));
}

double ctw_rca__shapes_differ(const ctw_rca__shapes *now, const ctw_rca__shapes *past)
{
    double n = total(now), m = total(past), sum = 0;
    if (n <= 0 || m <= 0) return 0;
    for (uint32_t i = 0; i < now->kinds; i++) sum += beyond(now->count[i], n, count_of(past, now->key[i]), m);
    for (uint32_t i = 0; i < past->kinds; i++)
        if (count_of(now, past->key[i]) <= 0) sum += beyond(0, n, past->count[i], m);
    return sum / 2;
}
