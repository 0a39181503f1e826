/* ledger.h: the forecasts issued and what became of them. From errors whose outcomes are known it weighs the
 * experts and sets the intervals, so both only ever use the past. */
#ifndef CTW_FORECAST_LEDGER_H
#define CTW_FORECAST_LEDGER_H

#include <cybertwin/base.h>
#include <stddef.h>

#define CTW_FORECAST__KEEP 180 /* scores kept of each lead */

typedef struct ctw_forecast__ledger {
    size_t s, leads, experts;
    size_t open, first; /* ring of forecasts not yet fully judged: the last leads/s and one more */
    uint64_t *origin;   /* ring: day number of the origin */
    double *z;          /* ring x experts x leads */
    double *blend;      /* ring x leads */
    double *half;       /* ring x leads: half width meant to hold 90 % */
    size_t *judged;     /* ring: lead days judged */
    double *weight;     /* lead days x experts: log weights */
    size_t *scores;     /* leads: how many scores each has */
    size_t *head;       /* leads: where the next goes */
    double *score;      /* leads x KEEP: signed errors in order of arrival */
    double *sorted;     /* leads x KEEP: their absolute values, ascending */
    double *alpha;      /* leads: adapted miss rate */
    int only;           /* the one expert that counts, -1 all */
    double recent;      /* smoothed share of outcomes outside the 90 % band, for the drift flag */
} ctw_forecast__ledger;

ctw_status ctw_forecast__ledger_new(ctw_ctx *ctx, ctw_forecast__ledger *g, size_t s, size_t leads, size_t experts);
void ctw_forecast__ledger_free(ctw_ctx *ctx, ctw_forecast__ledger *g);
/* Records the experts' forecasts (experts x leads) from the start of day `origin`, blended by today's weights. */
void ctw_forecast__ledger_push(ctw_forecast__ledger *g, uint64_t origin, const double *z);
/* A day has been completed: judges every open forecast that covers it. z[s], hole[s] of day number `day`. */
void ctw_forecast__ledger_judge(ctw_forecast__ledger *g, uint64_t day, const double *z, const uint8_t *hole);
/* The newest forecast and its blend; NULL when none was pushed. */
const double *ctw_forecast__ledger_blend(const ctw_forecast__ledger *g);
/* The blend issued `back` origins before the newest one; NULL when there is none. */
const double *ctw_forecast__ledger_before(const ctw_forecast__ledger *g, size_t back);
/* Half width around the blend at a lead that should hold `coverage`. */
double ctw_forecast__ledger_half(const ctw_forecast__ledger *g, size_t lead, double coverage);

/* Mean absolute error of the first lead day over the last five origins, as a multiple of that of the origins before;
 * 1 while the record is short. */
double ctw_forecast__ledger_drift(const ctw_forecast__ledger *g);
/* Weights of the experts on lead day j, summing to one. */
void ctw_forecast__ledger_shares(const ctw_forecast__ledger *g, size_t j, double *w);
/* Past origins whose errors are known at every lead, and the error of one of them (0 the newest) at a lead. */
size_t ctw_forecast__ledger_paths(const ctw_forecast__ledger *g);
double ctw_forecast__ledger_error(const ctw_forecast__ledger *g, size_t path, size_t lead);

#endif
