/* governor_experts.h: rules that serve what was served, each as if it alone had set the clock. */
#ifndef CTW_POWER_GOVERNOR_EXPERTS_H
#define CTW_POWER_GOVERNOR_EXPERTS_H

#include "power/governor_core.h"
#include <cybertwin/base.h>

/* Sums over the past, older requests counting less. */
typedef struct ctw_governor__tally {
    double late, joule, seconds;
} ctw_governor__tally;

typedef struct ctw_governor__expert {
    ctw_power__rule rule;
    ctw_power__server server;
    ctw_governor__tally sum, counted; /* counted: of `server`, what `sum` holds already */
} ctw_governor__expert;

typedef struct ctw_governor__experts {
    ctw_governor__expert *at;
    size_t n;      /* the last one is the top point, always */
    double weight; /* requests in the sums */
    size_t fresh;  /* recorded since the sums were brought up to date */
    int begun;     /* 0: all start at the beginning of the record */
} ctw_governor__experts;

ctw_status ctw_governor__experts_new(ctw_ctx *ctx, ctw_governor__experts *e);
void ctw_governor__experts_free(ctw_ctx *ctx, ctw_governor__experts *e);
/* The rules for this table; what they learned is lost. */
void ctw_governor__experts_begin(ctw_governor__experts *e, const ctw_power__plan *plan);
/* The record's first `dropped` requests are about to be forgotten. */
void ctw_governor__experts_drop(ctw_governor__experts *e, const ctw_power__record *r, size_t dropped);
/* Lets every expert serve what was recorded since; a request `memory` ago counts 1/e. */
ctw_status ctw_governor__experts_follow(ctw_governor__experts *e, const ctw_power__plan *plan,
                                        const ctw_power__record *r, double lag, double memory, ctw_cancel *cancel,
                                        const char *fn);
/* The sums of one expert with what it still has to serve. */
ctw_governor__tally ctw_governor__experts_outcome(const ctw_governor__experts *e, size_t i, const ctw_power__plan *plan,
                                                  const ctw_power__record *r, double lag);

#endif
