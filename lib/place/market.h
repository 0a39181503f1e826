/* market.h: prices of resources per pool and slot. The servers of a pool supply capacity: a class is switched on
 * when its capacity, sold at the prices, pays for its idle power and load. Replacing that on/off by a logistic
 * curve of width theta makes the price a smooth function of the demand, so that jobs can react to prices one
 * after the other and settle near an equilibrium (deterministic annealing: theta shrinks). At any prices >= 0 the
 * exact, unsmoothed value is a lower bound (bound.c); smoothing only guides. See doc/place.md. */
#ifndef CTW_PLACE_MARKET_H
#define CTW_PLACE_MARKET_H

#include "place/inst.h"

typedef struct ctw_place__market {
    const ctw_place__inst *in;
    size_t r;         /* resources that some job needs; the others have no price */
    size_t *res;      /* their indices in the problem */
    size_t cells;     /* pools x slots; cell = pool * slots + slot */
    double *price;    /* cells x r, g per unit and slot */
    double *demand;   /* cells x r */
    double *padding;  /* cells x r: room kept free because packing found none */
    double *anchor;   /* cells x r: prices that the proximal term holds on to */
    double *slope;    /* cells x r x r: change of price per change of demand */
    double *drift;    /* cells: demand moved since the price was solved, in shares of the pool's capacity */
    double *scale;    /* pools x r: capacity of the pool */
    double *high;     /* cells x r: highest price, where demand exceeds all capacity */
    double *fixed;    /* classes x slots: g of a server being on, multipliers of start-up included */
    double *theta_on; /* classes x slots: the multipliers of start-ups in `fixed` (ramp.c) */
    double *gram;     /* classes x slots: g per W, as the tariff of the region says (feed.c) */
    double *count;    /* classes: servers reckoned with, no more than the rack can feed under full load */
    double *alike; /* classes: the sum of count over classes that differ in rack only, at the first of them; else 0 */
    struct ctw_place__feeds *feeds; /* what watts cost beyond the intensities; NULL when nothing is */
    double *rate;                   /* flavours x r: demands in market order */
    double theta,
        give;      /* width of the logistic curve; capacity (share) that a doubled price moves the anchor's term by */
    size_t solves; /* for the record */
} ctw_place__market;

ctw_status ctw_place__market_new(const ctw_place__inst *in, ctw_place__market *m);
void ctw_place__market_free(ctw_place__market *m);

/* Solves one cell's prices for its demand, from the present prices; sets its slope. */
void ctw_place__market_solve(ctw_place__market *m, size_t cell);
void ctw_place__market_solve_all(ctw_place__market *m);
/* Moves `units` of the flavour into (or, negative, out of) the cell, and its price along the slope. */
void ctw_place__market_move(ctw_place__market *m, size_t cell, size_t flavour, double units);
/* Servers of the class that are on in `slot` at the present prices, 0..n. */
double ctw_place__market_on(const ctw_place__market *m, size_t class, size_t slot);
/* Watts that the class and those like it draw in the slot at the present prices, by the smoothed supply; 0 for classes
 * that are not the first of their like. */
double ctw_place__market_watts(const ctw_place__market *m, size_t class, size_t slot);
/* Grams that one server of the class earns when on at the prices (exact, unsmoothed). */
double ctw_place__market_profit(const ctw_place__market *m, size_t class, size_t slot);

static inline double ctw_place__market_value(const ctw_place__market *m, size_t cell, size_t flavour)
{
    const double *p = m->price + cell * m->r, *d = m->rate + flavour * m->r;
    double v = 0;
    for (size_t j = 0; j < m->r; j++) v += p[j] * d[j];
    return v;
}
/* Half the change of the price that one unit of the flavour causes itself, in its own cost. */
static inline double ctw_place__market_self(const ctw_place__market *m, size_t cell, size_t flavour)
{
    const double *g = m->slope + cell * m->r * m->r, *d = m->rate + flavour * m->r;
    double v = 0;
    for (size_t i = 0; i < m->r; i++) {
        for (size_t j = 0; j < m->r; j++) v += d[i] * g[i * m->r + j] * d[j];
    }
    return v / 2;
}

#endif
