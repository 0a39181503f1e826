/* feed.h: what watts cost beyond the carbon intensities: power caps of regions and racks, on-site supply and storage
 * (doc/place.md, "What a watt costs"). A region's tariff in a slot is the multiplier of the watts drawn there: the
 * intensity, less where supply covers the draw, more where the cap binds. Racks have no price in the market (they are
 * reckoned as as many servers as they can feed under full load), and a multiplier of their own in the bound. */
#ifndef CTW_PLACE_FEED_H
#define CTW_PLACE_FEED_H

#include "place/dispatch.h"
#include "place/market.h"

typedef struct ctw_place__feeds {
    double *tariff;      /* regions x slots: g per W */
    double *anchor;      /* regions x slots: what the proximal term holds on to */
    double *sum;         /* regions x slots: of the tariffs looked at during a sweep */
    double *keep, *best; /* regions x slots: the tariffs before they were averaged; those of the best bound */
    double *worth;       /* regions x slots: g that a Wh more in the store after the slot saves, or NULL */
    ctw_place__dispatcher d;
    int failed;         /* out of memory in a dispatch */
    double *draw;       /* regions x slots: smoothed draw */
    double *class_draw; /* classes x slots */
    double *extra;      /* slots: a rack's multiplier */
    double *scale;      /* regions x slots: change of the tariff per W that is too much */
} ctw_place__feeds;

/* m->count and m->alike. */
void ctw_place__feed_counts(ctw_place__market *m);
/* m->feeds, NULL when no region has anything. CTW_E_NOMEM. */
ctw_status ctw_place__feeds_new(ctw_place__market *m);
void ctw_place__feeds_free(ctw_place__market *m);

/* After the cell's prices were solved: its draw anew, and the tariff that follows. Non-zero when that has changed. */
int ctw_place__feed_follow(ctw_place__market *m, size_t cell);
/* Adds to the cell's slope what the tariff adds when demand comes. */
void ctw_place__feed_bend(ctw_place__market *m, size_t cell);
/* Sums the tariffs for their average; forgets the sum. */
void ctw_place__feed_look(ctw_place__market *m);
void ctw_place__feed_forget(ctw_place__market *m);
/* Puts the averages of n looks in the tariffs' place, also as anchors; the present ones are kept. */
void ctw_place__feed_average(ctw_place__market *m, size_t n);
/* The present tariffs are those of the best bound so far. */
void ctw_place__feed_record(ctw_place__market *m);
void ctw_place__feed_restore(ctw_place__market *m); /* undoes feed_average */
/* Sets all tariffs, e.g. from the last plan. */
void ctw_place__feed_set(ctw_place__market *m, const double *tariff);

/* After a sweep: what the stores' charge is worth at the draw there is. */
void ctw_place__feed_learn(ctw_place__market *m);

/* Terms of the bound at the present tariffs: what caps, supply and storage give back. -INFINITY without memory. */
double ctw_place__feed_value(ctw_place__market *m);
/* The same for the divisible plan itself: what its draw costs less what the tariffs charge for it. */
double ctw_place__feed_plan_value(ctw_place__market *m);
/* Makes the energy part of the best tariffs the instance's guide; returns what supply and storage give back there. */
double ctw_place__feed_guide(ctw_place__market *m);
/* Multipliers of the cap of feed f (a rack) that nearly minimise its term, in feeds->extra; returns their sum times the
 * cap. */
double ctw_place__feed_rack(const ctw_place__market *m, size_t f);
/* Share of the intensity that start-ups pay in the slot: 1 without supply. */
double ctw_place__feed_share(const ctw_place__market *m, size_t region, size_t slot);

#endif
