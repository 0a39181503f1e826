/* verify_energy.c: see verify_energy.h. It shares no code with dispatch.c and energy.c. */
#include "place/verify_energy.h"
#include "num/sort.h"
#include <math.h>

#define TOLERANCE 1e-8

static ctw_status wrong(const char *fn, size_t region, size_t slot, const char *what, double v, double limit)
{
    return ctw_base__fail(CTW_E_INTERNAL, "%s: region %zu slot %zu: %s is %.12g, the limit is %.12g", fn, region, slot,
                          what, v, limit);
}

/* Storage of one region over all slots. */
static ctw_status check_store(const ctw_place *p, const ctw_solution *s, size_t g, double *grams, const char *fn)
{
    static const ctw_place__store none = {0, 0, 1, 0, 0, 0};
    const ctw_place__store *x = p->store ? p->store + g : &none;
    double hours = p->opt.slot_s / 3600, level = x->start, some = TOLERANCE * (1 + x->capacity);
    for (size_t t = 0; t < p->slots; t++) {
        double in = s->charge[g * p->slots + t], out = s->discharge[g * p->slots + t], most = x->power;
        if (x->capacity <= 0) most = 0;
        if (!(in >= 0 && in <= most * (1 + TOLERANCE))) return wrong(fn, g, t, "charging", in, most);
        if (!(out >= 0 && out <= most * (1 + TOLERANCE))) return wrong(fn, g, t, "discharging", out, most);
        level += x->efficiency * in * hours - out * hours;
        *grams += x->wear * out * hours;
        if (!(level >= -some && level <= x->capacity + some)) return wrong(fn, g, t, "the level", level, x->capacity);
        if (x->capacity > 0 && fabs(level - s->level[g * p->slots + t]) > some)
            return wrong(fn, g, t, "the level said", s->level[g * p->slots + t], level);
    }
    return level >= x->end - some ? CTW_OK : wrong(fn, g, p->slots - 1, "the last level", level, x->end);
}

/* The plan's draw must be what its servers take, and the grid must give what supply does not. */
static ctw_status check_balance(const ctw_place *p, const ctw_solution *s, const double *draw, const char *fn)
{
    for (size_t i = 0; i < p->regions * p->slots; i++) {
        double net = draw[i] + s->charge[i] - s->discharge[i], some = TOLERANCE * (1 + fabs(draw[i]));
        double supply = p->supply ? p->supply[i] : 0;
        if (!(fabs(draw[i] - s->draw[i]) <= some))
            return wrong(fn, i / p->slots, i % p->slots, "the draw", s->draw[i], draw[i]);
        if (!(s->grid[i] >= 0 && s->grid[i] >= net - supply - some))
            return wrong(fn, i / p->slots, i % p->slots, "the grid's share", s->grid[i], net - supply);
        if (s->grid[i] > fmax(0, net) + some)
            return wrong(fn, i / p->slots, i % p->slots, "the grid's share", s->grid[i], net);
    }
    return CTW_OK;
}

/* Grams of the grid under one block of intensities. */
static double emitted(const ctw_place *p, const ctw_solution *s, const double *carbon)
{
    double sum = 0, carry = 0;
    for (size_t i = 0; i < p->regions * p->slots; i++) {
        double g = s->grid[i] * carbon[i] / 1000 * (p->opt.slot_s / 3600) - carry, next = sum + g;
        carry = (next - sum) - g;
        sum = next;
    }
    return sum;
}

/* CVaR as its minimum over thresholds, which one of the costs attains: v + E max(0, cost - v) / (1 - tail). */
static ctw_status risk(const ctw_place *p, const ctw_solution *s, double *grams)
{
    double *cost = CTW_NEW(p->h.ctx, p->scenarios, double), least = INFINITY, mean = 0;
    if (!cost) return CTW_E_NOMEM;
    for (size_t q = 0; q < p->scenarios; q++) {
        cost[q] = emitted(p, s, p->scenario + q * p->regions * p->slots);
        mean += p->probability[q] * cost[q];
    }
    for (size_t v = 0; v < p->scenarios && p->tail > 0; v++) {
        double sum = cost[v];
        for (size_t q = 0; q < p->scenarios; q++) sum += p->probability[q] * fmax(0, cost[q] - cost[v]) / (1 - p->tail);
        least = fmin(least, sum);
    }
    *grams += p->tail > 0 ? least : mean;
    ctw_base__free(p->h.ctx, cost);
    return CTW_OK;
}

ctw_status ctw_place__verify_energy(const ctw_place *p, const ctw_solution *s, const double *draw, double *grams,
                                    const char *fn)
{
    if (!s->draw || s->regions != p->regions)
        return ctw_base__fail(CTW_E_INTERNAL, "%s: the plan does not say where its watts come from", fn);
    for (size_t g = 0; g < p->regions; g++) CTW_TRY(check_store(p, s, g, grams, fn));
    CTW_TRY(check_balance(p, s, draw, fn));
    if (p->scenarios) return risk(p, s, grams);
    *grams += emitted(p, s, p->carbon);
    return CTW_OK;
}
